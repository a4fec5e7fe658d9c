"""The demonstration's seeded plan: good references, then a mixed stream; and MVTec folders."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.parts import DrawnPart, defects_for, draw_part

Size = int | tuple[int, int]

# Every plan owns a block of part seeds; references and stream take separate halves of it.
PLAN_BLOCK = 1_000_000
STREAM_START = PLAN_BLOCK // 2
FIRST_DEFECT_WITHIN = 4


@dataclass(frozen=True)
class StreamPart:
    """One part of the demonstration stream and the file name it would have."""

    name: str
    part: DrawnPart


def demo_references(
    kind: str, *, count: int = 30, seed: int = 0, size: Size = 512
) -> Iterator[DrawnPart]:
    """Draw `count` good parts to learn from."""
    _check(kind, count, seed)
    return (demo_reference(kind, k, seed=seed, size=size) for k in range(count))


def demo_reference(kind: str, number: int, *, seed: int = 0, size: Size = 512) -> DrawnPart:
    """Draw one of the good parts to learn from."""
    return draw_part(kind, seed=seed * PLAN_BLOCK + number, size=size)


def demo_stream(
    kind: str, *, count: int = 72, seed: int = 0, size: Size = 512
) -> Iterator[StreamPart]:
    """Draw `count` parts of which a third is defective, an early one among the first four."""
    _check(kind, count, seed)
    start = seed * PLAN_BLOCK + STREAM_START
    return (
        StreamPart(f"{kind}-{k:04d}.png", draw_part(kind, seed=start + k, size=size, defect=defect))
        for k, defect in enumerate(_plan(kind, count, seed))
    )


def _check(kind: str, count: int, seed: int) -> None:
    defects_for(kind)
    if not 0 <= count <= STREAM_START:
        raise ValueError(f"The count must be 0 to {STREAM_START}, but it is {count}.")
    if seed < 0:
        raise ValueError(f"The seed must not be negative, but it is {seed}.")


def _plan(kind: str, count: int, seed: int) -> list[str | None]:
    """Say for every part of the stream which defect it has, None for a good one."""
    rng = np.random.default_rng([seed, count])
    kinds = defects_for(kind)
    plan: list[str | None] = [None] * count
    places = np.sort(rng.permutation(count)[: round(count / 3)])
    if len(places) and places[0] >= FIRST_DEFECT_WITHIN:
        places[0] = int(rng.integers(min(FIRST_DEFECT_WITHIN, count)))
    for index, place in enumerate(places.tolist()):
        plan[place] = kinds[index % len(kinds)]
    return plan


def write_mvtec(
    folder: Path,
    kind: str,
    *,
    n_train: int,
    n_test_good: int,
    n_test_bad: int,
    seed: int = 0,
    size: Size = 512,
) -> None:
    """Write parts in the MVTec layout; `folder` must not exist, or be empty, and appears whole.

    The bad parts are shared out evenly over the kind's defects.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"The folder {folder} already holds something.")
    _check(kind, max(n_train, n_test_good + n_test_bad), seed)
    if min(n_train, n_test_good, n_test_bad) < 0:
        raise ValueError("The numbers of parts must not be negative.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_parts(partial, kind, (n_train, n_test_good, n_test_bad), seed, size)
        partial.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _write_parts(
    folder: Path, kind: str, counts: tuple[int, int, int], seed: int, size: Size
) -> None:
    n_train, n_good, n_bad = counts
    start = seed * PLAN_BLOCK
    for k in range(n_train):
        part = draw_part(kind, seed=start + k, size=size)
        _save(folder / "train" / "good" / f"{k:03d}.png", _bgr(part))
    for k in range(n_good):
        part = draw_part(kind, seed=start + STREAM_START + k, size=size)
        _save(folder / "test" / "good" / f"{k:03d}.png", _bgr(part))
    kinds = defects_for(kind)
    for k in range(n_bad):
        defect, stem = kinds[k % len(kinds)], f"{k // len(kinds):03d}"
        part = draw_part(kind, seed=start + STREAM_START + n_good + k, size=size, defect=defect)
        _save(folder / "test" / defect / f"{stem}.png", _bgr(part))
        mask = part.mask.astype(np.uint8) * np.uint8(255)
        _save(folder / "ground_truth" / defect / f"{stem}_mask.png", mask)


def _bgr(part: DrawnPart) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(part.image[:, :, ::-1])


def _save(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written, data = cv2.imencode(".png", pixels)
    if not written:
        raise OSError(f"The picture {path} could not be encoded.")
    # Python's own writing, unlike OpenCV's, takes any folder name on any system.
    path.write_bytes(data.tobytes())
