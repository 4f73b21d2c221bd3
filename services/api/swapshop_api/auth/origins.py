"""Where a request comes from: the Origin header (RFC 6454) against PUBLIC_ORIGINS."""

from collections.abc import Sequence
from typing import Final

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Origins:
    """The origins that the page is served from.

    Args:
        public_origins: as in the settings; a default port may be written or not.
    """

    def __init__(self, public_origins: Sequence[str]) -> None:
        self._origins = frozenset(_normalize(origin) for origin in public_origins)

    def is_own(self, origin: str | None) -> bool:
        """Tell whether the page sent the request; without the header nobody knows."""
        return origin is not None and _normalize(origin) in self._origins

    def is_foreign(self, origin: str | None) -> bool:
        """Tell whether another page sent the request, or one that hides its origin (``null``)."""
        return origin is not None and not self.is_own(origin)

    def is_secure(self, origin: str | None, host: str | None) -> bool:
        """Tell whether a cookie is to be Secure: unless the request's entry is plain http.

        Args:
            origin: of the request; tells its entry.
            host: tells it when there is no Origin; https wins when both schemes are listed.
        """
        if self.is_own(origin):
            return not _normalize(origin or "").startswith("http:")
        is_http = _normalize(f"http://{host}") in self._origins
        is_https = _normalize(f"https://{host}") in self._origins
        return is_https or not is_http


def _normalize(origin: str) -> str:
    origin = origin.lower()
    scheme = origin.partition(":")[0]
    return origin.removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))
