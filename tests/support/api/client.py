"""Someone who calls the api with an access token."""

import time
from typing import Any, Literal

import httpx

from support.api.orders import Json, order_json
from swapshop_api.container import Container
from swapshop_kit.ids import new_id


def bearer(
    container: Container,
    user_id: str | None = None,
    rol: Literal["customer", "operator"] = "customer",
) -> str:
    """An access token of a user who need not exist, signed by the api."""
    now = int(time.time())
    claims = {
        "iss": container.settings.token_issuer,
        "aud": "swapshop",
        "sub": user_id or new_id(),
        "iat": now,
        "exp": now + 600,
        "jti": new_id(),
        "rol": rol,
        "nombre": "Lucía",
    }
    return container.keys.sign(claims)


class Shop(httpx.AsyncClient):
    """A client of the orders' routes.

    Args:
        app: the api.
        token: of the user.
    """

    def __init__(self, app: Any, token: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app),
            base_url="http://shop.example",
            headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
        )

    async def place(self, order: Json | None = None, *, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.post("/api/orders", json=order or order_json(), headers=headers)

    async def placed(self, order: Json | None = None) -> Json:
        """Places an order, which must succeed, and returns it."""
        answer = await self.place(order)
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()
        return created

    async def read(self, order_id: str) -> httpx.Response:
        return await self.get(f"/api/orders/{order_id}")

    async def mark_processed(self, order_id: str) -> httpx.Response:
        return await self.post(f"/api/orders/{order_id}/mark-processed")

    async def pages(self, path: str = "/api/orders", **query: Any) -> list[list[Json]]:
        """Reads a list to its end, page by page."""
        pages: list[list[Json]] = []
        while True:
            answer = await self.get(path, params=query)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json()["items"])
            query["cursor"] = answer.json()["next_cursor"]
            if query["cursor"] is None:
                return pages


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal, and the kind of problem."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]
