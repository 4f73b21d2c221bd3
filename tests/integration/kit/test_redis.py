"""Redis: callers wait for a connection, and an outage is an error in bounded time."""

# Many of redis-py's parameters have no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from support.servers.processes import HOST, free_port
from support.stores.servers import RedisServer, valkey
from support.waiting import until
from swapshop_kit.redis import CALL_SECONDS, REDIS_ERRORS, create_redis, is_up

_BOUND = 10.0  # for a busy machine


@pytest.fixture(scope="module")
def own_server() -> Generator[RedisServer]:
    """Return a private server, since the tests pause and stop it."""
    with valkey() as server:
        yield server


async def test_a_server_that_answers_is_up(redis_url: str) -> None:
    async with create_redis(redis_url, seconds=2.0) as redis:
        assert await is_up(redis)


async def test_callers_wait_for_a_connection_instead_of_being_refused(redis_url: str) -> None:
    async with create_redis(redis_url, pool_size=2, seconds=5.0) as redis:
        answers = await asyncio.gather(*(redis.echo(str(number)) for number in range(200)))

    assert answers == [str(number).encode() for number in range(200)]


async def test_a_caller_waits_no_longer_than_its_limit(redis_url: str) -> None:
    async with create_redis(redis_url, pool_size=1, seconds=0.2) as redis:
        async with redis.client() as only:
            assert await only.ping()
            async with asyncio.timeout(_BOUND):
                with pytest.raises(REDIS_ERRORS):
                    await redis.ping()
        await until(lambda: is_up(redis))


async def test_a_closed_client_leaves_no_connection_open(redis_url: str) -> None:
    async with create_redis(redis_url, seconds=5.0) as observer:
        async with create_redis(redis_url, seconds=5.0) as redis:
            await asyncio.gather(*(redis.client_setname("kit-leaving") for _ in range(5)))
            assert await _named(observer, "kit-leaving")
        await until(lambda: _none_named(observer, "kit-leaving"))


async def _named(redis: Redis, name: str) -> int:
    return sum(client["name"] == name for client in await redis.client_list())


async def _none_named(redis: Redis, name: str) -> bool:
    return await _named(redis, name) == 0


async def test_a_subscriber_waits_for_its_messages_without_limit(redis_url: str) -> None:
    async with (
        create_redis(redis_url, seconds=None) as subscriber,
        create_redis(redis_url, seconds=2.0) as publisher,
        subscriber.pubsub() as subscription,
    ):
        await subscription.subscribe("kit-test")
        received = asyncio.create_task(anext(_messages(subscription)))
        await asyncio.wait([received], timeout=4 * CALL_SECONDS)
        assert not received.done()
        await publisher.publish("kit-test", "hello")
        assert await asyncio.wait_for(received, _BOUND) == b"hello"


async def _messages(subscription: PubSub) -> AsyncGenerator[bytes]:
    async for message in subscription.listen():
        if message["type"] == "message":
            yield message["data"]


async def test_a_silent_server_is_an_error_in_bounded_time(own_server: RedisServer) -> None:
    loop = asyncio.get_running_loop()
    async with create_redis(own_server.url, seconds=0.2) as redis:
        await until(lambda: is_up(redis))
        with own_server.paused():
            started = loop.time()
            with pytest.raises(REDIS_ERRORS):
                await redis.get("key")
            assert not await is_up(redis)
            assert loop.time() - started < _BOUND


async def test_no_answer_is_read_as_that_of_another_call(own_server: RedisServer) -> None:
    async with create_redis(own_server.url, pool_size=1, seconds=0.5) as redis:
        for number in range(3):
            with own_server.paused(), pytest.raises(REDIS_ERRORS):
                await redis.echo(f"lost {number}")
            await until(lambda: is_up(redis))
            assert await redis.echo(f"asked {number}") == f"asked {number}".encode()


async def test_a_stopped_server_is_down_and_found_again() -> None:
    with valkey() as server:
        async with create_redis(server.url, seconds=2.0) as redis:
            assert await is_up(redis)
            server.kill()
            assert not await is_up(redis)
            with pytest.raises(REDIS_ERRORS):
                await redis.get("key")
            server.start()
            assert await is_up(redis)


async def test_nobody_listens_is_down() -> None:
    async with create_redis(f"redis://{HOST}:{free_port()}/0") as redis:
        assert not await is_up(redis)
