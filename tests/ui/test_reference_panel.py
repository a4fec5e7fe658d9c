from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from inspector_gui.core.types import Progress, ReferenceImage
from inspector_gui.session.session import Readiness
from inspector_gui.ui.reference_model import Group
from inspector_gui.ui.reference_panel import ReferencePanel
from tests.ui.workplace import Workplace, drop, write_pictures


@pytest.fixture
def panel(place: Workplace, qtbot: QtBot) -> ReferencePanel:
    panel = ReferencePanel(place.session, place.commands, place.theme)
    qtbot.addWidget(panel)
    panel.resize(250, 700)
    panel.show()
    return panel


@pytest.fixture
def filled(place: Workplace, panel: ReferencePanel, tmp_path: Path) -> ReferencePanel:
    """A set of four: too few for the engine, so nothing but the database is at work."""
    place.create_set()
    place.add_references(write_pictures(tmp_path / "good", 4))
    return panel


def files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def names(place: Workplace) -> list[str]:
    return [s.name for s in place.stored(lambda store: store.references.load_sets())]


def stored_images(place: Workplace) -> tuple[ReferenceImage, ...]:
    set_id = place.current.id
    sets = place.stored(lambda store: store.references.load_sets())
    return next(s.images for s in sets if s.id == set_id)


def type_name(panel: ReferencePanel, name: str) -> None:
    line = panel.set_bar.name_edit.line
    line.selectAll()
    QTest.keyClicks(line, name)
    QTest.keyClick(line, Qt.Key.Key_Return)


def test_sets_are_created_renamed_and_duplicated_in_place(
    place: Workplace, panel: ReferencePanel
) -> None:
    combo = panel.set_bar.combo
    assert not combo.isEnabled()
    panel.edit_new_name()
    assert panel.set_bar.name_edit.isVisible()
    assert not combo.isVisible()
    type_name(panel, "Hazelnut, line 3")
    place.until(lambda: combo.currentText() == "Hazelnut, line 3")
    assert not panel.set_bar.name_edit.isVisible()

    panel.edit_rename()
    type_name(panel, "Hazelnut, line 4")
    place.until(lambda: combo.currentText() == "Hazelnut, line 4")
    panel.edit_duplicate()
    assert panel.set_bar.name_edit.line.text() == "Copy of Hazelnut, line 4"
    QTest.keyClick(panel.set_bar.name_edit.line, Qt.Key.Key_Return)
    place.until(lambda: combo.count() == 2)
    assert names(place) == ["Copy of Hazelnut, line 4", "Hazelnut, line 4"]

    place.stack.undo()  # of the rename, the one change that is a command
    place.until(lambda: "Hazelnut, line 3" in [s.name for s in place.session.references.sets])
    assert names(place) == ["Copy of Hazelnut, line 4", "Hazelnut, line 3"]


def test_a_taken_or_empty_name_is_refused_in_words_and_the_edit_stays_open(
    place: Workplace, panel: ReferencePanel
) -> None:
    place.create_set("Washers")
    edit = panel.set_bar.name_edit
    panel.edit_new_name()
    type_name(panel, "washers")
    assert edit.isVisible()
    assert "Washers already" in edit.reason.text()
    edit.line.clear()
    QTest.keyClick(edit.line, Qt.Key.Key_Return)
    assert "needs a name" in edit.reason.text()
    QTest.keyClick(edit.line, Qt.Key.Key_Escape)
    assert not edit.isVisible()
    assert panel.set_bar.combo.isVisible()
    panel.edit_rename()
    QTest.keyClick(edit.line, Qt.Key.Key_Return)  # its own name is not taken
    assert not edit.isVisible()
    assert names(place) == ["Washers"]
    assert place.notices == []


def test_a_deleted_set_comes_back_by_undo_with_its_pictures(
    place: Workplace, filled: ReferencePanel
) -> None:
    filled.delete_set()
    place.until(lambda: place.session.references.current is None)
    assert filled.set_bar.combo.count() == 0
    assert filled.model.rowCount() == 0
    place.stack.undo()
    place.until(lambda: place.session.references.current)
    assert filled.set_bar.combo.currentText() == "Washers"
    assert filled.model.rowCount() == 4


def test_choosing_another_set_shows_its_pictures(place: Workplace, filled: ReferencePanel) -> None:
    place.create_set("Gears")
    assert filled.model.rowCount() == 0
    combo = filled.set_bar.combo
    combo.setCurrentIndex(combo.findText("Washers"))
    combo.activated.emit(combo.currentIndex())
    assert place.current.name == "Washers"
    assert filled.model.rowCount() == 4


