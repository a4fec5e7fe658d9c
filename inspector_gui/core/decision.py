"""Scores and limits to a decision: one pure function, used for the official and the what-if."""

from inspector_gui.core.types import Decision, Limits, Outcome


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
