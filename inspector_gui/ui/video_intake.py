"""Frames of a video, or of a folder of frames, as references: asks how many, then adds them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QSpinBox,
    QWidget,
)
from shiboken6 import isValid

from inspector_gui.core.types import Purpose
from inspector_gui.session import Session
from inspector_gui.ui.card import label
from inspector_gui.workers.recorder import Store

if TYPE_CHECKING:  # OpenCV comes after the window, in the recorder's thread
    from inspector_gui.core.video import Frames

USUAL_FRAMES = 200


class VideoDialog(QDialog):
    """Stands beside the window and asks how many frames are wanted, and what for."""

    chosen = Signal(int, object)
    """The number of frames and their `Purpose`."""

    def __init__(self, frames: "Frames", purpose: Purpose, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Add frames of {}").format(frames.name))
        says = label(self.tr("{} has {} frames.").format(frames.name, frames.total), "")
        spread = label(
            self.tr("This many are added, evenly spread, the first and the last among them:"),
            "muted",
        )
        remark = label(frames.remark, "warn")
        self.count = QSpinBox()
        self.count.lineEdit().setTextMargins(6, 0, 6, 0)
        self.count.setRange(1, frames.total)
        self.count.setValue(min(USUAL_FRAMES, frames.total))
        self.count.setAccessibleName(self.tr("Number of frames"))
        self.purpose = QComboBox()
        self.purpose.setAccessibleName(self.tr("What they are for"))
        for known, text in (
            (Purpose.REFERENCE, self.tr("Reference good")),
            (Purpose.VALIDATION, self.tr("Validation good")),
            (Purpose.BAD, self.tr("Known bad")),
        ):
            self.purpose.addItem(text, known)
        self.purpose.setCurrentIndex(list(Purpose).index(purpose))
        buttons = QDialogButtonBox()
        add = buttons.addButton(self.tr("Add frames"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        add.setProperty("role", "primary")
        form = QFormLayout(self)
        self.lines = [line for line in (says, remark, spread) if line.text()]
        for line in self.lines:
            line.setWordWrap(True)
            form.addRow(line)
        form.addRow(self.tr("Frames"), self.count)
        form.addRow(self.tr("As"), self.purpose)
        form.addRow(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(self._on_accepted)

    def _on_accepted(self) -> None:
        purpose = list(Purpose)[self.purpose.currentIndex()]
        self.chosen.emit(self.count.value(), purpose)


class VideoIntake(QObject):
    """Looks at videos in the recorder's thread and adds frames of them one by one."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._parent = parent

    def take(self, path: Path, purpose: Purpose = Purpose.REFERENCE) -> None:
        """Ask how many frames of a video or folder are wanted; what is none is said."""

        def look(_: Store) -> "Frames":
            from inspector_gui.core.video import open_frames

            return open_frames(path)

        def ask(frames: "Frames") -> None:
            if isValid(self):
                dialog = VideoDialog(frames, purpose, self._parent)
                dialog.chosen.connect(partial(self._add, frames))
                dialog.show()

        self._session.ask(look, then=ask)

    def _add(self, frames: "Frames", count: int, purpose: Purpose) -> None:
        from inspector_gui.core.video import chosen_frames

        # Read one at a time and in order, in the recorder's thread: so does the import.
        loads = [partial(frames.file, index) for index in chosen_frames(frames.total, count)]
        name = Path(frames.name).stem
        self._session.references.add_loaded(loads, name=name, purpose=purpose, origin=frames.name)
