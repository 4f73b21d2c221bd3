"""The refresh and device cookies (RFC 6265bis): only the browser and /api/auth see them."""

from typing import Final, Literal, TypedDict

from starlette.requests import Request
from starlette.responses import Response

PATH: Final = "/api/auth"
NAME: Final = "swapshop_refresh"
SECURE_NAME: Final = f"__Secure-{NAME}"
"""Browsers take this name only from https; ``__Host-`` would demand the path /."""

DEVICE_NAME: Final = "swapshop_device"
SECURE_DEVICE_NAME: Final = f"__Secure-{DEVICE_NAME}"
DEVICE_SECONDS: Final = 180 * 86_400
"""How long a browser stays known after the last sign-in."""


class _Attributes(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["strict"]


def _attributes(*, secure: bool) -> _Attributes:
    return {"path": PATH, "secure": secure, "httponly": True, "samesite": "strict"}


def _name(*, secure: bool) -> str:
    return SECURE_NAME if secure else NAME


def set_refresh_cookie(response: Response, token: str, seconds: int, *, secure: bool) -> None:
    """Give the browser a refresh token.

    Args:
        response: to put it into.
        token: as text.
        seconds: until its session ends.
        secure: send it over https only.
    """
    response.set_cookie(_name(secure=secure), token, max_age=seconds, **_attributes(secure=secure))


def clear_refresh_cookie(response: Response, *, secure: bool) -> None:
    """Make the browser forget its refresh token."""
    response.delete_cookie(_name(secure=secure), **_attributes(secure=secure))


def read_refresh_cookie(request: Request, *, secure: bool) -> str | None:
    """Return the refresh token that the browser sent."""
    return request.cookies.get(_name(secure=secure))


def set_device_cookie(response: Response, device: str, *, secure: bool) -> None:
    """Give the browser the cookie that makes it known to the account."""
    name = SECURE_DEVICE_NAME if secure else DEVICE_NAME
    response.set_cookie(name, device, max_age=DEVICE_SECONDS, **_attributes(secure=secure))


def read_device_cookie(request: Request, *, secure: bool) -> str | None:
    """Return the device cookie that the browser sent."""
    return request.cookies.get(SECURE_DEVICE_NAME if secure else DEVICE_NAME)
