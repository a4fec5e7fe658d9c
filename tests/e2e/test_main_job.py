"""The main job in the real program: references by drop, a folder as feed, limit, restart."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from inspector_gui.core.types import Outcome, Source, Verdict
from inspector_gui.feed.folder import FolderSource
from inspector_gui.session.session import Readiness
from inspector_gui.ui.main_window import MainWindow
from inspector_gui.workers.feed_worker import FeedState
from tests.e2e.driver import Step, drop, run_program


@pytest.mark.slow
def test_hazelnuts_are_learnt_by_drop_judged_from_a_folder_and_found_again_after_a_restart(
    qtbot: QtBot, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photographs / "hazelnut_toy"
    incoming = tmp_path / "incoming"
    shutil.copytree(data / "test", incoming)
    (incoming / "good" / "notes.png").write_text("not a picture")
    remembered: dict[str, object] = {}

    def first_day(window: MainWindow) -> Generator[Step, None, None]:
        session = window._session
        history = session.history
        yield lambda: session.workspace is not None
        assert session.readiness is Readiness.NO_SET
        drop(window.references, [data / "train" / "good"])
        yield lambda: session.readiness is Readiness.READY
        current = session.references.current
        assert current is not None
        assert len(current.included) == 28
        assert len(session.limits.reference_scores) == 28
        session.start_feed(FolderSource(incoming))
        yield lambda: len(history.rows) == 24
        rows = {row.name: row for row in history.rows}
        coloured = [row for name, row in rows.items() if name.startswith("colour")]
        assert len(coloured) == 17
        assert all(row.outcome is Outcome.FAIL for row in coloured)
        assert rows["good/notes.png"].outcome is Outcome.ERROR
        assert "not a picture" in rows["good/notes.png"].reason
        goods = [r for r in rows.values() if r.name.startswith("good") and r.score is not None]
        assert [r.outcome for r in goods].count(Outcome.PASS) >= 5
        session.feeds.stop()
        yield lambda: session.feeds.state is FeedState.STOPPED

        # Moving the slider re-judges everything shown; letting go saves.
        inspections = len(history.rows)
        slider = window.threshold.limit.slider
        slider.setFocus()
        slider.setSliderDown(True)
        slider.setValue(slider.maximum())
        yield lambda: session.limits.is_previewing
        flipped = [r for r in coloured if history.decision_of(r).outcome is Outcome.PASS]
        assert flipped, "no decision flips at the end of the slider"
        assert all(r.outcome is Outcome.FAIL for r in flipped)
        slider.setSliderDown(False)
        yield lambda: not session.limits.is_previewing
        assert session.limits.saved is not None
        assert session.limits.saved.rule.startswith("set by hand")
        assert len(history.rows) == inspections
        window.undo_stack.undo()
        yield lambda: history.decision_of(coloured[0]).outcome is Outcome.FAIL

        # A verdict by key stands beside the decision; an ad hoc check is marked as one.
        history.open(coloured[0].id)
        yield lambda: history.part is not None and history.part.row.id == coloured[0].id
        QTest.keyClick(window, Qt.Key.Key_R)
        yield lambda: _verdict(window, coloured[0].id) is Verdict.REJECT
        drop(window.heatmap, [data / "test" / "colour" / "00.jpg"])
        yield lambda: any(r.source is Source.AD_HOC for r in history.rows)
        twin = next(r for r in history.rows if r.source is Source.AD_HOC)
        assert twin.score == rows["colour/00.jpg"].score
        yield lambda: session.limits.saved is not None and session.limits.saved.id is not None
        remembered.update(
            limit=session.limits.saved.fail_from,
            scores={row.name: row.score for row in history.rows},
            rejected=coloured[0].id,
            scored=dict(session.limits.reference_scores),
        )

    def second_day(window: MainWindow) -> Generator[Step, None, None]:
        session = window._session
        monkeypatch.setattr(
            "inspector_gui.store.features_cache.FeatureStore.append",
            lambda *_: pytest.fail("a feature was computed again"),
        )
        yield lambda: session.readiness is Readiness.READY
        history = session.history
        assert {row.name: row.score for row in history.rows} == remembered["scores"]
        assert session.limits.saved is not None
        assert session.limits.saved.fail_from == remembered["limit"]
        assert dict(session.limits.reference_scores) == remembered["scored"]
        rejected = int(str(remembered["rejected"]))
        assert _verdict(window, rejected) is Verdict.REJECT
        history.open(rejected)
        yield lambda: history.part is not None and history.part.row.id == rejected
        assert history.part is not None
        assert history.part.image is not None
        assert history.part.patches is not None

    run_program([], first_day, monkeypatch)
    run_program([], second_day, monkeypatch)


def _verdict(window: MainWindow, row_id: int) -> Verdict:
    row = window._session.history.row(row_id)
    assert row is not None
    return row.verdict
