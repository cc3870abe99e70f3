"""Signs on record since a drug was started: entries of the problem list, and what was measured. Shared by topics.

Which entries count for what stands in knowledge/signs.yaml. A measured sign counts by the limits of the policy: fever,
low oxygen, weight and creatinine that rise within days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from cds_service.facts.drugs.medications import Role
from cds_service.facts.entries import HISTORY, PROBLEMS, Entry
from cds_service.facts.fact import Fact, Key, State, at_or_above, below
from cds_service.facts.times import When, elapsed
from cds_service.facts.values.labs import (
    BODY_WEIGHT,
    CREATININE,
    CREATININE_SERIES,
    OXYGEN_SATURATION,
    OXYGEN_SATURATION_SERIES,
    TEMPERATURE,
    TEMPERATURE_SERIES,
    WEIGHT_SERIES,
    Series,
)
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case, Clear, Outcome
from cds_service.rules.subjects import Use
from cds_service.rules.treatment import began_on, days
from cds_service.truth import Truth

OPEN_END = "it is over, and since when is not known"


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign since the start: what it is, in which words, when, and what one doubts of it."""

    key: str
    words: str
    day: str
    when: When | None
    doubts: tuple[str, ...] = ()
    fact: Fact[Quantity] | None = None


def keys_of(case: Case, name: str) -> frozenset[str]:
    """The entries that count for a syndrome, by their keys."""
    return _together(case.must(topics.SIGNS, "signs", name).value)


@lru_cache(maxsize=512)  # of the knowledge, not of a patient
def _together(keys: tuple[str, ...]) -> frozenset[str]:
    return frozenset(keys)


def entries_of(entries: Fact[tuple[Entry, ...]], keys: frozenset[str]) -> tuple[Entry, ...]:
    """The entries read that bear one of these keys. None found is no "none": ask the fact whether it is sure."""
    return tuple([entry for entry in entries.value or () if not keys.isdisjoint(entry.keys)])


