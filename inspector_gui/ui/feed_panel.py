"""The feed's card: where parts come from, and how it is doing."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label, set_role
from inspector_gui.ui.dropping import DropHint, local_paths
from inspector_gui.ui.drops import DropTarget
from inspector_gui.ui.feed_choice import (
    CAMERA,
    FOLDER,
    FeedChoice,
    choice_from_key,
    choice_from_path,
)
from inspector_gui.ui.live_preview import LivePreview
from inspector_gui.ui.theme import Theme
from inspector_gui.workers.feed_worker import FeedState

_FIGURES_MS = 500
_RECENT = 8
_CHOOSE_FOLDER = "choose folder"
_ENTER_CAMERA = "enter camera"
_ROLES = {
    FeedState.STOPPED: "muted",
    FeedState.CONNECTING: "warn",
    FeedState.RUNNING: "good",
    FeedState.PAUSED: "warn",
    FeedState.FINISHED: "muted",
    FeedState.FAILED: "bad",
}


class FeedPanel(Card):
    """Picks a source, starts, pauses and stops it."""

    recent_changed = Signal(object)
    """The recent sources as a list of strings, newest first, for `set_recent` next time."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.title.setText(self.tr("Feed"))
        self._session = session
        self._recent: list[FeedChoice] = []
        self.choice: FeedChoice | None = None
        self.combo = QComboBox()
        self.address = AddressEdit(self)
        self.start_button = QPushButton(self.tr("Start"))
        self.pause_button = QPushButton(self.tr("Pause"))
        self.stop_button = QPushButton(self.tr("Stop"))
        self.reason = label("", "bad")
        self.figures = label("", "small")
        self.judged = label("", "small")
        self.follow = QPushButton(self.tr("Show newest"))
        self.preview = LivePreview(session.feeds.newest_frame, theme, self)
        self._timer = QTimer(self)
        self._timer.setInterval(_FIGURES_MS)
        self._lay_out()
        veil = DropHint(self.tr("Take as the source"), theme, self)
        DropTarget(self, veil, accepts=_can_take, take=self._take_drop)
        self._connect()
        self._fill_combo()
        self._on_state()

    def _lay_out(self) -> None:
        self.combo.setAccessibleName(self.tr("Source"))
        self.combo.setToolTip(self.tr("Where parts come from: a folder, a camera or a stream"))
        self.combo.setPlaceholderText(self.tr("Choose a source"))
        self.combo.setMinimumContentsLength(8)
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.combo.setSizeAdjustPolicy(policy)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.start_button, self.pause_button, self.stop_button):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            buttons.addWidget(button, 1)
        self.start_button.setToolTip(self.tr("Judge the parts of the chosen source (F5)"))
        self.stop_button.setToolTip(self.tr("Close the source (Shift+F5)"))
        self.reason.setWordWrap(True)
        self.follow.setCheckable(True)
        self.follow.setProperty("role", "chip")
        self.follow.setToolTip(self.tr("Open every part as soon as it is judged"))
        self.follow.setChecked(self._session.history.follows)
        foot = QHBoxLayout()
        foot.addWidget(self.follow)
        foot.addWidget(self.judged, 1, Qt.AlignmentFlag.AlignRight)
        self.body.addWidget(self.combo)
        self.body.addWidget(self.address)
        self.body.addLayout(buttons)
        self.body.addWidget(self.reason)
        self.body.addWidget(self.preview)
        self.body.addWidget(self.figures)
        self.body.addLayout(foot)

    def _connect(self) -> None:
        self.combo.activated.connect(self._on_activated)
        self.address.entered.connect(self.choose_camera)
        self.start_button.clicked.connect(self.start)
        self.pause_button.clicked.connect(self.toggle_pause)
        self.stop_button.clicked.connect(self.stop)
        self.follow.toggled.connect(self._session.history.follow)
        self._session.history.follow_changed.connect(self.follow.setChecked)
        self._session.feeds.state_changed.connect(self._on_state)
        self._timer.timeout.connect(self._show_figures)

    # Choosing

    def set_recent(self, recent: Sequence[str]) -> None:
        """Offer sources that were used before, newest first, and choose the first of them."""
        choices = [choice for key in recent if (choice := choice_from_key(key)) is not None]
        self._recent = choices[:_RECENT]
        if self.choice is None and self._recent:
            self.choice = self._recent[0]
        self._fill_combo()
        self._on_state()

    def choose_folder(self) -> None:
        """Let a folder be chosen."""
        dialog = QFileDialog(self, self.tr("Judge the parts in a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.take_folder)
        dialog.open()

    def take_folder(self, folder: str | Path) -> None:
        """Choose a folder."""
        self._choose(FeedChoice(FOLDER, str(folder)))

    def enter_camera(self) -> None:
        """Let a device number or a stream's address be typed."""
        self.address.begin(
            self.choice.address if self.choice and self.choice.kind == CAMERA else "0"
        )

    def choose_camera(self, address: str) -> None:
        """Choose a camera by its device number or its stream's address."""
        self._choose(FeedChoice(CAMERA, address))

    def _choose(self, choice: FeedChoice) -> None:
        self.choice = choice
        self._recent = [choice, *(c for c in self._recent if c != choice)][:_RECENT]
        self.address.hide()
        self._fill_combo()
        self._on_state()
        self.recent_changed.emit([c.key for c in self._recent])

    def _fill_combo(self) -> None:
        kinds = {FOLDER: self.tr("Folder"), CAMERA: self.tr("Camera")}
        self.combo.blockSignals(True)
        self.combo.clear()
        for row, choice in enumerate(self._recent):
            self.combo.addItem(f"{kinds[choice.kind]} · {choice.short_name}", choice)
            shown = choice.address if choice.kind == FOLDER else choice.short_name
            self.combo.setItemData(row, shown, Qt.ItemDataRole.ToolTipRole)
        if self._recent:
            self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(self.tr("Folder…"), _CHOOSE_FOLDER)
        self.combo.addItem(self.tr("Camera or stream…"), _ENTER_CAMERA)
        self._show_choice()
        self.combo.blockSignals(False)

    def _show_choice(self) -> None:
        chosen = self._recent.index(self.choice) if self.choice in self._recent else -1
        self.combo.setCurrentIndex(chosen)

    def _on_activated(self, row: int) -> None:
        data = self.combo.itemData(row)
        if isinstance(data, FeedChoice):
            self._choose(data)
            return
        self._show_choice()
        if data == _CHOOSE_FOLDER:
            self.choose_folder()
        elif data == _ENTER_CAMERA:
            self.enter_camera()

    def _take_drop(self, mime: QMimeData) -> None:
        choices = [choice_from_path(path) for path in local_paths(mime)]
        found = next((choice for choice in choices if choice is not None), None)
        if found is not None:
            self._choose(found)

    # Running

    def start(self) -> None:
        """Judge the parts of the chosen source; go on with it where it is paused."""
        if self._session.feeds.state is FeedState.PAUSED:
            self._session.feeds.resume()
        elif self.choice is None:
            self.choose_folder()
        elif not self._session.feeds.state.is_active:
            self._session.start_feed(self.choice.make_source())

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        if self._session.feeds.state is FeedState.PAUSED:
            self._session.feeds.resume()
        else:
            self._session.feeds.pause()

    def stop(self) -> None:
        """Close the source."""
        self._session.feeds.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_state()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self.preview.run(False)

    def _on_state(self) -> None:
        feeds = self._session.feeds
        state = feeds.state
        self.remark.setText(f"● {self._word(state)}")
        set_role(self.remark, _ROLES[state])
        failed = state is FeedState.FAILED
        self.reason.setText(feeds.source_name if failed else "")
        self.reason.setVisible(failed)
        self.start_button.setEnabled(self.choice is not None and not state.is_active)
        self.pause_button.setEnabled(state in (FeedState.RUNNING, FeedState.PAUSED))
        self.stop_button.setEnabled(state.is_active)
        paused = state is FeedState.PAUSED
        self.pause_button.setText(self.tr("Resume") if paused else self.tr("Pause"))
        self.pause_button.setToolTip(
            self.tr("Go on (F6)") if paused else self.tr("Take no parts for now (F6)")
        )
        source = feeds.source
        is_live = source is not None and source.is_live and state.is_active
        if not is_live:
            self.preview.clear()
        self.preview.setVisible(is_live)
        self.preview.run(is_live and state is FeedState.RUNNING and self.isVisible())
        if state.is_active and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()
        self._show_figures()

    def _word(self, state: FeedState) -> str:
        return {
            FeedState.STOPPED: self.tr("stopped"),
            FeedState.CONNECTING: self.tr("connecting"),
            FeedState.RUNNING: self.tr("running"),
            FeedState.PAUSED: self.tr("paused"),
            FeedState.FINISHED: self.tr("finished"),
            FeedState.FAILED: self.tr("failed"),
        }[state]

    def _show_figures(self) -> None:
        figures = self._session.feeds.figures
        texts = [
            self.tr("{} parts/s").format(f"{figures.per_second:.1f}"),
            self.tr("{} dropped").format(figures.dropped),
        ]
        if figures.latency_p95 is not None:
            texts.append(self.tr("p95 {} ms").format(round(figures.latency_p95 * 1000)))
        started = self._session.feeds.source is not None
        self.figures.setText(" · ".join(texts) if started else "")
        self.figures.setVisible(started)
        self.judged.setText(self.tr("{} judged").format(figures.judged) if started else "")


class AddressEdit(QLineEdit):
    """A camera's address, typed in place: Enter takes it, Esc does not."""

    entered = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setPlaceholderText(self.tr("Device number or stream address"))
        self.setAccessibleName(self.tr("Camera"))
        self.setToolTip(
            self.tr("0 is the first camera; or an address like rtsp://…; Enter takes it, Esc not")
        )
        self.returnPressed.connect(self._on_return)
        self.hide()

    def begin(self, address: str) -> None:
        """Let an address be typed, `address` to begin with."""
        self.setText(address)
        self.selectAll()
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _on_return(self) -> None:
        if self.text().strip():
            self.entered.emit(self.text().strip())


def _can_take(mime: QMimeData) -> bool:
    return any(choice_from_path(path) is not None for path in local_paths(mime))
