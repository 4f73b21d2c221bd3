"""Finds and runs programs such as kubectl, helm and k6."""

import shutil
import subprocess
import sys
from pathlib import Path


class CommandFailed(Exception):
    """A program is missing or ended with an error; the message is the program's own."""


def find_program(name: str) -> str:
    """Return the path of a program: in the virtual environment, or else on the PATH.

    Raises:
        CommandFailed: the program is in neither place.
    """
    own = Path(sys.executable).parent / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise CommandFailed(f"{name} is neither beside Python nor on the PATH")
    return found


def run(*command: str, stdin: str | None = None, seconds: float = 300) -> str:
    """Run a command and return its standard output.

    Args:
        command: the program and its arguments.
        stdin: text for its standard input.
        seconds: time limit.

    Raises:
        CommandFailed: the command ended with an error or exceeded its time limit.
    """
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{' '.join(command)}: no end within {seconds} s") from error
    if done.returncode:
        raise CommandFailed(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
