"""Create the FastAPI application of a service: strict JSON, problems, size limits."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from swapshop_kit import strict_json
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.asgi import ObserveRequests
from swapshop_kit.metrics import count_from_zero
from swapshop_kit.problems import (
    BadRequest,
    BodyTooLarge,
    FieldError,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    ProblemDetails,
    preferred_language,
    responses,
)
from swapshop_kit.security_events import SecurityContext, record_refusal
from swapshop_kit.telemetry import public_tracer_provider

MAX_BODY_BYTES: Final = 64 * 1024
"""Maximum size of a body unless its router sets another."""

MAX_INTERNAL_BODY_BYTES: Final = 1024 * 1024

MAX_CREDENTIALS_BYTES: Final = 4 * 1024
"""Maximum size of a body that anybody can send: names and passwords, which hash slowly."""

MAX_ERRORS: Final = 50
"""Maximum refused fields that an answer lists."""

WATCHED: Final = frozenset({201, 500, 503})
"""Statuses whose first answer an alert must see as an increase."""

REFUSALS: Final = frozenset({401, 403, 404})
"""Also watched where only our own services call: they mean a misconfiguration."""

REFERENCE_PAGE: Final = "/reference.html"
"""Path of the page that shows an OpenAPI document."""

PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Requested every few seconds, and not worth a span."""


_RESOLVED: Final = "swapshop.before_body"

_T = TypeVar("_T")

_TRACE_HEADERS: Final = frozenset({b"traceparent", b"tracestate", b"baggage"})


class _PublicApp(FastAPI):
    """An application with outside callers, whose traces are not continued."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept = [each for each in scope["headers"] if each[0] not in _TRACE_HEADERS]
            scope["headers"] = kept
        await super().__call__(scope, receive, send)


class StrictRequest(Request):
    """A request with a size limit whose JSON is parsed by ``strict_json``."""

    max_body_bytes = MAX_BODY_BYTES

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body's chunks.

        Raises:
            HTTPException: 413, if Content-Length or the body exceeds the limit.
        """
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self.max_body_bytes:
            raise HTTPException(413)
        received = 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > self.max_body_bytes:
                raise HTTPException(413)
            yield chunk

    async def json(self) -> Any:
        """Parse the body.

        Raises:
            JSONRefusedError: see ``strict_json``; answered as 422.
        """
        body = await self.body()
        strict_json.check_elements(body)
        return strict_json.loads(body)


class BeforeBody(Generic[_T]):
    """A dependency that is resolved before the body is read; FastAPI reads the body first.

    It is for checks that refuse a request by its head, which cost less than reading and parsing
    the body. The route must be a StrictRoute.

    Args:
        check: called once per request; it must not read the request's body.
    """

    def __init__(self, check: Callable[[Request], Awaitable[_T]]) -> None:
        self._check = check

    async def __call__(self, request: Request) -> _T:
        resolved: dict[BeforeBody[Any], Any] = request.scope[_RESOLVED]
        return cast("_T", resolved[self])

    async def resolve(self, request: Request) -> None:
        """Call the check and keep its result for the dependency."""
        request.scope[_RESOLVED][self] = await self._check(request)


def _find_before_body(dependant: Dependant) -> Iterator[BeforeBody[Any]]:
    for each in dependant.dependencies:
        yield from _find_before_body(each)
        call: object = each.call
        if isinstance(call, BeforeBody):
            yield cast("BeforeBody[Any]", call)


class StrictRoute(APIRoute):
    """A route that resolves each BeforeBody, and then gives its endpoint a StrictRequest."""

    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        before_body = tuple(dict.fromkeys(_find_before_body(self.dependant)))

        async def handle_strictly(request: Request) -> Response:
            request.scope[_RESOLVED] = {}
            for each in before_body:
                await each.resolve(request)
            strict = StrictRequest(request.scope, request.receive)
            strict.max_body_bytes = self.max_body_bytes
            return await handle(strict)

        return handle_strictly


