"""Runs a load test on this machine; its exit code is k6's: 99 for a crossed threshold.

    python -m bench.load [--url URL] SCENARIO [K6 ARGUMENTS, such as -e RATE=20]

Without --url it starts SwapShop for the duration of the test. The scenario ``cache-ab`` then runs
ten times, five with and five without the cache.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from support.servers.processes import ServerStartError, running
from support.system.on_this_machine import migrated_system
from support.system.separate_processes import System
from swapshop_kit.logging import configure_logging
from swapshop_operations.load import cache_comparison
from swapshop_operations.load.k6 import SCENARIOS, run_k6
from swapshop_operations.load.results import RESULTS, new_test_id
from swapshop_operations.programs import CommandFailed

API_ONLY: Final = ("bench", cache_comparison.SCENARIO)
"""Scenarios that only use the api; a receiver and a poller would disturb them."""


def run_locally(scenario: str, results: Path, arguments: Sequence[str]) -> int:
    """Start SwapShop, run a scenario against it, and return k6's exit code.

    Raises:
        ServerStartError: SwapShop or one of its stores did not start.
        CommandFailed: see ``compare_caches``.
    """
    configure_logging("load", "error")
    with tempfile.TemporaryDirectory() as folder, migrated_system(Path(folder)) as (system, names):
        print(f"{names}; {os.cpu_count()} cores; Python {platform.python_version()}", flush=True)
        if scenario == cache_comparison.SCENARIO:
            return compare_caches(system, results, arguments)
        with ExitStack() as stack:
            stack.enter_context(running(system.api(LOG_LEVEL="warning")))
            if scenario not in API_ONLY:
                stack.enter_context(running(system.receiver(LOG_LEVEL="warning")))
                stack.enter_context(running(system.poller(LOG_LEVEL="warning", IDLE_SECONDS="1")))
            return run_k6(scenario, results, addresses(system), arguments)


def addresses(system: System) -> dict[str, str]:
    """Return where a script finds the services."""
    return {"API_URL": system.api_url, "RECEIVER_URL": system.receiver_url}


def compare_caches(system: System, results: Path, arguments: Sequence[str]) -> int:
    """Run cache-ab with and without the cache, alternately; the api restarts for each run.

    Raises:
        CommandFailed: a run failed; if k6 came to its end, its report is in the run's folder.
        ServerStartError: the api did not start.
    """

    def measure(mode: str, number: int) -> cache_comparison.Reads:
        folder = results / f"{mode}-{number}"
        environment = addresses(system) | {"CACHE": cache_comparison.EXPECTED[mode]}
        with running(system.api(LOG_LEVEL="warning", CACHE_MODE=mode)):
            code = run_k6(cache_comparison.SCENARIO, folder, environment, arguments, quiet=True)
        if code:
            raise CommandFailed(f"{os.path.relpath(folder)}: k6 ended with {code}")
        summary = (folder / "summary.json").read_text(encoding="utf-8")
        return cache_comparison.reads_of(json.loads(summary))

    cache_comparison.write(cache_comparison.compare(measure), results)
    return 0


def main(command: Sequence[str] | None = None) -> int:
    """Return k6's exit code; 1 when it could not be run, or a side of cache-ab failed."""
    parser = argparse.ArgumentParser(prog="load", description=__doc__, allow_abbrev=False)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--url", help="where SwapShop runs already")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of folders")
    options, arguments = parser.parse_known_args(command)
    results: Path = options.results / new_test_id(options.scenario)
    try:
        if options.url:
            code = run_k6(options.scenario, results, {"URL": options.url}, arguments)
        else:
            code = run_locally(options.scenario, results, arguments)
    except (CommandFailed, ServerStartError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    print(f"results: {os.path.relpath(results)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
