"""Stage 1 as a gate: which parts it lets through, and that limits are never made of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.calibration import suggest_limits
from inspector_gui.core.decision import PASSED_BY_STAGE_1, decide_part
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.methods.base import leave_one_out, score_with_map
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.methods.gate import gate_limit
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.types import Limits, Outcome, Scoring

from .galleries import random_levels

GATE = scoring_for("spade", k=3, size=32, gate=True)
LIMITS = Limits(centre=0, unsure_from=1e-6, fail_from=1e-6, pixel=1e-6, rule="", gallery="")


def gallery_of(count: int, *, spread: float = 1) -> FeatureList:
    rng = np.random.default_rng(count)
    return FeatureList(tuple(part(rng, spread * rng.normal(size=4)) for _ in range(count)))


def part(rng: np.random.Generator, pooled: object) -> Features:
    return Features(np.asarray(pooled, np.float32), random_levels(rng))


def test_the_limit_is_suggested_from_the_references_own_scores_of_stage_1() -> None:
    gallery = gallery_of(12)
    alone = [global_score(own, gallery, 3, exclude=row)[0] for row, own in enumerate(gallery.items)]
    assert gate_limit(GATE, gallery) == suggest_limits(alone, gallery="").fail_from


def test_a_part_near_the_references_passes_without_a_map_and_one_far_away_has_one() -> None:
    gallery, rng = gallery_of(12), np.random.default_rng(0)
    near, far = part(rng, np.zeros(4)), part(rng, np.full(4, 50.0))
    method = Spade(GATE)
    passed, stopped = method.score(near, gallery), method.score(far, gallery)
    assert passed.patches is None
    assert passed.passed_stage1
    decision = decide_part(passed, LIMITS)  # whatever the limit of maps is
    assert (decision.outcome, decision.multiple) == (Outcome.PASS, None)
    assert decision.reason == PASSED_BY_STAGE_1
    assert stopped.patches is not None
    assert not stopped.passed_stage1
    assert decide_part(stopped, LIMITS).outcome is Outcome.FAIL
    whole = Spade(replace(GATE, gate=False))
    assert whole.score(far, gallery).image == stopped.image
    assert whole.score(near, gallery).image == score_with_map(method, near, gallery).image


def test_a_limit_of_the_recipe_counts_in_place_of_the_suggestion() -> None:
    gallery, near = gallery_of(12), part(np.random.default_rng(0), np.zeros(4))
    stage1, _ = global_score(near, gallery, 3)
    at = Spade(replace(GATE, stage1_limit=stage1))
    below = Spade(replace(GATE, stage1_limit=stage1 * 0.99))
    assert at.score(near, gallery).passed_stage1
    assert not below.score(near, gallery).passed_stage1


def test_what_limits_are_made_of_has_a_map_behind_a_gate_too() -> None:
    gallery = gallery_of(12)
    gated, whole = Spade(replace(GATE, stage1_limit=1e9)), Spade(replace(GATE, gate=False))
    for row in range(3):
        scores = leave_one_out(gated, gallery, row)
        assert scores.patches is not None
        assert scores.image == leave_one_out(whole, gallery, row).image


def test_the_limit_follows_a_gallery_that_changes() -> None:
    near = part(np.random.default_rng(0), np.full(4, 4.0))
    method = Spade(GATE)
    assert method.score(near, gallery_of(12, spread=9)).passed_stage1
    assert not method.score(near, gallery_of(12, spread=0.1)).passed_stage1


def test_a_single_reference_lets_nothing_through() -> None:
    gallery = gallery_of(1)
    assert gate_limit(GATE, gallery) is None
    assert not Spade(GATE).score(gallery.items[0], gallery).passed_stage1


def test_a_gate_leaves_the_keys_of_scores_and_features_alone() -> None:
    plain = scoring_for("spade")
    gate = scoring_for("spade", gate=True, stage1_limit=3.5)
    assert gate != plain
    assert (gate.key, gate.features_key) == (plain.key, plain.features_key)
    assert not Scoring().gate


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("spade", {"stage1_limit": 2.0}, "--stage1-limit belongs to --gate"),
        ("spade", {"stage1_limit": -1.0, "gate": True}, "--stage1-limit is a score"),
        ("dn2", {"gate": True}, "dn2 has no option --gate"),
        ("patchcore", {"gate": True}, "patchcore has no option --gate"),
    ],
)
def test_gates_that_cannot_be_are_refused_in_words(
    method: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(KnownError, match=words):
        scoring_for(method, **options)
