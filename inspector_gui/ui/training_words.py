"""What people read of a training: every hyperparameter in plain words, times and names."""

import time
from dataclasses import dataclass, fields
from typing import Any

from PySide6.QtCore import QCoreApplication

from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters
from inspector_gui.core.types import Scoring

_MINUTE, _HOUR = 60, 3600


def _tr(text: str) -> str:
    return QCoreApplication.translate("Training", text)


@dataclass(frozen=True)
class FieldWords:
    """What a hyperparameter is called, and what it does."""

    name: str
    text: str
    tip: str


@dataclass(frozen=True)
class GroupWords:
    """Hyperparameters that belong together."""

    title: str
    fields: tuple[FieldWords, ...]


def training_groups() -> tuple[GroupWords, ...]:
    """Return all hyperparameters in the order in which a form has them."""
    words, tr = FieldWords, _tr
    return (
        GroupWords(
            tr("Course"),
            (
                words("epochs", tr("Epochs"), tr("How often all references are gone through")),
                words("batch", tr("Batch, pictures"), tr("Pictures that make one step together")),
                words(
                    "patches",
                    tr("Places of a picture"),
                    tr("So many are drawn at random for a step; 0 takes all"),
                ),
                words(
                    "steps",
                    tr("Steps of an epoch"),
                    tr("0: as many as show every picture once"),
                ),
                words(
                    "held_out",
                    tr("Held out, share"),
                    tr("References that are not trained on: the limit is made from them"),
                ),
                words("seed", tr("Seed"), tr("The same seed gives the same model")),
            ),
        ),
        GroupWords(
            tr("Features"),
            (
                words(
                    "levels",
                    tr("Levels"),
                    tr("Of the network: 1 is the finest, 3 the coarsest; the papers take 2 and 3"),
                ),
                words(
                    "neighbourhood",
                    tr("Neighbourhood p"),
                    tr("In places: each is averaged over p × p around it; odd"),
                ),
                words(
                    "dimension",
                    tr("Dimension"),
                    tr("Values that describe a place; 0 takes all channels as they are"),
                ),
            ),
        ),
        GroupWords(
            tr("Noise"),
            (
                words(
                    "noise",
                    tr("σ of the noise"),
                    tr("How far pretended defects are from good features"),
                ),
                words(
                    "noise_rule",
                    tr("σ counts"),
                    tr("As it is, or in proportion to the features, so that it suits any network"),
                ),
            ),
        ),
        GroupWords(
            tr("Adaptor"),
            (
                words(
                    "adaptor",
                    tr("Adaptor"),
                    tr("What fits the network's features to your parts before they are judged"),
                ),
                words(
                    "adaptor_start",
                    tr("Begins as"),
                    tr(
                        "Random numbers, no change at all, or features made alike in all directions"
                    ),
                ),
                words("adaptor_bias", tr("With bias"), tr("Adds a constant to every value")),
                words("adaptor_optimiser", tr("Optimiser"), tr("How its weights follow the loss")),
                words(
                    "adaptor_rate",
                    tr("Learning rate"),
                    tr("Size of a step; 0 keeps it as it begins"),
                ),
                words(
                    "adaptor_decay",
                    tr("Weight decay"),
                    tr("Pulls weights towards 0; 0 for none"),
                ),
            ),
        ),
        GroupWords(
            tr("Discriminator"),
            (
                words(
                    "hidden",
                    tr("Hidden units"),
                    tr("Size of the network that tells good features from noised ones"),
                ),
                words("optimiser", tr("Optimiser"), tr("How its weights follow the loss")),
                words("rate", tr("Learning rate"), tr("Size of a step; too large a rate diverges")),
                words("decay", tr("Weight decay"), tr("Pulls weights towards 0; 0 for none")),
            ),
        ),
        GroupWords(
            tr("Loss"),
            (
                words(
                    "loss",
                    tr("Loss"),
                    tr("What training makes small: truncated L1 as in the paper, or cross-entropy"),
                ),
                words(
                    "th_plus",
                    tr("Truncated at th+"),
                    tr("Good features above this output cost nothing (L1)"),
                ),
                words(
                    "th_minus",
                    tr("Truncated at −th−"),
                    tr("Noised features below this output cost nothing (L1)"),
                ),
            ),
        ),
        GroupWords(
            tr("Computing"),
            (
                words(
                    "schedule",
                    tr("Schedule"),
                    tr("Learning rates stay as they are, or fall to 0 along a cosine"),
                ),
                words(
                    "joint_norm",
                    tr("Normalise together"),
                    tr("Good and noised features are one batch for normalisation"),
                ),
                words(
                    "xavier",
                    tr("Xavier start"),
                    tr("Initial weights after Xavier, else as torch does"),
                ),
                words(
                    "precision",
                    tr("Precision"),
                    tr("Of the products; bf16 is quicker on some machines, with fewer digits"),
                ),
            ),
        ),
    )


