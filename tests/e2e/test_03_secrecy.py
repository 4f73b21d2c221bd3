"""Who may read what, and where secrets are not."""

import base64
import json
import re
from typing import Final

import pytest

from support.cluster.release import Release
from swapshop_operations.cluster.client import Cluster
from swapshop_operations.programs import CommandFailed

NO_LOGS: Final = re.compile(r"\(NotFound\)|is waiting to start|does not have a host assigned")
"""Errors of kubectl about a CronJob's pod that is starting or was just removed."""


@pytest.mark.parametrize(
    ("secret", "user", "statement"),
    [
        ("database-receiver", "swapshop_receiver", "SELECT COUNT(*) FROM swapshop.orders"),
        ("database-receiver", "swapshop_receiver", "SELECT COUNT(*) FROM swapshop.users"),
        ("database-receiver-ddl", "swapshop_receiver_ddl", "SELECT COUNT(*) FROM swapshop.orders"),
        ("database-api", "swapshop_api", "SELECT COUNT(*) FROM notifications.notifications"),
        ("database-api", "swapshop_api", "CREATE TABLE swapshop.another (id INT)"),
        ("database-api", "swapshop_api", "DROP TABLE swapshop.orders"),
        ("database-api", "swapshop_api", "DELETE FROM swapshop.audit"),
        ("database-api", "swapshop_api", "UPDATE swapshop.audit SET actor = 'nobody'"),
        ("database-api", "swapshop_api", "UPDATE swapshop.users SET rol = 'operator'"),
        ("database-exporter", "swapshop_exporter", "DELETE FROM swapshop.orders"),
        ("database-exporter", "swapshop_exporter", "SELECT password_hash FROM swapshop.users"),
        ("database-exporter", "swapshop_exporter", "SELECT * FROM swapshop.refresh_tokens"),
        ("database-housekeeping", "swapshop_housekeeping", "DELETE FROM swapshop.orders"),
        ("database-backup", "swapshop_backup", "DELETE FROM swapshop.orders"),
    ],
)
def test_a_user_of_the_database_may_do_its_own_work_alone(
    release: Release, secret: str, user: str, statement: str
) -> None:
    with pytest.raises(CommandFailed, match=r"ERROR (1142|1143|1044|1045)"):
        release.query(secret, user, statement)


@pytest.mark.parametrize(
    ("secret", "user", "statement"),
    [
        (
            "database-receiver",
            "swapshop_receiver",
            "SELECT COUNT(*) FROM notifications.notifications",
        ),
        ("database-api", "swapshop_api", "SELECT COUNT(*) FROM swapshop.orders"),
        ("database-exporter", "swapshop_exporter", "SELECT COUNT(*) FROM swapshop.orders"),
    ],
)
def test_and_it_may_do_that(release: Release, secret: str, user: str, statement: str) -> None:
    assert int(release.query(secret, user, statement)) >= 0


def test_a_commit_survives_a_power_cut(release: Release) -> None:
    durable = release.query(
        "database-api",
        "swapshop_api",
        "SELECT @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@transaction_isolation",
    )
    assert durable.split() == ["1", "1", "READ-COMMITTED"]


def logs_of(cluster: Cluster, pod: str) -> str:
    """Return what a pod has logged: nothing, if it has not started yet or is gone by now."""
    try:
        return cluster.kubectl("logs", pod, "--all-containers")
    except CommandFailed as error:
        if not NO_LOGS.search(str(error)):
            raise
        return ""


def test_no_secret_is_in_a_spec_a_log_or_the_release(release: Release) -> None:
    cluster = release.cluster
    values = {
        base64.b64decode(value).decode()
        for secret in cluster.get("secrets")["items"]
        if secret["type"] == "Opaque"
        for value in secret["data"].values()
    }
    keys = cluster.secret("swapshop-signing-keys")["keys.json"]
    values |= {key["private"] for key in json.loads(keys)["keys"]}
    assert len(values) >= 12
    kinds = "pods,jobs,cronjobs,deployments,statefulsets,configmaps,events"
    names = cluster.kubectl("get", "pods", "--output", "name").split()
    logs = {name: logs_of(cluster, name) for name in names}
    for component in ("api", "receiver", "web", "mysql", "redis"):
        assert any(log for name, log in logs.items() if f"swapshop-{component}-" in name), component
    told = {
        "specs": cluster.kubectl("get", kinds, "--output", "json"),
        "values": cluster.helm("get", "values", "swapshop", "--all"),
        "manifest": cluster.helm("get", "manifest", "swapshop"),
        **logs,
    }
    for place, text in told.items():
        assert not [1 for value in values if value.strip() in text], place
