"""New passwords that are easy to guess are refused, and phrases are not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_api.auth.password_rules import weakness
from swapshop_kit.problem_texts import FIELD_TEXTS

_ANA = ("Ana María Núñez", "ana.m@example.com")


@pytest.mark.parametrize(
    "password",
    [
        "123456789012",
        "password1234",
        "qwertyuiop12",
        "aaaaaaaaaaaa",
        "Password123!",
        "1q2w3e4r5t6y",
        "iloveyou1234",
        "abcabcabcabc",
        "barcelona2024",
        " " * 12,
        "a" * 128,
        "ñ" * 128,
    ],
)
def test_a_common_password_a_sequence_or_a_repetition_is_refused(password: str) -> None:
    assert weakness(password, _ANA) == "password_guessable"


@pytest.mark.parametrize(
    "password",
    [
        "swapshop1234",
        "SwapShop-swapshop",
        "tienda-swapshop-2026",
        "Ana.Example.2024",
        "ana.m@example.com",
        "MaríaNúñez1985",
        "maria*nunez*1985",
        "MARI\u0301A NU\u0301N\u0303EZ",
    ],
)
def test_a_password_of_the_accounts_own_words_is_refused(password: str) -> None:
    assert weakness(password, _ANA) == "password_personal"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "another battery staple",
        "otra frase corta",
        "a-long-enough-password",
        "ana come tarta de nata",
        "swapshop vende zapatos rojos",
        "una mañana en la montaña",
        "今日は天気がとても良いですね散歩",
        "kV8#qz!Lw2@x",
    ],
)
def test_a_phrase_is_accepted_even_with_a_word_of_the_account(password: str) -> None:
    assert weakness(password, _ANA) is None


@pytest.mark.parametrize("own", [_ANA, ("Operador", "operator@shop.example"), ("a", "b@c.de")])
@given(password=st.text(string.ascii_letters + string.digits, min_size=40, max_size=40))
def test_what_makes_a_password_easy_has_a_text(own: tuple[str, ...], password: str) -> None:
    code = weakness(password, own)

    assert code is None or code in FIELD_TEXTS


def test_a_password_that_the_chart_makes_is_accepted() -> None:
    """``randAlphaNum 40``; three of them, from a real installation."""
    for password in (
        "Rm3Z0nqT7xWc5uVbE1yJk8LdPaHsGf2oQ9iNwXtC",
        "4tG7uXhZk2QbN9sYcV1mRwJf6LpDaE3oKxTi8BvU",
        "zW5kPq8RtY2nXc7VbM4aSd1FgHj3LuIo6EeQw9Zx",
    ):
        assert weakness(password, ("Operador", "operator@shop.example")) is None
