"""Which methods can be run side by side on a set, and what is known of its parts."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QCoreApplication

from inspector_gui.core.errors import KnownError
from inspector_gui.core.method_options import name_of
from inspector_gui.core.sets.side_by_side import Candidate, Contender, known_to_be_bad
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.types import (
    Decision,
    InspectionRow,
    Limits,
    ReferenceSet,
    Scoring,
    Verdict,
)
from inspector_gui.ui.method_words import METHOD_WORDS, TRAINED
from inspector_gui.ui.theme import OUTCOME_SIGNS, OUTCOME_WORDS

"""The method whose models are offered one by one, instead of itself."""
_PLAIN_PRECISION = "f32"


@dataclass(frozen=True)
class Offer:
    """A method that can be chosen, and what there is to know of it."""

    contender: Contender
    tip: str

    @property
    def key(self) -> str:
        """Names the choice, whatever the numbers of the recipe are."""
        return self.contender.scoring.model or name_of(self.contender.scoring)


@dataclass(frozen=True)
class Known:
    """What is known of a part without any method: in words, and whether it is bad."""

    words: str = ""
    is_bad: bool | None = None


def offers_for(
    current: ReferenceSet, limits: Limits | None, models: Sequence[ModelFacts]
) -> tuple[Offer, ...]:
    """Return the methods to choose from: the set's own recipe first, then the others.

    Others are as the menu would set them, with the set's network; in f32 where the set has int8,
    whose network belongs to its recipe. `limits` are the saved ones; where they were made for
    other references they are not used. Of `models` those that know a reference of the set.
    """
    own = current.scoring
    saved = limits if limits is not None and limits.gallery == current.fingerprint else None
    found = []
    if own.method != TRAINED or own.model:
        found.append(
            Offer(Contender(_name(own, models), own, True, saved), _tr("This set's recipe"))
        )
    for method, name in METHOD_WORDS.items():
        if method in (TRAINED, name_of(own)):
            continue
        scoring = _as_the_menu_would(method, current)
        if scoring is not None:
            told = _tr("As Recipe → Method would set it; limits are suggested from the references")
            found.append(Offer(Contender(name, scoring), told))
    others = (model for model in models if model.id != own.model)
    found += [_offer_of(model, current) for model in others if _is_related(model, current)]
    return _told_apart(found)


def known_of(candidate: Candidate, row: InspectionRow | None) -> Known:
    """Return what is known of a part; `row` is its row in the history."""
    verdict = row.verdict if row is not None else Verdict.NONE
    truth = row.truth if row is not None else None
    is_bad = known_to_be_bad(candidate, verdict=verdict, truth=truth)
    words = {
        Verdict.ACCEPT: _tr("✓ accepted"),
        Verdict.REJECT: _tr("✕ rejected"),
        Verdict.UNSURE: _tr("? unsure"),
    }
    if verdict is not Verdict.NONE:
        return Known(words[verdict], is_bad)
    if candidate.purpose:
        return Known(_tr("✕ known bad") if is_bad else _tr("✓ validation good"), is_bad)
    if truth is not None:
        return Known(_tr("✕ drawn defective") if truth else _tr("✓ drawn good"), is_bad)
    return Known()


def decision_words(decision: Decision) -> str:
    """Return a decision with its sign, its word and the multiple of the limit."""
    said = f"{OUTCOME_SIGNS[decision.outcome]} {OUTCOME_WORDS[decision.outcome]}"
    return said if decision.multiple is None else f"{said} {decision.multiple:.2f} ×"


def model_words(facts: ModelFacts) -> str:
    """Return what a model is called: by when it was trained."""
    when = time.strftime("%d %b %H:%M", time.localtime(facts.created_at))
    return f"SimpleNet {when}"


def _told_apart(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return offers with names that differ: models may be trained within a minute."""
    told: list[Offer] = []
    for offer in offers:
        taken = {one.contender.name for one in told}
        names = [offer.contender.name, *(f"{offer.contender.name} #{n}" for n in range(2, 99))]
        name = next(name for name in names if name not in taken)
        told.append(replace(offer, contender=replace(offer.contender, name=name)))
    return tuple(told)


def _name(scoring: Scoring, models: Sequence[ModelFacts]) -> str:
    for facts in models:
        if scoring.model and facts.id == scoring.model:
            return model_words(facts)
    return METHOD_WORDS.get(name_of(scoring), scoring.method)


def _as_the_menu_would(method: str, current: ReferenceSet) -> Scoring | None:
    """Return a method's own recipe with the set's network; None where that cannot be."""
    from inspector_gui.core.input_size import fitted
    from inspector_gui.core.methods import scoring_for
    from inspector_gui.core.runtimes import INT8

    own = current.scoring
    precision = _PLAIN_PRECISION if own.precision == INT8 else own.precision
    try:
        scoring = scoring_for(
            method, backbone=own.backbone, runtime=own.runtime, precision=precision
        )
    except KnownError:
        return None
    sizes = [(image.height, image.width) for image in current.included if image.height]
    return replace(fitted(scoring, sizes), calibration="")


def _is_related(facts: ModelFacts, current: ReferenceSet) -> bool:
    known = frozenset((*facts.trained_on, *facts.held_out))
    return any(image.sha256 in known for image in current.included)


def _offer_of(facts: ModelFacts, current: ReferenceSet) -> Offer:
    name, told = model_words(facts), _tr("A trained model of this workspace")
    if not facts.is_of(image.sha256 for image in current.included):
        name = _tr("{} (older references)").format(name)
        told = _tr("A trained model; the references have changed since it was trained")
    return Offer(Contender(name, facts.scoring), told)


def in_order(chosen: Mapping[str, bool], offers: Sequence[Offer]) -> tuple[Contender, ...]:
    """Return the contenders that are chosen by their keys, in the order of the offers."""
    return tuple(offer.contender for offer in offers if chosen.get(offer.key, False))


def _tr(text: str) -> str:
    return QCoreApplication.translate("SideBySide", text)
