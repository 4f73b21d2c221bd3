"""Readiness: true once every required dependency has answered, until the drain begins."""

from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from swapshop_kit.health import Health, operations_router


@dataclass
class _Dependency:
    up: bool = False

    async def check(self) -> bool:
        return self.up


def _health() -> tuple[Health, _Dependency, _Dependency]:
    database, redis = _Dependency(), _Dependency()
    health = Health({"database": database.check}, {"redis": redis.check})
    return health, database, redis


async def _get(health: Health, path: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(operations_router(health))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        return await client.get(path)


async def test_a_service_is_unready_until_its_database_answered() -> None:
    health, database, redis = _health()
    redis.up = True
    before = await _get(health, "/readyz")
    database.up, redis.up = True, False
    after = await _get(health, "/readyz")

    assert (before.status_code, before.json()) == (
        503,
        {"ready": False, "draining": False, "dependencies": {"database": "away", "redis": "up"}},
    )
    assert (after.status_code, after.json()) == (
        200,
        {"ready": True, "draining": False, "dependencies": {"database": "up", "redis": "away"}},
    )


async def test_a_later_outage_is_named_but_keeps_the_service_ready() -> None:
    health, database, _ = _health()
    database.up = True
    await health.readiness()
    database.up = False
    answer = await _get(health, "/readyz")

    assert answer.status_code == 200
    assert answer.json()["dependencies"] == {"database": "away", "redis": "away"}


async def test_each_required_dependency_counts_when_it_answered_at_another_time() -> None:
    first, second = _Dependency(up=True), _Dependency()
    health = Health({"first": first.check, "second": second.check})
    await health.readiness()
    first.up, second.up = False, True

    assert (await health.readiness()).ready


async def test_a_draining_service_is_unready_and_alive() -> None:
    health, database, redis = _health()
    database.up = redis.up = True
    health.draining = True
    answer = await _get(health, "/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "draining": True,
        "dependencies": {"database": "up", "redis": "up"},
    }
    assert (await _get(health, "/livez")).json() == {"live": True}


async def test_liveness_asks_no_dependency() -> None:
    async def explode() -> bool:
        raise AssertionError("asked")

    answer = await _get(Health({"database": explode}), "/livez")

    assert answer.status_code == 200


async def test_two_services_in_one_process_do_not_share_what_they_saw() -> None:
    up = _Dependency(up=True)
    assert (await Health({"database": up.check}).readiness()).ready
    up.up = False
    assert not (await Health({"database": up.check}).readiness()).ready


async def test_metrics_are_in_prometheus_text_format() -> None:
    answer = await _get(Health({}), "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE http_server_request_duration_seconds histogram" in answer.text
