"""Grafana's dashboards as code; outputs.py writes them into the chart."""

from typing import Any

from swapshop_operations.dashboards import api, cache, k6, mysql, overview, pipeline, redis


def dashboards() -> dict[str, dict[str, Any]]:
    """Return each dashboard's JSON by the name of its file."""
    return {
        "overview.json": overview.board(),
        "api.json": api.board(),
        "pipeline.json": pipeline.board(),
        "cache.json": cache.board(),
        "mysql.json": mysql.board(),
        "redis.json": redis.board(),
        "k6.json": k6.board(),
    }
