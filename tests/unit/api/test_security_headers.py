"""Every route's answer, whatever it is, says that it is data and that nobody keeps it."""

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

import swapshop_api.app
import swapshop_receiver.app

_APPS = {"api": swapshop_api.app.contract_app(), "receiver": swapshop_receiver.app.contract_app()}
_ROUTES = [
    (name, method.upper(), path)
    for name, app in _APPS.items()
    for path, methods in app.openapi()["paths"].items()
    for method in methods
] + [("api", "GET", "/api/openapi.json"), ("api", "GET", "/api/docs"), ("api", "GET", "/nowhere")]


@pytest.fixture
def app(request: pytest.FixtureRequest) -> FastAPI:
    return _APPS[request.param]


@pytest.mark.parametrize(("app", "method", "path"), _ROUTES, indirect=["app"])
async def test_every_answer_has_the_security_headers(app: FastAPI, method: str, path: str) -> None:
    """Nothing is behind the routes here: 401, 422 and 500 are answers too."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://t")
    with capture_logs():  # which also spares the rendering of each traceback
        answer = await client.request(method, path, headers={"X-Forwarded-Proto": "https"})
    await client.aclose()

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
