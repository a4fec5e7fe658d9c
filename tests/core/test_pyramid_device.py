"""The search on a device, run by torch on the CPU: the same bits as the others, in any chunks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core import pyramid_device
from inspector_gui.core.compiled import CompiledSearch
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, FeatureList, Features
from inspector_gui.core.methods import spade
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.pyramid import pyramid_gallery
from inspector_gui.core.pyramid_device import DeviceSearch
from inspector_gui.core.pyramid_search import find_places
from inspector_gui.core.types import Scoring

from .galleries import (
    Levels,
    gallery_of,
    map_by_brute_force,
    ragged_levels,
    random_levels,
    some_inside,
)
from .photographs import dataset_pictures

SEEDS = st.integers(0, 2**32 - 1)
LITTLE = 1_000_000
"""Bytes in which the galleries here are searched in many pieces, cells and pairs."""


def assert_exact(
    query: Levels,
    references: list[Levels],
    *,
    kappa: int = 1,
    skip: int | None = None,
    budget: int = 10**9,
) -> None:
    gallery = pyramid_gallery(references)
    device = DeviceSearch("cpu", budget=budget)
    found = find_places(query, gallery, kappa=kappa, skip=skip, device=device)
    wanted = find_places(query, gallery, kappa=kappa, skip=skip)
    np.testing.assert_array_equal(found.distances, wanted.distances)
    np.testing.assert_array_equal(found.numbers, wanted.numbers)
    assert device.budget == budget


@given(SEEDS, st.integers(1, 5), st.integers(1, 3), st.sampled_from([1, 2, 5, 40]))
@settings(deadline=None, max_examples=60)
def test_a_device_finds_the_same_places_with_the_same_bits(
    seed: int, count: int, side: int, kappa: int
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng, side=side) for _ in range(count)]
    query = random_levels(rng, side=side)
    for budget in (10**9, LITTLE):
        assert_exact(query, references, kappa=kappa, budget=budget)


def test_the_map_equals_brute_force() -> None:
    rng = np.random.default_rng(1)
    references = [random_levels(rng, side=4) for _ in range(4)]
    query = random_levels(rng, side=4)
    for kappa in (1, 3, 4 * 16 * 16):
        found = find_places(
            query, pyramid_gallery(references), kappa=kappa, device=DeviceSearch("cpu")
        )
        expected = map_by_brute_force(query, references, kappa)
        np.testing.assert_allclose(found.map, expected, rtol=1e-6)


@given(SEEDS, st.tuples(*[st.sampled_from([0.0, 1e-3, 1.0, 30.0])] * 3))
@settings(deadline=None, max_examples=40)
def test_a_device_is_exact_whichever_level_dominates(
    seed: int, scales: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng, scales=scales) for _ in range(3)]
    assert_exact(random_levels(rng, scales=scales), references, kappa=2, budget=LITTLE)


@pytest.mark.parametrize("offset", [10.0, 1000.0])
@pytest.mark.parametrize("precision", ["highest", "high"])
def test_a_device_is_exact_far_from_the_origin_and_where_it_may_round_more(
    offset: float, precision: str
) -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        for seed in range(3):
            rng = np.random.default_rng(seed)
            shape = {"side": 3, "channels": (24, 40, 112), "offset": offset}
            references = [random_levels(rng, **shape) for _ in range(3)]  # type: ignore[arg-type]
            assert_exact(random_levels(rng, **shape), references)  # type: ignore[arg-type]
    finally:
        torch.set_float32_matmul_precision(before)


def test_references_that_hardly_differ_and_ties_are_told_apart_as_elsewhere() -> None:
    rng = np.random.default_rng(3)
    base = random_levels(rng, side=2, channels=(24, 40, 112), scales=(3, 3, 3))
    references: list[Levels] = []
    for _ in range(4):
        noise = random_levels(rng, side=2, channels=(24, 40, 112), scales=(1e-3,) * 3)
        references.append((base[0] + noise[0], base[1] + noise[1], base[2] + noise[2]))
    for kappa in (1, 3):
        assert_exact(base, references, kappa=kappa)
        assert_exact(base, [references[0], base, base, references[1]], kappa=kappa)
    same: Levels = (
        np.full((8, 8, 3), 7, np.float32),
        np.full((4, 4, 4), 7, np.float32),
        np.full((2, 2, 5), 7, np.float32),
    )
    assert_exact(same, [same, same])


@pytest.mark.parametrize("skip", [0, 2, 4])
@pytest.mark.parametrize("budget", [10**9, LITTLE])
def test_a_reference_that_is_left_out_does_not_count_on_a_device(skip: int, budget: int) -> None:
    rng = np.random.default_rng(4)
    references = [random_levels(rng, side=3) for _ in range(5)]
    assert_exact(references[skip], references, skip=skip, kappa=2, budget=budget)


@given(SEEDS, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 2, 30]))
@settings(deadline=None, max_examples=60)
def test_padding_is_neither_searched_for_nor_found_on_a_device(
    seed: int, count: int, rows: int, columns: int, kappa: int
) -> None:
    rng = np.random.default_rng(seed)
    query, *references = (ragged_levels(rng, rows, columns) for _ in range(count + 1))
    insides = [some_inside(rng, 4 * rows, 4 * columns) for _ in range(count)]
    gallery = pyramid_gallery(references, insides)
    skip = 0 if count > 1 else None
    for inside in (None, some_inside(rng, 4 * rows, 4 * columns)):
        for budget in (10**9, LITTLE):
            found = find_places(
                query, gallery, inside=inside, kappa=kappa, skip=skip,
                device=DeviceSearch("cpu", budget=budget),
            )  # fmt: skip
            wanted = find_places(query, gallery, inside=inside, kappa=kappa, skip=skip)
            np.testing.assert_array_equal(found.distances, wanted.distances)
            np.testing.assert_array_equal(found.numbers, wanted.numbers)


@pytest.mark.parametrize("grid", [(1, 5), (5, 3), (7, 7)])
@pytest.mark.parametrize("channels", [(3, 4, 5), (24, 40, 112), (1, 2, 9)])
def test_a_device_takes_any_grid_and_any_number_of_channels(
    grid: tuple[int, int], channels: tuple[int, int, int]
) -> None:
    rng = np.random.default_rng(5)
    query, *references = (ragged_levels(rng, *grid, channels=channels) for _ in range(4))
    assert_exact(query, references, kappa=2)


@given(SEEDS, st.sampled_from([1, 3]), st.tuples(*[st.integers(1, 9)] * 3), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_chunks_of_any_size_give_the_same_bits(
    seed: int, kappa: int, chunks: tuple[int, int, int], held: int
) -> None:
    rng = np.random.default_rng(seed)
    references = [random_levels(rng) for _ in range(4)]
    each = sum(level.nbytes for level in references[0])
    with pytest.MonkeyPatch.context() as patch:
        plan = pyramid_device._Plan(*chunks, reference_bytes=held * each)
        patch.setattr(pyramid_device, "_plan", lambda *_: plan)
        assert_exact(random_levels(rng), references, kappa=kappa, skip=seed % 4)


@pytest.mark.parametrize("budget", [3_000_000, 10_000_000, 10**9])
def test_what_is_planned_fits_into_the_budget(budget: int) -> None:
    rng = np.random.default_rng(6)
    gallery = pyramid_gallery(
        [random_levels(rng, side=14, channels=(24, 40, 112)) for _ in range(3)]
    )
    each = gallery.references[0].nbytes
    plan = pyramid_device._plan(budget, gallery.shape, each, 50)
    assert plan is not None
    assert plan.reference_bytes >= each
    held = min(50, plan.reference_bytes // each)
    lines = 12 * plan.cells * held * gallery.shape.cells  # coarse distances, and their comparison
    middle = plan.cells * min(plan.columns, held * gallery.shape.cells) * 16 * (4 + 4 + 1 + 32)
    fine = plan.pairs * (2 * 4 * 24 * 4 + 16 * (4 + 24 + 4 + 8 + 8))
    assert held * each + lines + middle + fine <= budget
    least = pyramid_device._plan(budget // 1000, gallery.shape, each, 50)
    assert (least is None) == (budget // 1000 < 3 * each)


def test_the_budget_is_halved_until_what_is_asked_for_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(7)
    references = [random_levels(rng, side=5) for _ in range(6)]
    query = random_levels(rng, side=5)
    gallery = pyramid_gallery(references)
    wanted = find_places(query, gallery)
    fine, free = torch.Tensor.baddbmm, 1000
    refused = []

    def in_little_memory(*given: torch.Tensor, **options: Any) -> torch.Tensor:
        if given[0].numel() > 16 * free:
            refused.append(given[0].numel())
            raise torch.OutOfMemoryError("CUDA out of memory")
        return fine(*given, **options)

    monkeypatch.setattr(torch.Tensor, "baddbmm", in_little_memory)
    device = DeviceSearch("cpu", budget=32_000_000)
    found = find_places(query, gallery, device=device)
    assert refused
    assert device.budget < 32_000_000
    np.testing.assert_array_equal(found.distances, wanted.distances)
    np.testing.assert_array_equal(found.numbers, wanted.numbers)
    free = 0
    with pytest.raises(KnownError, match="too little free memory"):
        find_places(query, gallery, device=device)


def test_an_error_that_is_not_of_memory_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(torch.Tensor, "baddbmm", broken)
    rng = np.random.default_rng(8)
    with pytest.raises(RuntimeError, match="illegal"):
        find_places(
            random_levels(rng), pyramid_gallery([random_levels(rng)]), device=DeviceSearch("cpu")
        )


def test_a_search_on_a_device_stops_when_it_is_asked_to() -> None:
    rng = np.random.default_rng(9)
    gallery = pyramid_gallery([random_levels(rng, side=8)])
    device = DeviceSearch("cpu")
    asked = iter([False, True])
    found = find_places(
        random_levels(rng, side=8), gallery, device=device, should_stop=lambda: next(asked)
    )
    assert (found.map == 0).all()
    assert (found.numbers == -1).all()


def test_another_gallery_is_not_taken_for_the_one_on_the_device() -> None:
    rng = np.random.default_rng(10)
    device, query = DeviceSearch("cpu"), random_levels(rng)
    for _ in range(3):
        references = [random_levels(rng, offset=rng.normal()) for _ in range(3)]
        gallery = pyramid_gallery(references)
        for _ in range(2):
            found = find_places(query, gallery, device=device)
            np.testing.assert_array_equal(found.distances, find_places(query, gallery).distances)


@pytest.mark.parametrize(
    ("runtime", "kind", "is_used"),
    [
        ("torch", "cuda", True),
        ("torch", "", False),
        ("torch", "mps", False),
        ("openvino", "cuda", False),
    ],
)
def test_a_recipe_that_runs_on_cuda_searches_there(
    monkeypatch: pytest.MonkeyPatch, runtime: str, kind: str, is_used: bool
) -> None:
    devices: list[tuple[str, int]] = []

    def on_the_cpu(device: str, scales: int) -> DeviceSearch:
        devices.append((device, scales))
        return DeviceSearch("cpu")

    monkeypatch.setattr(spade, "gpu_kind", lambda: kind)
    monkeypatch.setattr(spade, "_search_on", on_the_cpu)
    gallery = gallery_of([[0, 0], [1, 0], [2, 0]])
    own = gallery_of([[0, 1]], seed=5).items[0]
    method = Spade(Scoring(size=32, runtime=runtime))
    scores = [method.score(own, gallery) for _ in range(2)]
    assert devices == [("cuda", 1)] * is_used
    monkeypatch.setattr(spade, "gpu_kind", lambda: "")
    plain = Spade(Scoring(size=32)).score(own, gallery)
    assert plain.patches is not None
    for found in scores:
        assert found.image == plain.image
        np.testing.assert_array_equal(found.patches, plain.patches)


def test_two_scales_keep_a_gallery_each_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[DeviceSearch] = []

    def on_the_cpu(device: str, scales: int) -> DeviceSearch:
        assert (device, scales) == ("cuda", 2)
        searches.append(DeviceSearch("cpu"))
        return searches[-1]

    rng = np.random.default_rng(3)
    items = [
        Features(
            rng.random(4, dtype=np.float32),
            (
                rng.random((16, 16, 3), dtype=np.float32),
                rng.random((8, 8, 4), dtype=np.float32),
                rng.random((4, 4, 5), dtype=np.float32),
            ),
        )
        for _ in range(4)
    ]
    gallery = FeatureList(tuple(items[:3]))
    plain = Spade(Scoring(size=64, scales=2)).score(items[3], gallery)
    monkeypatch.setattr(spade, "gpu_kind", lambda: "cuda")
    monkeypatch.setattr(spade, "_search_on", on_the_cpu)
    method = Spade(Scoring(size=64, scales=2, runtime="torch"))
    found = [method.score(items[3], gallery) for _ in range(2)]
    assert len(searches) == 2
    assert plain.patches is not None
    for one in found:
        np.testing.assert_array_equal(one.patches, plain.patches)


def test_real_photographs_have_the_same_map_on_a_device(
    compiled: CompiledSearch, weights: Path, networks: Path
) -> None:
    extractor = Extractor(Scoring(), weights_folder=weights, cache=networks)
    references = [
        extractor.extract(picture).levels
        for picture in dataset_pictures("hazelnut_toy", "train/good", 8)
    ]
    (stained,) = dataset_pictures("hazelnut_toy", "test/colour", 1)
    part = extractor.extract(stained).levels
    gallery = pyramid_gallery(references)
    for kappa in (1, 3):
        wanted = find_places(part, gallery, kappa=kappa, compiled=compiled)
        for budget in (10**9, 30_000_000):
            device = DeviceSearch("cpu", budget=budget)
            found = find_places(part, gallery, kappa=kappa, device=device)
            np.testing.assert_array_equal(found.distances, wanted.distances)
            np.testing.assert_array_equal(found.numbers, wanted.numbers)