def signs_since_start(
    case: Case, use: Use, keys: frozenset[str], *, past: bool = False, lasting: frozenset[str] = frozenset()
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The entries recorded since the drug was started, and a doubt when of none the time is certain.

    `lasting`: where it is named, what is over for long counts only with one of these keys.
    """
    found: list[tuple[Entry, tuple[str, ...]]] = []
    for entry in entries_of(case.fact(HISTORY if past else PROBLEMS), keys):
        began, doubts = began_on(case, use, entry.when)
        if lasting and began is not Truth.NO and lasting.isdisjoint(entry.keys):
            gone = _long_gone(case, entry)
            began, doubts = began & ~gone, (*doubts, *((OPEN_END,) if gone is Truth.UNKNOWN else ()))
        found += [(entry, doubts)] if began is not Truth.NO else []
    late = dict.fromkeys(doubt for _, doubts in found for doubt in doubts) if all(doubts for _, doubts in found) else ()
    thought = () if any(entry.certain for entry, _ in found) or not found else found[0][0].doubts
    return tuple(entry for entry, _ in found), (*late, *thought)


def _long_gone(case: Case, entry: Entry) -> Truth:
    """Whether a sign has been over for longer than one counts; one that is over on a day not stated may have been."""
    counts = int(case.must(topics.PAST_SIGN_COUNTS, "policy").value.value)
    if entry.ended is not None:
        return Truth.of(entry.over and entry.ended.days_ago(case.now) > counts)
    lately = entry.when is not None and entry.when.days_ago(case.now) <= counts
    return Truth.NO if lately or not entry.over else Truth.UNKNOWN


def recorded(case: Case, use: Use, keys: frozenset[str]) -> tuple[Sign, ...]:
    """The signs of the problem list since the start, each with its own doubt."""
    entries, _ = signs_since_start(case, use, keys)
    return tuple(
        Sign(
            next(key for key in entry.keys if key in keys),
            entry.words,
            str(entry.when or "no date"),
            entry.when,
            (*entry.doubts, *began_on(case, use, entry.when)[1]),
        )
        for entry in entries
    )


@once
def fever(case: Case, use: Use) -> tuple[Sign, ...]:
    """A temperature from the limit on."""
    limit = case.must(topics.FEVER_FROM, "policy").value
    fact = _lately(case, TEMPERATURE, TEMPERATURE_SERIES, lambda each: at_or_above(each, limit))
    return _measured(case, use, "fever", fact, at_or_above(fact, limit), f"temperature {fact.bound}{fact.value}")


@once
def low_oxygen(case: Case, use: Use) -> tuple[Sign, ...]:
    """An oxygen saturation below the limit."""
    limit = case.must(topics.SATURATION_BELOW, "policy").value
    fact = _lately(case, OXYGEN_SATURATION, OXYGEN_SATURATION_SERIES, lambda each: below(each, limit))
    return _measured(case, use, "hypoxia", fact, below(fact, limit), f"oxygen saturation {fact.bound}{fact.value}")


def _lately(
    case: Case, vital: Key[Quantity], series: Key[Series], test: Callable[[Fact[Quantity]], Truth]
) -> Fact[Quantity]:
    """The newest value; where it is no sign, one of the hours before it that is, with the newest as its doubt."""
    newest = case.fact(vital, sign_window(case))
    if newest.value is None or newest.when is None or newest.state is State.STALE or test(newest) is Truth.YES:
        return newest
    hours = case.must(topics.VITAL_SIGNS_WITHIN, "policy").value
    span = timedelta(hours=float(hours.value))
    for each in case.fact(series).value or ():
        if each.when is None or elapsed(each.when.latest, newest.when.latest) > span:
            break
        if test(each) is Truth.YES:
            return each.doubted(f"the newest is {newest.told}, of {newest.when}")
    return newest


@once
def weight_gain(case: Case, use: Use) -> tuple[Sign, ...]:
    """Weight that rose within the window."""
    by = case.must(topics.WEIGHT_RISE_FROM, "policy")
    newest = case.fact(BODY_WEIGHT, sign_window(case))
    return _risen(case, use, "weight_gain", newest, case.fact(WEIGHT_SERIES), by)


@once
def creatinine_rise(case: Case, use: Use) -> tuple[Sign, ...]:
    """Creatinine that rose within the window."""
    by = case.must(topics.CREATININE_RISE_FROM, "policy")
    newest = case.fact(CREATININE, sign_window(case))
    return _risen(case, use, "aki", newest, case.fact(CREATININE_SERIES), by, _as_it_came)


def unread(*facts: Fact[Quantity]) -> tuple[Fact[Quantity], ...]:
    """Those that were not to be had or not to be read. What was never measured, or long ago, is none of them."""
    return tuple(
        fact for fact in facts if fact.state in (State.FAILED, State.NOT_ASKED, State.UNREADABLE, State.CONFLICTING)
    )


def illegible(case: Case, within: Quantity, *facts: Fact[Quantity]) -> tuple[Fact[Quantity], ...]:
    """Those that were measured lately, or on a day not known, and of which nobody can tell what they say."""
    return tuple(
        fact
        for fact in facts
        if fact.state is State.UNREADABLE
        and (fact.when is None or not fact.when.older_than(int(within.value), case.now))
    )


def no_signs(case: Case, words: str = "no such sign recorded since the start") -> Outcome:
    """The outcome where none was found: clear only when the whole problem list was read."""
    problems = case.fact(PROBLEMS)
    if problems.sure:
        return Clear(words)
    return case.blind(problems)


def exposed(use: Use) -> bool:
    """Whether the drug is taken, or is to be taken again after an earlier course."""
    return bool(use.taken) or (bool(use.drafts) and bool(use.of(Role.ON_HOLD, Role.PAST)))


def lowest_before(newest: Fact[Quantity], series: Fact[Series], within: Quantity) -> Fact[Quantity] | None:
    """The lowest value of the days before the newest one; None where there is none to compare with."""
    return min(_before(newest, series, within), key=_number, default=None)


def highest_before(newest: Fact[Quantity], series: Fact[Series], within: Quantity) -> Fact[Quantity] | None:
    """The highest value of the days before the newest one; None where there is none to compare with."""
    return max(_before(newest, series, within), key=_number, default=None)


def _before(newest: Fact[Quantity], series: Fact[Series], within: Quantity) -> list[Fact[Quantity]]:
    if newest.when is None:
        return []
    day = newest.when.latest
    return [
        each
        for each in series.value or ()
        if each.when is not None
        and each.value is not None
        and not each.bound
        and each.when.latest < day
        and (day.date() - each.when.latest.date()) <= days(within)
    ]


def _number(fact: Fact[Quantity]) -> Decimal:
    return fact.value.value if fact.value is not None else Decimal(0)


def _in_our_unit(fact: Fact[Quantity]) -> str:
    return str(fact.value)


def _as_it_came(fact: Fact[Quantity]) -> str:
    return (fact.origin.as_received if fact.origin else "") or str(fact.value)


def _risen(
    case: Case,
    use: Use,
    key: str,
    newest: Fact[Quantity],
    series: Fact[Series],
    by: Statement[Quantity],
    spoken: Callable[[Fact[Quantity]], str] = _in_our_unit,
) -> tuple[Sign, ...]:
    lowest = lowest_before(newest, series, sign_window(case))
    if lowest is None or lowest.value is None or newest.value is None or newest.bound:
        return ()
    limit = lowest.value.times(1 + by.value.value / 100)
    words = f"{newest.key.label} {spoken(newest)}, from {spoken(lowest)} on {lowest.when}"
    return _measured(case, use, key, newest, Truth.of(newest.value >= limit), words)


def _measured(case: Case, use: Use, key: str, fact: Fact[Quantity], there: Truth, words: str) -> tuple[Sign, ...]:
    began, unsure = began_on(case, use, fact.when)
    if there is not Truth.YES or began is Truth.NO:
        return ()
    doubts = tuple(f"{fact.key.label}: {doubt}" for doubt in fact.doubts)
    doubts += (f"{fact.key.label}: {fact.bounded}",) if fact.bound else ()
    doubts += unsure
    return (Sign(key, words, str(fact.when or "no date"), fact.when, doubts, fact),)


def sign_window(case: Case) -> Quantity:
    """How old a measured sign may be."""
    return case.must(topics.SIGN_WINDOW, "policy").value


_PUGH = re.compile(
    r"child[-–\s]*(?:turcotte[-–\s]*)?pugh\b[\s,:(–-]*(?:class|score|grade|stage)?[\s,:(–-]*"
    r"([abc])\s?\d{0,2}\b(?!\s*[/–-]\s*[abc]\b)",
    re.IGNORECASE,
)


def child_pugh(entries: Iterable[Entry]) -> str:
    """The Child–Pugh class that the words of the entries state; "" where none does, or where they differ."""
    stated = {found[1].upper() for entry in entries for found in _PUGH.finditer(entry.words)}
    return stated.pop() if len(stated) == 1 else ""
