"""The list of inspected parts: how a part is painted, and which keys are the list's."""

import time
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from inspector_gui.core.types import Source, Verdict
from inspector_gui.ui.review_model import ENTRY_ROLE, Entry, InspectionModel
from inspector_gui.ui.theme import OUTCOME_SIGNS, SMALL_PX, Theme
from inspector_gui.ui.thumbnails import draw_cropped

_ROW = 64
_GAP = 8
_PAD = 6
_TINY_PX = 11
_VERDICT_SIGNS = {Verdict.ACCEPT: "✓", Verdict.REJECT: "✕", Verdict.UNSURE: "?"}


class ReviewDelegate(QStyledItemDelegate):
    """Paints a part: picture, name, time and remark; on the right its score and the verdict."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _: QStyleOptionViewItem, __: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(160, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry: Entry = index.data(ENTRY_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = option.rect.adjusted(1, 1, -2, -_GAP)
        self._draw_card(painter, card, option)
        side = card.height() - 2 * _PAD
        square = QRect(card.left() + _PAD, card.top() + _PAD, side, side)
        self._draw_picture(painter, square, index.data(Qt.ItemDataRole.DecorationRole), entry)
        fonts = _Fonts(option.font)
        if entry.row.source is Source.AD_HOC:
            self._draw_label(painter, square, self.tr("ad hoc"), fonts)
        middle = card.center().y()
        text = QRect(square.right() + 9, 0, card.right() - square.right() - 18, side // 2)
        upper = text.translated(0, middle - side // 2)
        lower = text.translated(0, middle)
        name = upper.adjusted(0, 0, -self._draw_score(painter, upper, entry, fonts) - 8, 0)
        note = lower.adjusted(0, 0, -self._draw_verdict(painter, lower, entry, fonts), 0)
        self._draw_name(painter, name, entry, fonts)
        self._draw_note(painter, note, entry, fonts)
        painter.restore()

    def _draw_card(self, painter: QPainter, card: QRect, option: QStyleOptionViewItem) -> None:
        colours, state = self._theme.colours, option.state
        is_under_mouse = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setBrush(QColor(colours.hover if is_under_mouse else colours.field))
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(colours.accent), 2))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(card, 7, 7)

    def _draw_picture(
        self, painter: QPainter, square: QRect, pixmap: QPixmap | None, entry: Entry
    ) -> None:
        if pixmap is not None:
            draw_cropped(painter, pixmap, square)
            return
        painter.fillRect(square, QColor(self._theme.colours.border))
        painter.setPen(QColor(self._theme.colours.text))
        sign = OUTCOME_SIGNS[entry.decision.outcome]
        painter.drawText(square, int(Qt.AlignmentFlag.AlignCenter), sign)

    def _draw_label(self, painter: QPainter, square: QRect, text: str, fonts: "_Fonts") -> None:
        strip = QRect(square.left(), square.bottom() - 13, square.width(), 14)
        painter.fillRect(strip, QColor(self._theme.colours.text))
        painter.setFont(fonts.tiny)
        painter.setPen(QColor(self._theme.colours.card))
        painter.drawText(strip, int(Qt.AlignmentFlag.AlignCenter), text)

    def _draw_score(self, painter: QPainter, area: QRect, entry: Entry, fonts: "_Fonts") -> int:
        decision = entry.decision
        sign = OUTCOME_SIGNS[decision.outcome]
        multiple = decision.multiple
        score = self.tr("not read") if multiple is None else f"{max(multiple, -9.99):.2f}×"
        text = f"{sign} {score}"
        painter.setFont(fonts.bold)
        painter.setPen(self._theme.outcome_colour(decision.outcome))
        painter.drawText(area, int(_RIGHT), text)
        return QFontMetrics(fonts.bold).horizontalAdvance(text)

    def _draw_verdict(self, painter: QPainter, area: QRect, entry: Entry, fonts: "_Fonts") -> int:
        verdict = entry.row.verdict
        if verdict is Verdict.NONE:
            return 0
        words = {
            Verdict.ACCEPT: self.tr("accepted"),
            Verdict.REJECT: self.tr("rejected"),
            Verdict.UNSURE: self.tr("unsure"),
        }
        text = f"{_VERDICT_SIGNS[verdict]} {words[verdict]}"
        width = QFontMetrics(fonts.small).horizontalAdvance(text) + 12
        height = QFontMetrics(fonts.small).height() + 2
        badge = QRect(area.right() - width, area.center().y() - height // 2, width, height)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.verdict_colour(verdict), 1))
        painter.drawRoundedRect(badge, 5, 5)
        painter.setFont(fonts.small)
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), text)
        return width + 6

    def _draw_name(self, painter: QPainter, area: QRect, entry: Entry, fonts: "_Fonts") -> None:
        painter.setFont(fonts.plain)
        painter.setPen(QColor(self._theme.colours.text))
        metrics = QFontMetrics(fonts.plain)
        name = metrics.elidedText(entry.row.name, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, int(_LEFT), name)

    def _draw_note(self, painter: QPainter, area: QRect, entry: Entry, fonts: "_Fonts") -> None:
        muted = QColor(self._theme.colours.muted)
        note = time.strftime("%H:%M:%S", time.localtime(entry.row.judged_at))
        if entry.row.score is None:
            note = entry.row.reason.removeprefix(Path(entry.row.name).name).strip() or note
        painter.setFont(fonts.small)
        painter.setPen(muted)
        metrics = QFontMetrics(fonts.small)
        elided = metrics.elidedText(note, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(_LEFT), elided)


class ReviewList(QListView):
    """Arrow keys move; letters belong to the panel and the window and are never a search."""

    def __init__(self, model: InspectionModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.hint = ""
        self.setModel(model)
        self.setItemDelegate(ReviewDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(_ROW // 2)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setMinimumHeight(_ROW + 4)
        model.rowsInserted.connect(self._on_inserted)
        theme.changed.connect(self.viewport().update)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text().isalnum():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(self._theme.colours.muted))
            inside = self.viewport().rect().adjusted(10, 0, -10, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(inside, int(flags), self.hint)

    def _on_inserted(self, _: QModelIndex, first: int, last: int) -> None:
        """Keep what is looked at where it is while rows arrive above it."""
        bar = self.verticalScrollBar()
        if bar.value() > 0 and first * _ROW <= bar.value():
            bar.setMaximum(bar.maximum() + (last - first + 1) * _ROW)
            bar.setValue(bar.value() + (last - first + 1) * _ROW)


class _Fonts:
    """The fonts of a row."""

    def __init__(self, font: QFont) -> None:
        self.plain = font
        self.bold = QFont(font)
        self.bold.setWeight(QFont.Weight.DemiBold)
        self.small = QFont(font)
        self.small.setPixelSize(SMALL_PX)
        self.tiny = QFont(font)
        self.tiny.setPixelSize(_TINY_PX)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
