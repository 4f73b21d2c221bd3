"""Pods are deleted and processes killed while orders flow: each order is notified exactly once."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from support.cluster.container_kills import Killer, open_killer, status_of
from support.cluster.customers import Customer, Door
from support.cluster.release import NAMESPACE, Release
from support.waiting import wait_until

COMPONENTS = ("api", "receiver", "poller", "redis", "mysql")
"""Each has a pod whose main container has the component's name."""


@pytest.fixture(scope="module", autouse=True)
def polls_always(release: Release, door: Door, observed: dict[str, float]) -> None:
    """The poller as a Deployment, which notifies within five seconds; the api stays at two pods."""
    fixed = "api.autoscaling.minReplicas=2,api.autoscaling.maxReplicas=2"
    release.deploy("--set", "poller.mode=Deployment", "--set", fixed)
    wait_until(lambda: len(release.pods("api")) == release.ready("api") == 2, 120, every=1)
    customer = Customer(door)
    notified_after(customer)  # the first, while everything has only just started
    seconds = max(notified_after(customer) for _ in range(5))
    observed["order to notification, Deployment, slowest of 5 (s)"] = seconds
    assert seconds <= 5


def notified_after(customer: Customer) -> float:
    """Place an order and return after how many seconds it is notified."""
    order_id = customer.placed()
    return wait_until(lambda: customer.is_notified(order_id), 30, every=0.05)


@contextmanager
def ordering(customer: Customer) -> Generator[list[str]]:
    """Place orders, one after another, during a block; each is answered 201 in the end."""
    orders: list[str] = []
    stop = threading.Event()
    errors: list[Exception] = []

    def go() -> None:
        try:
            while not stop.is_set():
                orders.append(customer.placed())
                stop.wait(0.05)
        except (AssertionError, TimeoutError) as error:
            errors.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield orders
    finally:
        stop.set()
        thread.join()
    assert not errors, errors


@pytest.fixture(scope="module")
def killer(release: Release) -> Generator[Killer]:
    """Kills containers from a separate namespace, in which pods can see the nodes' processes."""
    (container,) = release.pods("api")[0]["spec"]["containers"]
    with open_killer(f"{NAMESPACE}-node", container["image"]) as killer:
        yield killer


@pytest.mark.timeout(400)
@pytest.mark.parametrize("component", COMPONENTS)
def test_no_order_is_lost_or_doubled_when_a_pod_is_deleted(
    release: Release, door: Door, observed: dict[str, float], component: str
) -> None:
    pods = release.pods(component)
    name, uid = pods[0]["metadata"]["name"], pods[0]["metadata"]["uid"]

    def is_replaced() -> bool:
        uids = {pod["metadata"]["uid"] for pod in release.pods(component)}
        return uid not in uids and release.ready(component) >= len(pods)

    with orders_survive(Customer(door)):
        release.cluster.kubectl("delete", "pod", name, "--wait=false")
        observed[f"{component} deleted, until it is back (s)"] = wait_until(is_replaced, 240)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("component", COMPONENTS)
def test_no_order_is_lost_or_doubled_when_a_process_is_killed(
    release: Release, door: Door, observed: dict[str, float], killer: Killer, component: str
) -> None:
    pods = release.pods(component)
    uid, before = pods[0]["metadata"]["uid"], status_of(pods[0], component)

    def is_restarted() -> bool:
        current = {pod["metadata"]["uid"]: pod for pod in release.pods(component)}
        restarts = status_of(current[uid], component)["restartCount"] - before["restartCount"]
        return restarts == 1 and release.ready(component) >= len(pods)

    with orders_survive(Customer(door)):
        killer.kill(pods[0], component)
        observed[f"{component} killed, until it is back (s)"] = wait_until(is_restarted, 240)
    ended = status_of(release.cluster.get("pod", pods[0]["metadata"]["name"]), component)
    assert ended["lastState"]["terminated"]["containerID"] == before["containerID"]
    assert ended["lastState"]["terminated"]["exitCode"] == 128 + signal.SIGKILL


@contextmanager
def orders_survive(customer: Customer) -> Generator[None]:
    """Place orders while a block lasts, before it and after: each is notified exactly once."""
    with ordering(customer) as orders:
        wait_until(lambda: len(orders) >= 5, 60)
        yield
        before = len(orders)
        wait_until(lambda: len(orders) >= before + 10, 60)
    wait_until(lambda: set(customer.notified()) >= set(orders), 120, every=1)
    assert sorted(customer.notified()) == sorted(orders)
    assert set(customer.orders()) == set(orders)
