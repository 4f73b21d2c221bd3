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
    """Runs kubectl and helm on one release in one namespace.

    Args:
        namespace: the release's namespace.
        release: the release's name.
    """

    namespace: str = "swapshop"
    release: str = "swapshop"

    @property
    def fullname(self) -> str:
        """The name prefix of the release's objects, as in the chart's ``swapshop.fullname``."""
        if "swapshop" in self.release:
            return self.release[:39].removesuffix("-")
        return f"{self.release[:30].removesuffix('-')}-swapshop"

    def name(self, suffix: str) -> str:
        """Return the full name of one of the release's objects."""
        return f"{self.fullname}-{suffix}"

    def has(self, kind: str, suffix: str) -> bool:
        """Return whether the release has this object."""
        return bool(self.kubectl("get", kind, self.name(suffix), "--ignore-not-found"))

    def demand_own_mysql(self) -> None:
        """Check that MySQL is part of the release, so that root's password is known.

        Raises:
            CommandFailed: the release uses an external MySQL.
        """
        if not self.has("statefulset", "mysql"):
            hint = "see docs/kubernetes.md for an external MySQL"
            raise CommandFailed(f"{self.release} has no MySQL of its own: {hint}")

    def installed_values(self) -> dict[str, Any]:
        """Return the values that the release was installed with, without the chart's defaults."""
        return json.loads(self.helm("get", "values", self.release, "--output", "json")) or {}

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        """Run kubectl in the namespace and return its output.

        Args:
            arguments: arguments of kubectl.
            stdin: text for its standard input.
            seconds: time limit.

        Raises:
            CommandFailed: kubectl ended with an error.
        """
        return run(
            find_program("kubectl"), "-n", self.namespace, *arguments, stdin=stdin, seconds=seconds
        )

    def follow(self, *arguments: str) -> Iterator[str]:
        """Run kubectl in the namespace and yield each line of its output until it ends."""
        command = (find_program("kubectl"), "-n", self.namespace, *arguments)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            yield from running.stdout or ()

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 600) -> str:
        """Run helm in the namespace and return its output.

        Args:
            arguments: arguments of helm.
            stdin: text for its standard input.
            seconds: time limit.

        Raises:
            CommandFailed: helm ended with an error.
        """
        return run(
            find_program("helm"), "-n", self.namespace, *arguments, stdin=stdin, seconds=seconds
        )

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return the result of `kubectl get`, parsed from JSON."""
        return json.loads(self.kubectl("get", *arguments, "--output", "json"))

    def apply(self, manifest: Mapping[str, Any]) -> None:
        """Create or update one object."""
        self.kubectl("apply", "--filename", "-", stdin=json.dumps(manifest))

    def secret(self, name: str) -> dict[str, str]:
        """Return the data of a Secret, decoded."""
        data: dict[str, str] = self.get("secret", name).get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def set_secret(self, name: str, changes: Mapping[str, str | None]) -> None:
        """Change keys of a Secret; None removes a key."""
        data = {
            key: None if value is None else base64.b64encode(value.encode()).decode()
            for key, value in changes.items()
        }
        # as a file: every process on the machine can read the arguments of another
        self.kubectl(
            "patch", "secret", name, "--patch-file", "/dev/stdin", stdin=json.dumps({"data": data})
        )

    def restart(self, *workloads: str) -> None:
        """Restart workloads (``kind/name``) pod by pod and wait until their pods are ready."""
        for each in workloads:
            self.kubectl("rollout", "restart", each)
        for each in workloads:
            self.await_rollout(each)

    def await_rollout(self, workload: str) -> None:
        """Wait until every pod of a workload (``kind/name``) is up to date and ready.

        Raises:
            CommandFailed: the rollout took longer than five minutes.
        """
        self.kubectl("rollout", "status", workload, "--timeout=5m", seconds=310)

    def await_no_pods(self, component: str, seconds: float = 120) -> None:
        """Wait until a component of the release has no pod that can still run.

        Args:
            component: the pods' label ``app.kubernetes.io/component``.
            seconds: time limit.

        Raises:
            CommandFailed: a pod is still there after the time limit.
        """
        instance = f"app.kubernetes.io/instance={self.release}"
        labels = f"{instance},app.kubernetes.io/component={component}"
        those = ("pods", "--selector", labels, "--output", "name")
        # a CronJob keeps the finished pods of its last runs
        unfinished = ("--field-selector", "status.phase!=Succeeded,status.phase!=Failed")
        end = time.monotonic() + seconds
        while left := self.kubectl("get", *those, *unfinished).split():
            if time.monotonic() > end:
                raise CommandFailed(f"{', '.join(left)}: still there after {seconds:.0f} s")
            time.sleep(1)

    def finish_job(self, name: str, seconds: float = 600) -> None:
        """Wait until a Job is complete.

        Raises:
            CommandFailed: the Job failed, and the message ends with its log; or it did not end
                within the time limit.
        """
        end = time.monotonic() + seconds
        while not (ended := self._ended(name) & {"Complete", "Failed"}):
            if time.monotonic() > end:
                raise CommandFailed(f"job {name}: no end within {seconds:.0f} s")
            time.sleep(1)
        if "Failed" in ended:
            pods = ("--selector", f"batch.kubernetes.io/job-name={name}")
            # a container that never started has no log: print the others' logs all the same
            logs = self.kubectl(
                "logs", *pods, "--all-containers", "--prefix", "--tail=20", "--ignore-errors"
            )
            lines = [line for line in logs.splitlines() if line.startswith("[pod/")]
            raise CommandFailed("\n".join([f"job {name} failed", *lines]))

    def _ended(self, job: str) -> set[str]:
        conditions = self.get("job", job)["status"].get("conditions", [])
        return {each["type"] for each in conditions if each["status"] == "True"}

    def delete_job(self, name: str) -> None:
        """Delete a Job if it exists, and wait until its pods have ended."""
        self.kubectl("delete", "job", name, "--ignore-not-found", "--cascade=foreground", "--wait")
