"""The searches of SPADE's map, compiled and in numpy: both against brute force."""

import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core import pyramid_search
from inspector_gui.core.compiled import CompiledSearch
from inspector_gui.core.pyramid import pyramid_gallery
from inspector_gui.core.pyramid_search import find_places, nearest_places
from inspector_gui.core.types import Inside

from .galleries import (
    Levels,
    concatenated,
    map_by_brute_force,
    ragged_levels,
    random_levels,
    some_inside,
)
from .photographs import dataset_pictures

SEEDS = st.integers(0, 2**32 - 1)


def assert_exact(
    query: Levels, references: list[Levels], kappa: int = 1, *, compiled: CompiledSearch
) -> None:
    """Both searches return the same bits, which are those of brute force in double precision."""
    gallery = pyramid_gallery(references)
    found = find_places(query, gallery, kappa=kappa, compiled=compiled)
    by_numpy = find_places(query, gallery, kappa=kappa)
    np.testing.assert_array_equal(found.distances, by_numpy.distances)
    np.testing.assert_array_equal(found.numbers, by_numpy.numbers)
    expected = map_by_brute_force(query, references, kappa)
    assert found.map.shape == expected.shape
    assert found.map.dtype == np.float32
    np.testing.assert_allclose(found.map, expected, rtol=1e-6)


@given(SEEDS, st.integers(1, 5), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_the_search_by_bounds_equals_brute_force(
    compiled: CompiledSearch, seed: int, count: int, side: int
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng, side=side) for _ in range(count)]
    assert_exact(random_levels(rng, side=side), references, compiled=compiled)


@given(
    SEEDS,
    st.tuples(*[st.sampled_from([0.0, 1e-3, 1.0, 30.0])] * 3),
)
@settings(deadline=None, max_examples=60)
def test_the_search_by_bounds_is_exact_whichever_level_dominates(
    compiled: CompiledSearch, seed: int, scales: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng, scales=scales) for _ in range(3)]
    assert_exact(random_levels(rng, scales=scales), references, compiled=compiled)


@pytest.mark.parametrize("offset", [10.0, 100.0, 1000.0])
def test_the_search_by_bounds_is_exact_far_from_the_origin(
    compiled: CompiledSearch, offset: float
) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        references = [
            random_levels(rng, side=3, channels=(24, 40, 112), offset=offset) for _ in range(3)
        ]
        query = random_levels(rng, side=3, channels=(24, 40, 112), offset=offset)
        assert_exact(query, references, compiled=compiled)


def test_the_search_by_bounds_is_exact_among_references_that_hardly_differ(
    compiled: CompiledSearch,
) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        base = random_levels(rng, side=2, channels=(24, 40, 112), scales=(3, 3, 3))
        fine, middle, coarse = base
        references: list[Levels] = []
        for _ in range(4):
            noise = random_levels(rng, side=2, channels=(24, 40, 112), scales=(1e-3,) * 3)
            references.append((fine + noise[0], middle + noise[1], coarse + noise[2]))
        assert_exact(base, references, compiled=compiled)


def test_a_part_equal_to_a_reference_is_at_distance_zero_everywhere(
    compiled: CompiledSearch,
) -> None:
    rng = np.random.default_rng(2)
    references = [random_levels(rng, side=3, offset=50) for _ in range(4)]
    found = find_places(references[2], pyramid_gallery(references), compiled=compiled)
    assert (found.map == 0).all()
    assert found.matches(7, 4) == [(2, 7, 4)]


def test_features_that_are_all_equal_are_no_trouble(compiled: CompiledSearch) -> None:
    same: Levels = (
        np.full((8, 8, 3), 7, np.float32),
        np.full((4, 4, 4), 7, np.float32),
        np.full((2, 2, 5), 7, np.float32),
    )
    other: Levels = (same[0] + 1, same[1] + 1, same[2] + 1)
    assert_exact(same, [same, same], compiled=compiled)
    assert_exact(other, [same], compiled=compiled)
    assert_exact(other, [same], kappa=3, compiled=compiled)


