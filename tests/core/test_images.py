import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inspector_gui.core import images
from inspector_gui.core.images import (
    UnreadableImage,
    decode,
    encode_png,
    list_images,
    natural_order,
    picture_size,
    read_image,
    thumbnail,
)
from inspector_gui.core.opencv import MAX_IMAGE_PIXELS, cv2
from inspector_gui.core.types import RGB

from .photographs import shipped_picture

# What a viewer must do for each orientation; to store a picture so, the inverse is done.
_STORED_FOR = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.fixture(scope="module")
def cat() -> RGB:
    return shipped_picture("chelsea")[:200, :300]


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def ramp16() -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
    return np.linspace(0, 65535, 4096).round().astype(np.uint16).reshape(64, 64)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_decodes_to_the_upright_picture(
    cat: RGB, kind: str, orientation: int
) -> None:
    upright = Image.fromarray(cat)
    turn = _STORED_FOR[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 98, "subsampling": 0},
        "WEBP": {"lossless": True},
    }
    decoded = decode(saved(stored, kind, exif=exif, **options.get(kind, {})))
    assert decoded.shape == cat.shape
    difference = np.abs(decoded.astype(int) - cat.astype(int)).mean()
    assert difference < 2 if kind == "JPEG" else difference == 0
    assert decoded.flags.c_contiguous


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_in_the_header_is_that_of_the_decoded_picture(
    cat: RGB, kind: str, orientation: int, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "cat"
    path.write_bytes(saved(Image.fromarray(cat[:50]), kind, exif=exif))
    assert picture_size(path) == read_image(path).shape[:2]


def test_of_a_file_that_is_no_picture_no_size_is_made_up(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("nothing")
    with pytest.raises(UnreadableImage, match="not a picture"):
        picture_size(tmp_path / "text.png")


def test_damaged_exif_does_not_cost_the_picture(cat: RGB) -> None:
    exif = b"Exif\x00\x00II*\x00\xff\xff\xff\xff garbage"
    decoded = decode(saved(Image.fromarray(cat), "PNG", exif=exif))
    np.testing.assert_array_equal(decoded, cat)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_by_their_full_range(kind: str) -> None:
    values = ramp16()
    decoded = decode(saved(Image.fromarray(values), kind))
    expected = np.round(values * (255 / 65535)).astype(np.uint8)
    np.testing.assert_array_equal(decoded, np.repeat(expected[:, :, None], 3, axis=2))


def test_sixteen_bits_are_not_stretched_to_the_pictures_own_range() -> None:
    dim = (ramp16() // 16).astype(np.uint16)
    assert decode(saved(Image.fromarray(dim), "PNG")).max() == round(int(dim.max()) * 255 / 65535)


def test_sixteen_bit_colour_keeps_its_channels_apart() -> None:
    colour = np.zeros((5, 6, 3), np.uint16)
    colour[:] = (65535, 32896, 257)
    done, data = cv2.imencode(".png", colour[:, :, ::-1])
    assert done
    assert decode(data.tobytes())[2, 3].tolist() == [255, 128, 1]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_composed_on_mid_grey(kind: str) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :, 0] = 255
    pixels[:4, :, 3] = 255
    pixels[4:6, :, 3] = 51
    pixels[6:, :, 3] = 0
    options = {"WEBP": {"lossless": True, "exact": True}}.get(kind, {})
    decoded = decode(saved(Image.fromarray(pixels, "RGBA"), kind, **options))
    assert decoded[0, 0].tolist() == [255, 0, 0]
    np.testing.assert_allclose(decoded[4, 0], [0.2 * 255 + 0.8 * 128, 102, 102], atol=1)
    assert decoded[7, 7].tolist() == [128, 128, 128]


def test_grey_with_alpha_is_composed_on_mid_grey() -> None:
    pixels = np.full((4, 4, 2), 255, np.uint8)
    pixels[0, :, 1] = 0
    decoded = decode(saved(Image.fromarray(pixels, "LA"), "PNG"))
    assert decoded[0, 0].tolist() == [128, 128, 128]
    assert decoded[1, 0].tolist() == [255, 255, 255]


def test_a_palette_picture_becomes_its_colours() -> None:
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    assert decode(saved(palette, "PNG"))[1, 1].tolist() == [10, 200, 30]
    assert decode(saved(palette, "GIF"))[1, 1].tolist() == [10, 200, 30]


def test_a_transparent_palette_entry_is_mid_grey() -> None:
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    decoded = decode(saved(palette, "PNG", transparency=1))
    assert decoded[1, 1].tolist() == [128, 128, 128]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_grey_becomes_three_equal_channels(kind: str) -> None:
    grey = shipped_picture("coins")
    decoded = decode(saved(Image.fromarray(grey), kind))
    np.testing.assert_array_equal(decoded, np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_becomes_black_and_white(kind: str) -> None:
    bits = np.zeros((16, 24), bool)
    bits[3:9, 5:20] = True
    decoded = decode(saved(Image.fromarray(bits), kind))
    np.testing.assert_array_equal(decoded[:, :, 0], np.where(bits, 255, 0))


def test_a_cmyk_jpeg_has_nearly_the_colours_of_the_picture() -> None:
    flat = np.zeros((64, 64, 3), np.uint8)
    flat[:] = (200, 90, 30)
    cmyk = Image.fromarray(flat).convert("CMYK")
    decoded = decode(saved(cmyk, "JPEG", quality=98))
    np.testing.assert_allclose(decoded.mean(axis=(0, 1)), (200, 90, 30), atol=6)


def test_of_several_frames_the_first_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), c) for c in ((250, 0, 0), (0, 250, 0))]
    for kind in ("TIFF", "GIF", "WEBP"):
        options = {"WEBP": {"lossless": True}}.get(kind, {})
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert decode(data)[4, 4].tolist() == [250, 0, 0], kind


