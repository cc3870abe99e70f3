"""The first tables: calls, cards, outcomes, feedback, knowledge, tokens."""

import sqlalchemy as sa
from alembic import op

revision = "v01"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _of_call() -> sa.Column[str]:
    return sa.Column("call", sa.String(32), sa.ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.Integer, primary_key=True, autoincrement=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def upgrade() -> None:
    """Make them."""
    _calls()
    _feedback()
    _beside()


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", _TIME, nullable=False, index=True),
        _text("week", 8),
        sa.Column("seconds", sa.Float, nullable=False),
        _text("service", 64), _text("hook", 32), _text("tenant", 200),
        sa.Column("status", sa.Integer, nullable=False),
        _text("cause", 64),
        *(sa.Column(f"{what}_mark", sa.String(32)) for what in ("patient", "user", "instance", "body")),
        _text("role", 32), _text("profile", 64), _text("software", 32), _text("knowledge", 32),
        sa.Column("not_applicable", sa.Integer, nullable=False),
    )
    op.create_table(
        "card",
        _of_call(), _position(),
        sa.Column("uuid", sa.String(36), nullable=False, index=True),
        _text("tenant", 200), _text("topic", 64), _text("indicator", 16),
        sa.Column("suggestions", sa.Integer, nullable=False),
    )
    op.create_index("ix_card_tenant_uuid", "card", ["tenant", "uuid"])
    op.create_table(
        "outcome",
        _of_call(), _position(),
        _text("rule", 64), _text("subject", 16), _text("outcome", 16),
        sa.Column("shadow", sa.Boolean, nullable=False),
        _text("level", 16), _text("cause", 200),
        sa.Column("times", sa.Integer, nullable=False),
    )
    op.create_table("whole", _of_call(), sa.Column("sealed", sa.LargeBinary, nullable=False))


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("mark", sa.String(32), primary_key=True),
        sa.Column("at", _TIME, nullable=False, index=True),
        _text("week", 8), _text("service", 64), _text("tenant", 200),
        sa.Column("card", sa.String(36), nullable=False, index=True),
        _text("outcome", 16),
        sa.Column("outcome_at", _TIME),
        sa.Column("accepted", sa.Integer, nullable=False),
        sa.Column("comment", sa.Boolean, nullable=False),
        sa.Column("words", sa.LargeBinary),
    )
    op.create_table(
        "reason",
        sa.Column("feedback", sa.String(32), sa.ForeignKey("feedback.mark", ondelete="CASCADE"), primary_key=True),
        _position(),
        _text("code", 64),
        sa.Column("ours", sa.Boolean, nullable=False),
    )


def _beside() -> None:
    op.create_table(
        "knowledge",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("software", sa.String(32), primary_key=True),
        sa.Column("first_seen", _TIME, nullable=False),
    )
    op.create_table(
        "token",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("until", sa.Float, nullable=False, index=True),
    )
    op.create_table(
        "chore",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )
