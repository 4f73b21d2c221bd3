"""The store tests on the cluster's MySQL.

Left out is what pins MariaDB's statements (RETURNING) and plans, and faults made through its
process list; the pods' own faults are in test_05_faults.py.
"""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from cluster import ROOT, find_tool
from support.releases import Release

TESTS = (
    "tests/integration/api",
    "tests/integration/receiver",
    "tests/integration/kit/test_migrations.py",
    "tests/integration/kit/test_sessions.py",
    "tests/integration/kit/test_transactions.py",
)
NOT_MYSQL = (
    "test_plans",
    "test_budgets",
    "scans_or_sorts",
    "in_turns",
    "rolled_back_before",
    "test_totals",
    "test_concurrency",
)


@contextmanager
def forwarded(release: Release, service: str, port: int) -> Generator[int]:
    """Forward a local port to a service during a block."""
    command = (
        find_tool("kubectl"),
        "-n",
        release.cluster.namespace,
        "port-forward",
        service,
        f":{port}",
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        match = re.search(r":(\d+) ->", process.stdout.readline())
        try:
            assert match is not None
            yield int(match[1])
        finally:
            process.terminate()


@pytest.mark.timeout(900)
def test_the_store_tests_pass_on_the_clusters_mysql(release: Release) -> None:
    password = release.cluster.secret("swapshop-database-root")["password"]
    with forwarded(release, "service/swapshop-mysql", 3306) as port:
        url = f"mysql://root:{quote(password)}@127.0.0.1:{port}"
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-n",
                "2",
                "--dist",
                "loadfile",
                "-k",
                " and not ".join(("mariadb", *NOT_MYSQL)),
                *TESTS,
            ],
            cwd=ROOT,
            env={**os.environ, "TEST_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=800,
        )
    assert done.returncode == 0, done.stdout[-5000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 300
