"""Reading one order and its life: whose it is, how it was served, and only by its true id."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from support.api.client import Shop, code_of
from support.api.orders import Json, insert_orders, line_json, order_json
from support.stores.redis_keys import forget_all
from swapshop_api.container import Container
from swapshop_api.dispatch.schemas import LeaseIn, ResultIn
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id


async def test_a_customer_reads_its_own_and_nobody_elses(ana: Shop, berta: Shop) -> None:
    order_id = (await ana.placed())["id"]
    assert (await ana.read(order_id)).headers["X-Cache"] == "HIT"

    answers = [
        await berta.read(order_id),  # from the cache
        await berta.get(f"/api/orders/{order_id}/timeline"),
        await berta.read(new_id()),
        await berta.get(f"/api/orders/{new_id()}/timeline"),
    ]

    assert {code_of(answer) for answer in answers} == {(404, "order_not_found")}
    assert len({answer.content for answer in answers}) == 1


async def test_another_customers_order_is_not_served_from_the_database_either(
    ana: Shop, berta: Shop, redis: Redis
) -> None:
    order_id = (await ana.placed())["id"]
    await forget_all(redis)

    assert code_of(await berta.read(order_id)) == (404, "order_not_found")
    # and what that read has cached is still not Berta's
    assert code_of(await berta.read(order_id)) == (404, "order_not_found")
    assert (await ana.read(order_id)).headers["X-Cache"] == "HIT"


async def test_an_operator_reads_every_order(ana: Shop, staff: Shop, redis: Redis) -> None:
    created = await ana.placed()

    hit = await staff.read(created["id"])
    await forget_all(redis)
    miss = await staff.read(created["id"])

    assert (hit.headers["X-Cache"], hit.json()) == ("HIT", created)
    assert (miss.headers["X-Cache"], miss.json()) == ("MISS", created)


async def test_the_answer_tells_how_it_was_read(ana: Shop, redis: Redis) -> None:
    created = await ana.placed()
    order_id = created["id"]
    await forget_all(redis)

    served: list[tuple[str, Json]] = []
    for _ in range(2):
        answer = await ana.read(order_id)
        served.append((answer.headers["X-Cache"], answer.json()))
    await redis.set(f"order:{{{order_id}}}:dirty", "another writer's", px=10_000)
    await redis.delete(f"order:{{{order_id}}}:value")
    for _ in range(2):
        answer = await ana.read(order_id)
        served.append((answer.headers["X-Cache"], answer.json()))

    assert served == [(how, created) for how in ("MISS", "HIT", "BYPASS", "BYPASS")]


_SPOILT: list[Callable[[str], str]] = [
    str.upper,
    lambda id_: id_.replace("-", ""),
    lambda id_: f"{{{id_}}}",
    lambda id_: f"urn:uuid:{id_}",
    lambda id_: f"{id_}%20",
    lambda id_: f"{id_}%0A",
    lambda id_: f"{id_[:-1]}%EF%BC%91",
    lambda id_: id_[:-1],
    lambda id_: f"{id_}0",
    lambda _: "1",
    lambda _: "x" * 5000,
]


@pytest.mark.parametrize("spoil", _SPOILT)
async def test_an_id_in_any_other_form_is_not_found(
    ana: Shop, staff: Shop, spoil: Callable[[str], str]
) -> None:
    spoiled = spoil((await ana.placed())["id"])

    answers = [
        await ana.read(spoiled),
        await ana.get(f"/api/orders/{spoiled}/timeline"),
        await staff.mark_processed(spoiled),
    ]

    assert {code_of(answer) for answer in answers} == {(404, "order_not_found")}


async def test_a_new_orders_life_has_one_event(ana: Shop) -> None:
    created = await ana.placed()

    timeline = await ana.get(f"/api/orders/{created['id']}/timeline")

    assert timeline.json() == {"items": [event("created", created["created_at"])]}


def event(
    name: str,
    at: str,
    outcome: str | None = None,
    status: int | None = None,
    error: str | None = None,
) -> Json:
    return {"at": at, "event": name, "outcome": outcome, "status": status, "error": error}


async def attempt(container: Container, **result: Any) -> str:
    """A poller leases the only delivery, reports a result of it if there is one, returns its id."""
    token = new_id()
    leased = await container.dispatch.lease(
        "poller", LeaseIn(lease_token=token, limit=10, lease_seconds=60)
    )
    [delivery] = leased.deliveries
    if result:
        await container.dispatch.report(token, [ResultIn(delivery_id=delivery.id, **result)])
    return delivery.id


async def test_an_orders_life_is_told_from_creation_to_notification(
    ana: Shop, staff: Shop, container: Container
) -> None:
    order_id = (await ana.placed())["id"]
    url = f"/api/orders/{order_id}/timeline"
    delivery_id = await attempt(container, outcome="rejected", status=409, error="<html>")
    failed = (await ana.get(url)).json()["items"]
    await staff.post(f"/api/deliveries/{delivery_id}/redrive")
    await attempt(container, outcome="delivered", status=200)

    processed = (await ana.read(order_id)).json()
    of_the_customer = (await ana.get(url)).json()["items"]
    of_an_operator = (await staff.get(url)).json()["items"]

    times = [step["at"] for step in of_the_customer]
    assert times == sorted(times)
    assert of_the_customer == [
        event("created", processed["created_at"]),
        event("processed", processed["processed_at"]),
        event("attempt", times[2], "rejected", 409),
        event("attempt", times[3], "delivered", 200),
        event("notified", times[4]),
    ]
    assert of_an_operator[2] == event("attempt", times[2], "rejected", 409, "<html>")
    assert failed == of_the_customer[:3]


async def test_an_attempt_without_a_report_has_no_outcome_yet(
    ana: Shop, container: Container
) -> None:
    order_id = (await ana.placed())["id"]
    await attempt(container)

    steps = (await ana.get(f"/api/orders/{order_id}/timeline")).json()["items"]

    assert [step["event"] for step in steps] == ["created", "processed", "attempt"]
    assert steps[2] == event("attempt", steps[2]["at"])


async def test_an_order_is_read_with_all_its_lines_in_their_order(ana: Shop, redis: Redis) -> None:
    created = await ana.placed(order_json(*[line_json(producto=f"p{n}") for n in range(100)]))
    await forget_all(redis)

    read = await ana.read(created["id"])

    assert [line["producto"] for line in read.json()["items"]] == [f"p{n}" for n in range(100)]


async def test_an_order_inserted_by_hand_is_read_like_any_other(
    staff: Shop, database: Database
) -> None:
    [order_id] = await insert_orders(database, [{}])

    answer = await staff.read(order_id)

    assert answer.headers["X-Cache"] == "MISS"
    assert answer.json()["created_at"] == "2026-01-02T03:04:05.000006Z"