def test_a_photograph_comes_back_bit_for_bit(cat: RGB) -> None:
    np.testing.assert_array_equal(decode(encode_png(cat)), cat)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_encoding_and_decoding_is_the_identity(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(encode_png(image)), image)


def test_empty_text_and_truncated_files_are_refused_in_a_sentence_with_their_name(
    tmp_path: Path, cat: RGB
) -> None:
    png = encode_png(cat)
    jpeg = saved(Image.fromarray(cat), "JPEG")
    for name, content in {
        "empty.png": b"",
        "text.png": b"this is not a picture\n" * 50,
        "zeros.png": bytes(10_000),
        "head.png": png[:30],
        "head.jpg": jpeg[:200],
        "webpage.jpg": b"<!doctype html><html><body>404</body></html>",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImage) as refused:
            read_image(tmp_path / name)
        assert str(refused.value).startswith(name)
        assert str(refused.value).endswith(".")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_truncated_picture_is_never_judged_as_if_it_were_whole(
    cat: RGB, kind: str, kept: float
) -> None:
    data = saved(Image.fromarray(cat), kind)
    with pytest.raises(UnreadableImage, match="cut short"):
        decode(data[: int(len(data) * kept)], name="cut short")


def test_a_missing_file_and_a_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match=r"gone\.png cannot be read: No such file"):
        read_image(tmp_path / "gone.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UnreadableImage, match=r"folder\.png cannot be read"):
        read_image(tmp_path / "folder.png")


def test_a_file_that_is_too_large_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_FILE_BYTES", 100)
    (tmp_path / "large.png").write_bytes(bytes(101))
    with pytest.raises(UnreadableImage, match=r"large\.png is larger than"):
        read_image(tmp_path / "large.png")


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits exist on Unix only")
def test_a_header_that_claims_huge_dimensions_is_refused_without_allocating() -> None:
    code = (
        "import resource, sys\n"
        "from inspector_gui.core.images import UnreadableImage, decode\n"
        "data = sys.stdin.buffer.read()\n"
        "scale = 1024 if sys.platform == 'linux' else 1\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    decode(data, name='bomb.png')\n"
        "except UnreadableImage as error:\n"
        "    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    assert (after - before) * scale < 50e6, after - before\n"
        "    print(error)\n"
    )
    side = int(MAX_IMAGE_PIXELS**0.5)
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=png_that_claims(side + 64, side),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.decode().strip() == "bomb.png has more than 256 megapixels."
    assert done.stderr == b""


def test_reading_a_refused_file_leaves_nothing_on_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], cat: RGB
) -> None:
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        data = saved(Image.fromarray(cat), kind)
        with pytest.raises(UnreadableImage):
            decode(data[: len(data) // 3])
    assert capfd.readouterr().err == ""


def test_floating_point_samples_are_refused_in_a_sentence() -> None:
    data = saved(Image.fromarray(np.zeros((8, 8), np.float32)), "TIFF")
    with pytest.raises(UnreadableImage, match=r"depth\.tif has float32 samples; save it with 8 or"):
        decode(data, name="depth.tif")


@pytest.mark.parametrize("name", ["Prüfteil Ü.png", "零件 検査.png", "деталь.png", "a'b\"c %d.png"])
def test_any_file_name_can_be_read(tmp_path: Path, name: str, cat: RGB) -> None:
    if sys.platform == "win32" and '"' in name:
        pytest.skip("Windows has no such names")
    path = tmp_path / "Ordner für ß" / name
    path.parent.mkdir()
    path.write_bytes(encode_png(cat))
    np.testing.assert_array_equal(read_image(path), cat)


def test_natural_order_puts_part_2_before_part_10() -> None:
    names = ["part10.png", "Part2.png", "part2b.png", "part1.png", "a/part3.png", "10.png", "9.png"]
    ordered = [str(p) for p in sorted(map(Path, names), key=natural_order)]
    wanted = ["9.png", "10.png", "a/part3.png", "part1.png", "Part2.png", "part2b.png"]
    assert [Path(o) for o in ordered] == [Path(w) for w in [*wanted, "part10.png"]]


@given(st.lists(st.text("aZ0129._-é², ", max_size=12), max_size=20))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    once = sorted((Path(n) for n in names), key=natural_order)
    assert sorted(once, key=natural_order) == once


def test_listing_takes_pictures_below_folders_and_named_files_whatever_they_are(
    tmp_path: Path,
) -> None:
    for name in ["b/2.PNG", "b/10.jpg", "b/c/1.tif", "b/.hidden.png", "b/notes.txt", "x.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "folder.png").mkdir()
    named = tmp_path / "x.txt"
    listed = list_images([named, tmp_path / "b", tmp_path / "b" / "2.PNG"])
    assert [p.relative_to(tmp_path).as_posix() for p in listed] == [
        "x.txt",
        "b/2.PNG",
        "b/10.jpg",
        "b/c/1.tif",
    ]


@pytest.mark.parametrize(("shape", "expected"), [((200, 100), (96, 48)), ((3, 1000), (1, 96))])
def test_a_thumbnail_fits_and_keeps_the_proportions(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert thumbnail(np.zeros((*shape, 3), np.uint8), 96).shape == (*expected, 3)


def test_a_thumbnail_never_enlarges(cat: RGB) -> None:
    np.testing.assert_array_equal(thumbnail(cat, 1000), cat)
