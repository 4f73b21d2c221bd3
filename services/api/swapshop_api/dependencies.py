"""Who calls: what a route of the api can ask of its request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from swapshop_kit.access_tokens import AccessTokenVerifier, Claims
from swapshop_kit.bearer import Bearer, read_token
from swapshop_kit.problems import Forbidden
from swapshop_kit.provided import get_provided
from swapshop_kit.security_events import identified
from swapshop_kit.web import BeforeBody


@dataclass(frozen=True)
class TokenVerifiers:
    """The verifiers of access tokens, one for each audience.

    Args:
        public: of users' tokens.
        internal: of the tokens of other parts of the system.
    """

    public: AccessTokenVerifier
    internal: AccessTokenVerifier


async def _verify_public(request: Request) -> Claims:
    token = await read_token(request)
    return identified(await get_provided(request, TokenVerifiers).public.verify(token))


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
    token = await read_token(request)
    return identified(await get_provided(request, TokenVerifiers).internal.verify(token))


async def _internal_client(
    _: Bearer, claims: Annotated[Claims, Depends(BeforeBody(_verify_internal))]
) -> Claims:
    return claims


InternalClient = Annotated[Claims, Depends(_internal_client)]
"""Another part of the system, such as the poller."""
