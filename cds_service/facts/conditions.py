"""Conditions: what the codes and words of an entry of the problem list or of the procedures mean, and its status.

That follows from what is written and from our tables alone, so it is kept. Codes decide; words help where no code does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.facts.concepts import Wording, codes, is_of_catalogue, texts_of, told_once, wording
from cds_service.facts.concepts import text as spoken
from cds_service.gather.views import CodeableConcept
from cds_service.kept import as_written
from cds_service.knowledge.terms import SERVER, Code, ConditionCode, Terms

AML = frozenset({"aml", "aml_genetic_subtype", "aml_therapy_related", "aml_relapse_or_remission", "myeloid_sarcoma"})
IN_RELAPSE = frozenset({"in_relapse", "relapse", "recurrence", "relapsed"})
IN_REMISSION = frozenset({"in_remission", "remission", "in remission"})

_NEVER = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_UNCERTAIN = {
    "unconfirmed": "unconfirmed, not certain",
    "provisional": "provisional, not certain",
    "differential": "differential diagnosis, not certain",
}
_UNVERIFIED = "its verification cannot be read, not certain"  # it may say that the entry is refuted


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the codes and words of an entry say."""

    keys: tuple[str, ...]
    status: str  # of the disease, where they state it
    notes: tuple[str, ...]  # how the keys were told
    doubts: tuple[str, ...]  # a doubt where the words of a coded entry say that it is only thought of
    words: str
    is_named: bool  # whether it has words or a code at all
    past: bool = False  # whether its words alone tell it, and tell it of the past


# What the words around a name may make of it, as the table of words tells it, and where they deny it.
_PAST, _NOT_TOLD, _NOT_CERTAIN = "past", "not told", "not certain"
_NEAR = r"(?:[\w-]+\s+){0,2}"
_LISTED = r"(?:(?!(?:of|or|nor)\s)[\w-]+\s+){0,2}"  # the same between "of" and "or": read in one way only
_BEFORE = 400  # characters before a name in which it is denied: in long texts each name would be asked for all of them
_DENIED = re.compile(
    r"\b(?:no|not|without|denies|denied|negative for|absence of|free of|ohne|keine?)\s+"
    rf"(?:{_LISTED}(?:of|or|nor)\s+)*{_LISTED}\Z",
    re.IGNORECASE,
)
_TOLD_AS_PAST = re.compile(rf"[\s:]*{_NEAR}")  # between "history of" and a name
_REFUTED = re.compile(
    r"[\s,:-]*(?:was|is|has been)?\s*(?:excluded|ruled out|refuted|not found|ausgeschlossen)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What our tables say of a concept, and the codes that they do not hold."""

    meaning: Meaning
    unlisted: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the clinical and the verification status of an entry come to."""

    never: bool  # refuted, or entered in error
    over: bool
    disease: str  # relapse or remission, where the clinical status says so
    doubts: tuple[str, ...]


def standing_of(clinical: CodeableConcept | None, verification: CodeableConcept | None, terms: Terms) -> Standing:
    """How an entry of the problem list stands, as its two statuses say."""
    kept = terms.kept("standings")
    coded = (clinical is None or is_of_catalogue(clinical)) and (verification is None or is_of_catalogue(verification))
    said = (wording(clinical, terms), wording(verification, terms))
    written = said if coded else as_written(clinical, verification)
    known: Standing | None = kept.get(written)
    if known is None:
        texts = (*texts_of(clinical), *texts_of(verification))
        known = kept.keep(written, _stands(clinical, verification, terms), *texts)
    return known


def _stands(clinical: CodeableConcept | None, verification: CodeableConcept | None, terms: Terms) -> Standing:
    stated, verified = _said(clinical, terms), _said(verification, terms)
    either = {*stated, *verified}
    doubts = tuple(words for status, words in _UNCERTAIN.items() if status in verified)
    if verification is not None and not {"confirmed", *_UNCERTAIN} & {*verified}:
        doubts += (_UNVERIFIED,)
    disease = next((code for code in stated if code in IN_RELAPSE | IN_REMISSION), "")
    return Standing(bool(either & _NEVER), bool(either & _OVER), disease, doubts)


def _said(status: CodeableConcept | None, terms: Terms) -> tuple[str, ...]:
    """The codes of a status, and its words where it comes without codes."""
    return (*(code.lower() for _, code in codes(status, terms)), spoken(status).strip().lower())


def meaning_of(concept: CodeableConcept | None, terms: Terms) -> Meaning:
    """What the concept of an entry means, by our tables and where they do not hold a code by a terminology server."""
    said = wording(concept, terms)
    known = _listed(said)
    told = terms.conditions_elsewhere(known.unlisted) if terms.elsewhere else None
    return _meant(said, told) if told else known.meaning


@told_once
def _listed(said: Wording) -> _Known:
    unlisted = tuple(code for code in said.codes if said.terms.listed_condition(*code) is None)
    return _Known(_meant(said, {}), unlisted)


def _meant(said: Wording, elsewhere: Mapping[Code, ConditionCode]) -> Meaning:
    terms, words = said.terms, said.words
    keys: list[str] = []
    status = told = ""
    for code in said.codes:
        found = terms.listed_condition(*code) or elsewhere.get(code)
        if found is not None:
            keys += found.keys
            status = status or found.status
            by = f", by the {found.level}" if found.level == SERVER else ""
            told = told or f"{terms.spoken_system(code[0])} {code[1]}{by}"
    thought_of = set(terms.words["doubtful"].find_all(words))
    past = False
    if keys or not thought_of & {_NOT_TOLD, _NOT_CERTAIN}:  # else it is told of somebody else, or not told as a fact
        now, before = _named(words, terms)
        told = told or ("its words" if now or before else "")
        past = bool(before) and not (keys or now)
        keys += now or before
    if status in ("", "active_no_remission") and set(keys) & AML:
        status = _stated(words, terms) or status
    return Meaning(
        tuple(dict.fromkeys(keys)),
        status,
        (f"told by {told}",) if told else (),
        ("by its words not certain",) if _NOT_CERTAIN in thought_of else (),
        said.text[:80],
        bool(words or said.codes),
        past,
    )


def _named(words: str, terms: Terms) -> tuple[list[str], list[str]]:
    """What the words name and do not deny: now, and as history.

    Of AML the table itself holds how it is denied: "AML, no relapse" is one.
    """
    now: list[str] = []
    before: list[str] = []
    pasts = [end for _, end, value in terms.words["doubtful"].spans(words) if value == _PAST]
    for start, end, key in terms.words["condition"].spans(words):
        first = max(0, start - _BEFORE)
        denied = key not in AML and (_DENIED.search(words, first, start) or _REFUTED.match(words, end))
        if key and not denied:
            told = bisect_right(pasts, start)
            near = told and _TOLD_AS_PAST.fullmatch(words, pasts[told - 1], start)
            (before if near else now).append(key)
    return now, before


def _stated(words: str, terms: Terms) -> str:
    """The state that the words give, remission before all; the table holds negations as phrases without a state."""
    found = [state for state in terms.words["state"].find_all(words) if state]
    return "in remission" if "in remission" in found else next(iter(found), "")
