"""Command line of the api."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeAlias

import uvloop
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.app import internal_app, operations_app, public_app
from swapshop_api.auth.domain.lifecycle import Done, demote, disable, enable, revoke_sessions
from swapshop_api.auth.domain.operators import (
    AccountNotPromoted,
    ensure_operator,
    prepare_operator,
    promote,
)
from swapshop_api.auth.emails import EmailRefused
from swapshop_api.auth.password_rules import GuessablePassword
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.problems import UserNotFound
from swapshop_api.container import MIGRATIONS, open_container
from swapshop_api.exporter.container import open_exporter
from swapshop_api.exporter.container import operations_app as exporter_app
from swapshop_api.housekeeping.domain import keep_house
from swapshop_api.settings import (
    ApiSettings,
    ExporterSettings,
    KeysSettings,
    MigrationSettings,
    OperatorSettings,
)
from swapshop_api.signing_keys.domain import RotationRefused, rotate
from swapshop_api.signing_keys.store import SigningKeysError
from swapshop_kit.command_line import BAD_START, TRY_AGAIN, run_command
from swapshop_kit.database import Database, DuplicateKey, create_engine
from swapshop_kit.logging import configure_logging
from swapshop_kit.migrations import MigrationLocked, migrate
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.process_settings import ProcessSettings
from swapshop_kit.serving import AddressTaken, listen, serve_apps
from swapshop_kit.settings import DatabaseSettings
from swapshop_kit.telemetry import configure_tracing

_ERRORS: Final[dict[type[Exception], int]] = {
    AddressTaken: BAD_START,
    SigningKeysError: BAD_START,
    AccountNotPromoted: BAD_START,
    EmailRefused: BAD_START,
    GuessablePassword: BAD_START,
    UserNotFound: BAD_START,
    RotationRefused: TRY_AGAIN,
    MigrationLocked: TRY_AGAIN,
    DatabaseUnavailable: TRY_AGAIN,
    DuplicateKey: TRY_AGAIN,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 to try again later, 2 to mend settings."""
    parsed = _parser().parse_args(arguments)
    return run_command("swapshop_api", lambda: parsed.run(parsed), _ERRORS, uvloop.run)


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - argparse names no other type


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="swapshop_api", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add(commands, "serve", "serve until SIGTERM", _serve)
    _add(commands, "migrate", "bring the schema to the newest revision", _migrate)
    _add(commands, "housekeeping", "purge what has expired", _housekeeping)
    _add(commands, "exporter", "show the pipeline's figures to Prometheus", _exporter)
    users = commands.add_parser("users", help="manage accounts").add_subparsers(required=True)
    _add(users, "promote", "make an account an operator's", _promote).add_argument("email")
    explanation = "make an operator's account with OPERATOR_PASSWORD unless it exists"
    operator = _add(users, "operator", explanation, _operator)
    operator.add_argument("email")
    operator.add_argument(
        "--promote-existing",
        action="store_true",
        help="promote a registered account; it gets OPERATOR_PASSWORD and its sessions end",
    )
    _add_account_commands(users)
    keys = commands.add_parser("keys", help="manage signing keys").add_subparsers(required=True)
    _add(keys, "rotate", "add a key that signs in ten minutes", _rotate)
    return parser


def _add_account_commands(users: _Commands) -> None:
    _add(users, "demote", "make an operator a customer again", _demote).add_argument("email")
    explanation = "refuse an account's sign-in and end its sessions"
    _add(users, "disable", explanation, _disable).add_argument("email")
    _add(users, "enable", "let a disabled account sign in again", _enable).add_argument("email")
    sessions = users.add_parser("sessions", help="manage sessions").add_subparsers(required=True)
    explanation = "end every session of an account, within five seconds"
    _add(sessions, "revoke", explanation, _revoke_sessions).add_argument("email")


_Command = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]


def _add(
    commands: _Commands,
    name: str,
    explanation: str,
    run: _Command,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=explanation, description=explanation)
    command.set_defaults(run=run)
    return command


def _configure(settings: ProcessSettings, service: str = "api") -> None:
    configure_logging(service, settings.log_level)
    configure_tracing(f"swapshop-{service}", settings.otlp_endpoint, settings.trace_ratio)


