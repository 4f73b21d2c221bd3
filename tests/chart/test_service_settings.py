"""The environment of every container is what the service's settings class reads."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import certifi
import pytest
from pydantic_settings import BaseSettings

from support.cluster.chart import Helm, Manifest, component, containers, named, pods
from swapshop_api.settings import ApiSettings, ExporterSettings, MigrationSettings
from swapshop_kit.settings import DatabaseSettings
from swapshop_poller.settings import PollerSettings
from swapshop_receiver.settings import ReceiverSettings

SERVICES: Final[dict[str, type[BaseSettings]]] = {
    "api": ApiSettings,
    "receiver": ReceiverSettings,
    "poller": PollerSettings,
    "migrate-api": MigrationSettings,
    "migrate-receiver": DatabaseSettings,
    "housekeeping": DatabaseSettings,
    "exporter": ExporterSettings,
}
SECRETS: Final = {
    **dict.fromkeys(("password", "api", "receiver"), "abc123abc123"),
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "previous": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
FILES: Final[dict[str, str]] = {"/etc/swapshop/mysql-ca/ca.crt": certifi.where()}
"""Mounted files that a service's settings check."""
PARTS_OF_URLS: Final = {"DATABASE_PASSWORD", "REDIS_PASSWORD"}
"""Variables that are only used in the URLs of others."""


def environment(manifests: Iterable[Manifest], container: Manifest) -> dict[str, str]:
    """Return a container's environment, as the kubelet makes it."""
    manifests = list(manifests)
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", []):
        if "valueFrom" in variable:
            value = SECRETS[variable["valueFrom"]["secretKeyRef"]["key"]]
        else:
            value = variable["value"]
            for name, text in found.items():
                value = value.replace(f"$({name})", text)
            value = FILES.get(str(value), str(value))
        found[variable["name"]] = value
    return found


def read(manifests: Iterable[Manifest], container: Manifest) -> BaseSettings:
    """Make the settings of a container's service; refuses variables that nobody reads."""
    service = SERVICES[container["name"]]
    variables = environment(manifests, container)
    unread = {name for name in variables if name.lower() not in service.model_fields}
    assert unread <= PARTS_OF_URLS, f"{container['name']} does not read {unread}"
    assert all("$(" not in value for value in variables.values())
    arguments: dict[str, Any] = {name.lower(): value for name, value in variables.items()}
    return service(**arguments)


def test_every_service_reads_its_environment_to_the_last_variable(
    manifests: list[Manifest],
) -> None:
    seen: set[str] = set()
    for _, pod in pods(manifests):
        for container in containers(pod):
            if container["name"] in SERVICES:
                read(manifests, container)
                seen.add(container["name"])
    assert seen >= set(SERVICES)


def only(manifests: list[Manifest], name: str) -> BaseSettings:
    """Return the settings of the one container of this name."""
    found = [
        container
        for _, pod in pods(manifests)
        if component(pod) != "restore"
        for container in containers(pod)
        if container["name"] == name
    ]
    assert len(found) == 1
    return read(manifests, found[0])


def test_the_defaults_reach_the_api(helm: Helm) -> None:
    settings = only(helm.render(), "api")
    assert isinstance(settings, ApiSettings)
    assert settings.public_origins == ["http://swapshop.localhost"]
    assert settings.max_replicas == 6
    assert settings.database_url.get_secret_value() == (
        "mysql+asyncmy://swapshop_api:abc123abc123@swapshop-mysql:3306/swapshop"
    )
    assert settings.redis_url.get_secret_value() == "redis://api:abc123abc123@swapshop-redis:6379/0"


@pytest.mark.parametrize("promote_existing", [False, True])
def test_the_migration_makes_the_operator(helm: Helm, promote_existing: bool) -> None:
    """In the transaction that makes the api ready, so nobody can register the e-mail before."""
    email = "operator@example.com"
    values = {"operator.email": email, "operator.promoteExisting": promote_existing}
    settings = only(helm.render(values), "migrate-api")
    assert isinstance(settings, MigrationSettings)
    assert settings.operator_email == email
    assert settings.operator_password is not None
    assert settings.operator_promote_existing is promote_existing


def test_each_user_works_on_its_own_schema(helm: Helm) -> None:
    manifests = helm.render()
    urls = {
        name: getattr(only(manifests, name), "database_url").get_secret_value()  # noqa: B009 - of several classes
        for name in (
            "api",
            "housekeeping",
            "migrate-api",
            "receiver",
            "migrate-receiver",
            "exporter",
        )
    }
    assert {
        name: (url.split("/")[2].split(":")[0], url.split("/")[3]) for name, url in urls.items()
    } == {
        "api": ("swapshop_api", "swapshop"),
        "housekeeping": ("swapshop_housekeeping", "swapshop"),
        "migrate-api": ("swapshop_api_ddl", "swapshop"),
        "receiver": ("swapshop_receiver", "notifications"),
        "migrate-receiver": ("swapshop_receiver_ddl", "notifications"),
        "exporter": ("swapshop_exporter", "swapshop"),
    }


def test_external_stores_are_where_the_values_say(helm: Helm) -> None:
    external: dict[str, Any] = {
        "mysql.external": {"host": "db.example.com", "port": 3307, "cidrs": ["192.0.2.1/32"]},
        "redis.external": {"host": "c.example.com", "tls": True, "cidrs": ["192.0.2.2/32"]},
    }
    settings = only(helm.render(external), "api")
    assert isinstance(settings, ApiSettings)
    assert "@db.example.com:3307/swapshop" in settings.database_url.get_secret_value()
    assert not settings.database_tls
    assert settings.redis_url.get_secret_value() == "rediss://:abc123abc123@c.example.com:6379/0"


@pytest.mark.parametrize(
    ("service", "line", "value"),
    [
        ("api", "REGISTER_PER_ADDRESS_PER_HOUR: 1000000", 1_000_000),
        ("api", "LOGIN_PER_ACCOUNT_PER_MINUTE: 123456789", 123_456_789),
        ("receiver", "STREAMS_PER_PROCESS: 1e4", 10_000),
        ("poller", "IDLE_SECONDS: 0.0625", 0.0625),
        ("poller", "RUN_SECONDS: 30.0", 30),
        ("exporter", "SNAPSHOT_SECONDS: 1.5", 1.5),
    ],
)
def test_a_number_of_a_file_reaches_its_service_whole(
    helm: Helm, tmp_path: Path, service: str, line: str, value: float
) -> None:
    """Helm reads a file's numbers as floats, and prints a million as 1e+06."""
    file = tmp_path / "values.yaml"
    file.write_text(f"{service}: {{settings: {{{line}}}}}\n")
    settings = only(helm.render(files=[file]), service)
    assert getattr(settings, line.partition(":")[0].lower()) == value


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("api", "REGISTER_PER_ADDRESS_PER_HOUR", 5),
        ("receiver", "STREAMS_PER_USER", 3),
        ("poller", "BATCH_SIZE", 7),
        ("exporter", "SNAPSHOT_SECONDS", 30),
    ],
)
def test_a_setting_of_the_values_reaches_its_service(
    helm: Helm, service: str, name: str, value: int
) -> None:
    settings = only(helm.render({f"{service}.settings.{name}": value}), service)
    assert getattr(settings, name.lower()) == value
