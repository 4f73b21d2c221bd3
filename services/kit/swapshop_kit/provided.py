"""How routes get what their process owns: each asks for a type, and the application provides it.

A route so needs no import of the container, which imports every capability.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from fastapi import Depends, FastAPI, Request

_T = TypeVar("_T")


def provide(app: FastAPI, owned: Mapping[type[Any], Any]) -> None:
    """Let the routes of an application get these objects by their types."""
    app.state.provided = owned


def get_provided(request: Request, kind: type[_T]) -> _T:
    """Return the application's object of a type."""
    return cast("_T", request.app.state.provided[kind])


def provided(kind: type[Any]) -> Any:
    """Return a dependency on the application's object of a type.

    Write it as ``Annotated[Orders, provided(Orders)]``.
    """

    async def get(request: Request) -> Any:
        return get_provided(request, kind)

    return Depends(get)
