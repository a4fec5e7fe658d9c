"""Training adaptor and discriminator on the patches of good parts (sections 3.2 to 3.4).

Loss (equation 4): mean(max(0, th+ - D(q))) + mean(max(0, th- + D(q + noise))), q = G(features), or
cross-entropy. The last epoch is kept: to choose another one would take defective parts.

Everything random is drawn anew for every batch from the seed, the epoch and the number of the
batch. So a training that was stopped after any batch goes on from a checkpoint as if it had not
been, with the same bits on the same kind of processor.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.simplenet.facts import EpochFacts
from inspector_gui.core.simplenet.hyperparameters import (
    ADAMW,
    COSINE,
    L1,
    NO_ADAPTOR,
    Hyperparameters,
)
from inspector_gui.core.simplenet.networks import Simplenet
from inspector_gui.core.simplenet.patch_rows import PatchRows
from inspector_gui.core.simplenet.start import Start
from inspector_gui.core.types import Floats, Progress

_BINS = 40
_RISEN, _LEAST_LOSS = 4.0, 0.25
"""A loss this many times that of the first batch is no training any more."""
_MOST_CHUNKS = 64
_SCORED_AT_ONCE = 16_384  # patches

State = dict[str, Any]
"""Tensors by name, and numbers: all that a training goes on from."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a training: weights by name, the noise, every epoch, and what to tell."""

    weights: Mapping[str, Floats]
    noise: float
    epochs: tuple[EpochFacts, ...]
    remarks: tuple[str, ...] = ()


@dataclass(eq=False)
class _Sums:
    """Sums over the batches of the epoch under way: loss of real and of noised features."""

    real: float = 0.0
    noised: float = 0.0
    batches: int = 0


@dataclass(frozen=True)
class Hooks:
    """What a training calls while it runs.

    `report` with every batch, `on_epoch` after every epoch, `on_state` with a checkpoint at least
    every `state_seconds` and before it stops, `should_stop` before every batch.
    """

    report: Callable[[Progress], None] = lambda _: None
    on_epoch: Callable[[EpochFacts], None] = lambda _: None
    on_state: Callable[[State], None] | None = None
    should_stop: ShouldStop = lambda: False
    state_seconds: float = 10.0


def best_device() -> str:
    """Return "cuda", "mps" or "cpu"."""
    from inspector_gui.core.runtimes import gpu_kind

    return gpu_kind() or "cpu"


