"""Names that follow from an event's type, such as ``ORDER_READY``, in every service."""


def event_slug(event_type: str) -> str:
    """Return the type as it is written in paths and ids, such as ``order-ready``."""
    return event_type.lower().replace("_", "-")


def webhook_path(event_type: str) -> str:
    """Return the receiver's path for an event type."""
    return f"/webhooks/{event_slug(event_type)}"


def webhook_id(event_type: str, order_id: str) -> str:
    """Return the id of an order's webhook: derived, so a restored database makes the same one."""
    return f"{event_slug(event_type)}_{order_id}"
