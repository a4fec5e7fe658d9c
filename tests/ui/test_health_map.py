from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector_gui.core.types import Purpose
from inspector_gui.ui.health_lasso import inside
from inspector_gui.ui.health_map import MapTab
from inspector_gui.ui.health_plot import MapPlot, MapPoint
from inspector_gui.ui.theme import Theme
from tests.ui.health import HealthBench, health_bench

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


@given(
    st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=20),
    st.floats(0.5, 5),
)
def test_inside_a_polygon_of_many_corners_is_inside_its_circle(
    points: list[tuple[float, float]], radius: float
) -> None:
    turns = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    found = inside(circle, np.array(points))
    away = np.hypot(*np.array(points).T)
    clear = np.abs(away - radius) > 1e-3 * radius
    assert (found == (away < radius))[clear].all()


def test_a_notch_is_outside_and_fewer_than_three_corners_hold_nothing() -> None:
    notched = np.array([(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)], float)
    points = np.array([(2, 0.5), (2, 3), (0.5, 2), (3.5, 2), (5, 2)], float)
    assert inside(notched, points).tolist() == [True, False, True, True, False]
    assert not inside(notched[:2], points).any()
    assert inside(notched, np.zeros((0, 2))).shape == (0,)


@pytest.fixture
def plot(qtbot: QtBot, qapp: QApplication) -> MapPlot:
    theme = Theme(qapp)
    theme.apply(is_dark=False)
    plot = MapPlot(theme)
    qtbot.addWidget(plot)
    plot.resize(400, 400)
    plot.show()
    qtbot.waitExposed(plot)
    points = [
        MapPoint(f"{row}{column}", float(column), float(row), 0, Purpose.REFERENCE)
        for row in range(5)
        for column in range(5)
    ]
    plot.show_points(points, [])
    qtbot.wait(50)
    return plot


def send(
    plot: MapPlot,
    kind: QEvent.Type,
    place: QPoint,
    *,
    held: Qt.MouseButton = LEFT,
    keys: Qt.KeyboardModifier = NO_KEY,
) -> None:
    """Send what the window system would; pyqtgraph takes a hundred moves a second at most."""
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
    where = QPointF(place)
    event = QMouseEvent(kind, where, QPointF(plot.mapToGlobal(where)), button, held, keys)
    QTest.qWait(12)
    QApplication.sendEvent(plot.viewport(), event)


def press_and_release(plot: MapPlot, place: QPoint, keys: Qt.KeyboardModifier = NO_KEY) -> None:
    send(plot, QEvent.Type.MouseButtonPress, place, keys=keys)
    none = Qt.MouseButton.NoButton
    send(plot, QEvent.Type.MouseButtonRelease, place, held=none, keys=keys)


def drag_around(plot: MapPlot, corners: list[tuple[float, float]]) -> None:
    places = [_pixel(plot, x, y) for x, y in corners]
    send(plot, QEvent.Type.MouseButtonPress, places[0])
    for place, following in pairwise(places):
        for step in range(1, 4):
            send(plot, QEvent.Type.MouseMove, place + (following - place) * step / 3)
    send(plot, QEvent.Type.MouseButtonRelease, places[-1], held=Qt.MouseButton.NoButton)


def _pixel(plot: MapPlot, x: float, y: float) -> QPoint:
    return QPoint(plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y))))


def test_a_lasso_selects_exactly_the_points_inside(plot: MapPlot) -> None:
    plot.set_lasso(True)
    drag_around(plot, [(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5), (0.5, 0.6)])
    assert plot.selection == {"11", "12", "21", "22"}
    drag_around(plot, [(3.5, 3.5), (4.4, 3.5), (4.4, 4.4), (3.5, 4.4)])
    assert plot.selection == {"44"}


def test_without_the_lasso_a_drag_moves_the_map_and_selects_nothing(plot: MapPlot) -> None:
    before = plot.box.viewRange()
    drag_around(plot, [(1, 1.5), (3, 1.5)])
    assert plot.selection == frozenset()
    assert plot.box.viewRange() != before


