from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.calibration import limits_at
from inspector_gui.core.decision import decide
from inspector_gui.core.types import Limits, Outcome

NUMBERS = st.floats(-1e6, 1e6)
SEVERITY = {Outcome.PASS: 0, Outcome.UNSURE: 1, Outcome.FAIL: 2}


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    centre, unsure, fail = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    return Limits(centre, unsure, fail, centre, "r", "g")


def severity(score: float, limits: Limits) -> int:
    return SEVERITY[decide(score, limits).outcome]


@given(NUMBERS, NUMBERS, some_limits())
def test_a_higher_score_is_never_judged_better(a: float, b: float, limits: Limits) -> None:
    assert severity(min(a, b), limits) <= severity(max(a, b), limits)


@given(NUMBERS, st.floats(0, 1e3), NUMBERS, NUMBERS)
def test_a_higher_limit_never_judges_worse(centre: float, score: float, a: float, b: float) -> None:
    low = limits_at(centre, min(a, b), rule="r", gallery="g")
    high = limits_at(centre, max(a, b), rule="r", gallery="g")
    assert severity(score, high) <= severity(score, low)


@given(some_limits())
def test_a_part_exactly_at_the_limit_fails(limits: Limits) -> None:
    assert decide(limits.fail_from, limits).outcome is Outcome.FAIL


@given(some_limits(), NUMBERS)
def test_the_multiple_is_the_score_on_the_scale_of_the_limits(limits: Limits, score: float) -> None:
    assert decide(score, limits).multiple == limits.relative(score)


def test_between_the_two_limits_it_is_unsure() -> None:
    limits = Limits(0, 1, 2, 1, "r", "g")
    outcomes = [decide(score, limits).outcome for score in (0.99, 1, 1.99, 2)]
    assert outcomes == [Outcome.PASS, Outcome.UNSURE, Outcome.UNSURE, Outcome.FAIL]


def test_a_part_without_a_score_is_an_error_and_never_a_pass() -> None:
    decision = decide(None, Limits(0, 1, 2, 1, "r", "g"))
    assert (decision.outcome, decision.multiple) == (Outcome.ERROR, None)
