"""Accounts, sessions and tokens: the use cases."""

import hmac
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.auth import store
from swapshop_api.auth.accounts import COMMAND_LINE, create_user, promote
from swapshop_api.auth.devices import issue_device
from swapshop_api.auth.guesses import Guess, guess_at, registration_limits
from swapshop_api.auth.models import User
from swapshop_api.auth.origins import Origins
from swapshop_api.auth.password_rules import refuse_guessable
from swapshop_api.auth.passwords import Party, Passwords
from swapshop_api.auth.problems import (
    ClientRefused,
    EmailTaken,
    RefreshConflict,
    SessionEnded,
    WrongCredentials,
    WrongPassword,
)
from swapshop_api.auth.rate_limits import RateLimits
from swapshop_api.auth.rotation import Verdict, decode_token, encode_token, hash_of
from swapshop_api.auth.sessions import NewSession, begin_family, end_sessions, present
from swapshop_api.settings import ApiSettings
from swapshop_api.signing_keys.domain import SigningKeys
from swapshop_kit import security_events
from swapshop_kit.access_tokens import Audience, Role
from swapshop_kit.addresses import TrustedProxies, site_network
from swapshop_kit.database import Database
from swapshop_kit.ended_sessions import EndedSessions, announce
from swapshop_kit.ids import new_id
from swapshop_kit.problems import FieldError, InvalidRequest, Unauthenticated
from swapshop_kit.security_events import AccountReferences

ACCESS_TOKEN_SECONDS: Final = 600
_VERIFICATIONS: Final = 3
"""Times a login looks again when the password hash changes under it."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a signed-in user is given.

    Args:
        access_token: a JWT of ten minutes.
        refresh_token: the cookie's value.
        refresh_seconds: until the session ends.
        user: whose it is.
        device: the cookie by which the device is known from now on; None after a refresh.
    """

    access_token: str
    refresh_token: str
    refresh_seconds: int
    user: User
    device: str | None = None