class Training:
    """One training, batch by batch. `good`: patches that are trained on, `held_out`: others."""

    def __init__(
        self, good: PatchRows, held_out: PatchRows | None, chosen: Hyperparameters, *, device: str
    ) -> None:
        self._good, self._held_out, self._chosen = good, held_out, chosen
        self._device = torch.device(device)
        torch.manual_seed(chosen.seed)
        start = Start.of(good, chosen)
        net = Simplenet(good.width, chosen)
        if start.whitener is not None:
            with torch.no_grad():
                net.adaptor.get_parameter("0.weight").copy_(torch.from_numpy(start.whitener))
        with torch.inference_mode():
            adapted = net.adapt(torch.from_numpy(start.sample)).numpy()
        self.noise = start.noise(adapted, chosen)
        self._net = net.to(self._device)
        self._optimisers = _optimisers(self._net, chosen)
        self._steps = chosen.steps or -(-len(good) // chosen.batch)
        self._epoch = self._step = 0
        self._sums = _Sums()
        self._first_loss = math.inf
        self._chunks = 1
        self._seconds = 0.0
        self.remarks: list[str] = []
        self.epochs: list[EpochFacts] = []
        self._outputs: tuple[Floats, Floats] = (np.zeros(0, np.float32),) * 2

    @property
    def total(self) -> int:
        """Batches of the whole training."""
        return self._chosen.epochs * self._steps

    @property
    def done(self) -> int:
        """Batches that are done."""
        return self._epoch * self._steps + self._step

    def run(self, hooks: Hooks) -> Trained:
        """Train to the end.

        Raises `Cancelled` once `should_stop` is true, and `KnownError` where the training diverges
        or memory does not suffice for the smallest piece of a batch.
        """
        saved_at = time.monotonic()
        while self._epoch < self._chosen.epochs:
            if hooks.should_stop():
                if hooks.on_state is not None:
                    hooks.on_state(self.state())
                raise Cancelled
            hooks.report(Progress("training", self.done, self.total))
            self._advance(hooks)
            if hooks.on_state is not None and time.monotonic() - saved_at > hooks.state_seconds:
                hooks.on_state(self.state())
                saved_at = time.monotonic()
        hooks.report(Progress("training", self.total, self.total))
        return Trained(self._net.weights(), self.noise, tuple(self.epochs), tuple(self.remarks))

    def scores(self, rows: PatchRows) -> list[float]:
        """Return the image score of every picture: the maximum of -D over its patches."""
        self._net.eval()
        found = []
        with torch.inference_mode():
            for picture in range(len(rows)):
                pieces = np.array_split(
                    rows.of(picture), -(-len(rows.of(picture)) // _SCORED_AT_ONCE)
                )
                found.append(max(-float(self._outputs_of(piece).min()) for piece in pieces))
        self._net.train()
        return found

    def _outputs_of(self, patches: Floats) -> Tensor:
        outputs: Tensor = self._net(torch.from_numpy(np.array(patches)).to(self._device))
        return outputs

    # One batch

    def _advance(self, hooks: Hooks) -> None:
        began = time.perf_counter()
        seed = (self._chosen.seed, self._epoch, self._step)
        draw = np.random.default_rng(seed)
        pictures = self._pictures()
        batch = torch.from_numpy(self._good.batch(pictures, self._chosen.patches, draw))
        noise_seed = int(draw.integers(2**63 - 1))
        self._set_rates()
        real, noised = self._fitted(batch, noise_seed)
        if not math.isfinite(real + noised):
            raise KnownError(
                f"The training diverged in epoch {self._epoch + 1}: its loss is not a number any "
                "more. Lower the learning rates, or raise the noise."
            )
        if not self.done:
            self._first_loss = real + noised
        self._sums.real += real
        self._sums.noised += noised
        self._sums.batches += 1
        self._step += 1
        self._seconds += time.perf_counter() - began
        if self._step == self._steps:
            self._end_epoch(hooks)

    def _pictures(self) -> np.ndarray:
        """Return the pictures of the batch: every one comes once before any comes again."""
        count, size = len(self._good), self._chosen.batch
        if not self._chosen.steps:
            order = np.random.default_rng((self._chosen.seed, self._epoch)).permutation(count)
            return order[self._step * size : (self._step + 1) * size]
        places = np.arange(self.done * size, (self.done + 1) * size)
        rounds = {
            number: np.random.default_rng((self._chosen.seed, int(number))).permutation(count)
            for number in np.unique(places // count)
        }
        return np.array([rounds[place // count][place % count] for place in places])

    def _fitted(self, batch: Tensor, noise_seed: int) -> tuple[float, float]:
        """Take one step down the loss of a batch, in more pieces where memory does not suffice."""
        while True:
            try:
                return self._step_on(batch, noise_seed)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not _is_memory(error):
                    raise
                self._chunks *= 2
                if self._chunks > min(_MOST_CHUNKS, len(batch) // 2):
                    raise KnownError(
                        "There is not enough memory to train, even in small pieces of a batch. "
                        "Close other programs, or lower batch, hidden or dimension."
                    ) from error
                if self._device.type == "cuda":
                    torch.cuda.empty_cache()
                self.remarks = [
                    f"Memory did not suffice for whole batches: they were trained on in "
                    f"{self._chunks} pieces, each normalised on its own."
                ]

    def _step_on(self, batch: Tensor, noise_seed: int) -> tuple[float, float]:
        for optimiser in self._optimisers:
            optimiser.zero_grad(set_to_none=True)
        generator = torch.Generator(self._device).manual_seed(noise_seed)
        real = noised = 0.0
        outputs = []
        for piece in batch.chunk(self._chunks):
            share = len(piece) / len(batch)
            with torch.autocast(
                self._device.type, torch.bfloat16, enabled=self._chosen.precision == "bf16"
            ):
                good, bad = self._outputs_on(piece.to(self._device), generator)
            losses = self._losses(good.float(), bad.float())
            (sum(losses[1:], losses[0]) * share).backward()  # type: ignore[no-untyped-call]
            real += share * float(losses[0].detach())
            noised += share * float(losses[1].detach())
            outputs.append((good.detach(), bad.detach()))
        for optimiser in self._optimisers:
            optimiser.step()
        self._keep_outputs(outputs)
        return real, noised

    def _outputs_on(self, features: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return D's outputs on features of good parts, and on the same with noise."""
        adapted = self._net.adapt(features)
        noise = torch.randn(
            adapted.shape, generator=generator, device=self._device, dtype=torch.float32
        )
        false = adapted + (self.noise * noise).to(adapted.dtype)
        if self._chosen.joint_norm:
            both = self._net.judge(torch.cat([adapted, false]))
            return both[: len(adapted)], both[len(adapted) :]
        return self._net.judge(adapted), self._net.judge(false)

    def _losses(self, good: Tensor, bad: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss on real and on noised features (equation 4)."""
        if self._chosen.loss == L1:
            return (
                (self._chosen.th_plus - good).clamp(min=0).mean(),
                (self._chosen.th_minus + bad).clamp(min=0).mean(),
            )
        return nn.functional.softplus(-good).mean(), nn.functional.softplus(bad).mean()

    def _keep_outputs(self, outputs: list[tuple[Tensor, Tensor]]) -> None:
        if self._step + 1 == self._steps:
            good, bad = (
                torch.cat(list(of)).float().cpu().numpy() for of in zip(*outputs, strict=True)
            )
            self._outputs = good, bad

    def _set_rates(self) -> None:
        if self._chosen.schedule != COSINE:
            return
        share = 0.5 * (1 + math.cos(math.pi * self.done / self.total))
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * share

    def _end_epoch(self, hooks: Hooks) -> None:
        sums, chosen = self._sums, self._chosen
        real, noised = sums.real / sums.batches, sums.noised / sums.batches
        edges, counts = _histograms(*self._outputs)
        held_out = tuple(self.scores(self._held_out)) if self._held_out is not None else ()
        self._epoch, self._step, self._sums = self._epoch + 1, 0, _Sums()
        found = EpochFacts(
            self._epoch, chosen.epochs, real + noised, real, noised, edges, *counts, held_out,
            self._seconds,
        )  # fmt: skip
        self.epochs.append(found)
        hooks.on_epoch(found)
        if found.loss > _RISEN * max(self._first_loss, _LEAST_LOSS):
            raise KnownError(
                f"The training diverged: its loss rose from {self._first_loss:.3g} to "
                f"{found.loss:.3g} by epoch {found.epoch}. Lower the learning rates."
            )

    # Stopping and going on

    def state(self) -> State:
        """Return all that `restore` needs: a flat mapping of tensors, and JSON-able `facts`."""
        tensors = {f"net.{name}": value for name, value in self._net.state_dict().items()}
        for number, optimiser in enumerate(self._optimisers):
            for index, values in optimiser.state_dict()["state"].items():
                for name, value in values.items():
                    tensors[f"optimiser{number}.{index}.{name}"] = torch.as_tensor(value)
        facts = {
            "epoch": self._epoch,
            "step": self._step,
            "sums": [self._sums.real, self._sums.noised, self._sums.batches],
            "first_loss": self._first_loss,
            "chunks": self._chunks,
            "seconds": self._seconds,
            "remarks": self.remarks,
            "noise": self.noise,
            "epochs": [facts.as_json() for facts in self.epochs],
        }
        return {
            "tensors": {n: t.detach().cpu().clone() for n, t in tensors.items()},
            "facts": facts,
        }

    def restore(self, state: State) -> None:
        """Go on from a state; of another training: `KeyError`, `RuntimeError`, `ValueError`."""
        tensors, facts = state["tensors"], state["facts"]
        own = {n.removeprefix("net."): t for n, t in tensors.items() if n.startswith("net.")}
        self._net.load_state_dict(own)
        for number, optimiser in enumerate(self._optimisers):
            prefix = f"optimiser{number}."
            found: dict[int, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                if name.startswith(prefix):
                    index, key = name.removeprefix(prefix).split(".", 1)
                    found.setdefault(int(index), {})[key] = value
            whole = optimiser.state_dict()
            optimiser.load_state_dict({"state": found, "param_groups": whole["param_groups"]})
        self._epoch, self._step = int(facts["epoch"]), int(facts["step"])
        self._sums = _Sums(*facts["sums"])
        self._first_loss = float(facts["first_loss"])
        self._chunks, self._seconds = int(facts["chunks"]), float(facts["seconds"])
        self.remarks, self.noise = list(facts["remarks"]), float(facts["noise"])
        self.epochs = [EpochFacts.from_json(one) for one in facts["epochs"]]


def _optimisers(net: Simplenet, chosen: Hyperparameters) -> list[torch.optim.Optimizer]:
    made: list[torch.optim.Optimizer] = []
    for module, kind, rate, decay in (
        (net.adaptor, chosen.adaptor_optimiser, chosen.adaptor_rate, chosen.adaptor_decay),
        (net.discriminator, chosen.optimiser, chosen.rate, chosen.decay),
    ):
        if module is net.adaptor and (chosen.adaptor == NO_ADAPTOR or not rate):
            module.requires_grad_(False)  # it stays what it begins as
            continue
        family = torch.optim.AdamW if kind == ADAMW else torch.optim.Adam
        optimiser = family(module.parameters(), lr=rate, weight_decay=decay)
        for group in optimiser.param_groups:
            group["initial_lr"] = rate
        made.append(optimiser)
    return made


def _histograms(
    good: Floats, bad: Floats
) -> tuple[tuple[float, ...], tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return common edges and the counts of both."""
    both = np.concatenate([good, bad])
    low, high = float(both.min()), float(both.max())
    edges = np.linspace(low, max(high, low + 1e-6), _BINS + 1)
    counts = (tuple(int(n) for n in np.histogram(of, edges)[0]) for of in (good, bad))
    first, second = counts
    return tuple(float(edge) for edge in edges), (first, second)


def _is_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice; on a CPU torch has no type for that."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return "allocate memory" in str(error) or "out of memory" in str(error)
