"""Reports: what one Observation says of our markers, whether it is a test of a marker, of a gene, a variant or words.

A positive of a gene that does not name its variant counts with a doubt where the variant matters. A test for residual
disease is no mutation test: its positive counts with a doubt, its negative says nothing of a relapse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.facts import markers
from cds_service.facts.concepts import all_text, codes
from cds_service.facts.numbers import number
from cds_service.facts.results import Reading
from cds_service.gather.views import Component, Observation
from cds_service.knowledge.terms import VARIANT, Terms
from cds_service.quantity import Quantity

PRESENT, ABSENT, INDETERMINATE = "present", "absent", "indeterminate"
ELSEWHERE = "says nothing of it"  # a result that looks like one of the marker and does not speak of it

_REPORTS = frozenset({"genomic_report", "karyotype_FISH"})  # reports in words about any gene
_FUSION_TEST = "KMT2A_"
_RESIDUAL = re.compile(r"\b(MRD|(minimal|measurable) residual|transcripts?)\b", re.IGNORECASE)
_UNCERTAIN = re.compile(r"\b(uncertain significance|unknown significance|VUS|benign|polymorphism)\b", re.IGNORECASE)


def tests_asked(terms: Terms) -> tuple[str, ...]:
    """The kinds of genomic tests that we read, so that what is asked for and what is read are one list."""
    tests = {key for key, category in terms.genomics.values() if category == "test" and _is_ours(key)}
    return (*sorted(tests), VARIANT)


def _is_ours(key: str) -> bool:
    return key in (*markers.MARKERS_OF, markers.ITD, markers.TKD, *_REPORTS) or key.startswith(_FUSION_TEST)


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says of one marker."""

    marker: str
    outcome: str
    words: str
    doubts: tuple[str, ...] = ()
    share: Quantity | None = None


_OF_CELLS = "cd33_of_cells"  # a share of all cells, healthy ones among them


def test_of(view: Observation, reading: Reading) -> str | None:
    """Which of our tests this Observation is: a marker's, a gene's, a report in words, or a variant."""
    for code in codes(view.code, reading.terms):
        key, category = reading.terms.genomics.get(code, ("", ""))
        if key == VARIANT:
            return key
        if category == "test" and _is_ours(key):
            return key
        if reading.terms.observations.get(code) in ("cd33", _OF_CELLS):
            return markers.CD33
    return None


def said_by(view: Observation, test: str, reading: Reading) -> list[Said]:
    """Everything that the Observation says of our markers."""
    if test == markers.CD33:
        return [_expression(view, reading)]
    if test in _REPORTS:
        return _reported(view, reading)
    if test == VARIANT:
        return [said for gene in _genes_named(view, reading) for said in _of_gene(view, test, gene, reading)]
    if test in (markers.ITD, markers.TKD):
        outcome, words = _outcome(view, markers.FLT3, reading)
        return [Said(test, outcome, words)]
    return _of_gene(view, test, markers.KMT2A if test.startswith(_FUSION_TEST) else test, reading)


def _of_gene(view: Observation, test: str, gene: str, reading: Reading) -> list[Said]:
    """What a test of a gene, or a variant, says of its markers."""
    outcome, words = _outcome(view, gene, reading)
    if outcome == PRESENT and _is_uncertain(view, reading):
        outcome, words = INDETERMINATE, f"variant of uncertain significance: {words}"
    if gene == markers.FLT3:
        return [Said(marker, outcome, words) for marker in _flt3_markers(view, test, outcome, reading)]
    text = f"{all_text(view.code)} | {_all_words(view, reading)}"
    marker = markers.MARKERS_OF[gene][0]
    if gene == markers.KMT2A:
        fused = " | KMT2A::partner" if _is_fusion(view, reading) else ""
        return [_rearrangement(marker, test, outcome, words, text + fused, reading)]
    if gene == markers.NPM1 and _RESIDUAL.search(text):
        if outcome != PRESENT:
            return [Said(marker, ELSEWHERE, f"a test for residual disease is no mutation test ({words})")]
        return [Said(marker, PRESENT, words, ("found by a test for residual disease, not by a mutation test",))]
    if outcome == ABSENT and test == VARIANT and not markers.whole_site(gene, text, reading.terms):
        return [Said(marker, ELSEWHERE, "one variant of the gene is absent, which says nothing of the others")]
    return [_judged(marker, gene, outcome, words, _all_words(view, reading), reading)]


