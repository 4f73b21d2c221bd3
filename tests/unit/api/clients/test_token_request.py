"""The token request of RFC 6749 §4.4, as clients may and may not write it."""

import base64
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from swapshop_api.clients.problems import ClientRefused, TokenRequestRefused
from swapshop_api.clients.token_request import FORM, ClientCredentials, read_token_request

_GRANT = b"grant_type=client_credentials"


def _request(body: bytes, headers: Mapping[str, str]) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


async def _read(body: bytes, content_type: str = FORM, **headers: str) -> ClientCredentials:
    return await read_token_request(_request(body, {"Content-Type": content_type, **headers}))


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (_GRANT, _basic("poller:secret"), ("poller", "secret")),
        (_GRANT, _basic("poller:a%3Ab%2Bc+d"), ("poller", "a:b+c d")),
        (_GRANT, _basic("poller:a:b"), ("poller", "a:b")),
        (_GRANT, _basic("poller:"), ("poller", "")),
        (_GRANT + b"&client_id=poller", _basic("poller:secret"), ("poller", "secret")),
        (_GRANT + b"&client_id=poller&client_secret=a%2Bb", {}, ("poller", "a+b")),
        (_GRANT + b"&client_id=p&client_secret=", {}, ("p", "")),
        (_GRANT + b"&scope=x&client_id=p&client_secret=s", {}, ("p", "s")),
    ],
)
async def test_credentials_come_by_basic_or_in_the_form(
    body: bytes, headers: dict[str, str], expected: tuple[str, str]
) -> None:
    assert await _read(body, **headers) == ClientCredentials(*expected)


async def test_a_charset_is_no_other_content_type() -> None:
    body = _GRANT + b"&client_id=p&client_secret=s"

    assert await _read(body, f"{FORM.upper()}; charset=utf-8") == ClientCredentials("p", "s")


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        pytest.param(b"", {}, "invalid_request", id="empty"),
        pytest.param(b"client_id=p&client_secret=s", {}, "invalid_request", id="no grant"),
        pytest.param(b"grant_type=password", {}, "unsupported_grant_type", id="another grant"),
        pytest.param(b"grant_type=", {}, "unsupported_grant_type", id="empty grant"),
        pytest.param(_GRANT + b"&" + _GRANT, {}, "invalid_request", id="twice"),
        pytest.param(_GRANT + b"&x=%ff", {}, "invalid_request", id="not UTF-8"),
        pytest.param(_GRANT + b"&x=\xff", {}, "invalid_request", id="not ASCII"),
        pytest.param(_GRANT + b"&x=1" * 30, {}, "invalid_request", id="too many parameters"),
        pytest.param(
            _GRANT + b"&client_id=p&client_secret=s",
            _basic("p:s"),
            "invalid_request",
            id="credentials in two ways",
        ),
        pytest.param(
            _GRANT + b"&client_id=q", _basic("p:s"), "invalid_request", id="two clients at once"
        ),
    ],
)
async def test_a_malformed_request_says_what_is_wrong(
    body: bytes, headers: dict[str, str], error: str
) -> None:
    with pytest.raises(TokenRequestRefused) as refusal:
        await _read(body, **headers)

    assert refusal.value.status == 400
    assert refusal.value.members == {"error": error}


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", ""])
async def test_only_a_form_is_read(content_type: str) -> None:
    with pytest.raises(TokenRequestRefused):
        await _read(_GRANT + b"&client_id=p&client_secret=s", content_type)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(_GRANT, {}, id="none"),
        pytest.param(_GRANT + b"&client_id=p", {}, id="no secret"),
        pytest.param(_GRANT + b"&client_secret=s", {}, id="no id"),
        pytest.param(_GRANT, {"Authorization": "Bearer x"}, id="another scheme"),
        pytest.param(_GRANT, {"Authorization": "Basic"}, id="nothing in the header"),
        pytest.param(_GRANT, {"Authorization": "Basic ***"}, id="not base64"),
        pytest.param(_GRANT, {"Authorization": "Basic /w=="}, id="not UTF-8"),
        pytest.param(_GRANT, _basic("no colon"), id="no colon"),
        pytest.param(_GRANT, _basic("p:%ff"), id="not UTF-8 once decoded"),
    ],
)
async def test_a_request_without_credentials_is_told_which_scheme_to_use(
    body: bytes, headers: dict[str, str]
) -> None:
    with pytest.raises(ClientRefused) as refusal:
        await _read(body, **headers)

    assert refusal.value.status == 401
    assert refusal.value.members == {"error": "invalid_client"}
    assert refusal.value.headers["WWW-Authenticate"].startswith("Basic ")


_latin = st.text(st.characters(max_codepoint=255))


@given(
    st.binary(max_size=200) | st.just(_GRANT), st.none() | _latin | _latin.map("Basic {}".format)
)
async def test_garbage_is_refused_and_never_a_defect(
    body: bytes, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    with contextlib.suppress(TokenRequestRefused, ClientRefused):
        assert await _read(body, **headers)
