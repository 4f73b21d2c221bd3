"""Manages accounts of an installed release: see docs/kubernetes.md."""

from collections.abc import Sequence

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.cluster.migration import copy_of_migration


def run_users(cluster: Cluster, arguments: Sequence[str]) -> None:
    """Run `swapshop_api users ...` in a Job as the migration's database user and print its log.

    The api's database user cannot change the role or the state of an account.

    Args:
        cluster: the release.
        arguments: the arguments after `users`, such as ``promote EMAIL``.

    Raises:
        CommandFailed: the command failed; the message ends with its log.
    """
    job = copy_of_migration(cluster, "users")
    pod = job["spec"]["template"]["spec"]
    [own] = [each for each in pod["containers"] if each["name"] == "migrate-api"]
    pod["containers"] = [{**own, "name": "users", "args": ["users", *arguments]}]
    pod["initContainers"] = []
    pod["restartPolicy"] = "Never"
    job["spec"]["backoffLimit"] = 0
    name = job["metadata"]["name"]
    cluster.apply(job)
    try:
        cluster.finish_job(name)
        print(cluster.kubectl("logs", f"job/{name}"), end="")
    finally:
        cluster.delete_job(name)
