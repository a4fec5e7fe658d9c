from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector_gui.core.images import encode_png
from inspector_gui.core.lots.result import KindCount, LotResult
from inspector_gui.core.types import Outcome, Scoring
from inspector_gui.demo.parts import draw_part
from inspector_gui.feed.folder import FolderSource
from inspector_gui.session.lot_forming import Forming
from inspector_gui.session.lot_values import KindsFrom, Lot, UsualFrom
from inspector_gui.session.lots import LotDesk
from inspector_gui.session.session import Readiness
from inspector_gui.session.usual_lots import ModelState
from inspector_gui.ui.lot_members import IS_ODD_ROLE, KIND_ROLE
from inspector_gui.ui.lot_view import LotView
from inspector_gui.ui.lot_window import LotWindow
from tests.ui.parts import row
from tests.ui.workplace import Workplace, drop, workplace

KINDS = ("gear", "gasket", "connector")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References in a folder a kind, and two lots: the second has one kind twice."""
    folder = tmp_path_factory.mktemp("drawn")
    for kind in KINDS:
        (folder / "good" / kind).mkdir(parents=True)
        for seed in range(8):
            _write(folder / "good" / kind / f"{kind}-{seed}.png", kind, seed)
    (folder / "lots").mkdir()
    for name, kinds in {"4711": KINDS, "4712": ("gear", "gear", "gasket")}.items():
        for place, kind in enumerate(kinds):
            _write(folder / "lots" / f"{name}_{place}.png", kind, 100 * int(name) + place)
    return folder


def _write(path: Path, kind: str, seed: int) -> None:
    path.write_bytes(encode_png(draw_part(kind, seed=seed, size=96).image))


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
def desk(place: Workplace) -> LotDesk:
    session = place.session
    return LotDesk(
        session.ask,
        session.references,
        session.history,
        session.feeds,
        session.studies,
        can_judge=session.can_judge,
    )


@pytest.fixture
def window(place: Workplace, desk: LotDesk, qtbot: QtBot) -> Iterator[LotWindow]:
    window = LotWindow(place.session, desk, place.theme)
    window.show()
    yield window
    if isValid(window):
        window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def make_ready(place: Workplace, drawn: Path) -> None:
    place.add_references([drawn / "good"])
    place.until(lambda: place.session.readiness is Readiness.READY, seconds=60)


def choose(window: LotWindow, forming: Forming) -> None:
    combo = window.forming.forming
    combo.setCurrentIndex(combo.findData(forming.value))
    combo.activated.emit(combo.currentIndex())


def build(place: Workplace, window: LotWindow, desk: LotDesk) -> None:
    QTest.mouseClick(window.usual.build_button, Qt.MouseButton.LeftButton)
    assert desk.usual.state is ModelState.BUILDING
    place.until(lambda: desk.usual.state is ModelState.READY, seconds=60)


def files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def test_lots_of_a_fed_folder_are_formed_by_name_and_the_odd_one_is_explained(
    place: Workplace, window: LotWindow, desk: LotDesk, drawn: Path
) -> None:
    assert window.view.hint.text() == "First add pictures of good parts in the main window."
    assert not window.usual.build_button.isEnabled()
    make_ready(place, drawn)
    assert list(window.usual.counts.values.items()) == [
        ("connector", 1),
        ("gasket", 1),
        ("gear", 1),
    ]
    assert window.usual.counts.total.text() == "3 parts in a lot"
    assert "then build" in window.view.hint.text()

    build(place, window, desk)
    assert window.usual.state.text() == "● Ready: 3 parts, compared with 256 drawn lots"
    choose(window, Forming.NAMES)
    assert window.forming.example.text() == "4711_front.png → lot 4711"
    assert "parts whose names agree become a lot" in window.view.hint.text()

    place.session.start_feed(FolderSource(drawn / "lots"))
    place.until(lambda: window.view.word.text() == "✕ FAIL", seconds=60)
    assert window.view.name.text() == "4712"
    assert window.view.multiple.text().endswith("× limit")
    assert "2 × gear, expected 1; connector is missing." in window.view.sentence.text()
    assert "Every part passes by itself" in window.view.sentence.text()
    assert window.view.kinds.marks == {
        "connector": "▼ missing",
        "gear": "▲ too many",
        "gasket": "✓ as expected",
    }
    members = window.view.members.model()
    shown = [members.index(n, 0) for n in range(members.rowCount())]
    marked = [(index.data(KIND_ROLE), index.data(IS_ODD_ROLE)) for index in shown]
    assert marked == [("gear", True), ("gear", True), ("gasket", False), ("connector", True)]

    window.list.setFocus()
    QTest.keyClick(window.list, Qt.Key.Key_Down)
    assert (window.view.word.text(), window.view.name.text()) == ("✓ PASS", "4711")
    window.view.members.activated.emit(members.index(1, 0))
    history = place.session.history
    place.until(lambda: history.part is not None and history.part.row.name == "4711_1.png")
    assert not history.follows


def test_a_dropped_group_becomes_one_lot(
    place: Workplace, window: LotWindow, desk: LotDesk, drawn: Path
) -> None:
    make_ready(place, drawn)
    build(place, window, desk)
    drop(window, files(*(drawn / "lots" / f"4712_{n}.png" for n in range(3))))
    place.until(lambda: window.view.word.text() == "✕ FAIL", seconds=60)
    assert window.view.name.text() == "3 dropped parts"
    assert window.model.rowCount() == 1
    assert window.count.text() == "1"


def test_building_can_be_cancelled(
    place: Workplace, window: LotWindow, desk: LotDesk, drawn: Path
) -> None:
    make_ready(place, drawn)
    QTest.mouseClick(window.usual.build_button, Qt.MouseButton.LeftButton)
    assert window.usual.progress.isVisible()
    assert not window.usual.build_button.isVisible()
    QTest.mouseClick(window.usual.cancel_button, Qt.MouseButton.LeftButton)
    assert desk.usual.state is ModelState.NONE
    assert window.usual.build_button.isVisible()
    assert window.usual.state.text() == "● Not built yet"


def test_a_window_closed_while_building_leaves_nothing_behind_and_the_model_comes(
    place: Workplace, window: LotWindow, desk: LotDesk, drawn: Path
) -> None:
    make_ready(place, drawn)
    desk.usual.build()
    window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(window)
    place.until(lambda: desk.usual.state is ModelState.READY, seconds=60)
    again = LotWindow(place.session, desk, place.theme)
    assert again.usual.state.text().startswith("● Ready")
    again.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_settings_show_only_what_matters_and_bad_patterns_are_said(
    place: Workplace, window: LotWindow, desk: LotDesk, drawn: Path
) -> None:
    place.add_references([drawn / "good"])
    usual, forming = window.usual, window.forming
    assert forming.every.isVisible()
    assert not forming.pattern.isVisible()
    choose(window, Forming.NAMES)
    assert not forming.every.isVisible()
    forming.pattern.setText("LOT")
    forming.pattern.editingFinished.emit()
    assert "has no *" in forming.example.text()

    usual.kinds_from.setCurrentIndex(usual.kinds_from.findData(KindsFrom.NAMES.value))
    usual.kinds_from.activated.emit(1)
    assert usual.kind_pattern.isVisible()
    assert set(usual.counts.values) == set(KINDS)
    usual.kind_pattern.setText("(")
    usual.kind_pattern.editingFinished.emit()
    assert "no regular expression" in usual.state.text()
    assert not usual.build_button.isEnabled()

    desk.usual.apply(replace(desk.usual.settings, kind_pattern="", usual=UsualFrom.EVERY))
    assert usual.lot_every.isVisible()
    assert usual.counts.fields == {}
    desk.usual.apply(replace(desk.usual.settings, kinds=KindsFrom.CLUSTERS, clusters=2))
    assert usual.clusters.isVisible()


def test_a_number_that_is_typed_changes_how_many_a_lot_has(
    place: Workplace, window: LotWindow, desk: LotDesk, drawn: Path
) -> None:
    place.add_references([drawn / "good"])
    field = window.usual.counts.fields["gear"]
    field.selectAll()
    QTest.keyClicks(field, "3")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert desk.usual.counts == {"connector": 1, "gasket": 1, "gear": 3}
    assert window.usual.counts.total.text() == "5 parts in a lot"
    assert field.lineEdit().width() > 30, "the number cannot be read"


def lot(outcome: Outcome | None, *kinds: KindCount, remark: str = "") -> Lot:
    rows = (row(1, 1.0), row(2, 1.0))
    if outcome is None:
        return Lot(1, "4711", rows, is_complete=False, remark=remark)
    result = LotResult(2.0, 1.5, outcome, kinds, ("gear", ""), "Because.")
    return Lot(1, "4711", rows, is_complete=True, result=result)


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(Outcome.PASS, "✓ PASS"), (Outcome.UNSURE, "? UNSURE"), (Outcome.FAIL, "✕ FAIL")],
)
def test_a_decision_is_a_sign_a_word_and_a_multiple(
    outcome: Outcome, word: str, place: Workplace, qtbot: QtBot
) -> None:
    view = LotView(place.theme)
    qtbot.addWidget(view)
    view.show_lot(lot(outcome, KindCount("gear", 1.5, 1, 2, 1)), "")
    assert (view.word.text(), view.multiple.text()) == (word, "1.50 × limit")
    assert view.kinds.marks == {"gear": "✓ as expected", "": "? unlike every reference"}
    for is_dark in (True, False):
        place.theme.apply(is_dark=is_dark)
        view.resize(500, 400)
        view.grab()


def test_an_incomplete_lot_has_no_decision_and_no_lot_a_hint(
    place: Workplace, qtbot: QtBot
) -> None:
    view = LotView(place.theme)
    qtbot.addWidget(view)
    view.show_lot(lot(None, remark="Incomplete: 2 of 3 parts so far."), "")
    assert view.word.text() == "INCOMPLETE"
    assert view.sentence.text() == "Incomplete: 2 of 3 parts so far."
    view.show_lot(None, "Drop something.")
    assert view.hint.text() == "Drop something."
    assert view.members.model().rowCount() == 0
