"""JSON of notifications."""

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from swapshop_kit.money import Amount
from swapshop_kit.times import UtcTimestamp
from swapshop_receiver.events import Event, stored_event


class NotificationOut(BaseModel):
    """A notification, with what a list shows taken out of its payload."""

    id: str = Field(description="The id of the webhook that brought it.")
    evento: str
    order_id: str
    cliente: str | None = Field(description="Null if the event has none.")
    total: Amount | None = Field(description="Null if the event has none.")
    color: str | None
    payload: Event = Field(discriminator="evento", description="The event as it was announced.")
    received_at: UtcTimestamp
    read_at: UtcTimestamp | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "NotificationOut":
        """Build it from a row of the table."""
        event = stored_event(row["evento"], row["payload"])
        return cls(
            id=row["webhook_id"],
            evento=row["evento"],
            order_id=row["order_id"],
            cliente=getattr(event, "cliente", None),
            total=getattr(event, "total", None),
            color=getattr(event, "color", None),
            payload=event,
            received_at=row["received_at"],
            read_at=row["read_at"],
        )


class NotificationPage(BaseModel):
    """A page of notifications, newest first."""

    items: list[NotificationOut]
    next_cursor: str | None
    unread: int = Field(description="Unread notifications of the user in all.")


class MarkedRead(BaseModel):
    """What ``read-all`` did."""

    marked: int = Field(description="Notifications that were unread until now.")
