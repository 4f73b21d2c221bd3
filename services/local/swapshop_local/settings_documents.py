"""Generates docs/settings.md and the chart's schema of settings from the settings classes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from swapshop_api.settings import ApiSettings, ExporterSettings
from swapshop_kit.process_settings import ProcessSettings
from swapshop_poller.settings import PollerSettings
from swapshop_receiver.settings import ReceiverSettings

ROOT: Final = Path(__file__).parents[3]
SCHEMA: Final = Path("charts/swapshop/values.schema.json")
SERVICES: Final[Mapping[str, type[ProcessSettings]]] = {
    "api": ApiSettings,
    "receiver": ReceiverSettings,
    "poller": PollerSettings,
    "exporter": ExporterSettings,
}
SET_BY_THE_CHART: Final = {
    "log_level", "trace_ratio", "public_port", "internal_port", "operations_port", "max_replicas",
}  # fmt: skip
"""Settings that follow from other values, or that the parts of a release must agree on."""
GRACE: Final = {
    (service, "drain_seconds"): {"maximum": 20}
    for service, settings in SERVICES.items()
    if "drain_seconds" in settings.model_fields
}
"""The pod's grace period ends before the class's own maximum."""
BOUNDS: Final = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "minLength": "≥ {} characters",
    "maxLength": "≤ {} characters",
}
SCHEMA_KEYS: Final = ("description", "type", "enum", *BOUNDS, "default")
BEFORE: Final = """\
# Settings

Each service reads its settings once, from environment variables. The chart sets most of them;
where the last column names a value, that value sets the variable. `./task generate` writes this
page from the settings classes.
"""


def settings_documents() -> dict[str, str]:
    """Return the text of each generated file by its path in the repository."""
    return {
        "docs/settings.md": _reference(),
        str(SCHEMA): _values_schema(),
        "charts/swapshop/files/poller-defaults.json": _json(
            {name.upper(): PollerSettings.model_fields[name].default for name in _offered("poller")}
        ),
    }


def write_settings_documents(root: Path = ROOT) -> None:
    """Write the documents."""
    for name, text in settings_documents().items():
        (root / name).write_text(text, encoding="utf-8")


def _offered(service: str) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each setting that the chart offers as ``<service>.settings``.

    These are numbers and choices with a default. The exporter offers only its own, since its only
    client is Prometheus.
    """
    settings = SERVICES[service]
    schemas: dict[str, dict[str, Any]] = settings.model_json_schema()["properties"]
    names = [
        name
        for name, field in settings.model_fields.items()
        if not field.is_required()
        and name not in SET_BY_THE_CHART
        and ("enum" in schemas[name] or schemas[name].get("type") in ("integer", "number"))
    ]
    if settings is ExporterSettings:
        names = ["snapshot_seconds"]
    return {name: schemas[name] | GRACE.get((service, name), {}) for name in names}


def _values_schema() -> str:
    document = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
    for service in SERVICES:
        document["properties"][service]["properties"]["settings"]["properties"] = {
            name.upper(): {key: schema[key] for key in SCHEMA_KEYS if key in schema}
            | {"description": _words(schema["description"])}
            for name, schema in _offered(service).items()
        }
    return _json(document)


def _reference() -> str:
    return "\n".join([BEFORE, *(_table(service) for service in SERVICES)])


def _table(service: str) -> str:
    settings, offered = SERVICES[service], _offered(service)
    schemas = settings.model_json_schema()["properties"]
    lines = [
        f"## {service}\n",
        "| variable | value | default | meaning | chart |",
        "|---|---|---|---|---|",
    ]
    for name, field in settings.model_fields.items():
        chart = f"`{service}.settings`" if name in offered else ""
        cells = [f"`{name.upper()}`", _allowed(schemas[name]), _default(field)]
        cells += [_words(schemas[name]["description"]), chart]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _allowed(schema: Mapping[str, Any]) -> str:
    """Describe the accepted values: the type, or the choices, and the bounds."""
    schema = next(
        ({**schema, **each} for each in schema.get("anyOf", []) if each["type"] != "null"), schema
    )
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    kind = "secret" if schema.get("format") == "password" else schema.get("format", schema["type"])
    bounds = [text.format(schema[bound]) for bound, text in BOUNDS.items() if bound in schema]
    return ", ".join([kind.replace("array", "list"), *bounds])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    return "" if value is None or value == [] else f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(docstring: str) -> str:
    """Return a docstring on one line, with Markdown's code marks, safe in a table."""
    return " ".join(docstring.split()).replace("``", "`").replace("|", "\\|")


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
