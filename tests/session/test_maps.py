from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.decision import PASSED_BY_STAGE_1
from inspector_gui.core.types import InspectionRow, Outcome, Scoring
from tests.drawn import write_parts
from tests.session.desk import Desk

GATE = Scoring(size=96, gate=True, stage1_limit=1e9)
"""Everything passes."""


@pytest.fixture
def gated(desk: Desk) -> Desk:
    """A session whose sets let every part through by stage 1."""
    desk.session.references._default_scoring = lambda: GATE
    desk.make_ready()
    return desk


def judged(desk: Desk, folder: Path, *, defect: str | None = None) -> InspectionRow:
    count = len(desk.rows)
    desk.session.check(write_parts(folder / f"parts{count}", range(70, 71), defect=defect))
    desk.until(lambda: len(desk.rows) > count)
    return desk.rows[-1]


def test_a_part_that_stage_1_lets_through_has_its_map_when_it_is_opened(
    gated: Desk, tmp_path: Path
) -> None:
    row = judged(gated, tmp_path, defect="stain")
    assert (row.outcome, row.score, row.multiple) == (Outcome.PASS, None, None)
    assert row.reason == PASSED_BY_STAGE_1
    assert row.passed_stage1
    history = gated.session.history
    history.open(row.id)
    gated.until(lambda: history.part is not None and history.part.patches is not None)
    assert history.part is not None
    opened = history.part.patches
    assert opened is not None
    assert history.decision_of(history.part.row).outcome is Outcome.PASS
    gated.session.references.set_scoring(Scoring(size=96))
    gated.until_ready()
    whole = judged(gated, tmp_path, defect="stain")
    assert whole.score is not None
    assert history.decision_of(whole).outcome is Outcome.FAIL
    history.open(whole.id)
    gated.until(lambda: history.part is not None and history.part.row.id == whole.id)
    np.testing.assert_array_equal(history.part.patches, opened)
    assert history.decision_of(row).outcome is Outcome.PASS


def test_a_gate_does_not_change_limits_nor_make_them_stale(gated: Desk) -> None:
    limits, scores = gated.session.limits, dict(gated.session.limits.reference_scores)
    before = limits.saved
    assert before is not None
    gated.session.references.set_scoring(Scoring(size=96))
    gated.until_ready()
    assert limits.saved == before
    assert not limits.is_stale
    assert dict(limits.reference_scores) == scores


def test_a_part_that_passed_by_stage_1_is_stored_so_and_has_its_map_after_a_restart(
    gated: Desk, tmp_path: Path
) -> None:
    row = judged(gated, tmp_path)
    gated.settle()
    gated.restart()
    gated.until_ready()
    (again,) = gated.rows
    assert (again.passed_stage1, again.reason) == (True, PASSED_BY_STAGE_1)
    history = gated.session.history
    stored = gated.stored(lambda store: store.inspections.part(row.id))
    assert stored.patches is None
    history.open(row.id)
    gated.until(lambda: history.part is not None and history.part.patches is not None)
    assert not gated.notices
