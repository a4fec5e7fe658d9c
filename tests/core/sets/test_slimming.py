import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.sets.slimming import Slimming, cost, plan, rank_correlation
from inspector_gui.core.sets.subsets import Dn2OfSubset, drawn
from inspector_gui.core.types import Floats, Progress

KINDS, MEMBERS = 4, 30


def parts(seed: int = 0) -> Floats:
    """Four kinds of good parts (rows 0 to 119), ten more of them, and ten far from all."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(scale=8, size=(KINDS, 12))
    goods = np.repeat(centres, MEMBERS, axis=0) + rng.normal(size=(KINDS * MEMBERS, 12))
    more = centres[np.arange(10) % KINDS] + rng.normal(size=(10, 12))
    bad = centres[np.arange(10) % KINDS] + 3 * rng.normal(size=(10, 12))
    return np.concatenate([goods, more, bad]).astype(np.float32)


GOODS = KINDS * MEMBERS
MORE, BAD = range(GOODS, GOODS + 10), range(GOODS + 10, GOODS + 20)


def dn2_by_hand(features: Floats, picture: int, rows: Sequence[int], k: int) -> float:
    rest = [row for row in rows if row != picture]
    difference = features[rest].astype(float) - features[picture].astype(float)
    return float(np.sort((difference**2).sum(axis=1))[:k].mean())


@given(st.integers(0, 99), st.integers(1, 4), st.data())
@settings(deadline=None, max_examples=30)
def test_scores_against_a_choice_are_dn2_with_the_picture_left_out_by_its_number(
    seed: int, k: int, data: st.DataObject
) -> None:
    features = np.random.default_rng(seed).integers(-2, 3, (20, 4)).astype(np.float32)
    rows = sorted(data.draw(st.sets(st.integers(0, 19), min_size=2)))
    score = Dn2OfSubset(features, k)
    for picture in range(20):
        assert score(picture, rows) == dn2_by_hand(features, picture, rows, k)
    others = list(range(20))
    assert score(3, others) == dn2_by_hand(features, 3, others, k)


@pytest.mark.parametrize("how", ["medoids", "coreset"])
def test_slimming_keeps_some_of_every_kind(how: str) -> None:
    kept = plan(parts()[:GOODS], 8, how=how)  # type: ignore[arg-type]
    assert len(set(kept.tolist())) == 8
    assert {row // MEMBERS for row in kept.tolist()} == set(range(KINDS))
    again = plan(parts()[:GOODS], 8, how=how)  # type: ignore[arg-type]
    assert again.tolist() == kept.tolist() == sorted(kept.tolist())


@pytest.mark.parametrize(
    ("count", "sentence"), [(4, "At least 5 references"), (120, "only 120"), (999, "only 120")]
)
def test_a_number_that_slims_nothing_or_too_much_is_refused(count: int, sentence: str) -> None:
    with pytest.raises(KnownError, match=sentence):
        plan(parts()[:GOODS], count)


def test_the_cost_is_that_of_scores_worked_out_by_hand() -> None:
    features = parts()
    kept = plan(features[:GOODS], 20).tolist()
    found = cost(
        kept, GOODS, Dn2OfSubset(features), bytes_per_reference=1000, validation=MORE, bad=BAD
    )
    everything = range(GOODS)
    before = np.array([dn2_by_hand(features, p, everything, 2) for p in everything])
    after = np.array([dn2_by_hand(features, p, kept, 2) for p in everything])
    assert found.ratio == pytest.approx(np.median(after / before))
    assert found.agreement == pytest.approx(np.corrcoef(ranks(before), ranks(after))[0, 1])
    assert (found.before, found.after, found.scored) == (GOODS, 20, GOODS)
    assert (found.bytes_before, found.bytes_after) == (GOODS * 1000, 20_000)
    assert found.goods == "validation"
    good = [dn2_by_hand(features, p, kept, 2) for p in MORE]
    bad = [dn2_by_hand(features, p, kept, 2) for p in BAD]
    wins = np.mean([(b > g) + (b == g) / 2 for b in bad for g in good])
    assert found.auroc_after == pytest.approx(wins)
    assert found.seconds_before > 0
    assert found.seconds_after > 0


def ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values)).astype(float)


def test_keeping_all_but_one_costs_next_to_nothing_and_goods_are_those_left_out() -> None:
    features = parts()
    score = Dn2OfSubset(features)
    found = cost(range(1, GOODS), GOODS, score, bytes_per_reference=1, bad=BAD)
    assert found.agreement == pytest.approx(1, abs=0.05)
    assert found.ratio == pytest.approx(1)
    assert found.goods == "left out references"
    assert found.auroc_before == found.auroc_after is not None


def test_without_bad_pictures_no_auroc_is_made_up() -> None:
    score = Dn2OfSubset(parts())
    found = cost(range(30), GOODS, score, bytes_per_reference=1, validation=MORE)
    assert (found.auroc_before, found.auroc_after, found.goods) == (None, None, "")


def test_of_many_references_a_fixed_choice_is_scored_and_progress_reaches_its_end() -> None:
    seen: list[Progress] = []
    asked: list[int] = []
    dn2 = Dn2OfSubset(parts())

    def score(picture: int, rows: Sequence[int]) -> float:
        asked.append(picture)
        return dn2(picture, rows)

    found = cost(range(30), GOODS, score, bytes_per_reference=1, most=11, report=seen.append)
    assert found.scored == 11
    assert len(set(asked)) == 11
    assert (seen[-1].done, seen[-1].total) == (22, 22)
    assert drawn(range(GOODS), 11, seed=0) == sorted(set(asked))


def test_identical_references_have_no_agreement_to_speak_of() -> None:
    same = np.ones((12, 3), np.float32)
    found = cost(range(6), 12, Dn2OfSubset(same), bytes_per_reference=1)
    assert found.agreement is None
    assert found.ratio is None


def test_scores_with_a_sign_have_no_ratio() -> None:
    found = cost(
        range(6), 8, lambda picture, rows: picture / 10 - 0.5 + len(rows), bytes_per_reference=1
    )
    assert found.ratio is not None
    signed = cost(range(6), 8, lambda picture, rows: picture / 10 - 0.5, bytes_per_reference=1)
    assert signed.ratio is None
    assert signed.agreement == pytest.approx(1.0)


def test_measuring_can_be_stopped_and_needs_two_references() -> None:
    score = Dn2OfSubset(parts())
    with pytest.raises(Cancelled):
        cost(range(9), GOODS, score, bytes_per_reference=1, should_stop=lambda: True)
    with pytest.raises(KnownError, match="two references"):
        cost([1], GOODS, score, bytes_per_reference=1)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30))
def test_rank_correlation_knows_ties_and_its_extremes(values: list[int]) -> None:
    array = np.array(values, float)
    if len(set(values)) == 1:
        assert rank_correlation(array, array) is None
    else:
        assert rank_correlation(array, array**3) == pytest.approx(1)
        assert rank_correlation(array, -array) == pytest.approx(-1)


def test_a_proposal_survives_the_way_through_a_file() -> None:
    measured = cost(range(30), GOODS, Dn2OfSubset(parts()), bytes_per_reference=7, bad=BAD)
    slimming = Slimming("medoids", 3, ("a", "b"), measured)
    assert Slimming.from_json(json.loads(json.dumps(slimming.as_json()))) == slimming
