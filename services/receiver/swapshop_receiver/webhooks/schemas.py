"""JSON of webhooks."""

from pydantic import BaseModel, Field


class Stored(BaseModel):
    """The event is in the database."""

    stored: bool = Field(description="False when it was there before.")
