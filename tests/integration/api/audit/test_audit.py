"""The audit: in the transaction of what it tells, in one statement, newest first, for operators."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.client import Shop, code_of
from support.security_log import security_log
from support.stores.statements import counting
from swapshop_api.audit import store
from swapshop_api.audit.store import SYSTEM, Entry
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id


async def record(database: Database, *entries: Entry, actor: str = SYSTEM) -> None:
    await database.transaction(lambda c: store.record_all(c, actor, entries))


@pytest.mark.parametrize("count", [1, 100])
async def test_entries_are_written_in_one_statement(database: Database, count: int) -> None:
    with counting(database) as statements:
        await record(database, *[Entry("order.blocked", new_id(), "why")] * count)

    assert len(statements) == 1


async def test_no_entries_are_no_statement(database: Database) -> None:
    with counting(database) as statements:
        await record(database)

    assert statements == []


async def test_operators_read_the_audit_newest_first_page_by_page(
    staff: Shop, database: Database
) -> None:
    operator = new_id()
    for n in range(3):
        await record(database, Entry("order.blocked", f"subject {n}", None if n else "por qué 🧥"))
    await record(
        database, *[Entry("delivery.redriven", f"subject {n}") for n in (3, 4)], actor=operator
    )

    pages = await staff.pages("/api/audit", limit=2)

    entries = [entry for page in pages for entry in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {entry["subject"] for entry in entries[:2]} == {"subject 3", "subject 4"}
    assert [entry["subject"] for entry in entries[2:]] == ["subject 2", "subject 1", "subject 0"]
    assert entries[0] == {
        "id": entries[0]["id"],
        "at": entries[0]["at"],
        "actor": operator,
        "action": "delivery.redriven",
        "subject": entries[0]["subject"],
        "detail": None,
    }
    assert (entries[4]["actor"], entries[4]["detail"]) == ("system", "por qué 🧥")
    assert [entry["at"] for entry in entries] == sorted(
        (entry["at"] for entry in entries), reverse=True
    )


async def test_a_customer_may_not_read_the_audit(ana: Shop) -> None:
    assert code_of(await ana.get("/api/audit")) == (403, "forbidden")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"cursor": "garbage"}])
async def test_a_bad_page_is_refused(staff: Shop, query: dict[str, str]) -> None:
    assert code_of(await staff.get("/api/audit", params=query)) == (422, "invalid_request")


async def test_what_is_rolled_back_leaves_no_entry(staff: Shop, database: Database) -> None:
    class ChangedMind(Exception):
        pass

    async def work(connection: AsyncConnection) -> None:
        await store.record(connection, actor=SYSTEM, action="order.blocked", subject="x")
        raise ChangedMind

    with pytest.raises(ChangedMind):
        await database.transaction(work)

    assert await staff.pages("/api/audit") == [[]]


async def test_an_entry_is_logged_once_its_transaction_commits(database: Database) -> None:
    async def roll_back(connection: AsyncConnection) -> None:
        await store.record(connection, actor=SYSTEM, action="order.blocked", subject="lost")
        raise LookupError

    with security_log() as events:
        with pytest.raises(LookupError):
            await database.transaction(roll_back)
        await record(database, Entry("order.blocked", "kept", "why"))
        await record(database)

    assert events == [
        {
            "event": "audit",
            "outcome": "ok",
            "actor": SYSTEM,
            "action": "order.blocked",
            "subject": "kept",
            "detail": "why",
        }
    ]
