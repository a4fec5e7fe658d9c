import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspector_gui import paths
from inspector_gui.core.explain import explain_place
from inspector_gui.core.features import Extractor, FeatureList
from inspector_gui.core.types import (
    ALL_REFERENCES,
    KEEP,
    RGB,
    Scoring,
    gallery_fingerprint,
)
from inspector_gui.workers.explaining import Answer, Question
from tests.drawn import SIDE, picture, png, sha
from tests.workers.bench import DN2, SPADE, Bench

STAINED = picture(70, defect="stain")


@pytest.fixture
def answers(bench: Bench) -> list[Answer]:
    found: list[Answer] = []
    bench.engine.explained.connect(found.append)
    return found


def question(
    bench: Bench,
    number: int,
    point: tuple[float, float] | None,
    *,
    scoring: Scoring = SPADE,
    image: RGB = STAINED,
    nearest: tuple[str, ...] | None = None,
    names: tuple[str, ...] | None = None,
    folder: Path | None = None,
) -> Question:
    hashes = tuple(sorted(bench.files)) if names is None else names
    return Question(
        number=number,
        image=image,
        point=point,
        nearest=hashes if nearest is None else nearest,
        fingerprint=gallery_fingerprint(scoring, hashes),
        features_folder=folder or bench.folder,
    )


