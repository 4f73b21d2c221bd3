"""Whose request it is: the client's address behind proxies, for rate limits."""

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
"""The address of a client on a Unix socket; all of them share their limits."""

_Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The proxies whose X-Forwarded-For is believed.

    Args:
        networks: CIDR networks, or single addresses.

    Raises:
        ValueError: one of them is neither.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(network, strict=False) for network in networks
        ]

    def client_address(self, peer: str | None, forwarded_for: Sequence[str]) -> str:
        """Return the peer, or, if it is a trusted proxy, the nearest address that is not.

        A proxy appends the address that it saw, so only what stands right of the first untrusted
        entry can be believed. An entry that is no address ends the search: the proxy that
        reported it stands for its client then.

        Args:
            peer: the address of the connection; None on a Unix socket.
            forwarded_for: the X-Forwarded-For headers, in order.
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
        """Return the client's address of a request; see ``client_address``."""
        peer = scope.get("client")
        forwarded_for = Headers(scope=scope).getlist("x-forwarded-for")
        return self.client_address(peer[0] if peer else None, forwarded_for)

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def limited_network(address: str) -> str:
    """Return what a limit counts as one address: an IPv6 client commands its whole /64."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address


def site_network(address: str) -> str:
    """Return the network of one site, such as a company's: an IPv6 /48, or an IPv4 /24."""
    parsed = _parse(address)
    if parsed is None:
        return address
    return str(ip_network((parsed, 48 if parsed.version == 6 else 24), strict=False))


def _parse(text: str) -> _Address | None:
    """Read an address, with or without a port or an IPv6 zone; IPv4-mapped IPv6 as IPv4."""
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
