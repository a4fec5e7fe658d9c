"""The limits of the current set: the saved ones, those under the slider, and the suggestion."""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.calibration import (
    BY_HAND,
    HELD_OUT,
    LEAVE_ONE_OUT,
    follows_suggestion,
    limits_at,
    suggest_limits,
)
from inspector_gui.core.types import Limits, ReferenceSet
from inspector_gui.session.recording import Ask


class LimitsDesk(QObject):
    """Changes limits. Dragging only previews; nothing here ever runs the network."""

    changed = Signal()
    """The saved limits, the suggestion or the reference scores are others."""
    previewed = Signal()
    """`shown` is another one: everything on screen is judged by it."""
    saved_limits = Signal(object)
    """Limits were saved and count from the next part on."""
    noticed = Signal(str)

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask
        self._set: ReferenceSet | None = None
        self.saved: Limits | None = None
        self.suggestion: Limits | None = None
        self.reference_scores: Mapping[str, float] = {}
        """Leave-one-out scores of references by hash, as far as they fit the current gallery."""
        self._preview: Limits | None = None

    @property
    def shown(self) -> Limits | None:
        """The limits everything on screen is judged by: those under the slider or the saved."""
        return self._preview or self.saved

    @property
    def is_previewing(self) -> bool:
        """Whether the slider stands elsewhere than the saved limit."""
        return self._preview is not None

    @property
    def is_stale(self) -> bool:
        """Whether the saved limits were made for other references or another scoring."""
        return (
            self._set is not None
            and self.saved is not None
            and self.saved.gallery != self._set.fingerprint
        )

    def load(
        self, current: ReferenceSet | None, saved: Limits | None, scores: Mapping[str, float]
    ) -> None:
        """Take over what is remembered of a set that became current or whose gallery changed."""
        self._set = current
        self.saved = saved
        self._preview = None
        self._take_scores(scores)
        if saved is None or (self.is_stale and follows_suggestion(saved)):
            self._adopt()
        self.changed.emit()
        self.previewed.emit()

    def calibrated(self, fingerprint: str, scores: Mapping[str, float]) -> None:
        """Take new leave-one-out scores; limits nobody set by hand follow their suggestion."""
        if self._set is None or fingerprint != self._set.fingerprint:
            return
        self._take_scores(scores)
        if follows_suggestion(self.saved):
            self._adopt()
        self.changed.emit()
        self.previewed.emit()

    def preview(self, fail_from: float) -> None:
        """Judge everything on screen by another fail limit (raw score) without saving it."""
        base = self.saved or self.suggestion
        if base is None or self._set is None:
            return
        self._preview = limits_at(
            base.centre, fail_from, rule=BY_HAND, gallery=self._set.fingerprint
        )
        self.previewed.emit()

    def drop_preview(self) -> None:
        """Go back to the saved limits."""
        if self._preview is not None:
            self._preview = None
            self.previewed.emit()

    def save(self, limits: Limits) -> None:
        """Save limits as a new version; they count from the next part on."""
        current = self._set
        if current is None:
            return
        before = self.saved
        unsaved = replace(limits, id=None)
        self.saved, self._preview = unsaved, None
        self.changed.emit()
        self.previewed.emit()
        set_id = current.id

        def saved(version: Limits) -> None:
            if self._set is not None and self._set.id == set_id:
                if self.saved is unsaved:
                    self.saved = version
                self.saved_limits.emit(version)

        def not_saved(sentence: str) -> None:
            if self.saved is unsaved:
                self.saved = before  # what the engine still judges by
                self.changed.emit()
                self.previewed.emit()
            self.noticed.emit(sentence)

        self._ask(
            lambda store: store.references.save_limits(set_id, limits),
            then=saved,
            otherwise=not_saved,
        )

    def _take_scores(self, scores: Mapping[str, float]) -> None:
        self.reference_scores = scores
        self.suggestion = None
        if self._set is not None and len(scores) >= 2:
            values = list(scores.values())
            kind = HELD_OUT if self._set.scoring.model else LEAVE_ONE_OUT
            self.suggestion = suggest_limits(values, gallery=self._set.fingerprint, kind=kind)

    def _adopt(self) -> None:
        if self.suggestion is not None:
            self.save(self.suggestion)
