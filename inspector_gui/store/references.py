"""Reference sets with their pictures, and the versions of both halves of their recipes."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.orm import Session

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import pixel_digest
from inspector_gui.core.types import RGB, Limits, Purpose, ReferenceImage, ReferenceSet, Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.images import known_suffix
from inspector_gui.store.schema import (
    ImageRecord,
    LeaveOneOutRecord,
    LimitsRecord,
    ReferenceImageRecord,
    ReferenceSetRecord,
    ScoringRecord,
)

LONGEST_NAME = 80
_MOST_PARAMETERS = 30_000  # of one statement; SQLite admits 32,766
_Value = TypeVar("_Value")


class References:
    """What is remembered about reference sets. Every method is one transaction.

    Methods that take a set's id raise `KnownError` where there is no such set (any more).
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def load_sets(self) -> tuple[ReferenceSet, ...]:
        """Return the sets that are not deleted, by name, their images in order of adding."""
        with self._workspace.session() as session:
            records = _live_sets(session)
            ids = [record.id for record in records]
            images, scorings = _images_of(session, ids), _scorings_of(session, ids)
            return tuple(_set(r, scorings[r.id], images[r.id]) for r in records)

    def create_set(self, name: str, scoring: Scoring) -> ReferenceSet:
        """Add an empty set; raises `KnownError` for an empty, long or taken name."""
        with self._workspace.session() as session:
            record = ReferenceSetRecord(name=_free_name(session, name), created_at=time.time())
            session.add(record)
            session.flush()
            add_scoring(session, record.id, scoring, chosen=True)
            return _set(record, scoring)

    def rename_set(self, set_id: int, name: str) -> None:
        """Give a set another name; raises `KnownError` for an empty, long or taken one."""
        with self._workspace.session() as session:
            record = _live_set(session, set_id)
            record.name = _free_name(session, name, except_id=set_id)

    def duplicate_set(self, set_id: int, name: str) -> ReferenceSet:
        """Add a set with the same pictures, states, scoring, limits and scale; files are shared.

        Raises `KnownError` for an empty, long or taken name.
        """
        with self._workspace.session() as session:
            scale = _live_set(session, set_id).mm_per_pixel
            free = _free_name(session, name)
            record = ReferenceSetRecord(name=free, created_at=time.time(), mm_per_pixel=scale)
            session.add(record)
            session.flush()
            scoring = _scorings_of(session, [set_id])[set_id]
            add_scoring(session, record.id, scoring, chosen=True)
            image, limits, scores = ReferenceImageRecord, LimitsRecord, LeaveOneOutRecord
            _copy_rows(session, image, set_id, record.id, without={"id"})
            newest = _limits_query(set_id).with_only_columns(limits.id).limit(1)
            newest_id = session.scalar(newest)
            if newest_id is not None:
                _copy_rows(session, limits, set_id, record.id, without={"id"}, only_id=newest_id)
            _copy_rows(session, scores, set_id, record.id)
            return _set(record, scoring, _images_of(session, [record.id])[record.id])

    def delete_set(self, set_id: int) -> None:
        """Hide a set; nothing of it is removed, and its name becomes free."""
        with self._workspace.session() as session:
            _live_set(session, set_id).deleted_at = time.time()

    def restore_set(self, set_id: int) -> ReferenceSet:
        """Bring a deleted set back, with a number behind its name where that is taken now."""
        with self._workspace.session() as session:
            record = session.get(ReferenceSetRecord, set_id)
            if record is None:
                raise _no_such_set()
            taken = {r.name.casefold() for r in _live_sets(session)}
            numbered = (f"{record.name[: LONGEST_NAME - 4]} {n}" for n in range(2, len(taken) + 3))
            names = [record.name, *numbered]
            record.name = next(name for name in names if name.casefold() not in taken)
            record.deleted_at = None
            scoring = _scorings_of(session, [set_id])[set_id]
            return _set(record, scoring, _images_of(session, [set_id])[set_id])

    def add_image(
        self,
        set_id: int,
        data: bytes,
        image: RGB,
        name: str,
        *,
        purpose: Purpose = Purpose.REFERENCE,
        origin: str = "",
    ) -> ReferenceImage | None:
        """Add a picture to a set; None where this very picture is in it already.

        `data` are the bytes of a picture file, `image` what they decode to (uint8, H x W x 3,
        RGB), `name` the file's name, `origin` where it came from. Raises `KnownError` where the
        disk is full; nothing is kept of the picture in the set then.
        """
        sha256 = self._workspace.images.add(data, image, Path(name).suffix)
        with self._workspace.session() as session:
            _live_set(session, set_id)
            add_picture(session, sha256, data, image, Path(name).suffix)
            record = ReferenceImageRecord
            same = select(record).where(record.set_id == set_id, record.sha256 == sha256)
            known = session.scalars(same).first()
            if known is not None:
                known.origin = known.origin or origin  # which earlier programs did not note
                return None
            row = ReferenceImageRecord(
                set_id=set_id,
                sha256=sha256,
                name=name,
                included=True,
                reason="",
                added_at=time.time(),
                purpose=purpose.value,
                origin=origin,
            )
            session.add(row)
            session.flush()
            return _images_of(session, [set_id], only=row.id)[set_id][0]

    def remove_images(self, image_ids: Collection[int]) -> None:
        """Take pictures out of their sets, as if never added; their files stay."""
        with self._workspace.session() as session:
            record = ReferenceImageRecord
            for ids in _batches(image_ids):
                session.execute(delete(record).where(record.id.in_(ids)))

    def set_included(self, image_ids: Collection[int], included: bool, reason: str = "") -> None:
        """Count references in, or leave them out for a `reason`."""
        with self._workspace.session() as session:
            record = ReferenceImageRecord
            for ids in _batches(image_ids):
                rows = update(record).where(record.id.in_(ids))
                session.execute(rows.values(included=included, reason=reason))

    def set_purpose(self, image_ids: Collection[int], purpose: Purpose) -> None:
        """Let pictures of sets serve another purpose."""
        with self._workspace.session() as session:
            record = ReferenceImageRecord
            for ids in _batches(image_ids):
                rows = update(record).where(record.id.in_(ids))
                session.execute(rows.values(purpose=purpose.value))

    def set_scoring(self, set_id: int, scoring: Scoring) -> None:
        """Choose how a set scores from now on; the versions before it stay."""
        with self._workspace.session() as session:
            _live_set(session, set_id)
            if _scorings_of(session, [set_id])[set_id] != scoring:
                add_scoring(session, set_id, scoring, chosen=True)

    def set_scale(self, set_id: int, mm_per_pixel: float | None) -> None:
        """State how many millimetres a pixel of a set's pictures is; None: unknown.

        Raises `KnownError` for a length that is not above 0.
        """
        if mm_per_pixel is not None and not 0 < mm_per_pixel < float("inf"):
            raise KnownError("A scale is a length above 0, in millimetres per pixel.")
        with self._workspace.session() as session:
            _live_set(session, set_id).mm_per_pixel = mm_per_pixel

    def save_limits(self, set_id: int, limits: Limits) -> Limits:
        """Add a version of a set's limits and return it with its id; the given id is ignored."""
        with self._workspace.session() as session:
            _live_set(session, set_id)
            row = LimitsRecord(
                set_id=set_id,
                centre=float(limits.centre),
                unsure_from=float(limits.unsure_from),
                fail_from=float(limits.fail_from),
                pixel=float(limits.pixel),
                rule=limits.rule,
                gallery=limits.gallery,
                created_at=time.time(),
            )
            session.add(row)
            session.flush()
            return _limits(row)

    def latest_limits(self, set_id: int) -> Limits | None:
        """Return the newest limits of a set, None where it never had any."""
        with self._workspace.session() as session:
            row = session.scalars(_limits_query(set_id).limit(1)).first()
            return None if row is None else _limits(row)

    def limits_history(self, set_id: int) -> tuple[tuple[float, Limits], ...]:
        """Return every version of a set's limits, newest first, with its time (epoch seconds)."""
        with self._workspace.session() as session:
            rows = session.scalars(_limits_query(set_id)).all()
            return tuple((row.created_at, _limits(row)) for row in rows)

    def save_leave_one_out(
        self, set_id: int, fingerprint: str, scores: Mapping[str, float]
    ) -> None:
        """Keep the score of pictures (by SHA-256) against a gallery, references' leave-one-out.

        What was kept for the same set, `fingerprint` and picture is replaced.
        """
        record = LeaveOneOutRecord
        same = (record.set_id == set_id, record.fingerprint == fingerprint)
        rows = [
            {"set_id": set_id, "fingerprint": fingerprint, "sha256": sha, "score": float(score)}
            for sha, score in scores.items()
        ]
        with self._workspace.session() as session:
            for hashes in _batches(scores):
                session.execute(delete(record).where(*same, record.sha256.in_(hashes)))
            if rows:
                session.execute(insert(record), rows)

    def leave_one_out(self, set_id: int, fingerprint: str) -> dict[str, float]:
        """Return the kept scores by SHA-256, empty where there are none for this gallery."""
        record = LeaveOneOutRecord
        query = select(record.sha256, record.score).where(
            record.set_id == set_id, record.fingerprint == fingerprint
        )
        with self._workspace.session() as session:
            return dict(session.execute(query).all())


