"""The tab "Slim": keep fewer references, with what that costs measured before it is done."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.calibration import MIN_REFERENCES, follows_suggestion
from inspector_gui.core.sets.slimming import Slimming, SlimmingCost
from inspector_gui.ui.before_after import BeforeAfter, milliseconds
from inspector_gui.ui.card import Card, label
from inspector_gui.ui.health_facts import Facts
from inspector_gui.ui.health_pictures import Entry, EntryList
from inspector_gui.ui.health_tab import HealthTab, Place, StudyLine, button, hint_label, wrapped

_UNITS = ("B", "kB", "MB", "GB")


class SlimmingTab(HealthTab):
    """Choose a number and a way, measure, look at the cost, apply as one step."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(place, parent)
        self.slimming: Slimming | None = None
        self._fingerprint = ""
        self._is_chosen = False
        tr = self.tr
        self.count = QSpinBox()
        self.count.lineEdit().setTextMargins(6, 0, 6, 0)
        self.count.setRange(MIN_REFERENCES, MIN_REFERENCES)
        self.count.setAccessibleName(tr("References to keep"))
        self.count.setToolTip(tr("How many references stay"))
        self.ways: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        for way, text, tip in (
            ("medoids", tr("k-means medoids"), tr("Keep what is typical: follows where most are")),
            ("coreset", tr("coreset"), tr("Keep what differs most: rare kinds stay")),
        ):
            chip = QPushButton(text)
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setProperty("role", "chip")
            chip.setToolTip(tip)
            self._group.addButton(chip)
            self.ways[way] = chip
        self.ways["medoids"].setChecked(True)
        self.measure_button = button(
            tr("Measure"), tr("Find out what it costs; nothing is changed"), self.measure
        )
        self.apply_button = button(
            "", tr("Leave the others out as one step; undo brings them back"), self.apply,
            role="primary",
        )  # fmt: skip
        self.study = StudyLine(place.session, "slim", tr("Measuring"), self)
        self.table = CostTable()
        self.kept = EntryList(place.thumbnails, place.theme, tr("References that would stay"), self)
        self.hint = hint_label()
        self.warning = wrapped("warn")
        self._lay_out()
        self.count.valueChanged.connect(self._on_chosen)
        self._group.buttonClicked.connect(self._on_chosen)
        self.study.finished.connect(self._on_measured)
        self.study.changed.connect(self._show)

    def _lay_out(self) -> None:
        card = Card(self.tr("Keep fewer references"))
        self.remark = card.remark
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label(self.tr("Keep"), ""))
        row.addWidget(self.count)
        row.addWidget(label(self.tr("chosen by"), ""))
        for chip in self.ways.values():
            row.addWidget(chip)
        row.addWidget(self.measure_button)
        row.addStretch(1)
        card.body.addLayout(row)
        card.body.addWidget(self.study)
        card.body.addWidget(self.hint, 1)
        self._result = QWidget()
        inner = QHBoxLayout(self._result)
        inner.setContentsMargins(0, 4, 0, 0)
        inner.setSpacing(16)
        left = QVBoxLayout()
        left.addWidget(self.table)
        left.addWidget(self.warning)
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply_button)
        buttons.addStretch(1)
        left.addLayout(buttons)
        left.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(label(self.tr("These would stay"), "title"))
        right.addWidget(self.kept, 1)
        inner.addLayout(left, 3)
        inner.addLayout(right, 2)
        card.body.addWidget(self._result, 1)
        card.body.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card, 1)

    def refresh(self, facts: Facts | None) -> None:
        """Offer numbers that the set has; a result of another gallery cannot be applied."""
        most = self._number - 1
        if most >= MIN_REFERENCES:
            self.count.blockSignals(True)
            self.count.setRange(MIN_REFERENCES, most)
            if not self._is_chosen:
                self.count.setValue(max(MIN_REFERENCES, (most + 1) // 2))
            self.count.blockSignals(False)
        self._show()

    def change_set(self) -> None:
        """Forget what was measured of another set."""
        self.study.clear()
        self.slimming, self._is_chosen = None, False

    def leave(self) -> None:
        """End the study that runs."""
        self.study.cancel()

    def measure(self) -> None:
        """Find out what the chosen number and way cost."""
        way = next(name for name, chip in self.ways.items() if chip.isChecked())
        self.slimming = None
        self.study.begin({"count": self.count.value(), "how": way})
        if self.study.study is not None:
            self._fingerprint = self.study.study.fingerprint

    def apply(self) -> None:
        """Leave out what would not stay, as one step."""
        current, slimming = self.place.current, self.slimming
        if current is None or slimming is None or not self.can_apply:
            return
        kept = frozenset(slimming.kept)
        others = [image for image in current.included if image.sha256 not in kept]
        reason = self.tr("slimmed to {} by {}").format(len(kept), slimming.how)
        self.exclude(others, reason)

    @property
    def can_apply(self) -> bool:
        """Whether what was measured is of the references as they are now."""
        current = self.place.current
        return (
            current is not None
            and self.slimming is not None
            and current.fingerprint == self._fingerprint
        )

    @property
    def _number(self) -> int:
        current = self.place.current
        return 0 if current is None else len(current.included)

    def _on_chosen(self) -> None:
        self._is_chosen = True
        self._show()

    def _on_measured(self, result: Mapping[str, Any]) -> None:
        self.slimming = Slimming.from_json(result)
        self._show()

    def _show(self) -> None:
        number = self._number
        can_slim = number > MIN_REFERENCES
        is_free = can_slim and not self.study.is_running
        for widget in (self.count, self.measure_button, *self.ways.values()):
            widget.setEnabled(is_free)
        self.remark.setText(self.tr("{} references now").format(number) if number else "")
        slimming = self.slimming
        self._result.setVisible(slimming is not None)
        self.hint.setVisible(slimming is None)
        if not can_slim:
            self.hint.setText(
                self.tr("Slimming needs more than {} references; there are {}.").format(
                    MIN_REFERENCES, number
                )
            )
        else:
            self.hint.setText(
                self.tr(
                    "Fewer references judge faster and take less memory, and may judge worse. "
                    "Measure first: nothing is changed by that."
                )
            )
        if slimming is None:
            return
        self.table.show_cost(slimming.cost)
        known = {image.sha256: image for image in self._images()}
        kept = [known[sha] for sha in slimming.kept if sha in known]
        self.kept.show_entries([Entry(image, image.name) for image in kept])
        out = slimming.cost.before - slimming.cost.after
        one, many = self.tr("Exclude the other"), self.tr("Exclude the other {}")
        self.apply_button.setText(one if out == 1 else many.format(out))
        self.apply_button.setEnabled(self.can_apply and is_free)
        self.warning.setText(self._warning(slimming.cost))

    def _images(self) -> list[Any]:
        current = self.place.current
        return [] if current is None else list(current.images)

    def _warning(self, cost: SlimmingCost) -> str:
        if not self.can_apply:
            return self.tr("The references have changed since; measure again before slimming.")
        words = []
        if cost.ratio is not None and round(100 * (cost.ratio - 1)) != 0:
            change = round(100 * abs(cost.ratio - 1))
            way = self.tr("higher") if cost.ratio > 1 else self.tr("lower")
            words.append(self.tr("Scores of good parts become {} % {}.").format(change, way))
        if follows_suggestion(self.place.session.limits.saved):
            words.append(self.tr("The limit is suggested anew after this."))
        else:
            words.append(
                self.tr("Your own limit will be shown as stale; check it or take the suggestion.")
            )
        return " ".join(words)


class CostTable(BeforeAfter):
    """What slimming costs."""

    def show_cost(self, cost: SlimmingCost) -> None:
        """Show what was measured."""
        self.show_rows(dict(self._rows(cost)))

    def _rows(self, cost: SlimmingCost) -> list[tuple[str, tuple[str, str]]]:
        tr = self.tr
        if cost.auroc_before is None or cost.auroc_after is None:
            auroc = "", tr("no known bad parts: unknown")
        else:
            auroc = f"{cost.auroc_before:.3f}", f"{cost.auroc_after:.3f}"
        against = tr("AUROC") if not cost.goods else tr("AUROC against {}").format(cost.goods)
        agreement = tr("all alike") if cost.agreement is None else f"{cost.agreement:.2f}"
        return [
            (tr("References"), (str(cost.before), str(cost.after))),
            (tr("Agreement of scores (1: same order)"), ("1", agreement)),
            (against, auroc),
            (
                tr("Time to score a part"),
                (milliseconds(cost.seconds_before), milliseconds(cost.seconds_after)),
            ),
            (tr("Memory of features"), (_size(cost.bytes_before), _size(cost.bytes_after))),
        ]


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
