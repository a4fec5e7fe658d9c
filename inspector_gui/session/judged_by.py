"""What the workspace remembers of a set that parts are to be judged by."""

from collections.abc import Mapping
from dataclasses import dataclass

from inspector_gui.core.types import InspectionRow, Limits, Purpose, ReferenceSet
from inspector_gui.session.health import key_of
from inspector_gui.session.history import LONGEST
from inspector_gui.workers.gallery_work import Setup
from inspector_gui.workers.recorder import Store

_OTHERS = (Purpose.VALIDATION, Purpose.BAD)


@dataclass(frozen=True, eq=False)
class JudgedBy:
    """The engine's setup (without limits), the newest limits, and scores by content hash.

    `own`: of references, leave-one-out; `others`: of validation and known bad pictures. `rows`: the
    history of the set, oldest first, where it was asked for.
    """

    setup: Setup
    limits: Limits | None
    own: Mapping[str, float]
    others: Mapping[str, float]
    rows: tuple[InspectionRow, ...]


def judged_by(store: Store, current: ReferenceSet, *, needs_rows: bool) -> JudgedBy:
    """Look everything up; in the recorder's thread, where thousands of pictures hold up nobody."""
    references = store.references
    scores = references.leave_one_out(current.id, current.fingerprint)
    gallery = frozenset(image.sha256 for image in current.included)
    setup = Setup(
        set_id=current.id,
        scoring=current.scoring,
        hashes=tuple(image.sha256 for image in current.included),
        fingerprint=current.fingerprint,
        features_folder=store.workspace.features_folder,
        read_image=store.workspace.images.read,
        known_scores=scores,
        others=tuple(i.sha256 for p in _OTHERS for i in current.of(p)),
        images=tuple(image for image in current.images if image.included),
        health_key=key_of(current),
    )
    rows = store.inspections.rows(current.id, limit=LONGEST) if needs_rows else ()
    return JudgedBy(
        setup,
        references.latest_limits(current.id),
        {sha: score for sha, score in scores.items() if sha in gallery},
        {sha: score for sha, score in scores.items() if sha not in gallery},
        tuple(reversed(rows)),
    )
