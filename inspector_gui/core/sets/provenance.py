"""What pictures of a set have in common besides their parts: their size, where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from inspector_gui.core.types import ReferenceImage

if TYPE_CHECKING:  # the window reads the results, and must not load what searches
    from inspector_gui.core.sets.table import Listed

SAME_SHAPE = 1.02
"""Aspect ratios that differ by less count as one shape."""

Doubles = npt.NDArray[np.float64]

_NEIGHBOURS = 3
_LEAST_OF_ORIGIN = 5
_PERMUTATIONS = 99
_CLEAR_EXCESS = 0.25


@dataclass(frozen=True)
class Size:
    """How many pictures have a size in pixels."""

    width: int
    height: int
    count: int


@dataclass(frozen=True)
class Origin:
    """How many references came from one place; `is_apart` where their features show it.

    `together`: the share of its pictures' nearest references that came from there as well, and
    `expected`: what it would be if the place made no difference.
    """

    name: str
    count: int
    is_apart: bool = False
    together: float = 0.0
    expected: float = 0.0


def sizes_of(images: Iterable[ReferenceImage]) -> tuple[Size, ...]:
    """Return the known sizes of pictures, the commonest first."""
    counts = Counter((i.width, i.height) for i in images if i.width > 0 and i.height > 0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Size(width, height, count) for (width, height), count in ordered)


def mixed_sizes(sizes: Sequence[Size]) -> Iterator[str]:
    """Say that sizes are mixed, once however many there are.

    Pictures are resized to one square: another size changes fine detail, another aspect ratio
    (by more than 2 %) the shape of a part as well.
    """
    if len(sizes) < 2:
        return
    ratios = [size.width / size.height for size in sizes]
    most = sizes[0]
    common = f"{most.width} x {most.height} the commonest with {most.count}"
    if max(ratios) <= SAME_SHAPE * min(ratios):
        yield f"The pictures have {len(sizes)} sizes ({common}); take all with the same setting."
    else:
        yield (
            f"The pictures have {len(sizes)} sizes and different shapes ({common}), so parts are "
            "stretched differently; crop all pictures alike if you can."
        )


def origins_of(by_hash: Mapping[str, ReferenceImage], listed: Listed) -> tuple[Origin, ...]:
    """Return where references came from, the commonest first, and which are apart.

    A place is apart if its pictures' three nearest references come from the same place more often
    than in any of 99 random exchanges of the places' names (a nearest-neighbour test, Schilling
    1986), and by a quarter of all neighbours at least. Places with fewer than five pictures are
    only counted.
    """
    counts = Counter(image.origin for image in by_hash.values() if image.origin)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    numbers = {name: number for number, (name, _) in enumerate(ordered)}
    of_key = (by_hash[key].origin if key in by_hash else "" for key in listed.keys)
    labels = np.array([numbers.get(origin, -1) for origin in of_key], np.int64)
    together = _together(labels, listed.rows[:, :_NEIGHBOURS], len(ordered))
    expected = [max(count - 1, 0) / max(len(labels) - 1, 1) for _, count in ordered]
    random = np.random.default_rng(0)
    by_chance = np.zeros(len(ordered))
    if len(ordered) > 1:
        for _ in range(_PERMUTATIONS):
            shuffled = random.permutation(labels)
            found = _together(shuffled, listed.rows[:, :_NEIGHBOURS], len(ordered))
            by_chance = np.maximum(by_chance, found)
    return tuple(
        Origin(
            name,
            count,
            is_apart=len(ordered) > 1
            and count >= _LEAST_OF_ORIGIN
            and bool(together[n] > by_chance[n])
            and bool(together[n] >= expected[n] + _CLEAR_EXCESS),
            together=float(together[n]),
            expected=expected[n],
        )
        for n, (name, count) in enumerate(ordered)
    )


def mixed_origins(origins: Sequence[Origin]) -> Iterator[str]:
    """Say which places have pictures that look different from the others."""
    apart = [origin.name for origin in origins if origin.is_apart]
    if apart:
        names = ", ".join(apart[:3]) + (f" and {len(apart) - 3} more" if len(apart) > 3 else "")
        yield (
            f"Pictures from {names} look different from the others; check that camera, light and "
            "kind of part are the same, or keep them in a set of their own."
        )


def _together(labels: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], count: int) -> Doubles:
    """Return, for each label, the share of neighbours (N x n, -1: none) that have it, too."""
    is_there = (rows >= 0) & (labels >= 0)[:, None]
    same = (labels[rows] == labels[:, None]) & is_there
    known = np.maximum(labels, 0)
    agree = np.bincount(known, weights=same.sum(axis=1), minlength=count)[:count]
    pairs = np.bincount(known, weights=is_there.sum(axis=1), minlength=count)[:count]
    return agree / np.maximum(pairs, 1)
