"""Reports: what a committee wants to know of the calls that were kept, as plain rows; and which rules changed.

Nothing here knows a database: `store` asks, the command line and the pages show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from cards.topic import topic_code


@dataclass(frozen=True, slots=True)
class Asked:
    """From a moment (included) to another (excluded); of one tenant and one rule, or, with None, of all."""

    since: datetime
    until: datetime
    tenant: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """How the cards of one rule were taken: by whom, in which week. What is neither was left without an answer."""

    topic: str  # code of the rule, or "gap"
    role: str
    week: str
    indicator: str
    shown: int
    accepted: int
    overridden: int


@dataclass(frozen=True, slots=True)
class Why:
    """How often a reason was given to override the cards of one rule. A code that is not ours is the client's own."""

    topic: str
    code: str
    ours: bool
    times: int
    weeks: Mapping[str, int]  # of `times` those of each week in which it was given


@dataclass(frozen=True, slots=True)
class Ended:
    """How often the checks of one rule ended so."""

    rule: str
    outcome: str
    level: str
    shadow: bool
    calls: int
    times: int


@dataclass(frozen=True, slots=True)
class Blind:
    """How often a check could not be made because a fact was in this state ("potassium", "stale")."""

    rule: str
    fact: str
    state: str
    times: int
    weeks: Mapping[str, int]  # of `times` those of each week in which it was so


@dataclass(frozen=True, slots=True)
class Would:
    """What fired in shadow and was shown to nobody: at which level, and because of what."""

    rule: str
    level: str
    because: str  # names of facts, and ids of the statements by which they decided; no value
    calls: int
    times: int


@dataclass(frozen=True, slots=True)
class Weekly:
    """In how many calls of a week a rule fired, in shadow or not."""

    rule: str
    week: str
    calls: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """How often codes of a system stood in charts that no table holds. Of all tenants together."""

    week: str
    kind: str  # drug, condition
    system: str
    times: int


@dataclass(frozen=True, slots=True)
class Judging:
    """When a rule counts as changed: by the settings REPORT_WEEKS, REPORT_SILENT_FROM and REPORT_GREW_TIMES."""

    weeks: int = 4
    silent_from: int = 5
    grew_times: float = 3.0


SILENT, GREW = "fell silent", "exploded"


