import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inspector_gui.core.errors import KnownError
from inspector_gui.core.neighbours import Ints
from inspector_gui.core.sets.reduction import centroids, coreset, medoids
from inspector_gui.core.types import Floats

SEEDS = st.integers(0, 2**32 - 1)
# Small whole numbers make ties and duplicates common, and every sum exact.
WHOLE = st.tuples(st.integers(1, 24), st.integers(1, 6)).flatmap(
    lambda shape: arrays.arrays(np.float32, shape, elements=st.integers(-3, 3).map(float))
)


def plain_coreset(features: Floats, count: int, *, start: int) -> list[int]:
    """Greedy k-centre as it is written down: all distances, in double precision."""
    rows = features.astype(np.float64)
    chosen = [start]
    while len(chosen) < min(count, len(rows)):
        to_all = ((rows[:, None] - rows[None, chosen]) ** 2).sum(axis=2)
        nearest = to_all.min(axis=1)
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
    return chosen


def blobs(count: int = 4, members: int = 25, *, offset: float = 0.0) -> Floats:
    """Well separated round groups, one after the other."""
    rng = np.random.default_rng(3)
    centres = rng.normal(scale=20, size=(count, 16)) + offset
    return np.repeat(centres, members, axis=0).astype(np.float32) + rng.normal(
        size=(count * members, 16)
    ).astype(np.float32)


def groups_of(rows: Ints, members: int = 25) -> list[int]:
    return sorted(int(row) // members for row in rows)


@given(WHOLE, st.integers(1, 30), st.data())
@settings(deadline=None)
def test_the_coreset_is_that_of_the_plain_greedy_rule_with_ties_and_duplicates(
    features: Floats, count: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(features) - 1))
    found = coreset(features, count, start=start).tolist()
    assert found == plain_coreset(features, count, start=start)


@given(SEEDS, st.sampled_from([0.0, 100.0, 5000.0]), st.sampled_from([1e-3, 1.0]))
@settings(deadline=None, max_examples=40)
def test_the_coreset_is_exact_far_from_the_origin_and_among_near_ties(
    seed: int, offset: float, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    features = (rng.normal(size=(60, 24)) * spread + offset).astype(np.float32)
    features[30:] = features[:30] + rng.normal(size=(30, 24)).astype(np.float32) * 1e-5
    assert coreset(features, 40).tolist() == plain_coreset(features, 40, start=0)


def test_the_first_rows_of_a_coreset_are_the_smaller_coreset() -> None:
    features = blobs()
    assert coreset(features, 30)[:7].tolist() == coreset(features, 7).tolist()


def test_a_coreset_reaches_every_group_first() -> None:
    assert groups_of(coreset(blobs(), 4, start=5)) == [0, 1, 2, 3]


@pytest.mark.parametrize("offset", [0.0, 3000.0])
def test_kmeans_finds_the_groups_and_their_medoids_are_members(offset: float) -> None:
    features = blobs(offset=offset)
    expected = features.reshape(4, 25, 16).mean(axis=1)
    found = centroids(features, 4)
    order = [int(((found - e) ** 2).sum(axis=1).argmin()) for e in expected]
    np.testing.assert_allclose(found[order], expected, atol=1e-2)
    rows = medoids(features, 4)
    assert groups_of(rows) == [0, 1, 2, 3]
    assert rows.tolist() == sorted(rows.tolist())


def test_kmeans_gives_the_same_centres_for_the_same_seed() -> None:
    features = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    assert np.array_equal(centroids(features, 20, seed=5), centroids(features, 20, seed=5))
    assert not np.array_equal(centroids(features, 20, seed=5), centroids(features, 20, seed=6))


@given(WHOLE, st.integers(1, 30))
@settings(deadline=None, max_examples=60)
def test_as_many_different_members_stand_for_a_set_as_were_asked_for(
    features: Floats, count: int
) -> None:
    rows = medoids(features, count).tolist()
    assert len(set(rows)) == len(rows) == min(count, len(features))
    assert set(rows) <= set(range(len(features)))


@pytest.mark.parametrize("reduce", [centroids, medoids, coreset])
def test_what_cannot_be_reduced_is_refused_in_a_sentence(reduce: object) -> None:
    assert callable(reduce)
    some = np.ones((4, 3), np.float32)
    with pytest.raises(KnownError, match="no picture"):
        reduce(some[:0], 2)
    with pytest.raises(KnownError, match="At least one"):
        reduce(some, 0)
    some[2, 1] = np.nan
    with pytest.raises(KnownError, match="no numbers"):
        reduce(some, 2)


def test_a_coreset_cannot_start_outside_the_set() -> None:
    with pytest.raises(ValueError, match="row 4 of 4"):
        coreset(np.ones((4, 3), np.float32), 2, start=4)
