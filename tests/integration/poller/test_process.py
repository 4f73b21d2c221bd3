"""The poller as a process, between two real servers."""

import signal
import socket
from collections.abc import AsyncGenerator

import pytest

from support.poller.builders import TRACEPARENT, deliveries
from support.poller.servers import ApiServer, PollerProcess, ReceiverServer, poller_process
from support.servers.processes import free_port
from support.servers.uvicorn_server import HOST, running
from support.waiting import until

ALL = {each.id for each in deliveries(20)}


@pytest.fixture
def api() -> ApiServer:
    return ApiServer(deliveries(20))


@pytest.fixture
async def receiver() -> ReceiverServer:
    return ReceiverServer()


@pytest.fixture
async def api_url(api: ApiServer) -> AsyncGenerator[str]:
    async with running(api.app) as url:
        yield url


@pytest.fixture
async def receiver_url(receiver: ReceiverServer) -> AsyncGenerator[str]:
    async with running(receiver.app) as url:
        yield url


async def test_every_delivery_arrives_once_signed_and_traced(
    api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    async with poller_process("loop", api_url, receiver_url) as poller:
        await until(lambda: api.dispatch.done == ALL)
        await until(lambda: bool(poller.events("round")))

    assert sorted(receiver.received) == sorted(
        (each.webhook_id, each.body) for each in deliveries(20)
    )
    trace_id = TRACEPARENT.split("-")[1]
    assert {(header or "").split("-")[1] for header in receiver.traceparents} == {trace_id}
    [round_] = poller.events("round")
    assert {name: round_[name] for name in ("leased", "delivered", "retried", "away")} == {
        "leased": 20,
        "delivered": 20,
        "retried": 0,
        "away": 0,
    }
    assert api.tokens == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_finishes_what_is_in_flight_and_releases_the_rest(
    number: int, api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    receiver.gate.clear()
    async with poller_process("loop", api_url, receiver_url, CONCURRENCY="4") as poller:
        await until(lambda: receiver.in_flight == 4)
        poller.signal(number)
        await until(poller.is_draining)
        receiver.gate.set()
        exit_code = await poller.ended()

    assert exit_code == 0
    assert len(receiver.received) == 4
    outcomes = sorted(result.outcome for _, result in api.dispatch.reports)
    assert outcomes == ["delivered"] * 4 + ["released"] * 16
    assert api.dispatch.held == set()
    assert len(api.lease_tokens) == 1


async def test_a_lost_lease_answer_claims_nothing_twice(
    api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    api.lose_lease_answers = 1
    async with poller_process("loop", api_url, receiver_url, BATCH_SIZE="5"):
        await until(lambda: api.dispatch.done == ALL)

    assert api.lease_tokens[0] == api.lease_tokens[1] != api.lease_tokens[2]
    assert len(receiver.received) == 20


async def test_a_lost_report_answer_sends_nothing_twice(
    api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    api.lose_report_answers = 1
    async with poller_process("loop", api_url, receiver_url) as poller:
        await until(lambda: bool(poller.events("round")))

    assert len(api.dispatch.reports) == 40
    assert api.dispatch.done == ALL
    assert len(receiver.received) == 20


async def test_an_access_token_that_stops_being_accepted_is_replaced(
    api: ApiServer, api_url: str, receiver_url: str
) -> None:
    api.refuse_tokens = 1
    async with poller_process("loop", api_url, receiver_url) as poller:
        await until(lambda: api.dispatch.done == ALL)
        assert poller.events("lease.refused") == []

    assert api.tokens == 2


@pytest.mark.parametrize("status", [401, 404, 307])
async def test_a_misconfigured_receiver_costs_nothing_and_is_told(
    status: int, api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    receiver.status = status
    async with poller_process("loop", api_url, receiver_url, CONCURRENCY="1") as poller:
        await until(lambda: len(poller.events("round")) >= 3)
        metrics = (await poller.operations("/metrics")).text
        ready = (await poller.operations("/readyz")).json()
        before = [result.outcome for _, result in api.dispatch.reports]
        receiver.status = 200
        await until(lambda: api.dispatch.done == ALL)

    assert set(before) == {"released"}
    assert len(before) >= 20 + 2  # a batch, then probes of one delivery
    [counted] = [
        line
        for line in metrics.splitlines()
        if line.startswith('swapshop_poller_misconfigurations_total{peer="receiver"}')
    ]
    assert float(counted.split()[1]) >= 3
    assert ready["dependencies"] == {"api": "up", "receiver": "away"}
    [error, *_] = poller.events("receiver.misconfigured")
    assert (error["level"], error["status"]) == ("error", status)


async def test_a_receiver_that_is_away_loses_nothing(
    api: ApiServer, receiver: ReceiverServer, api_url: str
) -> None:
    port = free_port()
    async with poller_process("loop", api_url, f"http://{HOST}:{port}") as poller:
        await until(lambda: len(poller.events("round")) >= 3)
        before = {result.outcome for _, result in api.dispatch.reports}
        async with running(receiver.app, port):
            await until(lambda: api.dispatch.done == ALL)

    assert before == {"away", "released"}
    assert [round_["leased"] for round_ in poller.events("round")[:3]] == [20, 1, 1]
    assert len(receiver.received) == 20


async def test_an_api_that_is_away_is_waited_for(api: ApiServer, receiver_url: str) -> None:
    port = free_port()
    async with poller_process("loop", f"http://{HOST}:{port}", receiver_url) as poller:
        await until(lambda: bool(poller.events("lease.failed")))
        ready = await poller.operations("/readyz")
        async with running(api.app, port):
            await until(lambda: api.dispatch.done == ALL)
            ready_later = await poller.operations("/readyz")

    assert (ready.status_code, ready.json()["dependencies"]["api"]) == (503, "away")
    assert (ready_later.status_code, ready_later.json()["ready"]) == (200, True)


async def test_a_killed_poller_leads_to_the_same_webhook_again(
    api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    """It dies after the receiver stored the webhooks and before it could report them."""
    receiver.gate.clear()
    async with poller_process("loop", api_url, receiver_url, CONCURRENCY="20") as poller:
        await until(lambda: receiver.in_flight == 20)
        poller.signal(signal.SIGKILL)
        assert await poller.ended() == -signal.SIGKILL
    assert api.dispatch.held == ALL

    api.dispatch.expire_leases()
    receiver.gate.set()
    async with poller_process("loop", api_url, receiver_url):
        await until(lambda: api.dispatch.done == ALL)

    assert sorted(receiver.received_ids) == sorted(2 * [each.webhook_id for each in deliveries(20)])


async def test_a_delivery_that_kills_its_poller_dies_alone_after_five_of_them(
    api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    deadly = deliveries(20)[6]
    receiver.deadly_id = deadly.webhook_id
    deaths = 0

    async def is_over(poller: PollerProcess) -> bool:
        return poller.has_ended or api.dispatch.done | api.dispatch.dead == ALL

    while api.dispatch.done | api.dispatch.dead != ALL:
        async with poller_process("loop", api_url, receiver_url) as poller:
            receiver.strike = lambda poller=poller: poller.signal(signal.SIGKILL)
            await until(lambda poller=poller: is_over(poller))
            deaths += poller.has_ended
        api.dispatch.expire_leases()

    assert (deaths, api.dispatch.dead) == (5, {deadly.id})
    assert receiver.received_ids.count(deadly.webhook_id) == 5


async def test_an_api_of_the_release_before_is_served(
    api: ApiServer, receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    api.is_of_the_release_before = True
    async with poller_process("loop", api_url, receiver_url) as poller:
        await until(lambda: api.dispatch.done == ALL)
        await until(lambda: bool(poller.events("round")))

    assert len(receiver.received) == 20
    assert {line["level"] for line in poller.log} == {"info"}


async def test_the_operations_port_has_its_three_pages(api_url: str, receiver_url: str) -> None:
    async with poller_process("loop", api_url, receiver_url) as poller:
        await until(lambda: bool(poller.events("round")))
        live = await poller.operations("/livez")
        metrics = await poller.operations("/metrics?name[]=ignored")
        other = await poller.operations("/elsewhere")
        poller.signal(signal.SIGTERM)
        assert await poller.ended() == 0

    assert (live.status_code, live.json()) == (200, {"live": True})
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'swapshop_build_info{service="poller",version="' in metrics.text
    assert 'swapshop_poller_rounds_total{ending="finished"} 1.0' in metrics.text
    assert other.status_code == 404


async def test_an_operations_port_that_is_taken_is_told(api_url: str, receiver_url: str) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        environment = {"OPERATIONS_PORT": str(port)}
        async with poller_process("loop", api_url, receiver_url, **environment) as poller:
            assert await poller.ended() == 2


async def test_a_run_delivers_and_ends_by_itself(
    api: ApiServer, api_url: str, receiver_url: str
) -> None:
    async with poller_process("once", api_url, receiver_url, RUN_SECONDS="5") as poller:
        assert await poller.ended() == 0

    assert api.dispatch.done == ALL
    assert api.dispatch.held == set()


async def test_a_run_that_never_reached_the_api_fails(receiver_url: str) -> None:
    api_url = f"http://{HOST}:{free_port()}"
    environment = {"FIRST_CONNECTION_SECONDS": "0.2"}
    async with poller_process("once", api_url, receiver_url, **environment) as poller:
        assert await poller.ended() == 1
        await until(lambda: bool(poller.events("run.finished")))

    assert len(poller.events("api.unreachable")) == 1
    assert poller.events("run.finished")[0]["api_answered"] is False


async def test_the_first_connection_of_a_run_may_come_late(
    api: ApiServer, receiver_url: str
) -> None:
    port = free_port()
    async with poller_process("once", f"http://{HOST}:{port}", receiver_url) as poller:
        await until(lambda: bool(poller.events("lease.failed")))
        async with running(api.app, port):
            await until(lambda: api.dispatch.done == ALL)
            poller.signal(signal.SIGTERM)
            assert await poller.ended() == 0


async def test_a_run_against_a_misconfigured_receiver_fails(
    receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    receiver.status = 403
    async with poller_process("once", api_url, receiver_url, RUN_SECONDS="5") as poller:
        assert await poller.ended() == 1


async def test_a_signal_ends_a_run_well(
    receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    receiver.status = 403
    async with poller_process("once", api_url, receiver_url) as poller:
        await until(lambda: bool(poller.events("round")))
        poller.signal(signal.SIGTERM)
        assert await poller.ended() == 0


async def test_with_tracing_on_an_attempt_is_a_span_of_the_orders_trace(
    receiver: ReceiverServer, api_url: str, receiver_url: str
) -> None:
    collector = f"http://{HOST}:{free_port()}"  # not running, which must delay nothing
    environment = {"OTLP_ENDPOINT": collector, "TRACE_RATIO": "1"}
    async with poller_process("loop", api_url, receiver_url, **environment) as poller:
        await until(lambda: bool(poller.events("round")))
        poller.signal(signal.SIGTERM)
        assert await poller.ended() == 0

    _, trace_id, span_id, _ = TRACEPARENT.split("-")
    sent = [(header or "").split("-") for header in receiver.traceparents]
    assert {parts[1] for parts in sent} == {trace_id}
    assert len({parts[2] for parts in sent} - {span_id}) == 20
