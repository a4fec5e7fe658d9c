import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.input_size import LEAST, MOST, MOST_OBLONG, fitted, has_chosen_input
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import KEEP, Scoring


@pytest.mark.parametrize(
    ("sizes", "height", "width"),
    [
        ([(512, 512)] * 3, 256, 256),  # half
        ([(100, 100)], 224, 224),  # small ones are not shrunk further
        ([(3000, 3000)], 384, 384),  # live use
        ([(768, 576)] * 5, 384, 288),
        ([(1260, 500)] * 5, 640, 256),
        ([(500, 1260)] * 5, 256, 640),
        ([(500, 500), (500, 500), (50, 10_000)], 256, 256),  # the usual picture, not the mean
    ],
)
def test_the_usual_shape_is_kept_with_half_its_side_within_bounds(
    sizes: list[tuple[int, int]], height: int, width: int
) -> None:
    scoring = fitted(Scoring(), sizes)
    assert (scoring.input_height, scoring.input_width, scoring.fit) == (height, width, KEEP)


@given(st.lists(st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)), min_size=1))
def test_any_pictures_choose_an_input_that_works_and_is_neither_small_nor_slow(
    sizes: list[tuple[int, int]],
) -> None:
    scoring = fitted(Scoring(), sizes)
    height, width = Geometry.of(scoring).input_size
    assert LEAST**2 - 1 <= height * width <= 1.6 * MOST**2
    assert max(height / width, width / height) <= 1.5 * MOST_OBLONG
    assert fitted(Scoring(), sizes[::-1]) == scoring


def test_without_a_size_nothing_is_chosen() -> None:
    assert fitted(Scoring(), []) == Scoring()


def test_the_rest_of_a_recipe_stays() -> None:
    before = Scoring(method="dn2", k=3, tiles=512)
    after = fitted(before, [(480, 640)])
    assert (after.method, after.k, after.tiles, after.crop) == ("dn2", 3, 512, 0)


@pytest.mark.parametrize(
    ("method", "preset", "overrides"),
    [
        ("spade", "paper", {}),
        ("dn2", "paper", {}),
        ("spade", "video", {}),
        ("spade", "default", {"size": 256}),
        ("spade", "default", {"height": 256}),
        ("spade", "default", {"fit": KEEP}),
        ("spade", "default", {"size": 256, "crop": 224}),
    ],
)
def test_a_chosen_input_is_known_as_such(
    method: str, preset: str, overrides: dict[str, object]
) -> None:
    assert has_chosen_input(scoring_for(method, preset=preset, **overrides))


def test_the_default_recipe_leaves_the_choice_to_the_pictures() -> None:
    assert not has_chosen_input(scoring_for("spade"))
    assert not has_chosen_input(scoring_for("dn2", k=7))


def test_the_papers_presets_still_resize_to_256_and_crop_224() -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    for method in ("dn2", "spade"):
        geometry = Geometry.of(scoring_for(method, preset="paper"))
        assert geometry == Geometry(256, 224)
        assert geometry.apply(image).shape == (224, 224, 3)
