"""Settings from the environment that services share; each service has its own class."""

import ssl
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from swapshop_kit.http_protocol import HttpLimits
from swapshop_kit.process_settings import HttpUrl, Port, ProcessSettings, Secret32

__all__ = [
    "DatabaseSettings",
    "HttpUrl",
    "Port",
    "ProcessSettings",
    "Secret32",
    "ServiceSettings",
    "ServingSettings",
    "TlsSettings",
    "split_commas",
]


class TlsSettings(ProcessSettings):
    """Settings of TLS for connections to MySQL."""

    database_tls: bool = False
    """Connect to MySQL only through TLS, and verify the server's certificate and host name."""
    database_ca_file: Path | None = None
    """CA certificates (PEM) that verify the server's certificate; the system's if unset."""

    @field_validator("database_ca_file")
    @classmethod
    def _check_database_ca_file(cls, value: Path | None) -> Path | None:
        try:
            _verified_tls(value)
        except OSError as error:  # an SSLError is one
            raise ValueError(f"must be a file of certificates in PEM: {error}") from error
        return value

    @model_validator(mode="after")
    def _check_database_tls(self) -> Self:
        if self.database_ca_file is not None and not self.database_tls:
            raise ValueError("DATABASE_CA_FILE needs DATABASE_TLS=true")
        return self

    def database_tls_context(self) -> ssl.SSLContext | None:
        """Return the context for ``create_engine``; None if TLS is off."""
        return _verified_tls(self.database_ca_file) if self.database_tls else None


def _verified_tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    # Python 3.13 requires extensions that database CAs often leave out
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class DatabaseSettings(TlsSettings):
    """Settings of a process with a database, such as a migration."""

    database_url: SecretStr
    """``mysql+asyncmy://user:password@host:port/schema`` or ``sqlite+aiosqlite:///path``."""

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr) -> SecretStr:
        try:
            url = make_url(value.get_secret_value())
        except (ArgumentError, ValueError):  # a ValueError would quote part of the password
            url = None
        if url is None or url.drivername not in ("mysql+asyncmy", "sqlite+aiosqlite"):
            raise ValueError("must be a URL of mysql+asyncmy:// or sqlite+aiosqlite://")
        file = url.database or ""
        if url.drivername == "sqlite+aiosqlite" and (not file or ":memory:" in file or url.query):
            # in memory, each pooled connection would have its own database
            raise ValueError("must name a file, without parameters, for sqlite+aiosqlite://")
        return value

    @model_validator(mode="after")
    def _check_tls_has_a_server(self) -> Self:
        if self.database_tls and self.database_url.get_secret_value().startswith("sqlite"):
            raise ValueError("DATABASE_TLS is only for mysql+asyncmy://: SQLite has no network")
        return self


class ServingSettings(DatabaseSettings):
    """Settings of every process with a database that serves HTTP."""

    host: str = "0.0.0.0"  # noqa: S104 - inside a pod, policies decide who reaches it
    """Address to listen on."""
    operations_port: Port = 9000
    """Port of ``/livez``, ``/readyz`` and ``/metrics``."""
    keep_alive_seconds: int = Field(default=95, ge=1, le=600)
    """Idle connections are closed after this time. It must exceed the proxy's own keep-alive."""
    drain_seconds: int = Field(default=20, ge=1, le=300)
    """Time for requests to finish after SIGTERM and LAME_DUCK_SECONDS."""
    lame_duck_seconds: float = Field(default=5, ge=0, le=5)
    """Time after SIGTERM in which new requests are still answered; each closes its connection."""
    max_connections: int = Field(default=2000, ge=1, le=100_000)
    """Open connections per port. The next 200 are answered 503, any more are closed at once."""
    head_seconds: float = Field(default=20, gt=0, le=300)
    """Time for a request's head to arrive, and for which a body may be slower than its rate."""
    body_bytes_per_second: int = Field(default=500, ge=1)
    """Slowest rate at which a request's body may arrive."""

    @property
    def http_limits(self) -> HttpLimits:
        """The limits of connections and requests."""
        return HttpLimits(
            max_connections=self.max_connections,
            head_seconds=self.head_seconds,
            window_seconds=self.head_seconds,
            min_bytes_per_second=self.body_bytes_per_second,
        )


class ServiceSettings(ServingSettings):
    """Settings of every service that customers and other services call."""

    public_port: Port = 8000
    """Port of ``/api``."""
    internal_port: Port = 8001
    """Port for the other services."""
    database_pool_size: int = Field(default=10, ge=1, le=100)
    """Connections to the database that a process opens at most."""
    redis_url: SecretStr
    """``redis://[[user]:password@]host:port/0``."""
    trusted_proxies: Annotated[list[str], NoDecode] = Field(default_factory=list[str])
    """Networks (CIDR) whose X-Forwarded-For header is trusted, separated by commas."""

    @property
    def ports(self) -> tuple[int, int, int]:
        """The public, the internal and the operations port."""
        return self.public_port, self.internal_port, self.operations_port

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: Any) -> Any:
        return split_commas(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ip_network(network, strict=False)
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value


def split_commas(value: Any) -> Any:
    """Split a text such as ``a, b`` into a list; return other values as they are."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value
