"""A purge reads what it deletes, however many rows stay."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from sqlalchemy import Table

from support.api.housekeeping import add, count_of
from support.stores.statements import explaining, rows_read
from swapshop_api.audit.models import audit
from swapshop_api.auth.models import refresh_families, refresh_tokens
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.housekeeping.domain import keep_house
from swapshop_kit.database import Database, create_engine

OLD = timedelta(days=91)
YOUNG = timedelta(days=-1)
STAYING = 3000
LEAVING = 20

pytestmark = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


@pytest.fixture
async def single(database: Database) -> AsyncGenerator[Database]:
    """The same schema over one connection, so that a session's counters count all of it."""
    url = database.engine.url.render_as_string(hide_password=False)
    single = Database(create_engine(url, pool_size=1))
    yield single
    await single.close()


@pytest.mark.parametrize(
    ("table", "index"),
    [
        (refresh_tokens, "ix_refresh_tokens_expires"),
        (refresh_families, "ix_refresh_families_expires"),
        (leases, "ix_leases_created"),
        (delivery_attempts, "ix_attempts_claimed"),
        (deliveries, "ix_deliveries_done"),
        (audit, "ix_audit_at"),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
async def test_a_purge_uses_its_index_and_deletes_by_primary_key(
    single: Database, table: Table, index: str
) -> None:
    await add(single, table, YOUNG, STAYING)
    await add(single, table, OLD, LEAVING)
    with explaining(single) as plans:
        await keep_house(single, batch_size=LEAVING // 2)
    used = {(plan.statement.split()[0], plan.key) for plan in plans if plan.table == table.name}
    assert used == {("SELECT", index), ("DELETE", "PRIMARY")}

    await add(single, table, OLD, LEAVING)
    assert await rows_read(single, lambda: keep_house(single)) <= 6 * LEAVING
    assert await count_of(single, table) == STAYING
