from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import MAX_KAPPA, scoring_for
from inspector_gui.core.methods.base import Method, anomaly_map
from inspector_gui.core.methods.dn2 import Dn2, global_score
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.types import Floats, Scoring

from .galleries import gallery_of, map_by_brute_force, random_levels

SIDE = 32  # of the input; the finest grid is 8 x 8
SPADE = Scoring(method="spade", size=SIDE, k=50)
DN2 = Scoring(method="dn2", size=SIDE, k=2)


def part(pooled: list[float], seed: int = 99) -> Features:
    levels = random_levels(np.random.default_rng(seed))
    return Features(np.asarray(pooled, np.float32), levels)


def test_dn2_is_the_mean_squared_distance_to_the_k_nearest() -> None:
    gallery = gallery_of([[0, 0], [3, 4], [6, 8], [100, 100]])
    scores = Dn2(DN2).score(part([0, 1]), gallery)
    assert scores.image == scores.stage1 == pytest.approx((1 + (9 + 9)) / 2)
    assert scores.nearest == (0, 1)
    assert scores.patches is None
    three, rows = global_score(part([0, 1]), gallery, 3)
    assert three == pytest.approx((1 + 18 + (36 + 49)) / 3)
    assert rows == (0, 1, 2)


def test_dn2_does_not_normalise_features() -> None:
    gallery = gallery_of([[1, 0], [2, 0]])
    assert Dn2(replace(DN2, k=1)).score(part([4, 0]), gallery).image == pytest.approx(4)


def test_a_k_above_the_number_of_references_is_cut_to_it() -> None:
    gallery = gallery_of([[0, 0], [3, 4]])
    score, rows = global_score(part([0, 0]), gallery, 50)
    assert score == pytest.approx(12.5)
    assert len(rows) == 2


@pytest.mark.parametrize("method", [Dn2(DN2), Spade(SPADE)])
def test_without_a_reference_left_there_is_a_sentence(method: Method) -> None:
    gallery = gallery_of([[0, 0]])
    method.score(part([0, 0]), gallery)
    with pytest.raises(KnownError, match="no reference to compare with"):
        method.score(part([0, 0]), gallery, exclude=0)


def test_a_duplicate_reference_does_not_hide_an_outlier() -> None:
    """Leaving out by index, not "the nearest": an outlier's own row is what is left out."""
    gallery = gallery_of([[0, 0], [0, 0], [0.1, 0], [50, 0]])
    outlier = gallery.items[3]
    assert global_score(outlier, gallery, 1, exclude=3)[0] > 2000
    ordinary = global_score(gallery.items[0], gallery, 1, exclude=0)
    assert ordinary == (0.0, (1,))


def test_leaving_a_duplicate_out_is_not_leaving_both_out() -> None:
    gallery = gallery_of([[7, 0], [7, 0], [0, 0]])
    assert global_score(gallery.items[0], gallery, 2, exclude=0)[0] == pytest.approx(49 / 2)


def test_leave_one_out_of_spade_equals_a_gallery_without_the_row() -> None:
    gallery = gallery_of([[0, 0], [1, 0], [0, 2], [5, 5]])
    for row, own in enumerate(gallery.items):
        rest = FeatureList(gallery.items[:row] + gallery.items[row + 1 :])
        left_out = Spade(SPADE).score(own, gallery, exclude=row)
        without = Spade(SPADE).score(own, rest)
        assert left_out.image == without.image
        assert left_out.image > 0
        np.testing.assert_array_equal(_patches(left_out.patches), _patches(without.patches))


def test_spade_compares_places_with_the_k_nearest_references_only() -> None:
    gallery = gallery_of([[0, 0], [1, 0], [90, 0], [95, 0]])
    own = part([0, 1])
    scores = Spade(replace(SPADE, k=2)).score(own, gallery)
    assert scores.nearest == (0, 1)
    near = [gallery.levels(0), gallery.levels(1)]
    expected = map_by_brute_force(own.levels, near, kappa=1)
    np.testing.assert_allclose(_patches(scores.patches), expected, rtol=1e-5)
    assert scores.stage1 == pytest.approx((1 + 2) / 2)


def test_spade_takes_the_mean_of_kappa_gallery_features() -> None:
    gallery = gallery_of([[0, 0], [1, 0]])
    own = part([0, 1])
    scores = Spade(replace(SPADE, kappa=3)).score(own, gallery)
    references = [gallery.levels(0), gallery.levels(1)]
    expected = map_by_brute_force(own.levels, references, kappa=3)
    np.testing.assert_allclose(_patches(scores.patches), expected, rtol=1e-5)


def test_the_image_score_of_spade_is_the_maximum_of_the_smoothed_map() -> None:
    scores = Spade(SPADE).score(part([0, 1]), gallery_of([[0, 0], [1, 0]]))
    patches = _patches(scores.patches)
    assert scores.image == anomaly_map(patches, SPADE).max()
    assert scores.image < patches.max()


