"""What a training tells while it runs, and what is remembered of the model it made: values."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from inspector_gui.core.scoring import Scoring


@dataclass(frozen=True)
class EpochFacts:
    """One epoch, when it was over.

    `loss` is the mean over its batches, the sum of `real` and `noised`: what D's outputs on
    features of good parts and on noised ones add. `real_counts` and `noised_counts` are histograms
    of those outputs in the last batch, over the same `edges` (one more than counts). `held_out`:
    image scores of good parts that are not trained on. `seconds`: of training alone, so far, over
    all processes that took part in the run.
    """

    epoch: int
    epochs: int
    loss: float
    real: float
    noised: float
    edges: tuple[float, ...]
    real_counts: tuple[int, ...]
    noised_counts: tuple[int, ...]
    held_out: tuple[float, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the facts as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "EpochFacts":
        """Return what `as_json` wrote; raises `TypeError` for anything else."""
        made: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**made)


@dataclass(frozen=True)
class ModelFacts:
    """What a model says of itself, beside its weights.

    `id` names weights and facts that scores depend on (see `core.simplenet.model`). `scoring` has
    this id as its `model`, and the hyperparameters as its `training`. `noise` is the standard
    deviation that the rule came to. `trained_on` are the references' content hashes, `held_out`
    the scores of those that were not trained on, `fingerprint` that of all of them with the
    scoring, without the model (see `gallery_fingerprint`). `losses`: loss, real and noised of every
    epoch. `versions`: of the libraries that made it; `remarks`: what was done otherwise than asked,
    in sentences. `unreadable` references were left out.
    """

    id: str
    created_at: float
    scoring: Scoring
    noise: float
    trained_on: tuple[str, ...]
    held_out: Mapping[str, float]
    losses: tuple[tuple[float, float, float], ...]
    seconds: float
    set_name: str = ""
    fingerprint: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def references(self) -> frozenset[str]:
        """The content hashes of the references there were, whatever became of each."""
        return frozenset((*self.trained_on, *self.held_out, *self.unreadable))

    def is_of(self, references: Iterable[str]) -> bool:
        """Whether a set's included references (content hashes) are those of the model still."""
        return frozenset(references) == self.references

    def as_json(self) -> dict[str, Any]:
        """Return the facts as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ModelFacts":
        """Return what `as_json` wrote; raises `TypeError`, `KeyError`, `ValueError` for others."""
        made = dict(values)
        made["scoring"] = Scoring(**values["scoring"])
        made["trained_on"] = tuple(str(sha) for sha in values["trained_on"])
        made["held_out"] = {str(sha): float(score) for sha, score in values["held_out"].items()}
        made["remarks"] = tuple(str(text) for text in values.get("remarks", ()))
        made["unreadable"] = tuple(str(sha) for sha in values.get("unreadable", ()))
        made["losses"] = tuple(tuple(float(v) for v in row) for row in values["losses"])
        return cls(**made)
