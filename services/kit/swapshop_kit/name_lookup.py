"""Lookups of host names that outlive a name server's bad moment."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

LOOKUP_SECONDS: Final = 1.0
"""A resolver first asks again after 5 s; where an answer is known already, we use that sooner."""

RETRY_SECONDS: Final = 0.1

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host; an address is its own, without a thread's wait.

    Raises:
        socket.gaierror: there are none, or the name server did not say.
    """
    with suppress(ValueError):
        return [str(ip_address(host))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Addresses:
    """The addresses of one host: looked up each time, the last known ones when that fails.

    Args:
        host: a name, or an address.
        port: that will be connected to.
        lookup: asks the system's resolver.
    """

    def __init__(self, host: str, port: int, lookup: Lookup = look_up) -> None:
        self._host = host
        self._port = port
        self._lookup = lookup
        self._known: Sequence[str] = ()

    async def current(self) -> Sequence[str]:
        """Return the host's addresses; the caller limits how long a first answer may take.

        Raises:
            socket.gaierror: the host has none, and never had.
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
