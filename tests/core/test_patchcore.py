from typing import Any

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import make_method, scoring_for
from inspector_gui.core.methods.base import Method, anomaly_map, fit, leave_one_out
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.methods.patchcore import NEIGHBOURHOOD, Patchcore
from inspector_gui.core.patches import patch_features
from inspector_gui.core.types import Scoring

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
