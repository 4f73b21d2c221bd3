"""Streams lose no event while Redis is unavailable or a wake-up is lost."""

from support.receiver.server import Receiver, counted, receiver_settings, running_receiver
from support.receiver.streams import insert_unannounced, listening, without_redis
from support.stores.pairs import Stores
from support.stores.servers import valkey
from support.waiting import until
from swapshop_kit.ids import new_id
from swapshop_receiver.notifications.timing import StreamTiming

NEVER = 600.0


async def test_without_redis_events_arrive_by_polling(sqlite_url: str) -> None:
    async with without_redis(sqlite_url) as receiver:
        user = new_id()
        async with receiver.stream(user) as stream:
            for _ in range(3):
                [order] = await receiver.notify(user)
                assert await stream.next_order() == order
        assert not receiver.container.hub.is_listening


async def test_a_lost_wake_up_costs_a_delay_and_no_event(stores: Stores) -> None:
    settings = receiver_settings(stores.database_url, stores.redis_url)
    timing = StreamTiming(reread=0.05, poll=NEVER)
    async with running_receiver(settings, timing=timing) as receiver:
        user = new_id()
        await listening(receiver)
        async with receiver.stream(user) as stream:
            [order] = await insert_unannounced(receiver, user)
            assert await stream.next_order() == order


async def test_polling_bridges_the_absence_of_redis(sqlite_url: str) -> None:
    with valkey() as server:
        timing = StreamTiming(reread=NEVER, poll=0.05, reconnect=0.05)
        settings = receiver_settings(sqlite_url, server.url)
        async with running_receiver(settings, timing=timing) as receiver:
            user, hub = new_id(), receiver.container.hub
            await listening(receiver)
            async with receiver.stream(user) as stream:
                server.kill()
                await until(lambda: not hub.is_listening)
                [order] = await receiver.notify(user)
                assert await stream.next_order() == order
                server.start()
                await listening(receiver)
                orders = await notify_until_published(receiver, user)
                assert [await stream.next_order() for _ in orders] == orders


async def notify_until_published(receiver: Receiver, user_id: str) -> list[str]:
    """Sends events until the circuit is closed and one is published; gives their orders."""
    orders, before = list[str](), counted("swapshop_notifications_published", "sent")

    async def is_published() -> bool:
        orders.extend(await receiver.notify(user_id))
        return counted("swapshop_notifications_published", "sent") > before

    await until(is_published)
    return orders


async def test_a_redis_that_says_nothing_is_not_relied_on(sqlite_url: str) -> None:
    with valkey() as server:
        timing = StreamTiming(reread=NEVER, poll=0.05, ping=0.1, reconnect=0.05)
        settings = receiver_settings(sqlite_url, server.url)
        async with running_receiver(settings, timing=timing) as receiver:
            user, hub = new_id(), receiver.container.hub
            await listening(receiver)
            async with receiver.stream(user) as stream:
                with server.paused():
                    await until(lambda: not hub.is_listening)
                    [order] = await receiver.notify(user)
                    assert await stream.next_order() == order
                await listening(receiver)
