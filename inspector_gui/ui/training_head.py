"""How the training is doing, in one line that is read at a glance, and what can be done now."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QProgressBar

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.simplenet.hyperparameters import LEAST_HELD_OUT
from inspector_gui.core.types import ReferenceSet
from inspector_gui.session import Session
from inspector_gui.session.training_values import TrainingState
from inspector_gui.ui.card import Card, set_role
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_tab import button, wrapped
from inspector_gui.ui.training_line import headline, newly_trained
from inspector_gui.ui.training_words import model_words


class TrainingHead(Card):
    """Follows the desk. Only what can be pressed now is there."""

    start_requested = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("")
        self.title.hide()
        self.remark.hide()
        self._session, self._desk = session, session.training
        self._can_start, self._held_out = True, 0.0
        tr = self.tr
        self.heading = ElidedLabel("heading")
        self.told = wrapped("muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the training"))
        desk = self._desk
        self.start_button = button(
            tr("Start training"),
            tr("Train on the references of this set; everything else goes on meanwhile"),
            self.start_requested.emit,
            role="primary",
        )
        self.pause_button = button(
            tr("Pause"), tr("Stop for now; nothing of what was trained is lost"), desk.pause
        )
        self.resume_button = button(
            tr("Go on"), tr("Go on from the last checkpoint"), desk.resume, role="primary"
        )
        self.cancel_button = button(
            tr("Cancel"), tr("End the training; nothing of it is kept"), desk.cancel
        )
        self.discard_button = button(
            tr("Discard"), tr("Remove this training; nothing of it is kept"), desk.discard
        )
        self.judges = QCheckBox(tr("Judge by it when it is done"))
        self.judges.setToolTip(
            tr("Then parts of this set are judged by the new model; else it is only listed")
        )
        self.judges.setChecked(desk.judges_afterwards)
        self.judges.toggled.connect(self._on_judges)
        self._lay_out()
        desk.changed.connect(self.refresh)
        desk.progressed.connect(self.refresh)
        session.references.current_changed.connect(self.refresh)
        session.references.images_changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.heading, 1)
        head.addWidget(self.judges)
        for one in (
            self.start_button,
            self.resume_button,
            self.pause_button,
            self.cancel_button,
            self.discard_button,
        ):
            head.addWidget(one)
        self.body.addLayout(head)
        self.body.addWidget(self.bar)
        self.body.addWidget(self.told)

    def allow_start(self, can_start: bool, held_out: float) -> None:
        """Say whether what is chosen can be trained, and the share that it holds out."""
        self._can_start, self._held_out = can_start, held_out
        self.refresh()

    def refresh(self) -> None:
        """Show how it is now."""
        desk, state = self._desk, self._desk.state
        is_running, is_still = state is TrainingState.RUNNING, state.is_still
        has_run = desk.run is not None
        current = self._session.references.current
        self.heading.setText(headline(desk, current))
        told, role = self._told(current)
        self.told.setText(told)
        set_role(self.told, role)
        self.told.setVisible(bool(told))
        self.start_button.setVisible(not has_run)
        is_enough = current is not None and (
            len(current.included) - self._held_out_of(current) >= MIN_REFERENCES
        )
        self.start_button.setEnabled(self._can_start and is_enough and self._held_out > 0)
        self.pause_button.setVisible(is_running)
        self.resume_button.setVisible(is_still)
        self.cancel_button.setVisible(is_running or state is TrainingState.PAUSING)
        self.discard_button.setVisible(is_still)
        self.bar.setVisible(has_run)
        self._show_bar()

    def _show_bar(self) -> None:
        desk = self._desk
        if desk.progress is not None:
            self.bar.setRange(0, desk.progress.total)
            self.bar.setValue(desk.progress.done)
        elif desk.state is TrainingState.RUNNING:
            self.bar.setRange(0, 0)
        elif desk.run is not None:
            self.bar.setRange(0, max(1, desk.run.epochs))
            self.bar.setValue(desk.epoch)

    def _told(self, current: ReferenceSet | None) -> tuple[str, str]:
        """Return the sentence below, and its look."""
        desk, tr = self._desk, self.tr
        if desk.state is TrainingState.FAILED:
            return desk.reason, "bad"
        if desk.state is TrainingState.INTERRUPTED:
            return tr("Go on with it where it was, or discard it."), "warn"
        if desk.run is not None:
            run = desk.run
            return tr("SimpleNet {} for {}, on {} references").format(
                model_words(run.scoring), run.set_name, len(run.references)
            ), "muted"
        model = newly_trained(desk, current)
        if model is not None:
            return tr("{}: {} references trained on, {} held out for the limit").format(
                model_words(model.scoring), len(model.trained_on), len(model.held_out)
            ), "muted"
        if current is None or not current.included:
            return "", "muted"
        if not self._held_out:
            return tr("Hold out a share of the references: the limit is made from them."), "warn"
        count, held_out = len(current.included), self._held_out_of(current)
        if count - held_out < MIN_REFERENCES:
            return tr(
                "Without the {} that are held out, {} references are left to train on; {} are "
                "needed. Add pictures of good parts."
            ).format(held_out, count - held_out, MIN_REFERENCES), "warn"
        return tr(
            "{} of them are held out, so that the limit is of parts the model has not seen."
        ).format(held_out), "muted"

    def _held_out_of(self, current: ReferenceSet) -> int:
        return max(LEAST_HELD_OUT, round(self._held_out * len(current.included)))

    def _on_judges(self, judges: bool) -> None:
        self._desk.judges_afterwards = judges
