import pytest

from inspector_gui.ui.health_slimming import SlimmingTab
from tests.session.desk import save_limits
from tests.ui.health import HealthBench


@pytest.fixture
def tab(bench: HealthBench) -> SlimmingTab:
    bench.fill(good=10)
    bench.until_current()
    bench.window.tab_buttons[3].click()
    return bench.window.slimming


def measure(bench: HealthBench, tab: SlimmingTab) -> None:
    tab.measure_button.click()
    bench.until(lambda: tab.slimming is not None or tab.study.failure.text())
    assert tab.study.failure.text() == ""


def test_slimming_shows_its_cost_first_and_is_one_step_that_undo_takes_back(
    bench: HealthBench, tab: SlimmingTab
) -> None:
    tab.count.setValue(6)
    tab.ways["coreset"].click()
    measure(bench, tab)
    assert bench.excluded == []
    assert tab.table.rows["References"] == ("10", "6")
    assert tab.table.rows["AUROC"] == ("", "no known bad parts: unknown")
    assert "ms" in tab.table.rows["Time to score a part"][1]
    assert len(tab.kept.entries) == 6
    kept = {entry.image.name for entry in tab.kept.entries}
    assert "suggested anew" in tab.warning.text()
    assert tab.apply_button.text() == "Exclude the other 4"
    tab.apply_button.click()
    bench.until(lambda: len(bench.excluded) == 4)
    assert {image.name for image in bench.current.included} == kept
    assert bench.image(bench.excluded[0]).reason == "slimmed to 6 by coreset"
    assert not tab.apply_button.isEnabled()
    bench.undo()
    bench.until_excluded()
    assert tab.apply_button.isEnabled()


def test_what_was_measured_of_other_references_cannot_be_applied(
    bench: HealthBench, tab: SlimmingTab
) -> None:
    measure(bench, tab)
    bench.commands.include([bench.image("good-000.png")], False, "")
    bench.until_excluded("good-000.png")
    assert not tab.apply_button.isEnabled()
    assert "measure again" in tab.warning.text()
    tab.apply()
    assert len(bench.current.included) == 9


@pytest.mark.slow
def test_a_limit_set_by_hand_is_said_to_become_stale(bench: HealthBench, tab: SlimmingTab) -> None:
    bench.until(lambda: bench.session.limits.saved)
    bench.session.limits.preview(1.0)
    save_limits(bench.session.limits, bench.session.limits.shown)
    measure(bench, tab)
    assert "stale" in tab.warning.text()


def test_a_study_can_be_cancelled_and_one_that_fails_says_why_and_can_be_tried_again(
    bench: HealthBench, tab: SlimmingTab
) -> None:
    tab.measure_button.click()
    study = tab.study.study
    assert study is not None
    assert not tab.measure_button.isEnabled()
    folder = study.folder
    tab.study.cancel_button.click()
    assert tab.measure_button.isEnabled()
    bench.until(lambda: not folder.exists())
    tab.measure_button.click()
    study = tab.study.study
    assert study is not None
    study.failed.emit("The disk is full.")  # as the child process says it
    study.cancel()
    assert tab.study.failure.text() == "The disk is full."
    assert tab.study.failure.isVisible()
    measure(bench, tab)
    assert not tab.study.failure.isVisible()


def test_five_references_cannot_be_slimmed(bench: HealthBench) -> None:
    bench.fill(good=5)
    bench.window.tab_buttons[3].click()
    tab = bench.window.slimming
    assert not tab.measure_button.isEnabled()
    assert "there are 5" in tab.hint.text()