def test_a_small_difference_beside_large_features_is_found(compiled: CompiledSearch) -> None:
    rng = np.random.default_rng(4)
    reference = random_levels(rng, side=3, scales=(1, 100, 100))
    query = (reference[0].copy(), reference[1].copy(), reference[2].copy())
    query[0][5, 6] += 0.01
    found = nearest_places(query, pyramid_gallery([reference]), compiled=compiled)
    assert np.flatnonzero(found).tolist() == [5 * 12 + 6]
    np.testing.assert_allclose(found[5, 6], 3 * 0.01**2, rtol=1e-3)


@given(SEEDS, st.integers(2, 5), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_the_mean_of_the_kappa_nearest_equals_brute_force(
    compiled: CompiledSearch, seed: int, kappa: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng) for _ in range(count)]
    assert_exact(random_levels(rng), references, kappa, compiled=compiled)


def test_a_kappa_above_the_number_of_places_is_cut_to_it(compiled: CompiledSearch) -> None:
    rng = np.random.default_rng(0)
    references = [random_levels(rng, side=1)]
    assert len(concatenated(references[0])) == 16
    query = random_levels(rng, side=1)
    gallery = pyramid_gallery(references)
    np.testing.assert_array_equal(
        nearest_places(query, gallery, kappa=1000), nearest_places(query, gallery, kappa=16)
    )
    assert_exact(query, references, kappa=16, compiled=compiled)


@given(SEEDS, st.sampled_from([1, 2, 3]), st.permutations(range(5)))
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_gallery_does_not_change_a_bit(
    compiled: CompiledSearch, seed: int, kappa: int, order: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng) for _ in range(5)]
    query = random_levels(rng)
    other = pyramid_gallery([references[i] for i in order])
    for search in (None, compiled):
        there = nearest_places(query, pyramid_gallery(references), kappa=kappa, compiled=search)
        again = nearest_places(query, other, kappa=kappa, compiled=search)
        np.testing.assert_array_equal(there, again)


def test_more_references_never_raise_a_distance(compiled: CompiledSearch) -> None:
    rng = np.random.default_rng(8)
    references = [random_levels(rng, side=3) for _ in range(6)]
    query = random_levels(rng, side=3)
    galleries = [pyramid_gallery(references[:n]) for n in range(1, 7)]
    maps = [nearest_places(query, gallery, compiled=compiled) for gallery in galleries]
    assert all((after <= before).all() for before, after in pairwise(maps))


@pytest.mark.parametrize("grid", [(1, 5), (5, 3), (7, 7)])
@pytest.mark.parametrize("channels", [(3, 4, 5), (24, 40, 112), (1, 2, 9)])
def test_any_grid_and_any_number_of_channels_will_do(
    compiled: CompiledSearch, grid: tuple[int, int], channels: tuple[int, int, int]
) -> None:
    rng = np.random.default_rng(3)
    query, *references = (ragged_levels(rng, *grid, channels=channels) for _ in range(4))
    gallery = pyramid_gallery(references)
    found = find_places(query, gallery, kappa=2, compiled=compiled)
    by_numpy = find_places(query, gallery, kappa=2)
    np.testing.assert_array_equal(found.distances, by_numpy.distances)
    np.testing.assert_array_equal(found.numbers, by_numpy.numbers)
    assert found.map.shape == (4 * grid[0], 4 * grid[1])


