import subprocess
import sys

import pytest

from support.poller.builders import WEBHOOK_SECRET, poller_settings
from swapshop_poller.__main__ import main

GOOD = {
    "API_URL": "http://127.0.0.1:1",
    "RECEIVER_URL": "http://127.0.0.1:1",
    "CLIENT_SECRET": "s" * 32,
    "WEBHOOK_SECRET": WEBHOOK_SECRET,
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"API_URL": None}, "API_URL: Field required"),
        ({"RECEIVER_URL": "receiver:8001"}, "RECEIVER_URL: String should match"),
        ({"CLIENT_SECRET": "tooshort"}, "CLIENT_SECRET: "),
        ({"WEBHOOK_SECRET": "whsec_tooshort"}, "WEBHOOK_SECRET: Value error, must be whsec_"),
        ({"LEASE_SECONDS": "19"}, "LEASE_SECONDS: "),
        ({"BATCH_SIZE": "101"}, "BATCH_SIZE: "),
        ({"SEND_SECONDS": "55"}, "LEASE_SECONDS must exceed SEND_SECONDS by more than 5"),
    ],
)
def test_settings_that_cannot_be_used_are_told_in_one_line(
    changes: dict[str, str | None],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**GOOD, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)

    assert main(["once"]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("swapshop_poller: ")
    assert error.count("\n") == 1
    assert "tooshort" not in error


def test_the_defaults_are_those_of_the_design() -> None:
    plain = poller_settings()

    assert [plain.lease_seconds, plain.batch_size, plain.concurrency] == [60, 50, 8]
    assert [plain.connect_seconds, plain.send_seconds, plain.reserve_seconds] == [3, 10, 15]
    assert [plain.run_seconds, plain.first_connection_seconds] == [45, 10]


def test_the_poller_loads_no_library_of_databases_or_servers() -> None:
    script = (
        "import sys, swapshop_poller.__main__\n"
        "forbidden = {'alembic', 'asyncmy', 'fastapi', 'redis', 'sqlalchemy', 'sqlmodel',"
        " 'starlette', 'uvicorn'}\n"
        "print(sorted(forbidden & set(sys.modules)))"
    )

    done = subprocess.run(  # noqa: S603 - this interpreter, and a script of ours
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert done.stdout == "[]\n"
