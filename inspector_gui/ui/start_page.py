"""What the centre shows while no part is open: what to do next."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.session import Session
from inspector_gui.session.session import Readiness
from inspector_gui.ui.card import label
from inspector_gui.workers.engine_state import Phase

_WIDTH = 520


class StartPage(QWidget):
    """A calm page with one heading, a few lines and at most two buttons."""

    demo_requested = Signal()
    add_requested = Signal()
    retry_requested = Signal()
    open_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._refusal = ""
        self.heading = label("", "heading")
        self.lines = label("", "muted")
        for text in (self.heading, self.lines):
            text.setWordWrap(True)
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress"))
        self._buttons = QHBoxLayout()
        self._buttons.addStretch(1)
        self.add = self._button(self.tr("Add pictures of good parts…"), primary=True)
        self.demo = self._button(self.tr("Try the demo"))
        self.retry = self._button(self.tr("Try again"), primary=True)
        self.open_other = self._button(self.tr("Open another workspace…"))
        self._buttons.addStretch(1)
        self.add.clicked.connect(self.add_requested)
        self.demo.clicked.connect(self.demo_requested)
        self.retry.clicked.connect(self.retry_requested)
        self.open_other.clicked.connect(self.open_requested)
        self._lay_out()
        session.readiness_changed.connect(self.refresh)
        session.workspace_opened.connect(self._on_workspace_opened)
        self.refresh()

    def show_refusal(self, text: str) -> None:
        """Say why the workspace could not be opened."""
        self._refusal = text
        self.refresh()

    def refresh(self) -> None:
        """Say what to do next."""
        readiness = self._session.readiness
        state = self._session.engine_state
        is_empty = readiness in (Readiness.NO_SET, Readiness.TOO_FEW)
        is_waiting, is_steps = False, is_empty and not self._refusal
        if self._refusal:
            heading, lines = self.tr("The workspace could not be opened"), self._refusal
        elif readiness is Readiness.NO_WORKSPACE:
            heading, lines = self.tr("Opening the workspace…"), ""
            is_waiting = True
        elif is_empty:
            heading, lines = self._first_steps(readiness)
        elif readiness is Readiness.BUSY:
            heading, lines = self._preparing()
            is_waiting = True
        elif readiness is Readiness.FAILED:
            heading, lines = self.tr("Parts cannot be judged now"), state.reason
        else:
            heading = self.tr("Ready")
            lines = self.tr("Drop pictures here to check them, or start a feed on the right.")
        self.heading.setText(heading)
        self.lines.setText(lines)
        self.lines.setVisible(bool(lines))
        side = Qt.AlignmentFlag.AlignLeft if is_steps else Qt.AlignmentFlag.AlignHCenter
        self.lines.setAlignment(side)
        self.progress.setVisible(is_waiting)
        self.progress.setRange(0, state.total if is_waiting else 0)
        self.progress.setValue(state.done)
        self.add.setVisible(is_steps)
        self.demo.setVisible(is_steps)
        self.retry.setVisible(bool(self._refusal))
        self.open_other.setVisible(bool(self._refusal))

    def _on_workspace_opened(self) -> None:
        self._refusal = ""
        self.refresh()

    def _first_steps(self, readiness: Readiness) -> tuple[str, str]:
        current = self._session.references.current
        heading = self.tr("Find defects from pictures of good parts")
        first = self.tr("1   Drop pictures of good parts on the left")
        if readiness is Readiness.TOO_FEW and current is not None and current.included:
            heading = self.tr("A few more pictures of good parts")
            first = self.tr("1   Drop {0} or more pictures of good parts on the left").format(
                MIN_REFERENCES - len(current.included)
            )
        second = self.tr(
            "2   Choose a folder or camera on the right, or drop pictures here to check them"
        )
        return heading, f"{first}\n\n{second}"

    def _preparing(self) -> tuple[str, str]:
        state = self._session.engine_state
        counted = f" {state.done} / {state.total}" if state.total else ""
        words = {
            Phase.LOADING: self.tr("Loading the network…"),
            Phase.CONVERTING: self.tr("Preparing the network for this computer, once…"),
            Phase.INDEXING: self.tr("Looking at the references…") + counted,
            Phase.CHOOSING: self.tr("Choosing patches of the references… {} %").format(state.done),
            Phase.CALIBRATING: self.tr("Comparing the references with each other…") + counted,
        }
        later = self.tr("Pictures that you drop here meanwhile are checked as soon as it is done.")
        return words.get(state.phase, self.tr("Preparing…")), later

    def _button(self, text: str, *, primary: bool = False) -> QPushButton:
        button = QPushButton(text)
        if primary:
            button.setProperty("role", "primary")
        self._buttons.addWidget(button)
        return button

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setSpacing(18)
        column.addStretch(1)
        column.addWidget(self.heading)
        column.addWidget(self.lines)
        column.addWidget(self.progress)
        column.addLayout(self._buttons)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addLayout(column)
        row.addStretch(1)
        for widget in (self.heading, self.lines, self.progress):
            widget.setMinimumWidth(_WIDTH)
            widget.setMaximumWidth(_WIDTH)


def sentence_label() -> QLabel:
    """Return a centred, wrapping label for a sentence in place of a picture."""
    text = label("", "muted")
    text.setWordWrap(True)
    text.setAlignment(Qt.AlignmentFlag.AlignCenter)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return text
