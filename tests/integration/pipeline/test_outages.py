"""Whatever dies or is away in between: each order leads to exactly one notification."""

import asyncio

import httpx
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.poller.lossy_proxy import LossyProxy
from support.poller.servers import poller_process
from support.servers.uvicorn_server import running
from support.system.separate_processes import (
    OTHER_SECRET,
    WEBHOOK_SECRET,
    Customer,
    Started,
    System,
)
from support.waiting import until
from swapshop_api.dispatch.models import DONE, LEASED, READY, deliveries
from swapshop_kit.database import Database
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id


async def _place(customer: Customer, count: int) -> list[str]:
    answers = await asyncio.gather(*(customer.place(new_id()) for _ in range(count)))
    assert [answer.status_code for answer in answers] == [201] * count
    return sorted(answer.json()["id"] for answer in answers)


async def _states(database: Database, order_ids: list[str]) -> dict[str, tuple[str, int, int]]:
    """The state, attempts and aways of each order's delivery."""

    async def read(connection: AsyncConnection) -> dict[str, tuple[str, int, int]]:
        query = select(
            deliveries.c.order_id, deliveries.c.state, deliveries.c.attempts, deliveries.c.aways
        ).where(deliveries.c.order_id.in_(order_ids))
        return {row[0]: (row[1], row[2], row[3]) for row in await connection.execute(query)}

    return await database.read(read)


async def _make_due(database: Database, order_ids: list[str]) -> None:
    """Lets the waits and leases of the orders' deliveries run out now."""

    async def move(connection: AsyncConnection) -> None:
        ours = deliveries.c.order_id.in_(order_ids)
        for state, values in (
            (READY, {"next_attempt_at": utc_now()}),
            (LEASED, {"lease_until": utc_now()}),
        ):
            await connection.execute(
                update(deliveries).where(ours, deliveries.c.state == state).values(**values)
            )

    await database.transaction(move)


async def _wait_for_notifications(customer: Customer, order_ids: list[str]) -> None:
    async def all_there() -> bool:
        return len(set(await customer.notified_orders())) >= len(order_ids)

    await until(all_there)
    assert sorted(await customer.notified_orders()) == order_ids


async def test_orders_are_notified_once_each(
    system: System, started: Started, customer: Customer
) -> None:
    started.start(system.receiver())
    started.start(system.poller())
    orders = await _place(customer, 10)
    await _wait_for_notifications(customer, orders)


async def test_a_receiver_that_is_away_loses_nothing_and_nothing_becomes_dead(
    system: System, started: Started, customer: Customer, api_database: Database
) -> None:
    poller = started.start(system.poller())
    orders = await _place(customer, 5)

    async def all_met_the_outage() -> bool:
        states = await _states(api_database, orders)
        return len(states) == 5 and any(aways > 0 for _, _, aways in states.values())

    await until(all_met_the_outage)
    states = await _states(api_database, orders)
    assert {(state in (READY, LEASED), attempts) for state, attempts, _ in states.values()} == {
        (True, 0)
    }
    poller.kill()
    started.start(system.receiver())
    await _make_due(api_database, orders)
    started.start(system.poller())
    await _wait_for_notifications(customer, orders)


async def test_a_receiver_with_another_secret_spends_no_step_of_the_schedule(
    system: System, started: Started, customer: Customer, api_database: Database
) -> None:
    receiver = started.start(system.receiver(WEBHOOK_SECRET=OTHER_SECRET))
    poller = started.start(system.poller())
    orders = await _place(customer, 5)

    async def all_were_released() -> bool:
        states = await _states(api_database, orders)
        return len(states) == 5 and all(state == READY for state, _, _ in states.values())

    await until(all_were_released)
    assert set((await _states(api_database, orders)).values()) == {(READY, 0, 0)}
    poller.kill()
    receiver.kill()
    started.start(system.receiver())
    await _make_due(api_database, orders)
    started.start(system.poller())
    await _wait_for_notifications(customer, orders)


