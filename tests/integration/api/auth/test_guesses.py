"""Guessing over many networks and login storms, with the limits as they are by default."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from support.api.accounts import (
    NEW_PASSWORD,
    ORIGIN,
    PASSWORD,
    POLLER_SECRET,
    Browser,
    api_container,
    cheap_passwords,
)
from support.stores.pairs import Stores
from swapshop_api.app import whole_app
from swapshop_api.auth.cookies import SECURE_DEVICE_NAME
from swapshop_api.auth.passwords import Passwords
from swapshop_api.settings import ApiSettings
from swapshop_kit.database import Database

_HOME = "203.0.113.5"


@pytest.fixture
def settings(stores: Stores, tmp_path: Path) -> ApiSettings:
    values: dict[str, Any] = {
        "database_url": stores.database_url,
        "redis_url": stores.redis_url,
        "signing_keys_file": tmp_path / "keys.json",
        "public_origins": [ORIGIN],
        "poller_client_secret": POLLER_SECRET,
    }
    return ApiSettings(**values)


@pytest.fixture
def app(settings: ApiSettings, database: Database, redis: Redis) -> FastAPI:
    container = api_container(settings, database, redis, passwords=cheap_passwords())
    return whole_app(container)


async def _guess(app: FastAPI, email: str) -> list[int]:
    """One wrong password from each of 40 networks."""
    statuses: list[int] = []
    for number in range(40):
        stranger = Browser(app, address=f"2001:db8:{number:x}::1")
        statuses.append((await stranger.login(email=email, password="wrong pass")).status_code)
    return statuses


@pytest.mark.parametrize("email", ["ana@example.com", "nobody@example.com"])
async def test_guesses_from_ever_new_networks_are_counted_at_the_account(
    app: FastAPI, email: str
) -> None:
    owner = Browser(app, address=_HOME)
    await owner.register()

    assert await _guess(app, email) == [401] * 10 + [429] * 30
    stranger = Browser(app, address="198.51.100.9")
    assert (await stranger.login(email="eva@example.com")).status_code == 401, "another account"


async def test_a_device_that_signed_in_before_is_not_shut_out_by_guesses(app: FastAPI) -> None:
    owner, other_device = Browser(app, address=_HOME), Browser(app, address="198.51.100.9")
    await owner.register()
    await _guess(app, "ana@example.com")

    assert (await owner.login()).status_code == 200
    assert (await other_device.login()).status_code == 429


async def test_a_known_device_is_not_locked_out_by_a_stranger_at_the_same_address(
    app: FastAPI,
) -> None:
    """As behind a proxy that shows one address for everybody."""
    owner, stranger = Browser(app, address=_HOME), Browser(app, address=_HOME)
    token = (await owner.register()).json()["token"]
    statuses = [
        (await stranger.login(email=f"{number // 12}@example.com")).status_code
        for number in range(72)
    ]
    assert statuses == ([401] * 10 + [429] * 2) * 6
    assert (await stranger.login(email="eva@example.com")).status_code == 429, "the address"

    assert (await owner.login()).status_code == 200
    assert (await owner.change_password(token, PASSWORD, NEW_PASSWORD)).status_code == 204


async def test_the_known_devices_of_an_account_share_a_limit(app: FastAPI) -> None:
    """Nobody takes the queue for hashes with a right password of his own."""
    owner, other_device = Browser(app, address=_HOME), Browser(app, address="198.51.100.9")
    await owner.register()
    await other_device.login()
    devices = (owner, other_device)
    statuses = [(await devices[number % 2].login()).status_code for number in range(11)]

    assert statuses == [200] * 10 + [429]


async def test_a_device_is_known_to_its_own_account_only(app: FastAPI) -> None:
    owner, mallory = Browser(app, address=_HOME), Browser(app, address="198.51.100.9")
    await owner.register()
    await mallory.register(email="mallory@example.com")
    await _guess(app, "ana@example.com")

    assert (await mallory.login()).status_code == 429
    assert (await mallory.login(email="mallory@example.com")).status_code == 200


async def test_a_known_device_has_a_budget_of_its_own(
    settings: ApiSettings, database: Database, redis: Redis
) -> None:
    """A stolen cookie gives no more guesses, wherever it is used, even with no limit on tries."""
    settings = settings.model_copy(update={"login_per_account_per_minute": 1000})
    app = whole_app(api_container(settings, database, redis))
    owner = Browser(app, address=_HOME)
    await owner.register()
    device = owner.cookies[SECURE_DEVICE_NAME]
    statuses: list[int] = []
    for number in range(12):
        thief = Browser(app, address=f"2001:db8:{number:x}::1")
        thief.cookies.set(SECURE_DEVICE_NAME, device, domain="shop.example", path="/api/auth")
        statuses.append((await thief.login(password="wrong password")).status_code)

    assert statuses == [401] * 10 + [429] * 2
    assert (await Browser(app, address="198.51.100.9").login()).status_code == 200


async def test_a_right_password_ends_the_count(app: FastAPI) -> None:
    await Browser(app, address=_HOME).register()
    addresses = (f"2001:db8:{number:x}::1" for number in count())
    for _ in range(3):
        for _ in range(9):
            wrong = await Browser(app, address=next(addresses)).login(password="wrong password")
            assert wrong.status_code == 401
        assert (await Browser(app, address=next(addresses)).login()).status_code == 200


async def test_a_right_current_password_ends_the_count(
    settings: ApiSettings, database: Database, redis: Redis
) -> None:
    settings = settings.model_copy(update={"login_per_account_per_minute": 1000})
    owner = Browser(whole_app(api_container(settings, database, redis)), address=_HOME)
    token = (await owner.register()).json()["token"]
    for _ in range(2):
        for _ in range(9):
            wrong = await owner.change_password(token, "wrong password", NEW_PASSWORD)
            assert wrong.json()["code"] == "wrong_password"
        right = await owner.change_password(token, PASSWORD, PASSWORD)
        assert right.json()["errors"][0]["code"] == "password_unchanged"


async def test_a_new_password_makes_strangers_of_all_devices_but_this(app: FastAPI) -> None:
    owner, other_device = Browser(app, address=_HOME), Browser(app, address="198.51.100.9")
    token = (await owner.register()).json()["token"]
    await other_device.login()
    assert (await owner.change_password(token, PASSWORD, NEW_PASSWORD)).status_code == 204
    await _guess(app, "ana@example.com")

    assert (await owner.login(password=NEW_PASSWORD)).status_code == 200
    assert (await other_device.login(password=NEW_PASSWORD)).status_code == 429


async def test_the_addresses_of_a_site_share_a_limit(app: FastAPI) -> None:
    async def login(number: int) -> int:
        stranger = Browser(app, address=f"2001:db8:7:{number:x}::1")
        return (await stranger.login(email=f"{number}@example.com")).status_code

    statuses = [await login(number) for number in range(301)]
    assert statuses == [401] * 300 + [429]


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_login_storm_of_one_site_leaves_room_for_others(
    settings: ApiSettings, database: Database, redis: Redis, is_known: bool
) -> None:
    """Hashes cost what they cost in production, and no limit on tries ends the storm."""
    limits = {"login_per_site_per_minute": 1_000_000, "login_per_account_per_minute": 1_000}
    container = api_container(
        settings.model_copy(update=limits), database, redis, passwords=Passwords()
    )
    app = whole_app(container)
    owner = Browser(app, address=_HOME)
    assert (await owner.register()).status_code == 201
    numbers, statuses, is_over = count(), list[int](), asyncio.Event()

    async def attack() -> None:
        while not is_over.is_set():
            number = next(numbers)
            stranger = Browser(app, address=f"2001:db8:7:{number % 65536:x}::1")
            answer = await stranger.login(email=f"{number}@example.com")
            statuses.append(answer.status_code)

    attackers = [asyncio.create_task(attack()) for _ in range(30)]
    honest: list[int] = []
    for number in range(15):
        browser = Browser(app, address=f"198.51.{number}.1")
        if is_known:
            browser.cookies.update(owner.cookies)
        honest.append((await browser.login()).status_code)
    is_over.set()
    await asyncio.gather(*attackers)

    assert honest.count(200) >= 14
    assert 503 in statuses, "it was a storm"
