"""Three pods of the api are one service."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from support.cluster.customers import Customer
from support.cluster.port_forward import forwarded
from support.cluster.release import Release
from support.waiting import wait_until

REQUESTS = 12
ORDERS = 3


@pytest.fixture(scope="module", autouse=True)
def three_pods(release: Release) -> None:
    """At least three pods of the api."""
    release.deploy("--set", "api.autoscaling.minReplicas=3")
    wait_until(lambda: release.ready("api") >= 3, 120)


def test_one_key_is_one_order_on_whichever_pod(customer: Customer) -> None:
    def send(_: int) -> httpx.Response:
        answer = customer.place("the-same-key")
        while answer.status_code == 409:
            answer = customer.place("the-same-key")
        return answer

    with ThreadPoolExecutor(REQUESTS) as pool:
        answers = list(pool.map(send, range(REQUESTS)))
    assert [answer.status_code for answer in answers] == [201] * REQUESTS
    assert len({answer.content for answer in answers}) == 1
    first = [answer for answer in answers if "idempotency-replayed" not in answer.headers]
    assert len(first) == 1
    assert len(customer.orders()) == 1


def test_a_session_goes_on_at_another_pod(customer: Customer) -> None:
    assert [customer.refresh() for _ in range(6)] == [200] * 6


@pytest.mark.timeout(240)
def test_a_sign_out_reaches_every_pod_within_five_seconds(
    release: Release, customer: Customer, observed: dict[str, float]
) -> None:
    token = {"Authorization": customer.http.headers["Authorization"]}
    paths = {"api": "/api/orders", "receiver": "/api/notifications"}
    with ExitStack() as stack:
        urls: list[str] = []
        for component, path in paths.items():
            for pod in release.pods(component):
                target = f"pod/{pod['metadata']['name']}"
                port = stack.enter_context(forwarded(release.cluster, target, 8000))
                urls.append(f"http://127.0.0.1:{port}{path}")
        assert len(urls) >= 4

        def statuses() -> set[int]:
            return {httpx.get(url, headers=token, timeout=20).status_code for url in urls}

        assert statuses() == {200}
        customer.sign_out()
        seconds = wait_until(lambda: statuses() == {401}, 30, every=0.1)
    observed["a sign-out reaches every pod"] = seconds
    assert seconds <= 5


def hits_after_one_read(customer: Customer, order_id: str) -> int:
    """Read an order once, and return how many of the next reads the cache answered."""
    customer.read(order_id)
    answers = [customer.read(order_id) for _ in range(REQUESTS)]
    return sum(answer.headers["x-cache"] == "HIT" for answer in answers)


@pytest.mark.timeout(240)
def test_what_one_pod_cached_another_answers(customer: Customer) -> None:
    # notified ones, which change no more
    orders = [customer.placed() for _ in range(ORDERS)]
    wait_until(lambda: all(map(customer.is_notified, orders)), 120, every=1)
    # With a cache in each pod two reads of every order would miss. A pod of a busy cluster may find
    # Redis slow, and does without it for a second.
    assert max(hits_after_one_read(customer, order_id) for order_id in orders) >= REQUESTS - 1
