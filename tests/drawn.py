"""Small drawn parts as bytes of picture files, made once."""

import hashlib
from functools import cache
from pathlib import Path

from inspector_gui.core.images import decode, encode_png
from inspector_gui.core.types import RGB
from inspector_gui.demo.parts import draw_part

SIDE = 96


@cache
def png(seed: int, *, defect: str | None = None) -> bytes:
    """Return a washer as the bytes of a PNG file."""
    return encode_png(draw_part("washer", seed=seed, size=SIDE, defect=defect).image)


def picture(seed: int, *, defect: str | None = None) -> RGB:
    """Return the same washer decoded: uint8, 96 x 96 x 3, RGB."""
    return decode(png(seed, defect=defect))


def sha(data: bytes) -> str:
    """Return the name of a picture in a workspace."""
    return hashlib.sha256(data).hexdigest()


def write_parts(folder: Path, seeds: range, *, defect: str | None = None) -> list[Path]:
    """Write washers as files and return their paths in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{defect or 'good'}-{seed:03d}.png" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        path.write_bytes(png(seed, defect=defect))
    return paths
