from dataclasses import replace

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.explain import explainer_of
from inspector_gui.core.features import FeatureList, Features, HalvedGallery, feature_shape
from inspector_gui.core.methods import make_method, scoring_for
from inspector_gui.core.methods.base import leave_one_out
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.scales import geometric_mean, halved, halved_inside, joined
from inspector_gui.core.types import KEEP, Inside, Scoring

PLAIN = Scoring(k=3, border_weight=False)
TWO = Scoring(k=3, border_weight=False, scales=2)


def _features(rng: np.random.Generator, inside: Inside | None = None) -> Features:
    fine, middle, coarse = (
        rng.random((s, s, c), dtype=np.float32) for s, c in ((16, 3), (8, 4), (4, 5))
    )
    return Features(rng.random(6, dtype=np.float32), (fine, middle, coarse), inside)


def _gallery(rng: np.random.Generator, count: int = 6) -> FeatureList:
    return FeatureList(tuple(_features(rng) for _ in range(count)))


def test_a_halved_level_is_the_mean_of_two_by_two_cells() -> None:
    levels = _features(np.random.default_rng(0)).levels
    for level, half in zip(levels, halved(levels), strict=True):
        height, width, channels = level.shape
        blocks = level.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))
        np.testing.assert_allclose(half, blocks, rtol=1e-6)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [(None, None), ((0, 0, 8, 8), (0, 0, 4, 4)), ((1, 2, 7, 5), (0, 1, 4, 3))],
)
def test_a_halved_cell_shows_a_picture_that_any_of_its_four_showed(
    inside: Inside | None, expected: Inside | None
) -> None:
    assert halved_inside(inside) == expected


def test_the_joined_map_is_the_geometric_mean_in_which_the_fine_one_counts_twice() -> None:
    fine = np.full((4, 4), 8.0, np.float32)
    coarse = np.full((2, 2), 27.0, np.float32)
    np.testing.assert_allclose(joined(fine, coarse), 12.0, rtol=1e-6)


def test_padding_of_the_coarse_map_does_not_leak_into_the_joined_one() -> None:
    rng = np.random.default_rng(1)
    fine, coarse = rng.random((8, 8), np.float32) + 1, rng.random((4, 4), np.float32) + 1
    fine[:2] = np.nan
    with_padding = coarse.copy()
    with_padding[0] = np.nan
    values = joined(fine, with_padding)
    assert np.isnan(values[:2]).all()
    assert np.isfinite(values[2:]).all()
    np.testing.assert_array_equal(values[4:], joined(fine, coarse)[4:])


def test_two_scales_score_as_both_maps_alone_would() -> None:
    rng = np.random.default_rng(2)
    gallery, part = _gallery(rng), _features(rng)
    fine = Spade(PLAIN).score(part, gallery).patches
    averaged = Features(part.pooled, halved(part.levels))
    coarse = Spade(PLAIN).score(averaged, HalvedGallery(gallery)).patches
    assert fine is not None
    assert coarse is not None
    both = Spade(TWO).score(part, gallery)
    assert both.patches is not None
    np.testing.assert_allclose(both.patches, joined(fine, coarse), rtol=1e-5)
    assert both.image != Spade(PLAIN).score(part, gallery).image


def test_a_reference_is_left_out_at_both_scales() -> None:
    rng = np.random.default_rng(3)
    gallery = _gallery(rng)
    own = leave_one_out(Spade(TWO), gallery, 2)
    others = FeatureList(tuple(item for n, item in enumerate(gallery.items) if n != 2))
    alone = Spade(TWO).score(gallery.items[2], others)
    assert own.image == pytest.approx(alone.image, rel=1e-6)
    assert own.image > 0


