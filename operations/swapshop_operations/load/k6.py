"""Runs a scenario of a load test with k6 on this machine."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from swapshop_operations.programs import find_program
from swapshop_operations.repository import SCRIPTS

SCENARIOS: Final = sorted(path.stem for path in SCRIPTS.glob("*.js"))


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
        results: folder for report.txt and summary.json; its name is the test's id.
        environment: variables for the script, on top of this process's own.
        arguments: arguments of k6.
        quiet: print no report.

    Raises:
        CommandFailed: k6 is not installed.
    """
    results.mkdir(parents=True, exist_ok=True)
    script = {"RESULTS": str(results), "TEST_ID": results.name}
    tag = ("--tag", f"testid={results.name}")
    command = (find_program("k6"), "run", "--quiet", "--no-usage-report")
    done = subprocess.run(
        [*command, *tag, *arguments, f"{scenario}.js"],
        cwd=SCRIPTS,
        env={**os.environ, **script, **environment},
        stdout=subprocess.DEVNULL if quiet else None,
        check=False,
    )
    return done.returncode