def _judged(marker: str, gene: str, outcome: str, words: str, text: str, reading: Reading) -> Said:
    """A positive of a gene whose variant decides: susceptible, of unknown significance, or not stated."""
    if markers.shown((gene,), text, reading.terms) or gene in markers.ANY_CHANGE or outcome == ABSENT:
        return Said(marker, outcome, words)
    if markers.other_change(text):
        return Said(marker, INDETERMINATE, f"variant of unknown significance: {words}")
    if outcome == PRESENT and gene in markers.VARIANT_MATTERS:
        return Said(marker, outcome, words, ("the variant is not stated",))
    return Said(marker, outcome, words)


def _rearrangement(marker: str, test: str, outcome: str, words: str, text: str, reading: Reading) -> Said:
    """What a test of KMT2A says of a rearrangement."""
    whole = test in ("KMT2A_rearrangement", markers.REARRANGEMENT)
    one = markers.one_partner(text) or (test.startswith(_FUSION_TEST) and not whole)
    named = bool(markers.shown((markers.KMT2A,), text, reading.terms))
    if markers.only_partial(text) and not (whole or one):
        return Said(marker, ELSEWHERE, "a partial tandem duplication is no rearrangement")
    if outcome == ABSENT and (one or not (whole or named)):
        return Said(marker, ELSEWHERE, "one fusion, or another change, was looked for: others are not excluded")
    if outcome == PRESENT and not (whole or one or named):
        return Said(marker, INDETERMINATE, f"whether KMT2A is rearranged is not stated: {words}")
    return Said(marker, outcome, words)


def _expression(view: Observation, reading: Reading) -> Said:
    """CD33 on the blasts: a share of them, or a coded or spoken answer."""
    if view.valueQuantity is None:
        outcome, words = _outcome(view, "", reading)
        return Said(markers.CD33, outcome, words)
    read = number(view, "cd33", reading.terms)
    if isinstance(read, str):
        return Said(markers.CD33, INDETERMINATE, read)
    if read.bound in ("<", "<="):
        return Said(markers.CD33, INDETERMINATE, f"only an upper bound ({read.as_received})")
    of_cells = any(reading.terms.observations.get(code) == _OF_CELLS for code in codes(view.code, reading.terms))
    doubts = ("a share of all cells, not of the blasts",) if of_cells else ()
    outcome = PRESENT if read.quantity.value > 0 else ABSENT
    return Said(markers.CD33, outcome, read.as_received, doubts, None if of_cells else read.quantity)


def _reported(view: Observation, reading: Reading) -> list[Said]:
    """What a report in words says, clause by clause: of the genes that it names, and of no other."""
    found: list[Said] = []
    for clause in re.split(r"[;.\n](?=\s|$)", _all_words(view, reading)):
        outcome = _said(clause, reading)
        for gene in markers.genes_in(clause) if outcome is not None else ():
            shown = markers.shown((gene,), clause, reading.terms)
            words = clause.strip()[:80]
            if gene == markers.FLT3:
                every = shown or (() if outcome == PRESENT else markers.MARKERS_OF[gene])
                found += [Said(marker, outcome or INDETERMINATE, words) for marker in every]
            elif gene == markers.KMT2A:
                judged = _rearrangement(markers.REARRANGEMENT, "", outcome or INDETERMINATE, words, clause, reading)
                found.append(judged)
            else:
                marker = markers.MARKERS_OF[gene][0]
                found.append(_judged(marker, gene, outcome or INDETERMINATE, words, clause, reading))
    return found


