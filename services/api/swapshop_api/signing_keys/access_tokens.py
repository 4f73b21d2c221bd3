"""Issue access tokens, signed by the key whose turn it is."""

import time
from collections.abc import Callable
from typing import Final

from swapshop_api.signing_keys.domain import SigningKeys
from swapshop_kit.access_tokens import Audience, Role
from swapshop_kit.ids import new_id

ACCESS_TOKEN_SECONDS: Final = 600
"""How long an access token is valid."""


class AccessTokens:
    """Issues access tokens.

    Args:
        keys: sign the tokens.
        issuer: the claim ``iss``.
        clock: seconds since the epoch, for ``iat`` and ``exp``.
    """

    def __init__(
        self, keys: SigningKeys, issuer: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    def issue(self, audience: Audience, subject: str, rol: Role, **claims: str) -> str:
        """Return a JWT that is valid for ten minutes.

        Args:
            audience: the only one that accepts it.
            subject: the id of the user or client.
            rol: what the subject may do.
            claims: further claims.
        """
        now = int(self._clock())
        return self._keys.sign(
            {
                "iss": self._issuer,
                "aud": audience,
                "sub": subject,
                "iat": now,
                "exp": now + ACCESS_TOKEN_SECONDS,
                "jti": new_id(),
                "rol": rol,
                **claims,
            }
        )
