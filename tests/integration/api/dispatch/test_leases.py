"""A lease call: what it promotes, freezes and claims, and what it claims when it is repeated."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.dispatch import CUSTOMER, OPERATOR, POLLER, Pipeline, order_in, past, result
from support.stores.redis_keys import names_in
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.models import orders
from swapshop_kit.access_tokens import Claims
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id
from swapshop_kit.problems import OutcomeUnknown
from swapshop_kit.times import to_rfc3339

Value = TypeVar("Value")

ANA = Claims(
    iss="swapshop", aud="swapshop", sub=CUSTOMER, exp=2**40, iat=0, jti="1", rol="customer"
)


async def test_nothing_is_due(pipeline: Pipeline) -> None:
    claim = await pipeline.lease()
    assert claim.deliveries == []
    assert [row["client"] for row in await pipeline.rows(leases)] == [POLLER]


async def test_the_oldest_orders_are_promoted_first(pipeline: Pipeline) -> None:
    ids = await pipeline.place(5)
    await pipeline.change(orders, orders.c.id == ids[3], created_at=past(60))
    await pipeline.lease(limit=2)
    promoted = {row["id"] for row in await pipeline.rows(orders) if row["estado"] == "PROCESSED"}
    assert promoted == {ids[3], ids[0]}


async def test_what_is_longest_due_is_claimed_first(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(5)
    await pipeline.change(deliveries, deliveries.c.id == ids[4], next_attempt_at=past(60))
    assert (await pipeline.lease(limit=2)).ids == [ids[4], ids[0]]


async def test_the_event_is_the_one_of_the_design(pipeline: Pipeline) -> None:
    ids = await pipeline.place(1, order_in("Ana Muñoz", "rojo", "rojo"))
    ids += await pipeline.place(1, order_in("Ana Muñoz", "rojo", None))
    claim = await pipeline.lease()
    rows = {row["id"]: row for row in await pipeline.rows(orders)}
    events = [json.loads(base64.b64decode(each.body)) for each in claim.deliveries]
    assert events == [
        {
            "evento": "ORDER_READY",
            "order_id": id_,
            "user_id": CUSTOMER,
            "cliente": "Ana Muñoz",
            "total": 39.8,
            "color": color,
            "created_at": to_rfc3339(rows[id_]["created_at"]),
            "processed_at": to_rfc3339(rows[id_]["processed_at"]),
        }
        for id_, color in zip(ids, ["rojo", None], strict=True)
    ]


async def test_the_body_is_what_the_delivery_holds_at_every_attempt(pipeline: Pipeline) -> None:
    await pipeline.place()
    first = await pipeline.lease()
    stored = (await pipeline.delivery(first.ids[0]))["payload"]
    assert base64.b64decode(first.deliveries[0].body) == stored
    await pipeline.report(first.token, result(first.ids[0], "released"))
    await pipeline.change(orders, orders.c.estado == "PROCESSED", cliente="Otra")
    assert (await pipeline.lease()).deliveries == first.deliveries


async def test_a_claim_is_written_to_the_delivery_and_to_its_attempts(pipeline: Pipeline) -> None:
    (order_id,) = await pipeline.place()
    claim = await pipeline.lease(seconds=60)
    (row,) = await pipeline.rows(deliveries)
    assert {
        name: row[name] for name in ("order_id", "webhook_id", "event_type", "state", "lease_token")
    } == {
        "order_id": order_id,
        "webhook_id": f"order-ready_{order_id}",
        "event_type": "ORDER_READY",
        "state": "LEASED",
        "lease_token": claim.token,
    }
    assert (row["unreported_claims"], row["attempts"], row["aways"]) == (0, 0, 0)
    (attempt,) = await pipeline.rows(delivery_attempts)
    assert (attempt["delivery_id"], attempt["lease_token"]) == (row["id"], claim.token)
    assert attempt["reported_at"] is attempt["outcome"] is None
    assert timedelta(0) <= attempt["claimed_at"] - row["created_at"] < timedelta(seconds=30)


@pytest.mark.parametrize("seconds", [20, 300])
async def test_the_remaining_time_is_never_more_than_the_lease_has(
    pipeline: Pipeline, seconds: int
) -> None:
    await pipeline.place()
    claim = await pipeline.lease(seconds=seconds)
    (row,) = await pipeline.rows(deliveries)
    (lease,) = await pipeline.rows(leases)
    assert (seconds - 15) * 1000 < claim.remaining_ms <= seconds * 1000
    assert lease["expires_at"] - lease["created_at"] == pytest.approx(
        timedelta(seconds=seconds), abs=timedelta(milliseconds=100)
    )
    assert row["lease_until"] >= lease["expires_at"]


async def test_the_remaining_time_is_without_what_the_call_took(
    pipeline: Pipeline, database: Database, cache: OrderCache
) -> None:
    seconds = iter([100.0, 107.5])
    slow = Pipeline(
        database,
        pipeline.orders,
        Dispatch(database, cache, clock=seconds.__next__),
        pipeline.deliveries,
    )
    await pipeline.place()
    assert (await slow.lease(seconds=60)).remaining_ms == 52_500


async def test_a_leased_delivery_is_nobody_elses(pipeline: Pipeline) -> None:
    await pipeline.place(2)
    assert len((await pipeline.lease()).ids) == 2
    assert (await pipeline.lease()).ids == []


async def test_an_expired_lease_is_claimed_by_the_next(pipeline: Pipeline) -> None:
    await pipeline.place(2)
    first = await pipeline.lease()
    await pipeline.expire(first.token)
    second = await pipeline.lease()
    assert second.ids == first.ids
    assert {row["lease_token"] for row in await pipeline.rows(deliveries)} == {second.token}


async def test_a_delivery_that_is_not_due_is_left_alone(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    await pipeline.change(deliveries, deliveries.c.id == id_, next_attempt_at=past(-60))
    assert (await pipeline.lease()).ids == []


# --- a lease token that comes again ---


async def test_a_lost_lease_answer_returns_the_same_rows(
    pipeline: Pipeline, database: Database, cache: OrderCache
) -> None:
    # The api subtracts the time that its own answer took, which differs between the two calls.
    instant = Dispatch(database, cache, clock=lambda: 0.0)
    pipeline = Pipeline(database, pipeline.orders, instant, pipeline.deliveries)
    await pipeline.place(3)
    first = await pipeline.lease(limit=2)
    again = await pipeline.lease(first.token, limit=2)
    assert sorted(again.ids) == sorted(first.ids)
    assert sorted(d.body for d in again.deliveries) == sorted(d.body for d in first.deliveries)
    assert again.remaining_ms <= first.remaining_ms
    assert await pipeline.count(delivery_attempts) == 2


async def test_a_repeated_token_never_claims_more(pipeline: Pipeline) -> None:
    first = await pipeline.lease()
    ids = await pipeline.place(3)
    again = await pipeline.lease(first.token)
    assert again.ids == []
    assert {row["estado"] for row in await pipeline.rows(orders) if row["id"] in ids} == {"PENDING"}


async def test_a_repeated_token_returns_only_what_is_not_reported(pipeline: Pipeline) -> None:
    await pipeline.place(3)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(claim.ids[0]))
    assert sorted((await pipeline.lease(claim.token)).ids) == sorted(claim.ids[1:])
    await pipeline.report(
        claim.token, result(claim.ids[1], "released"), result(claim.ids[2], "away")
    )
    assert (await pipeline.lease(claim.token)).ids == []


async def test_a_repeated_token_returns_nothing_that_another_has_claimed(
    pipeline: Pipeline,
) -> None:
    await pipeline.place(3)
    first = await pipeline.lease()
    await pipeline.expire(first.token)
    second = await pipeline.lease(limit=2)
    still_its_own = set(first.ids) - set(second.ids)
    assert set((await pipeline.lease(first.token)).ids) == still_its_own
    assert len(still_its_own) == 1


async def test_a_token_repeated_after_its_time_has_none_left(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    await pipeline.change(leases, leases.c.token == claim.token, expires_at=past(5))
    again = await pipeline.lease(claim.token)
    assert (again.remaining_ms, again.ids) == (0, claim.ids)


async def test_calls_with_one_token_at_once_claim_once(pipeline: Pipeline) -> None:
    await pipeline.place(4)
    token = new_id()
    claims = await asyncio.gather(*(pipeline.lease(token, limit=2) for _ in range(5)))
    assert len({tuple(sorted(claim.ids)) for claim in claims}) == 1
    assert await pipeline.count(delivery_attempts) == 2
    assert await pipeline.count(leases) == 1


# --- what promotion does on the way ---


async def test_an_order_marked_processed_is_delivered_like_any_other(pipeline: Pipeline) -> None:
    (by_operator, by_lease) = await pipeline.place(2)
    marked = await pipeline.deliveries.mark_processed(OPERATOR, by_operator)
    claim = await pipeline.lease()
    events = [json.loads(base64.b64decode(each.body)) for each in claim.deliveries]
    assert [event["order_id"] for event in events] == [by_operator, by_lease]
    assert marked.processed_at is not None
    assert events[0]["processed_at"] == to_rfc3339(marked.processed_at)
    assert events[0].keys() == events[1].keys()
    assert await pipeline.report(claim.token, *map(result, claim.ids)) == ["applied"] * 2
    assert await pipeline.states() == ["DONE", "DONE"]


async def test_a_blocked_order_never_stops_the_others(pipeline: Pipeline) -> None:
    ids = await pipeline.place(3)
    await pipeline.break_order(ids[0])
    claims = [await pipeline.lease(limit=1) for _ in ids]
    events = [json.loads(base64.b64decode(d.body)) for claim in claims for d in claim.deliveries]
    assert [(event["evento"], event["order_id"]) for event in events] == [
        ("ORDER_BLOCKED", ids[0]),
        ("ORDER_READY", ids[1]),
        ("ORDER_READY", ids[2]),
    ]
    blocked = await pipeline.row(orders, ids[0])
    assert blocked["estado"] == "PENDING"
    assert blocked["blocked_at"] is not None


async def test_a_blocked_order_is_audited_once(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.place()
    await pipeline.break_order(id_)
    assert [len((await pipeline.lease()).ids) for _ in range(3)] == [1, 0, 0]
    assert [row["event_type"] for row in await pipeline.rows(deliveries)] == ["ORDER_BLOCKED"]
    assert await pipeline.audited() == [
        ("system", "order.blocked", id_, "the total is not the sum of the lines")
    ]


async def test_an_order_that_has_its_delivery_only_becomes_processed(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.place()
    claim = await pipeline.lease()
    before = await pipeline.rows(deliveries)
    await pipeline.change(orders, orders.c.id == id_, estado="PENDING", processed_at=None)
    assert (await pipeline.lease()).ids == []
    assert (await pipeline.row(orders, id_))["estado"] == "PROCESSED"
    assert await pipeline.rows(deliveries) == before
    assert await pipeline.outcomes(claim.token) == {before[0]["id"]: None}


async def test_a_read_after_the_lease_never_shows_a_promoted_order_pending(
    pipeline: Pipeline, cache: OrderCache
) -> None:
    ids = await pipeline.place(3)
    for id_ in ids:
        assert b'"PENDING"' in (await pipeline.orders.get(ANA, id_)).body
    await pipeline.lease()
    for id_ in ids:
        found = await pipeline.orders.get(ANA, id_)
        assert (b'"PROCESSED"' in found.body, found.cache) == (True, "MISS")
    lookup = await cache.read(ids[0])
    assert lookup.result == "hit"


class UnknownOutcomes(Database):
    """A database whose every COMMIT arrives, and whose answer to it is lost."""

    async def transaction(
        self,
        work: Callable[[AsyncConnection], Awaitable[Value]],
        *,
        retry_lock_timeout: bool = True,
    ) -> Value:
        await super().transaction(work, retry_lock_timeout=retry_lock_timeout)
        raise OutcomeUnknown


async def test_orders_are_cached_again_after_a_lease_whose_outcome_is_unknown(
    pipeline: Pipeline, database: Database, cache: OrderCache, redis: Redis
) -> None:
    (id_,) = await pipeline.place()
    unknown = Pipeline(
        database,
        pipeline.orders,
        Dispatch(UnknownOutcomes(database.engine), cache),
        pipeline.deliveries,
    )

    with pytest.raises(OutcomeUnknown):
        await unknown.lease()

    assert await names_in(redis) == []
    served = [await pipeline.orders.get(ANA, id_) for _ in range(2)]
    assert [found.cache for found in served] == ["MISS", "HIT"]
    assert b'"PROCESSED"' in served[1].body
