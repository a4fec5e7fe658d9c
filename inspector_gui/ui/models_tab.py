"""The tab "Models": what was trained in the workspace, to use, compare and delete."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMessageBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.types import ReferenceSet
from inspector_gui.session import Session
from inspector_gui.session.models import changes_since
from inspector_gui.store.model_files import ListedModel
from inspector_gui.ui.card import Card
from inspector_gui.ui.health_tab import button, hint_label
from inspector_gui.ui.models_view import ModelsView
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.training_words import date_words, model_words, size_words, stale_words

_MOST_COMPARED = 2
_LEAST_TABLE, _ROW_HEIGHT = 190, 28
_TABLE_SHARE, _VIEW_SHARE = 1, 2


class ModelsTab(QWidget):
    """A table of models; those that are selected, one or two, are shown below it."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._desk, self._theme = session, session.models, theme
        self._shown: tuple[ListedModel, ...] = ()
        tr = self.tr
        self.table = QTableWidget(0, 6)
        self.view = ModelsView(theme)
        self.hint = hint_label()
        self.hint.setText(
            tr("No model has been trained in this workspace yet.\n\nTrain one under Train.")
        )
        self.use_button = button(
            tr("Judge by it"),
            tr("Judge parts of the current set by the selected model"),
            self.use,
        )
        self.delete_button = button(
            tr("Delete…"), tr("Remove the selected model from the workspace"), self.ask_to_delete
        )
        self._lay_out()
        self.table.itemSelectionChanged.connect(self._on_selected)
        self._desk.changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        tr = self.tr
        self.table.setHorizontalHeaderLabels(
            [
                tr("Model"),
                tr("Trained"),
                tr("File"),
                tr("Trained on"),
                tr("Held out"),
                tr("State"),
            ]
        )
        self.table.setProperty("role", "list")
        self.table.setAccessibleName(tr("Models"))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setMinimumHeight(_LEAST_TABLE)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        listed = Card(tr("Models"))
        self.remark = listed.remark
        listed.head.addWidget(self.use_button)
        listed.head.addWidget(self.delete_button)
        listed.body.addWidget(self.table, 1)
        self._listed = listed
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.hint, 1)
        column.addWidget(listed, _TABLE_SHARE)
        column.addWidget(self.view, _VIEW_SHARE)

    def look(self) -> None:
        """See which models there are on disk now."""
        self._desk.refresh()

    @property
    def selected(self) -> tuple[ListedModel, ...]:
        """The models that are selected, in the order of the table."""
        rows = sorted({index.row() for index in self.table.selectedIndexes()})
        return tuple(self._shown[row] for row in rows)

    def use(self) -> None:
        """Judge parts of the current set by the selected model."""
        (model,) = self.selected
        if model.facts is not None:
            self._desk.use(model.facts)

    def ask_to_delete(self) -> None:
        """Ask whether the selected model should go; says at once where it cannot."""
        (model,) = self.selected
        if self._desk.used_by(model.id):
            self._desk.delete(model.id)
            return
        name = model.id if model.facts is None else model_words(model.facts.scoring)
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(self.tr("Delete the model “{}”? This cannot be undone.").format(name))
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(self.tr("Keep"), QMessageBox.ButtonRole.RejectRole)
        delete.clicked.connect(lambda: self._desk.delete(model.id))
        box.setModal(False)
        box.show()

    def refresh(self) -> None:
        """Show the models as they are now; what was selected stays so."""
        models, current = self._desk.models, self._session.references.current
        chosen = {model.id for model in self.selected}
        self.table.blockSignals(True)
        self.table.clearSelection()
        self._shown = models
        self.table.setRowCount(len(models))
        mode = self.table.selectionMode()
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for row, model in enumerate(models):
            self._fill(row, model, current)
            if model.id in chosen or (not chosen and row == 0):
                self.table.selectRow(row)
        self.table.setSelectionMode(mode)
        self.table.blockSignals(False)
        for widget in (self._listed, self.view):
            widget.setVisible(bool(models))
        self.hint.setVisible(not models)
        self._on_selected()

    def _fill(self, row: int, model: ListedModel, current: ReferenceSet | None) -> None:
        facts = model.facts
        state = self.state(model, current)
        texts: Sequence[str] = (model.id, "", size_words(model.size), "", "", state)
        if facts is not None:
            texts = (
                model_words(facts.scoring),
                date_words(facts.created_at),
                size_words(model.size),
                self.tr("{} of {}").format(len(facts.trained_on), facts.set_name),
                str(len(facts.held_out)),
                state,
            )
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            if facts is None:
                item.setForeground(self._colour("bad"))
            elif column == len(texts) - 1:
                is_stale = current is not None and not changes_since(facts, current).are_none
                is_fine = self._desk.used_by(model.id) and not is_stale
                item.setForeground(self._colour("good" if is_fine else "warn"))
            self.table.setItem(row, column, item)

    def state(self, model: ListedModel, current: ReferenceSet | None) -> str:
        """Return what there is to know of a model beside what it was made of."""
        if model.facts is None:
            return self.tr("damaged: {}").format(model.reason)
        told = []
        if users := self._desk.used_by(model.id):
            told.append(self.tr("judges {}").format(", ".join(users)))
        if current is not None:
            changes = changes_since(model.facts, current)
            size = len(model.facts.trained_on) + len(model.facts.held_out)
            if changes.removed == size:
                told.append(self.tr("of other references"))
            elif not changes.are_none:
                told.append(stale_words(changes.added, changes.removed))
        return "; ".join(told)

    def _colour(self, name: str) -> QColor:
        return QColor(getattr(self._theme.colours, name))

    def _on_selected(self) -> None:
        chosen = self.selected
        one = chosen[0] if len(chosen) == 1 else None
        current = self._session.references.current
        is_used = one is not None and current is not None and current.scoring.model == one.id
        self.use_button.setEnabled(
            one is not None and one.facts is not None and current is not None and not is_used
        )
        self.delete_button.setEnabled(one is not None)
        self.remark.setText(
            self.tr("select two with Ctrl to compare them") if len(self._desk.models) > 1 else ""
        )
        self.view.show_models(chosen if len(chosen) <= _MOST_COMPARED else chosen[:0])
