"""Accounts over HTTP: made, signed in to, looked at."""

import asyncio
import threading
import time

import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.accounts import (
    CUSTOMER,
    LOCAL_ORIGIN,
    NEW_PASSWORD,
    PASSWORD,
    Browser,
    app_with_passwords,
    rows_of,
)
from support.waiting import until
from swapshop_api.auth.models import refresh_families, refresh_tokens, users
from swapshop_api.auth.passwords import ANYBODY, Party, Passwords
from swapshop_api.auth.rotation import decode_token, hash_of
from swapshop_api.container import Container
from swapshop_kit.access_tokens import Claims
from swapshop_kit.ids import is_canonical_id


class _RecordingPasswords(Passwords):
    """Notes what it was asked to verify against."""

    def __init__(self) -> None:
        super().__init__(memory_kib=8)
        self.verified: list[str | None] = []

    async def verify(
        self, password: str, stored: str | None, party: Party = ANYBODY
    ) -> tuple[bool, str | None]:
        self.verified.append(stored)
        return await super().verify(password, stored, party)


async def test_registering_makes_an_account_and_signs_it_in(
    browser: Browser, container: Container
) -> None:
    answer = await browser.register(nombre=" Ana ", email=" Ana@Example.com ")

    assert answer.status_code == 201
    body = answer.json()
    assert is_canonical_id(body["user"].pop("id"))
    assert body["user"] == {"nombre": "Ana", "email": "ana@example.com", "rol": "customer"}
    assert set(body) == {"token", "expires_in", "user"}
    assert body["expires_in"] == 600
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.refresh_token is not None
    (user,) = await rows_of(container.database, users)
    assert user["email"] == "ana@example.com"
    assert user["password_hash"].startswith("$argon2id$")


async def test_the_access_token_says_who_for_ten_minutes(
    browser: Browser, container: Container
) -> None:
    before = int(time.time())
    body = (await browser.register()).json()

    claims = await container.public_tokens.verify(body["token"])
    assert claims == Claims(
        iss="swapshop",
        aud="swapshop",
        sub=body["user"]["id"],
        exp=claims.iat + 600,
        iat=claims.iat,
        jti=claims.jti,
        rol="customer",
        nombre="Ana",
        sid=claims.sid,
    )
    assert before <= claims.iat <= time.time()
    assert is_canonical_id(claims.jti)


async def test_only_a_hash_of_the_refresh_token_is_stored(
    browser: Browser, container: Container
) -> None:
    await browser.register()

    token = decode_token(browser.refresh_token)
    assert token is not None
    (row,) = await rows_of(container.database, refresh_tokens)
    (family,) = await rows_of(container.database, refresh_families)
    assert row["token_hash"] == hash_of(token)
    assert row["expires_at"] >= family["expires_at"], "housekeeping must not take it earlier"
    assert (family["expires_at"] - family["created_at"]).days == 30


async def test_the_cookie_lives_as_long_as_the_session(browser: Browser) -> None:
    answer = await browser.register()

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Secure-swapshop_refresh=")
    assert "Max-Age=2592000" in cookie


async def test_a_page_on_plain_http_gets_a_cookie_that_works_there(app: FastAPI) -> None:
    for origin in (LOCAL_ORIGIN, None):
        browser = Browser(app, origin=origin, host=LOCAL_ORIGIN)
        answer = await browser.register(email=f"{bool(origin)}@example.com")
        assert answer.headers["set-cookie"].startswith("swapshop_refresh=")
        assert "Secure" not in answer.headers["set-cookie"]


async def test_one_email_is_one_account_however_it_is_written(browser: Browser) -> None:
    assert (await browser.register()).status_code == 201

    answer = await browser.register(email="ANA@EXAMPLE.COM")
    assert answer.status_code == 409
    assert answer.json()["code"] == "email_taken"


async def test_an_internationalized_domain_is_one_account_in_each_spelling(
    browser: Browser,
) -> None:
    made = await browser.register(email="ana@España.example")
    assert made.json()["user"]["email"] == "ana@xn--espaa-rta.example"

    again = await browser.register(email="ana@xn--espaa-rta.example")
    assert again.json()["code"] == "email_taken"
    assert (await browser.login(email="ana@espan\u0303a.example")).status_code == 200


async def test_a_domain_that_looks_like_another_is_another_account(browser: Browser) -> None:
    assert (await browser.register()).status_code == 201

    look_alike = await browser.register(email="ana@ex\u0430mple.com")
    assert look_alike.status_code == 201
    assert look_alike.json()["user"]["email"] == "ana@xn--exmple-4nf.com"