@dataclass(frozen=True, slots=True)
class Change:
    """A rule whose last whole week was unlike the weeks before. `expected`: calls in which it would have fired."""

    rule: str
    what: str
    week: str
    calls: int
    expected: float

    @property
    def words(self) -> str:
        """In words."""
        return f"{self.rule} {self.what}: fired in {self.calls} calls in {self.week}, {self.expected:.1f} were expected"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told of a time. Rules stand by their ids; what could not be seen is the rule "gap"."""

    asked: Asked
    answered: int  # calls
    refused: int
    not_repeated: int  # cards that the same user had just seen
    knowledge: tuple[str, ...]  # every version that answered
    ended: tuple[Ended, ...]
    taken: tuple[Taken, ...]
    reasons: tuple[Why, ...]
    blind: tuple[Blind, ...]
    shadow: tuple[Would, ...]
    weekly: tuple[Weekly, ...]
    changes: tuple[Change, ...]
    strange_feedback: Mapping[str, int]  # by tenant: about cards that it never got, or that are no longer kept
    unknown_codes: tuple[Unknown, ...]
    tenants: tuple[str, ...] = ()  # of whom calls of that time are kept, whichever was asked for

    @property
    def fired(self) -> tuple[Ended, ...]:
        """What fired and counted for cards."""
        return tuple(each for each in self.ended if each.outcome == "fired" and not each.shadow)

    def of_rule(self, rule: str) -> Report:
        """The part of it about one rule, without what is of none."""
        topic = topic_code(rule)
        return replace(
            self,
            ended=_about(self.ended, rule),
            taken=tuple(each for each in self.taken if each.topic in (rule, topic)),
            reasons=tuple(each for each in self.reasons if each.topic in (rule, topic)),
            blind=_about(self.blind, rule),
            shadow=_about(self.shadow, rule),
            weekly=_about(self.weekly, rule),
            changes=_about(self.changes, rule),
            strange_feedback={},
            unknown_codes=(),
        )

    def as_json(self) -> dict[str, Any]:
        """As data."""
        return asdict(self) | {"changes": [asdict(each) | {"words": each.words} for each in self.changes]}

    def as_rows(self) -> Iterator[tuple[str, ...]]:
        """As one long table, a number in each row; the first row names the columns."""
        yield ("part", "week", "rule", "indicator", "role", "what", "count")
        for fired in self.fired:
            yield ("fired", "", fired.rule, fired.level, "", "calls", str(fired.calls))
        for card in self.taken:
            for what in ("shown", "accepted", "overridden"):
                number = str(getattr(card, what))
                yield ("cards", card.week, card.topic, card.indicator, card.role, what, number)
        yield from self._rows_of_causes()
        for would in self.shadow:
            yield ("shadow", "", would.rule, would.level, "", would.because, str(would.calls))
        for each in self.weekly:
            yield ("calls in which it fired", each.week, each.rule, "", "", "calls", str(each.calls))
        for change in self.changes:
            yield ("changed", change.week, change.rule, "", "", change.what, str(change.calls))
        for code in self.unknown_codes:
            yield ("code not known", code.week, "", "", "", f"{code.kind}, {code.system}", str(code.times))

    def _rows_of_causes(self) -> Iterator[tuple[str, ...]]:
        for why in self.reasons:
            for week, times in why.weeks.items():
                yield ("override reason", week, why.topic, "", "", why.code, str(times))
        for gap in self.blind:
            for week, times in gap.weeks.items():
                yield ("not evaluated", week, gap.rule, "", "", f"{gap.fact}:{gap.state}".rstrip(":"), str(times))


class _OfRule(Protocol):
    @property
    def rule(self) -> str: ...


T = TypeVar("T", bound=_OfRule)


def _about(rows: Sequence[T], rule: str) -> tuple[T, ...]:
    return tuple(each for each in rows if each.rule == rule)


def week_of(moment: datetime) -> str:
    """The ISO week, of UTC: "2026-W47"."""
    year, week, _ = moment.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def last_weeks(until: datetime, before: int) -> tuple[datetime, datetime]:
    """The span of the last whole ISO week that ends by `until`, and of so many weeks before it."""
    at = until.astimezone(UTC)
    end = datetime(at.year, at.month, at.day, tzinfo=UTC) - timedelta(days=at.weekday())
    return end - timedelta(weeks=before + 1), end


def changes(
    weekly: Iterable[Weekly], calls: Mapping[str, int], last: str, judging: Judging
) -> tuple[Change, ...]:
    """The rules that fell silent or exploded in the week `last`, held against the weeks before it.

    `calls`: how many calls each week had. Expected is the share of calls in which the rule fired in the weeks before,
    times the calls of `last`. Silent: none, though at least `silent_from` were expected. Exploded: at least
    `silent_from`, and at least `grew_times` what was expected. With no call in `last`, or none before, nothing is said.
    """
    before = sum(times for week, times in calls.items() if week < last)
    now = calls.get(last, 0)
    if not before or not now:
        return ()
    fired: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in weekly:
        fired[each.rule][each.week] = each.calls
    found = []
    for rule, weeks in sorted(fired.items()):
        expected = now * sum(times for week, times in weeks.items() if week < last) / before
        seen = weeks.get(last, 0)
        if seen == 0 and expected >= judging.silent_from:
            found.append(Change(rule, SILENT, last, seen, expected))
        elif seen >= judging.silent_from and seen >= judging.grew_times * expected:
            found.append(Change(rule, GREW, last, seen, expected))
    return tuple(found)
