from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from inspector_gui.core.sets.table import NeighbourTable, sampled_keys
from inspector_gui.core.types import Floats

WIDTH = 3
# Few small whole numbers: duplicates and ties are the rule, and every sum is exact.
VECTORS = st.lists(st.integers(-2, 2), min_size=WIDTH, max_size=WIDTH)
KEYS = st.integers(0, 30).map(lambda number: f"{number:02d}")


def distances_from(vector: Floats, others: Iterable[Floats]) -> list[float]:
    return sorted(float(((o.astype(float) - vector.astype(float)) ** 2).sum()) for o in others)


def scores_by_brute_force(vectors: dict[str, Floats], k: int) -> dict[str, float]:
    """DN2's score of every picture against all others, left out by its key."""
    found = {}
    for key, vector in vectors.items():
        nearest = distances_from(vector, (o for other, o in vectors.items() if other != key))[:k]
        if nearest:
            found[key] = float(np.mean(nearest))
    return found


class ComingAndGoing(RuleBasedStateMachine):
    """Pictures are added one by one and in heaps, and removed, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.table = NeighbourTable(k=2)
        self.references: dict[str, Floats] = {}
        self.others: dict[str, Floats] = {}

    @rule(key=KEYS, values=VECTORS, counts=st.booleans())
    def add(self, key: str, values: list[int], counts: bool) -> None:
        if key not in self.table:
            self.table.add(key, np.array(values, np.float32), counts=counts)
            self._side(counts)[key] = np.array(values, np.float32)

    @rule(heap=st.dictionaries(KEYS, VECTORS, max_size=20), counts=st.booleans())
    def extend(self, heap: dict[str, list[int]], counts: bool) -> None:
        new = {k: np.array(v, np.float32) for k, v in heap.items() if k not in self.table}
        self.table.extend(new, counts=counts)
        self._side(counts).update(new)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        known = sorted({**self.references, **self.others})
        if known:
            key = data.draw(st.sampled_from(known))
            self.table.remove(key)
            self.references.pop(key, None)
            self.others.pop(key, None)

    @rule()
    def work(self) -> None:
        self.table.step(0)

    @rule(k=st.integers(1, 2))
    def scores_are_those_of_brute_force(self, k: int) -> None:
        expected = scores_by_brute_force(self.references, k)
        assert self.table.leave_one_out(k) == expected
        found = self.table.other_scores(k)
        for key, vector in self.others.items():
            nearest = distances_from(vector, self.references.values())[:k]
            assert found.get(key) == (float(np.mean(nearest)) if nearest else None)

    @rule()
    def listed_neighbours_are_the_nearest(self) -> None:
        for key, vector in {**self.references, **self.others}.items():
            listed = self.table.neighbours(key)
            assert len({n.key for n in listed}) == len(listed)
            assert key not in {n.key for n in listed}
            others = {k: v for k, v in self.references.items() if k != key}
            assert len(listed) >= min(2, len(others))
            expected = distances_from(vector, others.values())[: len(listed)]
            assert [n.distance for n in listed] == expected
            for n in listed:
                assert [n.distance] == distances_from(vector, [others[n.key]])

    @invariant()
    def the_table_holds_what_was_put_in(self) -> None:
        assert set(self.table.references) == set(self.references)
        assert set(self.table.others) == set(self.others)

    def _side(self, counts: bool) -> dict[str, Floats]:
        return self.references if counts else self.others


ComingAndGoing.TestCase.settings = settings(deadline=None, max_examples=60)
TestComingAndGoing = ComingAndGoing.TestCase


def some(count: int, *, width: int = 24, offset: float = 0.0, seed: int = 0) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(count, width)) + offset).astype(np.float32)
    return {f"{number:05d}": row for number, row in enumerate(rows)}


@given(st.sampled_from([0.0, 50.0, 5000.0]), st.integers(1, 4), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_scores_are_exact_far_from_the_origin_and_after_many_removals(
    offset: float, k: int, seed: int
) -> None:
    vectors = some(150, offset=offset, seed=seed)
    table = NeighbourTable(k)
    table.extend(vectors)
    for key in list(vectors)[::2]:
        table.remove(key)
        del vectors[key]
    assert table.leave_one_out() == pytest.approx(scores_by_brute_force(vectors, k), rel=1e-12)


def test_lists_that_run_short_are_made_again_after_most_neighbours_have_gone() -> None:
    vectors = some(120)
    table = NeighbourTable()
    table.extend(vectors)
    table.finish()
    was_pending = False
    for key in list(vectors)[10:]:
        table.remove(key)
        del vectors[key]
        was_pending |= table.pending > 0
        if len(vectors) % 10 == 0:
            expected = scores_by_brute_force(vectors, 2)
            assert table.leave_one_out() == pytest.approx(expected, rel=1e-12)
    assert was_pending


def test_a_duplicate_is_left_out_by_its_key_and_its_twin_counts() -> None:
    table = NeighbourTable(k=1)
    table.extend({"a": np.ones(3, np.float32), "b": np.ones(3, np.float32)})
    table.add("c", np.zeros(3, np.float32))
    assert table.leave_one_out() == {"a": 0.0, "b": 0.0, "c": 3.0}
    table.remove("b")
    assert table.leave_one_out() == {"a": 3.0, "c": 3.0}


def test_one_more_picture_leaves_nothing_pending_and_touches_only_its_neighbours() -> None:
    vectors = some(300)
    table = NeighbourTable()
    table.extend(vectors)
    assert table.pending == 300
    before = table.leave_one_out()
    table.add("new", vectors["00007"] + np.float32(1e-3))
    assert table.pending == 0
    after = table.leave_one_out()
    changed = {key for key in before if after[key] != before[key]}
    assert "00007" in changed
    assert len(changed) < 30
    table.remove("new")
    assert table.pending == 0
    assert table.leave_one_out() == before


def test_a_heap_of_identical_pictures_is_no_trap() -> None:
    table = NeighbourTable()
    table.extend({f"{n:05d}": np.full(8, 7, np.float32) for n in range(5000)})
    assert set(table.leave_one_out().values()) == {0.0}


def test_features_that_are_no_numbers_are_named_and_not_compared() -> None:
    table = NeighbourTable()
    table.extend(some(4, width=3))
    table.add("bad", np.array([1, np.nan, 0], np.float32))
    table.add("huge", np.array([1, np.inf, 0], np.float32), counts=False)
    assert table.unusable == {"bad", "huge"}
    assert "bad" in table
    assert set(table.leave_one_out()) == set(some(4))
    assert table.neighbours("bad") == ()
    table.remove("bad")
    assert table.unusable == {"huge"}


def test_an_empty_table_and_a_single_picture_have_no_scores() -> None:
    table = NeighbourTable()
    assert table.leave_one_out() == {}
    table.add("only", np.ones(3, np.float32))
    assert table.leave_one_out() == {}
    assert table.neighbours("only") == ()


def test_what_does_not_fit_or_is_not_there_is_refused() -> None:
    table = NeighbourTable()
    table.add("a", np.ones(3, np.float32))
    with pytest.raises(ValueError, match="do not fit"):
        table.add("b", np.ones(4, np.float32))
    with pytest.raises(ValueError, match="k = 3"):
        table.leave_one_out(3)
    with pytest.raises(KeyError):
        table.remove("nobody")


def test_of_a_set_that_is_too_large_a_fixed_sample_is_held() -> None:
    keys = [f"{n * 7919 % 1000:03d}" for n in range(1000)]
    sample = sampled_keys(keys, most=100)
    assert sample == sampled_keys(reversed(keys), most=100)
    assert len(sample) == 100
    assert len(set(sample) - set(sampled_keys([*keys, "0505"], most=100))) <= 1
    assert sampled_keys(["b", "a"]) == ["a", "b"]
