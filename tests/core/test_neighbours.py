from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inspector_gui.core.neighbours import (
    nearest,
    nearest_places,
    pyramid_gallery,
    squared_distances,
)
from inspector_gui.core.types import Floats

from .galleries import Levels, concatenated, map_by_brute_force, random_levels

SEEDS = st.integers(0, 2**32 - 1)
# Small whole numbers make ties and duplicates common, and every sum exact.
WHOLE_VECTORS = st.tuples(st.integers(1, 24), st.integers(1, 6)).flatmap(
    lambda shape: arrays.arrays(np.float32, shape, elements=st.integers(-3, 3).map(float))
)


def brute_force_distances(query: Floats, gallery: Floats) -> list[float]:
    difference = gallery.astype(float) - query.astype(float)
    return [float(d) for d in (difference**2).sum(axis=1)]


@given(WHOLE_VECTORS, st.integers(1, 30))
@settings(deadline=None)
def test_the_nearest_are_those_of_brute_force(vectors: Floats, k: int) -> None:
    query, gallery = vectors[0], vectors
    found = nearest(query, gallery, k)
    distances = brute_force_distances(query, gallery)
    assert len(set(found.tolist())) == len(found) == min(k, len(gallery))
    assert [distances[r] for r in found] == sorted(distances)[:k]


@given(SEEDS, st.integers(1, 60), st.sampled_from([0.0, 10.0, 1000.0]))
@settings(deadline=None, max_examples=50)
def test_the_nearest_are_those_of_brute_force_far_from_the_origin_too(
    seed: int, k: int, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    gallery = (rng.normal(size=(50, 32)) + offset).astype(np.float32)
    query = (rng.normal(size=32) + offset).astype(np.float32)
    order = np.argsort(brute_force_distances(query, gallery), kind="stable")
    assert nearest(query, gallery, k).tolist() == order[:k].tolist()


@given(WHOLE_VECTORS, st.integers(1, 30), st.data())
@settings(deadline=None)
def test_a_row_left_out_is_left_out_by_its_index_and_its_duplicates_count(
    vectors: Floats, k: int, data: st.DataObject
) -> None:
    gallery = np.concatenate([vectors, vectors])
    row = data.draw(st.integers(0, len(gallery) - 1))
    found = nearest(gallery[row], gallery, k, exclude=row)
    assert row not in found
    distances = brute_force_distances(gallery[row], gallery)
    others = sorted(distances[:row] + distances[row + 1 :])
    assert [distances[r] for r in found] == others[:k]
    assert distances[found[0]] == 0


def test_a_row_left_out_among_many_equal_ones_leaves_k() -> None:
    gallery = np.ones((9, 4), np.float32)
    for row in range(9):
        found = nearest(gallery[row], gallery, 3, exclude=row).tolist()
        assert len(set(found)) == 3
        assert row not in found


def test_of_a_single_reference_left_out_nothing_is_left() -> None:
    assert nearest(np.zeros(3, np.float32), np.zeros((1, 3), np.float32), 2, exclude=0).size == 0


def test_a_query_that_does_not_fit_the_gallery_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        nearest(np.zeros(3, np.float32), np.zeros((2, 4), np.float32), 1)


def test_squared_distances_do_not_cancel_far_from_the_origin() -> None:
    query = np.full(8, 4096, np.float32)
    rows = query[None] + np.float32(0.25)
    assert squared_distances(query, rows).tolist() == [8 * 0.25**2]


def assert_exact(query: Levels, references: list[Levels], kappa: int = 1) -> None:
    found = nearest_places(query, pyramid_gallery(references), kappa=kappa)
    expected = map_by_brute_force(query, references, kappa)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * expected.max())


@given(SEEDS, st.integers(1, 5), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_the_search_by_bounds_equals_brute_force(seed: int, count: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng, side=side) for _ in range(count)]
    assert_exact(random_levels(rng, side=side), references)


@given(
    SEEDS,
    st.tuples(*[st.sampled_from([0.0, 1e-3, 1.0, 30.0])] * 3),
)
@settings(deadline=None, max_examples=60)
def test_the_search_by_bounds_is_exact_whichever_level_dominates(
    seed: int, scales: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng, scales=scales) for _ in range(3)]
    assert_exact(random_levels(rng, scales=scales), references)


