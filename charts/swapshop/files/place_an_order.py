"""`helm test`: a new customer places an order and waits for its notification."""

import os
import secrets
import sys
import time

import httpx

NOTIFIED_WITHIN_SECONDS = 150
"""The CronJob poller starts once a minute, and a first run may have to wait for its pod."""

API = os.environ["API_URL"]
RECEIVER = os.environ["RECEIVER_URL"]


def register(http: httpx.Client) -> dict[str, str]:
    """Make an account and return the header that its requests carry."""
    account = {
        "nombre": "Prueba de Helm",
        "email": f"helm-test-{secrets.token_hex(8)}@swapshop.test",
        "password": secrets.token_urlsafe(24),
    }
    answer = http.post(f"{API}/api/auth/register", json=account).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def place_order(http: httpx.Client, credentials: dict[str, str]) -> str:
    """Place an order of one line and return its id."""
    line = {"producto": "Abrigo de lana", "talla": "M", "cantidad": 1, "precio_unitario": 24.90}
    answer = http.post(
        f"{API}/api/orders",
        json={"cliente": "Prueba de Helm", "items": [line]},
        headers={**credentials, "Idempotency-Key": secrets.token_hex(16)},
    )
    return str(answer.raise_for_status().json()["id"])


def is_notified(http: httpx.Client, credentials: dict[str, str], order_id: str) -> bool:
    """Return whether the order's notification has arrived."""
    answer = http.get(f"{RECEIVER}/api/notifications", headers=credentials)
    items = answer.raise_for_status().json()["items"]
    return any(item["order_id"] == order_id for item in items)


def main() -> int:
    """Return 0 once the notification is there, 1 if it does not come."""
    with httpx.Client(timeout=10, transport=httpx.HTTPTransport(retries=5)) as http:
        credentials = register(http)
        order_id = place_order(http, credentials)
        print(f"placed order {order_id}", flush=True)
        begin = time.monotonic()
        while time.monotonic() - begin < NOTIFIED_WITHIN_SECONDS:
            if is_notified(http, credentials, order_id):
                print(f"notified after {time.monotonic() - begin:.1f} s")
                return 0
            time.sleep(1)
    print(f"no notification within {NOTIFIED_WITHIN_SECONDS} s", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
