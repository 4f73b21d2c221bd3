"""Acts of an administrator on an account. Each is audited, and most end the account's sessions.

Every process refuses an ended session within five seconds, since it reads the list of ended
sessions from the database.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store as audit
from swapshop_api.auth import store
from swapshop_api.auth.domain.accounts import COMMAND_LINE
from swapshop_api.auth.domain.families import end_sessions
from swapshop_api.auth.emails import normalize_email
from swapshop_api.auth.models import User
from swapshop_api.auth.problems import UserNotFound
from swapshop_kit.database import Database


@dataclass(frozen=True, slots=True)
class Done:
    """The result of an act.

    Args:
        user_id: the id of the account.
        changed: False if the account already was in that state; then nothing is audited.
        ended: number of sessions that ended.
    """

    user_id: str
    changed: bool
    ended: int = 0


_Act = Callable[[AsyncConnection, User], Awaitable[Done]]


async def demote(database: Database, email: str, *, actor: str = COMMAND_LINE) -> Done:
    """Make an operator a customer again.

    Raises:
        EmailRefused: no account can have this e-mail.
        UserNotFound: no account has this e-mail.
    """

    async def act(connection: AsyncConnection, user: User) -> Done:
        if user.rol == "customer":
            return Done(user.id, changed=False)
        await store.set_role(connection, user.id, "customer")
        return await _end_and_record(connection, user, actor, "user.demoted")

    return await _on_account(database, email, act)


async def disable(database: Database, email: str, *, actor: str = COMMAND_LINE) -> Done:
    """Refuse an account's sign-in, as if its password were wrong, until it is enabled again.

    Raises:
        EmailRefused: no account can have this e-mail.
        UserNotFound: no account has this e-mail.
    """

    async def act(connection: AsyncConnection, user: User) -> Done:
        if user.disabled_at is not None:
            return Done(user.id, changed=False)
        await store.set_disabled(connection, user.id, disabled=True)
        return await _end_and_record(connection, user, actor, "user.disabled")

    return await _on_account(database, email, act)


async def enable(database: Database, email: str, *, actor: str = COMMAND_LINE) -> Done:
    """Let a disabled account sign in again; the sessions it had stay ended.

    Raises:
        EmailRefused: no account can have this e-mail.
        UserNotFound: no account has this e-mail.
    """

    async def act(connection: AsyncConnection, user: User) -> Done:
        if user.disabled_at is None:
            return Done(user.id, changed=False)
        await store.set_disabled(connection, user.id, disabled=False)
        await audit.record(connection, actor=actor, action="user.enabled", subject=user.id)
        return Done(user.id, changed=True)

    return await _on_account(database, email, act)


async def revoke_sessions(database: Database, email: str, *, actor: str = COMMAND_LINE) -> Done:
    """End every session of an account; its owner may sign in again.

    Raises:
        EmailRefused: no account can have this e-mail.
        UserNotFound: no account has this e-mail.
    """

    async def act(connection: AsyncConnection, user: User) -> Done:
        return await _end_and_record(connection, user, actor, "user.sessions_revoked")

    return await _on_account(database, email, act)


async def _on_account(database: Database, email: str, act: _Act) -> Done:
    normalized = normalize_email(email)

    async def work(connection: AsyncConnection) -> Done:
        user = await store.lock_user_by_email(connection, normalized)
        if user is None:
            raise UserNotFound
        return await act(connection, user)

    return await database.transaction(work)


async def _end_and_record(connection: AsyncConnection, user: User, actor: str, action: str) -> Done:
    ended = len(await end_sessions(connection, user.id))
    await audit.record(
        connection, actor=actor, action=action, subject=user.id, detail=f"sessions ended: {ended}"
    )
    return Done(user.id, changed=True, ended=ended)
