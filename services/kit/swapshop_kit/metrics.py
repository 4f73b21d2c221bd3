"""Metrics of every service, in Prometheus' default registry."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Gauge, Histogram
from sqlalchemy.pool import QueuePool

from swapshop_kit.build_info import report_build
from swapshop_kit.database import Database

__all__ = [
    "ACTIVE_REQUESTS",
    "METHODS",
    "OTHER_METHOD",
    "REQUEST_DURATION",
    "count_from_zero",
    "report_build",
    "report_durability",
    "watch_pool",
]

METHODS: Final = (
    *("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS"),
    *("PATCH", "POST", "PUT", "QUERY", "TRACE"),
)
OTHER_METHOD: Final = "_OTHER"
"""Label of any other method: callers must not be able to create labels."""

_ACTIVE: Final = Gauge(
    "http_server_active_requests",
    "Requests whose answer is not finished, open streams too.",
    ["http_request_method"],
)
ACTIVE_REQUESTS: Final = {method: _ACTIVE.labels(method) for method in (*METHODS, OTHER_METHOD)}
"""Gauges by method, looked up once because every request uses one twice."""

REQUEST_DURATION: Final = Histogram(
    "http_server_request_duration_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_CONNECTIONS: Final = Gauge(
    "db_client_connection_count", "Connections of a database pool.", ["pool", "state"]
)
_DURABLE: Final = Gauge(
    "swapshop_database_durable",
    "1 when the database flushes every COMMIT to disk, else 0.",
    ["pool"],
)


def count_from_zero(method: str, route: str, statuses: Iterable[int]) -> None:
    """Export a route's series of these statuses before the first such answer.

    ``increase()`` only works within an existing series: a counter that first appears at 1 shows no
    increase. Each status adds one series per bucket, plus three.
    """
    for status in statuses:
        REQUEST_DURATION.labels(method, route, status)


def watch_pool(name: str, database: Database) -> None:
    """Export the number of a pool's idle and used connections under a name."""
    pool = database.engine.pool
    if isinstance(pool, QueuePool):
        _CONNECTIONS.labels(pool=name, state="used").set_function(pool.checkedout)
        _CONNECTIONS.labels(pool=name, state="idle").set_function(pool.checkedin)


def report_durability(name: str, durable: bool) -> None:
    """Export whether a pool's database flushes every COMMIT to disk."""
    _DURABLE.labels(pool=name).set(durable)
