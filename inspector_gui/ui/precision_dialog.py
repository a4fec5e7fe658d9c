"""Precision and runtime of a set, and what another choice does before it is applied."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.calibration import follows_suggestion
from inspector_gui.core.errors import KnownError
from inspector_gui.core.runtimes import INT8, check_choice
from inspector_gui.core.sets.switching import Changed, Switch
from inspector_gui.core.types import ReferenceSet, Scoring
from inspector_gui.session import Session
from inspector_gui.ui.before_after import BeforeAfter, milliseconds
from inspector_gui.ui.health_tab import StudyLine, button, wrapped

_NARROWEST = 520
_HASH = int(Qt.ItemDataRole.UserRole)


class PrecisionDialog(QDialog):
    """Stands beside the window. Comparing changes nothing; what is applied counts from then on."""

    pictures_requested = Signal(object)
    """The tuple of `ReferenceImage`s that somebody wants to see."""

    def __init__(
        self, session: Session, current: ReferenceSet, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Precision and runtime of this set"))
        self._session, self._set_id, self._scoring = session, current.id, current.scoring
        tr = self.tr
        self.precision = _choice(
            tr("Precision"),
            {
                "f32": tr("f32: 7 digits, the default"),
                "bf16": tr("bf16: 2 digits"),
                "f16": tr("f16: 3 digits"),
                INT8: tr("int8: 256 steps, calibrated on the references"),
            },
            current.scoring.precision,
        )
        self.runtime = _choice(
            tr("Runtime"),
            {"openvino": tr("OpenVINO (CPU)"), "torch": tr("torch (GPU or CPU)")},
            current.scoring.runtime,
        )
        self.anew = QCheckBox(tr("Calibrate anew, on the references as they are now"))
        self.compare_button = button(
            tr("Compare"),
            tr("Score references, validation and known bad pictures both ways; changes nothing"),
            self.compare,
        )
        self.study = StudyLine(session, "compare", tr("Comparing"), self)
        self.found = SwitchView()
        self.reason = wrapped("bad")
        self._lay_out()
        for choice in (self.precision, self.runtime):
            choice.currentIndexChanged.connect(self._on_chosen)
        self.anew.toggled.connect(self._on_chosen)
        self.study.finished.connect(self._on_compared)
        self.study.changed.connect(self._show)
        self.found.picture_requested.connect(self._on_picture_requested)
        session.references.images_changed.connect(self._on_chosen)
        session.references.current_changed.connect(self._on_chosen)
        self._on_chosen()

    def _lay_out(self) -> None:
        form = QFormLayout()
        for choice in (self.precision, self.runtime):
            form.addRow(choice.accessibleName(), choice)
        form.addRow(self.anew)
        self.setMinimumWidth(_NARROWEST)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.compare_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.study)
        column.addWidget(self.found, 1)
        column.addWidget(self.reason)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Close
        )
        self.apply_button = buttons.button(QDialogButtonBox.StandardButton.Apply)
        self.apply_button.clicked.connect(self.apply)
        buttons.rejected.connect(self.close)
        column.addWidget(buttons)

    def compare(self) -> None:
        """Find out what the choice does; changes nothing."""
        scoring, limits = self._chosen(), self._session.limits.saved
        if scoring is None:
            return
        by_hand = None if limits is None or follows_suggestion(limits) else asdict(limits)
        self.found.hide()
        self.study.begin({"scoring": asdict(scoring), "by_hand": by_hand})

    def apply(self) -> None:
        """Let the set score by the choice; what cannot be is said here and changes nothing."""
        scoring = self._chosen()
        if scoring is not None:
            self._session.references.set_scoring(scoring)
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.study.cancel()
        super().closeEvent(event)

    def _chosen(self) -> Scoring | None:
        """Return the scoring that is chosen; None, with the reason shown, where it cannot be."""
        references = self._session.references
        current = references.current
        try:
            if current is None or (current.id, current.scoring) != (self._set_id, self._scoring):
                raise KnownError(self.tr("Another set or recipe is current now; open this again."))
            precision, runtime = self.precision.currentData(), self.runtime.currentData()
            check_choice(runtime, precision)
            scoring = replace(self._scoring, precision=precision, runtime=runtime)
            anew = self.anew.isEnabled() and self.anew.isChecked()
            scoring = references.calibrated(scoring, anew=anew)
        except KnownError as error:
            self.reason.setText(str(error))
            return None
        self.reason.setText("")
        return scoring

    def _on_chosen(self) -> None:
        """Forget what was found out of another choice, or of other pictures."""
        self.study.clear()
        self.found.hide()
        was_int8 = self._scoring.precision == INT8
        self.anew.setVisible(was_int8)
        self.anew.setEnabled(was_int8 and self.precision.currentData() == INT8)
        self._show()

    def _show(self) -> None:
        can_be = self._chosen() not in (None, self._scoring)
        self.apply_button.setEnabled(can_be)
        self.compare_button.setEnabled(can_be and not self.study.is_running)

    def _on_compared(self, result: Mapping[str, Any]) -> None:
        self.found.show_switch(Switch.from_json(result))
        self.found.show()

    def _on_picture_requested(self, sha256: str) -> None:
        current = self._session.references.current
        images = () if current is None else current.images
        self.pictures_requested.emit(tuple(i for i in images if i.sha256 == sha256))


class SwitchView(QWidget):
    """What a comparison found: a table, and the pictures that would be decided otherwise."""

    picture_requested = Signal(str)
    """The content hash of a picture that somebody wants to see."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = BeforeAfter()
        self.scores = wrapped()
        self.decisions = wrapped()
        self.changed = QListWidget()
        self.changed.setAccessibleName(self.tr("Pictures that would be decided otherwise"))
        self.changed.itemClicked.connect(self._on_picked)
        self.changed.itemActivated.connect(self._on_picked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        column.addWidget(self.scores)
        column.addWidget(self.decisions)
        column.addWidget(self.changed, 1)
        self.hide()

    def show_switch(self, found: Switch) -> None:
        """Show what was found."""
        tr = self.tr
        self.table.show_rows(
            {
                tr("Runs on"): (found.before.device, found.after.device),
                tr("Time to judge a part"): (
                    milliseconds(found.before.seconds),
                    milliseconds(found.after.seconds),
                ),
            }
        )
        self.scores.setText(self._scores_in_words(found))
        count = len(found.changed)
        if count:
            words = tr("{} of {} decisions would change, by {}:").format(
                count, found.decided, found.rule
            )
        else:
            words = tr("None of {} decisions would change, by {}.").format(
                found.decided, found.rule
            )
        self.decisions.setText(words)
        self.changed.clear()
        for one in found.changed:
            item = QListWidgetItem(self._in_words(one))
            item.setData(_HASH, one.sha256)
            self.changed.addItem(item)
        self.changed.setVisible(count > 0)

    def _scores_in_words(self, found: Switch) -> str:
        tr = self.tr
        names = {
            "reference": tr("references"),
            "validation": tr("validation pictures"),
            "bad": tr("known bad pictures"),
        }
        scored = ", ".join(f"{n} {names[purpose]}" for purpose, n in found.counts.items())
        words = [tr("{} scored against {} references.").format(scored, found.among)]
        if found.typical is not None and found.largest is not None:
            said = tr("Scores change by {} typically, by {} at most ({}).")
            if found.is_signed:
                said = tr(
                    "Scores change by {} of the way from a good part to the limit typically, by "
                    "{} at most ({})."
                )
            words.append(
                said.format(_percent(found.typical), _percent(found.largest), found.largest_of)
            )
        if found.agreement is not None:
            words.append(
                tr("Agreement of their order: {} (1: the same).").format(f"{found.agreement:.3f}")
            )
        return " ".join(words)

    def _in_words(self, one: Changed) -> str:
        return self.tr("{}: {} {} becomes {} {}").format(
            one.name,
            one.before,
            f"{one.multiple_before:.2f} ×",
            one.after,
            f"{one.multiple_after:.2f} ×",
        )

    def _on_picked(self, item: QListWidgetItem) -> None:
        self.picture_requested.emit(item.data(_HASH))


def _choice(name: str, texts: Mapping[str, str], current: str) -> QComboBox:
    choice = QComboBox()
    for value, text in texts.items():
        choice.addItem(text, value)
    choice.setCurrentIndex(choice.findData(current))
    choice.setAccessibleName(name)
    return choice


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"
