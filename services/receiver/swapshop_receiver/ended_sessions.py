"""The api's list of sessions that ended a short time ago, read over HTTP."""

from collections.abc import Collection

import httpx
from pydantic import BaseModel

from swapshop_kit.ended_sessions import ReadEnded


class _Answer(BaseModel):
    sessions: list[str]


def ended_sessions_of(http: httpx.AsyncClient, url: str) -> ReadEnded:
    """Make the function that asks the api.

    Args:
        http: has a time-out.
        url: of the api's list, on its internal port.
    """

    async def read(within_seconds: int) -> Collection[str] | None:
        try:
            answer = await http.get(url, params={"within_seconds": within_seconds})
            answer.raise_for_status()
            return _Answer.model_validate_json(answer.content).sessions
        except (httpx.HTTPError, ValueError):
            return None

    return read
