"""Command lines: an expected error is one line and an exit code, anything else a traceback."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError

from swapshop_kit.command_line import BAD_START, TRY_AGAIN, run_command
from swapshop_kit.serving import AddressTaken

_ERRORS: dict[type[Exception], int] = {AddressTaken: BAD_START, OSError: TRY_AGAIN}


class _Settings(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    port: int = Field(ge=1)
    secret: str = Field(min_length=32)


def test_the_commands_result_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    async def command() -> int:
        return 7

    assert run_command("shop", command, _ERRORS) == 7
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (AddressTaken("127.0.0.1", 80), "shop: 127.0.0.1:80 is in use", BAD_START),
        (ConnectionError("no route"), "shop: no route", TRY_AGAIN),
    ],
)
def test_an_expected_error_is_one_line(
    capsys: pytest.CaptureFixture[str], error: Exception, line: str, code: int
) -> None:
    async def command() -> int:
        raise error

    assert run_command("shop", command, _ERRORS) == code
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith(line)
    assert told.count("\n") == 1


def test_the_drivers_message_is_printed_too(capsys: pytest.CaptureFixture[str]) -> None:
    async def command() -> int:
        driver_error = OSError("the certificate has expired")
        raise ConnectionError("no answer") from DBAPIError("SELECT 'hunter2'", None, driver_error)

    assert run_command("shop", command, _ERRORS) == TRY_AGAIN
    assert capsys.readouterr().err == "shop: no answer (the certificate has expired)\n"


def test_wrong_settings_are_named_and_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    async def command() -> int:
        _Settings.model_validate({"port": 0, "secret": "hunter2"})
        return 0

    assert run_command("shop", command, {}) == BAD_START
    told = capsys.readouterr().err
    assert told.startswith("shop: PORT: Input should be greater than or equal to 1; SECRET: ")
    assert "hunter2" not in told


def test_an_unexpected_error_is_not_hidden() -> None:
    async def command() -> int:
        raise KeyError("defect")

    with pytest.raises(KeyError):
        run_command("shop", command, _ERRORS)


def test_another_loop_can_run_it() -> None:
    ran: list[str] = []

    def run(coroutine: Coroutine[Any, Any, int]) -> int:
        ran.append("mine")
        return asyncio.run(coroutine)

    async def command() -> int:
        return 0

    assert run_command("shop", command, {}, run) == 0
    assert ran == ["mine"]
