"""Runs in a pod that sees its node's processes: ends a container's first one with SIGKILL.

The one argument is the container's id, as the runtime names it in the process's control group.
"""

import os
import signal
import sys
from pathlib import Path


def is_first(process: Path) -> bool:
    """Return whether a process is the first in its own PID namespace."""
    for line in (process / "status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("NSpid:"):
            return line.split()[-1] == "1"
    return False


def first_processes(container: str) -> list[int]:
    """Return the PIDs of a container's first processes."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if container in (process / "cgroup").read_text(encoding="ascii") and is_first(process):
                found.append(int(process.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


def main() -> None:
    """Kill the one; end with an error unless there is just one."""
    (container,) = sys.argv[1:]
    (pid,) = first_processes(container)
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
