"""All SQL of accounts and sessions.

Locks are taken in one order: users → refresh_families → refresh_tokens.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.auth.models import User, refresh_families, refresh_tokens, users
from swapshop_api.auth.rotation import TokenState
from swapshop_kit.dialect import utc_now

FAMILY_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Family:
    """A session, locked until the transaction ends."""

    id: str
    user_id: str
    expires_at: datetime
    revoked_at: datetime | None


# --- users ------------------------------------------------------------------------------------


async def insert_user(
    connection: AsyncConnection, *, id_: str, nombre: str, email: str, password_hash: str, rol: str
) -> None:
    """Insert an account; a taken e-mail is a duplicate key."""
    await connection.execute(
        insert(users).values(
            id=id_,
            nombre=nombre,
            email=email,
            password_hash=password_hash,
            rol=rol,
            created_at=utc_now(),
        )
    )


async def find_user(connection: AsyncConnection, user_id: str) -> User | None:
    """Return an account by its id."""
    return await _one_user(connection, select(users).where(users.c.id == user_id))


async def find_user_by_email(connection: AsyncConnection, email: str) -> User | None:
    """Return an account by its normalized e-mail."""
    return await _one_user(connection, select(users).where(users.c.email == email))


async def has_users(connection: AsyncConnection) -> bool:
    """Return whether there is any account."""
    return await connection.scalar(select(users.c.id).limit(1)) is not None


async def lock_user_by_email(connection: AsyncConnection, email: str) -> User | None:
    """Return an account and lock its row."""
    query = select(users).where(users.c.email == email).with_for_update()
    return await _one_user(connection, query)


async def _one_user(connection: AsyncConnection, query: Select[Any]) -> User | None:
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else User(**row)


async def replace_password(
    connection: AsyncConnection, user_id: str, *, old_hash: str, new_hash: str
) -> bool:
    """Replace a password hash unless it has changed meanwhile; locks the row."""
    result = await connection.execute(
        update(users)
        .where(users.c.id == user_id, users.c.password_hash == old_hash)
        .values(password_hash=new_hash)
    )
    return result.rowcount == 1


async def set_role(connection: AsyncConnection, user_id: str, rol: str) -> None:
    """Give an account a role."""
    await connection.execute(update(users).where(users.c.id == user_id).values(rol=rol))


async def set_disabled(connection: AsyncConnection, user_id: str, *, disabled: bool) -> None:
    """Disable an account from now on, or enable it again."""
    disabled_at = utc_now() if disabled else null()
    await connection.execute(
        update(users).where(users.c.id == user_id).values(disabled_at=disabled_at)
    )


# --- sessions ---------------------------------------------------------------------------------


async def insert_family(
    connection: AsyncConnection, *, family_id: str, user_id: str, token_hash: bytes
) -> None:
    """Begin a session of 30 days with its first refresh token."""
    await connection.execute(
        insert(refresh_families).values(
            id=family_id,
            user_id=user_id,
            created_at=utc_now(),
            expires_at=utc_now(FAMILY_LIFETIME),
        )
    )
    await connection.execute(
        insert(refresh_tokens).values(
            token_hash=token_hash, family_id=family_id, expires_at=utc_now(FAMILY_LIFETIME)
        )
    )


async def lock_family_of(connection: AsyncConnection, token_hash: bytes) -> Family | None:
    """Lock the session that a token belongs to; whoever changes its tokens holds this lock.

    The subquery takes no lock, so the family's is the first.
    """
    family_id = (
        select(refresh_tokens.c.family_id)
        .where(refresh_tokens.c.token_hash == token_hash)
        .scalar_subquery()
    )
    family = refresh_families.c
    query = (
        select(family.id, family.user_id, family.expires_at, family.revoked_at)
        .where(family.id == family_id)
        .with_for_update()
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Family(*row)


async def read_token(connection: AsyncConnection, token_hash: bytes) -> TokenState | None:
    """Return a token's state; with the family locked it cannot change."""
    token = refresh_tokens.c
    query = select(token.used_at, token.nonce, token.voided_at, token.sibling_of, utc_now()).where(
        token.token_hash == token_hash
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else TokenState(*row)


async def use_token(connection: AsyncConnection, token_hash: bytes, nonce: bytes) -> None:
    """Mark a token as used now, with the nonce of its successor."""
    await connection.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.token_hash == token_hash)
        .values(used_at=utc_now(), nonce=nonce)
    )


async def void_siblings(
    connection: AsyncConnection, family_id: str, sibling_of: bytes, *, except_hash: bytes
) -> None:
    """Make a used token's siblings void: whoever presents one has what somebody else was given.

    They count as used too, so that a look at any of them tells when their group was.
    """
    token = refresh_tokens.c
    await connection.execute(
        update(refresh_tokens)
        .where(
            token.family_id == family_id,  # by the index on it: a group of siblings is rare
            token.sibling_of == sibling_of,
            token.token_hash != except_hash,
        )
        .values(voided_at=utc_now(), used_at=utc_now())
    )


async def insert_token(
    connection: AsyncConnection, family: Family, token_hash: bytes, sibling_of: bytes | None = None
) -> None:
    """Add a token to a session; it ends with it."""
    await connection.execute(
        insert(refresh_tokens).values(
            token_hash=token_hash,
            family_id=family.id,
            expires_at=family.expires_at,
            sibling_of=sibling_of,
        )
    )


async def add_sibling(
    connection: AsyncConnection,
    family: Family,
    parent_hash: bytes,
    *,
    nonce: bytes,
    latest_hash: bytes,
    token_hash: bytes,
) -> None:
    """Give a used token one more successor.

    Args:
        connection: in the transaction that holds the family's lock.
        family: of all of them.
        parent_hash: of the used token; its use stays when it was.
        nonce: leads from it to the new successor.
        latest_hash: of the latest successor so far.
        token_hash: of the new one.
    """
    token = refresh_tokens.c
    await connection.execute(
        update(refresh_tokens).where(token.token_hash == parent_hash).values(nonce=nonce)
    )
    await connection.execute(
        update(refresh_tokens).where(token.token_hash == latest_hash).values(sibling_of=parent_hash)
    )
    await insert_token(connection, family, token_hash, sibling_of=parent_hash)


async def revoke_family(connection: AsyncConnection, family_id: str) -> None:
    """End a session."""
    await connection.execute(
        update(refresh_families)
        .where(refresh_families.c.id == family_id, refresh_families.c.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )


async def family_id_of(connection: AsyncConnection, token_hash: bytes) -> str | None:
    """Return the id of the session that a token belongs to, without a lock."""
    return await connection.scalar(
        select(refresh_tokens.c.family_id).where(refresh_tokens.c.token_hash == token_hash)
    )


async def revoke_families(
    connection: AsyncConnection, user_id: str, *, except_id: str | None
) -> list[str]:
    """End every session of an account but one; return the ids of those that ended."""
    family = refresh_families.c
    query = (
        select(family.id)
        .where(family.user_id == user_id, family.revoked_at.is_(None))
        .with_for_update()
    )
    if except_id is not None:
        query = query.where(family.id != except_id)
    ended = [str(id_) for id_ in (await connection.execute(query)).scalars()]
    if ended:
        await connection.execute(
            update(refresh_families).where(family.id.in_(ended)).values(revoked_at=utc_now())
        )
    return ended


async def list_ended(connection: AsyncConnection, within: timedelta) -> list[str]:
    """Return the ids of the sessions that were ended within a time."""
    query = select(refresh_families.c.id).where(refresh_families.c.revoked_at >= utc_now(-within))
    return [str(id_) for id_ in (await connection.execute(query)).scalars()]
