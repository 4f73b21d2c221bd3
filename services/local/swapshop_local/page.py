"""The web page, as nginx serves it in the cluster: one document, and its hashed assets."""

import asyncio
import secrets
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

BUILT: Final = Path(__file__).parents[3] / "web" / "dist"
"""Where ``./task web:build`` puts the page."""

_NONCE: Final = "__CSP_NONCE__"
"""Stands in the document for the nonce of each response."""

_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_MISSING: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>SwapShop</title>"
    "<h1>SwapShop is up, without its page</h1>"
    "<p>The page is not built. Build it with <code>./task web:build</code>, then load this again. "
    "The API is there: <a href=/api/openapi.json>/api/openapi.json</a>."
)


def content_security_policy(nonce: str) -> str:
    """Return the policy of a response: nothing inline but what carries its nonce, nothing foreign.

    The nonce is for the style elements that a dialog adds; scripts come from files alone.
    """
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self'; font-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Page:
    """An ASGI application: the built page's files, and its document for every other path.

    Args:
        built: the folder that the build writes; looked at anew by every request.
    """

    def __init__(self, built: Path = BUILT) -> None:
        self._built = built

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = await asyncio.to_thread(self._answer, scope)
        await response(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
        path: str = scope["path"]
        name = path.lstrip("/")
        file = (self._built / name).resolve()
        is_inside = file.is_relative_to(self._built.resolve()) and not name.startswith(".")
        if name and name != "index.html" and is_inside and file.is_file():
            is_hashed = name.startswith("assets/")
            caching = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
            policy = content_security_policy(secrets.token_urlsafe(16))
            headers = {**_SECURITY, "Cache-Control": caching, "Content-Security-Policy": policy}
            return FileResponse(file, headers=headers)
        if name.startswith("assets/"):
            # A document in place of a script of an earlier build would be run as one.
            return PlainTextResponse("Not Found", 404, {"Cache-Control": "no-store"})
        return self._document()

    def _document(self) -> Response:
        nonce = secrets.token_urlsafe(16)
        document = self._built / "index.html"
        is_built = document.is_file()
        text = document.read_text(encoding="utf-8") if is_built else _MISSING
        return HTMLResponse(
            text.replace(_NONCE, nonce),
            status_code=200 if is_built else 503,
            headers={
                **_SECURITY,
                "Cache-Control": "no-store",
                "Content-Security-Policy": content_security_policy(nonce),
            },
        )
