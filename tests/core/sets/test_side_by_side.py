import json
from dataclasses import replace

import pytest

from inspector_gui.core.sets.side_by_side import (
    Agreement,
    Candidate,
    ComparedPart,
    Contender,
    Opinion,
    Ran,
    SideBySide,
    Tally,
    different,
    known_to_be_bad,
    tally,
)
from inspector_gui.core.simplenet.hyperparameters import PRESETS
from inspector_gui.core.types import Limits, Scoring, Verdict


def limits(centre: float, fail_from: float, *, unsure_from: float | None = None) -> Limits:
    unsure = fail_from if unsure_from is None else unsure_from
    return Limits(centre, unsure, fail_from, centre, "a rule", "gallery")


DISTANCES = limits(10.0, 20.0)
SIGNED = limits(-0.5, 0.1)
"""Those of a method whose ordinary scores are below zero, as SimpleNet's are."""
OWN = Contender("SPADE", Scoring(), is_own=True, limits=DISTANCES)
OTHER = Contender("Trained", Scoring(method="simplenet", model="m1", training=PRESETS["fast"]))
BROKEN = Contender("Broken", Scoring(method="patchcore"))


def compared(*scores: tuple[float | None, float | None]) -> SideBySide:
    """Return a comparison of two methods, one of them signed, and one that did not run."""
    parts = tuple(
        ComparedPart(
            Candidate(f"part{n}.png", f"{n:064x}"),
            (*(None if score is None else Opinion(score, ("ref",)) for score in pair), None),
        )
        for n, pair in enumerate(scores)
    )
    ran = (Ran(OWN, DISTANCES, 8, 0.02, "CPU"), Ran(OTHER, SIGNED), Ran(BROKEN, failure="No."))
    return SideBySide(ran, parts, ("gone.png cannot be read.",))


FOUND = compared((12, -0.4), (25, 0.3), (25, -0.4), (12, 0.3), (25, None))


def test_what_two_methods_make_of_a_part_follows_their_own_limits_whatever_the_sign() -> None:
    assert [FOUND.agreement(part, 0, 1) for part in FOUND.parts] == [
        Agreement.NEITHER_FAILS,
        Agreement.BOTH_FAIL,
        Agreement.ONLY_FIRST_FAILS,
        Agreement.ONLY_SECOND_FAILS,
        None,
    ]
    assert FOUND.agreement(FOUND.parts[2], 1, 0) is Agreement.ONLY_SECOND_FAILS
    assert list(FOUND.agreements(0, 1).values()) == [1, 1, 1, 1]
    first = FOUND.decision(FOUND.parts[1], 1)
    assert first is not None
    assert first.multiple == pytest.approx((0.3 + 0.5) / 0.6)


def test_methods_disagree_where_decisions_differ_and_silence_is_no_opinion() -> None:
    assert FOUND.disagreeing == {f"{2:064x}", f"{3:064x}"}
    assert FOUND.usable == (0, 1)
    between = replace(FOUND.methods[0], limits=limits(10, 20, unsure_from=11))
    unsure = replace(FOUND, methods=(between, *FOUND.methods[1:]))
    assert f"{0:064x}" in unsure.disagreeing  # one is unsure, the other passes it
    assert unsure.agreement(unsure.parts[0], 0, 1) is Agreement.NEITHER_FAILS


def test_other_limits_judge_the_sets_own_recipe_alone_again() -> None:
    again = FOUND.judged_by(limits(10, 30))
    assert again.disagreeing == {f"{1:064x}", f"{3:064x}"}
    assert again.methods[1:] == FOUND.methods[1:]
    assert again.parts is FOUND.parts


def test_a_comparison_survives_being_written_and_read() -> None:
    written = json.dumps(FOUND.as_json(), allow_nan=False)
    assert SideBySide.from_json(json.loads(written)) == FOUND


def test_a_tally_counts_what_is_known_to_be_wrong() -> None:
    is_bad = {f"{0:064x}": True, f"{1:064x}": True, f"{2:064x}": False}
    assert tally(FOUND, 0, is_bad) == Tally(5, 3, 1, 1, 2, 1)
    assert tally(FOUND, 1, is_bad) == Tally(4, 2, 1, 0, 2, 1)
    assert tally(FOUND, 2, is_bad) == Tally(0, 0, 0, 0, 0, 0)


def test_what_a_person_says_counts_more_than_what_a_picture_is_for() -> None:
    bad = Candidate("x", "ab", purpose="bad")
    assert known_to_be_bad(bad) is True
    assert known_to_be_bad(bad, verdict=Verdict.ACCEPT) is False
    assert known_to_be_bad(bad, verdict=Verdict.UNSURE) is True
    assert known_to_be_bad(Candidate("x", "ab"), verdict=Verdict.UNSURE) is None
    assert known_to_be_bad(Candidate("x", "ab"), truth=True) is True


def test_one_content_is_compared_once_with_all_that_is_known_of_it() -> None:
    part = Candidate("a.png", "ab", "/feed/a.png", row_id=7)
    same = Candidate("b.png", "ab", purpose="bad")
    other = Candidate("c.png", path="/folder/c.png")
    assert different([part, same, other, other]) == (replace(part, purpose="bad"), other)
