"""Names and result folders of load test runs."""

from datetime import UTC, datetime
from typing import Final

from swapshop_operations.repository import SCRIPTS

RESULTS: Final = SCRIPTS / "results"
"""Parent folder: each run gets a folder with its name."""


def new_test_id(scenario: str) -> str:
    """Return a name for a run, such as smoke-20260131-235959."""
    return f"{scenario}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
