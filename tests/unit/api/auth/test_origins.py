"""Origins: which page sent a request, and whether its cookie may travel without TLS."""

import pytest

from swapshop_api.auth.origins import Origins

_ORIGINS = Origins(["https://shop.example", "http://localhost:8080", "https://other.example:443"])


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ("https://shop.example", True),
        ("HTTPS://Shop.Example", True),
        ("https://shop.example:443", True),
        ("https://other.example", True),
        ("http://localhost:8080", True),
        ("http://shop.example", False),
        ("https://shop.example:8443", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example", False),
        ("http://localhost", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_own_or_foreign(origin: str, *, is_own: bool) -> None:
    assert _ORIGINS.is_own(origin) is is_own
    assert _ORIGINS.is_foreign(origin) is not is_own


def test_without_the_header_it_is_neither() -> None:
    assert not _ORIGINS.is_own(None)
    assert not _ORIGINS.is_foreign(None)


@pytest.mark.parametrize(
    ("origin", "host", "is_secure"),
    [
        pytest.param("https://shop.example", "localhost:8080", True, id="the Origin tells"),
        pytest.param("http://localhost:8080", "shop.example", False, id="plain http is listed"),
        pytest.param(None, "localhost:8080", False, id="else the Host"),
        pytest.param(None, "LOCALHOST:8080", False, id="in any case"),
        pytest.param(None, "shop.example", True, id="the Host of an https entry"),
        pytest.param(None, "unlisted.example", True, id="an unlisted Host"),
        pytest.param(None, None, True, id="nothing known"),
        pytest.param("http://evil.example", "unlisted.example", True, id="a foreign Origin"),
    ],
)
def test_a_cookie_is_secure_unless_its_entry_is_http(
    origin: str | None, host: str | None, *, is_secure: bool
) -> None:
    assert _ORIGINS.is_secure(origin, host) is is_secure


def test_https_wins_where_both_schemes_are_listed() -> None:
    both = Origins(["http://shop.example", "https://shop.example"])

    assert both.is_secure(None, "shop.example")
    assert not both.is_secure("http://shop.example", "shop.example")