async def _serve(_: argparse.Namespace) -> int:
    settings = ApiSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    _configure(settings)
    listeners = [listen(settings.host, port) for port in settings.ports]
    async with open_container(settings) as container:
        apps = (public_app(container), internal_app(container), operations_app(container))
        await serve_apps(settings, listeners, apps, container.drain)
    return 0


async def _exporter(_: argparse.Namespace) -> int:
    settings = ExporterSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    _configure(settings, "exporter")
    listener = listen(settings.host, settings.operations_port)
    async with open_exporter(settings) as container:
        await serve_apps(settings, [listener], [exporter_app(container)], container.drain)
    return 0


async def _migrate(_: argparse.Namespace) -> int:
    settings = MigrationSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    _configure(settings)
    is_refused = False
    operator = None
    if settings.operator_email is not None and settings.operator_password is not None:
        operator = await prepare_operator(
            Passwords(),
            settings.operator_email,
            settings.operator_password.get_secret_value(),
            promote_existing=settings.operator_promote_existing,
        )

    async def finish(connection: AsyncConnection) -> None:
        nonlocal is_refused
        if operator is not None:
            is_refused = await ensure_operator(connection, operator) is None

    url = settings.database_url.get_secret_value()
    await migrate(url, MIGRATIONS, tls=settings.database_tls_context(), finish=finish)
    if is_refused:  # told only now: the schema is migrated all the same
        raise AccountNotPromoted
    return 0


async def _housekeeping(_: argparse.Namespace) -> int:
    database = _open_database()
    try:
        await keep_house(database)
    finally:
        await database.close()
    return 0


async def _promote(arguments: argparse.Namespace) -> int:
    database = _open_database()
    try:
        user_id = await promote(database, arguments.email)
    finally:
        await database.close()
    print(f"{user_id} is an operator; its sessions have ended")
    return 0


async def _operator(arguments: argparse.Namespace) -> int:
    settings = OperatorSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    operator = await prepare_operator(
        Passwords(),
        arguments.email,
        settings.operator_password.get_secret_value(),
        promote_existing=arguments.promote_existing,
    )
    database = _open_database()
    try:
        user_id = await database.transaction(lambda c: ensure_operator(c, operator))
    finally:
        await database.close()
    if user_id is None:
        raise AccountNotPromoted
    print(f"{user_id} is an operator")
    return 0


async def _demote(arguments: argparse.Namespace) -> int:
    done = await _on_account(demote, arguments)
    state = "is a customer now" if done.changed else "is a customer already"
    print(f"{done.user_id} {state}; sessions ended: {done.ended}")
    return 0


async def _disable(arguments: argparse.Namespace) -> int:
    done = await _on_account(disable, arguments)
    state = "is disabled now" if done.changed else "is disabled already"
    print(f"{done.user_id} {state}; sessions ended: {done.ended}")
    return 0


async def _enable(arguments: argparse.Namespace) -> int:
    done = await _on_account(enable, arguments)
    print(f"{done.user_id} is enabled {'again' if done.changed else 'already'}")
    return 0


async def _revoke_sessions(arguments: argparse.Namespace) -> int:
    done = await _on_account(revoke_sessions, arguments)
    print(f"sessions of {done.user_id} ended: {done.ended}")
    return 0


async def _on_account(
    act: Callable[[Database, str], Awaitable[Done]], arguments: argparse.Namespace
) -> Done:
    database = _open_database()
    try:
        return await act(database, arguments.email)
    finally:
        await database.close()


async def _rotate(_: argparse.Namespace) -> int:
    settings = KeysSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    key = rotate(settings.signing_keys_file)
    print(f"{key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC on")
    return 0


def _database_settings() -> DatabaseSettings:
    settings = DatabaseSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    _configure(settings)
    return settings


def _open_database() -> Database:
    settings = _database_settings()
    url = settings.database_url.get_secret_value()
    return Database(create_engine(url, tls=settings.database_tls_context(), pool_size=1))


if __name__ == "__main__":
    sys.exit(main())
