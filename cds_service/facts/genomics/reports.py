"""Reports: what one Observation says of our markers, whether it is a test of a marker, of a gene, a variant or words.

A positive of a gene that does not name its variant counts with a doubt where the variant matters. A test for residual
disease is no mutation test: its positive counts with a doubt, its negative says nothing of a relapse.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from msgspec.structs import replace as replaced

from cds_service.facts.concepts import Wording, all_text, is_of_catalogue, phrase, texts_of, told_once, wording
from cds_service.facts.genomics import expression, markers
from cds_service.facts.genomics.answers import denies
from cds_service.facts.genomics.details import RATIO, Detail, Part, from_words, ratio_of
from cds_service.facts.genomics.heard import Heard, other_change, partners, residual
from cds_service.facts.genomics.said import ELSEWHERE, OTHER_CHANGE, UNREAD, UNSTATED, Said
from cds_service.facts.genomics.unread import (
    apl_of_karyotype,
    may_tell,
    of_karyotype,
    own_words,
    unread,
    value_words,
    words_inside,
)
from cds_service.facts.genomics.wording import (
    ABSENT,
    INDETERMINATE,
    PRESENT,
    Spoken,
    is_plain,
    names_another_gene,
    parts_of,
    spoken,
    states_of_others_only,
    stating,
)
from cds_service.facts.values.results import Reading
from cds_service.gather.views import CodeableConcept, Observation
from cds_service.kept import as_written
from cds_service.knowledge.codes import VARIANT
from cds_service.knowledge.terms import Terms

_REPORTS = frozenset({"genomic_report", "karyotype_FISH"})  # reports in words about any gene
_BY_NUMBER_OR_WORDS = _REPORTS | {UNREAD, RATIO, markers.CD33}
_IN_WORDS = "genomic_report"
_SEVERAL = "several genes"
_IN_A_NOTE = "what was tested stands in a note"
_FUSION_TEST = "KMT2A_"
_OF_FLT3 = frozenset({markers.FLT3, markers.ITD, markers.TKD})
_NO_SHARE = re.compile(r"(?<![\d.,])0(?:[.,]0+)?\s?%")
_TOO_MUCH = "not followed: more text of reports than can be read in one call"


def tests_asked(terms: Terms) -> tuple[str, ...]:
    """The kinds of genomic tests that we read, so that what is asked for and what is read are one list."""
    tests = {key for key, category in terms.genomics.values() if category == "test" and _is_ours(key)}
    tests.discard(markers.PML_RARA)  # it is no target: read where it comes, and not asked for
    return (*sorted(tests), VARIANT)


def _is_ours(key: str) -> bool:
    return key in (*markers.MARKERS_OF, markers.ITD, markers.TKD, RATIO, *_REPORTS) or key.startswith(_FUSION_TEST)


@told_once
def test_of(said: Wording) -> str | None:
    """Which of our tests a result of that name is: a marker's, a gene's, a report in words, or a variant.

    Codes decide. A test without any code that we know may be named in words that name nothing else.
    """
    known = False
    for code in said.codes:
        key, category = said.terms.genomics.get(code, ("", ""))
        if key == VARIANT:
            return key
        if category == "test" and _is_ours(key):
            return key
        named = said.terms.observations.get(code)
        if named in ("cd33", expression.OF_CELLS):
            return markers.CD33
        known = known or bool(key or named)
    return None if known else _by_name(said)


def _by_name(said: Wording) -> str | None:
    """The test that the words name: one marker, one gene, or a panel that may tell of several."""
    name, terms = said.text, said.terms
    if not name:
        return None
    genes = markers.genes_in(name)
    if not genes and expression.named(said):
        return markers.CD33
    if not genes:
        panel = terms.words["panel name"].find(name) is not None and is_plain(name, terms)
        return _IN_WORDS if panel else None
    if not is_plain(name, terms) or re.search(r"\d(?:wt|neg)\b", name, re.IGNORECASE):
        return None
    if len(genes) > 1:
        return _SEVERAL
    if genes[0] == markers.KMT2A:
        return markers.KMT2A
    shown = markers.shown(genes, name, terms)
    return shown[0] if len(shown) == 1 and shown[0] in (markers.ITD, markers.TKD) else genes[0]


def tests_in(view: Observation, reading: Reading) -> list[tuple[str, Observation]]:
    """Every test that the Observation reports: itself, and those that stand in its components."""
    own = test_of(wording(view.code, reading.terms))
    found = [] if own is None else [(own, view)]
    for part in (view.component or ()) if own != VARIANT else ():
        inner = test_of(wording(part.code, reading.terms))
        left_over = inner == markers.CD33 and residual(wording(view.code, reading.terms))  # CD33 of the cells left over
        if inner is not None and inner not in (own, _IN_WORDS, VARIANT) and not left_over:
            fields = {name: getattr(part, name) for name in part.__struct_fields__}
            found.append((inner, Observation(**fields)))
    return found or ([(UNREAD, view)] if may_tell(view, reading) else [])


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
    if test == markers.ITD or not any((said.marker, said.outcome) == (markers.ITD, PRESENT) for said in told):
        return told
    texts = [said.words if test in _REPORTS else heard.named for said in told]
    return [_doubted(said, text, heard.reading) for said, text in zip(told, texts, strict=True)]


def _doubted(said: Said, text: str, reading: Reading) -> Said:
    """The same, with a doubt where the text has the place of an insertion and not its name."""
    if (said.marker, said.outcome) != (markers.ITD, PRESENT) or not markers.lies_in(markers.ITD, text, reading.terms):
        return said
    if markers.is_named_itd(text, reading.terms) or markers.is_duplicated(text):
        return said
    return replace(said, doubts=(*said.doubts, _BY_PLACE))


def _said_by(heard: Heard, test: str) -> list[Said]:
    view, reading = heard.view, heard.reading
    if test == UNREAD:
        return _of_a_sites_own(view, reading)
    if test == markers.CD33:
        return [expression.expression(view, reading)]
    if test in _REPORTS:
        return _reported(view, reading)
    if test == RATIO:
        return [_of_ratio(view, reading)]
    if test == VARIANT:
        genes = _genes_named(heard)
        told = [said for gene in genes for said in _of_gene(heard, test, gene)]
        return told or _noted(heard, genes) or _in_its_notes(heard)
    if test == _SEVERAL:
        return _of_several(heard)
    told = _of_one(heard, test)
    if _names_others_only(heard, test):
        return [replace(said, outcome=INDETERMINATE) for said in told]
    return _of_flt3_in_parts(heard, told) if test in _OF_FLT3 else _or_in_a_clause(heard, told)


def _of_one(heard: Heard, test: str) -> list[Said]:
    """What a test of one marker, or of one gene, says."""
    if test in (markers.ITD, markers.TKD):
        outcome, words = heard.answer(markers.FLT3)
        if outcome == ABSENT and test == markers.TKD and other_change(wording(heard.view.code, heard.reading.terms)):
            return [Said(test, ELSEWHERE, _OF_ONE)]
        said = Said(test, INDETERMINATE if _of_the_other(heard, test) else outcome, words)
        return [_of_residual(said) if heard.residual else said]
    return _of_gene(heard, test, markers.KMT2A if test.startswith(_FUSION_TEST) else test)


def _of_the_other(heard: Heard, test: str) -> bool:
    """Whether words alone answer a test of ITD or of TKD, and state the other one only: "ITD 30 bp; TKD negative"."""
    view, terms = heard.view, heard.reading.terms
    if not _in_words_alone(view):
        return False
    named = [markers.shown((markers.FLT3,), clause, terms) for clause in stating(value_words(view), terms)]
    return bool(named) and all(each and test not in each for each in named)


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
    read = [said for said in _reported(view, heard.reading) if said.outcome in (PRESENT, ABSENT)]
    known = {said.marker for said in read}
    return [*read, *(said for said in told if said.marker not in known)]


def _of_flt3_in_parts(heard: Heard, told: list[Said]) -> list[Said]:
    """The same; where a text alone speaks of ITD and of TKD in parts of its own, what each part says of its marker.

    "D835Y, ITD negative" denies the one and leaves the other open, and neither goes for both.
    """
    view, reading = heard.view, heard.reading
    text = value_words(view)
    parts = [part for clause in parts_of(text) for part in clause]
    shown = {marks for part in parts if (marks := markers.shown((markers.FLT3,), part, reading.terms))}
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
        return _reported(view, reading)
    name = all_text(view.code)
    genes, (outcome, words) = markers.genes_in(name), heard.answer("")
    if outcome == ABSENT:
        return [said for gene in genes for said in _of_gene(heard, gene, gene)]
    shown = markers.shown((markers.FLT3,), name, reading.terms) if markers.FLT3 in genes else ()
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
        test = _by_name(phrase(words, reading.terms))
        stated = hinted_by(words, reading)
        genes = markers.genes_in(words)
        foreign = heard.other_change and not markers.shown(genes, heard.words, reading.terms)
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


def _of_gene(heard: Heard, test: str, gene: str) -> list[Said]:
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
        return [_rearrangement(marker, test, outcome, words, _plainly(heard.named) + fused, reading)]
    if heard.residual:
        return [_of_residual(Said(marker, outcome, words))]
    if gene in markers.ANY_CHANGE and test != VARIANT and markers.of_a_loss(heard.named):
        return [Said(marker, ELSEWHERE, _OF_A_LOSS.format(words))]
    name = wording(heard.view.code, reading.terms)
    if outcome == PRESENT and gene in markers.VARIANT_MATTERS and _is_another(gene, name, heard):
        return [Said(marker, OTHER_CHANGE, f"variant of unknown significance: {name.words[:80]}")]
    of_one = test == VARIANT or heard.other_change or other_change(name)
    if outcome == ABSENT and of_one and not markers.whole_site(gene, heard.named, reading.terms):
        return [Said(marker, ELSEWHERE, _OF_ONE)]
    said = _judged(marker, gene, outcome, words, heard.words, reading)
    return [replace(said, doubts=()) if _UNSTATED in said.doubts and _is_stated(gene, name.words, reading) else said]


def _of_flt3(heard: Heard, test: str, outcome: str, words: str) -> list[Said]:
    """What a test of FLT3, or a variant of it, says of its markers."""
    if outcome == ABSENT and _is_one_duplication(heard.named, heard.reading):
        return [Said(markers.ITD, ELSEWHERE, _OF_ONE)]
    found = [Said(marker, outcome, words) for marker in _flt3_markers(heard, test, outcome)]
    noted = markers.noted(markers.FLT3, heard.words, heard.reading.terms)
    beside = [Said(marker, outcome, words) for marker in noted]
    return [*(found or _flt3_unnamed(heard, outcome, words)), *beside]


def _is_one_duplication(text: str, reading: Reading) -> bool:
    """Whether the text names one duplication by its place, and not all of them by their name."""
    terms = reading.terms
    return markers.lies_in(markers.ITD, text, terms) and not markers.is_named_itd(text, terms)


def _is_stated(gene: str, name: str, reading: Reading) -> bool:
    """Whether the name of a test states the variants that it looks for, and each of them counts: "IDH1 R132H"."""
    sites = _SITE.findall(name)
    return bool(sites) and all(markers.shown((gene,), site, reading.terms) for site in sites)


def _is_another(gene: str, name: Wording, heard: Heard) -> bool:
    """Whether the name of a test states changes of the gene, and its answer too, of which none counts: "IDH1 V178I"."""
    texts = (name.words, heard.words)
    return other_change(name) and not any(markers.shown((gene,), text, heard.reading.terms) for text in texts)


def _fusion_of_apl(heard: Heard, outcome: str, words: str) -> Said:
    """What a test of the fusion of PML and RARA, or a variant of both, says of it."""
    said = Said(markers.APL_FUSION, outcome, words)
    if heard.of_mrd:
        return _of_residual(said)
    if outcome == ABSENT and markers.one_breakpoint(heard.named):
        return replace(said, outcome=ELSEWHERE, words="one breakpoint was looked for: others are not excluded")
    return said


def _of_residual(said: Said) -> Said:
    """What a test for residual disease says: little of a relapse, and its negative nothing."""
    if said.outcome != PRESENT:
        return Said(said.marker, ELSEWHERE, f"a test for residual disease is no mutation test ({said.words})")
    return Said(
        said.marker, PRESENT, said.words, ("found by a test for residual disease, not by a mutation test",)
    )


def _of_ratio(view: Observation, reading: Reading) -> Said:
    """The allelic ratio of FLT3-ITD: a measured share of mutated alleles; none measured says nothing."""
    ratio = ratio_of(view, reading)
    if ratio is None or view.dataAbsentReason is not None or not ratio.value:
        return Said(markers.ITD, ELSEWHERE, "no allelic ratio above zero was measured")
    return Said(markers.ITD, PRESENT, f"allelic ratio {ratio.value}", detail=Detail("allelic ratio", ratio=ratio))


def _judged(marker: str, gene: str, outcome: str, words: str, text: str, reading: Reading) -> Said:
    """A positive of a gene whose variant decides: susceptible, of unknown significance, or not stated."""
    if outcome == PRESENT and markers.is_silent(text):
        return Said(marker, OTHER_CHANGE, f"a change that alters no protein: {words}")
    if markers.shown((gene,), text, reading.terms) or gene in markers.ANY_CHANGE or outcome == ABSENT:
        return Said(marker, outcome, words)
    if other_change(phrase(text, reading.terms)) or markers.dna_sites(gene, text, reading.terms) is False:
        return Said(marker, OTHER_CHANGE, f"variant of unknown significance: {words}")
    if outcome == PRESENT and gene in markers.VARIANT_MATTERS:
        return Said(marker, outcome, words, (_OF_DNA_ALONE if _OF_DNA.search(text) else _UNSTATED,))
    return Said(marker, outcome, words)


_OF_ONE = "one variant of the gene is absent, which says nothing of the others"
_OF_A_LOSS = "a deletion or a FISH was told of, which says nothing of a mutation: {}"
_BY_PLACE = "told by its place in the gene, and not called an internal tandem duplication"
_UNSTATED, _OF_DNA_ALONE = "the variant is not stated", "the variant is not stated as a protein change"
_SITE = re.compile(r"(?<![A-Za-z0-9])(?:p\.\(?)?[A-Z](?:[a-z]{2})?\d{2,4}(?:[A-Z](?:[a-z]{2})?)?(?![A-Za-z0-9])")
_OF_DNA = re.compile(r"(?<![A-Za-z0-9])[cg]\.\d")


def _plainly(text: str) -> str:
    """The text without what a name of KMT2A carries in brackets: "KMT2A (11q23) rearrangement"."""
    return re.sub(r"(?:(?<!\s)\s+)?\((?:11q23[^)]{0,60}|MLL1?|KMT2A)\)", "", text)


_OF_PARTIAL = "a partial tandem duplication is no rearrangement"


def _names_a_rearrangement(words: str, reading: Reading) -> bool:
    return bool(markers.shown((markers.KMT2A,), _plainly(words), reading.terms))


def _rearrangement(marker: str, test: str, outcome: str, words: str, text: str, reading: Reading) -> Said:
    """What a test of KMT2A says of a rearrangement."""
    whole = test in ("KMT2A_rearrangement", markers.REARRANGEMENT)
    one = markers.one_partner(text) or (test.startswith(_FUSION_TEST) and not whole)
    named = bool(markers.shown((markers.KMT2A,), text, reading.terms))
    if markers.only_partial(text) and not (whole or one):
        return Said(marker, ELSEWHERE, _OF_PARTIAL)
    if outcome == ABSENT and (one or not (whole or named)):
        return Said(marker, ELSEWHERE, "one fusion, or another change, was looked for: others are not excluded")
    if outcome == PRESENT and not (whole or one or named):
        return Said(marker, INDETERMINATE, f"whether KMT2A is rearranged is not stated: {words}")
    return Said(marker, outcome, words)


def _reported(view: Observation, reading: Reading) -> list[Said]:
    """What a report in words says, clause by clause: of the genes that it names, and of no other."""
    text = value_words(view)
    told = hinted_by(text, reading)
    told += of_karyotype(text)
    everything = f"{text} | {inside}" if (inside := words_inside(view, reading)) else text
    return [*told, *unread(everything, reading, {said.marker for said in told})]


def _of_a_sites_own(view: Observation, reading: Reading) -> list[Said]:
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
    return set(markers.shown(markers.genes_in(conclusion), conclusion, reading.terms)) - set(told)


def _in_words(told: Spoken, reading: Reading) -> list[Said]:
    """The markers of which a clause speaks."""
    gene, outcome, words = told.gene, told.outcome, told.clause[:80]
    marker = markers.MARKERS_OF[gene][0]
    if gene == markers.FLT3:
        shown = markers.shown((gene,), told.words, reading.terms)
        beside = markers.noted(gene, told.words, reading.terms)
        every = shown or (() if outcome == PRESENT or beside else markers.MARKERS_OF[gene])
        found = [Said(marker, outcome, words) for marker in (*every, *beside)] or _flt3_unstated(words)
    elif gene == markers.KMT2A:
        found = [_rearrangement(marker, "", outcome, words, _plainly(told.words), reading)]
    else:
        found = [_judged(marker, gene, outcome, words, told.words, reading)]
        if gene in markers.ANY_CHANGE and markers.of_a_loss(told.words):
            found = [Said(marker, ELSEWHERE, _OF_A_LOSS.format(words))]
    if gene == markers.PML_RARA and outcome == PRESENT and _is_doubtful(told, reading):
        found = [replace(said, outcome=INDETERMINATE) for said in found]
    if outcome == ABSENT and markers.other_change(told.words):
        unsaid = "one change of the gene is absent, which says nothing of the others"
        found = [replace(said, outcome=ELSEWHERE, words=unsaid) for said in found]
    detail = from_words(Detail("report in words", from_text=True), told.words)
    return [replace(said, detail=detail) for said in found]


def _is_doubtful(told: Spoken, reading: Reading) -> bool:
    """Whether a denial that nothing ends stands before the fusion, or a share of zero after it."""
    before, _, after = told.clause.partition(markers.ONE_NAME)
    ended = any(value == ABSENT for _, _, value in reading.terms.words["presence"].spans(before))
    return (denies(before) and not ended) or _NO_SHARE.search(after) is not None


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


@told_once
def genes_in(said: Wording) -> tuple[str, ...]:
    """Our genes that the words name."""
    return markers.genes_in(said.words)


def is_unnamed(view: Observation, reading: Reading) -> bool:
    """Whether it is a variant of a gene that nobody can tell: it may be one of ours."""
    return test_of(wording(view.code, reading.terms)) == VARIANT and not partners(view, reading)


def _flt3_unnamed(heard: Heard, outcome: str, words: str) -> list[Said]:
    """What a result of FLT3 leaves open that names neither marker: a duplication may be the one, another change not.

    Without it a gene that was found changed would be told as one of which there is no result.
    """
    if outcome == ABSENT:
        return []
    if markers.is_duplication(heard.words) or "delins" in heard.words:
        return [Said(markers.ITD, OTHER_CHANGE, f"a duplication or insertion, its exon not stated: {words}")]
    if outcome == PRESENT and markers.dna_sites(markers.FLT3, heard.words, heard.reading.terms):
        return [Said(markers.TKD, outcome, words, ("the variant is not stated as a protein change",))]
    if heard.other_change or markers.is_substitution(heard.words):
        return [Said(markers.TKD, OTHER_CHANGE, f"variant of unknown significance: {words}")]
    return _flt3_unstated(words)


def _flt3_unstated(words: str) -> list[Said]:
    """A change of FLT3 of which it is open whether it is an ITD or a TKD mutation."""
    unsaid = f"a change of FLT3, whether ITD or TKD is not stated: {words}"
    return [Said(marker, UNSTATED, unsaid) for marker in markers.MARKERS_OF[markers.FLT3]]


def _flt3_markers(heard: Heard, test: str, outcome: str) -> tuple[str, ...]:
    """The markers of FLT3 that the result speaks of.

    A negative result of the gene covers both, unless the test's own name is narrower; a positive one must say which.
    """
    terms = heard.reading.terms
    if test == VARIANT:
        return markers.shown((markers.FLT3,), heard.named, terms)
    texts = (all_text(heard.view.code), heard.words)
    tested, named = (markers.shown((markers.FLT3,), text, terms) for text in texts)
    if outcome == PRESENT:
        return named or (tested if len(tested) == 1 else ())
    return named or tested or markers.MARKERS_OF[markers.FLT3]
