"""Mutations: a negative has to be earned, a positive must say which, and contradictions decide nothing."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.fact import Fact, Key, State
from cds_service.facts.genomics.mutations import (
    CD33,
    FLT3_ITD,
    FLT3_TKD,
    IDH1,
    IDH2,
    KMT2A_R,
    NPM1,
    RUNX1,
    TP53,
    Mutation,
)
from cds_service.gather.replies import Status
from tests.charts import LAST_WEEK, LOINC, TODAY, YESTERDAY, Json, chart, concept, observation

ITD_TEST = {"coding": [{"system": LOINC, "code": "79210-1",
                        "display": "FLT3 gene internal tandem duplication [Presence] in Blood or Tissue"}]}
TKD_TEST = concept("72520-0", display="FLT3 gene p.Asp835+Ile836 [Presence] in Blood or Tissue")
GENE_TEST = concept("47958-4", display="FLT3 gene targeted mutation analysis")
VARIANT = "69548-6"
PRESENT, ABSENT, NO_CALL, UNSURE = (concept(code) for code in ("LA9633-4", "LA9634-2", "LA18198-4", "LA11884-6"))
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
HGNC = "http://www.genenames.org/geneId"


def itd(*observations: Json, **more: Any) -> Fact[Mutation]:
    return chart(*observations, **more).get(FLT3_ITD)


def tkd(*observations: Json) -> Fact[Mutation]:
    return chart(*observations).get(FLT3_TKD)


def outcome(fact: Fact[Mutation]) -> bool | None:
    return fact.value.present if fact.value else None


def coded(answer: Json, code: Json | str = ITD_TEST, when: str | None = TODAY, **more: Any) -> Json:
    name = f"g{crc32(f'{when}{answer}'.encode())}"
    return observation(code, when, name) | {"valueCodeableConcept": answer} | more


def text(words: str, code: Json | str = ITD_TEST, when: str | None = TODAY) -> Json:
    return observation(code, when, valueString=words)


def component(code: str, value: Json | str) -> Json:
    kind = "valueString" if isinstance(value, str) else "valueCodeableConcept"
    return {"code": concept(code), kind: value}


def variant(*components: Json, value: Json | None = PRESENT) -> Json:
    answer = {"valueCodeableConcept": value} if value else {}
    return observation(VARIANT) | {"component": list(components)} | answer


# A test of one marker


@pytest.mark.parametrize(("answer", "present"), [
    (PRESENT, True), (concept("LA11882-0"), True), (concept("LA6576-8"), True), (ABSENT, False),
    (concept("LA11883-8"), False), (concept("260415000", system="http://snomed.info/sct"), False),
    (concept("LA11883-8", text="nicht nachweisbar"), False), (concept(text="Not detected"), False),
])
def test_a_coded_answer_decides(answer: Json, present: bool) -> None:
    found = itd(coded(answer))
    assert (outcome(found), found.sure) == (present, True)
    assert tkd(coded(answer)).state is State.ABSENT


@pytest.mark.parametrize("words", [
    "Not detected", "NOT DETECTED.", "Negative", "none detected", "No mutation detected", "FLT3-ITD was not detected",
    "wild type", "Undetected", "not mutated", "not present", "No FLT3-ITD mutation detected",
    "No internal tandem duplication identified.", "Negative for FLT3-ITD", "Not detected. ITD/WT ratio 0.0",
    "Negative (mutant/wild-type ratio <0.01)", "FLT3 wild-type", "FLT3-ITD nicht nachgewiesen", "Keine Mutation",
    "FLT3-ITD non détectée", "No detectada", "ITD non rilevata", "FLT3-ITD: não detectada",
])
def test_words_that_say_so_are_a_negative(words: str) -> None:
    found = itd(text(words))
    assert (outcome(found), found.sure) == (False, True)


@pytest.mark.parametrize("words", ["positive", "Detected", "Present", "FLT3-ITD: detected (ratio 0.6)", "mutated",
    "ITD", "FLT3-ITD", "FLT3-ITD +", "ITD 45 bp, AR 0.6", "FLT3-ITD, allelic ratio 0.62", "FLT3-ITD in 41 % of reads",
    "FLT3-ITD (exon 14), VAF 0.30", "FLT3-ITD/wt ratio: 0.71", "ITD/WT ratio 0.62", "Positive; ITD/WT ratio 0.62",
    "Positive (mutant/wild-type ratio 0.62)", "Detected, ITD:WT 0.8", "FLT3 ITD present, ratio to wild-type 0.4",
    "DETECTED. Mutant to wild type allelic ratio = 0.5", "FLT3-ITD nachgewiesen", "FLT3-ITD détectée", "ITD detectada",
    "FLT3-ITD rilevata", "FLT3-ITD (VAF 12 %, LOD 1 %)", "FLT3-ITD, Allelfrequenz 35 %", "ITD, VAF 30 % (LOD <1 %)",
    "FLT3-ITD, likely pathogenic", "FLT3-ITD, tier I", "FLT3-ITD, subclonal, VAF 4 %", "mutated (+)", "positive β",
    "detected - VAF 30 %", "positive, ratio 0.5-0.6", "Detected, germline excluded",
    "Positive. APL excluded.", "Positive; contamination excluded", "Positiv, Kontamination ausgeschlossen",
    "Detected (polymorphisms excluded)", "Mutated (VAF 35%). Synonymous variants excluded from report.",
    "Mutation detected (intronic variants excluded)", "Positive, VAF: -", "Positive, ratio -", "positive; comment: -",
    "Positive, excluded: contamination", "Positive (αβ)", "Germline excluded, positive"])
def test_words_that_say_so_are_a_positive(words: str) -> None:
    assert outcome(itd(text(words))) is True


@pytest.mark.parametrize("words", [
    "", "see report", "haemolysed", "QNS", "pending", "indeterminate", "No call", "not tested", "not performed", "12",
    "not done", "Positive control failed", "neither confirmed nor present", "FLT3-ITD negative, ITD positive",
    "cannot say that it is not detected or detected", "mutation not clearly present", "below the limit, present?",
    "FLT3-ITD: see report", "FLT3-ITD cannot be excluded", "FLT3-ITD see comment", "FLT3-ITD result to follow",
    "FLT3-ITD, sent to reference lab", "FLT3 ITD 0%", "FLT3-ITD ratio 0.00", "FLT3-ITD -", "FLT3-ITD (-)", "FLT3-ITD?",
    "FLT3-ITD: N/A", "FLT3-ITD sample rejected", "FLT3-ITD: unclear", "Test for FLT3-ITD performed", "FLT3-ITD ordered",
    "FLT3-ITD/WT ratio 0.00", "FLT3-ITD/WT ratio <0.05", "FLT3-ITD/WT ratio", "FLT3-ITD ratio",
    "Aucune mutation détectée", "Pas de mutation détectée", "sem mutação detectada", "nessuna mutazione rilevata",
    "não foi detectada", "nicht eindeutig nachgewiesen", "früher nachgewiesen", "détectée au diagnostic",
    "FLT3-ITD mutation analysis", "FLT3-ITD status", "FLT3-ITD suspected", "possible FLT3-ITD", "FLT3-ITD awaited",
    "FLT3-ITD mut (-)", "mut -", "mutated (-)", "mutiert (-)", "mut（－）", "mut. (-)", "ITD(―)", "ITD(─)",
    "positive (-)", "positive ( - )", "positive - ", "mutation detected せず", "insertion detected 陰性",
    "positive 疑い", "positive не", "negative 疑い", "negative→positiveへ変化", "Positiv: nein",
    "positiv ausgeschlossen", "positiv auszuschließen", "detected: false", "positive excluded",
    "Mutation nachweisbar: nein", "positive: -", "false positive", "positiv wurde ausgeschlossen", "excluded: positive",
    "positive, excluded", "positive result was excluded", "Mutation (positive) excluded", "detected = false", "mut: -",
    "FLT3-ITD: -, NPM1 type A", "FLT3-ITD -, NPM1 W288fs", "ITD: -; p.D835Y (VAF 12 %)",
    "Blasts present, FLT3-ITD excluded",
    "IDH2 R140Q detected, FLT3-ITD and NPM1 excluded", "NPM1 nachgewiesen, FLT3-ITD und IDH1 ausgeschlossen",
    "Positive by PCR, excluded by NGS", "positiv konnte ausgeschlossen werden",
    "Positiv; Mutation sicher ausgeschlossen",
    "detected initially, excluded on confirmation", "positiv; Ergebnis falsch", "faux positif", "falso positivo",
    "vals positief", "mutation détectée a été écartée", "mutação detectada excluída",
])
def test_anything_else_is_neither(words: str) -> None:
    found = itd(text(words))
    assert (found.value, found.state in (State.UNREADABLE, State.FAILED)) == (None, True)


@pytest.mark.parametrize("more", [
    {"valueCodeableConcept": NO_CALL}, {"valueCodeableConcept": UNSURE}, {"valueCodeableConcept": concept("LA9663-1")},
    {"dataAbsentReason": concept("not-performed", system="x")}, {},
    {"valueCodeableConcept": concept("unknown", system="x")},
    {"valueCodeableConcept": concept(text="equivocal")}, {"valueQuantity": {"value": 0, "unit": "%"}},
])
def test_no_call_unknown_and_nothing_at_all_are_not_negative(more: Json) -> None:
    assert itd(observation(ITD_TEST, **more)).value is None


def test_silence_is_not_negative() -> None:
    assert (itd().state, itd().value) == (State.ABSENT, None)


@pytest.mark.parametrize("more", [
    {"valueCodeableConcept": ABSENT, "interpretation": [concept("10828004", system="http://snomed.info/sct")]},
    {"valueCodeableConcept": concept("LA9634-2", text="Positive")},
    {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9633-4"},
    {"system": LOINC, "code": "LA9634-2"}]}},
    {"valueString": "Detected", "interpretation": [concept("260385009", system="http://snomed.info/sct")]},
    {"valueCodeableConcept": PRESENT, "interpretation": [concept("NEG", system=INTERPRETATION)]},
    {"valueCodeableConcept": ABSENT, "interpretation": [concept("DET", system=INTERPRETATION)]},
])
def test_a_result_that_contradicts_itself_decides_nothing(more: Json) -> None:
    assert itd(observation(ITD_TEST, **more)).value is None


def test_a_translation_beside_a_coded_answer_leaves_it_as_it_is() -> None:
    found = itd(coded(concept("LA9633-4", display="Positive", text="陽性")))
    assert (outcome(found), found.sure) == (True, True)


def test_value_and_interpretation_that_agree_are_one_statement() -> None:
    found = itd(coded(PRESENT, interpretation=[concept("10828004", system="http://snomed.info/sct")]))
    assert (outcome(found), found.sure) == (True, True)


@pytest.mark.parametrize(("code", "present"), [
    ("POS", True), ("DET", True), ("NEG", False), ("ND", False), ("IND", None), ("E", None), ("A", None), ("H", None),
])
def test_an_interpretation_of_hl7_states_the_outcome_where_it_is_one(code: str, present: bool | None) -> None:
    told = observation(ITD_TEST, interpretation=[concept(code, system=INTERPRETATION)])
    assert outcome(itd(told)) is present


# A test of the gene


def test_a_negative_of_the_gene_covers_both_markers() -> None:
    both = chart(coded(ABSENT, GENE_TEST))
    assert (outcome(both.get(FLT3_ITD)), outcome(both.get(FLT3_TKD))) == (False, False)


def test_a_positive_of_the_gene_that_does_not_say_which_marks_neither() -> None:
    both = chart(coded(PRESENT, GENE_TEST))
    assert (both.get(FLT3_ITD).value, both.get(FLT3_TKD).value) == (None, None)
    named = concept("47958-4", text="FLT3 ITD and TKD")
    assert itd(coded(PRESENT, named)).value is None


@pytest.mark.parametrize(("words", "is_itd", "is_tkd"), [
    ("D835Y", None, True), ("p.Asp835Tyr", None, True), ("p.(Asp835Tyr)", None, True), ("FLT3-ITD", True, None),
    ("Positive: FLT3-TKD (D835Y)", None, True), ("ITD, D835H", True, True), ("p.Asp835=", None, None),
    ("no D835Y", None, None), ("D1835Y", None, None), ("V592A", None, None),
    ("ITD negative; D835Y positive", False, True),
])
def test_a_list_of_mutations_names_its_markers(words: str, is_itd: bool | None, is_tkd: bool | None) -> None:
    both = chart(text(words, GENE_TEST))
    assert (outcome(both.get(FLT3_ITD)), outcome(both.get(FLT3_TKD))) == (is_itd, is_tkd)


def test_a_negative_of_a_gene_test_for_one_marker_covers_that_marker_only() -> None:
    both = chart(coded(ABSENT, concept("47958-4", text="FLT3-ITD")))
    assert (outcome(both.get(FLT3_ITD)), both.get(FLT3_TKD).value) == (False, None)


# A variant of Genomics Reporting


def test_a_variant_is_read_by_gene_and_protein_change() -> None:
    found = variant(component("48018-6", concept("HGNC:3765", system=HGNC)),
        component("48005-3", concept(text="p.Asp835Tyr")))
    assert (outcome(tkd(found)), itd(found).value) == (True, None)


def test_a_variant_that_is_absent_is_negative_for_what_it_names_only() -> None:
    found = variant(component("48018-6", concept("HGNC:3765", system=HGNC, display="FLT3")),
                    component("48005-3", "p.D835Y"), value=ABSENT)
    assert (outcome(tkd(found)), itd(found).value) == (False, None)


def idh1(change: str, day: str, value: Json = PRESENT) -> Json:
    gene = component("48018-6", concept("HGNC:5382", system=HGNC, display="IDH1"))
    found = variant(gene, component("48005-3", concept(text=change)), value=value)
    return found | {"id": f"{change}-{day}-{value is ABSENT}", "effectiveDateTime": day}


@pytest.mark.parametrize("day", ["2026-11-16", "2026-11-10"])
@pytest.mark.parametrize("change", ["p.Arg132His", "p.R132H", "R132H"])
def test_a_change_that_was_found_is_in_doubt_where_a_result_as_new_denies_it(day: str, change: str) -> None:
    read = chart(idh1("p.Arg132His", "2026-11-10"), idh1(change, day, ABSENT)).get(IDH1)
    assert not read.sure and f"p.Arg132His is absent in a result of {day}" in read.doubts


@pytest.mark.parametrize(("change", "day"), [("p.Arg132Cys", "2026-11-16"), ("p.Arg132His", "2026-11-09")])
def test_another_change_that_is_absent_or_an_older_result_leaves_what_was_found(change: str, day: str) -> None:
    read = chart(idh1("p.Arg132His", "2026-11-10"), idh1(change, day, ABSENT)).get(IDH1)
    assert read.sure and read.value is not None and read.value.present


def test_an_absent_variant_of_the_gene_without_change_earns_no_negative() -> None:
    found = variant(component("48018-6", concept("HGNC:3765", system=HGNC, display="FLT3")), value=ABSENT)
    assert (itd(found).value, tkd(found).value) == (None, None)


def test_a_variant_of_another_gene_is_not_ours() -> None:
    found = variant(component("48018-6", concept("HGNC:6342", system=HGNC, display="KIT")),
        component("48005-3", "p.D835Y"))
    assert tkd(found).value is None


def test_what_a_component_denies_is_not_present() -> None:
    found = variant(component("48018-6", concept("HGNC:3765", system=HGNC, display="FLT3")),
        component("48005-3", "p.D835Y"),
                    component("81259-4", "FLT3-ITD not detected"))
    assert (outcome(tkd(found)), itd(found).value) == (True, None)


def test_a_variant_without_value_is_neither() -> None:
    assert tkd(variant(component("48018-6", concept(text="FLT3")), component("48005-3", "p.D835Y"),
        value=None)).value is None


# Several results


def test_the_newest_specimen_decides_in_any_order() -> None:
    for results in ((coded(ABSENT), coded(PRESENT, when=LAST_WEEK)), (coded(PRESENT, when=LAST_WEEK), coded(ABSENT))):
        found = itd(*results)
        assert (outcome(found), found.sure) == (False, True)
        assert found.value is not None
        assert [result.outcome for result in found.value.results] == ["absent", "present"]


@pytest.mark.parametrize("others", [("2026-11-20T20:00:00Z",), ("2026-11-20",), ("2026-11",)])
def test_contradictory_results_of_what_may_be_one_day_are_a_conflict(others: tuple[str, ...]) -> None:
    for one, other in ((PRESENT, ABSENT), (ABSENT, PRESENT)):
        found = itd(coded(one), *(coded(other, when=when) for when in others))
        assert (found.state, found.sure) == (State.CONFLICTING, False)


def test_undated_contradictory_results_are_a_conflict_and_an_undated_rival_leaves_a_doubt() -> None:
    assert itd(coded(PRESENT, when=None), coded(ABSENT, when=None)).state is State.CONFLICTING
    assert not itd(coded(ABSENT), coded(PRESENT, when=None)).sure


def test_a_newer_indeterminate_result_leaves_a_doubt() -> None:
    assert not itd(coded(UNSURE), coded(ABSENT, when=YESTERDAY)).sure
    assert itd(coded(ABSENT), coded(UNSURE, when=YESTERDAY)).sure


def test_a_preliminary_result_is_doubted_and_one_entered_in_error_does_not_count() -> None:
    assert itd(coded(ABSENT, status="preliminary")).doubts == ("preliminary",)
    assert itd(coded(ABSENT, status="entered-in-error")).state is State.ABSENT


def test_a_result_that_cannot_be_read_leaves_a_doubt() -> None:
    assert not itd(coded(ABSENT), coded(PRESENT) | {"effectiveDateTime": "20/11/2026"}).sure


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.FAILED, Status.NOT_ASKED])
def test_an_old_result_beside_an_unfinished_answer_is_not_sure(status: Status) -> None:
    assert not itd(coded(ABSENT), statuses={"genomics": status}).sure


@given(st.permutations([coded(PRESENT), coded(ABSENT, when=YESTERDAY), coded(ABSENT, when="2026-11-20"), coded(UNSURE),
                        coded(PRESENT, when=None), text("D835Y", GENE_TEST)]), st.integers(1, 6))
def test_the_order_of_the_resources_does_not_change_the_result(shuffled: list[Json], count: int) -> None:
    one, other = itd(*shuffled[:count]), itd(*sorted(shuffled[:count], key=str))
    assert (outcome(one), one.state, one.doubts) == (outcome(other), other.state, other.doubts)


@pytest.mark.parametrize(("share", "sure"), [(0, False), (0.4, True), (34, True)])
def test_a_variant_that_is_present_in_no_read_is_doubted(share: float, sure: bool) -> None:
    of_reads = {"code": concept("81258-6"), "valueQuantity": {"value": share, "unit": "%", "code": "%",
                "system": "http://unitsofmeasure.org"}}  # fmt: skip
    found = tkd(variant(component("48018-6", concept("HGNC:3765", "FLT3", HGNC)),
                        component("48005-3", {"text": "p.Asp835Tyr"}), of_reads))  # fmt: skip
    assert (outcome(found), found.sure) == (True, sure)


def test_a_text_of_present_with_a_share_of_nothing_is_doubted() -> None:
    assert not itd(text("FLT3-ITD detected, VAF 0 %")).sure
    assert itd(text("FLT3-ITD detected, VAF 4 %")).sure


# FLT3 that is changed, and nobody says how


def flt3(*components: Json, **more: Any) -> Json:
    return variant(component("48018-6", concept("HGNC:3765", "FLT3", HGNC)), *components) | more


def test_a_positive_of_flt3_that_does_not_say_which_is_told_for_both() -> None:
    both = chart(coded(PRESENT, GENE_TEST))
    for key in (FLT3_ITD, FLT3_TKD):
        assert (both.get(key).state, both.get(key).value) == (State.UNREADABLE, None)
        assert "whether ITD or TKD is not stated" in both.get(key).why


def test_the_marker_that_is_named_explains_the_positive_of_the_gene() -> None:
    told = chart(coded(PRESENT, GENE_TEST, id="a"), coded(PRESENT, id="b"), coded(ABSENT, TKD_TEST, id="c"))
    assert (outcome(told.get(FLT3_ITD)), told.get(FLT3_ITD).sure) == (True, True)
    assert (outcome(told.get(FLT3_TKD)), told.get(FLT3_TKD).sure) == (False, True)


def test_a_positive_of_the_gene_leaves_a_doubt_on_a_negative_of_one_marker_only() -> None:
    found = itd(coded(PRESENT, GENE_TEST, id="a"), coded(ABSENT, id="b"))
    assert (outcome(found), found.sure) == (False, False)
    assert "whether ITD or TKD is not stated" in found.doubts[0]


@pytest.mark.parametrize(("words", "present"), [
    ("Wildtyp", False), ("FLT3-ITD Wildtyp", False), ("im Wildtyp", False),
    ("Wildtyp, keine Mutation nachweisbar", False),
    ("wild type, no mutation detected", False), ("No mutation detected, wild type", False), ("unmutiert", False),
    ("kein Wildtyp", None), ("FLT3-ITD kein Wildtyp", None), ("nicht im Wildtyp", None), ("not wild type", None),
    ("Wildtyp nicht nachweisbar", None), ("wild-type allele not detected", None), ("kein Wildtyp-Allel", None),
    ("Wildtyp-Allel nachweisbar", None), ("FLT3-ITD positiv, Wildtyp-Allel nachweisbar", None),
    ("heterozygot (Wildtyp und mutiertes Allel)", None), ("heterozygot Wildtyp/Mutante", None),
    ("Wildtyp 60 %, Mutante 40 %", None), ("Wildtyp in 95% der Reads", None), ("60 % Wildtyp", None),
    ("mutant zu Wildtyp 0,4", None), ("nicht unmutiert", None), ("teils unmutiert", None),
    ("weitgehend Wildtyp", None), ("bei ED Wildtyp", None), ("Wechsel von Wildtyp zu Mutation", None),
    ("wild type and mutant peaks", None), ("loss of wild-type allele", None), ("no wild-type detected", None),
    ("no evidence of wild type", None), ("no deviation from wild type", False), ("100 % Wildtyp", False),
    ("not mutated; wild type", False), ("negative for mutation, wild-type sequence", False),
    ("only wild type, no mutant peak", False), ("wild type (LOD 5% mutant allele)", False),
    ("Wildtyp (Nachweisgrenze 1% mutiertes Allel)", False), ("wild type and ITD", None), ("wt/ITD", None),
    ("FLT3 wild type and ITD negative", False), ("unmutiert zu 60 %", None), ("overwegend wildtype", None),
])
def test_the_wild_type_is_a_negative_and_its_denial_is_none(words: str, present: bool | None) -> None:
    assert outcome(itd(observation("79210-1", valueString=words))) is present


BY_PLACE = ("told by its place in the gene, and not called an internal tandem duplication",)


@pytest.mark.parametrize(("change", "doubts"), [
    ("p.Asp600_Leu601dup", ()), ("p.(Ser574_Glu604dup)", ()), ("p.Y591_D600dup", ()), ("p.Tyr572_Tyr630dup", ()),
    ("p.(Y597_E598insDYVDFREYE)", BY_PLACE), ("p.Tyr591_Val592insTyrValAsp", BY_PLACE),
    ("p.(Lys602_Trp603ins21)", BY_PLACE), ("p.Gly613_Lys614insArgGluTyrGluTyrAspLeuLysTrp", BY_PLACE),
    ("c.1770_1793dup", BY_PLACE), ("c.1770_1793dup24", BY_PLACE), ("c.1793_1794insGAATATGAA", BY_PLACE),
    ("c.1770_1793dup (p.Tyr591_Glu598dup)", ()),
])
def test_a_duplication_of_flt3_in_the_codons_of_the_internal_ones_is_one(change: str, doubts: tuple[str, ...]) -> None:
    code = "48004-6" if change.startswith("c.") else "48005-3"
    found = itd(flt3(component(code, change)))
    assert (outcome(found), found.doubts) == (True, doubts)
    assert not itd(flt3(component(code, change)), coded(ABSENT, id="b")).sure


@pytest.mark.parametrize("words", ["p.Asp600_Leu601dup", "p.(Y597_E598insDYVDFREYE)", "c.1770_1793dup"])
def test_a_duplication_in_the_codons_of_itd_is_no_positive_of_a_test_of_tkd(words: str) -> None:
    found = tkd(text(words, {"text": "FLT3-TKD"}))
    assert (found.state, found.value) == (State.UNREADABLE, None)


@pytest.mark.parametrize("words", [
    "FLT3 D835Y and KIT p.Y578_D579dup detected", "KIT: p.Y578_D579dup / FLT3-TKD mutated",
    "FLT3 mutated, BCOR p.S600_S601dup",
    "ASXL1 c.1770_1793dup / FLT3 mutated", "FLT3 mutated; p.D600_L601dup in KIT",
])
def test_a_duplication_of_another_gene_is_none_of_flt3(words: str) -> None:
    for code in ({"text": "Myeloid NGS panel"}, concept("69548-6"), {"text": "FLT3"}):
        assert outcome(itd(text(words, code))) is None


@pytest.mark.parametrize("words", ["FLT3 p.D600_L601dup in AML with NPM1", "FLT3 p.D600_L601dup in NPM1-mutated AML"])
def test_a_disease_or_another_gene_that_is_mutated_takes_no_duplication_from_flt3(words: str) -> None:
    assert outcome(itd(text(words, {"text": "FLT3"}))) is True


@pytest.mark.parametrize("words", ["p.D600_L601dup FLT3, NPM1 mutated", "KIT wild type, FLT3 p.D600_L601dup"])
def test_a_duplication_of_flt3_beside_other_genes_is_one(words: str) -> None:
    assert outcome(itd(text(words, concept("69548-6")))) is not False


@pytest.mark.parametrize("words", ["nucleophosmin 3 negative", "FLT3 receptor negative", "receptor FLT3 absent"])
def test_another_gene_or_a_receptor_is_no_negative(words: str) -> None:
    found = chart(text(words, {"text": "Myeloid NGS panel"}))
    assert [outcome(found.get(key)) for key in (NPM1, FLT3_ITD, FLT3_TKD)] == [None] * 3


def test_a_name_in_full_of_either_idh_is_of_both() -> None:
    found = chart(text("isocitrate dehydrogenase 1/2 not detected", {"text": "Myeloid NGS panel"}))
    assert [outcome(found.get(key)) for key in (IDH1, IDH2)] == [False, False]
    found = chart(text("isocitrate dehydrogenase 1/2 mutated", {"text": "Myeloid NGS panel"}))
    assert True not in [outcome(found.get(key)) for key in (IDH1, IDH2)]


@pytest.mark.parametrize("words", [
    "FLT3-ITD negative, p.Asp600_Leu601dup", "p.Asp600_Leu601dup not detected", "FLT3-ITD negativ, p.Y591_D600dup",
])
def test_a_negative_of_itd_beside_the_place_of_one_is_none(words: str) -> None:
    for code in (ITD_TEST, {"text": "FLT3"}, {"text": "Myeloid NGS panel"}):
        assert outcome(itd(text(words if code == ITD_TEST else f"FLT3: {words}", code))) is None


@pytest.mark.parametrize("change", ["p.(Y597_E598insDYVDFREYE)", "p.Asp600_Leu601dup", "c.1770_1793dup"])
def test_one_duplication_of_flt3_that_is_absent_says_nothing_of_the_others(change: str) -> None:
    code = "48004-6" if change.startswith("c.") else "48005-3"
    found = itd(flt3(component(code, change)) | {"valueCodeableConcept": ABSENT})
    assert (found.state, found.value) == (State.UNREADABLE, None)


@pytest.mark.parametrize("change", [
    "p.Asp839_Ser840dup", "p.(Ser451_Val452insGly)", "p.Tyr571_Leu576dup", "p.Val624_Glu631dup", "p.Tyr599dup",
    "p.Leu601_Lys602insArg", "p.Glu598_Tyr599insTer", "p.Asp593_Phe594insTyrVal*", "p.Glu598_Tyr599insGlyfs*12",
    "p.Phe594_Arg595delinsTyrTyr", "c.1770_1792dup", "c.1770_1772dup", "c.1772_1773insGAT",
    "c.1793_1794insCC", "c.2520_2525dup",
])
def test_another_duplication_of_flt3_without_its_exon_is_told_and_is_none_of_them(change: str) -> None:
    code = "48004-6" if change.startswith("c.") else "48005-3"
    found = itd(flt3(component(code, change)))
    assert (found.state, found.value) == (State.UNREADABLE, None)
    assert change in found.why
    assert itd(flt3(component(code, change)), coded(PRESENT, id="b")).sure
    assert not itd(flt3(component(code, change)), coded(ABSENT, id="b")).sure


@pytest.mark.parametrize("exon", ["Exon 14", "Exon #14", "exon 15", "Exon 14-15"])
def test_a_duplication_of_flt3_with_its_exon_beside_it_is_an_internal_tandem_duplication(exon: str) -> None:
    region = {"code": concept("47999-8"), "valueString": exon}
    assert outcome(itd(flt3(component("48005-3", "p.(Glu598_Tyr599dup)"), region)))


@pytest.mark.parametrize("panel", ["RNA fusion panel", "Gene fusion analysis", "Fusion gene panel (RNA sequencing)"])
def test_a_report_of_a_fusion_panel_in_words_tells_a_rearrangement(panel: str) -> None:
    told = chart(observation({"text": panel}, valueString="KMT2A::MLLT3 fusion detected")).get(KMT2A_R)
    assert outcome(told)


@pytest.mark.parametrize(("code", "change"), [("48005-3", "p.Asn841Lys"), ("48005-3", "p.N676K"),
    ("48004-6", "c.2523C>A")])
def test_another_change_of_flt3_is_told_beside_its_kinase_domain(code: str, change: str) -> None:
    found = chart(flt3(component(code, change)))
    assert (found.get(FLT3_TKD).state, found.get(FLT3_ITD).state) == (State.UNREADABLE, State.ABSENT)
    assert change in found.get(FLT3_TKD).why


def test_a_variant_of_flt3_without_any_change_is_told_for_both() -> None:
    found = chart(flt3())
    assert {found.get(key).state for key in (FLT3_ITD, FLT3_TKD)} == {State.UNREADABLE}


# Tests that are named in words: several genes at once, a loss, a rearrangement


def named(name: str, value: str) -> Json:
    return observation({"text": name}, valueString=value)


@pytest.mark.parametrize("name", ["IDH1/2 mutation", "IDH1 and IDH2 mutation analysis", "IDH1/IDH2"])
def test_a_negative_of_two_genes_is_one_of_both_and_a_positive_of_neither(name: str) -> None:
    absent, present, pending = (chart(named(name, value)) for value in ("Not detected", "positive", "pending"))
    for key in (IDH1, IDH2):
        assert (outcome(absent.get(key)), absent.get(key).sure) == (False, True)
        assert (present.get(key).value, "several genes" in present.get(key).why) == (None, True)
        assert pending.get(key).state is State.UNREADABLE
    which = chart(named(name, "IDH2 R140Q positive"))
    assert (outcome(which.get(IDH2)), which.get(IDH1).value) == (True, None)


def test_a_negative_of_one_marker_of_flt3_and_of_another_gene_says_nothing_of_the_other_marker() -> None:
    told = chart(named("FLT3-ITD and NPM1", "negative"))
    assert (outcome(told.get(FLT3_ITD)), outcome(told.get(NPM1)), told.get(FLT3_TKD).value) == (False, False, None)


@pytest.mark.parametrize(("key", "name"), [(TP53, "TP53 (17p) FISH"), (TP53, "TP53 deletion"), (RUNX1, "RUNX1 FISH")])
@pytest.mark.parametrize("value", ["negative", "positive"])
def test_a_test_of_a_loss_or_a_break_is_none_of_a_mutation(key: Key[Mutation], name: str, value: str) -> None:
    for told in (chart(named(name, value)).get(key), chart(text(f"{name}: {value}", "51969-4")).get(key)):
        assert (told.value, "says nothing of a mutation" in told.why) == (None, True)
    assert outcome(chart(named(f"{name} and mutation analysis", "negative")).get(key)) is False


@pytest.mark.parametrize("name", ["KMT2A (11q23) rearrangement FISH", "KMT2A break-apart", "KMT2A (MLL) rearrangement"])
@pytest.mark.parametrize(("value", "present"), [("negative", False), ("positive", True)])
def test_the_break_of_kmt2a_is_told_by_each_of_its_names(name: str, value: str, present: bool) -> None:
    assert outcome(chart(named(name, value)).get(KMT2A_R)) is present


def test_a_gene_and_its_outcome_in_one_word_are_told_and_not_read() -> None:
    told = chart(text("NPM1mut, FLT3wt", "51969-4"))
    assert {told.get(key).state for key in (NPM1, FLT3_ITD, FLT3_TKD)} == {State.UNREADABLE}


# A change of DNA, of no protein, of no certain meaning


@pytest.mark.parametrize(("key", "change", "present"), [
    (FLT3_TKD, "c.2503G>T", True), (FLT3_TKD, "c.2508C>G", True), (FLT3_TKD, "c.2509A>G", None),
])
def test_a_change_of_one_base_lies_in_a_codon(key: Key[Mutation], change: str, present: bool | None) -> None:
    found = chart(flt3(component("48004-6", change))).get(key)
    assert (outcome(found), found.sure) == (present, False)


@pytest.mark.parametrize(("hgnc", "key", "code", "change", "present"), [
    ("HGNC:5382", IDH1, "48004-6", "c.395G>A", True), ("HGNC:5382", IDH1, "48004-6", "c.532G>A", None),
    ("HGNC:5383", IDH2, "48004-6", "c.419G>A", True), ("HGNC:5383", IDH2, "48004-6", "c.421G>A", None),
    ("HGNC:7910", NPM1, "48004-6", "c.860_863dup", True), ("HGNC:7910", NPM1, "48004-6", "c.310G>A", None),
    ("HGNC:7910", NPM1, "48004-6", "c.847-7T>C", None), ("HGNC:11998", TP53, "48004-6", "c.375+5G>A", True),
    ("HGNC:11998", TP53, "48005-3", "p.Arg213=", None), ("HGNC:5383", IDH2, "48005-3", "p.(Gly145=)", None),
])
def test_a_change_that_cannot_be_the_one_that_counts_is_told_and_is_no_positive(
    hgnc: str, key: Key[Mutation], code: str, change: str, present: bool | None
) -> None:
    found = chart(variant(component("48018-6", concept(hgnc, system=HGNC)), component(code, change))).get(key)
    assert outcome(found) is present
    assert present or change in found.why


def test_a_variant_of_the_third_tier_is_of_uncertain_significance() -> None:
    parts = component("48018-6", concept("HGNC:11998", system=HGNC)), component("48005-3", "p.Arg175His")
    assert outcome(chart(variant(*parts, component("53037-8", {"text": "Tier III"}))).get(TP53)) is None
    assert outcome(chart(variant(*parts, component("53037-8", {"text": "Tier I"}))).get(TP53)) is True


def test_a_method_of_residual_disease_is_no_mutation_test() -> None:
    absent = coded(ABSENT, method={"text": "MRD by NGS"})
    assert itd(absent).value is None
    assert itd(absent, coded(PRESENT, when=LAST_WEEK)).sure


def test_words_that_name_cd33_and_cannot_be_read_are_told() -> None:
    told = chart(named("Flow cytometry", "Blasts positive for CD33, CD34, CD117")).get(CD33)
    assert (told.state, told.value) == (State.UNREADABLE, None)
    assert "CD33" in told.why


# Of whom the result is


@pytest.mark.parametrize("more", [
    {"specimen": {"display": "Donor peripheral blood"}}, {"specimen": {"display": "Buccal swab (germline control)"}},
    {"focus": [{"reference": "RelatedPerson/sibling"}]}, {"focus": [{"reference": "Patient/another"}]},
    {"focus": [{"display": "Sibling donor"}]},
    {"specimen": {"reference": "#s"}, "contained": [
        {"resourceType": "Specimen", "id": "s", "type": {"text": "Saliva"}, "subject": {"reference": "Patient/p"}}]},
])
@pytest.mark.parametrize("answer", [PRESENT, ABSENT])
def test_a_result_of_other_cells_than_those_of_the_leukaemia_decides_nothing(answer: Json, more: Json) -> None:
    found = itd(coded(answer) | more)
    assert (found.value, found.state) == (None, State.UNREADABLE)
    assert "not of the leukaemia" in found.why or "somebody or something else" in found.why


@pytest.mark.parametrize("more", [
    {"specimen": {"display": "Bone marrow aspirate"}}, {"focus": [{"reference": "Condition/aml"}]},
    {"specimen": {"display": "Blood after donor lymphocyte infusion"}},
    {"specimen": {"display": "Marrow, day 100 after sibling donor transplant"}},
    {"focus": [{"reference": "Patient/p1/_history/2"}], "subject": {"reference": "Patient/p1"}},
    {"focus": [{"reference": "https://ehr.example.org/fhir/Patient/p1"}],
     "subject": {"reference": "Patient/p1/_history/7"}},
    {"note": [{"text": "Sequenced at 500x. 98 % donor chimerism."}]},
    {"note": [{"text": "Variant allele fraction relative to wild type, relative expression 0.4"}]},
    {"note": [{"text": "Specimen not contaminated; sample mix-up excluded. Donor sample was not available"}]},
    {"specimen": {"display": "parent specimen: bone marrow"}},
    {"focus": [{"reference": "Patient/p1", "display": "Donor, Jane"}], "subject": {"reference": "Patient/p1"}},
])
def test_a_result_of_the_leukaemia_decides(more: Json) -> None:
    found = itd(coded(PRESENT) | more)
    assert (outcome(found), found.sure) == (True, True)


@pytest.mark.parametrize("words", [
    "Specimen mislabelled", "Donor sample, not of the patient", "Result invalid, please repeat", "Possible sample swap",
])
def test_a_note_of_a_wrong_specimen_is_a_doubt(words: str) -> None:
    found = itd(coded(PRESENT) | {"note": [{"text": words}]})
    assert (outcome(found), found.doubts) == (True, (f'its note says "{words}"',))


@pytest.mark.parametrize("specimen", [
    "Bone marrow, post allo-HSCT (unrelated donor)", "Bone marrow post matched sibling donor stem cell transplant",
    "chimerism donor/recipient", "Blood, germline and somatic panel", "Marrow; not germline",
    "Blood, tumor-normal, buccal swab as normal", "Moelle osseuse après greffe de donneur",
])
def test_a_specimen_named_with_other_cells_beside_the_patients_own_is_a_doubt(specimen: str) -> None:
    found = itd(coded(PRESENT) | {"specimen": {"display": specimen}})
    assert (outcome(found), found.sure) == (True, False)
    assert specimen in found.doubts[0]


@pytest.mark.parametrize("specimen", [
    "Donor bone marrow", "Pre-transplant donor blood", "HLA-matched sibling donor, blood", "Peripheral blood, donor",
])
def test_a_specimen_of_a_donor_before_the_graft_is_of_the_donor(specimen: str) -> None:
    assert itd(coded(PRESENT) | {"specimen": {"display": specimen}}).value is None


@pytest.mark.parametrize("note", ["Sample from a relative", "relative's specimen", "Possible contamination"])
def test_a_note_of_a_relatives_or_spoilt_specimen_stays_a_doubt(note: str) -> None:
    assert not itd(coded(PRESENT) | {"note": [{"text": note}]}).sure


@pytest.mark.parametrize(("origin", "sure"), [
    (concept("LA6683-2"), None), (concept(text="Germline"), None), (concept("LA6684-0"), True),
    (concept(text="Somatic"), True), (concept(text="Germline and somatic"), True),
    (concept(text="Germline excluded"), True), (concept(text="Germline variant"), None),
])
def test_a_germline_variant_is_none_of_the_leukaemia(origin: Json, sure: bool | None) -> None:
    gene = {"code": concept("48018-6"), "valueCodeableConcept": concept("HGNC:5383", system=HGNC)}
    change = {"code": concept("48005-3"), "valueCodeableConcept": concept(text="p.Arg140Gln")}
    source = {"code": concept("48002-0"), "valueCodeableConcept": origin}
    found = chart(variant(gene, change, source)).get(IDH2)
    assert outcome(found) is sure
    assert sure or "germline" in found.why


@pytest.mark.parametrize("words", ["KMT2A-PTD detected", "PTD present", "KMT2A-PTD not detected", "MLL-PTD positive"])
def test_a_partial_duplication_answers_no_test_of_a_rearrangement(words: str) -> None:
    found = chart(text(words, concept("78219-3", display="MLL gene rearrangements [Presence] by FISH"))).get(KMT2A_R)
    assert (found.value, found.state) == (None, State.UNREADABLE)


@pytest.mark.parametrize("words", ["Rearrangement detected (PTD not detected)", "Detected. Assay does not detect PTD"])
def test_an_answer_that_a_duplication_leaves_unclear_is_told_in_its_own_words(words: str) -> None:
    found = chart(text(words, concept("78219-3", display="MLL gene rearrangements [Presence] by FISH"))).get(KMT2A_R)
    assert found.state is State.UNREADABLE
    assert words in found.why


@pytest.mark.parametrize(("words", "present"), [
    ("KMT2A rearrangement detected", True), ("t(9;11) KMT2A::MLLT3 detected", True),
    ("no KMT2A rearrangement detected", False),
])
def test_a_test_of_a_rearrangement_reads_it_in_words(words: str, present: bool) -> None:
    found = chart(text(words, concept("78219-3", display="MLL gene rearrangements [Presence] by FISH"))).get(KMT2A_R)
    assert outcome(found) is present


def test_a_note_that_is_too_long_to_be_followed_is_a_doubt() -> None:
    found = itd(coded(PRESENT) | {"note": [{"text": "word " * 80_000}]})
    assert (outcome(found), found.sure) == (True, False)
    assert "not followed" in found.doubts[0]


@pytest.mark.parametrize(("name", "words", "present"), [
    ("Fusion", "MLL-AF9 fusion detected", True), ("Fusion analysis", "KMT2A::MLLT3 fusion detected", True),
    ("RNA sequencing", "BCR::ABL1 not detected; KMT2A::MLLT3 detected", True),
    ("Fusion", "No KMT2A fusion detected", False),
    ("Spinal fusion", "KMT2A::MLLT3 detected", None), ("Fusion biopsy", "KMT2A::MLLT3 detected", None),
    ("Fusion", "KMT2A::MLLT3 pending", None),
])
def test_an_analysis_of_fusions_in_words_tells_of_kmt2a(name: str, words: str, present: bool | None) -> None:
    found = chart(observation({"text": name}, valueString=words)).get(KMT2A_R)
    assert (found.value.present if found.value else None) is present
    assert found.state is (State.UNREADABLE if present is None else State.KNOWN)
