"""What operators see of deliveries and of the pipeline, over HTTP, and the redrive."""

from datetime import timedelta

import pytest

from support.api.client import Shop, code_of
from support.api.dispatch import OPERATOR, Pipeline, past, result
from swapshop_api.dispatch.models import READY, deliveries
from swapshop_api.orders.models import orders
from swapshop_kit.times import to_rfc3339

UNKNOWN = "018f0000-0000-7000-8000-00000000000a"
PATHS = ("/api/deliveries", f"/api/deliveries/{UNKNOWN}", "/api/pipeline", "/api/audit")

without_database = pytest.mark.parametrize("stores", ["sqlite-valkey"], indirect=True)
"""Refused before the database is asked, so one pair of stores is enough."""


async def test_only_operators_are_let_in(customer: Shop, pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    for path in PATHS:
        assert code_of(await customer.get(path)) == (403, "forbidden")
    refused = await customer.post(f"/api/deliveries/{id_}/redrive")
    assert code_of(refused) == (403, "forbidden")
    del customer.headers["Authorization"]
    for path in PATHS:
        assert code_of(await customer.get(path)) == (401, "unauthenticated")
    refused = await customer.post(f"/api/deliveries/{id_}/redrive")
    assert code_of(refused) == (401, "unauthenticated")


async def test_a_poller_is_no_operator(poller: Shop) -> None:
    for path in PATHS:
        assert code_of(await poller.get(path)) == (401, "unauthenticated")


# --- lists ---


async def test_deliveries_are_listed_newest_first_page_by_page(
    staff: Shop, pipeline: Pipeline
) -> None:
    ids = await pipeline.ready(7)
    claim = await pipeline.lease(limit=4)
    await pipeline.report(claim.token, *map(result, claim.ids[:3]))
    newest_first = ids[::-1]
    states = dict(zip(ids, await pipeline.states(*ids), strict=True))

    pages = await staff.pages("/api/deliveries", limit=3)
    assert [[each["id"] for each in page] for page in pages] == [
        newest_first[:3],
        newest_first[3:6],
        newest_first[6:],
    ]
    for state in ("READY", "LEASED", "DONE", "DEAD"):
        pages = await staff.pages("/api/deliveries", state=state, limit=2)
        found = [each["id"] for page in pages for each in page]
        assert found == [id_ for id_ in newest_first if states[id_] == state]
        assert all(len(page) == 2 for page in pages[:-1])


async def test_an_empty_list(staff: Shop) -> None:
    answer = await staff.get("/api/deliveries")
    assert answer.json() == {"items": [], "next_cursor": None}


async def test_a_delivery_that_comes_meanwhile_does_not_move_a_page(
    staff: Shop, pipeline: Pipeline
) -> None:
    ids = await pipeline.ready(3)
    first = (await staff.get("/api/deliveries", params={"limit": 2})).json()
    await pipeline.ready(2)
    query = {"limit": 2, "cursor": first["next_cursor"]}
    rest = (await staff.get("/api/deliveries", params=query)).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None


@without_database
@pytest.mark.parametrize(
    "query",
    [
        {"state": "PENDING"},
        {"state": "ready"},
        {"state": ""},
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"cursor": ""},
        {"cursor": "garbage"},
        {"cursor": "MS4x"},
        {"cursor": "A" * 201},
    ],
)
async def test_a_query_of_another_form_is_refused(staff: Shop, query: dict[str, str]) -> None:
    refused = await staff.get("/api/deliveries", params=query)
    assert code_of(refused) == (422, "invalid_request")
    assert [error["field"] for error in refused.json()["errors"]] == list(query)


# --- one ---


