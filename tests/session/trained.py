"""Models and trainings without a network: what they say of themselves is all that counts."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspector_gui.core.scoring import Scoring
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters, hyperparameters_for
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.store.model_files import ModelFiles


def simplenet(training: Hyperparameters | None = None, **fields: Any) -> Scoring:
    """Return a small recipe of SimpleNet; by default of three quick epochs."""
    chosen = training or hyperparameters_for("fast", {"epochs": 3, "hidden": 32})
    return Scoring(
        **{"method": "simplenet", "size": 96, "preset": "fast", **fields}, training=chosen
    )


def save_model(
    folder: Path,
    trained_on: Sequence[str],
    held_out: Mapping[str, float] | None = None,
    *,
    scoring: Scoring | None = None,
    set_name: str = "Washers",
    seed: int = 0,
    created_at: float | None = None,
) -> ModelFacts:
    """Write a model of random weights and return what it says of itself."""
    weights = {"adaptor": np.random.default_rng(seed).normal(size=(4, 4)).astype(np.float32)}
    scoring = scoring or simplenet()
    epochs = scoring.training.epochs if scoring.training is not None else 1
    facts = ModelFacts(
        id="",
        created_at=time.time() if created_at is None else created_at,
        scoring=scoring,
        noise=0.1,
        trained_on=tuple(trained_on),
        held_out=dict(held_out or {}),
        losses=tuple((1 / n, 0.4 / n, 0.6 / n) for n in range(1, epochs + 1)),
        seconds=12.5,
        set_name=set_name,
    )
    model = SimplenetModel.of(weights, facts)
    ModelFiles(folder).write(model)
    return model.facts


def write_model(folder: Path, asked: Mapping[str, Any]) -> ModelFacts:
    """Write the model of a training's request."""
    shas = asked["references"]
    return save_model(
        folder,
        shas[:-2],
        dict.fromkeys(shas[-2:], -0.2),
        scoring=Scoring(**asked["scoring"]),
        set_name=asked["set_name"],
    )
