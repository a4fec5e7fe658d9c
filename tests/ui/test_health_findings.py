from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Purpose
from inspector_gui.ui.health_facts import Kind
from inspector_gui.ui.health_findings import FindingsTab
from tests.drawn import write_parts
from tests.ui.health import HealthBench

SPOILT = "contamination-050.png"


@pytest.fixture
def spoilt(bench: HealthBench) -> FindingsTab:
    """A set of good washers with a bad one among them."""
    bench.fill(good=10, bad=1)
    bench.until_current()
    return bench.window.findings


def titles(tab: FindingsTab) -> list[str]:
    return [tab.list.item(row).text() for row in range(tab.list.count())]


def test_a_bad_part_among_the_references_is_the_suspect_beside_its_nearest_references(
    bench: HealthBench, spoilt: FindingsTab
) -> None:
    assert titles(spoilt) == [SPOILT]
    assert "1 suspect" in bench.window.lines.texts
    bench.until(lambda: "× limit" in (spoilt.finding.detail if spoilt.finding else ""))
    bench.until(lambda: spoilt.pictures.views[3].size_shown == (96, 96))
    captions = [caption.text() for caption in spoilt.pictures.captions]
    assert captions[0].endswith(SPOILT)
    assert all(caption.startswith("near: good-") for caption in captions[1:])


def test_zooming_into_one_picture_zooms_into_all(bench: HealthBench, spoilt: FindingsTab) -> None:
    views = spoilt.pictures.views
    bench.until(lambda: all(view.size_shown for view in views))
    views[1].is_fitted = False
    views[1].box.setRange(xRange=(20, 40), yRange=(30, 50), padding=0)
    parts = [view.visible_part() for view in views]
    assert parts[1].width() < 0.5
    for part in parts:
        assert part.x() == pytest.approx(parts[1].x(), abs=0.02)
        assert part.width() == pytest.approx(parts[1].width(), abs=0.02)
    bench.window.resize(1300, 800)
    bench.settle()
    assert all(view.visible_part().width() < 0.9 for view in views)


def test_excluding_a_suspect_keeps_why_and_is_undone(
    bench: HealthBench, spoilt: FindingsTab
) -> None:
    QTest.mouseClick(spoilt.exclude_button, Qt.MouseButton.LeftButton)
    bench.until_excluded(SPOILT)
    assert bench.image(SPOILT).reason.startswith("suspect: ")
    assert titles(spoilt) == []
    assert "No reference stands out" in spoilt.nothing.text()
    assert "1 suspect" not in bench.window.lines.texts
    bench.undo()
    bench.until_excluded()
    bench.until(lambda: titles(spoilt) == [SPOILT])


def test_delete_excludes_and_the_keys_of_undo_work_here_as_well(
    bench: HealthBench, spoilt: FindingsTab
) -> None:
    bench.window.activateWindow()
    QTest.keyClick(bench.window, Qt.Key.Key_Delete)
    bench.until_excluded(SPOILT)
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(bench.window, Qt.Key.Key_Z, control)
    bench.until_excluded()
    QTest.keyClick(bench.window, Qt.Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    bench.until_excluded(SPOILT)


def test_a_suspect_that_is_fine_is_not_listed_again_but_stays_a_reference(
    bench: HealthBench, spoilt: FindingsTab
) -> None:
    spoilt.fine_button.click()
    assert titles(spoilt) == []
    assert bench.excluded == []
    bench.commands.include([bench.image("good-000.png")], False, "")
    bench.until_excluded("good-000.png")
    bench.until_current()
    assert titles(spoilt) == []


def test_a_suspect_becomes_a_known_bad_part_and_undo_makes_it_a_reference_again(
    bench: HealthBench, spoilt: FindingsTab
) -> None:
    spoilt.bad_button.click()
    bench.until(lambda: bench.image(SPOILT).purpose is Purpose.BAD)
    assert titles(spoilt) == []
    bench.undo()
    bench.until(lambda: bench.image(SPOILT).purpose is Purpose.REFERENCE)


def test_of_duplicates_the_first_stays_and_the_others_go_in_one_step(bench: HealthBench) -> None:
    bench.fill(good=8)
    bench.add([bench.copy_of(2, "twin")])
    bench.add([bench.copy_of(5, "sister")])
    bench.until_current()
    assert "2 duplicates" in bench.window.lines.texts
    bench.window.lines.buttons["2 duplicates"].click()
    tab = bench.window.findings
    assert sorted(titles(tab)) == ["good-002.png", "good-005.png"]
    assert tab.finding is not None
    assert tab.pictures.captions[0].text().startswith("stays: good-")
    assert tab.pictures.captions[1].text().startswith("double: ")
    tab.keep_all_button.click()
    bench.until_excluded("sister.bmp", "twin.bmp")
    assert bench.image("twin.bmp").reason == "double of another reference"
    assert titles(tab) == []
    bench.undo()
    bench.until_excluded()
    bench.until(lambda: len(titles(tab)) == 2)
    tab.keep_button.click()
    bench.until(lambda: len(bench.excluded) == 1)


def test_a_part_in_two_groups_is_shown_as_a_pair_and_either_side_can_go(
    bench: HealthBench,
) -> None:
    bench.fill(good=8, validation=2)
    bench.add([bench.copy_of(3, "again")], Purpose.VALIDATION)
    bench.until_current()
    line = "1 part is reference and validation"
    bench.window.lines.buttons[line].click()
    tab = bench.window.findings
    assert tab.kind is Kind.LEAK
    assert tab.exclude_other_button.text() == "Exclude the validation picture"
    tab.exclude_other_button.click()
    bench.until_excluded("again.bmp")
    assert line not in bench.window.lines.texts
    bench.undo()
    bench.until(lambda: line in bench.window.lines.texts)
    tab.exclude_reference_button.click()
    bench.until_excluded("good-003.png")
    assert "again.bmp" in bench.image("good-003.png").reason


def test_mixed_sizes_are_listed_with_counts_and_lead_to_the_grid(
    bench: HealthBench, tmp_path: Path
) -> None:
    bench.fill(good=8)
    (path,) = write_parts(tmp_path, range(30, 31))
    pixels = cv2.imread(str(path))
    assert pixels is not None
    cv2.imwrite(str(path), cv2.resize(pixels, (128, 96)))
    bench.add([path])
    bench.until_current()
    bench.window.lines.buttons["2 sizes mixed"].click()
    tab = bench.window.findings
    assert titles(tab) == ["96 × 96 pixels", "128 × 96 pixels"]
    asked: list[tuple[object, ...]] = []
    bench.window.grid_requested.connect(asked.append)
    tab.list.setCurrentRow(1)
    tab.grid_button.click()
    assert asked == [(bench.image("good-030.png"),)]
    tab.exclude_selected()
    assert bench.stack.count() == 0


def test_where_nothing_is_wrong_that_is_said_in_one_line(bench: HealthBench) -> None:
    bench.fill(good=10, validation=4)
    bench.until_current()
    texts = bench.window.lines.texts
    assert texts == [
        "Nothing found: no suspects, duplicates, parts in two groups or mixed pictures",
        "4 validation parts promise at best 1 false alarm in 5",
    ]