class Auth:
    """The accounts.

    Args:
        database: of the api.
        redis: counts what is limited, and tells every process which sessions end.
        keys: sign the access tokens.
        settings: issuer, origins, proxies, limits and the poller's credentials.
        ended: is told which sessions end.
        limits: count logins and registrations; made from ``redis`` and the settings if absent.
        passwords: hash the passwords; with the recommended cost if absent.
        clock: seconds since the epoch, for ``iat`` and ``exp``; sessions live by the database's.
    """

    def __init__(
        self,
        database: Database,
        redis: Redis,
        keys: SigningKeys,
        settings: ApiSettings,
        ended: EndedSessions,
        *,
        limits: RateLimits | None = None,
        passwords: Passwords | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.origins = Origins(settings.public_origins)
        self.proxies = TrustedProxies(settings.trusted_proxies)
        self._database = database
        self._redis = redis
        self._ended = ended
        self._keys = keys
        self._settings = settings
        self._limits = limits or RateLimits(redis, settings.max_replicas)
        self._clock = clock
        self._passwords = passwords or Passwords()
        secret = settings.poller_client_secret.get_secret_value()
        self._accounts = AccountReferences(secret)

    # --- accounts -----------------------------------------------------------------------------

    async def register(self, nombre: str, email: str, password: str, address: str) -> Session:
        """Make an account and sign it in.

        Raises:
            EmailTaken: there is one with this e-mail.
            InvalidRequest: the password is easy to guess.
            TooManyRequests: too many from this address or its site.
            PasswordQueueFull: too many passwords wait to be hashed.
        """
        security_events.attempt("register", account=self._accounts.of(email))
        await self._limits.take(*registration_limits(self._settings, address))
        party = Party(site_network(address))
        await refuse_guessable(self._passwords, party, "password", password, (nombre, email))
        session = NewSession()
        try:
            user_id = await create_user(
                self._database,
                self._passwords,
                nombre=nombre,
                email=email,
                password=password,
                session=session,
                party=party,
            )
        except EmailTaken:
            security_events.record("register", "refused", reason=EmailTaken.code)
            raise
        security_events.record("register", actor=user_id)
        return self._begun(await self._user(user_id), session)

    async def me(self, user_id: str) -> User:
        """Return an account.

        Raises:
            Unauthenticated: it is there no more.
        """
        return await self._user(user_id)

    async def change_password(
        self,
        user_id: str,
        current: str,
        new: str,
        cookie: str | None,
        address: str,
        *,
        device: str | None = None,
    ) -> str:
        """Change a password and end every session of the account but the cookie's.

        Returns:
            The device's new cookie: all former ones are void.

        Raises:
            WrongPassword: ``current`` is not right, or was changed a moment ago.
            InvalidRequest: ``new`` is easy to guess, or the current password.
            TooManyRequests: too many tries.
            PasswordQueueFull: too many passwords wait to be hashed.
        """
        security_events.attempt("password_change")
        user = await self._user(user_id)
        guess = await self._admit(user.email, user, address, device)
        is_right, _ = await self._passwords.verify(current, user.password_hash, guess.party)
        if not is_right:
            raise WrongPassword
        await self._limits.forget(*guess.failures)
        if new == current:
            raise InvalidRequest(errors=[FieldError("new", "password_unchanged")])
        own = (user.nombre, user.email)
        await refuse_guessable(self._passwords, guess.party, "new", new, own)
        new_hash = await self._passwords.hash(new, guess.party)
        token = decode_token(cookie)

        async def change(connection: AsyncConnection) -> list[str] | None:
            if not await store.replace_password(
                connection, user_id, old_hash=user.password_hash, new_hash=new_hash
            ):
                return None
            kept = None if token is None else await store.family_id_of(connection, hash_of(token))
            return await end_sessions(connection, user_id, except_id=kept)

        ended = await self._database.transaction(change)
        if ended is None:
            raise WrongPassword
        await self._announce(ended)
        security_events.record("password_change", sessions_ended=len(ended))
        return issue_device(user.id, new_hash)

    async def promote(self, email: str, actor: str = COMMAND_LINE) -> str:
        """Make an account an operator's; see ``accounts.promote``."""
        return await promote(self._database, email, actor=actor)

    # --- sessions -----------------------------------------------------------------------------

    async def login(
        self, email: str, password: str, address: str, device: str | None = None
    ) -> Session:
        """Sign in.

        Raises:
            WrongCredentials: for an unknown user and a wrong password alike, in equal time.
            TooManyRequests: too many tries.
            PasswordQueueFull: too many passwords wait to be hashed.
        """
        security_events.attempt("login", account=self._accounts.of(email))
        user = await self._find(email)
        guess = await self._admit(email, user, address, device)
        for _ in range(_VERIFICATIONS):
            stored = None if user is None else user.password_hash
            is_right, renewed = await self._passwords.verify(password, stored, guess.party)
            if user is None or not is_right or user.disabled_at is not None:
                break
            session = NewSession()
            current = await self._begin_session(user, renewed, session)
            if current is not None:
                await self._limits.forget(*guess.failures)
                security_events.record("login")
                return self._begun(current, session)
            user = await self._find(email)
        raise WrongCredentials

    async def refresh(self, cookie: str | None, has_left: Callable[[], Awaitable[bool]]) -> Session:
        """Exchange a refresh token for an access token and the next refresh token.

        Args:
            cookie: with the token.
            has_left: whether the client closed its connection, so that nobody reads the answer.

        Raises:
            SessionEnded: the token is unknown, or its session over, or revoked just now.
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
            await self._announce([family.id])
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
            await self._announce([family.id])

    # --- clients ------------------------------------------------------------------------------

    def client_token(self, client_id: str, client_secret: str) -> str:
        """Return an access token for the poller (RFC 6749 §4.4).

        Raises:
            ClientRefused: the id or the secret is not right.
        """
        security_events.attempt("client_login")
        settings = self._settings
        secrets = [settings.poller_client_secret, settings.poller_client_secret_previous]
        presented = client_secret.encode()
        is_secret = [
            hmac.compare_digest(presented, secret.get_secret_value().encode())
            for secret in secrets
            if secret is not None
        ]
        is_client = hmac.compare_digest(client_id.encode(), settings.poller_client_id.encode())
        if not (is_client and any(is_secret)):
            raise ClientRefused
        security_events.record("client_login", actor=settings.poller_client_id)
        return self._access_token("swapshop-internal", settings.poller_client_id, "service")

    # --- parts --------------------------------------------------------------------------------

    async def _find(self, email: str) -> User | None:
        user = await self._database.read(lambda c: store.find_user_by_email(c, email))
        if user is not None:
            security_events.identify(user.id)
        return user

    async def _admit(
        self, email: str, user: User | None, address: str, device: str | None
    ) -> Guess:
        guess = guess_at(self._settings, email, user, address, device)
        await self._limits.take(*guess.failures, *guess.tries)
        return guess

    async def _announce(self, session_ids: Collection[str]) -> None:
        self._ended.add(session_ids)
        await announce(self._redis, session_ids)

    async def _user(self, user_id: str) -> User:
        user = await self._database.read(lambda c: store.find_user(c, user_id))
        if user is None:
            raise Unauthenticated
        return user

    async def _begin_session(
        self, user: User, renewed_hash: str | None, session: NewSession
    ) -> User | None:
        """Begin a session unless the verified password was changed, or the account disabled.

        Returns the account as it is now: its role may have changed as well.
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

    def _begun(self, user: User, session: NewSession) -> Session:
        seconds = int(store.FAMILY_LIFETIME.total_seconds())
        begun = self._session(user, session.id, session.token, seconds)
        return replace(begun, device=issue_device(user.id, user.password_hash))

    def _session(self, user: User, session_id: str, token: bytes, seconds: int) -> Session:
        rol: Any = user.rol
        return Session(
            access_token=self._access_token(
                "swapshop", user.id, rol, nombre=user.nombre, sid=session_id
            ),
            refresh_token=encode_token(token),
            refresh_seconds=seconds,
            user=user,
        )

    def _access_token(self, audience: Audience, subject: str, rol: Role, **more: str) -> str:
        now = int(self._clock())
        return self._keys.sign(
            {
                "iss": self._settings.token_issuer,
                "aud": audience,
                "sub": subject,
                "iat": now,
                "exp": now + ACCESS_TOKEN_SECONDS,
                "jti": new_id(),
                "rol": rol,
                **more,
            }
        )
