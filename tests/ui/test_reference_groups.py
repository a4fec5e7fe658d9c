"""Purposes of references in the window: by key, menu, chip and drag, there and back."""

from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from inspector_gui.core.types import Purpose
from inspector_gui.ui.dropping import DropHint, references_as_mime
from inspector_gui.ui.reference_model import Group
from inspector_gui.ui.reference_panel import ReferencePanel
from inspector_gui.ui.thumbnails import Thumbnails
from tests.ui.workplace import Workplace, write_pictures

R, V, B = Purpose.REFERENCE, Purpose.VALIDATION, Purpose.BAD


@pytest.fixture
def panel(place: Workplace, qtbot: QtBot) -> ReferencePanel:
    panel = ReferencePanel(place.session, place.commands, place.theme)
    qtbot.addWidget(panel)
    panel.resize(250, 700)
    panel.show()
    return panel


@pytest.fixture
def filled(place: Workplace, panel: ReferencePanel, tmp_path: Path) -> ReferencePanel:
    """Two of four pictures are references: too few for the engine."""
    place.create_set()
    place.add_references(write_pictures(tmp_path / "good", 4))
    ids = [image.id for image in panel.model.images]
    place.session.references.set_purpose([ids[2]], V)
    place.session.references.set_purpose([ids[3]], B)
    place.until(lambda: purposes(panel) == [R, R, V, B])
    return panel


def purposes(panel: ReferencePanel) -> list[Purpose]:
    return [image.purpose for image in panel.model.images]


def stored_purposes(place: Workplace) -> list[Purpose]:
    (only,) = place.stored(lambda store: store.references.load_sets())
    return [image.purpose for image in only.images]


def middle_of(panel: ReferencePanel, group: Group) -> QPoint:
    return panel.chips.mapTo(panel, panel.chips.chips[group].geometry().center())


class Drag:
    """A drag as the window system tells of it: enter, move, and either drop or leave."""

    def __init__(self, panel: ReferencePanel, mime: QMimeData) -> None:
        self._panel, self._mime = panel, mime
        enter = QDragEnterEvent(QPoint(9, 9), *self._how())
        QApplication.sendEvent(panel, enter)
        self.is_accepted = enter.isAccepted()
        QApplication.processEvents()  # chips that appear are laid out

    def _how(self) -> tuple[Qt.DropAction, QMimeData, Qt.MouseButton, Qt.KeyboardModifier]:
        none = Qt.KeyboardModifier.NoModifier
        return Qt.DropAction.CopyAction, self._mime, Qt.MouseButton.LeftButton, none

    def move(self, point: QPoint) -> bool:
        event = QDragMoveEvent(point, *self._how())
        QApplication.sendEvent(self._panel, event)
        return event.isAccepted()

    def drop(self, point: QPoint) -> None:
        QApplication.sendEvent(self._panel, QDropEvent(QPointF(point), *self._how()))

    def leave(self) -> None:
        QApplication.sendEvent(self._panel, QDragLeaveEvent())


def files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def references(panel: ReferencePanel, *rows: int) -> QMimeData:
    return references_as_mime([panel.model.images[row].id for row in rows])


def test_keys_of_the_grid_give_purposes_and_are_taken_back_in_both_directions(
    place: Workplace, filled: ReferencePanel
) -> None:
    filled.grid.selectAll()
    QTest.keyClick(filled.grid, Qt.Key.Key_2)
    place.until(lambda: purposes(filled) == [V] * 4)
    assert stored_purposes(place) == [V] * 4
    assert filled.remark.toolTip() == "0 good · 4 validation"

    place.stack.undo()  # three purposes were mixed before
    place.until(lambda: purposes(filled) == [R, R, V, B])
    assert stored_purposes(place) == [R, R, V, B]
    place.stack.redo()
    place.until(lambda: purposes(filled) == [V] * 4)
    assert stored_purposes(place) == [V] * 4
    place.stack.undo()
    place.until(lambda: purposes(filled) == [R, R, V, B])

    filled.grid.setCurrentIndex(filled.model.index(0))
    QTest.keyClick(filled.grid, Qt.Key.Key_3)
    place.until(lambda: purposes(filled) == [B, R, V, B])
    QTest.keyClick(filled.grid, Qt.Key.Key_1)
    place.until(lambda: purposes(filled) == [R, R, V, B])


def test_the_same_purpose_again_is_no_change_to_undo(
    place: Workplace, filled: ReferencePanel
) -> None:
    filled.grid.setCurrentIndex(filled.model.index(0))
    QTest.keyClick(filled.grid, Qt.Key.Key_1)
    assert not place.stack.canUndo()


