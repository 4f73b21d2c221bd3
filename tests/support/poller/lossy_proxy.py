"""An HTTP proxy in front of the api's internal port that can lose the answers of lease calls."""

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.waiting import until

LEASES = "/internal/dispatch/leases"


class LossyProxy:
    """Forwards every POST; while ``loses`` is set, a lease's answer never reaches the poller.

    Args:
        api_url: of the internal port behind it.
    """

    def __init__(self, api_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=api_url, timeout=30)
        self.loses = False
        self.lost_tokens: list[str] = []
        """The lease token of each lost answer."""
        self.app = Starlette(routes=[Route("/{path:path}", self._forward, methods=["POST"])])

    async def _forward(self, request: Request) -> Response:
        body = await request.body()
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in ("authorization", "content-type")
        }
        answer = await self._http.post(request.url.path, content=body, headers=headers)
        if self.loses and request.url.path == LEASES and answer.status_code == 200:
            self.lost_tokens.append((await request.json())["lease_token"])
            await until(request.is_disconnected)
        return Response(answer.content, answer.status_code, media_type="application/json")

    async def close(self) -> None:
        """Close the connections to the api."""
        await self._http.aclose()
