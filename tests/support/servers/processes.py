"""Processes of servers that tests start, end and hold."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

HOST = "127.0.0.1"
START_SECONDS = 60.0
POLL_SECONDS = 0.05
# Below the range that outgoing connections take theirs from, or one of those may be quicker.
PORTS = range(20000, 30000)
# Debian keeps servers where an ordinary user's PATH does not look.
SERVER_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])

_given_ports: set[int] = set()
"""A caller that was given a port has possibly not bound it yet."""


class ServerMissingError(Exception):
    """No such server is installed, and none was named from outside."""


class ServerStartError(Exception):
    """The server ended or did not answer in time; the message is the end of its log."""


class Process(Protocol):
    """How a server of ours is started and ended."""

    @property
    def pid(self) -> int: ...

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        ...

    def kill(self) -> None:
        """Ends it by SIGKILL; what was committed is there again after start()."""
        ...


class Server:
    """A server's address; and, unless it was given from outside, the power over its process."""

    def __init__(self, host: str, port: int, process: Process | None) -> None:
        self.host = host
        self.port = port
        self._process = process

    @property
    def process(self) -> Process:
        if self._process is None:
            raise ServerMissingError("this server was given from outside; it is not ours to signal")
        return self._process

    @property
    def is_ours(self) -> bool:
        """Whether it was started here, not given from outside."""
        return self._process is not None

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        """Starts it again, on the same port and data, after kill()."""
        self.process.start()

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        """Holds it: connections are still accepted, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def paused(self) -> Generator[None]:
        self.pause()
        try:
            yield
        finally:
            self.resume()


class ChildProcess:
    """A server started from a command line, its output in a log file."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        answers: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment) if environment is not None else None
        self._log = log
        self._answers = answers
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ServerStartError(f"{self._command[0]} does not run")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as log:
            # In a new session: Ctrl-C ends the tests first, and they end the server.
            self._child = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._environment,
            )
        child = self._child
        if not _holds_in_time(lambda: child.poll() is not None or self._answers()):
            self.kill()
        if child.poll() is not None:
            raise ServerStartError(self._log.read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def terminate(self) -> int:
        """Ends it by SIGTERM, and returns its exit code; SIGKILL if it takes too long."""
        child = self._child
        if child is None:
            raise ServerStartError(f"{self._command[0]} does not run")
        child.terminate()
        try:
            return child.wait(START_SECONDS)
        finally:
            self.kill()


@contextmanager
def running(process: Process) -> Generator[None]:
    """The process runs within the block, and is gone after it."""
    try:
        process.start()
        yield
    finally:
        process.kill()


def find_program(program: str) -> str | None:
    """The path of an installed program."""
    return shutil.which(program, path=SERVER_PATH)


def free_port() -> int:
    """A loopback port that nothing uses; another at each call, and for each worker of xdist."""
    while True:
        port = random.SystemRandom().choice(_worker_ports())
        if port not in _given_ports and _is_unused(port):
            _given_ports.add(port)
            return port


def _worker_ports() -> range:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return PORTS[worker::workers]


def _is_unused(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    """Whether a GET is answered 200, within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - http on loopback
            return answer.status == 200
    except OSError:
        return False


def _holds_in_time(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def run_module(
    module: str, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one of our modules to its end, within a minute, with nothing else in its environment."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
