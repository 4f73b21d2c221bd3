"""Settings of every process, including the poller. This module needs no database library."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from swapshop_kit.logging import Level

Port = Annotated[int, Field(ge=0, le=65535)]
Secret32 = Annotated[SecretStr, Field(min_length=32)]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$")]


class ProcessSettings(BaseSettings):
    """Settings of every process."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    log_level: Level = "info"
    """Records below this level are not logged."""
    otlp_endpoint: HttpUrl | None = None
    """Base URL of an OTLP/HTTP collector; traces are off without it."""
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    """Share of new traces that is sampled."""
