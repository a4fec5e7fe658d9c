"""What one model says of itself, or what two have different; their losses and held-out scores."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QWidget

from inspector_gui.store.model_files import ListedModel
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.health_tab import wrapped
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.training_plots import Curve, HeldOutPlot, LossPlot
from inspector_gui.ui.training_words import facts_in_words

_NAMES = ("A", "B")
_COLOURS = ("accent", "warn")
_TWO = 2


class ModelsView(QWidget):
    """One or two models; nothing where none is selected or the selected one is damaged."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, tuple[str, ...]] = {}
        """What is told, by what it is of: for tests and screen readers."""
        self.loss = LossPlot(theme)
        self.held_out = HeldOutPlot(theme)
        self.reason = wrapped("bad")
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 6, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        scrolled = QScrollArea()
        scrolled.setWidget(self._table)
        scrolled.setWidgetResizable(True)
        scrolled.setFrameShape(QScrollArea.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.viewport().setAutoFillBackground(False)
        self._table.setAutoFillBackground(False)
        tr = self.tr
        told = Card(tr("What it is"))
        self.title, self.remark = told.title, told.remark
        told.body.addWidget(self.reason)
        told.body.addWidget(scrolled, 1)
        losses, held = Card(tr("Loss")), Card(tr("Held-out good parts"))
        self._held = held
        losses.body.addWidget(self.loss, 1)
        held.body.addWidget(self.held_out, 1)
        self._losses = losses
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for card, share in ((told, 4), (losses, 3), (held, 3)):
            row.addWidget(card, share)

    def show_models(self, models: Sequence[ListedModel]) -> None:
        """Show one model, or compare two."""
        whole = [(model, model.facts) for model in models if model.facts is not None]
        told = [facts_in_words(facts, model.size) for model, facts in whole]
        damaged = [model.reason for model in models if model.facts is None]
        self.reason.setText(" ".join(damaged))
        self.reason.setVisible(bool(damaged))
        names = {name: tuple(one.get(name, "") for one in told) for one in told for name in one}
        are_two = len(told) == _TWO
        if are_two:
            differ = {name: values for name, values in names.items() if values[0] != values[1]}
            self.remark.setText(self.tr("{} others are equal").format(len(names) - len(differ)))
            names = differ
        else:
            self.remark.setText("")
        if are_two:
            self.title.setText(self.tr("What differs"))
        else:
            self.title.setText(self.tr("What it is") if models else self.tr("No model is selected"))
        self._show_rows(names, _NAMES if are_two else ())
        self._losses.setVisible(bool(whole))
        self._held.setVisible(any(facts.held_out for _, facts in whole))
        curves = []
        for number, (_, facts) in enumerate(whole):
            losses = [row[0] for row in facts.losses]
            name = self.tr("loss of {}").format(_NAMES[number]) if are_two else self.tr("loss")
            x = range(1, 1 + len(losses))
            colour = _COLOURS[number]
            curves.append(Curve(name, tuple(x), tuple(losses), colour, is_dashed=number > 0))
            if not are_two:
                good, noised = (tuple(row[part] for row in facts.losses) for part in (1, 2))
                curves.append(Curve(self.tr("good features"), tuple(x), good, "good", True))
                words = self.tr("noised features")
                curves.append(Curve(words, tuple(x), noised, "warn", is_part=True, is_dashed=True))
        self.loss.show_curves(curves)
        self.held_out.show_models(
            {
                _NAMES[number] if are_two else self.tr("this model"): [*facts.held_out.values()]
                for number, (_, facts) in enumerate(whole)
            }
        )

    def _show_rows(self, rows: dict[str, tuple[str, ...]], names: Sequence[str]) -> None:
        if rows == self.rows:
            return
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = rows
        for column, name in enumerate(names, start=1):
            self._grid.addWidget(label(name, "title"), 0, column)
        for number, (name, values) in enumerate(rows.items(), start=1):
            self._grid.addWidget(label(name, "muted"), number, 0)
            for column, value in enumerate(values, start=1):
                cell = label(value, "")
                cell.setTextFormat(Qt.TextFormat.PlainText)
                self._grid.addWidget(cell, number, column)
        for column in range(1, 3):
            self._grid.setColumnStretch(column, 1)
        for number in range(self._grid.rowCount() + 1):
            self._grid.setRowStretch(number, 0)
        self._grid.setRowStretch(len(rows) + 1, 1)
