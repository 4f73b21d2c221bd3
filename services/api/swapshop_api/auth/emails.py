"""E-mail addresses: an ASCII local part at a domain in A-labels (RFC 5321, RFC 5890).

An address of another script cannot look like one that is stored (Unicode TR39 §4): before the @
it is refused, after it the A-label (``xn--…``) shows what it is.
"""

import re
from typing import Final, LiteralString

import idna

from swapshop_kit.text import to_nfc

MAX_EMAIL_BYTES: Final = 254
"""RFC 5321 §4.5.3.1.3, less the angle brackets."""

_ATOM: Final = r"[!#-'*+\-/-9=?A-Z^-~]+"
_LOCAL: Final = rf"{_ATOM}(?:\.{_ATOM})*"
_DOTS: Final = r".\u3002\uff0e\uff61"
_LABEL: Final = rf"[^\x00-,/:-@\[-`{{-\x7f{_DOTS}]+"

EMAIL_PATTERN: Final = rf"^\s*{_LOCAL}@{_LABEL}(?:[{_DOTS}]{_LABEL})+\s*$"
"""ECMA 262; every accepted address matches. Lengths and IDNA's rules refuse more."""

_is_email = re.compile(rf"{_LOCAL}@[a-z0-9-]+(?:\.[a-z0-9-]+)+").fullmatch


class EmailRefused(ValueError):
    """A text is not an e-mail address that an account can have.

    Args:
        code: of FIELD_TEXTS.
        reason: one clause without a subject.
    """

    def __init__(self, code: LiteralString, reason: LiteralString) -> None:
        super().__init__(f"the e-mail address {reason}")
        self.code: LiteralString = code
        self.reason: LiteralString = reason


def normalize_email(text: str) -> str:
    """Return the only form in which an address is stored, compared and counted.

    It is trimmed and in lower case, its domain in A-labels. The local part is in lower case too:
    RFC 5321 would let a server distinguish case; none does. Accepted are dot-atoms (RFC 5322
    §3.4.1) at a domain of two or more labels. Only a message would show whether an address
    exists, so nothing is looked up.

    Raises:
        EmailRefused: not an e-mail address, or not ASCII before the @.
    """
    local, _, domain = text.strip().rpartition("@")
    if not local.isascii():
        raise EmailRefused("email_not_ascii", "must be ASCII before the @")
    email = f"{local.lower()}@{_to_ascii(to_nfc(domain, MAX_EMAIL_BYTES))}"
    if len(email) > MAX_EMAIL_BYTES or len(local) > 64 or not _is_email(email):
        raise _invalid()
    return email


def _to_ascii(domain: str) -> str:
    if len(domain) > MAX_EMAIL_BYTES:  # before IDNA's rules, which take time for each character
        raise _invalid()
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode()
    except UnicodeError as error:
        raise _invalid() from error


def _invalid() -> EmailRefused:
    return EmailRefused("email_invalid", "is not valid")
