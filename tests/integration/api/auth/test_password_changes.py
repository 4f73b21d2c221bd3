"""A change of password ends every other session, even one that is just beginning."""

import asyncio

import pytest
from fastapi import FastAPI

from support.api.accounts import NEW_PASSWORD, PASSWORD, Browser, app_with_passwords, rows_of
from swapshop_api.auth.models import refresh_families
from swapshop_api.auth.passwords import ANYBODY, Party, Passwords
from swapshop_api.container import Container


async def test_a_new_password_ends_every_other_session(app: FastAPI, browser: Browser) -> None:
    token = (await browser.register()).json()["token"]
    others = [Browser(app), Browser(app)]
    for other in others:
        await other.login()

    answer = await browser.change_password(token, PASSWORD, NEW_PASSWORD)
    assert answer.status_code == 204
    assert answer.content == b""
    assert [(await other.refresh()).status_code for other in others] == [401, 401]
    assert (await browser.refresh()).status_code == 200
    assert (await browser.login()).status_code == 401
    assert (await browser.login(password=NEW_PASSWORD)).status_code == 200


async def test_a_new_password_leaves_other_accounts_alone(app: FastAPI, browser: Browser) -> None:
    token = (await browser.register()).json()["token"]
    other = Browser(app)
    await other.register(email="eva@example.com")

    await browser.change_password(token, PASSWORD, NEW_PASSWORD)
    assert (await other.refresh()).status_code == 200


@pytest.mark.parametrize("cookie", [None, "garbage"])
async def test_without_a_cookie_a_new_password_ends_every_session(
    app: FastAPI, browser: Browser, cookie: str | None
) -> None:
    token = (await browser.register()).json()["token"]
    script = Browser(app)
    if cookie is not None:
        script.refresh_token = cookie

    assert (await script.change_password(token, PASSWORD, NEW_PASSWORD)).status_code == 204
    assert (await browser.refresh()).status_code == 401


async def test_a_wrong_current_password_changes_nothing(browser: Browser) -> None:
    token = (await browser.register()).json()["token"]

    answer = await browser.change_password(token, "wrong password", NEW_PASSWORD)
    assert answer.status_code == 403
    assert answer.json()["code"] == "wrong_password"
    assert (await browser.login()).status_code == 200


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (PASSWORD, "password_unchanged"),
        ("qwertyuiop12", "password_guessable"),
        ("Ana.Example.2024", "password_personal"),
    ],
)
async def test_a_new_password_that_is_easy_to_guess_changes_nothing(
    browser: Browser, new: str, code: str
) -> None:
    token = (await browser.register()).json()["token"]

    answer = await browser.change_password(token, PASSWORD, new)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("new", code)]
    assert (await browser.login()).status_code == 200


async def test_who_does_not_know_the_current_password_learns_nothing_of_the_new(
    browser: Browser,
) -> None:
    token = (await browser.register()).json()["token"]

    answer = await browser.change_password(token, "qwertyuiop12", "qwertyuiop12")
    assert answer.json()["code"] == "wrong_password"


async def test_of_concurrent_password_changes_one_succeeds(browser: Browser) -> None:
    token = (await browser.register()).json()["token"]
    new = [f"{NEW_PASSWORD} {number}" for number in range(4)]
    answers = await asyncio.gather(
        *(browser.change_password(token, PASSWORD, password) for password in new)
    )

    assert sorted(answer.status_code for answer in answers) == [204, 403, 403, 403]
    logins = [await browser.login(password=password) for password in new]
    assert [login.status_code == 200 for login in logins] == [
        answer.status_code == 204 for answer in answers
    ]


async def test_a_login_whose_password_is_changed_meanwhile_begins_no_session(
    browser: Browser, container: Container
) -> None:
    token = (await browser.register()).json()["token"]

    class OvertakenPasswords(Passwords):
        async def verify(
            self, password: str, stored: str | None, party: Party = ANYBODY
        ) -> tuple[bool, str | None]:
            verdict = await super().verify(password, stored, party)
            await browser.change_password(token, PASSWORD, NEW_PASSWORD)
            return verdict

    slow = Browser(app_with_passwords(container, OvertakenPasswords(memory_kib=8)))
    answer = await slow.login()

    assert answer.status_code == 401
    assert slow.refresh_token is None
    assert len(await rows_of(container.database, refresh_families)) == 1, "the registration's"
