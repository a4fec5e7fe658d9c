"""What came of a comparison: the table of parts, two methods as a plot, and the chosen part."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.sets.side_by_side import Agreement, ComparedPart, SideBySide
from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.health_tab import wrapped
from inspector_gui.ui.side_by_side_offers import Known
from inspector_gui.ui.side_by_side_part import SideBySidePart, method_choice
from inspector_gui.ui.side_by_side_plot import PlotPoint, SideBySidePlot
from inspector_gui.ui.side_by_side_table import SideBySideModel, SideBySideTable
from inspector_gui.ui.theme import Theme

_MOST_NAMED = 20
_CHIP_ROOM = 20
_TABLE_SHARE = 45  # per cent of the height


class SideBySideResult(QWidget):
    """Shows what it is told. A part that is chosen in the table or the plot is chosen in both.

    `name_of` returns what a reference is called.
    """

    chosen = Signal(str)
    """The key of the part that somebody chose."""

    def __init__(
        self,
        session: Session,
        theme: Theme,
        name_of: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.found: SideBySide | None = None
        self._known: Mapping[str, Known] = {}
        self._chosen = ""
        self.model = SideBySideModel(session, theme, self)
        self.table = SideBySideTable(self.model)
        self.plot = SideBySidePlot(theme)
        self.part = SideBySidePart(session, theme, name_of)
        self._lay_out()
        self.filter_button.toggled.connect(self._show_rows)
        for choice in (self.across, self.up):
            choice.activated.connect(self._show_plot)
        self.table.chosen.connect(self.choose)
        self.table.decision_chosen.connect(self.part.show_method)
        self.plot.chosen.connect(self.choose)
        self.show_result(None, {})

    def _lay_out(self) -> None:
        below = QWidget()
        lower = QHBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(6)
        lower.addWidget(self._plot_card(), 1)
        lower.addWidget(self.part, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._table_card())
        splitter.addWidget(below)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([_TABLE_SHARE, 100 - _TABLE_SHARE])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)

    def _table_card(self) -> Card:
        card = _untitled()
        self.filter_button = QPushButton()
        self.filter_button.setCheckable(True)
        self.filter_button.setAutoDefault(False)
        self.filter_button.setProperty("role", "chip")
        self.filter_button.setToolTip(
            self.tr("List the parts alone that some methods decide otherwise than others")
        )
        self.gone = label("", "warn")
        head = QHBoxLayout()
        head.addWidget(self.filter_button)
        head.addWidget(self.gone)
        head.addStretch(1)
        self.count = label("", "small")
        head.addWidget(self.count)
        card.body.addLayout(head)
        card.body.addWidget(self.table, 1)
        card.setMinimumHeight(170)
        return card

    def _plot_card(self) -> Card:
        card = _untitled()
        self.across, self.up = method_choice(), method_choice()
        self.across.setAccessibleName(self.tr("Method across"))
        self.up.setAccessibleName(self.tr("Method upwards"))
        head = QHBoxLayout()
        head.setSpacing(6)
        for choice, words in ((self.across, self.tr("against")), (self.up, "")):
            head.addWidget(choice, 1)
            if words:
                head.addWidget(label(words, "muted"))
        self.legend = wrapped("small")
        self.legend.setText(
            self.tr("● neither fails   ■ both fail   ▶ ▲ one alone   + known good   × known bad")
        )
        card.body.addLayout(head)
        card.body.addWidget(self.plot, 1)
        card.body.addWidget(self.legend)
        card.setMinimumHeight(240)
        return card

    def show_result(self, found: SideBySide | None, known: Mapping[str, Known]) -> None:
        """Show a comparison, and what is known of its parts without any method."""
        is_other = found is None or self.found is None or found.parts is not self.found.parts
        if is_other:
            self._chosen = ""
        self.found, self._known = found, known
        self.model.show_result(found, known)
        if is_other:
            self._offer_methods()
        self._show_rows()
        self._show_plot()

    def choose(self, key: str) -> None:
        """Show a part as the chosen one."""
        if key == self._chosen or self._part_of(key) is None:
            return
        self._chosen = key
        self.table.choose(key)
        self.plot.choose(key)
        self._show_part()
        self.chosen.emit(key)

    def _show_rows(self) -> None:
        found = self.found
        odd: frozenset[str] = frozenset() if found is None else found.disagreeing
        is_filtered = self.filter_button.isChecked()
        self.table.show_only(odd if is_filtered else None)
        text = self.tr("Only where methods disagree ({})").format(len(odd))
        self.filter_button.setText(text)
        bold = QFont(self.filter_button.font())  # as it is once pressed
        bold.setWeight(QFont.Weight.DemiBold)
        wide = QFontMetrics(bold).horizontalAdvance(text)
        self.filter_button.setMinimumWidth(wide + _CHIP_ROOM)
        count = 0 if found is None else len(found.parts)
        self.count.setText(
            self.tr("{} of {} parts").format(len(odd) if is_filtered else count, count)
        )
        gone = () if found is None else found.gone
        self.gone.setVisible(bool(gone))
        one, many = self.tr("1 picture is gone"), self.tr("{} pictures are gone")
        self.gone.setText(one if len(gone) == 1 else many.format(len(gone)))
        self.gone.setToolTip("\n".join(gone[:_MOST_NAMED]))
        if self._chosen:
            self.table.choose(self._chosen)

    def _offer_methods(self) -> None:
        """Offer the methods that ran for the plot; those that were shown stay."""
        methods = () if self.found is None else self.found.methods
        for place, choice in enumerate((self.across, self.up)):
            before = choice.currentText()
            choice.clear()
            for number, ran in enumerate(methods):
                if not ran.failure:
                    choice.addItem(ran.contender.name, number)
            index = choice.findText(before) if before else -1
            choice.setCurrentIndex(index if index >= 0 else min(place, choice.count() - 1))
        if self.across.currentIndex() == self.up.currentIndex() and self.up.count() > 1:
            self.up.setCurrentIndex((self.across.currentIndex() + 1) % self.up.count())

    def _show_plot(self) -> None:
        first, second = self.across.currentData(), self.up.currentData()
        found = self.found
        if found is None or first is None or second is None:
            self.plot.show_points((), ("", ""), {})
        else:
            points = [self._point(found, part, first, second) for part in found.parts]
            self.plot.show_points(
                [point for point in points if point is not None],
                (self.across.currentText(), self.up.currentText()),
                found.agreements(first, second),
            )
        self.plot.choose(self._chosen)
        self._show_part()

    def _point(
        self, found: SideBySide, part: ComparedPart, first: int, second: int
    ) -> PlotPoint | None:
        one, other = found.decision(part, first), found.decision(part, second)
        agreement: Agreement | None = found.agreement(part, first, second)
        if one is None or other is None or agreement is None:
            return None
        if one.multiple is None or other.multiple is None:
            return None
        candidate = part.candidate
        is_bad = self._known.get(candidate.key, Known()).is_bad
        return PlotPoint(
            candidate.key, candidate.name, one.multiple, other.multiple, agreement, is_bad
        )

    def _show_part(self) -> None:
        known = self._known.get(self._chosen, Known())
        self.part.show_part(self.found, self._part_of(self._chosen), known)

    def _part_of(self, key: str) -> ComparedPart | None:
        parts = () if self.found is None else self.found.parts
        return next((part for part in parts if part.candidate.key == key), None)


def _untitled() -> Card:
    """Return a card whose first line is its own."""
    card = Card("")
    card.title.hide()
    card.remark.hide()
    return card
