"""A large input in tiles: the same features, in memory that does not grow with it."""

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui import paths
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.preprocess import MIN_TILE, resize
from inspector_gui.core.tiles import MARGIN, spans
from inspector_gui.core.types import Scoring

from .photographs import shipped_picture

OPEN = Callable[[Scoring], Extractor]


@pytest.fixture
def extractor() -> OPEN:
    return lambda scoring: Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )


@given(st.integers(1, 256), st.integers(MIN_TILE // 32, 64))
def test_tiles_keep_every_pixel_once_and_away_from_borders_that_are_not_the_inputs(
    length: int, tile: int
) -> None:
    length, tile = 32 * length, 32 * tile
    found = spans(length, tile)
    assert found[0].first == 0
    assert found[-1].last == length
    for one, following in pairwise(found):
        assert one.last == following.first
        assert one.stop - one.last >= MARGIN
        assert following.first - following.start >= MARGIN
    for one in found:
        assert one.stop - one.start == min(tile, length)
        assert one.start % 32 == 0
        assert one.first % 16 == one.last % 16 == 0
        assert 0 <= one.start <= one.first < one.last <= one.stop <= length


def test_seams_between_tiles_do_not_show(extractor: OPEN) -> None:
    picture = resize(shipped_picture("coffee"), 768, 1280)
    scoring = Scoring(size=1280, height=768)
    whole = extractor(scoring).extract(picture)
    tiled = extractor(Scoring(size=1280, height=768, tiles=512)).extract(picture)
    assert differences(whole, tiled) == pytest.approx((0, 0, 0), abs=1e-3)


def test_without_enough_overlap_seams_would_show(
    extractor: OPEN, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector_gui.core.tiles.MARGIN", 32)
    picture = resize(shipped_picture("coffee"), 768, 768)
    whole = extractor(Scoring(size=768)).extract(picture)
    tiled = extractor(Scoring(size=768, tiles=512)).extract(picture)
    assert differences(whole, tiled)[2] > 1e-2


def differences(first: Features, second: Features) -> tuple[float, ...]:
    """Return for every level the largest distance of two places, in lengths of a feature."""
    return tuple(
        float(np.linalg.norm(a - b, axis=2).max() / np.linalg.norm(a, axis=2).mean())
        for a, b in zip(first.levels, second.levels, strict=True)
    )


_GROWTH = """
import sys
import numpy as np
from inspector_gui import paths
from inspector_gui.core.features import Extractor
from inspector_gui.core.measuring.memory import peak_rss_mb, reset_peak_memory
from inspector_gui.core.types import Scoring

side = int(sys.argv[1])
extractor = Extractor(
    Scoring(size=side, tiles=512), weights_folder=paths.weights_folder(),
    cache=paths.networks_folder(),
)
extractor.extract(np.zeros((64, 64, 3), np.uint8))
features = extractor.extract(np.zeros((64, 64, 3), np.uint8))
mine = sum(level.nbytes for level in features.levels) / 1e6 + side * side * 3 / 1e6
print(peak_rss_mb(), mine)
"""


@pytest.mark.slow
def test_memory_is_that_of_a_tile_and_of_what_is_returned() -> None:
    """Four times the pixels cost the larger features and picture (twice: laid out anew)."""
    peaks = []
    for side in (1024, 2048):
        command = [sys.executable, "-c", _GROWTH, str(side)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append([float(word) for word in done.stdout.split()])
    (small, small_own), (large, large_own) = peaks
    assert large - small < 3 * (large_own - small_own)
