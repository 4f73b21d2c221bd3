"""Skips tests whose server is missing on this machine; with REQUIRE_ALL=1 that is a failure."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from support.servers.processes import ServerMissingError


@contextmanager
def skipping_without_server(variable: str = "") -> Generator[None]:
    """Skip the test whose server, started in the block, is not installed.

    Args:
        variable: of the environment, by which one could have been given.
    """
    try:
        yield
    except ServerMissingError as missing:
        pytest.skip(f"{missing}, and no {variable}" if variable else str(missing))
