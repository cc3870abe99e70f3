"""The tables. Columns may be added, never taken away or given another meaning: during an update two versions read them.

No table holds a value from a chart or a name. `*_mark` columns are keyed hashes (`keys.Keys.mark`): the same id gives
the same mark, and nobody without the key finds the id. What is in `whole.sealed` and `feedback.words` is encrypted.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

LONGEST = 200  # characters of a text that comes from outside; longer ones are cut
LONGEST_BECAUSE = 300


class Moment(TypeDecorator[datetime]):
    """A time in UTC. SQLite has no zone: there it stands without one, and gets it back when it is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC; for SQLite without saying so."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()


def _of_call() -> Column[str]:
    return Column("call", String(32), ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)


CALL = Table(
    "call", METADATA,
    Column("id", String(32), primary_key=True),
    Column("at", Moment, nullable=False, index=True),  # when it came
    Column("week", String(8), nullable=False),  # of `at`, ISO 8601, UTC: "2026-W47"
    Column("seconds", Float, nullable=False),  # until the answer was ready
    Column("service", String(64), nullable=False),
    Column("hook", String(32), nullable=False),
    Column("tenant", String(LONGEST), nullable=False),  # "" in demo mode
    Column("status", Integer, nullable=False),  # of HTTP
    Column("cause", String(64), nullable=False),  # why it was refused or broke; "" when it was answered
    Column("patient_mark", String(32)),
    Column("user_mark", String(32)),
    Column("instance_mark", String(32)),
    Column("body_mark", String(32)),  # of the request without its token: shows whether a request is this one
    Column("role", String(32), nullable=False),  # the type of the user: Practitioner, PractitionerRole, Patient …
    Column("profile", String(64), nullable=False),  # in which the cards were written
    Column("software", String(32), nullable=False),
    Column("knowledge", String(32), nullable=False),  # digest of the knowledge and the overlay
    Column("not_applicable", Integer, nullable=False),  # checks about nothing here: the rules without an ending
    Column("rows_mark", String(32)),  # of the row of the call, its cards and endings: shows whether one was changed
    Column("not_repeated", Integer),  # cards that were not shown, as the same user had just seen them
    Column("endings", String(32)),  # how its checks ended: `endings.id`; none where an older version kept `outcome`
)

CARD = Table(
    "card", METADATA,
    _of_call(),
    Column("position", Integer, primary_key=True, autoincrement=False),  # on the screen, from 0
    Column("uuid", String(36), nullable=False, index=True),
    Column("tenant", String(LONGEST), nullable=False),
    Column("topic", String(64), nullable=False),  # the code of the rule that made it, or "gap"
    Column("indicator", String(16), nullable=False),
    Column("suggestions", Integer, nullable=False),
    Column("finding_mark", String(32), index=True),  # of what it said of whom to whom: REPEATS=on, order-select only
)

OUTCOME = Table(
    "outcome", METADATA,  # of calls that an older version kept; the others name their `endings`
    _of_call(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rule", String(64), nullable=False),
    Column("subject", String(16), nullable=False),  # patient, drug or pair
    Column("outcome", String(16), nullable=False),  # fired, clear, not evaluated, switched off
    Column("shadow", Boolean, nullable=False),  # evaluated, and not shown
    Column("level", String(16), nullable=False),  # of what fired; of what was not evaluated: how much that matters
    Column("cause", String(LONGEST), nullable=False),  # of what was not evaluated: "potassium:stale, qtc:absent"
    Column("times", Integer, nullable=False),  # how many subjects of the call ended just so
    Column("because", String(LONGEST_BECAUSE)),  # of what fired: names of facts, ids of statements
)

ENDINGS = Table(
    "endings", METADATA,  # what calls have in common, and of no patient: see `endings`
    Column("id", String(32), primary_key=True),  # its digest
    Column("told", Text, nullable=False),  # a list in JSON of rule, subject, outcome and so on, as in `outcome`
    Column("used", Float, nullable=False),  # when a call last ended so, to ten minutes; seconds since 1970
)

WHOLE = Table(
    "whole", METADATA,  # KEEP=full only
    _of_call(),
    Column("sealed", LargeBinary, nullable=False),  # request, response and what the FHIR server gave: `whole.Whole`
)

FEEDBACK = Table(
    "feedback", METADATA,
    Column("mark", String(32), primary_key=True),  # of tenant, card, outcome and time: sent again, it is the same
    Column("at", Moment, nullable=False, index=True),  # when it came first
    Column("week", String(8), nullable=False),
    Column("service", String(64), nullable=False),
    Column("tenant", String(LONGEST), nullable=False),
    Column("card", String(36), nullable=False, index=True),  # its uuid; "#" and a mark when it is none
    Column("outcome", String(16), nullable=False),  # accepted, overridden
    Column("outcome_at", Moment),  # as the client says
    Column("accepted", Integer, nullable=False),  # how many suggestions
    Column("comment", Boolean, nullable=False),  # whether something was typed
    Column("words", LargeBinary),  # what was typed, encrypted: KEEP=full only
)

REASON = Table(
    "reason", METADATA,
    Column("feedback", String(32), ForeignKey("feedback.mark", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("code", String(64), nullable=False),  # one of ours, or of the client's own
    Column("ours", Boolean, nullable=False),
)

KNOWLEDGE = Table(
    "knowledge", METADATA,
    Column("digest", String(32), primary_key=True),
    Column("software", String(32), primary_key=True),
    Column("first_seen", Moment, nullable=False),
)

TOKEN = Table(
    "token", METADATA,
    Column("mark", String(64), primary_key=True),  # SHA-256 of issuer and jti: no token
    Column("until", Float, nullable=False, index=True),  # seconds since 1970
)

CHORE = Table(
    "chore", METADATA,  # what one worker does for all
    Column("name", String(32), primary_key=True),
    Column("at", Float, nullable=False),  # when it was done last, seconds since 1970
)

UNKNOWN_CODE = Table(
    "unknown_code", METADATA,  # how often codes stood in charts that the tables do not hold; of all tenants together
    Column("week", String(8), primary_key=True),
    Column("kind", String(16), primary_key=True),  # drug, condition
    Column("system", String(32), primary_key=True),
    Column("times", Integer, nullable=False),
)

Index("ix_card_tenant_uuid", CARD.c.tenant, CARD.c.uuid)
