"""Security events: each is counted and logged with its actor, address and outcome."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from support.counters import rise_of
from swapshop_kit import security_events
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.problems import Forbidden, NotFound, Problem, Text, Unauthenticated
from swapshop_kit.security_events import OUTCOMES, SECURITY_EVENTS, AccountReferences
from swapshop_kit.web import create_app, router


class _Limited(Problem):
    code = "limited"
    status = 429
    es = Text("Límite", "Espere.")
    en = Text("Limit", "Wait.")


def _app(*, trusted_callers: bool = False) -> FastAPI:
    routes = router(tag="test")

    @routes.get("/ends/{how}")
    async def end(how: str) -> None:
        problems = {
            "unauthenticated": Unauthenticated,
            "forbidden": Forbidden,
            "limited": _Limited,
            "missing": NotFound,
        }
        raise problems[how]

    @routes.get("/attempts/{how}")
    async def attempt(how: str) -> None:
        security_events.attempt("login", account="0011223344556677")
        if how == "ok":
            security_events.record("login", actor="user-1")
            return
        await end(how)

    @routes.get("/identified")
    async def identified() -> None:
        security_events.identify("user-2")
        raise Forbidden

    return create_app(
        "test",
        "0",
        [routes],
        trusted_callers=trusted_callers,
        proxies=TrustedProxies(["10.0.0.0/8"]),
    )


@pytest.fixture
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as captured:
        yield captured


async def _get(app: FastAPI, path: str, **headers: str) -> None:
    transport = httpx.ASGITransport(app, client=("10.1.1.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get(path, headers={"x-forwarded-for": "203.0.113.5", **headers})


def _events(logs: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [line for line in logs if line["event"].startswith("security.")]


async def test_a_success_is_logged_with_actor_and_the_client_s_address(
    logs: list[MutableMapping[str, Any]],
) -> None:
    rise = rise_of("swapshop_security_events_total", event="login", outcome="ok")

    await _get(_app(), "/attempts/ok")

    assert _events(logs) == [
        {
            "event": "security.login",
            "log_level": "info",
            "outcome": "ok",
            "actor": "user-1",
            "account": "0011223344556677",
            "address": "203.0.113.5",
            "route": "/attempts/{how}",
        }
    ]
    assert rise() == 1


@pytest.mark.parametrize(
    ("how", "outcome", "reason"),
    [
        ("unauthenticated", "refused", "unauthenticated"),
        ("forbidden", "refused", "forbidden"),
        ("limited", "limited", "limited"),
    ],
)
async def test_a_refused_attempt_is_recorded_under_its_name(
    logs: list[MutableMapping[str, Any]], how: str, outcome: str, reason: str
) -> None:
    await _get(_app(), f"/attempts/{how}")

    assert _events(logs) == [
        {
            "event": "security.login",
            "log_level": "warning",
            "outcome": outcome,
            "reason": reason,
            "account": "0011223344556677",
            "address": "203.0.113.5",
            "route": "/attempts/{how}",
        }
    ]


async def test_a_refused_token_is_an_event(logs: list[MutableMapping[str, Any]]) -> None:
    await _get(_app(), "/ends/unauthenticated", authorization="Bearer no-token")

    assert [(each["event"], each["reason"]) for each in _events(logs)] == [
        ("security.access", "unauthenticated")
    ]


async def test_a_stranger_without_a_token_is_none_on_a_public_port(
    logs: list[MutableMapping[str, Any]],
) -> None:
    await _get(_app(), "/ends/unauthenticated")
    await _get(_app(), "/ends/missing", authorization="Bearer no-token")

    assert _events(logs) == []


async def test_a_service_without_a_token_is_an_event(logs: list[MutableMapping[str, Any]]) -> None:
    await _get(_app(trusted_callers=True), "/ends/unauthenticated")

    assert [each["event"] for each in _events(logs)] == ["security.access"]


async def test_a_verified_caller_is_the_actor_of_a_refusal(
    logs: list[MutableMapping[str, Any]],
) -> None:
    await _get(_app(), "/identified")

    assert [each["actor"] for each in _events(logs)] == ["user-2"]


def test_outside_a_request_an_event_has_no_address(logs: list[MutableMapping[str, Any]]) -> None:
    security_events.record("audit", actor="command-line", subject="user-3")

    assert _events(logs) == [
        {
            "event": "security.audit",
            "log_level": "info",
            "outcome": "ok",
            "actor": "command-line",
            "subject": "user-3",
        }
    ]


def test_an_account_s_reference_is_stable_and_does_not_tell_the_email() -> None:
    references = AccountReferences("one-secret-of-all-processes-32-byte")
    reference = references.of("ana@example.com")

    assert reference == AccountReferences("one-secret-of-all-processes-32-byte").of(
        "ana@example.com"
    )
    assert (
        len(
            {
                reference,
                references.of("bob@example.com"),
                AccountReferences("other").of("ana@example.com"),
            }
        )
        == 3
    )
    assert "ana" not in reference


def test_every_outcome_of_every_event_is_counted_from_zero() -> None:
    exported = {
        (sample.labels["event"], sample.labels["outcome"])
        for metric in SECURITY_EVENTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }

    assert exported >= {(event, each) for event, outcomes in OUTCOMES.items() for each in outcomes}
