"""Find the client's address behind proxies, for rate limits."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

UNKNOWN: Final = "unknown"
"""Stands for the address of every client on a Unix socket; they share their limits."""

_Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The proxies whose X-Forwarded-For header is trusted.

    Args:
        networks: CIDR networks or single addresses.

    Raises:
        ValueError: a network is neither.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(network, strict=False) for network in networks
        ]

    def client_address(self, peer: str | None, forwarded_for: Sequence[str]) -> str:
        """Return the peer's address or, behind trusted proxies, the nearest untrusted address.

        Each proxy appends the address it saw, so the entries are read from the right and those
        left of the first untrusted one are ignored. If an entry is not an address, the proxy that
        reported it is returned instead of its client.

        Args:
            peer: address of the connection; None on a Unix socket.
            forwarded_for: values of the X-Forwarded-For headers, in order.
        """
        nearest = None if peer is None else _parse(peer)
        if nearest is None:
            return UNKNOWN
        entries = ",".join(forwarded_for).split(",") if forwarded_for else []
        while entries and self._trusts(nearest):
            reported = _parse(entries.pop())
            if reported is None:
                break
            nearest = reported
        return str(nearest)

    def address_of(self, scope: Scope) -> str:
        """Return the address of a request's client; see ``client_address``."""
        peer = scope.get("client")
        forwarded_for = Headers(scope=scope).getlist("x-forwarded-for")
        return self.client_address(peer[0] if peer else None, forwarded_for)

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def limited_network(address: str) -> str:
    """Return the network that a limit counts as one: an IPv6 client can use its whole /64."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address


def site_network(address: str) -> str:
    """Return the network of a site, such as a company: an IPv6 /48 or an IPv4 /24."""
    parsed = _parse(address)
    if parsed is None:
        return address
    return str(ip_network((parsed, 48 if parsed.version == 6 else 24), strict=False))


def _parse(text: str) -> _Address | None:
    """Parse an address, ignoring a port or an IPv6 zone; IPv4-mapped IPv6 becomes IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
