from dataclasses import replace

import pytest

from inspector_gui.core.methods import scoring_for
from inspector_gui.core.sets.cleaning import default_fraction
from inspector_gui.ui.health_cleaning import CleaningTab
from tests.ui.health import HealthBench

SPOILT = {"contamination-050.png", "contamination-051.png"}


@pytest.fixture
def tab(bench: HealthBench) -> CleaningTab:
    bench.fill(good=18, bad=2)
    bench.until_current()
    bench.until(lambda: len(bench.session.limits.reference_scores) == 20)
    bench.window.tab_buttons[2].click()
    return bench.window.cleaning


def previewed(tab: CleaningTab) -> list[str]:
    return [entry.image.name for entry in tab.list.entries]


def test_who_would_go_is_shown_worst_first_while_the_share_is_moved(
    bench: HealthBench, tab: CleaningTab
) -> None:
    scores = bench.session.limits.reference_scores
    assert tab.slider.value() == round(100 * default_fraction(scores))
    assert set(previewed(tab)[:2]) == SPOILT
    worst_first = sorted(scores, key=lambda sha: scores[sha], reverse=True)
    tab.slider.setValue(25)
    assert [entry.image.sha256 for entry in tab.list.entries] == worst_first[:5]
    assert tab.counts.text() == "5 go, 15 stay"
    tab.paper_button.click()
    assert tab.counts.text() == "10 go, 10 stay"
    tab.slider.setValue(90)
    assert tab.counts.text() == "15 go, 5 stay"
    assert bench.excluded == []
    tab.proposed_button.click()
    assert tab.slider.value() == round(100 * default_fraction(scores))
    assert "Scored by DN2, as this recipe judges" in tab.scored_by.text()


def test_cleaning_is_one_step_with_a_reason_and_one_undo_brings_all_back(
    bench: HealthBench, tab: CleaningTab
) -> None:
    tab.slider.setValue(10)
    assert set(previewed(tab)) == SPOILT
    tab.apply_button.click()
    bench.until_excluded(*SPOILT)
    assert {bench.image(name).reason for name in SPOILT} == {
        "cleaned: among the 2 of 20 that stand out most"
    }
    assert bench.stack.count() == 1
    bench.until(lambda: not tab.apply_button.isEnabled())
    assert set(previewed(tab)) == SPOILT
    assert "2 references were left out" in tab.counts.text()
    bench.until_current()
    assert not tab.apply_button.isEnabled()
    bench.undo()
    bench.until_excluded()
    bench.until(tab.apply_button.isEnabled)
    assert tab.counts.text() == "2 go, 18 stay"


def test_after_cleaning_another_share_cleans_again(bench: HealthBench, tab: CleaningTab) -> None:
    tab.slider.setValue(10)
    tab.apply_button.click()
    bench.until_excluded(*SPOILT)
    bench.until_current()
    tab.paper_button.click()
    assert tab.counts.text() == "9 go, 9 stay"
    assert tab.apply_button.isEnabled()


def test_without_the_recipes_own_scores_those_of_dn2_are_used_and_that_is_said(
    bench: HealthBench, tab: CleaningTab
) -> None:
    facts = bench.window.facts
    assert facts is not None
    some = dict(list(facts.own_scores.items())[:3])
    tab.refresh(replace(facts, own_scores=some))
    assert "Scored by DN2: the recipe's own scores are not complete" in tab.scored_by.text()
    assert set(previewed(tab)[:2]) == SPOILT


def test_five_references_are_too_few_to_clean(bench: HealthBench) -> None:
    bench.fill(good=5)
    bench.until_current()
    bench.window.tab_buttons[2].click()
    tab = bench.window.cleaning
    assert not tab.apply_button.isVisible()
    assert "more than 5 references" in tab.remark.text()


@pytest.mark.slow
def test_spades_own_scores_are_used_where_the_recipe_is_spade(
    bench: HealthBench, tab: CleaningTab
) -> None:
    bench.session.references.set_scoring(scoring_for("spade", size=96))
    bench.settle()
    bench.until_current()
    bench.until(lambda: "SPADE" in tab.scored_by.text(), seconds=60)
    assert previewed(tab)[0] in SPOILT