def choice_words() -> dict[str, str]:
    """Return what values that are words are called."""
    return {
        "linear": _tr("linear"),
        "mlp": _tr("two layers (MLP)"),
        "none": _tr("none"),
        "l1": _tr("truncated L1"),
        "cross-entropy": _tr("cross-entropy"),
        "adam": "Adam",
        "adamw": "AdamW",
        "constant": _tr("constant"),
        "cosine": _tr("cosine"),
        "absolute": _tr("as it is"),
        "scaled": _tr("× features"),
        "random": _tr("random"),
        "identity": _tr("no change"),
        "whitened": _tr("whitened"),
    }


def preset_words() -> dict[str, tuple[str, str]]:
    """Return what presets are called, and what they are."""
    return {
        "fast": (_tr("Fast"), _tr("Ours: as good and much quicker, at the set's own input")),
        "paper": (_tr("Paper"), _tr("As published, section 4.2: takes long on a CPU")),
        "official": (_tr("Official"), _tr("The authors' run script: takes long on a CPU")),
    }


def value_words(value: object) -> str:
    """Return a hyperparameter's value as people read it."""
    if isinstance(value, bool):
        return _tr("yes") if value else _tr("no")
    if isinstance(value, float):
        return f"{value:g}"
    return choice_words().get(str(value), str(value))


def input_words(scoring: Scoring) -> str:
    """Return the network's input: `256 × 256`."""
    return f"{scoring.input_width} × {scoring.input_height}"


def model_words(scoring: Scoring) -> str:
    """Return what a model is called: preset, network and input."""
    preset = scoring.training.preset if scoring.training is not None else scoring.preset
    name, _ = preset_words().get(preset, (preset, ""))
    changed = f" ({_tr('changed')})" if _is_changed(scoring.training) else ""
    return f"{name}{changed}, {scoring.backbone}, {input_words(scoring)}"


def facts_in_words(facts: ModelFacts, size: int) -> dict[str, str]:
    """Return everything that a model says of itself, by name."""
    last = facts.losses[-1] if facts.losses else (float("nan"),) * 3
    training: Any = facts.scoring.training or Hyperparameters()
    told = {
        _tr("Preset"): preset_words().get(training.preset, (training.preset, ""))[0],
        _tr("Trained"): date_words(facts.created_at),
        _tr("For the set"): facts.set_name,
        _tr("References trained on"): str(len(facts.trained_on)),
        _tr("References held out"): str(len(facts.held_out)),
        _tr("Training took"): duration_words(facts.seconds),
        _tr("Loss at the end"): f"{last[0]:.4f}",
        _tr("… of good features"): f"{last[1]:.4f}",
        _tr("… of noised features"): f"{last[2]:.4f}",
        _tr("σ that the rule came to"): f"{facts.noise:.4g}",
        _tr("Network"): facts.scoring.backbone,
        _tr("Input"): input_words(facts.scoring),
        _tr("Runtime and precision"): f"{facts.scoring.runtime}, {facts.scoring.precision}",
        _tr("File"): size_words(size),
    }
    if facts.remarks:
        told[_tr("Remarks")] = "\n".join(facts.remarks)
    for group in training_groups():
        for field in group.fields:
            name = field.text
            if name in told or name in _SHARED:
                name = f"{group.title}: {name}"
            told[name] = value_words(getattr(training, field.name))
    return told


_SHARED = ("Optimiser", "Learning rate", "Weight decay")


def duration_words(seconds: float) -> str:
    """Return a time in words: `1 min 10 s`."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return _tr("{} s").format(whole)
    if whole < _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return _tr("{} min {} s").format(minutes, rest) if rest else _tr("{} min").format(minutes)
    hours, rest = divmod(round(whole / _MINUTE), _MINUTE)
    return _tr("{} h {} min").format(hours, rest)


def left_words(seconds: float) -> str:
    """Return a time left, no more exact than it can be known."""
    if seconds > 10 * _MINUTE:
        seconds = _MINUTE * round(seconds / _MINUTE)
    elif seconds > _MINUTE:
        seconds = 10 * round(seconds / 10)
    return _tr("{} left").format(duration_words(max(1, seconds)))


def date_words(moment: float) -> str:
    """Return a moment (seconds since the epoch) as date and time of the day."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def size_words(size: int) -> str:
    """Return a size on disk in words."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"


def stale_words(added: int, removed: int) -> str:
    """Return what has changed of a set's references since a model was trained."""
    parts = []
    if added:
        parts.append(_tr("{} added").format(added))
    if removed:
        parts.append(_tr("{} removed").format(removed))
    return _tr("references have changed since: {}").format(", ".join(parts))


def _is_changed(training: Hyperparameters | None) -> bool:
    from inspector_gui.core.simplenet.hyperparameters import PRESETS

    if training is None or training.preset not in PRESETS:
        return False
    own = PRESETS[training.preset]
    free = {"preset", "seed"}
    return any(
        getattr(own, field.name) != getattr(training, field.name)
        for field in fields(Hyperparameters)
        if field.name not in free
    )
