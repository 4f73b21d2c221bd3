"""The demo accounts have a published password, so nobody else's data gets them."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.api.accounts import PASSWORD, cheap_passwords
from swapshop_api.auth.domain.accounts import create_user
from swapshop_api.auth.store import find_user_by_email
from swapshop_api.container import MIGRATIONS
from swapshop_kit.database import Database, create_engine
from swapshop_kit.migrations import migrate
from swapshop_local.demo import OPERATOR, DemoRefused, ensure_demo_accounts


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path}/swapshop.db"
    await migrate(url, MIGRATIONS)
    database = Database(create_engine(url))
    yield database
    await database.close()


async def has_operator(database: Database) -> bool:
    return await database.read(lambda c: find_user_by_email(c, OPERATOR)) is not None


async def register(database: Database) -> None:
    await create_user(
        database, cheap_passwords(), nombre="Ana", email="ana@example.com", password=PASSWORD
    )


async def test_a_database_with_other_accounts_gets_no_demo_operator(database: Database) -> None:
    await register(database)

    with pytest.raises(DemoRefused):
        await ensure_demo_accounts(database)
    assert not await has_operator(database)


async def test_a_demo_that_people_have_used_starts_again(database: Database) -> None:
    await ensure_demo_accounts(database)
    await register(database)

    await ensure_demo_accounts(database)
    assert await has_operator(database)
