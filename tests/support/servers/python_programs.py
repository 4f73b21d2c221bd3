"""Short Python programs in separate processes, for settings that apply to a whole process."""

import subprocess
import sys
from textwrap import dedent

import orjson


def run_python(program: str, exit_code: int = 0) -> str:
    """Run a program, which must end with the exit code, and return its stdout."""
    command = [sys.executable, "-c", dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - the tests' own text
    assert done.returncode == exit_code, done.stderr
    return done.stdout


def json_lines(program: str) -> list[dict[str, object]]:
    """Run a program and read each line that it wrote to stdout as a JSON object."""
    return [orjson.loads(line) for line in run_python(program).splitlines()]
