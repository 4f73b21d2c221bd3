"""Shared by the services' command lines: an error becomes one line and an exit code."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from pydantic import ValidationError

TRY_AGAIN: Final = 1
"""Exit code: the same command may succeed later."""

BAD_START: Final = 2
"""Exit code: the settings, the arguments or a port must be changed first."""


def run_command(
    program: str,
    command: Callable[[], Coroutine[Any, Any, int]],
    errors: Mapping[type[Exception], int],
    run: Callable[[Coroutine[Any, Any, int]], int] = asyncio.run,
) -> int:
    """Run a command and return its exit code; expected errors become one line on stderr.

    Args:
        program: name printed before the error.
        command: reads the settings and returns a coroutine whose result is the exit code.
        errors: exit code of each expected exception.
        run: runs the coroutine in an event loop.
    """
    try:
        return run(command())
    except ValidationError as error:
        return _fail(program, describe(error), BAD_START)
    except tuple(errors) as error:
        code = next(code for kind, code in errors.items() if isinstance(error, kind))
        return _fail(program, _told(error), code)


def describe(error: ValidationError) -> str:
    """Describe what is wrong with each setting, without its value, which may be a secret."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" if each["loc"] else each["msg"]
        for each in error.errors(include_input=False, include_url=False)
    )


def _told(error: Exception) -> str:
    """Return the error's text, followed by the driver's if the database raised it."""
    driver_error = getattr(error.__cause__, "orig", None)
    return f"{error} ({driver_error})" if driver_error else str(error)


def _fail(program: str, message: str, code: int) -> int:
    print(f"{program}: {message}", file=sys.stderr)  # noqa: T201 - a command line prints
    return code
