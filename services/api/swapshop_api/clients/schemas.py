"""JSON of client tokens."""

from typing import Literal

from pydantic import BaseModel, Field


class ClientTokenOut(BaseModel):
    """An access token for a client (RFC 6749 §5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the type's name
    expires_in: int = Field(description="Seconds.")
