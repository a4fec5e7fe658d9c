import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from inspector_gui.core.types import InspectionRow, Outcome, Source, Verdict
from inspector_gui.ui.review_model import Queue
from inspector_gui.ui.review_panel import ReviewPanel
from tests.ui.workplace import LIMITS, Workplace, picture, workplace


@pytest.fixture
def place(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Workplace]:
    with workplace(qtbot, qapp, tmp_path / "workspace") as place:
        place.create_set()
        place.session.limits.save(LIMITS)
        place.session.history.follow(False)
        yield place


@pytest.fixture
def panel(place: Workplace, qtbot: QtBot) -> ReviewPanel:
    panel = ReviewPanel(place.session, place.commands, place.theme)
    qtbot.addWidget(panel)
    panel.resize(290, 520)
    panel.show()
    return panel


def open_id(place: Workplace) -> int | None:
    part = place.session.history.part
    return None if part is None else part.row.id


def verdict_of(place: Workplace, row_id: int) -> Verdict:
    row = place.session.history.row(row_id)
    assert row is not None
    return row.verdict


def stored_row(place: Workplace, row_id: int) -> InspectionRow:
    rows: tuple[InspectionRow, ...] = place.stored(lambda store: store.inspections.rows())
    return next(row for row in rows if row.id == row_id)


def many_rows(place: Workplace, count: int) -> list[InspectionRow]:
    template = InspectionRow(
        id=0, name="", source=Source.FOLDER, captured_at=0.0, judged_at=0.0,
        set_id=place.current.id, outcome=Outcome.PASS, reason="", score=0.0, multiple=0.0,
        scoring_key=place.current.scoring.key, thumbnail=picture(1),
    )  # fmt: skip
    return [
        replace(template, id=n + 1, name=f"part{n}.png", score=(n * 37 % 200) / 100)
        for n in range(count)
    ]


def test_flagged_parts_stand_worst_first_and_all_newest_first(
    place: Workplace, panel: ReviewPanel
) -> None:
    a, b, c, d, e = place.inspect(0.2, 1.3, 0.9, 1.8, None)
    assert panel.model.ids == [d, b, c]
    assert [panel.model.counts[q] for q in Queue] == [3, 3, 5, 1]
    assert panel.chips[Queue.FLAGGED].text() == "Flagged\n3"
    assert panel.remark.text() == "3 to review"
    panel.chips[Queue.ALL].click()
    assert panel.model.ids == [e, d, c, b, a]
    panel.chips[Queue.ERRORS].click()
    assert panel.model.ids == [e]
    panel.chips[Queue.UNREVIEWED].click()
    assert panel.model.ids == [d, c, b]


def test_arrows_open_parts_and_never_judge(place: Workplace, panel: ReviewPanel) -> None:
    worst, middle, least = sorted(place.inspect(1.8, 1.4, 1.1))
    place.session.history.follow(True)
    panel.list.setCurrentIndex(panel.model.index(0))
    place.until(lambda: open_id(place) == worst)
    assert not place.session.history.follows
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    place.until(lambda: open_id(place) == middle)
    panel.next_part()
    place.until(lambda: open_id(place) == least)
    panel.next_part()
    panel.previous_part()
    place.until(lambda: open_id(place) == middle)
    assert panel.selected_ids() == (middle,)
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_End):
        QTest.keyClick(panel.list, key)
    assert place.stack.count() == 0
    assert all(row.verdict is Verdict.NONE for row in place.session.history.rows)


@pytest.mark.parametrize("way", ["key", "button"])
def test_a_verdict_is_stored_beside_the_decision_and_undone(
    place: Workplace, panel: ReviewPanel, way: str
) -> None:
    (part,) = place.inspect(1.5)
    assert not panel.buttons[Verdict.ACCEPT].isEnabled()
    QTest.mouseClick(
        panel.list.viewport(), Qt.MouseButton.LeftButton,
        pos=panel.list.visualRect(panel.model.index(0)).center(),
    )  # fmt: skip
    place.until(lambda: open_id(place) == part)
    assert panel.buttons[Verdict.ACCEPT].isEnabled()
    if way == "key":
        QTest.keyClick(panel.list, Qt.Key.Key_A)
    else:
        QTest.mouseClick(panel.buttons[Verdict.ACCEPT], Qt.MouseButton.LeftButton)
    place.until(lambda: verdict_of(place, part) is Verdict.ACCEPT)
    row = stored_row(place, part)
    assert (row.verdict, row.outcome) == (Verdict.ACCEPT, Outcome.FAIL)
    assert panel.buttons[Verdict.ACCEPT].text() == "✓ Accept A"
    assert panel.buttons[Verdict.REJECT].text() == "Reject  R"
    assert panel.remark.text() == ""
    place.stack.undo()
    place.until(lambda: verdict_of(place, part) is Verdict.NONE)
    assert stored_row(place, part).verdict is Verdict.NONE
    assert panel.buttons[Verdict.ACCEPT].text() == "Accept  A"
    assert panel.remark.text() == "1 to review"


