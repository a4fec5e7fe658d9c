import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, PooledGallery
from inspector_gui.core.measuring import problems
from inspector_gui.core.measuring.problems import Problem
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Scoring

EMPTY = np.empty((0, 0, 0), np.float32)


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(5, 1, shape).astype(np.float32)


def problem(*, strange: bool = False) -> Problem:
    return Problem(
        "noise",
        numbers(0, 30, 6),
        np.concatenate([numbers(1, 20, 6), numbers(2, 10, 6) + 3]),
        np.repeat([False, True], [20, 10]),
        numbers(3, 40, 6) + 3 if strange else None,
    )


def test_scores_are_those_of_the_method() -> None:
    case = problem()
    method, gallery = make_method(Scoring(method="dn2", k=3)), PooledGallery(case.references)
    one_by_one = [
        method.score(Features(query, (EMPTY, EMPTY, EMPTY)), gallery).image
        for query in case.queries
    ]
    assert problems.scores(case, 3).tolist() == pytest.approx(one_by_one, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.integers(0, 4), min_size=2, max_size=40), k=st.integers(1, 5), data=st.data()
)
def test_leave_one_out_equals_brute_force_with_duplicates(
    rows: list[int], k: int, data: st.DataObject
) -> None:
    features = np.array(rows, np.float32)[:, None] * np.ones(3, np.float32)
    found = problems.nearest_distances(features, features, k, is_own=True)
    row = data.draw(st.integers(0, len(rows) - 1))
    others = np.delete(np.square(features - features[row]).sum(axis=1), row)
    np.testing.assert_allclose(found[row], np.sort(others)[:k], atol=1e-9)


def test_one_search_serves_every_number_of_neighbours() -> None:
    case = problem()
    assert problems.aurocs_by_k(case, [1, 4, 9]) == [problems.auroc(case, k) for k in (1, 4, 9)]


def test_an_impurity_is_the_share_of_bad_pictures_among_all_references() -> None:
    impure, count = problems.contaminated(problem(strange=True), 0.25, seed=0)
    assert (count, len(impure.references)) == (10, 40)
    assert count / len(impure.references) == 0.25
    more, _ = problems.contaminated(problem(strange=True), 0.4, seed=0)
    np.testing.assert_array_equal(more.references[:40], impure.references)


def test_bad_queries_that_are_taken_leave_the_queries_and_half_of_them_stay() -> None:
    reserved = problems.with_reserve(problem(), 100, seed=0)
    assert reserved.strange is not None
    assert (len(reserved.strange), int(reserved.bad.sum()), len(reserved.queries)) == (5, 5, 25)
    both = np.concatenate([reserved.queries, reserved.strange])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(problem().queries, axis=0))
    assert (reserved.strange.mean(axis=1) > 6.5).all()


def test_cleaning_drops_the_fraction_that_scores_highest() -> None:
    features = np.concatenate([numbers(0, 30, 6), numbers(4, 3, 6) * 40])
    kept = problems.rows_kept(features, 0.1, k=2)
    assert len(kept) == 29
    assert set(range(30, 33)).isdisjoint(kept.tolist())


def test_more_shots_than_references_are_refused() -> None:
    with pytest.raises(KnownError, match="31 references cannot be drawn for noise: there are 30"):
        problems.with_shots(problem(), 31, seed=0)


def test_centroids_stand_for_all_references() -> None:
    reduced = problems.with_centroids(problem(), 4, seed=0)
    assert reduced.references.shape == (4, 6)
    everything = problems.with_centroids(problem(), 1, seed=0).references[0]
    np.testing.assert_allclose(everything, problem().references.mean(axis=0), rtol=1e-4)
