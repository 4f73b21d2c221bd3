"""Watched answers are exported as 0 before the first one, since increase() needs a start."""

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from swapshop_kit import web
from swapshop_kit.problems import DatabaseUnavailable, NotFound, Unauthenticated, responses

Counts = Callable[[str, int], float | None]
"""Returns how many answers of a status a method had; None if that is not exported."""


def _counts(prefix: str, *, trusted_callers: bool) -> Counts:
    router = web.router(prefix=prefix, tag="toys")

    @router.post(
        "", status_code=201, responses=responses(DatabaseUnavailable, Unauthenticated, NotFound)
    )
    async def create() -> None: ...

    @router.get("")
    async def read() -> None: ...

    web.create_app("Toys", "1", [router], trusted_callers=trusted_callers)

    def count(method: str, status: int) -> float | None:
        labels = {
            "http_request_method": method,
            "http_route": prefix,
            "http_response_status_code": str(status),
        }
        return REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels)

    return count


@pytest.fixture(scope="module")
def public() -> Counts:
    return _counts("/api/counted-toys", trusted_callers=False)


@pytest.fixture(scope="module")
def internal() -> Counts:
    return _counts("/internal/counted-toys", trusted_callers=True)


def test_failures_and_what_is_created_are_counted_from_zero(public: Counts) -> None:
    assert [public("POST", status) for status in (201, 500, 503)] == [0, 0, 0]


def test_what_a_route_does_not_answer_is_not_exported(public: Counts) -> None:
    assert [public("GET", status) for status in (200, 201, 500, 503)] == [None, None, 0, None]


def test_what_a_customer_did_wrong_is_not_watched(public: Counts) -> None:
    assert [public("POST", status) for status in (401, 404, 413, 422)] == [None] * 4


def test_a_refused_service_of_ours_is_counted_from_zero(internal: Counts) -> None:
    assert [internal("POST", status) for status in (401, 404, 500)] == [0, 0, 0]
    assert [internal("POST", status) for status in (403, 413, 422)] == [None] * 3
