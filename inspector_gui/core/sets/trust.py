"""How far a number of good parts can be trusted, by split-conformal prediction."""

import math
from dataclasses import dataclass

ENOUGH_REFERENCES = 10
"""From here on the paper shows DN2 at work (figure 5); below, the report says that it is rough."""


@dataclass(frozen=True)
class Trust:
    """How far a set can be trusted: numbers of good parts, what they promise, in a sentence.

    `promise`: the smallest false-alarm rate that a limit from the validation pictures can promise
    (None without any; leave-one-out scores of references promise nothing).
    """

    references: int
    validation: int
    promise: float | None
    sentence: str


def promise(n: int) -> float:
    """Return the smallest false-alarm rate that n held-out good parts can promise: 1 / (n + 1).

    Split-conformal: the limit is the k-th smallest score, k = ceil((n + 1) (1 - rate)) <= n.
    """
    return 1 / (n + 1)


def goods_needed(rate: float) -> int:
    """Return how many held-out good parts can promise a false-alarm rate (0 < rate < 1)."""
    if not 0 < rate < 1:
        raise ValueError(f"a rate of {rate}")
    return math.ceil(round(1 / rate, 9)) - 1


def trust_of(references: int, validation: int) -> Trust:
    """Return how far so many good parts can be trusted."""
    if validation:
        good = "1 validation part" if validation == 1 else f"{validation} validation parts"
        text = f"{good} can promise at best 1 false alarm in {validation + 1}."
        return Trust(references, validation, promise(validation), text)
    if references < 2:
        return Trust(references, 0, None, "Nothing can be promised yet; add good parts.")
    text = (
        "Scores of references against each other are an estimate and promise nothing. "
        f"Kept apart for validation, {references} good parts could promise at best "
        f"1 false alarm in {references + 1}."
    )
    return Trust(references, 0, None, text)
