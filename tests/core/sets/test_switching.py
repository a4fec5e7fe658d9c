import json
from dataclasses import replace

import pytest

from inspector_gui.core.calibration import limits_at, suggest_limits
from inspector_gui.core.decision import decide
from inspector_gui.core.errors import KnownError
from inspector_gui.core.sets.switching import Measured, Scored, Switch, switch

BEFORE, AFTER = Measured(0.02, "CPU (OpenVINO f32)"), Measured(0.01, "CPU (OpenVINO bf16)")
REFERENCES = [10.0, 11.0, 12.0, 13.0, 14.0]


def scored(*, factor: float, **others: tuple[float, float]) -> list[Scored]:
    """Return references whose scores are multiplied, and validation pictures as given."""
    found = [
        Scored(f"r{n}", f"reference {n}", "reference", score, score * factor)
        for n, score in enumerate(REFERENCES)
    ]
    return found + [Scored(n, n, "validation", *scores) for n, scores in others.items()]


def test_scores_that_all_grow_alike_change_no_decision_by_suggested_limits() -> None:
    parts = scored(factor=2.0, good=(12.0, 24.0), bad=(90.0, 180.0))
    found = switch(parts, among=5, before=BEFORE, after=AFTER)
    assert found.changed == ()
    assert found.counts == {"reference": 5, "validation": 2}
    assert found.decided == 7
    assert found.typical == found.largest == pytest.approx(1.0)
    assert found.agreement == pytest.approx(1.0)


def test_a_limit_set_by_hand_stays_and_what_it_decides_otherwise_is_named() -> None:
    hand = limits_at(12.0, 20.0, rule="set by hand", gallery="")
    parts = scored(factor=1.0, good=(15.0, 16.0), odd=(19.0, 21.0))
    found = switch(parts, among=5, before=BEFORE, after=AFTER, by_hand=hand)
    (one,) = found.changed
    assert (one.name, one.purpose, one.before, one.after) == ("odd", "validation", "pass", "fail")
    assert one.multiple_before == pytest.approx(7 / 8)
    assert one.multiple_after == pytest.approx(9 / 8)
    assert found.largest == pytest.approx(2 / 19)
    assert found.largest_of == "odd"
    assert found.typical == 0.0  # the references' scores, which are most, stay


def test_decisions_are_those_of_the_limits_that_each_scoring_suggests() -> None:
    limit = suggest_limits(REFERENCES, gallery="").fail_from
    near = (limit * 0.99, limit * 1.01)
    parts = scored(factor=1.0, near=near)
    found = switch(parts, among=5, before=BEFORE, after=AFTER)
    assert [one.name for one in found.changed] == ["near"]
    for score, outcome in zip(near, (found.changed[0].before, found.changed[0].after), strict=True):
        assert decide(score, suggest_limits(REFERENCES, gallery="")).outcome.value == outcome


def test_references_that_are_the_same_picture_have_no_relative_change() -> None:
    parts = [replace(one, before=0.0, after=0.0) for one in scored(factor=1.0)]
    found = switch(parts, among=5, before=BEFORE, after=AFTER)
    assert (found.typical, found.largest, found.largest_of, found.agreement) == (
        None,
        None,
        "",
        None,
    )


def test_scores_with_a_sign_change_by_a_share_of_the_way_to_the_limit() -> None:
    hand = limits_at(-0.5, 0.3, rule="set by hand", gallery="")
    parts = [
        Scored("a", "a", "reference", -0.6, -0.6),
        Scored("b", "b", "reference", -0.4, -0.4),
        Scored("c", "c", "bad", 0.0, 0.2),  # no relative change of a score has a meaning here
    ]
    found = switch(parts, among=2, before=BEFORE, after=AFTER, by_hand=hand)
    assert found.is_signed
    assert found.largest == pytest.approx(0.2 / 0.8)
    assert found.largest_of == "c"
    assert not switch(scored(factor=2.0), among=5, before=BEFORE, after=AFTER).is_signed


def test_a_comparison_survives_its_way_through_a_file() -> None:
    hand = limits_at(12.0, 20.0, rule="set by hand", gallery="")
    parts = scored(factor=1.0, odd=(19.0, 21.0))
    found = switch(parts, among=5, before=BEFORE, after=AFTER, by_hand=hand)
    assert Switch.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_one_reference_cannot_tell_a_limit() -> None:
    with pytest.raises(KnownError, match="at least two pictures"):
        switch(scored(factor=1.0)[:1], among=1, before=BEFORE, after=AFTER)
