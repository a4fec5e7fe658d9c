import itertools
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui import paths
from inspector_gui.core.calibration import suggest_limits
from inspector_gui.core.decision import decide
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor
from inspector_gui.core.lots.draws import (
    draw_lots,
    exact_counts,
    pooled_lots,
    scores_of_new_draws,
    usual_counts,
)
from inspector_gui.core.lots.groups import (
    NamePattern,
    every,
    gathered,
    kind_of,
    kinds_of_origins,
    lot_of,
)
from inspector_gui.core.lots.model import LotModel, build_model, load_model
from inspector_gui.core.lots.pooling import (
    Pooling,
    covariance_trace,
    group_feature,
    group_scores,
    leave_one_out_groups,
)
from inspector_gui.core.lots.study import MODEL_FILE, cluster_kinds, study_lots
from inspector_gui.core.types import Floats, Outcome, Scoring
from inspector_gui.demo.parts import draw_part

KINDS = ("gear", "connector", "bottle_cap", "gasket")
REFERENCES, NEW = 14, 8


@cache
def parts(kind: str) -> Floats:
    """Features of drawn parts of a kind; the last ones are no references."""
    extractor = Extractor(
        Scoring(method="dn2", size=96),
        weights_folder=paths.weights_folder(),
        cache=paths.networks_folder(),
    )
    images = (draw_part(kind, seed=seed, size=96).image for seed in range(REFERENCES + NEW))
    return np.stack([extractor.extract(image).pooled for image in images])


def references(kinds: tuple[str, ...] = KINDS) -> tuple[Floats, list[str]]:
    pooled = np.concatenate([parts(kind)[:REFERENCES] for kind in kinds])
    return pooled, [kind for kind in kinds for _ in range(REFERENCES)]


def lot(*kinds: str, first: int = 0) -> Floats:
    """New parts of these kinds, all different ones."""
    taken = dict.fromkeys(kinds, first)
    found = []
    for kind in kinds:
        found.append(parts(kind)[REFERENCES + taken[kind]])
        taken[kind] += 1
    return np.stack(found)


@cache
def one_of_each() -> LotModel:
    pooled, kinds = references()
    return build_model(pooled, kinds, counts=dict.fromkeys(KINDS, 1), gallery="here")


