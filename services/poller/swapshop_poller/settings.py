"""Settings of the poller."""

from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from swapshop_kit.process_settings import HttpUrl, Port, ProcessSettings
from swapshop_kit.webhook_signatures import WebhookSecret

REPORT_MARGIN_SECONDS: Final = 5.0
"""Rest of a lease that must remain to report the slowest possible answer."""


class PollerSettings(ProcessSettings):
    """Settings read once from the environment; each variable is its field in upper case."""

    api_url: HttpUrl
    """Base URL of the api's internal port, such as ``http://api:8001``."""
    receiver_url: HttpUrl
    """Base URL of the receiver's internal port, such as ``http://receiver:8001``."""
    client_id: str = Field(default="poller", min_length=1, pattern=r"^[^:]+$")
    """OAuth client id at the api."""
    client_secret: SecretStr = Field(min_length=32)
    """OAuth client secret at the api."""
    webhook_secret: WebhookSecret
    """Signs the webhooks; the newest secret that the receiver accepts."""

    lease_seconds: int = Field(default=60, ge=20, le=300)
    """Time for which leased deliveries belong to this poller."""
    batch_size: int = Field(default=50, ge=1, le=100)
    """Most deliveries in one lease."""
    concurrency: int = Field(default=8, ge=1, le=64)
    """Most webhooks in flight at once."""
    connect_seconds: float = Field(default=3, gt=0, le=30)
    """Time-out for a connection to the api or the receiver."""
    send_seconds: float = Field(default=10, gt=0, le=60)
    """Time-out for one webhook, from the connection to its answer."""
    api_seconds: float = Field(default=10, gt=0, le=60)
    """Time-out for one call of the api, including the fetch of an access token."""

    run_seconds: float = Field(default=45, gt=0, le=3600)
    """Time for which ``once`` leases deliveries; then it finishes those in flight."""
    first_connection_seconds: float = Field(default=10, ge=0, le=60)
    """Time for which ``once`` retries its first connection: a new pod's policies can lag."""
    idle_seconds: float = Field(default=1, gt=0, le=60)
    """Pause after a lease of fewer than BATCH_SIZE deliveries."""
    probe_seconds: float = Field(default=5, gt=0, le=60)
    """Pause between two probes of a receiver that is unavailable or misconfigured."""

    host: str = "0.0.0.0"  # noqa: S104 - inside a pod, policies decide who reaches it
    """Address to listen on."""
    operations_port: Port = 9000
    """Port of ``/livez``, ``/readyz`` and ``/metrics`` of ``loop``."""

    @property
    def reserve_seconds(self) -> float:
        """Rest of a lease that a send needs to begin."""
        return self.send_seconds + REPORT_MARGIN_SECONDS

    @model_validator(mode="after")
    def _check_lease(self) -> Self:
        if self.lease_seconds <= self.reserve_seconds:
            raise ValueError("LEASE_SECONDS must exceed SEND_SECONDS by more than 5")
        return self
