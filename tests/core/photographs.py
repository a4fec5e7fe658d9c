"""Real photographs: those that scikit-image ships, and the data sets beside the project."""

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from inspector_gui.core.images import read_image
from inspector_gui.core.types import RGB

_BESIDE_THE_PROJECT = Path(__file__).parents[2].parent / "shared" / "data"


def shipped_picture(name: str) -> RGB:
    """Return a picture that scikit-image ships ("coffee", "chelsea", "coins", ...)."""
    return np.asarray(getattr(skimage.data, name)(), np.uint8)


def dataset_pictures(name: str, part: str, count: int) -> list[RGB]:
    """Return some photographs of a data set, spread evenly; skips the test without them."""
    root = Path(os.environ.get("INSPECTOR_TEST_DATA", _BESIDE_THE_PROJECT))
    paths = sorted((root / name / part).glob("*.*"))
    if not paths:
        pytest.skip(f"no photographs in {root / name / part}; set INSPECTOR_TEST_DATA")
    return [read_image(p) for p in paths[:: max(1, len(paths) // count)][:count]]
