"""Command line of the receiver: ``serve`` and ``migrate``."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

import uvloop

from swapshop_kit.command_line import BAD_START, TRY_AGAIN, run_command
from swapshop_kit.logging import configure_logging
from swapshop_kit.migrations import MigrationLocked, migrate
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.process_settings import ProcessSettings
from swapshop_kit.serving import AddressTaken, listen, serve_apps
from swapshop_kit.settings import DatabaseSettings
from swapshop_kit.telemetry import configure_tracing
from swapshop_receiver.app import internal_app, operations_app, public_app
from swapshop_receiver.container import MIGRATIONS, open_container
from swapshop_receiver.settings import ReceiverSettings

_ERRORS: Final[dict[type[Exception], int]] = {
    AddressTaken: BAD_START,
    MigrationLocked: TRY_AGAIN,
    DatabaseUnavailable: TRY_AGAIN,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 to try again later, 2 to correct settings."""
    parser = argparse.ArgumentParser(prog="swapshop_receiver", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve until SIGTERM")
    commands.add_parser("migrate", help="bring the schema to the newest revision")
    command = {"serve": _serve, "migrate": _migrate}[parser.parse_args(arguments).command]
    return run_command("swapshop_receiver", command, _ERRORS, uvloop.run)


def _configure(settings: ProcessSettings) -> None:
    configure_logging("receiver", settings.log_level)
    configure_tracing("swapshop-receiver", settings.otlp_endpoint, settings.trace_ratio)


async def _serve() -> int:
    settings = ReceiverSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    _configure(settings)
    listeners = [listen(settings.host, port) for port in settings.ports]
    async with open_container(settings) as container:
        apps = (public_app(container), internal_app(container), operations_app(container))
        await serve_apps(settings, listeners, apps, container.drain)
    return 0


async def _migrate() -> int:
    """Migrate; this needs only the database's settings."""
    settings = DatabaseSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    _configure(settings)
    url = settings.database_url.get_secret_value()
    await migrate(url, MIGRATIONS, tls=settings.database_tls_context())
    return 0


if __name__ == "__main__":
    sys.exit(main())
