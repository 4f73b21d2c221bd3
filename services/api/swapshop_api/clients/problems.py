"""Problems of client tokens."""

from typing import Literal

from swapshop_kit.problems import Problem, Text

OAuthError = Literal["invalid_request", "invalid_client", "unsupported_grant_type"]
"""Error codes of RFC 6749 §5.2."""


class TokenRequestRefused(Problem):
    """The token request is malformed, or asks for another grant (RFC 6749 §5.2)."""

    code = "token_request_refused"
    status = 400
    es = Text("Solicitud de token incorrecta", "Solo se admite grant_type=client_credentials.")
    en = Text("Token request refused", "Only grant_type=client_credentials is supported.")

    def __init__(self, error: OAuthError) -> None:
        super().__init__(error=error)


class ClientRefused(Problem):
    """Unknown client, wrong secret, or none sent (RFC 6749 §5.2)."""

    code = "client_refused"
    status = 401
    es = Text("Cliente no reconocido", "El identificador o el secreto no son correctos.")
    en = Text("Client refused", "The client id or the secret is not right.")

    def __init__(self) -> None:
        super().__init__(
            headers={"WWW-Authenticate": 'Basic realm="swapshop"'}, error="invalid_client"
        )
