"""The scale of a set's pictures: millimetres per pixel, typed or measured between two points."""

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QWidget

from inspector_gui.core.types import ReferenceSet
from inspector_gui.session import Session
from inspector_gui.ui.card import label
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.picture_view import PictureView

_DECIMALS = 6


class Ruler(QObject):
    """Takes two clicks into a picture while it is active and tells how far apart they are."""

    measured = Signal(float)
    """Pixels of the picture between the two points."""

    def __init__(self, view: PictureView, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._points: list[QPointF] = []
        self.is_active = False

    def begin(self) -> None:
        """Take clicks from now on."""
        self.is_active = True
        self._put([])

    def end(self) -> None:
        """Leave clicks to others again."""
        if self.is_active:
            self.is_active = False
            self._put([])

    def take(self, point: QPointF) -> bool:
        """Take a click; returns whether it was meant for this. A third one begins anew."""
        if not self.is_active:
            return False
        self._put([*self._points, point] if len(self._points) < 2 else [point])
        if len(self._points) == 2:
            apart = self._points[1] - self._points[0]
            self.measured.emit((apart.x() ** 2 + apart.y() ** 2) ** 0.5)
        return True

    def _put(self, points: list[QPointF]) -> None:
        self._points = points
        self._view.set_ruler(points)


class ScaleDialog(QDialog):
    """Stands beside the window; clicks into the part's picture are points while it is open."""

    def __init__(
        self,
        session: Session,
        commands: Commands,
        ruler: Ruler,
        measured: ReferenceSet,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Scale of {0}").format(measured.name))
        self._commands, self._ruler = commands, ruler
        self._set_id = measured.id
        self._pixels = 0.0
        self.scale = _field(self.tr("Millimetres per pixel"))
        self.scale.setDecimals(_DECIMALS)
        self.scale.setSpecialValueText(self.tr("not known"))
        self.scale.setValue(measured.mm_per_pixel or 0.0)
        self.distance = _field(self.tr("Distance of the two points in millimetres"))
        self.distance.setDecimals(3)
        self.found = label("", "")
        form = QFormLayout(self)
        form.addRow(self.tr("Millimetres per pixel of the picture"), self.scale)
        form.addRow(label(self.tr("Or click two points in the picture of the part:"), "small"))
        form.addRow(self.tr("Distance in the picture"), self.found)
        form.addRow(self.tr("Distance on the part, mm"), self.distance)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Close
        )
        buttons.button(QDialogButtonBox.StandardButton.Apply).clicked.connect(self.apply)
        buttons.rejected.connect(self.close)
        form.addRow(buttons)
        self.distance.valueChanged.connect(self._compute)
        ruler.measured.connect(self._on_measured)
        self._on_measured(0.0)
        session.references.current_changed.connect(self.close)  # it is of one set
        session.why.close()
        ruler.begin()

    def apply(self) -> None:
        """Take the scale for this set; it can be undone."""
        self._commands.set_scale(self._set_id, self.scale.value() or None)

    def done(self, result: int) -> None:
        self._ruler.end()
        super().done(result)

    def _on_measured(self, pixels: float) -> None:
        self._pixels = pixels
        text = (
            self.tr("{0} pixels").format(f"{pixels:,.1f}") if pixels else self.tr("no points yet")
        )
        self.found.setText(text)
        self.distance.setEnabled(pixels > 0)
        self._compute()

    def _compute(self) -> None:
        if self._pixels > 0 and self.distance.value() > 0:
            self.scale.setValue(self.distance.value() / self._pixels)


def _field(name: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(0, 100_000)
    field.setAccessibleName(name)
    field.setMinimumWidth(150)
    return field
