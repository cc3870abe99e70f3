"""Entries: what conditions and procedures on record say, each as one entry with our keys, its words and its time.

Refuted and entered-in-error entries are none; resolved and inactive ones are past. One that is provisional, unconfirmed
or one of several possible diagnoses counts as not certain, and says so: it may warn, it settles nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

import msgspec

from cds_service.facts.certainty import weighed
from cds_service.facts.concepts import codes, shortened, texts_of
from cds_service.facts.conditions import BY_ITS_WORDS, Meaning, meaning_of
from cds_service.facts.diagnoses import AML, GRAFTS, IN_RELAPSE, IN_REMISSION, LEUKAEMIA, agree, disagree
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.histology import is_unreadable, with_histology
from cds_service.facts.standing import standing_of
from cds_service.facts.times import When
from cds_service.facts.values.results import FUTURE, Reading, origin
from cds_service.facts.values.versions import DIFFER, each_version
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import Condition, Procedure
from cds_service.knowledge.terms import Terms


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
    written: str = ""  # a date in words ("spring 2025", an era), which is not read

    @property
    def certain(self) -> bool:
        """Whether nothing in the entry says that it is not certain."""
        return not self.doubts


PROBLEMS: Key[tuple[Entry, ...]] = Key("problems", "conditions on record")
HISTORY: Key[tuple[Entry, ...]] = Key("history", "conditions on record, past ones included")
PROCEDURES: Key[tuple[Entry, ...]] = Key("procedures", "procedures on record")

CODE_AND_STATUS = "its code and its clinical status disagree, not certain"
_ACTIVE = IN_RELAPSE | {"refractory"}
_ONCE_LEUKAEMIA = "personal_history_leukaemia"
_NAMELESS = "an entry has neither code nor words"
UNREAD_SCRIPT = "some are in a script that is not read"
_NOT_EVERY = "not every entry was read"
ONLY_A_SCRIPT = f"{_NOT_EVERY}: {UNREAD_SCRIPT}"
_HISTOLOGY = "the histology of a diagnosis cannot be read"
_WORD = re.compile(r"[^\W\d_]{2,}")
_DONE = frozenset({"completed", "in-progress"})
_PARTLY = {
    "stopped": "broken off, not certain",
    "on-hold": "interrupted, not certain",
    "unknown": "not known whether done",
}


def read_entries(resources: Iterable[Resource], source: str, reading: Reading) -> tuple[tuple[Entry, ...], str]:
    """What these resources say, and why one could not be read; "" where each could.

    The newest stand first, and those of one day by their words: the one that names a card does not depend on the order
    of the record.
    """
    found: list[Entry] = []
    rivals: dict[str, list[Entry]] = {}  # of versions of which nobody can tell which is the newest, by their name
    unreadable = ""
    for resource, differ in each_version(resources):
        if isinstance(resource.view(), Condition) and is_unreadable(resource):
            unreadable = unreadable or _HISTOLOGY
        told = _told(resource, source, reading)
        if isinstance(told, str):
            unreadable = unreadable or told
        elif differ:
            rivals.setdefault(resource.reference, []).extend(told)
        else:
            found += told
    for versions in rivals.values():
        found += _of_versions(versions)
    found.sort(key=_newest_first)
    return tuple(found), unreadable


def _told(resource: Resource, source: str, reading: Reading) -> list[Entry] | str:
    """What the resource says; a reason, in words, where it cannot be read."""
    quick = resource.view()
    if not isinstance(quick, (Condition, Procedure)):
        return []
    meaning = _meaning(quick, resource, reading)
    if not meaning.keys and not meaning.left_open:
        if meaning.unread and _counts(quick, reading):
            return UNREAD_SCRIPT
        return [] if meaning.is_named else _NAMELESS
    view = resource.checked()
    if not isinstance(view, (Condition, Procedure)):
        return getattr(view, "reason", "not readable")
    if view is not quick:  # it was mended
        meaning = _meaning(view, resource, reading)
    entry = _entry(view, meaning, resource, source, reading)
    if entry is None:
        return []
    told = [*_apart(entry, meaning.left_open), *_relapse_before(entry, view, meaning, reading)]
    if meaning.earlier:  # its own day is not told
        told.append(msgspec.structs.replace(
            entry, keys=meaning.earlier, status="", when=None, ended=None, over=True, of_disease=False, visit=False,
        ))
    return told


def _relapse_before(entry: Entry, view: Condition | Procedure, meaning: Meaning, reading: Reading) -> tuple[Entry, ...]:
    """The relapse that an entry names by its code, where its clinical status is the remission that ended it."""
    if not isinstance(view, Condition) or not _yielded(view, meaning, entry.status, reading):
        return ()
    onset = view.onsetDateTime or (view.onsetPeriod.start if view.onsetPeriod else None)
    return (
        msgspec.structs.replace(
            entry, status=meaning.status, words=meaning.words, when=_came(reading, onset or view.recordedDate),
            ended=entry.when, over=True, doubts=meaning.doubts, noted=not onset, visit=False,
        ),
    )  # fmt: skip


def _yielded(view: Condition, meaning: Meaning, status: str, reading: Reading) -> bool:
    """Whether the code says relapse and the status remission, with the day on which that came."""
    relapse = bool(set(meaning.keys) & AML) and meaning.status in IN_RELAPSE and not meaning.within_remission
    ended = _abated(view, reading) if relapse and status in IN_REMISSION else None
    return ended is not None and ended.latest <= reading.now


def _abated(view: Condition, reading: Reading) -> When | None:
    return reading.when(view.abatementDateTime or (view.abatementPeriod.start if view.abatementPeriod else None))


def _counts(view: Condition | Procedure, reading: Reading) -> bool:
    """Whether an entry with that status says that something is or was there."""
    if isinstance(view, Procedure):
        return view.status in _DONE | _PARTLY.keys()
    return not standing_of(view.clinicalStatus, view.verificationStatus, reading.terms).never


def _of_versions(versions: list[Entry]) -> list[Entry]:
    """What the versions say, with that doubt: of those that say the same, one that is not over, and the newest."""
    said: dict[tuple[tuple[str, ...], str], Entry] = {}
    for entry in sorted(versions, key=lambda each: (each.over, *_newest_first(each))):
        said.setdefault((entry.keys, "" if entry.over else entry.status), entry)
    return [_doubted(entry) for (keys, _), entry in said.items() if not entry.over or _only(keys, said)]


def _only(keys: tuple[str, ...], said: Collection[tuple[tuple[str, ...], str]]) -> bool:
    """Whether no other version says the same with another status."""
    return sum(keys == others for others, _ in said) == 1


def _doubted(entry: Entry) -> Entry:
    words = entry.words if entry.doubts else f"{entry.words} ({DIFFER})"
    return msgspec.structs.replace(entry, words=words, doubts=(*entry.doubts, DIFFER))


def _newest_first(entry: Entry) -> tuple[float, str]:
    """Where the entry stands; one without a date stands last."""
    return (-entry.when.latest.timestamp() if entry.when is not None else float("inf")), entry.words


def _meaning(view: Condition | Procedure, resource: Resource, reading: Reading) -> Meaning:
    """What the entry means, with its histology; of a procedure also which earlier course its words name."""
    meaning = meaning_of(view.code, reading.terms)
    if not isinstance(view, Procedure):
        if meaning.past or _ONCE_LEUKAEMIA in meaning.keys:  # what it was is told of the past
            return meaning
        in_words = LEUKAEMIA.isdisjoint(meaning.keys)  # its own words tell the state of a leukaemia
        beside = with_histology(view.code, resource, in_words=in_words)
        if beside is view.code:
            return meaning
        found = meaning_of(beside, reading.terms)
        if in_words or found.status in (*_ACTIVE, *IN_REMISSION):
            return found
        told = meaning_of(with_histology(view.code, resource), reading.terms)  # its words may tell the state alone
        return told if told.status in _ACTIVE and not (told.doubts or told.past) else found
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
        ended = _abated(view, reading)
        if set(meaning.keys) & AML and stated:
            if disagree(stated, meaning.status):  # the status is kept up to date, and decides
                doubts += (CODE_AND_STATUS,)
            by_status = not agree(status, meaning.status)
            of_disease = by_status and status in IN_RELAPSE
            if by_status and _yielded(view, meaning, status, reading):  # FHIR: it abates on the day of its remission
                onset = view.abatementDateTime or (view.abatementPeriod.start if view.abatementPeriod else None)
                dates, ended = (onset,), None
            elif by_status and not of_disease:
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
    entry = Entry(meaning.keys, status, named, when, where, over, ended, doubts, by_record, of_disease, visit)
    written = view.onsetString if isinstance(view, Condition) and when is None else None
    return msgspec.structs.replace(entry, written=shortened(" ".join(written.split()))) if written else entry


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


def read_procedures(reply: Reply, reading: Reading) -> Fact[tuple[Entry, ...]]:
    """The completed procedures on record."""
    entries, unreadable = read_entries(reply.resources, reply.source, reading)
    return listed(PROCEDURES, entries, unreadable, reply)


def listed(
    key: Key[tuple[Entry, ...]], entries: tuple[Entry, ...], unreadable: str, reply: Reply
) -> Fact[tuple[Entry, ...]]:
    """The fact of these entries, as complete as what came."""
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        return missing(key, state, reply.why)
    doubts = (
        (f"{_NOT_EVERY}: {reply.why or unreadable}",)
        if unreadable or reply.status is Status.PARTIAL
        else ()
    )
    return known(key, entries, None, Origin("Condition", reply.source), doubts=doubts)
