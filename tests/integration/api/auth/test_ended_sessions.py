"""What ends a session ends its access tokens too, in every process and at no cost to a request."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from support.api.accounts import NEW_PASSWORD, PASSWORD, Browser, pass_time
from support.servers.processes import free_port
from support.stores.pairs import Stores
from support.stores.redis_commands import listing_commands
from support.stores.statements import counting, explaining
from support.waiting import until
from swapshop_api.app import whole_app
from swapshop_api.auth.domain.families import list_ended
from swapshop_api.container import Container, open_container
from swapshop_kit.background import in_background
from swapshop_kit.database import Database
from swapshop_kit.ended_sessions import (
    CHANNEL,
    KEPT_SECONDS,
    EndedSessions,
    EndedTiming,
    announce,
    follow_ended_sessions,
)
from swapshop_kit.ids import new_id
from swapshop_kit.problems import Unauthenticated
from swapshop_kit.redis import create_redis


async def _is_good(container: Container, token: str) -> bool:
    try:
        await container.public_tokens.verify(token)
    except Unauthenticated:
        return False
    return True


async def _status(app: FastAPI, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await Browser(app).get("/api/auth/me", headers=headers)).status_code


def _token_of(answer: httpx.Response) -> str:
    token = answer.json()["token"]
    assert isinstance(token, str)
    return token


def _other_process(container: Container, redis_url: str) -> AbstractAsyncContextManager[Container]:
    """Another api on the same database, whole."""
    changes = {"redis_url": SecretStr(redis_url)}
    return open_container(container.settings.model_copy(update=changes))


async def test_every_access_token_names_its_session(browser: Browser, container: Container) -> None:
    answers = [await browser.register(), await browser.refresh(), await browser.login()]
    sessions = [(await container.public_tokens.verify(_token_of(answer))).sid for answer in answers]

    assert sessions[0] == sessions[1], "a refresh goes on with the session"
    assert len({*sessions, None}) == 3


async def test_after_a_logout_the_access_token_is_refused_at_once(
    app: FastAPI, browser: Browser
) -> None:
    token = _token_of(await browser.register())
    other = _token_of(await Browser(app).login())
    assert await _status(app, token) == 200
    await browser.logout()

    assert await _status(app, token) == 401
    assert await _status(app, other) == 200, "another session of the same user goes on"


async def test_a_new_password_ends_the_access_tokens_of_every_other_session(
    app: FastAPI, browser: Browser
) -> None:
    token = _token_of(await browser.register())
    others = [_token_of(await Browser(app).login()) for _ in range(2)]
    await browser.change_password(token, PASSWORD, NEW_PASSWORD)

    assert [await _status(app, other) for other in others] == [401, 401]
    assert await _status(app, token) == 200


async def test_a_reused_refresh_token_ends_the_access_tokens_of_its_session(
    app: FastAPI, browser: Browser, container: Container
) -> None:
    await browser.register()
    stolen = browser.refresh_token
    assert stolen is not None
    await browser.refresh()
    token = _token_of(await browser.refresh())
    await pass_time(container.database, timedelta(seconds=16))
    thief = Browser(app)
    thief.refresh_token = stolen

    assert (await thief.refresh()).status_code == 401
    assert await _status(app, token) == 401


async def test_another_process_refuses_it_too(
    browser: Browser, container: Container, stores: Stores
) -> None:
    async with _other_process(container, stores.redis_url) as other:
        token = _token_of(await browser.register())
        assert await _is_good(other, token)
        await browser.logout()

        async def is_refused() -> bool:
            return not await _is_good(other, token)

        await until(is_refused)


async def test_another_process_refuses_it_while_redis_is_away(
    browser: Browser, container: Container
) -> None:
    async with _other_process(container, f"redis://127.0.0.1:{free_port()}/0") as other:
        token = _token_of(await browser.register())
        assert await _is_good(other, token)
        await browser.logout()

        async def is_refused() -> bool:
            return not await _is_good(other, token)

        await until(is_refused)


async def test_a_logout_succeeds_while_redis_is_away(container: Container) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with _other_process(container, nowhere) as other:
        browser = Browser(whole_app(other))
        await browser.register()
        assert (await browser.logout()).status_code == 204


async def test_redis_tells_it_before_the_database_is_read_again(
    browser: Browser, container: Container, redis: Redis, stores: Stores
) -> None:
    token = _token_of(await browser.register())
    looks = 0

    async def read(_: int) -> list[str]:
        nonlocal looks
        looks += 1
        return []

    ended, first, second = EndedSessions(), new_id(), new_id()
    learnt: set[str] = set()
    ended.on_ended(learnt.update)
    async with AsyncExitStack() as stack:
        subscriber = create_redis(stores.redis_url, pool_size=1, seconds=None)
        stack.push_async_callback(subscriber.aclose)
        following = follow_ended_sessions(ended, read, subscriber, EndedTiming(reread=3600))
        await stack.enter_async_context(in_background(following, "ended-sessions"))

        async def is_told() -> bool:
            await redis.publish(CHANNEL, "no session \xff")  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
            await announce(redis, [first, second])
            return first in ended and second in ended

        await until(is_told)
        assert learnt == {first, second}

        session = (await container.public_tokens.verify(token)).sid
        assert session is not None
        await browser.logout()
        await until(lambda: session in ended)
    assert looks == 1


async def test_it_costs_a_request_neither_a_statement_nor_a_round_trip(
    browser: Browser, container: Container, database: Database, redis: Redis
) -> None:
    container.ended.add(new_id() for _ in range(1000))
    token = _token_of(await browser.register())

    for is_good in (True, False):
        with counting(database) as statements:
            async with listing_commands(redis) as commands:
                assert await _is_good(container, token) is is_good
        assert (statements, commands) == ([], [])
        await browser.logout()


async def test_the_list_has_what_ended_within_a_time(
    browser: Browser, container: Container
) -> None:
    internal = Browser(whole_app(container))
    path = "/internal/auth/ended-sessions"
    await browser.register()
    assert (await internal.get(path)).json() == {"sessions": []}
    session = (await container.public_tokens.verify(_token_of(await browser.refresh()))).sid
    await browser.logout()
    await pass_time(container.database, timedelta(seconds=100))

    answer = await internal.get(path)
    assert answer.json() == {"sessions": [session]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await internal.get(path, params={"within_seconds": 110})).json()["sessions"]
    assert (await internal.get(path, params={"within_seconds": 90})).json()["sessions"] == []
    await pass_time(container.database, timedelta(seconds=KEPT_SECONDS))
    assert (await internal.get(path)).json() == {"sessions": []}


@pytest.mark.parametrize("within", ["0", "721", "-1", "x", "1.5"])
async def test_the_list_goes_back_no_further_than_a_token_lives(app: FastAPI, within: str) -> None:
    path = "/internal/auth/ended-sessions"
    answer = await Browser(app).get(path, params={"within_seconds": within})
    assert answer.status_code == 422


@pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
async def test_the_list_is_read_along_its_index(browser: Browser, database: Database) -> None:
    """However many sessions there are."""
    await browser.register()
    await browser.logout()
    with explaining(database) as plans:
        assert len(await list_ended(database, KEPT_SECONDS)) == 1

    assert [plan.key for plan in plans] == ["ix_refresh_families_revoked"]