def add_picture(session: Session, sha256: str, data: bytes, image: RGB, suffix: str) -> None:
    """Note a picture file that `ImageStore.add` keeps; does nothing where it is noted already.

    But for the digest of its pixels, which earlier programs did not note.
    """
    known = session.get(ImageRecord, sha256)
    if known is not None and known.pixels is None:
        known.pixels = pixel_digest(image)
    if known is None:
        height, width = image.shape[:2]
        row = ImageRecord(
            sha256=sha256,
            suffix=known_suffix(suffix),
            width=width,
            height=height,
            bytes=len(data),
            added_at=time.time(),
            pixels=pixel_digest(image),
        )
        session.add(row)
        session.flush()


def add_scoring(session: Session, set_id: int, scoring: Scoring, *, chosen: bool) -> int:
    """Add a version of a set's scoring and return its id."""
    row = ScoringRecord(
        set_id=set_id,
        key=scoring.key,
        scoring=asdict(scoring),
        chosen=chosen,
        created_at=time.time(),
    )
    session.add(row)
    session.flush()
    return row.id


def scoring_from(values: Mapping[str, Any]) -> Scoring:
    """Return the scoring in a JSON object; fields this program does not know are left out."""
    known = {field.name for field in fields(Scoring)}
    return Scoring(**{name: value for name, value in values.items() if name in known})


