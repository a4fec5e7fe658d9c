"""Several methods on the same parts: a window beside the main one, to see where they disagree."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from inspector_gui.core.sets.side_by_side import (
    FEWEST_METHODS,
    MAPS,
    MOST_PARTS,
    Candidate,
    SideBySide,
)
from inspector_gui.core.sets.subsets import drawn
from inspector_gui.core.types import InspectionRow, Outcome, Purpose
from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.health_tab import button, hint_label, wrapped
from inspector_gui.ui.side_by_side_choices import MethodsCard, MethodsLine, OutcomeCard, PartsCard
from inspector_gui.ui.side_by_side_offers import known_of, offers_for
from inspector_gui.ui.side_by_side_result import SideBySideResult
from inspector_gui.ui.side_column import SideColumn
from inspector_gui.ui.theme import Theme
from inspector_gui.workers.recorder import Store

_CHOICES_WIDTH = 300
_JUDGE_MS = 60


class SideBySideWindow(QDialog):
    """Choices on the left, what came of them on the right.

    Comparing changes nothing. Closing the window ends what runs. A part that is chosen here is
    opened in the main window where it is in the history.
    """

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setWindowTitle(self.tr("Compare methods"))
        self._session = session
        self._set_id: int | None = None
        self._is_gathering = False
        self._asked_of = self._found_of = ""
        self._folder = Path()
        self._judge_soon = QTimer(self)  # a limit that is dragged changes many times a second
        self._judge_soon.setSingleShot(True)
        self._judge_soon.setInterval(_JUDGE_MS)
        self.methods, self.parts, self.outcome = MethodsCard(), PartsCard(), OutcomeCard()
        self.study = MethodsLine(session)
        self.run_button = button(
            self.tr("Compare"),
            self.tr("Score the same parts by every chosen method; changes nothing"),
            self.compare,
            role="primary",
        )
        self.reason = wrapped("small")
        self.view = SideBySideResult(session, theme, self._reference_name)
        self._lay_out()
        self._connect()
        self._session.models.refresh()
        self._on_set_changed()

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        for widget in (self.methods, self.parts, self.run_button, self.study, self.reason):
            column.addWidget(widget)
        column.addWidget(self.outcome)
        column.addStretch(1)
        self.choices = SideColumn(left, _CHOICES_WIDTH)
        self.hint = hint_label()
        empty = Card("")
        empty.title.hide()
        empty.remark.hide()
        empty.body.addWidget(self.hint)
        self.pages = QStackedWidget()
        self.pages.addWidget(empty)
        self.pages.addWidget(self.view)
        self.stale = wrapped("warn")
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.stale)
        right.addWidget(self.pages, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(6)
        row.addWidget(self.choices)
        row.addLayout(right, 1)
        self.resize(1280, 740)

    def _connect(self) -> None:
        session, history = self._session, self._session.history
        session.references.current_changed.connect(self._on_set_changed)
        session.references.images_changed.connect(self._on_set_changed)
        session.workspace_opened.connect(self._on_workspace_opened)
        session.models.changed.connect(self._offer)
        session.limits.changed.connect(self._offer)
        session.limits.previewed.connect(self._judge_soon.start)
        self._judge_soon.timeout.connect(self._on_limits)
        history.reset.connect(self._on_history)
        history.added.connect(self._count_parts)
        history.changed.connect(self._on_verdict)
        for card in (self.methods, self.parts):
            card.changed.connect(self._show_state)
        self.study.changed.connect(self._show_state)
        self.study.finished.connect(self._on_compared)
        self.view.chosen.connect(self._on_chosen)
        self.finished.connect(self.study.cancel)

    @property
    def found(self) -> SideBySide | None:
        """What came of the last comparison."""
        return self.view.found

    def compare(self) -> None:
        """Run the chosen methods on the chosen parts."""
        current = self._session.references.current
        if current is None or self._refusal() or self._is_gathering:
            return
        wants_inspected = self.parts.is_wanted(self.parts.inspected)
        rows = [row.id for row in self._inspected[::-1][:MOST_PARTS]] if wants_inspected else []
        pictures = [
            Candidate(images[place].name, images[place].sha256, purpose=purpose.name.lower())
            for purpose, box in self._boxes.items()
            if self.parts.is_wanted(box)
            for images in (current.of(purpose),)
            for place in drawn(range(len(images)), MOST_PARTS, seed=0)
        ]
        folder = "" if self.parts.folder is None else str(self.parts.folder)
        methods = [asdict(contender) for contender in self.methods.contenders]
        self._is_gathering = True

        def found(parts: tuple[Candidate, ...]) -> None:
            if not isValid(self):
                return
            self._is_gathering = False
            asked = [asdict(candidate) for candidate in (*parts, *pictures)]
            self.study.begin({"methods": methods, "parts": asked, "folder": folder})
            study = self.study.study
            if study is not None:
                self._asked_of, self._folder = study.fingerprint, study.folder

        def refused(sentence: str) -> None:
            if isValid(self):
                self._is_gathering = False
                self._session.notice(sentence)

        self._session.ask(lambda store: _past(store, rows), then=found, otherwise=refused)

    # What happened

    def _on_workspace_opened(self) -> None:
        self._set_id = None  # ids come again
        self._session.models.refresh()
        self._on_set_changed()

    def _on_set_changed(self) -> None:
        current = self._session.references.current
        set_id = None if current is None else current.id
        if set_id != self._set_id:
            self._set_id = set_id
            self.study.clear()
            self._show_result(None)
        self._offer()
        self._count_parts()

    def _offer(self) -> None:
        current, saved = self._session.references.current, self._session.limits.saved
        models = [one.facts for one in self._session.models.models if one.facts is not None]
        self.methods.offer(() if current is None else offers_for(current, saved, models))

    def _on_limits(self) -> None:
        """Judge the set's own recipe by its limits as they are now; nothing runs for that."""
        shown = self._session.limits.shown
        if self.found is None or shown is None or not self._is_of_now():
            return
        if shown.gallery == self._found_of:  # else they were made for other references
            self._show_result(self.found.judged_by(shown))

    def _on_history(self) -> None:
        self._count_parts()
        self._on_verdict()

    def _on_verdict(self) -> None:
        if self.found is not None:
            self._show_result(self.found)

    def _on_compared(self, result: Mapping[str, Any]) -> None:
        self._found_of = self._asked_of
        self.view.part.maps = b""
        with suppress(OSError):  # the rest can be looked at without
            self.view.part.maps = (self._folder / MAPS).read_bytes()
        self._show_result(SideBySide.from_json(result))
        self._on_limits()

    def _on_chosen(self, key: str) -> None:
        history = self._session.history
        parts = () if self.found is None else self.found.parts
        rows = (part.candidate.row_id for part in parts if part.candidate.key == key)
        row_id = next(rows, None)
        if row_id is not None and history.row(row_id) is not None:
            history.follow(False)
            history.open(row_id)

    # What is shown

    def _show_state(self) -> None:
        refusal, is_running = self._refusal(), self.study.is_running
        self.run_button.setEnabled(not refusal and not is_running)
        self.reason.setText(refusal)
        self.reason.setVisible(bool(refusal) and not is_running and self.found is not None)
        self.stale.setText(
            self.tr("The references or the recipe have changed since; compare again.")
        )
        self.stale.setVisible(self.found is not None and not self._is_of_now())
        self.hint.setText(refusal or self._hint())

    def _hint(self) -> str:
        if self.study.is_running:
            return self.tr("The chosen methods are judging the same parts…")
        return self.tr(
            "Which method suits these parts? Choose methods and parts on the left, then compare: "
            "you see what every method decides on every part, and where they disagree."
        )

    def _refusal(self) -> str:
        """Say what is missing before anything can be compared; "" where nothing is."""
        current = self._session.references.current
        if current is None or not current.included:
            return self.tr("First add pictures of good parts in the main window.")
        if len(self.methods.contenders) < FEWEST_METHODS:
            return self.tr("Choose at least two methods on the left.")
        if not self.parts.has_any:
            return self.tr(
                "There is no part to compare on. Start the feed, add validation or known bad "
                "pictures, or choose a folder."
            )
        return ""

    def _is_of_now(self) -> bool:
        current = self._session.references.current
        return current is not None and current.fingerprint == self._found_of

    def _show_result(self, found: SideBySide | None) -> None:
        row_of = self._session.history.row
        candidates = [part.candidate for part in (() if found is None else found.parts)]
        known = {
            one.key: known_of(one, None if one.row_id is None else row_of(one.row_id))
            for one in candidates
        }
        self.view.show_result(found, known)
        self.outcome.show_result(found, known)
        self.pages.setCurrentIndex(0 if found is None else 1)
        self._show_state()

    def _reference_name(self, sha256: str) -> str:
        current = self._session.references.current
        images = () if current is None else current.images
        return next((i.name for i in images if i.sha256 == sha256), sha256[:12])

    # The parts there are

    @property
    def _inspected(self) -> list[InspectionRow]:
        """The inspected parts that may have a picture, the oldest first."""
        return [r for r in self._session.history.rows if r.outcome is not Outcome.ERROR]

    @property
    def _boxes(self) -> dict[Purpose, QCheckBox]:
        return {Purpose.VALIDATION: self.parts.validation, Purpose.BAD: self.parts.bad}

    def _count_parts(self) -> None:
        current = self._session.references.current
        validation, bad = (0 if current is None else len(current.of(p)) for p in self._boxes)
        self.parts.show_counts(len(self._inspected), validation, bad)


def _past(store: Store, rows: list[int]) -> tuple[Candidate, ...]:
    from inspector_gui.store.past_pictures import past_pictures

    return past_pictures(store.workspace, rows)
