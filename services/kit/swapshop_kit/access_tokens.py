"""Access tokens: EdDSA JWTs (RFC 7519, RFC 8037), verified with the api's published keys."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol

import jwt
from jwt import PyJWK
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swapshop_kit.problems import Unauthenticated

ALGORITHM: Final = "EdDSA"
Audience = Literal["swapshop", "swapshop-internal"]
Role = Literal["customer", "operator", "service"]

_CLOCK_SKEW_SECONDS: Final = 5
_MAX_TOKEN_LENGTH: Final = 4096
REMEMBERED_TOKENS: Final = 10_000


class Claims(BaseModel):
    """The claims of an access token, which identify the caller."""

    model_config = ConfigDict(frozen=True)

    iss: str
    aud: Audience
    sub: Annotated[str, Field(min_length=1, max_length=64)]
    exp: int
    iat: int
    jti: Annotated[str, Field(min_length=1, max_length=64)]
    rol: Role
    nombre: str = ""
    sid: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """The token's session. Tokens of services have none, nor had tokens of earlier releases."""

    @property
    def is_operator(self) -> bool:
        """Whether the caller is a member of the store's staff."""
        return self.rol == "operator"


@dataclass(frozen=True)
class KeySet:
    """Verification keys by ``kid``. A new set is a new object."""

    keys: Mapping[str, PyJWK]

    @classmethod
    def from_jwks(cls, document: Any) -> "KeySet":
        """Read the Ed25519 keys that have a ``kid`` from a JWK Set (RFC 7517 §5).

        Raises:
            ValueError: the document is not a JWK Set, or has no such key.
        """
        keys: dict[str, PyJWK] = {}
        try:
            for member in document["keys"]:
                if member.get("kty") == "OKP" and member.get("crv") == "Ed25519":
                    keys[str(member["kid"])] = PyJWK(member, algorithm=ALGORITHM)
        except (jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError("not a JWK Set") from error
        if not keys:
            raise ValueError("a JWK Set without an Ed25519 key")
        return cls(keys)


class KeySource(Protocol):
    """Source of a verifier's key set."""

    async def current(self) -> KeySet:
        """Return the current set.

        Raises:
            KeysUnavailable: no set has been fetched yet.
        """
        ...

    async def containing(self, kid: str) -> KeySet:
        """Return the current set, after fetching it again if it lacks the key ``kid``."""
        ...


class SessionIds(Protocol):
    """Session ids held in memory."""

    def __contains__(self, session_id: str, /) -> bool: ...


class AccessTokenVerifier:
    """Verifies tokens for one audience, and remembers verified tokens until they expire.

    Args:
        keys: source of the key set; a new set clears the remembered tokens.
        issuer: the only accepted ``iss``.
        audience: the only accepted ``aud``.
        clock: returns seconds since the epoch.
        remembered: maximum number of remembered tokens; beyond it the oldest is dropped.
        ended: ids of sessions whose tokens are refused.
    """

    def __init__(
        self,
        keys: KeySource,
        issuer: str,
        audience: Audience,
        clock: Callable[[], float] = time.time,
        *,
        remembered: int = REMEMBERED_TOKENS,
        ended: SessionIds = frozenset(),
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._remembered = remembered
        self._ended = ended
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        self._verified_with: KeySet | None = None

    async def verify(self, token: str) -> Claims:
        """Return the claims of a valid token.

        Raises:
            Unauthenticated: the token is not valid; the error does not say why.
            KeysUnavailable: no key set has been fetched yet.
        """
        keys = await self._keys.current()
        if keys is not self._verified_with:
            self._verified.clear()
            self._verified_with = keys
        claims = self._verified.get(token)
        if claims is None:
            claims = await self._check(token, keys)
        if claims.exp <= self._clock():
            self._verified.pop(token, None)
            raise Unauthenticated
        if self.has_ended(claims):
            raise Unauthenticated
        return claims

    def has_ended(self, claims: Claims) -> bool:
        """Return whether the session of a verified token has ended."""
        return claims.sid is not None and claims.sid in self._ended

    async def _check(self, token: str, keys: KeySet) -> Claims:
        if len(token) > _MAX_TOKEN_LENGTH:
            raise Unauthenticated
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            if not isinstance(kid, str):
                raise Unauthenticated
            if kid not in keys.keys:
                keys = await self._keys.containing(kid)
            if kid not in keys.keys:
                raise Unauthenticated
            payload = jwt.decode(
                token,
                keys.keys[kid].key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["iss", "aud", "sub", "exp", "iat", "jti"],
                    "verify_exp": False,  # checked at every use, with our clock
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims = Claims.model_validate(payload, strict=True)
        except (jwt.PyJWTError, ValidationError, ValueError) as error:
            raise Unauthenticated from error
        if claims.iat > self._clock() + _CLOCK_SKEW_SECONDS:
            raise Unauthenticated
        self._verified[token] = claims
        if len(self._verified) > self._remembered:
            self._verified.popitem(last=False)
        return claims
