"""Disease: is AML on record, relapsed or refractory and since when.

Past entries do not count. C92.00 covers new and refractory disease alike: it says AML, and nothing of relapse. A
relapse entry counts from its onset, else from the day it was recorded; the diagnosis of a later encounter, filed at
each visit, does not date it anew. Where only the clinical status says so, that date may be the disease's: it dates no
remission, and a relapse came on that day or at any time after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from cds_service.facts.abbreviations import MAY_BE_AML
from cds_service.facts.conditions import CODE_AND_WORDS
from cds_service.facts.diagnoses import AML, GRAFTS, IN_RELAPSE, IN_REMISSION
from cds_service.facts.entries import CODE_AND_STATUS, HISTORY, ONLY_A_SCRIPT, PROBLEMS, Entry, listed, read_entries
from cds_service.facts.fact import Fact, Key, State, known, missing
from cds_service.facts.residual import OF_RESIDUAL
from cds_service.facts.values.labs import LONG_AGO
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply
from cds_service.quantity import Quantity


class Disease(Enum):
    """Where the AML stands, as far as the problem list says."""

    NONE = "no AML on record"
    UNSTATED = "AML, new or state not stated"
    REMISSION = "AML in remission"
    RELAPSED = "relapsed AML"
    REFRACTORY = "refractory AML"


DISEASE: Key[Disease] = Key("disease", "state of the AML")
RELAPSE: Key[Entry] = Key("relapse", "date of relapse")
APL: Key[bool] = Key("apl", "acute promyelocytic leukaemia")
_RIVALS = frozenset({CODE_AND_STATUS, CODE_AND_WORDS, OF_RESIDUAL})  # of these one tells a relapse
_MAY_BE = "may be acute myeloid leukaemia, and was not read: it is the abbreviation of another thing too"
_REFRACTORY = "refractory_leukaemia"  # a code that stands beside that of the leukaemia (ICD-10-GM)
def read_disease(
    reply: Reply, reading: Reading, procedures: Fact[tuple[Entry, ...]], within: Quantity
) -> tuple[Fact[Any], ...]:
    """State of the AML, the relapse entry, APL, the problems of today, and those with the past ones.

    `within`: how long after a relapse was last named a visit that names it may still speak of the same one.
    """
    every, unreadable = read_entries(reply.resources, reply.source, reading)
    entries = tuple(entry for entry in every if not entry.over)
    problems, history = listed(PROBLEMS, entries, unreadable, reply), listed(HISTORY, every, unreadable, reply)
    done = (entry for entry in procedures.value or () if entry.certain)
    ends = [each for each in every if is_aml(each) and each.status in IN_REMISSION]
    ends += [each for each in (*every, *done) if each.when and not each.noted and not GRAFTS.isdisjoint(each.keys)]
    once = _without_repeats(entries, ends, reading, within)
    return _disease(once, problems), _relapse(once, problems), _apl(entries, problems), problems, history


def _without_repeats(
    entries: tuple[Entry, ...], ends: list[Entry], reading: Reading, within: Quantity
) -> tuple[Entry, ...]:
    """The entries, without visits that only name a relapse, or refractory disease, that is on record already.

    `ends`: remissions and grafts; what is named after one of them is another relapse. `within`: so it is after so long.
    """
    if not any(entry.visit for entry in entries):
        return entries
    kept: list[Entry] = []
    for entry in sorted(entries, key=_time):
        before = next((place for place in reversed(range(len(kept))) if _repeats(entry, kept[place], reading)), None)
        if before is None or _is_over(kept[before], entry, ends) or _silent(kept[before], entry, within):
            kept.append(entry)
        else:
            kept[before] = msgspec.structs.replace(kept[before], named_again=entry.when)
    return tuple(kept)


def _repeats(entry: Entry, before: Entry, reading: Reading) -> bool:
    """Whether the entry is a visit that says no more than what stands before it, which is as sure and has a day."""
    if not entry.visit or before.when is None or before.of_disease or not is_aml(before):
        return False
    alike = before.status == entry.status == "refractory" or {before.status, entry.status} <= IN_RELAPSE
    words = reading.terms.words
    numbered = set(words["ordinal"].find_all(entry.words)) - set(words["ordinal"].find_all(before.words))
    more = numbered or (words["another relapse"].find(entry.words) and entry.words != before.words)  # "second relapse"
    return alike and is_aml(entry) and not more and (before.certain or not entry.certain)


def _is_over(before: Entry, entry: Entry, ends: list[Entry]) -> bool:
    """Whether a remission came, or may have come, after the one and before the other, or surely a transplantation."""
    if before.when is None or entry.when is None:
        return True
    since, until = before.when.earliest, entry.when.latest
    return any(
        (each.when.latest > since and each.when.earliest <= until) if each.when else is_aml(each) for each in ends
    )


def _silent(before: Entry, entry: Entry, within: Quantity) -> bool:
    """Whether nothing named the relapse for so long that the visit may well speak of another one."""
    last = before.named_again or before.when
    if last is None or entry.when is None:
        return True
    return (entry.when.earliest.date() - last.latest.date()).days > int(within.value)


def is_aml(entry: Entry) -> bool:
    """Whether the entry speaks of AML, APL left out."""
    return bool(set(entry.keys) & AML) and "apl" not in entry.keys


def _of_aml(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that speak of AML, and beside one of them that which calls a leukaemia refractory."""
    aml = [entry for entry in entries if is_aml(entry)]
    return aml + [entry for entry in entries if aml and _REFRACTORY in entry.keys]


