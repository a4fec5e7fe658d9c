"""The lot check: a window beside the main one in which several parts are judged as one lot."""

from PySide6.QtCore import QMimeData, QModelIndex, Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from inspector_gui.session import Session
from inspector_gui.session.lot_forming import Forming
from inspector_gui.session.lot_values import Lot
from inspector_gui.session.lots import LotDesk
from inspector_gui.session.usual_lots import ModelState
from inspector_gui.ui.card import Card
from inspector_gui.ui.dropping import DropHint, local_paths
from inspector_gui.ui.drops import DropTarget
from inspector_gui.ui.lot_list import LOT_ROLE, LotList, LotListModel
from inspector_gui.ui.lot_settings import FormingCard, UsualCard
from inspector_gui.ui.lot_view import LotView
from inspector_gui.ui.notices import NoticeStrip
from inspector_gui.ui.theme import Theme

_SETTINGS_WIDTH = 330
_LIST_WIDTH = 270


class LotWindow(QDialog):
    """Settings on the left, the lots in the middle, the chosen lot on the right.

    The newest lot is shown as it comes, until an older one is chosen. Closing the window stops
    nothing: lots go on being formed.
    """

    def __init__(
        self, session: Session, desk: LotDesk, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setWindowTitle(self.tr("Lot check"))
        self._session, self._desk = session, desk
        self.forming = FormingCard(session, desk, self)
        self.usual = UsualCard(session, desk.usual, self)
        self.model = LotListModel(desk, self)
        self.list = LotList(self.model, theme, self)
        self.view = LotView(theme, self)
        self.notices = NoticeStrip()
        self._lay_out()
        hint = DropHint(self.tr("Drop the parts of one lot"), theme, self)
        DropTarget(self, hint, accepts=_has_files, take=self._on_dropped)
        self._connect()
        self._show_newest()

    def _lay_out(self) -> None:
        settings = QWidget()
        column = QVBoxLayout(settings)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        column.addWidget(self.forming)
        column.addWidget(self.usual)
        column.addStretch(1)
        scrolled = QScrollArea()
        scrolled.setWidget(settings)
        scrolled.setWidgetResizable(True)
        scrolled.setFrameShape(QScrollArea.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.setFixedWidth(_SETTINGS_WIDTH)
        lots = Card(self.tr("Lots"))
        self.count = lots.remark
        lots.body.addWidget(self.list)
        lots.setFixedWidth(_LIST_WIDTH)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.notices)
        right.addWidget(self.view, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(6)
        row.addWidget(scrolled)
        row.addWidget(lots)
        row.addLayout(right, 1)
        self.resize(1180, 700)

    def _connect(self) -> None:
        self.list.selectionModel().currentChanged.connect(self._on_chosen)
        self.model.modelReset.connect(self._show_newest)
        self.model.rowsInserted.connect(self._on_inserted)
        self.model.dataChanged.connect(self._on_changed)
        self.view.part_chosen.connect(self._on_part_chosen)
        self._desk.usual.changed.connect(self._show_lot)
        self._desk.noticed.connect(self.notices.show_sentence)
        self._session.noticed.connect(self.notices.show_sentence)

    @property
    def lot(self) -> Lot | None:
        """The lot that is shown."""
        index = self.list.currentIndex()
        lot: Lot | None = index.data(LOT_ROLE) if index.isValid() else None
        return lot

    def _show_newest(self) -> None:
        if self.model.rowCount():
            self.list.setCurrentIndex(self.model.index(0))
        self._show_lot()

    def _on_inserted(self, _: QModelIndex, first: int, last: int) -> None:
        at = self.list.currentIndex().row()
        if at < 0 or at == last + 1:  # it was the newest that was looked at
            self.list.setCurrentIndex(self.model.index(first))
        self._show_lot()

    def _on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if first.row() <= self.list.currentIndex().row() <= last.row():
            self._show_lot()

    def _on_chosen(self, _: QModelIndex, __: QModelIndex) -> None:
        self._show_lot()

    def _show_lot(self) -> None:
        count = self.model.rowCount()
        self.count.setText(str(count) if count else "")
        self.view.show_lot(self.lot, self._hint())

    def _hint(self) -> str:
        """Say what to do so that there is something to see."""
        usual = self._desk.usual
        current = self._session.references.current
        if current is None or not current.included:
            return self.tr("First add pictures of good parts in the main window.")
        if usual.state is ModelState.BUILDING:
            return self.tr("Looking at what usual lots look like…")
        if usual.model is None:
            return self.tr(
                "Several parts can be wrong together although each is good: one kind twice, "
                "another missing.\n\nSay on the left what a usual lot has, then build."
            )
        drop = self.tr("Or drop the pictures of one lot here.")
        match usual.settings.forming:
            case Forming.EVERY:
                size = usual.settings.every or usual.model.size
                feed = self.tr("Start the feed: every {} parts become a lot.").format(size)
            case Forming.NAMES:
                feed = self.tr("Start the feed: parts whose names agree become a lot.")
            case Forming.DROPPED:
                return self.tr("Drop the pictures of one lot here.")
        return f"{feed}\n{drop}"

    def _on_part_chosen(self, row_id: int) -> None:
        self._session.history.follow(False)
        self._session.history.open(row_id)

    def _on_dropped(self, mime: QMimeData) -> None:
        self._desk.check(local_paths(mime))


def _has_files(mime: QMimeData) -> bool:
    return bool(local_paths(mime))
