"""Parameters of routes: the container, the caller, and a place for a stream."""

from collections.abc import AsyncGenerator
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from swapshop_kit.access_tokens import Claims
from swapshop_kit.addresses import site_network
from swapshop_kit.ids import is_canonical_id
from swapshop_kit.problems import Unauthenticated
from swapshop_kit.security_events import identified
from swapshop_kit.web import BeforeBody
from swapshop_receiver.container import Container
from swapshop_receiver.notifications.hub import Subscription

_bearer = HTTPBearer(auto_error=False, scheme_name="accessToken", bearerFormat="JWT")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def get_container(request: Request) -> Container:
    """Return the container of the process."""
    return cast("Container", request.app.state.container)


ContainerDep = Annotated[Container, Depends(get_container)]
"""The container of the process."""


async def _verify(request: Request) -> Claims:
    bearer = await _bearer(request)
    if bearer is None:
        raise Unauthenticated
    claims = identified(await get_container(request).tokens.verify(bearer.credentials))
    if not is_canonical_id(claims.sub):
        raise Unauthenticated
    return claims


async def _caller(_: Bearer, claims: Annotated[Claims, Depends(BeforeBody(_verify))]) -> Claims:
    return claims


Caller = Annotated[Claims, Depends(_caller)]
"""A signed-in user."""


async def _subscription(
    request: Request, container: ContainerDep, caller: Caller
) -> AsyncGenerator[Subscription]:
    network = site_network(container.proxies.address_of(request.scope))
    subscription = container.hub.subscribe(caller.sub, network, caller.sid)
    try:
        yield subscription
    finally:
        container.hub.unsubscribe(subscription)


OpenSubscription = Annotated[Subscription, Depends(_subscription)]
"""The place of the caller's stream in the hub, held until its answer has ended."""
