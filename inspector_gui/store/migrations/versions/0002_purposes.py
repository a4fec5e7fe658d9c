"""What a picture of a set is for, where it came from, and what finds duplicates and lots."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; every picture that is there is a reference."""
    purpose = sa.Column("purpose", sa.String(16), nullable=False, server_default="reference good")
    origin = sa.Column("origin", sa.Text(), nullable=False, server_default="")
    with op.batch_alter_table("reference_images") as table:
        table.add_column(purpose)
        table.add_column(origin)
    with op.batch_alter_table("images") as table:
        table.add_column(sa.Column("pixels", sa.String(16), nullable=True))
    with op.batch_alter_table("inspections") as table:
        table.add_column(sa.Column("pooled", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove the columns."""
    with op.batch_alter_table("inspections") as table:
        table.drop_column("pooled")
    with op.batch_alter_table("images") as table:
        table.drop_column("pixels")
    with op.batch_alter_table("reference_images") as table:
        table.drop_column("origin")
        table.drop_column("purpose")
