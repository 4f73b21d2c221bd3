"""Run the whole system under random faults, and check what its clients saw.

Exits 0 when no promise was broken, 1 when one was; then the logs and the history are kept.
"""

import argparse
import asyncio
import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from chaos.checker import FIGURES, Verdict, Violation, judge
from chaos.clients import Client, Customer, Operator, World, closing
from chaos.faults import HANDS, Fault, Saboteur, schedule
from chaos.history import History
from chaos.site import Site
from chaos.writers import WriterWatch
from support.servers.processes import ServerMissingError, run_module
from support.stores.servers import given_or_private_database, given_or_private_redis
from support.system.separate_processes import migrated_schemas

CUSTOMERS: Final = 4
DRAIN_SECONDS: Final = 480.0
"""How long what is left may take after the last fault: above the schedule's third wait, 5 min."""
LISTING_SECONDS: Final = 60.0
"""The last lists come within this time, however slow the machine."""
SHOWN: Final = 20
"""Violations that are printed; the others are counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and judge; return the exit status."""
    parser = argparse.ArgumentParser(prog="./task chaos --", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long faults happen")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(100_000))
    options = parser.parse_args(arguments)
    print(f"chaos: seed {options.seed}, {options.seconds:g} s", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="swapshop-chaos-"))
    try:
        with (
            given_or_private_database() as database,
            given_or_private_redis() as redis,
            migrated_schemas(database) as schemas,
        ):
            site = Site(folder, schemas, database, redis, random.Random(options.seed))
            history, failures = asyncio.run(_run(site, options.seed, options.seconds, schemas[0]))
    except ServerMissingError as missing:
        print(f"chaos: {missing}", file=sys.stderr)
        return 2
    is_kept = _report(folder, site, history, failures)
    if not is_kept:
        shutil.rmtree(folder)
    return 1 if is_kept else 0


def _report(folder: Path, site: Site, history: History, failures: list[str]) -> bool:
    """Print the verdict and return whether a promise was broken."""
    verdict = judge(history)
    of_services = [Violation("unexpected", text) for text in (*failures, *_tracebacks(site))]
    verdict = replace(verdict, violations=[*verdict.violations, *of_services])
    violations = verdict.violations
    print("\n".join(_summary(verdict)))
    for violation in violations[:SHOWN]:
        print(f"{violation.kind}: {violation.text}")
    if len(violations) > SHOWN:
        print(f"... and {len(violations) - SHOWN} more")
    if violations:
        history.write(folder / "history.jsonl")
        print(f"chaos: {len(violations)} violations; logs and history are in {folder}")
    return bool(violations)


def _summary(verdict: Verdict) -> Iterator[str]:
    """Return the figures, one a line."""
    yield f"acknowledged  {verdict.acknowledged}"
    yield f"notified      {verdict.notified}"
    yield from (f"{kind:<13} {verdict.count(kind)}" for kind in FIGURES)
    yield f"stale within the contract  {verdict.excused}"


def _tracebacks(site: Site) -> list[str]:
    """Return what the services logged of defects."""
    return [
        f"{name} logged {line.strip()[:300]}"
        for name, log in site.logs()
        for line in log.read_text(errors="replace").splitlines()
        if "Traceback" in line or '"level":"error"' in line
    ]


async def _run(site: Site, seed: int, seconds: float, api_schema: str) -> tuple[History, list[str]]:
    """Run clients and faults; return what the clients saw, and what failed to come back."""
    history, over = History(operators=frozenset({"operator"})), asyncio.Event()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(site.running())
        world = World(history, site.urls("api"), site.urls("receiver"), random.Random(seed), over)
        placed: list[str] = []
        customers = [Customer(world, f"customer-{n}", placed) for n in range(CUSTOMERS)]
        operator = Operator(world, "operator")
        await stack.enter_async_context(closing(*customers, operator))
        await _register([*customers, operator])
        await asyncio.to_thread(_promote, api_schema, operator.email)
        watch = WriterWatch(history, site.operations("api"))
        saboteur = Saboteur(site, history, watch, over)
        async with asyncio.TaskGroup() as background:
            watching = [background.create_task(each.watch()) for each in customers]
            watching.append(background.create_task(watch.run()))
            failures = saboteur.failures
            try:
                async with asyncio.timeout(seconds + DRAIN_SECONDS), asyncio.TaskGroup() as tasks:
                    for each in customers:
                        tasks.create_task(each.shop())
                    tasks.create_task(operator.work())
                    for faults in _plans(site, seed, seconds):
                        tasks.create_task(saboteur.run(faults))
                    await asyncio.sleep(seconds)
                    over.set()
            except TimeoutError:
                failures.append(f"an order was not acknowledged within {DRAIN_SECONDS:.0f} s")
            failures += [f"{name} ended on its own" for name in site.ended()]
            print(f"chaos: {saboteur.done} faults done; now everything must be served", flush=True)
            await _drain(customers, operator)
            for task in watching:
                task.cancel()
    return history, failures


def _plans(site: Site, seed: int, seconds: float) -> list[list[Fault]]:
    """Draw the faults of each hand and print them."""
    ours = [name for name, store in site.stores.items() if store.is_ours]
    plans = [
        schedule(
            random.Random(f"{seed} {hand}"), seconds, list(site.services), ours, list(site.links)
        )
        for hand in range(HANDS)
    ]
    for fault in sorted((each for plan in plans for each in plan), key=lambda each: each.at):
        print(fault)
    sys.stdout.flush()
    return plans


async def _register(clients: Sequence[Client]) -> None:
    for client in clients:
        await client.register()


def _promote(api_schema: str, email: str) -> None:
    environment = {"DATABASE_URL": api_schema}
    run_module(
        "swapshop_api", "users", "promote", email, environment=environment
    ).check_returncode()


async def _drain(customers: Sequence[Customer], operator: Operator) -> None:
    """Wait until everything is served, or for as long as it may take at most."""
    begin = time.monotonic()
    served = asyncio.gather(*(_until(each.is_served) for each in customers))
    with contextlib.suppress(TimeoutError):  # the checker reports what is missing
        async with asyncio.timeout(DRAIN_SECONDS):
            await served
    # once more, of all of them at rest
    async with asyncio.timeout(LISTING_SECONDS):
        await asyncio.gather(*(_until(each.is_listed) for each in customers))
        await _until(operator.dead)
    print(f"chaos: drained in {time.monotonic() - begin:.1f} s", flush=True)


async def _until(is_done: Callable[[], Awaitable[bool]]) -> None:
    while not await is_done():  # noqa: ASYNC110 - it asks over HTTP
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    raise SystemExit(main())
