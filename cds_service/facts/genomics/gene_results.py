"""Results of genes: what a test of one gene, or a variant of it, says of our markers.

A positive of a gene that does not name its variant counts with a doubt where the variant matters. A test for residual
disease is no mutation test: its positive counts with a doubt, its negative says nothing of a relapse.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cds_service.facts.concepts import Wording, all_text, phrase, wording
from cds_service.facts.genomics import markers, variants
from cds_service.facts.genomics.heard import Heard, other_change
from cds_service.facts.genomics.said import ELSEWHERE, OTHER_CHANGE, UNSTATED, Said
from cds_service.facts.genomics.tested import FUSION_TEST
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT
from cds_service.facts.values.results import Reading
from cds_service.knowledge.codes import VARIANT

OF_ONE = "one variant of the gene is absent, which says nothing of the others"
OF_A_LOSS = "a deletion or a FISH was told of, which says nothing of a mutation: {}"
_OF_PARTIAL = "a partial tandem duplication is no rearrangement"
_UNSTATED, _OF_DNA_ALONE = "the variant is not stated", "the variant is not stated as a protein change"
_SITE = re.compile(r"(?<![A-Za-z0-9])(?:p\.\(?)?[A-Z](?:[a-z]{2})?\d{2,4}(?:[A-Z](?:[a-z]{2})?)?(?![A-Za-z0-9])")
_OF_DNA = re.compile(r"(?<![A-Za-z0-9])[cg]\.\d")


def of_gene(heard: Heard, test: str, gene: str) -> list[Said]:
    """What a test of a gene, or a variant, says of its markers."""
    reading = heard.reading
    outcome, words = heard.answer(gene)
    if outcome == PRESENT and heard.uncertain:
        outcome, words = INDETERMINATE, f"variant of uncertain significance: {words}"
    if gene == markers.FLT3:
        return _of_flt3(heard, test, outcome, words)
    marker = markers.MARKERS_OF[gene][0]
    if gene == markers.PML_RARA:
        return [_fusion_of_apl(heard, outcome, words)]
    if gene == markers.KMT2A:
        fused = f" | {'::'.join(heard.partners)}" if len(heard.partners) > 1 else ""
        decided = outcome in (PRESENT, ABSENT)  # what could not be read is told in its own words
        if decided and markers.only_partial(heard.words) and not _names_a_rearrangement(heard.words, reading):
            return [Said(marker, ELSEWHERE, _OF_PARTIAL)]
        return [rearrangement(marker, test, outcome, words, plainly(heard.named) + fused, reading)]
    if heard.residual:
        return [of_residual(Said(marker, outcome, words))]
    if gene in markers.ANY_CHANGE and test != VARIANT and variants.of_a_loss(heard.named):
        return [Said(marker, ELSEWHERE, OF_A_LOSS.format(words))]
    name = wording(heard.view.code, reading.terms)
    if outcome == PRESENT and gene in markers.VARIANT_MATTERS and _is_another(gene, name, heard):
        return [Said(marker, OTHER_CHANGE, f"variant of unknown significance: {name.words[:80]}")]
    of_one = test == VARIANT or heard.other_change or other_change(name)
    types = gene == markers.NPM1 and markers.names_types(heard.named)
    if outcome == ABSENT and (types or (of_one and not variants.whole_site(gene, heard.named, reading.terms))):
        return [Said(marker, ELSEWHERE, OF_ONE)]
    said = judged(marker, gene, outcome, words, heard.words, reading)
    return [replace(said, doubts=()) if _UNSTATED in said.doubts and _is_stated(gene, name.words, reading) else said]


def _of_flt3(heard: Heard, test: str, outcome: str, words: str) -> list[Said]:
    """What a test of FLT3, or a variant of it, says of its markers."""
    if outcome == ABSENT and _is_one_duplication(heard.named, heard.reading):
        return [Said(markers.ITD, ELSEWHERE, OF_ONE)]
    found = [Said(marker, outcome, words) for marker in _flt3_markers(heard, test, outcome)]
    noted = variants.noted(markers.FLT3, heard.words, heard.reading.terms)
    beside = [Said(marker, outcome, words) for marker in noted]
    return [*(found or _flt3_unnamed(heard, outcome, words)), *beside]


def _is_one_duplication(text: str, reading: Reading) -> bool:
    """Whether the text names one duplication by its place, and not all of them by their name."""
    terms = reading.terms
    return variants.lies_in(markers.ITD, text, terms) and not variants.is_named_itd(text, terms)


def _is_stated(gene: str, name: str, reading: Reading) -> bool:
    """Whether the name of a test states the variants that it looks for, and each of them counts: "IDH1 R132H"."""
    sites = _SITE.findall(name)
    return bool(sites) and all(variants.shown((gene,), site, reading.terms) for site in sites)


def _is_another(gene: str, name: Wording, heard: Heard) -> bool:
    """Whether the name of a test states changes of the gene, and its answer too, of which none counts: "IDH1 V178I"."""
    texts = (name.words, heard.words)
    return other_change(name) and not any(variants.shown((gene,), text, heard.reading.terms) for text in texts)


def _fusion_of_apl(heard: Heard, outcome: str, words: str) -> Said:
    """What a test of the fusion of PML and RARA, or a variant of both, says of it."""
    said = Said(markers.APL_FUSION, outcome, words)
    if heard.of_mrd:
        return of_residual(said)
    if outcome == ABSENT and markers.one_breakpoint(heard.named):
        return replace(said, outcome=ELSEWHERE, words="one breakpoint was looked for: others are not excluded")
    return said


def of_residual(said: Said) -> Said:
    """What a test for residual disease says: little of a relapse, and its negative nothing."""
    if said.outcome != PRESENT:
        return Said(said.marker, ELSEWHERE, f"a test for residual disease is no mutation test ({said.words})")
    return Said(
        said.marker, PRESENT, said.words, ("found by a test for residual disease, not by a mutation test",)
    )


def judged(marker: str, gene: str, outcome: str, words: str, text: str, reading: Reading) -> Said:
    """A positive of a gene whose variant decides: susceptible, of unknown significance, or not stated."""
    if outcome == PRESENT and variants.is_silent(text):
        return Said(marker, OTHER_CHANGE, f"a change that alters no protein: {words}")
    if variants.shown((gene,), text, reading.terms) or gene in markers.ANY_CHANGE or outcome == ABSENT:
        return Said(marker, outcome, words)
    if other_change(phrase(text, reading.terms)) or variants.dna_sites(gene, text, reading.terms) is False:
        return Said(marker, OTHER_CHANGE, f"variant of unknown significance: {words}")
    if outcome == PRESENT and gene in markers.VARIANT_MATTERS:
        return Said(marker, outcome, words, (_OF_DNA_ALONE if _OF_DNA.search(text) else _UNSTATED,))
    return Said(marker, outcome, words)


def plainly(text: str) -> str:
    """The text without what a name of KMT2A carries in brackets: "KMT2A (11q23) rearrangement"."""
    return re.sub(r"(?:(?<!\s)\s+)?\((?:11q23[^)]{0,60}|MLL1?|KMT2A)\)", "", text)


def _names_a_rearrangement(words: str, reading: Reading) -> bool:
    return bool(variants.shown((markers.KMT2A,), plainly(words), reading.terms))


def rearrangement(marker: str, test: str, outcome: str, words: str, text: str, reading: Reading) -> Said:
    """What a test of KMT2A says of a rearrangement."""
    whole = test in ("KMT2A_rearrangement", markers.REARRANGEMENT)
    one = markers.one_partner(text) or (test.startswith(FUSION_TEST) and not whole)
    named = bool(variants.shown((markers.KMT2A,), text, reading.terms))
    if markers.only_partial(text) and not (whole or one):
        return Said(marker, ELSEWHERE, _OF_PARTIAL)
    if outcome == ABSENT and (one or not (whole or named)):
        return Said(marker, ELSEWHERE, "one fusion, or another change, was looked for: others are not excluded")
    if outcome == PRESENT and not (whole or one or named):
        return Said(marker, INDETERMINATE, f"whether KMT2A is rearranged is not stated: {words}")
    return Said(marker, outcome, words)


def _flt3_unnamed(heard: Heard, outcome: str, words: str) -> list[Said]:
    """What a result of FLT3 leaves open that names neither marker: a duplication may be the one, another change not.

    Without it a gene that was found changed would be told as one of which there is no result.
    """
    if outcome == ABSENT:
        return []
    if variants.is_duplication(heard.words) or "delins" in heard.words:
        return [Said(markers.ITD, OTHER_CHANGE, f"a duplication or insertion, its exon not stated: {words}")]
    if outcome == PRESENT and variants.dna_sites(markers.FLT3, heard.words, heard.reading.terms):
        return [Said(markers.TKD, outcome, words, ("the variant is not stated as a protein change",))]
    if heard.other_change or variants.is_substitution(heard.words):
        return [Said(markers.TKD, OTHER_CHANGE, f"variant of unknown significance: {words}")]
    return flt3_unstated(words)


def flt3_unstated(words: str) -> list[Said]:
    """A change of FLT3 of which it is open whether it is an ITD or a TKD mutation."""
    unsaid = f"a change of FLT3, whether ITD or TKD is not stated: {words}"
    return [Said(marker, UNSTATED, unsaid) for marker in markers.MARKERS_OF[markers.FLT3]]


def _flt3_markers(heard: Heard, test: str, outcome: str) -> tuple[str, ...]:
    """The markers of FLT3 that the result speaks of.

    A negative result of the gene covers both, unless the test's own name is narrower; a positive one must say which.
    """
    terms = heard.reading.terms
    if test == VARIANT:
        return variants.shown((markers.FLT3,), heard.named, terms)
    texts = (all_text(heard.view.code), heard.words)
    tested, named = (variants.shown((markers.FLT3,), text, terms) for text in texts)
    if outcome == PRESENT:
        return named or (tested if len(tested) == 1 else ())
    return named or tested or markers.MARKERS_OF[markers.FLT3]
