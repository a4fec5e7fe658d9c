import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.sets.cleaning import (
    LEAST_FRACTION,
    PAPER_FRACTION,
    default_fraction,
    estimate,
    multiples,
    plan,
)

SCORES = st.dictionaries(st.text("0123456789abcdef", min_size=1), st.floats(0, 1e6), max_size=40)
FRACTIONS = st.floats(0.01, 0.99)


def with_bad_parts(count: int, bad: int) -> dict[str, float]:
    """Leave-one-out scores of good parts, and of some that lie far off."""
    values = np.random.default_rng(1).normal(10, 1, count)
    values[:bad] += 50
    return {f"{number:03d}": float(value) for number, value in enumerate(values)}


@given(SCORES, FRACTIONS)
def test_a_plan_parts_the_set_and_the_worst_go_first(
    scores: dict[str, float], fraction: float
) -> None:
    made = plan(scores, fraction)
    assert sorted([*made.dropped, *made.kept]) == sorted(scores)
    dropped = [scores[key] for key in made.dropped]
    assert dropped == sorted(dropped, reverse=True)
    if dropped:
        assert min(dropped) >= max(scores[key] for key in made.kept)


@given(SCORES, FRACTIONS)
def test_enough_references_always_stay(scores: dict[str, float], fraction: float) -> None:
    assert len(plan(scores, fraction).kept) >= min(len(scores), MIN_REFERENCES)


@given(SCORES, FRACTIONS)
def test_equal_scores_go_in_an_order_that_does_not_depend_on_the_set(
    scores: dict[str, float], fraction: float
) -> None:
    backwards = dict(reversed(list(scores.items())))
    assert plan(scores, fraction) == plan(backwards, fraction)


@pytest.mark.parametrize(("fraction", "count"), [(0.1, 10), (0.101, 11), (0.5, 50), (0.99, 95)])
def test_the_number_that_goes_is_rounded_up_and_cut(fraction: float, count: int) -> None:
    assert len(plan(with_bad_parts(100, 0), fraction).dropped) == count


@given(SCORES)
def test_the_proposed_fraction_exceeds_the_estimate_up_to_half(scores: dict[str, float]) -> None:
    proposed = default_fraction(scores)
    assert LEAST_FRACTION <= proposed <= PAPER_FRACTION
    assert proposed > min(estimate(scores), PAPER_FRACTION - 1e-9)


@pytest.mark.parametrize("bad", [0, 5, 10])
def test_bad_parts_that_lie_apart_are_counted_and_would_go(bad: int) -> None:
    scores = with_bad_parts(100, bad)
    assert estimate(scores) == pytest.approx(bad / 100)
    assert {f"{n:03d}" for n in range(bad)} <= set(plan(scores, default_fraction(scores)).dropped)


def test_the_same_picture_over_and_over_holds_no_suspect() -> None:
    assert estimate({str(n): 3.0 for n in range(9)}) == 0
    assert set(multiples({str(n): 0.0 for n in range(9)}).values()) == {0.0}


def test_too_few_scores_make_no_estimate_and_no_error() -> None:
    assert estimate({}) == estimate({"a": 1.0, "b": 99.0}) == 0
    assert multiples({}) == {}
    assert plan({}, 0.5).dropped == ()


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_a_fraction_that_makes_no_sense_is_refused_in_a_sentence(fraction: float) -> None:
    with pytest.raises(KnownError, match="above 0 and below 1"):
        plan(with_bad_parts(20, 0), fraction)


def test_a_score_that_is_no_number_is_refused_in_a_sentence() -> None:
    with pytest.raises(KnownError, match="has no score"):
        plan({"a": 1.0, "b": float("nan")}, 0.5)
