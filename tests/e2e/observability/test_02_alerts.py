"""Alerts fire for parts that are down and for nothing else; every query finds data."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import httpx
import pytest

from support.cluster.customers import Customer
from support.cluster.pager import Pager
from support.cluster.release import Release
from support.waiting import wait_until
from swapshop_operations.cluster.prometheus import ask
from swapshop_operations.monitoring import queries

from .conftest import VALUES

NOT_HERE: Final = ("kubelet", "traefik")
"""Owners of metrics that not every cluster has: figures of volumes need a driver that counts, those
of certificates an ingress controller that is asked for its metrics."""


def told(release: Release, state: str = "pending|firing") -> set[str]:
    """Return the alerts that page and are in a state."""
    found = ask(release.cluster, f'ALERTS{{severity="page", alertstate=~"{state}"}}')
    return {sample.labels["alertname"] for sample in found}


@contextmanager
def without_receiver(release: Release) -> Generator[None]:
    """Take the receiver's pods away within the block, and no longer whatever happens in it."""
    release.cluster.kubectl("scale", "deployment/swapshop-receiver", "--replicas=0")
    try:
        yield
    finally:
        release.cluster.kubectl("scale", "deployment/swapshop-receiver", "--replicas=1")


@pytest.mark.timeout(900)
def test_a_receiver_that_is_down_is_told_and_nothing_else(
    release: Release, pager: Pager, observed: dict[str, float]
) -> None:
    # the load test may have been slow at first
    wait_until(lambda: told(release) == set(), 400, every=2)
    # of others none that is only pending: a busy cluster misses a scrape
    fired: set[str] = set()

    def is_told() -> bool:
        fired.update(told(release, "firing"))
        return "ReceiverDown" in told(release)

    def is_firing() -> bool:
        fired.update(told(release, "firing"))
        return "ReceiverDown" in fired

    with without_receiver(release):
        seconds = wait_until(is_told, 180, every=2)
        observed["receiver scaled to 0, until ReceiverDown is pending (s)"] = seconds
        wait_until(is_firing, 300, every=2)
        seconds = wait_until(lambda: "ReceiverDown" in pager.alerts(), 120, every=2)
        observed["ReceiverDown fires, until somebody is woken (s)"] = seconds
        assert fired == pager.alerts() == {"ReceiverDown"}
    wait_until(lambda: told(release) == set(), 180, every=2)


@pytest.mark.timeout(600)
def test_every_query_returns_data(customer: Customer, prometheus: httpx.Client) -> None:
    """Queries of every panel and every rule."""
    customer.sign_in()
    order_id = customer.placed()
    wait_until(lambda: customer.is_notified(order_id), 30)
    run = queries.prometheus(str(prometheus.base_url).rstrip("/"), prometheus)
    findings: list[queries.Finding] = []

    def all_found() -> bool:
        findings[:] = queries.prove(run, NOT_HERE)
        return not findings

    try:
        wait_until(all_found, 240, every=10)
    except TimeoutError:
        pytest.fail("\n".join(map(str, findings)))


@pytest.mark.timeout(600)
def test_a_poller_that_does_not_run_is_told(
    release: Release, pager: Pager, observed: dict[str, float]
) -> None:
    release.deploy(*VALUES, *pager.options, "--set", "poller.mode=CronJob")
    release.cluster.kubectl(
        "patch", "cronjob/swapshop-poller", "--patch", '{"spec": {"suspend": true}}'
    )
    seconds = wait_until(lambda: "PollerStale" in told(release), 420, every=2)
    observed["CronJob suspended, until PollerStale is pending (s)"] = seconds
