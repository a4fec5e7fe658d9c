"""What is said of a set, without a window: a real report of made-up features."""

from dataclasses import replace

import numpy as np
import pytest

from inspector_gui.core.sets.health import assess
from inspector_gui.core.sets.table import NeighbourTable
from inspector_gui.core.types import Limits, Purpose, ReferenceImage, ReferenceSet, Scoring
from inspector_gui.ui.health_facts import Facts, Kind, Level, summary

SPARE = "stands apart"


def image(number: int, name: str, **values: object) -> ReferenceImage:
    base = ReferenceImage(number, 1, name, name, pixels=f"pixels of {name}")
    return replace(base, **values)  # type: ignore[arg-type]


def facts_of(*images: ReferenceImage, seed: int = 0) -> Facts:
    """Return the facts of a set whose features are near one another, but for `SPARE`."""
    rng = np.random.default_rng(seed)
    table = NeighbourTable()
    for one in images:
        vector = rng.normal(size=16).astype(np.float32) + (30 if one.name == SPARE else 0)
        table.add(one.sha256, vector, counts=one.purpose is Purpose.REFERENCE)
    return Facts(ReferenceSet(1, "Set", Scoring(), images), assess(images, table))


def good(count: int, **values: object) -> list[ReferenceImage]:
    return [image(number, f"good {number}", **values) for number in range(count)]


def texts(facts: Facts) -> list[str]:
    return [line.text for line in summary(facts)]


def change(facts: Facts, name: str, **values: object) -> Facts:
    """Return the facts once a picture has changed, with the report of before."""
    images = tuple(
        replace(i, **values) if i.name == name else i  # type: ignore[arg-type]
        for i in facts.current.images
    )
    return replace(facts, current=replace(facts.current, images=images))


@pytest.mark.parametrize(
    "values", [{"included": False}, {"purpose": Purpose.BAD}], ids=["excluded", "known bad"]
)
def test_what_an_older_report_says_of_a_picture_that_moved_is_not_said_any_more(
    values: dict[str, object],
) -> None:
    facts = facts_of(*good(12), image(99, SPARE))
    assert [f.title for f in facts.suspects] == [SPARE]
    assert facts.suspects[0].beside[0].image.name == SPARE
    assert change(facts, SPARE, **values).suspects == ()


def test_a_suspect_that_was_found_fine_is_not_listed() -> None:
    facts = facts_of(*good(12), image(99, SPARE))
    assert replace(facts, fine=frozenset({SPARE})).suspects == ()


def test_multiples_of_the_limit_are_said_only_of_the_recipes_own_scores() -> None:
    facts = facts_of(*good(12), image(99, SPARE))
    limits = Limits(1.0, 3.0, 3.0, 2.0, "suggested", "")
    assert "limit" not in facts.suspects[0].detail
    assert "limit" not in replace(facts, limits=limits).suspects[0].detail
    own = replace(facts, limits=limits, own_scores={SPARE: 4.0})
    assert own.suspects[0].detail.endswith("1.50 × limit")


def test_of_a_group_of_duplicates_the_one_that_was_added_first_stays() -> None:
    images = good(8)
    same = [image(n, f"copy {n}", pixels="pixels of good 3") for n in (20, 21)]
    facts = facts_of(*reversed([*images, *same]))
    (group,) = facts.duplicates
    assert [i.name for i in group.images] == ["good 3", "copy 20", "copy 21"]
    assert "2 duplicates of 1 part" in texts(facts)
    once = change(facts, "copy 20", included=False)
    assert "1 duplicate" in texts(once)
    assert change(once, "copy 21", included=False).duplicates == ()


def test_nothing_is_called_fine_while_there_are_references_that_were_not_looked_at() -> None:
    facts = facts_of(*good(10))
    assert texts(facts)[0].startswith("Nothing found")
    images = (*facts.current.images, image(50, "new"), image(51, "newer"))
    more = replace(facts, current=replace(facts.current, images=images), is_current=False)
    assert texts(more)[0] == "2 references are being looked at…"
    fewer = replace(change(facts, "good 3", included=False), is_current=False)
    assert any(text.startswith("Nothing found") for text in texts(fewer))


def test_leaks_are_counted_by_the_purpose_of_the_other_picture() -> None:
    leaks = [
        image(30, "a", purpose=Purpose.VALIDATION, pixels="pixels of good 1"),
        image(31, "b", purpose=Purpose.VALIDATION, pixels="pixels of good 2"),
        image(32, "c", purpose=Purpose.BAD, pixels="pixels of good 3"),
    ]
    facts = facts_of(*good(10), *leaks)
    assert "2 parts are reference and validation" in texts(facts)
    assert "1 part is reference and known bad" in texts(facts)
    assert "1 part is reference and validation" in texts(change(facts, "a", included=False))


def test_many_sizes_are_counted_but_not_listed_one_by_one() -> None:
    sized = [image(n, f"good {n}", width=100 + n // 2, height=90) for n in range(60)]
    facts = facts_of(*sized)
    assert "30 sizes mixed" in texts(facts)
    assert len(facts.sizes) == 13
    assert facts.count(Kind.MIXED) == 30
    assert facts.sizes[-1].title == "18 other sizes"
    assert sum(len(f.images) for f in facts.sizes) == 60


@pytest.mark.parametrize(("count", "level"), [(1, Level.BAD), (4, Level.BAD), (9, Level.WARN)])
def test_too_few_references_come_first(count: int, level: Level) -> None:
    line = summary(facts_of(*good(count)))[0]
    assert line.level is level
    assert str(count) in line.text


def test_identical_pictures_and_pictures_without_features_are_said() -> None:
    images = good(6)
    table = NeighbourTable()
    for one in images[:5]:
        table.add(one.sha256, np.ones(4, np.float32))
    facts = Facts(ReferenceSet(1, "Set", Scoring(), tuple(images)), assess(images, table))
    assert "All references look identical" in texts(facts)
    assert "1 picture could not be compared" in texts(facts)
    assert [f.title for f in facts.of(Kind.UNCOMPARED)] == ["good 5"]


@pytest.mark.parametrize("count", [0, 1])
def test_a_set_with_next_to_nothing_in_it_has_something_to_say(count: int) -> None:
    lines = summary(facts_of(*good(count)))
    assert lines[0].level is Level.BAD
    assert lines[-1].kind is Kind.ENOUGH
