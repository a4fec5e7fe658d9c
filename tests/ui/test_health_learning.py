from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector_gui.core.sets.learning import LearningCurve, LearningPoint
from inspector_gui.ui.health_learning import conclusion
from tests.ui.health import HealthBench, health_bench


def curve(*values: float, is_auroc: bool) -> LearningCurve:
    counts = (5, 10, 20, 40)
    points = tuple(
        LearningPoint(
            count, 5, 20, 1.0 if is_auroc else value, 0.1, 2.0, 0.0,
            (value, value - 0.01, value) if is_auroc else None,
        )
        for count, value in zip(counts, values, strict=True)
    )  # fmt: skip
    return LearningCurve(points, "validation", 7 if is_auroc else 0, 0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.8, 0.93, 0.95, 0.952), "From 20 references on the AUROC stays within 0.01 of 0.952"),
        ((0.8, 0.951, 0.7, 0.952), "not level: more good parts would help"),
        ((0.8, 0.82, 0.85, 0.9), "Up to all 40 references the curve is not level"),
    ],
)
def test_by_auroc_the_curve_is_level_from_where_all_points_are_alike(
    values: tuple[float, ...], said: str
) -> None:
    text = conclusion(curve(*values, is_auroc=True), by_auroc=True)
    assert said in text
    assert ("7 known bad parts" in text) == ("not level" not in text)


def test_without_known_bad_parts_the_score_of_a_good_part_tells() -> None:
    assert "From 10 references on the score of a good part" in conclusion(
        curve(2.0, 1.04, 1.02, 1.0, is_auroc=False), by_auroc=False
    )
    assert "not level" in conclusion(curve(4.0, 3.0, 2.0, 1.0, is_auroc=False), by_auroc=False)


@pytest.fixture
def bench(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HealthBench]:
    with health_bench(qtbot, qapp, tmp_path, monkeypatch) as bench:
        bench.window.tab_buttons[4].click()
        yield bench


def test_the_curve_goes_up_to_all_references_and_says_when_they_changed(
    bench: HealthBench,
) -> None:
    bench.fill(good=8, validation=3, known_bad=2)
    bench.until_current()
    tab = bench.window.learning
    assert "With 8 references the curve is rough" in tab.warning.text()
    tab.measure_button.click()
    bench.until(lambda: tab.curve is not None)
    assert tab.plot.series is not None
    assert list(tab.plot.series.x) == [5, 7, 8]
    assert "AUROC" in tab.plot.series.y_name
    tab.chips["score"].click()
    assert "score of a good part" in tab.plot.series.y_name
    assert "score of a good part" in tab.conclusion.text() or "not level" in tab.conclusion.text()
    bench.commands.include([bench.image("good-000.png")], False, "")
    bench.until_excluded("good-000.png")
    assert "have changed since" in tab.remark.text()


def test_the_promise_follows_the_validation_parts(bench: HealthBench) -> None:
    tab = bench.window.learning
    assert "nothing is promised" in tab.promise_text.text()
    bench.fill(good=6, validation=4)
    assert "4 parts, at best 1 false alarm in 5" in tab.promise_text.text()
    assert "1%: 99" in tab.promise_text.text()
    series = tab.promise_plot.series
    assert series is not None
    assert series.y[list(series.x).index(4)] == pytest.approx(20)


def test_with_five_references_there_is_no_curve_and_the_reason_is_said(
    bench: HealthBench,
) -> None:
    bench.fill(good=5)
    tab = bench.window.learning
    assert not tab.measure_button.isEnabled()
    assert "there are 5" in tab.warning.text()