def features(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(5, 1, shape).astype(np.float32)


def brute_force(query: Floats, others: Floats, k: int) -> float:
    distances = ((others.astype(np.float64) - query.astype(np.float64)) ** 2).sum(axis=1)
    return float(np.sort(distances)[:k].mean())


@given(
    seed=st.integers(0, 999),
    queries=st.integers(1, 6),
    others=st.integers(1, 9),
    k=st.integers(1, 4),
)
def test_scores_of_groups_equal_brute_force(seed: int, queries: int, others: int, k: int) -> None:
    asked, known = features(seed, queries, 5), features(seed + 1, others, 5)
    scores = group_scores(asked, known, k=k)
    assert scores == pytest.approx([brute_force(query, known, k) for query in asked], rel=1e-12)


@given(seed=st.integers(0, 999), copies=st.integers(1, 3), k=st.integers(1, 3))
def test_leave_one_out_leaves_out_by_index_so_that_duplicates_count(
    seed: int, copies: int, k: int
) -> None:
    known = np.concatenate([features(seed, 5, 4), np.repeat(features(seed + 1, 1, 4), copies, 0)])
    scores = leave_one_out_groups(known, k=k)
    expected = [
        brute_force(row, np.delete(known, number, axis=0), k) for number, row in enumerate(known)
    ]
    assert scores == pytest.approx(expected, rel=1e-12, abs=1e-12)
    if copies > k:
        assert scores[-1] == 0


def test_pooling_does_not_mind_the_order_unless_features_are_concatenated() -> None:
    group = features(0, 4, 6)
    poolings: tuple[Pooling, ...] = ("mean", "max")
    for how in poolings:
        pooled = group_feature(group, how)
        assert pooled.shape == (6,)
        assert np.array_equal(pooled, group_feature(group[::-1], how))
    mean = group.astype(np.float64).mean(axis=0)
    assert group_feature(group, "mean") == pytest.approx(mean, rel=1e-6)
    assert np.array_equal(group_feature(group, "max"), group.max(axis=0))
    assert np.array_equal(group_feature(group, "concatenated"), np.concatenate([*group]))


@pytest.mark.parametrize("how", ["mean", "max", "concatenated"])
def test_an_empty_group_is_refused(how: Pooling) -> None:
    with pytest.raises(KnownError, match="at least one part"):
        group_feature(np.empty((0, 4), np.float32), how)


def test_the_trace_of_the_covariance_is_that_of_numpy_and_grows_with_mixing() -> None:
    group = features(3, 7, 5)
    assert covariance_trace(group) == pytest.approx(np.trace(np.cov(group.T.astype("f8"))))
    mixed = np.concatenate([parts("gear")[:3], parts("gasket")[:3]])
    assert covariance_trace(mixed) > 2 * covariance_trace(parts("gear")[:6])
    with pytest.raises(KnownError):
        covariance_trace(group[:1])


def test_a_lot_with_one_kind_twice_fails_although_each_of_its_parts_passes() -> None:
    pooled, _ = references()
    limits = suggest_limits(leave_one_out_groups(pooled).tolist(), gallery="")
    doubled = lot("gear", "gear", "bottle_cap", "gasket")
    alone = [decide(score, limits).outcome for score in group_scores(doubled, pooled)]
    assert alone == [Outcome.PASS] * 4

    result = one_of_each().judge(doubled)
    assert result.outcome is Outcome.FAIL
    assert result.multiple > 1
    assert result.reason == "2 × gear, expected 1; connector is missing."
    assert result.member_kinds == ("gear", "gear", "bottle_cap", "gasket")
    found = {kind.kind: (kind.found, kind.is_over, kind.is_under) for kind in result.kinds}
    assert found["gear"] == (2, True, False)
    assert found["connector"] == (0, False, True)
    assert found["gasket"] == (1, False, False)


def test_lots_of_new_parts_with_one_of_each_pass_in_any_order() -> None:
    model = one_of_each()
    for first in range(NEW - 1):
        usual = lot(*KINDS, first=first)
        results = [model.judge(usual[list(order)]) for order in itertools.permutations(range(4))]
        assert {result.outcome for result in results} == {Outcome.PASS}
        assert results[0].multiple == pytest.approx(results[-1].multiple, rel=1e-5)
        assert results[0].reason == "Every kind is there as often as expected."


def test_stated_proportions_are_what_is_expected() -> None:
    pooled, kinds = references(("gear", "gasket"))
    model = build_model(pooled, kinds, counts={"gear": 3, "gasket": 1}, gallery="")
    assert model.size == 4
    usual = model.judge(lot("gear", "gasket", "gear", "gear"))
    assert usual.outcome is Outcome.PASS
    even = model.judge(lot("gear", "gasket", "gear", "gasket"))
    assert even.outcome is Outcome.FAIL
    assert even.reason == "2 × gasket, expected 1; only 2 × gear, expected 3."


def test_drawn_lots_have_the_stated_counts_and_no_part_twice() -> None:
    kinds = np.repeat([0, 1, 2], [6, 4, 2])
    shares = np.array([3, 2, 1]) / 6
    rows = draw_lots(kinds, shares, 6, lots=50, random=np.random.default_rng(1))
    assert rows.shape == (50, 6)
    for drawn in rows:
        assert np.bincount(kinds[drawn]).tolist() == [3, 2, 1]
        assert len(set(drawn.tolist())) == 6
    assert len({tuple(sorted(drawn)) for drawn in rows.tolist()}) > 10


def test_a_kind_with_too_few_references_is_drawn_with_repetition_and_that_is_said() -> None:
    pooled, kinds = references(("gear", "gasket"))
    pooled, kinds = pooled[: REFERENCES + 2], kinds[: REFERENCES + 2]
    model = build_model(pooled, kinds, counts={"gear": 1, "gasket": 3}, gallery="")
    assert len(model.remarks) == 1
    assert model.remarks[0].startswith("gasket: 2 references for 3 in a lot")


def test_shares_that_are_no_whole_numbers_of_parts_are_drawn_at_random_with_an_interval() -> None:
    shares = np.array([0.5, 0.5])
    assert exact_counts(shares, 4).tolist() == [2, 2]  # type: ignore[union-attr]
    assert exact_counts(shares, 5) is None
    kinds = np.repeat([0, 1], 20)
    rows = draw_lots(kinds, shares, 5, lots=400, random=np.random.default_rng(0))
    counts = (kinds[rows] == 0).sum(axis=1)
    assert set(counts.tolist()) >= {1, 2, 3, 4}
    assert counts.mean() == pytest.approx(2.5, abs=0.2)
    assert usual_counts(0.5, 5) == (0, 5)
    assert usual_counts(0.5, 100) == (37, 63)
    assert usual_counts(1.0, 7) == (7, 7)


def test_the_same_references_and_seed_give_the_same_model() -> None:
    pooled, kinds = references()
    again = build_model(pooled, kinds, counts=dict.fromkeys(KINDS, 1), gallery="here")
    other = build_model(pooled, kinds, counts=dict.fromkeys(KINDS, 1), gallery="here", seed=1)
    assert np.array_equal(again.lots, one_of_each().lots)
    assert again.limits == one_of_each().limits
    assert not np.array_equal(other.lots, again.lots)


def test_the_limit_of_drawn_lots_is_not_flattered_by_parts_that_lots_share() -> None:
    pooled, kinds = references()
    numbers = np.array([KINDS.index(kind) for kind in kinds])
    shares = np.full(4, 0.25)
    drawn = draw_lots(numbers, shares, 4, lots=256, random=np.random.default_rng(0))
    naive = leave_one_out_groups(pooled_lots(pooled, drawn))
    honest = scores_of_new_draws(pooled, numbers, shares, 4, random=np.random.default_rng(0))
    assert np.median(honest) > 1.1 * np.median(naive)


def test_a_part_of_no_known_kind_makes_a_lot_unusual() -> None:
    strange = np.concatenate([lot("gear", "connector", "gasket"), parts("printed_label")[:1]])
    result = one_of_each().judge(strange)
    assert result.outcome is not Outcome.PASS
    assert result.member_kinds[-1] == ""
    assert result.unknown == 1
    assert "1 part is unlike every reference" in result.reason


def test_a_lot_with_a_part_lost_fails_and_says_which_kind_is_missing() -> None:
    result = one_of_each().of_size(3).judge(lot("gear", "gasket", "bottle_cap"))
    assert result.outcome is Outcome.FAIL
    assert result.reason.startswith("3 parts, where a usual lot has 4; connector is missing")


def test_gathered_lots_judge_lots_of_their_own_size_alone() -> None:
    pooled, kinds = references(("gear", "gasket"))
    pairs = [[n, REFERENCES + n] for n in range(8)]
    threes = [[8 + n, 11 + n, REFERENCES + 8 + n] for n in range(3)]
    model = build_model(pooled, kinds, lots=[*pairs, *threes], gallery="")
    assert (model.size, len(model.lots), model.is_drawn) == (2, 8, False)
    assert "8 reference lots" in model.remarks[0]
    assert model.judge(lot("gear", "gasket")).outcome is Outcome.PASS
    assert model.judge(lot("gear", "gear")).outcome is Outcome.FAIL
    with pytest.raises(KnownError, match="There are 3 reference lots of 3 parts"):
        model.of_size(3)


def test_counts_that_vary_among_gathered_lots_are_a_range() -> None:
    pooled, kinds = references(("gear", "gasket"))
    mixed = [[n, n + 7, REFERENCES + n] for n in range(4)]
    mixed += [[n + 4, REFERENCES + n + 4, REFERENCES + n + 9] for n in range(3)]
    model = build_model(pooled, kinds, lots=mixed, gallery="")
    ranges = {kind.kind: kind.range for kind in model.judge(lot("gear", "gear", "gasket")).kinds}
    assert ranges == {"gasket": "0 to 3", "gear": "0 to 3"}


def test_a_saved_model_judges_as_before(tmp_path: Path) -> None:
    model = one_of_each()
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    doubled = lot("gear", "gear", "bottle_cap", "gasket")
    assert loaded.judge(doubled) == model.judge(doubled)
    assert loaded.of_size(3).judge(doubled[:3]) == model.of_size(3).judge(doubled[:3])
    assert (loaded.gallery, loaded.remarks) == (model.gallery, model.remarks)


def test_a_broken_model_file_is_said_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "model.npz"
    for content in (b"", b"PK\x03\x04nonsense", b"\x80\x04N."):
        broken.write_bytes(content)
        with pytest.raises(KnownError, match="build it again"):
            load_model(broken)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"gear": 0, "gasket": 0}, "Say how many"),
        ({"gear": 999, "gasket": 999}, "not 1998"),
        ({"gear": -1, "gasket": 3}, "Say how many"),
        ({"gear": 1, "spring": 1}, "no reference of spring"),
    ],
)
def test_counts_that_no_lot_can_have_are_refused(counts: dict[str, int], sentence: str) -> None:
    pooled, kinds = references(("gear", "gasket"))
    with pytest.raises(KnownError, match=sentence):
        build_model(pooled, kinds, counts=counts, gallery="")


