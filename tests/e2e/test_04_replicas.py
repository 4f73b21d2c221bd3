"""Three pods of the api are one service."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support.releases import Release
from support.storefront import Customer, wait_until

REQUESTS = 12


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


def test_what_one_pod_cached_another_answers(customer: Customer) -> None:
    order_id = customer.placed()
    customer.read(order_id)
    answers = [customer.read(order_id) for _ in range(REQUESTS)]
    assert {answer.headers["x-cache"] for answer in answers} <= {"HIT", "MISS"}
    # one MISS at most: where the poller has changed the order meanwhile
    assert [answer.headers["x-cache"] for answer in answers].count("HIT") >= REQUESTS - 1
