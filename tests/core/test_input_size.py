import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.input_size import MOST_OBLONG, fitted
from inspector_gui.core.method_options import DEFAULT_RECIPE
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import KEEP, SQUASH

STRIP = (1260, 500)


@pytest.mark.parametrize(
    ("sizes", "height", "width"),
    [
        ([(512, 512)] * 3, 384, 384),
        ([(1024, 1024)] * 3, 384, 384),
        ([(32, 32)], 128, 128),  # enlarging adds nothing
        ([(120, 120)], 256, 256),
        ([(3008, 4000)], 448, 576),  # large pictures have small defects
        ([(768, 576)] * 5, 448, 320),
        ([STRIP] * 5, 640, 256),
        ([(500, 1260)] * 5, 256, 640),
    ],
)
def test_the_usual_shape_is_kept_with_enough_pixels(
    sizes: list[tuple[int, int]], height: int, width: int
) -> None:
    scoring = fitted(DEFAULT_RECIPE, sizes)
    assert (scoring.input_height, scoring.input_width, scoring.fit) == (height, width, SQUASH)


def test_a_few_pictures_of_another_shape_are_padded() -> None:
    scoring = fitted(DEFAULT_RECIPE, [STRIP] * 5 + [(500, 500)])
    assert (scoring.input_height, scoring.input_width, scoring.fit) == (640, 256, KEEP)


def test_a_pixel_more_or_less_is_no_other_shape() -> None:
    assert fitted(DEFAULT_RECIPE, [(512, 512)] * 27 + [(522, 512)]).fit == SQUASH


def test_pictures_without_a_shape_in_common_are_brought_to_a_square() -> None:
    rng = np.random.default_rng(0)
    sizes = [(int(h), int(w)) for h, w in rng.integers(200, 500, (100, 2))]
    scoring = fitted(DEFAULT_RECIPE, sizes)
    assert (scoring.input_height, scoring.input_width, scoring.fit) == (384, 384, SQUASH)


@given(st.lists(st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)), min_size=1))
def test_any_pictures_choose_an_input_that_works_and_is_neither_small_nor_slow(
    sizes: list[tuple[int, int]],
) -> None:
    scoring = fitted(DEFAULT_RECIPE, sizes)
    given = {name: getattr(scoring, name) for name in ("size", "height", "fit")}
    scoring_for("default", **given)  # refuses what cannot be
    height, width = Geometry.of(scoring).input_size
    assert 0.5 * 128**2 <= height * width <= 1.5 * 512**2
    assert max(height / width, width / height) <= 1.5 * MOST_OBLONG
    assert fitted(DEFAULT_RECIPE, sizes[::-1]) == scoring


def test_without_a_size_nothing_is_chosen() -> None:
    assert fitted(DEFAULT_RECIPE, []) == DEFAULT_RECIPE


@pytest.mark.parametrize(
    ("method", "preset", "options"),
    [
        ("spade", "default", {}),
        ("dn2", "default", {}),
        ("patchcore", "default", {}),
        ("spade", "paper", {}),
        ("default", "paper", {}),
        ("default", "default", {"size": 384}),
        ("default", "default", {"fit": KEEP}),
    ],
)
def test_every_other_recipe_and_every_choice_of_a_person_stays(
    method: str, preset: str, options: dict[str, object]
) -> None:
    scoring = scoring_for(method, preset=preset, **options)
    assert fitted(scoring, [STRIP] * 5) == scoring


def test_the_rest_of_the_default_recipe_stays() -> None:
    after = fitted(scoring_for("default", k=7), [STRIP])
    assert (after.k, after.pool, after.scales, after.preset) == (7, 2, 2, DEFAULT_RECIPE.preset)


def test_the_papers_presets_still_resize_to_256_and_crop_224() -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    for method in ("dn2", "spade"):
        geometry = Geometry.of(scoring_for(method, preset="paper"))
        assert geometry == Geometry(256, 224)
        assert geometry.apply(image).shape == (224, 224, 3)
