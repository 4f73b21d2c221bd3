"""Pods are ended, politely and not, while orders flow: each order is notified exactly once."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from support.releases import Release
from support.storefront import Customer, Door, wait_until

FORCED = ("--grace-period=0", "--force")
"""SIGKILL at once, as kill -9 or the node's memory killer does."""


@pytest.fixture(scope="module", autouse=True)
def polls_always(release: Release, door: Door, observed: dict[str, float]) -> None:
    """The poller as a Deployment, which notifies within five seconds."""
    release.deploy("--set", "poller.mode=Deployment")
    customer = Customer(door)
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


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", [(), FORCED], ids=["deleted", "killed"])
@pytest.mark.parametrize("component", ["api", "receiver", "poller", "redis", "mysql"])
def test_no_order_is_lost_or_doubled(
    release: Release,
    door: Door,
    observed: dict[str, float],
    component: str,
    how: tuple[str, ...],
) -> None:
    customer = Customer(door)
    with ordering(customer) as orders:
        wait_until(lambda: len(orders) >= 5, 60)
        pod = release.pods(component)[0]["metadata"]
        size = len(release.pods(component))
        release.cluster.kubectl("delete", "pod", pod["name"], "--wait=false", *how)
        seconds = wait_until(lambda: is_replaced(release, component, pod["uid"], size), 240)
        before = len(orders)
        wait_until(lambda: len(orders) >= before + 10, 60)
    observed[f"{component} {'killed' if how else 'deleted'}, until it is back (s)"] = seconds
    wait_until(lambda: set(customer.notified()) >= set(orders), 120, every=1)
    assert sorted(customer.notified()) == sorted(orders)
    assert set(customer.orders()) == set(orders)


def is_replaced(release: Release, component: str, uid: str, size: int) -> bool:
    """Tell whether a component is whole again without the pod of this uid."""
    uids = {pod["metadata"]["uid"] for pod in release.pods(component)}
    return uid not in uids and release.ready(component) >= size
