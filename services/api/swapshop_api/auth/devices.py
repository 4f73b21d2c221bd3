"""Known devices: a cookie that proves that somebody signed in to an account here before.

It opens nothing. Whoever brings it is counted apart from strangers, and waits apart from them.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

from swapshop_api.auth.models import User

_FORM: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")


def issue_device(user_id: str, password_hash: str) -> str:
    """Return the cookie of a device that has just signed in to an account."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mac(nonce, user_id, password_hash)}"


def known_device(cookie: str | None, user: User | None) -> str | None:
    """Return the device that a cookie names, if it was issued for this account.

    A new password makes strangers of all devices, since its hash is the key.
    """
    parts = None if cookie is None else _FORM.fullmatch(cookie)
    if parts is None or user is None:
        return None
    nonce, mac = parts.groups()
    return nonce if hmac.compare_digest(mac, _mac(nonce, user.id, user.password_hash)) else None


def _mac(nonce: str, user_id: str, password_hash: str) -> str:
    key = hashlib.sha256(password_hash.encode()).digest()
    return hmac.new(key, f"device {user_id} {nonce}".encode(), hashlib.sha256).hexdigest()
