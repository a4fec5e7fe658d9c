"""The tab "How many are enough": what more references would bring, and what can be promised."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.sets.learning import LearningCurve
from inspector_gui.core.sets.trust import ENOUGH_REFERENCES, goods_needed, promise
from inspector_gui.core.types import Purpose
from inspector_gui.ui.card import Card
from inspector_gui.ui.health_curves import CurvePlot, Series
from inspector_gui.ui.health_facts import Facts
from inspector_gui.ui.health_tab import HealthTab, Place, StudyLine, button, hint_label, wrapped
from inspector_gui.ui.method_words import METHOD_WORDS

_SAME_AUROC = 0.01
_SAME_SCORE = 0.05
"""Differences of AUROC, and of the score of a good part, that are called small in the sentence."""
_RATES = (0.1, 0.05, 0.02, 0.01)


class LearningTab(HealthTab):
    """A learning curve of the set, and the promise that so many held-out parts allow."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(place, parent)
        self.curve: LearningCurve | None = None
        self._method = ""
        self._fingerprint = ""
        self.measure_button = button(
            self.tr("Draw the learning curve"),
            self.tr("Judge with fewer of the references and see what it changes"),
            self.measure,
        )
        self.study = StudyLine(place.session, "learn", self.tr("Trying fewer references"), self)
        self.chips: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        for name, text, tip in (
            ("auroc", self.tr("AUROC"), self.tr("How well known bad parts are told from good")),
            ("score", self.tr("Scores"), self.tr("What good parts score, and how much it varies")),
        ):
            chip = QPushButton(text)
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setProperty("role", "chip")
            chip.setToolTip(tip)
            self._group.addButton(chip)
            self.chips[name] = chip
        self.chips["auroc"].setChecked(True)
        self._group.buttonClicked.connect(self._show)
        self.conclusion = wrapped("title")
        self.warning = wrapped("warn")
        self.hint = hint_label()
        self.hint.setText(
            self.tr(
                "The curve shows how the set would do with fewer of its references: "
                "whether more good parts would help."
            )
        )
        self.promise_text = wrapped("small")
        self.plot = CurvePlot(place.theme, self.tr("Learning curve"))
        self.promise_plot = CurvePlot(place.theme, self.tr("Promise of held-out good parts"))
        self._lay_out()
        self.study.finished.connect(self._on_measured)
        self.study.changed.connect(self._show)

    def _lay_out(self) -> None:
        learning = Card(self.tr("References: what more would bring"))
        self.remark = learning.remark
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.measure_button)
        row.addWidget(self.study, 1)
        for chip in self.chips.values():
            row.addWidget(chip)
        learning.body.addLayout(row)
        learning.body.addWidget(self.warning)
        learning.body.addWidget(self.hint, 1)
        learning.body.addWidget(self.plot, 1)
        learning.body.addWidget(self.conclusion)
        kept = Card(self.tr("Validation parts: what can be promised"))
        kept.body.addWidget(self.promise_plot, 1)
        kept.body.addWidget(self.promise_text)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(6)
        body.addWidget(learning, 3)
        body.addWidget(kept, 2)

    def refresh(self, facts: Facts | None) -> None:
        """Follow the number of good parts."""
        self._show()

    def change_set(self) -> None:
        """Forget the curve of another set."""
        self.study.clear()
        self.curve = None

    def leave(self) -> None:
        """End the study that runs."""
        self.study.cancel()

    def measure(self) -> None:
        """Draw the curve of the references as they are now."""
        self.study.begin({})
        if self.study.study is not None:
            self._fingerprint = self.study.study.fingerprint

    def _on_measured(self, result: Mapping[str, Any]) -> None:
        self._method = METHOD_WORDS[str(result["method"])]
        self.curve = LearningCurve.from_json(result)
        self._show()

    def _show(self) -> None:
        current = self.place.current
        references = 0 if current is None else len(current.included)
        validation = 0 if current is None else len(current.of(Purpose.VALIDATION))
        self.measure_button.setEnabled(not self.study.is_running and references > MIN_REFERENCES)
        self._show_warning(references)
        curve = self.curve
        self.plot.setVisible(curve is not None)
        self.conclusion.setVisible(curve is not None)
        self.hint.setVisible(curve is None)
        for chip in self.chips.values():
            chip.setVisible(curve is not None and curve.n_bad > 0)
        if curve is None:
            self.remark.setText("")
        else:
            self._show_curve(curve)
        self._show_promise(references, validation)

    def _show_warning(self, references: int) -> None:
        text = ""
        if references <= MIN_REFERENCES:
            text = self.tr(
                "A curve needs more than {} references, since some have to be left out of it; "
                "there are {}. Add pictures of good parts."
            ).format(MIN_REFERENCES, references)
        elif references < ENOUGH_REFERENCES:
            text = self.tr(
                "With {} references the curve is rough: each point rests on very few parts."
            ).format(references)
        self.warning.setText(text)
        self.warning.setVisible(bool(text))

    def _show_curve(self, curve: LearningCurve) -> None:
        current = self.place.current
        is_stale = current is None or current.fingerprint != self._fingerprint
        stale = self.tr(" · the references have changed since") if is_stale else ""
        self.remark.setText(f"{self._method}{stale}")
        by_auroc = curve.n_bad > 0 and self.chips["auroc"].isChecked()
        self.plot.show_series(self._areas(curve) if by_auroc else self._scores(curve))
        self.conclusion.setText(conclusion(curve, by_auroc=by_auroc))

    def _areas(self, curve: LearningCurve) -> Series:
        areas = [point.auroc or (0.0, 0.0, 0.0) for point in curve.points]
        return Series(
            [float(point.references) for point in curve.points],
            *([area[n] for area in areas] for n in range(3)),
            x_name=self.tr("references"),
            y_name=self.tr("AUROC, smallest to largest of the draws"),
            ceiling=1.005,
        )

    def _scores(self, curve: LearningCurve) -> Series:
        last = curve.points[-1].median or 1.0
        return Series(
            [float(point.references) for point in curve.points],
            [point.median / last for point in curve.points],
            [max(0.0, point.median - point.spread) / last for point in curve.points],
            [(point.median + point.spread) / last for point in curve.points],
            x_name=self.tr("references"),
            y_name=self.tr("score of a good part ± spread, 1: with all"),
        )

    def _show_promise(self, references: int, validation: int) -> None:
        tr = self.tr
        most = max(30, 2 * validation, references)
        counts = [
            float(n) for n in sorted({*range(1, 31), *range(30, most + 1, max(1, most // 60))})
        ]
        rates = [100 * promise(round(n)) for n in counts]
        series = Series(
            counts, rates, rates, rates,
            x_name=tr("validation parts"), y_name=tr("smallest false-alarm rate, %"),
        )  # fmt: skip
        mark = (float(validation), 100 * promise(validation)) if validation else None
        self.promise_plot.show_series(series, mark=mark)
        needed = [tr("{:.0%}: {}").format(rate, goods_needed(rate)) for rate in _RATES]
        now = (
            tr("Now: {} parts, at best 1 false alarm in {}.").format(validation, validation + 1)
            if validation
            else tr("Now: none, so nothing is promised.")
        )
        why = tr("Parts to keep out of the references for at most so many false alarms: {}.")
        self.promise_text.setText(f"{now} {why.format(' · '.join(needed))}")


def conclusion(curve: LearningCurve, *, by_auroc: bool) -> str:
    """Return in words whether more references would help, as far as a curve can tell.

    It is called level from the number on from which all points are within 0.01 of the last AUROC,
    or the score of a good part within 5 % of the last one.
    """
    last = curve.points[-1]
    if not last.median > 0:
        return _tr("The references look identical, so nothing can be said of more of them.")
    if by_auroc and last.auroc is not None:
        is_level = [
            p.auroc is not None and p.auroc[0] > last.auroc[0] - _SAME_AUROC for p in curve.points
        ]
        bad = _tr("1 known bad part") if curve.n_bad == 1 else _tr("{} known bad parts")
        same = _tr("the AUROC stays within {:g} of {:.3f}, on {}").format(
            _SAME_AUROC, last.auroc[0], bad.format(curve.n_bad)
        )
    else:
        is_level = [p.median <= (1 + _SAME_SCORE) * last.median for p in curve.points]
        same = _tr("the score of a good part stays within {:.0%} of what it is with all").format(
            _SAME_SCORE
        )
    first = last.references
    for point, level in zip(reversed(curve.points), reversed(is_level), strict=True):
        if not level:
            break
        first = point.references
    if first == last.references:
        return _tr(
            "Up to all {} references the curve is not level: more good parts would help."
        ).format(first)
    return _tr("From {} references on {}. More would hardly change it.").format(first, same)


def _tr(text: str) -> str:
    return QCoreApplication.translate("LearningTab", text)
