"""The scripts of a backup and a restore, in bash, over programs that stand in for MySQL's."""

import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest

from swapshop_operations.repository import CHART

NAME = "swapshop-20260101T000000Z.sql.gz"
CA_FILE = "/etc/swapshop/mysql-ca/ca.crt"
DUMP = 'echo "CREATE DATABASE swapshop;"'
BROKEN_DUMP = f"{DUMP}; exit 2"
LOAD = 'cat >>"$FOLDER/loaded"; echo "$*" >>"$FOLDER/calls"'


class Machine:
    """A folder of backups, and the programs on the PATH.

    Args:
        folder: for all of it.
    """

    def __init__(self, folder: Path) -> None:
        self.backups = folder / "backup"
        self.loaded = folder / "loaded"
        self.calls = folder / "calls"
        self.environment: dict[str, str] = {}
        self._folder = folder
        for each in ("backup", "bin", "tmp"):
            (folder / each).mkdir()

    def program(self, name: str, text: str) -> None:
        """Put a program in place of MySQL's."""
        file = self._folder / "bin" / name
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the chart as its container does."""
        text = (CHART / "files" / script).read_text()
        text = re.sub("/(backup|tmp)", rf"{self._folder}/\1", text)
        environment = {
            "PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}",
            "FOLDER": str(self._folder),
            "MYSQL_HOST": "mysql",
            "MYSQL_PORT": "3306",
            "BACKUP_PASSWORD": "abc",
            "ROOT_PASSWORD": "abc",
            "KEEP": "2",
            "FILE": NAME,
            **self.environment,
        }
        command = ["bash", "-c", text, script, *arguments]
        return subprocess.run(  # noqa: S603 - the chart's own text
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def names(self) -> list[str]:
        """Return the names of all files among the backups."""
        return sorted(each.name for each in self.backups.iterdir())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One whose MySQL answers."""
    machine = Machine(tmp_path)
    machine.program("mysqldump", DUMP)
    machine.program("mysql", LOAD)
    return machine


def test_a_dump_that_breaks_has_no_name(machine: Machine) -> None:
    machine.program("mysqldump", BROKEN_DUMP)
    assert machine.run("backup.sh").returncode == 2
    (broken,) = machine.names()
    assert broken.startswith(".swapshop-")


def test_the_next_run_removes_what_broke(machine: Machine) -> None:
    (machine.backups / f".{NAME}").touch()
    done = machine.run("backup.sh")
    (whole,) = machine.names()
    assert done.stdout == f"{whole} is whole\n"
    assert gzip.decompress((machine.backups / whole).read_bytes()).startswith(b"CREATE DATABASE")


def test_the_oldest_dumps_beyond_those_that_are_kept_go(machine: Machine) -> None:
    old = [f"swapshop-2026010{day}T000000Z.sql.gz" for day in (1, 2, 3)]
    for each in (*old, "notes.txt"):
        (machine.backups / each).touch()
    assert machine.run("backup.sh").returncode == 0
    notes, kept, new = machine.names()
    assert (notes, kept) == ("notes.txt", old[2])
    assert new > old[2]


def test_a_dump_is_loaded_whole(machine: Machine) -> None:
    (machine.backups / NAME).write_bytes(gzip.compress(b"DROP DATABASE swapshop;"))
    done = machine.run("restore.sh", "load")
    assert done.stdout == f"{NAME} is restored\n"
    assert machine.loaded.read_text() == "DROP DATABASE swapshop;"


def test_a_check_loads_nothing_but_signs_in(machine: Machine) -> None:
    (machine.backups / NAME).write_bytes(gzip.compress(b"DROP DATABASE swapshop;"))
    done = machine.run("restore.sh", "check")
    assert (done.returncode, done.stdout) == (0, f"{NAME} can be restored\n")
    assert machine.loaded.read_text() == ""
    assert machine.calls.read_text().rstrip().endswith("--execute SELECT 1")


@pytest.mark.parametrize("step", ["check", "load"])
def test_a_name_that_is_no_backup_is_told_which_there_are(machine: Machine, step: str) -> None:
    (machine.backups / "swapshop-20260102T000000Z.sql.gz").touch()
    done = machine.run("restore.sh", step)
    assert done.returncode == 1
    assert done.stderr == f"{NAME} is not among the backups:\nswapshop-20260102T000000Z.sql.gz\n"
    assert not machine.calls.exists()


@pytest.mark.parametrize("step", ["check", "load"])
def test_a_damaged_dump_is_not_even_begun(machine: Machine, step: str) -> None:
    (machine.backups / NAME).write_bytes(gzip.compress(b"DROP DATABASE swapshop;" * 99)[:-9])
    assert machine.run("restore.sh", step).returncode == 1
    assert not machine.calls.exists()


@pytest.mark.parametrize(
    ("script", "program"),
    [("backup.sh", "mysqldump"), ("restore.sh", "mysql"), ("mysql-users.sh", "mysql")],
)
def test_with_authorities_the_server_is_verified(
    machine: Machine, script: str, program: str
) -> None:
    (machine.backups / NAME).write_bytes(gzip.compress(b"DROP DATABASE swapshop;"))
    machine.program(program, 'cat "${1#--defaults-extra-file=}" >"$FOLDER/calls"')
    machine.environment |= {"ADMIN_USER": "root", "ADMIN_PASSWORD": "abc"}
    for file, lines in ((CA_FILE, f'ssl-mode=VERIFY_IDENTITY\nssl-ca="{CA_FILE}"\n'), ("", "")):
        machine.environment["MYSQL_CA_FILE"] = file
        machine.run(script)
        _, _, verified = machine.calls.read_text().partition('password="abc"\n')
        assert verified.removeprefix("connect-timeout=5\n") == lines


def test_a_check_fails_where_root_is_refused(machine: Machine) -> None:
    (machine.backups / NAME).write_bytes(gzip.compress(b"DROP DATABASE swapshop;"))
    machine.program("mysql", "cat >/dev/null; exit 1")
    assert machine.run("restore.sh", "check").returncode == 1
