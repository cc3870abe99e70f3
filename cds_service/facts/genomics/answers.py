"""Answers: whether one result says present or absent, by its codes and by its words, and which words it holds."""

from __future__ import annotations

import re

from cds_service.facts.concepts import Wording, all_text, kept, told_once, wording
from cds_service.facts.genomics import markers
from cds_service.facts.genomics.details import genomic_keys, presence_by_code
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT, is_hedged
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation
from cds_service.kept import Kept

# What a variant adds that does not say which change it is: a drug or a disease named there is no finding.
_BESIDE = frozenset({"predicted_phenotype", "medication_assessed", "evidence_level", "clinical_significance"})
_BESIDE |= frozenset({"population_allele_frequency", "genomic_source_class"})


def answer(view: Observation, gene: str, reading: Reading) -> tuple[str, str]:
    """Present, absent or indeterminate, with the words of the result. Statements that disagree decide nothing."""
    if view.dataAbsentReason is not None:
        return INDETERMINATE, "stated as not known"
    words = all_text(view.valueCodeableConcept) or view.valueString or ""
    stated = {_said(words, reading)} - {None}
    shown = words[:80]
    for concept in (view.valueCodeableConcept, *(view.interpretation or ())):
        for value in presence_by_code(wording(concept, reading.terms)) if concept is not None else ():
            stated.add(value if value in (PRESENT, ABSENT) else INDETERMINATE)
            shown = shown or value
    if view.valueBoolean is not None:
        stated.add(PRESENT if view.valueBoolean else ABSENT)
        shown = shown or str(view.valueBoolean).lower()
    if len(stated) > 1:
        return INDETERMINATE, f"contradictory: {shown}"
    if stated:
        return stated.pop() or INDETERMINATE, shown
    if words and not _NEGATION.search(words) and (_listed(gene, words, reading)):
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
    known: Kept[str, str | None] = kept("presence in words", reading.terms)
    found = known.get(words, _NOT_KEPT)
    return known.keep(words, _stated(words, reading), words) if found is _NOT_KEPT else found


_NOT_KEPT = "?"


def _stated(words: str, reading: Reading) -> str | None:
    if _NONE_FOUND.fullmatch(words) and not re.search(r"\b(not|except|but|other)\b", words, re.IGNORECASE):
        return ABSENT
    table = reading.terms.words["presence"]
    found = set(table.find_all(words))
    if not found:
        return None
    if is_hedged(words, reading.terms):
        return INDETERMINATE
    if len(found) == 1 and not (found == {PRESENT} and _NEGATION.search(words)):
        return found.pop()
    return INDETERMINATE


def _listed(gene: str, words: str, reading: Reading) -> bool:
    """Whether the words list what was found, and nothing else."""
    if gene == markers.FLT3 and _LISTED.match(words):
        return True
    return bool(markers.shown((gene,), words, reading.terms)) if gene else False


def all_words(view: Observation, reading: Reading) -> str:
    """The words of the result: its value and its components, without the test's name and without what is denied."""
    parts: list[str] = [all_text(view.valueCodeableConcept), view.valueString or ""]
    for part in view.component or ():
        if is_beside(wording(part.code, reading.terms)):
            continue
        words, *coded = affirmed(wording(part.valueCodeableConcept, reading.terms))
        said = part.valueString or ""
        parts += [words, "" if said and _NEGATION.search(said) else said, *coded]
    return " | ".join(filter(None, parts))


@told_once
def is_beside(said: Wording) -> bool:
    """Whether a component of that name does not say which change was found."""
    return not _BESIDE.isdisjoint(genomic_keys(said))


@told_once
def affirmed(said: Wording) -> tuple[str, ...]:
    """The words and the codes of a value, as far as they deny nothing; "" for those that do."""
    every = (said.words, *(code for _, code in said.codes))
    return tuple("" if _NEGATION.search(each) else each for each in every)
