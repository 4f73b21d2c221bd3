"""Turns of phrase that this project avoids, each with what to write instead."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of phrase to avoid.

    Args:
        pattern: regular expression; case counts, and a space matches any white space.
        instead: what to write.
        example: a text in which the pattern matches.
        opening: the pattern only counts at the start of a comment or docstring.
    """

    pattern: str
    instead: str
    example: str
    opening: bool = False

    @property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern.replace(" ", r"\s+"))


_BE: Final = r"(?:[Ii]s|[Aa]re|[Ww]as|[Ww]ere|be|been)"

TURNS: Final = (
    Turn(
        r"What (?![^.]*\?)", "name the thing: 'Resources that …'", "What a pod owns.", opening=True
    ),
    Turn(r"Of (?:one|an?|the|each) ", "begin with a verb", "Of one release.", opening=True),
    Turn(
        r"(?<!leave\s)(?<!leaves\s)(?<!left\s)(?<!let\s)\b[Aa]lone\b",
        "only, by itself",
        "shown in Grafana alone",
    ),
    Turn(r"\b[Aa]new\b", "again", "the migration runs anew"),
    Turn(
        r"\b(?:[Tt]ells?|[Tt]elling|told)\b(?! apart| them apart)",
        "report, say, show",
        "the log tells why",
    ),
    Turn(r"\b[Ss]tands?\b(?! for | in for |-)", "is", "keys stand in a file"),
    Turn(rf"\b{_BE} none\b", "say what is missing", "there is none to ask"),
    Turn(r"\bso (?:long|much|many|often) as\b", "as long as", "so long as it runs"),
    Turn(r"\b[Bb]eside\b", "next to, in addition to", "the exporter beside Redis"),
    Turn(r"\bof (?:its|their|our|your|one's|his|her) own\b", "its own X", "a user of its own"),
    Turn(r"\b[Ww]hoever\b", "anyone who", "whoever reads it"),
    Turn(r"\b(?:nobody|somebody|no one) else's\b", "another user's", "nobody else's order"),
    Turn(r"\b[Mm]end(?:s|ed|ing)?\b", "fix", "a retry mends it"),
    Turn(r"\b[Oo]ver when\b", "resolved when", "Over when the query is 0"),
    Turn(rf"\b{_BE} away\b", "is unavailable", "while Redis is away"),
    Turn(r"\bfor ever\b", "forever", "kept for ever"),
    Turn(
        r"\bmay (?:die|break|fail|vanish|hang|be (?:lost|late|old|missing|slow|gone))\b",
        "can, might",
        "each side may die",
    ),
)
