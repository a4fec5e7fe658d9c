import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.calibration import (
    BY_HAND,
    SPREADS,
    follows_suggestion,
    limits_at,
    suggest_limits,
)
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Limits

SCORES = st.lists(st.floats(1e-3, 1e4), min_size=2, max_size=60)
POSITIVE = st.floats(1e-3, 1e4)


def ordinary(count: int = 30, seed: int = 0) -> list[float]:
    """Leave-one-out scores as good parts have them."""
    return [float(s) for s in np.random.default_rng(seed).normal(10, 1, count)]


def fail_from(scores: list[float]) -> float:
    return suggest_limits(scores, gallery="g").fail_from


@given(SCORES)
def test_a_suggestion_lies_above_its_centre_and_in_order(scores: list[float]) -> None:
    limits = suggest_limits(scores, gallery="g")
    assert limits.centre == np.median(scores)
    assert limits.centre < limits.pixel < limits.fail_from
    assert limits.unsure_from == limits.fail_from
    assert limits.gallery == "g"
    assert str(len(scores)) in limits.rule


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_the_references_does_not_matter(scores: list[float], random: object) -> None:
    shuffled = list(scores)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert suggest_limits(shuffled, gallery="g") == suggest_limits(scores, gallery="g")


@given(SCORES, st.floats(0.01, 100))
def test_a_suggestion_scales_with_its_scores(scores: list[float], factor: float) -> None:
    scaled = fail_from([score * factor for score in scores])
    assert scaled == pytest.approx(fail_from(scores) * factor, rel=1e-9)


@given(st.floats(20, 1e9))
def test_a_single_outlier_hardly_moves_the_limit_however_far_out(outlier: float) -> None:
    scores = ordinary()
    before, after = fail_from(scores), fail_from([*scores, outlier])
    assert abs(after - before) < 0.2 * (before - float(np.median(scores)))


def test_a_duplicate_reference_hardly_moves_the_limit() -> None:
    scores = ordinary()
    # A picture that is there twice finds itself: both of the pair score 0.
    doubled = [0.0, 0.0, *scores[1:]]
    assert fail_from(doubled) == pytest.approx(fail_from(scores), rel=0.05)


def test_a_normal_distribution_gets_the_limit_the_rule_names() -> None:
    assert fail_from(ordinary(20_000)) == pytest.approx(10 + SPREADS, rel=0.01)


def test_the_same_picture_over_and_over_still_leaves_room_above_it() -> None:
    limits = suggest_limits([2.0] * 8, gallery="g")
    assert limits.fail_from == pytest.approx(2.0 * (1 + 0.05 * SPREADS))
    assert suggest_limits([0.0] * 8, gallery="g").fail_from > 0


@pytest.mark.parametrize("scores", [[], [1.0]])
def test_fewer_than_two_scores_are_refused_in_a_sentence(scores: list[float]) -> None:
    with pytest.raises(KnownError, match="at least two"):
        suggest_limits(scores, gallery="g")


@given(POSITIVE, POSITIVE, st.floats(-100, 100))
def test_multiples_and_raw_scores_are_inverse(centre: float, room: float, multiple: float) -> None:
    limits = limits_at(centre, centre + room, rule="r", gallery="g")
    score = limits.absolute(multiple)
    # Rounding of the scores, seen in multiples of the room between them.
    rounding = 1e-12 * max(centre / room, 1.0) + 1e-9
    assert limits.relative(score) == pytest.approx(multiple, rel=1e-9, abs=rounding)
    assert limits.absolute(limits.relative(score)) == pytest.approx(score, rel=1e-9, abs=1e-6)


@given(POSITIVE, POSITIVE)
def test_the_limit_is_one_and_an_ordinary_part_nought(centre: float, room: float) -> None:
    limits = limits_at(centre, centre + room, rule="r", gallery="g")
    assert limits.relative(limits.fail_from) == pytest.approx(1)
    assert limits.relative(centre) == 0


def test_only_limits_set_by_hand_do_not_follow_the_suggestion() -> None:
    suggested = suggest_limits(ordinary(), gallery="g")
    by_hand = limits_at(1, 2, rule=BY_HAND, gallery="g")
    assert follows_suggestion(None)
    assert follows_suggestion(suggested)
    assert not follows_suggestion(by_hand)
    assert not follows_suggestion(Limits(0, 1, 1, 1, f"{BY_HAND}, by Ann", "g"))
