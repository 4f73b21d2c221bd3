"""What every test of the kit has."""

from collections.abc import Generator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def quiet() -> Generator[None]:
    """Log lines go nowhere: structlog's own way to print a traceback takes seconds."""
    with capture_logs():
        yield
