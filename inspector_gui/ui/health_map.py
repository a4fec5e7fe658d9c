"""The tab "Map": pictures as points, similar ones close together, and the kinds of good parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from inspector_gui.core.types import Purpose, ReferenceImage, ReferenceSet
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.health_facts import Facts
from inspector_gui.ui.health_pictures import Entry, EntryList
from inspector_gui.ui.health_plot import MapPlot, MapPoint
from inspector_gui.ui.health_rows import Row, RowList
from inspector_gui.ui.health_tab import HealthTab, Place, StudyLine, button, wrapped
from inspector_gui.ui.reference_model import group_of

_SIDE_WIDTH = 252
_PEEK = 120
_MOST_LISTED = 500
_REDRAW_MS = 900
"""A set that is being changed settles before its map is drawn anew."""


@dataclass(frozen=True)
class KindOfPart:
    """Good parts that resemble each other; `medoid` is the hash of the one that stands for them."""

    number: int
    size: int
    medoid: str
    is_thin: bool


@dataclass(frozen=True)
class Drawn:
    """A map, and what it belongs to (see `key_of`)."""

    key: str
    kind: str
    points: tuple[MapPoint, ...]
    kinds: tuple[KindOfPart, ...]
    remark: str


class MapTab(HealthTab):
    """PCA comes by itself and follows the set; t-SNE when it is asked for."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(place, parent)
        self.drawn: Drawn | None = None
        self._asked_key = ""
        self._shown_set: ReferenceSet | None = None
        self._shown: Drawn | None = None
        self.plot = MapPlot(place.theme)
        self.study = StudyLine(place.session, "map", self.tr("Drawing the map"), self)
        self.choice = QComboBox()
        self.choice.addItem(self.tr("PCA (at once)"), "pca")
        self.choice.addItem(self.tr("t-SNE (up to minutes)"), "tsne")
        self.choice.setToolTip(
            self.tr("PCA keeps large distances, t-SNE keeps neighbours together")
        )
        self.draw_button = button(
            self.tr("Draw again"), self.tr("Draw the map of the set as it is now"), self.draw
        )
        self.lasso_button = QPushButton(self.tr("Lasso"))
        self.lasso_button.setCheckable(True)
        self.lasso_button.setAutoDefault(False)
        self.lasso_button.setProperty("role", "chip")
        self.lasso_button.setToolTip(
            self.tr("Drag a line around points to select them; off, dragging moves the map")
        )
        self.remark = wrapped("small")
        self.legend = wrapped("small")
        self.kinds = RowList(place.thumbnails, place.theme, self.tr("Kinds of good parts"), self)
        self.kinds.setToolTip(self.tr("Choose a kind to select its pictures"))
        self.selected_list = EntryList(
            place.thumbnails, place.theme, self.tr("Selected pictures"), self
        )
        self._make_selection_buttons()
        self._lay_out()
        self._make_peek()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_REDRAW_MS)
        self._settle.timeout.connect(self._draw_if_due)
        self._connect()
        self._show_selection()

    def _make_selection_buttons(self) -> None:
        tr = self.tr
        self.exclude_button = button(
            tr("Exclude"), tr("Leave the selected pictures out (Delete)"), self.exclude_selected
        )
        self.grid_button = button(
            tr("Show in the grid"), tr("Select them in the main window"), self._to_grid
        )
        self.purpose = QComboBox()
        self.purpose.setToolTip(tr("Let the selected pictures serve another purpose"))
        self.purpose.addItem(tr("Use as…"), None)
        for purpose in Purpose:
            self.purpose.addItem(str(purpose).capitalize(), purpose)
        self.purpose.activated.connect(self._on_purpose)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(6)
        for widget in (self.choice, self.draw_button, self.lasso_button):
            tools.addWidget(widget)
        tools.addWidget(self.study, 1)
        kinds = Card(self.tr("Kinds of good parts"))
        self.kind_count = kinds.remark
        kinds.body.addWidget(self.kinds)
        chosen = Card(self.tr("Selected"))
        self.selected_count = chosen.remark
        self.selection_hint = wrapped("muted")
        self.selection_hint.setText(
            self.tr("Click a point, or draw a lasso around several. Ctrl adds.")
        )
        self.selection_hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        chosen.body.addWidget(self.selected_list, 1)
        chosen.body.addWidget(self.selection_hint, 1)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.exclude_button, 1)
        row.addWidget(self.purpose, 1)
        chosen.body.addLayout(row)
        chosen.body.addWidget(self.grid_button)
        side = QVBoxLayout()
        side.setSpacing(6)
        side.addWidget(kinds, 2)
        side.addWidget(chosen, 3)
        for card in (kinds, chosen):
            card.setFixedWidth(_SIDE_WIDTH)
        left = Card("")
        left.title.hide()
        left.remark.hide()
        left.body.addLayout(tools)
        left.body.addWidget(self.plot, 1)
        left.body.addWidget(self.legend)
        left.body.addWidget(self.remark)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(6)
        body.addWidget(left, 1)
        body.addLayout(side)

    def _make_peek(self) -> None:
        """Make the picture that follows the mouse."""
        self.peek = Card("", self.plot)
        self.peek.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.peek.title.hide()
        self.peek.remark.hide()
        self.peek.body.setContentsMargins(6, 6, 6, 6)
        self._peek_picture = QLabel()
        self._peek_name = label("", "small")
        self.peek.body.addWidget(self._peek_picture)
        self.peek.body.addWidget(self._peek_name)
        self.peek.hide()
        self._peeked = ""

    def _connect(self) -> None:
        self.study.finished.connect(self._on_drawn)
        self.study.changed.connect(self._show_state)
        self.choice.activated.connect(self.draw)
        self.lasso_button.toggled.connect(self.plot.set_lasso)
        self.plot.chosen.connect(self._show_selection)
        self.plot.pointed.connect(self._on_pointed)
        self.kinds.itemClicked.connect(self._on_kind_chosen)
        self.kinds.itemActivated.connect(self._on_kind_chosen)
        self.place.thumbnails.arrived.connect(self._on_arrived)

    # What the set is

    def refresh(self, facts: Facts | None) -> None:
        """Follow the set: what was left out is gone from the map, what is new comes soon."""
        self._show_map()
        if self._is_due:
            self._settle.start()

    def change_set(self) -> None:
        """Forget the map of another set."""
        self._settle.stop()
        self.study.clear()
        self.drawn, self._asked_key = None, ""
        self.plot.select(())
        self._show_map()

    def leave(self) -> None:
        """End the study that runs."""
        self._settle.stop()
        self.study.cancel()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if self._is_due:
            self._settle.start(0)

    @property
    def _key(self) -> str:
        return self.place.session.health.key

    @property
    def _is_due(self) -> bool:
        """Whether PCA should be drawn by itself: the set is ready and was not drawn yet."""
        is_pca = self.choice.currentData() == "pca"
        is_ready = self.place.session.health.is_current
        return is_pca and is_ready and self.isVisible() and self._asked_key != self._key

    def _draw_if_due(self) -> None:
        if self._is_due:
            self.draw()

    def draw(self) -> None:
        """Draw the set as it is now."""
        is_ready = self.place.session.health.is_current
        self._asked_key = self._key if is_ready else ""  # else it is drawn again once it is
        self.study.begin({"kind": self.choice.currentData()})

    # The map

    def _on_drawn(self, result: Mapping[str, Any]) -> None:
        points = tuple(
            MapPoint(
                p["sha256"], float(p["x"]), float(p["y"]), p["cluster"],
                Purpose[str(p["purpose"]).upper()],
            )
            for p in result["points"]
        )  # fmt: skip
        kinds = tuple(
            KindOfPart(n, int(c["size"]), str(c["medoid"]), bool(c["is_thin"]))
            for n, c in enumerate(result["clusters"])
        )
        kind, remark = str(result["kind"]), str(result["remark"])
        self.drawn = Drawn(self._asked_key, kind, points, kinds, remark)
        self._show_map()

    def _images(self) -> dict[str, ReferenceImage]:
        current: ReferenceSet | None = self.place.current
        if current is None:
            return {}
        return {image.sha256: image for image in current.images if image.included}

    def _show_map(self) -> None:
        """Draw the points whose pictures still count; a changed purpose shows at once."""
        current, drawn = self.place.current, self.drawn
        if current is not self._shown_set or drawn is not self._shown:  # both are values
            self._shown_set, self._shown = current, drawn
            self._draw_points(drawn)
        self._show_state()
        self._show_selection()

    def _draw_points(self, drawn: Drawn | None) -> None:
        images = self._images()
        points = [] if drawn is None else list(self._points_now(drawn.points, images))
        kinds = () if drawn is None else drawn.kinds
        self.plot.show_points(points, [kind.number for kind in kinds if kind.is_thin])
        rows = [self._row(kind) for kind in kinds]
        self.kinds.show_rows(rows, -1)
        self.kind_count.setText(str(len(kinds)) if kinds else "")

    def _points_now(
        self, points: Sequence[MapPoint], images: Mapping[str, ReferenceImage]
    ) -> list[MapPoint]:
        found = []
        for point in points:
            image = images.get(point.sha256)
            if image is None:
                continue
            is_reference = image.purpose is Purpose.REFERENCE
            cluster = point.cluster if is_reference else None
            found.append(MapPoint(point.sha256, point.x, point.y, cluster, image.purpose))
        return found

    def _show_state(self) -> None:
        drawn = self.drawn
        self.draw_button.setEnabled(not self.study.is_running)
        self.legend.setVisible(drawn is not None)
        words = [self.tr("filled signs: references, a sign a kind")]
        purposes = {point.purpose for point in self.plot.points}
        if Purpose.VALIDATION in purposes:
            words.append(self.tr("+ validation"))
        if Purpose.BAD in purposes:
            words.append(self.tr("✕ known bad"))
        if drawn is not None and any(kind.is_thin for kind in drawn.kinds):
            words.append(self.tr("○ ringed: thin, more pictures like these would help"))
        self.legend.setText(" · ".join(words))
        remarks = []
        if drawn is None and not self.study.is_running and not self.study.failure.text():
            remarks.append(self.tr("The map is drawn as soon as the set is ready."))
        if drawn is not None:
            remarks.append(drawn.remark)
            if drawn.kind != self.choice.currentData() and not self.study.is_running:
                remarks.append(self.tr("This is {}.").format(_NAMES[drawn.kind]))
            if drawn.key != self._key and not self.study.is_running:
                remarks.append(self.tr("The set has changed since this map was drawn."))
        self.remark.setText(" ".join(filter(None, remarks)))
        self.remark.setVisible(bool(self.remark.text()))

    # What is selected

    @property
    def selected(self) -> list[ReferenceImage]:
        """The selected pictures, in the order in which they were added."""
        images = self._images()
        found = [images[sha] for sha in self.plot.selection if sha in images]
        return sorted(found, key=lambda image: image.id)

    def exclude_selected(self) -> None:
        """Leave the selected pictures out."""
        if selected := self.selected:
            self.exclude(selected, self.tr("left out on the map"))

    def _on_purpose(self, row: int) -> None:
        purpose = self.purpose.itemData(row)
        self.purpose.setCurrentIndex(0)
        if purpose is not None and (selected := self.selected):
            self.place.commands.set_purpose(selected, Purpose(purpose))

    def _to_grid(self) -> None:
        if selected := self.selected:
            self.grid_requested.emit(tuple(selected))

    def _row(self, kind: KindOfPart) -> Row:
        count = self.tr("1 reference") if kind.size == 1 else self.tr("{} references")
        thin = self.tr("thin: add more like it") if kind.is_thin else ""
        return Row(kind.medoid, count.format(kind.size), thin, kind.number, kind.is_thin)

    def _on_kind_chosen(self) -> None:
        """Select the pictures of the kind that is current in the list."""
        number = self.kinds.currentRow()
        self.plot.select({p.sha256 for p in self.plot.points if p.cluster == number})

    def _show_selection(self) -> None:
        selected = self.selected
        entries = [Entry(i, i.name, group_of(i)) for i in selected[:_MOST_LISTED]]
        self.selected_list.show_entries(entries)
        self.selected_list.setVisible(bool(selected))
        self.selection_hint.setVisible(not selected)
        self.selected_count.setText(str(len(selected)) if selected else "")
        for widget in (self.exclude_button, self.grid_button, self.purpose):
            widget.setEnabled(bool(selected))

    # The picture under the mouse

    def _on_pointed(self, sha256: str) -> None:
        self._peeked = sha256
        image = self._images().get(sha256)
        if image is None:
            self.peek.hide()
            return
        self._peek_name.setText(image.name)
        pixmap = self.place.thumbnails.get(sha256)
        if pixmap is None:
            self._peek_picture.setText(self.tr("…"))
        else:
            self._peek_picture.setPixmap(
                pixmap.scaled(
                    _PEEK, _PEEK, Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            )  # fmt: skip
        self.peek.adjustSize()
        place = self.plot.place_of(sha256).toPoint() + QPoint(14, 14)
        room = self.plot.size() - self.peek.size()
        place.setX(max(0, min(place.x(), room.width())))
        if place.y() > room.height():
            place.setY(max(0, place.y() - self.peek.height() - 28))
        self.peek.move(place)
        self.peek.show()
        self.peek.raise_()

    def _on_arrived(self, hashes: frozenset[str]) -> None:
        if self._peeked in hashes:
            self._on_pointed(self._peeked)


_NAMES = {"pca": "PCA", "tsne": "t-SNE"}
