from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector_gui.core.sets.side_by_side import (
    Agreement,
    Candidate,
    ComparedPart,
    Contender,
    Opinion,
    Ran,
    SideBySide,
)
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import PRESETS
from inspector_gui.core.types import Limits, Purpose, Scoring, Verdict
from inspector_gui.feed.folder import FolderSource
from inspector_gui.session.session import Readiness
from inspector_gui.ui.side_by_side_offers import offers_for
from inspector_gui.ui.side_by_side_plot import SideBySidePlot, span
from inspector_gui.ui.side_by_side_table import FIRST_METHOD
from inspector_gui.ui.side_by_side_window import SideBySideWindow
from tests.drawn import write_parts
from tests.ui import parts
from tests.ui.workplace import Workplace, workplace


@pytest.fixture
def place(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workplace]:
    monkeypatch.setattr(
        "inspector_gui.session.session.default_scoring", lambda: Scoring(method="dn2", k=2, size=96)
    )
    with workplace(qtbot, qapp, tmp_path / "workspace") as place:
        yield place
        place.session.studies.cancel_all()


@pytest.fixture
def window(place: Workplace) -> Iterator[SideBySideWindow]:
    window = SideBySideWindow(place.session, place.theme)
    window.show()
    yield window
    if isValid(window):
        window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def fill(place: Workplace, folder: Path) -> None:
    """Add references and a known bad picture, and inspect two good parts and two cracked ones."""
    place.add_references(write_parts(folder / "good", range(6)))
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        bad = write_parts(folder / "bad", range(30, 31), defect="stain")
        place.session.references.add(bad, Purpose.BAD)
    place.until(lambda: place.session.readiness is Readiness.READY)
    write_parts(folder / "feed", range(40, 42))
    write_parts(folder / "feed", range(50, 52), defect="crack")
    place.session.start_feed(FolderSource(folder / "feed"))
    place.until(lambda: len(place.session.history.rows) == 4)
    place.session.feeds.stop_all()


def compare(place: Workplace, window: SideBySideWindow, *names: str) -> SideBySide:
    choose(window, *names)
    QTest.mouseClick(window.run_button, Qt.MouseButton.LeftButton)
    place.until(lambda: window.study.is_running)
    place.until(lambda: not window.study.is_running, 60)
    assert window.study.failure.text() == ""
    assert window.found is not None
    return window.found


def choose(window: SideBySideWindow, *names: str) -> None:
    for box in window.methods.boxes.values():
        box.setChecked(box.text().split(" (")[0] in names)


def click(plot: SideBySidePlot, key: str) -> None:
    at = plot.place_of(key).toPoint()
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at.x(), at.y()))


def has_map(window: SideBySideWindow) -> bool:
    return window.view.part.picture.overlay.values is not None


