"""Settings of the receiver."""

from urllib.parse import urljoin

from pydantic import Field

from swapshop_kit.settings import HttpUrl, ServiceSettings
from swapshop_kit.webhook_signatures import WebhookSecret


class ReceiverSettings(ServiceSettings):
    """Read once, from the environment; every name is the field's in upper case."""

    webhook_secret: WebhookSecret
    """Secret that the poller signs with: ``whsec_`` and 24..64 random bytes in base64."""
    webhook_secret_previous: WebhookSecret | None = None
    """Still accepted while the secret is rotated."""

    jwks_url: HttpUrl
    """The api's JWK Set, such as ``http://api:8001/.well-known/jwks.json``."""
    token_issuer: str = "swapshop"  # noqa: S105 - a name, no secret
    """The only ``iss`` claim accepted in an access token."""

    streams_per_user: int = Field(default=10, ge=1, le=1000)
    """Open streams of one user in one process; the next is answered 429."""
    streams_per_network: int = Field(default=200, ge=1, le=10_000)
    """Open streams of one network (IPv6 /48, IPv4 /24) in one process; the next is answered 429.
    Customers behind a proxy that is not trusted count as one network."""
    streams_per_process: int = Field(default=1000, ge=1, le=10_000)
    """Open streams of all users in one process; the next is answered 503."""
    streams_kept_percent: int = Field(default=20, ge=0, le=90)
    """Share of these streams reserved for users who have none in this process yet."""

    @property
    def ended_sessions_url(self) -> str:
        """The list of ended sessions, on the server that publishes the keys."""
        return urljoin(self.jwks_url, "/internal/auth/ended-sessions")

    @property
    def webhook_secrets(self) -> list[WebhookSecret]:
        """Every secret that a signature may be made with, the newest first."""
        secrets = (self.webhook_secret, self.webhook_secret_previous)
        return [secret for secret in secrets if secret is not None]
