from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core.explain import (
    PartExplainer,
    PlaceExplainer,
    explain_part,
    explain_place,
    explainer_of,
)
from inspector_gui.core.explanation import CANDIDATES
from inspector_gui.core.features import Extractor, FeatureList, Features
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.border import border_weight
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.places import Box, input_area, place_at, square_of
from inspector_gui.core.pyramid import pyramid_gallery
from inspector_gui.core.types import KEEP, Scoring
from tests.drawn import picture

from .galleries import (
    Levels,
    concatenated,
    gallery_of,
    map_by_brute_force,
    ragged_levels,
    random_levels,
    some_inside,
)

SEEDS = st.integers(0, 2**32 - 1)


def gallery(rng: np.random.Generator, count: int, **shape: object) -> list[Levels]:
    return [random_levels(rng, **shape) for _ in range(count)]  # type: ignore[arg-type]


def as_list(references: list[Levels]) -> FeatureList:
    return FeatureList(tuple(Features(np.zeros(1, np.float32), levels) for levels in references))


def explained(query: Levels, references: list[Levels], place: tuple[int, int], kappa: int = 1):
    features = Features(np.zeros(1, np.float32), query)
    rows = range(len(references))
    return explain_place(features, as_list(references), rows, place, kappa=kappa)


@given(SEEDS, st.integers(1, 9), st.integers(1, 5), st.sampled_from([0.0, 30.0]), st.data())
@settings(deadline=None, max_examples=60)
def test_the_distance_of_a_place_is_that_of_brute_force(
    seed: int, count: int, kappa: int, offset: float, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    query, *references = gallery(rng, count + 1, offset=offset)
    side = query[0].shape[0]
    place = (data.draw(st.integers(0, side - 1)), data.draw(st.integers(0, side - 1)))
    found = explained(query, references, place, kappa)
    assert found.distance == pytest.approx(
        map_by_brute_force(query, references, kappa)[place], rel=1e-6
    )


@given(SEEDS, st.integers(2, 8), st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_what_is_usual_is_every_reference_against_the_others(
    seed: int, count: int, kappa: int
) -> None:
    rng = np.random.default_rng(seed)
    query, *references = gallery(rng, count + 1)
    usual = explained(query, references, (3, 5), kappa).usual
    left_out = [
        map_by_brute_force(levels, [*references[:n], *references[n + 1 :]], kappa)[3, 5]
        for n, levels in enumerate(references)
    ]
    assert usual is not None
    assert usual.count == count
    assert usual.median == pytest.approx(np.median(left_out), rel=1e-6)
    assert usual.high == pytest.approx(np.quantile(left_out, 0.95), rel=1e-6)


@given(SEEDS, st.integers(1, 6), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_padding_is_neither_explained_nor_an_explanation(
    seed: int, count: int, kappa: int, rows: int, columns: int
) -> None:
    rng = np.random.default_rng(seed)
    query, *references = (ragged_levels(rng, rows, columns) for _ in range(count + 1))
    inside, *insides = (some_inside(rng, 4 * rows, 4 * columns) for _ in range(count + 1))
    place = inside[0], inside[3] - 1
    items = [Features(np.zeros(1, np.float32), *of) for of in zip(references, insides, strict=True)]
    features = Features(np.zeros(1, np.float32), query, inside)
    found = explain_place(features, FeatureList(tuple(items)), range(count), place, kappa=kappa)
    expected = map_by_brute_force(query, references, kappa, inside=inside, insides=insides)
    assert found.distance == pytest.approx(expected[place], rel=1e-6)
    for match in found.matches:
        assert match.place is not None
        top, left, bottom, right = insides[match.row]
        assert top <= match.place[0] < bottom
        assert left <= match.place[1] < right
    left_out = []
    for n in range(count):
        others = [m for m in range(count) if m != n]
        if others:
            own = map_by_brute_force(
                references[n], [references[m] for m in others], kappa,
                inside=insides[n], insides=[insides[m] for m in others],
            )  # fmt: skip
            left_out.append(own[place])
    there = [value for value in left_out if not np.isnan(value)]
    if len(there) < 2:
        assert found.usual is None
    else:
        assert found.usual is not None
        assert found.usual.count == len(there)
        assert found.usual.median == pytest.approx(np.median(there), rel=1e-6)
    top, left, *_ = inside
    if top:
        with pytest.raises(ValueError, match="of a grid of"):
            explain_place(features, FeatureList(tuple(items)), range(count), (top - 1, left))


def test_matches_are_the_best_places_of_different_references_closest_first() -> None:
    rng = np.random.default_rng(4)
    query, *references = gallery(rng, 10)
    matches = explained(query, references, (2, 6)).matches
    one = concatenated(query)[2 * 8 + 6]
    best = []
    for row, levels in enumerate(references):
        distances = ((concatenated(levels) - one) ** 2).sum(axis=1)
        best.append((distances.min(), row, divmod(int(distances.argmin()), 8)))
    assert [(m.row, m.place) for m in matches] == [
        (row, place) for _, row, place in sorted(best)[: CANDIDATES + 1]
    ]
    assert matches[0].distance == pytest.approx(min(best)[0], rel=1e-6)


def test_levels_whose_sides_do_not_divide_are_upsampled_by_nearest() -> None:
    rng = np.random.default_rng(1)
    shapes = ((7, 10, 3), (4, 5, 4), (2, 3, 5))
    query, *references = (
        tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes) for _ in range(4)
    )
    found = explained(query, references, (6, 9))  # type: ignore[arg-type]
    here = np.concatenate([level[-1, -1] for level in query])
    there = [
        np.concatenate([lv[r * lv.shape[0] // 7, c * lv.shape[1] // 10] for lv in levels])
        for levels in references
        for r in range(7)
        for c in range(10)
    ]
    assert found.distance == pytest.approx(((np.stack(there) - here) ** 2).sum(1).min(), rel=1e-5)


def test_a_duplicate_counts_for_what_is_usual_and_a_place_without_spread_has_no_multiple() -> None:
    rng = np.random.default_rng(0)
    query, reference = gallery(rng, 2)
    found = explained(query, [reference] * 3, (0, 0))
    assert found.usual is not None
    assert found.usual.median == 0
    assert found.times_usual is None


def test_a_single_reference_says_nothing_about_what_is_usual() -> None:
    query, reference = gallery(np.random.default_rng(0), 2)
    found = explained(query, [reference], (0, 0))
    assert found.usual is None
    assert found.times_usual is None
    assert len(found.matches) == 1


@pytest.mark.parametrize("place", [(-1, 0), (8, 0), (0, 8)])
def test_a_place_outside_the_grid_is_refused(place: tuple[int, int]) -> None:
    query, reference = gallery(np.random.default_rng(0), 2)
    with pytest.raises(ValueError, match="of a grid of"):
        explained(query, [reference], place)


def test_a_place_without_references_is_refused() -> None:
    (query,) = gallery(np.random.default_rng(0), 1)
    with pytest.raises(ValueError, match="nothing to compare"):
        explained(query, [], (0, 0))


def test_many_references_are_compared_in_steps_and_a_sample_says_what_is_usual() -> None:
    rng = np.random.default_rng(3)
    query, *references = gallery(rng, 61, side=1)
    explainer = PlaceExplainer(
        Features(np.zeros(1, np.float32), query), as_list(references), range(60), (0, 0)
    )
    steps = [explainer.step() for _ in range(60)]
    assert steps[:-1] == [None] * 59
    assert steps[-1] is not None
    assert steps[-1].usual is not None
    assert steps[-1].usual.count == 32


def test_whole_pictures_have_their_nearest_references_and_what_is_usual_for_these() -> None:
    rng = np.random.default_rng(2)
    references = gallery_of([list(rng.normal(size=6)) for _ in range(30)])
    part = Features(rng.normal(size=6).astype(np.float32), random_levels(rng))
    found = explain_part(part, references, k=2)
    score, nearest = global_score(part, references, 2)
    assert found.distance == score
    assert [m.row for m in found.matches[:2]] == list(nearest)
    assert len(found.matches) == CANDIDATES + 1
    rows = references.nearest(part.pooled, 20)
    scores = [global_score(references.items[r], references, 2, exclude=r)[0] for r in rows]
    assert found.usual is not None
    assert found.usual.median == pytest.approx(np.median(scores))
    assert found.usual.count == 20


def test_two_references_are_enough_to_tell_and_one_has_no_usual() -> None:
    part = gallery_of([[0.0, 1.0]]).items[0]
    assert explain_part(part, gallery_of([[0.0, 0.0], [3.0, 0.0]]), k=2).usual is not None
    assert explain_part(part, gallery_of([[0.0, 0.0]]), k=2).usual is None


@pytest.mark.parametrize("border", [False, True])
def test_it_explains_the_very_value_of_the_map(border: bool, networks: Path, weights: Path) -> None:
    scoring = Scoring(size=96, border_weight=border, kappa=2)
    extractor = Extractor(scoring, weights_folder=weights, cache=networks)
    references = FeatureList(tuple(extractor.extract(picture(seed)) for seed in range(8)))
    part = extractor.extract(picture(70, defect="stain"))
    scores = make_method(scoring).score(part, references)
    assert scores.patches is not None
    hottest = np.unravel_index(int(scores.patches.argmax()), scores.patches.shape)
    for place in [(0, 0), (0, 23), (23, 23), (11, 4), (int(hottest[0]), int(hottest[1]))]:
        found = explain_place(part, references, scores.nearest, place, kappa=2)
        weight = 1.0
        if border:
            ordered = [references.levels(row) for row in range(8)]
            weight = float(border_weight(pyramid_gallery(ordered))[place])
        assert found.distance * weight == pytest.approx(float(scores.patches[place]), rel=1e-4)
    assert found.times_usual is not None
    assert found.times_usual > 1.5


def test_a_method_without_a_map_and_a_part_without_one_are_explained_as_a_whole() -> None:
    references = gallery_of([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    part = references.items[0]
    flat = Features(part.pooled, tuple(np.zeros((0, 0, 0), np.float32) for _ in range(3)))  # type: ignore[arg-type]
    spade = make_method(Scoring())
    place = explainer_of(spade, part, references, [0, 1], (0, 0))
    assert isinstance(place, PlaceExplainer)
    assert isinstance(explainer_of(spade, part, references, [0], None), PartExplainer)
    assert isinstance(explainer_of(spade, flat, references, [0], (0, 0)), PartExplainer)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60), st.integers(1, 60))
def test_a_point_of_the_picture_has_a_place_whose_cell_holds_it(
    right: float, down: float, rows: int, columns: int
) -> None:
    area = Box(10, 20, 300, 50)
    x, y = 10 + 300 * right, 20 + 50 * down
    found = place_at(x, y, area, (rows, columns))
    assert found is not None
    row, column = found
    assert 20 + 50 * row / rows <= y + 1e-6
    assert y <= 20 + 50 * (row + 1) / rows + 1e-6
    assert 10 + 300 * column / columns <= x + 1e-6
    assert x <= 10 + 300 * (column + 1) / columns + 1e-6


@pytest.mark.parametrize(("x", "y"), [(9.9, 30), (310.1, 30), (20, 19.9), (20, 70.1)])
def test_a_point_outside_of_what_was_inspected_has_no_place(x: float, y: float) -> None:
    assert place_at(x, y, Box(10, 20, 300, 50), (7, 7)) is None


def test_a_padded_input_is_larger_than_the_picture_and_its_cells_lie_where_they_show_it() -> None:
    scoring = Scoring(size=256, height=192, fit=KEEP)
    area = input_area(scoring, 96, 64)  # shown at 192 x 128 pixels, from pixel 64 on
    assert area == Box(-32, 0, 128, 96)
    assert place_at(0, 0, area, (48, 64)) == (0, 16)
    assert place_at(63.9, 95.9, area, (48, 64)) == (47, 47)
    assert square_of((0, 16), area, (48, 64)).centre == (1, 1)


def test_a_mark_is_centred_on_its_cell_in_the_picture() -> None:
    area = input_area(replace(Scoring(), size=256, crop=224), 512, 1024)
    assert area == Box(64, 32, 896, 448)
    box = square_of((0, 55), area, (56, 56))
    assert box.centre == (64 + 896 * 55.5 / 56, 32 + 448 * 0.5 / 56)
    assert (box.width, box.height) == (64, 32)
