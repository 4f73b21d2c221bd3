"""The security log: who tried what from where, and what came of it, without an e-mail in it."""

from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from support.api.accounts import (
    CUSTOMER,
    NEW_PASSWORD,
    PASSWORD,
    POLLER_SECRET,
    Browser,
    api_container,
    api_settings,
    pass_time,
)
from support.security_log import Line, security_log
from support.stores.pairs import Stores
from swapshop_api.app import internal_app, whole_app
from swapshop_api.auth.domain.operators import promote
from swapshop_api.container import Container
from swapshop_kit.database import Database
from swapshop_kit.security_events import AccountReferences

ADDRESS = "203.0.113.5"
ACCOUNT = AccountReferences(POLLER_SECRET).of(CUSTOMER["email"])


@pytest.fixture
async def user_id(browser: Browser) -> str:
    """A new account's, whose session the browser has."""
    return str((await browser.register()).json()["user"]["id"])


def _login(outcome: str, **fields: str) -> Line:
    return {
        "event": "login",
        "outcome": outcome,
        "account": ACCOUNT,
        "address": ADDRESS,
        "route": "/api/auth/login",
        **fields,
    }


async def test_a_registration_and_a_taken_email(browser: Browser) -> None:
    with security_log() as events:
        created = await browser.register()
        await browser.register()

    common = {
        "event": "register",
        "account": ACCOUNT,
        "address": ADDRESS,
        "route": "/api/auth/register",
    }
    assert events == [
        {**common, "outcome": "ok", "actor": created.json()["user"]["id"]},
        {**common, "outcome": "refused", "reason": "email_taken"},
    ]


async def test_a_login_and_a_wrong_password(browser: Browser, user_id: str) -> None:
    with security_log() as events:
        await browser.login()
        await browser.login(password="wrong password!")

    assert events == [
        _login("ok", actor=user_id),
        _login("refused", actor=user_id, reason="wrong_credentials"),
    ]


async def test_logins_to_an_unknown_account_share_a_reference_that_is_not_the_email(
    browser: Browser,
) -> None:
    with security_log() as events:
        await browser.login(email="nobody@example.com")
        await browser.login(email="NOBODY@example.com ")
        await browser.login(email="somebody@example.com")

    first, second, third = (event["account"] for event in events)
    assert first == second != third
    assert "example.com" not in str(events)
    assert {event["outcome"] for event in events} == {"refused"}
    assert all("actor" not in event for event in events)


async def test_a_login_beyond_the_limit(
    stores: Stores, database: Database, redis: Redis, tmp_path: Path
) -> None:
    settings = api_settings(stores, tmp_path / "keys.json", login_per_account_per_minute=1)
    browser = Browser(whole_app(api_container(settings, database, redis)))
    with security_log() as events:
        await browser.login()
        await browser.login()

    assert events[1] == _login("limited", reason="too_many_requests")


async def test_a_logout_and_a_change_of_password(browser: Browser, user_id: str) -> None:
    token = (await browser.login()).json()["token"]
    with security_log() as events:
        await browser.change_password(token, "wrong password!", NEW_PASSWORD)
        await browser.change_password(token, PASSWORD, NEW_PASSWORD)
        await browser.logout()

    common = {"actor": user_id, "address": ADDRESS}
    changing = {**common, "event": "password_change", "route": "/api/auth/password"}
    assert events == [
        {**changing, "outcome": "refused", "reason": "wrong_password"},
        {**changing, "outcome": "ok", "sessions_ended": 1},
        {
            **common,
            "event": "logout",
            "outcome": "ok",
            "route": "/api/auth/logout",
            "family_id": events[2]["family_id"],
        },
    ]


async def test_a_used_refresh_token_that_comes_back(
    browser: Browser, user_id: str, database: Database
) -> None:
    used = browser.refresh_token
    assert used is not None
    await browser.refresh()
    await browser.refresh()
    await pass_time(database, timedelta(hours=1))
    browser.refresh_token = used
    with security_log() as events:
        await browser.refresh()

    assert [(each["event"], each["outcome"], each["actor"]) for each in events] == [
        ("refresh", "reused", user_id)
    ]
    assert events[0]["address"] == ADDRESS


async def test_a_page_that_asks_whether_it_is_signed_in_is_no_event(browser: Browser) -> None:
    with security_log() as events:
        await browser.refresh()
        await browser.get("/api/auth/me")

    assert events == []


async def test_a_service_with_wrong_credentials_and_one_without_a_token(
    container: Container,
) -> None:
    service = Browser(internal_app(container), address="10.1.2.3")
    form = {
        "grant_type": "client_credentials",
        "client_id": "poller",
        "client_secret": POLLER_SECRET,
    }
    with security_log() as events:
        await service.post("/internal/auth/token", data={**form, "client_secret": "wrong"})
        await service.post("/internal/auth/token", data=form)
        await service.post("/internal/dispatch/leases", json={})

    common = {"address": "10.1.2.3"}
    token = {**common, "event": "client_login", "route": "/internal/auth/token"}
    assert events == [
        {**token, "outcome": "refused", "reason": "client_refused"},
        {**token, "outcome": "ok", "actor": "poller"},
        {
            **common,
            "event": "access",
            "outcome": "refused",
            "reason": "unauthenticated",
            "route": "/internal/dispatch/leases",
        },
    ]


async def test_a_change_of_a_role_is_logged_as_the_audit_has_it(
    user_id: str, container: Container
) -> None:
    with security_log() as events:
        await promote(container.database, CUSTOMER["email"])
        await promote(container.database, CUSTOMER["email"])

    assert events == [
        {
            "event": "audit",
            "outcome": "ok",
            "actor": "command-line",
            "action": "user.promoted",
            "subject": user_id,
        }
    ]