async def test_of_concurrent_registrations_of_one_email_one_succeeds(app: FastAPI) -> None:
    answers = await asyncio.gather(*(Browser(app).register() for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_signing_in_returns_the_account(browser: Browser) -> None:
    registered = (await browser.register()).json()
    before = browser.refresh_token
    answer = await browser.login(email="ANA@example.com")

    assert answer.status_code == 200
    assert answer.json()["user"] == registered["user"]
    assert browser.refresh_token not in (None, before)


async def test_an_unknown_user_and_a_wrong_password_get_one_answer_after_equal_work(
    container: Container,
) -> None:
    passwords = _RecordingPasswords()
    browser = Browser(app_with_passwords(container, passwords))
    await browser.register()
    wrong = await browser.login(password="wrong password")
    unknown = await browser.login(email="nobody@example.com")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    names = set(wrong.headers) - {"x-request-id"}
    assert names == set(unknown.headers) - {"x-request-id"}
    assert wrong.headers["WWW-Authenticate"] == "Bearer"
    known, nobody = passwords.verified
    assert known is not None
    assert nobody is None


async def test_a_hash_of_another_cost_is_renewed_at_the_next_login(
    browser: Browser, container: Container
) -> None:
    await browser.register()
    stronger = Browser(app_with_passwords(container, Passwords(memory_kib=16)))

    answers = await asyncio.gather(*(stronger.login() for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    (user,) = await rows_of(container.database, users)
    assert "m=16," in user["password_hash"]
    assert (await browser.login()).status_code == 200


async def test_a_full_queue_answers_503(container: Container) -> None:
    passwords = Passwords(memory_kib=8, max_waiting=0, concurrency=1)
    browser = Browser(app_with_passwords(container, passwords))
    await browser.register()
    gate, running = threading.Event(), threading.Event()

    def work() -> None:
        running.set()
        gate.wait(10)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(passwords.run(work))
        await until(running.is_set)
        answer = await browser.login()
        gate.set()

    assert answer.status_code == 503
    assert answer.json()["code"] == "busy"
    assert answer.headers["Retry-After"] == "2"
    assert (await browser.login()).status_code == 200


async def test_me_is_the_account_of_the_token(browser: Browser) -> None:
    body = (await browser.register()).json()
    headers = {"Authorization": f"Bearer {body['token']}"}

    answer = await browser.get("/api/auth/me", headers=headers)
    assert answer.status_code == 200
    assert answer.json() == body["user"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_without_a_token_there_is_no_me(browser: Browser, container: Container) -> None:
    client = container.clients.issue_token(
        "poller", container.settings.poller_client_secret.get_secret_value()
    )
    headers = {"Authorization": f"Bearer {client}"}

    assert (await browser.get("/api/auth/me")).status_code == 401
    assert (await browser.get("/api/auth/me", headers=headers)).status_code == 401


async def test_a_deleted_account_has_no_session(browser: Browser, container: Container) -> None:
    headers = {"Authorization": f"Bearer {(await browser.register()).json()['token']}"}

    async def delete_users(connection: AsyncConnection) -> None:
        await connection.execute(delete(users))

    await container.database.transaction(delete_users)
    assert (await browser.get("/api/auth/me", headers=headers)).status_code == 401
    assert (await browser.refresh()).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"email": "ana"}, "email", "email_invalid"),
        ({"email": "b\u043ess@example.com"}, "email", "email_not_ascii"),
        ({"password": "short"}, "password", "string_too_short"),
        ({"password": "password1234"}, "password", "password_guessable"),
        ({"password": "swapshop1234"}, "password", "password_personal"),
        ({"password": "Ana.Example.2024"}, "password", "password_personal"),
        ({"nombre": " "}, "nombre", "string_too_short"),
        ({"rol": "operator"}, "rol", "extra_forbidden"),
    ],
)
async def test_what_is_refused_is_named(
    browser: Browser, changes: dict[str, str], field: str, code: str
) -> None:
    answer = await browser.register(**changes)

    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


async def test_no_personal_data_is_logged(browser: Browser) -> None:
    with structlog.testing.capture_logs() as lines:
        token = (await browser.register()).json()["token"]
        await browser.login(password="wrong password")
        await browser.login()
        await browser.change_password(token, PASSWORD, NEW_PASSWORD)
        await browser.refresh()
        await browser.logout()

    assert {"request", "security.password_change"} <= {line["event"] for line in lines}
    for secret in (*CUSTOMER.values(), NEW_PASSWORD, "wrong password", token):
        assert secret not in str(lines)
    # Security events name the client's address; no other line does.
    others = [line for line in lines if not line["event"].startswith("security.")]
    assert "203.0.113.5" not in str(others)
