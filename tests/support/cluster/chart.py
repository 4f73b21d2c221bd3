"""Renders the chart with `helm template` and reads the result."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
CHART: Final = ROOT / "charts" / "swapshop"
EXAMPLES: Final = ("minimal", "ha", "external-databases", "tls", "monitoring", "operator")

Manifest = Mapping[str, Any]

# Rendered without a cluster, the chart demands Secrets that exist.
RENDERABLE: Final = {"secrets.generate": False}


class ChartRefusedError(Exception):
    """Helm refuses the values; the message is helm's."""


def find_helm(name: str = "helm") -> str | None:
    """Return the path of helm: in the virtual environment, or else on the PATH."""
    own = Path(sys.executable).parent / name
    return str(own) if own.exists() else shutil.which(name)


class Helm:
    """Renders charts.

    Args:
        program: path of helm.
    """

    def __init__(self, program: str) -> None:
        self._program = program

    def template(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        files: Iterable[Path] = (),
        release: str = "swapshop",
        namespace: str = "swapshop",
        chart: Path = CHART,
    ) -> str:
        """Return what `helm template` prints.

        Args:
            values: by their dotted path, as for ``--set-json``.
            files: of values.
            release: its name.
            namespace: where it would be.
            chart: folder of the chart.

        Raises:
            ChartRefusedError: the schema or a template refuses the values.
        """
        command = [self._program, "template", release, str(chart), "--namespace", namespace]
        for file in files:
            command += ["--values", str(file)]
        for path, value in {**RENDERABLE, **(values or {})}.items():
            command += ["--set-json", f"{path}={_to_json(value)}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise ChartRefusedError(done.stderr)
        return done.stdout

    def notes(self, values: Mapping[str, Any] | None = None) -> str:
        """Return the notes that `helm install` prints, without a cluster."""
        command = [self._program, "install", "swapshop", str(CHART), "--dry-run=client"]
        for name, value in {**RENDERABLE, **(values or {})}.items():
            command += ["--set-json", f"{name}={_to_json(value)}"]
        done = subprocess.run(
            command,
            env={**os.environ, "KUBECONFIG": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.partition("\nNOTES:\n")[2]

    def render(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        files: Iterable[Path] = (),
        release: str = "swapshop",
        namespace: str = "swapshop",
        chart: Path = CHART,
    ) -> list[Manifest]:
        """Return the objects that `helm template` prints; arguments as there."""
        text = self.template(values, files=files, release=release, namespace=namespace, chart=chart)
        return [each for each in yaml.safe_load_all(text) if each]


def _to_json(value: Any) -> str:
    return json.dumps(value)


def named(manifests: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """Return the object of a kind and name."""
    return next(
        each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name
    )


def pods(manifests: Iterable[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield each pod or pod template, with what to call it in a message."""
    for each in manifests:
        label = f"{each['kind']}/{each['metadata']['name']}"
        match each["kind"]:
            case "Pod":
                yield label, each
            case "Deployment" | "StatefulSet" | "Job":
                yield label, each["spec"]["template"]
            case "CronJob":
                yield label, each["spec"]["jobTemplate"]["spec"]["template"]
            case _:
                pass


def containers(pod: Manifest) -> list[Manifest]:
    """Return the containers of a pod, those that come first included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def component(pod: Manifest) -> str:
    """Return the component that a pod belongs to."""
    return str(pod["metadata"]["labels"]["app.kubernetes.io/component"])
