"""Accounts and sessions over HTTP."""

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response

from swapshop_api.auth.cookies import (
    SECURE_NAME,
    clear_refresh_cookie,
    read_device_cookie,
    read_refresh_cookie,
    set_device_cookie,
    set_refresh_cookie,
)
from swapshop_api.auth.domain.accounts import Accounts
from swapshop_api.auth.domain.sessions import Session, Sessions
from swapshop_api.auth.models import User
from swapshop_api.auth.origins import Origins
from swapshop_api.auth.problems import (
    EmailTaken,
    OriginRefused,
    PasswordQueueFull,
    RefreshConflict,
    SessionEnded,
    TooManyRequests,
    WrongCredentials,
    WrongPassword,
)
from swapshop_api.auth.schemas import (
    EndedSessionsOut,
    LoginIn,
    PasswordIn,
    RegisterIn,
    SessionOut,
    UserOut,
)
from swapshop_api.dependencies import Caller
from swapshop_api.signing_keys.access_tokens import ACCESS_TOKEN_SECONDS
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.ended_sessions import KEPT_SECONDS
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown, Unauthenticated, responses
from swapshop_kit.provided import get_provided, provided
from swapshop_kit.web import MAX_CREDENTIALS_BYTES, BeforeBody, router

public_router = router(prefix="/api/auth", tag="auth", max_body_bytes=MAX_CREDENTIALS_BYTES)
internal_router = router(tag="auth", max_body_bytes=MAX_CREDENTIALS_BYTES)

_SETS_COOKIE: Final = {
    "Set-Cookie": {
        "description": "The refresh token; after a password, another by which the device is known.",
        "schema": {"type": "string"},
    }
}

_TAKES_COOKIE: Final = {
    "parameters": [
        {
            "name": "Origin",
            "in": "header",
            "required": True,
            "description": "One of PUBLIC_ORIGINS; browsers send it by themselves.",
            "schema": {"type": "string"},
        },
        {
            "name": SECURE_NAME,
            "in": "cookie",
            "description": "The refresh token; without the prefix where the page is on plain http.",
            "schema": {"type": "string"},
        },
    ]
}


AccountCases = Annotated[Accounts, provided(Accounts)]
SessionCases = Annotated[Sessions, provided(Sessions)]
PageOrigins = Annotated[Origins, provided(Origins)]
Proxies = Annotated[TrustedProxies, provided(TrustedProxies)]


