"""Refuse new passwords that an attacker tries first: common ones and the account's own words.

NIST SP 800-63B §3.1.1.2 and ASVS 5 (6.2.4, 6.2.11) ask for both.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from zxcvbn_rs_py import zxcvbn

from swapshop_api.auth.passwords import Party, Passwords
from swapshop_kit.problems import FieldError, InvalidRequest

MIN_SCORE: Final = 3
"""zxcvbn's "safely unguessable": more than 10^8 guesses."""

MAX_SCORED_LENGTH: Final = 24
"""Characters that zxcvbn looks at: its time grows fast with the length (18 ms for the worst 24)."""

MIN_OTHER_LETTERS: Final = 8
"""Letters that a password with one of the account's words must have besides them."""

_MIN_WORD_LENGTH: Final = 3
_STORE: Final = "swapshop"


class GuessablePassword(Exception):
    """The operator's password is easy to guess."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"OPERATOR_PASSWORD is easy to guess ({code}): choose one that is neither common, nor"
            " repetitive, nor made of the operator's e-mail or the store's name"
        )


async def refuse_guessable(
    passwords: Passwords, party: Party, field: str, password: str, own: Iterable[str]
) -> None:
    """Refuse a new password that is easy to guess.

    Args:
        passwords: lend the place of a hash: both take a core for about as long.
        party: whose place in the queue it takes.
        field: of the request's body.
        password: as it was chosen.
        own: the account's name and e-mail.

    Raises:
        InvalidRequest: the password is easy to guess.
        PasswordQueueFull: too many passwords wait already.
    """
    code = await passwords.run(lambda: weakness(password, own), party)
    if code is not None:
        raise InvalidRequest(errors=[FieldError(field, code)])


def weakness(password: str, own: Iterable[str]) -> str | None:
    """Return the code of FIELD_TEXTS that says why a password is easy to guess, or None.

    Args:
        password: as it was chosen.
        own: the account's name and e-mail.
    """
    if _is_personal(_fold(password), _words([*own, _STORE])):
        return "password_personal"
    if int(zxcvbn(password[:MAX_SCORED_LENGTH]).score) < MIN_SCORE:
        return "password_guessable"
    return None


def _is_personal(password: str, words: set[str]) -> bool:
    rest = password
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != password and sum(map(str.isalpha, rest)) < MIN_OTHER_LETTERS


def _words(texts: Iterable[str]) -> set[str]:
    parts = {part for text in texts for part in re.findall(r"[^\W\d_]+", _fold(text))}
    return {part for part in parts if len(part) >= _MIN_WORD_LENGTH}


def _fold(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))