async def test_a_receiver_that_answers_500_for_a_while_gets_everything_later(
    system: System, started: Started, customer: Customer, api_database: Database
) -> None:
    receiver = started.start(system.receiver())
    failing = True

    async def forward(request: Request) -> Response:
        if failing:
            return Response(status_code=500)
        return await _forward(system, request)

    async with running(_front(forward)) as url:
        started.start(system.poller(RECEIVER_URL=url))
        orders = await _place(customer, 5)

        async def all_failed_once() -> bool:
            states = await _states(api_database, orders)
            return len(states) == 5 and all(attempts == 1 for _, attempts, _ in states.values())

        await until(all_failed_once)
        failing = False
        await _make_due(api_database, orders)
        await _wait_for_notifications(customer, orders)
    assert receiver.terminate() == 0


async def test_a_poller_killed_between_the_commit_and_its_report_leads_to_one_notification(
    system: System, started: Started, customer: Customer, api_database: Database
) -> None:
    started.start(system.receiver())
    committed, gate = asyncio.Event(), asyncio.Event()

    async def commit_and_hold(request: Request) -> Response:
        answer = await _forward(system, request)
        assert answer.status_code == 200
        committed.set()
        await gate.wait()
        return answer

    async with running(_front(commit_and_hold)) as url:
        poller = started.start(system.poller(RECEIVER_URL=url))
        orders = await _place(customer, 1)
        await committed.wait()
        poller.kill()
        gate.set()
    assert await customer.notified_orders() == orders
    assert (await _states(api_database, orders))[orders[0]][0] == LEASED
    await _make_due(api_database, orders)
    started.start(system.poller())

    async def is_done() -> bool:
        return (await _states(api_database, orders))[orders[0]][0] == DONE

    await until(is_done)
    assert await customer.notified_orders() == orders


async def test_one_poisonous_delivery_dies_alone(
    system: System, started: Started, customer: Customer, api_database: Database
) -> None:
    started.start(system.receiver())
    poisonous = ""
    poller = system.poller(RECEIVER_URL="")

    async def kill_or_forward(request: Request) -> Response:
        if poisonous.encode() in await request.body():
            poller.kill()
        return await _forward(system, request)

    async with running(_front(kill_or_forward)) as url:
        orders = await _place(customer, 8)
        poisonous = orders[3]
        poller = system.poller(RECEIVER_URL=url)
        others = [order for order in orders if order != poisonous]

        async def others_are_done() -> bool:
            states = await _states(api_database, others)
            return all(state == DONE for state, _, _ in states.values()) and len(states) == 7

        async def is_dead() -> bool:
            return (await _states(api_database, [poisonous])).get(poisonous, ("",))[0] == "DEAD"

        async def died_or_done() -> bool:
            return await is_dead() or not poller.is_running

        for _ in range(12):
            if await is_dead():
                break
            started.start(poller)
            await until(died_or_done)
            await _make_due(api_database, orders)
        assert await is_dead()
        await until(others_are_done)
    assert set(others) <= set(await customer.notified_orders())


async def test_lost_lease_answers_bury_nothing(
    system: System, started: Started, customer: Customer, api_database: Database
) -> None:
    """Pollers come and go, each with a token of its own; none of them ever gets an answer."""
    started.start(system.receiver())
    proxy = LossyProxy(system.url("api", 1))
    environment = {"WEBHOOK_SECRET": WEBHOOK_SECRET, "API_SECONDS": "5"}
    orders = await _place(customer, 3)
    async with running(proxy.app) as url:
        proxy.loses = True
        for pollers in range(1, 8):
            async with poller_process("loop", url, system.webhook_url, **environment):
                await until(lambda number=pollers: len(set(proxy.lost_tokens)) == number)
            await _make_due(api_database, orders)
        before = await _states(api_database, orders)
        proxy.loses = False
        async with poller_process("loop", url, system.webhook_url, **environment):
            await _wait_for_notifications(customer, orders)
    await proxy.close()

    assert before == dict.fromkeys(orders, (LEASED, 0, 0))
    assert sorted(await customer.notified_orders()) == orders


def _front(endpoint: object) -> Starlette:
    return Starlette(routes=[Route("/webhooks/order-ready", endpoint, methods=["POST"])])  # pyright: ignore[reportArgumentType] - Starlette takes any callable


async def _forward(system: System, request: Request) -> Response:
    kept = {name: value for name, value in request.headers.items() if name != "host"}
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.post(
            f"{system.webhook_url}{request.url.path}", content=await request.body(), headers=kept
        )
    return Response(answer.content, status_code=answer.status_code)
