"""From a gallery of references to a model: split, patches, training, facts."""

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from inspector_gui import __version__
from inspector_gui.core.backbones import backbone
from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Gallery
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import (
    LEAST_HELD_OUT,
    Hyperparameters,
    check,
    hyperparameters_for,
)
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.simplenet.patch_rows import patch_rows
from inspector_gui.core.simplenet.patches import patch_pooling
from inspector_gui.core.simplenet.training import Hooks, State, Training, best_device
from inspector_gui.core.types import Scoring, gallery_fingerprint


def split(count: int, chosen: Hyperparameters) -> tuple[list[int], list[int]]:
    """Return the rows to train on, and those that are held out: drawn by the seed, ascending.

    Raises `KnownError` for too few references.
    """
    held = max(LEAST_HELD_OUT, round(chosen.held_out * count)) if chosen.held_out else 0
    if count - held < MIN_REFERENCES:
        others = f", and {held} that are held out for the limit" if held else ""
        raise KnownError(
            f"SimpleNet needs at least {MIN_REFERENCES} references to train on{others}; there are "
            f"{count}. Add pictures of good parts."
        )
    order = np.random.default_rng(chosen.seed).permutation(count)
    return sorted(order[held:].tolist()), sorted(order[:held].tolist())


def train_model(
    gallery: Gallery,
    hashes: Sequence[str],
    scoring: Scoring,
    *,
    set_name: str = "",
    folder: Path | None = None,
    hooks: Hooks | None = None,
    state: State | None = None,
    device: str | None = None,
    unreadable: Mapping[str, str] | None = None,
) -> SimplenetModel:
    """Train on the references of a gallery, whose content hashes are given row by row.

    Patches lie in `folder` meanwhile. `state` goes on from a checkpoint (see `Hooks.on_state`);
    `unreadable`: references that are left out, each with a sentence.
    Raises `KnownError` for too few references, values that no training can have, a disk or memory
    that does not suffice, and a training that diverges; `Cancelled` on request.
    """
    chosen = scoring.training or hyperparameters_for(scoring.preset)
    check(chosen)
    trained_on, held_out = split(len(gallery), chosen)
    hooks = hooks or Hooks()
    pooling = patch_pooling(backbone(scoring.backbone).channels, chosen)
    with patch_rows(
        gallery,
        [*trained_on, *held_out],
        pooling,
        folder=folder,
        report=hooks.report,
        should_stop=hooks.should_stop,
    ) as rows:
        good, others = rows.split(len(trained_on))
        training = Training(
            good, others if held_out else None, chosen, device=device or best_device()
        )
        if state is not None:
            _restore(training, state)
        trained = training.run(hooks)
    last = trained.epochs[-1]
    facts = ModelFacts(
        id="",
        created_at=time.time(),
        scoring=scoring,
        noise=trained.noise,
        trained_on=tuple(hashes[row] for row in trained_on),
        held_out={hashes[row]: score for row, score in zip(held_out, last.held_out, strict=True)},
        losses=tuple((one.loss, one.real, one.noised) for one in trained.epochs),
        seconds=last.seconds,
        set_name=set_name,
        fingerprint=gallery_fingerprint(scoring, hashes),
        versions={"inspector-gui": __version__} | {n: version(n) for n in ("torch", "numpy")},
        remarks=(*(unreadable or {}).values(), *trained.remarks),
        unreadable=tuple(unreadable or ()),
    )
    return SimplenetModel.of(trained.weights, facts)


def _restore(training: Training, state: State) -> None:
    try:
        training.restore(state)
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise KnownError(
            "The checkpoint of this training is of another one, so it cannot go on. Discard it and "
            "start again."
        ) from error
