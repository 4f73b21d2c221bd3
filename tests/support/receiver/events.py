"""Events and their signatures."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from swapshop_kit import webhook_events
from swapshop_kit.ids import new_id
from swapshop_kit.webhook_signatures import sign

SECRET = SecretStr("whsec_bWFkZS11cC1zZWNyZXQtb2YtdGhlLXRlc3RzLTAwMQ==")
PREVIOUS_SECRET = SecretStr("whsec_bWFkZS11cC1zZWNyZXQtb2YtdGhlLXRlc3RzLTAwMA==")
FOREIGN_SECRET = SecretStr("whsec_bWFkZS11cC1zZWNyZXQtb2YtdGhlLXRlc3RzLTk5OQ==")


def order_ready(**changes: Any) -> dict[str, Any]:
    """An ORDER_READY event, of a new order and a new user unless named."""
    return {
        "evento": "ORDER_READY",
        "order_id": new_id(),
        "user_id": new_id(),
        "cliente": "Lucía Gómez",
        "total": 25.5,
        "color": "azul",
        "created_at": "2026-01-02T03:04:05.000006Z",
        "processed_at": "2026-01-02T03:05:05.000007Z",
    } | changes


def order_blocked(**changes: Any) -> dict[str, Any]:
    """An ORDER_BLOCKED event, of a new order unless named."""
    return {
        "evento": "ORDER_BLOCKED",
        "order_id": new_id(),
        "cliente": "Lucía Gómez",
        "reason": "the order has no lines",
        "created_at": "2026-01-02T03:04:05.000006Z",
        "blocked_at": "2026-01-02T03:05:05.000007Z",
    } | changes


def webhook_id_of(event: Mapping[str, Any]) -> str:
    """The id under which the api announces an event."""
    return webhook_events.webhook_id(event["evento"], event["order_id"])


def signed(
    body: bytes,
    webhook_id: str = "order-ready_1",
    secret: SecretStr = SECRET,
    seconds_off: int = 0,
) -> dict[str, str]:
    """The headers of a webhook that was signed some seconds from now."""
    at = datetime.now(UTC) + timedelta(seconds=seconds_off)
    return sign(secret, webhook_id, body, lambda: at)
