"""The main window: arranges the panels and connects the table of actions; nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QUndoStack
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QLineEdit,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from inspector_gui.core.method_options import name_of
from inspector_gui.core.types import ReferenceImage
from inspector_gui.session import Session
from inspector_gui.settings import Settings
from inspector_gui.ui.action_table import action_table
from inspector_gui.ui.actions import add_actions
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.feed_panel import FeedPanel
from inspector_gui.ui.heatmap_panel import HeatmapPanel
from inspector_gui.ui.interrupted_strip import InterruptedStrip
from inspector_gui.ui.keys_dialog import show_keys
from inspector_gui.ui.method_words import TRAINED
from inspector_gui.ui.notices import NoticeStrip
from inspector_gui.ui.recipe_dialog import RecipeDialog
from inspector_gui.ui.reference_panel import ReferencePanel
from inspector_gui.ui.review_panel import ReviewPanel
from inspector_gui.ui.scale_dialog import ScaleDialog
from inspector_gui.ui.status import StatusLine
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.threshold_panel import ThresholdPanel

_LAYOUT_VERSION = 1


class MainWindow(QMainWindow):
    """Reference sets on the left, the part and its limit in the middle, feed and review right."""

    painted = Signal()
    """The window is on screen for the first time."""
    closed = Signal()
    demo_requested = Signal()

    def __init__(self, session: Session, theme: Theme, settings: Settings) -> None:
        super().__init__()
        self._session = session
        self._theme = theme
        self._settings = settings
        self._is_painted = False
        self._asked_for: Path | None = None
        self._beside: dict[str, QWidget] = {}
        self.undo_stack = QUndoStack(self)
        self.commands = Commands(session, self.undo_stack)
        self.setWindowTitle("Inspector")
        self.setObjectName("main")
        self.setDockNestingEnabled(True)
        self.references = ReferencePanel(session, self.commands, theme)
        self.heatmap = HeatmapPanel(session, theme)
        self.threshold = ThresholdPanel(session, self.commands, theme)
        self.feed = FeedPanel(session, theme)
        self.review = ReviewPanel(session, self.commands, theme)
        self.notices = NoticeStrip()
        self.interrupted = InterruptedStrip(session.training)
        self._arrange()
        self.actions_by_name = add_actions(self, action_table(self))
        self._add_undo_actions()
        self._add_dock_actions()
        self.setStatusBar(StatusLine(session))
        self._connect()
        self._restore()

    # Arrangement

    def _arrange(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.notices)
        column.addWidget(self.interrupted)
        column.addWidget(self.heatmap, 1)
        column.addWidget(self.threshold)
        self.setCentralWidget(centre)
        right = QWidget()
        stack = QVBoxLayout(right)
        stack.setContentsMargins(0, 2, 8, 0)
        stack.setSpacing(6)
        stack.addWidget(self.feed)
        stack.addWidget(self.review, 1)
        left = QWidget()
        inset = QVBoxLayout(left)
        inset.setContentsMargins(8, 2, 0, 0)
        inset.addWidget(self.references)
        sides = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.reference_dock = self._dock(self.tr("Reference sets"), "references", left, sides[0])
        self.feed_dock = self._dock(self.tr("Feed and review"), "feed", right, sides[1])

    def _dock(self, title: str, name: str, widget: QWidget, side: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setTitleBarWidget(QWidget(dock))  # the card inside has the title
        dock.setWidget(widget)
        self.addDockWidget(side, dock)
        return dock

    def _restore(self) -> None:
        self.resize(1366, 768)
        if screen := self.screen():
            available = screen.availableSize()
            wide = min(max(1180, round(available.width() * 0.9)), 1920)
            high = min(max(700, round(available.height() * 0.9)), 1120)
            self.resize(min(wide, available.width()), min(high, available.height()))
        self.restoreGeometry(self._settings.layout("geometry"))
        if not self.restoreState(self._settings.layout("docks"), _LAYOUT_VERSION):
            self._size_docks()
        self.feed.set_recent(self._settings.recent_sources)

    def _size_docks(self) -> None:
        side = 250 if self.width() < 1500 else 304
        docks = [self.reference_dock, self.feed_dock]
        self.resizeDocks(docks, [side, side + 42], Qt.Orientation.Horizontal)

    # Actions

    def _add_undo_actions(self) -> None:
        bar = self.menuBar()
        edit = bar.addMenu(self.tr("&Edit"))
        undo = self.undo_stack.createUndoAction(self, self.tr("Undo"))
        redo = self.undo_stack.createRedoAction(self, self.tr("Redo"))
        undo.setShortcut("Ctrl+Z")
        redo.setShortcut("Ctrl+Shift+Z")
        edit.addActions([undo, redo])
        bar.insertMenu(bar.actions()[1], edit)

    def _add_dock_actions(self) -> None:
        view = next(a.menu() for a in self.menuBar().actions() if a.text() == self.tr("&View"))
        view.addSeparator()  # type: ignore[attr-defined]
        for dock in (self.reference_dock, self.feed_dock):
            view.addAction(dock.toggleViewAction())  # type: ignore[attr-defined]

    # Verbs of the window itself

    def choose_workspace(self) -> None:
        """Ask for a workspace folder and open it."""
        dialog = QFileDialog(self, self.tr("Open workspace"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.open_workspace)
        dialog.open()

    def open_workspace(self, folder: str) -> None:
        """Open a workspace; the set that was current in it is current again."""
        path = self._asked_for = Path(folder)
        self.undo_stack.clear()
        self._session.open_workspace(path, current_set=self._settings.current_set(path))

    def choose_pictures(self) -> None:
        """Ask for pictures and judge them ad hoc."""
        dialog = QFileDialog(self, self.tr("Check pictures"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._on_pictures_chosen)
        dialog.open()

    def _on_pictures_chosen(self, names: list[str]) -> None:
        self._session.check([Path(name) for name in names])

    def use_look(self, look: str) -> None:
        """Use the look `system`, `dark` or `light`, now and the next time."""
        self._settings.look = look
        if look == "system":
            self._theme.follow_system()
        else:
            self._theme.apply(is_dark=look == "dark")

    def show_keys(self) -> None:
        """List all keys in a window that stays beside this one."""
        show_keys(self, self.actions_by_name.values())

    def show_parameters(self) -> None:
        """Show the numbers of the current set's recipe beside the window."""
        if (current := self._session.references.current) is None:
            self._session.notice(self.tr("Create a reference set first."))
        else:
            RecipeDialog(self._session, current.scoring, self).show()

    def show_precision(self) -> None:
        """Choose precision and runtime of the current set beside the window."""
        from inspector_gui.ui.precision_dialog import PrecisionDialog

        if (current := self._session.references.current) is None:
            self._session.notice(self.tr("Create a reference set first."))
            return
        dialog = PrecisionDialog(self._session, current, self)
        dialog.pictures_requested.connect(self._on_grid_requested)
        dialog.show()

    def show_scale(self) -> None:
        """State the scale of the current set's pictures, in a window beside this one."""
        current = self._session.references.current
        if current is None:
            self._session.notice(self.tr("Create a reference set first."))
            return
        self._show_beside(
            f"scale {current.id}",
            lambda: ScaleDialog(self._session, self.commands, self.heatmap.ruler, current, self),
        )

    def show_health(self) -> None:
        """Show how healthy the current set is, in a window that stays beside this one."""
        from inspector_gui.ui.health_window import HealthWindow

        def make() -> QWidget:
            window = HealthWindow(
                self._session, self.commands, self._theme, self, stack=self.undo_stack
            )
            window.grid_requested.connect(self._on_grid_requested)
            return window

        self._show_beside("health", make)

    def show_lots(self) -> None:
        """Show lots of parts and their decisions, in a window that stays beside this one."""
        from inspector_gui.ui.lot_window import LotWindow

        self._show_beside(
            "lots", lambda: LotWindow(self._session, self._session.lots, self._theme, self)
        )

    def show_side_by_side(self) -> None:
        """Run several methods on the same parts, in a window that stays beside this one."""
        from inspector_gui.ui.side_by_side_window import SideBySideWindow

        self._show_beside(
            "side by side", lambda: SideBySideWindow(self._session, self._theme, self)
        )

    def show_training(self) -> None:
        """Show the training of SimpleNet and its models, in a window that stays beside this one."""
        from inspector_gui.ui.training_window import TrainingWindow

        self._show_beside("training", lambda: TrainingWindow(self._session, self._theme, self))

    def _on_grid_requested(self, images: tuple[ReferenceImage, ...]) -> None:
        self.reference_dock.show()
        self.references.select(images)
        self.activateWindow()

    def _show_beside(self, name: str, make: Callable[[], QWidget]) -> None:
        """Show a window that there is one of, on top of the others."""
        shown = self._beside.get(name)
        if shown is None or not isValid(shown):
            shown = self._beside[name] = make()
        shown.show()
        shown.raise_()
        shown.activateWindow()

    def set_recipe(self, **changes: str) -> None:
        """Let the current set score with other fields of its scoring."""
        from inspector_gui.core.methods import scoring_for

        current = self._session.references.current
        if current is None:
            self._session.notice(self.tr("Create a reference set first."))
            return
        if changes.get("method") == TRAINED:
            self._on_set_changed()  # not before there is a model
            self._session.models.use_newest(self._train_first)
            return
        if "backbone" in changes and current.scoring.method == TRAINED:
            self._on_set_changed()
            self._train_first()
            return
        scoring = replace(current.scoring, **changes)  # type: ignore[arg-type]
        if "method" in changes:
            kept = {name: getattr(scoring, name) for name in ("backbone", "runtime", "precision")}
            scoring = scoring_for(changes["method"], **kept)
        self._session.references.set_scoring(scoring, anew="method" in changes)

    def _train_first(self) -> None:
        self._session.notice(
            self.tr("This set has no such model yet: a model is trained for one set and network.")
        )
        self.show_training()

    def use_suggestion(self) -> None:
        """Take the suggested limit."""
        if (suggestion := self._session.limits.suggestion) is not None:
            self.commands.save_limits(suggestion)

    # What happened

    def _connect(self) -> None:
        session = self._session
        session.noticed.connect(self.notices.show_sentence)
        session.workspace_refused.connect(self.heatmap.show_refusal)
        session.workspace_opened.connect(self._on_workspace_opened)
        session.references.current_changed.connect(self._on_set_changed)
        self.heatmap.demo_requested.connect(self.demo_requested)
        self.heatmap.add_requested.connect(self.references.choose_images)
        self.heatmap.open_requested.connect(self.choose_workspace)
        self.heatmap.retry_requested.connect(self._on_retry)
        self.feed.recent_changed.connect(self._on_recent_changed)
        self.actions_by_name[f"look_{self._settings.look}"].setChecked(True)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
        self._on_set_changed()

    def _on_workspace_opened(self) -> None:
        if (folder := self._session.workspace) is not None:
            self.setWindowTitle(f"{folder.name} – Inspector")

    def _on_set_changed(self) -> None:
        current, folder = self._session.references.current, self._session.workspace
        if current is None:
            return
        if folder is not None:
            self._settings.remember_set(folder, current.id)
        scoring = current.scoring
        for name in (f"method_{name_of(scoring)}", f"backbone_{scoring.backbone}"):
            chosen = self.actions_by_name.get(name)
            if chosen is not None:
                chosen.setChecked(True)

    def _on_retry(self) -> None:
        if self._asked_for is not None:
            self.open_workspace(str(self._asked_for))

    def _on_recent_changed(self, sources: list[str]) -> None:
        self._settings.recent_sources = list(sources)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hide the overlay while Space is held, wherever the focus is."""
        kinds = (QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
        if event.type() not in kinds or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.key() != Qt.Key.Key_Space or not self.isActiveWindow():
            return super().eventFilter(watched, event)
        typing = (QLineEdit, QComboBox, QAbstractButton)
        if isinstance(watched, typing) and not isinstance(watched, QAbstractSlider):
            return super().eventFilter(watched, event)
        if not event.isAutoRepeat():
            self.heatmap.hide_overlay(event.type() == QEvent.Type.KeyPress)
        return True

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest and not self._is_painted:
            self._is_painted = True
            self.painted.emit()
        return done

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.remember_layout("geometry", self.saveGeometry())
        self._settings.remember_layout("docks", self.saveState(_LAYOUT_VERSION))
        self._settings.save()
        for window in self._beside.values():
            if isValid(window):
                window.close()
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        super().closeEvent(event)
        self.closed.emit()
