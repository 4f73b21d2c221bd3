"""The dispatch on each pair of stores, and those who call it over HTTP."""

from collections.abc import AsyncGenerator

import pytest
from fastapi import FastAPI

from support.api.client import Shop, bearer
from support.api.dispatch import OPERATOR, Pipeline
from swapshop_api.container import Container
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.orders.domain import Orders
from swapshop_kit.database import Database


@pytest.fixture
def pipeline(database: Database, orders: Orders, dispatch: Dispatch) -> Pipeline:
    return Pipeline(database, orders, dispatch)


@pytest.fixture
async def poller(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    """A client with a token of the internal audience."""
    settings = container.settings
    secret = settings.poller_client_secret.get_secret_value()
    token = container.auth.client_token(settings.poller_client_id, secret)
    async with Shop(app, token) as client:
        yield client


@pytest.fixture
async def staff(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    """An operator."""
    async with Shop(app, bearer(container, OPERATOR, "operator")) as client:
        yield client


@pytest.fixture
async def customer(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    async with Shop(app, bearer(container)) as client:
        yield client
