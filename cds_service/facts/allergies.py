"""Allergies: to which of the drugs that we know, or to which class of them, and in which words.

Refuted, resolved and erroneous entries do not count. An entry that nobody confirmed counts with a doubt, and so does
what can be read of one that is not valid FHIR. "No known allergy" is recognised as such, and is no allergy, unless it
names one all the same; an entry that says that nothing is known of allergies is neither an allergy nor a no.

A class is told by the code of an ATC group, or by words of the class with which an entry, or a part of a list in it,
begins. Behind the name of a drug such words tell what the drug is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cds_service.facts.concepts import all_text, codes, is_partly_unread, shortened
from cds_service.facts.concepts import text as spoken
from cds_service.facts.drugs.matching import named_in
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading, origin
from cds_service.facts.values.versions import each_version
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import AllergyIntolerance, CodeableConcept
from cds_service.knowledge.words import LATIN_WORD, is_of_unread_script


@dataclass(frozen=True, slots=True)
class Allergy:
    """One allergy or intolerance on record: the ingredients that it names, its words, its kind and its time."""

    drugs: tuple[str, ...]
    words: str
    kind: str
    when: When | None
    origin: Origin
    doubts: tuple[str, ...] = ()
    of_class: tuple[str, ...] = ()  # the drugs that we know of a class that it names


ALLERGIES: Key[tuple[Allergy, ...]] = Key("allergies", "allergies on record")

_NEVER = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_UNSURE = frozenset({"unconfirmed", "presumed"})
_VERIFIED = _UNSURE | {"confirmed"}
_CRITICALITY = {"high": " (criticality high)", "low": " (criticality low)"}
_NONE, _UNKNOWN = "none known", "not known"
# Of one substance: "no allergy to gilteritinib" names none.
_DENIED = re.compile(
    r"\b(?:no|not|denies)\s+(?:known\s+)?(?:allerg\w+|hypersensitiv\w+)\s+(?:to\s+)?[\w-]+", re.IGNORECASE
)
_BUT = re.compile(r"\b(?:except\w*|but|other than|besides|apart from|au(?:ß|ss)er|bis auf)\b", re.IGNORECASE)
_UNSAID = re.compile(
    r"(?:see|refer to) (?:notes?|comments?|remarks?|chart|text)|others?|unspecified|unknown|not known|unbekannt"
    r"|siehe (?:text|notiz|akte|bemerkung)",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"[,;/|+&]|\b(?:and|und|et|e|y|en|or|oder|ou|o|except\w*|but|other than|besides|apart from|au(?:ß|ss)er|bis auf)\b",
    re.IGNORECASE,
)
_BEFORE_A_CLASS = re.compile(
    r"(?:\W|\b(?:(?:drug|medication|substance)?\s*(?:all?erg|hypersensitiv|überempfindlich|unverträglich|intol[eé]ran)\w*|adverse"
    r"|reactions?|drug|class|of|to|for|all|any|other|the|gegen(?:über)?|auf|à|às|aux?|les|a|ai|agli|alle|los|las|voor|para)\b)*+",
    re.IGNORECASE,
)
# Behind a class: a list with nothing under its heading, or an allergy that was thought of and is none.
_NONE_OF_IT = re.compile(
    r"\W*(?:all?erg\w*\W+)?(?:was\s+|is\s+|wurde\s+)?(?:(?:none|nil|keine?)(?:\s+(?:known|bekannt))?|aucune?|ningun[ao]"
    r"|nessun[ao]|geen|nenhuma|excluded|ruled out|ausgeschlossen|exclue|descartada|esclusa|uitgesloten|excluída)\W*\Z",
    re.IGNORECASE,
)
_OF_ALLERGIES = re.compile(
    r"\b(?:drug|medication|medicine|substance|adverse|reaction|all?erg|hypersensitiv|intoleran)\w*", re.IGNORECASE
)
UNREAD_SCRIPT = "some entries are in a script that is not read"
NOTHING_KNOWN = "the record says that nothing is known of allergies"


def read_allergies(reply: Reply, reading: Reading) -> Fact[tuple[Allergy, ...]]:
    """The allergies that count, to whatever they are."""
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        return missing(ALLERGIES, state, reply.why)
    found: list[Allergy] = []
    doubts = [f"not every entry was read: {reply.why}"] if reply.status is Status.PARTIAL else []
    for resource, differ in each_version(each for each in reply.resources if each.type == "AllergyIntolerance"):
        view = resource.checked()
        broken = () if isinstance(view, AllergyIntolerance) else (f"the entry is {getattr(view, 'reason', 'broken')}",)
        doubts += [f"an entry could not be read: {each}" for each in broken]
        readable = resource.salvaged() if broken else view
        if not isinstance(readable, AllergyIntolerance):
            continue
        entry = _entry(readable, resource, reply.source, reading)
        if isinstance(entry, str):
            doubts.append(entry)
        elif entry is not None:
            counted = replace(entry, doubts=(*entry.doubts, *broken, *differ))
            if not (differ and any(_is_same(counted, each) for each in found)):
                found.append(counted)
    if not found and NOTHING_KNOWN in doubts:
        return missing(ALLERGIES, State.ABSENT, NOTHING_KNOWN)
    where = Origin("AllergyIntolerance", reply.source)
    return known(ALLERGIES, tuple(found), None, where, doubts=tuple(dict.fromkeys(doubts)))


def _is_same(one: Allergy, other: Allergy) -> bool:
    """Whether both are versions of one entry that name the same."""
    named = [(each.origin.resource, each.drugs, each.of_class, each.kind) for each in (one, other)]
    return named[0] == named[1]


def _entry(view: AllergyIntolerance, resource: Resource, source: str, reading: Reading) -> Allergy | str | None:
    said = _status(view.clinicalStatus, reading) | _status(view.verificationStatus, reading)
    if said & (_NEVER | _OVER):
        return None
    answer = _answer(view.code, reading)
    concepts = (view.code, *(reaction.substance for reaction in view.reaction or ()))
    words = next((spoken(concept) for concept in concepts if spoken(concept)), "")
    drugs = _drugs(concepts, reading)
    of_class = _of_class(concepts, reading)
    if answer and not drugs and not of_class and not _BUT.search(words):
        return NOTHING_KNOWN if answer == _UNKNOWN else None
    if not words and not drugs and not of_class:
        return "an entry has neither words nor a code that we know"
    if not drugs and _UNSAID.fullmatch(words.strip()):
        return f"an entry does not say to what ({words.strip()})"
    if not drugs and not of_class and not answer and _is_unread(concepts, reading):
        return UNREAD_SCRIPT
    unsure = sorted(said & _UNSURE)
    if answer:  # "no known allergies except cytarabine"
        unsure.append("it also says that no allergy is known")
    if view.verificationStatus is not None and not _VERIFIED & _status(view.verificationStatus, reading):
        unsure.append("its verification cannot be read")  # it may say that the entry is refuted
    if any(is_partly_unread(all_text(each), lambda text: named_in(text, reading.terms)) for each in concepts):
        unsure.append("partly in a script not read")  # they may say that there is none
    recorded = reading.when(view.onsetDateTime or view.recordedDate)
    kind = "intolerance" if view.type == "intolerance" else "allergy"
    where = origin(resource, source, shortened(words))
    named = shortened(words) or ", ".join(drugs) or ", ".join(_coded(concepts, reading))
    spoken_as = f"{named}{_CRITICALITY.get(view.criticality or '', '')}"
    return Allergy(drugs, spoken_as, kind, recorded, where, tuple(unsure), of_class)


def _is_unread(concepts: tuple[CodeableConcept | None, ...], reading: Reading) -> bool:
    """Whether nothing says to what it is that can be read: no code of a system that is everybody's, and no word."""
    words = " | ".join(map(all_text, concepts))
    if not is_of_unread_script(words) or LATIN_WORD.search(_OF_ALLERGIES.sub(" ", words)):
        return False
    standard = reading.terms.standard_systems
    return not any(system in standard for each in concepts for system, _ in codes(each, reading.terms))


