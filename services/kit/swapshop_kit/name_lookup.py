"""Look up host names, across outages of the name server."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

LOOKUP_SECONDS: Final = 1.0
"""Time-out of a lookup once addresses are known; a resolver first retries after 5 s."""

RETRY_SECONDS: Final = 0.1

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. An address is returned as it is, without using a thread.

    Raises:
        socket.gaierror: the host has no address, or the name server did not answer.
    """
    with suppress(ValueError):
        return [str(ip_address(host))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Addresses:
    """Looks up one host each time, and falls back to its last known addresses.

    Args:
        host: name or address.
        port: port to connect to.
        lookup: returns a host's addresses; the system's resolver by default.
    """

    def __init__(self, host: str, port: int, lookup: Lookup = look_up) -> None:
        self._host = host
        self._port = port
        self._lookup = lookup
        self._known: Sequence[str] = ()

    async def current(self) -> Sequence[str]:
        """Return the host's addresses; the caller sets the time-out of the first lookup.

        Raises:
            socket.gaierror: the lookup failed, and no address is known from an earlier one.
        """
        while True:
            try:
                async with asyncio.timeout(LOOKUP_SECONDS if self._known else None):
                    self._known = await self._lookup(self._host, self._port)
            except (socket.gaierror, TimeoutError) as error:
                if not self._known:
                    if not isinstance(error, socket.gaierror) or error.errno != socket.EAI_AGAIN:
                        raise
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
            return self._known
