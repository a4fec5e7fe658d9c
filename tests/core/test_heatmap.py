import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inspector_gui.core.calibration import limits_at
from inspector_gui.core.heatmap import (
    SCALE_TOP,
    colour_table,
    opacity_table,
    overlay,
    regions,
    to_bytes,
)
from inspector_gui.core.types import Floats

LIMITS = limits_at(2.0, 4.0, rule="r", gallery="g")
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
MAPS = hnp.arrays(np.float32, SHAPES, elements=st.floats(0, 8, width=32))


def blob(*places: tuple[int, int, float], side: int = 16) -> Floats:
    values = np.full((side, side), LIMITS.centre, np.float32)
    for row, column, value in places:
        values[row, column] = value
    return values


@given(MAPS, st.floats(0.5, 7.5))
def test_a_part_has_regions_exactly_when_its_maximum_fails(values: Floats, fail: float) -> None:
    limits = limits_at(0.25, fail, rule="r", gallery="g")
    assert bool(regions(values, limits)) == (float(values.max()) >= limits.fail_from)


@given(MAPS)
def test_regions_come_with_the_largest_peak_first_and_that_is_the_maximum(values: Floats) -> None:
    peaks = [region.peak for region in regions(values, LIMITS)]
    assert peaks == sorted(peaks, reverse=True)
    if peaks:
        assert peaks[0] == values.max()


def test_a_region_has_its_area_and_an_outline_around_its_place() -> None:
    values = blob(*((row, column, 5.0) for row in range(3, 6) for column in range(8, 12)))
    (region,) = regions(values, LIMITS)
    assert (region.area, region.peak) == (12, 5.0)
    assert region.contour.min(axis=0).tolist() == [8, 3]  # x, y
    assert region.contour.max(axis=0).tolist() == [11, 5]


def test_corners_join_and_what_stays_under_the_limit_is_no_region() -> None:
    joined = regions(blob((3, 3, 5.0), (4, 4, 3.5)), LIMITS)
    assert [region.area for region in joined] == [2]
    apart = regions(blob((3, 3, 5.0), (9, 9, 6.0), (13, 2, 3.5)), LIMITS)
    assert [region.peak for region in apart] == [6.0, 5.0]


def test_the_scale_is_absolute_so_other_places_do_not_change_a_colour() -> None:
    quiet, loud = blob((0, 0, 4.0)), blob((0, 0, 4.0), (1, 1, 100.0))
    assert to_bytes(quiet, LIMITS)[0, 0] == to_bytes(loud, LIMITS)[0, 0]


@pytest.mark.parametrize(
    ("multiple", "value"), [(-3, 0), (0, 0), (1, int(255 / SCALE_TOP)), (SCALE_TOP, 255), (50, 255)]
)
def test_bytes_are_multiples_of_the_limit(multiple: float, value: int) -> None:
    values = np.full((2, 3), LIMITS.absolute(multiple), np.float32)
    found = to_bytes(values, LIMITS)
    assert found.dtype == np.uint8
    assert found.tolist() == [[value] * 3] * 2


def test_colours_get_lighter_from_an_ordinary_part_upwards() -> None:
    table = colour_table()
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    light = table.astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > -1).all()
    assert light[-1] - light[0] > 200


def test_an_ordinary_place_shows_the_picture_itself() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert (overlay(image, np.zeros((5, 7), np.uint8), 1.0) == image).all()


def test_full_opacity_shows_the_colour_and_none_the_picture() -> None:
    image = np.full((2, 2, 3), 90, np.uint8)
    top = np.full((2, 2), 255, np.uint8)
    assert (overlay(image, top, 1.0) == colour_table()[255]).all()
    assert (overlay(image, top, 0.0) == image).all()


@given(st.floats(-1, 2))
def test_opacity_never_falls_with_the_multiple(opacity: float) -> None:
    table = opacity_table(opacity)
    assert table.shape == (256,)
    assert table.dtype == np.uint8
    assert (np.diff(table.astype(int)) >= 0).all()
    assert table[-1] == int(255 * min(max(opacity, 0), 1))


def test_an_overlay_has_the_pictures_shape_and_another_map_is_refused() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    mixed = overlay(image, np.zeros((4, 6), np.uint8), 0.5)
    assert mixed.shape == image.shape
    assert mixed.dtype == np.uint8
    with pytest.raises(ValueError, match="does not fit"):
        overlay(image, np.zeros((6, 4), np.uint8), 0.5)
