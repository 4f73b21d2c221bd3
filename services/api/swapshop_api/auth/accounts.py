"""Accounts, made and promoted from a database alone: the command line needs no more."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store as audit
from swapshop_api.auth import store
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.problems import EmailTaken, UserNotFound
from swapshop_api.auth.schemas import normalize_email
from swapshop_api.auth.sessions import begin_family
from swapshop_kit.access_tokens import Role
from swapshop_kit.database import Database, DuplicateKey
from swapshop_kit.ids import new_id

COMMAND_LINE: Final = "command-line"
"""The actor in the audit when somebody with a shell did it."""


async def create_user(
    database: Database,
    passwords: Passwords,
    *,
    nombre: str,
    email: str,
    password: str,
    rol: Role = "customer",
    token: bytes | None = None,
) -> str:
    """Make an account and return its id.

    Args:
        database: of the api.
        passwords: hash the password.
        nombre: 1..120 characters.
        email: valid; it is normalized here.
        password: 12..128 characters.
        rol: of the account.
        token: a first refresh token begins a session in the same transaction.

    Raises:
        EmailTaken: there is an account with this e-mail.
        PasswordQueueFull: too many passwords wait to be hashed.
    """
    user_id = new_id()
    password_hash = await passwords.hash(password)

    async def insert(connection: AsyncConnection) -> None:
        await store.insert_user(
            connection,
            id_=user_id,
            nombre=nombre,
            email=normalize_email(email),
            password_hash=password_hash,
            rol=rol,
        )
        if token is not None:
            await begin_family(connection, user_id, token)

    try:
        await database.transaction(insert)
    except DuplicateKey as error:
        raise EmailTaken from error
    return user_id


async def ensure_operator(
    database: Database, passwords: Passwords, *, email: str, password: str
) -> str:
    """Make an operator's account, or an operator's of one that is there, and return its id.

    Args:
        database: of the api.
        passwords: hash the password.
        email: valid; it is normalized here.
        password: 12..128 characters; that of an account that is there stays as it is.
    """
    try:
        return await create_user(
            database, passwords, nombre="Operador", email=email, password=password, rol="operator"
        )
    except EmailTaken:
        return await promote(database, email)


async def promote(database: Database, email: str, *, actor: str = COMMAND_LINE) -> str:
    """Make an account an operator's and return its id; repeating it changes nothing.

    The change is audited, and in the user's next access token, so within ten minutes.

    Raises:
        UserNotFound: no account has this e-mail.
    """

    async def work(connection: AsyncConnection) -> str:
        user = await store.lock_user_by_email(connection, normalize_email(email))
        if user is None:
            raise UserNotFound
        if user.rol != "operator":
            await store.set_role(connection, user.id, "operator")
            await audit.record(connection, actor=actor, action="user.promoted", subject=user.id)
        return user.id

    return await database.transaction(work)
