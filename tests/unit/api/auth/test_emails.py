"""E-mail addresses have one form; none looks like another one."""

import re
import unicodedata

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from swapshop_api.auth.emails import EmailRefused, normalize_email
from swapshop_api.auth.schemas import Email

_emails: TypeAdapter[str] = TypeAdapter(Email)

_DOMAINS = st.lists(
    st.text(
        st.sampled_from("aAzñéß\u0430\u0435\u0628\u05e9\u4e2d0-\u200d\u0301\u00ad\ufb00\uff21"),
        min_size=1,
        max_size=8,
    ),
    max_size=4,
).map(".".join)
_LIKELY = st.builds("{}@{}".format, st.text(st.sampled_from("aA0.+é"), max_size=8), _DOMAINS)
_TYPED = st.text() | st.emails() | _LIKELY | st.emails(domains=_DOMAINS)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ana@example.com", "ana@example.com"),
        ("  Ana@Example.COM\n", "ana@example.com"),
        ("a.b+tag_x'%-@sub.example.co", "a.b+tag_x'%-@sub.example.co"),
        ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
        ("ana@España.example", "ana@xn--espaa-rta.example"),
        ("ana@espan\u0303a.example", "ana@xn--espaa-rta.example"),
        ("ana@XN--ESPAA-RTA.example", "ana@xn--espaa-rta.example"),
        ("ana@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45\u3002com", "ana@example.com"),
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("x@1.2", "x@1.2"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a@" + ".".join(["b" * 49] * 5), "a@" + ".".join(["b" * 49] * 5)),
        ("ab@" + ".".join(["b" * 49] * 5) + "cc", "ab@" + ".".join(["b" * 49] * 5) + "cc"),
    ],
)
def test_an_email_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert normalize_email(typed) == stored
    assert _emails.validate_python(typed) == stored


@pytest.mark.parametrize(
    ("latin", "look_alike"),
    [
        ("ana@example.com", "ana@ex\u0430mple.com"),
        ("ana@apple.com", "ana@\u0430\u0440\u0440\u04cf\u0435.com"),
        ("ana@example.com", "ana@ex\u0251mple.com"),
        ("ana@ejemplo.com", "ana@\u00e9jemplo.com"),
    ],
)
def test_a_domain_that_looks_like_another_shows_what_it_is(latin: str, look_alike: str) -> None:
    stored = normalize_email(look_alike)

    assert stored != normalize_email(latin)
    assert "@xn--" in stored


@pytest.mark.parametrize(
    "typed",
    [
        "b\u043ess@example.com",
        "\u0430na@example.com",
        "ñandú@españa.example",
        "jose\u0301@example.com",
        "\u212aate@example.com",
        "ana\u200b@example.com",
        "ana\u202e@example.com",
        "ana\u00a0x@example.com",
        "é" * 33 + "@example.com",
    ],
)
def test_an_email_is_ascii_before_the_at(typed: str) -> None:
    assert _refusal(typed) == "email_not_ascii"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ana",
        "\u043c\u0430\u043c\u0430",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@españa",
        "ana@@example.com",
        "ana@b@example.com",
        "ana\uff20example.com",
        "an a@example.com",
        "ana@exa mple.com",
        "ana@example..com",
        "ana@.example.com",
        "ana@example.com.",
        "ana@-example.com",
        "ana@example-.com",
        "ana@exam_ple.com",
        "ana@exam_ple-.com",
        "ana@ab--c.com",
        "ana@xn--a.com",
        "ana@xn--.com",
        "ana@xn--example-.com",
        "ana@xn--bcher-KVA8445foa.com",
        "ana@a\u2488com.example",
        "ana@\u0301a.example",
        "ana@\u05e9a.example",
        "ana@\U0001f600.example",
        "ana@\ud800.example",
        "ana@exam\x00ple.com",
        ".ana@example.com",
        "ana.@example.com",
        "a..na@example.com",
        '"ana"@example.com',
        "ana@[127.0.0.1]",
        "ana<x>@example.com",
        "ana\x00@example.com",
        "ana@" + "b" * 64 + ".com",
        "ana@" + "ñ" * 60 + ".com",
        "a" * 65 + "@example.com",
        "a" * 6 + "@" + ".".join(["b" * 49] * 5),
        "a@" + ".".join(["ñ" * 40] * 6),
        "a@" + "\u0301" * 2_000_000,
        "a@" + "b." * 1_000_000 + "com",
        "a@b" + "\u00ad" * 250 + ".com",
    ],
    ids=lambda typed: ascii(typed[:40]),
)
def test_what_is_no_email_is_refused(typed: str) -> None:
    assert _refusal(typed) == "email_invalid"


@given(_TYPED)
def test_an_accepted_email_is_its_own_form_and_fits_its_column(typed: str) -> None:
    try:
        email = normalize_email(typed)
    except EmailRefused:  # and nothing else
        return
    assert normalize_email(email) == email
    assert email.isascii()
    assert email == email.lower()
    assert email.isprintable()
    assert len(email) <= 254


@given(_TYPED)
@example("ana@España.example")
def test_spellings_of_one_email_are_one_account(typed: str) -> None:
    try:
        email = normalize_email(typed)
    except EmailRefused:
        return
    local, _, domain = email.rpartition("@")
    readable = f"{local}@{idna.decode(domain)}"
    for spelling in (
        readable,
        readable.upper(),
        unicodedata.normalize("NFD", readable),
        f" {email}\n",
    ):
        if "ß" not in readable:  # its capital is "SS", another domain
            assert normalize_email(spelling) == email


def test_a_long_domain_is_measured_in_its_normal_form() -> None:
    domain = "\u1ebf" * 50 + "." + "\u1ebf" * 50
    decomposed = unicodedata.normalize("NFD", domain)

    assert len(decomposed) > 254
    assert normalize_email(f"ana@{decomposed}") == normalize_email(f"ana@{domain}")


@given(_TYPED)
@example(" ana@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45\u3002com\n")
def test_an_accepted_email_has_the_documented_pattern(typed: str) -> None:
    schema = _emails.json_schema()
    try:
        _emails.validate_python(typed)
    except ValidationError:
        return
    assert re.search(schema["pattern"], typed)
    assert len(typed) <= schema["maxLength"]


def test_a_refusal_is_named_at_the_field() -> None:
    for typed, code in {"ana": "email_invalid", "\u0430na@example.com": "email_not_ascii"}.items():
        with pytest.raises(ValidationError) as refusal:
            _emails.validate_python(typed)
        assert [error["type"] for error in refusal.value.errors()] == [code]


@pytest.mark.parametrize(
    "typed",
    ["ana", "b\u043ess@example.com", "a na@example.com", "ana@example", "ana@a_b.com", "a@b@c.de"],
)
def test_the_documented_pattern_refuses_what_is_no_email(typed: str) -> None:
    assert not re.search(_emails.json_schema()["pattern"], typed)


def _refusal(typed: str) -> str:
    with pytest.raises(EmailRefused) as refusal:
        normalize_email(typed)
    return refusal.value.code
