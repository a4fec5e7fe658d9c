"""Why flagged?, regions and the scale in the real window, with real features of drawn washers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDoubleSpinBox
from pytestqt.qtbot import QtBot

from inspector_gui import paths
from inspector_gui.core.explain import explain_place
from inspector_gui.core.features import Extractor, FeatureList
from inspector_gui.core.method_options import DEFAULT_RECIPE
from inspector_gui.core.places import input_area, place_at
from inspector_gui.core.types import Scoring
from inspector_gui.session.session import Readiness
from inspector_gui.session.why import Why
from inspector_gui.ui.heatmap_panel import HeatmapPanel
from inspector_gui.ui.part_view import hottest, part_map
from inspector_gui.ui.picture_view import WHOLE, PictureView
from inspector_gui.ui.scale_dialog import ScaleDialog
from tests.drawn import SIDE, picture, png, sha, write_parts
from tests.ui.workplace import Workplace, workplace

SCORING = Scoring(size=96)


@dataclass
class Bench:
    """A panel on a set of washers, with a stained part open."""

    place: Workplace
    panel: HeatmapPanel
    folder: Path

    @property
    def why(self) -> Why | None:
        return self.place.session.why.why

    def answered(self) -> Why:
        self.place.until(lambda: (w := self.why) is not None and (w.answer or w.sentence))
        assert self.why is not None
        return self.why

    def check(self, path: Path) -> None:
        """Judge a picture and open it."""
        history = self.place.session.history
        count = len(history.rows)
        self.place.session.check([path])
        self.place.until(lambda: len(history.rows) == count + 1)
        row_id = history.rows[-1].id
        history.open(row_id)
        self.place.until(lambda: history.part and history.part.row.id == row_id)

    def click(self, x: float, y: float) -> None:
        """Press and let go the mouse over a point of the part's picture."""
        view = self.panel.area.view
        where = view.mapFromScene(view.box.mapViewToScene(QPointF(x, y)))
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Bench]:
    with workplace(qtbot, qapp, tmp_path / "workspace") as place:
        place.session.references._default_scoring = lambda: SCORING
        place.create_set()
        place.add_references(write_parts(tmp_path / "good", range(8)))
        place.until(lambda: place.session.readiness is Readiness.READY)
        panel = HeatmapPanel(place.session, place.theme)
        qtbot.addWidget(panel)
        panel.resize(900, 560)
        with qtbot.waitExposed(panel):
            panel.show()
        bench = Bench(place, panel, tmp_path)
        (stained,) = write_parts(tmp_path / "parts", range(70, 71), defect="stain")
        bench.check(stained)
        yield bench
        panel.hide()