def test_methods_are_run_on_the_same_parts_and_any_part_can_be_looked_at(
    place: Workplace, window: SideBySideWindow, tmp_path: Path
) -> None:
    assert window.hint.text() == "First add pictures of good parts in the main window."
    assert not window.run_button.isEnabled()
    fill(place, tmp_path)
    before = place.current
    assert window.parts.inspected.text() == "Inspected parts (4)"
    assert window.parts.bad.text() == "Known bad (1)"
    assert not window.parts.validation.isEnabled()
    choose(window, "DN2")
    assert window.hint.text() == "Choose at least two methods on the left."
    assert not window.run_button.isEnabled()
    found = compare(place, window, "DN2", "PatchCore")
    assert place.current == before
    assert [ran.contender.is_own for ran in found.methods] == [True, False]
    assert "of 5 fail" in window.outcome.lines["PatchCore"]
    assert "of 1 bad" in window.outcome.lines["PatchCore"]
    view = window.view
    assert len(view.plot.points) == 5
    assert view.count.text() == "5 of 5 parts"
    words = [view.model.index(row, FIRST_METHOD).data() for row in range(5)]
    assert all("PASS" in word or "FAIL" in word for word in words)

    # A click on a point opens the part here and in the main window.
    cracked = next(p for p in found.parts if "crack" in p.candidate.name)
    click(view.plot, cracked.candidate.key)
    history = place.session.history
    place.until(lambda: history.part is not None)
    assert history.part is not None
    assert history.part.row.id == cracked.candidate.row_id
    assert not history.follows
    assert view.table.currentIndex().data() == cracked.candidate.name
    place.until(lambda: view.part.picture.size_shown == (96, 96))
    place.until(lambda: view.part.reference.size_shown == (96, 96))
    assert view.part.reference_name.text().startswith("Nearest reference: good-")

    # The map is that of the method whose decision is chosen; DN2 has none.
    assert view.part.by.currentText().startswith("DN2 ")
    assert not has_map(window)
    cell = view.table.currentIndex().siblingAtColumn(FIRST_METHOD + 1)
    at = view.table.visualRect(cell).center()
    QTest.mouseClick(view.table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.part.by.currentText().startswith("PatchCore ✕ FAIL")
    assert has_map(window)
    assert not view.part.picture.outlines.path().isEmpty()

    # A row of a picture of the set is shown, though it is in no history.
    QTest.keyClick(view.table, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert view.part.name.text().startswith("stain")
    assert view.part.known.text() == "✕ known bad"
    assert history.part.row.id == cracked.candidate.row_id

    # A verdict is a mark at once, and so is another limit of the set's own recipe.
    assert cracked.candidate.row_id is not None
    history.set_verdicts([(cracked.candidate.row_id, Verdict.REJECT)])
    place.until(lambda: "of 2 bad" in window.outcome.lines["DN2"])
    place.session.limits.preview(place.session.limits.saved.absolute(60))  # type: ignore[union-attr]
    place.until(lambda: window.outcome.lines["DN2"].startswith("0 of 5 fail"))
    place.session.limits.drop_preview()
    place.until(lambda: not window.outcome.lines["DN2"].startswith("0 of 5 fail"))

    # The filter lists what they disagree on, and a changed set makes all of it old.
    odd = window.found.disagreeing if window.found is not None else frozenset()
    QTest.mouseClick(view.filter_button, Qt.MouseButton.LeftButton)
    assert set(view.table.keys) == odd
    assert view.filter_button.text() == f"Only where methods disagree ({len(odd)})"
    assert not window.stale.isVisible()
    place.session.references.set_included([place.current.images[0].id], False, "test")
    place.until(window.stale.isVisible)
    assert "compare again" in window.stale.text()


def test_closing_the_window_ends_the_child(
    place: Workplace, window: SideBySideWindow, tmp_path: Path
) -> None:
    fill(place, tmp_path)
    choose(window, "DN2", "SPADE", "PatchCore")
    window.compare()
    place.until(lambda: window.study.is_running)
    study = window.study.study
    assert study is not None
    assert not window.run_button.isEnabled()
    window.close()
    place.until(lambda: not study.folder.exists())


LIMITS = Limits(0.0, 1.0, 1.0, 0.5, "a rule", "")


def drawn_up(*scores: tuple[float, float]) -> SideBySide:
    """Return a comparison with these multiples of two methods' limits, and a method that failed."""
    ran = [Ran(Contender(name, Scoring(method=m)), LIMITS, 6, 0.02, "CPU")
           for name, m in (("SPADE", "spade"), ("PatchCore", "patchcore"))]  # fmt: skip
    failed = Ran(Contender("DN2", Scoring(method="dn2")), failure="Its network is not there.")
    compared = (
        ComparedPart(
            Candidate(f"part{n}.png", f"{n:064x}", purpose="bad" if n == 0 else ""),
            (Opinion(x), Opinion(y), None),
        )
        for n, (x, y) in enumerate(scores)
    )
    return SideBySide((*ran, failed), tuple(compared), ("a.png cannot be read.",))


def test_fields_are_named_and_counted_rows_are_sorted_and_failures_are_said(
    place: Workplace, window: SideBySideWindow
) -> None:
    place.create_set()
    window._show_result(drawn_up((0.2, 0.1), (1.5, 2.5), (0.5, 1.2), (1.1, 0.2), (40.0, 0.3)))
    view = window.view
    words = {agreement: text.toPlainText() for agreement, text in view.plot.fields.items()}
    assert words == {
        Agreement.NEITHER_FAILS: "neither fails: 1",
        Agreement.BOTH_FAIL: "both fail: 1",
        Agreement.ONLY_FIRST_FAILS: "only SPADE fails: 2",
        Agreement.ONLY_SECOND_FAILS: "only PatchCore fails: 1",
    }
    assert window.outcome.lines["DN2"] == "Its network is not there."
    assert view.gone.text() == "1 picture is gone"
    assert view.gone.toolTip() == "a.png cannot be read."
    assert view.model.columnCount() == FIRST_METHOD + 2
    view.table.sortByColumn(FIRST_METHOD, Qt.SortOrder.AscendingOrder)
    assert [int(key, 16) for key in view.table.keys] == [4, 1, 3, 2, 0]
    view.filter_button.setChecked(True)
    assert [int(key, 16) for key in view.table.keys] == [4, 3, 2]
    assert view.count.text() == "3 of 5 parts"
    far = view.plot.place_of(f"{4:064x}")
    assert view.plot.rect().contains(far.toPoint())  # beyond the axis, at its end
    click(view.plot, f"{3:064x}")
    assert view.table.currentIndex().data() == "part3.png"
    view.up.setCurrentIndex(0)
    view.across.setCurrentIndex(1)
    view.across.activated.emit(1)
    assert view.plot.fields[Agreement.ONLY_FIRST_FAILS].toPlainText() == "only PatchCore fails: 1"


def test_what_was_found_of_one_set_is_gone_once_another_is_current(
    place: Workplace, window: SideBySideWindow
) -> None:
    place.create_set()
    window._show_result(drawn_up((0.2, 0.1), (1.5, 2.5)))
    assert window.pages.currentWidget() is window.view
    place.create_set("Others")
    assert window.found is None
    assert window.hint.isVisible()
    assert window.hint.text() == "First add pictures of good parts in the main window."
    assert not window.outcome.isVisible()


def test_ends_of_an_axis_show_the_limit_and_no_outlier_squeezes_the_rest() -> None:
    assert span([]) == (-0.6, 2.0)
    assert span([0.1, 3.5]) == (-0.6, 3.5)
    assert span([-50.0, 900.0]) == (-3.0, 6.0)


def test_methods_on_offer_are_the_sets_own_and_the_others_as_the_menu_has_them() -> None:
    own = Scoring(method="spade", k=10, precision="int8", calibration="ab")
    current = replace(parts.SET, scoring=own)
    saved = replace(LIMITS, gallery=current.fingerprint)
    offers = offers_for(current, saved, ())
    names = [offer.contender.name for offer in offers]
    assert names == ["SPADE", "Default", "PatchCore", "DN2"]
    first, *others = (offer.contender for offer in offers)
    assert (first.scoring, first.is_own, first.limits) == (own, True, saved)
    assert {one.scoring.precision for one in others} == {"f32"}
    assert all(one.limits is None and not one.scoring.calibration for one in others)
    stale = replace(LIMITS, gallery="of other references")
    assert offers_for(current, stale, ())[0].contender.limits is None


def test_models_of_the_set_are_offered_by_when_they_were_trained() -> None:
    hashes = tuple(image.sha256 for image in parts.IMAGES)
    scoring = Scoring(method="simplenet", model="m1", training=PRESETS["fast"])
    known = ModelFacts("m1", 0.0, scoring, 0.1, hashes[1:], {hashes[0]: -0.5}, (), 1.0)
    older = replace(known, id="m2", scoring=replace(scoring, model="m2"), trained_on=hashes[2:])
    foreign = replace(older, id="m3", trained_on=("ff",), held_out={})
    offers = offers_for(parts.SET, None, (known, older, foreign))
    models = [offer for offer in offers if offer.contender.scoring.model]
    assert [offer.key for offer in models] == ["m1", "m2"]
    assert models[0].contender.name.startswith("SimpleNet ")
    assert models[1].contender.name.endswith("(older references)")
    untrained = replace(parts.SET, scoring=replace(scoring, model=""))
    assert "simplenet" not in [o.contender.scoring.method for o in offers_for(untrained, None, ())]
