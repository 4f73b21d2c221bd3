"""Client of the api's internal port."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from swapshop_kit.telemetry import current_traceparent, trace_headers
from swapshop_poller.contract import (
    AccessToken,
    Acknowledgement,
    LeaseAnswer,
    LeaseRequest,
    Report,
    ReportAnswer,
    Result,
)
from swapshop_poller.spans import client_span, note_answer

TOKEN_MARGIN_SECONDS: Final = 30.0
"""Time before its expiry at which a token is replaced; at most a quarter of its life."""

Model = TypeVar("Model", bound=BaseModel)


class ApiError(Exception):
    """A call to the api failed."""


class ApiAway(ApiError):
    """No answer, or a temporary error: 5xx, 408 or 429. The call can be retried.

    Args:
        reason: text for the log.
        answered: whether the api sent an HTTP answer.
    """

    def __init__(self, reason: str, *, answered: bool) -> None:
        super().__init__(reason)
        self.answered = answered


class ApiRefused(ApiError):
    """The api refused the call or broke the contract, so a person must act.

    Args:
        reason: text for the log.
        status: status of an answer other than success.
    """

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class DispatchApi(Protocol):
    """The api as the poller uses it; every call has a time-out and may raise ApiError."""

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Claim deliveries, or return those that the lease token still holds."""
        ...

    async def confirm(self, lease_token: str) -> None:
        """Confirm that the answer of a lease call arrived; repeating it is harmless."""
        ...

    async def report(self, lease_token: str, results: Sequence[Result]) -> list[Acknowledgement]:
        """Report at most 50 results; a repeated report gets the same answer."""
        ...


class ApiClient:
    """Calls the api over HTTP with client credentials (RFC 6749 §4.4).

    Args:
        http: client that follows no redirects.
        api_url: base URL of the api's internal port.
        client_id: the poller's OAuth client id.
        client_secret: the poller's OAuth client secret.
        total_seconds: time-out of one call, including the fetch of an access token.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_url: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        total_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._base = api_url.rstrip("/") + "/internal"
        self._credentials = httpx.BasicAuth(client_id, client_secret.get_secret_value())
        self._total_seconds = total_seconds
        self._clock = clock
        self._token: str | None = None
        self._token_ends_at = 0.0

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Claim deliveries.

        Raises:
            ApiError: see its subclasses.
        """
        path = "/dispatch/leases"
        return _read(await self._call(path, path, request), LeaseAnswer)

    async def confirm(self, lease_token: str) -> None:
        """Confirm that the answer of a lease call arrived.

        Raises:
            ApiError: see its subclasses.
        """
        path = f"/dispatch/leases/{lease_token}/receipt"
        answer = await self._call(path, "/dispatch/leases/{lease_token}/receipt")
        if answer.status_code != 404:  # an api of the previous release counts the claim itself
            _check(answer, success=204)

    async def report(self, lease_token: str, results: Sequence[Result]) -> list[Acknowledgement]:
        """Report at most 50 results.

        Raises:
            ApiError: see its subclasses.
        """
        path = f"/dispatch/leases/{lease_token}/results"
        template = "/dispatch/leases/{lease_token}/results"
        answer = await self._call(path, template, Report(results=list(results)))
        return _read(answer, ReportAnswer).results

    async def _call(
        self, path: str, template: str, body: BaseModel | None = None
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._post_with_token(path, template, body)
        except (httpx.RequestError, TimeoutError) as error:
            raise ApiAway(type(error).__name__, answered=False) from error

    async def _post_with_token(
        self, path: str, template: str, body: BaseModel | None
    ) -> httpx.Response:
        answer = await self._post(path, template, body)
        if answer.status_code == 401:
            # The token's key was retired, or the api's clock is ahead: retry once with a new token.
            self._token = None
            answer = await self._post(path, template, body)
        return answer

    async def _post(self, path: str, template: str, body: BaseModel | None) -> httpx.Response:
        token = await self._access_token()
        url = self._base + path
        with client_span(url, f"/internal{template}") as span:
            answer = await self._http.post(
                url,
                content=None if body is None else body.model_dump_json(),
                headers={
                    **trace_headers(current_traceparent()),
                    "authorization": f"Bearer {token}",
                    "content-type": "application/json",
                },
            )
            note_answer(span, answer)
        return answer

    async def _access_token(self) -> str:
        if self._token is None or self._clock() >= self._token_ends_at:
            asked_at = self._clock()
            url = f"{self._base}/auth/token"
            with client_span(url, "/internal/auth/token") as span:
                answer = await self._http.post(
                    url,
                    data={"grant_type": "client_credentials"},
                    headers=trace_headers(current_traceparent()),
                    auth=self._credentials,
                )
                note_answer(span, answer)
            fetched = _read(answer, AccessToken)
            margin = min(TOKEN_MARGIN_SECONDS, fetched.expires_in / 4)
            self._token = fetched.access_token
            self._token_ends_at = asked_at + fetched.expires_in - margin
        return self._token


def _check(answer: httpx.Response, success: int) -> None:
    status = answer.status_code
    if status >= 500 or status in (408, 429):
        raise ApiAway(f"HTTP {status}", answered=True)
    if status != success:
        raise ApiRefused(f"HTTP {status} from {answer.request.url.path}", status=status)


def _read(answer: httpx.Response, kind: type[Model]) -> Model:
    _check(answer, success=200)
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:5])
        raise ApiRefused(f"answer of {answer.request.url.path} not understood: {fields}") from error