def test_dropped_files_and_a_folder_are_added_and_a_broken_file_is_named(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    folder = tmp_path / "line 3"
    write_pictures(folder / "below", 2)
    (folder / "broken.png").write_bytes(b"not a picture")
    single = write_pictures(tmp_path, 1, first=10)[0]
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        drop(panel, files(folder, single))
    assert sorted(i.name for i in stored_images(place)) == [
        "part000.png", "part001.png", "part010.png",
    ]  # fmt: skip
    assert panel.model.rowCount() == 3
    assert any("broken.png" in notice for notice in place.notices)
    assert panel.remark.text() == "3 good"
    assert not panel.progress.isVisible()


def test_a_picture_dropped_out_of_a_browser_is_added(
    place: Workplace, panel: ReferencePanel
) -> None:
    place.create_set()
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    mime = QMimeData()
    mime.setImageData(image)
    mime.setUrls([QUrl("https://example.org/pictures/nut.webp?size=2")])
    drop(panel, mime)
    place.until(lambda: panel.model.rowCount() == 1)
    assert stored_images(place)[0].name == "nut.png"


def test_progress_is_shown_and_cancelling_takes_everything_back(
    place: Workplace, filled: ReferencePanel, tmp_path: Path
) -> None:
    seen: list[Progress] = []

    def on_progress(progress: Progress | None) -> None:
        if progress is not None and progress.total:
            seen.append(progress)
            assert filled.progress.isVisible()
            assert filled.progress_text.text() == f"{progress.done} of {progress.total}"
            if progress.done == 5:
                QTimer.singleShot(0, filled.cancel_button.click)

    place.session.references.import_progressed.connect(on_progress)
    place.session.references.add(write_pictures(tmp_path / "many", 40, first=100))
    place.until(lambda: any("cancelled" in notice for notice in place.notices))
    place.until(lambda: len(stored_images(place)) == 4)
    assert 5 <= max(p.done for p in seen) < 40
    assert not filled.progress.isVisible()
    assert filled.add_images_button.isEnabled()
    assert filled.model.rowCount() == 4


def test_keys_exclude_and_include_the_selected_and_both_can_be_undone(
    place: Workplace, filled: ReferencePanel
) -> None:
    def included() -> list[bool]:
        return [image.included for image in filled.model.images]

    grid = filled.grid
    grid.setCurrentIndex(filled.model.index(1))
    QTest.keyClick(grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert len(filled.selected) == 2
    QTest.keyClick(grid, Qt.Key.Key_Delete)
    place.until(lambda: included() == [True, False, False, True])
    assert filled.remark.text() == "2 good · 2 excluded"
    assert [i.included for i in stored_images(place)] == [True, False, False, True]
    tip = filled.model.data(filled.model.index(1), int(Qt.ItemDataRole.ToolTipRole))
    assert "excluded: left out by hand" in tip
    assert len(filled.selected) == 2

    QTest.keyClick(grid, Qt.Key.Key_Insert)
    place.until(lambda: all(included()))
    place.stack.undo()
    place.until(lambda: included() == [True, False, False, True])
    place.stack.undo()
    place.until(lambda: all(included()))
    assert all(i.included for i in stored_images(place))


def test_a_reason_can_be_given_and_the_chips_filter(
    place: Workplace, filled: ReferencePanel
) -> None:
    filled.grid.setCurrentIndex(filled.model.index(2))
    menu = filled.make_menu(filled.selected)
    because = next(a.menu() for a in menu.actions() if a.menu() is not None)
    because.actions()[0].trigger()  # type: ignore[attr-defined]
    menu.close()
    place.until(lambda: not filled.model.images[2].included)
    assert stored_images(place)[2].reason == "shows a defect"
    excluded, good = (filled.chips.chips[g] for g in (Group.EXCLUDED, Group.GOOD))
    assert excluded.text() == "Excluded 1"
    QTest.mouseClick(excluded, Qt.MouseButton.LeftButton)
    assert [i.included for i in filled.model.images] == [False]
    QTest.mouseClick(good, Qt.MouseButton.LeftButton)
    assert [i.included for i in filled.model.images] == [True] * 3
    QTest.mouseClick(good, Qt.MouseButton.LeftButton)
    assert len(filled.model.images) == 4


def test_thumbnails_of_visible_pictures_come_by_themselves(
    place: Workplace, panel: ReferencePanel, photographs: Path
) -> None:
    place.create_set()
    good = sorted((photographs / "hazelnut_toy" / "train" / "good").iterdir())[:4]
    place.add_references(good)

    def pixmaps() -> list[QPixmap | None]:
        role = int(Qt.ItemDataRole.DecorationRole)
        return [panel.model.data(panel.model.index(row), role) for row in range(4)]

    place.until(lambda: all(pixmaps()))
    assert all(p is not None and max(p.width(), p.height()) == 160 for p in pixmaps())
    shown = panel.grid.grab().toImage()
    colours = {shown.pixelColor(x, 30).rgb() for x in range(5, 60)}
    assert len(colours) > 10


def test_readiness_says_what_is_missing(place: Workplace, filled: ReferencePanel) -> None:
    assert place.session.readiness is Readiness.TOO_FEW
    assert filled.readiness.text() == "● Too few: add 1 more good picture"


def test_an_empty_set_says_what_to_do(place: Workplace, panel: ReferencePanel) -> None:
    place.create_set()
    assert panel.grid.hint == "Drop pictures of good parts here"
    assert panel.remark.text() == "0 good"


def test_pictures_are_chosen_without_blocking(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    place.create_set()
    panel.choose_images()
    dialog = panel.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.isVisible()
    chosen = [str(path) for path in write_pictures(tmp_path / "chosen", 2)]
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        dialog.filesSelected.emit(chosen)
    dialog.close()
    assert panel.model.rowCount() == 2


def test_a_panel_that_is_gone_misses_nothing(place: Workplace, tmp_path: Path) -> None:
    panel = ReferencePanel(place.session, place.commands, place.theme)
    panel.show()
    place.create_set()
    place.add_references(write_pictures(tmp_path / "good", 3))
    panel.grid.grab()  # asks for thumbnails that arrive too late
    delete(panel)
    place.theme.changed.emit()
    place.session.references.rename(place.current.id, "Gears")
    place.until(lambda: place.current.name == "Gears")
    assert len(stored_images(place)) == 3
