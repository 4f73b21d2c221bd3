"""Begin and end sessions in the database, and rotate their refresh tokens.

The refresh tokens of one session are a family.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.auth import store
from swapshop_api.auth.models import User
from swapshop_api.auth.rotation import (
    TokenState,
    Verdict,
    hash_of,
    judge,
    new_nonce,
    new_token,
    successor_of,
)
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id


@dataclass(frozen=True, slots=True)
class Presented:
    """The result of presenting a refresh token."""

    verdict: Verdict
    family: store.Family
    user: User
    successor: bytes | None
    now: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """The id and first refresh token of a session that is about to begin."""

    id: str = field(default_factory=new_id)
    token: bytes = field(default_factory=new_token)


async def begin_family(connection: AsyncConnection, user_id: str, session: NewSession) -> None:
    """Begin a session of 30 days."""
    await store.insert_family(
        connection, family_id=session.id, user_id=user_id, token_hash=hash_of(session.token)
    )


async def end_sessions(
    connection: AsyncConnection, user_id: str, *, except_id: str | None = None
) -> list[str]:
    """End every session of an account, except one if given; return the ids of those that ended.

    Lock the account's row first: locks are taken in one order, and a login that verified the old
    password or read the old role then waits.
    """
    return await store.revoke_families(connection, user_id, except_id=except_id)


async def list_ended(database: Database, within_seconds: int) -> list[str]:
    """Return the ids of the sessions that ended in the last ``within_seconds`` seconds.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    within = timedelta(seconds=within_seconds)
    return await database.read(lambda connection: store.list_ended(connection, within))


async def present(
    connection: AsyncConnection, token: bytes, has_left: Callable[[], Awaitable[bool]]
) -> Presented | None:
    """Judge a refresh token and do what the verdict says; None if its session is over.

    If the client has closed its connection, a used token ends no session: an honest page gives up
    on a paused pod and continues at another one before the paused pod reads the request.
    """
    token_hash = hash_of(token)
    family = await store.lock_family_of(connection, token_hash)
    state = None if family is None else await store.read_token(connection, token_hash)
    if family is None or state is None:
        return None
    if family.revoked_at is not None or family.expires_at <= state.now:
        return None
    user = await store.find_user(connection, family.user_id)
    if user is None or user.disabled_at is not None:
        return None
    successor = None if state.nonce is None else successor_of(token, state.nonce)
    known = None if successor is None else await store.read_token(connection, hash_of(successor))
    verdict = judge(state, known)
    if verdict is Verdict.REVOKE and await has_left():
        verdict = Verdict.CONFLICT
    if verdict is Verdict.REVOKE:
        await store.revoke_family(connection, family.id)
    elif verdict is Verdict.ROTATE:
        successor = await _rotate(connection, family, token, state)
    elif verdict is Verdict.SIBLING and successor is not None:
        successor = await _add_sibling(connection, family, token, successor)
    return Presented(verdict, family, user, successor, state.now)


async def _rotate(
    connection: AsyncConnection, family: store.Family, token: bytes, state: TokenState
) -> bytes:
    nonce, token_hash = new_nonce(), hash_of(token)
    successor = successor_of(token, nonce)
    await store.use_token(connection, token_hash, nonce)
    if state.sibling_of is not None:
        await store.void_siblings(connection, family.id, state.sibling_of, except_hash=token_hash)
    await store.insert_token(connection, family, hash_of(successor))
    return successor


async def _add_sibling(
    connection: AsyncConnection, family: store.Family, token: bytes, latest: bytes
) -> bytes:
    nonce = new_nonce()
    sibling = successor_of(token, nonce)
    await store.add_sibling(
        connection,
        family,
        hash_of(token),
        nonce=nonce,
        latest_hash=hash_of(latest),
        token_hash=hash_of(sibling),
    )
    return sibling
