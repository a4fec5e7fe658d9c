"""Whether every part gets a map, or those alone that stage 1 does not let through."""

from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

from inspector_gui.core.types import Scoring

_DECIMALS = 4


class GateFields(QWidget):
    """A check box for maps of all parts, and without it the limit of stage 1."""

    def __init__(self, scoring: Scoring, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.all_maps = QCheckBox(self.tr("Maps for all parts"))
        self.all_maps.setToolTip(
            self.tr(
                "Otherwise stage 1 lets parts through that are close to whole references, as "
                "published: they pass, and have a map only when they are opened"
            )
        )
        self.field = QDoubleSpinBox()
        self.field.setDecimals(_DECIMALS)
        self.field.setRange(0, 1e9)
        self.field.setSpecialValueText(self.tr("from the references"))
        self.field.setValue(scoring.stage1_limit)
        self.field.setAccessibleName(self.tr("Limit of stage 1"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.all_maps)
        row.addStretch(1)
        row.addWidget(QLabel(self.tr("Limit of stage 1")))
        row.addWidget(self.field)
        self.all_maps.toggled.connect(self.field.setDisabled)
        self.all_maps.setChecked(not scoring.gate)

    @property
    def is_gate(self) -> bool:
        """Whether stage 1 lets parts through, as in `Scoring.gate`."""
        return not self.all_maps.isChecked()

    @property
    def limit(self) -> float:
        """The limit of stage 1, as in `Scoring.stage1_limit`; 0 where there is no gate."""
        return self.field.value() if self.is_gate else 0.0
