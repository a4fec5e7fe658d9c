"""The part that was chosen among several methods: its picture, and what one of them sees in it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from inspector_gui.core.sets.side_by_side import Candidate, ComparedPart, SideBySide, map_name
from inspector_gui.core.types import RGB
from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_tab import hint_label
from inspector_gui.ui.part_view import map_on, map_view, overlay_table
from inspector_gui.ui.picture_view import PictureView
from inspector_gui.ui.reference_pictures import ReferencePictures
from inspector_gui.ui.side_by_side_offers import Known, decision_words
from inspector_gui.ui.theme import Theme
from inspector_gui.workers.recorder import Store

_OPACITY = 0.6
_LEAST_LETTERS = 10


class SideBySidePart(Card):
    """Shows what it is told; pictures follow as the recorder has read them, the newest wish first.

    A choice of the methods has what each decides; the map and the nearest reference are those of
    the chosen one. `name_of` returns what a reference is called.
    """

    def __init__(
        self,
        session: Session,
        theme: Theme,
        name_of: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("", parent)
        self.title.hide()
        self.remark.hide()
        self._session, self._name_of = session, name_of
        self._found: SideBySide | None = None
        self._part: ComparedPart | None = None
        self._image: RGB | None = None
        self._key, self._nearest = "", ""
        self._wanted: Candidate | None = None
        self._is_reading = False
        self.maps = b""
        """The archive with the maps of the comparison (see `store.map_archive`)."""
        self._references = ReferencePictures(session, self)
        self._references.arrived.connect(self._show_nearest)
        self.name = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle)
        self.known = label("", "small")
        self.by = method_choice()
        self.by.setAccessibleName(self.tr("Method whose map is shown"))
        self.by.setToolTip(self.tr("Whose decision, map and nearest reference are shown"))
        self.by.activated.connect(self._show_opinion)
        self.picture = PictureView(theme)
        self.picture.setAccessibleName(self.tr("The part"))
        self.picture.overlay.set_table(overlay_table(_OPACITY))
        self.reference = PictureView(theme)
        self.reference.setAccessibleName(self.tr("The nearest reference"))
        self.reference_name = ElidedLabel("small", mode=Qt.TextElideMode.ElideMiddle)
        self.place = ElidedLabel("small")
        self.hint = hint_label()
        self._lay_out()
        self.show_part(None, None, Known())

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name, 2)
        head.addWidget(self.known)
        head.addWidget(self.by, 3)
        row = QHBoxLayout()
        row.setSpacing(10)
        for view, below in (
            (self.picture, self.place),
            (self.reference, self.reference_name),
        ):
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(view, 1)
            column.addWidget(below)
            row.addLayout(column, 1)
        self._of_a_part = QWidget()
        whole = QVBoxLayout(self._of_a_part)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(head)
        whole.addLayout(row, 1)
        self.body.addWidget(self._of_a_part, 1)
        self.body.addWidget(self.hint, 1)

    def show_part(self, found: SideBySide | None, part: ComparedPart | None, known: Known) -> None:
        """Show a part; None: say what to do."""
        self._found, self._part = found, part
        self._of_a_part.setVisible(part is not None)
        self.hint.setVisible(part is None)
        self.hint.setText(
            self.tr("Click a point or a row: its picture comes here.") if found is not None else ""
        )
        if part is None or found is None:
            self._key, self._wanted, self._image = "", None, None
            return
        candidate = part.candidate
        self.name.setText(candidate.name)
        self.known.setText(known.words)
        if candidate.row_id is not None:
            self.place.setText(self.tr("Open in the main window, too"))
        elif candidate.purpose:
            self.place.setText(self.tr("A picture of the set"))
        else:
            self.place.setText(self.tr("A file of the folder"))
        if candidate.key != self._key:
            self._key, self._image = candidate.key, None
            self._want(candidate)
        self._list_decisions(found, part)
        self._show_opinion()

    def show_method(self, place: int) -> None:
        """Show what a method sees, by its place among those that ran."""
        if place < self.by.count():
            self.by.setCurrentIndex(place)
            self._show_opinion()

    def _list_decisions(self, found: SideBySide, part: ComparedPart) -> None:
        before = self.by.currentData()
        self.by.clear()
        for method in found.usable:
            decision = found.decision(part, method)
            name = found.methods[method].contender.name
            said = "–" if decision is None else decision_words(decision)
            self.by.addItem(f"{name} {said}", method)
        self.by.setCurrentIndex(max(0, self.by.findData(before)))

    def _show_opinion(self) -> None:
        """Show the map and the nearest reference of the chosen method."""
        found, part, method = self._found, self._part, self.by.currentData()
        if found is None or part is None or method is None:
            return
        opinion = part.opinions[method]
        self._nearest = opinion.nearest[0] if opinion is not None and opinion.nearest else ""
        self.reference_name.setText(
            self.tr("Nearest reference: {}").format(self._name_of(self._nearest))
            if self._nearest
            else self.tr("This method names no nearest reference")
        )
        self._references.want((self._nearest,) if self._nearest else ())
        self._show_nearest()
        self._show_map(found, part, method)

    def _show_map(self, found: SideBySide, part: ComparedPart, method: int) -> None:
        from inspector_gui.store.map_archive import map_in

        ran = found.methods[method]
        patches = map_in(self.maps, map_name(method, part.candidate.key)) if self.maps else None
        if self._image is None or patches is None or ran.limits is None:
            self.picture.set_overlay(None, QRectF())
            self.picture.set_outlines(())
            return
        seen = map_on(self._image, patches, ran.contender.scoring)
        view = map_view(seen, ran.limits)
        self.picture.set_overlay(view.overlay, seen.area)
        self.picture.set_outlines(view.outlines)

    def _show_nearest(self) -> None:
        self.reference.set_picture(self._references.get(self._nearest))

    def _want(self, candidate: Candidate) -> None:
        self._wanted = candidate
        if self._is_reading:
            return
        self._is_reading = True

        def shown(image: RGB | None) -> None:
            if isValid(self):
                self._take(candidate, image)

        def not_read(sentence: str) -> None:
            shown(None)
            if isValid(self) and candidate.key == self._key:
                self.place.setText(sentence)

        self._session.ask(lambda store: _picture(store, candidate), then=shown, otherwise=not_read)

    def _take(self, candidate: Candidate, image: RGB | None) -> None:
        self._is_reading = False
        if candidate.key == self._key:
            self._image = image
            self.picture.set_picture(image)
            self._show_opinion()
        wanted = self._wanted
        if wanted is not None and wanted.key != candidate.key:
            self._want(wanted)


def method_choice() -> QComboBox:
    """Return a choice of methods that takes no more width than there is, whatever their names."""
    made = QComboBox()
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(_LEAST_LETTERS)
    return made


def _picture(store: Store, candidate: Candidate) -> RGB:
    from inspector_gui.core.images import decode, read_image

    if candidate.path:
        return read_image(Path(candidate.path))
    return decode(store.workspace.images.read(candidate.sha256), name=candidate.name)
