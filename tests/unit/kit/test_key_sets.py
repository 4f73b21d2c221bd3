"""Key sets: only named Ed25519 keys are taken."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from swapshop_kit.access_tokens import KeySet

_KEY = Ed25519PrivateKey.generate()


def _jwk(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}


def test_a_key_set_takes_only_named_ed25519_keys() -> None:
    other = {"kty": "EC", "crv": "P-256", "kid": "ec", "x": "", "y": ""}
    keys = KeySet.from_jwks({"keys": [_jwk(_KEY, "k1"), other, {"kty": "OKP", "crv": "X25519"}]})

    assert keys.keys.keys() == {"k1"}


def _without(name: str) -> dict[str, str]:
    return {key: value for key, value in _jwk(_KEY, "k1").items() if key != name}


@pytest.mark.parametrize(
    "document",
    [  # pyright: ignore[reportUnknownArgumentType] - an empty list has no type
        None,
        [],
        {},
        "keys",
        {"keys": None},
        {"keys": list[object]()},
        {"keys": ["k1"]},
        {"keys": [None]},
        {"keys": [{}]},
        {"keys": [_without("kid")]},
        {"keys": [_without("x")]},
        {"keys": [_jwk(_KEY, "k1") | {"x": "AAAA"}]},
        {"keys": [_jwk(_KEY, "k1") | {"x": "!"}]},
        {"keys": [_jwk(_KEY, "k1") | {"x": 1}]},
        {"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]},
    ],
)
def test_what_is_no_key_set_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="JWK Set"):
        KeySet.from_jwks(document)
