"""The servers that tests share, and what a skipped test means.

With REQUIRE_ALL=1 in the environment everything has to be there: a skipped test is a failure. And
Hypothesis then tries the same examples in every run.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support.changed import changed_files, concerns
from support.skips import skipping_without_server
from support.stores.servers import (
    DatabaseServer,
    RedisServer,
    given_or_private_database,
    given_or_private_redis,
    valkey,
)

MEMORY = "/dev/shm"  # noqa: S108 - what is made there has a folder of its own
MEMORY_BYTES = 4 * 2**30


def _has_room_in_memory() -> bool:
    try:
        may_run_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
        return may_run_programs and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    except OSError:
        return False


if _has_room_in_memory() and os.access(MEMORY, os.W_OK):
    # Stores wait for the disk at each commit. A killed server finds its files again here too.
    tempfile.tempdir = MEMORY

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"

# How long an example takes depends on what else the machine does.
settings.register_profile(
    "swapshop",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=REQUIRE_ALL,
)
settings.load_profile("swapshop")


_CHANGED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--changed",
        nargs="?",
        const="origin/main",
        metavar="BASE",
        help="run the tests of areas that differ from BASE, origin/main by default",
    )


def pytest_configure(config: pytest.Config) -> None:
    base: str | None = config.getoption("--changed")
    if base is not None:
        config.stash[_CHANGED] = changed_files(base)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    changed = config.stash.get(_CHANGED, None)
    if changed is None or collection_path.suffix != ".py":
        return None
    return None if concerns(collection_path, changed) else True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if REQUIRE_ALL:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 allows no skip: {report.longrepr}"


@pytest.fixture(scope="session")
def mariadb_server() -> Generator[DatabaseServer]:
    """MariaDB or MySQL, whichever is installed or given; one for each worker of xdist."""
    with skipping_without_server("TEST_DATABASE_URL"), given_or_private_database() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Generator[RedisServer]:
    """Redis, installed or given; one for each worker of xdist."""
    with skipping_without_server("TEST_REDIS_URL"), given_or_private_redis() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Generator[RedisServer]:
    """The embedded Valkey of `./task up`; one for each worker of xdist."""
    with valkey() as server:
        yield server


@pytest.fixture(scope="session", params=["valkey_server", "redis_server"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """The URL of each kind of Redis in turn; parametrize it indirectly to choose one."""
    server: RedisServer = request.getfixturevalue(request.param)
    return server.url
