"""Redis: callers wait their turn, and an outage is an error in bounded time."""

# Many of redis-py's parameters have no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest
from redis.asyncio.client import PubSub

from support.processes import HOST, free_port
from support.servers import RedisServer, valkey
from swapshop_kit.redis import CALL_SECONDS, REDIS_ERRORS, create_redis, is_up


@pytest.fixture(scope="module")
def own_server() -> Generator[RedisServer]:
    """One of our own, since it is paused and stopped."""
    with valkey() as server:
        yield server


async def test_a_server_that_answers_is_up(redis_url: str) -> None:
    redis = create_redis(redis_url, seconds=2.0)

    assert await is_up(redis)
    await redis.aclose()


async def test_callers_wait_for_a_connection_instead_of_being_refused(redis_url: str) -> None:
    redis = create_redis(redis_url, pool_size=2, seconds=5.0)
    answers = await asyncio.gather(*(redis.echo(str(number)) for number in range(200)))
    await redis.aclose()

    assert answers == [str(number).encode() for number in range(200)]


async def test_a_caller_waits_no_longer_than_its_limit(redis_url: str) -> None:
    redis = create_redis(redis_url, pool_size=1, seconds=0.2)
    async with redis.client() as only:
        assert await only.ping()
        async with asyncio.timeout(10):
            with pytest.raises(REDIS_ERRORS):
                await redis.ping()
    assert await is_up(redis)
    await redis.aclose()


async def test_a_subscriber_waits_for_its_messages_without_limit(redis_url: str) -> None:
    subscriber = create_redis(redis_url, seconds=None)
    publisher = create_redis(redis_url, seconds=2.0)
    async with subscriber.pubsub() as subscription:
        await subscription.subscribe("kit-test")
        received = asyncio.create_task(anext(_messages(subscription)))
        await asyncio.wait([received], timeout=4 * CALL_SECONDS)
        assert not received.done()
        await publisher.publish("kit-test", "hello")
        assert await received == b"hello"
    await subscriber.aclose()
    await publisher.aclose()


async def _messages(subscription: PubSub) -> AsyncGenerator[bytes]:
    async for message in subscription.listen():
        if message["type"] == "message":
            yield message["data"]


async def test_a_silent_server_is_an_error_in_bounded_time(own_server: RedisServer) -> None:
    redis = create_redis(own_server.url)
    assert await is_up(redis)
    loop = asyncio.get_running_loop()
    with own_server.paused():
        started = loop.time()
        with pytest.raises(REDIS_ERRORS):
            await redis.get("key")
        assert not await is_up(redis)
        assert loop.time() - started < 5
    await redis.aclose()


async def test_no_answer_is_read_as_that_of_another_call(own_server: RedisServer) -> None:
    redis = create_redis(own_server.url, pool_size=1, seconds=0.2)
    for number in range(3):
        with own_server.paused(), pytest.raises(REDIS_ERRORS):
            await redis.echo(f"lost {number}")
        assert await redis.echo(f"asked {number}") == f"asked {number}".encode()
    await redis.aclose()


async def test_a_stopped_server_is_down_and_found_again() -> None:
    with valkey() as server:
        redis = create_redis(server.url, seconds=2.0)
        assert await is_up(redis)
        server.kill()
        assert not await is_up(redis)
        with pytest.raises(REDIS_ERRORS):
            await redis.get("key")
        server.start()
        assert await is_up(redis)
        await redis.aclose()


async def test_nobody_listens_is_down() -> None:
    redis = create_redis(f"redis://{HOST}:{free_port()}/0")

    assert not await is_up(redis)
    await redis.aclose()
