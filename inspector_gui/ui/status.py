"""The status bar: device, recipe, references, memory, what runs in the background, and cancel."""

import os

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from inspector_gui.core.types import Progress
from inspector_gui.session import Session
from inspector_gui.session.training_values import TrainingState
from inspector_gui.ui.method_words import method_words
from inspector_gui.ui.training_line import headline
from inspector_gui.workers.engine_state import Phase

_MEMORY_MS = 2000
_EXACT = "exact"  # what goes without saying of a search


class StatusLine(QStatusBar):
    """Says in one line what the program runs on and what it is busy with."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._facts = QLabel()
        self._work = QLabel()
        self._bar = QProgressBar()
        self._bar.setFixedWidth(140)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Background work"))
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Stop adding pictures and take back what was added"))
        self._cancel.clicked.connect(session.references.cancel_import)
        self._facts.setIndent(8)
        self.addWidget(self._facts, 1)
        for widget in (self._work, self._bar, self._cancel):
            self.addPermanentWidget(widget)
            widget.hide()
        self._import: Progress | None = None
        self._megabytes = 0
        session.engine_changed.connect(self._update)
        session.readiness_changed.connect(self._update)
        session.references.current_changed.connect(self._update)
        session.references.import_progressed.connect(self._on_import)
        session.training.changed.connect(self._update)
        session.training.progressed.connect(self._update)
        self._timer = QTimer(self)
        self._timer.setInterval(_MEMORY_MS)
        self._timer.timeout.connect(self._measure)
        self._timer.start()
        self._update()

    def _measure(self) -> None:
        self._megabytes = _resident_megabytes()
        self._update()

    def _on_import(self, progress: Progress | None) -> None:
        self._import = progress
        self._update()

    def _update(self) -> None:
        self._facts.setText("   |   ".join(self._facts_in_words()))
        training = self._training_work()
        work = self._import or self._engine_work() or training
        for widget in (self._work, self._bar):
            widget.setVisible(work is not None)
        self._cancel.setVisible(self._import is not None)
        if work is not None:
            counted = f" {work.done} of {work.total}" if work.total else ""
            if work is training:
                counted = ""  # in epochs already
            if self._session.engine_state.phase is Phase.CHOOSING and self._import is None:
                counted = f" {work.done} %"
            self._work.setText(f"{work.what}{counted}")
            self._bar.setRange(0, work.total)
            self._bar.setValue(work.done)

    def _engine_work(self) -> Progress | None:
        state = self._session.engine_state
        words = {
            Phase.LOADING: self.tr("Loading the network"),
            Phase.CONVERTING: self.tr("Preparing the network (once)"),
            Phase.INDEXING: self.tr("Computing features"),
            Phase.CHOOSING: self.tr("Choosing patches"),
            Phase.CALIBRATING: self.tr("Comparing references"),
        }
        if state.phase not in words:
            return None
        return Progress(words[state.phase], state.done, state.total)

    def _training_work(self) -> Progress | None:
        desk = self._session.training
        if desk.state is not TrainingState.RUNNING or desk.progress is None:
            return None
        words = self.tr("Training: {}").format(headline(desk))
        return Progress(words, desk.progress.done, desk.progress.total)

    def _facts_in_words(self) -> list[str]:
        facts = [self._session.engine_state.device or self.tr("Network not loaded")]
        current = self._session.references.current
        if current is not None:
            scoring = current.scoring
            size = f"{scoring.input_width} × {scoring.input_height}"
            facts.append(f"{method_words(scoring)}, {scoring.backbone}, {size}")
            count = len(current.included)
            words = self.tr("1 reference") if count == 1 else self.tr("{} references")
            facts.append(words.format(count))
            search = self._session.engine_state.search
            if search and search != _EXACT:
                facts.append(self.tr("search: {}").format(search))
        if self._megabytes:
            facts.append(f"{self._megabytes} MB")
        if self._session.workspace is not None:
            facts.append(str(self._session.workspace))
        return facts


def _resident_megabytes() -> int:
    import psutil

    return int(psutil.Process(os.getpid()).memory_info().rss) >> 20
