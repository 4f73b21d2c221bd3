"""E-mails and passwords as they are accepted."""

import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from swapshop_api.auth.schemas import Email, LoginIn, NewPassword, RegisterIn

_emails: TypeAdapter[str] = TypeAdapter(Email)
_ANA = {"nombre": "Ana", "email": "ana@example.com", "password": "a" * 12}


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
