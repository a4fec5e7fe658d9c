import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core.errors import KnownError
from inspector_gui.core.preprocess import Geometry, normalise, resize
from inspector_gui.core.types import RGB, Floats

from .photographs import shipped_picture


def noise(height: int, width: int, seed: int = 0) -> RGB:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("size", "crop"), [(100, 0), (256, 100), (0, 0), (16, 0), (4096, 0)])
def test_a_side_that_is_no_sensible_multiple_of_32_is_refused(size: int, crop: int) -> None:
    with pytest.raises(KnownError, match="must be a multiple of 32"):
        Geometry(size, crop)


def test_a_crop_that_does_not_fit_is_refused() -> None:
    with pytest.raises(KnownError, match="A crop of 256 does not fit into a size of 224"):
        Geometry(224, 256)


def test_with_a_crop_the_size_may_be_any() -> None:
    assert Geometry(329, 288).input_size == (288, 288)
    assert Geometry(329, 288).apply(noise(60, 50)).shape == (288, 288, 3)


def test_without_a_crop_the_whole_picture_is_used() -> None:
    image = shipped_picture("coffee")
    np.testing.assert_array_equal(Geometry(224).apply(image), resize(image, 224, 224))


def test_the_crop_is_the_centre_of_the_resized_picture() -> None:
    image = noise(256, 256)
    np.testing.assert_array_equal(Geometry(256, 224).apply(image), image[16:240, 16:240])


def test_resizing_to_the_same_size_is_the_identity() -> None:
    image = noise(64, 96)
    np.testing.assert_array_equal(resize(image, 64, 96), image)


def test_shrinking_averages_areas() -> None:
    image = noise(60, 90)
    blocks = image.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resize(image, 20, 30), blocks, atol=0.51)


def test_a_thin_defect_survives_shrinking() -> None:
    image = np.zeros((1024, 1024, 3), np.uint8)
    image[:, 511] = 255
    assert resize(image, 128, 128)[:, 63].min() >= 31  # one column of eight


def test_growing_is_linear() -> None:
    image = np.repeat(np.array([[0, 200]], np.uint8)[:, :, None], 3, axis=2)
    grown = resize(image, 1, 8)[0, :, 0].astype(int)
    assert grown.tolist() == [0, 0, 25, 75, 125, 175, 200, 200]


def test_a_picture_that_is_wide_and_low_shrinks_one_way_and_grows_the_other() -> None:
    image = noise(10, 400)
    averaged = image.reshape(10, 100, 4, 3).mean(axis=2)
    result = resize(image, 20, 100)
    assert result.shape == (20, 100, 3)
    np.testing.assert_allclose(result[0], averaged[0], atol=0.51)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_resizing_never_leaves_the_range_of_the_picture(h: int, w: int, th: int, tw: int) -> None:
    image = np.random.default_rng(h * w).integers(60, 130, (h, w, 3), dtype=np.uint8)
    result = resize(image, th, tw)
    assert result.shape == (th, tw, 3)
    assert image.min() <= result.min()
    assert result.max() <= image.max()


def test_normalising_is_subtracting_the_mean_and_dividing_by_the_deviation() -> None:
    image = noise(4, 5)
    batch = normalise(image, (127, 100, 90), (128, 50, 60))
    assert batch.shape == (1, 3, 4, 5)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    expected = (image[2, 3].astype(float) - (127, 100, 90)) / (128, 50, 60)
    np.testing.assert_allclose(batch[0, :, 2, 3], expected, rtol=1e-5, atol=1e-6)


def some_map(side: int) -> Floats:
    return np.random.default_rng(5).uniform(3, 9, (side, side)).astype(np.float32)


def test_a_map_on_a_picture_of_the_input_size_is_itself() -> None:
    values = some_map(224)
    np.testing.assert_array_equal(Geometry(224).to_picture(values, 224, 224), values)


def test_what_the_crop_cut_off_gets_the_maps_minimum() -> None:
    values = some_map(224)
    values[0, :] = 50  # a border of the crop does not bleed outwards
    whole = Geometry(256, 224).to_picture(values, 256, 256)
    np.testing.assert_array_equal(whole[16:240, 16:240], values)
    outside = np.ones((256, 256), bool)
    outside[16:240, 16:240] = False
    assert (whole[outside] == values.min()).all()


@pytest.mark.parametrize("geometry", [Geometry(224), Geometry(256, 224), Geometry(320, 256)])
@pytest.mark.parametrize(("height", "width"), [(480, 640), (100, 90), (1, 7)])
def test_a_map_takes_the_shape_of_any_picture_and_stays_in_its_range(
    geometry: Geometry, height: int, width: int
) -> None:
    values = some_map(geometry.input_size[0])
    whole = geometry.to_picture(values, height, width)
    assert whole.shape == (height, width)
    assert whole.dtype == np.float32
    assert values.min() <= whole.min()
    assert whole.max() <= values.max()


@pytest.mark.parametrize("geometry", [Geometry(256), Geometry(288, 256)])
def test_a_peak_comes_back_to_the_place_in_the_picture_it_was_made_from(geometry: Geometry) -> None:
    image = np.zeros((600, 900, 3), np.uint8)
    image[400:420, 300:320] = 255
    seen = geometry.apply(image)[:, :, 0].astype(np.float32)
    whole = geometry.to_picture(seen, 600, 900)
    y, x = (np.arange(n) @ whole.sum(axis=1 - i) / whole.sum() for i, n in enumerate((600, 900)))
    assert abs(y - 409.5) <= 1
    assert abs(x - 309.5) <= 1
