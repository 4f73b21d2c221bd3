"""Runs a load test on this machine; its exit code is k6's: 99 for a crossed threshold.

    k6/run.py [--url URL] SCENARIO [arguments of k6, such as -e RATE=20]

Without --url it starts SwapShop for the time of the test. The scenario ``cache-ab`` runs ten times
then, five with and five without the cache.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import cache_ab
from run_names import RESULTS, new_test_id

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.servers.processes import ServerStartError, running
from support.system.on_this_machine import migrated_system
from support.system.separate_processes import System
from swapshop_kit.logging import configure_logging

HERE: Final = Path(__file__).resolve().parent
SCENARIOS: Final = sorted(path.stem for path in HERE.glob("*.js"))
API_ONLY: Final = ("bench", cache_ab.SCENARIO)
"""Scenarios that ask the api alone; a receiver and a poller beside it would only disturb them."""


class LoadFailed(Exception):
    """A load test could not be run; the message tells why."""


def k6_program() -> str:
    """Return the k6 beside Python, where `./task` installs it, or the one on the PATH.

    Raises:
        LoadFailed: there is none.
    """
    own = Path(sys.executable).with_name("k6")
    found = str(own) if own.exists() else shutil.which("k6")
    if found is None:
        raise LoadFailed("k6 is neither beside Python nor on the PATH")
    return found


def run_k6(
    scenario: str,
    results: Path,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
    *,
    quiet: bool = False,
) -> int:
    """Run a scenario and return k6's exit code.

    Args:
        scenario: name of a script in k6/.
        results: folder that gets report.txt and summary.json; its name is the test's id.
        environment: of the script, on top of this process's own.
        arguments: of k6.
        quiet: print no report.
    """
    results.mkdir(parents=True, exist_ok=True)
    script = {"RESULTS": str(results), "TEST_ID": results.name}
    tag = ("--tag", f"testid={results.name}")
    done = subprocess.run(
        [k6_program(), "run", "--quiet", "--no-usage-report", *tag, *arguments, f"{scenario}.js"],
        cwd=HERE,
        env={**os.environ, **script, **environment},
        stdout=subprocess.DEVNULL if quiet else None,
        check=False,
    )
    return done.returncode


def run_locally(scenario: str, results: Path, arguments: Sequence[str]) -> int:
    """Start SwapShop, run a scenario against it, and return k6's exit code.

    Raises:
        ServerStartError: SwapShop or one of its stores did not start.
        LoadFailed: see ``compare_caches``.
    """
    configure_logging("load", "error")
    with tempfile.TemporaryDirectory() as folder, migrated_system(Path(folder)) as (system, names):
        print(f"{names}; {os.cpu_count()} cores; Python {platform.python_version()}", flush=True)
        if scenario == cache_ab.SCENARIO:
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
    """Run cache-ab with and without the cache, by turns; the api starts anew for each run.

    Raises:
        LoadFailed: a run failed; if k6 came to its end, its report is in the run's folder.
        ServerStartError: the api did not start.
    """

    def measure(mode: str, number: int) -> cache_ab.Reads:
        folder = results / f"{mode}-{number}"
        environment = addresses(system) | {"CACHE": cache_ab.EXPECTED[mode]}
        with running(system.api(LOG_LEVEL="warning", CACHE_MODE=mode)):
            if code := run_k6(cache_ab.SCENARIO, folder, environment, arguments, quiet=True):
                raise LoadFailed(f"{os.path.relpath(folder)}: k6 ended with {code}")
        return cache_ab.reads_of(json.loads((folder / "summary.json").read_text(encoding="utf-8")))

    cache_ab.write(cache_ab.compare(measure), results)
    return 0


def main(command: Sequence[str] | None = None) -> int:
    """Return k6's exit code; 1 when it could not be run, or a side of cache-ab failed."""
    parser = argparse.ArgumentParser(prog="run", description=__doc__, allow_abbrev=False)
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
    except (LoadFailed, ServerStartError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    print(f"results: {os.path.relpath(results)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
