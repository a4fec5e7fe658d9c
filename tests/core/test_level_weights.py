"""Levels and weights of SPADE's distance, against brute force over the features they leave."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core.errors import KnownError
from inspector_gui.core.explain import explainer_of
from inspector_gui.core.explanation import Explanation
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.level_weights import level_weights
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.methods.base import leave_one_out
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.types import RAW, SCALED, Floats, Scoring

from .galleries import Levels, random_levels

KEY_BEFORE = "78de53443759fdb1"
SUBSETS = ("1", "2", "3", "1,2", "1,3", "2,3", "1,2,3")


def gallery_of(rng: np.random.Generator, count: int, **shape: object) -> FeatureList:
    levels = [random_levels(rng, **shape) for _ in range(count)]  # type: ignore[arg-type]
    return FeatureList(tuple(Features(np.zeros(2, np.float32), own) for own in levels))


def scoring_of(levels: str, *, weights: str = RAW, kappa: int = 1) -> Scoring:
    return scoring_for("spade", levels=levels, weights=weights, kappa=kappa, size=32)


def on_the_finest_chosen(levels: Levels, chosen: str, factors: tuple[float, ...]) -> Floats:
    """The features of the finest chosen level's cells, coarser ones repeated: rows x channels."""
    numbers = [int(number) - 1 for number in chosen.split(",")]
    side = levels[numbers[0]].shape[0]
    grown = [
        np.kron(levels[n].astype(float), np.ones((side // levels[n].shape[0],) * 2 + (1,)))
        * factors[n]
        for n in numbers
    ]
    joined = np.concatenate(grown, axis=2)
    return np.asarray(joined.reshape(side * side, -1))


def by_brute_force(
    own: Levels, gallery: FeatureList, chosen: str, kappa: int, factors: tuple[float, ...]
) -> Floats:
    places = on_the_finest_chosen(own, chosen, factors)
    others = np.concatenate(
        [on_the_finest_chosen(item.levels, chosen, factors) for item in gallery.items]
    )
    distances = ((places[:, None] - others[None]) ** 2).sum(axis=2)
    side = int(len(places) ** 0.5)
    means = np.sort(distances, axis=1)[:, :kappa].mean(axis=1).reshape(side, side)
    factor = own[0].shape[0] // side
    return np.asarray(means.repeat(factor, 0).repeat(factor, 1))


@given(st.integers(0, 2**32 - 1), st.sampled_from(SUBSETS), st.sampled_from([1, 3]))
@settings(deadline=None, max_examples=40)
def test_any_levels_alone_and_together_equal_brute_force_over_their_own_features(
    seed: int, chosen: str, kappa: int
) -> None:
    rng = np.random.default_rng(seed)
    gallery = gallery_of(rng, 3)
    own = Features(np.zeros(2, np.float32), random_levels(rng))
    scores = Spade(scoring_of(chosen, kappa=kappa)).score(own, gallery)
    expected = by_brute_force(own.levels, gallery, chosen, kappa, (1, 1, 1))
    assert scores.patches is not None
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-5)


@pytest.mark.parametrize("chosen", SUBSETS)
def test_scaled_levels_vary_alike_and_as_much_in_all_as_before(chosen: str) -> None:
    rng = np.random.default_rng(1)
    gallery = gallery_of(rng, 5, scales=(0.1, 1, 20), offset=3)
    weights = level_weights(scoring_of(chosen, weights=SCALED), gallery)
    varied, before = [], []
    for number in range(3):
        values = np.concatenate(
            [item.levels[number].reshape(-1, 3 + number) for item in gallery.items]
        ).astype(float)
        varied.append(values.var(axis=0).sum() * weights.factors[number] ** 2)
        before.append(values.var(axis=0).sum())
    numbers = [int(number) - 1 for number in chosen.split(",")]
    kept = [varied[n] for n in numbers]
    np.testing.assert_allclose(kept, np.mean([before[n] for n in numbers]), rtol=1e-6)
    assert all(varied[n] == 0 for n in range(3) if n not in numbers)


def test_scores_under_scaled_levels_equal_brute_force_over_scaled_features() -> None:
    rng = np.random.default_rng(2)
    gallery = gallery_of(rng, 4, scales=(0.1, 1, 20))
    scoring = scoring_of("1,3", weights=SCALED, kappa=2)
    own = Features(np.zeros(2, np.float32), random_levels(rng, scales=(0.1, 1, 20)))
    scores = Spade(scoring).score(own, gallery)
    factors = level_weights(scoring, gallery).factors
    expected = by_brute_force(own.levels, gallery, "1,3", 2, factors)
    assert scores.patches is not None
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-5)


def test_a_level_that_is_always_the_same_is_no_trouble_to_scale() -> None:
    rng = np.random.default_rng(3)
    flat = gallery_of(rng, 3).items
    gallery = FeatureList(
        tuple(
            replace(item, levels=(item.levels[0], item.levels[1], np.full((2, 2, 5), 7e3, "f4")))
            for item in flat
        )
    )
    weights = level_weights(scoring_of("1,2,3", weights=SCALED), gallery)
    assert weights.factors[2] == 1
    assert np.isfinite(weights.factors).all()


def test_a_reference_is_left_out_of_scaled_levels_as_of_raw_ones() -> None:
    gallery = gallery_of(np.random.default_rng(4), 4)
    scoring = scoring_of("2,3", weights=SCALED)
    scores = leave_one_out(Spade(scoring), gallery, 1)
    assert scores.patches is not None
    assert (scores.patches > 0).all()


@pytest.mark.parametrize(("chosen", "weights"), [("1,2,3", SCALED), ("2,3", RAW), ("3", SCALED)])
def test_why_a_place_is_flagged_is_told_in_the_distance_of_the_map(
    chosen: str, weights: str
) -> None:
    rng = np.random.default_rng(5)
    gallery = gallery_of(rng, 4, scales=(0.1, 1, 5))
    scoring = scoring_of(chosen, weights=weights, kappa=2)
    own = Features(np.zeros(2, np.float32), random_levels(rng))
    scores = Spade(scoring).score(own, gallery)
    assert scores.patches is not None
    explainer = explainer_of(Spade(scoring), own, gallery, scores.nearest, (5, 2))
    found: Explanation | None = None
    while found is None:
        found = explainer.step()
    assert found.distance == pytest.approx(float(scores.patches[5, 2]), rel=1e-5)


@pytest.mark.parametrize("levels", ["", "0", "4", "1,5", "fine", "1;2"])
def test_levels_that_do_not_exist_are_refused_in_words(levels: str) -> None:
    with pytest.raises(KnownError, match="--levels names levels of the pyramid, 1"):
        scoring_of(levels)


def test_weights_that_do_not_exist_are_refused_in_words() -> None:
    with pytest.raises(KnownError, match="no weights 'equal' of levels; choose raw or scaled"):
        scoring_of("1", weights="equal")


def test_dn2_has_no_levels() -> None:
    with pytest.raises(KnownError, match="dn2 has no option --levels"):
        scoring_for("dn2", levels="1")


def test_levels_change_the_key_of_scores_and_not_that_of_features() -> None:
    plain = scoring_for("spade")
    others = [scoring_for("spade", levels="3,1"), scoring_for("spade", weights=SCALED)]
    assert others[0].levels == "1,3"
    assert scoring_for("spade", levels="1, 3") == others[0]
    assert len({scoring.key for scoring in (plain, *others)}) == 3
    assert {scoring.features_key for scoring in others} == {plain.features_key}
    assert scoring_for("spade", levels="3,2,1", weights=RAW).key == plain.key


def test_keys_of_recipes_from_before_are_still_the_same() -> None:
    """As the program computed it before there were levels to choose."""
    assert Scoring().key == KEY_BEFORE
