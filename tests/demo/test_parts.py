"""The drawn parts, their masks, the demonstration's plan and the folders it writes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.opencv import cv2
from inspector_gui.demo import stream
from inspector_gui.demo.parts import DEFECT_KINDS, PART_KINDS, defects_for, draw_part
from inspector_gui.demo.stream import demo_references, demo_stream, write_mvtec

PAIRS = [(kind, defect) for kind in PART_KINDS for defect in defects_for(kind)]


def test_enough_kinds_and_defects() -> None:
    assert len(PART_KINDS) >= 10
    assert len(DEFECT_KINDS) >= 6
    assert all(len(defects_for(kind)) >= 4 for kind in PART_KINDS)
    assert {defect for _, defect in PAIRS} == set(DEFECT_KINDS)


@pytest.mark.parametrize("kind", PART_KINDS)
def test_same_arguments_give_the_same_bits(kind: str) -> None:
    defect = defects_for(kind)[0]
    state = np.random.get_state()[1].copy()  # type: ignore[index]
    first = draw_part(kind, seed=5, size=128, defect=defect)
    draw_part(kind, seed=6, size=128)
    again = draw_part(kind, seed=5, size=128, defect=defect)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert np.array_equal(state, np.random.get_state()[1])  # type: ignore[index]


@pytest.mark.parametrize("kind", PART_KINDS)
def test_seeds_vary_a_good_part_only_a_little(kind: str) -> None:
    images = [draw_part(kind, seed=seed, size=128).image.astype(float) for seed in range(4)]
    for first, second in pairwise(images):
        assert np.abs(first - second).mean() > 1.0
        assert abs(first.mean() - second.mean()) < 12


@pytest.mark.parametrize(("kind", "defect"), PAIRS)
def test_defect_lies_on_the_mask_and_nowhere_else(kind: str, defect: str) -> None:
    good = draw_part(kind, seed=11, size=256)
    bad = draw_part(kind, seed=11, size=256, defect=defect)
    assert (bad.kind, bad.defect, good.defect) == (kind, defect, None)
    assert not good.mask.any()
    assert 0.001 <= bad.mask.mean() <= 0.10
    change = np.abs(bad.image.astype(int) - good.image.astype(int)).max(axis=2)
    near = cv2.dilate(bad.mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert change[~near].max() == 0
    assert np.percentile(change[bad.mask], 75) > 15


@pytest.mark.parametrize(("kind", "defect"), PAIRS)
def test_defect_is_found_whatever_the_seed(kind: str, defect: str) -> None:
    for seed in (1, 2):
        assert 0.001 <= draw_part(kind, seed=seed, size=128, defect=defect).mask.mean() <= 0.12


@pytest.mark.parametrize("size", [64, (64, 300), (300, 100), (150, 450), (97, 131)])
@pytest.mark.parametrize("kind", PART_KINDS)
def test_any_size_is_drawn(kind: str, size: int | tuple[int, int]) -> None:
    shape = (size, size) if isinstance(size, int) else size
    part = draw_part(kind, seed=3, size=size, defect=defects_for(kind)[0])
    assert part.image.shape == (*shape, 3)
    assert part.image.dtype == np.uint8
    assert part.mask.shape == shape
    assert part.mask.dtype == np.bool_
    assert part.mask.any()
    assert part.image.std() > 4


def test_a_round_part_stays_round_in_a_long_frame() -> None:
    image = draw_part("washer", seed=2, size=(160, 480)).image
    rows, columns = np.nonzero(image[:, :, 1] > 110)
    height, width = np.ptp(rows), np.ptp(columns)
    assert 0.9 < width / height < 1.1
    assert height > 0.6 * 160


@pytest.mark.parametrize(
    ("kind", "seed", "size", "defect", "said"),
    [
        ("spoon", 0, 128, None, "no part kind 'spoon'"),
        ("washer", 0, 128, "sneeze", "no defect called 'sneeze'"),
        ("washer", 0, 128, "pulled_thread", "no defect called 'pulled_thread'"),
        ("washer", 0, 63, None, "64 to 2048"),
        ("washer", 0, (128, 2049), None, "64 to 2048"),
        ("washer", -1, 128, None, "must not be negative"),
    ],
)
def test_wrong_arguments_are_refused(
    kind: str, seed: int, size: int | tuple[int, int], defect: str | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        draw_part(kind, seed=seed, size=size, defect=defect)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [1, 2, 5, 24])
def test_stream_has_a_third_defective_and_one_early(count: int, seed: int) -> None:
    plan = [item.part.defect for item in demo_stream("washer", count=count, seed=seed, size=64)]
    bad = [place for place, defect in enumerate(plan) if defect is not None]
    assert len(plan) == count
    assert len(bad) == round(count / 3)
    if bad:
        assert bad[0] < 4


def test_stream_shares_defects_out_evenly_and_names_parts() -> None:
    items = list(demo_stream("gear", count=45, seed=1, size=64))
    counts = Counter(item.part.defect for item in items if item.part.defect is not None)
    assert set(counts) == set(defects_for("gear"))
    assert max(counts.values()) - min(counts.values()) <= 1
    assert [item.name for item in items[:2]] == ["gear-0000.png", "gear-0001.png"]
    orders = [[item.part.defect for item in demo_stream("gear", seed=s, size=64)] for s in (1, 2)]
    assert orders[0] != orders[1]


def test_stream_shares_no_seed_with_references(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(stream, "draw_part", lambda kind, *, seed, **_: seeds.append(seed))
    for plan_seed in (0, 1):
        list(demo_references("washer", count=200, seed=plan_seed))
        list(demo_stream("washer", count=200, seed=plan_seed))
    assert len(seeds) == 800
    assert len(set(seeds)) == 800


def test_references_are_good() -> None:
    parts = list(demo_references("bottle_cap", count=3, seed=4, size=64))
    assert [part.defect for part in parts] == [None] * 3
    with pytest.raises(ValueError, match="no part kind"):
        demo_references("spoon")


def test_written_folder_has_the_mvtec_layout(tmp_path: Path) -> None:
    folder = tmp_path / "parts" / "gasket"
    write_mvtec(folder, "gasket", n_train=3, n_test_good=2, n_test_bad=7, seed=1, size=(64, 96))
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    assert len([name for name in written if name.startswith("train/good/")]) == 3
    assert len([name for name in written if name.startswith("test/good/")]) == 2
    bad = [path for path in (folder / "test").rglob("*.png") if path.parent.name != "good"]
    assert len(bad) == 7
    assert {path.parent.name for path in bad} <= set(defects_for("gasket"))
    for path in bad:
        mask_path = folder / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
        mask = cv2.imread(str(mask_path), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        assert mask.shape == (64, 96)
        assert set(np.unique(mask)) == {0, 255}
    assert [path.name for path in folder.parent.iterdir()] == ["gasket"]
    drawn = draw_part("gasket", seed=stream.PLAN_BLOCK, size=(64, 96)).image
    saved = cv2.imread(str(folder / "train" / "good" / "000.png"))
    assert saved is not None
    assert np.array_equal(saved[:, :, ::-1], drawn)


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("The disk is full.")

    monkeypatch.setattr(stream, "_bgr", fail)
    with pytest.raises(OSError, match="disk is full"):
        write_mvtec(tmp_path / "out", "gear", n_train=1, n_test_good=0, n_test_bad=0, size=64)
    assert list(tmp_path.iterdir()) == []


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(ValueError, match="already holds"):
        write_mvtec(tmp_path, "gear", n_train=1, n_test_good=0, n_test_bad=0, size=64)
    assert (tmp_path / "kept.txt").read_text() == "mine"
