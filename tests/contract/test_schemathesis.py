"""Schemathesis throws requests, good and bad, at both services: no 500, nothing undeclared."""

# schemathesis leaves its generic types open:
# pyright: basic

from collections.abc import Generator
from pathlib import Path
from typing import Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.servers.processes import free_port
from support.system.up_process import up
from swapshop_local.contracts import contracts
from swapshop_local.data import DataFolder
from swapshop_local.demo import OPERATOR, PASSWORD

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ANSWER_SECONDS: Final = 10
_SLOW: Final = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
few_examples = settings(max_examples=30, suppress_health_check=_SLOW)

api = schemathesis.openapi.from_dict(contracts()["api.openapi.json"])
# A stream does not end: its refusals and its events are tested in integration/receiver.
receiver = schemathesis.openapi.from_dict(contracts()["receiver.openapi.json"]).exclude(
    path_regex="/stream$"
)


class Target:
    """The whole of SwapShop, and the tokens of an operator and of the poller."""

    def __init__(self, url: str, data: Path) -> None:
        self.url = url
        login = {"email": OPERATOR, "password": PASSWORD}
        session = httpx.post(f"{url}/api/auth/login", json=login).raise_for_status()
        self._operator = session.json()["token"]
        client = httpx.post(
            f"{url}/internal/auth/token",
            data={"grant_type": "client_credentials"},
            auth=("poller", DataFolder(data).prepare().client_secret),
        )
        self._poller = client.raise_for_status().json()["access_token"]

    def check(self, case: schemathesis.Case) -> None:
        """Sends a case with a token that its route accepts, and checks the answer."""
        token = self._poller if case.path.startswith("/internal") else self._operator
        case.call_and_validate(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            checks=CHECKS,
            timeout=ANSWER_SECONDS,
        )


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    folder = tmp_path_factory.mktemp("schemathesis")
    with up(folder, free_port()) as running:
        running.wait()
        yield Target(running.url, folder / "data")


@few_examples
@api.parametrize()
def test_the_api_answers_as_it_declares(case: schemathesis.Case, target: Target) -> None:
    target.check(case)


@few_examples
@receiver.parametrize()
def test_the_receiver_answers_as_it_declares(case: schemathesis.Case, target: Target) -> None:
    target.check(case)
