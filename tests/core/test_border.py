"""The border's weight: only at the border, only down, only from references."""

import numpy as np
import pytest

from inspector_gui.core.methods import scoring_for
from inspector_gui.core.methods.border import border_weight
from inspector_gui.core.pyramid import pyramid_gallery
from inspector_gui.core.types import Floats

Levels = tuple[Floats, Floats, Floats]
GRID = 28
BAND = 3  # fine cells of a 28 x 28 grid


def reference(rng: np.random.Generator, *, inside: float, border: float) -> Levels:
    """Return levels whose values vary by `inside`, and by `border` in the outer ring."""

    def level(side: int, channels: int) -> Floats:
        scale = np.full((side, side, 1), inside)
        ring = max(1, side // GRID)
        scale[:ring] = scale[-ring:] = border
        scale[:, :ring] = scale[:, -ring:] = border
        return (5 + scale * rng.standard_normal((side, side, channels))).astype(np.float32)

    return level(GRID, 6), level(GRID // 2, 8), level(GRID // 4, 10)


def references(count: int, **spread: float) -> list[Levels]:
    rng = np.random.default_rng(3)
    return [reference(rng, **spread) for _ in range(count)]


def test_a_restless_border_counts_for_less_and_the_inside_in_full() -> None:
    weight = border_weight(pyramid_gallery(references(12, inside=0.2, border=1.0)))
    assert weight.shape == (GRID, GRID)
    assert weight.dtype == np.float32
    assert np.all(weight[BAND:-BAND, BAND:-BAND] == 1)
    assert weight[0].max() < 0.6
    assert weight.min() > 0


def test_a_border_that_is_as_steady_as_the_inside_counts_almost_in_full() -> None:
    weight = border_weight(pyramid_gallery(references(30, inside=0.5, border=0.5)))
    assert weight.min() > 0.75
    assert weight.max() <= 1


def test_a_plain_background_around_a_varied_part_is_not_touched() -> None:
    weight = border_weight(pyramid_gallery(references(12, inside=1.0, border=0.01)))
    assert np.all(weight == 1)


@pytest.mark.parametrize(("count", "skip"), [(4, None), (5, 2)])
def test_too_few_references_say_nothing_of_the_border(count: int, skip: int | None) -> None:
    gallery = pyramid_gallery(references(count, inside=0.2, border=1.0))
    assert np.all(border_weight(gallery, skip=skip) == 1)


def test_leaving_a_reference_out_is_as_if_it_had_never_been_there() -> None:
    all_of_them = references(9, inside=0.2, border=1.0)
    others = all_of_them[:4] + all_of_them[5:]
    left_out = border_weight(pyramid_gallery(all_of_them), skip=4)
    np.testing.assert_allclose(left_out, border_weight(pyramid_gallery(others)), rtol=1e-3)


def test_the_weight_is_ours_and_the_preset_of_the_paper_has_none() -> None:
    assert scoring_for("spade").border_weight
    assert not scoring_for("spade", preset="paper").border_weight