def test_an_excluded_picture_is_counted_in_by_a_purpose_and_undo_brings_its_reason_back(
    place: Workplace, filled: ReferencePanel
) -> None:
    filled.grid.setCurrentIndex(filled.model.index(1))
    filled.exclude_selected("blurred")
    place.until(lambda: not filled.model.images[1].included)
    filled.set_purpose_of_selected(V)
    place.until(lambda: purposes(filled) == [R, V, V, B] and filled.model.images[1].included)
    place.stack.undo()
    place.until(lambda: purposes(filled) == [R, R, V, B] and not filled.model.images[1].included)
    assert filled.model.images[1].reason == "blurred"


def test_letters_and_numbers_with_ctrl_still_go_to_the_window(
    place: Workplace, qtbot: QtBot
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    panel = ReferencePanel(place.session, place.commands, place.theme, window)
    QVBoxLayout(window).addWidget(panel)
    pressed: list[str] = []
    for key in ("R", "Ctrl+1"):
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.activated.connect(lambda key=key: pressed.append(key))
    window.show()
    window.activateWindow()
    panel.grid.setFocus()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(panel.grid, Qt.Key.Key_R)
    QTest.keyClick(panel.grid, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert pressed == ["R", "Ctrl+1"]
    event = QKeyEvent(
        QKeyEvent.Type.KeyPress, Qt.Key.Key_4, Qt.KeyboardModifier.NoModifier, "4"
    )  # fmt: skip
    QApplication.sendEvent(panel.grid, event)
    assert not event.isAccepted()


def test_thumbnails_dropped_on_a_chip_move_into_its_group(
    place: Workplace, filled: ReferencePanel
) -> None:
    drag = Drag(filled, references(filled, 0, 2))
    assert drag.is_accepted
    assert filled.findChild(DropHint).isHidden()  # type: ignore[union-attr]
    assert not drag.move(filled.grid.geometry().center())
    assert drag.move(middle_of(filled, Group.BAD))
    drag.drop(middle_of(filled, Group.BAD))
    place.until(lambda: purposes(filled) == [B, R, B, B])
    place.stack.undo()
    place.until(lambda: purposes(filled) == [R, R, V, B])

    drag = Drag(filled, references(filled, 1))
    drag.drop(filled.grid.geometry().center())  # beside the chips: nothing
    assert not place.stack.canUndo()
    drag = Drag(filled, references(filled, 3))
    drag.drop(middle_of(filled, Group.EXCLUDED))
    place.until(lambda: not filled.model.images[3].included)
    assert filled.model.images[3].reason == "left out by hand"
    drag = Drag(filled, references(filled, 3))
    drag.drop(middle_of(filled, Group.BAD))
    place.until(lambda: filled.model.images[3].included)


def test_files_dropped_on_a_chip_get_its_purpose_even_where_nothing_is_yet(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    place.create_set()
    assert not panel.chips.isVisible()
    good = write_pictures(tmp_path / "good", 2)
    drag = Drag(panel, files(*good))
    assert panel.chips.isVisible()
    assert not panel.chips.chips[Group.BAD].isEnabled()  # dimmed, and a target all the same
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        drag.drop(middle_of(panel, Group.BAD))
    assert purposes(panel) == [B, B]
    assert panel.remark.text() == "0 good · 2 bad"

    more = write_pictures(tmp_path / "more", 1, first=5)
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        Drag(panel, files(*more)).drop(middle_of(panel, Group.EXCLUDED))  # no purpose: the folders
    assert purposes(panel) == [B, B, R]


def test_a_drag_that_leaves_takes_the_offer_back(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    place.create_set()
    hint = panel.findChild(DropHint)
    assert isinstance(hint, DropHint)
    drag = Drag(panel, files(tmp_path))
    assert hint.isVisible()
    drag.leave()
    assert not hint.isVisible()
    assert not panel.chips.isVisible()


def test_the_folders_of_a_dropped_data_set_tell_the_purposes(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    place.create_set()
    write_pictures(tmp_path / "nuts" / "train" / "good", 3)
    write_pictures(tmp_path / "nuts" / "test" / "good", 2, first=10)
    write_pictures(tmp_path / "nuts" / "test" / "crack", 1, first=20)
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        Drag(panel, files(tmp_path / "nuts")).drop(QPoint(9, 9))
    counts = {group: chip.count for group, chip in panel.chips.chips.items()}
    assert counts == {Group.GOOD: 3, Group.VALIDATION: 2, Group.BAD: 1, Group.EXCLUDED: 0}
    assert panel.remark.toolTip() == "3 good · 2 validation · 1 bad"
    assert panel.remark.text() == "3 good"  # the chips tell the rest where there is no room
    panel.resize(420, 700)
    assert panel.remark.text() == "3 good · 2 validation · 1 bad"


def test_chips_filter_and_an_emptied_group_shows_all_again(
    place: Workplace, filled: ReferencePanel
) -> None:
    chip = filled.chips.chips[Group.VALIDATION]
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert purposes(filled) == [V]
    filled.grid.selectAll()
    QTest.keyClick(filled.grid, Qt.Key.Key_1)
    place.until(lambda: purposes(filled) == [R, R, R, B])
    assert not chip.isChecked()
    assert not chip.isEnabled()


def test_text_of_the_chips_fits_a_narrow_dock(place: Workplace, panel: ReferencePanel) -> None:
    panel.resize(242, 700)  # of a dock of 250 pixels
    panel.chips.set_wanted(True)
    for count in (0, 7, 250, 10_000):
        panel.chips.show_counts(dict.fromkeys(Group, count), Group.VALIDATION)
        QApplication.processEvents()
        for chip in panel.chips.chips.values():
            font = chip.font()
            font.setBold(True)
            icon = 0 if chip.icon().isNull() else chip.iconSize().width() + 4
            wide = chip.fontMetrics().horizontalAdvance(chip.text()) + icon + 12
            assert wide <= chip.width(), chip.text()
            assert chip.text().endswith(str(count))


def test_signs_tell_purposes_apart_without_colour(place: Workplace, filled: ReferencePanel) -> None:
    """All four pictures get one look, so that only their signs differ."""
    role = int(Qt.ItemDataRole.DecorationRole)
    place.until(lambda: all(filled.model.index(row).data(role) for row in range(4)))

    def corner(row: int) -> QImage:
        rect = filled.grid.visualRect(filled.model.index(row))
        shot = filled.grid.viewport().grab().toImage()
        return shot.copy(rect.x() + 4, rect.y() + 4, 18, 18).convertToFormat(
            QImage.Format.Format_Grayscale8
        )

    filled.grid.clearSelection()
    filled.grid.setCurrentIndex(filled.model.index(-1))
    plain = corner(0)
    place.session.references.set_purpose([filled.model.images[0].id], V)
    place.until(lambda: purposes(filled)[0] is V)
    validation = corner(0)
    place.session.references.set_purpose([filled.model.images[0].id], B)
    place.until(lambda: purposes(filled)[0] is B)
    bad = corner(0)
    assert plain != validation != bad != plain
    tips = [filled.model.index(row).data(int(Qt.ItemDataRole.ToolTipRole)) for row in range(4)]
    assert "known bad" in tips[0]
    assert tips[1] == "part001.png"
    assert "validation good" in tips[2]


def test_the_menu_names_the_keys_and_gives_purposes(
    place: Workplace, filled: ReferencePanel
) -> None:
    filled.grid.setCurrentIndex(filled.model.index(0))
    menu = filled.make_menu(filled.selected)
    texts = {action.text(): action for action in menu.actions()}
    assert not texts["Reference good\t1"].isEnabled()  # it is one
    texts["Known bad\t3"].trigger()
    menu.close()
    place.until(lambda: purposes(filled) == [B, R, V, B])


def test_what_is_dragged_out_of_the_grid_are_the_selected(
    filled: ReferencePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    dragged: list[QMimeData] = []

    def carry(drag: QDrag, *_: object) -> Qt.DropAction:
        dragged.append(drag.mimeData())
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", carry)
    filled.grid.setCurrentIndex(filled.model.index(1))
    start = filled.grid.visualRect(filled.model.index(1)).center()
    viewport = filled.grid.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in (10, 25, 40):
        QTest.mouseMove(viewport, start + QPoint(0, step))
        QApplication.processEvents()
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start)
    assert len(dragged) == 1
    assert dragged[0].formats() == references(filled, 1).formats()


def test_the_selected_come_in_the_order_of_the_grid(filled: ReferencePanel) -> None:
    chosen = filled.grid.selectionModel()
    for row in (3, 0, 2):
        chosen.select(filled.model.index(row), QItemSelectionModel.SelectionFlag.Select)
    assert [image.name for image in filled.selected] == [
        "part000.png", "part002.png", "part003.png",
    ]  # fmt: skip


def test_a_thumbnail_that_arrives_repaints_its_own_row_after_rows_were_taken_out(
    place: Workplace, filled: ReferencePanel
) -> None:
    rows: list[tuple[int, int]] = []
    thumbnails = filled.findChild(Thumbnails)
    assert isinstance(thumbnails, Thumbnails)
    filled.model.dataChanged.connect(
        lambda first, last, _roles: rows.append((first.row(), last.row()))
    )
    last = filled.model.images[3]
    thumbnails.arrived.emit(frozenset({last.sha256}))
    assert rows == [(3, 3)]
    place.session.references.remove([filled.model.images[1].id])
    place.until(lambda: filled.model.rowCount() == 3)
    rows.clear()
    thumbnails.arrived.emit(frozenset({last.sha256}))
    assert rows == [(2, 2)]
