from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QMainWindow
from shiboken6 import isValid

from inspector_gui.core.images import encode_png
from inspector_gui.core.types import Purpose
from inspector_gui.ui.health_window import HealthWindow
from tests.drawn import picture, write_parts
from tests.ui.health import HealthBench


def look_everywhere(window: HealthWindow) -> None:
    for chip in window.tab_buttons:
        chip.click()
        QCoreApplication.processEvents()


def test_without_a_set_it_says_what_to_do(bench: HealthBench) -> None:
    look_everywhere(bench.window)
    assert bench.window.lines.texts == ["First add pictures of good parts in the main window."]
    assert bench.window.windowTitle() == "Reference-set health"
    bench.window.map.draw()
    assert "First add pictures" in bench.window.map.study.failure.text()


def test_an_empty_set_says_so(bench: HealthBench) -> None:
    bench.session.references.create("Empty")
    bench.until(lambda: bench.session.references.current)
    look_everywhere(bench.window)
    assert bench.window.lines.texts[0].startswith(("The set is empty", "0 references"))


def test_one_picture_is_too_few_and_every_page_says_something(bench: HealthBench) -> None:
    bench.fill(good=1)
    bench.settle()
    look_everywhere(bench.window)
    texts = bench.window.lines.texts
    assert any("too few" in text or "looked at" in text for text in texts)


def test_identical_pictures_are_said_to_be_identical(bench: HealthBench, tmp_path: Path) -> None:
    paths = [tmp_path / f"same-{number}.png" for number in range(7)]
    for number, path in enumerate(paths):  # other files, the same picture
        path.write_bytes(encode_png(picture(1)) + bytes(number))
    bench.add(paths)
    bench.until_current()
    look_everywhere(bench.window)
    assert "All references look identical" in bench.window.lines.texts
    bench.window.tab_buttons[1].click()
    bench.until(lambda: bench.window.map.drawn)
    assert len(bench.window.map.plot.points) == 7


def test_the_title_names_the_set_and_how_old_the_report_is(bench: HealthBench) -> None:
    bench.fill(good=8)
    bench.until_current()
    title = bench.window.windowTitle()
    assert title.startswith("Reference set – Reference-set health (as of ")
    bench.commands.include([bench.image("good-003.png")], False, "")
    bench.until_excluded("good-003.png")
    assert "being updated" in bench.window.windowTitle() or bench.session.health.is_current
    bench.until(lambda: "as of" in bench.window.windowTitle())


def test_it_follows_the_current_set_and_survives_its_deletion(bench: HealthBench) -> None:
    bench.fill(good=8, bad=1)
    bench.until_current()
    first = bench.current.id
    assert "1 suspect" in bench.window.lines.texts
    bench.window.tab_buttons[1].click()
    bench.until(lambda: bench.window.map.drawn)
    bench.session.references.create("Another")
    bench.until(lambda: bench.current.name == "Another")
    assert bench.window.name.text() == "Another"
    assert bench.window.map.drawn is None
    assert "1 suspect" not in bench.window.lines.texts
    bench.commands.delete_set(first)
    bench.settle()
    bench.commands.delete_set(bench.current.id)
    bench.until(lambda: bench.session.references.current is None)
    look_everywhere(bench.window)
    bench.undo()
    bench.until(lambda: bench.session.references.current is not None)
    assert bench.window.name.text() == "Another"


def test_a_set_that_is_switched_ends_the_study_of_the_other(bench: HealthBench) -> None:
    bench.fill(good=8)
    bench.until_current()
    bench.window.learning.measure()
    study = bench.window.learning.study.study
    assert study is not None
    bench.session.references.create("Another")
    bench.until(lambda: bench.current.name == "Another")
    folder = study.folder
    bench.until(lambda: not folder.exists())
    assert not bench.window.learning.study.is_running


def test_closing_it_ends_what_runs_and_leaves_nothing_behind(bench: HealthBench) -> None:
    bench.fill(good=8)
    bench.until_current()
    bench.window.learning.measure()
    bench.window.slimming.measure()
    studies = [bench.window.learning.study.study, bench.window.slimming.study.study]
    QTest.keyClick(bench.window, Qt.Key.Key_Escape)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(bench.window)
    folders = [study.folder for study in studies if study is not None]
    assert len(folders) == 2
    bench.until(lambda: not any(folder.exists() for folder in folders))
    bench.commands.include([bench.image("good-001.png")], False, "")
    bench.until_excluded("good-001.png")
    bench.until_current()  # what is told afterwards finds nobody, and that is fine


def test_pictures_whose_features_are_not_there_yet_are_waited_for(bench: HealthBench) -> None:
    bench.session.references.create("Slow")
    bench.until(lambda: bench.session.references.current)
    bench.window.map.draw()
    bench.until(lambda: bench.window.map.study.failure.text())
    assert "features" in bench.window.map.study.failure.text()
    folder = bench.folder.parent / "references"
    bench.window.tab_buttons[1].click()
    bench.add(write_parts(folder, range(8)))
    bench.until(lambda: bench.window.map.drawn)  # by itself, once they are
    assert bench.window.map.study.failure.text() == ""


def test_every_button_has_a_tooltip_and_none_is_pressed_by_enter_elsewhere(
    bench: HealthBench,
) -> None:
    bench.fill(good=8, bad=1, validation=2)
    bench.until_current()
    for button in bench.window.findChildren(QAbstractButton):
        if button.objectName().startswith("qt_"):
            continue
        assert button.toolTip(), button.text()
        assert not getattr(button, "autoDefault", lambda: False)(), button.text()
    for combo in bench.window.findChildren(QComboBox):
        assert combo.toolTip()


def test_beside_a_main_window_with_the_same_keys_undo_takes_back_one_step(
    bench: HealthBench,
) -> None:
    main = QMainWindow()
    bench.qtbot.addWidget(main)
    undo = bench.stack.createUndoAction(main, "Undo")
    undo.setShortcut("Ctrl+Z")
    main.menuBar().addMenu("Edit").addAction(undo)
    main.show()
    window = HealthWindow(bench.session, bench.commands, bench.theme, main, stack=bench.stack)
    window.show()
    bench.fill(good=6)
    for number in range(2):
        bench.commands.include([bench.image(f"good-{number:03d}.png")], False, "")
    bench.until_excluded("good-000.png", "good-001.png")
    for place in (window, main):
        place.activateWindow()
        QTest.keyClick(place, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        bench.settle()
    assert bench.excluded == []
    assert bench.stack.index() == 0
    window.close()


def test_keys_choose_the_page(bench: HealthBench) -> None:
    bench.window.activateWindow()
    for number in (3, 5, 1):
        key = Qt.Key(Qt.Key.Key_0 + number)
        QTest.keyClick(bench.window, key, Qt.KeyboardModifier.ControlModifier)
        assert bench.window.pages.currentIndex() == number - 1


def test_a_validation_part_changes_the_promise_at_once(bench: HealthBench) -> None:
    bench.fill(good=8, validation=3)
    bench.until_current()
    assert "3 validation parts promise at best 1 false alarm in 4" in bench.window.lines.texts
    bench.commands.set_purpose([bench.image("good-000.png")], Purpose.VALIDATION)
    bench.until(lambda: bench.image("good-000.png").purpose is Purpose.VALIDATION)
    assert "4 validation parts promise at best 1 false alarm in 5" in bench.window.lines.texts
