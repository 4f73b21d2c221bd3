"""Security events: who tried what from where, and the outcome, as log lines and a counter.

``SecurityContext`` holds the request; ``record`` writes an event. Refusals are recorded by
themselves: ``attempt`` names what a use case is about to decide, and a problem of status 401, 403
or 429 that ends the request is recorded under that name.
"""

import hashlib
import hmac
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from swapshop_kit.access_tokens import Claims
from swapshop_kit.addresses import TrustedProxies

SecurityEvent = Literal[
    "access",
    "audit",
    "client_login",
    "login",
    "logout",
    "password_change",
    "refresh",
    "register",
    "webhook",
]
"""``access``: any other request that is refused because of its token, its origin or a limit.
``audit``: an action in the audit, such as a change of role.
"""

Outcome = Literal["ok", "refused", "limited", "reused"]
"""``reused``: a refresh token was used by somebody who should not have it."""

OUTCOMES: Final[Mapping[SecurityEvent, tuple[Outcome, ...]]] = {
    "access": ("refused", "limited"),
    "audit": ("ok",),
    "client_login": ("ok", "refused", "limited"),
    "login": ("ok", "refused", "limited"),
    "logout": ("ok",),
    "password_change": ("ok", "refused", "limited"),
    "refresh": ("reused",),
    "register": ("ok", "refused", "limited"),
    "webhook": ("refused",),
}
"""The outcomes of each event. A successful refresh is not an event: there is one every 10 min."""

SECURITY_EVENTS: Final = Counter(
    "swapshop_security_events_total",
    "Security events by what came of them; each has a log line with actor and address.",
    ["event", "outcome"],
)
# Exported at 0, so that increase() sees the first one.
for _event, _outcomes in OUTCOMES.items():
    for _outcome in _outcomes:
        SECURITY_EVENTS.labels(_event, _outcome)

_OUTCOME_OF_STATUS: Final[Mapping[int, Outcome]] = {401: "refused", 403: "refused", 429: "limited"}

_log = structlog.get_logger()


@dataclass(slots=True)
class _Request:
    scope: Scope
    proxies: TrustedProxies
    is_internal: bool
    attempt: SecurityEvent | None = None
    actor: str | None = None
    account: str | None = None

    @property
    def address(self) -> str:
        return self.proxies.address_of(self.scope)

    @property
    def has_token(self) -> bool:
        return "authorization" in Headers(scope=self.scope)


_request: ContextVar[_Request | None] = ContextVar("security_request", default=None)


class SecurityContext:
    """ASGI middleware that makes the request available to the events recorded within it.

    Args:
        app: the application.
        proxies: proxies whose X-Forwarded-For is trusted.
        is_internal: whether only our own services call, so a call without a token is an event.
    """

    def __init__(self, app: ASGIApp, *, proxies: TrustedProxies, is_internal: bool) -> None:
        self.app = app
        self._proxies = proxies
        self._is_internal = is_internal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _request.set(_Request(scope, self._proxies, self._is_internal))
        try:
            await self.app(scope, receive, send)
        finally:
            _request.reset(token)


class AccountReferences:
    """Makes references to accounts that may not exist, from which the e-mail cannot be read.

    Args:
        secret: shared by all processes; its holder can test a reference against an e-mail.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"swapshop security events", hashlib.sha256)

    def of(self, email: str) -> str:
        """Return the reference of a normalized e-mail: 16 hexadecimal digits."""
        return hmac.digest(self._key, email.encode(), hashlib.sha256).hex()[:16]


def attempt(event: SecurityEvent, *, account: str | None = None) -> None:
    """Set the event under which a refusal of this request is recorded.

    Args:
        event: recorded when the request ends in a problem of status 401, 403 or 429.
        account: reference from ``AccountReferences``, when no actor is known yet.
    """
    request = _request.get()
    if request is not None:
        request.attempt = event
        request.account = account


def identify(actor: str) -> None:
    """Set the request's actor: the id of a verified caller, or of the account of a login."""
    request = _request.get()
    if request is not None:
        request.actor = actor


def identified(claims: Claims) -> Claims:
    """Return verified claims, after setting their subject as the actor."""
    identify(claims.sub)
    return claims


def record(
    event: SecurityEvent,
    outcome: Outcome = "ok",
    *,
    actor: str | None = None,
    **details: str | int | None,
) -> None:
    """Count an event and log it with the address of the current request.

    Args:
        event: what was tried.
        outcome: one of the event's OUTCOMES.
        actor: user id, client id, ``command-line`` or ``system``; by default the one that
            ``identify`` set.
        details: ids and reasons; no secrets and no personal data.
    """
    request = _request.get()
    fields: dict[str, Any] = {"outcome": outcome, "actor": actor, **details}
    if request is not None:
        route = request.scope.get("route")
        fields["actor"] = actor or request.actor
        fields["account"] = request.account
        fields["address"] = request.address
        fields["route"] = getattr(route, "path", None)
    SECURITY_EVENTS.labels(event, outcome).inc()
    write = _log.info if outcome == "ok" else _log.warning
    write(f"security.{event}", **{name: value for name, value in fields.items() if value})


def record_refusal(status: int, code: str) -> None:
    """Record that the request ends in a problem, if it is a security event.

    A 401 without a token on a public port is not one: it only tells a page that it is not signed
    in.
    """
    request = _request.get()
    outcome = _OUTCOME_OF_STATUS.get(status)
    if request is None or outcome is None:
        return
    if request.attempt is None and status == 401 and not (request.is_internal or request.has_token):
        return
    record(request.attempt or "access", outcome, reason=code)
