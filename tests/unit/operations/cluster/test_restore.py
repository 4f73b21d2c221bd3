"""A restore: what stands still when, and what a failure leaves behind."""

from typing import Any

import pytest

from support.cluster.fake_release import FakeRelease
from swapshop_operations.cluster.restore import Restore
from swapshop_operations.programs import CommandFailed

FILE = "swapshop-20260101T000000Z.sql.gz"
CHECKED = [
    f"rendered {{'restoreFile': '{FILE}'}}",
    "started shop-swapshop-restore-check, open",
    "deleted shop-swapshop-restore-check",
]
RESTORED = ["started shop-swapshop-restore, at rest", "deleted shop-swapshop-restore"]


def test_the_dump_is_checked_while_the_shop_is_open_and_restored_while_it_rests(
    capsys: pytest.CaptureFixture[str],
) -> None:
    release = FakeRelease()
    Restore(release).run(FILE)
    assert release.events == CHECKED + RESTORED
    assert release.is_open
    assert capsys.readouterr().out == f"{FILE} is restored\n"


def test_the_jobs_are_the_releases_with_this_file() -> None:
    values = {"backup": {"existingClaim": "backups"}, "secrets": {"redis": {"existingSecret": "r"}}}
    release = FakeRelease(values)
    check, restore = Restore(release).jobs(FILE)
    assert [each["metadata"]["name"] for each in (check, restore)] == [
        "shop-swapshop-restore-check",
        "shop-swapshop-restore",
    ]
    assert release.events == [f"rendered {{'existingClaim': 'backups', 'restoreFile': '{FILE}'}}"]


def test_a_dump_that_is_not_there_stops_nothing() -> None:
    release = FakeRelease(ends={"restore-check": "Failed"})
    with pytest.raises(CommandFailed) as failed:
        Restore(release).run(FILE)
    assert str(failed.value) == "job shop-swapshop-restore-check failed\n[pod/p/c] the last words"
    assert release.events == CHECKED
    assert release.is_open


@pytest.mark.parametrize("end", ["Failed", CommandFailed("no answer"), KeyboardInterrupt()])
def test_after_a_failure_nothing_runs_neither_the_job_nor_the_shop(
    end: str | BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    release = FakeRelease(ends={"restore": end})
    with pytest.raises((CommandFailed, KeyboardInterrupt)):
        Restore(release).run(FILE)
    assert release.events == CHECKED + RESTORED
    assert release.jobs == set()
    assert release.is_at_rest
    assert "everything stays stopped" in capsys.readouterr().err


def test_the_next_restore_starts_what_a_failed_one_left_stopped_in_its_size() -> None:
    release = FakeRelease(ends={"restore": "Failed"})
    with pytest.raises(CommandFailed):
        Restore(release).run(FILE)
    release.ends.clear()
    Restore(release).run(FILE)
    assert release.is_open
    # the api has an autoscaler, whose minimum is 2
    assert release.replicas == {"api": 2, "receiver": 3, "poller": 1, "exporter": 1}


@pytest.mark.parametrize("component", ["poller", "housekeeping", "backup", "exporter", "api"])
def test_what_does_not_stop_keeps_the_shop_open(component: str) -> None:
    release = FakeRelease(busy=frozenset({component}))
    with pytest.raises(CommandFailed, match=f"{component}: still there"):
        Restore(release).run(FILE)
    assert release.events == CHECKED
    assert release.is_open


def test_what_does_not_stop_opens_no_half_restored_shop() -> None:
    release = FakeRelease(ends={"restore": "Failed"})
    with pytest.raises(CommandFailed, match="restore failed"):
        Restore(release).run(FILE)
    busy = FakeRelease(busy=frozenset({"api"}))
    busy.replicas.update(release.replicas)
    busy.suspended.update(release.suspended)
    with pytest.raises(CommandFailed, match="api: still there"):
        Restore(busy).run(FILE)
    assert busy.is_at_rest


def test_a_release_without_exporter_and_backup_is_restored() -> None:
    release = FakeRelease(missing=frozenset({"deployment/exporter", "cronjob/backup"}))
    Restore(release).run(FILE)
    assert release.replicas["exporter"] == 2
    assert release.is_open


def test_an_external_mysql_is_refused_before_anything_runs() -> None:
    release = FakeRelease(missing=frozenset({"statefulset/mysql"}))
    with pytest.raises(CommandFailed, match="shop has no MySQL of its own"):
        Restore(release).run(FILE)
    assert release.events == []
    assert release.is_open


def test_a_job_that_does_not_end_is_no_success() -> None:
    class Endless(FakeRelease):
        def _conditions(self, job: str) -> list[Any]:
            return [{"type": "Complete", "status": "False"}]

    with pytest.raises(CommandFailed, match="job endless: no end within 0 s"):
        Endless().finish_job("endless", seconds=0)


def test_a_job_is_gone_with_its_pods() -> None:
    class Asked(FakeRelease):
        def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
            self.events.append(" ".join(arguments))
            return ""

    release = Asked()
    release.delete_job("restore")
    (command,) = release.events
    assert {"--cascade=foreground", "--wait", "--ignore-not-found"} <= set(command.split())
