"""A real session on drawn parts with the health window beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Purpose, ReferenceImage, Scoring
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.health_window import HealthWindow
from inspector_gui.ui.theme import Theme
from tests.drawn import write_parts
from tests.session.desk import Desk


class HealthBench(Desk):
    """What a person at the health window would do, and waiting for what comes of it."""

    def __init__(self, qtbot: QtBot, application: QApplication, folder: Path) -> None:
        super().__init__(qtbot, folder)
        self.stack = QUndoStack()
        self.commands = Commands(self.session, self.stack)
        self.theme = Theme(application)
        self.theme.apply(is_dark=True)
        self.open()
        self.window = HealthWindow(self.session, self.commands, self.theme, stack=self.stack)
        with qtbot.waitExposed(self.window):
            self.window.show()

    def add(self, paths: list[Path], purpose: Purpose = Purpose.REFERENCE) -> None:
        """Add pictures and wait until they are there."""
        before = 0 if self.session.references.current is None else len(self.current.images)
        self.session.references.add(paths, purpose)
        self.until(lambda: self.session.references.current is not None)
        self.until(lambda: not self.session.references.is_importing)
        assert len(self.current.images) == before + len(paths)

    def fill(
        self, *, good: int = 10, bad: int = 0, validation: int = 0, known_bad: int = 0
    ) -> None:
        """Add drawn washers; `bad` ones are references with a red thread, which stands out."""
        folder = self.folder.parent
        self.add(write_parts(folder / "references", range(good)))
        if bad:
            paths = write_parts(folder / "spoilt", range(50, 50 + bad), defect="contamination")
            self.add(paths)
        if validation:
            paths = write_parts(folder / "validation", range(60, 60 + validation))
            self.add(paths, Purpose.VALIDATION)
        if known_bad:
            paths = write_parts(folder / "bad", range(70, 70 + known_bad), defect="stain")
            self.add(paths, Purpose.BAD)

    def copy_of(self, seed: int, name: str) -> Path:
        """Return another file with exactly the pixels of a washer."""
        (source,) = write_parts(self.folder.parent / "copied", range(seed, seed + 1))
        path = self.folder.parent / f"{name}.bmp"
        pixels = cv2.imread(str(source))
        assert pixels is not None
        cv2.imwrite(str(path), pixels)
        return path

    def until_current(self) -> None:
        """Wait until the report is of the set as it is now."""
        self.settle()  # the session has noticed what was changed
        self.until(lambda: self.session.health.is_current)

    def undo(self) -> None:
        self.stack.undo()

    def image(self, name: str) -> ReferenceImage:
        return next(image for image in self.current.images if image.name == name)

    @property
    def excluded(self) -> list[str]:
        return sorted(image.name for image in self.current.images if not image.included)

    def until_excluded(self, *names: str) -> None:
        self.until(lambda: self.excluded == sorted(names))


@contextmanager
def health_bench(
    qtbot: QtBot, application: QApplication, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HealthBench]:
    """A bench on an empty workspace, whose new sets score small pictures quickly."""
    monkeypatch.setattr(
        "inspector_gui.session.session.default_scoring", lambda: Scoring(method="dn2", k=2, size=96)
    )
    bench = HealthBench(qtbot, application, folder / "workspace")
    yield bench
    if isValid(bench.window):  # else the test has closed it
        bench.window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert bench.session.stop()
