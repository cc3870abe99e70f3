"""For reports, replay and repeats: why a check fired, a seal on each call, what was shown twice, unknown codes."""

import sqlalchemy as sa
from alembic import op

revision = "v02"
down_revision = "v01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. An older version goes on writing beside this one, so every column may be left out."""
    op.add_column("call", sa.Column("rows_mark", sa.String(32)))
    op.add_column("call", sa.Column("not_repeated", sa.Integer))
    op.add_column("card", sa.Column("finding_mark", sa.String(32)))
    op.create_index("ix_card_finding_mark", "card", ["finding_mark"])
    op.add_column("outcome", sa.Column("because", sa.String(300)))
    op.create_table(
        "unknown_code",
        *(
            sa.Column(name, sa.String(length), primary_key=True)
            for name, length in (("week", 8), ("kind", 16), ("system", 32))
        ),
        sa.Column("times", sa.Integer, nullable=False),
    )
