"""The scale of a set's pictures, in which regions are measured."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody has stated a scale yet."""
    with op.batch_alter_table("reference_sets") as table:
        table.add_column(sa.Column("mm_per_pixel", sa.Double(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    with op.batch_alter_table("reference_sets") as table:
        table.drop_column("mm_per_pixel")
