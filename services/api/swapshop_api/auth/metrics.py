"""Metrics of accounts and sessions."""

from typing import Final

from prometheus_client import Counter

LOGINS: Final = Counter(
    "swapshop_auth_logins_total", "Logins by what came of them: ok, refused or limited.", ["result"]
)
# Counted from 0 on, so that the first one is seen as a rise.
for _result in ("ok", "refused", "limited"):
    LOGINS.labels(_result)
REFRESH_REUSE: Final = Counter(
    "swapshop_auth_refresh_reuse_total",
    "Sessions revoked because a refresh token was presented by somebody who should not have it.",
)
