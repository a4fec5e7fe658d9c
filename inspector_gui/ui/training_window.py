"""The window of SimpleNet: training it, and the models that came of it."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.session import Session
from inspector_gui.ui.models_tab import ModelsTab
from inspector_gui.ui.notices import NoticeStrip
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.training_head import TrainingHead
from inspector_gui.ui.training_tab import TrainingTab


class TrainingWindow(QDialog):
    """Stays beside the main window. Closing it ends nothing: a training goes on."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.Window)
        self._session = session
        self.head = TrainingHead(session)
        self.train = TrainingTab(session, theme)
        self.models = ModelsTab(session, theme)
        self.notices = NoticeStrip()
        self.pages = QStackedWidget()
        self.tab_buttons: list[QPushButton] = []
        self._group = QButtonGroup(self)
        self._lay_out()
        self.head.start_requested.connect(self._on_start)
        self.train.form.changed.connect(self._on_form_changed)
        session.noticed.connect(self.notices.show_sentence)
        session.references.current_changed.connect(self._name)
        session.references.sets_changed.connect(self._name)
        self._on_form_changed()
        self._name()

    def _lay_out(self) -> None:
        tr = self.tr
        bar = QHBoxLayout()
        bar.setSpacing(6)
        tabs = (
            (self.train, tr("Train"), tr("Train SimpleNet and watch it")),
            (self.models, tr("Models"), tr("What was trained: use, compare, delete")),
        )
        for number, (page, text, tip) in enumerate(tabs):
            chip = QPushButton(text)
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setProperty("role", "chip")
            chip.setToolTip(f"{tip} (Ctrl+{number + 1})")
            self._group.addButton(chip, number)
            self.tab_buttons.append(chip)
            bar.addWidget(chip)
            self.pages.addWidget(page)
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            shortcut.activated.connect(partial(self.show_page, number))
        bar.addStretch(1)
        self._group.idClicked.connect(self.show_page)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.notices)
        column.addWidget(self.head)
        column.addLayout(bar)
        column.addWidget(self.pages, 1)
        self.show_page(0)
        self.resize(1180, 720)

    def show_page(self, number: int) -> None:
        """Show a tab: 0 trains, 1 has the models."""
        self.tab_buttons[number].setChecked(True)
        self.pages.setCurrentIndex(number)
        if number:
            self.models.look()

    def _on_start(self) -> None:
        self.show_page(0)
        self.train.start()

    def _on_form_changed(self) -> None:
        form = self.train.form
        self.head.allow_start(form.is_usable, form.held_out)

    def _name(self) -> None:
        current = self._session.references.current
        name = "" if current is None else f"{current.name} – "
        self.setWindowTitle(f"{name}{self.tr('SimpleNet')}")
