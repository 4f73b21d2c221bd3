"""The rules of rotation, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_api.auth.rotation import (
    TokenState,
    Verdict,
    decode_token,
    encode_token,
    hash_of,
    judge,
    new_nonce,
    new_token,
    successor_of,
)

_NOW = datetime(2026, 7, 1, tzinfo=UTC)


def _token(*, used: float | None = None, voided: float | None = None) -> TokenState:
    """A token used and voided so many seconds ago."""
    return TokenState(
        used_at=None if used is None else _NOW - timedelta(seconds=used),
        nonce=None if used is None else b"n" * 32,
        voided_at=None if voided is None else _NOW - timedelta(seconds=voided),
        sibling_of=None,
        now=_NOW,
    )


@pytest.mark.parametrize(
    ("token", "successor", "verdict"),
    [
        pytest.param(_token(), None, Verdict.ROTATE, id="fresh"),
        pytest.param(_token(used=0), _token(), Verdict.REPEAT, id="answer lost just now"),
        pytest.param(_token(used=15), _token(), Verdict.REPEAT, id="answer lost 15 s ago"),
        pytest.param(_token(used=15.001), _token(), Verdict.SIBLING, id="answer lost longer ago"),
        pytest.param(_token(used=600), _token(), Verdict.SIBLING, id="answer lost 10 min ago"),
        pytest.param(_token(used=600.001), _token(), Verdict.REVOKE, id="kept and used later"),
        pytest.param(_token(used=86400), _token(), Verdict.REVOKE, id="a copy of yesterday"),
        pytest.param(_token(used=90), _token(used=0), Verdict.CONFLICT, id="other tab was faster"),
        pytest.param(_token(used=90), _token(used=15), Verdict.CONFLICT, id="by 15 s"),
        pytest.param(_token(used=90), _token(used=15.001), Verdict.REVOKE, id="stolen"),
        pytest.param(_token(used=-600), _token(), Verdict.REPEAT, id="the clock was put back"),
        pytest.param(
            _token(used=0), _token(used=-600), Verdict.CONFLICT, id="and the other tab was faster"
        ),
        pytest.param(
            _token(used=90), _token(used=9, voided=9), Verdict.CONFLICT, id="a sibling was faster"
        ),
        pytest.param(
            _token(used=90), _token(used=16, voided=16), Verdict.REVOKE, id="a sibling was used"
        ),
        pytest.param(_token(voided=0), None, Verdict.REVOKE, id="void"),
        pytest.param(_token(used=1, voided=0), _token(), Verdict.REVOKE, id="void and used"),
        pytest.param(_token(used=1), None, Verdict.REVOKE, id="successor unknown"),
    ],
)
def test_a_presented_token_is_judged(
    token: TokenState, successor: TokenState | None, verdict: Verdict
) -> None:
    assert judge(token, successor) is verdict


def test_a_successor_follows_from_token_and_nonce_together() -> None:
    token, nonce = new_token(), new_nonce()
    successor = successor_of(token, nonce)

    assert successor == successor_of(token, nonce)
    assert len({token, successor, successor_of(token, new_nonce())}) == 3
    assert successor != successor_of(hash_of(token), nonce), "the database alone leads nowhere"
    assert len(successor) == len(token) == 32


@given(st.binary(min_size=32, max_size=32))
def test_a_token_survives_its_text(token: bytes) -> None:
    assert decode_token(encode_token(token)) == token


@given(st.none() | st.text() | st.text("AQx-_=", min_size=43, max_size=43))
def test_other_text_is_no_token(text: str | None) -> None:
    token = decode_token(text)

    assert token is None or encode_token(token) == text
