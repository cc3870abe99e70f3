"""Mutations: what the newest result says of a marker, by the day of its specimen, and what earlier ones said.

"No" has to be earned: an explicit negative result of a test that covers the marker. Silence, "no call" or an
indeterminate result are not negative. Contradictory results of one day are a conflict, not a choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.facts.concepts import all_text, codes
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.labs import LONG_AGO, not_there
from cds_service.facts.results import Reading, origin, status_doubts, taken
from cds_service.facts.times import When
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation
from cds_service.knowledge.terms import VARIANT

PRESENT, ABSENT, INDETERMINATE = "present", "absent", "indeterminate"


@dataclass(frozen=True, slots=True)
class Result:
    """One result of one marker: present, absent or indeterminate, by specimen time."""

    marker: str
    outcome: str
    words: str
    when: When | None
    origin: Origin
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mutation:
    """Whether a marker is present in the newest result, and all results, newest first."""

    present: bool
    results: tuple[Result, ...]


FLT3_ITD: Key[Mutation] = Key("FLT3-ITD", "FLT3-ITD", "flt3_itd")
FLT3_TKD: Key[Mutation] = Key("FLT3-TKD", "FLT3-TKD (D835 or I836)", "flt3_tkd")
MARKERS: tuple[Key[Mutation], ...] = (FLT3_ITD, FLT3_TKD)
MARKER_NAMES = {key.name: key for key in MARKERS}

_GENE = "FLT3"
_DUPLICATION = ("itd", "internal tandem duplication")


def read_mutations(
    observations: Iterable[tuple[Resource, str]], reply: Reply, reading: Reading
) -> dict[str, Fact[Mutation]]:
    """For each marker what the newest result says, or why nothing is known."""
    results: list[Result] = []
    unreadable = ""
    for resource, source in observations:
        found = _results(resource, source, reading)
        if isinstance(found, str):
            unreadable = unreadable or found
        else:
            results.extend(found)
    return {key.name: _fact(key, results, reply, unreadable) for key in MARKERS}


def _fact(key: Key[Mutation], results: list[Result], reply: Reply, unreadable: str) -> Fact[Mutation]:
    own = sorted((r for r in results if r.marker == key.name), key=_place)
    decided = [result for result in own if result.outcome != INDETERMINATE]
    if not decided:
        if own:
            return missing(key, State.UNREADABLE, f"result of {own[0].when or 'no date'}: {own[0].words}")
        return missing(key, State.UNREADABLE, unreadable) if unreadable else _absent(key, reply)
    first = decided[0]
    same_day = [r for r in decided if r.when is first.when is None or _may_be_of_one_day(r, first)]
    conflict = {r.outcome for r in same_day} == {PRESENT, ABSENT}
    doubts = list(first.doubts)
    unsure = next((r for r in own if r.outcome == INDETERMINATE and not _is_older(r, first)), None)
    if unsure is not None:
        doubts.append(f"a newer result is indeterminate ({unsure.when or 'no date'})")
    if any(r.when is None and r.outcome != first.outcome for r in decided) and not conflict:
        doubts.append("a result without date says otherwise")
    if unreadable:
        doubts.append(f"another result could not be read: {unreadable}")
    if reply.status is not Status.COMPLETE:
        doubts.append(f"not every result was read: {reply.why}")
    value = Mutation(conflict or first.outcome == PRESENT, tuple(decided))
    fact = known(key, value, first.when, first.origin, doubts=tuple(doubts))
    if not conflict:
        return fact
    return Fact(
        key,
        State.CONFLICTING,
        value,
        first.when,
        first.origin,
        doubts=(*doubts, "conflicting results of one day"),
        why=f"results of {first.when} say both present and absent",
    )


def _absent(key: Key[Mutation], reply: Reply) -> Fact[Mutation]:
    nothing = not_there(Key(key.name, key.label), reply)
    return missing(key, nothing.state, nothing.why)


def _place(result: Result) -> tuple[float, str, str]:
    """Newest first, present before absent, and an order of their own for results of one time."""
    latest = result.when.latest if result.when else LONG_AGO
    return -latest.timestamp(), "" if result.outcome == PRESENT else result.outcome, result.origin.resource


def _may_be_of_one_day(one: Result, other: Result) -> bool:
    return (
        one.when is not None
        and other.when is not None
        and one.when.latest.date() >= other.when.earliest.date()
        and other.when.latest.date() >= one.when.earliest.date()
    )


def _is_older(one: Result, other: Result) -> bool:
    """Whether `one` lies before the day of `other`; a result without a date may be the newest."""
    return one.when is not None and (other.when is None or one.when.latest.date() < other.when.earliest.date())


def _results(resource: Resource, source: str, reading: Reading) -> list[Result] | str:
    """What one Observation says of our markers; a reason in words when it concerns them and cannot be read."""
    quick = resource.view()
    if not isinstance(quick, Observation):
        return []
    test = _test(quick, reading)
    if test is None:
        return []
    view = resource.checked()
    if not isinstance(view, Observation):
        return getattr(view, "reason", "not readable")
    doubts = status_doubts(view)
    if doubts is None:
        return []
    if test == VARIANT and not _names_gene(view, reading):
        return []
    outcome, words = _outcome(view, reading)
    when, time_doubts = taken(view, reading)
    where = origin(resource, source, words)
    markers = _markers(view, test, outcome, reading)
    return [Result(marker, outcome, words, when, where, (*doubts, *time_doubts)) for marker in markers]


def _test(view: Observation, reading: Reading) -> str | None:
    """Which of our tests this Observation is: a marker's, the gene's, or a Genomics Reporting variant."""
    for code in codes(view.code, reading.terms):
        key, category = reading.terms.genomics.get(code, ("", ""))
        if key == VARIANT or (category == "test" and key in (*MARKER_NAMES, _GENE)):
            return key
    return None


def _names_gene(view: Observation, reading: Reading) -> bool:
    coded = (
        reading.terms.genomics.get(code, ("", ""))[0]
        for part in _parts(view, "gene_studied", reading)
        for code in codes(part.valueCodeableConcept, reading.terms)
    )
    return _GENE in coded or _GENE in f"{all_text(view.code)} {_all_words(view, reading)}".upper()


def _parts(view: Observation, key: str, reading: Reading) -> list[Component]:
    return [
        part
        for part in view.component or ()
        if any(reading.terms.genomics.get(code, ("", ""))[0] == key for code in codes(part.code, reading.terms))
    ]


def _outcome(view: Observation, reading: Reading) -> tuple[str, str]:
    """Present, absent or indeterminate, with the words of the result. Statements that disagree decide nothing."""
    if view.dataAbsentReason is not None:
        return INDETERMINATE, "stated as not known"
    words = all_text(view.valueCodeableConcept) or view.valueString or ""
    stated = {_said(words, reading)} - {None}
    shown = words[:80]
    for concept in (view.valueCodeableConcept, *(view.interpretation or ())):
        for code in codes(concept, reading.terms):
            key, value = reading.terms.answers.get(code, ("", ""))
            if key == "presence":
                stated.add(value if value in (PRESENT, ABSENT) else INDETERMINATE)
                shown = shown or value
    if view.valueBoolean is not None:
        stated.add(PRESENT if view.valueBoolean else ABSENT)
        shown = shown or str(view.valueBoolean).lower()
    if len(stated) > 1:
        return INDETERMINATE, f"contradictory: {shown}"
    if stated:
        return stated.pop() or INDETERMINATE, shown
    if words and not _NEGATION.search(words) and (_changed(words, reading) or _LISTED.match(words)):
        return PRESENT, shown  # "mutations found" tests answer with the list of mutations
    return INDETERMINATE, shown or "no value that can be read"


# A word that may turn the next one around. Where it stands outside of the phrases that we know, nothing is decided.
_NEGATION = re.compile(
    r"\b(no|not|non|none|never|neither|nor|without|negative|absence|below|kein\w*|nicht|ohne)\b|\bun(?=mutated|detect)",
    re.IGNORECASE,
)
_NONE_FOUND = re.compile(r"\W*no\b[^.;,:]*\b(detected|found|identified|seen|present)\W*", re.IGNORECASE)
_LISTED = re.compile(r"((flt3|itd|tkd|internal tandem duplication)\W*)+\Z", re.IGNORECASE)


def _said(words: str, reading: Reading) -> str | None:
    """What the words state: one outcome, INDETERMINATE when they state several or turn one around; None if none."""
    if _NONE_FOUND.fullmatch(words) and not re.search(r"\b(not|except|but|other)\b", words, re.IGNORECASE):
        return ABSENT
    table = reading.terms.words["presence"]
    found = set(table.find_all(words))
    if not found:
        return None
    if len(found) == 1 and not (found == {PRESENT} and _NEGATION.search(words)):
        return found.pop()
    return INDETERMINATE


def _markers(view: Observation, test: str, outcome: str, reading: Reading) -> tuple[str, ...]:
    """The markers that the result speaks of.

    A negative result of the gene covers both, unless the test's own name is narrower; a positive one must say which.
    """
    if test in MARKER_NAMES:
        return (test,)
    if test == VARIANT:
        return _named(f"{all_text(view.code)} | {_all_words(view, reading)}", reading)
    tested, named = _named(all_text(view.code), reading), _named(_all_words(view, reading), reading)
    if outcome == PRESENT:
        return named or (tested if len(tested) == 1 else ())
    return named or tested or tuple(MARKER_NAMES)


def _changed(text: str, reading: Reading) -> bool:
    """Whether the text names one of the protein changes."""
    low = text.lower()
    return any(
        gene == _GENE and change not in _DUPLICATION and _mentions(low, change)
        for gene, change in reading.terms.changes
    )


def _named(text: str, reading: Reading) -> tuple[str, ...]:
    """The markers named by a protein change or in words."""
    low = text.lower()
    found = [
        marker
        for (gene, change), marker in reading.terms.changes.items()
        if gene == _GENE and marker in MARKER_NAMES and change not in _DUPLICATION and _mentions(low, change)
    ]
    if any(_mentions(low, words) for words in _DUPLICATION):
        found.append(FLT3_ITD.name)
    if _mentions(low, "tkd") or "tyrosine kinase domain" in low:
        found.append(FLT3_TKD.name)
    return tuple(dict.fromkeys(found))


def _mentions(text: str, change: str) -> bool:
    plain = change.removeprefix("p.")
    start = text.find(plain)
    while start >= 0:
        before = text[start - 1] if start else " "
        after = text[start + len(plain)] if start + len(plain) < len(text) else " "
        if not before.isalnum() and not after.isalnum() and after != "=":  # "p.Asp835=" is no change
            return True
        start = text.find(plain, start + 1)
    return False


def _all_words(view: Observation, reading: Reading) -> str:
    """The words of the result: its value and its components, without the test's name and without what is denied."""
    parts: list[str] = [all_text(view.valueCodeableConcept), view.valueString or ""]
    for part in view.component or ():
        words = [all_text(part.valueCodeableConcept), part.valueString or ""]
        words += [code for _, code in codes(part.valueCodeableConcept, reading.terms)]
        parts += [each for each in words if not _NEGATION.search(each)]
    return " | ".join(filter(None, parts))
