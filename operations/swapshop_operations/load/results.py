"""Names of runs of load tests, and where their results are."""

from datetime import UTC, datetime
from typing import Final

from swapshop_operations.repository import SCRIPTS

RESULTS: Final = SCRIPTS / "results"
"""A folder for each run, of the same name."""


def new_test_id(scenario: str) -> str:
    """Return a name for a run, such as smoke-20260131-235959."""
    return f"{scenario}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
