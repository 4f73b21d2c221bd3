"""JSON of the published keys."""

from typing import Literal

from pydantic import BaseModel


class JsonWebKey(BaseModel):
    """A public Ed25519 key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class JsonWebKeySet(BaseModel):
    """The published keys (RFC 7517 §5)."""

    keys: list[JsonWebKey]
