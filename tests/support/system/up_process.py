"""``up`` as a process: the whole of SwapShop on one port."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from support.servers.processes import HOST
from support.waiting import until

END_SECONDS = 30


class Up:
    """A running ``up``, in its own process group, as in a terminal."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        self.url = f"http://{HOST}:{port}"
        self.log = folder / "up.log"
        self._output: IO[str] = self.log.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "swapshop_local", "up", "--demo"],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={
                **os.environ,
                "DATA_DIR": str(folder / "data"),
                "PORT": str(port),
                **environment,
            },
        )

    async def ready(self) -> None:
        """Wait for the text with the address, as a newcomer does."""
        await until(lambda: "Sign in" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def wait(self) -> None:
        """Does the same outside an event loop."""
        asyncio.run(self.ready())

    def signal_group(self, number: int) -> int:
        """Signals the group, as Ctrl-C does, and returns the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(END_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.signal_group(signal.SIGKILL)
        self._output.close()


@contextmanager
def up(folder: Path, port: int, **environment: str) -> Generator[Up]:
    running = Up(folder, port, **environment)
    try:
        yield running
    finally:
        running.close()
