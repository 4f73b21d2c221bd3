"""Sessions: sign-in, renewal and sign-out."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.auth import store
from swapshop_api.auth.devices import issue_device
from swapshop_api.auth.domain.families import NewSession, begin_family, list_ended, present
from swapshop_api.auth.guesses import Guesses
from swapshop_api.auth.models import User
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.problems import RefreshConflict, SessionEnded, WrongCredentials
from swapshop_api.auth.rotation import Verdict, decode_token, encode_token, hash_of
from swapshop_api.signing_keys.access_tokens import AccessTokens
from swapshop_kit import security_events
from swapshop_kit.database import Database
from swapshop_kit.ended_sessions import EndedSessions, announce
from swapshop_kit.security_events import AccountReferences

_VERIFICATIONS: Final = 3
"""How often a login verifies the password again when its hash changes meanwhile."""


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that a signed-in user gets.

    Args:
        access_token: a JWT that is valid for ten minutes.
        refresh_token: the value of the refresh cookie.
        refresh_seconds: until the session ends.
        user: the account.
        device: the value of the device cookie; None after a refresh.
    """

    access_token: str
    refresh_token: str
    refresh_seconds: int
    user: User
    device: str | None = None


class Sessions:
    """Sessions of signed-in users.

    Args:
        database: of the api.
        redis: tells every process which sessions end.
        ended: the list of ended sessions in this process.
        tokens: issue the access tokens.
        guesses: limit the tries of a password.
        passwords: verify the passwords.
        references: name accounts in security events.
    """

    def __init__(
        self,
        database: Database,
        redis: Redis,
        ended: EndedSessions,
        *,
        tokens: AccessTokens,
        guesses: Guesses,
        passwords: Passwords,
        references: AccountReferences,
    ) -> None:
        self._database = database
        self._redis = redis
        self._ended = ended
        self._tokens = tokens
        self._guesses = guesses
        self._passwords = passwords
        self._references = references

    async def login(
        self, email: str, password: str, address: str, device: str | None = None
    ) -> Session:
        """Sign in.

        Raises:
            WrongCredentials: the user is unknown or the password is wrong; both take equal time.
            TooManyRequests: too many tries.
            PasswordQueueFull: too many passwords wait to be hashed.
        """
        security_events.attempt("login", account=self._references.of(email))
        user = await self._find(email)
        guess = await self._guesses.admit(email, user, address, device)
        for _ in range(_VERIFICATIONS):
            stored = None if user is None else user.password_hash
            is_right, renewed = await self._passwords.verify(password, stored, guess.party)
            if user is None or not is_right or user.disabled_at is not None:
                break
            session = NewSession()
            current = await self._begin_session(user, renewed, session)
            if current is not None:
                await self._guesses.was_right(guess)
                security_events.record("login")
                return self.begun(current, session)
            user = await self._find(email)
        raise WrongCredentials

    async def refresh(self, cookie: str | None, has_left: Callable[[], Awaitable[bool]]) -> Session:
        """Exchange a refresh token for an access token and the next refresh token.

        Args:
            cookie: the refresh token.
            has_left: whether the client closed its connection, so that nobody reads the answer.

        Raises:
            SessionEnded: the token is unknown, or its session has ended or was just revoked.
            RefreshConflict: another tab was faster.
        """
        token = decode_token(cookie)
        if token is None:
            raise SessionEnded
        presented = await self._database.transaction(lambda c: present(c, token, has_left))
        if presented is None:
            raise SessionEnded
        if presented.verdict is Verdict.REVOKE:
            family = presented.family
            security_events.record("refresh", "reused", actor=family.user_id, family_id=family.id)
            await self.announce([family.id])
            raise SessionEnded
        if presented.verdict is Verdict.CONFLICT or presented.successor is None:
            raise RefreshConflict
        family = presented.family
        seconds = int((family.expires_at - presented.now).total_seconds())
        return self._session(presented.user, family.id, presented.successor, seconds)

    async def logout(self, cookie: str | None) -> None:
        """End the session of a refresh token, whatever its state."""
        token = decode_token(cookie)
        if token is None:
            return

        async def end(connection: AsyncConnection) -> store.Family | None:
            family = await store.lock_family_of(connection, hash_of(token))
            if family is not None:
                await store.revoke_family(connection, family.id)
            return family

        family = await self._database.transaction(end)
        if family is not None:
            security_events.record("logout", actor=family.user_id, family_id=family.id)
            await self.announce([family.id])

    async def list_ended(self, within_seconds: int) -> list[str]:
        """Return the ids of the sessions that ended in the last ``within_seconds`` seconds.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        return await list_ended(self._database, within_seconds)

    async def announce(self, session_ids: Collection[str]) -> None:
        """Have every process refuse the access tokens of sessions that have ended."""
        self._ended.add(session_ids)
        await announce(self._redis, session_ids)

    def begun(self, user: User, session: NewSession) -> Session:
        """Return what the user gets at the beginning of a session."""
        seconds = int(store.FAMILY_LIFETIME.total_seconds())
        begun = self._session(user, session.id, session.token, seconds)
        return replace(begun, device=issue_device(user.password_hash))

    async def _find(self, email: str) -> User | None:
        user = await self._database.read(lambda c: store.find_user_by_email(c, email))
        if user is not None:
            security_events.identify(user.id)
        return user

    async def _begin_session(
        self, user: User, renewed_hash: str | None, session: NewSession
    ) -> User | None:
        """Begin a session unless the password was changed or the account disabled meanwhile.

        Returns the account as it is now, since its role may have changed too.
        """

        async def begin(connection: AsyncConnection) -> User | None:
            new_hash = renewed_hash or user.password_hash
            is_current = await store.replace_password(
                connection, user.id, old_hash=user.password_hash, new_hash=new_hash
            )
            current = await store.find_user(connection, user.id) if is_current else None
            if current is None or current.disabled_at is not None:
                return None
            await begin_family(connection, user.id, session)
            return current

        return await self._database.transaction(begin)

    def _session(self, user: User, session_id: str, token: bytes, seconds: int) -> Session:
        rol: Any = user.rol
        return Session(
            access_token=self._tokens.issue(
                "swapshop", user.id, rol, nombre=user.nombre, sid=session_id
            ),
            refresh_token=encode_token(token),
            refresh_seconds=seconds,
            user=user,
        )
