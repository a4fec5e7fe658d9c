"""The part that was chosen among several methods: its picture, and the nearest reference beside."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from inspector_gui.core.sets.side_by_side import Candidate, ComparedPart, SideBySide
from inspector_gui.core.types import RGB
from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_tab import hint_label
from inspector_gui.ui.picture_view import PictureView
from inspector_gui.ui.reference_pictures import ReferencePictures
from inspector_gui.ui.side_by_side_offers import Known
from inspector_gui.ui.theme import Theme
from inspector_gui.workers.recorder import Store


class SideBySidePart(Card):
    """Shows what it is told; pictures follow as the recorder has read them, the newest wish first.

    `name_of` returns what a reference is called.
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
        self._key, self._nearest = "", ""
        self._wanted: Candidate | None = None
        self._is_reading = False
        self._references = ReferencePictures(session, self)
        self._references.arrived.connect(self._show_nearest)
        self.name = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle)
        self.known = label("", "small")
        self.picture = PictureView(theme)
        self.picture.setAccessibleName(self.tr("The part"))
        self.reference = PictureView(theme)
        self.reference.setAccessibleName(self.tr("The nearest reference"))
        self.reference_name = ElidedLabel("small", mode=Qt.TextElideMode.ElideMiddle)
        self.place = ElidedLabel("small")
        self.hint = hint_label()
        self._lay_out()
        self.show_part(None, None, 0, Known())

    def _lay_out(self) -> None:
        self._of_a_part = QWidget()
        row = QHBoxLayout(self._of_a_part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.known)
        for above, view, below in (
            (head, self.picture, self.place),
            (None, self.reference, self.reference_name),
        ):
            column = QVBoxLayout()
            column.setSpacing(4)
            if above is not None:
                column.addLayout(above)
            else:
                column.addWidget(label(self.tr("Nearest reference"), "muted"))
            column.addWidget(view, 1)
            column.addWidget(below)
            row.addLayout(column, 1)
        self.body.addWidget(self._of_a_part, 1)
        self.body.addWidget(self.hint, 1)

    def show_part(
        self, found: SideBySide | None, part: ComparedPart | None, method: int, known: Known
    ) -> None:
        """Show a part with the nearest reference by a method; None: say what to do."""
        self._of_a_part.setVisible(part is not None)
        self.hint.setVisible(part is None)
        self.hint.setText(
            self.tr("Click a point or a row: its picture comes here.") if found is not None else ""
        )
        if part is None or found is None:
            self._key, self._wanted = "", None
            return
        candidate = part.candidate
        self.name.setText(candidate.name)
        self.known.setText(known.words)
        if candidate.row_id is not None:
            self.place.setText(self.tr("Open in the main window, with its heatmap"))
        elif candidate.purpose:
            self.place.setText(self.tr("A picture of the set, not in the review list"))
        else:
            self.place.setText(self.tr("A file of the folder, not in the review list"))
        if candidate.key != self._key:
            self._key = candidate.key
            self._want(candidate)
        opinion = part.opinions[method] if part.opinions else None
        self._nearest = opinion.nearest[0] if opinion is not None and opinion.nearest else ""
        name = found.methods[method].contender.name
        self.reference_name.setText(
            self.tr("{} (by {})").format(self._name_of(self._nearest), name)
            if self._nearest
            else self.tr("{} names none").format(name)
        )
        self._references.want((self._nearest,) if self._nearest else ())
        self._show_nearest()

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
            self.picture.set_picture(image)
        wanted = self._wanted
        if wanted is not None and wanted.key != candidate.key:
            self._want(wanted)


def _picture(store: Store, candidate: Candidate) -> RGB:
    from inspector_gui.core.images import decode, read_image

    if candidate.path:
        return read_image(Path(candidate.path))
    return decode(store.workspace.images.read(candidate.sha256), name=candidate.name)
