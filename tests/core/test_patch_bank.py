from dataclasses import replace

import numpy as np
import pytest

from inspector_gui.core import patch_bank
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.opencv import cv2
from inspector_gui.core.patch_bank import PatchBank, choose_patches
from inspector_gui.core.patches import patch_features
from inspector_gui.core.types import Floats, Progress

from .galleries import gallery_of, random_levels

REFERENCES = 6
EACH = 16  # places of the stride-8 grid


def gallery(*, seed: int = 0) -> FeatureList:
    return gallery_of([[n, n] for n in range(REFERENCES)], seed=seed)


def all_patches(references: FeatureList) -> Floats:
    return np.concatenate([patch_features(f.levels).reshape(EACH, -1) for f in references.items])


def queries() -> Floats:
    patches = patch_features(random_levels(np.random.default_rng(99)))
    return np.asarray(patches.reshape(EACH, -1), np.float32)


def test_patches_are_averages_of_both_levels_side_by_side() -> None:
    levels = random_levels(np.random.default_rng(3), side=5)
    patches = patch_features(levels)
    assert patches.shape == (10, 10, 9)
    border = cv2.BORDER_CONSTANT
    for channel in range(4):
        middle = cv2.blur(levels[1][..., channel].copy(), (3, 3), borderType=border)
        assert np.allclose(patches[..., channel], middle, atol=1e-6)
    for channel in range(5):
        coarse = cv2.blur(levels[2][..., channel].copy(), (3, 3), borderType=border)
        grown = cv2.resize(coarse, (10, 10), interpolation=cv2.INTER_LINEAR)
        assert np.allclose(patches[..., 4 + channel], grown, atol=1e-6)


def test_a_coarse_grid_that_does_not_halve_the_finer_one_is_resized_too() -> None:
    fine, middle, coarse = random_levels(np.random.default_rng(3), side=3)
    patches = patch_features((fine, middle[:5, :4], coarse[:3, :2]))
    assert patches.shape == (5, 4, 9)
    assert np.isfinite(patches).all()


def test_a_bank_has_its_share_of_the_patches_in_the_order_of_their_references() -> None:
    references = gallery()
    told: list[Progress] = []
    bank = choose_patches(references, 0.25, report=told.append)
    assert len(bank) == round(0.25 * REFERENCES * EACH) == bank.starts[-1]
    assert np.array_equal(bank.vectors, all_patches(references)[bank.places])
    assert told[-1] == Progress("patches chosen", 24, 24)
    assert all(p.done <= p.total for p in told)


@pytest.mark.parametrize("skip", [None, 0, 2, REFERENCES - 1])
def test_the_nearest_patch_is_that_of_brute_force(
    skip: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch_bank, "_BLOCK", 5)
    bank = choose_patches(gallery(), 0.5)
    distances, nearest = bank.nearest(queries(), skip=skip)
    difference = queries().astype(np.float64)[:, None] - bank.vectors
    true = (difference**2).sum(axis=2)
    if skip is not None:
        true[:, bank.places // EACH == skip] = np.inf
    assert nearest.tolist() == true.argmin(axis=1).tolist()
    assert distances.tolist() == true.min(axis=1).astype(np.float32).tolist()


def test_a_patch_of_the_bank_is_at_no_distance_from_itself() -> None:
    bank = choose_patches(gallery(), 0.3)
    far = replace(bank, vectors=bank.vectors + np.float32(1000))  # where products round badly
    distances, nearest = far.nearest(far.vectors)
    assert not distances.any()
    assert nearest.tolist() == list(range(len(far)))


def test_neighbours_are_the_nearest_vectors_of_other_references() -> None:
    bank = choose_patches(gallery(), 0.5)
    true = ((bank.vectors.astype(np.float64) - bank.vectors[7]) ** 2).sum(axis=1)
    assert set(bank.neighbours(7, 9).tolist()) == set(np.argsort(true)[:9].tolist())
    skip = int(bank.places[0] // EACH)
    assert not np.isin(bank.places[bank.neighbours(20, 9, skip=skip)] // EACH, skip).any()


def test_a_search_that_is_stopped_says_that_nothing_was_found() -> None:
    bank = choose_patches(gallery(), 0.5)
    distances, nearest = bank.nearest(queries(), should_stop=lambda: True)
    assert np.isinf(distances).all()
    assert (nearest == -1).all()


def test_without_another_reference_there_is_a_sentence() -> None:
    alone = FeatureList(gallery().items[:1])
    bank: PatchBank = choose_patches(alone, 0.5)
    with pytest.raises(KnownError, match="no reference to compare with"):
        bank.nearest(queries(), skip=0)
    with pytest.raises(KnownError, match="no reference to compare with"):
        choose_patches(alone, 0.5, order=[])


def test_features_that_are_no_numbers_are_refused() -> None:
    good = gallery().items
    levels = random_levels(np.random.default_rng(0))
    levels[1][0, 0, 0] = np.nan
    broken = FeatureList((*good, Features(good[0].pooled, levels)))
    with pytest.raises(KnownError, match="are no numbers"):
        choose_patches(broken, 0.5)


def test_choosing_is_stopped_on_request() -> None:
    with pytest.raises(Cancelled):
        choose_patches(gallery(), 0.5, should_stop=lambda: True)
