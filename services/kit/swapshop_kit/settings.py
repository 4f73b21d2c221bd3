"""Settings from the environment, shared by the services; each service has one class of its own."""

from typing import Any

from pydantic import Field, SecretStr, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from swapshop_kit.process_settings import HttpUrl, Port, ProcessSettings, Secret32

__all__ = [
    "DatabaseSettings",
    "HttpUrl",
    "Port",
    "ProcessSettings",
    "Secret32",
    "ServiceSettings",
    "split_commas",
]


class DatabaseSettings(ProcessSettings):
    """What a process reads that works on a database, such as a migration."""

    database_url: SecretStr
    """``mysql+asyncmy://user:password@host:port/schema`` or ``sqlite+aiosqlite:///path``."""

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr) -> SecretStr:
        try:
            url = make_url(value.get_secret_value())
        except (ArgumentError, ValueError):  # a ValueError would quote a piece of the password
            url = None
        if url is None or url.drivername not in ("mysql+asyncmy", "sqlite+aiosqlite"):
            raise ValueError("must be a URL of mysql+asyncmy:// or sqlite+aiosqlite://")
        file = url.database or ""
        if url.drivername == "sqlite+aiosqlite" and (not file or ":memory:" in file or url.query):
            # in memory, each connection of a pool would have a database of its own
            raise ValueError("must name a file, without parameters, for sqlite+aiosqlite://")
        return value


class ServiceSettings(DatabaseSettings):
    """What every service that serves HTTP on a database reads."""

    host: str = "0.0.0.0"  # noqa: S104 - inside a pod, policies decide who reaches it
    public_port: Port = 8000
    internal_port: Port = 8001
    operations_port: Port = 9000
    keep_alive_seconds: int = Field(default=95, ge=1, le=600)
    """Longer than the proxy's, so that the proxy is always the one who closes."""
    drain_seconds: int = Field(default=20, ge=1, le=300)
    """Requests may finish for so long after SIGTERM."""

    database_pool_size: int = Field(default=10, ge=1, le=100)
    redis_url: SecretStr
    """``redis://[:password@]host:port/0``."""

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value


def split_commas(value: Any) -> Any:
    """Read a list from ``a, b``, the way people write it in an environment."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value
