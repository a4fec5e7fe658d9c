from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.simplenet.checkpoint import packed, unpacked
from inspector_gui.core.simplenet.facts import EpochFacts
from inspector_gui.core.simplenet.fitting import split, train_model
from inspector_gui.core.simplenet.hyperparameters import (
    PRESETS,
    Hyperparameters,
    hyperparameters_for,
)
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.simplenet.patch_rows import PatchRows
from inspector_gui.core.simplenet.start import scale_of
from inspector_gui.core.simplenet.training import Hooks, State, Trained, Training
from inspector_gui.core.types import Scoring
from tests.core.simplenet.levels import gallery

QUICK = hyperparameters_for(
    "fast", {"epochs": 4, "steps": 6, "hidden": 16, "batch": 3, "patches": 20}
)


def rows(count: int = 6, *, width: int = 12, seed: int = 0) -> PatchRows:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(count * 30, width)) * np.linspace(0.2, 2, width)
    return PatchRows(values.astype(np.float32), np.arange(0, count * 30 + 1, 30))


def trained(chosen: Hyperparameters, *, hooks: Hooks | None = None, **more: int) -> Trained:
    return Training(rows(**more), rows(2, seed=9), chosen, device="cpu").run(hooks or Hooks())


def same(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


PAPERS = {
    name: replace(PRESETS[name], dimension=0, epochs=2, hidden=8, batch=3) for name in PRESETS
}


@pytest.mark.parametrize("chosen", [QUICK, *PAPERS.values()], ids=["quick", *PAPERS])
def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    chosen: Hyperparameters,
) -> None:
    first = trained(chosen)
    assert same(first.weights, trained(chosen).weights)
    assert not same(first.weights, trained(replace(chosen, seed=1)).weights)


def test_a_training_learns_to_tell_features_from_noise() -> None:
    found = trained(replace(QUICK, epochs=30, steps=20, hidden=64, noise=3.0, rate=3e-3))
    assert found.epochs[-1].loss < 0.85 * found.epochs[0].loss
    last = found.epochs[-1]
    edges = np.array(last.edges)
    middles = (edges[1:] + edges[:-1]) / 2
    real = np.average(middles, weights=last.real_counts)
    assert real > np.average(middles, weights=last.noised_counts)
    assert sum(last.real_counts) == sum(last.noised_counts) == 60
    assert last.loss == pytest.approx(last.real + last.noised)
    assert len(last.held_out) == 2


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"loss": "l1"}, lambda good, bad: ([0.5 - good], [0.5 + bad])),
        ({"loss": "l1", "th_plus": 1.5, "th_minus": 0.1}, None),
        ({"loss": "cross-entropy"}, None),
    ],
)
def test_the_loss_is_the_formula(changes: dict[str, object], wanted: object) -> None:
    chosen = hyperparameters_for("paper", changes)
    training = Training(rows(), None, replace(chosen, dimension=0, hidden=8), device="cpu")
    good, bad = torch.tensor([2.0, 0.2, -1.0]), torch.tensor([-3.0, 0.4, 1.0])
    real, noised = (float(loss) for loss in training._losses(good, bad))
    g, b = good.double().numpy(), bad.double().numpy()
    if chosen.loss == "l1":
        assert real == pytest.approx(np.maximum(0, chosen.th_plus - g).mean())
        assert noised == pytest.approx(np.maximum(0, chosen.th_minus + b).mean())
    else:
        assert real == pytest.approx(-np.log(1 / (1 + np.exp(-g))).mean())
        assert noised == pytest.approx(-np.log(1 - 1 / (1 + np.exp(-b))).mean())


@pytest.mark.parametrize("stop_at", [1, 6, 11])
@pytest.mark.parametrize("name", ["quick", "paper", "official"])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(stop_at: int, name: str) -> None:
    chosen = QUICK if name == "quick" else replace(PAPERS[name], epochs=7)
    whole = trained(chosen)
    states: list[State] = []
    asked = iter(range(100))
    hooks = Hooks(on_state=states.append, should_stop=lambda: next(asked) >= stop_at)
    with pytest.raises(Cancelled):
        trained(chosen, hooks=hooks)
    again = Training(rows(), rows(2, seed=9), chosen, device="cpu")
    again.restore(unpacked(packed(states[-1])))
    assert again.done == stop_at
    rest = again.run(Hooks())
    assert same(whole.weights, rest.weights)
    assert [facts.held_out for facts in whole.epochs] == [facts.held_out for facts in rest.epochs]
    assert rest.epochs[-1].loss == whole.epochs[-1].loss


