"""Ratios of two sides that were measured alternately, with confidence intervals."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

RESAMPLES: Final = 10_000
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Ratio:
    """The ratio of paired measurements.

    Args:
        median: median of the pairs' ratios.
        low: lower bound of the median, with 95 % confidence, by bootstrap.
        high: upper bound of the median, likewise.
        least: the smallest ratio of a pair.
        most: the largest ratio of a pair.
    """

    median: float
    low: float
    high: float
    least: float
    most: float

    def __str__(self) -> str:
        return (
            f"{self.median:.2f} (95 %: {self.low:.2f} to {self.high:.2f}; "
            f"single pairs: {self.least:.2f} to {self.most:.2f})"
        )


def alternation(first: str, second: str, runs: int) -> list[str]:
    """Return the sides as ABBA ABBA …, ``runs`` times each, so that a steady drift cancels out."""
    return [side for pair in range(runs) for side in ((first, second), (second, first))[pair % 2]]


def ratio_of(numerators: Sequence[float], denominators: Sequence[float]) -> Ratio:
    """Return the ratio of two sides whose n-th runs form a pair.

    Raises:
        ValueError: the sides differ in length or are empty, or a figure is not positive.
    """
    pairs = list(zip(numerators, denominators, strict=True))
    if not pairs or any(figure <= 0 for pair in pairs for figure in pair):
        raise ValueError("a ratio needs pairs of positive figures")
    ratios = [numerator / denominator for numerator, denominator in pairs]
    chance = random.Random(0)  # a fixed seed: the same figures give the same bounds
    medians = sorted(median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Ratio(median(ratios), medians[tail], medians[-tail - 1], min(ratios), max(ratios))
