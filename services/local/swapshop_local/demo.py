"""The demo accounts, and what a newcomer may paste."""

from typing import Final

from swapshop_api.auth.accounts import create_user
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.problems import EmailTaken
from swapshop_kit.access_tokens import Role
from swapshop_kit.database import Database

CUSTOMER: Final = "demo@swapshop.test"
OPERATOR: Final = "operator@swapshop.test"
PASSWORD: Final = "swapshop-demo"  # noqa: S105 - no secret
"""Printed at every start: these accounts exist on one machine's loopback address alone."""


async def ensure_demo_accounts(database: Database) -> None:
    """Make the accounts unless they are there."""
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
