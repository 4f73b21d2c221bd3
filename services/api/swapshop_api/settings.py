"""Settings of the api."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import NoDecode

from swapshop_kit.process_settings import ProcessSettings
from swapshop_kit.settings import DatabaseSettings, ServiceSettings, ServingSettings, split_commas

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$")]


class KeysSettings(ProcessSettings):
    """What the rotation of signing keys reads."""

    signing_keys_file: Path
    """JSON file of the Ed25519 keys that sign access tokens; ``keys rotate`` writes it."""


class OperatorSettings(DatabaseSettings):
    """What the making of an operator's account reads."""

    operator_password: SecretStr = Field(min_length=12, max_length=128)
    """Of a new account; an operator that exists keeps its own."""


class MigrationSettings(DatabaseSettings):
    """What a migration reads."""

    operator_email: str | None = None
    """Of an operator's account that exists before the api can be ready; none without it."""
    operator_password: SecretStr | None = Field(default=None, min_length=12, max_length=128)
    """Of a new account; an operator that exists keeps its own."""
    operator_promote_existing: bool = False
    """Whether an account that somebody registered with this e-mail may become the operator's."""

    @model_validator(mode="after")
    def _check_operator(self) -> Self:
        if self.operator_email is not None and self.operator_password is None:
            raise ValueError("OPERATOR_EMAIL needs OPERATOR_PASSWORD")
        return self


class ExporterSettings(ServingSettings):
    """What the exporter reads; its database user only reads, in both schemas."""

    drain_seconds: int = Field(default=5, ge=1, le=300)
    """Time for a scrape to finish after SIGTERM."""
    lame_duck_seconds: float = Field(default=0, ge=0, le=5)
    """Time after SIGTERM in which scrapes are still answered; Prometheus scrapes again anyway."""
    notifications_schema: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")] = (
        "notifications"
    )
    """Schema of the receiver on the same server; with SQLite, ``NAME.db`` in the same folder."""
    snapshot_seconds: float = Field(default=15, ge=1, le=300)
    """Time from the start of one snapshot of the figures to the start of the next."""


class ApiSettings(ServiceSettings, KeysSettings):
    """Read once, from the environment; every name is the field's in upper case."""

    token_issuer: str = "swapshop"  # noqa: S105 - a name, no secret
    """The ``iss`` claim of access tokens."""
    public_origins: Annotated[list[Origin], NoDecode] = Field(min_length=1)
    """Origins (scheme, host, port) that serve the page, separated by commas."""

    poller_client_id: str = "poller"
    """OAuth client id of the poller."""
    poller_client_secret: SecretStr = Field(min_length=32)
    """OAuth client secret of the poller."""
    poller_client_secret_previous: SecretStr | None = Field(default=None, min_length=32)
    """Still accepted while the secret is rotated."""

    login_per_account_per_minute: int = Field(default=10, ge=1)
    """Login attempts for one account from one address, and for one account from all devices that
    signed in to it before. Those devices count against no other limit on login attempts."""
    login_per_address_per_minute: int = Field(default=60, ge=1)
    """Login attempts from one address (IPv6: a /64), for all accounts."""
    login_per_site_per_minute: int = Field(default=300, ge=1)
    """Login attempts from one site (an IPv6 /48 or IPv4 /24), for all accounts."""
    login_failures_per_account: int = Field(default=10, ge=1)
    """Wrong passwords in a row for one account from all addresses in a minute; the limit is twice
    as high in 15 minutes and four times in two hours. A device that signed in before has a count of
    its own."""
    register_per_address_per_hour: int = Field(default=10, ge=1)
    """Registrations from one address (IPv6: a /64)."""
    register_per_site_per_hour: int = Field(default=100, ge=1)
    """Registrations from one site (an IPv6 /48 or IPv4 /24)."""
    orders_per_customer_per_minute: int = Field(default=120, ge=1)
    """Orders that one customer may place in a minute; the next is answered 429."""
    order_bytes_per_customer_per_minute: int = Field(default=4 * 1024**2, ge=1024**2)
    """Bytes of JSON that one customer's orders may have in a minute."""
    max_replicas: int = Field(default=1, ge=1)
    """Number of pods that share each limit while Redis is away and every pod counts on its own."""

    cache_mode: Literal["on", "off"] = "on"
    """``off`` reads every order from the database, to measure what the cache saves."""

    @property
    def poller_client_secrets(self) -> list[SecretStr]:
        """The secrets that the poller may present."""
        secrets = (self.poller_client_secret, self.poller_client_secret_previous)
        return [secret for secret in secrets if secret is not None]

    @field_validator("public_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        return split_commas(value)