def test_too_few_references_or_lots_are_refused() -> None:
    pooled, kinds = references(("gear", "gasket"))
    with pytest.raises(KnownError, match="at least 5 references"):
        build_model(pooled[:4], kinds[:4], counts={"gear": 1}, gallery="")
    with pytest.raises(KnownError, match="2 reference lots of 2 parts"):
        build_model(pooled, kinds, lots=[[0, 1], [2, 3]], gallery="")
    with pytest.raises(KnownError, match="No reference belongs to a lot"):
        build_model(pooled, kinds, lots=[], gallery="")
    with pytest.raises(KnownError, match="no numbers"):
        build_model(pooled * np.float32(np.nan), kinds, counts={"gear": 1}, gallery="")


def test_equal_references_still_make_a_model() -> None:
    same = np.repeat(parts("gear")[:1], 6, axis=0)
    model = build_model(same, ["gear"] * 6, counts={"gear": 2}, gallery="")
    assert model.judge(same[:2]).outcome is Outcome.PASS
    assert model.judge(lot("gasket", "gasket")).outcome is Outcome.FAIL


def test_large_sets_are_represented_by_alike_many_of_every_kind() -> None:
    pooled = features(0, 4000, 8)
    kinds = ["often"] * 3900 + ["rarely"] * 100
    model = build_model(pooled, kinds, counts={"often": 1, "rarely": 1}, gallery="")
    assert len(model.members) == 2048
    assert (model.member_kinds == 1).sum() == 100


