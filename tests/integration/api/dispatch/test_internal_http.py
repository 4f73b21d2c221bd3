"""Leases and reports over HTTP: what pollers send, and what is refused."""

import base64
from typing import Any

import pytest

from support.api.client import Shop, code_of
from support.api.dispatch import Pipeline
from support.api.orders import Json
from swapshop_api.dispatch.models import deliveries, leases
from swapshop_kit.ids import new_id
from swapshop_kit.web import MAX_INTERNAL_BODY_BYTES

LEASES = "/internal/dispatch/leases"
ID = "018f0000-0000-7000-8000-00000000000a"

without_database = pytest.mark.parametrize("stores", ["sqlite-valkey"], indirect=True)
"""Refused before the database is asked, so one pair of stores is enough."""


def results_of(token: str) -> str:
    return f"{LEASES}/{token}/results"


def lease_json(**changes: Any) -> Json:
    return {"lease_token": ID, "limit": 10, "lease_seconds": 60} | changes


def result_json(**changes: Any) -> Json:
    return {"delivery_id": ID, "outcome": "delivered", "status": 200} | changes


async def test_a_lease_and_its_report(poller: Shop, pipeline: Pipeline) -> None:
    await pipeline.place()
    leased = await poller.post(LEASES, json=lease_json())
    (row,) = await pipeline.rows(deliveries)
    assert leased.status_code == 200
    assert 45_000 < leased.json()["remaining_ms"] <= 60_000
    assert leased.json()["deliveries"] == [
        {
            "id": row["id"],
            "webhook_id": row["webhook_id"],
            "event_type": "ORDER_READY",
            "body": base64.b64encode(row["payload"]).decode(),
            "attempts": 0,
            "traceparent": row["traceparent"],
        }
    ]
    assert [lease["client"] for lease in await pipeline.rows(leases)] == ["poller"]
    report = {"results": [result_json(delivery_id=row["id"]), result_json()]}
    reported = await poller.post(results_of(ID), json=report)
    assert reported.status_code == 200
    assert reported.json() == {
        "results": [
            {"delivery_id": row["id"], "result": "applied"},
            {"delivery_id": ID, "result": "stale"},
        ]
    }


async def test_only_a_token_of_the_internal_audience_is_let_in(
    customer: Shop, staff: Shop, pipeline: Pipeline
) -> None:
    await pipeline.place()
    for client in (customer, staff):
        refused = await client.post(LEASES, json=lease_json())
        assert code_of(refused) == (401, "unauthenticated")
        refused = await client.post(results_of(ID), json={"results": [result_json()]})
        assert code_of(refused) == (401, "unauthenticated")
    del customer.headers["Authorization"]
    assert code_of(await customer.post(LEASES, json=lease_json())) == (401, "unauthenticated")
    assert await pipeline.count(leases) == 0


@without_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 101),
        ("limit", -1),
        ("limit", "10"),
        ("limit", 1.0),
        ("limit", True),
        ("limit", None),
        ("lease_seconds", 19),
        ("lease_seconds", 301),
        ("lease_seconds", "60"),
        ("lease_token", ID.upper()),
        ("lease_token", ID.replace("-", "")),
        ("lease_token", f"{ID}\n"),
        ("lease_token", ""),
        ("lease_token", 7),
        ("unknown", 1),
    ],
)
async def test_a_lease_of_another_form_is_refused(
    poller: Shop, pipeline: Pipeline, field: str, value: object
) -> None:
    refused = await poller.post(LEASES, json=lease_json(**{field: value}))
    assert code_of(refused) == (422, "invalid_request")
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert await pipeline.count(leases) == 0


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize("lease_seconds", [20, 300])
async def test_the_bounds_themselves_are_taken(
    poller: Shop, limit: int, lease_seconds: int
) -> None:
    body = lease_json(limit=limit, lease_seconds=lease_seconds)
    assert (await poller.post(LEASES, json=body)).status_code == 200


@without_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delivery_id", ID.upper()),
        ("delivery_id", None),
        ("outcome", "lost"),
        ("outcome", None),
        ("status", 99),
        ("status", 600),
        ("status", "200"),
        ("error", "x" * 201),
        ("error", 1),
        ("retry_after", -1),
        ("retry_after", 1.5),
        ("unknown", 1),
    ],
)
async def test_a_result_of_another_form_is_refused(poller: Shop, field: str, value: object) -> None:
    body = {"results": [result_json(), result_json(**{field: value})]}
    refused = await poller.post(results_of(ID), json=body)
    assert code_of(refused) == (422, "invalid_request")
    assert [error["field"] for error in refused.json()["errors"]] == [f"results.1.{field}"]


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 200), (50, 200), (51, 422)])
async def test_a_report_has_1_to_50_results(poller: Shop, count: int, status: int) -> None:
    body = {"results": [result_json()] * count}
    assert (await poller.post(results_of(ID), json=body)).status_code == status


@without_database
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"results":NaN}',
        b'\xef\xbb\xbf{"results":[]}',
        b'{"results":[],"results":[]}',
        b'{"results":[{"delivery_id":"\\ud800"}]}',
    ],
)
async def test_a_body_that_is_no_such_json_is_refused(poller: Shop, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    for path in (LEASES, results_of(ID)):
        refused = await poller.post(path, content=body, headers=headers)
        assert code_of(refused) == (422, "invalid_request")


async def test_internal_bodies_have_a_limit_of_their_own(poller: Shop) -> None:
    headers = {"Content-Type": "application/json"}
    blanks = b" " * (MAX_INTERNAL_BODY_BYTES - 100)
    body = b'{"results":[{"delivery_id":"%s","outcome":"released"}]}' % ID.encode()
    taken = await poller.post(results_of(ID), content=body + blanks, headers=headers)
    assert taken.status_code == 200
    refused = await poller.post(results_of(ID), content=body + blanks * 2, headers=headers)
    assert code_of(refused) == (413, "body_too_large")


@without_database
@pytest.mark.parametrize("token", [ID.upper(), "x", "%20", ID + "0"])
async def test_a_token_that_is_none_is_not_found(poller: Shop, token: str) -> None:
    refused = await poller.post(results_of(token), json={"results": [result_json()]})
    assert code_of(refused) == (404, "lease_not_found")


async def test_an_error_with_every_kind_of_character_is_stored(
    poller: Shop, pipeline: Pipeline
) -> None:
    await pipeline.place()
    token = new_id()
    leased = await poller.post(LEASES, json=lease_json(lease_token=token))
    (delivery,) = leased.json()["deliveries"]
    error = "\x00\u202e\u200b😀'\"\\%s" * 8
    body = {"results": [result_json(delivery_id=delivery["id"], outcome="retry", error=error)]}
    assert (await poller.post(results_of(token), json=body)).json()["results"] == [
        {"delivery_id": delivery["id"], "result": "applied"}
    ]
    assert (await pipeline.delivery(delivery["id"]))["last_error"] == error
