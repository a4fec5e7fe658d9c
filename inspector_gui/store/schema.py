"""The tables of a workspace: typed, portable between SQLite and PostgreSQL.

Times are UTC epoch seconds. Rows of `inspections` and `verdicts` are never changed or deleted.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Record(DeclarativeBase):
    """A row of any table."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class ImageRecord(Record):
    """A picture file under `images/`, named by the SHA-256 of its bytes.

    `pixels` is a digest of the decoded picture (None where an earlier program noted it).
    """

    __tablename__ = "images"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    suffix: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    added_at: Mapped[float]
    pixels: Mapped[str | None] = mapped_column(String(16))


class ReferenceSetRecord(Record):
    """A reference set; `deleted_at` hides it. Names are unique among those not deleted.

    `mm_per_pixel` is the scale of its parts' pictures (None: unknown); it changes no score.
    """

    __tablename__ = "reference_sets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[float]
    deleted_at: Mapped[float | None]
    mm_per_pixel: Mapped[float | None]


class ReferenceImageRecord(Record):
    """A picture's place in a reference set, and what it is there for (`Purpose`)."""

    __tablename__ = "reference_images"
    __table_args__ = (UniqueConstraint("set_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("reference_sets.id"))
    sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"))
    name: Mapped[str] = mapped_column(Text)
    included: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    added_at: Mapped[float]
    purpose: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(Text)


class ScoringRecord(Record):
    """A version of a set's scoring; the newest chosen one is current.

    `chosen` is False for a scoring that only came with an inspection, never by a person's choice.
    """

    __tablename__ = "scorings"

    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("reference_sets.id"), index=True)
    key: Mapped[str] = mapped_column(String(16))
    scoring: Mapped[dict[str, Any]]
    chosen: Mapped[bool]
    created_at: Mapped[float]


class LimitsRecord(Record):
    """A version of a set's limits; the newest is current."""

    __tablename__ = "limits"

    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("reference_sets.id"), index=True)
    centre: Mapped[float]
    unsure_from: Mapped[float]
    fail_from: Mapped[float]
    pixel: Mapped[float]
    rule: Mapped[str] = mapped_column(Text)
    gallery: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float]


class LeaveOneOutRecord(Record):
    """The score of a picture of a set against its gallery, a reference's against the others."""

    __tablename__ = "leave_one_out"

    set_id: Mapped[int] = mapped_column(ForeignKey("reference_sets.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    score: Mapped[float]


class InspectionRecord(Record):
    """What the machine made of one part, never changed afterwards.

    `content_sha` is the SHA-256 of the file that was judged (None for camera frames), `picture_sha`
    the kept picture (None for passed parts of a folder). `patches` is packed by
    `inspections.pack_patches`, `thumbnail` a JPEG file, `pooled` the global feature as float32
    (None where an earlier program judged).
    """

    __tablename__ = "inspections"
    __table_args__ = (
        Index(None, "set_id", "id"),
        Index(None, "outcome"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("reference_sets.id"))
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(16))
    path: Mapped[str | None] = mapped_column(Text)
    captured_at: Mapped[float]
    judged_at: Mapped[float]
    scoring_id: Mapped[int | None] = mapped_column(ForeignKey("scorings.id"))
    limits_id: Mapped[int | None] = mapped_column(ForeignKey("limits.id"))
    gallery: Mapped[str] = mapped_column(String(64))
    score: Mapped[float | None]
    stage1: Mapped[float | None]
    outcome: Mapped[str] = mapped_column(String(16))
    multiple: Mapped[float | None]
    reason: Mapped[str] = mapped_column(Text)
    nearest: Mapped[list[str]]
    timings: Mapped[dict[str, Any]]
    patches: Mapped[bytes | None] = mapped_column(LargeBinary)
    content_sha: Mapped[str | None] = mapped_column(String(64))
    picture_sha: Mapped[str | None] = mapped_column(ForeignKey("images.sha256"))
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary)
    truth: Mapped[bool | None]
    pooled: Mapped[bytes | None] = mapped_column(LargeBinary)


class VerdictRecord(Record):
    """What a person said about an inspection; a later row supersedes, nothing is overwritten."""

    __tablename__ = "verdicts"

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id"), index=True)
    verdict: Mapped[str] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[float]
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("verdicts.id"))
