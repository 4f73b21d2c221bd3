"""E-mails and passwords as they are accepted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from swapshop_api.auth.schemas import Email, LoginIn, NewPassword, RegisterIn, normalize_email

_emails: TypeAdapter[str] = TypeAdapter(Email)
_ANA = {"nombre": "Ana", "email": "ana@example.com", "password": "a" * 12}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ana@example.com", "ana@example.com"),
        ("  Ana@Example.COM\n", "ana@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("a.b+tag_x'%-@sub.example.co", "a.b+tag_x'%-@sub.example.co"),
        ("ñandú@españa.example", "ñandú@españa.example"),
        ("x@1.2", "x@1.2"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a@" + ".".join(["b" * 49] * 5), "a@" + ".".join(["b" * 49] * 5)),
        ("ab@" + ".".join(["b" * 49] * 5) + "cc", "ab@" + ".".join(["b" * 49] * 5) + "cc"),
    ],
)
def test_an_email_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert _emails.validate_python(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@@example.com",
        "ana@b@example.com",
        "an a@example.com",
        "ana@exa mple.com",
        "ana@example..com",
        "ana@.example.com",
        "ana@example.com.",
        "ana@-example.com",
        "ana@example-.com",
        "ana@exam_ple-.com",
        ".ana@example.com",
        "ana.@example.com",
        "a..na@example.com",
        '"ana"@example.com',
        "ana@[127.0.0.1]",
        "ana<x>@example.com",
        "ana\x00@example.com",
        "ana\u200b@example.com",
        "ana\u202e@example.com",
        "ana\u00a0x@example.com",
        "ana@" + "b" * 64 + ".com",
        "a" * 65 + "@example.com",
        "é" * 33 + "@example.com",
        "a" * 6 + "@" + ".".join(["b" * 49] * 5),
    ],
)
def test_what_is_no_email_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _emails.validate_python(typed)

    assert [error["type"] for error in refusal.value.errors()] == ["email_invalid"]


@given(st.text() | st.emails())
def test_an_accepted_email_is_its_own_form_and_fits_its_column(typed: str) -> None:
    assert normalize_email(normalize_email(typed)) == normalize_email(typed)
    try:
        email = _emails.validate_python(typed)
    except ValidationError:
        return
    assert _emails.validate_python(email) == email
    assert len(email.encode()) <= 254


@pytest.mark.parametrize("value", [None, 1, ["ana@example.com"], b"ana@example.com"])
def test_an_email_is_text(value: object) -> None:
    with pytest.raises(ValidationError):
        _emails.validate_python(value)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("a" * 11, "string_too_short"),
        ("e\u0301" * 11, "string_too_short"),
        ("a" * 129, "string_too_long"),
        (123456789012, "string_type"),
        (None, "string_type"),
    ],
)
def test_a_new_password_has_12_to_128_characters(password: object, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        RegisterIn.model_validate({**_ANA, "password": password})

    assert [error["type"] for error in refusal.value.errors()] == [code]


@pytest.mark.parametrize("password", ["a" * 12, "ñ" * 128, "e\u0301" * 128, " " * 12])
def test_a_password_is_kept_as_typed_but_for_its_normal_form(password: str) -> None:
    accepted = RegisterIn.model_validate({**_ANA, "password": password})

    assert accepted.password.get_secret_value() == unicodedata.normalize("NFC", password)


def test_a_login_takes_a_password_that_could_not_be_chosen_today() -> None:
    assert LoginIn.model_validate({"email": "ana@example.com", "password": "x"})


def test_a_password_never_shows() -> None:
    assert "secret-secret" not in repr(
        RegisterIn.model_validate({**_ANA, "password": "secret-secret"})
    )
    assert TypeAdapter(NewPassword).json_schema()["format"] == "password"


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        RegisterIn.model_validate({**_ANA, "rol": "operator"})
