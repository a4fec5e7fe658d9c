import json
from collections.abc import Sequence

import numpy as np
import pytest

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.sets.learning import LearningCurve, learning_curve, sizes_up_to
from inspector_gui.core.sets.subsets import Dn2OfSubset
from inspector_gui.core.types import Floats, Progress

GOODS, MORE, BAD = range(40), range(40, 55), range(55, 70)


def parts() -> Floats:
    """Good parts (rows 0 to 54) and bad ones that lie a little farther out."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(70, 6))
    values[55:] *= 2.5
    return values.astype(np.float32)


def test_the_numbers_on_a_curve_grow_evenly_and_end_with_all() -> None:
    assert sizes_up_to(6) == [5, 6]
    assert sizes_up_to(30) == [5, 7, 10, 15, 20, 30]
    assert sizes_up_to(160) == [5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 160]
    assert sizes_up_to(2000)[-4:] == [700, 1000, 1500, 2000]


def test_with_more_references_good_parts_come_closer_and_bad_ones_are_told_better() -> None:
    curve = learning_curve(40, Dn2OfSubset(parts()), validation=MORE, bad=BAD)
    assert [p.references for p in curve.points] == [5, 7, 10, 15, 20, 30, 40]
    assert [p.draws for p in curve.points] == [5, 5, 5, 5, 5, 5, 1]
    medians = [p.median for p in curve.points]
    assert medians == sorted(medians, reverse=True)
    first, last = curve.points[0], curve.points[-1]
    assert first.auroc is not None
    assert last.auroc is not None
    assert last.auroc[0] > first.auroc[0]
    for point in curve.points:
        assert point.auroc is not None
        mean, low, high = point.auroc
        assert 0 <= low <= mean <= high <= 1
    assert (curve.goods, curve.n_bad) == ("validation", 15)


def test_without_validation_good_pictures_are_references_that_were_not_drawn() -> None:
    dn2 = Dn2OfSubset(parts())
    against_others: list[bool] = []

    def score(picture: int, rows: Sequence[int]) -> float:
        assert picture in GOODS
        if len(rows) == 30:
            against_others.append(picture not in rows)
        return dn2(picture, rows)

    curve = learning_curve(40, score)
    assert curve.goods == "left out references"
    assert {p.goods for p in curve.points} == {35, 33, 30, 25, 20, 10, 40}
    assert sum(against_others) == 5 * 10  # the others are those that the limit is made from
    assert all(p.auroc is None for p in curve.points)
    assert all(p.limit > 0 and 0 <= p.above <= 1 and p.spread > 0 for p in curve.points)


def test_the_point_of_all_references_is_leave_one_out() -> None:
    dn2 = Dn2OfSubset(parts())
    last = learning_curve(40, dn2).points[-1]
    scores = [dn2(picture, tuple(GOODS)) for picture in GOODS]
    assert last.median == pytest.approx(np.median(scores))


def test_a_curve_depends_on_its_seed_alone() -> None:
    curves = [learning_curve(40, Dn2OfSubset(parts()), bad=BAD, seed=seed) for seed in (1, 1, 2)]
    assert curves[0] == curves[1]
    assert curves[0].points != curves[2].points


def test_a_curve_survives_the_way_through_a_file() -> None:
    for bad in ((), BAD):
        curve = learning_curve(12, Dn2OfSubset(parts()), bad=bad, draws=2)
        assert LearningCurve.from_json(json.loads(json.dumps(curve.as_json()))) == curve


def test_progress_is_reported_and_a_curve_can_be_stopped() -> None:
    seen: list[Progress] = []
    learning_curve(12, Dn2OfSubset(parts()), draws=1, report=seen.append)
    assert [p.done for p in seen] == [0, 1, 2, 3, 4]
    assert seen[-1].total == 4
    with pytest.raises(Cancelled):
        learning_curve(12, Dn2OfSubset(parts()), should_stop=lambda: True)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_references_are_refused_in_a_sentence(count: int) -> None:
    with pytest.raises(KnownError, match="more than 5 references"):
        learning_curve(count, Dn2OfSubset(parts()))