def _genes_named(view: Observation, reading: Reading) -> tuple[str, ...]:
    """Our genes that a variant is about: those that are coded, else those that its words name."""
    coded = [
        reading.terms.genomics.get(code, ("", ""))[0]
        for part in _parts(view, "gene_studied", reading)
        for code in codes(part.valueCodeableConcept, reading.terms)
    ]
    words = f"{all_text(view.code)} {_all_words(view, reading)}"
    if "RUNX1T1" in coded:
        words = words.upper().replace("RUNX1", "")
        coded = [gene for gene in coded if gene != "RUNX1"]
    found = [gene for gene in coded if gene in markers.MARKERS_OF] or markers.genes_in(words)
    return tuple(dict.fromkeys(found))


def _is_fusion(view: Observation, reading: Reading) -> bool:
    """Whether a variant names two genes, as Genomics Reporting writes a fusion."""
    genes = set()
    for part in _parts(view, "gene_studied", reading):
        coded = [code for _, code in codes(part.valueCodeableConcept, reading.terms)]
        genes.add(coded[0] if coded else all_text(part.valueCodeableConcept).upper())
    return len(genes - {""}) > 1


def _is_uncertain(view: Observation, reading: Reading) -> bool:
    """Whether the report itself calls the variant uncertain or benign."""
    told = [part.valueCodeableConcept for part in _parts(view, "clinical_significance", reading)]
    coded = {reading.terms.answers.get(code, ("", ""))[1] for each in told for code in codes(each, reading.terms)}
    return bool(coded & {"uncertain significance", "benign"}) or bool(_UNCERTAIN.search(_all_words(view, reading)))


def _parts(view: Observation, key: str, reading: Reading) -> list[Component]:
    return [
        part
        for part in view.component or ()
        if any(reading.terms.genomics.get(code, ("", ""))[0] == key for code in codes(part.code, reading.terms))
    ]


def _outcome(view: Observation, gene: str, reading: Reading) -> tuple[str, str]:
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
    if _NONE_FOUND.fullmatch(words) and not re.search(r"\b(not|except|but|other)\b", words, re.IGNORECASE):
        return ABSENT
    table = reading.terms.words["presence"]
    found = set(table.find_all(words))
    if not found:
        return None
    if len(found) == 1 and not (found == {PRESENT} and _NEGATION.search(words)):
        return found.pop()
    return INDETERMINATE


def _listed(gene: str, words: str, reading: Reading) -> bool:
    """Whether the words list what was found, and nothing else."""
    if gene == markers.FLT3 and _LISTED.match(words):
        return True
    return bool(markers.shown((gene,), words, reading.terms)) if gene else False


def _flt3_markers(view: Observation, test: str, outcome: str, reading: Reading) -> tuple[str, ...]:
    """The markers of FLT3 that the result speaks of.

    A negative result of the gene covers both, unless the test's own name is narrower; a positive one must say which.
    """
    name, words = all_text(view.code), _all_words(view, reading)
    if test == VARIANT:
        return markers.shown((markers.FLT3,), f"{name} | {words}", reading.terms)
    tested, named = (markers.shown((markers.FLT3,), text, reading.terms) for text in (name, words))
    if outcome == PRESENT:
        return named or (tested if len(tested) == 1 else ())
    return named or tested or markers.MARKERS_OF[markers.FLT3]


def _all_words(view: Observation, reading: Reading) -> str:
    """The words of the result: its value and its components, without the test's name and without what is denied."""
    parts: list[str] = [all_text(view.valueCodeableConcept), view.valueString or ""]
    for part in view.component or ():
        words = [all_text(part.valueCodeableConcept), part.valueString or ""]
        words += [code for _, code in codes(part.valueCodeableConcept, reading.terms)]
        parts += [each for each in words if not _NEGATION.search(each)]
    return " | ".join(filter(None, parts))
