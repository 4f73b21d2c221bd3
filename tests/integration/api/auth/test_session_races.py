"""Sessions under concurrency: the same token at the same time, from tabs, pods and thieves."""

import asyncio
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.accounts import PASSWORD, Browser, pass_time
from swapshop_api.auth import store
from swapshop_api.auth.models import refresh_tokens
from swapshop_api.auth.rotation import decode_token, hash_of
from swapshop_api.container import Container
from swapshop_kit.database import Database


async def _tabs(app: FastAPI, count: int) -> list[Browser]:
    """Browsers with the one refresh token of a new session."""
    first = Browser(app)
    await first.register()
    assert first.refresh_token is not None
    tabs = [Browser(app) for _ in range(count)]
    for tab in tabs:
        tab.refresh_token = first.refresh_token
    return tabs


async def _count_tokens(database: Database) -> int | None:
    async def count(connection: AsyncConnection) -> int | None:
        return await connection.scalar(select(func.count()).select_from(refresh_tokens))

    return await database.read(count)


async def test_concurrent_refreshes_with_one_token_all_get_the_same_successor(
    app: FastAPI, container: Container
) -> None:
    tabs = await _tabs(app, 10)
    answers = await asyncio.gather(*(tab.refresh() for tab in tabs))

    assert {answer.status_code for answer in answers} == {200}
    assert len({tab.refresh_token for tab in tabs}) == 1
    assert await _count_tokens(container.database) == 2


async def test_concurrent_refreshes_after_a_lost_answer_get_siblings_and_one_of_them_goes_on(
    app: FastAPI, container: Container
) -> None:
    tabs = await _tabs(app, 10)
    lost = Browser(app)
    lost.refresh_token = tabs[0].refresh_token or ""
    await lost.refresh()
    await pass_time(container.database, timedelta(seconds=16))
    answers = await asyncio.gather(*(tab.refresh() for tab in tabs))

    assert {answer.status_code for answer in answers} == {200}
    assert len({tab.refresh_token for tab in tabs} | {lost.refresh_token}) == 11
    assert await _count_tokens(container.database) == 12
    answers = await asyncio.gather(*(tab.refresh() for tab in tabs))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9


async def test_a_refresh_waits_for_the_one_that_holds_the_session(
    app: FastAPI, container: Container
) -> None:
    (tab,) = await _tabs(app, 1)
    token = decode_token(tab.refresh_token)
    assert token is not None
    locked, may_end = asyncio.Event(), asyncio.Event()

    async def revoke_slowly(connection: AsyncConnection) -> None:
        family = await store.lock_family_of(connection, hash_of(token))
        assert family is not None
        locked.set()
        await may_end.wait()
        await store.revoke_family(connection, family.id)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(container.database.transaction(revoke_slowly))
        await locked.wait()
        refreshing = tasks.create_task(tab.refresh())
        asyncio.get_running_loop().call_later(0.2, may_end.set)
        done, _ = await asyncio.wait([refreshing], timeout=0.1)
        assert not done

    assert refreshing.result().status_code == 401


async def test_users_and_thieves_at_once_end_in_answers_and_never_in_a_deadlock(
    app: FastAPI, container: Container
) -> None:
    """Refreshes of every age, logouts and a password change: every lock in one order."""
    tabs = await _tabs(app, 6)
    token = (await tabs[0].refresh()).json()["token"]
    await pass_time(container.database, timedelta(seconds=16))
    await tabs[1].refresh()
    others = [Browser(app) for _ in range(4)]
    for other in others:
        await other.login()
    answers = await asyncio.gather(
        *(tab.refresh() for tab in tabs),
        *(other.refresh() for other in others),
        *(other.logout() for other in others),
        tabs[2].change_password(token, PASSWORD, "another battery staple"),
        *(other.login() for other in others),
    )

    assert {answer.status_code for answer in answers} <= {200, 204, 401, 409}


@pytest.mark.parametrize("pause", [timedelta(0), timedelta(seconds=16)])
async def test_a_logout_during_a_refresh_wins(
    app: FastAPI, container: Container, pause: timedelta
) -> None:
    tabs = await _tabs(app, 6)
    await tabs[0].refresh()
    await pass_time(container.database, pause)
    logout, *_ = await asyncio.gather(tabs[1].logout(), *(tab.refresh() for tab in tabs[2:]))

    assert logout.status_code == 204
    assert {(await tab.refresh()).status_code for tab in tabs} == {401}
