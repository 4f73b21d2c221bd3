"""Clients of the internal API: they get access tokens for their credentials."""

import hmac

from pydantic import SecretStr

from swapshop_api.clients.problems import ClientRefused
from swapshop_api.signing_keys.access_tokens import AccessTokens
from swapshop_kit import security_events


class Clients:
    """The only client: the poller.

    Args:
        tokens: issue the access tokens.
        client_id: the poller's id.
        secrets: the poller's secrets; while one is replaced, the old and the new.
    """

    def __init__(self, tokens: AccessTokens, client_id: str, *secrets: SecretStr) -> None:
        self._tokens = tokens
        self._client_id = client_id
        self._secrets = secrets

    def issue_token(self, client_id: str, client_secret: str) -> str:
        """Return an access token for the internal API (RFC 6749 §4.4).

        Raises:
            ClientRefused: the id or the secret is wrong.
        """
        security_events.attempt("client_login")
        presented = client_secret.encode()
        is_secret = [
            hmac.compare_digest(presented, secret.get_secret_value().encode())
            for secret in self._secrets
        ]
        is_client = hmac.compare_digest(client_id.encode(), self._client_id.encode())
        if not (is_client and any(is_secret)):
            raise ClientRefused
        security_events.record("client_login", actor=self._client_id)
        return self._tokens.issue("swapshop-internal", self._client_id, "service")
