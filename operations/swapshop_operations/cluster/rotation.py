"""Rotates the secrets of an installed release: see docs/kubernetes.md."""

import os
import secrets
import string
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.cluster.migration import copy_of_migration
from swapshop_operations.programs import CommandFailed

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
        job = copy_of_migration(self._cluster, "rotate")
        name = job["metadata"]["name"]
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
