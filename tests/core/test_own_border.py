"""The weight of the border where pictures keep their shape."""

from dataclasses import replace

import numpy as np
import pytest

from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import leave_one_out
from inspector_gui.core.methods.own_border import MOST_REFERENCES, own_border
from inspector_gui.core.types import KEEP, Floats, Inside, Scoring

WHOLE: Inside = (0, 0, 64, 64)
WIDE: Inside = (16, 0, 48, 64)
TALL: Inside = (0, 16, 64, 48)


def part(seed: int, inside: Inside = WHOLE) -> Features:
    """Return features that vary ten times as much near the picture's border as inside."""
    rng = np.random.default_rng(seed)
    levels = []
    for number, channels in enumerate((3, 4, 5)):
        stride = 2**number
        top, left, bottom, right = (side // stride for side in inside)
        height, width = bottom - top, right - left
        rows, columns = np.arange(height), np.arange(width)
        near = np.minimum.outer(
            np.minimum(rows, rows[::-1]) / height, np.minimum(columns, columns[::-1]) / width
        )
        scale = np.where(near < 0.06, 10.0, 1.0)[:, :, None]
        own = (rng.normal(size=(height, width, channels)) * scale).astype(np.float32)
        side = 64 // stride
        around = ((top, side - bottom), (left, side - right), (0, 0))
        levels.append(np.ascontiguousarray(np.pad(own, around, mode="edge")))
    fine, middle, coarse = levels
    pooled = rng.normal(size=2).astype(np.float32)
    return Features(pooled, (fine, middle, coarse), None if inside == WHOLE else inside)


def gallery(count: int, *shapes: Inside) -> FeatureList:
    return FeatureList(tuple(part(n, shapes[n % len(shapes)]) for n in range(count)))


def of_picture(weight: Floats, inside: Inside) -> Floats:
    top, left, bottom, right = inside
    return weight[top:bottom, left:right]


@pytest.mark.parametrize("inside", [WHOLE, WIDE, TALL])
def test_the_pictures_own_border_counts_for_less_wherever_it_lies(inside: Inside) -> None:
    weight = own_border(gallery(24, WIDE, TALL, WHOLE)).weight(inside)
    own = of_picture(weight, inside)
    for edge in (own[0], own[-1], own[:, 0], own[:, -1]):
        assert edge.mean() < 0.3
    height, width = own.shape
    middle = own[height // 4 : -height // 4, width // 4 : -width // 4]
    np.testing.assert_array_equal(middle, 1)
    outside = np.ones(weight.shape, bool)
    outside[inside[0] : inside[2], inside[1] : inside[3]] = False
    assert (weight[outside] == 1).all()


def test_of_pictures_that_fill_the_input_it_is_the_weight_of_the_inputs_border() -> None:
    references = gallery(12, WHOLE)
    method = make_method(Scoring(size=256))
    left_alone = make_method(Scoring(size=256, border_weight=False))
    query = part(99)
    weighed, plain = (m.score(query, references).patches for m in (method, left_alone))
    assert weighed is not None
    assert plain is not None
    np.testing.assert_allclose(own_border(references).weight(None), weighed / plain, rtol=1e-3)


def test_a_reference_that_is_left_out_does_not_count() -> None:
    references = gallery(12, WIDE, TALL)
    others = FeatureList(references.items[:3] + references.items[4:])
    found = own_border(references).weight(WIDE, skip=3)
    np.testing.assert_allclose(found, own_border(others).weight(WIDE), rtol=1e-5)
    assert not np.allclose(found, own_border(references).weight(WIDE), rtol=1e-3)


def test_of_a_large_set_a_few_references_are_looked_at() -> None:
    border = own_border(gallery(MOST_REFERENCES * 2 + 1, WIDE))
    assert MOST_REFERENCES / 2 < len(border.rows) <= MOST_REFERENCES
    assert border.rows[-1] > MOST_REFERENCES
    np.testing.assert_array_equal(border.weight(None, skip=1), border.weight(None))  # not looked at


@pytest.mark.parametrize("count", [1, 4])
def test_few_references_say_nothing_of_the_border(count: int) -> None:
    np.testing.assert_array_equal(own_border(gallery(count, WIDE)).weight(WIDE), 1)


def test_a_recipe_that_keeps_shapes_weighs_borders_and_without_the_option_does_not() -> None:
    scoring = Scoring(size=256, fit=KEEP)
    references = gallery(12, WIDE, TALL, WHOLE)
    weighed = leave_one_out(make_method(scoring), references, 0)
    plain = leave_one_out(make_method(replace(scoring, border_weight=False)), references, 0)
    assert weighed.patches is not None
    assert plain.patches is not None
    np.testing.assert_array_equal(np.isnan(weighed.patches), np.isnan(plain.patches))
    expected = own_border(references).weight(WIDE, skip=0) * plain.patches
    np.testing.assert_allclose(weighed.patches, expected, rtol=1e-6)
    assert weighed.image < plain.image
