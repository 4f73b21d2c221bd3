"""Showing: one's own notifications alone, page by page, unread and read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import order_ready, webhook_id_of
from support.receiver.inboxes import store_ready
from support.receiver.server import Receiver
from support.security_log import security_log
from support.stores.statements import explanation
from swapshop_kit.cursors import Cursor
from swapshop_kit.ids import new_id
from swapshop_receiver.notifications import store

AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


async def put(receiver: Receiver, user_id: str, count: int, at: datetime = AT) -> list[str]:
    """Store notifications that were received at one moment; return their ids in order."""
    events = [order_ready(user_id=user_id) for _ in range(count)]
    await store_ready(receiver, events, at)
    return sorted(webhook_id_of(event) for event in events)


async def test_an_item_tells_the_event_and_when_it_came(receiver: Receiver) -> None:
    user = new_id()
    [id_] = await put(receiver, user, 1)
    page = await receiver.listed(user)
    [item] = page["items"]
    payload = order_ready(user_id=user, order_id=id_.removeprefix("order-ready_"))
    assert item == {
        "id": id_,
        "evento": "ORDER_READY",
        "order_id": payload["order_id"],
        "cliente": "Lucía Gómez",
        "total": 25.5,
        "color": "azul",
        "payload": payload,
        "received_at": "2026-01-02T03:04:05.000006Z",
        "read_at": None,
    }
    assert (page["next_cursor"], page["unread"]) == (None, 1)


async def test_a_whole_second_has_its_six_digits_too(receiver: Receiver) -> None:
    user = new_id()
    await put(receiver, user, 1, at=AT.replace(microsecond=0))
    [item] = (await receiver.listed(user))["items"]
    assert item["received_at"] == "2026-01-02T03:04:05.000000Z"


async def test_pages_of_equal_times_hold_each_notification_once(receiver: Receiver) -> None:
    user = new_id()
    ids = await put(receiver, user, 25)
    seen, cursor, pages = list[str](), None, 0
    while pages == 0 or cursor:
        params = {"limit": 10} | ({"cursor": cursor} if cursor else {})
        page = await receiver.listed(user, **params)
        seen += [item["id"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (seen, pages) == (ids[::-1], 3)


async def test_a_full_last_page_has_no_next(receiver: Receiver) -> None:
    user = new_id()
    await put(receiver, user, 10)
    assert (await receiver.listed(user, limit=10))["next_cursor"] is None


async def test_the_newest_comes_first(receiver: Receiver) -> None:
    user = new_id()
    orders = await receiver.notify(user, 3)
    page = await receiver.listed(user)
    assert [item["order_id"] for item in page["items"]] == orders[::-1]


async def test_the_unread_are_counted_and_filtered(receiver: Receiver) -> None:
    user = new_id()
    ids = await put(receiver, user, 5)
    for id_ in ids[:2]:
        assert (await receiver.post(f"/api/notifications/{id_}/read", user)).status_code == 200
    page = await receiver.listed(user, unread="true", limit=2)
    assert [item["id"] for item in page["items"]] == [ids[4], ids[3]]
    assert page["unread"] == 3
    page = await receiver.listed(user, unread="true", limit=2, cursor=page["next_cursor"])
    assert ([item["id"] for item in page["items"]], page["next_cursor"]) == ([ids[2]], None)
    page = await receiver.listed(user)
    assert (len(page["items"]), page["unread"]) == (5, 3)


async def test_the_first_reading_counts(receiver: Receiver) -> None:
    user = new_id()
    [id_] = await put(receiver, user, 1)
    first = await receiver.post(f"/api/notifications/{id_}/read", user)
    again = await receiver.post(f"/api/notifications/{id_}/read", user)
    assert first.json()["read_at"] is not None
    assert again.json() == first.json() == (await receiver.listed(user))["items"][0]


async def test_read_all_reads_ones_own_and_a_repetition_nothing(receiver: Receiver) -> None:
    user, other = new_id(), new_id()
    await put(receiver, user, 3)
    await put(receiver, other, 1)
    first = await receiver.post("/api/notifications/read-all", user)
    again = await receiver.post("/api/notifications/read-all", user)
    assert (first.json(), again.json()) == ({"marked": 3}, {"marked": 0})
    assert (await receiver.listed(user))["unread"] == 0
    assert (await receiver.listed(other))["unread"] == 1


async def test_anothers_notification_is_neither_listed_nor_read(receiver: Receiver) -> None:
    owner, other = new_id(), new_id()
    [id_] = await put(receiver, owner, 1)
    page = await receiver.listed(other)
    assert (page["items"], page["unread"]) == ([], 0)
    for role in ("customer", "operator"):
        path = f"/api/notifications/{id_}/read"
        assert (await receiver.post(path, other, rol=role)).status_code == 404
        await receiver.post("/api/notifications/read-all", other, rol=role)
    assert (await receiver.listed(owner))["unread"] == 1


async def test_a_cursor_of_anothers_list_shows_ones_own_alone(receiver: Receiver) -> None:
    owner, other = new_id(), new_id()
    await put(receiver, owner, 3)
    own = await put(receiver, other, 1)
    foreign = Cursor(AT.replace(year=2027), "z").encode()
    page = await receiver.listed(other, cursor=foreign)
    assert [item["id"] for item in page["items"]] == own


async def test_an_operator_may_read_anothers_list_and_nobody_else(receiver: Receiver) -> None:
    owner, operator = new_id(), new_id()
    ids = await put(receiver, owner, 2)
    headers = receiver.issuer.bearer(operator, rol="operator")
    answer = await receiver.client.get(
        "/api/notifications", params={"user_id": owner}, headers=headers
    )
    assert [item["id"] for item in answer.json()["items"]] == ids[::-1]
    assert answer.json()["unread"] == 2
    refused = await receiver.get("/api/notifications", operator, user_id=owner)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_an_operator_s_look_at_anothers_list_is_logged_and_so_is_a_refused_one(
    receiver: Receiver,
) -> None:
    owner, operator, stranger = new_id(), new_id(), new_id()
    with security_log() as events:
        for user_id, rol in ((operator, "operator"), (owner, "customer"), (stranger, "customer")):
            await receiver.client.get(
                "/api/notifications",
                params={} if user_id == owner else {"user_id": owner},
                headers=receiver.issuer.bearer(user_id, rol=rol),
            )
    common = {"address": "127.0.0.1", "route": "/api/notifications"}
    assert events == [
        {
            **common,
            "event": "audit",
            "outcome": "ok",
            "actor": operator,
            "action": "notifications.read",
            "subject": owner,
        },
        {
            **common,
            "event": "access",
            "outcome": "refused",
            "actor": stranger,
            "reason": "forbidden",
        },
    ]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"unread": "maybe"},
        {"cursor": "x"},
        {"cursor": ""},
        {"cursor": Cursor(AT, "no id!").encode()},
        {"user_id": "1"},
    ],
)
async def test_a_wrong_parameter_is_422(receiver: Receiver, params: dict[str, Any]) -> None:
    answer = await receiver.get("/api/notifications", new_id(), **params)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(params)


@pytest.mark.parametrize("id_", ["nobody", "a.b", "%20", "a" * 65, "%C3%A9"])
async def test_an_id_that_is_none_is_404(receiver: Receiver, id_: str) -> None:
    answer = await receiver.post(f"/api/notifications/{id_}/read", new_id())
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/notifications"),
        ("GET", "/api/notifications/stream"),
        ("POST", "/api/notifications/read-all"),
        ("POST", "/api/notifications/x/read"),
    ],
)
async def test_without_a_token_of_ours_every_route_is_401(
    receiver: Receiver, method: str, path: str
) -> None:
    user, issuer = new_id(), receiver.issuer
    answers = [
        await receiver.client.request(method, path, headers=headers, params=params)
        for headers, params in (
            ({}, {}),
            ({}, {"access_token": issuer.token(user), "token": issuer.token(user)}),
            ({"Authorization": "Basic eDp5"}, {}),
            ({"Authorization": "Bearer x"}, {}),
            (issuer.bearer(user, aud="swapshop-internal"), {}),
            (issuer.bearer(user, exp=1), {}),
            (issuer.bearer("not-a-user"), {}),
            (type(issuer)().bearer(user), {}),
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_without_keys_no_token_is_judged(receiver: Receiver) -> None:
    receiver.issuer.is_away = True
    answer = await receiver.get("/api/notifications", new_id())
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")


async def test_a_list_takes_two_statements(receiver: Receiver) -> None:
    user = new_id()
    await put(receiver, user, 5)
    statements = await statements_of(receiver, lambda: receiver.listed(user))
    assert [statement.split()[0] for statement, _ in statements] == ["SELECT", "SELECT"]


async def statements_of(receiver: Receiver, work: Any) -> list[tuple[str, Any]]:
    """What is sent to the database meanwhile, without the begin of transactions."""
    statements: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append((statement, parameters))

    engine = receiver.container.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return statements


async def test_no_query_scans_or_sorts(receiver: Receiver) -> None:
    database = receiver.container.database
    is_sqlite = database.engine.dialect.name == "sqlite"
    user, users = new_id(), [new_id() for _ in range(20)]
    for each in (user, *users):
        await put(receiver, each, 150)
    after = Cursor(AT, "order-ready_7")

    async def ask(connection: AsyncConnection) -> None:
        if not is_sqlite:
            await connection.exec_driver_sql("ANALYZE TABLE notifications")
        for start in (None, after):
            for only_unread in (False, True):
                await store.list_page(
                    connection, [user], after=start, limit=20, only_unread=only_unread
                )
            await store.list_keys_since(connection, [user], AT, start, 100)
        await store.list_keys_between(connection, [user], AT, AT + timedelta(minutes=10))
        await store.count_unread(connection, [user])

    statements = await statements_of(receiver, lambda: database.read(ask))
    queries = [each for each in statements if each[0].startswith("SELECT")]
    assert len(queries) == 8
    for statement, parameters in queries:

        async def explain_it(connection: AsyncConnection) -> list[Any]:
            explain = explanation(connection.dialect)
            result = await connection.exec_driver_sql(f"{explain} {statement}", parameters)  # noqa: B023 - awaited at once
            return [dict(row) for row in result.mappings()]

        [plan] = await database.read(explain_it)
        if is_sqlite:
            assert "USING" in plan["detail"]
            assert "ix_notifications_u" in plan["detail"]
        else:
            assert plan["key"].startswith("ix_notifications_u"), plan
            assert plan["type"] in ("ref", "range"), plan
            assert "filesort" not in (plan["Extra"] or ""), plan
