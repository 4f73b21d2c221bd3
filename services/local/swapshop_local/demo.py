"""The demo accounts, and what a newcomer may paste."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.auth.domain.accounts import create_user
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.problems import EmailTaken
from swapshop_api.auth.store import find_user_by_email, has_users
from swapshop_kit.access_tokens import Role
from swapshop_kit.database import Database

CUSTOMER: Final = "demo@swapshop.test"
OPERATOR: Final = "operator@swapshop.test"
PASSWORD: Final = "swapshop-demo"  # noqa: S105 - no secret
"""Published, so the accounts are made only on the embedded SQLite, or where --demo asks for it."""


class DemoRefused(Exception):
    """The server holds accounts that are not the demo's: a published password would open it."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL holds other people's accounts: no operator with a published password"
            " is made there. Use an empty server, or leave --demo out"
        )


async def ensure_demo_accounts(database: Database) -> None:
    """Make the accounts unless they exist.

    Raises:
        DemoRefused: there are other accounts, and no demo operator yet.
    """
    if await database.read(_holds_other_accounts):
        raise DemoRefused
    passwords = Passwords()
    accounts: tuple[tuple[str, str, Role], ...] = (
        ("Demo", CUSTOMER, "customer"),
        ("Operador", OPERATOR, "operator"),
    )
    for nombre, email, rol in accounts:
        try:
            await create_user(
                database, passwords, nombre=nombre, email=email, password=PASSWORD, rol=rol
            )
        except EmailTaken:
            continue


async def _holds_other_accounts(connection: AsyncConnection) -> bool:
    if await find_user_by_email(connection, OPERATOR) is not None:
        return False
    return await has_users(connection)


def served(url: str) -> str:
    """Return what ``up`` prints once it serves without demo accounts."""
    return f"SwapShop is up: {url}  (Ctrl-C ends it; its data stays)"


def welcome(url: str) -> str:
    """Return what ``up`` prints once it serves."""
    json = "-H 'Content-Type: application/json'"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    login = f'{{"email":"{CUSTOMER}","password":"{PASSWORD}"}}'
    order = (
        '{"cliente":"Ana","items":[{"producto":"Abrigo de lana","talla":"M","color":"azul",'
        '"cantidad":1,"precio_unitario":24.90}]}'
    )
    pick = r"""sed 's/.*"token":"\([^"]*\)".*/\1/'"""
    return f"""
SwapShop is up: {url}  (Ctrl-C ends it; its data stays)
API reference:  {url}/reference.html and {url}/reference.html?of=notifications
Demo customer:  {CUSTOMER} / {PASSWORD}
Demo operator:  {OPERATOR} / {PASSWORD}

Sign in, place an order, see its notification a moment later:

TOKEN=$(curl -s {url}/api/auth/login {json} -d '{login}' | {pick})
curl -s {url}/api/orders {bearer} {json} -H "Idempotency-Key: demo-$(date +%s)" -d '{order}'
curl -s {url}/api/notifications {bearer}
"""
