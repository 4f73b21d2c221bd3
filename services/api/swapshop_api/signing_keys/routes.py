"""The published keys over HTTP."""

from typing import Annotated

from fastapi import Response

from swapshop_api.signing_keys.domain import JWKS_MAX_AGE_SECONDS, SigningKeys
from swapshop_api.signing_keys.schemas import JsonWebKeySet
from swapshop_kit.provided import provided
from swapshop_kit.web import MAX_CREDENTIALS_BYTES, router

internal_router = router(tag="auth", max_body_bytes=MAX_CREDENTIALS_BYTES)


@internal_router.get("/.well-known/jwks.json")
async def get_jwks(
    keys: Annotated[SigningKeys, provided(SigningKeys)], response: Response
) -> JsonWebKeySet:
    """Return the keys that verify access tokens."""
    response.headers["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_SECONDS}"
    return JsonWebKeySet.model_validate(keys.jwks())