def _status(concept: CodeableConcept | None, reading: Reading) -> set[str]:
    return {*(code.lower() for _, code in codes(concept, reading.terms)), spoken(concept).strip().lower()}


def _answer(concept: CodeableConcept | None, reading: Reading) -> str:
    """That there is no allergy, or that nothing is known of any, where the entry says so instead of naming one."""
    coded = (reading.terms.answers.get(code, ("", "")) for code in codes(concept, reading.terms))
    answers = {answer for key, answer in coded if key == "allergy"}
    answers |= set(reading.terms.words["no allergy"].find_all(all_text(concept)))
    return _NONE if _NONE in answers else next(iter(answers), "")


def _drugs(concepts: tuple[CodeableConcept | None, ...], reading: Reading) -> tuple[str, ...]:
    """The ingredients that the entry names, by code and by name; of a fixed combination its parts too."""
    found: list[str] = []
    for concept in concepts:
        for code in codes(concept, reading.terms):
            product = reading.terms.drug(*code)
            found += product.ingredients if product else ()
        found += named_in(_DENIED.sub(" ", all_text(concept)), reading.terms)
    return tuple(dict.fromkeys((*found, *sorted(reading.terms.with_parts(found)))))


def _of_class(concepts: tuple[CodeableConcept | None, ...], reading: Reading) -> tuple[str, ...]:
    """The drugs that we know of the classes that the entry names, by code or by words."""
    terms = reading.terms
    groups = [group for code in _class_codes(concepts, reading) for group in code.split("|")]
    for concept in concepts:
        for part in _NEXT.split(_DENIED.sub(" ", all_text(concept))):
            spans = terms.words["allergy class"].spans(part)
            first = spans[0] if spans else None
            if first and _BEFORE_A_CLASS.fullmatch(part, 0, first[0]) and not _NONE_OF_IT.match(part, first[1]):
                groups += first[2].split("|")
    return tuple(sorted({drug for group in groups for drug in terms.drugs_of_group(group)}))


def _class_codes(concepts: tuple[CodeableConcept | None, ...], reading: Reading) -> list[str]:
    """The ATC groups for which the codes of the entry stand."""
    found: list[str] = []
    for concept in concepts:
        for system, code in codes(concept, reading.terms):
            key, groups = reading.terms.answers.get((system, code), ("", ""))
            found += [groups] if key == "allergy class" else [code] if reading.terms.is_atc(system) else []
    return found


def _coded(concepts: tuple[CodeableConcept | None, ...], reading: Reading) -> list[str]:
    return [f"{reading.terms.spoken_system(system)} {code}" for concept in concepts
            for system, code in codes(concept, reading.terms)]  # fmt: skip
