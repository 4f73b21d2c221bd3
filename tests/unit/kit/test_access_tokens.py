"""Access tokens: every defect gets the same refusal."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from swapshop_kit.access_tokens import AccessTokenVerifier, Audience, Claims, KeySet
from swapshop_kit.ended_sessions import EndedSessions
from swapshop_kit.problems import KeysUnavailable, Unauthenticated

_KEY = Ed25519PrivateKey.generate()
_OTHER_KEY = Ed25519PrivateKey.generate()
_ISSUER = "https://shop.example"
_NOW = 1_800_000_000.0
_CLAIMS: dict[str, Any] = {
    "iss": _ISSUER,
    "aud": "swapshop",
    "sub": "0190a000-0000-7000-8000-000000000000",
    "exp": int(_NOW) + 600,
    "iat": int(_NOW),
    "jti": "0190a000-0000-7000-8000-000000000001",
    "rol": "customer",
    "nombre": "Ana",
}


def _jwk(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}


def _key_set(**keys: Ed25519PrivateKey) -> KeySet:
    return KeySet.from_jwks({"keys": [_jwk(key, kid) for kid, key in keys.items()]})


class _Keys:
    """A key source whose set a test can replace; it records the keys asked for."""

    def __init__(self, keys: KeySet | None, fetched: KeySet | None = None) -> None:
        self.keys = keys
        self.fetched = fetched
        self.asked: list[str] = []

    async def current(self) -> KeySet:
        if self.keys is None:
            raise KeysUnavailable
        return self.keys

    async def containing(self, kid: str) -> KeySet:
        self.asked.append(kid)
        self.keys = self.fetched or self.keys
        return await self.current()


class _Clock:
    def __init__(self) -> None:
        self.now = _NOW

    def __call__(self) -> float:
        return self.now


def _verifier(
    keys: _Keys | None = None, clock: _Clock | None = None, audience: Audience = "swapshop"
) -> AccessTokenVerifier:
    return AccessTokenVerifier(
        keys or _Keys(_key_set(k1=_KEY)), _ISSUER, audience, clock or _Clock()
    )


def _token(
    claims: dict[str, Any] | None = None,
    *,
    key: Any = _KEY,
    algorithm: str = "EdDSA",
    headers: dict[str, Any] | None = None,
) -> str:
    return jwt.encode(
        _CLAIMS if claims is None else claims, key, algorithm, headers or {"kid": "k1"}
    )


def _part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def _refuse(token: str, verifier: AccessTokenVerifier | None = None) -> None:
    with pytest.raises(Unauthenticated):
        await (verifier or _verifier()).verify(token)


async def test_a_valid_token_gives_its_claims() -> None:
    claims = await _verifier().verify(_token())

    assert claims == Claims.model_validate(_CLAIMS)
    assert not claims.is_operator


async def test_an_operator_is_one() -> None:
    claims = await _verifier().verify(_token(_CLAIMS | {"rol": "operator"}))

    assert claims.is_operator


async def test_a_name_may_be_missing() -> None:
    service = {name: _CLAIMS[name] for name in _CLAIMS if name != "nombre"} | {"rol": "service"}

    assert (await _verifier().verify(_token(service))).nombre == ""


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "exp", "iat", "jti", "rol"])
async def test_every_other_claim_is_needed(missing: str) -> None:
    await _refuse(_token({name: _CLAIMS[name] for name in _CLAIMS if name != missing}))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": ""},
        {"iss": None},
        {"iss": [_ISSUER]},
        {"aud": "swapshop-internal"},
        {"aud": "other"},
        {"aud": ["swapshop"]},
        {"aud": ["swapshop", "swapshop-internal"]},
        {"aud": 1},
        {"sub": ""},
        {"sub": "x" * 65},
        {"sub": 1},
        {"sub": None},
        {"exp": int(_NOW)},
        {"exp": int(_NOW) - 1},
        {"exp": 0},
        {"exp": -1},
        {"exp": _NOW + 600},
        {"exp": str(int(_NOW) + 600)},
        {"exp": True},
        {"exp": None},
        {"iat": int(_NOW) + 6},
        {"iat": "now"},
        {"iat": _NOW},
        {"iat": None},
        {"jti": ""},
        {"jti": "x" * 65},
        {"jti": 7},
        {"rol": "admin"},
        {"rol": ["operator"]},
        {"rol": True},
        {"rol": None},
        {"nombre": 1},
        {"nombre": None},
    ],
    ids=str,
)
async def test_a_claim_of_a_wrong_value_or_type_is_refused(changed: dict[str, Any]) -> None:
    # PyJWT would not encode some of these, so the token is signed by hand.
    head = _part({"alg": "EdDSA", "typ": "JWT", "kid": "k1"})
    signed = f"{head}.{_part(_CLAIMS | changed)}"
    await _refuse(f"{signed}.{_part(_KEY.sign(signed.encode()))}")


async def test_the_clock_of_another_machine_may_be_five_seconds_ahead() -> None:
    assert await _verifier().verify(_token(_CLAIMS | {"iat": int(_NOW) + 5}))


async def test_each_audience_takes_only_its_own() -> None:
    internal = _token(_CLAIMS | {"aud": "swapshop-internal", "rol": "service"})

    assert await _verifier(audience="swapshop-internal").verify(internal)
    await _refuse(internal)
    await _refuse(_token(), _verifier(audience="swapshop-internal"))


async def test_an_unsigned_token_is_refused() -> None:
    for algorithm in ("none", "None", "NONE", "", None, 1):
        head = _part({"alg": algorithm, "typ": "JWT", "kid": "k1"})
        await _refuse(f"{head}.{_part(_CLAIMS)}.")
        await _refuse(f"{head}.{_part(_CLAIMS)}.{_token().split('.')[2]}")


async def test_the_public_key_is_no_shared_secret() -> None:
    raw = _KEY.public_key().public_bytes_raw()
    for secret in (raw, base64.urlsafe_b64encode(raw)):
        head = _part({"alg": "HS256", "typ": "JWT", "kid": "k1"})
        signed = f"{head}.{_part(_CLAIMS)}"
        mac = jwt.get_algorithm_by_name("HS256").sign(signed.encode(), secret)
        await _refuse(f"{signed}.{_part(mac)}")


async def test_other_algorithms_are_refused() -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    await _refuse(_token(key=rsa_key, algorithm="RS256"))
    await _refuse(_token(key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"))


async def test_another_key_is_refused_whatever_kid_it_claims() -> None:
    await _refuse(_token(key=_OTHER_KEY))
    await _refuse(_token(key=_OTHER_KEY, headers={"kid": "k2"}))


async def test_a_key_in_the_token_itself_is_not_used() -> None:
    head = {"kid": "k1", "jwk": _jwk(_OTHER_KEY, "k1"), "jku": "https://evil.example/jwks.json"}
    await _refuse(_token(key=_OTHER_KEY, headers=head))


@pytest.mark.parametrize("kid", [None, 1, "", ["k1"], {"k1": 1}, True])
async def test_a_kid_that_is_no_known_text_is_refused(kid: object) -> None:
    head = _part({"alg": "EdDSA", "typ": "JWT", "kid": kid})
    signed = f"{head}.{_part(_CLAIMS)}"
    await _refuse(f"{signed}.{_part(_KEY.sign(signed.encode()))}")


async def test_a_token_without_a_kid_is_refused() -> None:
    await _refuse(_token(headers={"typ": "JWT"}))


async def test_every_tampered_letter_is_noticed() -> None:
    token = _token()
    for position in range(0, len(token), 7):
        letter = "A" if token[position] != "A" else "B"
        if token[position] != ".":
            await _refuse(token[:position] + letter + token[position + 1 :])


async def test_a_token_with_a_character_more_or_less_is_refused() -> None:
    token = _token()
    for other in (f"{token} ", f" {token}", f"{token}\n", f"{token}.", f"{token}=", token[:-1]):
        await _refuse(other)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("..", id="only dots"),
        pytest.param("a.b.c", id="three letters"),
        pytest.param("ñ.ñ.ñ", id="not ASCII"),
        pytest.param("\ud800.a.b", id="surrogate"),
        pytest.param(f"{_part(b'[' * 2900)}.{_part({})}.e30", id="nested header"),
        pytest.param(f"{_part(b'[]')}.{_part({})}.e30", id="header is no object"),
        pytest.param(f"{_part(b'1' * 2900)}.{_part({})}.e30", id="huge number as header"),
        pytest.param(f"{_part({'alg': 'EdDSA', 'kid': 'k1'})}..", id="no payload"),
        pytest.param(f"{_token()[:-4]}!!!!", id="signature is not base64"),
    ],
)
async def test_garbage_is_refused(token: str) -> None:
    await _refuse(token)


async def test_a_signed_payload_that_is_no_object_is_refused() -> None:
    for payload in (b"[]", b"null", b"1", b"x", b"\xff", b"[" * 2000):
        signed = f"{_part({'alg': 'EdDSA', 'kid': 'k1'})}.{_part(payload)}"
        await _refuse(f"{signed}.{_part(_KEY.sign(signed.encode()))}")


async def test_an_oversized_token_is_refused_unread() -> None:
    keys = _Keys(_key_set(k1=_KEY))
    token = _token(_CLAIMS | {"nombre": "x" * 4000}, headers={"kid": "unknown"})

    await _refuse(token, _verifier(keys))
    assert keys.asked == []


@given(st.text() | st.text("abcXYZ0189-_.="))
async def test_any_text_is_refused_and_nothing_else(token: str) -> None:
    await _refuse(token)


async def test_an_unknown_kid_is_looked_up_once_more() -> None:
    keys = _Keys(_key_set(k1=_KEY), fetched=_key_set(k1=_KEY, k2=_OTHER_KEY))
    token = _token(key=_OTHER_KEY, headers={"kid": "k2"})

    assert await _verifier(keys).verify(token)
    assert keys.asked == ["k2"]


async def test_without_keys_a_token_cannot_be_judged() -> None:
    with pytest.raises(KeysUnavailable):
        await _verifier(_Keys(None)).verify(_token())


async def test_a_remembered_token_expires_as_any_other() -> None:
    clock = _Clock()
    verifier = _verifier(clock=clock)
    token = _token()
    await verifier.verify(token)
    clock.now = _NOW + 599.9
    await verifier.verify(token)
    clock.now = _NOW + 600

    await _refuse(token, verifier)
    clock.now = _NOW  # forgotten, so it is verified again
    assert await verifier.verify(token)


async def test_a_token_is_refused_once_its_session_has_ended_even_if_it_is_remembered() -> None:
    ended = EndedSessions()
    keys = _Keys(_key_set(k1=_KEY))
    verifier = AccessTokenVerifier(keys, _ISSUER, "swapshop", _Clock(), ended=ended)
    token, other = (_token(_CLAIMS | {"sid": sid}) for sid in ("session-1", "session-2"))
    claims = await verifier.verify(token)
    assert not verifier.has_ended(claims)
    await verifier.verify(other)
    ended.add(["session-1"])

    await _refuse(token, verifier)
    assert verifier.has_ended(claims)
    assert (await verifier.verify(other)).sid == "session-2"


async def test_a_token_of_no_session_is_good_until_it_expires() -> None:
    """Such are the tokens of services and of earlier releases."""
    ended = EndedSessions()
    keys = _Keys(_key_set(k1=_KEY))
    verifier = AccessTokenVerifier(keys, _ISSUER, "swapshop", _Clock(), ended=ended)
    ended.add(["", "None"])

    assert (await verifier.verify(_token())).sid is None


async def test_a_withdrawn_key_ends_its_remembered_tokens() -> None:
    keys = _Keys(_key_set(k1=_KEY, k2=_OTHER_KEY))
    verifier = _verifier(keys)
    token = _token()
    await verifier.verify(token)
    keys.keys = _key_set(k2=_OTHER_KEY)

    await _refuse(token, verifier)


async def test_a_remembered_token_is_not_verified_again() -> None:
    verifier = _verifier()
    token = _token()

    assert await verifier.verify(token) is await verifier.verify(token)


async def test_the_memory_is_bounded() -> None:
    verifier = AccessTokenVerifier(
        _Keys(_key_set(k1=_KEY)), _ISSUER, "swapshop", _Clock(), remembered=2
    )
    tokens = [_token(_CLAIMS | {"jti": str(number)}) for number in range(3)]
    first = await verifier.verify(tokens[0])
    last = [await verifier.verify(token) for token in tokens[1:]][-1]

    assert await verifier.verify(tokens[2]) is last
    assert await verifier.verify(tokens[0]) is not first


async def test_real_time_is_the_default_clock() -> None:
    verifier = AccessTokenVerifier(_Keys(_key_set(k1=_KEY)), _ISSUER, "swapshop")
    now = int(time.time())

    assert await verifier.verify(_token(_CLAIMS | {"iat": now, "exp": now + 60}))
    await _refuse(_token(_CLAIMS | {"iat": now - 60, "exp": now - 1}), verifier)
