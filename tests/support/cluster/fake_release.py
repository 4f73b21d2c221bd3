"""A release in a cluster that answers as kubectl and helm do, and records the commands."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.programs import CommandFailed

Manifest = Mapping[str, Any]


class FakeRelease(Cluster):
    """The release ``shop``, with one pod of each Deployment, whose Jobs end at once.

    Args:
        values: that it was installed with.
        ends: of Jobs that do not complete: ``Failed``, or an exception, raised while it is awaited.
        always_ends: how the Jobs end that ``ends`` does not name.
        missing: objects that it has not, as ``kind/component``.
        busy: components whose pods do not end.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        ends: Mapping[str, str | BaseException] | None = None,
        always_ends: str = "Complete",
        missing: frozenset[str] = frozenset(),
        busy: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__("live", "shop")
        replicas = dict.fromkeys(("api", "receiver", "poller", "exporter"), 2)
        own: dict[str, Any] = {
            "installed": dict(values or {}),
            "ends": dict(ends or {}),
            "always_ends": always_ends,
            "missing": missing,
            "busy": busy,
            "replicas": replicas,
            "suspended": dict.fromkeys(("poller", "housekeeping", "backup"), False),
            "jobs": set(),
            "applied": [],
            "events": [],
        }
        for name, value in own.items():  # the base class is frozen
            object.__setattr__(self, name, value)

    installed: dict[str, Any]
    ends: dict[str, str | BaseException]
    always_ends: str
    missing: frozenset[str]
    busy: frozenset[str]
    replicas: dict[str, int]
    suspended: dict[str, bool]
    jobs: set[str]
    applied: list[Manifest]
    events: list[str]

    @property
    def is_open(self) -> bool:
        """Whether all of it runs."""
        return all(self.replicas.values()) and not any(self.suspended.values())

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing of it runs."""
        return not any(self.replicas.values()) and all(self.suspended.values())

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        if arguments[0] == "get":
            return self._told(*arguments[1:])
        match arguments:
            case ("scale", name, size):
                self.replicas[self._component(name)] = int(size.removeprefix("--replicas="))
            case ("patch", "cronjob", name, "--patch", patch):
                self.suspended[self._component(name)] = json.loads(patch)["spec"]["suspend"]
            case ("patch", "secret", name, *_):
                self.events.append(f"changed {name}: {', '.join(json.loads(stdin or '')['data'])}")
            case ("delete", "job", name, *_) if name in self.jobs:
                self.jobs.remove(name)
                self.events.append(f"deleted {name}")
            case ("rollout", "restart", name) | ("exec", "--stdin", name, *_):
                self.events.append(f"{arguments[0]} {name}")
            case ("logs", *_):
                return "[pod/p/c] the last words\nerror: another container has not started\n"
            case _:
                pass
        return ""

    def _told(self, kind: str, name: str, *options: str) -> str:
        component = self._component(name)
        if "--ignore-not-found" in options:
            return "" if f"{kind}/{component}" in self.missing else name
        match kind:
            case "deployment":
                return json.dumps({"spec": {"replicas": self.replicas[component]}})
            case "job":
                return json.dumps({"status": {"conditions": self._conditions(name)}})
            case _:
                return json.dumps({"data": {"secret": "b2xk", "password": "b2xk"}})

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 600) -> str:
        match arguments:
            case ("get", "values", *_):
                return json.dumps(self.installed or None)
            case ("get", "manifest", *_):
                return yaml.safe_dump_all(self._manifest())
            case _:
                asked = json.loads(stdin or "")
                assert asked["secrets"]["generate"] is False
                self.events.append(f"rendered {asked['backup']}")
                return yaml.safe_dump_all(self._job(n) for n in ("restore-check", "restore"))

    def apply(self, manifest: Manifest) -> None:
        name = manifest["metadata"]["name"]
        state = "open" if self.is_open else "at rest" if self.is_at_rest else "neither"
        self.events.append(f"started {name}, {state}")
        self.applied.append(manifest)
        self.jobs.add(name)

    def await_no_pods(self, component: str, seconds: float = 120) -> None:
        if component in self.busy:
            raise CommandFailed(f"{component}: still there after {seconds:.0f} s")

    def _component(self, name: str) -> str:
        return name.rpartition("/")[2].removeprefix("shop-swapshop-")

    def _conditions(self, job: str) -> list[dict[str, str]]:
        assert job in self.jobs
        end = self.ends.get(self._component(job), self.always_ends)
        if isinstance(end, BaseException):
            raise end
        before = "SuccessCriteriaMet" if end == "Complete" else "FailureTarget"
        return [{"type": each, "status": "True"} for each in (before, end)]

    def _job(self, suffix: str) -> Manifest:
        labels = {"app.kubernetes.io/component": suffix}
        metadata = {"name": self.name(suffix), "labels": labels}
        return {"kind": "Job", "metadata": metadata, "spec": {"activeDeadlineSeconds": 60}}

    def _manifest(self) -> list[Manifest | None]:
        sizes: dict[str, dict[str, int]] = {"api": {}, "receiver": {"replicas": 3}}
        deployments = [
            {"kind": "Deployment", "metadata": {"name": self.name(n)}, "spec": sizes.get(n, {})}
            for n in self.replicas
        ]
        pod = {"initContainers": [{"name": "users"}], "containers": [{"name": "migrate-api"}]}
        migrate = {**self._job("migrate"), "spec": {"template": {"spec": pod}}}
        autoscaler = {"scaleTargetRef": {"name": self.name("api")}, "minReplicas": 2}
        return [
            None,
            *deployments,
            {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}, "spec": autoscaler},
            migrate,
        ]
