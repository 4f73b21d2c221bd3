"""The restore's script that empties Redis, on a real Redis."""

import os
import subprocess
import sys

import pytest
from redis import Redis

from swapshop_operations.repository import CHART


def run_script(url: str, argument: str) -> str:
    """Run the chart's script as its container does, and return its error output."""
    script = (CHART / "files" / "empty_redis.py").read_text()
    done = subprocess.run(  # noqa: S603 - the chart's own text
        [sys.executable, "-c", script, argument],
        env={**os.environ, "REDIS_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stderr


def client(url: str) -> Redis:
    """A client of one of its databases."""
    return Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs


@pytest.mark.parametrize("argument", ["check", "empty"])
def test_only_the_services_database_is_emptied_and_only_when_it_is_meant(
    redis_url: str, argument: str
) -> None:
    base = redis_url.rstrip("/").removesuffix("/0")
    with client(f"{base}/13") as own, client(f"{base}/14") as others:
        own.set("swapshop", "cached")
        others.set("somebody", "else's")
        assert run_script(f"{base}/13", argument) == ""
        assert own.exists("swapshop") == (argument == "check")
        assert others.get("somebody") == b"else's"
        own.delete("swapshop")
        others.delete("somebody")


def test_a_wrong_password_is_told(redis_url: str) -> None:
    address = redis_url.removeprefix("redis://").rpartition("@")[2]
    assert "AuthenticationError" in run_script(f"redis://nobody:wrong@{address}", "check")
