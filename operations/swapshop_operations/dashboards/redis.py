"""Redis, as its redis_exporter sees it; a cache whose whole content can be lost."""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard
from swapshop_operations.dashboards.panels import Query, stat, timeseries

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
            description="Whether Redis answers the exporter in its pod. If not, orders are read "
            "from MySQL and each pod keeps its own limits: see the runbook RedisDown.",
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
            description="A full cache is normal: the least used keys are evicted. With many "
            "evictions and a low hit ratio raise maxmemory: see the runbook RedisMemoryNearLimit.",
        ),
        stat(
            "Clients",
            Query(_value("connected_clients"), "clients"),
            unit="short",
            width=6,
            description="The number of pods times their pool size, plus one subscription per "
            "receiver. A steady climb is a connection leak; restart the pods of the newest "
            "version.",
        ),
        stat(
            "Uptime",
            Query(_value("uptime_in_seconds"), "since start"),
            unit="s",
            steps=[(None, "yellow"), (600, "green")],
            width=6,
            description="After a start the cache is empty and MySQL has more work for some "
            "minutes. If it is short again and again, kubectl describe pod shows OOMKilled.",
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
            description="eval, evalsha and get belong to the cache, incr to the limits, publish "
            "to the wake-ups. A kind that vanishes shows which part lost Redis.",
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
            description="Microseconds when healthy. Redis runs one command at a time, so one slow "
            "kind slows down all: SLOWLOG GET shows it.",
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
            description="All kinds of keys; for orders only, see SwapShop / Cache.",
        ),
        timeseries(
            "Subscriptions",
            Query(_value("pubsub_channels"), "channels"),
            unit="short",
            description="Channels to which receivers subscribe. If 0 while streams are open, "
            "wake-ups are lost and the database is polled: see the runbook StreamsPolling.",
        ),
    ]


def _memory() -> Section:
    return "Memory", [
        timeseries(
            "Memory",
            Query(_value("memory_used_bytes"), "used"),
            Query(_value("memory_max_bytes"), "maxmemory"),
            unit="bytes",
            description="Used stays below maxmemory because Redis evicts keys. The pod's limit "
            "must leave room above it, or the kernel kills Redis.",
        ),
        timeseries(
            "Keys removed",
            Query(f"{_rate('evicted_keys_total')} * 60", "evicted: memory full"),
            Query(f"{_rate('expired_keys_total')} * 60", "expired"),
            unit="cpm",
            description="Expired keys are normal. Constant eviction means that the cache is too "
            "small.",
        ),
        timeseries(
            "Keys",
            Query(f"sum(redis_db_keys{{{JOB}}})", "keys"),
            unit="short",
            description="Follows the traffic of the last minutes. If it climbs without end, there "
            "are keys without an expiry.",
        ),
        timeseries(
            "Connections refused",
            Query(f"{_rate('rejected_connections_total')} * 60", "refused"),
            unit="cpm",
            description="More clients than maxclients: use fewer pods, smaller pools, or a higher "
            "limit.",
        ),
    ]
