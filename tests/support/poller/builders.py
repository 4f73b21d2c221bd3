"""Settings of a poller, and deliveries."""

from typing import Any

from pydantic import SecretStr

from swapshop_poller.contract import Delivery
from swapshop_poller.settings import PollerSettings

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the specification's example
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def poller_settings(**changes: Any) -> PollerSettings:
    """Settings with nothing real in them."""
    given: dict[str, Any] = {
        "api_url": "http://api.test:8001",
        "receiver_url": "http://receiver.test:8001",
        "client_secret": SecretStr("s" * 32),
        "webhook_secret": SecretStr(WEBHOOK_SECRET),
    }
    return PollerSettings(**(given | changes))


def delivery(number: int = 1, **changes: Any) -> Delivery:
    """A delivery; its number is in its ids and its body."""
    plain = Delivery(
        id=f"delivery-{number}",
        webhook_id=f"webhook-{number}",
        event_type="ORDER_READY",
        body=f'{{"evento":"ORDER_READY","order_id":"{number}","total":19.90,"ñ":true}}'.encode(),
        attempts=0,
        traceparent=TRACEPARENT,
    )
    return plain.model_copy(update=changes)


def deliveries(count: int) -> list[Delivery]:
    """Deliveries 1 to ``count``."""
    return [delivery(number) for number in range(1, count + 1)]
