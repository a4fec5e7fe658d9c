"""A session with a set, limits and inspected parts, without threads or a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from inspector_gui.core.decision import decide
from inspector_gui.core.types import (
    RGB,
    Floats,
    InspectionRow,
    Limits,
    Part,
    ReferenceImage,
    ReferenceSet,
    Scoring,
    Source,
)
from inspector_gui.session import Session
from inspector_gui.workers.recorder import Store

SCORING = Scoring()
IMAGES = tuple(
    ReferenceImage(n + 1, 1, f"{n:064x}", f"reference{n}.png", included=True) for n in range(8)
)
SET = ReferenceSet(1, "Washers", SCORING, IMAGES)
LIMITS = Limits(
    centre=1.0,
    unsure_from=3.0,
    fail_from=3.0,
    pixel=2.0,
    rule="set by hand",
    gallery=SET.fingerprint,
)
"""One multiple of the limit is 2 raw: 1 an ordinary good part, 3 the limit."""
REFERENCE_SCORES = {image.sha256: 0.7 + 0.1 * n for n, image in enumerate(IMAGES)}


def row(number: int, score: float | None, *, reason: str = "") -> InspectionRow:
    decision = decide(score, LIMITS)
    return InspectionRow(
        id=number,
        name=f"part{number}.png",
        source=Source.FOLDER,
        captured_at=0.0,
        judged_at=0.0,
        set_id=1,
        outcome=decision.outcome,
        reason=reason or decision.reason,
        score=score,
        multiple=decision.multiple,
        scoring_key=SCORING.key if score is not None else "",
        path=Path(f"/parts/part{number}.png"),
    )


def ready_session(rows: Sequence[InspectionRow] = ()) -> Session:
    """Return a session whose threads were never started, ready to judge."""
    session = Session()
    session.workspace = Path("/workspace")
    session.references.load([SET], 1)
    session.limits.load(SET, LIMITS, REFERENCE_SCORES)
    session.history.load(rows, SCORING)
    session._store = cast(Store, object())  # requests wait: there is no recorder to answer them
    return session


def picture(height: int = 200, width: int = 200) -> RGB:
    return np.full((height, width, 3), 90, np.uint8)


def spot(peak: float, *, side: int = 28, place: tuple[int, int] = (7, 20)) -> Floats:
    """Return patch distances of an ordinary part with a hot place of 5 x 5 cells."""
    patches = np.ones((side, side), np.float32)
    y, x = place
    patches[y - 2 : y + 3, x - 2 : x + 3] = peak
    return patches


def part(
    inspected: InspectionRow,
    *,
    image: RGB | None = None,
    patches: Floats | None = None,
    scoring: Scoring = SCORING,
) -> Part:
    nearest = (IMAGES[3].sha256, IMAGES[5].sha256)
    return Part(inspected, image, patches, scoring, nearest, {"extract": 0.01, "stage2": 0.073})
