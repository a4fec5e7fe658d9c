"""The centre panel: what it shows of a part, and how it takes pictures."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector_gui.core.decision import PASSED_BY_STAGE_1
from inspector_gui.core.images import encode_png
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import KEEP, RGB, SQUASH, Outcome, Part, Verdict
from inspector_gui.session import Session
from inspector_gui.ui.heatmap_panel import HeatmapPanel
from inspector_gui.ui.part_view import map_view, part_map
from inspector_gui.ui.theme import Theme
from tests.ui.parts import LIMITS, SCORING, SET, part, picture, ready_session, row, spot

FAILED = row(1, 6.5)


@pytest.fixture
def session() -> Session:
    return ready_session([FAILED, row(2, None, reason="part2.png is damaged.")])


@pytest.fixture
def panel(session: Session, qtbot: QtBot, qapp: QApplication) -> Iterator[HeatmapPanel]:
    theme = Theme(qapp)
    theme.apply(is_dark=True)
    panel = HeatmapPanel(session, theme)
    qtbot.addWidget(panel)
    panel.resize(800, 560)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    panel.hide()


def open_part(session: Session, shown: Part) -> None:
    session.history.part = shown
    session.history.opened.emit(shown)


def failed_part() -> Part:
    return part(FAILED, image=picture(), patches=spot(9.0))


def colour_at(panel: HeatmapPanel, x: float, y: float) -> QColor:
    """Return the colour on screen at a place of the picture."""
    view = panel.area.view
    place = view.mapFromScene(view.box.mapViewToScene(QPointF(x, y)))
    return QColor(view.grab().toImage().pixelColor(place))


def test_the_decision_is_in_words_with_its_multiple_of_the_limit(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, failed_part())
    assert panel.header.word.text() == "FAIL"
    assert panel.header.multiple.text() == "2.75 × limit"
    assert panel.title.text() == "part1.png"
    assert panel.remark.text() == "SPADE · 83 ms"
    assert panel.header.notes.text().startswith("1 region · largest ")


def test_the_overlay_lies_over_what_the_network_saw_of_the_picture(
    panel: HeatmapPanel, session: Session
) -> None:
    scoring = replace(SCORING, size=256, crop=224)
    session.references.load([replace(SET, scoring=scoring)], 1)
    session.limits.load(SET, LIMITS, {})
    wide = part(FAILED, image=picture(256, 512), patches=spot(9.0), scoring=scoring)
    open_part(session, wide)
    assert panel.area.view.overlay.boundingRect() == QRectF(32, 16, 448, 224)
    x, y = 32 + 448 * (20.5 / 28), 16 + 224 * (7.5 / 28)
    hot, ordinary = colour_at(panel, x, y), colour_at(panel, x, 256 - y)
    assert hot.red() > ordinary.red() + 60
    assert ordinary == QColor(90, 90, 90)


def test_an_outline_goes_round_the_hot_place_and_counts_pixels_of_the_picture() -> None:
    found = part_map(part(FAILED, image=picture(400, 800), patches=spot(9.0)))
    assert found is not None
    view = map_view(found, LIMITS)
    (outline,), area = view.outlines, view.regions[0].area
    low, high = outline.min(0), outline.max(0)
    x, y = 800 * 20.5 / 28, 400 * 7.5 / 28
    assert low[0] < x < high[0]
    assert low[1] < y < high[1]
    assert np.allclose((low + high) / 2, [x, y], atol=8)
    drawn = (high - low).prod()
    assert 0.7 * drawn < area < 1.1 * drawn


@pytest.mark.parametrize("fit", [KEEP, SQUASH])
@pytest.mark.parametrize(("height", "width"), [(900, 240), (240, 900), (300, 300)])
def test_on_tall_and_wide_pictures_the_outline_goes_round_the_defect(
    fit: str, height: int, width: int
) -> None:
    scoring = replace(SCORING, size=256, height=192, fit=fit)
    place = Geometry.of(scoring).placement(height, width)
    defect = QRectF(0.6 * width, 0.2 * height, 0.1 * width, 0.1 * height)
    patches = np.full((48, 64), np.nan, np.float32)
    top, left, bottom, right = place.cells(4)
    patches[top:bottom, left:right] = 1
    x, y = place.to_input(defect.left(), defect.top())
    x_end, y_end = place.to_input(defect.right(), defect.bottom())
    hot = slice(int(y / 4), int(np.ceil(y_end / 4))), slice(int(x / 4), int(np.ceil(x_end / 4)))
    patches[hot] = 60
    found = part_map(part(FAILED, image=picture(height, width), patches=patches, scoring=scoring))
    assert found is not None
    assert found.area.toAlignedRect() == QRect(0, 0, width, height)
    assert found.fine.shape == (round(512 * height / max(height, width)),
                                round(512 * width / max(height, width)))  # fmt: skip
    view = map_view(found, LIMITS)
    (outline,) = view.outlines
    middle = (outline.min(0) + outline.max(0)) / 2
    cell = 4 * max(height / place.content[0], width / place.content[1])
    assert abs(middle[0] - defect.center().x()) <= cell
    assert abs(middle[1] - defect.center().y()) <= cell
    across, down = outline.max(0) - outline.min(0)
    assert across <= defect.width() + 10 * cell
    assert down <= defect.height() + 10 * cell


def test_space_hides_overlay_and_outlines_while_it_is_held(
    panel: HeatmapPanel, session: Session, qtbot: QtBot
) -> None:
    open_part(session, failed_part())
    view = panel.area.view
    QTest.keyPress(panel, Qt.Key.Key_Space)
    assert not view.overlay.isVisible()
    assert not view.outlines.isVisible()
    assert colour_at(panel, 200 * 20.5 / 28, 200 * 7.5 / 28) == QColor(90, 90, 90)
    QTest.keyRelease(panel, Qt.Key.Key_Space)
    assert view.overlay.isVisible()
    assert view.outlines.isVisible()


def test_the_overlay_comes_back_when_the_window_loses_the_keys_while_space_is_held(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, failed_part())
    panel.hide_overlay(True)
    QApplication.sendEvent(panel, QEvent(QEvent.Type.WindowDeactivate))
    assert panel.area.view.overlay.isVisible()


def test_the_toggle_keeps_the_overlay_hidden_for_the_next_part(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, failed_part())
    panel.header.overlay.click()
    open_part(session, failed_part())
    assert not panel.area.view.overlay.isVisible()
    assert not panel.header.overlay.isChecked()
    panel.toggle_overlay()
    assert panel.area.view.overlay.isVisible()


def test_opacity_changes_the_colours_without_computing_the_map_again(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, failed_part())
    values = panel.area.view.overlay.values
    panel.header.opacity.setValue(20)
    faint = colour_at(panel, 200 * 20.5 / 28, 200 * 7.5 / 28)
    panel.header.opacity.setValue(100)
    full = colour_at(panel, 200 * 20.5 / 28, 200 * 7.5 / 28)
    assert full.red() > faint.red()
    assert panel.area.view.overlay.values is values


def test_zoom_is_kept_for_pictures_of_the_same_size_and_reset_for_another(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, failed_part())
    view = panel.area.view
    view.box.scaleBy((0.3, 0.3))
    view.box.sigRangeChangedManually.emit([True, True])
    zoomed = view.visible_part()
    assert zoomed.width() < 0.5
    open_part(session, failed_part())
    assert view.visible_part() == zoomed
    open_part(session, part(FAILED, image=picture(300, 200), patches=spot(9.0)))
    assert view.visible_part() == QRectF(0, 0, 1, 1)


def test_f_shows_the_whole_picture_again(
    panel: HeatmapPanel, session: Session, qtbot: QtBot
) -> None:
    open_part(session, failed_part())
    panel.area.view.box.scaleBy((0.3, 0.3))
    QTest.keyClick(panel, Qt.Key.Key_F)
    assert panel.area.view.visible_part() == QRectF(0, 0, 1, 1)


def test_the_reference_shows_the_same_part_as_the_picture(
    panel: HeatmapPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_with(session, picture(100, 100), monkeypatch)
    open_part(session, failed_part())
    panel.area.view.box.scaleBy((0.4, 0.4))
    shown, other = panel.area.view.visible_part(), panel.area.references[0].view.visible_part()
    assert other.center().x() == pytest.approx(shown.center().x(), abs=0.02)
    assert other.width() == pytest.approx(shown.width(), rel=0.35)
    assert "reference3.png" in panel.area.references[0].caption.text()


def test_what_if_turns_fail_into_pass_and_says_what_it_was(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, failed_part())
    map_before = panel._map
    session.limits.preview(8.0)
    assert panel.header.word.text() == "PASS"
    assert "was FAIL when inspected" in panel.header.notes.text()
    assert panel._map is map_before
    session.limits.drop_preview()
    assert panel.header.word.text() == "FAIL"
    assert "was FAIL" not in panel.header.notes.text()


def test_a_verdict_is_shown_beside_the_decision(panel: HeatmapPanel, session: Session) -> None:
    open_part(session, failed_part())
    judged = replace(FAILED, verdict=Verdict.REJECT)
    session.history.part = replace(failed_part(), row=judged)
    session.history.changed.emit(judged)
    assert "your verdict: rejected" in panel.header.notes.text()
    assert panel.header.word.text() == "FAIL"


def test_an_unreadable_part_shows_its_reason(panel: HeatmapPanel, session: Session) -> None:
    broken = session.history.row(2)
    assert broken is not None
    open_part(session, part(broken))
    assert panel.header.word.text() == "ERROR"
    assert panel.area.sentence.isVisible()
    assert panel.area.sentence.text() == "part2.png is damaged."
    assert not panel.area.view.isVisible()


def test_a_part_that_passed_by_stage_1_says_so_and_shows_its_map_when_that_comes(
    panel: HeatmapPanel, session: Session
) -> None:
    passed = replace(
        row(3, 1.0), score=None, multiple=None, reason=PASSED_BY_STAGE_1, outcome=Outcome.PASS
    )
    session.history.load([passed], SCORING)
    session._store = None  # there is no engine to ask for the map
    open_part(session, part(passed, image=picture()))
    assert panel.header.word.text() == "PASS"
    assert panel.header.multiple.text() == ""
    assert panel.area.remark.text() == "passed by stage 1; no map"
    assert panel.area.view.isVisible()
    open_part(session, part(passed, image=picture(), patches=spot(9.0)))
    assert panel.header.word.text() == "PASS"
    assert panel.header.notes.text().startswith("passed by stage 1; its map is only for looking")
    assert panel.area.scale.isVisible()
    assert panel.header.overlay.isEnabled()


def test_a_part_whose_picture_is_gone_says_where_it_was(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, part(FAILED, patches=spot(9.0)))
    assert f"no longer at {FAILED.path}." in panel.area.sentence.text()
    assert panel.area.sentence.isVisible()


def test_a_method_without_map_shows_two_references_and_no_scale(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, part(FAILED, image=picture(), scoring=replace(SCORING, method="dn2")))
    assert all(pane.isVisible() for pane in panel.area.references)
    assert not panel.area.scale.isVisible()
    assert "DN2 compares whole pictures" in panel.area.remark.text()
    assert not panel.header.overlay.isEnabled()


def test_a_very_wide_picture_has_the_width_and_a_tall_one_the_height(
    panel: HeatmapPanel, session: Session
) -> None:
    open_part(session, part(FAILED, image=picture(100, 600), patches=spot(9.0)))
    assert panel.area.references[0].y() > panel.area.view.geometry().bottom()
    open_part(session, part(FAILED, image=picture(600, 100), patches=spot(9.0)))
    assert panel.area.references[0].x() > panel.area.view.geometry().right()
    assert panel.area.view.height() == panel.area.height()


def test_dropped_files_and_folders_are_checked(
    panel: HeatmapPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[list[Path]] = []
    monkeypatch.setattr(session, "check", checked.append)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/parts/a b.png"), QUrl.fromLocalFile("/parts/more")])
    drop(panel, mime)
    assert checked == [[Path("/parts/a b.png"), Path("/parts/more")]]
    assert not panel._hint.isVisible()


def test_a_picture_from_a_browser_is_checked_with_exactly_its_pixels(
    panel: HeatmapPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[RGB] = []
    monkeypatch.setattr(session.feeds, "check_picture", lambda image, _name: checked.append(image))
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    mime = QMimeData()
    mime.setImageData(QImage.fromData(encode_png(pixels)))
    drop(panel, mime)
    assert np.array_equal(checked[0], pixels)


def test_text_cannot_be_dropped(panel: HeatmapPanel) -> None:
    mime = QMimeData()
    mime.setText("hello")
    assert not drag_over(panel, mime).isAccepted()
    assert not panel._hint.isVisible()


def test_the_panel_says_that_pictures_may_be_let_go(panel: HeatmapPanel) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/parts/a.png")])
    assert drag_over(panel, mime).dropAction() is Qt.DropAction.CopyAction
    assert panel._hint.isVisible()


def test_pasting_checks_the_files_on_the_clipboard(
    panel: HeatmapPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[list[Path]] = []
    monkeypatch.setattr(session, "check", checked.append)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/parts/a.png")])
    QApplication.clipboard().setMimeData(mime)
    panel.paste()
    assert checked == [[Path("/parts/a.png")]]


def test_an_empty_clipboard_is_said(panel: HeatmapPanel, session: Session, qtbot: QtBot) -> None:
    QApplication.clipboard().clear()
    with qtbot.waitSignal(session.noticed) as said:
        panel.paste()
    assert said.args == ["There is no picture on the clipboard."]


def test_the_empty_program_says_what_to_do_and_offers_the_demo(
    panel: HeatmapPanel, session: Session, qtbot: QtBot
) -> None:
    session.references.load([], None)
    assert "Drop pictures of good parts on the left" in panel.start_page.lines.text()
    with qtbot.waitSignal(panel.demo_requested):
        panel.start_page.demo.click()
    with qtbot.waitSignal(panel.add_requested):
        panel.start_page.add.click()
    assert not panel.start_page.retry.isVisible()


def test_a_refused_workspace_says_why_and_offers_another(
    panel: HeatmapPanel, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.training, "look", lambda: None)  # there is no workspace to look at
    panel.show_refusal("Another program has this workspace open.")
    assert panel.start_page.lines.text() == "Another program has this workspace open."
    with qtbot.waitSignal(panel.retry_requested):
        panel.start_page.retry.click()
    session.workspace_opened.emit()
    assert not panel.start_page.retry.isVisible()


def test_a_panel_that_is_gone_ignores_late_pictures(
    session: Session, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[RGB], None]] = []
    monkeypatch.setattr(session, "ask", lambda _work, *, then, otherwise: asked.append(then))
    panel = HeatmapPanel(session, Theme(qapp))
    open_part(session, failed_part())
    panel.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    asked[0](picture())
    session.history.opened.emit(None)


def answers_with(session: Session, image: RGB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ask", lambda _work, *, then, otherwise: then(image))


def drag_over(panel: HeatmapPanel, mime: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(
        QPoint(50, 50),
        Qt.DropAction.CopyAction | Qt.DropAction.MoveAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    event.ignore()
    QApplication.sendEvent(panel, event)
    return event


def drop(panel: HeatmapPanel, mime: QMimeData) -> None:
    drag_over(panel, mime)
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(panel, event)
