"""What the references of a set choose for the default recipe, and until when they do."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core import quantising
from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import encode_png
from inspector_gui.core.method_options import AUTOMATIC_PRESET, DEFAULT_RECIPE
from inspector_gui.core.types import KEEP, SQUASH, Purpose, Scoring
from inspector_gui.store.references import References
from inspector_gui.workers.engine import Engine
from tests.session.desk import Desk

STRIP, SQUARE = (96, 240), (96, 96)
SEEN_AS_STRIP = (512, 192, SQUASH)
SEEN_AS_SQUARE = (192, 0, SQUASH)


@pytest.fixture
def desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """New sets have the default recipe; nothing is computed, only chosen."""
    monkeypatch.setattr(Engine, "configure", lambda *_: None)
    desk.session.references._default_scoring = lambda: DEFAULT_RECIPE
    return desk


def written(folder: Path, shapes: Sequence[tuple[int, int]], *, first: int = 0) -> list[Path]:
    """Write pictures of these heights and widths, each another one."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{first + n:03}.png" for n in range(len(shapes))]
    for number, (path, shape) in enumerate(zip(paths, shapes, strict=True)):
        random = np.random.default_rng(first + number)
        path.write_bytes(encode_png(random.integers(0, 256, (*shape, 3)).astype(np.uint8)))
    return paths


def seen(scoring: Scoring) -> tuple[int, int, str]:
    return scoring.size, scoring.height, scoring.fit


def kept(desk: Desk) -> Scoring:
    """Return the scoring in the database, once all that was asked is done."""
    desk.settle()
    (found,) = desk.stored(lambda store: store.references.load_sets())
    assert found == desk.current
    return desk.current.scoring


def test_the_first_references_of_a_set_choose_its_input(desk: Desk, tmp_path: Path) -> None:
    desk.import_files(written(tmp_path / "strips", [STRIP] * 6))
    assert seen(kept(desk)) == SEEN_AS_STRIP
    assert desk.current.scoring.preset == AUTOMATIC_PRESET
    assert desk.notices == []  # nothing was there that was seen in another way


def test_a_few_of_another_shape_keep_it_and_most_make_a_square(desk: Desk, tmp_path: Path) -> None:
    desk.import_files(written(tmp_path / "strips", [STRIP] * 4 + [SQUARE] * 2))
    assert seen(kept(desk)) == (512, 192, KEEP)
    desk.session.references.create("Mixed")
    desk.until(lambda: desk.current.name == "Mixed")
    shapes = [(60, 240), (100, 220), (150, 150), (240, 60), (130, 190), (200, 110)]
    desk.import_files(written(tmp_path / "mixed", shapes))
    desk.settle()
    size, height, fit = seen(desk.current.scoring)
    assert (height, fit) == (0, SQUASH)
    assert size % 64 == 0


def test_one_first_picture_of_another_shape_does_not_decide_for_the_seven_that_follow(
    desk: Desk, tmp_path: Path
) -> None:
    desk.import_files(written(tmp_path / "first", [SQUARE]))
    assert seen(kept(desk)) == SEEN_AS_SQUARE
    desk.import_files(written(tmp_path / "more", [STRIP] * 7, first=1))
    assert seen(kept(desk)) == (512, 192, KEEP)
    assert desk.notices == [
        "Pictures of this set are now seen at 512 x 192 pixels, chosen from its 8 references."
    ]


def test_five_references_have_chosen_whatever_is_added_to_them(desk: Desk, tmp_path: Path) -> None:
    desk.import_files(written(tmp_path / "squares", [SQUARE] * 5))
    desk.import_files(written(tmp_path / "strips", [STRIP] * 20, first=5))
    assert seen(kept(desk)) == SEEN_AS_SQUARE
    assert desk.notices == []


def test_validation_pictures_choose_when_they_become_references(desk: Desk, tmp_path: Path) -> None:
    references = desk.session.references
    desk.import_files(written(tmp_path / "first", [SQUARE]))
    references.add(written(tmp_path / "held-out", [STRIP] * 7, first=1), Purpose.VALIDATION)
    desk.until(lambda: len(desk.current.images) == 8)
    assert seen(kept(desk)) == SEEN_AS_SQUARE
    held_out = [i.id for i in desk.current.of(Purpose.VALIDATION)]
    references.set_purpose(held_out, Purpose.REFERENCE)
    desk.until(lambda: len(desk.current.included) == 8)
    assert seen(kept(desk)) == (512, 192, KEEP)


def test_leaving_out_counting_in_and_taking_away_choose_while_there_are_few(
    desk: Desk, tmp_path: Path
) -> None:
    references = desk.session.references
    desk.import_files(written(tmp_path / "both", [SQUARE] * 3 + [STRIP]))
    assert seen(kept(desk)) == (192, 0, KEEP)
    squares = [i.id for i in desk.current.images if (i.height, i.width) == SQUARE]
    references.set_included(squares, False, "another part")
    desk.until(lambda: len(desk.current.included) == 1)
    assert seen(kept(desk)) == SEEN_AS_STRIP
    assert "512 x 192 pixels, chosen from its reference." in desk.notices[-1]
    references.set_included(squares, True)
    desk.until(lambda: len(desk.current.included) == 4)
    assert seen(kept(desk)) == (192, 0, KEEP)
    references.remove(squares)
    desk.until(lambda: len(desk.current.images) == 1)
    assert seen(kept(desk)) == SEEN_AS_STRIP


def test_a_choice_that_cannot_be_stored_leaves_the_set_as_it_was_and_says_so(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise KnownError("The disk is full. Free some space and try again.")

    desk.import_files(written(tmp_path / "first", [SQUARE]))
    before = kept(desk)
    with monkeypatch.context() as patched:
        patched.setattr(References, "set_scoring", refuse)
        desk.import_files(written(tmp_path / "more", [STRIP] * 7, first=1))
        desk.settle()
    assert desk.notices == ["The disk is full. Free some space and try again."]
    assert len(desk.current.included) == 8
    assert kept(desk) == before


def test_the_choice_can_be_made_again_and_a_persons_own_is_left_alone(
    desk: Desk, tmp_path: Path
) -> None:
    references = desk.session.references
    desk.import_files(written(tmp_path / "squares", [SQUARE] * 5))
    desk.import_files(written(tmp_path / "strips", [STRIP] * 20, first=5))
    references.set_scoring(replace(desk.current.scoring, k=3))
    desk.until(lambda: desk.current.scoring.k == 3)
    assert seen(kept(desk)) == SEEN_AS_SQUARE  # other numbers are no reason to choose again
    references.set_scoring(DEFAULT_RECIPE, anew=True)
    desk.until(lambda: desk.current.scoring.k == DEFAULT_RECIPE.k)
    assert seen(kept(desk)) == (512, 192, KEEP)
    own = replace(DEFAULT_RECIPE, preset="default", size=128)
    references.set_scoring(own, anew=True)
    desk.until(lambda: desk.current.scoring == own)


def test_an_int8_recipe_keeps_the_input_that_its_network_was_calibrated_for(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantising, "calibration_of", lambda *_: "0123456789abcdef")
    desk.import_files(written(tmp_path / "first", [SQUARE]))
    references = desk.session.references
    references.set_scoring(replace(desk.current.scoring, precision="int8"))
    desk.until(lambda: desk.current.scoring.calibration)
    before = kept(desk)
    desk.import_files(written(tmp_path / "more", [STRIP] * 7, first=1))
    assert kept(desk) == before
