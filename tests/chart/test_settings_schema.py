"""values.schema.json bounds each setting as its service's class does, or by its pod's time."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import pytest
from pydantic_settings import BaseSettings

from support.cluster.chart import CHART, EXAMPLES, ChartRefusedError, Helm, containers, named, pods
from swapshop_api.settings import ApiSettings, ExporterSettings
from swapshop_poller.settings import REPORT_MARGIN_SECONDS, PollerSettings
from swapshop_receiver.settings import ReceiverSettings

SERVICES: Final[dict[str, type[BaseSettings]]] = {
    "api": ApiSettings,
    "receiver": ReceiverSettings,
    "poller": PollerSettings,
    "exporter": ExporterSettings,
}
SCHEMA: Final[dict[str, Any]] = json.loads((CHART / "values.schema.json").read_text())
BOUNDS: Final = ("type", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "enum")
CAPPED: Final = {("api", "DRAIN_SECONDS"), ("receiver", "DRAIN_SECONDS")}
"""Bounded by the pod's grace, which ends before the class's maximum."""
LEFT: Final = {
    "HOST", "PUBLIC_PORT", "INTERNAL_PORT", "OPERATIONS_PORT", "TOKEN_ISSUER", "CLIENT_ID",
    "POLLER_CLIENT_ID",
}  # fmt: skip
"""Values on which the parts of a release agree by their defaults."""
EXPORTERS: Final = {
    "KEEP_ALIVE_SECONDS", "DRAIN_SECONDS", "LAME_DUCK_SECONDS", "MAX_CONNECTIONS", "HEAD_SECONDS",
    "BODY_BYTES_PER_SECOND", "OTLP_ENDPOINT", "TRACE_RATIO",
}  # fmt: skip
"""Settings of the exporter: only Prometheus connects to it, and its policies let no trace out."""
CLOSING_SECONDS: Final = 5
"""A server closes its pools after the drain."""
STARTING_SECONDS: Final = 10
"""Part of a Job's deadline, in which its pod starts."""


def bounds_of_the_class(service: str) -> dict[str, dict[str, Any]]:
    """Return what each variable of a service may be, in the words of JSON Schema."""
    fields: Mapping[str, Mapping[str, Any]] = SERVICES[service].model_json_schema()["properties"]
    return {
        name.upper(): {bound: field[bound] for bound in BOUNDS if bound in field}
        for name, field in fields.items()
    }


def bounds_of_the_values(service: str) -> dict[str, dict[str, Any]]:
    """Return what each setting of the values may be."""
    fields = SCHEMA["properties"][service]["properties"]["settings"]["properties"]
    return {
        name: {bound: field[bound] for bound in BOUNDS if bound in field}
        for name, field in fields.items()
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_setting_may_be_what_the_class_takes(service: str) -> None:
    expected = bounds_of_the_class(service)
    for name, bounds in bounds_of_the_values(service).items():
        if (service, name) in CAPPED:
            assert bounds["maximum"] < expected[name]["maximum"]
            assert bounds | {"maximum": 0} == expected[name] | {"maximum": 0}
        else:
            assert bounds == expected[name], name


@pytest.fixture(scope="module")
def made(helm: Helm) -> dict[str, set[str]]:
    """The variables that the chart itself gives to each container, over all examples."""
    traces = {"otlpEndpoint": "http://collector:4318", "cidrs": ["192.0.2.0/24"]}
    found: dict[str, set[str]] = defaultdict(set)
    for example in EXAMPLES:
        files = [CHART / "examples" / f"{example}.yaml"]
        manifests = helm.render({"telemetry": traces}, files=files)
        for _, pod in pods(manifests):
            for container in containers(pod):
                names = {variable["name"] for variable in container.get("env", [])}
                for source in container.get("envFrom", []):
                    config = named(manifests, "ConfigMap", source["configMapRef"]["name"])
                    names |= set(config["data"])
                found[container["name"]] |= names
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_the_class_reads_is_a_setting_or_made_by_the_chart(
    made: dict[str, set[str]], service: str
) -> None:
    unset = set(bounds_of_the_class(service)) - set(bounds_of_the_values(service)) - made[service]
    assert unset <= LEFT | (EXPORTERS if service == "exporter" else set[str]())


@pytest.mark.parametrize("service", ["api", "receiver"])
def test_a_drain_fits_into_the_grace(helm: Helm, service: str) -> None:
    spec = named(helm.render(), "Deployment", f"swapshop-{service}")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    stopping = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace: int = spec["terminationGracePeriodSeconds"]
    bounds = bounds_of_the_values(service)
    longest = bounds["LAME_DUCK_SECONDS"]["maximum"] + bounds["DRAIN_SECONDS"]["maximum"]
    assert longest == grace - stopping - CLOSING_SECONDS


def default_of_the_poller(name: str) -> float:
    """Return what the class has where the values have nothing."""
    return float(PollerSettings.model_fields[name].default)


PARTS: Final = ("run_seconds", "send_seconds", "api_seconds")
"""The longest duration of a run: the claim, the last send, and its report."""


@pytest.mark.parametrize("part", PARTS)
def test_a_run_fits_into_the_jobs_deadline(helm: Helm, part: str) -> None:
    job = named(helm.render(), "CronJob", "swapshop-poller")["spec"]["jobTemplate"]["spec"]
    longest: float = job["activeDeadlineSeconds"] - STARTING_SECONDS
    longest -= sum(default_of_the_poller(name) for name in PARTS if name != part)
    assert helm.render({f"poller.settings.{part.upper()}": longest})
    with pytest.raises(ChartRefusedError, match=r"are 80\.5 together; the run of a CronJob may"):
        helm.template({f"poller.settings.{part.upper()}": longest + 0.5})


def test_a_poller_that_polls_always_has_no_run(helm: Helm) -> None:
    assert helm.render({"poller.mode": "Deployment", "poller.settings.RUN_SECONDS": 3600})


def test_the_defaults_of_a_run_are_the_classes(helm: Helm) -> None:
    sending = default_of_the_poller("lease_seconds") - REPORT_MARGIN_SECONDS
    with pytest.raises(ChartRefusedError, match="must exceed SEND_SECONDS by more than 5"):
        helm.template({"poller.settings.SEND_SECONDS": sending, "poller.mode": "Deployment"})
    assert helm.render({"poller.settings.SEND_SECONDS": sending - 0.5, "poller.mode": "Deployment"})
    shortest = default_of_the_poller("send_seconds") + REPORT_MARGIN_SECONDS
    assert shortest < bounds_of_the_values("poller")["LEASE_SECONDS"]["minimum"]
