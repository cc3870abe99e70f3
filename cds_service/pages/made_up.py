"""Made-up figures for the governance page of demo mode: no patient, no user and no hospital stands behind them."""

from __future__ import annotations

from datetime import timedelta

from cds_service.reports import (
    Asked,
    Blind,
    Ended,
    Judging,
    Report,
    Taken,
    Unknown,
    Weekly,
    Why,
    Would,
    changes,
    last_weeks,
    week_of,
)

# Of each rule: indicator, cards a week, of ten cards how many are accepted and overridden, and its reasons to override.
_RULES = (
    ("strong-cyp3a-inhibitor", "warning", 14, 3, 6, ("patient-monitored", "no-alternative")),
    ("qtc-near-hold", "warning", 9, 5, 3, ("ecg-repeated",)),
    ("electrolytes", "warning", 8, 7, 1, ("already-corrected",)),
    ("qtc-hold", "critical", 3, 7, 2, ("value-outdated",)),
    ("renal-dose", "warning", 3, 6, 2, ("already-adjusted",)),
    ("additive-qt", "warning", 6, 2, 7, ("patient-monitored",)),
    ("gap", "info", 22, 4, 1, ("will-do-later",)),
)
_CALLS = 120  # a week
_SILENT, _GREW = "renal-dose", "additive-qt"  # what befell them in the last whole week


def made_up(asked: Asked, judging: Judging) -> Report:
    """A report of this time, the same for the same time."""
    weeks = _weeks(asked)
    last = week_of(last_weeks(asked.until, 0)[1] - timedelta(days=1))
    weekly, taken, ended, reasons = [], [], [], []
    for rule, indicator, each_week, accepted, overridden, why in _RULES:
        shown_in_all, overridden_in = 0, dict[str, int]()
        for place, week in enumerate(weeks):
            shown = _shown(rule, each_week, place, week, last)
            for role, share in (("Practitioner", 7), ("PractitionerRole", 3)):
                cards = round(shown * share / 10)
                if cards:
                    yes, no = cards * accepted // 10, cards * overridden // 10
                    taken.append(Taken(rule, role, week, indicator, cards, yes, no))
                    shown_in_all += cards
                    overridden_in[week] = overridden_in.get(week, 0) + no
            if shown and rule != "gap":
                weekly.append(Weekly(rule, week, shown))
        if rule != "gap":
            ended.append(Ended(rule, "fired", indicator, False, shown_in_all, shown_in_all))
        for place, code in enumerate(why):
            given = {week: times // (place + 1) // len(why) for week, times in overridden_in.items()}
            reasons += [Why(rule, code, True, *_in_all(given))] if any(given.values()) else []
    told = Report(
        asked=asked, answered=_CALLS * len(weeks), refused=len(weeks) // 2, not_repeated=0, knowledge=("made-up",),
        ended=tuple(ended), taken=tuple(taken), reasons=tuple(reasons),
        blind=tuple(Blind(rule, fact, state, *_in_all(_about(weeks, times))) for rule, fact, state, times in (
            ("qtc-hold", "qtc", "absent", 9), ("electrolytes", "magnesium", "stale", 7),
            ("hepatic-dose", "child_pugh", "absent", 4), ("lvef-before", "lvef", "stale", 2),
        )),
        shadow=(
            Would("ecg-schedule", "info", "ecg_times by gilteritinib-ecg-cycle-one", 3 * len(weeks), 3 * len(weeks)),
            Would("acid-reducer", "warning", "orders by ziftomenib-acid", len(weeks), len(weeks)),
        ),
        weekly=tuple(weekly),
        changes=changes(weekly, dict.fromkeys(weeks, _CALLS), last, judging),
        strange_feedback={},
        unknown_codes=tuple(Unknown(week, "drug", "other", 3) for week in weeks[-2:]),
    )  # fmt: skip
    return told if asked.rule is None else told.of_rule(asked.rule)


def _about(weeks: list[str], times: int) -> dict[str, int]:
    """About so many times in each week."""
    return {week: times + (place * 5) % 3 - 1 for place, week in enumerate(weeks)}


def _in_all(weeks: dict[str, int]) -> tuple[int, dict[str, int]]:
    """How many in all, and in each week that had some."""
    some = {week: times for week, times in weeks.items() if times}
    return sum(some.values()), some


def _weeks(asked: Asked) -> list[str]:
    days = (asked.until - asked.since).days
    return list(dict.fromkeys(week_of(asked.since + timedelta(days=day)) for day in range(max(1, days))))


def _shown(rule: str, each_week: int, place: int, week: str, last: str) -> int:
    if week == last and rule == _SILENT:
        return 0
    if week == last and rule == _GREW:
        return 4 * each_week
    return each_week + (place * 7 + len(rule)) % 3 - 1 + (2 if rule == _SILENT else 0)
