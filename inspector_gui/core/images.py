"""Bytes or a path to a uint8 RGB picture: the one decode path of the program.

The rules, since they change scores:

- EXIF orientation is applied.
- 16-bit samples are scaled by their full range, v * 255 / 65535, rounded; the picture's own
  minimum and maximum play no part, so two pictures of one camera stay comparable.
- Alpha is composed on mid grey (128, 128, 128).
- Grey and palette pictures become RGB; of several pages or animation frames the first is taken.
"""

import hashlib
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from inspector_gui.core.errors import KnownError
from inspector_gui.core.opencv import MAX_IMAGE_PIXELS, cv2
from inspector_gui.core.types import RGB

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm", ".jp2"}
)
MAX_FILE_BYTES = 1 << 30
_ALPHA_BACKGROUND = 128
_ORIENTATION_TAG = 0x0112
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EXIF = 0  # cv2.IMAGE_METADATA_EXIF, missing from OpenCV's type stubs


class UnreadableImage(KnownError):  # noqa: N818 - named like what it is about
    """A file is not a picture that can be used; the text says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(display_name(sentence))


def display_name(path: Path | str) -> str:
    """Return a path or name as text that can be stored and shown anywhere.

    Bytes of a file name that are no UTF-8, which Python carries as surrogates, become U+FFFD.
    """
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(path))


def is_image_name(path: Path) -> bool:
    """Return whether a path's ending names a picture and it is not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def list_images(paths: list[Path]) -> list[Path]:
    """Return the picture files among `paths` and, recursively, below its folders, in order.

    A file that is named itself is taken whatever its ending, so that it is refused with a reason
    rather than silently skipped.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = (p for p in path.rglob("*") if is_image_name(p) and p.is_file())
            found.extend(sorted(below, key=natural_order))
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Return a sort key that puts part2 before part10."""
    pieces = re.split(r"([0-9]+)", str(path).lower())
    return [(0, int(p)) if p.isdecimal() and p.isascii() else (1, p) for p in pieces]


def read_bytes(path: Path) -> bytes:
    """Return a file's content; raises `UnreadableImage` where that is impossible or too large."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableImage(f"{path.name} is larger than 1 GiB, so it was not opened.")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableImage(f"{path.name} cannot be read: {reason}.") from error


def read_image(path: Path) -> RGB:
    """Return the picture in a file: uint8, H x W x 3, RGB; raises `UnreadableImage`."""
    return decode(read_bytes(path), name=path.name)


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width in pixels of the picture in a file, from its header if possible.

    As decoded, with the EXIF orientation applied. Raises `UnreadableImage`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures: none is decoded here
            with Image.open(path) as picture:
                width, height = picture.size
                # Of a TIFF file Pillow turns the size by itself, in some versions.
            known = picture.format != "TIFF"
            turned = picture.getexif().get(_ORIENTATION_TAG, 1) in (5, 6, 7, 8)
    except Exception:  # whatever the header lacks, the one decoder decides
        known = False
    if not known:
        height, width = read_image(path).shape[:2]
        return height, width
    return (width, height) if turned else (height, width)


def pixel_digest(image: RGB) -> str:
    """Return 16 hexadecimal digits, equal for equal pictures whatever files they come from."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def decode(data: bytes, *, name: str = "The picture") -> RGB:
    """Return the picture in `data`: uint8, H x W x 3, RGB, C-contiguous.

    Raises `UnreadableImage` with a sentence that starts with `name`.
    """
    if not data:
        raise UnreadableImage(f"{name} is empty (0 bytes).")
    buffer = np.frombuffer(data, np.uint8)
    try:
        pixels, kinds, metadata = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            megapixels = MAX_IMAGE_PIXELS // 2**20
            raise UnreadableImage(f"{name} has more than {megapixels} megapixels.") from error
        pixels = None
    if pixels is None or pixels.size == 0:
        raise UnreadableImage(f"{name} is not a picture, or it is damaged.")
    is_tiff = data[:4] in (b"II*\0", b"MM\0*")  # OpenCV multiplies 8-bit ones by their alpha
    rgb = _to_rgb(pixels, name, is_premultiplied=is_tiff and pixels.dtype == np.uint8)
    for kind, value in zip(kinds, metadata, strict=True):
        if kind == _EXIF:
            rgb = _oriented(rgb, _orientation(np.asarray(value, np.uint8).tobytes()))
    return np.ascontiguousarray(rgb)


def encode_png(image: RGB) -> bytes:
    """Return `image` (uint8, H x W x 3, RGB) as a PNG file, lossless and quickly compressed."""
    flags = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)
    assert done
    return data.tobytes()


def thumbnail(image: RGB, side: int) -> RGB:
    """Return `image` shrunk so that its longer side is at most `side` pixels."""
    while max(image.shape[:2]) >= 4 * side and not any(n % 2 for n in image.shape[:2]):
        # Several times as fast as at once: halves are averaged by vectors of pixels.
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _to_rgb(pixels: npt.NDArray[Any], name: str, *, is_premultiplied: bool) -> RGB:
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=255.0 / 65535.0)
    if pixels.dtype != np.uint8:
        raise UnreadableImage(
            f"{name} has {pixels.dtype} samples; save it with 8 or 16 bits per channel."
        )
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if channels == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    if channels == 4:
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB).astype(np.uint16)
        alpha = pixels[:, :, 3:].astype(np.uint16)
        weight = np.uint16(255) if is_premultiplied else alpha
        composed = (rgb * weight + _ALPHA_BACKGROUND * (255 - alpha) + 127) // 255
        return composed.astype(np.uint8)
    raise UnreadableImage(f"{name} has {channels} channels; pictures have 1, 3 or 4.")


def _orientation(exif_bytes: bytes) -> int:
    exif = Image.Exif()
    try:
        exif.load(exif_bytes)
        return int(exif.get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata must not cost the picture
        return 1


def _oriented(image: RGB, orientation: int) -> RGB:
    if orientation in (5, 6, 7, 8):
        image = np.transpose(image, (1, 0, 2))
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image
