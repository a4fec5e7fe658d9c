from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.measuring import group_protocol
from inspector_gui.core.measuring.class_data import ClassData, read_class_data
from inspector_gui.core.measuring.group_protocol import GROUPS, measure_groups
from inspector_gui.core.measuring.protocols import (
    ClassFeatures,
    check_protocol,
    class_features,
    measure,
    problems_of,
)
from inspector_gui.core.measuring.variation import DRAWS, Variation
from inspector_gui.core.types import Progress, Scoring
from tests.core.squares import MeanColours, plain, save

SCORING = Scoring(method="dn2", k=2)
CLASSES = ("black", "grey", "white")


@pytest.fixture
def data(tmp_path: Path) -> ClassData:
    """Ten squares each of three shades, whose greys overlap a little."""
    random = np.random.default_rng(0)
    for name, grey in zip(CLASSES, (60, 120, 180), strict=True):
        for number in range(10):
            value = int(random.normal(grey, 15))
            save(tmp_path / "shades" / name / f"{number}.png", plain(value, 32))
    return read_class_data(tmp_path / "shades")


@pytest.fixture
def features(data: ClassData) -> ClassFeatures:
    return class_features(data, MeanColours())  # type: ignore[arg-type]


def clouds(count: int, classes: int, *, apart: float) -> ClassFeatures:
    """Return features of classes that lie around corners of a simplex."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(classes), count)
    centres = apart * np.eye(classes, 8, dtype=np.float32)

    def drawn() -> np.ndarray:
        noise = random.standard_normal((len(labels), 8)).astype(np.float32)
        return np.asarray(centres[labels] + noise, np.float32)

    names = tuple(f"class {n}" for n in range(classes))
    return ClassFeatures("clouds", names, "standard", drawn(), labels, drawn(), labels)


def test_one_class_learns_a_class_and_takes_all_others_as_bad(features: ClassFeatures) -> None:
    problems = problems_of(features, "one-class")
    assert [problem.name for problem in problems] == list(CLASSES)
    for number, problem in enumerate(problems):
        assert len(problem.references) == 8
        assert len(problem.queries) == 6
        np.testing.assert_array_equal(problem.bad, features.test_labels != number)
        assert problem.strange is not None
        assert len(problem.strange) == 16


def test_multimodal_learns_all_classes_but_the_bad_one(features: ClassFeatures) -> None:
    for number, problem in enumerate(problems_of(features, "multimodal")):
        assert len(problem.references) == 16
        np.testing.assert_array_equal(problem.bad, features.test_labels == number)


def test_a_row_for_every_class_and_one_for_the_average(features: ClassFeatures) -> None:
    rows = [row.as_json() for row in measure(features, "one-class", scoring=SCORING)]
    assert [row["class"] for row in rows] == [*CLASSES, "average"]
    assert [row["n_train"] for row in rows] == [8, 8, 8, None]
    assert [row["n_test"] for row in rows] == [6, 6, 6, None]
    areas = [row["image_auroc"] for row in rows]
    assert areas[3] == pytest.approx(np.mean(areas[:3]))  # type: ignore[arg-type]
    assert {row["split"] for row in rows} == {"80/20 in order"}
    assert {row["training"] for row in rows} == {"clean"}


def test_classes_that_lie_apart_are_told_apart() -> None:
    near, far = clouds(20, 4, apart=0.0), clouds(20, 4, apart=20.0)
    for protocol in ("one-class", "multimodal"):
        assert measure(far, protocol, scoring=SCORING)[-1].image_auroc == 1.0
        by_chance = measure(near, protocol, scoring=SCORING)[-1].image_auroc
        assert by_chance == pytest.approx(0.5, abs=0.1)


def test_shots_are_drawn_per_class(features: ClassFeatures) -> None:
    rows = measure(features, "one-class", scoring=SCORING, variation=Variation(shots=(2, 8)))
    found = [row.as_json() for row in rows]
    assert [(row["shots"], row["class"]) for row in found] == [
        (count, name) for count in (2, 8) for name in (*CLASSES, "average")
    ]
    assert found[0]["n_train"] == 2
    assert found[0]["n_draws"] == DRAWS
    by_draw = np.mean([row.draws for row in rows[:3]], axis=0)  # type: ignore[arg-type]
    np.testing.assert_allclose(rows[3].draws, by_draw)  # type: ignore[arg-type]
    assert found[4]["image_auroc_std"] == 0  # all eight, whatever the draw


def test_contaminated_and_cleaned_references_are_rows_on_the_whole_test_set() -> None:
    features = clouds(40, 3, apart=20.0)
    rows = measure(
        features, "one-class", scoring=SCORING, variation=Variation(contaminate=0.2, clean=0.3)
    )
    assert [row.training for row in rows] == [
        name for name in ("clean", "contaminated", "cleaned") for _ in range(4)
    ]
    assert {row.n_test for row in rows if row.n_test} == {120}
    assert [rows[i].n_train for i in (0, 4, 8)] == [40, 50, 35]
    assert rows[4].details["impurity"] == 0.2
    assert rows[8].details["n_dropped"] == 15
    clean, impure, cleaned = (rows[i].image_auroc or 0 for i in (3, 7, 11))
    assert clean == 1.0
    assert impure < clean
    assert cleaned > impure


def test_centroids_stand_for_the_references_of_every_class(features: ClassFeatures) -> None:
    rows = measure(features, "multimodal", scoring=SCORING, variation=Variation(centroids=1))
    assert {row.details["centroids"] for row in rows} == {1}
    assert rows[0].k_used == 1


def test_an_unreadable_picture_is_named_and_left_out(data: ClassData, tmp_path: Path) -> None:
    (tmp_path / "shades" / "grey" / "1.png").write_bytes(b"no picture")
    features = class_features(data, MeanColours())  # type: ignore[arg-type]
    assert (len(features.train), len(features.test)) == (23, 6)
    assert features.train_labels.tolist() == [0] * 8 + [1] * 7 + [2] * 8
    assert "1.png is not a picture" in features.unreadable[0]


def test_a_class_of_which_nothing_is_readable_is_an_error(data: ClassData, tmp_path: Path) -> None:
    for path in (tmp_path / "shades" / "grey").iterdir():
        path.write_bytes(b"")
    with pytest.raises(KnownError, match="training pictures of the class 'grey' of shades"):
        class_features(data, MeanColours())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("protocol", "variation", "scoring", "words"),
    [
        ("one-class", Variation(shots=(9,)), SCORING, "9 shots .* 'black' has 8 references"),
        ("multimodal", Variation(shots=(17,)), SCORING, "17 shots .* has 16 references"),
        ("groups", Variation(clean=0.5), SCORING, "The protocol groups has no"),
        ("one-class", Variation(), Scoring(method="spade"), "needs --method dn2, not spade"),
    ],
)
def test_what_a_protocol_cannot_do_is_said_before_features_are_computed(
    data: ClassData, protocol: str, variation: Variation, scoring: Scoring, words: str
) -> None:
    with pytest.raises(KnownError, match=words):
        check_protocol(data, protocol, variation, scoring)


def test_groups_are_compared_by_three_poolings_and_by_their_covariance() -> None:
    rows = measure_groups(clouds(30, 6, apart=6.0), scoring=SCORING)
    found = [(row.details["pooling"], row.details["group_size"]) for row in rows]
    assert found == [("mean", 6), ("max", 6), ("concatenated", 6), ("covariance trace", 6)]
    areas = {str(row.details["pooling"]): row.image_auroc or 0 for row in rows}
    assert areas["mean"] > 0.9
    assert areas["mean"] > areas["concatenated"]  # 720 orders of a group
    assert areas["covariance trace"] > 0.9
    assert {row.n_test for row in rows} == {2 * GROUPS}


def test_groups_cannot_be_told_apart_where_classes_are_the_same() -> None:
    rows = measure_groups(clouds(200, 4, apart=0.0), scoring=SCORING, size=3, seed=2)
    for row in rows:
        assert row.image_auroc == pytest.approx(0.5, abs=0.08)


def test_no_anomalous_group_has_one_picture_of_each_class() -> None:
    random = np.random.default_rng(0)
    for m in (2, 3, 5):
        for _ in range(50):
            assert sorted(group_protocol._one_of_each(random, m)) == list(range(m))
            assert len(set(group_protocol._not_one_of_each(random, m).tolist())) < m
            assert len(set(group_protocol._one_alone(random, m).tolist())) == 1
            assert len(set(group_protocol._not_one_alone(random, m).tolist())) > 1


def test_a_group_has_no_picture_twice_while_its_class_has_others() -> None:
    random = np.random.default_rng(0)
    of_class = [np.arange(3), np.arange(3, 5)]
    groups = [np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([0, 1, 0])]
    all_of_one, too_many, mixed = group_protocol._members(random, of_class, groups)
    assert sorted(all_of_one) == [0, 1, 2]
    assert set(too_many) <= {3, 4}
    assert mixed[1] in (3, 4)
    assert mixed[0] != mixed[2]


@pytest.mark.parametrize("size", [1, 5])
def test_a_group_size_without_one_of_each_class_is_refused(size: int) -> None:
    with pytest.raises(KnownError, match="--group-size is 2 to 4, the number of classes"):
        measure_groups(clouds(5, 4, apart=1.0), scoring=SCORING, size=size)


def test_protocols_report_and_can_be_stopped(data: ClassData, features: ClassFeatures) -> None:
    seen: list[Progress] = []
    class_features(data, MeanColours(), report=seen.append)  # type: ignore[arg-type]
    measure(features, "one-class", scoring=SCORING, report=seen.append)
    measure_groups(features, scoring=SCORING, report=seen.append)
    ended = [p.what for p in seen if p.done == p.total]
    assert ended == ["training pictures", "test pictures", "classes", "groups"]
    with pytest.raises(Cancelled):
        measure(features, "one-class", scoring=SCORING, should_stop=lambda: True)
    with pytest.raises(Cancelled):
        measure_groups(features, scoring=SCORING, should_stop=lambda: True)
