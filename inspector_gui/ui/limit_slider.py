"""The histogram and a slider that share one axis, in multiples of the saved limit."""

from PySide6.QtCore import QRect, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from inspector_gui.ui.score_plot import LOWEST_LIMIT, ScorePlot
from inspector_gui.ui.theme import Theme

_TICKS = 1000
"""Steps of the slider per saved limit."""


class LimitSlider(QWidget):
    """The histogram and, sharing its axis, a slider: its handle stands under the line."""

    tried = Signal(float)
    """A person moved slider or line to another multiple of the saved limit."""
    released = Signal()
    """A person let go of slider or line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = ScorePlot(theme, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setSingleStep(_TICKS // 100)
        self.slider.setPageStep(_TICKS // 10)
        self.slider.setAccessibleName(self.tr("Limit"))
        tip = self.tr("Drag to try a limit out, release to save it · arrow keys · Esc: back")
        self.slider.setToolTip(tip)
        self.plot.setToolTip(tip)
        self.setMinimumHeight(90)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self.released)
        self.plot.dragged.connect(self._on_line)
        self.plot.released.connect(self.released)
        theme.changed.connect(self._place)

    @property
    def is_dragging(self) -> bool:
        """Whether slider or line is held."""
        return self.slider.isSliderDown() or self.plot.is_dragging

    def set_range(self, low: float, high: float) -> None:
        """Let axis and slider go from `low` to `high` times the saved limit."""
        with QSignalBlocker(self.slider):
            self.slider.setRange(round(low * _TICKS), round(high * _TICKS))
        self.plot.set_range(low, high)

    def set_limit(self, multiple: float) -> None:
        """Put slider and line somewhere without saying that a person did."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(multiple * _TICKS))
        if not self.plot.is_dragging:
            self.plot.set_limit(multiple)

    def handle_x(self) -> float:
        """Return the middle of the slider's handle, in pixels from this widget's left edge."""
        handle = self._handle()
        return self.slider.x() + handle.x() + handle.width() / 2

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        half = self._handle().width() / 2
        height = self.slider.sizeHint().height() + 10
        self.slider.setGeometry(0, self.height() - height, self.width(), height)
        width = round(self.width() - 2 * half)
        self.plot.setGeometry(round(half), 0, width, self.height() - height)

    def _handle(self) -> QRect:
        option = QStyleOptionSlider()
        self.slider.initStyleOption(option)
        return self.slider.style().subControlRect(
            QStyle.ComplexControl.CC_Slider,
            option,
            QStyle.SubControl.SC_SliderHandle,
            self.slider,
        )

    def _on_slider(self, value: int) -> None:
        multiple = max(value / _TICKS, LOWEST_LIMIT)
        self.set_limit(multiple)
        self.tried.emit(multiple)

    def _on_line(self, multiple: float) -> None:
        self.slider.setFocus(Qt.FocusReason.MouseFocusReason)
        self.set_limit(multiple)
        self.tried.emit(multiple)
