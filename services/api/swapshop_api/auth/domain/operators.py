"""Accounts of operators, for the command line: created, or promoted from a registered account."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store as audit
from swapshop_api.auth import store
from swapshop_api.auth.domain.accounts import COMMAND_LINE, insert_account
from swapshop_api.auth.domain.families import end_sessions
from swapshop_api.auth.emails import normalize_email
from swapshop_api.auth.password_rules import GuessablePassword, weakness
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.problems import UserNotFound
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id

OPERATOR_NAME: Final = "Operador"


class AccountNotPromoted(Exception):
    """A registered account has the e-mail that the operator should have."""

    def __init__(self) -> None:
        super().__init__(
            "a registered account has this e-mail, and nothing proves whose account it is: it was"
            " not made an operator's. Choose another e-mail. If you know that the account is the"
            " operator's, allow the promotion (--promote-existing of users operator,"
            " OPERATOR_PROMOTE_EXISTING=true of migrate, operator.promoteExisting of the chart):"
            " the account then gets OPERATOR_PASSWORD, and its sessions end"
        )


@dataclass(frozen=True, slots=True)
class NewOperator:
    """The operator's account to create or promote.

    Args:
        email: normalized.
        password_hash: for a new account or a promoted one.
        promote_existing: whether an account that somebody registered may become the operator's.
    """

    email: str
    password_hash: str
    promote_existing: bool = False


async def prepare_operator(
    passwords: Passwords, email: str, password: str, *, promote_existing: bool = False
) -> NewOperator:
    """Normalize the e-mail and hash the password of an operator, before the transaction begins.

    Args:
        passwords: hash the password.
        email: normalized here.
        password: 12..128 characters.
        promote_existing: whether an account that somebody registered may become the operator's.

    Raises:
        EmailRefused: an account cannot have this e-mail.
        GuessablePassword: the password is easy to guess.
        PasswordQueueFull: too many passwords wait to be hashed.
    """
    normalized = normalize_email(email)
    code = weakness(password, (OPERATOR_NAME, normalized))
    if code is not None:
        raise GuessablePassword(code)
    password_hash = await passwords.hash(password)
    return NewOperator(normalized, password_hash, promote_existing)


async def ensure_operator(connection: AsyncConnection, operator: NewOperator) -> str | None:
    """Create an operator's account unless it exists, and return its id.

    An existing operator's account keeps its password. A registered account is promoted only if
    that is allowed. It then gets the new password and loses its sessions, so whoever
    registered it has no access.

    Returns:
        None if a registered account has the e-mail and may not be promoted: nothing was changed.
    """
    user = await store.lock_user_by_email(connection, operator.email)
    if user is None:
        user_id = new_id()
        await insert_account(
            connection,
            id_=user_id,
            nombre=OPERATOR_NAME,
            email=operator.email,
            password_hash=operator.password_hash,
            rol="operator",
        )
        return user_id
    if user.rol == "operator":
        return user.id
    if not operator.promote_existing:
        return None
    await store.replace_password(
        connection, user.id, old_hash=user.password_hash, new_hash=operator.password_hash
    )
    await _promote(connection, user.id, COMMAND_LINE, "password replaced")
    return user.id


async def promote(database: Database, email: str, *, actor: str = COMMAND_LINE) -> str:
    """Make an account an operator's, end its sessions and return its id.

    The account keeps its password, so make sure that it belongs to the person you mean: nobody
    checked the e-mail. The change is audited. Repeating it changes nothing.

    Raises:
        EmailRefused: no account can have this e-mail.
        UserNotFound: no account has this e-mail.
    """
    normalized = normalize_email(email)

    async def work(connection: AsyncConnection) -> str:
        user = await store.lock_user_by_email(connection, normalized)
        if user is None:
            raise UserNotFound
        if user.rol != "operator":
            await _promote(connection, user.id, actor)
        return user.id

    return await database.transaction(work)


async def _promote(
    connection: AsyncConnection, user_id: str, actor: str, detail: str | None = None
) -> None:
    """Give the role, end the sessions and audit it; the caller has locked the account's row."""
    await store.set_role(connection, user_id, "operator")
    await end_sessions(connection, user_id)
    await audit.record(
        connection, actor=actor, action="user.promoted", subject=user_id, detail=detail
    )