def test_a_click_chooses_a_point_ctrl_adds_one_and_beside_them_nothing(plot: MapPlot) -> None:
    press_and_release(plot, _pixel(plot, 2, 2))
    assert plot.selection == {"22"}
    press_and_release(plot, _pixel(plot, 3, 3), Qt.KeyboardModifier.ControlModifier)
    assert plot.selection == {"22", "33"}
    press_and_release(plot, _pixel(plot, 2.5, 2.5))
    assert plot.selection == frozenset()


def test_the_mouse_over_a_point_names_it_once(plot: MapPlot) -> None:
    said: list[str] = []
    plot.pointed.connect(said.append)
    for x in (3.0, 3.02, 3.5):
        send(plot, QEvent.Type.MouseMove, _pixel(plot, x, 1), held=Qt.MouseButton.NoButton)
    assert said == ["13", ""]


@pytest.fixture
def bench(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HealthBench]:
    with health_bench(qtbot, qapp, tmp_path, monkeypatch) as bench:
        bench.fill(good=9, validation=2, known_bad=2)
        bench.until_current()
        yield bench


@pytest.fixture
def tab(bench: HealthBench) -> MapTab:
    """The map of a set, which is drawn as soon as it is looked at."""
    bench.window.tab_buttons[1].click()
    bench.until(lambda: bench.window.map.drawn)
    return bench.window.map


def test_the_map_has_every_picture_and_follows_what_is_done_with_them(
    bench: HealthBench, tab: MapTab
) -> None:
    assert len(tab.plot.points) == 13
    good = bench.image("good-004.png")
    tab.plot.select({good.sha256, bench.image("good-007.png").sha256})
    assert [entry.image.name for entry in tab.selected_list.entries] == [
        "good-004.png",
        "good-007.png",
    ]
    tab.exclude_button.click()
    bench.until_excluded("good-004.png", "good-007.png")
    assert len(tab.plot.points) == 11
    assert tab.plot.selection == frozenset()
    bench.undo()
    bench.until(lambda: len(tab.plot.points) == 13)
    tab.plot.select({good.sha256})
    tab.purpose.setCurrentIndex(tab.purpose.findText("Known bad"))
    tab.purpose.activated.emit(tab.purpose.currentIndex())
    bench.until(lambda: bench.image("good-004.png").purpose is Purpose.BAD)
    point = next(p for p in tab.plot.points if p.sha256 == good.sha256)
    assert (point.purpose, point.cluster) == (Purpose.BAD, None)
    assert tab.purpose.currentIndex() == 0
    asked: list[object] = []
    bench.window.grid_requested.connect(asked.append)
    tab.grid_button.click()
    assert asked == [(bench.image("good-004.png"),)]


def test_a_kind_selects_its_points_and_the_mouse_shows_a_picture(
    bench: HealthBench, tab: MapTab
) -> None:
    assert tab.kinds.count() == 1
    assert tab.kinds.item(0).text() == "9 references"
    tab.kinds.setCurrentRow(0)
    tab.kinds.itemClicked.emit(tab.kinds.item(0))
    assert len(tab.selected) == 9
    sha256 = bench.image("good-002.png").sha256
    place = tab.plot.place_of(sha256).toPoint()
    send(tab.plot, QEvent.Type.MouseMove, place, held=Qt.MouseButton.NoButton)
    assert tab.peek.isVisible()
    bench.until(lambda: not tab._peek_picture.pixmap().isNull())
    assert tab.plot.rect().contains(tab.peek.geometry())


@pytest.mark.slow
def test_t_sne_is_drawn_when_asked_for_and_can_be_cancelled(
    bench: HealthBench, tab: MapTab
) -> None:
    tab.choice.setCurrentIndex(1)
    tab.choice.activated.emit(1)
    study = tab.study.study
    assert study is not None
    assert tab.study.cancel_button.isVisible()
    tab.study.cancel_button.click()
    folder = study.folder
    bench.until(lambda: not folder.exists())
    assert not tab.study.cancel_button.isVisible()
    assert "This is PCA." in tab.remark.text()
    tab.draw_button.click()
    bench.until(lambda: tab.drawn is not None and tab.drawn.kind == "tsne")
    bench.commands.include([bench.image("good-001.png")], False, "")
    bench.until_excluded("good-001.png")
    bench.until(lambda: "has changed since" in tab.remark.text())
