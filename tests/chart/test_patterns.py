"""The patterns of values.schema.json take what Kubernetes and the api take, and nothing else."""

import json
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from support.cluster.chart import CHART
from swapshop_api.auth.emails import EmailRefused, normalize_email

DEFINITIONS: Final[dict[str, Any]] = json.loads((CHART / "values.schema.json").read_text())[
    "definitions"
]


def is_valid(definition: str, text: str) -> bool:
    """Return whether a definition of the schema takes a text."""
    return Draft7Validator(DEFINITIONS[definition]).is_valid(text)  # pyright: ignore[reportUnknownMemberType] - its arguments are untyped


def is_email(text: str) -> bool:
    """Return whether the api accepts an e-mail and stores it as it is, but for its case."""
    try:
        return normalize_email(text) == text.lower()
    except EmailRefused:
        return False


@given(
    st.integers(0, 2**32 - 1).flatmap(
        lambda bits: st.integers(0, 32).map(lambda size: IPv4Network((bits, size), strict=False))
    )
    | st.integers(2**32 * 2**16, 2**128 - 1).flatmap(
        lambda bits: st.integers(0, 128).map(lambda size: IPv6Network((bits, size), strict=False))
    )
)
def test_every_network_is_one(network: IPv4Network | IPv6Network) -> None:
    assert is_valid("cidr", str(network))
    assert is_valid("cidr", network.exploded)


@given(st.from_regex(re.compile(r"[0-9]{1,4}(\.[0-9]{1,3}){3}/[0-9]{1,3}"), fullmatch=True))
def test_what_looks_like_a_network_is_one(text: str) -> None:
    try:
        ip_network(text, strict=False)
    except ValueError:
        assert not is_valid("cidr", text)


@pytest.mark.parametrize(
    "text",
    [
        "999.1.1.1/999", "10.0.0.0/33", "10.0.0/8", "256.0.0.0/8", "10.0.0.0", "/8", "db/32",
        "fd00::/129", "1:2:3/64", "12345::/16", ":::/0", "fd00::1::/64",
    ],
)  # fmt: skip
def test_no_network_is_refused(text: str) -> None:
    assert not is_valid("cidr", text)


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *", "17 3 * * *", "*/15 0-6 1,15 1-12/2 1-5", "0 0 31 2 *", "5/10 23 ? jan SUN",
        "00 09 01 12 mon-fri", "59 23 31 12 6",
    ],
)  # fmt: skip
def test_a_schedule_is_taken(text: str) -> None:
    assert is_valid("schedule", text)


@pytest.mark.parametrize(
    "text",
    [
        "a b c d e", "60 * * * *", "* 24 * * *", "* * 32 * *", "* * 0 * *", "* * * 13 *",
        "* * * * 7", "*/0 * * * *", "* * * *", "* * * * * *", "1,, * * * *", "1- * * * *", "",
    ],
)  # fmt: skip
def test_no_schedule_is_refused(text: str) -> None:
    assert not is_valid("schedule", text)


EMAILS: Final = st.from_regex(
    re.compile(r"[a-z!.\-_@ ]{0,8}@[a-zA-Z0-9.\-_]{0,12}"), fullmatch=True
)


@given(EMAILS | st.emails(domains=st.just("shop.example")))
def test_an_operators_e_mail_is_what_the_api_takes(text: str) -> None:
    assume("xn--" not in text.lower())  # a pattern cannot decode Punycode
    assert is_valid("email", text) == is_email(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("operator@example.com", True),
        ("operator@xn--jos-dma.example", True),
        ("operator@josé.example", False),
        ("òperator@example.com", False),
        ("!#$%&'*+-/=?^_`{|}~@example.com", True),
        ("x@a.b2.c-d.ef-g.a--b.ab-c-d", True),
        ("x@ab--c.example", False),
        ("x@y_z.example", False),
        ("o" * 64 + "@example.com", True),
        ("o" * 65 + "@example.com", False),
        ("operator@" + "a" * 64 + ".com", False),
        ("o@" + "a.bc" * 63 + ".com", False),
        ("x@y", False),
        ("x@-y.example", False),
        ("x@y_.example", False),
        ("a..b@example.com", False),
        ("a\x01@example.com", False),
    ],
)
def test_both_refuse_the_same(text: str, is_one: bool) -> None:
    assert (is_valid("email", text), is_email(text)) == (is_one, is_one)


def test_no_operator_is_no_mistake() -> None:
    assert is_valid("email", "")