def test_lots_are_named_by_what_stands_before_the_last_separator() -> None:
    assert lot_of("4711_front.png") == "4711"
    assert lot_of("A-03_2.side.png") == "A-03"
    assert lot_of("line 2/4711-1.png") == "line 2/4711"
    assert lot_of("front.png") is None


def test_patterns_take_a_star_or_a_group() -> None:
    assert lot_of("LOT12_gear_3.png", NamePattern("LOT*_*")) == "12"
    assert lot_of("gear.LOT12.png", NamePattern("*.LOT??")) == "gear"
    assert lot_of("other.png", NamePattern("LOT*_*")) is None
    assert kind_of("LOT12_gear_3.png", NamePattern(r"_([a-z]+)_")) == "gear"
    assert kind_of("nothing.png", NamePattern("LOT*")) == "other"
    assert kind_of("bottle_cap-012.png") == "bottle_cap"
    for wrong in ("LOT", "(", "(?:x)"):
        with pytest.raises(KnownError, match="The pattern"):
            NamePattern(wrong)


def test_kinds_are_named_by_the_folders_that_differ() -> None:
    assert kinds_of_origins(["/a/gear/train/good", "/a/washer/train/good"]) == ["gear", "washer"]
    assert kinds_of_origins(["/a/gear", "/a/gear"]) == ["gear", "gear"]
    assert kinds_of_origins(["/a/x/1", "/a/y/1", "/a/x/2"]) == ["x/1", "y/1", "x/2"]
    assert kinds_of_origins(["", "/parts/gear"]) == ["other", "gear"]


def test_rows_are_gathered_by_key_and_by_number() -> None:
    assert gathered(["b", "a", None, "b"]) == [[0, 3], [1]]
    assert every([4, 2, 0, 1, 3], 2) == [[4, 2], [0, 1]]
    with pytest.raises(KnownError):
        every([1], 0)


def test_clusters_find_the_kinds_of_unsorted_references() -> None:
    pooled, kinds = references(("gear", "gasket"))
    found = cluster_kinds(pooled[: REFERENCES + 9], 2)
    named = set(zip(found, kinds[: REFERENCES + 9], strict=True))
    assert named == {("kind 1", "gear"), ("kind 2", "gasket")}


@pytest.mark.parametrize("usual", ["drawn", "origin", "names", "every"])
def test_the_study_builds_from_what_the_settings_say(usual: str, tmp_path: Path) -> None:
    pooled, kinds = references(("gear", "gasket"))
    images = [
        {"sha256": f"{n:064x}", "name": f"L{n % REFERENCES}_{kind}.png", "origin": f"/{kind}"}
        for n, kind in enumerate(kinds)
    ]
    if usual == "origin":
        for n, image in enumerate(images):
            image["origin"] = f"/lots/{n % REFERENCES}"
    by_lot = sorted(images, key=lambda image: image["name"])
    parameters = {
        "kinds": "names",
        "kind_pattern": r"_(\w+)",
        "lots": usual,
        "every": 2,
        "order": [image["sha256"] for image in by_lot],
        "counts": {},
    }
    told: list[tuple[str, int, int]] = []
    result = study_lots(
        pooled,
        images,
        parameters,
        tmp_path,
        gallery="here",
        scoring_key="so",
        report=lambda *step: told.append(step),
    )
    model = load_model(tmp_path / MODEL_FILE)
    assert (model.size, model.is_drawn, model.scoring_key) == (2, usual == "drawn", "so")
    assert {k["kind"]: k["references"] for k in result["kinds"]} == {"gear": 14, "gasket": 14}
    assert result["kinds"][0]["example"] in {image["sha256"] for image in images}
    assert model.judge(lot("gasket", "gear")).outcome is Outcome.PASS
    assert model.judge(lot("gear", "gear")).outcome is Outcome.FAIL
    assert told[-1] == ("Comparing lots", 2, 2)
