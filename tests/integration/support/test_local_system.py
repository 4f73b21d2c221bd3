"""SwapShop as a load test has it on one machine."""

from pathlib import Path

import pytest

from support.servers.processes import ServerMissingError
from support.system.on_this_machine import migrated_system


def test_an_error_of_the_block_is_passed_on(tmp_path: Path) -> None:
    missing = ServerMissingError("of the block")
    with pytest.raises(ServerMissingError) as raised, migrated_system(tmp_path):
        raise missing
    assert raised.value is missing
