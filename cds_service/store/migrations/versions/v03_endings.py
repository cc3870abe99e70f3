"""How the checks of a call ended is kept once for all calls that ended alike."""

import sqlalchemy as sa
from alembic import op

revision = "v03"
down_revision = "v02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it. What an older version keeps beside this one, and what is kept already, stays in `outcome`."""
    op.add_column("call", sa.Column("endings", sa.String(32)))
    op.create_table(
        "endings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("used", sa.Float, nullable=False),
    )
