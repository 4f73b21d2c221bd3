"""services/contracts is what the code says, and says all that the code can answer."""

import json
from typing import Any

import jsonschema
import pytest

from swapshop_local.contracts import FOLDER, contracts
from swapshop_local.settings_documents import ROOT, SERVICES, settings_documents

DOCUMENTS = contracts()
OPENAPI = [name for name in DOCUMENTS if name.endswith("openapi.json")]
OPERATIONS = [
    pytest.param(operation, id=f"{method.upper()} {path}")
    for name in OPENAPI
    for path, methods in DOCUMENTS[name]["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_document_is_the_generated_one(name: str) -> None:
    committed = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert committed == DOCUMENTS[name], "run ./task generate"


@pytest.mark.parametrize(("name", "text"), settings_documents().items())
def test_what_is_committed_of_the_settings_is_generated(name: str, text: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == text, "run ./task generate"


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_says_what_it_means(service: str) -> None:
    fields = SERVICES[service].model_fields
    assert [name for name, field in fields.items() if not field.description] == []


def test_nothing_else_is_in_the_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(DOCUMENTS)


@pytest.mark.parametrize("name", OPENAPI)
def test_openapi_is_of_version_3_1(name: str) -> None:
    assert DOCUMENTS[name]["openapi"].startswith("3.1.")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_error_is_a_problem_with_its_codes(operation: dict[str, Any]) -> None:
    errors = {
        status: answer for status, answer in operation["responses"].items() if status >= "400"
    }
    assert {"413", "422", "500"} <= set(errors)
    for answer in errors.values():
        schema = answer["content"]["application/problem+json"]["schema"]
        assert schema["properties"]["code"]["enum"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_says_what_it_does(operation: dict[str, Any]) -> None:
    assert operation["description"].endswith(".")


def test_the_event_schema_accepts_an_event_and_refuses_lines() -> None:
    schema = DOCUMENTS["order_ready.schema.json"]
    event = {
        "evento": "ORDER_READY",
        "order_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "user_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "cliente": "Ana",
        "total": 24.9,
        "color": None,
        "created_at": "2026-01-02T03:04:05.000006Z",
        "processed_at": "2026-01-02T03:04:06.000007Z",
    }
    jsonschema.validate(event, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**event, "items": []}, schema)
