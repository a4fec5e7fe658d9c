import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui import paths
from inspector_gui.core.features import Extractor, PooledGallery
from inspector_gui.core.index import (
    RECALL,
    IndexFacts,
    RowSearch,
    VectorIndex,
    build_index,
    exact_seconds,
    exceeds_budget,
    open_index,
)
from inspector_gui.core.neighbours import nearest
from inspector_gui.core.types import ALL_REFERENCES, Floats, Progress, Scoring
from inspector_gui.demo.parts import draw_part

SEEDS = st.integers(0, 2**32 - 1)


@cache
def made_up(seed: int, rows: int, width: int = 12) -> Floats:
    """Vectors in clusters, a fifth of them twice."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(8, width)) * 5
    vectors = centres[random.integers(0, 8, rows)] + random.normal(size=(rows, width))
    copies = random.integers(0, rows, rows // 5)
    vectors[random.integers(0, rows, rows // 5)] = vectors[copies]
    return vectors.astype(np.float32)


@cache
def index_of(seed: int, rows: int) -> VectorIndex:
    return build_index(made_up(seed, 400)[:rows])


def searching(index: VectorIndex, *, probes: int) -> VectorIndex:
    return VectorIndex(index._index, replace(index.facts, probes=probes))


def distances(query: Floats, rows: Floats) -> list[float]:
    return [float(d) for d in ((rows.astype(float) - query.astype(float)) ** 2).sum(axis=1)]


@given(SEEDS, st.integers(1, 70), st.data())
@settings(deadline=None, max_examples=60)
def test_all_cells_compared_exactly_give_the_exact_answer(
    seed: int, k: int, data: st.DataObject
) -> None:
    vectors = made_up(seed % 3, 400)
    index = index_of(seed % 3, 300)  # the last hundred came later
    random = np.random.default_rng(seed)
    chosen = random.permutation(400)[: data.draw(st.integers(1, 400))]
    exclude = data.draw(st.none() | st.integers(0, len(chosen) - 1))
    query = vectors[random.integers(400)] + random.normal(size=12).astype(np.float32) * 0.1
    search = RowSearch(vectors, chosen, searching(index, probes=index.facts.cells))
    found = search.nearest(query, k, exclude=exclude)
    true = nearest(query, vectors[chosen], k, exclude=exclude)
    assert distances(query, vectors[chosen[found]]) == distances(query, vectors[chosen[true]])


@given(SEEDS, st.integers(1, 60), st.integers(1, 400), st.booleans())
@settings(deadline=None, max_examples=60)
def test_one_probed_cell_still_answers_with_enough_rows_and_only_chosen_ones(
    seed: int, k: int, count: int, is_left_out: bool
) -> None:
    vectors, random = made_up(seed % 3, 400), np.random.default_rng(seed)
    chosen = random.permutation(400)[:count]
    exclude = int(random.integers(count)) if is_left_out else None
    search = RowSearch(vectors, chosen, searching(index_of(seed % 3, 300), probes=1))
    found = search.nearest(vectors[random.integers(400)], k, exclude=exclude)
    assert len(found) == min(k, count - is_left_out)
    assert len(set(found.tolist())) == len(found)
    assert exclude not in found
    assert found.min(initial=0) >= 0
    assert found.max(initial=0) < count


@given(SEEDS)
@settings(deadline=None, max_examples=30)
def test_rows_that_came_after_the_index_are_found(seed: int) -> None:
    vectors = made_up(seed % 3, 400)
    row = 300 + seed % 100
    search = RowSearch(vectors, np.arange(400), searching(index_of(seed % 3, 300), probes=1))
    found = search.nearest(vectors[row] + np.float32(1e-4), 1)
    assert (vectors[found[0]] == vectors[row]).all()
    assert search.tail == 100


@given(SEEDS, st.integers(1, 20), st.sampled_from([0, 300]))
@settings(deadline=None, max_examples=40)
def test_a_row_left_out_is_left_out_by_its_index_and_its_duplicates_count(
    seed: int, k: int, covered: int
) -> None:
    vectors = np.concatenate([made_up(seed % 3, 400)[:300]] * 2)
    index = searching(index_of(seed % 3, 300), probes=1) if covered else None
    row = seed % 600
    found = RowSearch(vectors, np.arange(600), index).nearest(vectors[row], k, exclude=row)
    assert row not in found
    assert (vectors[found[0]] == vectors[row]).all()


@given(SEEDS, st.booleans())
@settings(deadline=None, max_examples=20)
def test_all_rows_are_asked_for_without_an_index_that_would_miss_some(
    seed: int, is_left_out: bool
) -> None:
    vectors = made_up(seed % 3, 400)
    chosen = np.random.default_rng(seed).permutation(400)[:350]
    exclude = seed % 350 if is_left_out else None
    search = RowSearch(vectors, chosen, searching(index_of(seed % 3, 300), probes=1))
    found = search.nearest(vectors[5], ALL_REFERENCES, exclude=exclude)
    wanted = PooledGallery(vectors[chosen]).nearest(vectors[5], ALL_REFERENCES, exclude=exclude)
    np.testing.assert_array_equal(found, wanted)


@given(SEEDS, st.integers(1, 30), st.booleans())
@settings(deadline=None, max_examples=60)
def test_without_an_index_the_answer_is_that_of_a_copy_in_memory(
    seed: int, k: int, is_left_out: bool
) -> None:
    vectors, random = made_up(seed % 3, 300), np.random.default_rng(seed)
    chosen = random.permutation(300)[:200]
    exclude = int(random.integers(200)) if is_left_out else None
    query = vectors[random.integers(300)]
    gallery = PooledGallery(vectors[chosen])
    found = RowSearch(vectors, chosen, None).nearest(query, k, exclude=exclude)
    true = gallery.nearest(query, k, exclude=exclude)
    assert distances(query, vectors[chosen[found]]) == distances(query, gallery.pooled_of(true))


def test_an_index_is_tuned_until_it_finds_the_true_neighbours() -> None:
    vectors = made_up(7, 3000, 24)
    said: list[Progress] = []
    index = build_index(vectors, report=said.append)
    assert index.facts.recall >= RECALL
    assert 1 < index.facts.probes < index.facts.cells
    assert {p.what for p in said} == {"cells", "rows", "sample"}
    queries = made_up(8, 200, 24) * 0.5 + made_up(7, 200, 24) * 0.5
    search = RowSearch(vectors, np.arange(len(vectors)), index)
    hits = [np.isin(nearest(q, vectors, 2), search.nearest(q, 2)).mean() for q in queries]
    assert np.mean(hits) >= 0.98


def test_the_same_rows_and_seed_give_the_same_index() -> None:
    vectors = made_up(7, 1000)
    first, second = build_index(vectors), build_index(vectors)
    assert first.facts == second.facts
    search, again = (RowSearch(vectors, np.arange(1000), i) for i in (first, second))
    for query in made_up(8, 50):
        assert search.nearest(query, 5).tolist() == again.nearest(query, 5).tolist()


@pytest.fixture(scope="module")
def of_parts() -> Floats:
    """Global features of drawn parts of three kinds, good and defective."""
    extractor = Extractor(
        Scoring(), weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    parts = [("washer", None), ("gear", None), ("washer", "scratch"), ("gear", "dent")]
    pictures = [
        draw_part(kind, seed=seed, size=96, defect=defect).image
        for kind, defect in parts
        for seed in range(40)
    ]
    return np.stack([extractor.extract(picture).pooled for picture in pictures])


def test_parts_find_the_neighbours_that_exact_search_finds(of_parts: Floats) -> None:
    good, bad = of_parts[:80], of_parts[80:]
    index = build_index(good[:70])
    search = RowSearch(good, np.arange(80), index)
    for query in bad:
        assert search.nearest(query, 2).tolist() == nearest(query, good, 2).tolist()
    for row in range(80):
        found = search.nearest(good[row], 2, exclude=row)
        assert found.tolist() == nearest(good[row], good, 2, exclude=row).tolist()


@pytest.mark.parametrize("vectors", [np.zeros((2, 3)), np.zeros((150, 3)), np.eye(2, 3)])
def test_few_or_equal_rows_make_an_index_too(vectors: Floats) -> None:
    vectors = vectors.astype(np.float32)
    search = RowSearch(vectors, np.arange(len(vectors)), build_index(vectors))
    assert len(search.nearest(vectors[0], 2)) == 2


def written(index: VectorIndex, path: Path) -> Path:
    with path.open("wb") as file:
        index.write(file)
    return path


def test_an_index_read_from_its_file_answers_alike(tmp_path: Path) -> None:
    index, vectors = index_of(0, 300), made_up(0, 400)[:300]
    opened = open_index(written(index, tmp_path / "a.ivf"), index.facts)
    for query in made_up(1, 30):
        one, other = (set(i.candidates(query, 20).tolist()) for i in (index, opened))
        assert one == other
    found = RowSearch(vectors, np.arange(300), opened).nearest(vectors[3], 1)
    assert (vectors[found[0]] == vectors[3]).all()


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other rows", "another kind"])
def test_a_file_that_is_not_this_index_is_refused(tmp_path: Path, damage: str) -> None:
    index = index_of(0, 300)
    path = written(index, tmp_path / "a.ivf")
    facts: IndexFacts = index.facts
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "cut":
            os.truncate(path, path.stat().st_size // 2)
        case "text":
            path.write_text("not an index at all, only words")
        case "other rows":
            facts = replace(facts, rows=301)
        case "another kind":
            import faiss

            flat = faiss.IndexFlatL2(12)
            flat.add(made_up(0, 300))
            faiss.write_index(flat, str(path))
    with pytest.raises(ValueError, match=r"a\.ivf"):
        open_index(path, facts)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_full_disk_stays_an_error_of_the_disk() -> None:
    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
        index_of(0, 300).write(file)


def test_only_large_sets_exceed_the_budget() -> None:
    assert not exceeds_budget(10_000, 320)
    assert not exceeds_budget(31_250, 320)
    assert exceeds_budget(31_251, 320)
    assert exceeds_budget(1_000_000, 320)
    assert exact_seconds(2000, 100) == 2 * exact_seconds(1000, 100)
