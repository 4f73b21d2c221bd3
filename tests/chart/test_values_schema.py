"""values.schema.json refuses what is not a value, and says where."""

import json
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any, Final, cast

import pytest
import yaml
from jsonschema import Draft7Validator

from support.cluster.chart import CHART, ChartRefusedError, Helm

SCHEMA: Final[dict[str, Any]] = json.loads((CHART / "values.schema.json").read_text())
VALUES: Final[dict[str, Any]] = yaml.safe_load((CHART / "values.yaml").read_text())
OPEN: Final = {
    ("nodeSelector",),
    ("ingress", "annotations"),
    ("monitoring", "alertmanager", "receivers", "page"),
    ("monitoring", "alertmanager", "receivers", "ticket"),
    ("monitoring", "operator", "labels"),
}
"""Maps whose keys are the user's."""
PEERS: Final = ("ingress", "dns", "kubernetes", "kubelet", "prometheus")
EVERYBODY: Final[list[tuple[Any, str]]] = [
    ([], "at '/networkPolicy/{}': minItems: got 0, want 1"),
    ([{}], "at '/networkPolicy/{}/0': minProperties: got 0, want 1"),
    ([{"podSelecter": {}}], "at '/networkPolicy/{}/0': additional properties 'podSelecter'"),
    ([{"ipBlock": {"cidr": "10.0.0.0"}}], "at '/networkPolicy/{}/0/ipBlock/cidr'"),
    (None, "at '/networkPolicy': missing property '{}'"),
]
"""Peers that mean everybody or that Kubernetes does not know, and the value that is refused."""


def maps(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every map of the values, the whole included."""
    yield path
    for name, value in values.items():
        if isinstance(value, dict):
            yield from maps(cast("dict[str, Any]", value), (*path, name))


def with_typo(path: tuple[str, ...]) -> dict[str, Any]:
    """Return values that have a key too many in the map at a path."""
    values = deepcopy(VALUES)
    inner = values
    for name in path:
        inner = inner[name]
    inner["tpyo"] = "x"
    return values


def errors_of(values: dict[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """Return where the values offend the schema, and how."""
    found: Iterable[Any] = Draft7Validator(SCHEMA).iter_errors(values)  # pyright: ignore[reportUnknownMemberType] - its arguments are untyped
    return [(tuple(map(str, error.absolute_path)), error.message) for error in found]


def test_the_defaults_are_valid_and_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert errors_of(VALUES) == []


@pytest.mark.parametrize("path", [path for path in maps(VALUES) if path not in OPEN], ids=".".join)
def test_a_typo_is_refused_in_every_map(path: tuple[str, ...]) -> None:
    ((place, message),) = errors_of(with_typo(path))
    assert "'tpyo' was unexpected" in message
    assert place == path


def test_every_value_of_the_schema_has_a_default() -> None:
    for path in maps(VALUES):
        schema, values = SCHEMA, VALUES
        for name in path:
            schema, values = schema["properties"][name], values[name]
            schema = (
                SCHEMA["definitions"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
            )
        if path in OPEN or path[-1:] in {("settings",), ("requests",), ("limits",)}:
            continue
        assert set(schema["properties"]) - {"global"} == set(values), path


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"api.replcas": 3}, "at '/api': additional properties 'replcas' not allowed"),
        ({"poller.mode": "Cron"}, "at '/poller/mode'"),
        ({"mysql.storage.size": "8 GB"}, "at '/mysql/storage/size'"),
        ({"mysql.external.cidrs": ["db"]}, "at '/mysql/external/cidrs/0'"),
        ({"backup.enabled": True}, "at '/backup/existingClaim'"),
        ({"gateway.enabled": True}, "at '/gateway/parentRefs'"),
        ({"trustedProxies": ["10.0.0.0"]}, "at '/trustedProxies/0'"),
        (
            {"networkPolicy.connections": [{"from": "wbe", "to": "api", "port": 1}]},
            "at '/networkPolicy/connections/0/from'",
        ),
        ({"ingress.host": "shop.example.com"}, "passwords would cross the network unencrypted"),
        (
            {"publicOrigins": ["http://localhost.example.com"]},
            "passwords would cross the network unencrypted",
        ),
        ({"ingress.enabled": False}, "publicOrigins"),
        ({"secrets.generate": True}, "without a cluster they cannot be generated"),
        ({"mysql.external.host": "db.example.com"}, "mysql.external.cidrs"),
        ({"redis.external.host": "redis.example.com"}, "redis.external.cidrs"),
        ({"mysql.external.caConfigMap": "authorities"}, "at '/mysql/external/tls'"),
        (
            {"telemetry.otlpEndpoint": "http://collector:4318"},
            "telemetry.cidrs",
        ),
        (
            {"monitoring.alertmanager.existingSecret": "alertmanager", "monitoring.enabled": True},
            "monitoring.alertmanager.cidrs",
        ),
        (
            {"monitoring.operator.enabled": True, "monitoring.enabled": True},
            "choose one of them",
        ),
        ({"monitoring.prometheus.retention": "15"}, "at '/monitoring/prometheus/retention'"),
        ({"mysql.exporter.enabled": "yes"}, "at '/mysql/exporter/enabled'"),
        ({"mysql.external.host": "db.example.com:3306"}, "at '/mysql/external/host'"),
        ({"trustedProxies": ["999.1.1.1/999"]}, "at '/trustedProxies/0'"),
        ({"housekeeping.schedule": "a b c d e"}, "at '/housekeeping/schedule'"),
        ({"operator.email": "x@y"}, "at '/operator/email'"),
        (
            {"api.settings.KEEP_ALIVE_SECONDS": 0},
            "at '/api/settings/KEEP_ALIVE_SECONDS': minimum: got 0, want 1",
        ),
        (
            {"receiver.settings.DRAIN_SECONDS": 300},
            "at '/receiver/settings/DRAIN_SECONDS': maximum: got 300, want 20",
        ),
        (
            {"poller.settings.BATCH_SIZE": 1000},
            "at '/poller/settings/BATCH_SIZE': maximum: got 1,000, want 100",
        ),
        (
            {"poller.settings.LEASE_SECONDS": 5},
            "at '/poller/settings/LEASE_SECONDS': minimum: got 5, want 20",
        ),
        ({"poller.settings.CONCURRENCY": "8"}, "got string, want integer"),
    ],
)
def test_nonsense_is_refused_with_the_place(
    helm: Helm, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ChartRefusedError, match=re.escape(message)):
        helm.template(values)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize(
    ("peers", "message"), EVERYBODY, ids=["none", "any", "typo", "no network", "null"]
)
def test_peers_that_kubernetes_reads_as_everybody_are_refused(
    helm: Helm, name: str, peers: Any, message: str
) -> None:
    with pytest.raises(ChartRefusedError, match=re.escape(message.format(name))):
        helm.template({f"networkPolicy.{name}": peers})


@pytest.mark.parametrize(
    "values",
    [
        {"ingress.host": "shop.example.com", "ingress.tlsSecret": "tls"},
        {"ingress.host": "shop.example.com", "ingress.insecure": True},
        {"publicOrigins": ["http://localhost:8080", "http://127.0.0.1", "http://a.localhost"]},
    ],
)
def test_http_is_allowed_where_nobody_listens(helm: Helm, values: dict[str, Any]) -> None:
    assert helm.render(values)
