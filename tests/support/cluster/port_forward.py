"""A port of a pod or service, forwarded to this machine."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.programs import find_program


@contextmanager
def forwarded(cluster: Cluster, target: str, port: int) -> Generator[int]:
    """Forward a local port during a block, and yield it.

    Args:
        cluster: the release.
        target: such as ``service/swapshop-prometheus``.
        port: of the target.
    """
    program = (find_program("kubectl"), "-n", cluster.namespace)
    command = (*program, "port-forward", target, f":{port}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        match = re.search(r":(\d+) ->", process.stdout.readline())
        try:
            assert match is not None
            yield int(match[1])
        finally:
            process.terminate()
