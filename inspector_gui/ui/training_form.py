"""Everything that a training depends on, in a form: the preset, and what is changed of it."""

from dataclasses import fields, replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.hyperparameters import (
    CHOICES,
    FAST,
    NAMES,
    RANGES,
    Hyperparameters,
    hyperparameters_for,
)
from inspector_gui.core.types import Scoring
from inspector_gui.session.training_recipe import training_scoring
from inspector_gui.ui.action_table import BACKBONE_NAMES
from inspector_gui.ui.card import label
from inspector_gui.ui.health_tab import button, wrapped
from inspector_gui.ui.training_fields import FieldRow
from inspector_gui.ui.training_words import FieldWords, preset_words, training_groups

_LEVELS = ("1", "2", "3", "1,2", "1,3", "2,3", "1,2,3")
_INPUT = ("backbone", "size", "height", "crop")


class TrainingForm(QWidget):
    """Shows a recipe of SimpleNet and lets it be changed; `scoring` is what it comes to."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = Scoring(method="simplenet", training=Hyperparameters())
        self._of_set: Scoring | None = None
        self.rows: dict[str, FieldRow] = {}
        self.chips: dict[str, QPushButton] = {}
        self.told = label("", "small")
        self.reset_button = button(
            self.tr("Reset all"), self.tr("Take every value from the preset"), self.reset
        )
        self.reason = wrapped("bad")
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        presets = QHBoxLayout()
        presets.setSpacing(6)
        group = QButtonGroup(self)
        for name, (text, tip) in preset_words().items():
            chip = QPushButton(text)
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setProperty("role", "chip")
            chip.setToolTip(tip)
            chip.clicked.connect(lambda _=False, name=name: self.take_preset(name))
            group.addButton(chip)
            presets.addWidget(chip, 1)
            self.chips[name] = chip
        column.addLayout(presets)
        told = QHBoxLayout()
        told.addWidget(self.told, 1)
        told.addWidget(self.reset_button)
        column.addLayout(told)
        column.addWidget(self.reason)
        self._add_title(column, self.tr("Network and input"))
        for words in self._input_words():
            self._add_row(column, words, getattr(Scoring, words.name))
        for part in training_groups():
            self._add_title(column, part.title)
            for words in part.fields:
                self._add_row(column, words, getattr(Hyperparameters, words.name))
        column.addStretch(1)

    def _input_words(self) -> tuple[FieldWords, ...]:
        tr = self.tr
        return (
            FieldWords("backbone", tr("Network"), tr("Computes the features; it is not trained")),
            FieldWords("size", tr("Width, pixels"), tr("To which pictures are brought")),
            FieldWords("height", tr("Height, pixels"), tr("0: the same as the width")),
            FieldWords("crop", tr("Centre crop, pixels"), tr("Of which a model judges; 0: all")),
        )

    @staticmethod
    def _add_title(column: QVBoxLayout, text: str) -> None:
        title = label(text, "title")
        title.setContentsMargins(0, 8, 0, 0)
        column.addWidget(title)

    def _add_row(self, column: QVBoxLayout, words: FieldWords, example: object) -> None:
        choices: tuple[str, ...] = CHOICES.get(words.name, ())
        if words.name == "levels":
            choices = _LEVELS
        elif words.name == "backbone":
            choices = BACKBONE_NAMES
        row = FieldRow(words.name, words.text, words.tip, example=example, choices=choices)
        row.changed.connect(self._on_changed)
        self.rows[words.name] = row
        column.addWidget(row)

    @property
    def preset(self) -> str:
        """The preset that values come from."""
        return next((name for name, chip in self.chips.items() if chip.isChecked()), FAST)

    @property
    def changes(self) -> tuple[str, ...]:
        """The values that are not the preset's."""
        return tuple(name for name, row in self.rows.items() if row.is_changed)

    def scoring(self) -> Scoring:
        """Return what the form says; raises `KnownError` with the sentence for what cannot be."""
        from inspector_gui.core.methods import scoring_for

        values = {name: row.value for name, row in self.rows.items()}
        training = hyperparameters_for(self.preset, {name: values[name] for name in NAMES})
        given = {name: values[name] for name in _INPUT}
        kept = {name: getattr(self._base, name) for name in ("fit", "tiles", "runtime")}
        made = scoring_for(
            "simplenet",
            preset=self.preset,
            precision=self._base.precision,
            training=training,
            **given,
            **kept,
        )
        return replace(made, calibration=self._base.calibration)

    def take_preset(self, name: str) -> None:
        """Show a preset, fitted to the set, in place of all values."""
        base = training_scoring(name, self._of_set)
        self._show(base, base)

    def show_set(self, scoring: Scoring | None) -> None:
        """Begin with what suits a set that scores so: the last training's values, or `FAST`."""
        self._of_set = scoring
        if scoring is not None and scoring.training is not None:
            self.show_scoring(scoring)
        else:
            self.take_preset(FAST)

    def show_scoring(self, scoring: Scoring) -> None:
        """Show what is or was trained."""
        training = scoring.training or Hyperparameters()
        self._show(scoring, training_scoring(training.preset, self._of_set or scoring))

    def reset(self) -> None:
        """Take every value from the preset."""
        self.take_preset(self.preset)

    def _show(self, scoring: Scoring, base: Scoring) -> None:
        training, of_preset = scoring.training, base.training
        assert training is not None
        assert of_preset is not None
        self._base = base
        self.chips[training.preset].setChecked(True)
        known = {field.name for field in fields(Hyperparameters)}
        self.blockSignals(True)
        for name, row in self.rows.items():
            shown, own = (training, of_preset) if name in known else (scoring, base)
            row.show_value(getattr(shown, name), preset=getattr(own, name))
        self.blockSignals(False)
        self._on_changed()

    def _on_changed(self) -> None:
        if self.signalsBlocked():
            return
        count = len(self.changes)
        if not count:
            self.told.setText(self.tr("All values are the preset's"))
        else:
            words = self.tr("1 value changed") if count == 1 else self.tr("{} values changed")
            self.told.setText(words.format(count))
        self.reset_button.setVisible(count > 0)
        try:
            self.scoring()
        except KnownError as error:
            self.reason.setText(str(error))
        else:
            self.reason.setText("")
        self.reason.setVisible(bool(self.reason.text()))
        self.changed.emit()

    @property
    def is_usable(self) -> bool:
        """Whether what the form says can be trained."""
        return not self.reason.text()

    @property
    def held_out(self) -> float:
        """The share of the references that is not trained on; 0 where there is no such share."""
        try:
            value = self.rows["held_out"].value
        except KnownError:
            return 0.0
        least, most = RANGES["held_out"]
        return value if isinstance(value, float) and least <= value <= most else 0.0
