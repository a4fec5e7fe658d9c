from dataclasses import replace

import numpy as np
import pytest
import torch

from inspector_gui.core.backbones import BACKBONES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.simplenet.fitting import train_model
from inspector_gui.core.simplenet.head import Head, HeadOnLevels
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters, hyperparameters_for
from inspector_gui.core.simplenet.model import DamagedModelError, SimplenetModel
from inspector_gui.core.simplenet.networks import PatchFeatures
from inspector_gui.core.simplenet.networks import Simplenet as Network
from inspector_gui.core.simplenet.stacked import SimplenetStack
from inspector_gui.core.types import KEEP, Floats, Scoring
from tests.core.simplenet.levels import CHANNELS, features, gallery, pyramid

QUICK = {"epochs": 2, "steps": 4, "hidden": 24, "batch": 3, "patches": 20}
NAMES = tuple(f"{n:064x}" for n in range(8))


def model(**changes: object) -> SimplenetModel:
    chosen = hyperparameters_for("fast", QUICK | changes)
    scoring = Scoring(method="simplenet", size=64, preset="fast", training=chosen)
    return train_model(gallery(8), NAMES, scoring)


def by_parts(of: SimplenetModel, levels: tuple[Floats, Floats, Floats]) -> Floats:
    """Return patch scores by pooling, adaptor and discriminator one after the other."""
    chosen = of.facts.scoring.training
    assert isinstance(chosen, Hyperparameters)
    head = Head.of(of)
    net = Network(head.pooling.dimension, chosen)
    net.load(of.weights)
    with torch.inference_mode():
        given = tuple(torch.from_numpy(level.transpose(2, 0, 1))[None] for level in levels)
        grid = PatchFeatures(head.pooling)(given)[0]
        scores = -net.eval()(grid.reshape(len(grid), -1).T)
    return np.asarray(scores.reshape(grid.shape[1:]).numpy(), np.float32)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dimension": 300, "adaptor_start": "random", "adaptor_rate": 1e-3, "adaptor_bias": True},
        {"adaptor": "mlp", "adaptor_rate": 1e-3, "adaptor_bias": True},
        {"adaptor": "none", "levels": "1,2,3", "neighbourhood": 5},
        {"levels": "3", "neighbourhood": 1},
    ],
)
def test_the_folded_head_scores_as_its_parts_do_on_both_runtimes(
    changes: dict[str, object],
) -> None:
    made = model(**changes)
    levels = pyramid(77)
    wanted = by_parts(made, levels)
    head = Head.of(made)
    on_openvino = HeadOnLevels(head, [level.shape for level in levels]).run(levels)
    assert np.abs(on_openvino - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())
    stacked = SimplenetStack(head).on_torch(torch.nn.Identity())
    given = [torch.from_numpy(level.transpose(2, 0, 1).copy())[None] for level in levels]
    with torch.inference_mode():
        on_torch = stacked.scores(given)[0, 0].numpy()
    assert np.abs(on_torch - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


def test_the_image_score_is_the_largest_raw_patch_score_whatever_is_smoothed() -> None:
    method = Simplenet(Scoring(method="simplenet", size=64))
    method.use(model())
    levels = pyramid(5, oddity=9)
    scores = method.score(features(5, oddity=9), gallery(8))
    assert scores.patches is not None
    assert scores.image == scores.patches.max()
    assert scores.image == pytest.approx(by_parts(method.model, levels).max(), rel=1e-4)
    assert len(scores.nearest) == 8 or len(scores.nearest) == method.scoring.k


def test_an_odd_place_scores_above_every_good_one() -> None:
    method = Simplenet(Scoring(method="simplenet", size=64))
    method.use(model(epochs=20, steps=20, noise=2.0, rate=5e-3))
    goods = [method.score(features(seed), gallery(8)).image for seed in range(20, 30)]
    assert method.score(features(31, oddity=4), gallery(8)).image > max(goods)


def test_padding_has_no_score() -> None:
    method = Simplenet(Scoring(method="simplenet", size=64, fit=KEEP))
    trained = model()
    method.use(
        SimplenetModel.of(
            trained.weights,
            replace(trained.facts, scoring=replace(trained.facts.scoring, fit=KEEP)),
        )
    )
    padded = replace(features(3), inside=(4, 0, 12, 16))
    patches = method.score(padded, gallery(8)).patches
    assert patches is not None
    assert np.isnan(patches[:2]).all()
    assert np.isnan(patches[6:]).all()
    assert np.isfinite(patches[2:6]).all()


def test_without_a_model_it_says_what_to_do() -> None:
    with pytest.raises(KnownError, match="train one"):
        Simplenet(Scoring(method="simplenet", size=64)).score(features(0), gallery(8))


def test_a_model_of_another_network_or_input_is_refused() -> None:
    made = model()
    for other, words in (
        ({"backbone": "resnet18"}, "efficientnet_lite0"),
        ({"size": 96}, "64 x 64"),
    ):
        with pytest.raises(KnownError, match=words):
            Simplenet(replace(Scoring(method="simplenet", size=64), **other)).use(made)


def test_weights_of_other_hyperparameters_are_refused() -> None:
    made = model()
    without = {n: v for n, v in made.weights.items() if not n.startswith("discriminator.1")}
    with pytest.raises(DamagedModelError, match="not those of its hyperparameters"):
        Head.of(SimplenetModel(without, made.facts))
    wide = replace(made.facts.scoring, backbone="efficientnet_lite2")
    with pytest.raises(DamagedModelError, match="152 values, not of 168"):
        Head.of(SimplenetModel(made.weights, replace(made.facts, scoring=wide)))


@pytest.fixture(scope="module")
def trained_extractors(tmp_path_factory: pytest.TempPathFactory):
    """Return a method, and extractors without and with its head, per runtime."""
    from inspector_gui import paths

    made = model()

    def load(runtime: str, *, stack: bool) -> Extractor:
        scoring = Scoring(method="simplenet", size=64, runtime=runtime)
        return Extractor(
            scoring,
            weights_folder=paths.weights_folder(),
            cache=paths.networks_folder(),
            stack=SimplenetStack(Head.of(made)) if stack else None,
        )

    method = Simplenet(Scoring(method="simplenet", size=64))
    method.use(made)
    return method, load


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_the_stacked_network_scores_pictures_as_extractor_and_head_do(
    trained_extractors, runtime: str
) -> None:
    from tests.drawn import picture

    method, load = trained_extractors
    plain, stacked = load(runtime, stack=False), load(runtime, stack=True)
    for seed in (1, 2):
        apart: Features = plain.extract(picture(seed))
        whole: Features = stacked.extract(picture(seed))
        assert whole.patches is not None
        assert not whole.levels[0].size
        assert np.abs(whole.pooled - apart.pooled).max() < 1e-4 * np.abs(apart.pooled).max()
        one, other = (method.score(f, gallery(8)) for f in (apart, whole))
        assert one.patches is not None
        assert other.patches is not None
        scale = max(1.0, float(np.abs(one.patches).max()))
        assert np.abs(one.patches - other.patches).max() < 1e-4 * scale


def test_lite_backbones_are_those_these_tests_are_made_for() -> None:
    assert BACKBONES["efficientnet_lite0"].channels == CHANNELS
