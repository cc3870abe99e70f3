"""Disease: is AML on record, relapsed or refractory and since when; what else is treated; which signs are recorded.

Refuted, entered-in-error, inactive and resolved entries do not count. One that is provisional, unconfirmed or one of
several possible diagnoses counts as not certain, and says so: it may warn, it settles nothing. C92.00 covers new and
refractory disease alike: it says AML, and nothing of relapse. A relapse entry counts from its onset, else from the day
it was recorded; the diagnosis of a later encounter, filed at each visit, does not date it anew. Where only the clinical
status says so, that date may be the disease's: it dates no remission, and a relapse came on that day or at any time
after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from cds_service.facts.abbreviations import MAY_BE_AML
from cds_service.facts.certainty import weighed
from cds_service.facts.concepts import codes, texts_of
from cds_service.facts.conditions import (
    BY_ITS_WORDS,
    CODE_AND_WORDS,
    OF_RESIDUAL,
    Meaning,
    meaning_of,
    standing_of,
)
from cds_service.facts.diagnoses import AML, GRAFTS, IN_RELAPSE, IN_REMISSION, agree, disagree
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.histology import with_histology
from cds_service.facts.times import When
from cds_service.facts.values.labs import LONG_AGO
from cds_service.facts.values.results import FUTURE, Reading, origin
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import Condition, Procedure
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity


class Disease(Enum):
    """Where the AML stands, as far as the problem list says."""

    NONE = "no AML on record"
    UNSTATED = "AML, new or state not stated"
    REMISSION = "AML in remission"
    RELAPSED = "relapsed AML"
    REFRACTORY = "refractory AML"


class Entry(msgspec.Struct, frozen=True):
    """One counting entry of the problem list or of the procedures: our keys, its words and its time."""

    keys: tuple[str, ...]
    status: str
    words: str
    when: When | None
    origin: Origin
    over: bool = False  # resolved or inactive: past, and no problem of today
    ended: When | None = None  # when it abated, as far as the record says
    doubts: tuple[str, ...] = ()  # why it is not certain, as the entry itself says
    noted: bool = False  # its time is the day on which it was recorded: it may have begun at any time before
    of_disease: bool = False  # its time may be that of the disease: only the clinical status calls it a relapse,
    # or it is a molecular relapse in the remission that the entry tells
    visit: bool = False  # the diagnosis of an encounter: its time is the day of the visit
    named_again: When | None = None  # the last visit that named it again

    @property
    def certain(self) -> bool:
        """Whether nothing in the entry says that it is not certain."""
        return not self.doubts


DISEASE: Key[Disease] = Key("disease", "state of the AML")
RELAPSE: Key[Entry] = Key("relapse", "date of relapse")
APL: Key[bool] = Key("apl", "acute promyelocytic leukaemia")
PROBLEMS: Key[tuple[Entry, ...]] = Key("problems", "conditions on record")
HISTORY: Key[tuple[Entry, ...]] = Key("history", "conditions on record, past ones included")
PROCEDURES: Key[tuple[Entry, ...]] = Key("procedures", "procedures on record")

CODE_AND_STATUS = "its code and its clinical status disagree, not certain"
_RIVALS = frozenset({CODE_AND_STATUS, CODE_AND_WORDS, OF_RESIDUAL})  # of these one tells a relapse
_MAY_BE = "may be acute myeloid leukaemia, and was not read: it is the abbreviation of another thing too"
_NAMELESS = "an entry has neither code nor words"
_REFRACTORY = "refractory_leukaemia"  # a code that stands beside that of the leukaemia (ICD-10-GM)
_WORD = re.compile(r"[^\W\d_]{2,}")
_DONE = frozenset({"completed", "in-progress"})
_PARTLY = {
    "stopped": "broken off, not certain",
    "on-hold": "interrupted, not certain",
    "unknown": "not known whether done",
}


def read_disease(
    reply: Reply, reading: Reading, procedures: Fact[tuple[Entry, ...]], within: Quantity
) -> tuple[Fact[Any], ...]:
    """State of the AML, the relapse entry, APL, the problems of today, and those with the past ones.

    `within`: how long after a relapse was last named a visit that names it may still speak of the same one.
    """
    every, unreadable = _entries(reply.resources, reply.source, reading)
    entries = tuple(entry for entry in every if not entry.over)
    problems, history = _list(PROBLEMS, entries, unreadable, reply), _list(HISTORY, every, unreadable, reply)
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


def read_procedures(reply: Reply, reading: Reading) -> Fact[tuple[Entry, ...]]:
    """The completed procedures on record."""
    entries, unreadable = _entries(reply.resources, reply.source, reading)
    return _list(PROCEDURES, entries, unreadable, reply)


def _list(
    key: Key[tuple[Entry, ...]], entries: tuple[Entry, ...], unreadable: str, reply: Reply
) -> Fact[tuple[Entry, ...]]:
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        return missing(key, state, reply.why)
    doubts = (
        (f"not every entry was read: {reply.why or unreadable}",)
        if unreadable or reply.status is Status.PARTIAL
        else ()
    )
    return known(key, entries, None, Origin("Condition", reply.source), doubts=doubts)


def _entries(resources: Iterable[Resource], source: str, reading: Reading) -> tuple[tuple[Entry, ...], str]:
    found: list[Entry] = []
    unreadable = ""
    for resource in resources:
        quick = resource.view()
        if not isinstance(quick, (Condition, Procedure)):
            continue
        meaning = _meaning(quick, resource, reading)
        if not meaning.keys and not meaning.left_open:
            unreadable = unreadable or ("" if meaning.is_named else _NAMELESS)
            continue
        view = resource.checked()
        if not isinstance(view, (Condition, Procedure)):
            unreadable = unreadable or getattr(view, "reason", "not readable")
            continue
        if view is not quick:  # it was mended
            meaning = _meaning(view, resource, reading)
        entry = _entry(view, meaning, resource, source, reading)
        if entry is not None:
            found += _apart(entry, meaning.left_open)
            if meaning.earlier:  # its own day is not told
                found.append(msgspec.structs.replace(
                    entry, keys=meaning.earlier, status="", when=None, ended=None, over=True, of_disease=False,
                    visit=False,
                ))
    return tuple(found), unreadable


def _meaning(view: Condition | Procedure, resource: Resource, reading: Reading) -> Meaning:
    """What the entry means, with its histology; of a procedure also which earlier course its words name."""
    if not isinstance(view, Procedure):
        return meaning_of(with_histology(view.code, resource), reading.terms)
    meaning = meaning_of(view.code, reading.terms)
    courses = tuple(course for text in texts_of(view.code) if text for course in _courses(text, reading.terms))
    return replace(meaning, keys=tuple(dict.fromkeys((*meaning.keys, *courses)))) if courses else meaning


def _courses(text: str, terms: Terms) -> tuple[str, ...]:
    """The courses that the text names, where nothing stands beside them but drugs and words of giving.

    "HiDAC declined", "consent for FLAG-IDA" and "marrow after 7+3" name one too, and were none.
    """
    names = terms.words["course of a procedure"]
    found = names.find_all(text)
    if not found or "?" in text:
        return ()
    beside = _WORD.findall(terms.drug_names.without(names.without(text)))
    return found if terms.words["beside a course"].entries.issuperset(beside) else ()


def _apart(entry: Entry, left_open: tuple[str, ...]) -> tuple[Entry, ...]:
    """The entry, and apart from it what its words say cannot be excluded."""
    if not left_open:
        return _graft_apart(entry)
    doubts, words = (*entry.doubts, BY_ITS_WORDS), entry.words if entry.doubts else f"{entry.words} ({BY_ITS_WORDS})"
    status = entry.status if set(left_open) & AML else ""
    opened = msgspec.structs.replace(entry, keys=left_open, status=status, words=words, doubts=doubts)
    return *_graft_apart(entry), opened


def _graft_apart(entry: Entry) -> tuple[Entry, ...]:
    """The entry, and apart from it a transplantation that an entry of AML names: the date is not that of the graft."""
    grafts = tuple(key for key in entry.keys if key in GRAFTS)
    if not grafts or not set(entry.keys) & AML:
        return (entry,)
    others = tuple(key for key in entry.keys if key not in GRAFTS)
    graft = msgspec.structs.replace(entry, keys=grafts, status="", when=None, ended=None)
    return msgspec.structs.replace(entry, keys=others), graft


def _entry(
    view: Condition | Procedure, meaning: Meaning, resource: Resource, source: str, reading: Reading
) -> Entry | None:
    status, over, ended, onset, of_disease = meaning.status, False, None, None, False
    doubts, notes = meaning.doubts, meaning.notes
    if isinstance(view, Procedure):
        if view.status not in _DONE | _PARTLY.keys():
            return None
        doubts += tuple(filter(None, (_PARTLY.get(view.status or ""),)))
        period = view.performedPeriod
        onset = view.performedDateTime or (period.start if period else None)
        dates: tuple[str | None, ...] = (onset,)
    else:
        standing = weighed(standing_of(view.clinicalStatus, view.verificationStatus, reading.terms), view, resource)
        if standing.never:
            return None
        # a remission of marrow and blood is none of a molecular relapse in it
        stated = "" if meaning.within_remission and standing.disease in IN_REMISSION else standing.disease
        over, status = standing.over or meaning.past, stated or status
        doubts += standing.doubts
        period = view.onsetPeriod
        noted = None if meaning.past else view.recordedDate  # what was told of the past did not begin that day
        onset = view.onsetDateTime or (period.start if period else None)
        dates = (onset or noted, noted)
        abated = view.abatementDateTime or (view.abatementPeriod.start if view.abatementPeriod else None)
        ended = reading.when(abated)
        if set(meaning.keys) & AML and stated:
            if disagree(stated, meaning.status):  # the status is kept up to date, and decides
                doubts += (CODE_AND_STATUS,)
            by_status = not agree(status, meaning.status)
            of_disease = by_status and status in IN_RELAPSE
            if by_status and not of_disease:
                dates, notes = (None,), (*notes, *_of_disease(reading.when(dates[0]), stated))
        of_disease = of_disease or (meaning.within_remission and status in IN_RELAPSE)  # the day may be the remission's
        if ended is not None and not over and ended.latest <= reading.now and standing.disease not in IN_REMISSION:
            over = view.clinicalStatus is None
            doubts += () if over else (f"recorded as ended on {ended}, not certain",)
    when, first = _came(reading, *dates), reading.when(dates[0])
    wrong = () if first is when or first is None else (f"{FUTURE} ({first}), which counts as no date",)
    where = origin(resource, source, meaning.words, *notes, *wrong)
    named = f"{meaning.words} ({doubts[0]})" if doubts else meaning.words  # wherever it is named, this goes along
    by_record = when is not None and (onset is None or bool(wrong))
    visit = by_record and isinstance(view, Condition) and _of_encounter(view, reading)
    return Entry(meaning.keys, status, named, when, where, over, ended, doubts, by_record, of_disease, visit)


def _of_encounter(view: Condition, reading: Reading) -> bool:
    """Whether it is the diagnosis of an encounter, and not also an entry of the problem list."""
    categories = {code for each in view.category or () for _, code in codes(each, reading.terms)}
    return "encounter-diagnosis" in categories and "problem-list-item" not in categories


def _of_disease(when: When | None, state: str) -> tuple[str, ...]:
    """What the onset of an entry is that only its clinical status calls a remission."""
    return () if when is None else (f"its date ({when}) is that of the disease, not of the {state}",)


def _came(reading: Reading, *written: str | None) -> When | None:
    """The first of these times that has come: one that has not is a wrong date, and counts as none."""
    for text in written:
        when = reading.when(text)
        if when is None or when.earliest <= reading.wrong_after:
            return when
    return None


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


def _relapse(entries: tuple[Entry, ...], problems: Fact[tuple[Entry, ...]]) -> Fact[Entry]:
    """The newest relapse (or refractory) entry; its date may be unknown."""
    if problems.value is None:
        return missing(RELAPSE, problems.state, problems.why)
    stated = [entry for entry in _of_aml(entries) if entry.status in IN_RELAPSE | {"refractory"}]
    newest = _newest(stated)
    if newest is None:
        return missing(RELAPSE, State.ABSENT, "no relapse on record")
    if newest.when is None:
        return missing(RELAPSE, State.ABSENT, "relapse on record without a date")
    return known(RELAPSE, newest, newest.when, newest.origin, doubts=(*problems.doubts, *newest.doubts))


def _apl(entries: tuple[Entry, ...], problems: Fact[tuple[Entry, ...]]) -> Fact[bool]:
    if problems.value is None:
        return missing(APL, problems.state, problems.why)
    found = sorted((entry for entry in entries if "apl" in entry.keys), key=lambda entry: not entry.certain)
    if found:
        return known(APL, True, found[0].when, found[0].origin, doubts=found[0].doubts)
    return known(APL, False, None, problems.origin, doubts=problems.doubts)
