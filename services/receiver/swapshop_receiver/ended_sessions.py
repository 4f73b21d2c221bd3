"""The api's list of recently ended sessions, read over HTTP."""

from collections.abc import Collection

import httpx
from pydantic import BaseModel

from swapshop_kit.ended_sessions import ReadEnded


class _Answer(BaseModel):
    sessions: list[str]


def ended_sessions_of(http: httpx.AsyncClient, url: str) -> ReadEnded:
    """Return a function that reads the list from the api.

    Args:
        http: a client with a time-out.
        url: URL of the list, on the api's internal port.
    """

    async def read(within_seconds: int) -> Collection[str] | None:
        try:
            answer = await http.get(url, params={"within_seconds": within_seconds})
            answer.raise_for_status()
            return _Answer.model_validate_json(answer.content).sessions
        except (httpx.HTTPError, ValueError):
            return None

    return read
