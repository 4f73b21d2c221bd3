"""Caches of orders with less of the protocol than is needed: tests of it must notice each."""

from redis.asyncio import Redis

from swapshop_api.orders.cache import OrderCache


class NoDirtyMark(OrderCache):
    """Writers delete before and after, and leave no mark in between."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._write_scripts["mark"] = "return redis.call('DEL', KEYS[1], KEYS[2])"


class NoFillLease(OrderCache):
    """Readers fill what they have read, come what may."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._fill = redis.register_script(
            "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
        )


class LeaseSurvivesTheMark(OrderCache):
    """A mark hides the value, but lets readers fill that have begun before."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._write_scripts["mark"] = (
            "redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2]) return redis.call('DEL', KEYS[1])"
        )


class ValueSurvivesTheMark(OrderCache):
    """The old value is deleted only in the end."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._write_scripts["mark"] = (
            "redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2]) return redis.call('DEL', KEYS[2])"
        )


class AnyoneClearsTheMark(OrderCache):
    """The mark has no owner."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._write_scripts["clear"] = "return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])"


class NoDeleteInTheEnd(OrderCache):
    """Writers rely on their mark, and delete nothing once they have committed."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._write_scripts["clear"] = (
            "if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end return 1"
        )
