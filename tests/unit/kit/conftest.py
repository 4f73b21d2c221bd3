"""Fixtures of every unit test of the kit."""

from collections.abc import Generator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def quiet() -> Generator[None]:
    """Discard log lines: structlog's default rendering of a traceback takes seconds."""
    with capture_logs():
        yield
