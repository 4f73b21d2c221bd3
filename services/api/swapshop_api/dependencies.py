"""What routes ask for: the container, and who calls."""

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from swapshop_api.container import Container
from swapshop_kit.access_tokens import Claims
from swapshop_kit.problems import Forbidden, Unauthenticated
from swapshop_kit.security_events import identified

_bearer = HTTPBearer(auto_error=False, scheme_name="accessToken", bearerFormat="JWT")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def get_container(request: Request) -> Container:
    """Return what the process owns."""
    return cast("Container", request.app.state.container)


Deps = Annotated[Container, Depends(get_container)]


async def _caller(container: Deps, bearer: Bearer) -> Claims:
    if bearer is None:
        raise Unauthenticated
    return identified(await container.public_tokens.verify(bearer.credentials))


Caller = Annotated[Claims, Depends(_caller)]
"""A signed-in user."""


async def _operator(caller: Caller) -> Claims:
    if not caller.is_operator:
        raise Forbidden
    return caller


Operator = Annotated[Claims, Depends(_operator)]
"""A signed-in member of the store's staff."""


async def _internal_client(container: Deps, bearer: Bearer) -> Claims:
    if bearer is None:
        raise Unauthenticated
    return identified(await container.internal_tokens.verify(bearer.credentials))


InternalClient = Annotated[Claims, Depends(_internal_client)]
"""Another part of the system, such as the poller."""
