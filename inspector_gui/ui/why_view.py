"""Why a place was flagged: it and the closest place of a good part, side by side."""

from pathlib import PurePath

from PySide6.QtCore import QObject, QPointF, QRectF, Signal

from inspector_gui.core.method_options import has_option
from inspector_gui.core.types import Scoring
from inspector_gui.session import Session
from inspector_gui.session.why import Why
from inspector_gui.ui.part_view import PartMap, hottest, value_at
from inspector_gui.ui.picture_area import PictureArea
from inspector_gui.ui.picture_view import WHOLE
from inspector_gui.ui.reference_pictures import ReferencePictures
from inspector_gui.ui.thumbnails import Thumbnails
from inspector_gui.ui.why_strip import WhyStrip
from inspector_gui.workers.explaining import Answer

_NOT_WEIGHTED = 0.999


class WhyView(QObject):
    """Shows `session.why` in the area of a part's picture; zoom and pan are shared."""

    shown = Signal(bool)
    """Whether something is explained now."""

    def __init__(self, session: Session, area: PictureArea, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._area = area
        self._map: PartMap | None = None
        self._chosen = 0
        self._is_moving = False
        self._marked: tuple[QPointF, QPointF] | None = None  # in fractions of either picture
        self.strip = WhyStrip()
        self._pictures = ReferencePictures(session, self)
        self._thumbnails = Thumbnails(session, self)
        self._pictures.arrived.connect(self._show_match)
        self._thumbnails.arrived.connect(self._show_thumbnails)
        self.strip.chosen.connect(self._on_chosen)
        self.strip.closed.connect(session.why.close)
        session.why.changed.connect(self._on_changed)
        view, match = area.view, area.match.view
        view.moved.connect(self._on_part_moved)
        match.box.sigRangeChangedManually.connect(self._on_match_moved)
        match.double_clicked.connect(view.fit)

    @property
    def is_shown(self) -> bool:
        """Whether something is explained now."""
        return self._session.why.why is not None

    def set_map(self, found: PartMap | None) -> None:
        """Take over the map of the open part, None where it has none."""
        self._map = found

    def ask_at(self, point: QPointF) -> None:
        """Explain a point of the part's picture; the whole part where there is no map."""
        self._session.why.ask(None if self._map is None else (point.x(), point.y()))

    def toggle(self) -> None:
        """Explain the hottest point, or close the explanation."""
        if self.is_shown:
            self._session.why.close()
        elif self._map is None:
            self._session.why.ask(None)
        else:
            point = hottest(self._map)
            self.ask_at(point)
            self._area.view.reveal(point)

    # What is shown

    def _on_changed(self, why: Why | None) -> None:
        self._chosen = 0
        self._marked = None
        has_pair = why is not None and why.part.image is not None
        if why is not None and not has_pair:  # there is nothing to put side by side
            self._session.notice(why.sentence)
            self._session.why.close()
            return
        self._area.compare(self.strip if has_pair else None)
        self.strip.setVisible(has_pair)
        if why is None or not has_pair:
            self._area.view.set_mark(None)
            self._area.match.view.set_mark(None)
        else:
            self._say(why)
            self._mark_part(why)
            self._show_match()
        self.shown.emit(has_pair)

    def _say(self, why: Why) -> None:
        self._area.own_caption.setText(self.tr("This part"))
        answer = why.answer
        if answer is None or answer.explanation is None:
            waiting = self.tr("Comparing with the references…")
            self.strip.say(why.sentence or waiting, "")
            self.strip.show_candidates((), ())
            return
        found = answer.explanation
        headline = self.tr("Distance {0}").format(_number(found.distance))
        if found.times_usual is not None:
            where = self.tr("this place") if found.place is not None else self.tr("good parts")
            times = f"{found.times_usual:.1f}" if found.times_usual < 100 else "over 100"
            headline = self.tr("{0} × usual for {1}").format(times, where)
        self.strip.say(headline, "\n".join(self._details(why, answer)))
        distances = [_number(match.distance) for match in found.matches]
        self.strip.show_candidates([self._name(sha) for sha in answer.hashes], distances)
        self._pictures.want(answer.hashes[:1])
        self._show_thumbnails()

    def _details(self, why: Why, answer: Answer) -> list[str]:
        """Return the figures behind the headline."""
        found = answer.explanation
        assert found is not None
        usual = self.tr("what is usual takes two references")
        if found.usual is not None:
            usual = self.tr("usual {0}, 95 % up to {1}").format(
                _number(found.usual.median), _number(found.usual.high)
            )
        lines = [self.tr("distance {0} · {1}").format(_number(found.distance), usual)]
        times = [scale.times_usual for scale in found.scales]
        if all(value is not None for value in times) and times:
            fine, coarse = (f"{value:.1f}" for value in times)
            words = self.tr("small details {0} × usual, larger areas {1} ×")
            lines.append(words.format(fine, coarse))
        limits, patches = self._session.limits.shown, why.part.patches
        if found.place is not None and patches is not None and self._map is not None:
            assert why.point is not None
            said = []
            if limits is not None:
                value = limits.relative(value_at(self._map, QPointF(*why.point)))
                said.append(self.tr("map, smoothed: {0} × limit").format(f"{value:.2f}"))
            weight = float(patches[found.place]) / max(found.distance, 1e-12)
            is_weighted = has_option(why.part.scoring.method, "border_weight")
            if is_weighted and not found.scales and weight < _NOT_WEIGHTED and not answer.gone:
                said.append(self.tr("weight of the border {0}").format(f"{weight:.2f}"))
            lines.append(" · ".join(said))
        if answer.gone:
            lines.append(
                self.tr("{0} of the references of that time are no longer in the set").format(
                    answer.gone
                )
            )
        return [line for line in lines if line]

    def _mark_part(self, why: Why) -> None:
        view, answer = self._area.view, why.answer
        box = None
        if answer is not None and answer.explanation is not None:
            place, size = answer.explanation.place, view.size_shown
            if place is not None and size is not None:
                box = _mark(place, answer.grid, why.part.scoring, size)
        elif why.point is not None and not why.sentence:
            box = QRectF(why.point[0] - 2, why.point[1] - 2, 4, 4)
        view.set_mark(box)

    def _show_match(self) -> None:
        why, pane = self._session.why.why, self._area.match
        answer = why.answer if why is not None else None
        if why is None or answer is None or answer.explanation is None:
            pane.show_reference(self.tr("Closest in a good part"), "", None)
            pane.view.set_mark(None)
            return
        match, sha256 = answer.explanation.matches[self._chosen], answer.hashes[self._chosen]
        picture = self._pictures.get(sha256)
        order = self.tr("Closest in the good part")
        if self._chosen:
            order = self.tr("No. {0} in the good part").format(self._chosen + 1)
        pane.show_reference(order, self._name(sha256), picture)
        size, own = pane.view.size_shown, self._area.view.size_shown
        self._marked = None
        pane.view.set_mark(None)
        if match.place is not None and answer.explanation.place is not None and size and own:
            scoring = why.part.scoring
            box = _mark(match.place, answer.grid, scoring, size)
            here = _mark(answer.explanation.place, answer.grid, scoring, own)
            pane.view.set_mark(box)
            self._marked = _fraction(here.center(), own), _fraction(box.center(), size)
        self._on_part_moved(self._area.view.visible_part())

    def _show_thumbnails(self, _hashes: object = None) -> None:
        why = self._session.why.why
        if why is None or why.answer is None:
            return
        for number, sha256 in enumerate(why.answer.hashes):
            pixmap = self._thumbnails.get(sha256)
            if pixmap is not None:
                self.strip.set_thumbnail(number, pixmap)

    def _on_chosen(self, number: int) -> None:
        why = self._session.why.why
        if why is None or why.answer is None or number >= len(why.answer.hashes):
            return
        self._chosen = number
        self._pictures.want((why.answer.hashes[number],))
        self._show_match()

    def _name(self, sha256: str) -> str:
        current = self._session.references.current
        images = current.images if current is not None else ()
        return next((PurePath(i.name).name for i in images if i.sha256 == sha256), "")

    # Zoom and pan

    def _on_part_moved(self, part: QRectF) -> None:
        if self._is_moving or not self.is_shown:
            return
        self._is_moving = True
        match = self._area.match.view
        offset = self._offset(part)
        if offset.isNull() and part == WHOLE:
            match.fit()
        else:
            match.is_fitted = False
            match.show_part(part.translated(offset))
        self._is_moving = False

    def _on_match_moved(self, *_: object) -> None:
        if self._is_moving:
            return
        self._is_moving = True
        part = self._area.match.view.visible_part()
        view = self._area.view
        view.is_fitted = False
        view.show_part(part.translated(-self._offset_back(part)))
        self._is_moving = False

    def _offset(self, part: QRectF) -> QPointF:
        """Return how far the reference is moved so that its mark is seen where the part's is."""
        if self._marked is None:
            return QPointF()
        here, there = self._marked
        return QPointF() if part.contains(there) or not part.contains(here) else there - here

    def _offset_back(self, part: QRectF) -> QPointF:
        if self._marked is None:
            return QPointF()
        here, there = self._marked
        return QPointF() if part.contains(here) or not part.contains(there) else there - here


def _mark(
    place: tuple[int, int], grid: tuple[int, int], scoring: Scoring, size: tuple[int, int]
) -> QRectF:
    """Return the box that marks a place of a picture of a size (width, height), within it."""
    from inspector_gui.core.places import input_area, square_of

    area = input_area(scoring, size[1], size[0])
    return QRectF(*square_of(place, area, grid)).intersected(QRectF(0, 0, *size))


def _fraction(point: QPointF, size: tuple[int, int]) -> QPointF:
    return QPointF(point.x() / size[0], point.y() / size[1])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
