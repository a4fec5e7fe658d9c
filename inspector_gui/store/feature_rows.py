"""How the features of pictures lie in files: a row in each of three, and one that says how wide.

Feature folders (`features_cache`) and bundles have the same files.
"""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, FeatureShape
from inspector_gui.store.picture_rows import HASH_BYTES

FLOAT = np.dtype("<f4")
POOLED, LEVELS, HASHES, META = "pooled.f32", "levels.f32", "hashes.bin", "meta.json"
_FORMAT = 1


def files_of(shape: FeatureShape) -> tuple[str, ...]:
    """Return the files in the order in which a row is written to them; the hash makes it count."""
    return (LEVELS, POOLED, HASHES) if shape.levels else (POOLED, HASHES)


def columns_of(shape: FeatureShape, name: str) -> int:
    """Return how many values a row of a file has."""
    if name == HASHES:
        return HASH_BYTES
    return shape.pooled if name == POOLED else shape.values - shape.pooled


def row_bytes(shape: FeatureShape, name: str) -> int:
    """Return how many bytes a row of a file has."""
    return columns_of(shape, name) * (1 if name == HASHES else FLOAT.itemsize)


def levels_row(features: Features, shape: FeatureShape) -> bytes:
    """Return the row of the levels, and of which places show the picture where some do not."""
    parts = [level.ravel() for level in features.levels]
    if shape.is_padded:
        whole = (0, 0, *shape.levels[0][:2])
        parts.append(np.array(features.inside or whole, np.float32))
    return np.concatenate(parts, dtype=FLOAT).tobytes()


def meta_of(shape: FeatureShape) -> dict[str, object]:
    """Return what the file `META` holds."""
    meta: dict[str, object] = {
        "format": _FORMAT,
        "pooled": shape.pooled,
        "levels": [list(level) for level in shape.levels],
    }
    return meta | {"padded": True} if shape.is_padded else meta


def stored_shape(folder: Path) -> FeatureShape:
    """Return the shapes in a folder of features; raises `KnownError` where it is none."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        meta = json.loads((folder / META).read_bytes())
        levels = tuple((int(h), int(w), int(c)) for h, w, c in meta["levels"])
        shape = FeatureShape(int(meta["pooled"]), levels, is_padded=bool(meta.get("padded")))
        if meta == meta_of(shape) and len(levels) in (0, 3) and (folder / HASHES).exists():
            return shape
    raise KnownError(
        f"There are no features in {folder}; open its reference set once to make them."
    )
