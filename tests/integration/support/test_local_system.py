"""SwapShop as a load test has it on one machine."""

from pathlib import Path

import pytest

from support.local_system import migrated_system
from support.processes import ServerMissingError


def test_an_error_of_the_block_is_passed_on(tmp_path: Path) -> None:
    missing = ServerMissingError("of the block")
    with pytest.raises(ServerMissingError) as raised, migrated_system(tmp_path):
        raise missing
    assert raised.value is missing
