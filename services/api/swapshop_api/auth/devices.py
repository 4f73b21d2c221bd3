"""Known devices: a cookie proves that somebody signed in to an account in this browser before.

It gives no access. Its guesses are counted and queued apart from those of strangers.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

from swapshop_api.auth.models import User

_FORM: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")


def issue_device(password_hash: str) -> str:
    """Return the cookie of a device that has just signed in to the account of a password hash."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mac(nonce, password_hash)}"


def known_device(cookie: str | None, user: User | None) -> str | None:
    """Return the device that a cookie names, if it was issued for this account.

    The account's password hash is the key: it is salted, so it differs between accounts, and a new
    password makes all devices unknown.
    """
    parts = None if cookie is None else _FORM.fullmatch(cookie)
    if parts is None or user is None:
        return None
    nonce, mac = parts.groups()
    return nonce if hmac.compare_digest(mac, _mac(nonce, user.password_hash)) else None


def _mac(nonce: str, password_hash: str) -> str:
    key = hashlib.sha256(password_hash.encode()).digest()
    return hmac.new(key, f"device {nonce}".encode(), hashlib.sha256).hexdigest()
