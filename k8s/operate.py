"""Rotates the secrets of an installed release, and restores a backup: see docs/kubernetes.md."""

import argparse
import base64
import os
import secrets
import string
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from cluster import CHART, Cluster, CommandFailed

DATABASE_USERS: Final = {
    "api": ("database-api", "swapshop_api", ("api",)),
    "api-ddl": ("database-api-ddl", "swapshop_api_ddl", ()),
    "receiver": ("database-receiver", "swapshop_receiver", ("receiver",)),
    "receiver-ddl": ("database-receiver-ddl", "swapshop_receiver_ddl", ()),
    "exporter": ("database-exporter", "swapshop_exporter", ("exporter",)),
    "backup": ("database-backup", "swapshop_backup", ()),
}
"""Secret, user, and the Deployments that hold its password, if the release has them."""


class Operator:
    """Does it in one release.

    Args:
        cluster: where.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def rotate_shared(self, secret: str, value: str, verifier: str) -> None:
        """Replace a secret that a verifier accepts and the poller presents, without a refusal.

        Args:
            secret: of the release, with the keys ``secret`` and ``previous``.
            value: the new one.
            verifier: the Deployment that accepts both.
        """
        name = self._name(secret)
        old = self._cluster.secret(name)["secret"]
        self._cluster.set_secret(name, {"previous": value})
        self._cluster.restart(self._name(verifier))  # accepts the new one from here on
        self._cluster.set_secret(name, {"secret": value, "previous": old})
        if self._has("deployment", "poller"):
            self._cluster.restart(self._name("poller"))  # a CronJob's next run presents it
        print(f"{name} is rotated; the former value is accepted until it is rotated again")

    def rotate_signing_keys(self) -> None:
        """Add a key of access tokens; it signs ten minutes from now."""
        name = self._name("signing-keys")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "keys.json"
            file.write_text(self._cluster.secret(name)["keys.json"], encoding="ascii")
            command = (sys.executable, "-m", "swapshop_api", "keys", "rotate")
            subprocess.run(command, check=True, env={**os.environ, "SIGNING_KEYS_FILE": str(file)})
            self._cluster.set_secret(name, {"keys.json": file.read_text(encoding="ascii")})

    def rotate_database(self, user: str) -> None:
        """Replace a database user's password; the former is valid until every pod has it."""
        secret, account, deployments = DATABASE_USERS[user]
        alphabet = string.ascii_letters + string.digits
        value = "".join(secrets.choice(alphabet) for _ in range(40))
        self._cluster.set_secret(self._name(secret), {"password": value})
        self._set_passwords()
        running = [each for each in deployments if self._has("deployment", each)]
        self._cluster.restart(*(self._name(deployment) for deployment in running))
        self._discard_old_password(account)
        print(f"{account} has a new password, and no other")

    def restore(self, file: str) -> None:
        """Replace both schemas by a backup while nothing else runs.

        Args:
            file: name of a dump in the backups' claim.
        """
        values = self._cluster.helm("get", "values", self._cluster.release, "--output", "yaml")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as kept:
            kept.write(values)
            kept.flush()
            chart = ("template", self._cluster.release, str(CHART), "--values", kept.name)
            options = ("--set", f"secrets.generate=false,backup.restoreFile={file}")
            only = ("--show-only", "templates/restore.yaml")
            job: dict[str, Any] = yaml.safe_load(self._cluster.helm(*chart, *options, *only))
        name = job["metadata"]["name"]
        self._cluster.kubectl("delete", "job", name, "--ignore-not-found", "--wait")
        with self._at_rest() as stopped:
            self._cluster.apply(job)
            self._cluster.finish_job(name)
        for each in stopped:
            rollout = ("rollout", "status", f"deployment/{self._name(each)}", "--timeout=3m")
            self._cluster.kubectl(*rollout)
        print(f"{file} is restored")

    @contextmanager
    def _at_rest(self) -> Generator[list[str]]:
        """Stop what works on the schemas during a block, in any case no longer.

        Yields:
            The Deployments among them.
        """
        deployments = [n for n in ("poller", "receiver", "api") if self._has("deployment", n)]
        cron_jobs = [n for n in ("poller", "housekeeping") if self._has("cronjob", n)]
        sizes = {n: self._replicas(n) for n in deployments}
        try:
            for each in cron_jobs:
                self._suspend(each, suspended=True)
            for each in deployments:
                self._scale(each, 0)
            for each in {*deployments, *cron_jobs}:
                self._cluster.await_no_pods(each)
            yield deployments
        finally:
            for each in reversed(deployments):
                self._scale(each, max(1, sizes[each]))
            for each in cron_jobs:
                self._suspend(each, suspended=False)

    def _set_passwords(self) -> None:
        """Run the release's migration once more: its first container sets passwords."""
        manifest = self._cluster.helm("get", "manifest", self._cluster.release)
        job = next(each for each in yaml.safe_load_all(manifest) if is_migration(each))
        name = self._name(f"rotate-{secrets.token_hex(4)}")
        job["metadata"] = {"name": name, "labels": job["metadata"]["labels"]}
        self._cluster.apply(job)
        self._cluster.finish_job(name)
        self._cluster.kubectl("delete", "job", name)

    def _discard_old_password(self, account: str) -> None:
        script = (
            'mysql --defaults-extra-file=<(printf "[client]\\nuser=root\\npassword=%s\\n"'
            ' "$(cat /etc/swapshop/root/password)")'
        )
        statement = f"ALTER USER '{account}'@'%' DISCARD OLD PASSWORD;"
        pod = f"statefulset/{self._name('mysql')}"
        self._cluster.kubectl("exec", "--stdin", pod, "--", "bash", "-c", script, stdin=statement)

    def _name(self, suffix: str) -> str:
        return f"{self._cluster.fullname}-{suffix}"

    def _has(self, kind: str, suffix: str) -> bool:
        return bool(self._cluster.kubectl("get", kind, self._name(suffix), "--ignore-not-found"))

    def _replicas(self, suffix: str) -> int:
        return int(self._cluster.get("deployment", self._name(suffix))["spec"]["replicas"])

    def _scale(self, suffix: str, size: int) -> None:
        self._cluster.kubectl("scale", f"deployment/{self._name(suffix)}", f"--replicas={size}")

    def _suspend(self, suffix: str, *, suspended: bool) -> None:
        patch = f'{{"spec": {{"suspend": {str(suspended).lower()}}}}}'
        self._cluster.kubectl("patch", "cronjob", self._name(suffix), "--patch", patch)


