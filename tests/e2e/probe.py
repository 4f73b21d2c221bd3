"""Runs in a pod: prints which of TARGETS a connection reaches, as JSON.

TARGETS is a list of [name, host, port, expected]. Policies reach a new pod with a delay, so
all are tried until just the expected ones are reached, or a minute is over.
"""

import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

Target = tuple[str, str, int, bool]


class Probe(NamedTuple):
    """The target of a connection."""

    name: str
    host: str
    port: int


def is_reached(probe: Probe) -> bool:
    """Return whether a TCP connection is made within two seconds."""
    try:
        socket.create_connection((probe.host, probe.port), 2).close()
    except OSError:
        return False
    return True


def resolver() -> str:
    """Return the address of the cluster's DNS."""
    lines = Path("/etc/resolv.conf").read_text(encoding="ascii").splitlines()
    return next(line.split()[1] for line in lines if line.startswith("nameserver"))


def main() -> None:
    """Print the names of those reached."""
    known: dict[str, str] = {"dns": resolver()}
    given: list[Target] = json.loads(os.environ["TARGETS"])
    targets = [Probe(name, known.get(host, host), port) for name, host, port, _ in given]
    expected = [row[0] for row in given if row[3]]
    end = time.monotonic() + 60
    with ThreadPoolExecutor(32) as pool:
        while True:
            are_open = pool.map(is_reached, targets)
            reached = [t.name for t, is_open in zip(targets, are_open, strict=True) if is_open]
            if reached == expected or time.monotonic() > end:
                break
            time.sleep(0.5)
    print(json.dumps(reached))


if __name__ == "__main__":
    main()
