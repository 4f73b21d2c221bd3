"""Sessions over HTTP: a lost answer logs nobody out, a stolen token ends its session."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from support.api.accounts import LOCAL_ORIGIN, Browser, pass_time
from swapshop_api.container import Container

_SECONDS_BEYOND = timedelta(seconds=16)


def _reuses() -> float:
    labels = {"event": "refresh", "outcome": "reused"}
    return REGISTRY.get_sample_value("swapshop_security_events_total", labels) or 0.0


@pytest.fixture
async def token(browser: Browser) -> str:
    """The refresh token of a new session."""
    await browser.register()
    assert browser.refresh_token is not None
    return browser.refresh_token


async def _exchange(browser: Browser, token: str) -> tuple[int, str | None]:
    """Present a token; returns the status and the successor."""
    browser.refresh_token = token
    answer = await browser.refresh()
    return answer.status_code, browser.refresh_token if answer.status_code == 200 else None


async def _successor(browser: Browser, token: str) -> str:
    status, successor = await _exchange(browser, token)
    assert status == 200
    assert successor is not None
    return successor


async def test_a_refresh_gives_a_new_cookie_and_access_token(
    browser: Browser, token: str, container: Container
) -> None:
    answer = await browser.refresh()

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "expires_in", "user"}
    assert (await container.public_tokens.verify(body["token"])).sub == body["user"]["id"]
    assert browser.refresh_token not in (None, token)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_session_can_be_refreshed_again_and_again(browser: Browser, token: str) -> None:
    seen = {token}
    for _ in range(5):
        token = await _successor(browser, token)
        assert token not in seen
        seen.add(token)


async def test_within_fifteen_seconds_a_lost_answer_is_given_again(
    browser: Browser, token: str, container: Container
) -> None:
    successor = await _successor(browser, token)
    await pass_time(container.database, timedelta(seconds=10))

    assert await _successor(browser, token) == successor
    assert await _successor(browser, successor) not in (token, successor)


async def test_later_a_lost_answer_gets_a_sibling_each_time(
    browser: Browser, token: str, container: Container
) -> None:
    lost = await _successor(browser, token)
    await pass_time(container.database, _SECONDS_BEYOND)

    siblings = [await _successor(browser, token) for _ in range(3)]
    assert len({token, lost, *siblings}) == 5
    assert await _successor(browser, siblings[-1]) not in {token, lost, *siblings}


async def test_a_late_request_of_a_paused_pod_ends_nobodys_session(
    browser: Browser, token: str, container: Container
) -> None:
    """The client gave up on it, and was answered by another pod meanwhile."""
    successor = await _successor(browser, token)
    await pass_time(container.database, timedelta(seconds=17))
    before = _reuses()

    late = await _successor(browser, token)
    latest = await _successor(browser, successor)
    assert late != successor
    assert await _successor(browser, latest)
    assert _reuses() == before


@pytest.mark.parametrize("used", [0, 1, 2])
async def test_of_siblings_the_first_that_is_used_makes_the_others_void(
    browser: Browser, token: str, container: Container, used: int
) -> None:
    siblings = [await _successor(browser, token)]
    await pass_time(container.database, _SECONDS_BEYOND)
    siblings += [await _successor(browser, token) for _ in range(2)]
    latest = await _successor(browser, siblings[used])
    before = _reuses()

    assert await _exchange(browser, token) == (409, None), "a tab that comes second"
    assert _reuses() == before
    assert await _exchange(browser, siblings[used - 1]) == (401, None)
    assert _reuses() == before + 1
    for other in (*siblings, latest, token):
        assert await _exchange(browser, other) == (401, None)
    assert _reuses() == before + 1, "a session is revoked once"


@pytest.mark.parametrize("used", [0, 1])
async def test_a_token_presented_long_after_one_of_its_siblings_was_used_ends_the_session(
    browser: Browser, token: str, container: Container, used: int
) -> None:
    siblings = [await _successor(browser, token)]
    await pass_time(container.database, _SECONDS_BEYOND)
    siblings.append(await _successor(browser, token))
    latest = await _successor(browser, siblings[used])
    await pass_time(container.database, _SECONDS_BEYOND)

    assert await _exchange(browser, token) == (401, None)
    assert await _exchange(browser, latest) == (401, None)


async def test_ten_minutes_after_its_use_a_token_ends_its_session(
    browser: Browser, token: str, container: Container
) -> None:
    """Those who kept a copy of it: whoever lost the answer asks sooner."""
    successor = await _successor(browser, token)
    await pass_time(container.database, timedelta(seconds=590))
    assert await _successor(browser, token) != successor
    await pass_time(container.database, timedelta(seconds=11))
    before = _reuses()

    assert await _exchange(browser, token) == (401, None)
    assert _reuses() == before + 1
    assert await _exchange(browser, successor) == (401, None)


async def test_a_tab_that_comes_second_is_told_to_repeat(browser: Browser, token: str) -> None:
    successor = await _successor(browser, token)
    latest = await _successor(browser, successor)
    browser.refresh_token = token
    answer = await browser.refresh()

    assert answer.status_code == 409
    assert answer.json()["code"] == "refresh_conflict"
    assert answer.headers["Retry-After"] == "1"
    assert "set-cookie" not in answer.headers
    assert (await _exchange(browser, latest))[0] == 200


async def test_a_token_presented_long_after_its_successor_was_used_ends_the_session(
    browser: Browser, token: str, container: Container
) -> None:
    successor = await _successor(browser, token)
    latest = await _successor(browser, successor)
    await pass_time(container.database, _SECONDS_BEYOND)
    before = _reuses()
    browser.refresh_token = token
    answer = await browser.refresh()

    assert answer.status_code == 401
    assert answer.json()["code"] == "session_ended"
    assert _reuses() == before + 1
    assert await _exchange(browser, latest) == (401, None)


async def test_revoking_one_session_leaves_the_users_others(
    app: FastAPI, browser: Browser, token: str, container: Container
) -> None:
    other = Browser(app)
    await other.login()
    successor = await _successor(browser, token)
    await _successor(browser, successor)
    await pass_time(container.database, _SECONDS_BEYOND)
    await _exchange(browser, token)

    assert (await other.refresh()).status_code == 200


async def test_a_session_ends_after_thirty_days_however_often_it_was_refreshed(
    browser: Browser, token: str, container: Container
) -> None:
    for _ in range(29):
        await pass_time(container.database, timedelta(days=1))
        token = await _successor(browser, token)
    await pass_time(container.database, timedelta(hours=23))
    browser.refresh_token = token
    answer = await browser.refresh()
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    seconds = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert 3300 < seconds <= 3600
    latest = browser.refresh_token
    assert latest is not None
    await pass_time(container.database, timedelta(hours=1))

    before = _reuses()
    assert await _exchange(browser, latest) == (401, None)
    assert await _exchange(browser, token) == (401, None)
    assert _reuses() == before, "an old session is no theft"


@pytest.mark.parametrize("cookie", ["", "garbage", "A" * 43, "é" * 43, "A" * 4000])
async def test_an_unknown_token_is_refused(app: FastAPI, cookie: str) -> None:
    header = f"__Secure-swapshop_refresh={cookie}".encode()
    answer = await Browser(app).post("/api/auth/refresh", headers={b"Cookie": header})

    assert answer.status_code == 401
    assert answer.json()["code"] == "session_ended"


async def test_no_cookie_is_no_session(app: FastAPI) -> None:
    assert (await Browser(app).refresh()).status_code == 401


async def test_logging_out_ends_the_session_and_the_cookie(browser: Browser, token: str) -> None:
    answer = await browser.logout()

    assert answer.status_code == 204
    assert answer.headers["set-cookie"].startswith('__Secure-swapshop_refresh=""')
    assert browser.refresh_token is None
    assert await _exchange(browser, token) == (401, None)


async def test_logging_out_with_a_used_token_ends_the_session_too(
    browser: Browser, token: str
) -> None:
    successor = await _successor(browser, token)
    browser.refresh_token = token

    assert (await browser.logout()).status_code == 204
    assert await _exchange(browser, successor) == (401, None)


@pytest.mark.parametrize("cookie", [None, "garbage", "A" * 43])
async def test_logging_out_of_nothing_is_done_at_once(app: FastAPI, cookie: str | None) -> None:
    browser = Browser(app)
    if cookie is not None:
        browser.refresh_token = cookie

    assert (await browser.logout()).status_code == 204


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://shop.example"])
@pytest.mark.parametrize("path", ["/api/auth/refresh", "/api/auth/logout"])
async def test_refresh_and_logout_demand_the_pages_origin(
    app: FastAPI, browser: Browser, token: str, origin: str | None, path: str
) -> None:
    other = Browser(app, origin=origin)
    other.refresh_token = token
    answer = await other.post(path)

    assert answer.status_code == 403
    assert answer.json()["code"] == "origin_refused"
    assert (await _exchange(browser, token))[0] == 200


async def test_two_origins_are_a_foreign_one(app: FastAPI, token: str) -> None:
    browser = Browser(app, origin=None)
    browser.refresh_token = token
    own = ("Origin", LOCAL_ORIGIN)

    answer = await browser.post("/api/auth/refresh", headers=[own, own])
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "statuses"),
    [(None, [201, 200]), ("https://evil.example", [403, 403]), ("null", [403, 403])],
)
async def test_register_and_login_refuse_only_a_foreign_origin(
    app: FastAPI, origin: str | None, statuses: list[int]
) -> None:
    browser = Browser(app, origin=origin)
    if 403 in statuses:
        await Browser(app).register()

    answers = [await browser.register(), await browser.login()]
    assert [answer.status_code for answer in answers] == statuses
