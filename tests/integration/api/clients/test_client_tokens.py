"""The poller's token over HTTP, and the published keys."""

from pathlib import Path

import jwt
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from support.api.accounts import POLLER_SECRET, Browser, api_container, api_settings
from support.stores.pairs import Stores
from swapshop_api.app import whole_app
from swapshop_api.container import Container
from swapshop_kit.access_tokens import KeySet
from swapshop_kit.database import Database

_TOKEN = "/internal/auth/token"
_FORM = {
    "grant_type": "client_credentials",
    "client_id": "poller",
    "client_secret": POLLER_SECRET,
}
_PREVIOUS = "made-up-former-secret-of-32-bytes!"


async def test_the_poller_gets_a_token_of_the_internal_audience(
    browser: Browser, container: Container
) -> None:
    answer = await browser.post(_TOKEN, data=_FORM)

    assert answer.status_code == 200
    body = answer.json()
    assert body == {"access_token": body["access_token"], "token_type": "Bearer", "expires_in": 600}
    assert answer.headers["Cache-Control"] == "no-store"
    claims = await container.internal_tokens.verify(body["access_token"])
    assert (claims.sub, claims.rol, claims.exp - claims.iat) == ("poller", "service", 600)


async def test_the_credentials_may_come_by_basic(browser: Browser) -> None:
    form = {"grant_type": "client_credentials"}
    answer = await browser.post(_TOKEN, data=form, auth=("poller", POLLER_SECRET))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"client_id": "other"},
        {"client_secret": "wrong"},
        {"client_secret": ""},
        {"client_secret": _PREVIOUS},
        {"client_id": "ñ", "client_secret": "ñ"},
    ],
)
async def test_wrong_credentials_are_refused(browser: Browser, credentials: dict[str, str]) -> None:
    answer = await browser.post(_TOKEN, data=_FORM | credentials)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="swapshop"'
    assert answer.json()["error"] == "invalid_client"
    assert answer.json()["code"] == "client_refused"


async def test_while_the_secret_is_rotated_the_former_one_is_accepted(
    stores: Stores, database: Database, redis: Redis, tmp_path: Path
) -> None:
    settings = api_settings(
        stores, tmp_path / "keys.json", poller_client_secret_previous=SecretStr(_PREVIOUS)
    )
    browser = Browser(whole_app(api_container(settings, database, redis)))

    for secret in (POLLER_SECRET, _PREVIOUS):
        answer = await browser.post(_TOKEN, data=_FORM | {"client_secret": secret})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "poller"}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
async def test_another_grant_is_refused(browser: Browser, form: dict[str, str], error: str) -> None:
    answer = await browser.post(_TOKEN, data=form)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["error"] == error


async def test_a_body_beyond_the_internal_limit_is_refused(browser: Browser) -> None:
    answer = await browser.post(_TOKEN, data=_FORM | {"x": "x" * 1024 * 1024})

    assert answer.status_code == 413


async def test_the_published_keys_verify_what_was_signed(app: FastAPI, browser: Browser) -> None:
    token = (await browser.register()).json()["token"]
    answer = await Browser(app, origin=None).get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    keys = KeySet.from_jwks(answer.json())
    assert list(keys.keys) == [jwt.get_unverified_header(token)["kid"]]
    assert all("d" not in key for key in answer.json()["keys"])
