"""Answers: whether one result says present or absent, by its codes and by its words."""

from __future__ import annotations

import re

from cds_service.facts.concepts import Wording, is_partly_unread, phrase, told_once, wording
from cds_service.facts.genomics import markers, variants, wild_type
from cds_service.facts.genomics.details import presence_by_code
from cds_service.facts.genomics.wording import (
    ABSENT,
    INDETERMINATE,
    PRESENT,
    is_hedged,
    is_plain,
    spoken,
    without_limits,
)
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation
from cds_service.knowledge.terms import Terms

# What a variant adds that does not say which change it is: a drug or a disease named there is no finding.
NO_VALUE = "no value that can be read"
BESIDE = frozenset({"predicted_phenotype", "medication_assessed", "evidence_level", "clinical_significance"})
BESIDE |= frozenset({"population_allele_frequency", "genomic_source_class"})


def answer(view: Observation, gene: str, reading: Reading) -> tuple[str, str]:
    """Present, absent or indeterminate, with the words of the result. Statements that disagree decide nothing."""
    if view.dataAbsentReason is not None:
        return INDETERMINATE, "stated as not known"
    terms = reading.terms
    told = value_of(view, terms)
    words = told.words
    by_words = presence(told)
    stated = {by_words} if by_words is not None else set()
    shown = words[:80]
    for concept in (view.valueCodeableConcept, *(view.interpretation or ())):
        for value in presence_by_code(wording(concept, terms)) if concept is not None else ():
            stated.add(value if value in (PRESENT, ABSENT) else INDETERMINATE)
            shown = shown or value
    if view.valueBoolean is not None:
        stated.add(PRESENT if view.valueBoolean else ABSENT)
        shown = shown or str(view.valueBoolean).lower()
    if len(stated) > 1 or (stated == {PRESENT} and by_words is None and _denied(words, terms)):
        return INDETERMINATE, f"contradictory: {shown}"
    if stated:
        return stated.pop() or INDETERMINATE, shown
    if words and not turned(told) and _listed(gene, words, reading):
        return PRESENT, shown  # "mutations found" tests answer with the list of mutations
    return INDETERMINATE, shown or NO_VALUE


def _denied(words: str, terms: Terms) -> bool:
    """Whether a clause of the words says that a gene is not changed."""
    return denies(words) and any(each.outcome == ABSENT for each in spoken(words, terms))


def value_of(view: Observation, terms: Terms) -> Wording:
    """The words of the value: those of its code, else its text."""
    said = wording(view.valueCodeableConcept, terms)
    return said if said.words or not view.valueString else phrase(view.valueString, terms)


# A word that may turn the next one around. Where it stands outside of the phrases that we know, nothing is decided.
_NEGATION = re.compile(
    r"\b(no|not|non|none|never|neither|nor|without|negative|absence|below|kein\w*|nicht|ohne|weder"
    r"|pas|ni|né|nem|aucune?s?|sans|sin|ning[uú]n\w*|não|nao|sem|nenhum\w*|nessun\w*|senza"
    r"|niet|geen|zonder|nooit|tampoco|neanche|ausencia|ausência|assenza)\b|\bun(?=mutated|detect)",
    re.IGNORECASE,
)
_NONE_FOUND = re.compile(r"\W*no\b[^.;,:]*\b(detected|found|identified|seen|present)\W*", re.IGNORECASE)
_OF_TESTING = re.compile(r"\b(?:analys[ei]s|test(?:s|ed|ing)?|panel|status|results?|performed)\b", re.IGNORECASE)
_ZERO = re.compile(r"(?<![\w.,>*])0+(?:[.,]0+)?(?![\d.,*])")
_MINUS = tuple("-\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u2796\ufe63")
_MINUS_BEHIND = re.compile(  # "ITD-, TKD+"
    rf"(?<=\w)[{''.join(_MINUS)}](?=[\s,;)]|\Z)|\(\s?[{''.join(_MINUS)}]\s?\)"
)
_MINUS_LAST = re.compile(rf"(?<=[\s:.=])[{''.join(_MINUS)}]\s*+(?:[,;|)]|\Z)")  # "mut -", "FLT3-ITD: -; NPM1 type A"
_NO_MEASURE = re.compile(  # a field of the report that is empty: "VAF: -"
    rf"\b(?:VAF|(?:allelic |allele )?(?:ratio|frequency|burden)|comments?|notes?|remarks?|Kommentar|Bemerkung)\s?[:=]?"
    rf"\s*[{''.join(_MINUS)}]\s*+(?=[,;|)]|\Z)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:nein|nee|false|falsch|ausgeschlossen|auszuschlie(?:ß|ss)en|excluded|(?:ruled|rule) out|exclue?|excluid[oa]"
    r"|esclus[oa]|uitgesloten|descartad[oa]|excluíd[oa]|écartée?s?|infirmée?s?|refuted|retracted|disprove[dn]|faux|fausse"
    r"|fals[oa]|vals|onwaar)\b",
    re.IGNORECASE,
)
# What is excluded beside a mutation that was found, and takes nothing from it.
_HARMLESS = (
    r"(?:germ[ -]?line|keimbahn\w*|lignée germinale|constitutional|[ck]ontamination|(?:benign |known )?polymorphisms?"
    r"|(?:synonymous|intronic|silent|benign) variants?|APL|acute promyelocytic leuk(?:a?emia)|PML[-:]+RARA)"
)
_OF_OTHERS = re.compile(
    rf"(?<![^\W\d_]){_HARMLESS}(?: \w+)?(?: (?:is|was|are|were|been|has|have|wurde|ist))*+ {_REFUSED.pattern}"
    rf"|{_REFUSED.pattern}:? {_HARMLESS}\b",
    re.IGNORECASE,
)
_CHANGES = re.compile(r"[cgp]\.\S+|\b[ACGT]>[ACGT]\b|\bN[MP]_[\d.]+", re.IGNORECASE)
_CLASSIFIED = re.compile(r"\blikely\s++(?:pathogenic|oncogenic)\b", re.IGNORECASE)  # a class of the variant, no doubt
_LISTED = re.compile(r"((flt3|itd|tkd|internal tandem duplication)\W*)+\Z", re.IGNORECASE)


