"""Webhook signatures: only a recent signature with one of our secrets is accepted."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from swapshop_kit.webhook_signatures import SignatureRefused, WebhookSecret, sign, verify

_SECRET: Final = SecretStr("whsec_" + base64.b64encode(b"k" * 32).decode())
_NEXT: Final = SecretStr("whsec_" + base64.b64encode(b"n" * 32).decode())
_OTHER: Final = SecretStr("whsec_" + base64.b64encode(b"o" * 32).decode())
_ID: Final = "msg_0190a000"
_BODY: Final = b'{"evento":"ORDER_READY"}'

_bodies = st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)
_ids = st.from_regex("[A-Za-z0-9_-]{1,64}", fullmatch=True)


def _clock(offset: timedelta = timedelta()) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + offset


def _refuse(headers: dict[str, str], body: bytes = _BODY) -> None:
    with pytest.raises(SignatureRefused):
        verify([_SECRET], headers, body)


def test_the_specifications_own_example() -> None:
    """Test vector of the Standard Webhooks reference implementations."""
    headers = sign(
        SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        lambda: datetime.fromtimestamp(1614265330, UTC),
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(_ids, _bodies)
def test_what_is_signed_verifies(webhook_id: str, body: bytes) -> None:
    assert verify([_SECRET], sign(_SECRET, webhook_id, body), body) == webhook_id


@given(_bodies, _bodies)
def test_another_body_does_not(signed: bytes, sent: bytes) -> None:
    headers = sign(_SECRET, _ID, signed)
    if signed == sent:
        assert verify([_SECRET], headers, sent) == _ID
    else:
        _refuse(headers, sent)


def test_the_id_and_the_time_are_signed_too() -> None:
    headers = sign(_SECRET, _ID, _BODY)

    _refuse({**headers, "webhook-id": "msg_other"})
    _refuse({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)})


def test_while_rotating_either_secret_verifies() -> None:
    for secret in (_SECRET, _NEXT):
        assert verify([_NEXT, _SECRET], sign(secret, _ID, _BODY), _BODY) == _ID


def test_a_secret_that_is_not_held_does_not() -> None:
    with pytest.raises(SignatureRefused):
        verify([_NEXT, _SECRET], sign(_OTHER, _ID, _BODY), _BODY)
    with pytest.raises(SignatureRefused):
        verify([], sign(_SECRET, _ID, _BODY), _BODY)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = sign(_SECRET, _ID, _BODY)
    good, bad = headers["webhook-signature"], sign(_OTHER, _ID, _BODY)["webhook-signature"]

    for signatures in (f"{bad} {good}", f"v1a,{bad[3:]} {good}", f"v2,x {good}", f"{good} {bad}"):
        assert verify([_SECRET], {**headers, "webhook-signature": signatures}, _BODY) == _ID


def test_a_good_signature_among_too_many_is_not_looked_for() -> None:
    headers = sign(_SECRET, _ID, _BODY)
    good, bad = headers["webhook-signature"], sign(_OTHER, _ID, _BODY)["webhook-signature"]

    ten, eleven = " ".join([bad] * 9 + [good]), " ".join([bad] * 10 + [good])
    assert verify([_SECRET], {**headers, "webhook-signature": ten}, _BODY) == _ID
    _refuse({**headers, "webhook-signature": eleven})


def test_only_version_1_counts() -> None:
    headers = sign(_SECRET, _ID, _BODY)

    for version in ("v2", "v1a", "v11"):
        _refuse({**headers, "webhook-signature": version + headers["webhook-signature"][2:]})


@pytest.mark.parametrize("seconds", [-295, -60, 0, 60, 295])
def test_a_clock_within_five_minutes_is_accepted(seconds: int) -> None:
    headers = sign(_SECRET, _ID, _BODY, _clock(timedelta(seconds=seconds)))

    assert verify([_SECRET], headers, _BODY) == _ID


@pytest.mark.parametrize("seconds", [-86400, -305, 305, 86400])
def test_a_clock_further_off_is_not(seconds: int) -> None:
    _refuse(sign(_SECRET, _ID, _BODY, _clock(timedelta(seconds=seconds))))


def test_the_zone_of_the_clock_does_not_matter() -> None:
    bogota = timezone(timedelta(hours=-5))
    headers = sign(_SECRET, _ID, _BODY, lambda: datetime.now(bogota))

    assert verify([_SECRET], headers, _BODY) == _ID


def test_a_body_that_is_not_utf_8_is_refused() -> None:
    _refuse(sign(_SECRET, _ID, b""), b"\xff")


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(missing: str) -> None:
    headers = sign(_SECRET, _ID, _BODY)
    del headers[missing]

    _refuse(headers)
    _refuse({**headers, missing: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "x" * 65),
        ("webhook-id", "x" * 100_000),
        ("webhook-id", "msg 1"),
        ("webhook-id", "msg.1"),
        ("webhook-id", "msg\n"),
        ("webhook-id", "niño"),
        ("webhook-id", "\ud800"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", " 123"),
        ("webhook-timestamp", "0"),
        ("webhook-timestamp", "-1614265330"),
        ("webhook-timestamp", "+161426533"),
        ("webhook-timestamp", "1614265330.5"),
        ("webhook-timestamp", "1_614_265_3"),
        ("webhook-timestamp", "0x60381872"),
        ("webhook-timestamp", "nan"),
        ("webhook-timestamp", "inf"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-timestamp", "٠١٢٣٤٥٦٧٨٩"),
        ("webhook-timestamp", "1614265330\n"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", ",abc"),
        ("webhook-signature", "v1,a,b"),
        ("webhook-signature", "v1,ñ"),
        ("webhook-signature", "v1,a"),
        ("webhook-signature", "v1,===="),
        ("webhook-signature", "v1,!!!!"),
        ("webhook-signature", "v1,abcd  v1,abcd"),
        ("webhook-signature", " ".join(["v1,abcd"] * 11)),
        ("webhook-signature", "v1," + "a" * 100_000),
        ("webhook-signature", "v1,\ud800"),
    ],
)
def test_a_malformed_header_is_refused(name: str, value: str) -> None:
    _refuse({**sign(_SECRET, _ID, _BODY), name: value})


@pytest.mark.parametrize("webhook_id", ["msg.1", "msg 1", "x" * 65, "niño", "msg\n"])
def test_a_malformed_id_is_refused_even_when_signed(webhook_id: str) -> None:
    _refuse(sign(_SECRET, webhook_id, _BODY))


def test_a_padded_timestamp_of_now_is_refused() -> None:
    headers = sign(_SECRET, _ID, _BODY)

    for time in (f" {headers['webhook-timestamp']}", f"{headers['webhook-timestamp']}.0"):
        _refuse({**headers, "webhook-timestamp": time})


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text() | st.text("v1,abc=+/ .e") | _ids,
    ),
    st.binary(),
)
def test_any_headers_are_refused_and_nothing_else(headers: dict[str, str], body: bytes) -> None:
    _refuse({**sign(_OTHER, _ID, _BODY), **headers}, body)


_secret: TypeAdapter[SecretStr] = TypeAdapter(WebhookSecret)


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_of_24_to_64_bytes_is_accepted(key: bytes) -> None:
    text = "whsec_" + base64.b64encode(key).decode()

    assert _secret.validate_python(text).get_secret_value() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_!!!!",
        "whsec_ñ",
        base64.b64encode(b"k" * 32).decode(),
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        "whsec_" + base64.b64encode(b"k" * 32).decode().rstrip("="),
    ],
)
def test_any_other_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _secret.validate_python(SecretStr(text))

    assert not text.removeprefix("whsec_") or text not in str(refused.value)
