from typing import Any

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import make_method, scoring_for
from inspector_gui.core.methods.base import Method, anomaly_map, fit, leave_one_out
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.methods.patchcore import NEIGHBOURHOOD, Patchcore
from inspector_gui.core.patches import patch_area, patch_features
from inspector_gui.core.types import Floats, Inside, Scoring

from .galleries import gallery_of, random_levels

SCORING = Scoring(method="patchcore", size=32, k=2, coreset=0.4)
EACH = 16


def gallery(count: int = 6) -> FeatureList:
    return gallery_of([[n, n] for n in range(count)])


def part(seed: int = 99) -> Features:
    return Features(np.ones(2, np.float32), random_levels(np.random.default_rng(seed)))


def test_the_score_is_the_largest_distance_to_the_bank_and_the_map_has_them_all() -> None:
    method = Patchcore(SCORING)
    scores = method.score(part(), gallery_ := gallery())
    bank = method.fit(gallery_)
    patches = patch_features(part().levels).reshape(EACH, -1).astype(np.float64)
    true = ((patches[:, None] - bank.vectors) ** 2).sum(axis=2).min(axis=1)
    assert scores.patches is not None
    assert np.allclose(scores.patches.ravel(), true, rtol=1e-6)
    assert scores.image == scores.patches.max()
    assert anomaly_map(scores.patches, SCORING).shape == (32, 32)
    assert (scores.stage1, scores.nearest) == global_score(part(), gallery_, 2)


def test_with_all_patches_a_reference_is_at_no_distance_but_from_the_others() -> None:
    method = Patchcore(scoring_for("patchcore", size=32, coreset=1.0))
    references = gallery()
    same = Features(references.pooled[2], references.levels(2))
    assert method.score(same, references).image == 0
    alone = leave_one_out(method, references, 2)
    others = FeatureList(references.items[:2] + references.items[3:])
    assert alone.image == method.score(same, others).image > 0


INSIDES: list[Inside | None] = [(0, 0, 16, 9), (0, 0, 5, 16), None, (0, 8, 16, 13)]


def padded_part(seed: int, inside: Inside | None) -> Features:
    levels = random_levels(np.random.default_rng(seed), side=4)
    return Features(np.ones(2, np.float32), levels, inside)


def padded_gallery() -> FeatureList:
    return FeatureList(tuple(padded_part(n, inside) for n, inside in enumerate(INSIDES)))


