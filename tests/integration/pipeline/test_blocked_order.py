"""ORDER_BLOCKED through all processes: told to the operators once, and not to the customer."""

import httpx
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from support.system.separate_processes import Customer, Started, System
from support.waiting import until
from swapshop_api.auth.models import users
from swapshop_api.orders.models import PENDING, orders
from swapshop_kit.database import Database
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id


async def _insert_order_without_lines(database: Database, email: str) -> str:
    """Insert an order that contradicts itself, of the account with this e-mail."""
    order_id = new_id()

    async def work(connection: AsyncConnection) -> None:
        owner = select(users.c.id).where(users.c.email == email).scalar_subquery()
        values = {"id": order_id, "user_id": owner, "cliente": "Ana", "total": 1}
        await connection.execute(
            insert(orders).values(
                **values, estado=PENDING, created_at=utc_now(), fingerprint=bytes(32)
            )
        )

    await database.transaction(work)
    return order_id


async def test_operators_are_told_once_of_a_blocked_order_and_its_customer_is_not(
    http: httpx.AsyncClient, system: System, started: Started, api_database: Database
) -> None:
    started.start(system.api())
    started.start(system.receiver())
    customer_email, operator_email = (f"{who}-{new_id()}@example.com" for who in ("ana", "eva"))
    customer = await Customer.register(http, system, customer_email)
    await Customer.register(http, system, operator_email)

    async def promote(connection: AsyncConnection) -> None:
        own = users.c.email == operator_email
        await connection.execute(update(users).where(own).values(rol="operator"))

    await api_database.transaction(promote)
    operator = await Customer.sign_in(http, system, operator_email)
    blocked = await _insert_order_without_lines(api_database, customer_email)
    started.start(system.poller())

    async def is_told() -> bool:
        return blocked in await operator.notified_orders()

    await until(is_told)
    sound = (await customer.place(new_id())).json()["id"]

    async def is_notified() -> bool:
        return sound in await customer.notified_orders()

    await until(is_notified)
    assert await customer.notified_orders() == [sound]
    assert (await operator.notified_orders()).count(blocked) == 1