def router(*, prefix: str = "", tag: str, max_body_bytes: int = MAX_BODY_BYTES) -> APIRouter:
    """Create the router of a capability; each of its routes can answer 413 and 422."""

    class LimitedRoute(StrictRoute):
        pass

    # not FastAPI's max_body_size: its middleware answers in plain text
    LimitedRoute.max_body_bytes = max_body_bytes
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=LimitedRoute,
        responses=responses(InvalidRequest, BodyTooLarge, InternalError),
    )


def create_app(
    title: str,
    version: str,
    routers: Iterable[APIRouter],
    *,
    docs_prefix: str | None = None,
    lifespan: Any = None,
    trusted_callers: bool = False,
    proxies: TrustedProxies | None = None,
) -> FastAPI:
    """Create an application from routers.

    Args:
        title: title in OpenAPI.
        version: version of the service.
        routers: routers in the order of matching.
        docs_prefix: path prefix of ``/openapi.json`` and of ``/docs``, which redirects to the page
            that shows it; None leaves both out.
        lifespan: ASGI lifespan context, if the application has one.
        trusted_callers: whether only our own services call. Then their request ids, traces and
            sampling decisions are kept, and each refusal is a security event.
        proxies: proxies whose X-Forwarded-For is trusted for security events; None trusts none.
    """
    app = (FastAPI if trusted_callers else _PublicApp)(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{docs_prefix}/openapi.json" if docs_prefix is not None else None,
        lifespan=lifespan,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        telemetry={
            "tracer_provider": None if trusted_callers else public_tracer_provider(),
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": _is_probe,
        },
        generate_unique_id_function=lambda route: route.name,
    )
    for each in routers:
        app.include_router(each)
        _count_from_zero(each, WATCHED | REFUSALS if trusted_callers else WATCHED)
    app.add_middleware(
        SecurityContext, proxies=proxies or TrustedProxies([]), is_internal=trusted_callers
    )
    if docs_prefix is not None:
        app.add_route(f"{docs_prefix}/docs", _show_reference(docs_prefix), include_in_schema=False)
    app.add_middleware(ObserveRequests, trusted_callers=trusted_callers)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    return app


def _show_reference(docs_prefix: str) -> Callable[[Request], Awaitable[Response]]:
    """Redirect to the page's API reference, which loads only our own scripts."""
    target = f"{REFERENCE_PAGE}?of={docs_prefix.rpartition('/')[2]}"

    async def show(_: Request) -> Response:
        return RedirectResponse(target)

    return show


def _count_from_zero(router: APIRouter, watched: frozenset[int]) -> None:
    """Export the watched series of a router's routes before their first answer."""
    for route in router.routes:
        if isinstance(route, StrictRoute):
            declared = {int(status) for status in (route.status_code or 200, *route.responses)}
            for method in route.methods or ():
                count_from_zero(method, route.path, declared & watched)


def _is_probe(scope: Scope) -> bool:
    return scope["path"] in PROBES


def _render(request: Request, problem: Problem) -> Response:
    return problem.render(preferred_language(request.headers.get("accept-language")))


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    record_refusal(error.status, error.code)
    return _render(request, error)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _render(request, InvalidRequest(errors=field_errors(error.errors())))


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds: dict[int, type[Problem]] = {
        404: NotFound,
        405: MethodNotAllowed,
        413: BodyTooLarge,
        422: InvalidRequest,
    }
    other = InternalError if error.status_code >= 500 else BadRequest
    problem = kinds.get(error.status_code, other)()
    problem.headers.update(error.headers or {})
    return _render(request, problem)


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Convert the first 50 pydantic errors to ours, with paths within body, query or headers."""
    return [
        FieldError(
            field=".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0]),
            code=error["type"],
            context=error.get("ctx"),
        )
        if error["type"] != "json_invalid"
        else FieldError("body", "json_invalid")
        for error in errors[:MAX_ERRORS]
    ]


def use_problem_schema(app: FastAPI) -> dict[str, Any]:
    """Return the application's OpenAPI with ProblemDetails instead of FastAPI's 422 schema."""
    document = app.openapi()
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(details.pop("$defs"))
    schemas["ProblemDetails"] = details
    return document
