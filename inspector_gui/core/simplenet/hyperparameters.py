"""Everything that a training of SimpleNet depends on, beside the references and the network.

Presets: `paper` is section 4.2 of the paper, `official` the authors' run script (METHODS.md has
where they differ), `fast` is ours. Known without loading what computes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from inspector_gui.core.errors import KnownError

FAST, PAPER, OFFICIAL = "fast", "paper", "official"
LINEAR, MLP, NO_ADAPTOR = "linear", "mlp", "none"
L1, CROSS_ENTROPY = "l1", "cross-entropy"
ADAM, ADAMW = "adam", "adamw"
RANDOM, IDENTITY, WHITENED = "random", "identity", "whitened"
CONSTANT, COSINE = "constant", "cosine"
ABSOLUTE, SCALED_NOISE = "absolute", "scaled"
LEAST_HELD_OUT = 2
"""A limit needs at least two scores."""


@dataclass(frozen=True)
class Hyperparameters:
    """How one SimpleNet is trained. `preset` names where the values came from.

    Features: patches of the `levels` (1 finest to 3, commas between them), averaged over
    `neighbourhood` x `neighbourhood` places (odd), pooled to `dimension` values as the authors'
    code does, or, with 0, all channels as they are. Adaptor: `LINEAR` (with `adaptor_bias`), `MLP`
    or `NO_ADAPTOR`. Discriminator: `hidden` units. Noise: normal, of standard deviation `noise` in
    the adapted space (`ABSOLUTE`), or that times the scale of the features (`SCALED_NOISE`, see
    `core.simplenet.start`). Loss: `L1` truncated at `th_plus` and `th_minus` (equation 4), or
    `CROSS_ENTROPY`. A batch is of `batch` pictures, `patches` of each drawn at random (0: all);
    an epoch of `steps` batches (0: as many as show every picture once). Rates, decays and
    optimisers of adaptor and discriminator are their own; an adaptor with a rate of 0 stays what it
    begins as. `schedule` is of both rates. With `joint_norm` real and noised features are one batch
    for BatchNorm. `xavier`: initial weights Xavier-normal, else torch's. `precision`: of the
    products, f32 or bf16. `held_out`: share of the references that is not trained on, from which
    limits are made (0: none).
    """

    preset: str = FAST
    levels: str = "2,3"
    neighbourhood: int = 3
    dimension: int = 0
    adaptor: str = LINEAR
    adaptor_bias: bool = False
    adaptor_start: str = WHITENED
    hidden: int = 1024
    noise: float = 1.2
    noise_rule: str = SCALED_NOISE
    loss: str = CROSS_ENTROPY
    th_plus: float = 0.5
    th_minus: float = 0.5
    epochs: int = 20
    batch: int = 256
    patches: int = 4
    steps: int = 120
    adaptor_optimiser: str = ADAM
    adaptor_rate: float = 0.0
    adaptor_decay: float = 1e-5
    optimiser: str = ADAM
    rate: float = 1.2e-3
    decay: float = 1e-5
    schedule: str = COSINE
    joint_norm: bool = False
    xavier: bool = True
    precision: str = "f32"
    seed: int = 0
    held_out: float = 0.2

    def as_json(self) -> dict[str, Any]:
        """Return the values as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Hyperparameters":
        """Return what `as_json` wrote; names this program does not know are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


PRESETS: Mapping[str, Hyperparameters] = {
    FAST: Hyperparameters(),
    PAPER: Hyperparameters(
        preset=PAPER,
        dimension=1536,
        noise=0.015,
        noise_rule=ABSOLUTE,
        adaptor_start=RANDOM,
        loss=L1,
        epochs=160,
        batch=4,
        patches=0,
        steps=0,
        adaptor_rate=1e-4,
        rate=2e-4,
        schedule=CONSTANT,
    ),
    OFFICIAL: Hyperparameters(
        preset=OFFICIAL,
        dimension=1536,
        adaptor_bias=True,
        noise=0.015,
        noise_rule=ABSOLUTE,
        adaptor_start=RANDOM,
        loss=L1,
        epochs=160,  # 40 times 4
        batch=8,
        patches=0,
        steps=0,
        adaptor_rate=1e-4,
        rate=2e-4,
        schedule=CONSTANT,
        adaptor_optimiser=ADAMW,
        adaptor_decay=0.01,
        joint_norm=True,
    ),
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "adaptor": (LINEAR, MLP, NO_ADAPTOR),
    "adaptor_start": (RANDOM, IDENTITY, WHITENED),
    "noise_rule": (SCALED_NOISE, ABSOLUTE),
    "loss": (L1, CROSS_ENTROPY),
    "adaptor_optimiser": (ADAM, ADAMW),
    "optimiser": (ADAM, ADAMW),
    "schedule": (CONSTANT, COSINE),
    "precision": ("f32", "bf16"),
    "preset": (FAST, PAPER, OFFICIAL),
}
"""The values of those that are words."""
RANGES: Mapping[str, tuple[float, float]] = {
    "neighbourhood": (1, 9),
    "dimension": (0, 8192),
    "hidden": (1, 8192),
    "noise": (1e-6, 1e3),
    "th_plus": (0, 100),
    "th_minus": (0, 100),
    "epochs": (1, 10_000),
    "batch": (1, 256),
    "patches": (0, 65_536),
    "steps": (0, 1_000_000),
    "adaptor_rate": (0, 1),
    "adaptor_decay": (0, 1),
    "rate": (1e-8, 1),
    "decay": (0, 1),
    "seed": (0, 2**31 - 1),
    "held_out": (0, 0.5),
}
"""Least and largest of those that are numbers."""


def hyperparameters_for(
    preset: str, changes: Mapping[str, object] | None = None
) -> Hyperparameters:
    """Return a preset with some values replaced, checked; levels as recipes keep them.

    Raises `KnownError` for a preset, a name or a value that does not exist.
    """
    from inspector_gui.core.level_weights import level_choice

    if preset not in PRESETS:
        raise KnownError(f"simplenet has no preset {preset!r}; choose {', '.join(PRESETS)}.")
    for name in changes or {}:
        if name not in NAMES:
            raise KnownError(f"A training has no value {name!r}; there are: {', '.join(NAMES)}.")
    chosen = replace(PRESETS[preset], **(changes or {}))  # type: ignore[arg-type]
    check(chosen)
    return replace(chosen, levels=level_choice(chosen.levels))


def fitted_to(chosen: Hyperparameters, channels: Sequence[int]) -> Hyperparameters:
    """Return a preset for a network whose levels have so many channels, finest first.

    Where a level has fewer values in a neighbourhood than it is to give features, pooling would
    only repeat them: all channels are kept as they are then (METHODS "Common").
    """
    levels = [channels[int(level) - 1] for level in chosen.levels.split(",")]
    share = chosen.dimension / len(levels)
    if any(own * chosen.neighbourhood**2 < share for own in levels):
        return replace(chosen, dimension=0)
    return chosen


NAMES = tuple(field.name for field in fields(Hyperparameters) if field.name != "preset")
"""The values of a training, in the order in which they are shown."""


def parsed(name: str, text: str) -> object:
    """Return the value of a name in a text, of the right type; raises `KnownError`."""
    if name not in NAMES:
        raise KnownError(f"A training has no value {name!r}; there are: {', '.join(NAMES)}.")
    example = getattr(Hyperparameters, name)
    text = text.strip()
    if isinstance(example, bool):
        if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise KnownError(f"{name} is true or false, not {text!r}.")
        return text.lower() in ("true", "yes", "1")
    try:
        return type(example)(text)
    except ValueError:
        kind = "a whole number" if isinstance(example, int) else "a number"
        raise KnownError(f"{name} is {kind}, not {text!r}.") from None


def check(chosen: Hyperparameters) -> None:
    """Raise `KnownError` for a value that a training cannot have."""
    from inspector_gui.core.level_weights import level_choice

    for name, words in CHOICES.items():
        if getattr(chosen, name) not in words:
            raise KnownError(f"{name} is {' or '.join(words)}, not {getattr(chosen, name)!r}.")
    for name, (least, most) in RANGES.items():
        value = getattr(chosen, name)
        if not least <= value <= most:  # nor is NaN
            raise KnownError(f"{name} is from {least:.10g} to {most:.10g}, not {value}.")
    if chosen.neighbourhood % 2 == 0:
        raise KnownError(f"neighbourhood is an odd number of places, not {chosen.neighbourhood}.")
    if chosen.patches == 1:
        raise KnownError("patches is at least 2, which BatchNorm takes, or 0 for all; not 1.")
    try:
        level_choice(chosen.levels)
    except KnownError as error:
        raise KnownError(str(error).removeprefix("--")) from None
