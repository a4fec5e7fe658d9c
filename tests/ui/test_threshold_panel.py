"""The threshold panel: dragging tries a limit out, releasing saves it."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider
from pytestqt.qtbot import QtBot

from inspector_gui.core.calibration import limits_at
from inspector_gui.core.decision import decide
from inspector_gui.core.types import Limits, Outcome
from inspector_gui.session import Session
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.threshold_panel import ThresholdPanel
from inspector_gui.ui.what_if import axis_range, bars, population, what_if
from tests.ui.parts import LIMITS, REFERENCE_SCORES, SCORING, SET, part, ready_session, row

SCORES = (1.2, 2.0, 2.8, 3.2, 4.0, 6.0)


@pytest.fixture
def session() -> Session:
    return ready_session([row(n + 1, score) for n, score in enumerate(SCORES)])


@pytest.fixture
def stack(qapp: QApplication) -> QUndoStack:
    return QUndoStack()


@pytest.fixture
def panel(
    session: Session, stack: QUndoStack, qtbot: QtBot, qapp: QApplication
) -> Iterator[ThresholdPanel]:
    theme = Theme(qapp)
    theme.apply(is_dark=True)
    panel = ThresholdPanel(session, Commands(session, stack), theme)
    qtbot.addWidget(panel)
    panel.resize(800, 200)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    panel.hide()


@pytest.mark.parametrize("width", [620, 800, 1301, 1900])
@pytest.mark.parametrize("multiple", [0.1, 1.0, 2.2])
@pytest.mark.parametrize("has_focus", [True, False])
def test_the_handle_stands_under_the_line(
    panel: ThresholdPanel, session: Session, qtbot: QtBot, width: int, multiple: float,
    has_focus: bool,
) -> None:  # fmt: skip
    panel.resize(width, 200)
    if has_focus:
        panel.limit.slider.setFocus()
    else:
        panel.limit.slider.clearFocus()
    session.limits.preview(LIMITS.absolute(multiple))
    QApplication.processEvents()
    dial = panel.limit
    line = dial.plot.x() + dial.plot.x_of(float(dial.plot.limit.value()))
    assert dial.plot.limit.value() == pytest.approx(multiple, abs=0.001)
    assert dial.handle_x() == pytest.approx(line, abs=2)


def test_dragging_previews_and_never_saves_and_release_saves_once(
    panel: ThresholdPanel, session: Session, stack: QUndoStack
) -> None:
    saved = session.limits.saved
    drag = SliderDrag(panel)
    for pixels in (5, 20, 40):
        drag.by(pixels)
        QApplication.processEvents()
        assert session.limits.is_previewing
        assert session.limits.saved is saved
        assert stack.count() == 0
    tried = session.limits.shown
    drag.release()
    assert not session.limits.is_previewing
    assert stack.count() == 1
    assert tried is not None
    assert session.limits.saved is not None
    assert session.limits.saved.fail_from == pytest.approx(tried.fail_from)
    assert tried.fail_from > LIMITS.fail_from
    stack.undo()
    assert session.limits.saved.fail_from == LIMITS.fail_from


def test_the_axis_stays_while_dragging_and_is_that_of_the_new_limit_afterwards(
    panel: ThresholdPanel, session: Session
) -> None:
    plot = panel.limit.plot
    drag = SliderDrag(panel)
    before = plot.x_of(1.0)
    drag.by(40)
    QApplication.processEvents()
    assert plot.x_of(1.0) == pytest.approx(before, abs=0.5)
    assert plot.limit.value() > 1.05
    drag.release()
    assert plot.limit.value() == pytest.approx(1.0, abs=1e-6)


def test_escape_while_dragging_goes_back_and_release_saves_nothing(
    panel: ThresholdPanel, session: Session, stack: QUndoStack, qtbot: QtBot
) -> None:
    drag = SliderDrag(panel)
    drag.by(60)
    QApplication.processEvents()
    QTest.keyClick(panel.limit.slider, Qt.Key.Key_Escape)
    assert not session.limits.is_previewing
    assert panel.limit.plot.limit.value() == pytest.approx(1.0)
    drag.by(80)
    QApplication.processEvents()
    assert not session.limits.is_previewing
    drag.release()
    assert stack.count() == 0
    assert panel.limit.slider.value() == 1000


def test_the_line_can_be_dragged_too(
    panel: ThresholdPanel, session: Session, stack: QUndoStack
) -> None:
    line = panel.limit.plot.limit
    line.moving = True
    line.setValue(1.5)
    line.sigDragged.emit(line)
    QApplication.processEvents()
    assert session.limits.shown is not None
    assert session.limits.shown.fail_from == pytest.approx(LIMITS.absolute(1.5))
    assert panel.limit.slider.value() == 1500
    line.moving = False
    line.sigPositionChangeFinished.emit(line)
    assert stack.count() == 1


def test_arrow_keys_step_a_hundredth_and_save_when_no_key_follows(
    panel: ThresholdPanel, session: Session, stack: QUndoStack, qtbot: QtBot
) -> None:
    slider = panel.limit.slider
    QTest.keyClick(slider, Qt.Key.Key_Right)
    QTest.keyClick(slider, Qt.Key.Key_Right)
    QTest.keyClick(slider, Qt.Key.Key_PageUp)
    QApplication.processEvents()
    assert session.limits.shown is not None
    assert LIMITS.relative(session.limits.shown.fail_from) == pytest.approx(1.12)
    assert stack.count() == 0
    qtbot.waitUntil(lambda: stack.count() == 1, timeout=3000)
    assert session.limits.saved is not None
    assert LIMITS.relative(session.limits.saved.fail_from) == pytest.approx(1.12)


def test_the_limit_cannot_reach_an_ordinary_good_part(
    panel: ThresholdPanel, session: Session
) -> None:
    panel.limit.slider.setValue(panel.limit.slider.minimum())
    QApplication.processEvents()
    assert session.limits.shown is not None
    assert LIMITS.relative(session.limits.shown.fail_from) == pytest.approx(0.05)


def test_the_table_counts_flagged_parts_flips_and_references(
    panel: ThresholdPanel, session: Session
) -> None:
    assert panel.values["flagged"].text() == "3 of 6"
    assert panel.values["flips"].text() == "none"
    assert panel.values["references"].text() == "0 of 8"
    session.limits.preview(1.35)
    assert panel.values["flagged"].text() == "5 of 6"
    assert panel.values["flips"].text() == "2"
    assert panel.flipping.text() == "part3.png · part2.png"
    assert panel.values["references"].text() == "1 of 8"


def test_parts_of_another_scoring_and_unreadable_ones_do_not_count(session: Session) -> None:
    rows = [*session.history.rows, row(90, None, reason="damaged")]
    assert len(population(rows, SCORING.key, {}).parts) == 6
    assert len(population(rows, "another", {}).parts) == 0


def test_a_new_part_is_counted_soon(panel: ThresholdPanel, session: Session, qtbot: QtBot) -> None:
    session.history.follow(False)
    session.history.add(row(50, 9.0), None)
    qtbot.waitUntil(lambda: panel.values["flagged"].text() == "4 of 7", timeout=1000)


def test_the_open_part_is_marked_and_one_off_the_axis_tells_its_number(
    panel: ThresholdPanel, session: Session, qtbot: QtBot
) -> None:
    session.history.opened.emit(part(row(3, 4.0)))
    qtbot.waitUntil(panel.limit.plot.part.isVisible, timeout=1000)
    assert panel.limit.plot.part.value() == pytest.approx(1.5)
    session.history.opened.emit(part(row(3, 41.0)))
    qtbot.waitUntil(lambda: panel.limit.plot.part.value() != pytest.approx(1.5), timeout=1000)
    assert panel.limit.plot.part.value() < panel._ends[1]
    assert "20.0 ×" in panel.limit.plot.part.label.format
    session.history.opened.emit(None)
    qtbot.waitUntil(lambda: not panel.limit.plot.part.isVisible(), timeout=1000)


def test_a_stale_limit_is_said_and_the_suggestion_offered(
    panel: ThresholdPanel, session: Session, stack: QUndoStack
) -> None:
    stale = limits_at(1.0, 3.0, rule="set by hand", gallery="other references")
    session.limits.load(SET, stale, REFERENCE_SCORES)
    assert panel._rule.startswith("Stale")
    assert panel.remark.property("role") == "warn"
    assert panel.suggestion.isVisible()
    panel.suggestion.click()
    assert not session.limits.is_stale
    assert session.limits.saved is not None
    assert "median" in session.limits.saved.rule
    assert not panel.suggestion.isVisible()
    assert stack.count() == 1


def test_without_limits_a_sentence_says_what_they_wait_for(
    panel: ThresholdPanel, session: Session
) -> None:
    session.limits.load(SET, None, {})
    assert panel.sentence.isVisible()
    assert not panel.limit.isVisible()


def test_trying_a_limit_on_2000_parts_takes_a_few_milliseconds(qapp: QApplication) -> None:
    values = np.random.default_rng(0).normal(2, 1, 2000)
    found = population([row(n, float(v)) for n, v in enumerate(values)], SCORING.key, {})
    shown = limits_at(1.0, 2.0, rule="set by hand", gallery="")
    ends = axis_range(found, LIMITS)
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        what_if(found, LIMITS, shown)
        bars(found, LIMITS, shown, ends)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.008


@given(st.lists(st.floats(-5, 50), max_size=30), st.floats(1.01, 20))
def test_counts_agree_with_the_decision_function(scores: list[float], fail_from: float) -> None:
    shown: Limits = limits_at(1.0, fail_from, rule="set by hand", gallery="")
    rows = [row(n, score) for n, score in enumerate(scores)]
    found = population(rows, SCORING.key, {})
    result = what_if(found, LIMITS, shown)
    decided = [decide(score, shown).outcome for score in scores]
    before = [decide(score, LIMITS).outcome for score in scores]
    assert result.flagged == decided.count(Outcome.FAIL)
    assert len(result.flips) == sum(a is not b for a, b in zip(decided, before, strict=True))
    drawn = bars(found, LIMITS, shown, axis_range(found, LIMITS))
    assert drawn.flagged.sum() == result.flagged
    assert drawn.passed.sum() == len(scores) - result.flagged


class SliderDrag:
    """The mouse on the slider's handle."""

    def __init__(self, panel: ThresholdPanel) -> None:
        self._slider: QSlider = panel.limit.slider
        self._start = QPointF(panel.limit.handle_x() - self._slider.x(), self._slider.height() / 2)
        self._at = self._start
        self._send(QEvent.Type.MouseButtonPress, Qt.MouseButton.LeftButton)

    def by(self, pixels: int) -> None:
        self._at = self._start + QPointF(pixels, 0)
        self._send(QEvent.Type.MouseMove, Qt.MouseButton.NoButton)

    def release(self) -> None:
        self._send(QEvent.Type.MouseButtonRelease, Qt.MouseButton.LeftButton)

    def _send(self, kind: QEvent.Type, button: Qt.MouseButton) -> None:
        held = Qt.MouseButton.LeftButton
        if kind is QEvent.Type.MouseButtonRelease:
            held = Qt.MouseButton.NoButton
        where = QPointF(self._slider.mapToGlobal(self._at))
        modifiers = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(
            self._slider, QMouseEvent(kind, self._at, where, button, held, modifiers)
        )
