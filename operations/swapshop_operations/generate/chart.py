"""Writes the chart's generated files: the table of values in README.md and the rendered examples.

The table's texts are the comments above the values in values.yaml.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from swapshop_operations.programs import find_program, run
from swapshop_operations.repository import CHART

BEGIN: Final = "<!-- values: written by ./task generate:chart -->\n"
END: Final = "<!-- values: end -->\n"
_KEY: Final = re.compile(r"( *)([A-Za-z][A-Za-z0-9]*):")
WHOLE: Final = {
    f"networkPolicy.{name}"
    for name in ("connections", "ingress", "dns", "kubernetes", "kubelet", "prometheus")
}
"""Values that are too long for a cell."""


def table(text: str) -> str:
    """Return a Markdown table of the values in a values.yaml."""
    values: dict[str, Any] = yaml.safe_load(text)
    lines = ["| value | default | what |", "|---|---|---|"]
    for path, comment in _keys(text):
        value: Any = values
        for name in path.split("."):
            value = value[name]
        is_group = isinstance(value, dict) and value != {} and not _is_leaf(path)
        if is_group and not comment:
            continue
        default = "" if is_group else "see values.yaml" if path in WHOLE else f"`{_short(value)}`"
        lines.append(f"| `{path}` | {default} | {comment} |")
    return "\n".join(lines) + "\n"


def _is_leaf(path: str) -> bool:
    """Return whether a map is one row: its keys are on one line or defined by Kubernetes."""
    return path.startswith("secrets.") or path.endswith((".resources", ".overrides"))


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("|", "\\|")


def _keys(text: str) -> Iterator[tuple[str, str]]:
    """Yield each key's dotted path with the comment above it."""
    path: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        key = _KEY.match(line)
        if line.lstrip().startswith("#"):
            comment.append(line.lstrip(" #"))
        elif key:
            depth = len(key[1]) // 2
            path = [*path[:depth], key[2]]
            if not _is_leaf(".".join(path[:-1])):
                yield ".".join(path), " ".join(comment)
            comment = []
        else:
            comment = []


def readme() -> str:
    """Return README.md with the current table."""
    text = (CHART / "README.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    values = (CHART / "values.yaml").read_text(encoding="utf-8")
    return f"{before}{BEGIN}\n{table(values)}\n{END}{after}"


def shown(rendered: str) -> str:
    """Return a rendered example without the dashboards, which are separate files."""
    separator = "---\n# Source: "
    first, *documents = rendered.split(separator)
    kept = [each for each in documents if "/monitoring/dashboards.yaml\n" not in each]
    return separator.join([first, *kept])


def main() -> None:
    """Write the table of values and the rendered examples; needs helm."""
    helm = find_program("helm")
    (CHART / "README.md").write_text(readme(), encoding="utf-8")
    for example in sorted((CHART / "examples").glob("*.yaml")):
        if example.name.endswith(".rendered.yaml"):
            continue
        command = (helm, "template", "swapshop", str(CHART), "--namespace", "swapshop")
        options = ("--values", str(example), "--set-json", "secrets.generate=false")
        rendered = example.with_suffix(".rendered.yaml")
        rendered.write_text(shown(run(*command, *options)), encoding="utf-8")


if __name__ == "__main__":
    main()
