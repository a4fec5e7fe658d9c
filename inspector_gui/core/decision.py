"""Scores and limits to a decision: one pure function, used for the official and the what-if."""

from inspector_gui.core.types import Decision, Limits, Outcome, Scores

PASSED_BY_STAGE_1 = "passed by stage 1; no map"
"""The reason of a decision that was made without a map."""


def decide(score: float | None, limits: Limits) -> Decision:
    """Judge an image score (raw, None: the part could not be scored) under `limits`.

    Pass below T1, fail from T2, unsure between. Monotone: a higher score is never judged better.
    """
    if score is None:
        return Decision(Outcome.ERROR, None, "not scored")
    multiple = limits.relative(score)
    if score >= limits.fail_from:
        return Decision(Outcome.FAIL, multiple, "at or above the limit")
    if score >= limits.unsure_from:
        return Decision(Outcome.UNSURE, multiple, "between the two limits")
    return Decision(Outcome.PASS, multiple, "below the limit")


def decide_part(scores: Scores, limits: Limits) -> Decision:
    """Judge what a method says of a part: by its image score, or as stage 1 did."""
    if scores.passed_stage1:
        return Decision(Outcome.PASS, None, PASSED_BY_STAGE_1)
    return decide(scores.image, limits)