def of_picture(features: Features) -> Floats:
    """Return the patches of a picture as if nothing else were on the input."""
    top, left, bottom, right = features.inside or (0, 0, 16, 16)
    fine, middle, coarse = (
        level[top // f : -(-bottom // f), left // f : -(-right // f)]
        for level, f in zip(features.levels, (1, 2, 4), strict=True)
    )
    fine = np.zeros((4 * len(coarse), 4 * coarse.shape[1], 1), np.float32)
    grown = np.zeros((2 * len(coarse), 2 * coarse.shape[1], middle.shape[2]), np.float32)
    grown[: len(middle), : middle.shape[1]] = middle  # zeros beyond the picture, as at any border
    patches = patch_features((fine, grown, coarse))
    return patches[: len(middle), : middle.shape[1]]


@pytest.mark.parametrize("inside", [(0, 0, 16, 16), (0, 0, 7, 9), (8, 0, 16, 3), (0, 8, 2, 16)])
def test_the_patches_of_a_padded_picture_are_those_it_has_alone(inside: Inside) -> None:
    features = padded_part(5, inside)
    found = patch_features(features.levels, inside)
    top, left, bottom, right = patch_area(features.levels, inside)
    assert found.shape == (bottom - top, right - left, 9)
    np.testing.assert_allclose(found, of_picture(features), atol=1e-6)


def test_padding_is_never_in_the_bank_and_never_scored() -> None:
    references = padded_gallery()
    everything = Patchcore(scoring_for("patchcore", size=64, coreset=1.0))
    bank = everything.bank(references).patches
    wanted = np.concatenate([of_picture(f).reshape(-1, 9) for f in references.items])
    assert len(bank) == len(wanted)
    np.testing.assert_allclose(bank.vectors, wanted, atol=1e-6)
    for vector in range(len(bank)):
        index, place = bank.origin(vector)
        top, left, *_ = patch_area(references.levels(index), INSIDES[index])
        own = patch_features(references.levels(index), INSIDES[index])
        assert np.array_equal(own[place[0] - top, place[1] - left], bank.vectors[vector])

    part = padded_part(9, (8, 0, 16, 10))
    scores = everything.score(part, references)
    assert scores.patches is not None
    known = np.zeros((8, 8), np.bool_)
    known[4:8, 0:5] = True
    np.testing.assert_array_equal(~np.isnan(scores.patches), known)
    difference = of_picture(part).reshape(-1, 1, 9).astype(np.float64) - bank.vectors
    true = (difference**2).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(scores.patches[known], true, rtol=1e-6)
    assert scores.image == scores.patches[known].max()


def test_a_padded_reference_is_left_out_with_its_patches_alone() -> None:
    references = padded_gallery()
    method = Patchcore(scoring_for("patchcore", size=64, coreset=1.0))
    for row in range(len(references)):
        others = FeatureList(references.items[:row] + references.items[row + 1 :])
        alone = leave_one_out(method, references, row).image
        assert alone == method.score(references.items[row], others).image > 0


def test_the_weight_is_that_of_equation_7() -> None:
    plain = Patchcore(SCORING)
    method = Patchcore(scoring_for("patchcore", size=32, coreset=0.4, reweight=True))
    references = gallery()
    bank = method.fit(references)
    weighted, without = method.score(part(), references), plain.score(part(), references)
    patches = patch_features(part().levels).reshape(EACH, -1)
    distances, matched = bank.nearest(patches)
    worst = patches[distances.argmax()]
    centre = bank.vectors[matched[distances.argmax()]]
    around = np.argsort(((bank.vectors - centre) ** 2).sum(axis=1))[:9]
    exponents = np.exp(np.linalg.norm(bank.vectors[around].astype(float) - worst, axis=1))
    s = np.sqrt(without.image)
    assert weighted.image == pytest.approx((s * (1 - np.exp(s) / exponents.sum())) ** 2, rel=1e-5)
    assert 0 < weighted.image < without.image
    assert np.array_equal(weighted.patches, without.patches)  # type: ignore[arg-type]


def test_the_bank_is_that_of_the_gallery_asked_for() -> None:
    method = Patchcore(SCORING)
    first, second = gallery(), gallery(4)
    before = method.score(part(), first).image
    method.score(part(), second)
    assert method.is_fitted(second)
    assert not method.is_fitted(first)
    assert method.score(part(), first).image == before


def test_a_bank_in_another_order_masks_the_same_reference() -> None:
    from inspector_gui.core.patch_bank import choose_patches

    references, order = gallery(), np.array([3, 0, 5, 1, 4, 2])
    share = 1.0
    method = Patchcore(scoring_for("patchcore", size=32, coreset=share))
    usual = [leave_one_out(method, references, row).image for row in range(6)]
    method.use(references, choose_patches(references, share, order=order.tolist()), order)
    assert [leave_one_out(method, references, row).image for row in range(6)] == usual
    with pytest.raises(ValueError, match="for 4 references"):
        method.use(gallery(4), choose_patches(references, share), order)


def test_only_a_method_that_has_to_is_fitted() -> None:
    told: list[Any] = []
    for name in ("dn2", "spade", "patchcore"):
        method: Method = make_method(scoring_for(name, size=32))
        fit(method, gallery(), report=told.append)
        assert bool(told) == (name == "patchcore")


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_constants_are_those_of_the_paper(preset: str) -> None:
    scoring = scoring_for("patchcore", preset=preset)
    assert (scoring.coreset, scoring.sigma, NEIGHBOURHOOD) == (0.1, 4.0, 9)
    assert scoring.reweight == (preset == "paper")


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(KnownError, match="--coreset is a share"):
        scoring_for("patchcore", coreset=share)


@pytest.mark.parametrize(
    ("method", "option"),
    [
        ("spade", {"coreset": 0.1}),
        ("dn2", {"reweight": False}),
        ("patchcore", {"kappa": 2}),
        ("patchcore", {"k": 3}),
    ],
)
def test_an_option_that_a_method_lacks_is_refused(method: str, option: dict[str, Any]) -> None:
    with pytest.raises(KnownError, match=f"{method} has no option --{next(iter(option))}"):
        scoring_for(method, **option)


def test_only_a_changed_share_or_weight_changes_the_key() -> None:
    plain = Scoring(method="patchcore")
    assert plain.key == Scoring(method="patchcore", coreset=0.1, reweight=False).key
    keys = {plain.key, Scoring(method="patchcore", coreset=0.2).key}
    assert len(keys | {Scoring(method="patchcore", reweight=True).key}) == 3
    assert Scoring().key == "78de53443759fdb1"  # as in workspaces that were written before
