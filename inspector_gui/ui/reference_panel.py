"""The left dock: reference sets, their pictures, and whether parts can be judged by them."""

from collections.abc import Callable, Sequence
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

from inspector_gui.core.types import Progress, Purpose, ReferenceImage
from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.dropping import VIDEO_SUFFIXES, DropHint, is_video, local_paths
from inspector_gui.ui.drops import dropped_picture
from inspector_gui.ui.group_chips import GroupChips
from inspector_gui.ui.group_drops import GroupDrops
from inspector_gui.ui.readiness_line import ReadinessLine
from inspector_gui.ui.reference_grid import ReferenceGrid
from inspector_gui.ui.reference_menu import ReferenceMenu
from inspector_gui.ui.reference_model import IMAGE_ROLE, Group, ReferenceModel, count_groups
from inspector_gui.ui.set_bar import SetBar
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import Thumbnails
from inspector_gui.ui.video_intake import VideoIntake

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
        self._shown: Group | None = None
        self._set_id: int | None = None
        self._counts: list[str] = []
        self._counted: tuple[ReferenceImage, ...] = ()
        self._groups = count_groups(())
        self.set_bar = SetBar(session, commands, self)
        self.readiness = ReadinessLine(session, self)
        self.model = ReferenceModel(Thumbnails(session, self), self)
        self.grid = ReferenceGrid(self.model, theme, self)
        self.chips = GroupChips(theme, self)
        self.videos = VideoIntake(session, self)
        self.add_images_button = QPushButton(self.tr("Add images…"))
        self.add_folder_button = QPushButton(self.tr("Add folder…"))
        self.hint = label(self.tr("Drop pictures of good parts here"), "muted")
        self._lay_out()
        veil = DropHint(self.tr("Add pictures\nor drop on a group"), theme, self, above=self.chips)
        GroupDrops(
            self,
            self.chips,
            veil,
            take_files=self._take_files,
            take_references=self._take_references,
        )
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
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
        self._add_to_menu()
        self.body.addWidget(self.set_bar)
        self.body.addWidget(self.readiness)
        self.body.addWidget(self.chips)
        self.body.addWidget(self.grid, 1)
        self.body.addWidget(self._progress_row())
        self.body.addLayout(buttons)
        self.body.addWidget(self.hint)

    def _add_to_menu(self) -> None:
        menu = self.set_bar.menu
        menu.addSeparator()
        self._adding = [
            menu.addAction(self.tr("Add images…"), self.choose_images),
            menu.addAction(self.tr("Add folder…"), self.choose_folder),
            menu.addAction(self.tr("Add video…"), self.choose_video),
            menu.addAction(self.tr("Add some frames of a folder…"), self.choose_frames),
        ]
        self.set_bar.more.setToolTip(self.tr("New, rename, duplicate, delete; add a video"))

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
        self.grid.purpose_given.connect(self.set_purpose_of_selected)
        self.chips.chosen.connect(self._on_group_chosen)
        self.grid.doubleClicked.connect(self._on_double_clicked)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.grid.customContextMenuRequested.connect(self._open_menu)

    def refresh(self) -> None:
        """Show the current set."""
        current = self._session.references.current
        images = current.images if current is not None else ()
        if images is not self._counted:
            self._counted, self._groups = images, count_groups(images)
        if current is None or current.id != self._set_id:
            self._set_id = current.id if current is not None else None
            self._shown = None
        if self._shown is not None and not self._groups[self._shown]:
            self._shown = None
        self._counts = [] if current is None else self._count_in_words()
        self._show_counts()
        self.chips.show_counts(self._groups, self._shown)
        self.model.show_images(images, self._shown)
        self.grid.hint = "" if images else self.tr("Drop pictures of good parts here")
        self.grid.viewport().update()
        self.chips.set_wanted(bool(images))
        self.hint.setVisible(bool(images))

    def _count_in_words(self) -> list[str]:
        words = {
            Group.VALIDATION: self.tr("{} validation"),
            Group.BAD: self.tr("{} bad"),
            Group.EXCLUDED: self.tr("{} excluded"),
        }
        good = self.tr("{} good").format(self._groups[Group.GOOD])
        others = (w.format(self._groups[g]) for g, w in words.items() if self._groups[g])
        return [good, *others]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_counts()

    def _show_counts(self) -> None:
        """Say how many there are; in a narrow dock the chips alone count all but the good ones."""
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

    def select(self, images: Sequence[ReferenceImage]) -> None:
        """Show all pictures of the set and select these."""
        self._shown = None
        self.refresh()
        self.grid.select(frozenset(image.id for image in images))

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
        self._open_dialog(dialog, self._add)

    def choose_folder(self) -> None:
        """Let a folder of pictures of good parts be chosen and add them."""
        dialog = QFileDialog(self, self.tr("Add a folder of good parts"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._open_dialog(dialog, self._add)

    def choose_video(self) -> None:
        """Let a video be chosen, ask for a number of its frames, and add those."""
        dialog = QFileDialog(self, self.tr("Add frames of a video"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        patterns = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        dialog.setNameFilters([f"{self.tr('Videos')} ({patterns})", f"{self.tr('All files')} (*)"])
        self._open_dialog(dialog, self._add_frames)

    def choose_frames(self) -> None:
        """Let a folder of frames be chosen, ask for a number of them, and add those."""
        dialog = QFileDialog(self, self.tr("Add some frames of a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._open_dialog(dialog, self._add_frames)

    def set_purpose_of_selected(self, purpose: Purpose) -> None:
        """Let the selected pictures serve a purpose; excluded ones are counted in again."""
        self._commands.set_purpose(self.selected, purpose)

    def exclude_selected(self, reason: str = "") -> None:
        """Leave the selected pictures out; they stay in the set."""
        self._commands.include(self.selected, False, reason or self.tr("left out by hand"))

    def include_selected(self) -> None:
        """Count the selected pictures in again."""
        self._commands.include(self.selected, True, "")

    def _open_dialog(self, dialog: QFileDialog, take: Callable[[list[str]], None]) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(take)
        dialog.open()

    def _add(self, files: list[str]) -> None:
        if files:
            self._add_paths([Path(file) for file in files], None)

    def _add_frames(self, files: list[str]) -> None:
        if files:
            self.videos.take(Path(files[0]))

    def _add_paths(self, paths: list[Path], purpose: Purpose | None) -> None:
        """Add pictures and folders; of a video, ask how many frames are wanted."""
        videos = [path for path in paths if is_video(path)]
        pictures = [path for path in paths if not is_video(path)]
        if pictures:
            self._session.references.add(pictures, purpose)
        if videos:
            self.videos.take(videos[0], purpose or Purpose.REFERENCE)
        if len(videos) > 1:
            self._session.notice(
                self.tr("Videos are added one after the other; {} was taken.").format(
                    videos[0].name
                )
            )

    def _take_files(self, mime: QMimeData, group: Group | None) -> None:
        purpose = None if group is None else group.purpose
        paths = local_paths(mime)
        if paths:
            self._add_paths(paths, purpose)
        elif (picture := dropped_picture(mime)) is not None:
            self._session.references.add_picture(*picture, purpose or Purpose.REFERENCE)

    def _take_references(self, ids: frozenset[int], group: Group) -> None:
        images = [image for image in self.model.images if image.id in ids]
        if group.purpose is None:
            self._commands.include(images, False, self.tr("left out by hand"))
        else:
            self._commands.set_purpose(images, group.purpose)

    def _open_menu(self, position: QPoint) -> None:
        selected = self.selected
        menu = self.make_menu(selected) if selected else self._menu_of_adding()
        menu.popup(self.grid.viewport().mapToGlobal(position))

    def make_menu(self, selected: list[ReferenceImage]) -> QMenu:
        """Return the menu of some pictures."""
        menu = ReferenceMenu(selected, self)
        menu.purpose_given.connect(self.set_purpose_of_selected)
        menu.excluded.connect(self.exclude_selected)
        menu.included.connect(self.include_selected)
        return menu

    def _menu_of_adding(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self._adding)
        return menu

    def _on_group_chosen(self, group: Group | None) -> None:
        self._shown = group
        self.refresh()

    def _on_progress(self, progress: Progress | None) -> None:
        self.progress.setVisible(progress is not None)
        self.add_images_button.setEnabled(progress is None)
        self.add_folder_button.setEnabled(progress is None)
        for action in self._adding:
            action.setEnabled(progress is None)
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
