"""The history: what the machine made of every part, and what people said about it."""

import hashlib
import struct
import time
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Row, ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import decode, display_name, encode_png, read_bytes, thumbnail
from inspector_gui.core.types import (
    RGB,
    Floats,
    Frame,
    Inspection,
    InspectionRow,
    Outcome,
    Part,
    Scoring,
    Source,
    UnreadableFrame,
    Verdict,
)
from inspector_gui.store.database import Workspace
from inspector_gui.store.images import encode_jpeg
from inspector_gui.store.references import add_picture, add_scoring, scoring_from
from inspector_gui.store.schema import InspectionRecord, ScoringRecord, VerdictRecord

THUMBNAIL_SIDE = 96
"""Longer side of a row's thumbnail, in pixels."""
_PATCHES_HEADER = struct.Struct("<II")


@dataclass(frozen=True, eq=False)
class PastScores:
    """Scores of one set under one scoring, oldest first.

    `scores`: float32, N. `outcomes` and `verdicts` (what a person said last) have N items each.
    """

    scores: Floats
    outcomes: tuple[Outcome, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class _Kept:
    """What is kept of a frame's picture; `picture` is the hash of a file in the image store."""

    content: str | None
    picture: str | None
    data: bytes
    suffix: str


@dataclass(frozen=True)
class _StoredScoring:
    """The scoring of the newest inspection, which most often is that of the next one."""

    id: int
    set_id: int
    scoring: Scoring
    key: str


class Inspections:
    """The append-only history. Every method is one transaction."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._newest: _StoredScoring | None = None

    def add(self, inspection: Inspection) -> InspectionRow:
        """Remember a judged part and return its row with the id.

        The very picture is kept of parts that did not pass, of frames that are in no folder, and
        of ad hoc and camera frames; of passed parts of a folder only its path and a thumbnail.
        Raises `KnownError` where the disk is full; there is no row then.
        """
        frame, scores, decision = inspection.frame, inspection.scores, inspection.decision
        kept = self._keep(frame, decision.outcome)
        small = thumbnail(frame.image, THUMBNAIL_SIDE)
        with self._workspace.session() as session:
            scoring = self._scoring(session, inspection.set_id, inspection.scoring)
            if kept.picture is not None:
                add_picture(session, kept.picture, kept.data, frame.image, kept.suffix)
            record = InspectionRecord(
                set_id=inspection.set_id,
                name=frame.name,
                source=frame.source.value,
                path=_text(frame.path),
                captured_at=frame.captured_at,
                judged_at=inspection.judged_at,
                scoring_id=scoring.id,
                limits_id=inspection.limits.id,
                gallery=inspection.limits.gallery,
                score=None if scores.passed_stage1 else float(scores.image),
                stage1=float(scores.stage1),
                outcome=decision.outcome.value,
                multiple=_number(decision.multiple),
                reason=decision.reason,
                nearest=list(inspection.nearest),
                timings={name: float(seconds) for name, seconds in scores.timings.items()},
                patches=pack_patches(scores.patches),
                content_sha=kept.content,
                picture_sha=kept.picture,
                thumbnail=encode_jpeg(small),
                truth=None if frame.truth is None else bool(frame.truth),
                pooled=None if scores.pooled is None else scores.pooled.astype("<f4").tobytes(),
            )
            session.add(record)
            session.flush()
            row = _new_row(record, small, scoring.key)
        self._newest = scoring  # now that it is stored
        return row

    def add_unreadable(self, frame: UnreadableFrame, set_id: int) -> InspectionRow:
        """Remember a file that is not a picture, as a row with outcome ERROR and its reason."""
        with self._workspace.session() as session:
            record = InspectionRecord(
                set_id=set_id,
                name=frame.name,
                source=frame.source.value,
                path=_text(frame.path),
                captured_at=frame.captured_at,
                judged_at=time.time(),
                gallery="",
                outcome=Outcome.ERROR.value,
                reason=frame.reason,
                nearest=[],
                timings={},
            )
            session.add(record)
            session.flush()
            return _new_row(record, None, "")

    def rows(
        self, set_id: int | None = None, *, limit: int = 2000, before_id: int | None = None
    ) -> tuple[InspectionRow, ...]:
        """Return rows with their latest verdicts, newest first; of one set or of all.

        `before_id` goes on from the last row of an earlier answer.
        """
        query = _rows_query().order_by(InspectionRecord.id.desc()).limit(limit)
        if set_id is not None:
            query = query.where(InspectionRecord.set_id == set_id)
        if before_id is not None:
            query = query.where(InspectionRecord.id < before_id)
        with self._workspace.session() as session:
            return tuple(_row(found) for found in session.execute(query))

    def part(self, inspection_id: int) -> Part:
        """Return everything needed to look at one part.

        `image` is the kept picture, else the one at the original path if it is still the very
        file that was judged, else None. Raises `KnownError` where there is no such inspection.
        """
        with self._workspace.session() as session:
            found = session.execute(
                _rows_query().where(InspectionRecord.id == inspection_id)
            ).one_or_none()
            record = session.get(InspectionRecord, inspection_id)
            if found is None or record is None:
                raise _no_such_inspection()
            scoring = _scoring_of(session, record)
        return Part(
            row=_row(found),
            image=self._picture(record),
            patches=unpack_patches(record.patches),
            scoring=scoring,
            nearest=tuple(record.nearest),
            timings=record.timings,
        )

    def add_verdict(
        self, inspection_id: int, verdict: Verdict, *, person: str = "", note: str = ""
    ) -> None:
        """Add what a person says, superseding what was said before; `NONE` takes it back.

        Raises `KnownError` where there is no such inspection.
        """
        with self._workspace.session() as session:
            known = select(InspectionRecord.id).where(InspectionRecord.id == inspection_id)
            if session.scalar(known) is None:
                raise _no_such_inspection()
            latest = select(func.max(VerdictRecord.id)).where(
                VerdictRecord.inspection_id == inspection_id
            )
            record = VerdictRecord(
                inspection_id=inspection_id,
                verdict=verdict.value,
                person=person,
                note=note,
                at=time.time(),
                supersedes_id=session.scalar(latest),
            )
            session.add(record)

    def scores(self, set_id: int, scoring_key: str) -> PastScores:
        """Return the scores of a set's parts that were judged under `Scoring.key`."""
        query = (
            select(InspectionRecord.score, InspectionRecord.outcome, _latest_verdict())
            .join(ScoringRecord, ScoringRecord.id == InspectionRecord.scoring_id)
            .where(InspectionRecord.set_id == set_id, ScoringRecord.key == scoring_key)
            .where(InspectionRecord.score.is_not(None))
            .order_by(InspectionRecord.id)
        )
        with self._workspace.session() as session:
            found = session.execute(query).all()
        return PastScores(
            np.array([score for score, _, _ in found], np.float32),
            tuple(Outcome(outcome) for _, outcome, _ in found),
            tuple(Verdict(verdict or Verdict.NONE) for _, _, verdict in found),
        )

    def pooled(self, inspection_ids: Collection[int]) -> dict[int, Floats]:
        """Return the global features of parts by their id: float32, D; of those that have one."""
        query = select(InspectionRecord.id, InspectionRecord.pooled).where(
            InspectionRecord.id.in_(inspection_ids), InspectionRecord.pooled.is_not(None)
        )
        with self._workspace.session() as session:
            found = session.execute(query).all()
        return {i: np.frombuffer(data or b"", "<f4").astype(np.float32) for i, data in found}

    def counts(self, set_id: int | None = None) -> Mapping[Outcome, int]:
        """Return how many parts had each outcome, of one set or of all; 0 where none had."""
        query = select(InspectionRecord.outcome, func.count()).group_by(InspectionRecord.outcome)
        if set_id is not None:
            query = query.where(InspectionRecord.set_id == set_id)
        with self._workspace.session() as session:
            found = dict(session.execute(query).all())
        return {outcome: found.get(outcome.value, 0) for outcome in Outcome}

    def _scoring(self, session: Session, set_id: int, scoring: Scoring) -> _StoredScoring:
        newest = self._newest
        if newest is not None and (newest.set_id, newest.scoring) == (set_id, scoring):
            return newest
        own_id = _scoring_id(session, set_id, scoring)
        return _StoredScoring(own_id, set_id, scoring, scoring.key)

    def _keep(self, frame: Frame, outcome: Outcome) -> _Kept:
        content = None if frame.data is None else hashlib.sha256(frame.data).hexdigest()
        can_be_found_again = _text(frame.path) is not None and frame.source is Source.FOLDER
        if outcome is Outcome.PASS and can_be_found_again:
            return _Kept(content, None, b"", "")
        data, suffix = frame.data, (frame.path or Path(frame.name)).suffix
        if data is None:
            data, suffix = encode_png(frame.image), ".png"
        return _Kept(content, self._workspace.images.add(data, frame.image, suffix), data, suffix)

    def _picture(self, record: InspectionRecord) -> RGB | None:
        try:
            if record.picture_sha is not None:
                return decode(self._workspace.images.read(record.picture_sha), name=record.name)
            if record.path is None or record.outcome == Outcome.ERROR.value:
                return None
            data = read_bytes(Path(record.path))
            is_the_same = hashlib.sha256(data).hexdigest() == record.content_sha
            if record.content_sha is not None and not is_the_same:
                return None
            return decode(data, name=record.name)
        except KnownError:
            return None


def pack_patches(patches: Floats | None) -> bytes | None:
    """Return patch distances (float32, h x w) as bytes: h, w, then the values, compressed."""
    if patches is None:
        return None
    if patches.ndim != 2:
        raise ValueError(f"expected h x w, got {patches.shape}")
    values = np.ascontiguousarray(patches, "<f4")
    return _PATCHES_HEADER.pack(*patches.shape) + zlib.compress(values.tobytes(), 1)


def unpack_patches(data: bytes | None) -> Floats | None:
    """Return what `pack_patches` packed: float32, h x w."""
    if data is None:
        return None
    shape = _PATCHES_HEADER.unpack_from(data)
    values = zlib.decompress(data[_PATCHES_HEADER.size :])
    return np.frombuffer(values, "<f4").astype(np.float32).reshape(shape)


def _latest_verdict() -> ScalarSelect[str]:
    return (
        select(VerdictRecord.verdict)
        .where(VerdictRecord.inspection_id == InspectionRecord.id)
        .order_by(VerdictRecord.id.desc())
        .limit(1)
        .correlate(InspectionRecord)
        .scalar_subquery()
    )


def _rows_query() -> Select[*tuple[Any, ...]]:
    record = InspectionRecord
    return select(
        record.id,
        record.name,
        record.source,
        record.captured_at,
        record.judged_at,
        record.set_id,
        record.outcome,
        record.reason,
        record.score,
        record.multiple,
        record.thumbnail,
        record.path,
        record.truth,
        ScoringRecord.key.label("scoring_key"),
        _latest_verdict().label("verdict"),
    ).outerjoin(ScoringRecord, ScoringRecord.id == record.scoring_id)


def _row(found: Row[Any]) -> InspectionRow:
    return InspectionRow(
        id=found.id,
        name=found.name,
        source=Source(found.source),
        captured_at=found.captured_at,
        judged_at=found.judged_at,
        set_id=found.set_id,
        outcome=Outcome(found.outcome),
        reason=found.reason,
        score=found.score,
        multiple=found.multiple,
        scoring_key=found.scoring_key or "",
        verdict=Verdict(found.verdict or Verdict.NONE),
        thumbnail=None if found.thumbnail is None else decode(found.thumbnail),
        path=None if found.path is None else Path(found.path),
        truth=found.truth,
    )


def _new_row(record: InspectionRecord, small: RGB | None, scoring_key: str) -> InspectionRow:
    return InspectionRow(
        id=record.id,
        name=record.name,
        source=Source(record.source),
        captured_at=record.captured_at,
        judged_at=record.judged_at,
        set_id=record.set_id,
        outcome=Outcome(record.outcome),
        reason=record.reason,
        score=record.score,
        multiple=record.multiple,
        scoring_key=scoring_key,
        thumbnail=small,
        path=None if record.path is None else Path(record.path),
        truth=record.truth,
    )


def _scoring_id(session: Session, set_id: int, scoring: Scoring) -> int:
    query = (
        select(ScoringRecord)
        .where(ScoringRecord.set_id == set_id, ScoringRecord.key == scoring.key)
        .order_by(ScoringRecord.id.desc())
    )
    for record in session.scalars(query):
        if scoring_from(record.scoring) == scoring:
            return record.id
    return add_scoring(session, set_id, scoring, chosen=False)


def _scoring_of(session: Session, record: InspectionRecord) -> Scoring:
    query = select(ScoringRecord.scoring).where(
        ScoringRecord.id == record.scoring_id
        if record.scoring_id is not None
        else (ScoringRecord.set_id == record.set_id) & ScoringRecord.chosen
    )
    values = session.scalar(query.order_by(ScoringRecord.id.desc()).limit(1))
    return Scoring() if values is None else scoring_from(values)


def _no_such_inspection() -> KnownError:
    return KnownError("This inspection is not in the history of this workspace.")


def _text(path: Path | None) -> str | None:
    """Return a path as text that leads back to the file; None for one that is no UTF-8."""
    text = None if path is None else str(path)
    return text if text is None or display_name(text) == text else None


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
