"""Which levels of the pyramid are compared, and how they count: a row of check boxes."""

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from inspector_gui.core.types import RAW, SCALED, Scoring


class LevelFields(QWidget):
    """One box a level, finest first, and one for their weights; starts with those of a recipe."""

    def __init__(self, scoring: Scoring, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = (
            self.tr("1: fine, every 4 pixels"),
            self.tr("2: middle, every 8"),
            self.tr("3: coarse, every 16"),
        )
        chosen = scoring.levels.split(",")
        self.boxes = tuple(QCheckBox(name) for name in names)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for number, box in enumerate(self.boxes, start=1):
            box.setChecked(str(number) in chosen)
            row.addWidget(box)
        self.alike = QCheckBox(self.tr("All count alike"))
        self.alike.setToolTip(
            self.tr(
                "Each level is divided by how much it varies among the references; otherwise "
                "levels count by how large their features are, as in the paper"
            )
        )
        self.alike.setChecked(scoring.weights == SCALED)
        row.addWidget(self.alike)

    @property
    def levels(self) -> str:
        """The levels that are ticked, as in `Scoring.levels`; none may be."""
        return ",".join(str(n) for n, box in enumerate(self.boxes, start=1) if box.isChecked())

    @property
    def weights(self) -> str:
        """How they count, as in `Scoring.weights`."""
        return SCALED if self.alike.isChecked() else RAW
