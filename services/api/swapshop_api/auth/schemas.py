"""JSON of accounts and sessions."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from swapshop_api.auth.emails import EMAIL_PATTERN, EmailRefused, normalize_email
from swapshop_kit.text import Line, to_nfc

MIN_PASSWORD_LENGTH: Final = 12
MAX_PASSWORD_LENGTH: Final = 128


def _check_email(text: str) -> str:
    try:
        return normalize_email(text)
    except EmailRefused as error:
        raise PydanticCustomError(error.code, error.reason) from error


def _password(min_length: int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        """Count characters in NFC: two keyboards may type one letter differently (RFC 8265)."""
        if not isinstance(value, str):
            return value
        password = to_nfc(value, MAX_PASSWORD_LENGTH)
        if len(password) < min_length:
            context = {"min_length": min_length}
            raise PydanticCustomError("string_too_short", "is too short", context)
        if len(password) > MAX_PASSWORD_LENGTH:
            context = {"max_length": MAX_PASSWORD_LENGTH}
            raise PydanticCustomError("string_too_long", "is too long", context)
        return password

    return check


Email = Annotated[
    str,
    Field(
        strict=True,
        max_length=1024,
        description="ASCII before the @; the domain may be internationalized (IDNA 2008).",
        json_schema_extra={"format": "idn-email", "pattern": EMAIL_PATTERN},
    ),
    AfterValidator(_check_email),
]
NewPassword = Annotated[
    SecretStr,
    BeforeValidator(_password(MIN_PASSWORD_LENGTH)),
    Field(min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH),
]
PresentedPassword = Annotated[
    SecretStr, BeforeValidator(_password(1)), Field(min_length=1, max_length=MAX_PASSWORD_LENGTH)
]
"""Shorter ones are simply wrong: the rule may have been another when it was chosen."""


class RegisterIn(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    nombre: Line
    email: Email
    password: NewPassword


class LoginIn(BaseModel):
    """Who signs in."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: PresentedPassword


class PasswordIn(BaseModel):
    """A change of password."""

    model_config = ConfigDict(extra="forbid")

    current: PresentedPassword
    new: NewPassword


class UserOut(BaseModel):
    """An account."""

    id: str
    nombre: str
    email: str
    rol: Literal["customer", "operator"]


class SessionOut(BaseModel):
    """An access token for the Authorization header, and whose it is."""

    token: str
    expires_in: int = Field(description="Seconds.")
    user: UserOut


class EndedSessionsOut(BaseModel):
    """The ids of sessions (``sid`` of an access token) that ended a short time ago."""

    sessions: list[str]