@pytest.mark.parametrize("offset", [10.0, 100.0, 1000.0])
def test_the_search_by_bounds_is_exact_far_from_the_origin(offset: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        references = [
            random_levels(rng, side=3, channels=(24, 40, 112), offset=offset) for _ in range(3)
        ]
        query = random_levels(rng, side=3, channels=(24, 40, 112), offset=offset)
        assert_exact(query, references)


def test_the_search_by_bounds_is_exact_among_references_that_hardly_differ() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        base = random_levels(rng, side=2, channels=(24, 40, 112), scales=(3, 3, 3))
        fine, middle, coarse = base
        references: list[Levels] = []
        for _ in range(4):
            noise = random_levels(rng, side=2, channels=(24, 40, 112), scales=(1e-3,) * 3)
            references.append((fine + noise[0], middle + noise[1], coarse + noise[2]))
        found = nearest_places(base, pyramid_gallery(references))
        np.testing.assert_allclose(found, map_by_brute_force(base, references, 1), rtol=1e-4)


def test_a_part_equal_to_a_reference_is_at_distance_zero_everywhere() -> None:
    rng = np.random.default_rng(2)
    references = [random_levels(rng, side=3, offset=50) for _ in range(4)]
    found = nearest_places(references[2], pyramid_gallery(references))
    assert (found == 0).all()


def test_features_that_are_all_equal_are_no_trouble() -> None:
    same: Levels = (
        np.full((8, 8, 3), 7, np.float32),
        np.full((4, 4, 4), 7, np.float32),
        np.full((2, 2, 5), 7, np.float32),
    )
    other: Levels = (same[0] + 1, same[1] + 1, same[2] + 1)
    assert_exact(same, [same, same])
    assert_exact(other, [same])
    assert_exact(other, [same], kappa=3)


def test_a_small_difference_beside_large_features_is_found() -> None:
    rng = np.random.default_rng(4)
    reference = random_levels(rng, side=3, scales=(1, 100, 100))
    query = (reference[0].copy(), reference[1].copy(), reference[2].copy())
    query[0][5, 6] += 0.01
    found = nearest_places(query, pyramid_gallery([reference]))
    assert np.flatnonzero(found).tolist() == [5 * 12 + 6]
    np.testing.assert_allclose(found[5, 6], 3 * 0.01**2, rtol=1e-3)


@given(SEEDS, st.integers(2, 5), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_the_mean_of_the_kappa_nearest_equals_brute_force(
    seed: int, kappa: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng) for _ in range(count)]
    assert_exact(random_levels(rng), references, kappa)


def test_a_kappa_above_the_number_of_places_is_cut_to_it() -> None:
    rng = np.random.default_rng(0)
    references = [random_levels(rng, side=1)]
    assert len(concatenated(references[0])) == 16
    query = random_levels(rng, side=1)
    gallery = pyramid_gallery(references)
    np.testing.assert_array_equal(
        nearest_places(query, gallery, kappa=1000), nearest_places(query, gallery, kappa=16)
    )
    assert_exact(query, references, kappa=16)


@given(SEEDS, st.sampled_from([1, 2, 3]), st.permutations(range(5)))
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_gallery_does_not_change_a_bit(
    seed: int, kappa: int, order: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng) for _ in range(5)]
    query = random_levels(rng)
    there = nearest_places(query, pyramid_gallery(references), kappa=kappa)
    again = nearest_places(query, pyramid_gallery([references[i] for i in order]), kappa=kappa)
    np.testing.assert_array_equal(there, again)


def test_more_references_never_raise_a_distance() -> None:
    rng = np.random.default_rng(8)
    references = [random_levels(rng, side=3) for _ in range(6)]
    query = random_levels(rng, side=3)
    maps = [nearest_places(query, pyramid_gallery(references[:n])) for n in range(1, 7)]
    assert all((after <= before).all() for before, after in pairwise(maps))


def test_a_search_stops_when_it_is_asked_to() -> None:
    rng = np.random.default_rng(1)
    query = random_levels(rng, side=14)
    gallery = pyramid_gallery([random_levels(rng, side=14)])
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    partial = nearest_places(query, gallery, should_stop=should_stop)
    whole = nearest_places(query, gallery)
    assert asked == 3
    assert (whole > 0).all()
    done = partial > 0
    assert 0 < done.mean() < 0.5
    np.testing.assert_array_equal(partial[done], whole[done])