async def test_a_delivery_is_shown_with_its_attempts(staff: Shop, pipeline: Pipeline) -> None:
    (order_id,) = await pipeline.place()
    first = await pipeline.lease()
    (id_,) = first.ids
    await pipeline.report(first.token, result(id_, "retry", status=500, error="HTTP 500"))
    await pipeline.make_due(id_)
    await pipeline.lease()
    row = await pipeline.delivery(id_)
    shown = (await staff.get(f"/api/deliveries/{id_}")).json()
    log = shown.pop("attempt_log")
    assert shown == {
        "id": id_,
        "webhook_id": f"order-ready_{order_id}",
        "order_id": order_id,
        "event_type": "ORDER_READY",
        "state": "LEASED",
        "created_at": to_rfc3339(row["created_at"]),
        "next_attempt_at": to_rfc3339(row["next_attempt_at"]),
        "lease_until": to_rfc3339(row["lease_until"]),
        "attempts": 1,
        "aways": 0,
        "last_status": 500,
        "last_error": "HTTP 500",
        "done_at": None,
    }
    assert [(each["outcome"], each["status"], each["error"]) for each in log] == [
        ("retry", 500, "HTTP 500"),
        (None, None, None),
    ]
    assert log[0]["claimed_at"] <= log[0]["reported_at"] <= log[1]["claimed_at"]
    assert log[1]["reported_at"] is None


@pytest.mark.parametrize("id_", [UNKNOWN, UNKNOWN.upper(), UNKNOWN.replace("-", ""), "x", "%00"])
async def test_an_unknown_delivery_is_not_found(staff: Shop, id_: str) -> None:
    assert code_of(await staff.get(f"/api/deliveries/{id_}")) == (404, "delivery_not_found")
    refused = await staff.post(f"/api/deliveries/{id_}/redrive")
    assert code_of(refused) == (404, "delivery_not_found")


async def test_a_redrive_answers_the_delivery_as_it_is_now(staff: Shop, pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    under_way = await staff.post(f"/api/deliveries/{id_}/redrive")
    assert code_of(under_way) == (409, "not_redrivable")
    await pipeline.report(claim.token, result(id_, "rejected", status=409))
    answer = await staff.post(f"/api/deliveries/{id_}/redrive")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["attempts"]) == ("READY", 0)
    assert len(answer.json()["attempt_log"]) == 1
    assert (await pipeline.audited())[-1] == (OPERATOR, "delivery.redriven", id_, "DEAD")
    assert (await pipeline.lease()).ids == [id_]


# --- the pipeline ---


async def test_an_empty_pipeline(staff: Shop) -> None:
    assert (await staff.get("/api/pipeline")).json() == {
        "pending": 0,
        "blocked": 0,
        "ready": 0,
        "in_flight": 0,
        "dead": 0,
        "oldest_age_seconds": None,
    }


async def test_the_pipeline_counts_where_orders_stand(staff: Shop, pipeline: Pipeline) -> None:
    (blocked,) = await pipeline.place()
    await pipeline.break_order(blocked)
    await pipeline.ready(6)
    claim = await pipeline.lease(limit=5)
    await pipeline.report(
        claim.token,
        result(claim.ids[0]),
        result(claim.ids[1], "rejected", status=409),
        result(claim.ids[2], "away"),
    )
    await pipeline.place(3)
    figures = (await staff.get("/api/pipeline")).json()
    assert figures.pop("oldest_age_seconds") == pytest.approx(15, abs=15)
    # ready: the sixth order, the one that is away, and the operators' notice of the blocked order
    assert figures == {"pending": 3, "blocked": 1, "ready": 3, "in_flight": 2, "dead": 1}


async def test_the_oldest_age_is_of_an_order_that_is_not_notified_and_not_given_up(
    staff: Shop, pipeline: Pipeline
) -> None:
    dead, done, waiting = await pipeline.ready(3)
    claim = await pipeline.lease()
    await pipeline.report(
        claim.token,
        result(dead, "rejected", status=409),
        result(done),
        result(waiting, "released"),
    )
    order_of = {row["id"]: row["order_id"] for row in await pipeline.rows(deliveries)}
    for id_, age in ((dead, 5000), (done, 4000), (waiting, 3000)):
        await pipeline.change(orders, orders.c.id == order_of[id_], created_at=past(age))
    (pending,) = await pipeline.place()
    for age, oldest in ((60, 3000), (3500, 3500)):
        await pipeline.change(orders, orders.c.id == pending, created_at=past(age))
        shown = (await staff.get("/api/pipeline")).json()["oldest_age_seconds"]
        assert timedelta(seconds=shown) == pytest.approx(
            timedelta(seconds=oldest), abs=timedelta(seconds=15)
        )
    assert await pipeline.count(deliveries, deliveries.c.state == READY) == 1
