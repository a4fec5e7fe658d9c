"""The window "Reference-set health": what is wrong with a set, and what to do about it."""

import time
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut, QUndoStack
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.session import Session
from inspector_gui.session.session import Readiness
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_cleaning import CleaningTab
from inspector_gui.ui.health_facts import Facts, Kind, Level, Line, summary
from inspector_gui.ui.health_findings import FindingsTab
from inspector_gui.ui.health_learning import LearningTab
from inspector_gui.ui.health_map import MapTab
from inspector_gui.ui.health_slimming import SlimmingTab
from inspector_gui.ui.health_summary import SummaryLines
from inspector_gui.ui.health_tab import HealthTab, Place
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import Thumbnails


class HealthWindow(QDialog):
    """Stays beside the main window and follows its current set; closing it ends its studies.

    `stack` is the main window's: what is done here is undone there as well.
    """

    grid_requested = Signal(object)
    """The tuple of `ReferenceImage`s that the main window should select in its grid."""

    def __init__(
        self,
        session: Session,
        commands: Commands,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        stack: QUndoStack,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.Window)
        self._session, self._stack = session, stack
        self._set_id: int | None = None
        self._had_facts = False
        self._fine: dict[int, frozenset[str]] = {}
        place = Place(session, commands, theme, Thumbnails(session, self))
        self.lines = SummaryLines()
        self.findings = FindingsTab(place)
        self.map = MapTab(place)
        self.cleaning = CleaningTab(place)
        self.slimming = SlimmingTab(place)
        self.learning = LearningTab(place)
        tr = self.tr
        self._tabs: tuple[tuple[HealthTab, str, str], ...] = (
            (self.findings, tr("Findings"), tr("What stands out, one thing at a time")),
            (self.map, tr("Map"), tr("Which parts resemble each other, and where few are")),
            (self.cleaning, tr("Clean"), tr("Leave out what may be bad parts")),
            (self.slimming, tr("Slim"), tr("Keep fewer references, knowing the cost")),
            (
                self.learning,
                tr("How many are enough"),
                tr("What more references would bring, and what can be promised"),
            ),
        )
        self._lay_out()
        self._add_keys()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self.name = ElidedLabel("heading")
        self.age = label("", "small")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name, 1)
        head.addWidget(self.age)
        self._undo_buttons = [self._undo_button("undo"), self._undo_button("redo")]
        for tool in self._undo_buttons:
            head.addWidget(tool)
        top = Card("")
        top.title.hide()
        top.remark.hide()
        top.body.addLayout(head)
        top.body.addWidget(self.lines)
        self.pages = QStackedWidget()
        self._group = QButtonGroup(self)
        self.tab_buttons: list[QPushButton] = []
        bar = QHBoxLayout()
        bar.setSpacing(6)
        for number, (tab, text, tip) in enumerate(self._tabs):
            chip = QPushButton(text)
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setProperty("role", "chip")
            chip.setToolTip(f"{tip} (Ctrl+{number + 1})")
            self._group.addButton(chip, number)
            self.tab_buttons.append(chip)
            bar.addWidget(chip)
            self.pages.addWidget(tab)
        bar.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(top)
        column.addLayout(bar)
        column.addWidget(self.pages, 1)
        self.tab_buttons[0].setChecked(True)
        self.resize(1100, 700)

    def _undo_button(self, what: str) -> QToolButton:
        """Return a button that names what it takes back."""
        is_undo = what == "undo"
        make = self._stack.createUndoAction if is_undo else self._stack.createRedoAction
        action: QAction = make(self, self.tr("Undo") if is_undo else self.tr("Redo"))
        action.setShortcut("Ctrl+Z" if is_undo else "Ctrl+Shift+Z")
        tool = QToolButton()
        tool.setDefaultAction(action)
        tool.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.addAction(action)
        return tool

    def _add_keys(self) -> None:
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self)
        delete.activated.connect(self._exclude_selected)
        for number in range(len(self._tabs)):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            shortcut.activated.connect(partial(self._show_page, number))

    def _connect(self) -> None:
        session = self._session
        session.references.sets_changed.connect(self.refresh)
        session.references.current_changed.connect(self.refresh)
        session.references.images_changed.connect(self.refresh)
        session.health.changed.connect(self.refresh)
        session.limits.changed.connect(self.refresh)
        session.readiness_changed.connect(self._show_age)
        self._group.idClicked.connect(self._show_page)
        self.lines.pressed.connect(self.show_kind)
        self.findings.found_fine.connect(self._on_found_fine)
        for tab, _, _ in self._tabs:
            tab.grid_requested.connect(self.grid_requested)
        self._session.workspace_opened.connect(self._start_over)
        self.finished.connect(self._leave)

    @property
    def _tab(self) -> HealthTab:
        """The page that is looked at."""
        return self._tabs[self.pages.currentIndex()][0]

    @property
    def facts(self) -> Facts | None:
        """What is known of the current set; None while there is no report of it."""
        current, report = self._session.references.current, self._session.health.report
        if current is None or report is None:
            return None
        desk = self._session.limits
        fine = self._fine.get(current.id, frozenset())
        is_current = self._session.health.is_current
        return Facts(current, report, desk.saved, desk.reference_scores, fine, is_current)

    def refresh(self) -> None:
        """Show the current set as it is now, on the page that is looked at.

        A set or a report that is new is shown on all pages.
        """
        current, had_facts = self._session.references.current, self._had_facts
        is_new = False
        if (current.id if current is not None else None) != self._set_id:
            self._set_id = None if current is None else current.id
            is_new = True
            for tab, _, _ in self._tabs:
                tab.change_set()
        name = self.tr("No set") if current is None else current.name
        self.name.setText(name)
        facts = self.facts
        lines = (Line(Level.NOTE, self._waiting()),) if facts is None else summary(facts)
        self.lines.show_lines(lines)
        self._show_age()
        self._had_facts = facts is not None
        is_new = is_new or self._had_facts != had_facts
        for tab in [tab for tab, _, _ in self._tabs] if is_new else [self._tab]:
            tab.refresh(facts)

    def _start_over(self) -> None:
        """Forget what was of sets of another workspace, whose ids come again."""
        self._fine.clear()
        self._set_id = None
        for tab, _, _ in self._tabs:
            tab.change_set()
        self.refresh()

    def show_kind(self, kind: Kind) -> None:
        """Lead to where something can be done about a kind of finding."""
        if kind is Kind.ENOUGH:
            self._show_page(self.pages.indexOf(self.learning))
            return
        self._show_page(self.pages.indexOf(self.findings))
        self.findings.show_kind(kind)

    def _show_page(self, number: int) -> None:
        self.tab_buttons[number].setChecked(True)
        self.pages.setCurrentIndex(number)
        self._tab.refresh(self.facts)

    def _show_age(self) -> None:
        """Say of which set this is and how old, in the title as well."""
        health, current = self._session.health, self._session.references.current
        if current is None or not current.images:
            age = ""
        elif self._session.readiness is Readiness.FAILED:
            age = self.tr("cannot be looked at: {}").format(self._session.engine_state.reason)
        elif not health.is_current:
            age = self.tr("being updated…")
        else:
            when = time.strftime("%H:%M", time.localtime(health.assessed_at))
            age = self.tr("as of {}").format(when)
        self.age.setText(age)
        title = self.tr("Reference-set health")
        name = "" if current is None else f"{current.name} – "
        self.setWindowTitle(f"{name}{title}" + (f" ({age})" if age else ""))
        if self.facts is None:
            self.lines.show_lines((Line(Level.NOTE, self._waiting()),))

    def _waiting(self) -> str:
        """Say why there is nothing to see yet."""
        current = self._session.references.current
        if current is None:
            return self.tr("First add pictures of good parts in the main window.")
        if not any(image.included for image in current.images):
            return self.tr("The set is empty; add pictures of good parts in the main window.")
        if self._session.readiness is Readiness.FAILED:
            return self.tr("The set cannot be looked at: {}").format(
                self._session.engine_state.reason
            )
        return self.tr("The set is being looked at; findings follow.")

    def _on_found_fine(self, sha256: str) -> None:
        if self._set_id is not None:
            self._fine[self._set_id] = self._fine.get(self._set_id, frozenset()) | {sha256}
            self.refresh()

    def _exclude_selected(self) -> None:
        self._tab.exclude_selected()

    def _leave(self) -> None:
        for tab, _, _ in self._tabs:
            tab.leave()
