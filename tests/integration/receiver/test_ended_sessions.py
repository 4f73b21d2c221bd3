"""Sessions that end: the receiver refuses their access tokens and closes their streams."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from support.receiver.server import Issuer, receiver_settings, running_receiver
from support.servers.uvicorn_server import running
from support.stores.pairs import Stores
from support.waiting import until
from swapshop_kit.ended_sessions import KEPT_SECONDS, EndedSessions
from swapshop_kit.ids import new_id
from swapshop_receiver.container import open_container
from swapshop_receiver.ended_sessions import ended_sessions_of
from swapshop_receiver.notifications.timing import StreamTiming


@asynccontextmanager
async def api_of(issuer: Issuer, ended: list[str]) -> AsyncGenerator[tuple[str, list[int]]]:
    """What the receiver asks of the api; gives its URL, and what it was asked."""
    asked: list[int] = []
    app = FastAPI()
    app.add_api_route("/.well-known/jwks.json", lambda: issuer.jwks)

    def list_ended(within_seconds: int) -> dict[str, list[str]]:
        asked.append(within_seconds)
        return {"sessions": ended}

    app.add_api_route("/internal/auth/ended-sessions", list_ended)
    async with running(app) as url:
        yield url, asked


async def test_a_stream_ends_with_its_session_and_others_go_on(stores: Stores) -> None:
    ended, user = EndedSessions(), new_id()
    first, second = new_id(), new_id()
    settings = receiver_settings(stores.database_url, stores.redis_url)
    nothing_else = StreamTiming(comment=600.0, reread=600.0, poll=0.05)
    async with running_receiver(settings, ended=ended, timing=nothing_else) as receiver:
        tokens = [receiver.issuer.token(user, sid=sid) for sid in (first, second)]
        async with (
            receiver.stream(user, token=tokens[0]) as closing,
            receiver.stream(user, token=tokens[1]) as staying,
        ):
            ended.add([first])
            [end] = await closing.rest()
            assert (end.event, end.data) == ("end", {"reason": "expired"})
            [order] = await receiver.notify(user)
            assert await staying.next_order() == order
        statuses = [
            (
                await receiver.client.get(
                    "/api/notifications", headers={"Authorization": f"Bearer {token}"}
                )
            ).status_code
            for token in tokens
        ]
    assert statuses == [401, 200]


async def test_it_asks_the_api_for_what_ended(stores: Stores) -> None:
    """Redis tells nothing here; the first question is for all that may still matter."""
    issuer, ended, session = Issuer(), list[str](), new_id()
    async with api_of(issuer, ended) as (url, asked):
        settings = receiver_settings(
            stores.database_url, stores.redis_url, jwks_url=f"{url}/.well-known/jwks.json"
        )
        async with open_container(settings) as container:
            claims = await container.tokens.verify(issuer.token(new_id(), sid=session))
            await until(lambda: len(asked) >= 2)
            assert not container.tokens.has_ended(claims)
            ended.append(session)
            await until(lambda: container.tokens.has_ended(claims))
    assert asked[0] == KEPT_SECONDS
    assert asked[1] < KEPT_SECONDS


async def test_an_api_that_does_not_answer_gives_no_list() -> None:
    async with httpx.AsyncClient() as http:
        read = ended_sessions_of(http, "http://127.0.0.1:9/internal/auth/ended-sessions")
        assert await read(10) is None


async def test_an_api_of_an_older_release_gives_no_list() -> None:
    async with running(FastAPI()) as url, httpx.AsyncClient() as http:
        read = ended_sessions_of(http, f"{url}/internal/auth/ended-sessions")
        assert await read(10) is None


async def test_an_answer_of_another_form_is_no_list() -> None:
    app = FastAPI()
    app.add_api_route("/internal/auth/ended-sessions", lambda: {"sessions": [1]})
    async with running(app) as url, httpx.AsyncClient() as http:
        read = ended_sessions_of(http, f"{url}/internal/auth/ended-sessions")
        assert await read(10) is None