@given(
    SEEDS, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 1, 2, 5])
)
@settings(deadline=None, max_examples=100)
def test_padding_is_neither_searched_for_nor_found(
    compiled: CompiledSearch, seed: int, count: int, rows: int, columns: int, kappa: int
) -> None:
    rng = np.random.default_rng(seed)
    query, *references = (ragged_levels(rng, rows, columns) for _ in range(count + 1))
    areas = [some_inside(rng, 4 * rows, 4 * columns) for _ in range(count)]
    insides = [None if n == 2 else area for n, area in enumerate(areas)]
    gallery = pyramid_gallery(references, insides)
    for inside in (None, some_inside(rng, 4 * rows, 4 * columns)):
        found = find_places(query, gallery, inside=inside, kappa=kappa, compiled=compiled)
        by_numpy = find_places(query, gallery, inside=inside, kappa=kappa)
        np.testing.assert_array_equal(found.distances, by_numpy.distances)
        np.testing.assert_array_equal(found.numbers, by_numpy.numbers)
        expected = map_by_brute_force(query, references, kappa, inside=inside, insides=insides)
        np.testing.assert_allclose(found.map, expected, rtol=1e-6)
        for place in np.argwhere(~np.isnan(expected)):
            for reference, row, column in found.matches(*place):
                top, left, bottom, right = insides[reference] or (0, 0, 4 * rows, 4 * columns)
                assert top <= row < bottom
                assert left <= column < right