def _disease(entries: tuple[Entry, ...], problems: Fact[tuple[Entry, ...]]) -> Fact[Disease]:
    aml = _of_aml(entries)
    if problems.value is None:
        return missing(DISEASE, problems.state, problems.why)
    if not aml:
        unread = (f"'{each.words}' {_MAY_BE}" for each in entries if MAY_BE_AML in each.keys)
        return known(DISEASE, Disease.NONE, None, problems.origin, doubts=(*problems.doubts, *dict.fromkeys(unread)))
    entry, state = _latest_state(sorted(aml, key=lambda each: not each.certain))
    doubts = problems.doubts if state in (Disease.UNSTATED, Disease.REMISSION) else ()
    doubts += (*entry.doubts, *_undated_rival(entry, state, aml))
    return known(DISEASE, state, entry.when, entry.origin, doubts=doubts)


def may_be_relapse(disease: Fact[Disease]) -> bool:
    """Whether it is a remission by one part of its entry, and a relapse by another one."""
    return disease.value is Disease.REMISSION and not _RIVALS.isdisjoint(disease.doubts)


def _undated_rival(entry: Entry, state: Disease, aml: list[Entry]) -> tuple[str, ...]:
    """A doubt where relapse and remission stand on record, and their dates do not say which came first."""
    rivals = IN_REMISSION if state in (Disease.RELAPSED, Disease.REFRACTORY) else IN_RELAPSE | {"refractory"}
    others = [other for other in aml if other.status in rivals]
    if state is Disease.UNSTATED or not others:
        return ()
    if entry.when is None or any(other.when is None for other in others):
        return ("relapse and remission are both on record, not both with a date",)
    if any(_may_be_either(entry, other) for other in others):
        return ("relapse and remission are both on record, and their dates do not say which came first",)
    return ()


def _may_be_either(one: Entry, other: Entry) -> bool:
    """Whether each of the two may have come before the other: nothing dates it, or a month, a year or the disease."""
    if one.when is None or other.when is None:
        return True
    if may_follow(one, other) or may_follow(other, one):
        return True
    first, second = one.when, other.when
    return first.earliest.date() < second.latest.date() and second.earliest.date() < first.latest.date()


def may_follow(relapse: Entry, remission: Entry) -> bool:
    """Whether the relapse, of which only the date of the disease is known, may have come after the remission."""
    if not relapse.of_disease or relapse.when is None or remission.when is None:
        return False
    return remission.when.latest.date() > relapse.when.earliest.date()


def _latest_state(aml: list[Entry]) -> tuple[Entry, Disease]:
    """The newest entry that states where the disease stands; relapse outlives a remission that is not surely newer."""
    relapsed = _newest(entry for entry in aml if entry.status in IN_RELAPSE)
    refractory = _newest(entry for entry in aml if entry.status == "refractory")
    remission = _newest(entry for entry in aml if entry.status in IN_REMISSION)
    active = max(filter(None, (relapsed, refractory)), key=_time, default=None)
    if active is not None and not (remission is not None and _surely_newer(remission, active)):
        return active, Disease.RELAPSED if active is relapsed else Disease.REFRACTORY
    return (remission, Disease.REMISSION) if remission is not None else (aml[0], Disease.UNSTATED)


def _surely_newer(one: Entry, other: Entry) -> bool:
    return not _may_be_either(one, other) and _time(one) > _time(other)


def _newest(entries: Iterable[Entry]) -> Entry | None:
    return max(entries, key=_time, default=None)


def _time(entry: Entry) -> datetime:
    return entry.when.latest if entry.when else LONG_AGO


def no_relapse_in(entries: Fact[tuple[Entry, ...]]) -> str:
    """That they tell of none: on record, where each was read."""
    return "no relapse among what was read" if entries.doubts else "no relapse on record"


def _relapse(entries: tuple[Entry, ...], problems: Fact[tuple[Entry, ...]]) -> Fact[Entry]:
    """The newest relapse (or refractory) entry; its date may be unknown."""
    if problems.value is None:
        return missing(RELAPSE, problems.state, problems.why)
    stated = [entry for entry in _of_aml(entries) if entry.status in IN_RELAPSE | {"refractory"}]
    newest = _newest(stated)
    if newest is None:
        return missing(RELAPSE, State.ABSENT, no_relapse_in(problems))
    if newest.when is None:
        date = f"with a date that is not read: {newest.written}" if newest.written else "without a date"
        return missing(RELAPSE, State.ABSENT, f"relapse on record {date}")
    doubts = (*_doubts_beside([newest], problems), *newest.doubts)
    return known(RELAPSE, newest, newest.when, newest.origin, doubts=doubts)


def _doubts_beside(told: Iterable[Entry], problems: Fact[tuple[Entry, ...]]) -> tuple[str, ...]:
    """The doubts of the problem list, without that of entries in another script where a sure entry tells the AML.

    High blood pressure in Japanese makes no APL of a relapsed AML that is coded; the list itself keeps that doubt.
    """
    sure = any(is_aml(entry) and entry.certain for entry in told)
    return tuple(doubt for doubt in problems.doubts if not (sure and doubt == ONLY_A_SCRIPT))


def _apl(entries: tuple[Entry, ...], problems: Fact[tuple[Entry, ...]]) -> Fact[bool]:
    if problems.value is None:
        return missing(APL, problems.state, problems.why)
    found = sorted((entry for entry in entries if "apl" in entry.keys), key=lambda entry: not entry.certain)
    if found:
        return known(APL, True, found[0].when, found[0].origin, doubts=found[0].doubts)
    return known(APL, False, None, problems.origin, doubts=_doubts_beside(entries, problems))
