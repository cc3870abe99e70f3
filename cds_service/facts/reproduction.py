"""Reproduction: the sex on record, and whether a pregnancy is recorded, by condition, status or test.

The newest statement decides; a pregnancy that still stands among the problems, and is not older than one lasts, leaves
a newer "no" in doubt. A possible pregnancy counts as one, with a doubt; one not yet confirmed decides nothing, and
neither does a "no" that is dated in the future or is no valid FHIR.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time

from cds_service.facts.concepts import Wording, all_text, codes, shortened, told_once, wording
from cds_service.facts.entries import Entry
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.times import When
from cds_service.facts.values.counting import counting_doubts
from cds_service.facts.values.lab_names import observed
from cds_service.facts.values.newest import LONG_AGO, may_be_newest, newest_of
from cds_service.facts.values.numbers import is_empty
from cds_service.facts.values.results import FUTURE, Reading, origin, taken
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import Component, Observation
from cds_service.quantity import Quantity, plain

FEMALE, MALE = "female", "male"
PREGNANT: Key[bool] = Key("pregnant", "pregnancy", "pregnancy_test")
_SPOKEN = {"hcg_quantitative": "hCG", "pregnancy_test": "pregnancy test", "pregnancy_status": "pregnancy status"}
TESTS = tuple(_SPOKEN)

_ENTRIES = {"pregnancy": True, "not_pregnant": False, "pregnancy_test_negative": False}
_ANSWERS = {"pregnant": True, "possible": True, "not pregnant": False, "present": True, "absent": False}


@dataclass(frozen=True, slots=True)
class _Sign:
    """One statement about a pregnancy: yes, no, or nothing that decides."""

    answer: bool | None
    when: When | None
    origin: Origin
    doubts: tuple[str, ...] = ()
    listed: bool = False  # among the problems, and not too long ago for a pregnancy that goes on


def read_pregnancy(
    observations: Iterable[tuple[Resource, str]],
    reply: Reply,
    problems: Fact[tuple[Entry, ...]],
    reading: Reading,
    lasts: Quantity,
) -> Fact[bool]:
    """Whether the newest statement says pregnant. `lasts`: an entry older than that leaves a newer "no" as it is."""
    signs = [sign for resource, source in observations for sign in _observed(resource, source, reading)]
    for entry in problems.value or ():
        answers = {_ENTRIES[key] for key in entry.keys if key in _ENTRIES}
        if answers:
            doubts = (*entry.doubts, *(() if entry.when else ("no date",)))
            stands = entry.when is None or entry.when.days_ago(reading.now) <= lasts.value
            signs.append(_Sign(True in answers, entry.when, entry.origin, doubts, listed=stands))
    return _decided(signs, reply)


def _decided(signs: list[_Sign], reply: Reply) -> Fact[bool]:
    signs.sort(key=lambda sign: (-_latest(sign), not sign.answer, sign.origin.resource))
    decided = [sign for sign in signs if sign.answer is not None]
    if not decided:
        if signs:
            received = f" ({signs[0].origin.as_received})" if signs[0].origin.as_received else ""
            why = f"result of {signs[0].when or 'no date'} decides nothing{received}"
            return missing(PREGNANT, State.UNREADABLE, why)
        state = {Status.COMPLETE: State.ABSENT, Status.NOT_ASKED: State.NOT_ASKED}.get(reply.status, State.FAILED)
        return missing(PREGNANT, state, reply.why or "none found under the codes we ask for")
    newest = _newest(decided)
    chosen, doubts = newest[0], [*newest[0].doubts]
    certain = _newest([sign for sign in decided if not sign.doubts])
    if chosen.doubts and not chosen.answer and certain and certain[0].answer:
        newest, chosen, doubts = certain, certain[0], ["a newer result that is not certain says otherwise"]
    if any(sign.answer is not chosen.answer for sign in newest):
        doubts.append("another result of the same time or without date says otherwise")
    if any(sign.answer is None and _latest(sign) >= _latest(chosen) for sign in signs):
        doubts.append("a newer result decides nothing")
    standing = next((sign for sign in decided if sign.listed and sign.answer), None)
    if standing is not None and not chosen.answer:
        perhaps = "" if not standing.doubts or standing.when is None else f", {', '.join(standing.doubts)}"
        doubts.append(f"the problem list says pregnant ({standing.when or 'no date'}{perhaps})")
    return known(PREGNANT, bool(chosen.answer), chosen.when, chosen.origin, doubts=tuple(doubts))


def _latest(sign: _Sign) -> float:
    return (sign.when.latest if sign.when else LONG_AGO).timestamp()


def _newest(signs: list[_Sign]) -> list[_Sign]:
    """The signs that may be the newest, a "yes" first."""
    newest = newest_of(_day(sign.when) for sign in signs)
    return sorted((sign for sign in signs if may_be_newest(_day(sign.when), newest)), key=lambda sign: not sign.answer)


def _day(when: When | None) -> When | None:
    """The whole days of it: of two statements of one day nobody knows which is the newer one."""
    if when is None:
        return None
    first, last = (datetime.combine(end, time.min, when.latest.tzinfo) for end in (when.earliest, when.latest))
    return When(first, last)


def _observed(resource: Resource, source: str, reading: Reading) -> list[_Sign]:
    """What an Observation and its components say of a pregnancy; nothing where it does not count."""
    quick = resource.view()
    if not isinstance(quick, Observation) or not _parts(quick, reading):
        return []
    checked = resource.checked()
    invalid = (f"the entry is {checked.reason}",) if isinstance(checked, Unreadable) else ()
    view = checked if isinstance(checked, Observation) else quick
    doubts = counting_doubts(view, resource, reading)
    if doubts is None:
        return []
    when, time_doubts = taken(view, reading)
    signs = []
    for part in _parts(view, reading):
        answers = _answers(part, reading)
        answer = answers.pop() if len(answers) == 1 else None
        if invalid and not answer:  # what is no valid FHIR may warn, and clears nothing
            signs.append(_Sign(None, None, origin(resource, source, "")))
            continue
        unsure = ("a possible pregnancy",) if "possible" in _coded(part, reading) else ()
        words = all_text(part.valueCodeableConcept) or part.valueString or _number(part)
        if FUTURE in time_doubts and not answer:
            answer, words = None, f"{words[:50]}, {FUTURE}"
        if answer:
            words = _named(wording(part.code, reading.terms), words)
        where = origin(resource, source, shortened(words))
        signs.append(_Sign(answer, when, where, (*doubts, *time_doubts, *unsure, *invalid)))
    return signs


def _parts(view: Observation, reading: Reading) -> list[Component]:
    """What of the Observation tells a pregnancy: itself, unless it is the mere head of a panel, and its components."""
    every = (view, *(view.component or ()))
    told: list[Component] = [part for part in every if tells_pregnancy(wording(part.code, reading.terms))]
    heads = len(told) > 1 and told[0] is view and is_empty(view) and not view.interpretation
    return told[1:] if heads else told


@told_once
def tells_pregnancy(said: Wording) -> bool:
    """Whether it is one of the tests or statements that tell a pregnancy."""
    return any(kind in TESTS for kind in observed(said))


def _named(said: Wording, words: str) -> str:
    """A result that says pregnant, with the name of its test before it."""
    name = next(spoken for kind, spoken in _SPOKEN.items() if kind in observed(said))
    return f"{name} {words or 'positive'}"


def _coded(view: Component, reading: Reading) -> set[str]:
    found = set()
    for concept in (view.valueCodeableConcept, *(view.interpretation or ())):
        for code in codes(concept, reading.terms):
            key, value = reading.terms.answers.get(code, ("", ""))
            found |= {value} if key in ("presence", "pregnancy_status") else set()
    return found


def _answers(view: Component, reading: Reading) -> set[bool]:
    """Every answer that the Observation, or the component, gives. Two different ones decide nothing."""
    words = all_text(view.valueCodeableConcept) or view.valueString or ""
    said = set(reading.terms.words["pregnancy"].find_all(words)) or set(reading.terms.words["presence"].find_all(words))
    stated = _coded(view, reading) | said
    found = {_ANSWERS[each] for each in stated if each in _ANSWERS}
    if view.valueBoolean is not None:
        found.add(view.valueBoolean)
    found |= _measured(view)
    return found if stated <= _ANSWERS.keys() else set()


def _number(view: Component) -> str:
    """A measured value as it came, and where it has no limit to be held against that this is so."""
    value = view.valueQuantity
    if value is None or value.value is None:
        return ""
    told = f"{value.comparator or ''}{plain(value.value)} {value.unit or value.code or 'without a unit'}"
    highs = [each.high.value for each in view.referenceRange or () if each.high and each.high.value is not None]
    return f"{told}, upper limit {plain(highs[0])}" if highs else f"{told}, without an upper limit"


def _measured(view: Component) -> set[bool]:
    """A measured hCG against the upper limit that came with it; without such a limit it decides nothing."""
    value = view.valueQuantity
    limits = [each.high for each in view.referenceRange or () if each.high is not None and each.high.value is not None]
    if value is None or value.value is None or len(limits) != 1:
        return set()
    limit = limits[0]
    same_unit = (limit.unit or limit.code) in (None, value.unit, value.code)
    if not same_unit or limit.value is None:
        return set()
    if value.comparator in ("<", "<="):
        return {False} if value.value <= limit.value else set()
    if value.comparator in (">", ">="):
        return {True} if value.value >= limit.value else set()
    return {value.value > limit.value}
