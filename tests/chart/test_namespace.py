"""`./task deploy` creates the given namespace, with Pod Security's labels."""

import shlex
import subprocess
from typing import Any, Final

import pytest
import yaml

from support.cluster.chart import ROOT, find_helm

TASKS: Final[dict[str, Any]] = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
LABELS: Final = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


def test_the_namespace_of_a_deployment_is_the_given_one() -> None:
    kubectl = find_helm("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is neither beside Python nor on the PATH")
    made, _, applied = TASKS["deploy"]["cmds"][0].partition("|")
    _, *arguments = shlex.split(made.replace("{{.NAMESPACE}}", "shop"))
    done = subprocess.run(  # noqa: S603 - a command of the Taskfile
        [kubectl, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    namespace = yaml.safe_load(done.stdout)
    assert applied.split() == ["kubectl", "apply", "--filename", "-"]
    assert namespace["kind"] == "Namespace"
    assert namespace["metadata"] == {"name": "shop", "labels": LABELS}
