"""The Jobs of a backup and a restore, and which Secrets are made for stores of somebody else."""

from collections.abc import Iterable
from typing import Any, Final

import pytest

from support.cluster.chart import (
    ChartRefusedError,
    Helm,
    Manifest,
    component,
    containers,
    named,
    pods,
)
from support.cluster.fake_release import FakeRelease
from swapshop_operations.cluster.restore import Restore
from swapshop_operations.programs import CommandFailed

FILE: Final = "swapshop-20260101T000000Z.sql.gz"
RESTORING: Final[dict[str, Any]] = {
    "backup.existingClaim": "backups",
    "backup.restoreFile": FILE,
}
EXTERNAL_REDIS: Final[dict[str, Any]] = {
    "redis.external": {"host": "c.example.com", "tls": True, "cidrs": ["192.0.2.2/32"]}
}
EXTERNAL_MYSQL: Final[dict[str, Any]] = {
    "mysql.external": {"host": "db.example.com", "cidrs": ["192.0.2.1/32"]}
}
PURPOSES: Final = (
    "databaseApi", "databaseApiDdl", "databaseHousekeeping", "databaseReceiver",
    "databaseReceiverDdl", "databaseExporter", "databaseBackup", "pollerClient", "webhook",
    "signingKeys", "operator",
)  # fmt: skip
"""Values that name the Secrets that every release needs."""


def job(manifests: Iterable[Manifest], suffix: str) -> Manifest:
    """Return the spec of a Job."""
    return named(manifests, "Job", f"swapshop-{suffix}")["spec"]


def steps(spec: Manifest) -> list[str]:
    """Return the names of a Job's containers in the order in which they run."""
    return [each["name"] for each in containers(spec["template"])]


def arguments(spec: Manifest, step: str) -> list[str]:
    """Return what a container's script is started with."""
    return next(c["args"][1:] for c in containers(spec["template"]) if c["name"] == step)


def test_a_restore_is_checked_first_and_neither_begins_anew_by_itself(helm: Helm) -> None:
    manifests = helm.render(RESTORING)
    check, restore = job(manifests, "restore-check"), job(manifests, "restore")
    assert steps(check) == ["check-redis", "check-dump"]
    assert steps(restore) == ["load-dump", "migrate-api", "migrate-receiver", "empty-redis"]
    for spec in (check, restore):
        assert spec["backoffLimit"] == 0
        assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert arguments(check, "check-redis") == ["check"]
    assert arguments(check, "check-dump") == ["restore.sh", "check"]
    assert arguments(restore, "load-dump") == ["restore.sh", "load"]
    assert arguments(restore, "empty-redis") == ["empty"]
    assert (check["activeDeadlineSeconds"], restore["activeDeadlineSeconds"]) == (3600, 21600)


def test_a_backup_that_hangs_ends_before_the_next_one(helm: Helm) -> None:
    values = {"backup.enabled": True, "backup.existingClaim": "backups"}
    backup = named(helm.render(values), "CronJob", "swapshop-backup")["spec"]
    assert backup["concurrencyPolicy"] == "Forbid"
    assert backup["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 21600


@pytest.mark.parametrize("values", [{}, EXTERNAL_REDIS])
def test_redis_is_emptied_where_the_services_have_it(helm: Helm, values: dict[str, Any]) -> None:
    manifests = helm.render({**RESTORING, **values})
    api = named(manifests, "Deployment", "swapshop-api")["spec"]["template"]
    theirs = {e["name"]: e for e in containers(api)[0]["env"]}["REDIS_URL"]["value"]
    for suffix in ("restore-check", "restore"):
        (own,) = [c for c in containers(job(manifests, suffix)["template"]) if "redis" in c["name"]]
        url = {each["name"]: each for each in own["env"]}["REDIS_URL"]["value"]
        assert (
            url.replace("//restore:", "//api:") == theirs
        )  # as a separate user, if the release has one
        assert own["image"] == containers(api)[0]["image"]


def test_the_account_of_a_restore_is_there_wherever_one_can_be_run(helm: Helm) -> None:
    """The Job comes later than the release, which has made its account."""
    installed = helm.render({"backup.existingClaim": "backups"})
    account = job(helm.render(RESTORING), "restore")["template"]["spec"]["serviceAccountName"]
    assert named(installed, "ServiceAccount", account)


class Installed(FakeRelease):
    """One whose Jobs are rendered by helm itself."""

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 600) -> str:
        if arguments[0] == "get":
            return super().helm(*arguments)
        return super(FakeRelease, self).helm(*arguments, stdin=stdin)


