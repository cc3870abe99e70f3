"""Markers beyond FLT3: susceptible variants only, rearrangements only, and CD33 as a share of blasts."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.fact import Fact, Key, State
from cds_service.facts.genomics.mutations import (
    CD33,
    FLT3_ITD,
    FLT3_TKD,
    IDH1,
    IDH2,
    KMT2A_R,
    MARKER_NAMES,
    MARKERS,
    NPM1,
    RUNX1,
    TP53,
    Mutation,
)
from tests.charts import TODAY, YESTERDAY, Json, chart, concept, observation, quantity

PRESENT, ABSENT = concept("LA9633-4"), concept("LA9634-2")
TESTS = {"IDH1": "100022-3", "IDH2": "100023-1", "NPM1": "75034-9", "TP53": "21739-8", "KMT2A": "38905-6",
         "FISH": "78219-3", "AF9": "21820-6", "report": "51969-4", "variant": "69548-6"}
HGNC = "http://www.genenames.org/geneId"


def outcome(fact: Fact[Mutation]) -> bool | None:
    return fact.value.present if fact.value else None


def said(key: Key[Mutation], test: str, words: str | Json) -> Fact[Mutation]:
    value: Any = {"valueString": words} if isinstance(words, str) else {"valueCodeableConcept": words}
    return chart(observation(TESTS[test], **value)).get(key)


def variant(gene: str, *changes: str, value: Json = PRESENT, significance: str | None = None) -> Json:
    parts = [{"code": concept("48018-6"), "valueCodeableConcept": concept(gene, system=HGNC)}]
    parts += [{"code": concept("48005-3"), "valueCodeableConcept": concept(text=change)} for change in changes]
    if significance:
        parts.append({"code": concept("53037-8"), "valueCodeableConcept": concept(significance)})
    return observation(TESTS["variant"]) | {"component": parts, "valueCodeableConcept": value}


@pytest.mark.parametrize(("key", "words", "present", "sure"), [
    (IDH1, "p.R132H", True, True), (IDH1, "p.Arg132Cys", True, True), (IDH1, "R132 mutation detected", True, True),
    (IDH1, "Detected", True, False), (IDH1, "Not detected", False, True), (IDH1, "p.G97D", None, False),
    (IDH1, "Detected: p.V178I", None, False), (IDH1, "see report", None, False), (IDH1, "R132=", None, False),
    (IDH2, "p.R140Q", True, True), (IDH2, "p.Arg172Lys", True, True), (IDH2, "p.R119Q", None, False),
    (IDH2, "wild type", False, True), (TP53, "p.R175H", True, True), (TP53, "Detected", True, True),
    (TP53, "p.P72R, benign", None, False), (TP53, "Negative", False, True),
    (NPM1, "type A", True, True), (NPM1, "p.W288Cfs*12", True, True), (NPM1, "positive", True, True),
    (NPM1, "NPM1 Typ A c.860_863dupTCTG", True, True),
    (NPM1, "NPM1-Mutation Typ A (c.860_863dupTCTG) VAF 38 %", True, True),
    (NPM1, "Typ D", True, True), (NPM1, "NPM1 mutation type B", True, True), (NPM1, "mutation de type A", True, True),
    (NPM1, "mutación tipo A", True, True), (NPM1, "c.863_864insTCTG", True, True),
    (NPM1, "c.863_864insCATG", True, True),
    (NPM1, "type A negative", None, False), (NPM1, "NPM1 Typ A, B, D nicht nachweisbar", None, False),
    (NPM1, "kein NPM1 Typ A", None, False), (NPM1, "c.860_863dupTCTG not detected", None, False),
    (NPM1, "exon 12 insertion not detected", False, True), (NPM1, "wild type", False, True),
    (NPM1, "type C", None, False), (NPM1, "Typ A nicht beurteilbar", None, False),
    (NPM1, "Typ A fraglich", None, False),
    (NPM1, "none detected", False, True), (NPM1, "positive, MRD 0.3 %", True, False),
    (NPM1, "MRD negative", None, False), (NPM1, "p.Leu287fs*13", True, True), (NPM1, "p.V19M", None, False),
])
def test_a_gene_test_counts_the_variants_that_matter(
    key: Key[Mutation], words: str, present: bool | None, sure: bool
) -> None:
    found = said(key, key.name, words)
    assert (outcome(found), found.sure) == (present, sure)


@pytest.mark.parametrize("status", ["registered", "preliminary", "final"])
def test_a_newer_result_without_a_value_is_no_indeterminate_one(status: str) -> None:
    old = observation(TESTS["IDH1"], "2025-01-02", "old", valueString="p.R132H")
    new = observation(TESTS["IDH1"], "2026-11-19", "new", status=status)
    found = chart(old, new).get(IDH1)
    assert (outcome(found), found.sure, found.doubts) == (True, False, ("a newer result has no value (2026-11-19)",))


def test_a_variant_not_stated_is_said_so() -> None:
    assert said(IDH1, "IDH1", PRESENT).doubts == ("the variant is not stated",)
    of_dna = said(IDH1, "IDH1", PRESENT | {"text": "NM_005896.4:c.395G>A"})
    assert of_dna.doubts == ("the variant is not stated as a protein change",)
    assert "unknown significance" in said(IDH2, "IDH2", "Detected: p.R119Q").why


@pytest.mark.parametrize(("name", "marker", "stated"), [
    ("IDH1 R132H", "IDH1", True), ("IDH1 p.Arg132Cys mutation", "IDH1", True), ("IDH1 R132", "IDH1", True),
    ("IDH2 R140Q", "IDH2", True), ("IDH2 R140/R172 mutation", "IDH2", True),
    ("IDH1 mutation", "IDH1", False), ("IDH1 exon 4", "IDH1", False), ("IDH1 R132 and V178", "IDH1", False),
    ("IDH1 R132H/V178I", "IDH1", False), ("IDH2 R140Q and G145R", "IDH2", False),
])
def test_a_test_that_is_named_by_one_variant_states_it_where_it_is_positive(
    name: str, marker: str, stated: bool
) -> None:
    tested = chart(observation({"text": name}, valueCodeableConcept=PRESENT)).get(MARKER_NAMES[marker])
    assert tested.doubts == (() if stated else ("the variant is not stated",))


@pytest.mark.parametrize(
    ("name", "marker"), [("IDH1 V178I", "IDH1"), ("IDH1 p.Val178Ile", "IDH1"), ("IDH2 G145R", "IDH2")]
)
def test_a_test_that_is_named_by_a_variant_of_unknown_significance_is_no_target(name: str, marker: str) -> None:
    found = chart(observation({"text": name}, valueCodeableConcept=PRESENT)).get(MARKER_NAMES[marker])
    assert (found.value, "unknown significance" in found.why) == (None, True)


def test_a_test_that_is_named_by_one_variant_says_nothing_of_others_and_yields_to_what_was_found() -> None:
    for name, marker in (("IDH1 R132H", IDH1), ("IDH2 p.Arg140Gln", IDH2), ("TP53 R175H", TP53), ("NPM1 type A", NPM1)):
        absent = chart(observation({"text": name}, valueCodeableConcept=ABSENT)).get(marker)
        assert "says nothing of the others" in absent.why
    whole = (("IDH1 R132", IDH1), ("IDH2 R140 R172", IDH2), ("IDH1 mutation", IDH1), ("NPM1 exon 12", NPM1))
    for name, marker in whole:
        assert outcome(chart(observation({"text": name}, valueCodeableConcept=ABSENT)).get(marker)) is False
    other = {"code": concept("48005-3"), "valueCodeableConcept": concept(text="p.Val178Ile")}
    found = chart(observation({"text": "IDH1 R132H"}, valueCodeableConcept=PRESENT, component=[other])).get(IDH1)
    assert "unknown significance" in found.why


@pytest.mark.parametrize(("test", "words", "present"), [
    ("FISH", PRESENT, True), ("FISH", ABSENT, False), ("FISH", "Positive", True),
    ("KMT2A", "KMT2A-PTD detected", None), ("KMT2A", "Detected", None), ("KMT2A", "Not detected", None),
    ("KMT2A", "KMT2A rearrangement detected", True), ("KMT2A", "No KMT2A rearrangement detected", False),
    ("AF9", PRESENT, True), ("AF9", ABSENT, None), ("report", "KMT2A::MLLT3 fusion detected", True),
    ("report", "t(9;11)(p21;q23) KMT2A::MLLT3 present", True), ("report", "KMT2A-PTD present", None),
    ("report", "MLL rearrangement not detected", False), ("report", "KMT2A::MLLT3 not detected", None),
])
def test_only_a_rearrangement_of_kmt2a_counts(test: str, words: str | Json, present: bool | None) -> None:
    assert outcome(said(KMT2A_R, test, words)) is present


@pytest.mark.parametrize(("name", "key"), [
    ("Nucleophosmin 1 gene mutation", NPM1), ("Nucleophosmin 1 (NPM1) mutation", NPM1), ("NPM1 nucleophosmin 1", NPM1),
    ("FMS-like tyrosine kinase 3 internal tandem duplication", FLT3_ITD),
    ("FMS-like tyrosine kinase 3 (FLT3)-ITD", FLT3_ITD),
    ("Isocitrate dehydrogenase 2 R140Q", IDH2), ("IDH1 (isocitrate dehydrogenase 1) R132H", IDH1),
])
def test_a_gene_is_known_by_its_name_in_full(name: str, key: Key[Mutation]) -> None:
    assert outcome(chart(observation({"text": name}, valueCodeableConcept=PRESENT)).get(key)) is True
    assert outcome(chart(observation({"text": name}, valueString="not detected")).get(key)) is not True


def test_variants_are_read_by_gene() -> None:
    assert outcome(chart(variant("HGNC:5382", "p.Arg132His")).get(IDH1)) is True
    assert outcome(chart(variant("HGNC:5382", "p.Arg132His")).get(IDH2)) is None
    assert outcome(chart(variant("HGNC:5383", "p.R88Q")).get(IDH2)) is None
    assert outcome(chart(variant("HGNC:11998", "p.R175H")).get(TP53)) is True
    assert outcome(chart(variant("HGNC:11998", "p.R175H", significance="LA26333-7")).get(TP53)) is None
    assert outcome(chart(variant("HGNC:10471")).get(RUNX1)) is True
    assert outcome(chart(variant("HGNC:7132", "KMT2A::MLLT3")).get(KMT2A_R)) is True
    assert outcome(chart(variant("HGNC:7132", "KMT2A-PTD")).get(KMT2A_R)) is None


def test_two_genes_of_one_variant_are_a_fusion() -> None:
    found = variant("HGNC:7132")
    assert outcome(chart(found).get(KMT2A_R)) is None
    found["component"].append({"code": concept("48018-6"), "valueCodeableConcept": concept("HGNC:7136", system=HGNC)})
    assert outcome(chart(found).get(KMT2A_R)) is True
    assert outcome(chart(found | {"valueCodeableConcept": ABSENT}).get(KMT2A_R)) is None


def test_one_absent_variant_says_nothing_of_the_others_and_an_absent_site_does() -> None:
    assert outcome(chart(variant("HGNC:5382", "p.R132H", value=ABSENT)).get(IDH1)) is None
    assert outcome(chart(variant("HGNC:5382", "R132", value=ABSENT)).get(IDH1)) is False
    assert outcome(chart(variant("HGNC:5383", "R140", value=ABSENT)).get(IDH2)) is None
    assert outcome(chart(variant("HGNC:5383", "R140, R172", value=ABSENT)).get(IDH2)) is False


@pytest.mark.parametrize("words", [
    "None detected except R132C", "No mutation detected apart from p.R132C", "None detected: p.R132C",
    "p.R132C not detected", "none detected, bis auf R132C",
])
def test_a_denial_that_names_a_change_denies_no_other(words: str) -> None:
    assert said(IDH1, "IDH1", words).value is None
    assert outcome(said(IDH1, "IDH1", "R132 not detected")) is False


def test_a_fusion_of_runx1_is_no_mutation_of_it() -> None:
    found = variant("HGNC:10471")
    found["component"].append({"code": concept("48018-6"), "valueCodeableConcept": concept("HGNC:1535", system=HGNC)})
    assert outcome(chart(found).get(RUNX1)) is None


def test_a_negative_panel_is_negative_for_the_genes_that_it_names_only() -> None:
    words = "No mutations detected in FLT3, IDH1 and NPM1. TP53 p.R175H detected"
    read = chart(observation(TESTS["report"], valueString=words))
    told = {key.name: outcome(read.get(key)) for key in (FLT3_ITD, FLT3_TKD, IDH1, IDH2, NPM1, TP53)}
    assert told == {"FLT3-ITD": False, "FLT3-TKD": False, "IDH1": False, "IDH2": None, "NPM1": False, "TP53": True}


@pytest.mark.parametrize(("value", "present", "share"), [
    (62, True, "62 %"), (5, True, "5 %"), (0, False, "0 %"), (Ellipsis, None, None),
])
def test_cd33_is_a_share_of_the_blasts(value: Any, present: bool | None, share: str | None) -> None:
    if value is Ellipsis:
        found = chart(quantity("51155-0", 1, "%", valueQuantity={"value": 1, "comparator": "<", "unit": "%"})).get(CD33)
    else:
        found = chart(quantity("51155-0", value, "%")).get(CD33)
    assert outcome(found) is present
    if found.value:
        assert str(found.value.results[0].share) == share


def test_cd33_may_come_as_a_word_and_changes_with_time() -> None:
    assert outcome(chart(observation("51156-8", valueString="negative")).get(CD33)) is False
    both = chart(observation("51156-8", TODAY, valueString="positive"),
                 observation("51156-8", YESTERDAY, name="old", valueString="negative")).get(CD33)
    assert both.value is not None
    assert [each.outcome for each in both.value.results] == ["present", "absent"]


# Karyotypes, and words that cannot be read

KARYOTYPE = "59267-5"


def karyotype(text: str, **more: Any) -> Fact[Mutation]:
    return chart(observation(KARYOTYPE, valueString=text, **more)).get(KMT2A_R)


@pytest.mark.parametrize("text", [
    "46,XX,t(9;11)(p21;q23)[20]", "46,XY,t(9;11)(p21.3;q23.3)[15]/46,XY[5]", "47,XX,+8,t(6;11)(q27;q23)",
    "45~46,XY,-7,t(10;11)(p12;q23)[cp12]", "46,XX,t(11;19)(q23;p13.1)", "46,XX,t(4;11)(q21;q23)[18]/46,XX[2].",
])
def test_a_translocation_of_kmt2a_in_a_karyotype_counts_with_a_doubt(text: str) -> None:
    found = karyotype(text)
    assert (outcome(found), found.doubts) == (True, ("by its karyotype, which is no test of the gene",))
    assert outcome(karyotype(text, status="entered-in-error")) is None


@pytest.mark.parametrize("text", [
    "46,XX,?t(9;11)(p21;q23)", "46,XX,t(9;11)(p21;q23)c[20]", "no 46,XX,t(9;11)(p21;q23)", "46,XX,t(9;11)(p21;q13)",
    "46,XY,t(10;11)(p12;q14)", "46,XX,der(9)t(9;11)(p21;q23)", "previously 46,XX,t(9;11)(p21;q23), now 46,XX",
    "46,XX,t(9;11)(p21;q23)[2]//46,XY[18]", "nuc ish(KMT2Ax2)[200]", "nuc ish(KMT2A sep x1)", "11q23 see comment",
])
def test_a_karyotype_that_may_mean_something_else_is_not_read_and_is_said(text: str) -> None:
    found = karyotype(text)
    assert found.value is None
    assert found.state is State.UNREADABLE
    assert "could not be read" in found.why


@pytest.mark.parametrize("text", [
    "46,XX[20]", "46,XX,inv(3)(q21q26)[20]", "46,XY,del(17)(p13)", "46,XX,t(8;21)(q22;q22)",
])
def test_a_karyotype_of_something_else_says_nothing_of_any_marker(text: str) -> None:
    found = chart(observation(KARYOTYPE, valueString=text))
    assert {found.get(key).state for key in MARKERS} == {State.ABSENT}


def test_words_of_a_site_that_name_a_gene_are_said_and_decide_nothing() -> None:
    note = observation({"text": "Molecular studies, summary"}, valueString="FLT3-ITD positive, NPM1 wild type")
    for key in (FLT3_ITD, NPM1):
        found = chart(note).get(key)
        assert (found.value, found.state) == (None, State.UNREADABLE) and "could not be read" in found.why
    assert chart(note).get(IDH1).state is State.ABSENT
    coded = observation("79210-1", YESTERDAY, "coded", valueCodeableConcept=ABSENT)
    assert chart(coded, note).get(FLT3_ITD).sure


def test_words_that_cannot_be_read_earn_no_negative_for_the_rest_of_a_panel() -> None:
    note = observation({"text": "Summary"}, valueString="FLT3-ITD positive", name="note")
    covered = observation("51969-4", name="panel", component=[
        {"code": concept("48018-6"), "valueCodeableConcept": concept("HGNC:5382", system=HGNC)}])
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "Myeloid panel"},
              "subject": {"reference": "Patient/p1"}, "effectiveDateTime": TODAY,
              "result": [{"reference": "Observation/note"}, {"reference": "Observation/panel"}]}
    found = chart(note, covered, others=[report])
    assert found.get(IDH1).value is None and found.get(FLT3_ITD).value is None


@pytest.mark.parametrize(("name", "absent"), [
    ("FLT3 D835Y", None), ("FLT3 p.Asp835Tyr", None), ("FLT3 I836del", None), ("FLT3 D835", False),
    ("FLT3 TKD (D835/I836)", False), ("FLT3 TKD mutation", False),
    ("FLT3 gene p.Asp835+Ile836 [Presence] in Blood or Tissue by Molecular genetics method", False),
    ("FLT3 gene p.Asp835 mutations [Presence] in Blood or Tissue by Molecular genetics method", False),
])
def test_a_kinase_domain_of_which_one_variant_was_looked_for_is_not_negative(name: str, absent: bool | None) -> None:
    code = concept("72520-0", name) if "[Presence]" in name else {"text": name}
    assert outcome(chart(observation(code, valueCodeableConcept=ABSENT)).get(FLT3_TKD)) is absent
    assert outcome(chart(observation(code, valueCodeableConcept=PRESENT)).get(FLT3_TKD)) is True


@pytest.mark.parametrize("value", [
    {"valueCodeableConcept": PRESENT}, {"valueBoolean": True}, {"valueString": "siehe Befund"},
    {"interpretation": [PRESENT]}, {"valueCodeableConcept": ABSENT},
])
@pytest.mark.parametrize("name", ["FLT3-ITD (PCR, Fragmentanalyse)", "FLT3 Längenmutation", "FLT3-ITD Allel-Last"])
def test_a_result_of_a_site_whose_name_tells_our_gene_and_cannot_be_read_is_told(name: str, value: Json) -> None:
    found = chart(observation(concept("FLT3LM", name, "https://lab.example"), **value)).get(FLT3_ITD)
    assert (found.state, name in found.why) == (State.UNREADABLE, True)


def test_a_variant_in_columns_of_a_site_of_its_own_is_told() -> None:
    columns = {"Hugo_Symbol": "FLT3", "HGVSp_Short": "p.D835Y", "t_alt_freq": "0.34"}
    parts = [{"code": {"text": name}, "valueString": value} for name, value in columns.items()]
    found = chart(observation({"text": "Mutation"}, component=parts)).get(FLT3_TKD)
    assert (found.state, "FLT3" in found.why) == (State.UNREADABLE, True)


@pytest.mark.parametrize("silent", [
    {"code": concept("X1", "Molekulargenetik angefordert", "https://lab.example"), "valueBoolean": True},
    {"code": concept("X1", "FLT3-Ligand im Serum", "https://lab.example"), "status": "entered-in-error",
     "valueBoolean": True},
    {"code": concept("2823-3", "Kalium (FLT3-Studie)"), "valueQuantity": {"value": 4.1, "unit": "mmol/L"}},
    {"code": concept("X1", "Beta-2-Mikroglobulin", "https://lab.example"), "valueBoolean": True},
    {"code": concept("X1", "FLT3-ITD (PCR, Fragmentanalyse)", "https://lab.example")},
])
def test_a_result_that_names_none_of_our_genes_or_has_no_value_is_not_told(silent: Json) -> None:
    assert chart(observation("x") | silent).get(FLT3_ITD).state is State.ABSENT


@pytest.mark.parametrize("words", [
    "NPM1 mutation type A, FLT3-ITD negative", "NPM1: type A; FLT3: wild type", "type A, FLT3 negative",
    "FLT3-ITD negative, NPM1 type A", "NPM1 W288fs, FLT3-ITD negative",
])
def test_what_another_gene_lacks_is_not_told_of_the_one_that_was_asked(words: str) -> None:
    found = said(NPM1, NPM1.name, words)
    assert outcome(found) is None
    assert words in found.why and "absent" not in found.why
    assert "one variant of the gene is absent" in said(NPM1, NPM1.name, "type A negative").why
