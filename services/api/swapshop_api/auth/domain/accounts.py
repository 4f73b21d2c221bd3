"""Accounts: registration, reading, and changes of the password."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store as audit
from swapshop_api.auth import store
from swapshop_api.auth.devices import issue_device
from swapshop_api.auth.domain.families import NewSession, begin_family, end_sessions
from swapshop_api.auth.domain.sessions import Session, Sessions
from swapshop_api.auth.emails import normalize_email
from swapshop_api.auth.guesses import Guesses
from swapshop_api.auth.models import User
from swapshop_api.auth.password_rules import refuse_guessable
from swapshop_api.auth.passwords import ANYBODY, Party, Passwords
from swapshop_api.auth.problems import EmailTaken, WrongPassword
from swapshop_api.auth.rotation import decode_token, hash_of
from swapshop_kit import security_events
from swapshop_kit.access_tokens import Role
from swapshop_kit.database import Database, DuplicateKey
from swapshop_kit.ids import new_id
from swapshop_kit.problems import FieldError, InvalidRequest, Unauthenticated
from swapshop_kit.security_events import AccountReferences

COMMAND_LINE: Final = "command-line"
"""The actor in the audit log for acts on the command line."""


class Accounts:
    """Accounts of customers and operators.

    Args:
        database: of the api.
        sessions: begin with a registration, and end with a change of password.
        guesses: limit registrations and tries of a password.
        passwords: hash the passwords.
        references: name accounts in security events.
    """

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        guesses: Guesses,
        passwords: Passwords,
        references: AccountReferences,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._guesses = guesses
        self._passwords = passwords
        self._references = references

    async def register(self, nombre: str, email: str, password: str, address: str) -> Session:
        """Create an account and sign it in.

        Raises:
            EmailTaken: another account has this e-mail.
            InvalidRequest: the password is easy to guess.
            TooManyRequests: too many from this address or its site.
            PasswordQueueFull: too many passwords wait to be hashed.
        """
        security_events.attempt("register", account=self._references.of(email))
        party = await self._guesses.admit_registration(address)
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
        return self._sessions.begun(await self.me(user_id), session)

    async def me(self, user_id: str) -> User:
        """Return an account.

        Raises:
            Unauthenticated: the account no longer exists.
        """
        user = await self._database.read(lambda c: store.find_user(c, user_id))
        if user is None:
            raise Unauthenticated
        return user

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
            The device's new cookie: all earlier ones are void.

        Raises:
            WrongPassword: ``current`` is wrong, or was changed a moment ago.
            InvalidRequest: ``new`` is easy to guess, or the current password.
            TooManyRequests: too many tries.
            PasswordQueueFull: too many passwords wait to be hashed.
        """
        security_events.attempt("password_change")
        user = await self.me(user_id)
        guess = await self._guesses.admit(user.email, user, address, device)
        is_right, _ = await self._passwords.verify(current, user.password_hash, guess.party)
        if not is_right:
            raise WrongPassword
        await self._guesses.was_right(guess)
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
        await self._sessions.announce(ended)
        security_events.record("password_change", sessions_ended=len(ended))
        return issue_device(new_hash)


async def create_user(
    database: Database,
    passwords: Passwords,
    *,
    nombre: str,
    email: str,
    password: str,
    rol: Role = "customer",
    session: NewSession | None = None,
    party: Party = ANYBODY,
) -> str:
    """Create an account and return its id.

    Args:
        database: the schema ``swapshop``.
        passwords: hash the password.
        nombre: 1..120 characters.
        email: normalized here.
        password: 12..128 characters; whether it is easy to guess is not checked here.
        rol: of the account.
        session: begins in the same transaction.
        party: whose line in the queue for a hash to join.

    Raises:
        EmailRefused: the e-mail is not valid.
        EmailTaken: another account has this e-mail.
        PasswordQueueFull: too many passwords wait to be hashed.
    """
    normalized = normalize_email(email)
    user_id = new_id()
    password_hash = await passwords.hash(password, party)

    async def insert(connection: AsyncConnection) -> None:
        await insert_account(
            connection,
            id_=user_id,
            nombre=nombre,
            email=normalized,
            password_hash=password_hash,
            rol=rol,
        )
        if session is not None:
            await begin_family(connection, user_id, session)

    try:
        await database.transaction(insert)
    except DuplicateKey as error:
        raise EmailTaken from error
    return user_id


async def insert_account(
    connection: AsyncConnection,
    *,
    id_: str,
    nombre: str,
    email: str,
    password_hash: str,
    rol: Role,
) -> None:
    """Insert an account; an operator's is audited as made on the command line.

    Args:
        connection: in a transaction.
        id_: of the account.
        nombre: 1..120 characters.
        email: normalized.
        password_hash: in PHC string format.
        rol: of the account.

    Raises:
        DuplicateKey: another account has this e-mail.
    """
    await store.insert_user(
        connection, id_=id_, nombre=nombre, email=email, password_hash=password_hash, rol=rol
    )
    if rol == "operator":
        await audit.record(connection, actor=COMMAND_LINE, action="operator.created", subject=id_)
