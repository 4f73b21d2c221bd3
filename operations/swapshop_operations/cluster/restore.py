"""Replaces the data of an installed release with a backup: see docs/kubernetes.md."""

import json
import sys
from typing import Any, Final

import yaml

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.repository import CHART

DEPLOYMENTS: Final = ("exporter", "poller", "receiver", "api")
"""Deployments that use the schemas, in the order in which they are stopped.

A release can lack some of them.
"""
CRON_JOBS: Final = ("poller", "housekeeping", "backup")
"""CronJobs that use the schemas; a release can lack some of them."""
STOPPED: Final = """\
The schemas may be half restored, so everything stays stopped. Fix the cause and restore again:
that also starts everything."""

Manifest = dict[str, Any]


class Restore:
    """Restores a backup into one release.

    Args:
        cluster: the target release.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def run(self, file: str) -> None:
        """Replace both schemas with a backup while nothing else uses them.

        If the restore fails or is interrupted, everything stays stopped: an order stored in half
        restored schemas would be lost by the next attempt.

        Args:
            file: name of a dump in the backups' volume claim.

        Raises:
            CommandFailed: MySQL is external, or the dump is missing, damaged or cannot be
                restored, and the shop keeps running. Or the restore failed, and the shop is
                stopped.
        """
        self._cluster.demand_own_mysql()
        check, restore = self.jobs(file)
        self._finish(check)
        deployments = [n for n in DEPLOYMENTS if self._cluster.has("deployment", n)]
        cron_jobs = [n for n in CRON_JOBS if self._cluster.has("cronjob", n)]
        found = {each: self._replicas(each) for each in deployments}
        sizes = self._sizes(found)
        try:
            self._stop(deployments, cron_jobs)
        except BaseException:
            if any(found.values()):  # no earlier restore failed: the schemas are complete
                self._start(sizes, cron_jobs)
            raise
        try:
            self._finish(restore)
        except BaseException:
            print(STOPPED, file=sys.stderr)
            raise
        self._start(sizes, cron_jobs)
        for each in deployments:
            self._cluster.await_rollout(f"deployment/{self._cluster.name(each)}")
        print(f"{file} is restored")

    def jobs(self, file: str) -> tuple[Manifest, Manifest]:
        """Return the Job that checks a dump and the Job that restores it.

        Args:
            file: name of a dump in the backups' volume claim.

        Raises:
            CommandFailed: the release has no volume claim for backups, or the file name is not
                that of a dump.
        """
        values = self._cluster.installed_values()
        values["secrets"] = {**values.get("secrets", {}), "generate": False}
        values["backup"] = {**values.get("backup", {}), "restoreFile": file}
        rendered = self._cluster.helm(
            *("template", self._cluster.release, str(CHART), "--values", "-"),
            *("--show-only", "templates/restore.yaml"),
            stdin=json.dumps(values),
        )
        jobs = {each["metadata"]["name"]: each for each in yaml.safe_load_all(rendered) if each}
        return jobs[self._cluster.name("restore-check")], jobs[self._cluster.name("restore")]

    def _finish(self, job: Manifest) -> None:
        """Run a Job and delete it, whether it completes or fails."""
        name = job["metadata"]["name"]
        self._cluster.delete_job(name)
        try:
            self._cluster.apply(job)
            # the Job ends at its own time limit; its pods then need time to end
            self._cluster.finish_job(name, job["spec"]["activeDeadlineSeconds"] + 120)
        finally:
            self._cluster.delete_job(name)

    def _sizes(self, found: dict[str, int]) -> dict[str, int]:
        """Return the size of each Deployment, or the declared size if it was stopped before."""
        manifest = self._cluster.helm("get", "manifest", self._cluster.release)
        objects = [each for each in yaml.safe_load_all(manifest) if each]
        declared = {
            each["metadata"]["name"]: each["spec"].get("replicas", 1)
            for each in objects
            if each["kind"] == "Deployment"
        }
        # with an autoscaler the Deployment declares no size and would start with one pod
        declared |= {
            each["spec"]["scaleTargetRef"]["name"]: each["spec"]["minReplicas"]
            for each in objects
            if each["kind"] == "HorizontalPodAutoscaler"
        }
        return {each: size or declared[self._cluster.name(each)] for each, size in found.items()}

    def _replicas(self, suffix: str) -> int:
        return int(self._cluster.get("deployment", self._cluster.name(suffix))["spec"]["replicas"])

    def _stop(self, deployments: list[str], cron_jobs: list[str]) -> None:
        for each in cron_jobs:
            self._suspend(each, suspended=True)
        # the shop is still open, so that a poller can report its deliveries
        for each in cron_jobs:
            self._cluster.await_no_pods(each)
        for each in deployments:
            self._scale(each, 0)
        for each in deployments:
            self._cluster.await_no_pods(each)

    def _start(self, sizes: dict[str, int], cron_jobs: list[str]) -> None:
        for each, size in reversed(sizes.items()):
            self._scale(each, size)
        for each in cron_jobs:
            self._suspend(each, suspended=False)

    def _scale(self, suffix: str, size: int) -> None:
        name = f"deployment/{self._cluster.name(suffix)}"
        self._cluster.kubectl("scale", name, f"--replicas={size}")

    def _suspend(self, suffix: str, *, suspended: bool) -> None:
        patch = json.dumps({"spec": {"suspend": suspended}})
        self._cluster.kubectl("patch", "cronjob", self._cluster.name(suffix), "--patch", patch)
