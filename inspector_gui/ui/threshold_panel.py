"""The limit under a slider, with the scores it divides behind it."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from inspector_gui.core.calibration import follows_suggestion
from inspector_gui.core.types import Limits, Part
from inspector_gui.session import Session
from inspector_gui.ui.card import Card, label, set_role
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.limit_slider import LimitSlider
from inspector_gui.ui.start_page import sentence_label
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.what_if import Population, WhatIf, axis_range, bars, population, what_if

_SAVE_AFTER_MS = 700
"""Keyboard steps are saved when no key came for this long."""
_MARK_MS = 40
_REFRESH_MS = 100
_NAMED_FLIPS, _LISTED_FLIPS = 3, 40
_TABLE_PX = 232
_LOWEST_PX, _HIGHEST_PX = 196, 230


class ThresholdPanel(Card):
    """Drag to try a limit out on everything inspected so far, release to save it."""

    def __init__(
        self, session: Session, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(self.tr("Threshold"), parent)
        self._session = session
        self._commands = commands
        self._theme = theme
        self._found = Population()
        self._ends = (-0.5, 2.5)
        self._part: Part | None = None
        self._tried: float | None = None
        self._is_cancelled = False
        self._rule = ""
        self.limit = LimitSlider(theme)
        self.legend = label("", "small")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.values: dict[str, QLabel] = {}
        self.suggestion = QPushButton()
        self.suggestion.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.suggestion.setProperty("role", "chip")
        self.sentence = sentence_label()
        self.sentence.setText(
            self.tr(
                "The limit is suggested once the references have been compared with each other."
            )
        )
        self.pages = QStackedWidget()
        self._turn = self._timer(0, self._on_turn)
        self._saving = self._timer(_SAVE_AFTER_MS, self._save)
        self._soon = self._timer(_REFRESH_MS, self.refresh)
        self._marking = self._timer(_MARK_MS, self._mark_part)
        self.setMinimumHeight(_LOWEST_PX)
        self.setMaximumHeight(_HIGHEST_PX)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        first = self.body.itemAt(0)
        head = first.layout() if first is not None else None
        assert isinstance(head, QHBoxLayout)
        head.setSpacing(16)
        head.insertWidget(1, self.legend)
        self.remark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.limit, 1)
        row.addWidget(self._table())
        self.pages.addWidget(self.sentence)
        self.pages.addWidget(page)
        self.body.addWidget(self.pages, 1)

    def _table(self) -> QWidget:
        table = QWidget()
        table.setFixedWidth(_TABLE_PX)
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        names = {
            "limit": self.tr("Limit"),
            "flagged": self.tr("Flagged now"),
            "references": self.tr("References above"),
            "flips": self.tr("Flips now"),
        }
        for number, (key, text) in enumerate(names.items()):
            grid.addWidget(label(text, "muted"), number, 0)
            value = label("", "title")
            value.setAccessibleName(text)
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self.values[key] = value
            grid.addWidget(value, number, 1)
        self.flipping = label("", "small")
        self.flipping.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        grid.addWidget(self.flipping, len(names), 0, 1, 2)
        grid.addWidget(self.suggestion, len(names) + 1, 0, 1, 2)
        grid.setRowStretch(len(names) + 2, 1)
        return table

    def _connect(self) -> None:
        history, limits = self._session.history, self._session.limits
        self.limit.tried.connect(self._on_tried)
        self.limit.released.connect(self._on_released)
        self.suggestion.clicked.connect(self._on_suggestion)
        limits.changed.connect(self.refresh)
        limits.previewed.connect(self._show)
        history.added.connect(self._refresh_soon)
        history.changed.connect(self._refresh_soon)
        history.reset.connect(self._refresh_soon)
        history.opened.connect(self._mark_soon)
        self._theme.changed.connect(self._show)

    # What a person does

    def _on_tried(self, multiple: float) -> None:
        base = self._base()
        if base is None:
            return
        if self._is_cancelled:
            self._put_back()
            return
        self._tried = base.absolute(multiple)
        self._turn.start()
        if self.limit.is_dragging:
            self._saving.stop()
        else:
            self._saving.start()

    def _on_turn(self) -> None:
        tried, self._tried = self._tried, None
        if tried is not None:
            self._session.limits.preview(tried)

    def _on_released(self) -> None:
        if self._is_cancelled:
            self._is_cancelled = False
            self._put_back()
        else:
            self._save()

    def _save(self) -> None:
        """Make the limit that is tried out count, as one step that can be undone."""
        self._saving.stop()
        self._turn.stop()
        self._on_turn()
        limits = self._session.limits
        shown, saved = limits.shown, limits.saved
        if not limits.is_previewing or shown is None:
            return
        if saved is not None and shown.fail_from == saved.fail_from:
            limits.drop_preview()
        else:
            self._commands.save_limits(shown)

    def _on_suggestion(self) -> None:
        suggestion = self._session.limits.suggestion
        if suggestion is not None:
            self._commands.save_limits(suggestion)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_trying = self._tried is not None or self._session.limits.is_previewing
        if event.key() == Qt.Key.Key_Escape and is_trying:
            self._turn.stop()
            self._saving.stop()
            self._tried = None
            self._is_cancelled = self.limit.is_dragging
            self._session.limits.drop_preview()
            self._put_back()
        else:
            super().keyPressEvent(event)

    # What is shown

    def refresh(self) -> None:
        """Count again what has been inspected, and show it."""
        self._soon.stop()
        session, base = self._session, self._base()
        current = session.references.current
        self.pages.setCurrentIndex(0 if base is None or current is None else 1)
        if base is None or current is None:
            self.legend.setText("")
            self._rule = ""
            self._show_remark()
            return
        scores = session.limits.reference_scores
        self._found = population(session.history.rows, current.scoring.key, scores)
        if not self.limit.is_dragging:
            self._ends = axis_range(self._found, base)
            self.limit.set_range(*self._ends)
        self._show()
        self._mark_part()

    def _show(self) -> None:
        """Show everything under the limits of this moment; no network, a few vector operations."""
        base, shown = self._base(), self._session.limits.shown or self._base()
        if base is None or shown is None:
            return
        self.limit.plot.set_bars(bars(self._found, base, shown, self._ends))
        if self._tried is None:
            self.limit.set_limit(base.relative(shown.fail_from))
        self._show_figures(what_if(self._found, base, shown), base, shown)
        self._show_rule(base)

    def _show_figures(self, found: WhatIf, base: Limits, shown: Limits) -> None:
        of = self.tr("{0} of {1}")
        texts = {
            "limit": self.tr("{0} × saved").format(f"{base.relative(shown.fail_from):.2f}"),
            "flagged": of.format(found.flagged, found.inspected),
            "references": of.format(found.references_above, found.references),
            "flips": str(len(found.flips)) if found.flips else self.tr("none"),
        }
        for key, text in texts.items():
            self.values[key].setText(text)
        named = " · ".join(found.flips[:_NAMED_FLIPS])
        if len(found.flips) > _NAMED_FLIPS:
            named = self.tr("{0} · and {1} more").format(named, len(found.flips) - _NAMED_FLIPS)
        mode = Qt.TextElideMode.ElideRight
        self.flipping.setText(self.flipping.fontMetrics().elidedText(named, mode, _TABLE_PX))
        self.flipping.setToolTip("\n".join(found.flips[:_LISTED_FLIPS]))
        set_role(self.values["references"], "warn" if found.references_above else "title")
        colours = self._theme.colours
        self.legend.setText(
            f'<span style="color:{colours.good}">■</span> '
            + self.tr("{0} references").format(found.references)
            + f' &nbsp; <span style="color:{colours.accent}">■</span> '
            + self.tr("{0} passed").format(found.inspected - found.flagged)
            + f' &nbsp; <span style="color:{colours.bad}">■</span> '
            + self.tr("{0} flagged").format(found.flagged)
        )

    def _show_rule(self, base: Limits) -> None:
        limits = self._session.limits
        suggestion = limits.suggestion
        if limits.is_previewing:
            text, role = self.tr("Trying a limit out: release to save, Esc to go back"), "small"
        elif limits.is_stale:
            text = self.tr("Stale: the references have changed since this limit was set")
            role = "warn"
        elif follows_suggestion(base):
            text, role = self.tr("Suggested: {0}").format(base.rule), "small"
        else:
            text, role = self.tr("Set by hand"), "small"
        set_role(self.remark, role)
        self._rule = text
        self._show_remark()
        multiple = None if suggestion is None else base.relative(suggestion.fail_from)
        differs = multiple is not None and (abs(multiple - 1) > 0.005 or limits.is_stale)
        self.suggestion.setVisible(differs)
        if multiple is not None:
            self.suggestion.setText(
                self.tr("Use suggestion ({0} × limit)").format(f"{multiple:.2f}")
            )
            self.suggestion.setToolTip(suggestion.rule if suggestion is not None else "")

    def _show_remark(self) -> None:
        mode, width = Qt.TextElideMode.ElideRight, self.remark.width()
        self.remark.setText(self.remark.fontMetrics().elidedText(self._rule, mode, width))
        self.remark.setToolTip(self._rule)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_remark()

    def _mark_soon(self, part: Part | None) -> None:
        self._part = part
        if not self._soon.isActive():
            self._marking.start()  # in a turn of its own, after the picture is on screen

    def _mark_part(self) -> None:
        self._marking.stop()
        part = self._part
        base, current = self._base(), self._session.references.current
        score = part.row.score if part is not None else None
        is_comparable = (
            part is not None and current is not None and part.row.scoring_key == current.scoring.key
        )
        if base is None or score is None or not is_comparable:
            self.limit.plot.set_part(None)
        else:
            self.limit.plot.set_part(base.relative(score))

    def _base(self) -> Limits | None:
        """Return the limits whose one is the axis's one: the saved, so it stays while dragging."""
        return self._session.limits.saved or self._session.limits.suggestion

    def _put_back(self) -> None:
        base, shown = self._base(), self._session.limits.shown
        if base is not None and shown is not None:
            self.limit.set_limit(base.relative(shown.fail_from))

    def _refresh_soon(self, *_: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _timer(self, milliseconds: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer
