"""mysql.external.tls reaches every container that speaks to MySQL."""

from pathlib import PurePosixPath
from typing import Any, Final

import pytest

from support.cluster.chart import ChartRefusedError, Helm, Manifest, containers, pods

EXTERNAL: Final[dict[str, Any]] = {
    "mysql.external": {"host": "db.example.com", "cidrs": ["192.0.2.1/32"], "tls": True},
    "operator.email": "operator@example.com",
}
BACKUP: Final[dict[str, Any]] = {
    "backup.enabled": True,
    "backup.existingClaim": "backups",
    "backup.restoreFile": "swapshop-20260101T000000Z.sql.gz",
}
AUTHORITIES: Final = {"mysql.external.caConfigMap": "authorities"}
SERVICES: Final = {
    "api", "receiver", "exporter", "housekeeping", "migrate-api", "migrate-receiver",
}  # fmt: skip


def texts(container: Manifest) -> dict[str, str]:
    """Return the variables of a container that are in the manifest."""
    return {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}


def mounted(pod: Manifest, container: Manifest) -> dict[PurePosixPath, str]:
    """Return the folders of a container that are ConfigMaps, each with its ConfigMap."""
    names = {
        volume["name"]: volume["configMap"]["name"]
        for volume in pod["spec"].get("volumes", [])
        if "configMap" in volume
    }
    return {
        PurePosixPath(mount["mountPath"]): names[mount["name"]]
        for mount in container.get("volumeMounts", [])
        if mount["name"] in names
    }


def test_whoever_speaks_to_it_has_its_authorities(helm: Helm) -> None:
    seen: set[str] = set()
    for name, pod in pods(helm.render({**EXTERNAL, **BACKUP, **AUTHORITIES})):
        for container in containers(pod):
            variables = texts(container)
            if "DATABASE_URL" in variables:
                assert variables["DATABASE_TLS"] == "true", name
                file = PurePosixPath(variables["DATABASE_CA_FILE"])
            elif "MYSQL_HOST" in variables:
                file = PurePosixPath(variables["MYSQL_CA_FILE"])
            else:
                continue
            assert mounted(pod, container)[file.parent] == "authorities", name
            assert file.name == "ca.crt"
            seen.add(container["name"])
    assert seen >= {*SERVICES, "backup", "load-dump", "check-dump"}


def test_those_of_the_images_do_for_the_services(helm: Helm) -> None:
    for name, pod in pods(helm.render(EXTERNAL)):
        for container in containers(pod):
            variables = texts(container)
            assert variables.get("DATABASE_TLS") == (
                "true" if container["name"] in SERVICES else None
            )
            assert "DATABASE_CA_FILE" not in variables, name


@pytest.mark.parametrize("name", ["backup.enabled", "backup.restoreFile"])
def test_a_backup_needs_authorities(helm: Helm, name: str) -> None:
    values = {**EXTERNAL, "backup.existingClaim": "backups", name: BACKUP[name]}
    with pytest.raises(ChartRefusedError, match=r"mysql\.external\.caConfigMap"):
        helm.render(values)


def test_the_charts_own_mysql_is_spoken_to_as_before(helm: Helm) -> None:
    plain = helm.template(BACKUP)
    tls = helm.template({**BACKUP, "mysql.external.tls": True})
    assert "DATABASE_TLS" not in plain
    assert tls == plain
