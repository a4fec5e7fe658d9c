"""The centre: the open part's picture, what the machine saw in it, and what it decided."""

import time
from pathlib import PurePath

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from inspector_gui.core.types import Decision, InspectionRow, Limits, Part, Verdict
from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.dropping import DropHint, has_pictures, local_paths
from inspector_gui.ui.drops import dropped_picture
from inspector_gui.ui.method_words import method_words
from inspector_gui.ui.part_header import PartHeader
from inspector_gui.ui.part_view import (
    MapView,
    PartMap,
    map_view,
    outline_box,
    overlay_table,
    part_map,
)
from inspector_gui.ui.picture_area import PictureArea
from inspector_gui.ui.reference_pictures import ReferencePictures
from inspector_gui.ui.region_list import region_lines
from inspector_gui.ui.scale_dialog import Ruler
from inspector_gui.ui.start_page import StartPage
from inspector_gui.ui.theme import OUTCOME_WORDS, VERDICT_WORDS, Theme
from inspector_gui.ui.why_view import WhyView


class HeatmapPanel(Card):
    """Shows `session.history.part`; pictures dropped on it are checked."""

    demo_requested = Signal()
    add_requested = Signal()
    retry_requested = Signal()
    open_requested = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._session = session
        self._part: Part | None = None
        self._map: PartMap | None = None
        self._seen: MapView | None = None
        self._is_overlay_wanted = True
        self._is_peeking = False
        self.header = PartHeader()
        self.area = PictureArea(theme)
        self.start_page = StartPage(session)
        self._references = ReferencePictures(session, self)
        self.why = WhyView(session, self.area, self)
        self.ruler = Ruler(self.area.view, self)
        self._was_explaining = False
        self._hint = DropHint(self.tr("Check these pictures"), theme, self)
        part_page = QWidget()
        column = QVBoxLayout(part_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.header)
        column.addWidget(self.area, 1)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.pages.addWidget(part_page)
        self.body.addWidget(self.pages, 1)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(self.tr("Part"))
        self._connect()
        if session.history.part is not None:
            self._on_opened(session.history.part)

    def _connect(self) -> None:
        page = self.start_page
        page.demo_requested.connect(self.demo_requested)
        page.add_requested.connect(self.add_requested)
        page.retry_requested.connect(self.retry_requested)
        page.open_requested.connect(self.open_requested)
        self.header.fit_requested.connect(self.fit)
        self.header.why_requested.connect(self.explain)
        self.why.shown.connect(self._on_explaining)
        self.area.view.clicked.connect(self._on_clicked)
        self.area.view.double_clicked.connect(self._on_double_clicked)
        self.area.regions.chosen.connect(self._on_region_chosen)
        self._session.references.scale_changed.connect(self._on_limits)
        self.header.overlay_toggled.connect(self._on_overlay_toggled)
        self.header.opacity_changed.connect(self._on_opacity)
        self._references.arrived.connect(self._show_references)
        history, limits = self._session.history, self._session.limits
        history.opened.connect(self._on_opened)
        history.changed.connect(self._on_row_changed)
        limits.previewed.connect(self._on_limits)
        limits.changed.connect(self._on_limits)

    # Verbs

    def show_refusal(self, text: str) -> None:
        """Say why the workspace could not be opened."""
        self.start_page.show_refusal(text)
        self._on_opened(None)

    def fit(self) -> None:
        """Show the whole picture."""
        self.area.view.fit()

    def explain(self) -> None:
        """Show what the hottest place of the part was compared with, or stop showing it."""
        if self._part is None:
            self._session.notice(self.tr("Open a part first."))
        else:
            self.why.toggle()
        self.header.set_why_shown(self.why.is_shown)

    def hide_overlay(self, is_hidden: bool) -> None:
        """Hide map and outlines for the moment (Space is held), or show them again."""
        if self._is_peeking != is_hidden:
            self._is_peeking = is_hidden
            self._show_marks()

    def toggle_overlay(self) -> None:
        """Hide or show the overlay for good."""
        self._on_overlay_toggled(not self._is_overlay_wanted)

    def paste(self) -> None:
        """Check what is on the clipboard."""
        mime = QGuiApplication.clipboard().mimeData()
        if mime is None or not has_pictures(mime):
            self._session.notice(self.tr("There is no picture on the clipboard."))
        else:
            self._check(mime, self.tr("Pasted picture"))

    def _check(self, mime: QMimeData, name: str) -> None:
        paths = local_paths(mime)
        if paths:
            self._session.check(paths)
            return
        dropped = dropped_picture(mime)
        if dropped is None or not self._session.can_judge():
            return
        from inspector_gui.core.images import UnreadableImage, decode

        try:
            picture = decode(dropped[0], name=name)
        except UnreadableImage as error:
            self._session.notice(str(error))
            return
        self._session.feeds.check_picture(picture, f"{name} {time.strftime('%H:%M:%S')}")

    # What comes from the session

    def _on_opened(self, part: Part | None) -> None:
        self._part = part
        self._map = part_map(part) if part is not None else None
        self.why.set_map(self._map)
        self.area.regions.forget()
        self.pages.setCurrentIndex(0 if part is None else 1)
        if part is None:
            self._seen = None
            self.remark.setText("")
            self._show_title()
            self.start_page.refresh()
            return
        self._show_title()
        self.area.view.set_picture(part.image)
        self._arrange(part)
        self._references.want(part.nearest[: self._reference_count(part)])
        self._show_references()
        self._on_limits()

    def _on_row_changed(self, row: InspectionRow) -> None:
        part = self._session.history.part
        if self._part is not None and part is not None and row.id == self._part.row.id:
            self._part = part
            self._show_decision()

    def _on_limits(self) -> None:
        limits = self._limits_of_map()
        has_map = self._map is not None and limits is not None
        self._seen = map_view(self._map, limits) if self._map and limits else None
        area = self._map.area if self._map is not None else QRectF()
        self.area.view.set_overlay(self._seen.overlay if self._seen else None, area)
        self._list_regions(limits)
        self._show_outlines()
        if has_map:
            self.area.view.overlay.set_table(overlay_table(self.header.opacity.value() / 100))
        self._show_marks()
        if self._part is not None:
            self._show_decision()

    def _list_regions(self, limits: Limits | None) -> None:
        current = self._session.references.current
        lines: tuple[str, ...] = ()
        if self._seen is not None and limits is not None and current is not None:
            lines = region_lines(self._seen.regions, limits, current.mm_per_pixel)
        self.area.show_regions(lines)

    def _on_region_chosen(self, number: int | None) -> None:
        self._show_outlines()
        outlines = self._seen.outlines if self._seen is not None else ()
        if number is not None and number < len(outlines):
            self.area.view.zoom_to(outline_box(outlines[number]))
        elif self._part is not None:
            self.area.view.fit()

    def _show_outlines(self) -> None:
        outlines = self._seen.outlines if self._seen is not None else ()
        self.area.view.set_outlines(outlines, chosen=self.area.regions.chosen_number)

    def _on_clicked(self, point: QPointF) -> None:
        """Explain a point; a click that chooses points of the scale is not meant for that."""
        if self.ruler.take(point) or self._part is None or self._part.image is None:
            return
        self._was_explaining = self.why.is_shown
        self.why.ask_at(point)

    def _on_double_clicked(self) -> None:
        """Take back what the first of two clicks has opened."""
        if not self._was_explaining and not self.ruler.is_active:
            self._session.why.close()

    def _on_explaining(self, is_shown: bool) -> None:
        self.header.set_why_shown(is_shown)
        if is_shown:
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # for Esc

    def _limits_of_map(self) -> Limits | None:
        """Return the limits, None where the part was scored in another way than they are for."""
        current = self._session.references.current
        if self._part is None or current is None or current.scoring.key != self._part.scoring.key:
            return None
        return self._session.limits.shown

    # What is shown

    def _show_title(self) -> None:
        name = self._part.row.name if self._part is not None else ""
        room = self.width() - 40 - self.remark.sizeHint().width()
        mode = Qt.TextElideMode.ElideMiddle
        self.title.setText(self.title.fontMetrics().elidedText(name, mode, max(60, room)))
        self.title.setToolTip(name)
        self.title.setVisible(bool(name))

    def _arrange(self, part: Part) -> None:
        """Choose what there is to see of a part, and say what there is not."""
        row, method = part.row, method_words(part.scoring)
        total = sum(part.timings.values()) * 1000
        took = f" · {total:.0f} ms" if part.timings else ""
        is_scored = row.score is not None or row.passed_stage1
        self.remark.setText(f"{method}{took}" if is_scored else "")
        sentence = remark = ""
        current = self._session.references.current
        if part.image is None and not is_scored:
            sentence = row.reason
        elif part.image is None:
            where = f" {row.path}" if row.path else self.tr(" its place")
            sentence = self.tr("The picture of this part is no longer at{0}.").format(where)
        elif not is_scored or (row.passed_stage1 and part.patches is None):
            remark = row.reason
        elif part.patches is None:
            remark = self.tr("{0} compares whole pictures; it has no map.").format(method)
        elif current is not None and current.scoring.key != part.scoring.key:
            remark = self.tr("Scored in another way; check the picture again to see its map.")
        has_scale = part.image is not None and part.patches is not None and not remark
        self.area.arrange(
            references=self._reference_count(part),
            has_scale=has_scale,
            remark=remark,
            sentence=sentence,
        )

    def _reference_count(self, part: Part) -> int:
        wanted = 1 if part.patches is not None else 2
        return min(wanted, len(part.nearest)) if part.image is not None else 0

    def _show_references(self) -> None:
        part, current = self._part, self._session.references.current
        if part is None:
            return
        names = {i.sha256: i.name for i in current.images} if current is not None else {}
        hashes = part.nearest[: self._reference_count(part)]
        titles = (self.tr("Nearest reference"), self.tr("Second nearest"))
        panes = self.area.references
        for sha256, title, pane in zip(hashes, titles, panes, strict=False):
            picture = self._references.get(sha256)
            pane.show_reference(title, PurePath(names.get(sha256, "")).name, picture)
            pane.view.show_part(self.area.view.visible_part())
        self.area.place()

    def _show_decision(self) -> None:
        assert self._part is not None
        row = self._part.row
        decision = self._session.history.decision_of(row)
        multiple = ""
        if decision.multiple is not None:
            multiple = self.tr("{0} × limit").format(f"{decision.multiple:.2f}")
        lines = self._findings(decision, row), self._circumstances(decision, row)
        self.header.show_decision(decision.outcome, multiple, lines)

    def _findings(self, decision: Decision, row: InspectionRow) -> str:
        if row.passed_stage1:
            return self.tr("passed by stage 1; its map is only for looking") if self._seen else ""
        if row.score is None:
            return self.tr("not scored")
        if self._seen is None:
            return ""
        regions = self._seen.regions
        if not regions:
            return self.tr("no region over the limit")
        count = self.tr("{0} regions").format(len(regions))
        if len(regions) == 1:
            count = self.tr("1 region")
        return count + self.tr(" · largest {0} px").format(f"{max(r.area for r in regions):,}")

    def _circumstances(self, decision: Decision, row: InspectionRow) -> str:
        said = []
        if row.verdict is not Verdict.NONE:
            said.append(self.tr("your verdict: {0}").format(VERDICT_WORDS[row.verdict]))
        if decision.outcome is not row.outcome:
            said.append(self.tr("was {0} when inspected").format(OUTCOME_WORDS[row.outcome]))
        if self._session.limits.is_previewing and row.score is not None:
            said.append(self.tr("under a limit you are trying out"))
        return " · ".join(said)

    def _show_marks(self) -> None:
        is_possible = self._seen is not None
        is_shown = self._is_overlay_wanted and not self._is_peeking
        self.area.view.set_marks_visible(is_possible and is_shown)
        self.header.set_overlay_shown(self._is_overlay_wanted, is_possible=is_possible)

    def _on_overlay_toggled(self, is_wanted: bool) -> None:
        self._is_overlay_wanted = is_wanted
        self._show_marks()

    def _on_opacity(self, opacity: float) -> None:
        if self._seen is not None:
            self.area.view.overlay.set_table(overlay_table(opacity))

    # Events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self._part is not None:
            if not event.isAutoRepeat():
                self.hide_overlay(True)
        elif event.key() == Qt.Key.Key_F and not event.modifiers():
            self.fit()
        elif event.key() == Qt.Key.Key_Escape and self.why.is_shown:
            self._session.why.close()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self._is_peeking:
            if not event.isAutoRepeat():
                self.hide_overlay(False)
        else:
            super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:  # the release would go elsewhere
            self.hide_overlay(False)
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if has_pictures(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._hint.appear()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hint.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hint.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._check(event.mimeData(), self.tr("Dropped picture"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_title()
