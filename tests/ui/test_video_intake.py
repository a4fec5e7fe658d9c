"""Frames of a video as references, from the file to the set."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QTimer, QUrl
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from inspector_gui.core.types import Progress, Purpose, ReferenceImage
from inspector_gui.ui.reference_panel import ReferencePanel
from inspector_gui.ui.video_intake import VideoDialog
from tests.films import write_film
from tests.ui.workplace import Workplace, drop, write_pictures


@pytest.fixture
def panel(place: Workplace, qtbot: QtBot) -> ReferencePanel:
    place.create_set()
    panel = ReferencePanel(place.session, place.commands, place.theme)
    qtbot.addWidget(panel)
    panel.resize(250, 700)
    panel.show()
    return panel


def asked(place: Workplace, panel: ReferencePanel) -> VideoDialog:
    """Return the dialog, once the recorder has looked at the video."""
    place.until(lambda: panel.findChild(VideoDialog))
    dialog = panel.findChild(VideoDialog)
    assert isinstance(dialog, VideoDialog)
    assert dialog.isVisible()
    assert not dialog.isModal()
    return dialog


def images(place: Workplace) -> tuple[ReferenceImage, ...]:
    (only,) = place.stored(lambda store: store.references.load_sets())
    return only.images  # type: ignore[no-any-return]


def test_frames_of_a_chosen_video_become_references_of_its_name(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "line 3.avi")
    panel.choose_video()
    chooser = panel.findChild(QFileDialog)
    assert isinstance(chooser, QFileDialog)
    assert "*.avi" in chooser.nameFilters()[0]
    chooser.filesSelected.emit([str(film)])
    chooser.close()
    dialog = asked(place, panel)
    assert dialog.count.maximum() == 40
    assert dialog.count.value() == 40  # fewer than the usual 200
    assert dialog.count.lineEdit().width() > 40  # the number can be seen
    dialog.count.setValue(3)
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        dialog.accept()
    added = images(place)
    assert [i.name for i in added] == [f"line 3 frame {n:06d}.png" for n in (1, 21, 40)]
    assert {i.origin for i in added} == {"line 3.avi"}
    assert {i.purpose for i in added} == {Purpose.REFERENCE}
    assert (added[0].width, added[0].height) == (160, 120)


def test_a_dropped_video_asks_and_can_be_left(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(write_film(tmp_path / "film.avi")))])
    drop(panel, mime)
    asked(place, panel).reject()
    assert images(place) == ()
    assert not place.session.references.is_importing


def test_a_purpose_can_be_chosen_for_the_frames(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    panel.videos.take(write_film(tmp_path / "film.avi", 6), Purpose.BAD)
    dialog = asked(place, panel)
    assert dialog.purpose.currentText() == "Known bad"
    dialog.purpose.setCurrentIndex(1)
    dialog.count.setValue(2)
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        dialog.accept()
    assert [i.purpose for i in images(place)] == [Purpose.VALIDATION] * 2


def test_adding_frames_is_cancelled_in_the_middle_and_nothing_stays(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    seen: list[int] = []

    def on_progress(progress: Progress | None) -> None:
        if progress is not None:
            seen.append(progress.done)
            if progress.done == 4:
                QTimer.singleShot(0, panel.cancel_button.click)

    place.session.references.import_progressed.connect(on_progress)
    panel.videos.take(write_film(tmp_path / "film.avi"))
    asked(place, panel).accept()
    place.until(lambda: any("cancelled" in notice for notice in place.notices))
    assert images(place) == ()
    assert 4 <= max(seen) < 40


def test_a_video_that_breaks_off_is_said_before_its_frames_are_added(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.avi")
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    panel.videos.take(film)
    dialog = asked(place, panel)
    assert 0 < dialog.count.maximum() < 40
    assert any("breaks off" in line.text() for line in dialog.lines)
    dialog.reject()


def test_what_is_no_video_is_said_and_asks_nothing(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    path = tmp_path / "film.avi"
    path.write_bytes(b"once upon a time" * 100)
    panel.videos.take(path)
    place.until(lambda: any("film.avi is not a video" in n for n in place.notices))
    assert panel.findChild(VideoDialog) is None


def test_some_frames_of_a_folder_keep_their_files(
    place: Workplace, panel: ReferencePanel, tmp_path: Path
) -> None:
    paths = write_pictures(tmp_path / "street", 9)
    panel.choose_frames()
    chooser = panel.findChild(QFileDialog)
    assert isinstance(chooser, QFileDialog)
    chooser.filesSelected.emit([str(tmp_path / "street")])
    chooser.close()
    dialog = asked(place, panel)
    dialog.count.setValue(3)
    with place.qtbot.waitSignal(place.session.references.imported, timeout=20_000):
        dialog.accept()
    assert [i.name for i in images(place)] == [paths[n].name for n in (0, 4, 8)]
    assert {i.origin for i in images(place)} == {"street"}
