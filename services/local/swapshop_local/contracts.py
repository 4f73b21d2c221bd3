"""Writes services/contracts: what the services promise each other and their clients."""

import json
from pathlib import Path
from typing import Any, Final

import swapshop_api.app
import swapshop_receiver.app
from swapshop_api.dispatch.events import EVENTS
from swapshop_kit.web import use_problem_schema

FOLDER: Final = Path(__file__).parents[2] / "contracts"


def contracts() -> dict[str, Any]:
    """Return every document by its file name."""
    return {
        "api.openapi.json": use_problem_schema(swapshop_api.app.contract_app()),
        "receiver.openapi.json": use_problem_schema(swapshop_receiver.app.contract_app()),
        **{
            f"{name.lower()}.schema.json": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **event.model_json_schema(mode="serialization"),
            }
            for name, event in EVENTS.items()
        },
    }


def write_contracts(folder: Path = FOLDER) -> None:
    """Write the documents, formatted so that a change shows as a small diff."""
    for name, document in contracts().items():
        text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / name).write_text(text + "\n", encoding="utf-8")