@pytest.mark.parametrize("channels", [(3, 4, 5), (24, 40, 112)])
def test_what_lies_on_padding_does_not_matter(
    compiled: CompiledSearch, channels: tuple[int, int, int]
) -> None:
    rng = np.random.default_rng(7)
    query, *references = (random_levels(rng, side=6, channels=channels) for _ in range(5))
    insides: list[Inside | None] = [(0, 0, 13, 24), (8, 0, 24, 9), None, (0, 4, 24, 5)]
    inside = (3, 0, 11, 24)
    wanted = find_places(
        query, pyramid_gallery(references, insides), inside=inside, kappa=3, compiled=compiled
    )
    for levels, area in zip([query, *references], [inside, *insides], strict=True):
        for level, factor in zip(levels, (1, 2, 4), strict=True):
            top, left, bottom, right = area or (0, 0, 24, 24)
            cells = np.ones(level.shape[:2], np.bool_)
            shows = slice(top // factor, -(-bottom // factor))
            cells[shows, left // factor : -(-right // factor)] = False
            level[cells] = 0  # what a blank place of a part could be like
    for search in (compiled, None):
        gallery = pyramid_gallery(references, insides)
        found = find_places(query, gallery, inside=inside, kappa=3, compiled=search)
        np.testing.assert_array_equal(found.distances, wanted.distances)
        np.testing.assert_array_equal(found.numbers, wanted.numbers)


@pytest.mark.parametrize("skip", [0, 2])
def test_of_padded_references_one_is_left_out_as_if_it_had_never_been_there(
    compiled: CompiledSearch, skip: int
) -> None:
    rng = np.random.default_rng(9)
    references = [random_levels(rng, side=3) for _ in range(3)]
    insides: list[Inside | None] = [(0, 0, 7, 12), (0, 2, 12, 9), (4, 4, 12, 12)]
    others = [n for n in range(3) if n != skip]
    for search in (None, compiled):
        left_out = nearest_places(
            references[skip], pyramid_gallery(references, insides), inside=insides[skip],
            skip=skip, compiled=search,
        )  # fmt: skip
        fewer = pyramid_gallery([references[n] for n in others], [insides[n] for n in others])
        wanted = nearest_places(references[skip], fewer, inside=insides[skip], compiled=search)
        np.testing.assert_array_equal(left_out, wanted)


def test_a_part_of_another_grid_is_refused() -> None:
    rng = np.random.default_rng(0)
    gallery = pyramid_gallery([random_levels(rng, side=2)])
    with pytest.raises(ValueError, match="does not fit"):
        nearest_places(random_levels(rng, side=3), gallery)


def test_the_matches_of_a_place_are_where_its_distances_come_from(
    compiled: CompiledSearch,
) -> None:
    rng = np.random.default_rng(6)
    references = [random_levels(rng, side=5) for _ in range(4)]
    query, gallery = random_levels(rng, side=5), pyramid_gallery(references)
    own, theirs = concatenated(query), [concatenated(reference) for reference in references]
    for skip in (None, 0, 2):
        found = find_places(query, gallery, kappa=3, skip=skip, compiled=compiled)
        for row, column in ((0, 0), (7, 13), (19, 19)):
            matches = found.matches(row, column)
            assert skip not in [reference for reference, _, _ in matches]
            features = [theirs[r][20 * y + x] for r, y, x in matches]
            distances = [((own[20 * row + column] - f) ** 2).sum() for f in features]
            assert distances == sorted(distances)
            assert found.map[row, column] == pytest.approx(np.mean(distances), rel=1e-6)


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_leaving_a_reference_out_is_as_if_it_had_never_been_there(
    compiled: CompiledSearch, skip: int
) -> None:
    rng = np.random.default_rng(9)
    references = [random_levels(rng, side=3) for _ in range(4)]
    others = pyramid_gallery(references[:skip] + references[skip + 1 :])
    for search in (None, compiled):
        left_out = nearest_places(
            references[skip], pyramid_gallery(references), skip=skip, compiled=search
        )
        wanted = nearest_places(references[skip], others, compiled=search)
        np.testing.assert_array_equal(left_out, wanted)
        assert (left_out > 0).all()


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_the_number_of_cores_does_not_change_a_bit(
    compiled: CompiledSearch, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    rng = np.random.default_rng(5)
    gallery = pyramid_gallery([random_levels(rng, side=9) for _ in range(3)])
    query = random_levels(rng, side=9)
    wanted = find_places(query, gallery, kappa=2)
    monkeypatch.setattr(pyramid_search, "usable_cores", lambda: cores)
    found = find_places(query, gallery, kappa=2, compiled=compiled)
    np.testing.assert_array_equal(found.distances, wanted.distances)
    np.testing.assert_array_equal(found.numbers, wanted.numbers)


@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_search_stops_when_it_is_asked_to(compiled: CompiledSearch, is_compiled: bool) -> None:
    rng = np.random.default_rng(1)
    query = random_levels(rng, side=20)
    gallery = pyramid_gallery([random_levels(rng, side=20)])
    search = compiled if is_compiled else None
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        time.sleep(0.02)  # so that the other threads do not finish meanwhile
        return asked > 2

    whole = nearest_places(query, gallery, compiled=search)
    partial = nearest_places(query, gallery, should_stop=should_stop, compiled=search)
    assert asked == 3 or is_compiled
    assert (whole > 0).all()
    done = partial > 0
    np.testing.assert_array_equal(partial[done], whole[done])
    if not is_compiled:
        assert 0 < done.mean() < 0.5


def test_a_compiled_search_lets_other_threads_run(compiled: CompiledSearch) -> None:
    rng = np.random.default_rng(2)
    widths = (24, 40, 112)
    gallery = pyramid_gallery([random_levels(rng, side=14, channels=widths) for _ in range(12)])
    query = random_levels(rng, side=14, channels=widths)
    nearest_places(query, gallery, compiled=compiled)
    turns, is_over = 0, threading.Event()

    def count() -> None:
        nonlocal turns
        while not is_over.wait(0.001):
            turns += 1

    thread = threading.Thread(target=count)
    thread.start()
    began = time.perf_counter()
    for _ in range(8):
        nearest_places(query, gallery, compiled=compiled)  # random features leave nothing out
    seconds, counted = time.perf_counter() - began, turns
    is_over.set()
    thread.join()
    assert counted > 0.1 * seconds / 0.001


def test_photographs_have_the_same_map_by_brute_force(
    compiled: CompiledSearch, networks: Path, weights: Path
) -> None:
    from inspector_gui.core.features import Extractor
    from inspector_gui.core.types import Scoring

    extractor = Extractor(Scoring(size=64), weights_folder=weights, cache=networks)
    pictures = dataset_pictures("cookie", "train/good", 5)
    query, *references = [extractor.extract(picture).levels for picture in pictures]
    assert_exact(query, references, compiled=compiled)
    assert_exact(query, references, kappa=50, compiled=compiled)