@pytest.mark.parametrize("border_weight", [False, True])
def test_padding_is_neither_scored_nor_compared_with_at_either_scale(
    border_weight: bool,
) -> None:
    rng = np.random.default_rng(4)
    insides = [(2, 0, 13, 16), (0, 3, 16, 12), (4, 4, 12, 13), (0, 0, 16, 16), (1, 0, 16, 9)]
    gallery = FeatureList(tuple(_features(rng, inside) for inside in insides))
    part = _features(rng, (2, 0, 13, 16))
    one_scale = Scoring(k=5, border_weight=border_weight, fit=KEEP)
    fine = Spade(one_scale).score(part, gallery).patches
    averaged = Features(part.pooled, halved(part.levels), (1, 0, 7, 8))
    halves = FeatureList(
        tuple(
            Features(item.pooled, halved(item.levels), inside)
            for item, inside in zip(
                gallery.items,
                [(1, 0, 7, 8), (0, 1, 8, 6), (2, 2, 6, 7), (0, 0, 8, 8), (0, 0, 8, 5)],
                strict=True,
            )
        )
    )
    coarse = Spade(one_scale).score(averaged, halves).patches
    assert fine is not None
    assert coarse is not None
    both = Spade(replace(one_scale, scales=2)).score(part, gallery).patches
    assert both is not None
    np.testing.assert_allclose(both, joined(fine, coarse), rtol=1e-5)
    assert np.isnan(both[:2]).all()
    assert np.isnan(both[13:]).all()
    assert np.isfinite(both[2:13]).all()


def test_an_explanation_says_what_each_scale_found() -> None:
    rng = np.random.default_rng(5)
    gallery, part = _gallery(rng), _features(rng)
    method = Spade(TWO)
    scores = method.score(part, gallery)
    explainer = explainer_of(method, part, gallery, scores.nearest, (5, 9))
    while (found := explainer.step()) is None:
        pass
    plain = Spade(PLAIN).score(part, gallery).patches
    assert plain is not None
    fine, coarse = found.scales
    assert fine.distance == pytest.approx(float(plain[5, 9]), rel=1e-5)
    assert coarse.place == (2, 4)
    averaged = Features(part.pooled, halved(part.levels))
    halves = Spade(PLAIN).score(averaged, HalvedGallery(gallery)).patches
    assert halves is not None
    expected = geometric_mean(plain[5:6, 9:10], halves[2:3, 4:5])
    assert found.distance == pytest.approx(float(expected[0, 0]), rel=1e-5)
    assert found.matches == fine.matches
    assert found.usual is not None
    assert found.usual.count == 3


def test_averaged_features_have_half_the_grid_and_their_own_key() -> None:
    plain, pooled = scoring_for("spade", size=256), scoring_for("spade", size=256, pool=2)
    assert feature_shape(pooled).levels == tuple(
        (h // 2, w // 2, c) for h, w, c in feature_shape(plain).levels
    )
    assert pooled.features_key != plain.features_key
    assert pooled.key != plain.key
    assert scoring_for("spade", size=256, scales=2).features_key == plain.features_key


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"pool": 3}, "--pool"),
        ({"scales": 0}, "--scales"),
        ({"pool": 2, "scales": 2, "size": 224}, "multiples of 64"),
        ({"pool": 2, "scales": 2, "size": 256, "height": 160}, "multiples of 64"),
    ],
)
def test_scales_that_cannot_be_are_refused(options: dict[str, object], word: str) -> None:
    with pytest.raises(KnownError, match=word):
        scoring_for("spade", preset="default", **options)


def test_other_methods_have_no_scales() -> None:
    with pytest.raises(KnownError, match="dn2 has no option --scales"):
        scoring_for("dn2", scales=2)


def test_the_default_recipe_is_spade_at_two_scales() -> None:
    scoring = scoring_for("default")
    assert (scoring.method, scoring.pool, scoring.scales) == ("spade", 2, 2)
    assert isinstance(make_method(scoring), Spade)
    assert scoring_for("default", preset="paper") == scoring_for("spade", preset="paper")
