"""Operates an installed release: rotates secrets, manages accounts, restores a backup.

See docs/kubernetes.md.
"""

import argparse
import base64
import os
import secrets
import string
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from cluster import Cluster, CommandFailed
from restore import Restore

DATABASE_USERS: Final = {
    "api": ("database-api", "swapshop_api", ("deployment/api",)),
    "api-ddl": ("database-api-ddl", "swapshop_api_ddl", ()),
    "housekeeping": ("database-housekeeping", "swapshop_housekeeping", ()),
    "receiver": ("database-receiver", "swapshop_receiver", ("deployment/receiver",)),
    "receiver-ddl": ("database-receiver-ddl", "swapshop_receiver_ddl", ()),
    "exporter": ("database-exporter", "swapshop_exporter", ("deployment/exporter",)),
    "backup": ("database-backup", "swapshop_backup", ()),
    "monitor": ("database-monitor", "swapshop_monitor", ("statefulset/mysql",)),
}
"""Secret, user, and the workloads whose pods hold its password, if the release has them."""


class Rotation:
    """Of one release's secrets.

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

        Raises:
            CommandFailed: the Secret is not the release's own.
        """
        name = self._own(secret)
        old = self._cluster.secret(name)["secret"]
        self._cluster.set_secret(name, {"previous": value})
        self._restart(f"deployment/{verifier}")  # accepts the new one from here on
        self._cluster.set_secret(name, {"secret": value, "previous": old})
        self._restart("deployment/poller")  # a CronJob's next run presents it
        print(f"{name} is rotated; the former value is accepted until it is rotated again")

    def rotate_signing_keys(self) -> None:
        """Add a key of access tokens; it signs ten minutes from now.

        Raises:
            CommandFailed: the Secret is not the release's own.
        """
        name = self._own("signing-keys")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "keys.json"
            file.write_text(self._cluster.secret(name)["keys.json"], encoding="ascii")
            command = (sys.executable, "-m", "swapshop_api", "keys", "rotate")
            subprocess.run(command, check=True, env={**os.environ, "SIGNING_KEYS_FILE": str(file)})
            self._cluster.set_secret(name, {"keys.json": file.read_text(encoding="ascii")})

    def rotate_database(self, user: str) -> None:
        """Replace a database user's password; the former is valid until every pod has it.

        Args:
            user: one of DATABASE_USERS.

        Raises:
            CommandFailed: MySQL or the Secret is not the release's own.
        """
        secret, account, workloads = DATABASE_USERS[user]
        self._cluster.demand_own_mysql()
        name = self._own(secret)
        alphabet = string.ascii_letters + string.digits
        value = "".join(secrets.choice(alphabet) for _ in range(40))
        self._cluster.set_secret(name, {"password": value})
        self._set_passwords()
        self._restart(*workloads)
        self._discard_old_password(account)
        print(f"{account} has a new password, and no other")

    def _set_passwords(self) -> None:
        """Run the release's migration once more: its first container sets passwords."""
        manifest = self._cluster.helm("get", "manifest", self._cluster.release)
        job = next(each for each in yaml.safe_load_all(manifest) if is_migration(each))
        name = self._cluster.name(f"rotate-{secrets.token_hex(4)}")
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
        pod = f"statefulset/{self._cluster.name('mysql')}"
        self._cluster.kubectl("exec", "--stdin", pod, "--", "bash", "-c", script, stdin=statement)

    def _own(self, secret: str) -> str:
        """Return the name of the release's Secret for a purpose.

        Raises:
            CommandFailed: there is none, or the values name another one.
        """
        first, *rest = secret.split("-")
        purpose = first + "".join(each.capitalize() for each in rest)
        chosen = (
            self._cluster.installed_values()
            .get("secrets", {})
            .get(purpose, {})
            .get("existingSecret")
        )
        if chosen:
            told = f"is {chosen}, by secrets.{purpose}.existingSecret: change it where it is kept"
            raise CommandFailed(f"the Secret {told}, see docs/kubernetes.md")
        name = self._cluster.name(secret)
        if not self._cluster.has("secret", secret):
            raise CommandFailed(f"{self._cluster.release} has no Secret {name}")
        return name

    def _restart(self, *workloads: str) -> None:
        """Restart those (``kind/component``) that the release has."""
        pairs = [each.split("/") for each in workloads]
        there = [(kind, name) for kind, name in pairs if self._cluster.has(kind, name)]
        self._cluster.restart(*(f"{kind}/{self._cluster.name(name)}" for kind, name in there))


def run_users(cluster: Cluster, arguments: Sequence[str]) -> None:
    """Run `swapshop_api users ...` in a Job with the migration's database user, and print its log.

    The api's own user can change neither a role nor the state of an account.

    Args:
        cluster: the release.
        arguments: what follows `users`, such as ``promote EMAIL``.

    Raises:
        CommandFailed: the command failed; the message ends with its log.
    """
    manifest = cluster.helm("get", "manifest", cluster.release)
    job = next(each for each in yaml.safe_load_all(manifest) if is_migration(each))
    pod = job["spec"]["template"]["spec"]
    [own] = [each for each in pod["containers"] if each["name"] == "migrate-api"]
    pod["containers"] = [{**own, "name": "users", "args": ["users", *arguments]}]
    pod["initContainers"] = []
    pod["restartPolicy"] = "Never"
    job["spec"]["backoffLimit"] = 0
    name = cluster.name(f"users-{secrets.token_hex(4)}")
    job["metadata"] = {"name": name, "labels": job["metadata"]["labels"]}
    cluster.apply(job)
    try:
        cluster.finish_job(name)
        print(cluster.kubectl("logs", f"job/{name}"), end="")
    finally:
        cluster.delete_job(name)


def is_migration(manifest: dict[str, Any] | None) -> bool:
    """Tell whether it is the Job that makes users and tables; a document may be empty."""
    if manifest is None or manifest["kind"] != "Job":
        return False
    return bool(manifest["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate")


def main() -> int:
    """Return 0 when it is done, 1 when it was refused or failed, 130 after Ctrl-C."""
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
    users = commands.add_parser("users", help="manage accounts: promote EMAIL and others")
    users.add_argument("arguments", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    cluster = Cluster(arguments.namespace, arguments.release)
    rotation = Rotation(cluster)
    try:
        match arguments.command:
            case "webhook":
                value = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
                rotation.rotate_shared("webhook", value, "receiver")
            case "poller-client":
                rotation.rotate_shared("poller-client", secrets.token_urlsafe(36), "api")
            case "signing-keys":
                rotation.rotate_signing_keys()
            case "database":
                rotation.rotate_database(arguments.user)
            case "users":
                run_users(cluster, arguments.arguments)
            case _:
                Restore(cluster).run(arguments.file)
    except CommandFailed as error:
        print(f"operate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells tell of Ctrl-C
    return 0


if __name__ == "__main__":
    sys.exit(main())
