"""The database cuts us off between any two statements: all of a transaction happened, or none."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from support.api.dispatch import OPERATOR, Pipeline, Rows, result
from support.stores.interruptions import COMMIT, interrupted, kill_connection
from support.stores.pairs import Stores
from swapshop_api.audit.models import audit
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.orders.models import orders
from swapshop_kit.ids import new_id
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown

TABLES = (orders, deliveries, delivery_attempts, leases, audit)
LEASE_STATEMENTS = 12

pytestmark = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


@pytest.fixture
async def admin(stores: Stores) -> AsyncGenerator[AsyncEngine]:
    """Connections that end those of the api."""
    engine = create_async_engine(stores.database_url, isolation_level="AUTOCOMMIT")
    yield engine
    await engine.dispose()


class Cut:
    """An interrupt that ends the connection before a statement, once or at every attempt."""

    def __init__(self, admin: AsyncEngine, before: int | str, *, times: int = 10) -> None:
        self.times = 0
        self._admin = admin
        self._before = before
        self._at_most = times

    async def __call__(self, number: int, statement: str, driver: Any) -> None:
        if self._before in (number, statement) and self.times < self._at_most:
            self.times += 1
            await kill_connection(self._admin, driver)


async def snapshot(pipeline: Pipeline) -> list[Rows]:
    """Every row that the dispatch could change."""
    return [await pipeline.rows(table) for table in TABLES]


async def cut_everywhere(
    pipeline: Pipeline, admin: AsyncEngine, call: Callable[[], Awaitable[object]]
) -> int:
    """Cut a call before each of its statements in turn; nothing of it may have happened.

    Returns how many statements it has.
    """
    before = await snapshot(pipeline)
    statements = 0
    while True:
        cut = Cut(admin, statements + 1)
        with interrupted(pipeline.database, cut):
            try:
                await call()
            except DatabaseUnavailable:
                assert cut.times == 2  # a connection that was lost is replaced once
            except OutcomeUnknown:
                assert cut.times == 1
                assert await snapshot(pipeline) == before
                return statements
            else:
                raise AssertionError(f"the call survived a cut before statement {statements + 1}")
        assert await snapshot(pipeline) == before
        statements += 1


async def test_a_lease_that_is_cut_claims_nothing(pipeline: Pipeline, admin: AsyncEngine) -> None:
    everything = await pipeline.everything_at_once()
    token = new_id()
    statements = await cut_everywhere(pipeline, admin, lambda: pipeline.lease(token))
    assert statements == LEASE_STATEMENTS
    claim = await pipeline.lease(token)
    assert len(claim.ids) == 4
    assert await pipeline.states(everything.poison) == ["DEAD"]


@pytest.mark.parametrize("number", [1, 5, 9, 12])
async def test_a_lease_that_is_cut_once_claims_all_at_its_second_attempt(
    pipeline: Pipeline, admin: AsyncEngine, number: int
) -> None:
    await pipeline.everything_at_once()
    cut = Cut(admin, number, times=1)
    with interrupted(pipeline.database, cut):
        claim = await pipeline.lease()
    assert cut.times == 1
    assert len(claim.ids) == 4
    assert await pipeline.outcomes(claim.token) == dict.fromkeys(claim.ids)
    assert await pipeline.count(leases) == 1
    assert len(await pipeline.audited()) == 2


async def test_a_report_that_is_cut_changes_nothing(pipeline: Pipeline, admin: AsyncEngine) -> None:
    await pipeline.ready(4)
    claim = await pipeline.lease()
    done, failed, dead, given_back = claim.ids
    results = [
        result(done),
        result(failed, "retry", status=500),
        result(dead, "rejected", status=409),
        result(given_back, "released"),
    ]
    await cut_everywhere(pipeline, admin, lambda: pipeline.report(claim.token, *results))
    assert await pipeline.report(claim.token, *results) == ["applied"] * 4
    assert await pipeline.states(*claim.ids) == ["DONE", "READY", "DEAD", "READY"]


async def test_a_confirmation_that_is_cut_counts_nothing(
    pipeline: Pipeline, admin: AsyncEngine
) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    await cut_everywhere(pipeline, admin, lambda: pipeline.dispatch.confirm(claim.token))
    await pipeline.dispatch.confirm(claim.token)
    assert (await pipeline.delivery(id_))["unreported_claims"] == 1


async def test_a_redrive_that_is_cut_changes_nothing(
    pipeline: Pipeline, admin: AsyncEngine
) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(id_))
    await cut_everywhere(pipeline, admin, lambda: pipeline.deliveries.redrive(OPERATOR, id_))
    await pipeline.deliveries.redrive(OPERATOR, id_)
    assert await pipeline.states() == ["READY"]


async def test_a_mark_processed_that_is_cut_changes_nothing(
    pipeline: Pipeline, admin: AsyncEngine
) -> None:
    (id_,) = await pipeline.place()
    await cut_everywhere(pipeline, admin, lambda: pipeline.deliveries.mark_processed(OPERATOR, id_))
    assert (await pipeline.deliveries.mark_processed(OPERATOR, id_)).estado == "PROCESSED"
    assert await pipeline.states() == ["READY"]


async def test_a_lease_whose_commit_arrived_but_whose_answer_was_lost_is_repeated(
    pipeline: Pipeline, admin: AsyncEngine
) -> None:
    await pipeline.everything_at_once()
    token = new_id()

    async def commit_and_cut(_number: int, statement: str, driver: Any) -> None:
        if statement == COMMIT:
            await driver.commit()
            await kill_connection(admin, driver)

    with interrupted(pipeline.database, commit_and_cut), pytest.raises(OutcomeUnknown):
        await pipeline.lease(token)
    claimed = await snapshot(pipeline)
    assert len(await pipeline.outcomes(token)) == 4
    assert len((await pipeline.lease(token)).ids) == 4
    assert await snapshot(pipeline) == claimed


async def test_a_report_whose_answer_was_lost_is_repeated(
    pipeline: Pipeline, admin: AsyncEngine
) -> None:
    await pipeline.ready(2)
    claim = await pipeline.lease()
    results = [result(claim.ids[0]), result(claim.ids[1], "retry", status=500)]

    async def commit_and_cut(_number: int, statement: str, driver: Any) -> None:
        if statement == COMMIT:
            await driver.commit()
            await kill_connection(admin, driver)

    with interrupted(pipeline.database, commit_and_cut), pytest.raises(OutcomeUnknown):
        await pipeline.report(claim.token, *results)
    reported = await snapshot(pipeline)
    assert await pipeline.report(claim.token, *results) == ["applied", "applied"]
    assert await snapshot(pipeline) == reported
