"""The report at the prompt: what the store knows of a time, as tables to read, or as CSV and JSON to go on with."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cds_service.errors import StoreError, UsageError
from cds_service.reports import Asked, Report
from cds_service.settings import Settings
from cds_service.store.report import report
from cds_service.store.stand import judging_of, store_of
from cds_service.store.store import Store
from cds_service.store.upgrade import Version

DAYS = 28  # told of when no other time is asked for
_LEVELS = ("critical", "warning", "info")
_MOST_ROWS = 25  # of one table at the prompt; CSV and JSON have all


def asked(since: str | None, until: str | None, tenant: str | None, rule: str | None, now: datetime) -> Asked:
    """What is asked for. Days are whole and of UTC, `until` is the last one. Raises UsageError."""
    end = _day(until) + timedelta(days=1) if until else now
    start = _day(since) if since else end - timedelta(days=DAYS)
    if start >= end:
        raise UsageError(f"--since {since} is not before the end: nothing lies between")
    return Asked(start, end, tenant, rule)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"'{text}' is no day: write it as in 2026-11-20") from None


def reported(settings: Settings, what: Asked) -> Report:
    """The report of these settings' store. Raises StoreError, SettingsError, UsageError."""
    store = opened(settings)
    try:
        return report(store, what, judging_of(settings))
    finally:
        store.close()


def opened(settings: Settings) -> Store:
    """The store, if it can be asked; it is neither made nor changed. Raises StoreError, UsageError."""
    if settings.keep == "nothing":
        raise UsageError("KEEP is 'nothing': no call is kept, so there is nothing to tell")
    store = store_of(settings)
    try:
        standing = store.version(patiently=True)
    except StoreError as error:
        raise StoreError(f"{store.place.words}: {error}") from None
    if standing in (Version.NONE, Version.OLDER):
        raise StoreError(f"{store.place.words}: {standing.value}: aml-cds store upgrade")
    return store


def as_csv(told: Report) -> str:
    """The long table of the report."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(told.as_rows())
    return written.getvalue()


def as_text(told: Report, columns: int) -> str:
    """The report as it is read at the prompt."""
    what = told.asked
    last = what.until - timedelta(microseconds=1)
    whose = "every tenant" if what.tenant is None else f"tenant {what.tenant}"
    head = [
        f"{what.since:%Y-%m-%d} to {last:%Y-%m-%d} (UTC), {whose}, {what.rule or 'every rule'}",
        f"{told.answered} calls answered, {told.refused} refused; knowledge {', '.join(told.knowledge) or 'none'}"
        + (f"; {told.not_repeated} cards not repeated" if told.not_repeated else ""),
    ]
    if what.tenant is not None and not told.answered + told.refused:
        others = ", ".join(sorted(filter(None, told.tenants)))
        there_are = f"; there are calls of {others}" if others else ""
        head.append(f"Of a tenant of that name no call of this time is kept{there_are}")
    parts = (
        _part("Changed in the last whole week", ("what",), [(each.words,) for each in told.changes], columns),
        _part("Fired, in how many calls", ("rule", *_LEVELS), _fired(told), columns),
        _part(
            "Cards, and how they were taken",
            ("rule", "indicator", "shown", "accepted", "overridden", "no answer"), _taken(told), columns,
        ),
        _part("By role", ("role", "shown", "accepted", "overridden"), _sums(told, "role"), columns),
        _part("By week", ("week", "shown", "accepted", "overridden"), _sums(told, "week"), columns),
        _part(
            "Reasons to override", ("rule", "reason", "times"),
            [(each.topic, each.code if each.ours else f"{each.code} (the client's)", each.times)
             for each in told.reasons],
            columns,
        ),
        _part(
            "Not evaluated, for want of", ("rule", "fact", "how", "times"),
            [(each.rule, each.fact, each.state, each.times) for each in told.blind], columns,
        ),
        _part(
            "In shadow: would have fired, shown to nobody", ("rule", "level", "calls", "because"),
            [(each.rule, each.level, each.calls, each.because) for each in told.shadow], columns,
        ),
        _part(
            "Codes that no table holds", ("week", "kind", "system", "times"),
            [(each.week, each.kind, each.system, each.times) for each in told.unknown_codes], columns,
        ),
    )
    strange = [
        f"{times} feedback of {tenant or 'no tenant'} about cards that it never got, or that are no longer kept: "
        "not counted"
        for tenant, times in told.strange_feedback.items()
    ]
    return "\n\n".join(("\n".join(head), *filter(None, parts), *strange))


Row = Sequence[object]


def _fired(told: Report) -> list[Row]:
    calls: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in told.fired:
        calls[each.rule][each.level] += each.calls
    ranked = sorted(calls.items(), key=lambda item: (-item[1].total(), item[0]))
    return [(rule, *(levels[level] or "" for level in _LEVELS)) for rule, levels in ranked]


def _taken(told: Report) -> list[Row]:
    summed: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in told.taken:
        for place, number in enumerate((each.shown, each.accepted, each.overridden)):
            summed[each.topic, each.indicator][place] += number
    ranked = sorted(summed.items(), key=lambda item: (-item[1][0], item[0]))
    return [
        (*key, shown, _share(accepted, shown), _share(overridden, shown), shown - accepted - overridden)
        for key, (shown, accepted, overridden) in ranked
    ]


def _sums(told: Report, by: str) -> list[Row]:
    summed: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in told.taken:
        for place, number in enumerate((each.shown, each.accepted, each.overridden)):
            summed[getattr(each, by)][place] += number
    return [
        (name, shown, _share(accepted, shown), _share(overridden, shown))
        for name, (shown, accepted, overridden) in sorted(summed.items())
    ]


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f}%)" if whole else str(part)


def _part(title: str, names: Sequence[str], rows: Iterable[Row], columns: int) -> str:
    """A table with its title; "" when it has no row. What is too wide for the terminal is cut, in the last column."""
    found = [[str(cell) for cell in row] for row in rows]
    if not found:
        return ""
    shown = found[:_MOST_ROWS]
    widths = [max(len(name), *(len(row[place]) for row in shown)) for place, name in enumerate(names)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in (list(names), *shown)]
    more = [f"... and {len(found) - len(shown)} more: --csv or --json"] if len(found) > len(shown) else []
    return "\n".join((title, *(f"  {_cut(line, columns - 2)}" for line in (*lines, *more))))


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else f"{line[: columns - 1]}…"