def test_the_hot_spot_of_a_stain_is_explained_as_by_brute_force(
    bench: Bench, answers: list[Answer]
) -> None:
    bench.engine.configure(bench.setup(SPADE))
    bench.submit("stained", seed=70)
    bench.until(lambda: bench.inspections)
    extractor = Extractor(
        SPADE, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    names = sorted(bench.files)
    references = FeatureList(
        tuple(extractor.extract(picture(seed)) for seed in sorted(range(8), key=_name_of))
    )
    part = extractor.extract(STAINED)
    hot = np.unravel_index(int(part.levels[0].sum(axis=2).argmax()), (24, 24))
    place = (int(hot[0]), int(hot[1]))
    point = ((place[1] + 0.5) * SIDE / 24, (place[0] + 0.5) * SIDE / 24)
    bench.engine.explain(question(bench, 1, point))
    bench.until(lambda: answers)
    wanted = explain_place(part, references, range(8), place)
    (answer,) = answers
    assert (answer.number, answer.gone, answer.grid) == (1, 0, (24, 24))
    assert answer.explanation == wanted
    assert answer.hashes == tuple(names[match.row] for match in wanted.matches)


def test_where_all_references_are_neighbours_a_place_is_compared_with_all_of_them(
    bench: Bench, answers: list[Answer]
) -> None:
    scoring = replace(SPADE, k=ALL_REFERENCES)
    bench.engine.configure(bench.setup(scoring))
    bench.submit("stained", seed=70)
    bench.until(lambda: bench.inspections)
    (inspection,) = bench.inspections
    assert sorted(inspection.nearest) == sorted(bench.files)
    point = (SIDE / 2, SIDE / 2)
    bench.engine.explain(question(bench, 1, point, scoring=scoring))
    two = inspection.nearest[:2]  # as of a large set, of which the nearest are remembered
    bench.until(lambda: answers)
    bench.engine.explain(question(bench, 2, point, scoring=scoring, nearest=two))
    bench.until(lambda: len(answers) == 2)
    first, second = answers
    assert first.explanation is not None
    assert second.explanation is not None
    assert second.gone == 0
    assert second.explanation.matches == first.explanation.matches
    assert second.explanation.distance == first.explanation.distance


def test_patchcore_names_the_patches_of_its_bank_whatever_references_have_gone(
    bench: Bench, answers: list[Answer]
) -> None:
    scoring = Scoring(method="patchcore", size=96, k=2, coreset=0.2)
    bench.engine.configure(bench.setup(scoring))
    bench.submit("stained", seed=70)
    bench.until(lambda: bench.inspections)
    patches = bench.inspections[0].scores.patches
    assert patches is not None
    place = (5, 7)
    point = ((place[1] + 0.5) * SIDE / 12, (place[0] + 0.5) * SIDE / 12)
    asked = question(
        bench, 1, point, scoring=scoring, image=picture(70), nearest=("f" * 64, "e" * 64)
    )
    bench.engine.explain(asked)
    bench.until(lambda: answers)
    (answer,) = answers
    found = answer.explanation
    assert found is not None
    assert (answer.grid, answer.gone, found.place) == ((12, 12), 0, place)
    assert found.distance == pytest.approx(float(patches[place]), rel=1e-6)
    assert found.usual is not None
    assert set(answer.hashes) <= set(bench.files)
    assert len(set(answer.hashes)) == len(found.matches)


def _name_of(seed: int) -> str:
    return sha(png(seed))


def test_an_idle_engine_answers_at_once(bench: Bench, answers: list[Answer]) -> None:
    bench.engine.configure(bench.setup(SPADE))
    bench.until_ready()
    bench.engine.explain(question(bench, 1, (40, 40)))
    bench.until(lambda: len(answers) == 1)
    began = time.monotonic()
    bench.engine.explain(question(bench, 2, (50, 50)))
    bench.until(lambda: len(answers) == 2)
    assert time.monotonic() - began < 2  # a few milliseconds where nothing else runs


@pytest.mark.parametrize("scoring", [SPADE, Scoring(size=128, height=96, fit=KEEP)])
@pytest.mark.parametrize("x", [0, SIDE / 2, SIDE])
@pytest.mark.parametrize("y", [0, SIDE / 2, SIDE])
def test_corners_and_edges_of_the_picture_have_a_place(
    bench: Bench, answers: list[Answer], x: float, y: float, scoring: Scoring
) -> None:
    bench.engine.configure(bench.setup(scoring, count=5))
    names = tuple(sorted(list(bench.files)[:5]))
    bench.engine.explain(question(bench, 1, (x, y), scoring=scoring, names=names))
    bench.until(lambda: answers)
    found = answers[0].explanation
    assert found is not None
    assert found.place == (min(int(y / SIDE * 24), 23), min(int(x / SIDE * 24), 23))


def test_a_place_outside_the_crop_is_answered_in_words(bench: Bench, answers: list[Answer]) -> None:
    cropped = Scoring(size=96, crop=64)
    bench.engine.configure(bench.setup(cropped))
    bench.engine.explain(question(bench, 1, (2, 48), scoring=cropped))
    bench.until(lambda: answers)
    assert answers[0].explanation is None
    assert "was not inspected" in answers[0].sentence


def test_dn2_names_the_nearest_references_and_what_is_usual(
    bench: Bench, answers: list[Answer]
) -> None:
    bench.engine.configure(bench.setup(DN2))
    bench.submit("part", seed=70)
    bench.until(lambda: bench.inspections)
    (inspection,) = bench.inspections
    asked = question(bench, 1, None, scoring=DN2, image=picture(70), nearest=inspection.nearest)
    bench.engine.explain(asked)
    bench.until(lambda: answers)
    found = answers[0].explanation
    assert found is not None
    assert found.place is None
    assert answers[0].hashes[:2] == inspection.nearest
    assert found.distance == pytest.approx(inspection.scores.image, rel=1e-6)
    assert found.usual is not None


def test_only_the_last_question_is_answered(bench: Bench, answers: list[Answer]) -> None:
    for number in range(1, 6):
        bench.engine.explain(question(bench, number, (40, 40 + number)))
    bench.engine.configure(bench.setup(SPADE))
    bench.until(lambda: answers)
    bench.until_ready()
    assert [answer.number for answer in answers] == [5]


def test_a_question_about_another_gallery_waits_for_it(bench: Bench, answers: list[Answer]) -> None:
    bench.engine.configure(bench.setup(SPADE, count=6))
    bench.engine.explain(question(bench, 1, (40, 40)))
    bench.until_ready()
    assert answers == []
    bench.engine.configure(bench.setup(SPADE))
    bench.until(lambda: answers)
    assert answers[0].explanation is not None
    bench.engine.explain(question(bench, 2, (40, 40), folder=bench.folder / "another"))
    bench.engine.explain(question(bench, 3, (40, 40), names=("0" * 64,)))
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    assert len(answers) == 1


def test_references_that_are_gone_are_counted_and_without_any_it_is_said(
    bench: Bench, answers: list[Answer]
) -> None:
    names = tuple(sorted(list(bench.files)[:6]))
    bench.engine.configure(bench.setup(SPADE, hashes=names))
    compared = tuple(sorted(bench.files))
    bench.engine.explain(question(bench, 1, (40, 40), names=names, nearest=compared))
    bench.until(lambda: answers)
    assert answers[0].gone == 2
    assert set(answers[0].hashes) <= set(names)
    bench.engine.explain(question(bench, 2, (40, 40), names=names, nearest=("f" * 64,)))
    bench.until(lambda: len(answers) == 2)
    assert "None of the references" in answers[1].sentence


def test_parts_are_judged_while_questions_are_asked_and_both_come_through(
    bench: Bench, answers: list[Answer]
) -> None:
    bench.engine.configure(bench.setup(SPADE))
    bench.until_ready()
    for number in range(30):
        bench.submit(f"{number}", seed=number % 8)
    bench.engine.explain(question(bench, 1, (40, 40)))
    bench.until(lambda: answers and len(bench.inspections) == 30)
    assert bench.names == [f"{number}" for number in range(30)]


def test_a_question_that_fails_is_answered_in_words_and_parts_are_judged(
    bench: Bench, answers: list[Answer], monkeypatch: pytest.MonkeyPatch, qtbot: object
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("inspector_gui.core.explain.explainer_of", broken)
    bench.engine.configure(bench.setup(SPADE))
    bench.engine.explain(question(bench, 1, (40, 40)))
    bench.until(lambda: answers)
    assert "Something went wrong" in answers[0].sentence
    bench.submit("part")
    bench.until(lambda: bench.inspections)
