"""The tab "Train": the form on the left, what comes of it on the right, live."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.facts import EpochFacts
from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.health_tab import hint_label
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.training_form import TrainingForm
from inspector_gui.ui.training_plots import HeldOutPlot, LossPlot, OutputPlot

_FORM_WIDTH = 384


class TrainingTab(QWidget):
    """While something is trained the form shows that, and cannot be changed."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._desk = session, session.training
        self._set_id: int | None = None
        self._run_folder: object = None
        self.form = TrainingForm()
        self.loss = LossPlot(theme)
        self.outputs = OutputPlot(theme)
        self.held_out = HeldOutPlot(theme)
        self.hint = hint_label()
        self.hint.setText(
            self.tr(
                "SimpleNet learns from good parts alone: it adds noise to their features and "
                "learns to tell the two apart.\n\n"
                "Choose a preset on the left and start. The feed goes on meanwhile and has "
                "precedence."
            )
        )
        self._lay_out()
        self._desk.changed.connect(self.refresh)
        self._desk.progressed.connect(self._show_epochs)
        session.references.current_changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        left = Card(self.tr("What is trained"))
        scrolled = QScrollArea()
        scrolled.setWidget(self.form)
        scrolled.setWidgetResizable(True)
        scrolled.setFrameShape(QScrollArea.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.viewport().setAutoFillBackground(False)
        self.form.setAutoFillBackground(False)
        left.body.addWidget(scrolled, 1)
        left.setFixedWidth(_FORM_WIDTH)
        tr = self.tr
        losses = Card(tr("Loss"))
        losses.setToolTip(tr("How badly good and noised features are told apart: it should fall"))
        losses.body.addWidget(self.loss, 1)
        self.loss_remark = losses.remark
        outputs = Card(tr("Features told apart"))
        outputs.setToolTip(
            tr("What the discriminator says of good and of noised features: two hills that part")
        )
        outputs.body.addWidget(self.outputs, 1)
        self.outputs_remark = outputs.remark
        held = Card(tr("Held-out good parts"))
        held.setToolTip(tr("Scores of references that are not trained on; the limit is of these"))
        held.body.addWidget(self.held_out, 1)
        self.held_remark = held.remark
        self.plots = QWidget()
        grid = QGridLayout(self.plots)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        grid.addWidget(losses, 0, 0)
        grid.addWidget(outputs, 0, 1)
        grid.addWidget(held, 1, 0, 1, 2)
        for number in range(2):
            grid.setColumnStretch(number, 1)
            grid.setRowStretch(number, 1)
        right = QVBoxLayout()
        right.addWidget(self.hint, 1)
        right.addWidget(self.plots, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(left)
        row.addLayout(right, 1)

    def refresh(self) -> None:
        """Follow the training, and the set where nothing is trained."""
        run, current = self._desk.run, self._session.references.current
        if run is not None and run.folder != self._run_folder:
            self.form.show_scoring(run.scoring)
        elif run is None and (current.id if current else None) != self._set_id:
            self._set_id = current.id if current else None
            self.form.show_set(current.scoring if current else None)
        self._run_folder = run.folder if run is not None else None
        self.form.setEnabled(run is None)
        self._show_epochs()

    def start(self) -> None:
        """Train what the form says."""
        try:
            scoring = self.form.scoring()
        except KnownError as error:
            self._session.notice(str(error))
        else:
            self._desk.start(scoring)

    def _show_epochs(self) -> None:
        desk = self._desk
        epochs = desk.epochs
        has_any = bool(epochs) or desk.run is not None
        self.plots.setVisible(has_any)
        self.hint.setVisible(not has_any)
        total = epochs[-1].epochs if epochs else (desk.run.epochs if desk.run else 1)
        self.loss.show_epochs(epochs, epochs=total)
        self.outputs.show_epoch(epochs[-1] if epochs else None)
        self.held_out.show_epochs(epochs, epochs=total)
        waiting = self.tr("after the first epoch")
        if not epochs:
            for remark in (self.loss_remark, self.outputs_remark, self.held_remark):
                remark.setText(waiting if has_any else "")
            return
        first, last = epochs[0], epochs[-1]
        now, before = f"{last.loss:.3g}", f"{first.loss:.3g}"
        self.loss_remark.setText(self.tr("{} now, {} at first").format(now, before))
        self.outputs_remark.setText(self._told_apart(last))
        if not last.held_out:
            self.held_remark.setText(self.tr("none are held out"))
        elif self.held_out.limit is None:
            self.held_remark.setText("")
        else:
            self.held_remark.setText(
                self.tr("{} parts suggest a limit of {}").format(
                    len(last.held_out), f"{self.held_out.limit:.3g}"
                )
            )

    def _told_apart(self, facts: EpochFacts) -> str:
        """Say how many of both are on their own side of 0."""
        middles = [(a + b) / 2 for a, b in zip(facts.edges, facts.edges[1:], strict=False)]
        good = _share(facts.real_counts, [middle > 0 for middle in middles])
        noised = _share(facts.noised_counts, [middle < 0 for middle in middles])
        return self.tr("good {}, noised {}").format(good, noised)


def _share(counts: tuple[int, ...], are_right: list[bool]) -> str:
    right = sum(count for count, is_right in zip(counts, are_right, strict=True) if is_right)
    return f"{100 * right / max(1, sum(counts)):.0f} %"