def test_a_damaged_checkpoint_is_said() -> None:
    data = packed(Training(rows(), None, QUICK, device="cpu").state())
    for broken in (data[:-20], b"", b"\x00" * 40, data[:4]):
        with pytest.raises(KnownError, match="checkpoint"):
            unpacked(broken)


def test_the_last_epoch_is_kept_and_every_epoch_is_told() -> None:
    told: list[EpochFacts] = []
    found = trained(QUICK, hooks=Hooks(on_epoch=told.append))
    assert tuple(told) == found.epochs
    assert [facts.epoch for facts in told] == [1, 2, 3, 4]
    final = Training(rows(), None, QUICK, device="cpu")
    final._net.load(found.weights)
    assert final.scores(rows(2, seed=9)) == pytest.approx(list(told[-1].held_out), rel=1e-5)


@pytest.mark.parametrize("rate", [1e3, float("inf")])
def test_a_training_that_diverges_ends_with_a_sentence(rate: float) -> None:
    with pytest.raises(KnownError, match="diverged"):
        trained(replace(QUICK, rate=rate, loss="l1", epochs=40, schedule="constant"))


def test_where_memory_does_not_suffice_batches_are_trained_on_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fits = Training._outputs_on

    def short(self: Training, features: torch.Tensor, generator: torch.Generator):
        if len(features) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")
        return fits(self, features, generator)

    monkeypatch.setattr(Training, "_outputs_on", short)
    found = trained(QUICK)
    assert len(found.epochs) == QUICK.epochs
    assert "in 4 pieces" in found.remarks[0]


def test_where_not_even_small_pieces_fit_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Training, "_outputs_on", never)
    with pytest.raises(KnownError, match="not enough memory to train"):
        trained(QUICK)


def test_relative_noise_follows_the_scale_of_the_features() -> None:
    plain = replace(QUICK, adaptor="none")
    small, large = rows(), rows()
    large.values[:] *= 8
    noises = [Training(of, None, plain, device="cpu").noise for of in (small, large)]
    assert noises[1] == pytest.approx(8 * noises[0], rel=1e-5)
    assert noises[0] == pytest.approx(plain.noise * scale_of(small.values), rel=1e-5)
    absolute = replace(plain, noise_rule="absolute")
    assert Training(large, None, absolute, device="cpu").noise == plain.noise


def test_a_whitened_adaptor_evens_out_the_directions_and_has_unit_scale() -> None:
    of = rows(20)
    adaptor = Training(of, None, QUICK, device="cpu")._net.adaptor.get_parameter("0.weight")
    adapted = of.values @ adaptor.detach().numpy().T
    before, after = of.values.std(axis=0), adapted.std(axis=0)
    assert scale_of(adapted) == pytest.approx(1, rel=0.02)
    assert after.max() / after.min() == pytest.approx(
        (before.max() / before.min()) ** 0.75, rel=0.1
    )


def test_pictures_are_shown_once_before_any_is_shown_again() -> None:
    training = Training(rows(5), None, replace(QUICK, batch=2), device="cpu")
    shown = []
    for step in range(5):
        training._step = step
        shown += training._pictures().tolist()
    assert sorted(shown[:5]) == sorted(shown[5:]) == [0, 1, 2, 3, 4]


def test_a_share_is_held_out_by_the_seed_and_too_few_references_are_said() -> None:
    trained_on, held_out = split(40, QUICK)
    assert len(held_out) == 8
    assert sorted(trained_on + held_out) == list(range(40))
    assert split(40, QUICK) == (trained_on, held_out)
    assert split(40, replace(QUICK, seed=1)) != (trained_on, held_out)
    assert split(10, replace(QUICK, held_out=0.0)) == (list(range(10)), [])
    assert len(split(7, QUICK)[1]) == 2
    with pytest.raises(KnownError, match="at least 5 references to train on, and 2 that"):
        split(6, QUICK)


def test_a_model_remembers_what_it_was_trained_on() -> None:
    scoring = Scoring(method="simplenet", size=64, preset="fast", training=QUICK)
    names = tuple(f"{n:064x}" for n in range(8))
    model: SimplenetModel = train_model(gallery(8), names, scoring, set_name="drawn")
    facts = model.facts
    assert len(facts.trained_on) == 6
    assert set(facts.trained_on) | set(facts.held_out) == set(names)
    assert facts.is_of(names)
    assert not facts.is_of(names[1:])
    assert facts.scoring.model == facts.id
    assert len(facts.losses) == QUICK.epochs
