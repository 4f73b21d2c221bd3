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
"""Secret, database user, and the workloads whose pods hold its password.

A release can lack some of the workloads.
"""


class Rotation:
    """Rotates the secrets of one release.

    Args:
        cluster: the target release.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def rotate_shared(self, secret: str, value: str, verifier: str) -> None:
        """Replace a secret that the poller sends, so that no request is refused meanwhile.

        Args:
            secret: name of the Secret, with the keys ``secret`` and ``previous``.
            value: the new secret.
            verifier: the Deployment that accepts both secrets.

        Raises:
            CommandFailed: the Secret is not part of the release.
        """
        name = self._own(secret)
        old = self._cluster.secret(name)["secret"]
        self._cluster.set_secret(name, {"previous": value})
        self._restart(f"deployment/{verifier}")  # from here on it accepts the new secret
        self._cluster.set_secret(name, {"secret": value, "previous": old})
        self._restart("deployment/poller")  # a CronJob uses it in its next run
        print(f"{name} is rotated; the previous value is accepted until the next rotation")

    def rotate_signing_keys(self) -> None:
        """Add a signing key for access tokens; it signs tokens from ten minutes from now.

        Raises:
            CommandFailed: the Secret is not part of the release.
        """
        name = self._own("signing-keys")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "keys.json"
            file.write_text(self._cluster.secret(name)["keys.json"], encoding="ascii")
            command = (sys.executable, "-m", "swapshop_api", "keys", "rotate")
            subprocess.run(command, check=True, env={**os.environ, "SIGNING_KEYS_FILE": str(file)})
            self._cluster.set_secret(name, {"keys.json": file.read_text(encoding="ascii")})

    def rotate_database(self, user: str) -> None:
        """Replace a database user's password; the old one is valid until every pod has the new one.

        Args:
            user: one of DATABASE_USERS.

        Raises:
            CommandFailed: MySQL or the Secret is not part of the release.
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
        print(f"{account} has a new password; the old one is no longer valid")

    def _set_passwords(self) -> None:
        """Run the release's migration again: its first container sets the passwords."""
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
        """Return the full name of one of the release's Secrets.

        Raises:
            CommandFailed: the Secret does not exist, or the values name an existing Secret.
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
            where = f"is {chosen}, by secrets.{purpose}.existingSecret: change it at its source"
            raise CommandFailed(f"the Secret {where}, see docs/kubernetes.md")
        name = self._cluster.name(secret)
        if not self._cluster.has("secret", secret):
            raise CommandFailed(f"{self._cluster.release} has no Secret {name}")
        return name

    def _restart(self, *workloads: str) -> None:
        """Restart the workloads (``kind/component``) that the release has."""
        pairs = [each.split("/") for each in workloads]
        there = [(kind, name) for kind, name in pairs if self._cluster.has(kind, name)]
        self._cluster.restart(*(f"{kind}/{self._cluster.name(name)}" for kind, name in there))
