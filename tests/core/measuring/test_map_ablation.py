from pathlib import Path

import pytest

from inspector_gui.core.errors import Cancelled
from inspector_gui.core.measuring.datasets import read_dataset
from inspector_gui.core.measuring.map_ablation import DRAWS, MapPoint, ablate_maps
from inspector_gui.core.types import Progress, Scoring
from tests.core.squares import SIDE, MeanColours, Memory, plain, save

SCORING = Scoring(size=SIDE, sigma=0.0, k=3, border_weight=False)
GREYS = range(40, 220, 18)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Squares of ten greys, each with a slightly brighter dot of one fine cell in defective ones.

    The nearest reference has a part's own grey; among a few drawn at random there is none like it.
    """
    root = tmp_path / "greys"
    for grey in GREYS:
        save(root / "train" / "good" / f"{grey}.png", plain(grey))
        save(root / "test" / "good" / f"{grey}.png", plain(grey + 1))
        image, mask = plain(grey + 1), plain(0)
        image[16:24, 8:16] += 9
        mask[16:24, 8:16] = 255
        save(root / "test" / "dot" / f"{grey}.png", image)
        save(root / "ground_truth" / "dot" / f"{grey}_mask.png", mask)
    return root


def points_of(folder: Path, *, seed: int = 0) -> tuple[list[MapPoint], tuple[str, ...]]:
    return ablate_maps(
        read_dataset(folder),
        scoring=SCORING,
        extractor=MeanColours(),  # type: ignore[arg-type]
        bank=Memory(),
        seed=seed,
    )


def chosen(points: list[MapPoint], ablation: str) -> list[MapPoint]:
    return [point for point in points if point.ablation == ablation]


def test_levels_are_measured_alone_and_together_and_k_nearest_and_at_random(folder: Path) -> None:
    points, _ = points_of(folder)
    assert [(p.levels, p.k) for p in chosen(points, "levels")] == [
        (levels, 3) for levels in ("1", "2", "3", "1,2", "1,3", "2,3", "1,2,3")
    ]
    assert [p.k for p in chosen(points, "nearest references")] == [1, 5, 10]
    assert [p.k for p in chosen(points, "random references")] == [1, 5]
    for point in points:
        draws = DRAWS if point.ablation == "random references" else 1
        assert all(len(areas) == draws for areas in point.areas.values())
        assert (point.spread("aupro") is None) == (draws == 1)


def test_nearest_references_beat_random_ones_where_parts_differ(folder: Path) -> None:
    points, _ = points_of(folder)
    nearest = {p.k: p for p in chosen(points, "nearest references")}
    for drawn in chosen(points, "random references"):
        for metric in ("image_auroc", "pixel_auroc", "aupro"):
            alike, others = nearest[drawn.k].mean(metric), drawn.mean(metric)
            assert alike is not None
            assert others is not None
            assert alike > others + 0.05
    assert nearest[1].mean("image_auroc") == 1


def test_the_finest_level_places_a_small_defect_best(folder: Path) -> None:
    points, _ = points_of(folder)
    found = {p.levels: p.mean("pixel_auroc") or 0 for p in chosen(points, "levels")}
    assert found["1"] > found["2"] > found["3"]


def test_the_seed_draws_the_random_references_and_nothing_else(folder: Path) -> None:
    first, again, other = (points_of(folder, seed=seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert chosen(first, "random references") != chosen(other, "random references")
    for ablation in ("levels", "nearest references"):
        assert chosen(first, ablation) == chosen(other, ablation)


def test_a_setting_that_two_ablations_share_is_measured_once(folder: Path) -> None:
    extractor = MeanColours()
    points, _ = ablate_maps(
        read_dataset(folder),
        scoring=Scoring(size=SIDE, sigma=0.0, k=5, border_weight=False),
        extractor=extractor,  # type: ignore[arg-type]
        bank=Memory(),
    )
    references, tests, settings = 10, 20, 7 + 2 + 2 * DRAWS  # K = 5 is known by its levels
    assert extractor.extracted == references + settings * tests
    together, shared = chosen(points, "levels")[-1], chosen(points, "nearest references")[1]
    assert together.areas == shared.areas


def test_what_cannot_be_read_is_left_out_and_named(folder: Path) -> None:
    (folder / "test" / "dot" / "torn.png").write_bytes(b"torn")
    _, unreadable = points_of(folder)
    (words,) = unreadable
    assert "torn.png" in words


def test_every_ablation_reports_to_its_end_and_can_be_stopped(folder: Path) -> None:
    seen: list[Progress] = []

    def measure(*, stop: bool) -> None:
        ablate_maps(
            read_dataset(folder),
            scoring=SCORING,
            extractor=MeanColours(),  # type: ignore[arg-type]
            bank=Memory(),
            report=seen.append,
            should_stop=lambda: stop,
        )

    measure(stop=False)
    ended = {p.what for p in seen if p.done == p.total}
    assert ended == {"references", "levels", "nearest references", "random references"}
    with pytest.raises(Cancelled):
        measure(stop=True)
