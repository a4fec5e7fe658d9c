"""Pictures of any shape on the network's input, and what lies on it back on the picture."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inspector_gui.core.errors import KnownError
from inspector_gui.core.preprocess import Geometry, resize
from inspector_gui.core.types import KEEP, SQUASH, Scoring

from .photographs import shipped_picture

SIDES = st.sampled_from([32, 64, 224, 320])
PICTURES = st.integers(1, 3000)


@given(
    SIDES, SIDES, st.sampled_from([0, 32]), st.sampled_from([KEEP, SQUASH]), PICTURES, PICTURES,
    st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip
def test_a_point_of_the_picture_goes_to_the_input_and_comes_back(
    width: int, height: int, crop: int, fit: str, tall: int, wide: int, across: float, down: float
) -> None:
    place = Geometry(width, crop, height, fit).placement(tall, wide)
    x, y = across * wide, down * tall
    np.testing.assert_allclose(place.to_picture(*place.to_input(x, y)), (x, y), atol=1e-6)


@given(SIDES, SIDES, st.sampled_from([0, 32]), PICTURES, PICTURES)
def test_what_is_inspected_lies_on_the_input_and_is_the_whole_picture_but_for_the_crop(
    width: int, height: int, crop: int, tall: int, wide: int
) -> None:
    geometry = Geometry(width, crop, height, KEEP)
    place = geometry.placement(tall, wide)
    for (first, last), side in zip((place.rows, place.columns), geometry.input_size, strict=True):
        assert 0 <= first < last <= side
        assert first % 32 == 0
    x, y, across, down = place.area
    assert x >= -1e-9
    assert y >= -1e-9
    assert x + across <= wide + 1e-6
    assert y + down <= tall + 1e-6
    if not crop:
        np.testing.assert_allclose(place.area, (0, 0, wide, tall), atol=1e-6)
        assert not place.outside(0, 50).any()
        assert not place.outside(1, 50).any()


@given(SIDES, SIDES, PICTURES, PICTURES)
def test_a_kept_shape_is_kept_to_a_pixel(width: int, height: int, tall: int, wide: int) -> None:
    place = Geometry(width, 0, height, KEEP).placement(tall, wide)
    content = np.array(place.content)
    assert (content == (height, width)).any()
    scale = min(height / tall, width / wide)
    assume(min(tall, wide) * scale >= 1)
    np.testing.assert_allclose(content, np.array([tall, wide]) * scale, atol=0.51)


@given(SIDES, SIDES, st.sampled_from([0, 32]), st.integers(1, 400), st.integers(1, 400))
def test_the_network_sees_the_cells_of_the_grid_that_show_the_picture(
    width: int, height: int, crop: int, tall: int, wide: int
) -> None:
    geometry = Geometry(width, crop, height, KEEP)
    seen = geometry.apply(np.zeros((tall, wide, 3), np.uint8))
    top, left, bottom, right = geometry.placement(tall, wide).cells(32)
    assert seen.shape == (32 * (bottom - top), 32 * (right - left), 3)


def test_a_picture_of_the_inputs_shape_is_seen_as_if_squashed() -> None:
    image = shipped_picture("coffee")[:384, :512]
    kept, squashed = Geometry(256, 0, 192, KEEP), Geometry(256, 0, 192)
    np.testing.assert_array_equal(kept.apply(image), squashed.apply(image))
    assert kept.apply(image).shape == (192, 256, 3)


def test_beyond_the_picture_the_network_sees_its_mirror_image() -> None:
    image = resize(shipped_picture("coffee"), 40, 64)
    seen = Geometry(64, 0, 64, KEEP).apply(image)
    assert seen.shape == (64, 64, 3)
    np.testing.assert_array_equal(seen[:40], image)
    np.testing.assert_array_equal(seen[40:], image[38:14:-1])


@pytest.mark.parametrize(("tall", "wide"), [(1, 1), (1, 900), (900, 1), (50, 10_000), (10_000, 50)])
@pytest.mark.parametrize("fit", [KEEP, SQUASH])
def test_a_picture_of_a_pixels_width_and_a_long_strip_come_to_the_network_and_back(
    tall: int, wide: int, fit: str
) -> None:
    geometry = Geometry(256, 0, 224, fit)
    seen = geometry.apply(np.full((tall, wide, 3), 7, np.uint8))
    assert (seen == 7).all()
    values = np.random.default_rng(0).random((224, 256), dtype=np.float32)
    assert geometry.to_picture(values, tall, wide).shape == (tall, wide)


@pytest.mark.parametrize(("tall", "wide"), [(900, 300), (300, 900), (500, 520)])
def test_a_peak_on_a_padded_input_comes_back_to_its_place_and_padding_does_not(
    tall: int, wide: int
) -> None:
    geometry = Geometry(320, 0, 256, KEEP)
    place = geometry.placement(tall, wide)
    values = np.full(geometry.input_size, 99, np.float32)
    values[slice(*place.rows), slice(*place.columns)] = 1
    x, y = (round(v) for v in place.to_input(wide * 0.75, tall * 0.25))
    values[y - 3 : y + 3, x - 3 : x + 3] = 5
    whole = geometry.to_picture(values, tall, wide)
    assert whole.max() <= 5
    found = np.unravel_index(int(whole.argmax()), whole.shape)
    np.testing.assert_allclose(found, (tall * 0.25, wide * 0.75), atol=0.02 * max(tall, wide))


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        ({"size": 224, "height": 100}, "multiple of 32 pixels between 32 and 2048, not 100"),
        ({"size": 4000}, "not 4000. Up to 8192 pixels work in tiles"),
        ({"size": 256, "crop": 224, "height": 192}, "does not fit into a size of 256 x 192"),
        ({"size": 224, "fit": "stretch"}, "no fit 'stretch'; choose squash or keep"),
        ({"size": 224, "tiles": 100}, "A tile's side must be a multiple of 32"),
        ({"size": 224, "height": -32}, "multiple of 32"),
        ({"size": 100_000, "crop": 224}, "resized to between 1 and 8192 pixels"),
    ],
)
def test_an_input_that_cannot_be_is_refused_with_a_sentence(
    geometry: dict[str, int], words: str
) -> None:
    with pytest.raises(KnownError, match=words):
        Geometry(**geometry)  # type: ignore[arg-type]


def test_recipes_from_before_keep_their_names_and_new_ones_have_their_own() -> None:
    assert Scoring().key == "78de53443759fdb1"
    assert Scoring().features_key == "efficientnet_lite0_224_openvino_f32"
    paper = Scoring(size=256, crop=224)
    assert (paper.key, paper.features_key) == (
        "989675d62a37e304",
        "efficientnet_lite0_256-crop224_openvino_f32",
    )
    assert Scoring(height=224).key == Scoring().key
    assert Scoring(height=224).features_key == Scoring().features_key
    others = [Scoring(height=256), Scoring(fit=KEEP), Scoring(tiles=512), Scoring()]
    assert len({s.key for s in others}) == len({s.features_key for s in others}) == 4
