"""The first tables: pictures, reference sets, recipes, inspections and verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_references()
    _create_recipes()
    _create_inspections()


def downgrade() -> None:
    """Remove the tables and all they hold."""
    for table in (
        "verdicts",
        "inspections",
        "leave_one_out",
        "limits",
        "scorings",
        "reference_images",
        "reference_sets",
        "images",
    ):
        op.drop_table(table)


def _create_references() -> None:
    op.create_table(
        "images",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("suffix", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_images"),
    )
    op.create_table(
        "reference_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reference_sets"),
    )
    op.create_table(
        "reference_images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("included", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reference_images"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["reference_sets.id"], name="fk_reference_images_set_id_reference_sets"
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["images.sha256"], name="fk_reference_images_sha256_images"
        ),
        sa.UniqueConstraint("set_id", "sha256", name="uq_reference_images_set_id_sha256"),
    )


def _create_recipes() -> None:
    op.create_table(
        "scorings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("scoring", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scorings"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["reference_sets.id"], name="fk_scorings_set_id_reference_sets"
        ),
    )
    op.create_index("ix_scorings_set_id", "scorings", ["set_id"])
    op.create_table(
        "limits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("centre", sa.Double(), nullable=False),
        sa.Column("unsure_from", sa.Double(), nullable=False),
        sa.Column("fail_from", sa.Double(), nullable=False),
        sa.Column("pixel", sa.Double(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("gallery", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_limits"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["reference_sets.id"], name="fk_limits_set_id_reference_sets"
        ),
    )
    op.create_index("ix_limits_set_id", "limits", ["set_id"])
    op.create_table(
        "leave_one_out",
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("set_id", "fingerprint", "sha256", name="pk_leave_one_out"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["reference_sets.id"], name="fk_leave_one_out_set_id_reference_sets"
        ),
    )


def _create_inspections() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("captured_at", sa.Double(), nullable=False),
        sa.Column("judged_at", sa.Double(), nullable=False),
        sa.Column("scoring_id", sa.Integer(), nullable=True),
        sa.Column("limits_id", sa.Integer(), nullable=True),
        sa.Column("gallery", sa.String(64), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("stage1", sa.Double(), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("multiple", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("nearest", sa.JSON(), nullable=False),
        sa.Column("timings", sa.JSON(), nullable=False),
        sa.Column("patches", sa.LargeBinary(), nullable=True),
        sa.Column("content_sha", sa.String(64), nullable=True),
        sa.Column("picture_sha", sa.String(64), nullable=True),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=True),
        sa.Column("truth", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inspections"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["reference_sets.id"], name="fk_inspections_set_id_reference_sets"
        ),
        sa.ForeignKeyConstraint(
            ["scoring_id"], ["scorings.id"], name="fk_inspections_scoring_id_scorings"
        ),
        sa.ForeignKeyConstraint(
            ["limits_id"], ["limits.id"], name="fk_inspections_limits_id_limits"
        ),
        sa.ForeignKeyConstraint(
            ["picture_sha"], ["images.sha256"], name="fk_inspections_picture_sha_images"
        ),
    )
    op.create_index("ix_inspections_set_id_id", "inspections", ["set_id", "id"])
    op.create_index("ix_inspections_outcome", "inspections", ["outcome"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_verdicts_inspection_id_inspections"
        ),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["verdicts.id"], name="fk_verdicts_supersedes_id_verdicts"
        ),
    )
    op.create_index("ix_verdicts_inspection_id", "verdicts", ["inspection_id"])
