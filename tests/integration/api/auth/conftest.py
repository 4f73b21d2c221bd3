"""An api with cheap passwords on each pair of stores, and browsers for it."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from support.api.accounts import Browser, api_container, api_settings
from support.stores.pairs import Stores
from swapshop_api.app import whole_app
from swapshop_api.container import Container
from swapshop_kit.database import Database


@pytest.fixture
def container(stores: Stores, database: Database, redis: Redis, tmp_path: Path) -> Container:
    return api_container(api_settings(stores, tmp_path / "keys.json"), database, redis)


@pytest.fixture
def app(container: Container) -> FastAPI:
    return whole_app(container)


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)
