"""Accounts are managed in a Job with the migration's database user."""

import pytest

from support.cluster.fake_release import FakeRelease
from swapshop_operations.cluster.accounts import run_users
from swapshop_operations.programs import CommandFailed


def test_a_command_runs_once_in_the_migrations_container_and_nothing_of_it_stays() -> None:
    release = FakeRelease()

    run_users(release, ["promote", "ana@example.com"])

    [job] = release.applied
    pod = job["spec"]["template"]["spec"]
    assert pod == {
        "initContainers": [],
        "containers": [{"name": "users", "args": ["users", "promote", "ana@example.com"]}],
        "restartPolicy": "Never",
    }
    assert job["spec"]["backoffLimit"] == 0
    assert release.jobs == set()


def test_a_refused_command_says_why_and_its_job_is_deleted() -> None:
    release = FakeRelease(always_ends="Failed")

    with pytest.raises(CommandFailed, match="the last words"):
        run_users(release, ["promote", "nobody@example.com"])
    assert release.jobs == set()
