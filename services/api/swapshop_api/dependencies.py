"""Parameters of routes: the container, and the caller."""

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from swapshop_api.container import Container
from swapshop_kit.access_tokens import Claims
from swapshop_kit.problems import Forbidden, Unauthenticated
from swapshop_kit.security_events import identified
from swapshop_kit.web import BeforeBody

_bearer = HTTPBearer(auto_error=False, scheme_name="accessToken", bearerFormat="JWT")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def get_container(request: Request) -> Container:
    """Return the container of the process."""
    return cast("Container", request.app.state.container)


ContainerDep = Annotated[Container, Depends(get_container)]
"""The container of the process."""


async def _token(request: Request) -> str:
    bearer = await _bearer(request)
    if bearer is None:
        raise Unauthenticated
    return bearer.credentials


async def _verify_public(request: Request) -> Claims:
    token = await _token(request)
    return identified(await get_container(request).public_tokens.verify(token))


async def _caller(
    _: Bearer, claims: Annotated[Claims, Depends(BeforeBody(_verify_public))]
) -> Claims:
    return claims


Caller = Annotated[Claims, Depends(_caller)]
"""A signed-in user."""


async def _operator(caller: Caller) -> Claims:
    if not caller.is_operator:
        raise Forbidden
    return caller


Operator = Annotated[Claims, Depends(_operator)]
"""A signed-in member of the store's staff."""


async def _verify_internal(request: Request) -> Claims:
    token = await _token(request)
    return identified(await get_container(request).internal_tokens.verify(token))


async def _internal_client(
    _: Bearer, claims: Annotated[Claims, Depends(BeforeBody(_verify_internal))]
) -> Claims:
    return claims


InternalClient = Annotated[Claims, Depends(_internal_client)]
"""Another part of the system, such as the poller."""
