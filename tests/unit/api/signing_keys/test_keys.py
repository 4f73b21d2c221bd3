"""The file of signing keys: followed as it changes, never half written, never worse than before."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from support.api.accounts import Clock
from swapshop_api.signing_keys.domain import RotationRefused, SigningKeys, create_if_missing, rotate
from swapshop_api.signing_keys.store import SigningKeysError, read_keys, write_keys
from swapshop_kit.access_tokens import AccessTokenVerifier
from swapshop_kit.problems import Unauthenticated


def _replace(path: Path, content: bytes | None) -> bytes | None:
    """Write or remove the file; returns what it was."""
    before = path.read_bytes() if path.exists() else None
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    return before


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path, clock: Clock) -> Path:
    path = tmp_path / "keys.json"
    assert create_if_missing(path, clock)
    return path


def _kid(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


def _kids(keys: SigningKeys) -> list[str]:
    return [key["kid"] for key in keys.jwks()["keys"]]


def _document(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


async def test_the_very_first_key_signs_at_once(path: Path, clock: Clock) -> None:
    keys = SigningKeys.open(path, clock)
    claims = {"iss": "swapshop", "aud": "swapshop", "sub": "1", "jti": "1", "rol": "customer"}
    times = {"iat": int(clock.now), "exp": int(clock.now) + 600}

    verified = await AccessTokenVerifier(keys, "swapshop", "swapshop", clock).verify(
        keys.sign(claims | times)
    )

    assert verified.sub == "1"


def test_published_are_public_halves_alone(path: Path, clock: Clock) -> None:
    (key,) = SigningKeys.open(path, clock).jwks()["keys"]
    (stored,) = _document(path)["keys"]

    assert key == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": key["x"],
        "kid": stored["kid"],
        "use": "sig",
        "alg": "EdDSA",
    }
    assert key["x"] != stored["private"]


def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(
    path: Path, clock: Clock
) -> None:
    clock.now += 1
    rotate(path, clock)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_file_says_when_each_key_is_published_and_signs(path: Path, clock: Clock) -> None:
    rotate(path, clock)

    first, second = _document(path)["keys"]
    assert set(first) == {"kid", "private", "published_at", "signs_from"}
    assert first["published_at"] == first["signs_from"] == "2027-01-15T08:00:00.000000Z"
    assert second["published_at"] == "2027-01-15T08:00:00.000000Z"
    assert second["signs_from"] == "2027-01-15T08:10:00.000000Z"


def test_an_existing_file_is_left(path: Path, clock: Clock) -> None:
    before = path.read_bytes()

    assert not create_if_missing(path, clock)
    assert path.read_bytes() == before


def test_a_rotation_publishes_at_once_and_signs_ten_minutes_later(path: Path, clock: Clock) -> None:
    keys = SigningKeys.open(path, clock)
    (first,) = _kids(keys)
    second = rotate(path, clock).kid
    clock.now += 1

    assert _kids(keys) == [first, second]
    clock.now += 598.9
    assert _kid(keys.sign({})) == first
    clock.now += 0.1
    assert _kid(keys.sign({})) == second


def test_a_key_is_published_for_fifteen_minutes_after_its_successor_began(
    path: Path, clock: Clock
) -> None:
    keys = SigningKeys.open(path, clock)
    (first,) = _kids(keys)
    second = rotate(path, clock).kid
    clock.now += 600 + 899

    assert _kids(keys) == [first, second]
    clock.now += 1
    assert _kids(keys) == [second]


def test_a_rotation_drops_what_is_published_no_more(path: Path, clock: Clock) -> None:
    second = rotate(path, clock).kid
    clock.now += 600 + 900
    third = rotate(path, clock).kid

    assert [key.kid for key in read_keys(path)] == [second, third]


def test_previous_current_and_next_are_published_together(path: Path, clock: Clock) -> None:
    (first,) = (key.kid for key in read_keys(path))
    second = rotate(path, clock).kid
    clock.now += 600
    third = rotate(path, clock).kid
    keys = SigningKeys.open(path, clock)

    assert _kids(keys) == [first, second, third]
    assert _kid(keys.sign({})) == second


def test_a_second_waiting_key_is_refused(path: Path, clock: Clock) -> None:
    rotate(path, clock)
    before = path.read_bytes()
    clock.now += 599

    with pytest.raises(RotationRefused, match="it signs from 08:10:00 UTC on"):
        rotate(path, clock)
    assert path.read_bytes() == before
    clock.now += 1
    rotate(path, clock)


def test_a_rotation_without_a_file_makes_the_first_key(tmp_path: Path, clock: Clock) -> None:
    key = rotate(tmp_path / "keys.json", clock)

    assert key.signs_from == key.published_at == datetime.fromtimestamp(clock.now, UTC)
    assert _kid(SigningKeys.open(tmp_path / "keys.json", clock).sign({})) == key.kid


def test_a_clock_behind_the_first_key_signs_all_the_same(path: Path, clock: Clock) -> None:
    behind = Clock(clock.now - 60)

    assert _kid(SigningKeys.open(path, behind).sign({})) == read_keys(path)[0].kid


async def test_the_set_is_the_same_object_until_the_keys_change(path: Path, clock: Clock) -> None:
    keys = SigningKeys.open(path, clock)
    before = await keys.current()
    clock.now += 5
    _replace(path, _replace(path, None))

    assert await keys.current() is before
    rotate(path, clock)
    clock.now += 5
    assert await keys.current() is not before


async def test_the_file_is_looked_at_once_per_second_or_for_an_unknown_key(
    path: Path, clock: Clock
) -> None:
    keys = SigningKeys.open(path, clock)
    added = rotate(path, clock).kid
    clock.now += 0.9

    assert added not in (await keys.current()).keys
    assert added in (await keys.containing(added)).keys


async def test_a_clock_that_was_set_back_does_not_stop_the_looking(
    path: Path, clock: Clock
) -> None:
    keys = SigningKeys.open(path, clock)
    added = rotate(path, clock)
    clock.now -= 3600

    assert added.kid in (await keys.current()).keys


@pytest.mark.parametrize("broken", [None, b"{"])
async def test_a_missing_or_broken_file_changes_nothing(
    path: Path, clock: Clock, broken: bytes | None
) -> None:
    keys = SigningKeys.open(path, clock)
    good, token = _replace(path, broken), keys.sign({})
    clock.now += 5

    assert _kid(keys.sign({})) == _kid(token)
    assert list((await keys.current()).keys) == [_kid(token)]
    _replace(path, good)
    added = rotate(path, clock)
    clock.now += 5
    assert added.kid in (await keys.current()).keys


async def test_a_leaked_key_signs_for_nobody_once_the_file_was_made_anew(
    path: Path, clock: Clock
) -> None:
    keys = SigningKeys.open(path, clock)
    verifier = AccessTokenVerifier(keys, "swapshop", "swapshop", clock)
    claims = {"iss": "swapshop", "aud": "swapshop", "sub": "1", "jti": "1", "rol": "customer"}
    claims |= {"iat": int(clock.now), "exp": int(clock.now) + 600}
    leaked = keys.sign(claims)
    assert (await verifier.verify(leaked)).sub == "1"
    _replace(path, None)
    rotate(path, clock)
    clock.now += 1

    with pytest.raises(Unauthenticated):
        await verifier.verify(leaked)
    assert (await verifier.verify(keys.sign(claims))).sub == "1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "EOF while parsing"),
        ("[]", "Input should be an object"),
        ("{}", "keys: Field required"),
        ('{"keys": []}', "keys: List should have at least 1 item"),
        ('{"keys": [{"kid": "a"}]}', "keys.0.private: Field required"),
    ],
)
def test_opening_a_broken_file_is_one_clear_line(
    path: Path, clock: Clock, content: str, reason: str
) -> None:
    path.write_text(content)

    with pytest.raises(SigningKeysError) as refusal:
        SigningKeys.open(path, clock)
    assert f"signing keys file {path}: " in str(refusal.value)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)
    with pytest.raises(SigningKeysError):
        rotate(path, clock)
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"private": "c2hvcnQ"}, "must be 32 bytes in base64url"),
        ({"private": "*" * 43}, "must be 32 bytes in base64url"),
        ({"private": "ñ" * 43}, "must be 32 bytes in base64url"),
        ({"kid": ""}, "keys.0.kid"),
        ({"signs_from": "2027-01-15T08:00:00"}, "timezone"),
        ({"extra": 1}, "keys.0.extra"),
    ],
)
def test_a_broken_key_is_refused_without_telling_it(
    path: Path, change: dict[str, Any], reason: str
) -> None:
    document = _document(path)
    private = document["keys"][0]["private"]
    document["keys"][0] |= change
    path.write_text(json.dumps(document))

    with pytest.raises(SigningKeysError, match=reason) as refusal:
        read_keys(path)
    assert private not in str(refusal.value)
    assert str(change.get("private")) not in str(refusal.value)


def test_two_keys_of_one_kid_are_refused(path: Path) -> None:
    document = _document(path)
    path.write_text(json.dumps({"keys": document["keys"] * 2}))

    with pytest.raises(SigningKeysError, match="same kid"):
        read_keys(path)


def test_a_missing_file_or_folder_is_one_clear_line(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(SigningKeysError, match=r"keys\.json: no such file or directory"):
        SigningKeys.open(tmp_path / "keys.json", clock)
    with pytest.raises(SigningKeysError, match="no such file or directory"):
        create_if_missing(tmp_path / "missing" / "keys.json", clock)


def test_the_keys_of_a_file_sign_in_the_order_of_their_times(path: Path, clock: Clock) -> None:
    rotate(path, clock)
    keys = read_keys(path)
    write_keys(path, keys[::-1], replace=True)

    assert read_keys(path) == keys


def test_a_swapped_symlink_is_a_changed_file(path: Path, clock: Clock) -> None:
    """Kubernetes replaces a mounted Secret by swapping a symlink."""
    link = path.parent / "link.json"
    link.symlink_to(path)
    keys = SigningKeys.open(link, clock)
    other = path.parent / "other.json"
    create_if_missing(other, clock)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    swapped = path.parent / "swapped.json"
    swapped.symlink_to(other)
    swapped.replace(link)
    clock.now += 1

    assert _kids(keys) == [read_keys(other)[0].kid]
