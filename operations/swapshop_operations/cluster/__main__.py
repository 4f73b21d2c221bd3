"""Operates an installed release: rotates secrets, manages accounts, restores a backup.

See docs/kubernetes.md.
"""

import argparse
import base64
import secrets
import sys

from swapshop_operations.cluster.accounts import run_users
from swapshop_operations.cluster.client import Cluster
from swapshop_operations.cluster.restore import Restore
from swapshop_operations.cluster.rotation import DATABASE_USERS, Rotation
from swapshop_operations.programs import CommandFailed


def main() -> int:
    """Return 0 after success, 1 after a failure, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="operate", description=__doc__)
    parser.add_argument("--namespace", default="swapshop")
    parser.add_argument("--release", default="swapshop")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("webhook", help="rotate the secret that signs webhooks")
    commands.add_parser("poller-client", help="rotate the poller's client secret")
    commands.add_parser("signing-keys", help="rotate the signing keys of access tokens")
    commands.add_parser("database", help="rotate a database user's password").add_argument(
        "user", choices=DATABASE_USERS
    )
    commands.add_parser("restore", help="restore a backup").add_argument("file")
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
        return 130  # the shells' exit code for Ctrl-C
    return 0


if __name__ == "__main__":
    sys.exit(main())
