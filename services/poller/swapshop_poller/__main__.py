"""``python -m swapshop_poller once|loop``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

import structlog

from swapshop_kit.build_info import report_build
from swapshop_kit.command_line import BAD_START, TRY_AGAIN, run_command
from swapshop_kit.logging import configure_logging
from swapshop_kit.signals import stop_on_signals
from swapshop_kit.telemetry import configure_tracing
from swapshop_poller import __version__
from swapshop_poller.app import open_poller, run_once
from swapshop_poller.operations import Operations, OperationsPortTaken, serve_operations
from swapshop_poller.settings import PollerSettings

_ERRORS: Final[dict[type[Exception], int]] = {OperationsPortTaken: BAD_START}
_log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 if the run did its work or a signal ended it, 1 if it did not, 2 for unusable settings.
    """
    parser = argparse.ArgumentParser(prog="swapshop_poller", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("once", help="poll for RUN_SECONDS, as a CronJob does")
    commands.add_parser("loop", help="poll until SIGTERM or SIGINT, as a Deployment does")
    command = {"once": _once, "loop": _loop}[parser.parse_args(arguments).command]
    return run_command("swapshop_poller", command, _ERRORS)


def _read_settings() -> PollerSettings:
    settings = PollerSettings()  # pyright: ignore[reportCallIssue] - read from the environment
    configure_logging("poller", settings.log_level)
    configure_tracing("swapshop-poller", settings.otlp_endpoint, settings.trace_ratio)
    report_build("poller", __version__)
    return settings


async def _once() -> int:
    return 0 if await run_once(_read_settings(), stop_on_signals()) else TRY_AGAIN


async def _loop() -> int:
    settings = _read_settings()
    stop = stop_on_signals()
    async with open_poller(settings, stop) as poller:
        operations = Operations(poller, asyncio.get_running_loop())
        with serve_operations(operations, settings.host, settings.operations_port) as port:
            _log.info("operations.listening", port=port)
            await poller.run()
    _log.info("loop.finished")
    return 0


if __name__ == "__main__":
    sys.exit(main())
