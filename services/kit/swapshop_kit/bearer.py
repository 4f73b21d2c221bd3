"""Access tokens in requests: the Authorization header (RFC 6750 §2.1), as OpenAPI documents it."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from swapshop_kit.problems import Unauthenticated

_bearer = HTTPBearer(auto_error=False, scheme_name="accessToken", bearerFormat="JWT")

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
"""Declares in OpenAPI that a route takes an access token."""


async def read_token(request: Request) -> str:
    """Return the access token of a request.

    Raises:
        Unauthenticated: the request has none.
    """
    bearer = await _bearer(request)
    if bearer is None:
        raise Unauthenticated
    return bearer.credentials