def test_several_selected_parts_are_judged_together(place: Workplace, panel: ReviewPanel) -> None:
    parts = place.inspect(1.8, 1.4, 1.1)
    panel.list.setCurrentIndex(panel.model.index(0))
    QTest.keyClick(panel.list, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert panel.selected_ids() == tuple(parts)
    panel.judge(Verdict.REJECT)
    place.until(lambda: all(verdict_of(place, i) is Verdict.REJECT for i in parts))
    place.stack.undo()
    place.until(lambda: all(verdict_of(place, i) is Verdict.NONE for i in parts))


def test_a_judged_part_stays_under_the_keys_until_another_is_opened(
    place: Workplace, panel: ReviewPanel
) -> None:
    first, second, third = place.inspect(1.5, 1.6, 1.7)
    panel.show_queue(Queue.UNREVIEWED)
    panel.next_unreviewed()
    place.until(lambda: open_id(place) == third)
    panel.judge(Verdict.ACCEPT)
    place.until(lambda: verdict_of(place, third) is Verdict.ACCEPT)
    assert panel.model.ids == [third, second, first]
    assert panel.selected_ids() == (third,)
    panel.next_unreviewed()
    place.until(lambda: open_id(place) == second)
    assert panel.model.ids == [second, first]
    assert panel.selected_ids() == (second,)


def test_next_unreviewed_finds_parts_that_are_not_listed_and_says_when_there_are_none(
    place: Workplace, panel: ReviewPanel
) -> None:
    flagged, _ = place.inspect(1.5, None)
    panel.show_queue(Queue.ERRORS)
    panel.next_unreviewed()
    place.until(lambda: open_id(place) == flagged)
    assert panel.selected_ids() == (flagged,)
    panel.judge(Verdict.UNSURE)
    place.until(lambda: verdict_of(place, flagged) is Verdict.UNSURE)
    panel.next_unreviewed()
    assert place.notices == ["No part waits for a verdict."]


def test_the_list_follows_what_is_opened_elsewhere_without_opening_it_again(
    place: Workplace, panel: ReviewPanel
) -> None:
    a, b = place.inspect(1.5, 1.6)
    opened: list[object] = []
    place.session.history.opened.connect(opened.append)
    place.session.history.open(a)
    place.until(lambda: open_id(place) == a)
    assert panel.selected_ids() == (a,)
    place.session.history.follow(True)
    assert panel.selected_ids() == (b,)
    (newest,) = place.inspect(0.1)
    place.until(lambda: open_id(place) == newest)
    assert panel.selected_ids() == (newest,)  # passed, so not listed: the open part
    assert not panel.list.selectionModel().hasSelection()
    assert place.session.history.follows
    assert len(opened) == 3


def test_a_moved_limit_judges_the_list_again(place: Workplace, panel: ReviewPanel) -> None:
    a, b, c = place.inspect(0.5, 1.2, 1.9)
    panel.list.setCurrentIndex(panel.model.index(0))
    place.until(lambda: open_id(place) == c)
    assert panel.model.ids == [c, b]
    place.session.limits.preview(0.4)
    assert panel.model.ids == [c, b, a]
    assert panel.selected_ids() == (c,)
    place.session.limits.preview(5.0)
    assert panel.model.ids == [c]  # the open part stays
    assert panel.model.counts[Queue.FLAGGED] == 0
    place.session.limits.drop_preview()
    assert panel.model.ids == [c, b]
    assert panel.selected_ids() == (c,)


def test_two_thousand_rows_stay_fast(place: Workplace, panel: ReviewPanel) -> None:
    history, limits = place.session.history, place.session.limits
    rows = many_rows(place, 2100)
    history.load(rows[:2000], place.current.scoring)
    panel.show_queue(Queue.ALL)
    assert panel.model.rowCount() == 2000
    seconds = []
    for step in range(20):
        began = time.perf_counter()
        limits.preview(0.3 + step * 0.05)
        seconds.append(time.perf_counter() - began)
    preview = sorted(seconds)[len(seconds) // 2]
    resets: list[object] = []
    panel.model.modelReset.connect(lambda: resets.append(1))
    began = time.perf_counter()
    for row in rows[2000:]:
        history.add(row, None)
    adding = (time.perf_counter() - began) / 100
    assert panel.model.ids == [row.id for row in reversed(rows[100:])]
    assert panel.model.counts[Queue.ALL] == 2000
    assert not resets
    print(f"preview of 2,000 rows {preview * 1e3:.1f} ms, one more row {adding * 1e3:.2f} ms")
    assert preview < 0.1  # 10 ms are usual; machines that test are busy
    assert adding < 0.02


def test_ad_hoc_parts_and_reasons_can_be_read(place: Workplace, panel: ReviewPanel) -> None:
    place.inspect(1.5, None, source=Source.AD_HOC)
    panel.show_queue(Queue.ALL)
    tips = [panel.model.index(r).data(int(Qt.ItemDataRole.ToolTipRole)) for r in range(2)]
    assert all("ad hoc" in tip for tip in tips)
    assert "ERROR: not a picture" in tips[0]
    assert "1.50 × limit" in tips[1]


def test_the_buttons_are_not_cut_in_a_narrow_dock(place: Workplace, panel: ReviewPanel) -> None:
    (part,) = place.inspect(1.5)
    for verdict in (Verdict.ACCEPT, Verdict.UNSURE, Verdict.REJECT):
        panel.list.setCurrentIndex(panel.model.index(0))
        place.commands.judge([part], verdict)
        place.until(lambda: panel.buttons[verdict].text().startswith("✓"))  # noqa: B023
        for button in [*panel.buttons.values(), *panel.chips.values()]:
            lines = button.text().split("\n")
            needed = max(button.fontMetrics().horizontalAdvance(line) for line in lines)
            assert needed + 4 <= button.width(), button.text()


def test_a_panel_that_is_gone_misses_nothing(place: Workplace) -> None:
    panel = ReviewPanel(place.session, place.commands, place.theme)
    panel.show()
    (part,) = place.inspect(1.5)
    delete(panel)
    place.session.limits.preview(0.5)
    place.session.history.open(part)
    place.until(lambda: open_id(place) == part)
    place.theme.changed.emit()