def test_the_jobs_of_a_release_keep_its_values(helm: Helm) -> None:
    assert helm
    values = {"backup": {"existingClaim": "mine"}, "image": {"tag": "1.2.3"}}
    jobs = Restore(Installed(values)).jobs(FILE)
    for each in jobs:
        assert each["metadata"]["namespace"] == "live"
        volumes = {v["name"]: v for v in each["spec"]["template"]["spec"]["volumes"]}
        assert volumes["backup"]["persistentVolumeClaim"] == {"claimName": "mine"}
    assert containers(jobs[1]["spec"]["template"])[-1]["image"] == "swapshop/api:1.2.3"


@pytest.mark.parametrize(
    ("values", "file", "place"),
    [
        ({}, FILE, "/backup/existingClaim"),
        ({"backup": {"existingClaim": "mine"}}, "../etc/passwd", "/backup/restoreFile"),
        ({"backup": {"existingClaim": "mine"}}, f"{FILE},image.tag=evil", "/backup/restoreFile"),
    ],
)
def test_what_cannot_be_restored_is_refused_with_the_place(
    helm: Helm, values: dict[str, Any], file: str, place: str
) -> None:
    assert helm
    release = Installed(values)
    with pytest.raises(CommandFailed, match=place):
        Restore(release).run(file)
    assert release.events == []
    assert release.is_open


def generating(*theirs: str) -> dict[str, Any]:
    """Return values that generate the Secrets, apart from those named as existing."""
    named_ones = {f"secrets.{each}.existingSecret": "theirs" for each in theirs}
    return {"secrets.generate": True, **named_ones}


def test_what_external_servers_cannot_know_is_not_generated(helm: Helm) -> None:
    """Without a cluster, helm refuses to generate anything: so nothing is left to generate."""
    assert helm.render({**generating(*PURPOSES, "redis"), **EXTERNAL_MYSQL, **EXTERNAL_REDIS})
    for own in ("redisUsers", "databaseRoot"):
        with pytest.raises(ChartRefusedError, match="without a cluster they cannot be generated"):
            helm.render(generating(*PURPOSES, own))


def test_the_password_of_an_external_redis_is_demanded(helm: Helm) -> None:
    with pytest.raises(ChartRefusedError, match=r"secrets\.redis\.existingSecret: name the Secret"):
        helm.render({**generating(*PURPOSES, "databaseRoot"), **EXTERNAL_REDIS})


def test_an_external_redis_with_users_gives_each_service_its_own(helm: Helm) -> None:
    values = {**EXTERNAL_REDIS, "redis.external.users": True}
    with pytest.raises(ChartRefusedError, match=r"secrets\.redisUsers\.existingSecret: name the"):
        helm.render({**generating(*PURPOSES, "databaseRoot"), **values})
    manifests = helm.render({**values, "secrets.redisUsers.existingSecret": "theirs"})
    for name, user in (("api", "api"), ("receiver", "receiver")):
        (pod,) = [pod for _, pod in pods(manifests) if component(pod) == name]
        env = {each["name"]: each for each in containers(pod)[0]["env"]}
        assert env["REDIS_URL"]["value"].startswith(f"rediss://{user}:$(REDIS_PASSWORD)@")
        key = env["REDIS_PASSWORD"]["valueFrom"]["secretKeyRef"]
        assert key == {"name": "theirs", "key": user}
