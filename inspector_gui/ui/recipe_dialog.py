"""The numbers of a recipe's scoring half: neighbours, smoothing and input size of the set."""

from dataclasses import asdict, replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from inspector_gui.core.errors import KnownError
from inspector_gui.core.method_options import GEOMETRY, has_option
from inspector_gui.core.types import (
    ALL_REFERENCES,
    AUTOMATIC,
    EXACT_ONLY,
    KEEP,
    SQUASH,
    Scoring,
)
from inspector_gui.session import Session
from inspector_gui.ui.card import label
from inspector_gui.ui.gate_fields import GateFields
from inspector_gui.ui.level_fields import LevelFields

_FIXED = ("method", "preset", "border_weight")
_TWO = 2
_SIDE_STEP = 32


class RecipeDialog(QDialog):
    """Stands beside the window; what it applies counts from the next part on."""

    def __init__(self, session: Session, scoring: Scoring, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Parameters of this set"))
        self._session, self._scoring = session, scoring
        self.fields: dict[str, QSpinBox | QDoubleSpinBox] = {
            "k": _whole(1, 1_000_000),
            "kappa": _whole(1, 100),
            "sigma": _decimal(0, 64),
            "coreset": _decimal(0.001, 1, step=0.05, decimals=3),
            "size": _whole(32, 8192, step=_SIDE_STEP),
            "height": _whole(0, 8192, step=_SIDE_STEP),
            "crop": _whole(0, 8192, step=_SIDE_STEP),
            "tiles": _whole(0, 2048, step=_SIDE_STEP),
        }
        texts = {
            "k": self.tr("K: references that are neighbours of a part"),
            "kappa": self.tr("κ: gallery features that are neighbours of a place"),
            "sigma": self.tr("σ: smoothing of the map, pixels of a 224 × 224 input"),
            "size": self.tr("Width that pictures are resized to, pixels"),
            "height": self.tr("Height that pictures are resized to, 0 for the same as the width"),
            "tiles": self.tr("Tiles: side of the pieces a large input is seen in, 0 for one"),
            "crop": self.tr("Crop: side of the centre that is inspected, 0 for all"),
            "coreset": self.tr("Coreset: share of the references' patches that is kept"),
        }
        form = QFormLayout(self)
        values = asdict(scoring)
        for name, field in self.fields.items():
            if not has_option(scoring.method, name):
                continue
            field.setValue(min(values[name], field.maximum()))
            field.setAccessibleName(texts[name])
            form.addRow(texts[name], field)
        self.all_references = QCheckBox(self.tr("K: all references are neighbours of a part"))
        self.all_references.toggled.connect(self.fields["k"].setDisabled)
        self.all_references.setChecked(scoring.k == ALL_REFERENCES)
        if has_option(scoring.method, "k"):
            form.insertRow(1, self.all_references)
        self.levels = LevelFields(scoring)
        if has_option(scoring.method, "levels"):
            form.addRow(self.tr("Levels of the pyramid that are compared"), self.levels)
        self.pool = QCheckBox(self.tr("Average features over 2 × 2 cells"))
        self.pool.setChecked(scoring.pool == _TWO)
        self.scales = QCheckBox(self.tr("Look for larger areas as well (two scales)"))
        self.scales.toggled.connect(self._on_scales)
        self.scales.setChecked(scoring.scales == _TWO)
        for name, box in (("pool", self.pool), ("scales", self.scales)):
            if has_option(scoring.method, name):
                form.addRow(box)
        self.gate = GateFields(scoring)
        if has_option(scoring.method, "gate"):
            form.addRow(self.gate)
        self.reweight = QCheckBox(
            self.tr("Weight scores by the neighbourhood of the matched patch")
        )
        self.reweight.setChecked(scoring.reweight)
        if has_option(scoring.method, "reweight"):
            form.addRow(self.reweight)
        self.fit = QComboBox()
        self.fit.addItem(self.tr("keep their shape and are padded"), KEEP)
        self.fit.addItem(self.tr("are squashed into it"), SQUASH)
        self.fit.setCurrentIndex(self.fit.findData(scoring.fit))
        self.fit.setAccessibleName(self.tr("Pictures of another shape"))
        form.addRow(self.tr("Pictures of another shape"), self.fit)
        self._keep_input_of_model()
        self.exact = QCheckBox(self.tr("Search large sets exactly, however long that takes"))
        self.exact.setToolTip(
            self.tr(
                "From about 31,000 references on, an index finds the nearest ones in a twentieth "
                "of the time, and misses one in 200"
            )
        )
        self.exact.setChecked(scoring.search == EXACT_ONLY)
        form.addRow(self.exact)
        self.reason = label("", "bad")
        self.reason.setWordWrap(True)
        form.addRow(self.reason)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Close
        )
        buttons.button(QDialogButtonBox.StandardButton.Apply).clicked.connect(self.apply)
        buttons.rejected.connect(self.close)
        form.addRow(buttons)

    def _keep_input_of_model(self) -> None:
        """Leave the input alone that a model was trained for."""
        for field in (*(self.fields[name] for name in GEOMETRY if name in self.fields), self.fit):
            if self._scoring.model:
                field.setEnabled(False)
                field.setToolTip(self.tr("The model was trained for this; train another one"))

    def _on_scales(self, are_two: bool) -> None:
        for name in ("size", "height"):
            self.fields[name].setSingleStep(2 * _SIDE_STEP if are_two else _SIDE_STEP)

    def apply(self) -> None:
        """Let the set score by these numbers; what cannot be is said here and changes nothing."""
        from inspector_gui.core.methods import scoring_for

        current = self._session.references.current
        if current is None or current.scoring != self._scoring:
            self.reason.setText(self.tr("Another set or recipe is current now; open this again."))
            return
        given = {k: v for k, v in asdict(self._scoring).items() if k not in _FIXED}
        given |= {name: field.value() for name, field in self.fields.items()}
        given["fit"] = self.fit.currentData()
        if self.all_references.isChecked():
            given["k"] = ALL_REFERENCES
        given |= {"levels": self.levels.levels, "weights": self.levels.weights}
        given |= {"pool": 1 + self.pool.isChecked(), "scales": 1 + self.scales.isChecked()}
        given["search"] = EXACT_ONLY if self.exact.isChecked() else AUTOMATIC
        given |= {"gate": self.gate.is_gate, "stage1_limit": self.gate.limit}
        given["reweight"] = self.reweight.isChecked()
        given = {k: v for k, v in given.items() if has_option(self._scoring.method, k)}
        try:
            scoring = scoring_for(self._scoring.method, preset=self._scoring.preset, **given)
        except KnownError as error:
            self.reason.setText(str(error))
            return
        if all(getattr(scoring, name) == getattr(self._scoring, name) for name in GEOMETRY):
            scoring = replace(scoring, preset=self._scoring.preset)  # the pictures' choice stands
        self.reason.setText("")
        self._scoring = scoring
        self._session.references.set_scoring(scoring)
        self.close()


def _whole(lowest: int, highest: int, *, step: int = 1) -> QSpinBox:
    field = QSpinBox()
    field.setRange(lowest, highest)
    field.setSingleStep(step)
    return field


def _decimal(
    lowest: float, highest: float, *, step: float = 0.5, decimals: int = 2
) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setDecimals(decimals)
    field.setRange(lowest, highest)
    field.setSingleStep(step)
    return field
