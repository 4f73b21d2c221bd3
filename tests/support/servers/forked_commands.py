"""Commands of our services, each in a process forked from one that has imported the service.

Importing takes most of the time of a short command; everything else is as in `python -m`.
"""

import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

_SECONDS: Final = 60


class ForkedCommands:
    """Runs the command line of one service.

    Args:
        module: the package, as after `python -m`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([f"{module}.__main__"])

    def run(self, *arguments: str, environment: Mapping[str, str]) -> CompletedProcess[str]:
        """Run a command to its end, within a minute, with nothing else in its environment."""
        with tempfile.TemporaryDirectory() as folder:
            outputs = [Path(folder, name) for name in ("stdout", "stderr")]
            process = self._context.Process(
                target=_become, args=(self._module, arguments, dict(environment), outputs)
            )
            process.start()
            process.join(_SECONDS)
            if process.exitcode is None:
                process.kill()
                process.join()
            assert process.exitcode is not None
            stdout, stderr = (output.read_text(encoding="utf-8") for output in outputs)
            return CompletedProcess(arguments, process.exitcode, stdout, stderr)


def _become(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], outputs: Sequence[Path]
) -> None:
    for descriptor, output in enumerate(outputs, start=1):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    del sys.modules[f"{module}.__main__"]  # preloaded with what it imports; runs now
    runpy.run_module(module, run_name="__main__", alter_sys=True)
