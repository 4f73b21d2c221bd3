"""The random run itself: a short one, whose faults are drawn by a fixed seed."""

import os
import subprocess
import sys

import pytest

from support.servers.processes import find_program
from support.stores.servers import database_server_program

SEED = "170"
"""Draws, within its seconds, faults of services, stores and links that are over soon."""


@pytest.mark.timeout(600)
def test_a_short_run_breaks_no_promise() -> None:
    if database_server_program() is None or find_program("redis-server") is None:
        pytest.skip("no mariadbd or mysqld, or no redis-server on the PATH")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "chaos", "--seconds", "8", "--seed", SEED],
        env={**os.environ, "PYTHONPATH": "tests"},
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    figures = dict(line.rsplit(maxsplit=1) for line in lines[-12:])
    assert int(figures.pop("acknowledged")) == int(figures.pop("notified")) > 0
    del figures["stale within the contract"]
    assert set(figures.values()) == {"0"}
