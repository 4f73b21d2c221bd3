"""The attributes of the refresh and device cookies."""

from starlette.requests import Request
from starlette.responses import Response

from swapshop_api.auth.cookies import (
    clear_refresh_cookie,
    read_device_cookie,
    read_refresh_cookie,
    set_device_cookie,
    set_refresh_cookie,
)


def _attributes(response: Response) -> tuple[str, set[str]]:
    value, *attributes = response.headers["set-cookie"].split("; ")
    return value, {attribute.lower() for attribute in attributes}


def _request(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_over_https_only_the_server_reads_it_and_only_over_https() -> None:
    response = Response()
    set_refresh_cookie(response, "token", 60, secure=True)

    value, attributes = _attributes(response)
    assert value == "__Secure-swapshop_refresh=token"
    assert attributes == {"httponly", "secure", "samesite=strict", "path=/api/auth", "max-age=60"}


def test_over_http_it_has_another_name_and_is_not_secure() -> None:
    response = Response()
    set_refresh_cookie(response, "token", 60, secure=False)

    value, attributes = _attributes(response)
    assert value == "swapshop_refresh=token"
    assert attributes == {"httponly", "samesite=strict", "path=/api/auth", "max-age=60"}


def test_it_is_cleared_with_the_attributes_it_was_set_with() -> None:
    response = Response()
    clear_refresh_cookie(response, secure=True)

    value, attributes = _attributes(response)
    assert value == '__Secure-swapshop_refresh=""'
    assert {"httponly", "secure", "samesite=strict", "path=/api/auth", "max-age=0"} < attributes


def test_over_https_a_cookie_that_http_could_have_planted_is_not_read() -> None:
    request = _request("swapshop_refresh=planted; __Secure-swapshop_refresh=real")

    assert read_refresh_cookie(request, secure=True) == "real"
    assert read_refresh_cookie(request, secure=False) == "planted"
    assert read_refresh_cookie(_request("swapshop_refresh=planted"), secure=True) is None


def test_the_device_cookie_is_as_well_kept_and_outlives_the_session() -> None:
    response = Response()
    set_device_cookie(response, "device", secure=True)

    value, attributes = _attributes(response)
    assert value == "__Secure-swapshop_device=device"
    assert attributes == {
        "httponly",
        "secure",
        "samesite=strict",
        "path=/api/auth",
        "max-age=15552000",
    }
    request = _request("swapshop_device=planted; __Secure-swapshop_device=real")
    assert read_device_cookie(request, secure=True) == "real"
    assert read_device_cookie(request, secure=False) == "planted"
