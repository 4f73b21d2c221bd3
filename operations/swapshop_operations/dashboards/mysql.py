"""MySQL, as its mysqld_exporter sees it."""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard
from swapshop_operations.dashboards.panels import Query, stat, timeseries

JOB: Final = 'job="swapshop-mysql"'
VOLUME: Final = 'job="swapshop-kubelet", persistentvolumeclaim=~".*mysql.*"'


def _rate(name: str, more: str = "") -> str:
    return f"sum(rate(mysql_global_status_{name}{{{JOB}{more}}}[$__rate_interval]))"


def _status(name: str) -> str:
    return f"max(mysql_global_status_{name}{{{JOB}}})"


LIMIT: Final = f"max(mysql_global_variables_max_connections{{{JOB}}})"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "mysql",
        "SwapShop / MySQL",
        "Is MySQL up, what does it do, and which resource is scarce?",
        [_now(), _work(), _waiting()],
    )


def _now() -> Section:
    return "Now", [
        stat(
            "Up",
            Query(f"max(mysql_up{{{JOB}}})", "MySQL"),
            unit="bool_yes_no",
            steps=[(None, "red"), (1, "green")],
            width=6,
            description="Whether MySQL answers the exporter in its pod. If not, the api answers "
            "503 and accepts no orders: see the runbook MysqlDown.",
        ),
        stat(
            "Connections in use",
            Query(f"{_status('threads_connected')} / {LIMIT}", "of max_connections"),
            unit="percentunit",
            steps=[(None, "green"), (0.6, "yellow"), (0.8, "red")],
            width=6,
            description="At 100 % pods get no connection and answer 503. The maximum is the "
            "number of pods times the pool size: lower maxReplicas or raise max_connections.",
        ),
        stat(
            "Uptime",
            Query(_status("uptime"), "since start"),
            unit="s",
            steps=[(None, "yellow"), (600, "green")],
            width=6,
            description="Short without a rollout means that MySQL crashed or was killed: kubectl "
            "describe pod shows OOMKilled.",
        ),
        stat(
            "Free space of the volume",
            Query(
                f"min(kubelet_volume_stats_available_bytes{{{VOLUME}}}"
                f" / kubelet_volume_stats_capacity_bytes{{{VOLUME}}})",
                "free",
            ),
            unit="percentunit",
            steps=[(None, "red"), (0.1, "yellow"), (0.25, "green")],
            width=6,
            description="A full volume stops every write. Enlarge the claim in time, or let "
            "housekeeping keep less: see the runbook VolumeFillingUp. Without the kubelet's "
            "metrics this is empty.",
        ),
    ]


def _work() -> Section:
    return "Work", [
        timeseries(
            "Statements",
            *(
                Query(_rate("commands_total", f', command="{command}"'), command)
                for command in ("select", "insert", "update", "delete", "commit", "rollback")
            ),
            unit="ops",
            description="By kind. More selects without more requests: streams poll without Redis, "
            "or the cache is off. Rollbacks follow conflicts, which the services retry.",
        ),
        timeseries(
            "Slow statements",
            Query(f"{_rate('slow_queries')} * 60", "slower than long_query_time"),
            unit="cpm",
            description="0 when healthy. Otherwise the slow log names them: a missing index after "
            "an upgrade, or the exporter's snapshot of a very large table.",
        ),
        timeseries(
            "Traffic",
            Query(_rate("bytes_sent"), "sent"),
            Query(_rate("bytes_received"), "received"),
            unit="Bps",
            description="If more is sent than usual for the same number of requests, list pages "
            "grew, or a dump is running.",
        ),
        timeseries(
            "Flushes to disk",
            Query(_rate("innodb_data_fsyncs"), "flushes"),
            Query(_rate("commands_total", ', command="commit"'), "commits"),
            unit="ops",
            description="Every COMMIT is flushed; concurrent ones can share a flush. Far fewer "
            "flushes than commits without concurrent traffic: durability is off, see the runbook "
            "DatabaseNotDurable.",
        ),
    ]


def _waiting() -> Section:
    hits = _rate("innodb_buffer_pool_read_requests")
    return "Waiting", [
        timeseries(
            "Connections",
            Query(_status("threads_connected"), "connected"),
            Query(_status("threads_running"), "running"),
            Query(LIMIT, "allowed"),
            unit="short",
            description="Running above the number of cores for long: statements wait for CPU, "
            "disk or locks. Connected close to allowed: see the runbook MysqlConnectionsNearLimit.",
        ),
        timeseries(
            "Waits for row locks",
            Query(_rate("innodb_row_lock_waits"), "waits"),
            unit="ops",
            description="Two transactions want the same row. A few waits are normal; many mean "
            "that something holds a row for long: SELECT * FROM sys.innodb_lock_waits shows both.",
        ),
        timeseries(
            "Pages read from memory",
            Query(f"1 - {_rate('innodb_buffer_pool_reads')} / ({hits} > 0)", "share"),
            unit="percentunit",
            maximum=1,
            description="Below 99 % under load the working set does not fit: raise "
            "innodb_buffer_pool_size and the pod's memory. After a start it is low until the "
            "buffer pool is warm.",
        ),
        timeseries(
            "Refused and broken connections",
            Query(_rate("aborted_connects") + " * 60", "refused"),
            Query(_rate("aborted_clients") + " * 60", "broken"),
            unit="cpm",
            description="Refused: a wrong password after a rotation, or no connection left. "
            "Broken: pods that were killed, or a network that drops idle connections.",
        ),
    ]
