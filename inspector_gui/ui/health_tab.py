"""What the tabs of the health window share: what they get, buttons, and a study's progress."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.types import Progress, ReferenceImage, ReferenceSet
from inspector_gui.session import Session
from inspector_gui.session.studies import Study
from inspector_gui.ui.card import label
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_facts import Facts
from inspector_gui.ui.reference_grid import HINT_PX
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import Thumbnails

_SECONDS_BEFORE_GUESS = 2.0
_NARROWEST_BAR = 60


@dataclass(frozen=True, eq=False)
class Place:
    """What every tab works with."""

    session: Session
    commands: Commands
    theme: Theme
    thumbnails: Thumbnails

    @property
    def current(self) -> ReferenceSet | None:
        """The set that the window shows."""
        return self.session.references.current


class HealthTab(QWidget):
    """A page of the health window. `refresh` is called whenever the set or its report changed."""

    grid_requested = Signal(object)
    """The tuple of `ReferenceImage`s to show in the main window's grid."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = place

    def refresh(self, facts: Facts | None) -> None:
        """Show the set as it is now; `facts` is None while there is no report of it."""

    def change_set(self) -> None:
        """Forget everything: another set is current."""

    def exclude_selected(self) -> None:
        """Leave out what is selected here."""

    def leave(self) -> None:
        """End what runs: the window is closing."""

    def exclude(self, images: Sequence[ReferenceImage], reason: str) -> None:
        """Leave pictures out, as one step that can be undone."""
        self.place.commands.include(images, False, reason)


def button(text: str, tooltip: str, do: Callable[[], object], *, role: str = "") -> QPushButton:
    """Return a button that is not pressed by Enter elsewhere in the window."""
    made = QPushButton(text)
    made.setToolTip(tooltip)
    made.setAutoDefault(False)
    if role:
        made.setProperty("role", role)
    made.clicked.connect(lambda: do())
    return made


def wrapped(role: str = "") -> QLabel:
    """Return a label for sentences."""
    made = label("", role)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def hint_label() -> QLabel:
    """Return a label that says in the middle of an empty place what to do."""
    made = wrapped("muted")
    large = QFont(made.font())
    large.setPixelSize(HINT_PX)
    made.setFont(large)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    return made


class StudyLine(QWidget):
    """One study at a time: how far it is, how long it takes, cancel, and why it failed.

    In a narrow place what is said has a line of its own.
    """

    finished = Signal(object)
    """The result: a dictionary."""
    changed = Signal()
    """It began or ended, whichever way."""

    def __init__(
        self,
        session: Session,
        kind: str,
        words: str,
        parent: QWidget | None = None,
        *,
        is_narrow: bool = False,
    ) -> None:
        super().__init__(parent)
        self._session, self._kind, self._words = session, kind, words
        self.study: Study | None = None
        self._began = 0.0
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(words)
        self.bar.setMinimumWidth(_NARROWEST_BAR)
        self.text = ElidedLabel("small")
        self.failure = wrapped("bad")
        self.cancel_button = button(
            self.tr("Cancel"), self.tr("End this; nothing is changed"), self.cancel
        )
        self._running = QWidget()
        row = QHBoxLayout(self._running)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.bar, 1)
        if not is_narrow:
            row.addWidget(self.text, 1)
        row.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._running)
        if is_narrow:
            column.addWidget(self.text)
        column.addWidget(self.failure)
        self._show_state("")

    @property
    def is_running(self) -> bool:
        """Whether a study is under way."""
        return self.study is not None

    def begin(self, parameters: Mapping[str, Any]) -> None:
        """Start a study in place of the one that runs."""
        self.cancel()
        study = self._session.studies.begin(self._kind, parameters)
        if study is None:
            self._end(self.tr("First add pictures of good parts in the main window."))
            return
        self.study, self._began = study, time.monotonic()
        study.progressed.connect(self._on_progressed)
        study.finished.connect(self._on_finished)
        study.failed.connect(self._end)
        self.bar.setRange(0, 0)
        self.text.setText(f"{self._words}…")
        self._show_state("")
        self.changed.emit()

    def cancel(self) -> None:
        """End the study that runs, if any."""
        if self.study is not None:
            self.study.cancel()
            self._end("")

    def clear(self) -> None:
        """End what runs and forget why something failed."""
        self.cancel()
        self._show_state("")

    def in_words(self, progress: Progress) -> str:
        """Return what is being done."""
        return f"{self._words}…"

    def _on_progressed(self, progress: Progress) -> None:
        if self.study is None:
            return
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        self.text.setText(f"{self.in_words(progress)} {self._time_left(progress)}".strip())

    def _time_left(self, progress: Progress) -> str:
        elapsed = time.monotonic() - self._began
        if not progress.done or elapsed < _SECONDS_BEFORE_GUESS:
            return ""
        seconds = elapsed * (progress.total - progress.done) / progress.done
        if seconds < 90:
            return self.tr("about {} s left").format(max(1, round(seconds)))
        return self.tr("about {} min left").format(round(seconds / 60))

    def _on_finished(self, result: object) -> None:
        self._end("")
        self.finished.emit(result)

    def _end(self, sentence: str) -> None:
        self.study = None
        self._show_state(sentence)
        self.changed.emit()

    def _show_state(self, sentence: str) -> None:
        self.failure.setText(sentence)
        self.failure.setVisible(bool(sentence))
        self._running.setVisible(self.is_running)
        self.text.setVisible(self.is_running)
