"""The tab "Clean": leave out the references that stand out most, where bad parts may be among them.

DN2, section 3.4 (Bergman, Cohen, Hoshen 2020); see `core.cleaning`.
"""

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.sets.cleaning import (
    PAPER_FRACTION,
    CleaningPlan,
    default_fraction,
    estimate,
    multiples,
    plan,
)
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.health_facts import Facts
from inspector_gui.ui.health_pictures import Entry, EntryList
from inspector_gui.ui.health_tab import HealthTab, Place, button, hint_label, wrapped
from inspector_gui.ui.method_words import method_words
from inspector_gui.ui.reference_model import Group

_LEAST, _MOST = 1, 90


class CleaningTab(HealthTab):
    """Choose a share, see who would go, apply as one step."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(place, parent)
        self._facts: Facts | None = None
        self._scores: dict[str, float] = {}
        self._is_chosen = False
        self._gone: frozenset[str] = frozenset()
        self.plan: CleaningPlan | None = None
        self.what = wrapped()
        self.what.setText(
            self.tr(
                "For sets that may hold bad parts: the references that resemble the others least "
                "are left out. Take a larger share than you expect bad parts. Some good parts go "
                "as well, so use it only where bad ones may be among them."
            )
        )
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(_LEAST, _MOST)
        self.slider.setAccessibleName(self.tr("Share to leave out, in percent"))
        self.slider.setToolTip(self.tr("How many of the references go, in percent"))
        self.share = label("", "heading")
        self.proposed_button = button("", self.tr("Take the proposed share"), self.take_proposed)
        self.paper_button = button(
            self.tr("Paper: {:.0%}").format(PAPER_FRACTION),
            self.tr("Take what the paper on DN2 leaves out, whatever the share of bad parts"),
            self.take_papers,
        )
        self.apply_button = button(
            "", self.tr("Leave them out as one step; undo brings them back"), self.apply,
            role="primary",
        )  # fmt: skip
        self.counts = wrapped("title")
        self.scored_by = wrapped("small")
        self.remark = hint_label()
        self.list = EntryList(
            place.thumbnails, place.theme, self.tr("References that would go, worst first"), self
        )
        self._lay_out()
        self.slider.valueChanged.connect(self._on_slid)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self.share)
        row.addWidget(self.proposed_button)
        row.addWidget(self.paper_button)
        self._choosing = QWidget()
        inner = QVBoxLayout(self._choosing)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(row)
        inner.addWidget(self.counts)
        inner.addWidget(self.list, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.scored_by, 1)
        bottom.addWidget(self.apply_button)
        inner.addLayout(bottom)
        card = Card(self.tr("Leave out what stands out most"))
        card.body.addWidget(self.what)
        card.body.addWidget(self.remark, 1)
        card.body.addWidget(self._choosing, 1)
        card.body.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card, 1)

    def refresh(self, facts: Facts | None) -> None:
        """Show who would go now."""
        self._facts = facts
        self._scores, is_own = _scores(facts)
        if facts is not None:
            self.scored_by.setText(self._scored_by(facts, is_own))
        if not self._is_chosen and self._scores:
            self._set_share(default_fraction(self._scores))
        self._show_plan()

    def _scored_by(self, facts: Facts, is_own: bool) -> str:
        if is_own:
            method = method_words(facts.current.scoring)
            return self.tr("Scored by {}, as this recipe judges parts.").format(method)
        text = self.tr("Scored by DN2: the recipe's own scores are not complete.")
        left = len(facts.references) - len(self._scores)
        return f"{text} {self.tr('{} without a score stay.').format(left)}" if left else text

    def change_set(self) -> None:
        """Propose a share anew."""
        self._is_chosen, self._gone = False, frozenset()

    def take_proposed(self) -> None:
        """Take the share that the scores suggest."""
        if self._scores:
            self._set_share(default_fraction(self._scores))
            self._gone = frozenset()
            self._show_plan()

    def take_papers(self) -> None:
        """Take what the paper takes."""
        self._is_chosen = True
        self._set_share(PAPER_FRACTION)
        self._gone = frozenset()
        self._show_plan()

    def apply(self) -> None:
        """Leave them out, as one step."""
        if self._facts is None or self.plan is None or not self.plan.dropped:
            return
        known = self._facts.references
        images = [known[sha] for sha in self.plan.dropped if sha in known]
        self._gone = frozenset(image.sha256 for image in images)
        reason = self.tr("cleaned: among the {} of {} that stand out most")
        self.exclude(images, reason.format(len(images), len(known)))

    def exclude_selected(self) -> None:
        """Leave out only those that are selected in the preview."""
        if selected := self.list.selected:
            self.exclude(selected, self.tr("cleaned: chosen by hand"))

    @property
    def is_applied(self) -> bool:
        """Whether the last step still stands, and nothing was chosen since."""
        return bool(self._gone) and (
            self._facts is None or not (self._gone & self._facts.references.keys())
        )

    def _set_share(self, fraction: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(100 * fraction))

    def _on_slid(self) -> None:
        self._is_chosen = True
        self._gone = frozenset()
        self._show_plan()

    def _show_plan(self) -> None:
        self.plan = None
        remark = self._remark()
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        facts = self._facts
        can_choose = self.is_applied or len(self._scores) > MIN_REFERENCES
        self._choosing.setVisible(can_choose)
        if facts is None or not can_choose:
            return
        percent = self.slider.value()
        self.share.setText(f"{percent} %")
        self.proposed_button.setText(
            self.tr("Proposed: {:.0%}").format(default_fraction(self._scores))
        )
        self.proposed_button.setToolTip(
            self.tr("{:.0%} stand out by themselves; bad parts that do not are allowed for").format(
                estimate(self._scores)
            )
        )
        if self.is_applied:  # what went stays on show until something else is chosen
            self.counts.setText(self._applied())
            self.apply_button.setText(self.tr("Excluded"))
            self.apply_button.setEnabled(False)
            return
        try:
            self.plan = plan(self._scores, percent / 100)
        except KnownError as error:
            self.remark.setText(str(error))
            self.remark.show()
            self._choosing.hide()
            return
        self._show_preview(facts, self.plan)

    def _show_preview(self, facts: Facts, found: CleaningPlan) -> None:
        sigmas = multiples(self._scores)
        entries = [
            Entry(facts.references[sha], f"{sigmas[sha]:+.1f} σ", Group.EXCLUDED)
            for sha in found.dropped
        ]
        self.list.show_entries(entries)
        go, stay = len(found.dropped), len(facts.references) - len(found.dropped)
        go_words = self.tr("1 goes") if go == 1 else self.tr("{} go").format(go)
        stay_words = self.tr("1 stays") if stay == 1 else self.tr("{} stay").format(stay)
        self.counts.setText(f"{go_words}, {stay_words}")
        one = self.tr("Exclude 1 reference")
        many = self.tr("Exclude {} references").format(go)
        self.apply_button.setText(one if go == 1 else many)
        self.apply_button.setEnabled(go > 0)

    def _applied(self) -> str:
        count = len(self._gone)
        gone = self.tr("1 reference was") if count == 1 else self.tr("{} references were")
        return self.tr("✓ {} left out. Undo above brings them back.").format(gone.format(count))

    def _remark(self) -> str:
        if self._facts is None:
            return self.tr("Scores follow as soon as the set has been looked at.")
        if len(self._scores) <= MIN_REFERENCES and not self.is_applied:
            return self.tr(
                "Cleaning needs more than {} references with scores; there are {}."
            ).format(MIN_REFERENCES, len(self._scores))
        return ""


def _scores(facts: Facts | None) -> tuple[dict[str, float], bool]:
    """Return leave-one-out scores of the references; whether they are the recipe's own."""
    if facts is None:
        return {}, False
    references, own = facts.references, facts.own_scores
    if references and references.keys() <= own.keys():
        return _of(own, references), True
    return _of(facts.report.scores, references), False


def _of(scores: Mapping[str, float], wanted: Mapping[str, object]) -> dict[str, float]:
    return {sha: score for sha, score in scores.items() if sha in wanted}