def test_stage_1_lets_a_part_at_its_limit_through_without_a_map_and_stops_one_above() -> None:
    gallery = gallery_of([[0, 0], [3, 4]])
    stage1 = 12.5
    gated = Spade(SPADE, stage1_limit=stage1).score(part([0, 0]), gallery)
    assert gated.patches is None
    assert gated.image == gated.stage1 == stage1
    assert gated.nearest == (0, 1)
    above = Spade(SPADE, stage1_limit=stage1 - 1e-6).score(part([0, 0]), gallery)
    assert above.patches is not None
    assert above.stage1 == stage1
    everything = Spade(SPADE).score(part([0, 0]), gallery)
    assert everything.image == above.image


@pytest.mark.parametrize("scoring", [DN2, SPADE])
def test_a_reference_that_is_added_counts_for_the_next_part(scoring: Scoring) -> None:
    method: Method = Dn2(replace(scoring, k=1)) if scoring is DN2 else Spade(scoring)
    own = part([9, 9])
    before = FeatureList(gallery_of([[0, 0], [1, 0]]).items)
    first = method.score(own, before)
    after = FeatureList((*before.items, own))
    second = method.score(own, after)
    assert first.image > 0
    assert second.image == 0
    assert method.score(own, before).image == first.image


def test_a_reference_that_comes_before_the_others_counts_for_the_next_part() -> None:
    """Rows are in canonical order: a new reference may come first and move all others."""
    before = gallery_of([[0, 0], [1, 0], [90, 0]])
    method = Spade(replace(SPADE, k=2))
    own = part([0.5, 0])
    assert method.score(own, before).image > 0
    assert method.score(own, FeatureList((own, *before.items))).image == 0


def test_a_gallery_at_the_address_of_an_earlier_one_is_not_taken_for_it() -> None:
    method = Spade(SPADE)
    own = part([0, 1])
    gallery = gallery_of([[0, 0], [1, 0]])
    method.score(own, gallery)
    address = id(gallery)
    items = gallery_of([[0, 0], [1, 0]], seed=1).items
    expected = map_by_brute_force(own.levels, [i.levels for i in items], kappa=1)
    del gallery
    others = []
    for _ in range(1000):
        gallery = FeatureList(items)
        others.append(gallery)
        if id(gallery) == address:
            break
    found = _patches(method.score(own, gallery).patches)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_constants_are_the_papers() -> None:
    assert (Scoring().k, Scoring().kappa, Scoring().sigma) == (50, 1, 4.0)
    assert Scoring().method == "spade"


def test_smoothing_is_a_gaussian_of_sigma_pixels_of_a_224_input() -> None:
    for side in (224, 448):
        scoring = Scoring(size=side, sigma=4.0)
        patches = np.zeros((side // 4, side // 4), np.float32)
        patches[side // 8, side // 8] = 1
        smooth = anomaly_map(patches, scoring).astype(float)
        assert smooth.shape == (side, side)
        y = np.arange(side)
        mean = (smooth.sum(axis=1) @ y) / smooth.sum()
        variance = (smooth.sum(axis=1) @ (y - mean) ** 2) / smooth.sum()
        # Bilinear upsampling by 4 adds the variance of a triangle of that half width.
        expected = (4.0 * side / 224) ** 2 + 4**2 / 6
        assert variance == pytest.approx(expected, rel=0.05)


def test_without_sigma_nothing_is_smoothed() -> None:
    patches = np.zeros((8, 8), np.float32)
    patches[4, 4] = 1
    sharp = anomaly_map(patches, replace(SPADE, sigma=0))
    assert np.count_nonzero(sharp) == 8 * 8  # a linear interpolation reaches its neighbours only
    assert np.count_nonzero(anomaly_map(patches, SPADE)) > 8 * 8


def test_an_even_map_stays_even_up_to_its_borders() -> None:
    even = anomaly_map(np.full((8, 8), 3, np.float32), SPADE)
    np.testing.assert_allclose(even, 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("kappa", MAX_KAPPA + 1, "--kappa is at most 100"),
        ("kappa", 0, "at least 1"),
        ("precision", "f8", "no precision 'f8'"),
        ("runtime", "abacus", "no runtime 'abacus'"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused_before_any_work(
    name: str, value: Any, words: str
) -> None:
    with pytest.raises(KnownError, match=words):
        scoring_for("spade", **{name: value})


def test_the_largest_kappa_is_a_recipe() -> None:
    assert scoring_for("spade", kappa=MAX_KAPPA).kappa == MAX_KAPPA


def _patches(patches: Floats | None) -> Floats:
    assert patches is not None
    return patches


@pytest.mark.parametrize(
    ("backbone", "dimension"),
    [("wide_resnet50_2", 1536), ("resnet18", 1536), ("efficientnet_lite0", 0)],
)
def test_a_preset_keeps_channels_as_they_are_where_pooling_would_only_repeat_them(
    backbone: str, dimension: int
) -> None:
    for preset in ("paper", "official"):
        scoring = scoring_for("simplenet", preset=preset, backbone=backbone)
        assert scoring.training is not None
        assert scoring.training.dimension == dimension
