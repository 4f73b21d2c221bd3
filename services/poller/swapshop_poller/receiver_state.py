"""State of the receiver across rounds, from its latest answers."""

from dataclasses import dataclass
from typing import Final

from swapshop_poller.contract import Outcome
from swapshop_poller.policy import Verdict

AWAYS_IN_A_ROW: Final = 5
"""Consecutive attempts with the verdict away after which the receiver counts as away."""


@dataclass(slots=True)
class ReceiverState:
    """Whether to send the receiver a full batch or only a probe."""

    aways: int = 0
    """Consecutive attempts whose verdict was away."""
    is_misconfigured: bool = False

    def note(self, verdict: Verdict) -> None:
        """Record an attempt's verdict; call it in the order in which attempts end."""
        if verdict.outcome is Outcome.AWAY:
            self.aways += 1
        else:
            self.aways = 0
            self.is_misconfigured = verdict.is_misconfiguration

    @property
    def is_away(self) -> bool:
        """Whether the last five attempts found the receiver away."""
        return self.aways >= AWAYS_IN_A_ROW

    @property
    def needs_probe(self) -> bool:
        """Whether to send only one delivery and then wait."""
        return self.is_away or self.is_misconfigured