def _batches(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Yield values in lists that one statement can take."""
    rest = iter(values)
    while batch := list(islice(rest, _MOST_PARAMETERS)):
        yield batch


def _set(
    record: ReferenceSetRecord, scoring: Scoring, images: Iterable[ReferenceImage] = ()
) -> ReferenceSet:
    return ReferenceSet(record.id, record.name, scoring, tuple(images), record.mm_per_pixel)


def _live_sets(session: Session) -> list[ReferenceSetRecord]:
    query = select(ReferenceSetRecord).where(ReferenceSetRecord.deleted_at.is_(None))
    return sorted(session.scalars(query), key=lambda r: (r.name.casefold(), r.id))


def _live_set(session: Session, set_id: int) -> ReferenceSetRecord:
    record = session.get(ReferenceSetRecord, set_id)
    if record is None or record.deleted_at is not None:
        raise _no_such_set()
    return record


def _no_such_set() -> KnownError:
    return KnownError("This reference set is no longer there. Choose another one.")


def _free_name(session: Session, name: str, *, except_id: int | None = None) -> str:
    stripped = name.strip()
    if not stripped:
        raise KnownError("A reference set needs a name.")
    if len(stripped) > LONGEST_NAME:
        raise KnownError(f"A name may have {LONGEST_NAME} characters at most.")
    for other in _live_sets(session):
        if other.id != except_id and other.name.casefold() == stripped.casefold():
            raise KnownError(f"There is already a set called {other.name}. Choose another name.")
    return stripped


def _images_of(
    session: Session, set_ids: list[int], *, only: int | None = None
) -> dict[int, list[ReferenceImage]]:
    """Return the pictures of sets in order of adding, or `only` the one with this id."""
    record, file = ReferenceImageRecord, ImageRecord
    query = (
        select(
            record.id, record.set_id, record.sha256, record.name, record.included, record.reason,
            record.purpose, record.origin, file.width, file.height, file.pixels,
        )
        .join(file, file.sha256 == record.sha256)
        .where(record.set_id.in_(set_ids))
        .order_by(record.id)
    )  # fmt: skip
    if only is not None:
        query = query.where(record.id == only)
    images: dict[int, list[ReferenceImage]] = defaultdict(list)
    for row in session.execute(query):
        values = row._asdict()
        values |= {"purpose": Purpose(row.purpose), "pixels": row.pixels or ""}
        images[row.set_id].append(ReferenceImage(**values))
    return images


def _scorings_of(session: Session, set_ids: list[int]) -> dict[int, Scoring]:
    record = ScoringRecord
    query = select(record).where(record.set_id.in_(set_ids), record.chosen).order_by(record.id)
    return {row.set_id: scoring_from(row.scoring) for row in session.scalars(query)}


def _limits_query(set_id: int) -> Any:
    return (
        select(LimitsRecord).where(LimitsRecord.set_id == set_id).order_by(LimitsRecord.id.desc())
    )


def _limits(row: LimitsRecord) -> Limits:
    return Limits(
        row.centre, row.unsure_from, row.fail_from, row.pixel, row.rule, row.gallery, row.id
    )


def _copy_rows(
    session: Session,
    record: type[ReferenceImageRecord] | type[LimitsRecord] | type[LeaveOneOutRecord],
    from_set: int,
    to_set: int,
    *,
    without: Collection[str] = (),
    only_id: int | None = None,
) -> None:
    table = record.__table__
    names = [c.name for c in table.columns if c.name not in without and c.name != "set_id"]
    rows = select(literal(to_set), *(table.c[n] for n in names)).where(table.c.set_id == from_set)
    if only_id is not None:
        rows = rows.where(table.c.id == only_id)
    if "id" in table.c:
        rows = rows.order_by(table.c.id)
    session.execute(insert(record).from_select(["set_id", *names], rows))
