import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.calibration import limits_at
from inspector_gui.core.opencv import cv2
from inspector_gui.core.places import Box
from inspector_gui.core.regions import facts_of, picture_regions, square_mm

LIMITS = limits_at(2.0, 4.0, rule="r", gallery="g")


def drawn(*discs: tuple[int, int, int], side: int = 224, peak: float = 6.0):
    """Return a map with discs (x, y, radius) over the limit."""
    values = np.full((side, side), LIMITS.centre, np.float32)
    for x, y, radius in discs:
        cv2.circle(values, (x, y), radius, peak, -1)
    return values


def filled(outline: np.ndarray, height: int, width: int) -> int:
    """Return how many pixels an outline encloses when it is drawn."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return int(mask.sum())


def test_areas_are_those_of_the_masks_and_outlines_enclose_them() -> None:
    values = drawn((60, 50, 20), (160, 150, 9))
    large, small = sorted(
        picture_regions(values, LIMITS, Box(0, 0, 224, 224)), key=lambda r: -r.area
    )
    over = values >= LIMITS.fail_from
    assert large.area + small.area == over.sum()
    assert large.area == over[:100].sum()
    # The outline runs through the middle of the border's pixels, half a pixel inside.
    assert 0.88 * large.area < filled(large.contour, 224, 224) <= 1.05 * large.area
    assert large.centre == pytest.approx((60.5, 50.5), abs=0.05)
    assert small.centre == pytest.approx((160.5, 150.5), abs=0.05)


@given(st.integers(300, 2000), st.integers(300, 2000), st.floats(0, 40))
def test_areas_and_centres_are_in_pixels_of_the_picture(
    width: int, height: int, start: float
) -> None:
    values = drawn((60, 50, 20))
    area = Box(start, start / 2, width, height)
    (region,) = picture_regions(values, LIMITS, area)
    cells = int((values >= LIMITS.fail_from).sum())
    assert region.area == pytest.approx(cells * width * height / 224**2, rel=1e-3)
    wanted = (start + 60.5 / 224 * width, start / 2 + 50.5 / 224 * height)
    assert region.centre == pytest.approx(wanted, abs=0.1)


def test_regions_of_a_rectangular_map_are_measured_along_both_of_its_sides() -> None:
    values = drawn((60, 50, 20))[:112]
    (region,) = picture_regions(values, LIMITS, Box(0, 0, 448, 224))
    assert region.centre == pytest.approx((121, 101), abs=0.2)
    assert region.area == 4 * int((values >= LIMITS.fail_from).sum())


def test_square_millimetres_follow_from_the_scale_and_are_unknown_without() -> None:
    regions = picture_regions(drawn((60, 50, 20)), LIMITS, Box(0, 0, 224, 224))
    (facts,) = facts_of(regions, LIMITS, mm_per_pixel=0.1)
    assert facts.area_mm2 == pytest.approx(facts.area / 100)
    assert facts.area_mm2 == square_mm(facts.area, 0.1)
    assert facts.multiple == pytest.approx(2.0)
    assert facts.peak == 6.0
    assert facts.box == pytest.approx((40.5, 30.5, 40, 40), abs=1.3)  # of the smooth outline
    assert min(x for x, _ in facts.outline) == facts.box[0]
    (unknown,) = facts_of(regions, LIMITS)
    assert unknown.area_mm2 is None


def test_a_part_without_regions_has_no_facts() -> None:
    assert facts_of(picture_regions(drawn(), LIMITS, Box(0, 0, 9, 9)), LIMITS) == ()
