"""Client tokens over HTTP."""

from typing import Annotated

from fastapi import Request

from swapshop_api.clients.domain import Clients
from swapshop_api.clients.problems import ClientRefused, TokenRequestRefused
from swapshop_api.clients.schemas import ClientTokenOut
from swapshop_api.clients.token_request import FORM, read_token_request
from swapshop_api.signing_keys.access_tokens import ACCESS_TOKEN_SECONDS
from swapshop_kit.problems import responses
from swapshop_kit.provided import provided
from swapshop_kit.web import MAX_CREDENTIALS_BYTES, router

internal_router = router(tag="auth", max_body_bytes=MAX_CREDENTIALS_BYTES)


@internal_router.post(
    "/internal/auth/token",
    responses=responses(TokenRequestRefused, ClientRefused),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "required": ["grant_type"],
                        "properties": {
                            "grant_type": {"type": "string", "enum": ["client_credentials"]},
                            "client_id": {"type": "string"},
                            "client_secret": {"type": "string", "format": "password"},
                        },
                    }
                }
            },
        }
    },
)
async def issue_client_token(
    request: Request, clients: Annotated[Clients, provided(Clients)]
) -> ClientTokenOut:
    """Give a client an access token for its credentials, sent by HTTP Basic or in the form.

    Problems have the extra member ``error`` of RFC 6749 §5.2.
    """
    credentials = await read_token_request(request)
    token = clients.issue_token(credentials.client_id, credentials.client_secret)
    return ClientTokenOut(access_token=token, expires_in=ACCESS_TOKEN_SECONDS)
