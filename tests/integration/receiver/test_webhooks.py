"""Receiving: each event is stored once, whatever the sender repeats."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest
from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import order_ready, signed, webhook_id_of
from support.receiver.server import Receiver, counted, opened_receiver, receiver_settings
from support.security_log import security_log
from support.stores.servers import RedisServer, valkey
from support.waiting import until
from swapshop_kit.ids import new_id
from swapshop_kit.problems import OutcomeUnknown
from swapshop_kit.redis import Circuit, create_redis
from swapshop_receiver.events import OrderReady
from swapshop_receiver.notifications.models import notifications
from swapshop_receiver.notifications.wake_ups import WakeUps
from swapshop_receiver.webhooks import store
from swapshop_receiver.webhooks.domain import store_once

CLOSED_PORT = 9


async def rows_of(receiver: Receiver, user_id: str) -> list[RowMapping]:
    async def read(connection: AsyncConnection) -> list[RowMapping]:
        query = select(notifications).where(notifications.c.user_id == user_id)
        return list((await connection.execute(query)).mappings())

    return await receiver.container.database.read(read)


def stored_count(result: str) -> float:
    return counted("swapshop_notifications_stored", result, event_type="ORDER_READY")


async def test_an_event_is_stored_with_its_exact_bytes(receiver: Receiver) -> None:
    event, before = order_ready(), stored_count("stored")
    body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
    answer = await receiver.send_raw(body, "any-Standard_id")
    assert (answer.status_code, answer.json()) == (200, {"stored": True})
    [row] = await rows_of(receiver, event["user_id"])
    assert (row["webhook_id"], row["order_id"]) == ("any-Standard_id", event["order_id"])
    assert (row["payload"], row["read_at"]) == (body, None)
    assert row["content_sha256"] == hashlib.sha256(body).digest()
    assert stored_count("stored") == before + 1


async def test_a_webhook_with_a_wrong_signature_is_a_security_event(receiver: Receiver) -> None:
    body = orjson.dumps(order_ready())
    with security_log() as events:
        answer = await receiver.client.post(
            "/webhooks/order-ready", content=body, headers=signed(body + b" ", "any-id")
        )
    assert answer.status_code == 401
    assert events == [
        {
            "event": "webhook",
            "outcome": "refused",
            "reason": "signature_invalid",
            "address": "127.0.0.1",
            "route": "/webhooks/order-ready",
        }
    ]


async def test_twenty_at_once_store_one_row_and_all_answer_200(receiver: Receiver) -> None:
    event = order_ready()
    answers = await asyncio.gather(*(receiver.send(event) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sorted(answer.json()["stored"] for answer in answers) == [False] * 19 + [True]
    assert len(await rows_of(receiver, event["user_id"])) == 1


async def test_the_first_bytes_stay_when_a_repetition_words_them_otherwise(
    receiver: Receiver,
) -> None:
    event, before = order_ready(), stored_count("duplicate")
    await receiver.send(event)
    answer = await receiver.send(event | {"color": "rojo", "cliente": "Otra"})
    assert (answer.status_code, answer.json()) == (200, {"stored": False})
    [row] = await rows_of(receiver, event["user_id"])
    assert row["payload"] == orjson.dumps(event)
    assert stored_count("duplicate") == before + 1


async def test_the_same_event_under_another_webhook_id_is_there_already(
    receiver: Receiver,
) -> None:
    event = order_ready()
    await receiver.send(event)
    answer = await receiver.send(event, webhook_id=f"again-{new_id()}")
    assert (answer.status_code, answer.json()) == (200, {"stored": False})
    assert len(await rows_of(receiver, event["user_id"])) == 1


@pytest.mark.parametrize(
    ("changes", "is_same_id"),
    [
        ({"total": 25.51}, True),
        ({"user_id": new_id()}, True),
        ({"order_id": new_id()}, True),
        ({"total": 25.51}, False),
        ({"user_id": new_id()}, False),
    ],
)
async def test_a_key_that_belongs_to_another_event_is_a_conflict(
    receiver: Receiver, changes: dict[str, Any], is_same_id: bool
) -> None:
    event, before = order_ready(), stored_count("conflict")
    await receiver.send(event)
    id_ = webhook_id_of(event) if is_same_id else f"other-{new_id()}"
    answer = await receiver.send(event | changes, webhook_id=id_)
    assert (answer.status_code, answer.json()["code"]) == (409, "notification_conflict")
    [row] = await rows_of(receiver, event["user_id"])
    assert row["payload"] == orjson.dumps(event)
    assert stored_count("conflict") == before + 1


async def test_each_key_belonging_to_a_different_event_is_a_conflict(receiver: Receiver) -> None:
    first, second = order_ready(), order_ready()
    await receiver.send(first)
    await receiver.send(second)
    answer = await receiver.send(first, webhook_id=webhook_id_of(second))
    assert answer.status_code == 409


@pytest.mark.parametrize("language", ["es", "en"])
async def test_every_bad_signature_is_answered_by_one_body(
    receiver: Receiver, language: str
) -> None:
    body = orjson.dumps(order_ready())
    good = signed(body, "order-ready_9")
    answers = [
        await receiver.client.post(
            "/webhooks/order-ready",
            content=content,
            headers=headers | {"Accept-Language": language},
        )
        for content, headers in (
            (body, {}),
            (body + b" ", good),
            (b"not json", good),
            (body, good | {"webhook-id": "order-ready_8"}),
            (body, signed(body, "order-ready_9", seconds_off=-301)),
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    [problem] = {answer.content for answer in answers}
    title = {"es": "Firma no válida", "en": "Invalid signature"}[language]
    assert orjson.loads(problem)["title"] == title


async def test_a_signed_body_that_is_no_event_is_422(receiver: Receiver) -> None:
    event = order_ready()
    answer = await receiver.send(event | {"lines": []})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["lines"]
    assert (await receiver.send_raw(b'{"a":1,"a":2}', "x")).status_code == 422
    assert await rows_of(receiver, event["user_id"]) == []


async def test_a_body_has_at_most_1_mib(receiver: Receiver) -> None:
    event = order_ready()
    largest = orjson.dumps(event).ljust(1024 * 1024)

    async def chunks() -> AsyncGenerator[bytes]:
        yield largest
        yield b" "

    assert (await receiver.send_raw(largest + b" ", "x")).status_code == 413
    answer = await receiver.client.post(
        "/webhooks/order-ready", content=chunks(), headers=signed(largest + b" ")
    )
    assert answer.status_code == 413
    assert (await receiver.send_raw(largest, webhook_id_of(event))).status_code == 200


async def test_without_a_database_the_sender_is_told_to_come_again(
    valkey_server: RedisServer,
) -> None:
    url = f"mysql+asyncmy://nobody:nothing@127.0.0.1:{CLOSED_PORT}/none"
    async with opened_receiver(receiver_settings(url, valkey_server.url)) as receiver:
        answer = await receiver.send(order_ready())
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"] == "2"


async def test_without_redis_an_event_is_stored_all_the_same(sqlite_url: str) -> None:
    url = f"redis://127.0.0.1:{CLOSED_PORT}/0"
    redis = create_redis(url)
    async with opened_receiver(receiver_settings(sqlite_url, url)) as receiver:
        # on a clock that stands still: the circuit stays open, however long the second one takes
        receiver.container.webhooks.wake_ups = WakeUps(redis, Circuit(lambda: 0.0))
        failed = counted("swapshop_notifications_published", "failed")
        skipped = counted("swapshop_notifications_published", "skipped")
        await receiver.notify(new_id(), 2)
        assert counted("swapshop_notifications_published", "failed") == failed + 1
        assert counted("swapshop_notifications_published", "skipped") == skipped + 1
    await redis.aclose()


async def test_a_redis_that_hangs_delays_nobody_for_long(sqlite_url: str) -> None:
    with valkey() as server:
        async with opened_receiver(receiver_settings(sqlite_url, server.url)) as receiver:
            await receiver.notify(new_id())
            with server.paused():
                async with asyncio.timeout(10):
                    await receiver.notify(new_id(), 5)


async def test_an_insert_that_waits_too_long_is_never_committed(receiver: Receiver) -> None:
    database, body = receiver.container.database, orjson.dumps(order_ready())
    event, is_held, release = OrderReady.from_json(body), asyncio.Event(), asyncio.Event()

    async def hold(connection: AsyncConnection) -> None:
        await store.insert_notification(connection, "held", event, body, bytes(32))
        is_held.set()
        await release.wait()
        await connection.rollback()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(database.transaction(hold))
        await is_held.wait()
        with pytest.raises(OutcomeUnknown):
            await store_once(database, "held", event, body, insert_seconds=0.2)
        release.set()
    assert await rows_of(receiver, event.user_id) == []
    assert await store_once(database, "held", event, body)


async def test_a_wake_up_is_published_after_the_commit(receiver: Receiver) -> None:
    event = order_ready()
    subscription = receiver.container.hub.subscribe(event["user_id"])
    await until(lambda: receiver.container.hub.is_listening)
    subscription.take()
    await receiver.send(event)
    await until(subscription.take)
    assert len(await rows_of(receiver, event["user_id"])) == 1
    receiver.container.hub.unsubscribe(subscription)
