"""Conclusions: what a report in words says of our markers, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from cds_service.facts.genomics import markers, variants
from cds_service.facts.genomics.answers import denies
from cds_service.facts.genomics.details import Detail, from_words
from cds_service.facts.genomics.gene_results import OF_A_LOSS, flt3_unstated, judged, plainly, rearrangement
from cds_service.facts.genomics.said import ELSEWHERE, Said
from cds_service.facts.genomics.unread import (
    apl_of_karyotype,
    of_karyotype,
    own_words,
    unread,
    value_words,
    words_inside,
)
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT, Spoken, spoken
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation

_NO_SHARE = re.compile(r"(?<![\d.,])0(?:[.,]0+)?\s?%")
_TOO_MUCH = "not followed: more text of reports than can be read in one call"


def reported(view: Observation, reading: Reading) -> list[Said]:
    """What a report in words says, clause by clause: of the genes that it names, and of no other."""
    text = value_words(view)
    told = hinted_by(text, reading)
    told += of_karyotype(text)
    everything = f"{text} | {inside}" if (inside := words_inside(view, reading)) else text
    return [*told, *unread(everything, reading, {said.marker for said in told})]


def of_a_sites_own(view: Observation, reading: Reading) -> list[Said]:
    """What a result says of which nobody knows the test: that APL was found, and else which genes it leaves open."""
    words = value_words(view)
    found = [said for said in hinted_by(words, reading) if (said.marker, said.outcome) == (markers.APL_FUSION, PRESENT)]
    found = found or apl_of_karyotype(words)
    return [*found, *unread(own_words(view, reading), reading, {said.marker for said in found})]


def hinted_by(conclusion: str, reading: Reading) -> list[Said]:
    """What the conclusion of a report says of our markers; of more than a call can follow, its genes stay open."""
    if reading.follows(conclusion):
        told = spoken(conclusion, reading.terms)
    else:
        told = [Spoken(gene, INDETERMINATE, "", _TOO_MUCH) for gene in markers.genes_in(conclusion)]
    return [said for each in told for said in _in_words(each, reading)]


def changes_named(conclusion: str, told: Collection[str], reading: Reading) -> set[str]:
    """The markers, beside those told, of which the conclusion names a change: "IDH1 p.R132H, VAF 34 %"."""
    return set(variants.shown(markers.genes_in(conclusion), conclusion, reading.terms)) - set(told)


def _in_words(told: Spoken, reading: Reading) -> list[Said]:
    """The markers of which a clause speaks."""
    gene, outcome, words = told.gene, told.outcome, told.clause[:80]
    marker = markers.MARKERS_OF[gene][0]
    if gene == markers.FLT3:
        shown = variants.shown((gene,), told.words, reading.terms)
        beside = variants.noted(gene, told.words, reading.terms)
        every = shown or (() if outcome == PRESENT or beside else markers.MARKERS_OF[gene])
        found = [Said(marker, outcome, words) for marker in (*every, *beside)] or flt3_unstated(words)
    elif gene == markers.KMT2A:
        found = [rearrangement(marker, "", outcome, words, plainly(told.words), reading)]
    else:
        found = [judged(marker, gene, outcome, words, told.words, reading)]
        if gene in markers.ANY_CHANGE and variants.of_a_loss(told.words):
            found = [Said(marker, ELSEWHERE, OF_A_LOSS.format(words))]
    if gene == markers.PML_RARA and outcome == PRESENT and _is_doubtful(told, reading):
        found = [replace(said, outcome=INDETERMINATE) for said in found]
    types = gene == markers.NPM1 and markers.names_types(told.words)
    if outcome == ABSENT and (types or variants.other_change(told.words)):
        unsaid = "one change of the gene is absent, which says nothing of the others"
        found = [replace(said, outcome=ELSEWHERE, words=unsaid) for said in found]
    detail = from_words(Detail("report in words", from_text=True), told.words)
    return [replace(said, detail=detail) for said in found]


def _is_doubtful(told: Spoken, reading: Reading) -> bool:
    """Whether a denial that nothing ends stands before the fusion, or a share of zero after it."""
    before, _, after = told.clause.partition(markers.ONE_NAME)
    ended = any(value == ABSENT for _, _, value in reading.terms.words["presence"].spans(before))
    return (denies(before) and not ended) or _NO_SHARE.search(after) is not None
