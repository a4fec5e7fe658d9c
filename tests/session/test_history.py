from pathlib import Path

from inspector_gui.core.types import Outcome, Part, Scoring, Source, Verdict
from tests.drawn import picture, write_parts
from tests.session.desk import Desk, save_limits


def judge(desk: Desk, tmp_path: Path, count: int = 3) -> None:
    desk.make_ready()
    desk.session.check(write_parts(tmp_path / "parts", range(40, 40 + count)))
    desk.until(lambda: len(desk.rows) == count)


def test_a_verdict_stands_beside_the_decision_and_supersedes_the_one_before(
    desk: Desk, tmp_path: Path
) -> None:
    judge(desk, tmp_path)
    history, row = desk.session.history, desk.rows[1]
    for verdict in (Verdict.REJECT, Verdict.UNSURE, Verdict.NONE, Verdict.ACCEPT):
        history.set_verdicts([(row.id, verdict)])
        desk.settle()
        changed = history.row(row.id)
        assert changed is not None
        assert changed.verdict is verdict
        assert (changed.outcome, changed.score) == (row.outcome, row.score)

    def count(store: object) -> int:
        from sqlalchemy import func, select

        from inspector_gui.store.schema import VerdictRecord
        from inspector_gui.workers.recorder import Store

        assert isinstance(store, Store)
        with store.workspace.session() as session:
            return session.scalar(select(func.count()).select_from(VerdictRecord)) or 0

    assert desk.stored(count) == 4


def test_verdicts_on_several_parts_can_be_taken_back_one_by_one(desk: Desk, tmp_path: Path) -> None:
    judge(desk, tmp_path)
    history, ids = desk.session.history, [row.id for row in desk.rows]
    history.set_verdicts([(ids[0], Verdict.ACCEPT), (ids[1], Verdict.REJECT)])
    history.set_verdicts([(ids[1], Verdict.NONE), (12345, Verdict.REJECT)])
    desk.settle()
    assert [row.verdict for row in desk.rows] == [Verdict.ACCEPT, Verdict.NONE, Verdict.NONE]


def test_the_view_follows_the_newest_part_until_told_to_stay(desk: Desk, tmp_path: Path) -> None:
    judge(desk, tmp_path, 2)
    history = desk.session.history
    opened: list[Part | None] = []
    history.opened.connect(opened.append)
    desk.until(lambda: history.part and history.part.row.id == desk.rows[-1].id)
    assert history.part is not None
    history.follow(False)
    history.open(desk.rows[0].id)
    desk.session.check(write_parts(tmp_path / "more", range(60, 62)))
    desk.until(lambda: len(desk.rows) == 4)
    assert history.part.row.id == desk.rows[0].id
    history.follow(True)
    desk.until(lambda: history.part and history.part.row.id == desk.rows[-1].id)


def test_an_old_part_is_opened_from_the_workspace_with_its_very_picture(
    desk: Desk, tmp_path: Path
) -> None:
    judge(desk, tmp_path, 12)
    history = desk.session.history
    history.follow(False)
    history.open(desk.rows[0].id)
    desk.until(lambda: history.part and history.part.row.id == desk.rows[0].id)
    part = history.part
    assert part is not None
    assert part.image is not None
    assert (part.image == picture(40)).all()
    assert set(part.nearest) <= {i.sha256 for i in desk.current.images}


def test_another_set_has_rows_of_its_own(desk: Desk, tmp_path: Path) -> None:
    judge(desk, tmp_path)
    first, names = desk.current.id, desk.names
    desk.session.references.create("Other")
    desk.settle()
    assert desk.rows == ()
    assert desk.session.history.part is None
    desk.session.references.select(first)
    desk.settle()
    assert desk.names == names


def test_a_set_that_changes_while_it_is_being_opened_still_shows_its_rows(
    desk: Desk, tmp_path: Path
) -> None:
    judge(desk, tmp_path)
    first, names = desk.current, desk.names
    references = desk.session.references
    references.create("Other")
    desk.settle()
    references.select(first.id)
    references.set_included([first.images[0].id], False)
    desk.until(lambda: len(desk.current.included) == len(first.included) - 1)
    desk.settle()
    assert desk.names == names


def test_parts_scored_in_another_way_keep_the_decision_of_their_time(
    desk: Desk, tmp_path: Path
) -> None:
    judge(desk, tmp_path, 1)
    row = desk.rows[0]
    desk.session.references.set_scoring(Scoring(method="dn2", k=2, size=64))
    desk.until(lambda: desk.current.scoring.size == 64)
    desk.until_ready()
    desk.session.limits.preview(1e-9)
    assert desk.session.history.decision_of(row).outcome is row.outcome
    assert desk.session.history.decision_of(row).multiple == row.multiple


def test_after_a_restart_everything_is_there_and_nothing_is_computed_again(
    desk: Desk, tmp_path: Path, extracted: list[object]
) -> None:
    judge(desk, tmp_path)
    session = desk.session
    session.limits.preview(session.limits.saved.fail_from * 2 if session.limits.saved else 1)
    save_limits(session.limits, session.limits.shown)
    session.references.set_included([desk.current.images[0].id], False, "worn")
    desk.until(lambda: len(session.limits.reference_scores) == 7)
    session.feeds.check_picture(picture(40), "by seven")
    desk.until(lambda: len(desk.rows) == 4)
    session.history.set_verdicts([(desk.rows[0].id, Verdict.REJECT)])
    desk.settle()
    before = (desk.current, session.limits.saved, dict(session.limits.reference_scores))
    rows = [(r.id, r.name, r.score, r.outcome, r.multiple, r.verdict) for r in desk.rows]
    computed = len(extracted)
    desk.restart()
    session = desk.session
    desk.settle()
    assert (desk.current, session.limits.saved, dict(session.limits.reference_scores)) == before
    assert [(r.id, r.name, r.score, r.outcome, r.multiple, r.verdict) for r in desk.rows] == rows
    assert session.limits.is_stale
    session.feeds.check_picture(picture(40), "again")
    desk.until(lambda: len(desk.rows) == 5)
    assert desk.rows[-1].score == rows[3][2]
    assert len(extracted) == computed + 1


def test_a_pasted_picture_is_a_row_marked_as_ad_hoc(desk: Desk) -> None:
    desk.make_ready()
    desk.session.feeds.check_picture(picture(50), "pasted")
    desk.until(lambda: desk.rows)
    row = desk.rows[0]
    assert (row.name, row.source) == ("pasted", Source.AD_HOC)
    assert row.outcome in (Outcome.PASS, Outcome.FAIL)
