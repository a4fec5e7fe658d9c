"""K = all references: the same bits as in one go, and never more laid out than there is room."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from inspector_gui.core import pyramid, pyramid_search
from inspector_gui.core.compiled import CompiledSearch
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.methods.base import leave_one_out
from inspector_gui.core.methods.dn2 import Dn2
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.pyramid import pyramid_gallery
from inspector_gui.core.pyramid_search import find_places
from inspector_gui.core.types import ALL_REFERENCES

from .galleries import map_by_brute_force, random_levels, some_inside

ALL = scoring_for("spade", k=ALL_REFERENCES, kappa=2, size=32, border_weight=False)


def gallery_of(count: int, *, side: int = 2, channels: tuple[int, int, int] = (3, 4, 5)):
    rng = np.random.default_rng(count)
    return FeatureList(
        tuple(
            Features(
                rng.normal(size=2).astype(np.float32),
                random_levels(rng, side=side, channels=channels),
            )
            for _ in range(count)
        )
    )


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for three references of `gallery_of` in compiled code, and for none in numpy."""
    room = 3 * sum(level.nbytes for level in gallery_of(1).levels(0)) + 1
    monkeypatch.setattr(pyramid_search, "MOST_BYTES", room)
    monkeypatch.setattr(pyramid, "MOST_BYTES", room)


def test_every_reference_is_compared_with() -> None:
    gallery = gallery_of(70)
    own = Features(np.zeros(2, np.float32), random_levels(np.random.default_rng(0)))
    scores = Spade(ALL).score(own, gallery)
    assert sorted(scores.nearest) == list(range(70))
    expected = map_by_brute_force(own.levels, [item.levels for item in gallery.items], kappa=2)
    assert scores.patches is not None
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-5)
    distances = (gallery.pooled.astype(float) ** 2).sum(axis=1)
    assert scores.stage1 == pytest.approx(distances.mean())
    assert Dn2(replace(ALL, method="dn2")).score(own, gallery).image == scores.stage1


@pytest.mark.parametrize("kappa", [1, 3, 100])
@pytest.mark.parametrize("skip", [None, 0, 3, 6])
def test_pieces_give_the_same_bits_as_the_whole(
    compiled: CompiledSearch, monkeypatch: pytest.MonkeyPatch, kappa: int, skip: int | None
) -> None:
    items = gallery_of(6).items
    gallery = pyramid_gallery([item.levels for item in (*items, items[1])])  # one is there twice
    query = items[4].levels
    whole = find_places(query, gallery, kappa=kappa, skip=skip)
    for references in (1, 2, 4):
        room = references * gallery.references[0].nbytes
        for search in (compiled, None):
            factor = 1 if search is not None else pyramid_search._PRODUCTS
            monkeypatch.setattr(pyramid_search, "MOST_BYTES", room * factor)
            found = find_places(query, gallery, kappa=kappa, skip=skip, compiled=search)
            np.testing.assert_array_equal(found.distances, whole.distances)
            np.testing.assert_array_equal(found.numbers, whole.numbers)


@pytest.mark.parametrize("kappa", [1, 3, 100])
@pytest.mark.parametrize("skip", [None, 0, 4])
def test_pieces_give_the_same_bits_where_pictures_are_padded(
    compiled: CompiledSearch, monkeypatch: pytest.MonkeyPatch, kappa: int, skip: int | None
) -> None:
    rng = np.random.default_rng(kappa)
    levels = [item.levels for item in gallery_of(5).items]
    insides = [some_inside(rng, 8, 8) for _ in levels]
    gallery, inside = pyramid_gallery(levels, insides), (0, 1, 6, 8)
    query = random_levels(rng)
    whole = find_places(query, gallery, inside=inside, kappa=kappa, skip=skip)
    others = [n for n in range(5) if n != skip]
    expected = map_by_brute_force(
        query, [levels[n] for n in others], kappa,
        inside=inside, insides=[insides[n] for n in others],
    )  # fmt: skip
    np.testing.assert_allclose(whole.map, expected, rtol=1e-6)
    for search in (compiled, None):
        factor = 1 if search is not None else pyramid_search._PRODUCTS
        room = 2 * gallery.references[0].nbytes
        monkeypatch.setattr(pyramid_search, "MOST_BYTES", room * factor)
        found = find_places(query, gallery, inside=inside, kappa=kappa, skip=skip, compiled=search)
        np.testing.assert_array_equal(found.distances, whole.distances)
        np.testing.assert_array_equal(found.numbers, whole.numbers)


@pytest.mark.usefixtures("little_room")
def test_a_search_that_is_stopped_between_pieces_says_nothing(compiled: CompiledSearch) -> None:
    gallery = gallery_of(12)
    places = pyramid_gallery([item.levels for item in gallery.items])
    for search in (compiled, None):
        asked = 0

        def should_stop() -> bool:
            nonlocal asked
            asked += 1
            return asked > 2

        found = find_places(
            gallery.levels(0), places, compiled=search, skip=0, should_stop=should_stop
        )
        assert (found.map == 0).all()
        assert (found.numbers == -1).all()


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("weights", ["raw", "scaled"])
def test_a_method_in_little_room_scores_as_in_plenty(
    monkeypatch: pytest.MonkeyPatch, weights: str
) -> None:
    gallery = gallery_of(9, side=8)
    scoring = replace(ALL, size=128, weights=weights, border_weight=True)
    tight = [leave_one_out(Spade(scoring), gallery, row) for row in range(3)]
    monkeypatch.undo()
    for row, scores in enumerate(tight):
        plenty = leave_one_out(Spade(scoring), gallery, row)
        assert scores.image == plenty.image
        np.testing.assert_array_equal(scores.patches, plenty.patches)


@pytest.mark.parametrize("weights", ["raw", "scaled"])
def test_memory_does_not_grow_with_the_references(
    compiled: CompiledSearch, monkeypatch: pytest.MonkeyPatch, weights: str
) -> None:
    peaks = []
    for count in (20, 60):
        gallery = gallery_of(count, side=6, channels=(24, 40, 112))
        each = sum(level.nbytes for level in gallery.levels(0))
        monkeypatch.setattr(pyramid_search, "MOST_BYTES", 10 * each)
        monkeypatch.setattr(pyramid, "MOST_BYTES", 10 * each)
        method = Spade(replace(ALL, size=96, weights=weights, border_weight=True))
        method._compiled.append(compiled)
        own = gallery.items[0]
        tracemalloc.start()
        method.score(own, gallery)
        method.score(own, gallery)
        peaks.append(tracemalloc.get_traced_memory()[1] / each)
        tracemalloc.stop()
    few, many = peaks
    assert few < 35
    assert many < few + 5