def extracted(*seeds: int) -> FeatureList:
    extractor = Extractor(
        SCORING, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    return FeatureList(tuple(extractor.extract(picture(seed)) for seed in seeds))


def mark_of(view: PictureView) -> QRectF:
    return view.mark.path().boundingRect()


def test_w_shows_the_hot_spot_beside_the_place_that_came_closest(bench: Bench) -> None:
    panel = bench.panel
    panel.explain()
    why = bench.answered()
    part = bench.place.session.history.part
    assert part is not None
    found = part_map(part)
    assert found is not None
    hot = hottest(found)
    assert why.answer is not None
    explanation = why.answer.explanation
    assert explanation is not None
    assert explanation.place == place_at(
        hot.x(), hot.y(), input_area(SCORING, SIDE, SIDE), (24, 24)
    )

    # The same by brute force, from pictures.
    seeds = sorted(range(8), key=lambda seed: sha(png(seed)))
    references = extracted(*seeds)
    stained = Extractor(
        SCORING, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    ).extract(picture(70, defect="stain"))
    assert explanation.place is not None
    wanted = explain_place(stained, references, range(8), explanation.place)
    assert explanation == wanted
    first = wanted.matches[0]
    assert why.answer.hashes[0] == sha(png(seeds[first.row]))
    assert f"good-{seeds[first.row]:03d}.png" in panel.area.match.caption.text()

    # Both are marked, and the mark of the reference is on the place that was found.
    assert mark_of(panel.area.view).contains(hot)
    bench.place.until(lambda: panel.area.match.view.size_shown)
    assert first.place is not None
    y, x = ((v + 0.5) * SIDE / 24 for v in first.place)
    assert mark_of(panel.area.match.view).contains(QPointF(x, y))
    assert panel.area.match.view.size() == panel.area.view.size()
    times = f"{wanted.times_usual:.1f} × usual for this place"
    assert panel.why.strip.headline.text() == times
    assert "× limit" in panel.why.strip.details.text()
    assert panel.header.why.isChecked()


def test_w_again_or_esc_closes_and_everything_is_as_before(bench: Bench) -> None:
    panel = bench.panel
    QApplication.processEvents()
    before = panel.area.view.geometry()
    for close in (panel.explain, lambda: QTest.keyClick(panel, Qt.Key.Key_Escape)):
        panel.explain()
        bench.answered()
        assert panel.area.match.isVisible()
        assert not panel.area.references[0].isVisible()
        close()
        assert bench.why is None
        assert not panel.area.match.isVisible()
        assert not panel.why.strip.isVisible()
        assert panel.area.references[0].isVisible()
        assert panel.area.view.geometry() == before
        assert mark_of(panel.area.view).isEmpty()
        assert not panel.header.why.isChecked()


def test_a_click_explains_the_place_that_was_clicked_up_to_the_corners(bench: Bench) -> None:
    for right in (1, SIDE / 2, SIDE - 1):
        for down in (1, SIDE / 2, SIDE - 1):
            bench.click(right, down)
            answer = bench.answered().answer
            assert answer is not None
            assert answer.explanation is not None
            assert answer.explanation.place == (int(down / SIDE * 24), int(right / SIDE * 24))
            assert QRectF(0, 0, SIDE, SIDE).contains(mark_of(bench.panel.area.view))
            bench.place.session.why.close()


def test_a_click_beside_the_picture_asks_nothing(bench: Bench) -> None:
    view = bench.panel.area.view
    view.box.scaleBy((3, 3))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    assert bench.why is None


def test_a_double_click_fits_and_explains_nothing(bench: Bench) -> None:
    view = bench.panel.area.view
    view.box.scaleBy((0.4, 0.4))
    bench.panel._on_clicked(QPointF(40, 40))
    assert bench.panel.area.match.isVisible()
    view.fit()
    view.double_clicked.emit()
    assert bench.why is None
    assert view.visible_part() == WHOLE


def test_another_candidate_is_shown_where_it_is_clicked(bench: Bench) -> None:
    panel = bench.panel
    panel.explain()
    answer = bench.answered().answer
    assert answer is not None
    assert answer.explanation is not None
    shown = [button for button in panel.why.strip.candidates if button.isVisible()]
    assert len(shown) == 6
    assert len(set(answer.hashes)) == 6
    second = answer.explanation.matches[1]
    shown[1].click()
    bench.place.until(lambda: panel.area.match.view.size_shown)
    name = next(i.name for i in bench.place.current.images if i.sha256 == answer.hashes[1])
    assert name in panel.area.match.caption.text()
    assert second.place is not None
    y, x = ((v + 0.5) * SIDE / 24 for v in second.place)
    assert mark_of(panel.area.match.view).contains(QPointF(x, y))


def test_zoom_is_shared_and_the_match_stays_in_sight(bench: Bench) -> None:
    panel = bench.panel
    panel.explain()
    bench.answered()
    own, other = panel.area.view, panel.area.match.view
    bench.place.until(lambda: other.size_shown)
    own.zoom_to(mark_of(own))
    assert own.visible_part().width() < 0.5
    assert other.visible_part().width() == pytest.approx(own.visible_part().width(), rel=0.02)
    assert other.box.viewRect().contains(mark_of(other).center())
    other.box.scaleBy((2, 2))
    other.box.sigRangeChangedManually.emit([True, True])
    assert own.visible_part().width() == pytest.approx(other.visible_part().width(), rel=0.3)
    own.fit()
    assert other.visible_part() == WHOLE


def test_space_still_hides_the_overlay_and_the_mark_stays(bench: Bench) -> None:
    panel = bench.panel
    panel.explain()
    bench.answered()
    QTest.keyPress(panel, Qt.Key.Key_Space)
    assert not panel.area.view.overlay.isVisible()
    assert not mark_of(panel.area.view).isEmpty()
    QTest.keyRelease(panel, Qt.Key.Key_Space)
    assert panel.area.view.overlay.isVisible()


def test_another_part_closes_the_explanation(bench: Bench) -> None:
    bench.panel.explain()
    bench.answered()
    (good,) = write_parts(bench.folder / "parts", range(40, 41))
    bench.check(good)
    assert bench.why is None
    assert not bench.panel.area.match.isVisible()


def test_a_part_whose_picture_is_gone_is_explained_by_a_sentence(bench: Bench) -> None:
    (good,) = write_parts(bench.folder / "parts", range(40, 41))
    bench.check(good)
    history = bench.place.session.history
    part = history.part
    assert part is not None
    history.part = replace(part, image=None)
    history.opened.emit(history.part)
    bench.panel.explain()
    assert "no longer there" in bench.place.notices[-1]
    assert not bench.panel.area.match.isVisible()
    assert not bench.panel.header.why.isChecked()


def test_the_references_of_dn2_are_named_with_what_is_usual(bench: Bench) -> None:
    bench.place.session.references.set_scoring(Scoring(method="dn2", k=2, size=96))
    bench.place.until(lambda: bench.place.current.scoring.method == "dn2")
    session = bench.place.session
    fingerprint = bench.place.current.fingerprint
    bench.place.until(lambda: (s := session.limits.saved) and s.gallery == fingerprint)
    bench.place.until(lambda: session.readiness is Readiness.READY)
    bench.check(bench.folder / "parts" / "stain-070.png")
    bench.click(40, 40)
    bench.answered()
    strip = bench.panel.why.strip
    assert "usual for good parts" in strip.headline.text()
    assert mark_of(bench.panel.area.view).isEmpty()
    assert bench.panel.area.match.isVisible()


def test_the_default_recipe_says_what_small_details_and_larger_areas_play(bench: Bench) -> None:
    scoring = replace(DEFAULT_RECIPE, size=128)
    bench.place.session.references.set_scoring(replace(scoring, preset="default"))
    bench.place.until(lambda: bench.place.current.scoring.scales == 2)
    session = bench.place.session
    fingerprint = bench.place.current.fingerprint
    bench.place.until(lambda: (s := session.limits.saved) and s.gallery == fingerprint)
    bench.place.until(lambda: session.readiness is Readiness.READY)
    bench.check(bench.folder / "parts" / "stain-070.png")
    bench.panel.explain()
    answer = bench.answered().answer
    assert answer is not None
    assert answer.explanation is not None
    fine, coarse = (scale.times_usual for scale in answer.explanation.scales)
    said = f"small details {fine:.1f} × usual, larger areas {coarse:.1f} ×"
    assert said in bench.panel.why.strip.details.text().splitlines()


def test_patchcore_shows_the_place_of_the_nearest_patch_of_its_bank(bench: Bench) -> None:
    scoring = Scoring(method="patchcore", k=2, size=96, coreset=0.2)
    bench.place.session.references.set_scoring(scoring)
    bench.place.until(lambda: bench.place.current.scoring.method == "patchcore")
    session = bench.place.session
    fingerprint = bench.place.current.fingerprint
    bench.place.until(lambda: (s := session.limits.saved) and s.gallery == fingerprint)
    bench.place.until(lambda: session.readiness is Readiness.READY)
    bench.check(bench.folder / "parts" / "stain-070.png")
    bench.panel.explain()
    answer = bench.answered().answer
    assert answer is not None
    assert answer.explanation is not None
    place, part = answer.explanation.place, session.history.part
    assert place is not None
    assert part is not None
    assert part.patches is not None
    assert part.patches.shape == answer.grid == (12, 12)
    assert answer.explanation.distance == pytest.approx(float(part.patches[place]), rel=1e-6)
    strip = bench.panel.why.strip
    assert "× usual for this place" in strip.headline.text()
    assert "weight of the border" not in strip.details.text()
    bench.place.until(lambda: bench.panel.area.match.view.size_shown)
    first = answer.explanation.matches[0].place
    assert first is not None
    for view, (row, column) in (
        (bench.panel.area.view, place),
        (bench.panel.area.match.view, first),
    ):
        y, x = ((v + 0.5) * SIDE / 12 for v in (row, column))
        assert mark_of(view).contains(QPointF(x, y))


def test_regions_are_listed_and_a_click_zooms_to_one_and_back(bench: Bench) -> None:
    panel = bench.panel
    listed = panel.area.regions
    assert listed.isVisible()
    assert panel._seen is not None
    first = panel._seen.regions[0]
    line = listed.list.item(0).text()
    assert f"{first.area:,} px" in line
    assert "mm²" not in line
    rect = listed.list.visualItemRect(listed.list.item(0)).center()
    QTest.mouseClick(listed.list.viewport(), Qt.MouseButton.LeftButton, pos=rect)
    assert panel.area.view.box.viewRect().contains(QPointF(*first.centre))
    assert panel.area.view.visible_part() != WHOLE
    QTest.mouseClick(listed.list.viewport(), Qt.MouseButton.LeftButton, pos=rect)
    assert panel.area.view.visible_part() == WHOLE
    bench.place.session.limits.preview(1e12)
    assert not listed.isVisible()


def test_two_clicks_and_their_distance_make_a_scale_that_can_be_undone(bench: Bench) -> None:
    place, panel = bench.place, bench.panel
    dialog = ScaleDialog(place.session, place.commands, panel.ruler, place.current, panel)
    dialog.show()
    bench.click(10, 20)
    bench.click(70, 20)
    assert bench.why is None
    assert "pixels" in dialog.found.text()
    typed(dialog.distance, 3.0)
    assert dialog.scale.value() == pytest.approx(0.05, rel=0.05)
    dialog.apply()
    place.until(lambda: place.current.mm_per_pixel)
    scale = place.current.mm_per_pixel
    assert scale == dialog.scale.value()
    assert panel._seen is not None
    area = panel._seen.regions[0].area * scale**2
    assert f"{area:,.3g} mm²" in panel.area.regions.list.item(0).text()
    place.stack.undo()
    place.until(lambda: place.current.mm_per_pixel is None)
    assert "mm²" not in panel.area.regions.list.item(0).text()
    dialog.close()
    assert mark_of(panel.area.view).isEmpty()
    bench.click(40, 40)
    assert bench.why is not None


def test_the_window_of_a_scale_closes_with_its_set_and_leaves_clicks_to_others(
    bench: Bench,
) -> None:
    place, ruler = bench.place, bench.panel.ruler
    dialog = ScaleDialog(place.session, place.commands, ruler, place.current, bench.panel)
    dialog.show()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    place.until(lambda: not ruler.is_active)
    dialog = ScaleDialog(place.session, place.commands, ruler, place.current, bench.panel)
    dialog.show()
    assert ruler.is_active
    place.session.references.delete(place.current.id)
    place.until(lambda: not ruler.is_active)


def typed(field: QDoubleSpinBox, value: float) -> None:
    field.setFocus()
    field.setValue(value)
