import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inspector_gui.core.neighbours import nearest, squared_distances
from inspector_gui.core.types import Floats

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
