"""Reports: everything that one Observation says of our markers, whatever kind of result it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec.structs import replace as replaced

from cds_service.facts.concepts import all_text, is_of_catalogue, phrase, texts_of, wording
from cds_service.facts.genomics import expression, markers, variants
from cds_service.facts.genomics.conclusions import hinted_by, of_a_sites_own, reported
from cds_service.facts.genomics.details import RATIO, Detail, Part, ratio_of
from cds_service.facts.genomics.gene_results import OF_ONE, of_gene, of_residual
from cds_service.facts.genomics.heard import Heard, other_change
from cds_service.facts.genomics.said import ELSEWHERE, UNREAD, UNSTATED, Said
from cds_service.facts.genomics.tested import FUSION_TEST, REPORTS, SEVERAL, genes_in, named_test
from cds_service.facts.genomics.unread import unread, value_words
from cds_service.facts.genomics.wording import (
    ABSENT,
    INDETERMINATE,
    PRESENT,
    names_another_gene,
    parts_of,
    states_of_others_only,
    stating,
)
from cds_service.facts.values.results import Reading
from cds_service.gather.views import CodeableConcept, Observation
from cds_service.kept import as_written
from cds_service.knowledge.codes import VARIANT

_BY_NUMBER_OR_WORDS = REPORTS | {UNREAD, RATIO, markers.CD33}
_IN_A_NOTE = "what was tested stands in a note"
_OF_FLT3 = frozenset({markers.FLT3, markers.ITD, markers.TKD})


def told_by(view: Observation, test: str, reading: Reading) -> tuple[Sequence[Part], Sequence[Said]]:
    """The components of the Observation with what they are, and everything that it says of our markers.

    Of a coded answer to a test of genes that is known again wherever it is written alike, for it tells neither of a
    number nor of a day.
    """
    value = view.valueCodeableConcept
    by_words = view.valueString or (test == VARIANT and view.note)
    if test in _BY_NUMBER_OR_WORDS or by_words or not (value is None or is_of_catalogue(value)):
        heard = Heard(view, reading)
        return heard.parts, said_by(heard, test)
    parts, kept = view.component or (), reading.terms.kept("answers to tests of genes")
    beside = [(part.code, part.valueCodeableConcept, part.valueString) for part in parts]
    absent = view.dataAbsentReason is not None
    written = as_written(test, view.code, value, view.valueBoolean, view.interpretation, absent, beside, view.method)
    known: tuple[tuple[tuple[str, ...], ...], tuple[Said, ...]] | None = kept.get(written)
    if known is None:
        heard = Heard(view, reading)
        known = tuple(keys for _, keys in heard.parts), tuple(said_by(heard, test))
        kept.keep(written, known, *texts_of(value))
    return tuple(zip(parts, known[0], strict=True)), known[1]


def said_by(heard: Heard, test: str) -> list[Said]:
    """Everything that the Observation says of our markers; a duplication of FLT3 told by its place alone is a doubt."""
    told = _said_by(heard, test)
    whole = heard.words if test == markers.ITD else heard.named
    return [_by_its_place(said, test, said.words if test in REPORTS else whole, heard.reading) for said in told]


def _by_its_place(said: Said, test: str, text: str, reading: Reading) -> Said:
    """The same; with a doubt where the text has the place of an insertion and not its name.

    Where it has such a place, "FLT3-ITD negative" denies that one, or is denied by it.
    """
    if said.marker != markers.ITD or said.outcome not in (PRESENT, ABSENT):
        return said
    if not variants.lies_in(markers.ITD, text, reading.terms):
        return said
    if said.outcome == ABSENT:
        return replace(said, outcome=ELSEWHERE, words=OF_ONE)
    if test == markers.ITD or variants.is_named_itd(text, reading.terms) or variants.is_duplicated(text):
        return said
    return replace(said, doubts=(*said.doubts, _BY_PLACE))


def _said_by(heard: Heard, test: str) -> list[Said]:
    view, reading = heard.view, heard.reading
    if test == UNREAD:
        return of_a_sites_own(view, reading)
    if test == markers.CD33:
        return [expression.expression(view, reading)]
    if test in REPORTS:
        return reported(view, reading)
    if test == RATIO:
        return [_of_ratio(view, reading)]
    if test == VARIANT:
        genes = _genes_named(heard)
        told = [said for gene in genes for said in of_gene(heard, test, gene)]
        return told or _noted(heard, genes) or _in_its_notes(heard)
    if test == SEVERAL:
        return _of_several(heard)
    told = _of_one(heard, test)
    if _names_others_only(heard, test):
        shown = heard.words[:80]  # that one variant is absent is said of the other gene
        return [replace(s, outcome=INDETERMINATE, words=shown if s.words == OF_ONE else s.words) for s in told]
    return _of_flt3_in_parts(heard, told) if test in _OF_FLT3 else _or_in_a_clause(heard, told)


def _of_one(heard: Heard, test: str) -> list[Said]:
    """What a test of one marker, or of one gene, says."""
    if test in (markers.ITD, markers.TKD):
        outcome, words = heard.answer(markers.FLT3)
        if outcome == ABSENT and test == markers.TKD and other_change(wording(heard.view.code, heard.reading.terms)):
            return [Said(test, ELSEWHERE, OF_ONE)]
        of_another = _of_the_other(heard, test) or (outcome == PRESENT and _is_another_place(heard, test))
        said = Said(test, INDETERMINATE if of_another else outcome, words)
        return [of_residual(said) if heard.residual else said]
    return of_gene(heard, test, markers.KMT2A if test.startswith(FUSION_TEST) else test)


def _of_the_other(heard: Heard, test: str) -> bool:
    """Whether words alone answer a test of ITD or of TKD, and state the other one only: "ITD 30 bp; TKD negative"."""
    view, terms = heard.view, heard.reading.terms
    if not _in_words_alone(view):
        return False
    named = [variants.shown((markers.FLT3,), clause, terms) for clause in stating(value_words(view), terms)]
    return bool(named) and all(each and test not in each for each in named)


def _is_another_place(heard: Heard, test: str) -> bool:
    """Whether the answer to a test of TKD is a duplication where those of ITD lie, and nothing else of TKD."""
    terms = heard.reading.terms
    in_place = test == markers.TKD and variants.lies_in(markers.ITD, heard.words, terms)
    return in_place and markers.TKD not in variants.shown((markers.FLT3,), heard.words, terms)


def _in_words_alone(view: Observation) -> bool:
    """Whether no code, no boolean and no component says anything of its answer."""
    coded = view.valueCodeableConcept is not None and view.valueCodeableConcept.coding
    return not (coded or view.component or view.interpretation or view.valueBoolean is not None)


def _names_others_only(heard: Heard, test: str) -> bool:
    """Whether words alone answer a test of one gene, and state what they state of other genes: "IDH2 negative"."""
    view = heard.view
    if not _in_words_alone(view):
        return False
    asked = markers.KMT2A if test.startswith(markers.KMT2A) else markers.FLT3 if test in _OF_FLT3 else test

    def own(part: str) -> bool:
        return asked in markers.genes_in(part) or (asked == markers.FLT3 and bool(markers.bare(part)))

    text, terms = value_words(view), heard.reading.terms
    genes = [markers.genes_in(markers.with_flt3_named(clause)) for clause in stating(text, terms)]
    bare = asked == markers.FLT3 and any(markers.bare(clause) for clause in stating(text, terms))
    of_others = bool(genes) and not bare and all(each and asked not in each for each in genes)
    return of_others or states_of_others_only(text, own, terms)


def _or_in_a_clause(heard: Heard, told: list[Said]) -> list[Said]:
    """The same; where a text alone answers, and not in one word, what its clauses say as those of a report do.

    What a comma parts may be one statement or two.
    """
    view = heard.view
    alone = not (view.component or view.interpretation or view.dataAbsentReason or heard.residual)
    if not alone or "," in (view.valueString or ",") or any(said.outcome != INDETERMINATE for said in told):
        return told
    read = [said for said in reported(view, heard.reading) if said.outcome in (PRESENT, ABSENT)]
    known = {said.marker for said in read}
    return [*read, *(said for said in told if said.marker not in known)]


def _of_flt3_in_parts(heard: Heard, told: list[Said]) -> list[Said]:
    """The same; where a text alone speaks of ITD and of TKD in parts of its own, what each part says of its marker.

    "D835Y, ITD negative" denies the one and leaves the other open, and neither goes for both.
    """
    view, reading = heard.view, heard.reading
    text = value_words(view)
    parts = [part for clause in parts_of(text) for part in clause]
    shown = {marks for part in parts if (marks := variants.shown((markers.FLT3,), part, reading.terms))}
    alone = _in_words_alone(view) and view.dataAbsentReason is None and not heard.residual
    if len(shown) < 2 or not alone or not stating(text, reading.terms):
        return _or_in_a_clause(heard, told)
    named = "; ".join(markers.with_flt3_named(",".join(clause)) for clause in parts_of(text))
    read = [replace(said, words=text[:80]) for said in hinted_by(named, reading) if said.marker in _OF_FLT3]
    known = {said.marker for said in read}
    unsaid = [replace(said, outcome=INDETERMINATE) for said in told if said.marker not in known]
    return [*read, *unsaid]


def _of_several(heard: Heard) -> list[Said]:
    """What a test of several genes says: not found is none of them; found is one of them, and nobody says which."""
    view, reading = heard.view, heard.reading
    if markers.genes_in(value_words(view)):
        return reported(view, reading)
    name = all_text(view.code)
    genes, (outcome, words) = markers.genes_in(name), heard.answer("")
    if outcome == ABSENT:
        return [said for gene in genes for said in of_gene(heard, gene, gene)]
    shown = variants.shown((markers.FLT3,), name, reading.terms) if markers.FLT3 in genes else ()
    asked = [each for gene in genes for each in (shown if gene == markers.FLT3 and shown else markers.MARKERS_OF[gene])]
    unsaid = f"a test of several genes, and of which is not stated: {words}"
    return [Said(marker, UNSTATED if outcome == PRESENT else outcome, unsaid) for marker in asked]


def _noted(heard: Heard, genes: tuple[str, ...]) -> list[Said]:
    """A variant of genes of which no rule asks: told, so that resistance is seen where it was found."""
    others = "::".join(heard.partners)
    return [Said(others, *heard.answer(""))] if others and not genes else []


def _in_its_notes(heard: Heard) -> list[Said]:
    """A variant that names no gene but in a note, as tumour registries send it: the note is the name of the test.

    Where the note tells of an outcome too, it has to be that of the result; what else it says leaves its genes open. So
    does another gene beside, and a change among the components that is none of the genes of the note.
    """
    view, reading = heard.view, heard.reading
    found: list[Said] = []
    for note in view.note or ():
        words = " ".join((note.text or "").split())
        if not markers.genes_in(words) or not reading.follows(words):
            continue
        test = named_test(phrase(words, reading.terms))
        stated = hinted_by(words, reading)
        genes = markers.genes_in(words)
        foreign = heard.other_change and not variants.shown(genes, heard.words, reading.terms)
        if foreign or (names_another_gene(words, reading.terms) and not stated):
            told = []
        elif test is not None and not stated:
            renamed = replaced(view, code=CodeableConcept(text=words), component=None, note=None)
            told = said_by(Heard(renamed, reading), test)
        else:
            outcome = heard.answer("")[0]
            told = [said for said in stated if said.outcome == outcome] if outcome in (PRESENT, ABSENT) else []
        told = [*told, *unread(words, reading, {said.marker for said in told})]
        found += [replace(said, doubts=(*said.doubts, _IN_A_NOTE)) for said in told]
    return found


def _of_ratio(view: Observation, reading: Reading) -> Said:
    """The allelic ratio of FLT3-ITD: a measured share of mutated alleles; none measured says nothing."""
    ratio = ratio_of(view, reading)
    if ratio is None or view.dataAbsentReason is not None or not ratio.value:
        return Said(markers.ITD, ELSEWHERE, "no allelic ratio above zero was measured")
    return Said(markers.ITD, PRESENT, f"allelic ratio {ratio.value}", detail=Detail("allelic ratio", ratio=ratio))


_BY_PLACE = "told by its place in the gene, and not called an internal tandem duplication"


def _genes_named(heard: Heard) -> tuple[str, ...]:
    """Our genes that a variant is about: those that are coded, else those that its words name."""
    coded = heard.partners
    if {"PML", "RARA"} <= set(coded):
        return (markers.PML_RARA,)
    fused = "RUNX1T1" in coded
    found = tuple(gene for gene in coded if gene in markers.MARKERS_OF and not (fused and gene == "RUNX1"))
    if found:
        return found
    words = f"{all_text(heard.view.code)} {heard.words}"
    return genes_in(phrase(words.upper().replace("RUNX1", "") if fused else words, heard.reading.terms))


