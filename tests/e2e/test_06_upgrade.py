"""An upgrade to another release and a rollback, under load: nobody notices."""

import shutil
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from support.cluster.customers import Customer, Door, traffic
from support.cluster.release import NEXT_TAG, TAG, Release
from support.waiting import wait_until
from swapshop_operations.repository import CHART

SERVICES: Final = {"api", "receiver", "poller", "web"}
STORES: Final = {"mysql", "redis"}
POLLS_ALWAYS: Final = ("--set", "poller.mode=Deployment")
VERSION: Final[str] = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
NEXT_VERSION: Final = "99.0.0"


class Listener(threading.Thread):
    """Holds a customer's stream of notifications, and opens another whenever the server ends it.

    Args:
        customer: whose notifications.
    """

    def __init__(self, customer: Customer) -> None:
        super().__init__(daemon=True)
        self.ended = 0
        self.told = "is open"
        self._customer = customer
        self._has_left = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            while (told := self._hold()) == "ended":
                self.ended += 1
        except httpx.HTTPError as error:
            told = f"broke: {error!r}"
        self.told = told

    def leave(self) -> None:
        """Leave the stream after its next event."""
        self._has_left.set()
        self.join(60)

    def _hold(self) -> str:
        event = ""
        path = "/api/notifications/stream"
        with self._customer.http.stream("GET", path, timeout=60) as answer:
            for line in answer.iter_lines():
                if self._has_left.is_set():
                    return "left"
                event = line if line.startswith("event:") else event
        if answer.is_error:
            return f"answered {answer.status_code}"
        return "ended" if event == "event: end" else "broke off"


@contextmanager
def listening(customers: Iterable[Customer]) -> Generator[list[Listener]]:
    """Let customers hold a stream each during a block."""
    listeners = [Listener(customer) for customer in customers]
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.leave()


def restarts(release: Release, component: str) -> dict[str, list[int]]:
    """Return a component's pods by uid: how often each of their containers has restarted."""
    return {
        pod["metadata"]["uid"]: [
            status["restartCount"] for status in pod["status"].get("containerStatuses", [])
        ]
        for pod in release.pods(component)
    }


def component_of(item: dict[str, Any]) -> str:
    """Return the component that an object belongs to."""
    return item["metadata"]["labels"]["app.kubernetes.io/component"]


def tags(release: Release, component: str) -> set[str]:
    """Return the tags of SwapShop's own images that a component's pods run."""
    images: list[str] = [
        container["image"]
        for pod in release.pods(component)
        for container in pod["spec"]["containers"]
    ]
    return {image.rpartition(":")[2] for image in images if image.startswith("swapshop/")}


@contextmanager
def another_release(release: Release, version: str, tag: str) -> Generator[None]:
    """Prove that a block migrates, replaces every Deployment's pods, and keeps the stores.

    Args:
        release: that is upgraded or rolled back.
        version: of the chart, afterwards.
        tag: of the images, afterwards.
    """
    cluster = release.cluster
    rolled = {component_of(item) for item in cluster.get("deployments")["items"]} | {"migrate"}
    assert rolled > SERVICES
    before = {component: restarts(release, component) for component in rolled | STORES}
    yield
    jobs = cluster.get("jobs", "--selector", "app.kubernetes.io/component=migrate")["items"]
    assert len(jobs) == 1
    cluster.finish_job(jobs[0]["metadata"]["name"], 60)
    wait_until(lambda: all(release.is_settled(component) for component in rolled), 90, every=1)
    for deployment in cluster.get("deployments")["items"]:
        assert deployment["metadata"]["labels"]["helm.sh/chart"] == f"swapshop-{version}"
    for component in rolled:
        assert tags(release, component) == {tag}, component
        assert not restarts(release, component).keys() & before[component].keys(), component
    for component in STORES:
        assert restarts(release, component) == before[component], component


def next_chart(folder: Path) -> Path:
    """Copy the chart as that of another release, and return where to."""
    chart = Path(shutil.copytree(CHART, folder / "swapshop"))
    file = chart / "Chart.yaml"
    told = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**told, "version": NEXT_VERSION, "appVersion": NEXT_VERSION}))
    return chart


@pytest.fixture(scope="module", autouse=True)
def polls_always(release: Release) -> Generator[None]:
    """The poller as a Deployment, which an upgrade replaces too; a CronJob again afterwards."""
    release.deploy(*POLLS_ALWAYS)
    yield
    release.deploy()


@pytest.mark.timeout(600)
def test_an_upgrade_and_a_rollback_fail_no_request(
    release: Release, door: Door, observed: dict[str, float], tmp_path: Path
) -> None:
    chart = next_chart(tmp_path)
    with traffic(door) as counted, listening(counted.orders) as listeners:
        wait_until(lambda: counted.requests >= 40, 60)
        with another_release(release, NEXT_VERSION, NEXT_TAG):
            seconds = release.deploy(*POLLS_ALWAYS, chart=chart, tag=NEXT_TAG)
            observed["upgrade to another release under load (s)"] = seconds
        with another_release(release, VERSION, TAG):
            begin = time.monotonic()
            release.cluster.helm("rollback", "swapshop", "--wait", "--timeout", "5m")
            observed["its rollback under load (s)"] = time.monotonic() - begin
        before = counted.requests
        wait_until(lambda: counted.requests >= before + 40, 60)
    assert not counted.failures, "\n".join(counted.failures)
    observed["requests during upgrade and rollback, none failed"] = counted.requests
    assert [listener.told for listener in listeners] == ["left"] * len(listeners)
    # by the pods of both releases that left
    assert min(listener.ended for listener in listeners) >= 2
    observed["streams ended by pods that left"] = sum(listener.ended for listener in listeners)
    for customer, orders in counted.orders.items():
        wait_until(lambda c=customer, n=orders: len(c.notified()) >= len(n), 60, every=1)
        assert sorted(customer.notified()) == sorted(orders)
        assert set(customer.orders()) == set(orders)
