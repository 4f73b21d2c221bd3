"""What the latest answers say about the receiver, across rounds."""

from dataclasses import dataclass
from typing import Final

from swapshop_poller.contract import Outcome
from swapshop_poller.policy import Verdict

AWAYS_IN_A_ROW: Final = 5
"""So many aways without another answer between them make the receiver count as away."""


@dataclass(slots=True)
class ReceiverState:
    """Whether the receiver is worth a full batch, or only a probe."""

    aways: int = 0
    """Consecutive answers, or absences of one, that meant away."""
    is_misconfigured: bool = False

    def note(self, verdict: Verdict) -> None:
        """Take one attempt into account, in the order in which the attempts end."""
        if verdict.outcome is Outcome.AWAY:
            self.aways += 1
        else:
            self.aways = 0
            self.is_misconfigured = verdict.is_misconfiguration

    @property
    def is_away(self) -> bool:
        """Whether five attempts in a row found nobody."""
        return self.aways >= AWAYS_IN_A_ROW

    @property
    def needs_probe(self) -> bool:
        """Whether to send one delivery only, and wait."""
        return self.is_away or self.is_misconfigured
