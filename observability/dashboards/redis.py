"""Redis, seen by redis_exporter beside it; a cache, of which everything may be lost."""

from typing import Any, Final

from dashboards.boards import Section, dashboard
from dashboards.panels import Query, stat, timeseries

JOB: Final = 'job="swapshop-redis"'


def _rate(name: str) -> str:
    return f"sum(rate(redis_{name}{{{JOB}}}[$__rate_interval]))"


def _value(name: str) -> str:
    return f"max(redis_{name}{{{JOB}}})"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "redis",
        "SwapShop / Redis",
        "Is Redis up, fast, and large enough? Without it SwapShop is slower, never wrong.",
        [_now(), _work(), _memory()],
    )


def _now() -> Section:
    return "Now", [
        stat(
            "Up",
            Query(_value("up"), "Redis"),
            unit="bool_yes_no",
            steps=[(None, "red"), (1, "green")],
            width=6,
            description="Whether it answers the exporter beside it. If not, orders are read from "
            "MySQL and limits are kept by each pod alone: see the runbook RedisDown.",
        ),
        stat(
            "Memory used",
            Query(
                f"{_value('memory_used_bytes')} / ({_value('memory_max_bytes')} > 0)",
                "of maxmemory",
            ),
            unit="percentunit",
            steps=[(None, "green"), (0.9, "yellow")],
            width=6,
            no_value="no limit",
            description="A full cache is an ordinary one: the least used keys go. With many "
            "evictions and a low hit ratio raise maxmemory: see the runbook RedisMemoryNearLimit.",
        ),
        stat(
            "Clients",
            Query(_value("connected_clients"), "clients"),
            unit="short",
            width=6,
            description="Pods times their pools, and a subscription a receiver. A steady climb is "
            "a leak of connections; restart the pods of the newest version.",
        ),
        stat(
            "Uptime",
            Query(_value("uptime_in_seconds"), "since its start"),
            unit="s",
            steps=[(None, "yellow"), (600, "green")],
            width=6,
            description="After a start the cache is empty and MySQL has more to do for some "
            "minutes. Short again and again: kubectl describe pod tells OOMKilled.",
        ),
    ]


def _work() -> Section:
    return "Work", [
        timeseries(
            "Commands",
            Query(
                f"sum by (cmd) (rate(redis_commands_total{{{JOB}}}[$__rate_interval]))", "{{cmd}}"
            ),
            unit="ops",
            description="eval, evalsha and get are the cache, incr the limits, publish the "
            "wake-ups. A kind that vanishes tells which part lost Redis.",
        ),
        timeseries(
            "Mean duration of a command",
            Query(
                "sum by (cmd) "
                f"(rate(redis_commands_duration_seconds_total{{{JOB}}}[$__rate_interval])) / (sum "
                f"by (cmd) (rate(redis_commands_total{{{JOB}}}[$__rate_interval])) > 0)",
                "{{cmd}}",
            ),
            unit="s",
            description="Microseconds in health. Redis runs one command at a time, so one slow "
            "kind slows all: SLOWLOG GET names it.",
        ),
        timeseries(
            "Key found",
            Query(
                f"{_rate('keyspace_hits_total')} / ({_rate('keyspace_hits_total')} + "
                f"{_rate('keyspace_misses_total')} > 0)",
                "hits",
            ),
            unit="percentunit",
            maximum=1,
            description="Of all kinds of keys; for the orders alone see SwapShop / Cache.",
        ),
        timeseries(
            "Subscriptions",
            Query(_value("pubsub_channels"), "channels"),
            unit="short",
            description="Channels that receivers listen to. 0 with open streams: wake-ups are lost "
            "and the database is polled, see the runbook StreamsPolling.",
        ),
    ]


def _memory() -> Section:
    return "Memory", [
        timeseries(
            "Memory",
            Query(_value("memory_used_bytes"), "used"),
            Query(_value("memory_max_bytes"), "maxmemory"),
            unit="bytes",
            description="Used stays below maxmemory by dropping keys. The pod's limit must leave "
            "room above it, or the kernel kills Redis.",
        ),
        timeseries(
            "Keys dropped",
            Query(f"{_rate('evicted_keys_total')} * 60", "evicted: memory was full"),
            Query(f"{_rate('expired_keys_total')} * 60", "expired: their time was over"),
            unit="cpm",
            description="Expired is the usual way. Evicted all the time means that the cache is "
            "too small.",
        ),
        timeseries(
            "Keys",
            Query(f"sum(redis_db_keys{{{JOB}}})", "keys"),
            unit="short",
            description="It follows the traffic of the last minutes. A climb that never ends: keys "
            "without an expiry.",
        ),
        timeseries(
            "Connections refused",
            Query(f"{_rate('rejected_connections_total')} * 60", "refused"),
            unit="cpm",
            description="More clients than maxclients: fewer pods, smaller pools, or a higher "
            "limit.",
        ),
    ]