def _session_response(status: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": "Signed in.", "headers": _SETS_COOKIE}}


def _origin_of(request: Request) -> str | None:
    """Return the Origin header. Browsers send one; repeated ones are joined and match nothing."""
    origins = request.headers.getlist("origin")
    return ",".join(origins) if origins else None


async def _refuse_foreign_origin(request: Request) -> None:
    if get_provided(request, Origins).is_foreign(_origin_of(request)):
        raise OriginRefused


async def _demand_own_origin(request: Request, origins: PageOrigins) -> None:
    if not origins.is_own(_origin_of(request)):
        raise OriginRefused


async def _client_address(request: Request, proxies: Proxies) -> str:
    return proxies.address_of(request.scope)


async def _is_secure(request: Request, origins: PageOrigins) -> bool:
    return origins.is_secure(_origin_of(request), request.headers.get("host"))


ClientAddress = Annotated[str, Depends(_client_address)]
IsSecure = Annotated[bool, Depends(_is_secure)]
_NotForeign: Final = Depends(BeforeBody(_refuse_foreign_origin))
_OwnOrigin: Final = Depends(_demand_own_origin)


async def _refresh_cookie(request: Request, secure: IsSecure) -> str | None:
    return read_refresh_cookie(request, secure=secure)


async def _device_cookie(request: Request, secure: IsSecure) -> str | None:
    return read_device_cookie(request, secure=secure)


RefreshCookie = Annotated[str | None, Depends(_refresh_cookie)]
DeviceCookie = Annotated[str | None, Depends(_device_cookie)]


@public_router.post(
    "/register",
    status_code=201,
    dependencies=[_NotForeign],
    responses=_session_response(201)
    | responses(
        OriginRefused,
        EmailTaken,
        TooManyRequests,
        PasswordQueueFull,
        DatabaseUnavailable,
        OutcomeUnknown,
    ),
)
async def register(
    accounts: AccountCases,
    body: RegisterIn,
    response: Response,
    address: ClientAddress,
    secure: IsSecure,
) -> SessionOut:
    """Make an account and sign it in."""
    session = await accounts.register(
        body.nombre, body.email, body.password.get_secret_value(), address
    )
    return _signed_in(session, response, secure=secure)


@public_router.post(
    "/login",
    dependencies=[_NotForeign],
    responses=_session_response(200)
    | responses(
        WrongCredentials,
        OriginRefused,
        TooManyRequests,
        PasswordQueueFull,
        DatabaseUnavailable,
        OutcomeUnknown,
    ),
)
async def login(
    sessions: SessionCases,
    body: LoginIn,
    *,
    response: Response,
    address: ClientAddress,
    device: DeviceCookie,
    secure: IsSecure,
) -> SessionOut:
    """Sign in; an unknown e-mail and a wrong password get the same answer in the same time."""
    password = body.password.get_secret_value()
    session = await sessions.login(body.email, password, address, device)
    return _signed_in(session, response, secure=secure)


@public_router.post(
    "/refresh",
    dependencies=[_OwnOrigin],
    responses=_session_response(200)
    | responses(SessionEnded, OriginRefused, RefreshConflict, DatabaseUnavailable, OutcomeUnknown),
    openapi_extra=_TAKES_COOKIE,
)
async def refresh(
    sessions: SessionCases,
    request: Request,
    response: Response,
    cookie: RefreshCookie,
    secure: IsSecure,
) -> SessionOut:
    """Exchange the refresh cookie for an access token and the next cookie.

    When an answer is lost, the same cookie may be sent again. 409 means that another tab of the
    browser was faster: its cookie is in the jar, so repeat the request. The Origin header is
    demanded.
    """
    session = await sessions.refresh(cookie, request.is_disconnected)
    return _signed_in(session, response, secure=secure)


@public_router.post(
    "/logout",
    status_code=204,
    dependencies=[_OwnOrigin],
    responses=responses(OriginRefused, DatabaseUnavailable, OutcomeUnknown),
    openapi_extra=_TAKES_COOKIE,
)
async def logout(
    sessions: SessionCases, response: Response, cookie: RefreshCookie, secure: IsSecure
) -> None:
    """End the session of the refresh cookie; without one there is nothing to do."""
    await sessions.logout(cookie)
    clear_refresh_cookie(response, secure=secure)


@public_router.get("/me", responses=responses(Unauthenticated, DatabaseUnavailable))
async def me(accounts: AccountCases, caller: Caller) -> UserOut:
    """Return one's own account."""
    return _user_out(await accounts.me(caller.sub))


@public_router.post(
    "/password",
    status_code=204,
    responses=responses(
        Unauthenticated,
        WrongPassword,
        TooManyRequests,
        PasswordQueueFull,
        DatabaseUnavailable,
        OutcomeUnknown,
    ),
)
async def change_password(
    accounts: AccountCases,
    caller: Caller,
    body: PasswordIn,
    *,
    response: Response,
    address: ClientAddress,
    cookie: RefreshCookie,
    device: DeviceCookie,
    secure: IsSecure,
) -> None:
    """Change one's password; every session but that of the refresh cookie ends."""
    known = await accounts.change_password(
        caller.sub,
        body.current.get_secret_value(),
        body.new.get_secret_value(),
        cookie,
        address,
        device=device,
    )
    set_device_cookie(response, known, secure=secure)


@internal_router.get("/internal/auth/ended-sessions", responses=responses(DatabaseUnavailable))
async def list_ended_sessions(
    sessions: SessionCases,
    within_seconds: Annotated[int, Query(ge=1, le=KEPT_SECONDS)] = KEPT_SECONDS,
) -> EndedSessionsOut:
    """Return the sessions that ended within a time: their access tokens are to be refused."""
    return EndedSessionsOut(sessions=await sessions.list_ended(within_seconds))


def _signed_in(session: Session, response: Response, *, secure: bool) -> SessionOut:
    set_refresh_cookie(response, session.refresh_token, session.refresh_seconds, secure=secure)
    if session.device is not None:
        set_device_cookie(response, session.device, secure=secure)
    return SessionOut(
        token=session.access_token, expires_in=ACCESS_TOKEN_SECONDS, user=_user_out(session.user)
    )


def _user_out(user: User) -> UserOut:
    return UserOut.model_validate(user, from_attributes=True)