@told_once
def turned(said: Wording) -> bool:
    """Whether its words may turn what they say around."""
    words = said.words
    if denies(words) or _MINUS_BEHIND.search(words) or _MINUS_LAST.search(_NO_MEASURE.sub("", words)):
        return True
    return _REFUSED.search(_OF_OTHERS.sub("", words)) is not None


@told_once
def presence(said: Wording) -> str | None:
    """What the words state: one outcome, INDETERMINATE when they state several or turn one around; None if none."""
    words, terms = wild_type.without_shares(said.words), said.terms
    of_wild_type = wild_type.denied(words)
    none_found = _NONE_FOUND.fullmatch(words) and not re.search(r"\b(not|except|but|other)\b", words, re.IGNORECASE)
    if none_found and not of_wild_type:
        return ABSENT
    table = terms.words["presence"]
    found = set(table.find_all(words))
    if not found:
        return None
    more = found == {ABSENT} and wild_type.has_more(without_limits(words))
    if is_hedged(words, terms) or of_wild_type or more or is_partly_unread(words, table.find):
        return INDETERMINATE
    if len(found) == 1 and not (found == {PRESENT} and turned(said)):
        return found.pop()
    return INDETERMINATE


def _listed(gene: str, words: str, reading: Reading) -> bool:
    """Whether the words list what was found, and nothing else: "FLT3-ITD: see report" names the test, and no result."""
    if not _is_bare_list(words, reading.terms):
        return False
    if gene == markers.FLT3 and _LISTED.match(words):
        return True
    return bool(variants.shown((gene,), words, reading.terms)) if gene else False


def _is_bare_list(words: str, terms: Terms) -> bool:
    """Whether nothing stands in the words but names, changes and measures, and none that leaves it open or is zero."""
    if _MINUS_BEHIND.search(words):
        return False
    words = _CLASSIFIED.sub("pathogenic", without_limits(wild_type.without_shares(words)))
    if is_hedged(words, terms) or _OF_TESTING.search(words) or _ZERO.search(words):
        return False
    _, ratio, measured = words.lower().rpartition("ratio")
    if words.rstrip(" ).]").endswith(_MINUS) or "<" in words or (ratio and not any(map(str.isdigit, measured))):
        return False
    return is_plain(_CHANGES.sub(" ", words), terms)


def denies(text: str) -> bool:
    """Whether a word stands in the text that may turn the next one around."""
    return _NEGATION.search(text) is not None


@told_once
def affirmed(said: Wording) -> tuple[str, ...]:
    """The words and the codes of a value, as far as they deny nothing; "" for those that do."""
    every = (said.words, *(code for _, code in said.codes))
    return tuple("" if denies(each) else each for each in every)
