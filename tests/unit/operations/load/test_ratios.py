"""How two sides that were measured by turns are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_operations.load.ratios import Ratio, alternation, ratio_of

FIGURES = st.floats(min_value=0.1, max_value=1e6)
PAIRS = st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=6)


def test_the_sides_alternate_so_that_neither_is_always_first() -> None:
    assert "".join(alternation("A", "B", 5)) == "ABBAABBAAB"


@given(st.integers(1, 40))
def test_a_steady_drift_favours_no_side(pairs_of_runs: int) -> None:
    order = alternation("A", "B", 2 * pairs_of_runs)
    places = {side: [place for place, it in enumerate(order) if it == side] for side in "AB"}
    assert sum(places["A"]) == sum(places["B"])


def test_the_ratio_is_the_median_of_the_pairs_and_tells_its_spread() -> None:
    ratio = ratio_of([30, 20, 50, 40, 31], [10, 10, 10, 10, 10])
    assert (ratio.median, ratio.least, ratio.most) == (3.1, 2.0, 5.0)
    # of 3125 equally likely resamples the median is 2 or 5 in 181 each: more than a fortieth
    assert (ratio.low, ratio.high) == (2.0, 5.0)


def test_many_runs_narrow_the_bounds() -> None:
    noise = [1.7, 1.9, 2.0, 2.1, 2.3]
    few = ratio_of(noise, [1.0] * 5)
    many = ratio_of(noise * 8, [1.0] * 40)
    assert many.median == few.median == 2.0
    assert many.high - many.low < (few.high - few.low) / 2


@given(PAIRS)
def test_the_bounds_enclose_the_median_and_lie_within_the_extremes(
    pairs: list[tuple[float, float]],
) -> None:
    ratio = ratio_of([a for a, _ in pairs], [b for _, b in pairs])
    assert ratio.least <= ratio.low <= ratio.median <= ratio.high <= ratio.most


@given(FIGURES, st.integers(1, 6))
def test_equal_sides_have_the_ratio_one_without_spread(figure: float, runs: int) -> None:
    assert ratio_of([figure] * runs, [figure] * runs) == Ratio(1, 1, 1, 1, 1)


@pytest.mark.parametrize(("on", "off"), [([], []), ([1.0], [0.0]), ([0.0], [1.0]), ([1.0], [])])
def test_figures_that_make_no_ratio_are_refused(on: list[float], off: list[float]) -> None:
    with pytest.raises(ValueError, match=r"positive|shorter"):
        ratio_of(on, off)
