"""Runs kubectl and helm against the cluster that KUBECONFIG names."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from swapshop_operations.programs import CommandFailed, find_program, run


@dataclass(frozen=True)
class Cluster:
    """One release in one namespace.

    Args:
        namespace: of the release.
        release: its name.
    """

    namespace: str = "swapshop"
    release: str = "swapshop"

    @property
    def fullname(self) -> str:
        """Prefix of the release's objects, as the chart's ``swapshop.fullname`` makes it."""
        if "swapshop" in self.release:
            return self.release[:39].removesuffix("-")
        return f"{self.release[:30].removesuffix('-')}-swapshop"

    def name(self, suffix: str) -> str:
        """Return the name of one of the release's objects."""
        return f"{self.fullname}-{suffix}"

    def has(self, kind: str, suffix: str) -> bool:
        """Tell whether the release has an object of a kind."""
        return bool(self.kubectl("get", kind, self.name(suffix), "--ignore-not-found"))

    def demand_own_mysql(self) -> None:
        """See that MySQL is the release's own, so that root's password is known.

        Raises:
            CommandFailed: it is not.
        """
        if not self.has("statefulset", "mysql"):
            told = "docs/kubernetes.md tells how it is done with an external one"
            raise CommandFailed(f"{self.release} has no MySQL of its own: {told}")

    def installed_values(self) -> dict[str, Any]:
        """Return the values that the release was installed with, without the chart's defaults."""
        return json.loads(self.helm("get", "values", self.release, "--output", "json")) or {}

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        """Run kubectl in the namespace and return what it prints.

        Raises:
            CommandFailed: it ended with an error.
        """
        return run(
            find_program("kubectl"), "-n", self.namespace, *arguments, stdin=stdin, seconds=seconds
        )

    def follow(self, *arguments: str) -> Iterator[str]:
        """Run kubectl in the namespace and yield each line that it prints, until it ends."""
        command = (find_program("kubectl"), "-n", self.namespace, *arguments)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            yield from running.stdout or ()

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 600) -> str:
        """Run helm in the namespace and return what it prints.

        Raises:
            CommandFailed: it ended with an error.
        """
        return run(
            find_program("helm"), "-n", self.namespace, *arguments, stdin=stdin, seconds=seconds
        )

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return what `kubectl get` finds, as JSON."""
        return json.loads(self.kubectl("get", *arguments, "--output", "json"))

    def apply(self, manifest: Mapping[str, Any]) -> None:
        """Apply one object."""
        self.kubectl("apply", "--filename", "-", stdin=json.dumps(manifest))

    def secret(self, name: str) -> dict[str, str]:
        """Return the data of a Secret, decoded."""
        data: dict[str, str] = self.get("secret", name).get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def set_secret(self, name: str, changes: Mapping[str, str | None]) -> None:
        """Change keys of a Secret; None removes one."""
        data = {
            key: None if value is None else base64.b64encode(value.encode()).decode()
            for key, value in changes.items()
        }
        # through a file, not an argument: arguments can be read by every process of the machine
        self.kubectl(
            "patch", "secret", name, "--patch-file", "/dev/stdin", stdin=json.dumps({"data": data})
        )

    def restart(self, *workloads: str) -> None:
        """Restart workloads (``kind/name``) one pod after another, and wait for them."""
        for each in workloads:
            self.kubectl("rollout", "restart", each)
        for each in workloads:
            self.await_rollout(each)

    def await_rollout(self, workload: str) -> None:
        """Wait until every pod of a workload (``kind/name``) is up to date and ready.

        Raises:
            CommandFailed: it is not within five minutes.
        """
        self.kubectl("rollout", "status", workload, "--timeout=5m", seconds=310)

    def await_no_pods(self, component: str, seconds: float = 120) -> None:
        """Wait until a component of the release has no pod that may still work.

        Raises:
            CommandFailed: one is still there.
        """
        instance = f"app.kubernetes.io/instance={self.release}"
        labels = f"{instance},app.kubernetes.io/component={component}"
        those = ("pods", "--selector", labels, "--output", "name")
        # a CronJob keeps the pods of its last runs
        unfinished = ("--field-selector", "status.phase!=Succeeded,status.phase!=Failed")
        end = time.monotonic() + seconds
        while left := self.kubectl("get", *those, *unfinished).split():
            if time.monotonic() > end:
                raise CommandFailed(f"{', '.join(left)}: still there after {seconds:.0f} s")
            time.sleep(1)

    def finish_job(self, name: str, seconds: float = 600) -> None:
        """Wait until a Job is complete.

        Raises:
            CommandFailed: it failed, which it tells with the end of its log; or it is neither
                complete nor failed in time.
        """
        end = time.monotonic() + seconds
        while not (ended := self._ended(name) & {"Complete", "Failed"}):
            if time.monotonic() > end:
                raise CommandFailed(f"job {name}: no end within {seconds:.0f} s")
            time.sleep(1)
        if "Failed" in ended:
            pods = ("--selector", f"batch.kubernetes.io/job-name={name}")
            # a container that never started has no log, which must not hide the others'
            told = self.kubectl(
                "logs", *pods, "--all-containers", "--prefix", "--tail=20", "--ignore-errors"
            )
            lines = [line for line in told.splitlines() if line.startswith("[pod/")]
            raise CommandFailed("\n".join([f"job {name} failed", *lines]))

    def _ended(self, job: str) -> set[str]:
        conditions = self.get("job", job)["status"].get("conditions", [])
        return {each["type"] for each in conditions if each["status"] == "True"}

    def delete_job(self, name: str) -> None:
        """Delete a Job, if it is there, and return once its pods have ended too."""
        self.kubectl("delete", "job", name, "--ignore-not-found", "--cascade=foreground", "--wait")
