import numpy as np
import pytest
import torch

from inspector_gui.core.errors import KnownError
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.simplenet.hyperparameters import (
    NAMES,
    PRESETS,
    RANGES,
    hyperparameters_for,
    parsed,
)
from inspector_gui.core.simplenet.patch_rows import PatchRows
from inspector_gui.core.simplenet.training import Training


@pytest.mark.parametrize(("text", "kept"), [("3,2", "2,3"), ("2, 3", "2,3"), ("1,1", "1")])
def test_levels_are_the_same_in_whichever_order_they_are_named(text: str, kept: str) -> None:
    assert hyperparameters_for("fast", {"levels": text}).levels == kept


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("levels", "", "^levels names levels"),
        ("levels", "4", "^levels names levels"),
        ("epochs", "0", "epochs is from 1 to 10000, not 0"),
        ("epochs", "1e3", "a whole number"),
        ("epochs", "9" * 400, "epochs is from 1 to 10000"),
        ("noise", "nan", "noise is from"),
        ("noise", "inf", "noise is from"),
        ("patches", "1", "patches is at least 2"),
        ("neighbourhood", "2", "odd number"),
        ("adaptor", "cubic", "linear or mlp or none"),
        ("xavier", "maybe", "true or false"),
        ("epoch", "3", "no value 'epoch'; there are: levels, "),
        ("preset", "paper", "no value 'preset'"),
    ],
)
def test_a_value_that_no_training_can_have_is_said(name: str, text: str, told: str) -> None:
    with pytest.raises(KnownError, match=told):
        hyperparameters_for("fast", {name: parsed(name, text)})


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_range_that_the_presets_are_in(preset: str) -> None:
    chosen = hyperparameters_for(preset)
    numbers = {n for n in NAMES if type(getattr(chosen, n)) in (int, float)}
    assert numbers == set(RANGES)
    assert chosen == PRESETS[preset]


def test_the_presets_of_paper_and_authors_are_theirs() -> None:
    paper, official = (scoring_for("simplenet", preset=name) for name in ("paper", "official"))
    assert (paper.backbone, paper.size, paper.crop) == ("wide_resnet50_2", 256, 224)
    assert (official.backbone, official.size, official.crop) == ("wide_resnet50_2", 329, 288)
    of_paper, of_authors = paper.training, official.training
    assert of_paper is not None
    assert of_authors is not None
    for chosen in (of_paper, of_authors):
        assert (chosen.levels, chosen.neighbourhood, chosen.dimension) == ("2,3", 3, 1536)
        assert (chosen.noise_rule, chosen.noise) == ("absolute", 0.015)
        assert (chosen.loss, chosen.th_plus, chosen.th_minus) == ("l1", 0.5, 0.5)
        assert (chosen.adaptor, chosen.adaptor_start, chosen.hidden) == ("linear", "random", 1024)
        assert (chosen.optimiser, chosen.rate, chosen.decay) == ("adam", 2e-4, 1e-5)
        assert (chosen.schedule, chosen.patches, chosen.steps) == ("constant", 0, 0)
        assert (chosen.epochs, chosen.adaptor_rate, chosen.xavier) == (160, 1e-4, True)
    assert (of_paper.adaptor_optimiser, of_paper.adaptor_decay) == ("adam", 1e-5)
    assert (of_authors.adaptor_optimiser, of_authors.adaptor_decay) == ("adamw", 0.01)
    assert (of_paper.batch, of_paper.adaptor_bias, of_paper.joint_norm) == (4, False, False)
    assert (of_authors.batch, of_authors.adaptor_bias, of_authors.joint_norm) == (8, True, True)


@pytest.mark.parametrize(
    ("preset", "adaptor"),
    [("paper", (torch.optim.Adam, 1e-5)), ("official", (torch.optim.AdamW, 0.01)), ("fast", None)],
)
def test_adaptor_and_discriminator_have_optimisers_of_their_own(
    preset: str, adaptor: tuple[type, float] | None
) -> None:
    chosen = hyperparameters_for(preset)
    values = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
    rows = PatchRows(values, np.array([0, 12, 24]))
    training = Training(rows, None, chosen, device="cpu")
    found = [
        (type(one), one.param_groups[0]["weight_decay"], one.param_groups[0]["lr"])
        for one in training._optimisers
    ]
    wanted = [] if adaptor is None else [(*adaptor, chosen.adaptor_rate)]
    assert found == [*wanted, (torch.optim.Adam, 1e-5, chosen.rate)]
    assert all(p.requires_grad is (adaptor is not None) for p in training._net.adaptor.parameters())
