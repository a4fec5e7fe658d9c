import pytest

from inspector_gui.core.calibration import BY_HAND, suggest_limits
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import RGB, Outcome
from inspector_gui.session.session import Readiness
from inspector_gui.store.references import References
from tests.drawn import write_parts
from tests.session.desk import Desk, save_limits


def exclude_one(desk: Desk) -> None:
    """Leave out a reference and wait for the new leave-one-out scores."""
    before = len(desk.current.included)
    desk.session.references.set_included([desk.current.included[0].id], False)
    desk.until(lambda: len(desk.session.limits.reference_scores) == before - 1)
    desk.settle()


def judge_some(desk: Desk) -> None:
    folder = desk.folder.parent / "parts"
    write_parts(folder, range(40, 43))
    write_parts(folder, range(43, 46), defect="stain")
    desk.session.check([folder])
    desk.until(lambda: len(desk.rows) == 6)


def test_the_first_limits_are_the_suggestion_of_the_references(desk: Desk) -> None:
    current = desk.make_ready()
    limits = desk.session.limits
    assert set(limits.reference_scores) == {i.sha256 for i in current.images}
    scores = list(limits.reference_scores.values())
    expected = suggest_limits(scores, gallery=current.fingerprint)
    assert limits.saved is not None
    assert (limits.saved.fail_from, limits.saved.rule) == (expected.fail_from, expected.rule)
    assert limits.saved.id is not None
    assert not limits.is_stale


def test_limits_nobody_touched_follow_the_references(desk: Desk) -> None:
    desk.make_ready()
    limits = desk.session.limits
    before = limits.saved
    exclude_one(desk)
    assert limits.saved is not None
    assert limits.saved != before
    assert limits.saved.gallery == desk.current.fingerprint
    assert desk.is_now(Readiness.READY)


def test_limits_set_by_hand_stay_and_are_shown_as_stale(desk: Desk) -> None:
    desk.make_ready()
    limits = desk.session.limits
    assert limits.saved is not None
    limits.preview(limits.saved.fail_from * 2)
    save_limits(limits, limits.shown)
    desk.settle()
    by_hand = limits.saved
    assert by_hand is not None
    assert by_hand.rule.startswith(BY_HAND)
    exclude_one(desk)
    assert limits.saved == by_hand
    assert limits.is_stale
    assert desk.is_now(Readiness.STALE)
    assert limits.suggestion is not None
    assert limits.suggestion.gallery == desk.current.fingerprint
    save_limits(limits, limits.suggestion)
    desk.settle()
    assert desk.is_now(Readiness.READY)
    exclude_one(desk)
    assert not limits.is_stale


def test_dragging_runs_no_network_and_saves_nothing(desk: Desk, extracted: list[RGB]) -> None:
    desk.make_ready()
    judge_some(desk)
    limits, history = desk.session.limits, desk.session.history
    saved, computed = limits.saved, len(extracted)
    assert saved is not None
    versions = desk.stored(lambda store: store.references.limits_history(desk.current.id))
    scores = [row.score for row in desk.rows if row.score is not None]
    official = [row.outcome for row in desk.rows]
    lowest = saved.centre * 1.01
    for fail_from in (saved.fail_from, lowest, sum(scores) / len(scores), max(scores) * 1.01):
        limits.preview(fail_from)
        assert limits.is_previewing
        for row in desk.rows:
            assert row.score is not None
            wanted = Outcome.FAIL if row.score >= fail_from else Outcome.PASS
            assert history.decision_of(row).outcome is wanted
    limits.preview(lowest)
    desk.settle()
    assert len(extracted) == computed
    assert limits.saved == saved
    assert desk.stored(lambda store: store.references.limits_history(desk.current.id)) == versions
    limits.drop_preview()
    assert [history.decision_of(row).outcome for row in desk.rows] == official


def test_saved_limits_count_from_the_next_part_and_rewrite_nothing(desk: Desk) -> None:
    desk.make_ready()
    judge_some(desk)
    limits, history = desk.session.limits, desk.session.history
    before = [(row.outcome, row.multiple) for row in desk.rows]
    assert Outcome.FAIL in {row.outcome for row in desk.rows}
    worst = max(row.score for row in desk.rows if row.score is not None)
    limits.preview(worst * 1.01)
    save_limits(limits, limits.shown)
    desk.settle()
    assert [(row.outcome, row.multiple) for row in desk.rows] == before
    assert {history.decision_of(row).outcome for row in desk.rows} == {Outcome.PASS}
    desk.session.check([desk.folder.parent / "parts"])
    desk.until(lambda: len(desk.rows) == 12)
    assert {row.outcome for row in desk.rows[6:]} == {Outcome.PASS}
    assert [row.score for row in desk.rows[6:]] == [row.score for row in desk.rows[:6]]


def test_limits_that_cannot_be_saved_do_not_look_saved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make_ready()
    limits = desk.session.limits
    before = limits.saved
    assert before is not None

    def refuse(*_: object) -> None:
        raise KnownError("The disk is full.")

    monkeypatch.setattr(References, "save_limits", refuse)
    limits.preview(before.fail_from * 3)
    save_limits(limits, limits.shown)
    desk.settle()
    assert limits.saved == before
    assert limits.shown == before
    assert desk.notices == ["The disk is full."]


def test_every_version_of_the_limits_is_kept(desk: Desk) -> None:
    desk.make_ready()
    limits = desk.session.limits
    assert limits.saved is not None
    first = limits.saved
    for factor in (2, 3):
        limits.preview(first.fail_from * factor)
        save_limits(limits, limits.shown)
    desk.settle()
    versions = desk.stored(lambda store: store.references.limits_history(desk.current.id))
    assert [v.fail_from for _, v in versions] == [first.fail_from * f for f in (3, 2, 1)]
