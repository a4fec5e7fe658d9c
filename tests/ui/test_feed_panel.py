from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from inspector_gui.feed.camera import CameraSource
from inspector_gui.feed.folder import FolderSource
from inspector_gui.ui.feed_choice import FeedChoice, choice_from_key
from inspector_gui.ui.feed_panel import FeedPanel
from inspector_gui.workers.feed_worker import FeedState
from tests.ui.workplace import Workplace, drop, picture


@pytest.fixture
def panel(place: Workplace, qtbot: QtBot) -> FeedPanel:
    panel = FeedPanel(place.session, place.theme)
    qtbot.addWidget(panel)
    panel.resize(290, 200)
    panel.show()
    return panel


def enabled(panel: FeedPanel) -> tuple[bool, bool, bool]:
    return (
        panel.start_button.isEnabled(),
        panel.pause_button.isEnabled(),
        panel.stop_button.isEnabled(),
    )


def test_a_folder_is_started_paused_resumed_and_stopped(
    place: Workplace, panel: FeedPanel, photographs: Path
) -> None:
    place.create_set()
    data = photographs / "hazelnut_toy"
    place.add_references(sorted((data / "train" / "good").iterdir())[:6])
    assert enabled(panel) == (False, False, False)
    panel.take_folder(data / "test" / "colour")
    assert enabled(panel) == (True, False, False)

    QTest.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    place.until(lambda: place.session.feeds.state is FeedState.RUNNING)
    assert enabled(panel) == (False, True, True)
    assert panel.remark.text() == "● running"
    place.until(lambda: place.session.feeds.figures.judged >= 2, seconds=60)
    place.until(lambda: "parts/s · 0 dropped · p95" in panel.figures.text())
    place.until(lambda: int(panel.judged.text().split()[0]) >= 2)
    assert not panel.preview.isVisible()

    QTest.mouseClick(panel.pause_button, Qt.MouseButton.LeftButton)
    place.until(lambda: place.session.feeds.state is FeedState.PAUSED)
    assert enabled(panel) == (False, True, True)
    assert panel.pause_button.text() == "Resume"
    QTest.mouseClick(panel.pause_button, Qt.MouseButton.LeftButton)
    place.until(lambda: place.session.feeds.state is FeedState.RUNNING)
    assert panel.pause_button.text() == "Pause"
    QTest.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
    place.until(lambda: place.session.feeds.state is FeedState.STOPPED)
    assert enabled(panel) == (True, False, False)
    assert panel.remark.text() == "● stopped"


def test_a_folder_that_is_gone_fails_with_its_reason(
    place: Workplace, panel: FeedPanel, tmp_path: Path
) -> None:
    panel.take_folder(tmp_path / "gone")
    place.session.feeds.start(FolderSource(tmp_path / "gone"))
    place.until(lambda: place.session.feeds.state is FeedState.FAILED)
    assert panel.remark.text() == "● failed"
    assert "does not exist" in panel.reason.text()
    assert panel.reason.isVisible()
    assert enabled(panel) == (True, False, False)


def test_starting_without_references_says_what_is_missing(
    place: Workplace, panel: FeedPanel, tmp_path: Path
) -> None:
    panel.take_folder(tmp_path)
    panel.start()
    assert any("good parts" in notice for notice in place.notices)
    assert place.session.feeds.state is FeedState.STOPPED


def test_a_live_source_shows_its_picture_only_while_it_runs(
    place: Workplace, panel: FeedPanel, tmp_path: Path
) -> None:
    from inspector_gui.core.opencv import cv2

    video = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for seed in range(200):
        writer.write(picture(seed % 7, 64)[:48])
    writer.release()
    place.session.feeds.start(CameraSource(str(video)))
    place.until(lambda: not panel.preview.image.isNull())
    assert panel.preview.isVisible()
    runs = [panel.preview.is_running]
    panel.hide()
    runs.append(panel.preview.is_running)
    panel.show()
    runs.append(panel.preview.is_running)
    panel.stop()
    place.until(lambda: place.session.feeds.state is FeedState.STOPPED)
    assert not panel.preview.isVisible()
    runs.append(panel.preview.is_running)
    assert runs == [True, False, True, False]


def test_a_camera_is_typed_in_place(place: Workplace, panel: FeedPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.recent_changed) as recent:
        panel.enter_camera()
        assert panel.address.isVisible()
        panel.address.clear()
        QTest.keyClicks(panel.address, "rtsp://user:secret@camera.local/line")
        QTest.keyClick(panel.address, Qt.Key.Key_Return)
    assert recent.args == [["camera:rtsp://user:secret@camera.local/line"]]
    assert not panel.address.isVisible()
    assert panel.combo.currentText() == "Camera · rtsp://camera.local/line"
    panel.enter_camera()
    QTest.keyClick(panel.address, Qt.Key.Key_Escape)
    assert not panel.address.isVisible()


def test_dropped_folders_become_the_source_and_are_remembered(
    place: Workplace, panel: FeedPanel, tmp_path: Path
) -> None:
    panel.set_recent(["folder:/line1/incoming", "nonsense", "camera:0"])
    assert panel.combo.currentText() == "Folder · line1/incoming"
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    with place.qtbot.waitSignal(panel.recent_changed) as recent:
        drop(panel, mime)
    keys = [f"folder:{tmp_path}", "folder:/line1/incoming", "camera:0"]
    assert recent.args == [keys]
    assert panel.choice == FeedChoice("folder", str(tmp_path))
    assert [choice_from_key(key) for key in keys].index(panel.choice) == 0


def test_show_newest_and_the_history_agree(place: Workplace, panel: FeedPanel) -> None:
    assert panel.follow.isChecked()
    place.session.history.follow(False)
    assert not panel.follow.isChecked()
    panel.follow.click()
    assert place.session.history.follows


def test_a_panel_that_is_gone_misses_nothing(place: Workplace, tmp_path: Path) -> None:
    panel = FeedPanel(place.session, place.theme)
    panel.show()
    place.session.feeds.start(FolderSource(tmp_path))
    place.until(lambda: place.session.feeds.state is FeedState.RUNNING)
    delete(panel)
    place.session.feeds.stop()
    place.until(lambda: place.session.feeds.state is FeedState.STOPPED)
    place.session.history.follow(False)
