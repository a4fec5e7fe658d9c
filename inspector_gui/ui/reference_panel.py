"""The left dock: reference sets, their pictures, and whether parts can be judged by them."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from inspector_gui.core.types import Progress, ReferenceImage
from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.dropping import DropHint, has_pictures, local_paths
from inspector_gui.ui.drops import DropTarget, dropped_picture
from inspector_gui.ui.readiness_line import ReadinessLine
from inspector_gui.ui.reference_grid import ReferenceGrid
from inspector_gui.ui.reference_model import IMAGE_ROLE, ReferenceModel, Shown
from inspector_gui.ui.set_bar import SetBar
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import Thumbnails

_PATTERNS = "*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp *.gif *.pgm *.ppm *.jp2"
_AROUND_TITLE = 36
"""Pixels of the card's margins and of the space between title and counts."""


class ReferencePanel(Card):
    """Sets and their pictures; everything here can be dropped on, and undone."""

    reference_opened = Signal(object)
    """The `ReferenceImage` that was double-clicked."""

    def __init__(
        self, session: Session, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent)
        self.title.setText(self.tr("Reference sets"))
        self._session, self._commands = session, commands
        self._shown = Shown.ALL
        self._set_id: int | None = None
        self._counts: list[str] = []
        self.set_bar = SetBar(session, commands, self)
        self.readiness = ReadinessLine(session, self)
        self.model = ReferenceModel(Thumbnails(session, self), self)
        self.grid = ReferenceGrid(self.model, theme, self)
        self.good_chip = self._chip(Shown.INCLUDED)
        self.excluded_chip = self._chip(Shown.EXCLUDED)
        self.add_images_button = QPushButton(self.tr("Add images…"))
        self.add_folder_button = QPushButton(self.tr("Add folder…"))
        self.hint = label(self.tr("Drop pictures of good parts here"), "muted")
        self._lay_out()
        veil = DropHint(self.tr("Add as good parts"), theme, self)
        DropTarget(self, veil, accepts=has_pictures, take=self._take_drop)
        self._connect()
        self.refresh()

    def _chip(self, shown: Shown) -> QPushButton:
        chip = QPushButton()
        chip.setCheckable(True)
        chip.setProperty("role", "chip")
        chip.setProperty("shown", shown)
        chip.clicked.connect(self._on_chip)
        return chip

    def _lay_out(self) -> None:
        self.chips = QWidget()
        chips = QHBoxLayout(self.chips)
        chips.setContentsMargins(0, 0, 0, 0)
        chips.setSpacing(6)
        chips.addWidget(self.good_chip, 1)
        chips.addWidget(self.excluded_chip, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.add_images_button, self.add_folder_button):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setStyleSheet("padding-left: 4px; padding-right: 4px;")
            buttons.addWidget(button, 1)
        self.grid.setAccessibleName(self.tr("Reference pictures"))
        self.add_images_button.setToolTip(self.tr("Add pictures of good parts (Ctrl+I)"))
        self.add_folder_button.setToolTip(
            self.tr("Add all pictures in a folder and below it (Ctrl+Shift+I)")
        )
        self.remark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(self.set_bar)
        self.body.addWidget(self.readiness)
        self.body.addWidget(self.chips)
        self.body.addWidget(self.grid, 1)
        self.body.addWidget(self._progress_row())
        self.body.addLayout(buttons)
        self.body.addWidget(self.hint)

    def _progress_row(self) -> QWidget:
        self.progress = QWidget()
        self.progress_bar = QProgressBar()
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setAccessibleName(self.tr("Adding pictures"))
        self.progress_text = label("", "small")
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.setToolTip(self.tr("Stop adding and take back what was added"))
        row = QHBoxLayout(self.progress)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.progress_bar, 1)
        row.addWidget(self.progress_text)
        row.addWidget(self.cancel_button)
        self.progress.hide()
        return self.progress

    def _connect(self) -> None:
        references = self._session.references
        references.sets_changed.connect(self.refresh)
        references.current_changed.connect(self.refresh)
        references.images_changed.connect(self.refresh)
        references.import_progressed.connect(self._on_progress)
        self.cancel_button.clicked.connect(references.cancel_import)
        self.add_images_button.clicked.connect(self.choose_images)
        self.add_folder_button.clicked.connect(self.choose_folder)
        self.grid.excluded.connect(self.exclude_selected)
        self.grid.included.connect(self.include_selected)
        self.grid.doubleClicked.connect(self._on_double_clicked)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.grid.customContextMenuRequested.connect(self._open_menu)

    def refresh(self) -> None:
        """Show the current set."""
        current = self._session.references.current
        images = current.images if current is not None else ()
        good = sum(image.included for image in images)
        excluded = len(images) - good
        if current is None or current.id != self._set_id:
            self._set_id = current.id if current is not None else None
            self._shown = Shown.ALL
        if not excluded and self._shown is Shown.EXCLUDED:
            self._shown = Shown.ALL
        counts = [self.tr("{} good").format(good), self.tr("{} excluded").format(excluded)]
        self._counts = [] if current is None else counts[: 2 if excluded else 1]
        self._show_counts()
        self.good_chip.setText(self.tr("Good {}").format(good))
        self.excluded_chip.setText(self.tr("Excluded {}").format(excluded))
        self.excluded_chip.setEnabled(excluded > 0)
        for chip in (self.good_chip, self.excluded_chip):
            chip.setChecked(chip.property("shown") is self._shown)
            chip.setToolTip(
                self.tr("Show all again") if chip.isChecked() else self.tr("Show only these")
            )
        self.model.show_images(images, self._shown)
        self.grid.hint = "" if images else self.tr("Drop pictures of good parts here")
        self.grid.viewport().update()
        for widget in (self.chips, self.hint):
            widget.setVisible(bool(images))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_counts()

    def _show_counts(self) -> None:
        """Say how many there are; in a narrow dock the chip alone counts the excluded ones."""
        text = " · ".join(self._counts)
        metrics = self.remark.fontMetrics()
        room = self.width() - self.title.sizeHint().width() - _AROUND_TITLE
        fits = not self._counts or metrics.horizontalAdvance(text) <= room
        self.remark.setText(text if fits else self._counts[0])
        self.remark.setToolTip(text)

    @property
    def selected(self) -> list[ReferenceImage]:
        """The pictures that are selected."""
        return self.grid.selected

    def edit_new_name(self) -> None:
        """Let the name of a new set be typed."""
        self.set_bar.edit_new_name()

    def edit_rename(self) -> None:
        """Let another name of the current set be typed."""
        self.set_bar.edit_rename()

    def edit_duplicate(self) -> None:
        """Let the name of a copy of the current set be typed."""
        self.set_bar.edit_duplicate()

    def delete_set(self) -> None:
        """Delete the current set; undo brings it back."""
        self.set_bar.delete_set()

    def choose_images(self) -> None:
        """Let pictures of good parts be chosen and add them."""
        dialog = QFileDialog(self, self.tr("Add pictures of good parts"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(
            [f"{self.tr('Pictures')} ({_PATTERNS})", f"{self.tr('All files')} (*)"]
        )
        self._open_dialog(dialog)

    def choose_folder(self) -> None:
        """Let a folder of pictures of good parts be chosen and add them."""
        dialog = QFileDialog(self, self.tr("Add a folder of good parts"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._open_dialog(dialog)

    def exclude_selected(self, reason: str = "") -> None:
        """Leave the selected pictures out; they stay in the set."""
        self._commands.include(self.selected, False, reason or self.tr("left out by hand"))

    def include_selected(self) -> None:
        """Count the selected pictures in again."""
        self._commands.include(self.selected, True, "")

    def _open_dialog(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._add)
        dialog.open()

    def _add(self, files: list[str]) -> None:
        if files:
            self._session.references.add([Path(file) for file in files])

    def _take_drop(self, mime: QMimeData) -> None:
        paths = local_paths(mime)
        if paths:
            self._session.references.add(paths)
        elif (picture := dropped_picture(mime)) is not None:
            self._session.references.add_picture(*picture)

    def _open_menu(self, position: QPoint) -> None:
        selected = self.selected
        if selected:
            self.make_menu(selected).popup(self.grid.viewport().mapToGlobal(position))

    def make_menu(self, selected: list[ReferenceImage]) -> QMenu:
        """Return the menu of some pictures."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        exclude = menu.addAction(self.tr("Exclude\tDel"), self._exclude_by_hand)
        because = menu.addMenu(self.tr("Exclude because"))
        for reason in (
            self.tr("shows a defect"),
            self.tr("blurred or badly lit"),
            self.tr("is there twice"),
        ):
            because.addAction(reason, _Exclusion(self, reason))
        include = menu.addAction(self.tr("Include again\tIns"), self.include_selected)
        any_included = any(image.included for image in selected)
        exclude.setEnabled(any_included)
        because.setEnabled(any_included)
        include.setEnabled(not all(image.included for image in selected))
        return menu

    def _exclude_by_hand(self) -> None:
        self.exclude_selected()

    def _on_chip(self, checked: bool) -> None:
        shown = self.sender().property("shown")
        self._shown = shown if checked else Shown.ALL
        self.refresh()

    def _on_progress(self, progress: Progress | None) -> None:
        self.progress.setVisible(progress is not None)
        self.add_images_button.setEnabled(progress is None)
        self.add_folder_button.setEnabled(progress is None)
        if progress is None:
            return
        self.progress_bar.setRange(0, progress.total)
        self.progress_bar.setValue(progress.done)
        self.progress_text.setText(
            self.tr("{} of {}").format(progress.done, progress.total)
            if progress.total
            else self.tr("Looking…")
        )

    def _on_double_clicked(self) -> None:
        index = self.grid.currentIndex()
        if index.isValid():
            self.reference_opened.emit(index.data(IMAGE_ROLE))


class _Exclusion:
    """Excludes what is selected for one reason."""

    def __init__(self, panel: ReferencePanel, reason: str) -> None:
        self._panel, self._reason = panel, reason

    def __call__(self, _checked: bool = False) -> None:
        self._panel.exclude_selected(self._reason)
