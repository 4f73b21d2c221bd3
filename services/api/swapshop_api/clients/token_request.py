"""The token request of a client (RFC 6749 §4.4.2): its credentials, by Basic or in the form."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from swapshop_api.clients.problems import ClientRefused, TokenRequestRefused

FORM: Final = "application/x-www-form-urlencoded"
_MAX_FIELDS: Final = 20


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The id and secret that a client presents."""

    client_id: str
    client_secret: str


async def read_token_request(request: Request) -> ClientCredentials:
    """Return the credentials of a well-formed request for ``client_credentials``.

    Raises:
        TokenRequestRefused: another grant, not a form, a repeated parameter (§3.2), or credentials
            sent in two ways (§2.3).
        ClientRefused: no credentials, or a header that is not Basic.
    """
    form = _parse_form(request.headers.get("content-type", ""), await request.body())
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise TokenRequestRefused("invalid_request")
    if grant_type != "client_credentials":
        raise TokenRequestRefused("unsupported_grant_type")
    authorization = request.headers.get("authorization")
    if authorization is None:
        if "client_id" not in form or "client_secret" not in form:
            raise ClientRefused
        return ClientCredentials(form["client_id"], form["client_secret"])
    credentials = _parse_basic(authorization)
    if "client_secret" in form or form.get("client_id", credentials.client_id) != (
        credentials.client_id
    ):
        raise TokenRequestRefused("invalid_request")
    return credentials


def _parse_form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise TokenRequestRefused("invalid_request")
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise TokenRequestRefused("invalid_request") from error
    form = dict(fields)
    if len(form) != len(fields):
        raise TokenRequestRefused("invalid_request")
    return form


def _parse_basic(authorization: str) -> ClientCredentials:
    """Read the header (RFC 7617); id and secret are form-encoded in it (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ClientRefused
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, separator, client_secret = text.partition(":")
        if not separator:
            raise ClientRefused
        return ClientCredentials(
            unquote_plus(client_id, errors="strict"), unquote_plus(client_secret, errors="strict")
        )
    except (binascii.Error, ValueError) as error:
        raise ClientRefused from error
