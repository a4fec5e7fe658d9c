"""A trained model: the weights of adaptor and discriminator, and what it says of itself.

On disk it is one safetensors file and one JSON file. The identifier is the start of the SHA-256 of
the first, and of all facts that scores depend on, so that neither can be changed unnoticed. Nothing
is ever unpickled.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from inspector_gui.core.digests import digest_of
from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.types import Floats, Scoring

FORMAT = 1
_ID_DIGITS = 16


class DamagedModelError(KnownError):
    """The files of a model are not what was written."""


@dataclass(frozen=True, eq=False)
class SimplenetModel:
    """Weights as float32 arrays by name (see `core.simplenet.networks`), and the facts."""

    weights: Mapping[str, Floats]
    facts: ModelFacts

    @classmethod
    def of(cls, weights: Mapping[str, Floats], facts: ModelFacts) -> "SimplenetModel":
        """Return a model under the identifier that its weights and facts give it."""
        name = _identifier(_packed(weights), facts.scoring)
        return cls(weights, replace(facts, id=name, scoring=replace(facts.scoring, model=name)))

    @cached_property
    def file(self) -> bytes:
        """The safetensors file."""
        return _packed(self.weights)

    @property
    def description(self) -> bytes:
        """The JSON file."""
        facts = json.loads(json.dumps(self.facts.as_json(), allow_nan=False))
        whole = {"format": FORMAT, "facts": facts, "digest": digest_of(facts)}
        return json.dumps(whole, indent=1, allow_nan=False).encode()


def facts_in(description: bytes, *, name: str) -> ModelFacts:
    """Return the facts in a JSON file; `name` is what messages call the model.

    Raises `DamagedModelError` where it is not as it was written, `KnownError` where a newer program
    wrote it.
    """
    try:
        whole = json.loads(description)
        if int(whole["format"]) > FORMAT:
            raise KnownError(f"The model {name} was made by a newer version of this program.")
        facts = ModelFacts.from_json(whole["facts"])
        is_whole = whole["digest"] == digest_of(whole["facts"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedModelError(
            f"The description of the model {name} cannot be read; train it again."
        ) from error
    if not is_whole:
        raise DamagedModelError(
            f"The description of the model {name} has been changed since it was trained; train it "
            "again."
        )
    return facts


def model_in(data: bytes, facts: ModelFacts) -> SimplenetModel:
    """Return the model in a safetensors file with these facts.

    Raises `DamagedModelError` where the file is cut off, changed or of another model.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if _identifier(data, facts.scoring) != facts.id:
        raise DamagedModelError(
            f"The weights of the model {facts.id} are damaged or belong to another one; train it "
            "again."
        )
    try:
        weights = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise DamagedModelError(
            f"The weights of the model {facts.id} cannot be read; train it again."
        ) from error
    return SimplenetModel({n: np.asarray(v, np.float32) for n, v in weights.items()}, facts)


def require_fit(facts: ModelFacts, scoring: Scoring) -> None:
    """Raise `KnownError` where a model was trained for other features than a recipe's."""
    own = facts.scoring
    if own.backbone != scoring.backbone:
        raise KnownError(
            f"The model {facts.id} was trained on features of {own.backbone}, not of "
            f"{scoring.backbone}. Train one for this network."
        )
    if own.features_key.split("_")[:-2] != scoring.features_key.split("_")[:-2]:
        raise KnownError(
            f"The model {facts.id} was trained for another input of the network "
            f"({own.input_width} x {own.input_height} pixels). Train one for this one."
        )


def _packed(weights: Mapping[str, Floats]) -> bytes:
    from safetensors.numpy import save

    ordered = {name: np.ascontiguousarray(weights[name], np.float32) for name in sorted(weights)}
    return bytes(save(ordered))


def _identifier(data: bytes, scoring: Scoring) -> str:
    """Return the name of weights that judge features of a scoring."""
    about = replace(scoring, model="").key
    return hashlib.sha256(hashlib.sha256(data).digest() + about.encode()).hexdigest()[:_ID_DIGITS]