def is_migration(manifest: dict[str, Any] | None) -> bool:
    """Tell whether it is the Job that makes users and tables; a document may be empty."""
    if manifest is None or manifest["kind"] != "Job":
        return False
    return bool(manifest["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate")


def main() -> int:
    """Return 0 when it is done, 1 when kubectl or helm refused."""
    parser = argparse.ArgumentParser(prog="operate", description=__doc__)
    parser.add_argument("--namespace", default="swapshop")
    parser.add_argument("--release", default="swapshop")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("webhook", help="rotate what webhooks are signed with")
    commands.add_parser("poller-client", help="rotate what the poller signs in with")
    commands.add_parser("signing-keys", help="rotate the keys of access tokens")
    commands.add_parser("database", help="rotate a password").add_argument(
        "user", choices=DATABASE_USERS
    )
    commands.add_parser("restore", help="restore a dump").add_argument("file")
    arguments = parser.parse_args()
    operator = Operator(Cluster(arguments.namespace, arguments.release))
    try:
        match arguments.command:
            case "webhook":
                value = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
                operator.rotate_shared("webhook", value, "receiver")
            case "poller-client":
                operator.rotate_shared("poller-client", secrets.token_urlsafe(36), "api")
            case "signing-keys":
                operator.rotate_signing_keys()
            case "database":
                operator.rotate_database(arguments.user)
            case _:
                operator.restore(arguments.file)
    except CommandFailed as error:
        print(f"operate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
