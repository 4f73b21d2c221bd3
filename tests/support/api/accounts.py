"""Accounts and sessions for tests: an api with cheap passwords, a browser, and a clock to move."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.pairs import Stores
from swapshop_api.app import whole_app
from swapshop_api.auth.cookies import NAME, SECURE_NAME
from swapshop_api.auth.models import refresh_families, refresh_tokens
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.rate_limits import RateLimits
from swapshop_api.container import Container, build
from swapshop_api.settings import ApiSettings
from swapshop_api.signing_keys.domain import SigningKeys, create_if_missing
from swapshop_kit.database import Database

ORIGIN = "https://shop.example"
LOCAL_ORIGIN = "http://localhost:8080"
PASSWORD = "correct horse battery"
POLLER_SECRET = "made-up-poller-secret-of-32-bytes!"
NEW_PASSWORD = "another battery staple"
CUSTOMER = {"nombre": "Ana", "email": "ana@example.com", "password": PASSWORD}


class Clock:
    """Seconds, moved by hand."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def cheap_passwords() -> Passwords:
    """The same algorithm with as little memory as it takes."""
    return Passwords(memory_kib=8)


def api_settings(stores: Stores, signing_keys_file: Path, **changes: Any) -> ApiSettings:
    """Settings without the environment; limits so high that only their own tests meet them."""
    values: dict[str, Any] = {
        "database_url": SecretStr(stores.database_url),
        "redis_url": SecretStr(stores.redis_url),
        "signing_keys_file": signing_keys_file,
        "public_origins": [ORIGIN, LOCAL_ORIGIN],
        "poller_client_secret": SecretStr(POLLER_SECRET),
        "login_per_account_per_minute": 1000,
        "login_per_address_per_minute": 1000,
        "login_per_site_per_minute": 1000,
        "login_failures_per_account": 1000,
        "register_per_address_per_hour": 1000,
        "register_per_site_per_hour": 1000,
        "orders_per_customer_per_minute": 100_000,
        "order_bytes_per_customer_per_minute": 1_000_000_000,
    }
    return ApiSettings(**{**values, **changes})


def api_container(
    settings: ApiSettings,
    database: Database,
    redis: Redis,
    *,
    limits: RateLimits | None = None,
    passwords: Passwords | None = None,
) -> Container:
    """The container of an api process, on stores that the caller closes."""
    create_if_missing(settings.signing_keys_file)
    keys = SigningKeys.open(settings.signing_keys_file)
    return build(
        settings, database, redis, keys, limits=limits, passwords=passwords or cheap_passwords()
    )


def app_with_passwords(container: Container, passwords: Passwords) -> FastAPI:
    """The same api, with other password hashing."""
    return whole_app(
        build(
            container.settings,
            container.database,
            container.redis,
            container.keys,
            passwords=passwords,
        )
    )


async def rows_of(database: Database, table: Table) -> list[dict[str, Any]]:
    """Every row of a table."""

    async def read(connection: AsyncConnection) -> list[dict[str, Any]]:
        return [dict(row) for row in (await connection.execute(select(table))).mappings()]

    return await database.read(read)


class Browser(httpx.AsyncClient):
    """A browser on the shop's page: it keeps cookies and says where its requests come from.

    Args:
        app: the api.
        origin: of the page; None sends no Origin, as curl does.
        host: where the requests go.
        address: of the machine that it runs on.
    """

    def __init__(
        self,
        app: Any,
        *,
        origin: str | None = ORIGIN,
        host: str = ORIGIN,
        address: str = "203.0.113.5",
    ) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app, client=(address, 50_000)),
            base_url=host,
            headers={} if origin is None else {"Origin": origin},
        )

    @property
    def refresh_token(self) -> str | None:
        """The cookie that the next request to /api/auth sends."""
        return self.cookies.get(SECURE_NAME) or self.cookies.get(NAME)

    @refresh_token.setter
    def refresh_token(self, token: str) -> None:
        self.cookies.clear()
        self.cookies.set(SECURE_NAME, token, domain=self.base_url.host, path="/api/auth")

    async def register(self, **changes: Any) -> httpx.Response:
        return await self.post("/api/auth/register", json={**CUSTOMER, **changes})

    async def login(self, **changes: Any) -> httpx.Response:
        credentials = {"email": CUSTOMER["email"], "password": PASSWORD}
        return await self.post("/api/auth/login", json={**credentials, **changes})

    async def refresh(self) -> httpx.Response:
        return await self.post("/api/auth/refresh")

    async def logout(self) -> httpx.Response:
        return await self.post("/api/auth/logout")

    async def change_password(self, token: str, current: str, new: str) -> httpx.Response:
        return await self.post(
            "/api/auth/password",
            json={"current": current, "new": new},
            headers={"Authorization": f"Bearer {token}"},
        )


async def pass_time(database: Database, elapsed: timedelta) -> None:
    """Let time pass for every session: its rows become older, the database's clock goes on."""

    async def work(connection: AsyncConnection) -> None:
        for table, times in (
            (refresh_families, ("created_at", "expires_at", "revoked_at")),
            (refresh_tokens, ("used_at", "voided_at", "expires_at")),
        ):
            key = next(iter(table.primary_key.columns))
            rows = (await connection.execute(select(table))).mappings().all()
            older = [
                {"row_key": row[key.name]}
                | {name: None if row[name] is None else row[name] - elapsed for name in times}
                for row in rows
            ]
            if older:
                statement = update(table).where(key == bindparam("row_key", type_=key.type))
                values = {name: bindparam(name, type_=table.c[name].type) for name in times}
                await connection.execute(statement.values(values), older)

    await database.transaction(work)
