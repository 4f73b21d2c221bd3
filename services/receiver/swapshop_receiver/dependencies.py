"""Who calls: what a route of the receiver can ask of its request."""

from typing import Annotated

from fastapi import Depends, Request

from swapshop_kit.access_tokens import AccessTokenVerifier, Claims
from swapshop_kit.bearer import Bearer, read_token
from swapshop_kit.ids import is_canonical_id
from swapshop_kit.problems import Unauthenticated
from swapshop_kit.provided import get_provided
from swapshop_kit.security_events import identified
from swapshop_kit.web import BeforeBody


async def _verify(request: Request) -> Claims:
    token = await read_token(request)
    claims = identified(await get_provided(request, AccessTokenVerifier).verify(token))
    if not is_canonical_id(claims.sub):
        raise Unauthenticated
    return claims


async def _caller(_: Bearer, claims: Annotated[Claims, Depends(BeforeBody(_verify))]) -> Claims:
    return claims


Caller = Annotated[Claims, Depends(_caller)]
"""A signed-in user."""
