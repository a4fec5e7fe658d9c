from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.measuring import ablation
from inspector_gui.core.measuring.ablation import Bench, Point
from inspector_gui.core.measuring.class_data import ClassData
from inspector_gui.core.measuring.problems import Problem, auroc
from inspector_gui.core.types import Progress, Scoring
from tests.core.squares import MeanColours, Memory, plain, save

SCORING = Scoring(method="dn2", k=2)


def noise(seed: int, count: int, middle: float) -> np.ndarray:
    """Return features around one of three modes, so that it matters how many are known."""
    random = np.random.default_rng(seed)
    modes = 8 * np.eye(3, 6, dtype=np.float32)[random.integers(3, size=count)]
    return (modes + middle + random.standard_normal((count, 6))).astype(np.float32)


def problem(name: str = "modes", *, strange: int = 0) -> Problem:
    bad = np.repeat([False, True], [60, 60])
    queries = np.concatenate([noise(1, 60, 0), noise(2, 60, 1.5)])
    others = noise(3, strange, 1.5) if strange else None
    return Problem(name, noise(0, 80, 0), queries, bad, others)


def by_ablation(points: list[Point]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point.ablation, []).append(point)
    return found


def test_every_ablation_has_the_papers_settings_that_the_data_set_allows() -> None:
    points = by_ablation(ablation.ablate(Bench([problem(strange=200)], SCORING)))
    assert {name: [p.setting for p in found] for name, found in points.items()} == {
        "neighbours": [1, 2, 3, 5, 10, 20, 50],
        "references": [5, 10, 20, 50, "all"],
        "impurity": [0.0, 0.05, 0.1, 0.2, 0.3, 0.4],
        "impurity, cleaned": [0.0, 0.05, 0.1, 0.2, 0.3, 0.4],
        "centroids": [1, 3, 5, 10, "all"],
    }
    assert [p.k for p in points["neighbours"]] == [1, 2, 3, 5, 10, 20, 50]
    assert [p.k for p in points["centroids"]] == [1, 2, 2, 2, 2]


def test_points_agree_where_they_are_the_same_setting() -> None:
    case = problem(strange=200)
    bench = Bench([case], SCORING)
    points = by_ablation(ablation.ablate(bench))
    plainly = auroc(case, 2)
    same = [
        ablation.depth(bench), points["neighbours"][1], points["references"][-1],
        points["impurity"][0], points["centroids"][-1],
    ]  # fmt: skip
    assert [point.image_auroc for point in same] == [plainly] * 5


def test_bad_references_cost_and_cleaning_helps_and_few_references_are_worse() -> None:
    points = by_ablation(ablation.ablate(Bench([problem(strange=200)], SCORING)))
    impure = [p.image_auroc or 0 for p in points["impurity"]]
    cleaned = [p.image_auroc or 0 for p in points["impurity, cleaned"]]
    assert impure[5] < impure[3] < impure[0]
    assert cleaned[2] > impure[2]
    few, *_, every = (p.image_auroc or 0 for p in points["references"])
    assert few < every
    assert points["references"][0].spread
    one, *_, ten, _ = (p.image_auroc or 0 for p in points["centroids"])
    assert one < ten


def test_bad_test_pictures_serve_where_there_are_no_others_and_shares_stop_there() -> None:
    points = by_ablation(ablation.ablate(Bench([problem()], SCORING)))
    # 30 of 60 bad queries may be taken; 0.3 of all would be 34.
    assert [p.setting for p in points["impurity"]] == [0.0, 0.05, 0.1, 0.2]


def test_without_bad_pictures_to_take_the_other_ablations_remain() -> None:
    case = problem()
    one_bad = Problem("few", case.references, case.queries[:61], case.bad[:61])
    points = by_ablation(ablation.ablate(Bench([one_bad], SCORING)))
    assert set(points) == {"neighbours", "references", "centroids"}


def test_points_are_averages_over_problems() -> None:
    cases = [problem(strange=200), problem("again", strange=200)]
    cases[1] = Problem(
        "by chance", noise(0, 80, 0), noise(4, 120, 0), cases[1].bad, noise(5, 99, 0)
    )
    point = ablation.depth(Bench(cases, SCORING))
    assert point.image_auroc == pytest.approx(np.mean([auroc(case, 2) for case in cases]))


def test_every_ablation_reports_and_can_be_stopped() -> None:
    seen: list[Progress] = []
    ablation.ablate(Bench([problem(strange=200)], SCORING, report=seen.append))
    ended = [p.what for p in seen if p.done == p.total]
    assert ended == ["neighbours", "references", "impurity", "centroids"]
    with pytest.raises(Cancelled):
        ablation.ablate(Bench([problem()], SCORING, should_stop=lambda: True))


def write(folder: Path, names: tuple[str, ...], count: int = 4) -> None:
    for place, name in enumerate(names):
        for number in range(count):
            save(folder / name / f"{number}.png", plain(40 + 40 * place + number, 32))


def test_problems_of_a_data_set_in_mvtec_layout(tmp_path: Path) -> None:
    write(tmp_path, ("train/good", "test/good", "test/bright"))
    (tmp_path / "test" / "bright" / "9.png").write_bytes(b"torn")
    data = ablation.read_any(tmp_path)
    problems, unreadable = ablation.problems_with(data, Memory(), MeanColours())  # type: ignore[arg-type]
    (found,) = problems
    assert (len(found.references), found.bad.tolist()) == (4, [True] * 4 + [False] * 4)
    assert found.strange is None
    assert "9.png" in unreadable[0]


def test_problems_of_a_data_set_of_classes(tmp_path: Path) -> None:
    write(tmp_path, ("nut", "bolt", "washer"))
    data = ablation.read_any(tmp_path)
    assert isinstance(data, ClassData)
    problems, _ = ablation.problems_with(data, Memory(), MeanColours())  # type: ignore[arg-type]
    assert [p.name for p in problems] == ["bolt", "nut", "washer"]
    assert problems[0].strange is not None


def test_a_data_set_in_which_nothing_can_be_told_apart_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ("train/good", "test/good"))
    with pytest.raises(KnownError, match="not both good and defective"):
        ablation.read_any(tmp_path)
    with pytest.raises(KnownError, match="is not a folder"):
        ablation.read_any(tmp_path / "nowhere")
