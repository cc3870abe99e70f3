"""What a laboratory found reads back the same from every shape, and no damage makes a finding that was not there."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.facts.fact import Fact, State
from cds_service.facts.genomics.mutations import MARKER_NAMES, MARKERS, Mutation
from tests.charts import Json, chart
from tests.shapes.genomics import (
    DATES,
    GENE,
    Finding,
    coding,
    covered_gene,
    marker_test,
    observation,
    report,
    says_ratio,
    variant,
    writers,
)

FOUND = [Finding(marker, present) for marker in GENE for present in (True, False)]
EVERY = [(found, write) for found in FOUND for write in writers(found)]


def made(found: Finding, write: Callable[[Finding], list[Json]], dated: str = "effective") -> list[Json]:
    return [_without_none(each) for each in DATES[dated](write(found), found.day)]


def _without_none(content: Json) -> Json:
    return {key: value for key, value in content.items() if value is not None}


def read(resources: list[Json], marker: str) -> Fact[Mutation]:
    return chart(*resources).get(MARKER_NAMES[marker])


@pytest.mark.parametrize("dated", DATES)
@pytest.mark.parametrize(("found", "write"), EVERY, ids=lambda each: getattr(each, "__name__", None) or (
    f"{each.marker} {'present' if each.present else 'absent'}"))
def test_a_finding_reads_back_the_same(
    found: Finding, write: Callable[[Finding], list[Json]], dated: str
) -> None:
    fact = read(made(found, write, dated), found.marker)
    assert fact.value is not None, fact.why
    assert (fact.state, fact.value.present, str(fact.when), fact.doubts) == (
        State.KNOWN, found.present, found.day, ())


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 99), st.integers(5, 300), st.dates(date(2024, 1, 1), date(2026, 11, 18)))
def test_shares_ratios_and_dates_read_back_the_same(data: st.DataObject, share: int, parts: int, day: date) -> None:
    marker = data.draw(st.sampled_from(["FLT3-ITD", "IDH1", "NPM1", "TP53"]))
    ratio = str(Decimal(parts) / 100) if marker == "FLT3-ITD" else None
    found = Finding(marker, True, share, ratio, day.isoformat())
    write = data.draw(st.sampled_from([each for each in writers(found) if says_ratio(each)]))
    fact = read(made(found, write, data.draw(st.sampled_from(list(DATES)))), marker)
    assert fact.value is not None, fact.why
    detail = fact.value.results[0].detail
    assert (fact.value.present, str(fact.when)) == (True, found.day)
    assert detail.vaf is not None
    assert detail.vaf.value == share
    assert (detail.ratio.value if detail.ratio else None) == (Decimal(ratio) if ratio else None)


def _places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield (*path, key)
            yield from _places(value, (*path, key))
    elif isinstance(content, list):
        for place, value in enumerate(content):
            yield (*path, place)
            yield from _places(value, (*path, place))


JUNK: tuple[Any, ...] = (
    None, "", "?", 0, 1, -1, 1e300, True, [], {}, [[]], {"coding": []}, "unknown", "not tested", "pending",
    {"text": "see report"}, {"coding": [{"code": None}]}, "2026-13-45", "\x00", "LA18198-4", "cancelled",
)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_damage_makes_no_finding_that_was_not_there(data: st.DataObject) -> None:
    found, write = data.draw(st.sampled_from(EVERY))
    damaged = copy.deepcopy(made(found, write, data.draw(st.sampled_from(list(DATES)))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(_places(damaged))))
        holder: Any = damaged
        for step in place[:-1]:
            holder = holder[step]
        if data.draw(st.booleans()):
            holder[place[-1]] = copy.deepcopy(data.draw(st.sampled_from(JUNK)))
        else:
            del holder[place[-1]]
        if not damaged or not all(isinstance(each, dict) and each.get("resourceType") in (
                "Observation", "DiagnosticReport", "Specimen") for each in damaged):
            return
    told = chart(*damaged)
    for key in MARKERS:
        fact = told.get(key)
        if fact.value is None or not fact.sure:
            continue
        may_be = {found.marker}
        # a negative of the gene, or a panel that covered it, is one of both markers of FLT3
        if found.gene == "FLT3" and not fact.value.present and key.name != found.marker:
            continue
        assert key.name in may_be, (found, fact)
        assert fact.value.present is found.present, (found, fact)


SAID = ("FLT3-ITD FLT3 NPM1 IDH1 IDH2 TP53 KMT2A MLL no not detected positive negative wild type , ; . : ( ) ? "
        "possible and or but without R132H D835Y VAF 12% previously control pending the mutation never unlikely "
        "present absent")
TEXTS = st.lists(st.sampled_from(SAID.split(" ")), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_words_in_any_order_find_nothing_where_no_gene_or_no_outcome_stands(words: str) -> None:
    told = chart({"resourceType": "Observation", "id": "x", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "51969-4"}]}, "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-10", "valueString": words})
    low = words.lower()
    hedged = any(each in low for each in ("?", "possible", "previously", "control", "never", "unlikely"))
    for key in MARKERS:
        fact = told.get(key)
        if fact.value is None or not fact.sure:
            continue
        gene = {"KMT2A-r": ("kmt2a", "mll")}.get(key.name, (key.name.partition("-")[0].lower(),))
        assert any(each in low for each in gene)
        clauses = [each for each in low.replace(". ", ";").split(";") if any(name in each for name in gene)]
        outcomes = ("detected", "positive", "negative", "wild type", "present", "absent", "no ", "without", "mutation")
        assert any(each in clause for each in outcomes for clause in clauses)
        if all("?" in c or any(w in c for w in ("possible", "previously", "control", "never", "unlikely"))
               for c in clauses) and hedged:
            pytest.fail(f"hedged: {words!r} -> {fact}")


@given(st.text(max_size=60))
def test_any_text_can_be_read(words: str) -> None:
    told = chart({"resourceType": "Observation", "id": "x", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "51969-4"}]}, "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-10", "valueString": words})
    assert all(told.get(key).value is None for key in MARKERS)


# Reports, specimens and dates


def test_a_filing_date_alone_leaves_open_when_the_specimen_was_taken() -> None:
    [result] = variant(Finding("IDH1", True))
    fact = read([result | {"issued": "2026-11-10T08:00:00Z"}], "IDH1")
    assert str(fact.when) == "2026-11-10 as filed"
    assert fact.doubts == ("filed on 2026-11-10, specimen date not stated",)
    assert fact.when is not None
    assert fact.when.filed


def test_a_report_lends_its_date_and_its_specimen() -> None:
    [result] = variant(Finding("IDH1", True))
    named = report(result=[{"reference": "https://ehr.example/fhir/Observation/g1/_history/2"}],
                   effectiveDateTime="2026-11-09", issued="2026-11-12T08:00:00Z")
    assert str(read([result, named], "IDH1").when) == "2026-11-09"


@pytest.mark.parametrize(("status", "present", "words"), [
    ("final", True, ""), ("preliminary", True, "its report: preliminary"), ("cancelled", None, "cancelled"),
    ("entered-in-error", None, "entered in error"),
])
def test_what_a_report_is_worth_its_results_are(status: str, present: bool | None, words: str) -> None:
    [result] = variant(Finding("IDH1", True))
    named = report(result=[{"reference": "Observation/g1"}], status=status, effectiveDateTime="2026-11-09")
    fact = read([result, named], "IDH1")
    assert (fact.value.present if fact.value else None) is present
    assert words in f"{fact.why} {' '.join(fact.doubts)}"


def test_a_conclusion_that_leaves_open_which_change_of_flt3_was_found_is_told() -> None:
    for told in ({"conclusion": "FLT3 mutation detected. NPM1 wild type."}, {
        "conclusionCode": [{"text": "Acute myeloid leukemia with FMS-like tyrosine kinase-3 mutation detected"}],
    }):
        for marker in ("FLT3-ITD", "FLT3-TKD"):
            fact = read([report(effectiveDateTime="2026-11-09", **told)], marker)
            assert (fact.value, "whether ITD or TKD is not stated" in fact.why) == (None, True), told


def test_a_conclusion_of_a_change_of_flt3_leaves_nothing_open_where_a_result_says_which() -> None:
    told = panel_with("FLT3-ITD", variant_of("FLT3", "p.Asp835Tyr"), conclusion="FLT3 mutation detected")
    assert read(told, "FLT3-TKD").sure
    assert "conclusion" not in read(told, "FLT3-ITD").why


def test_a_conclusion_is_a_hint_only() -> None:
    told = report(conclusion="FLT3-ITD detected. IDH1 wild type.", effectiveDateTime="2026-11-09")
    for marker in ("FLT3-ITD", "IDH1"):
        fact = read([told], marker)
        assert (fact.value, fact.state) == (None, State.UNREADABLE)
        assert "conclusion" in fact.why
    [result] = variant(Finding("IDH1", True))
    fact = read([result | {"effectiveDateTime": "2026-11-01"}, told], "IDH1")
    assert (fact.value is not None and fact.value.present, fact.doubts) == (True, ())


def test_a_covered_gene_is_negative_only_when_every_result_came() -> None:
    region, listed = made(Finding("IDH1", False), covered_gene)
    assert read([region, listed], "IDH1").sure
    assert read([region], "IDH1").value is None
    more = listed | {"result": [*listed["result"], {"reference": "Observation/not-sent"}]}
    assert read([region, more], "IDH1").value is None
    assert read([region, listed], "IDH2").value is None
    assert read([region | {"status": "cancelled"}, listed], "IDH1").value is None


def test_sequencing_of_a_gene_finds_no_rearrangement_and_may_miss_a_duplication() -> None:
    assert read(made(Finding("KMT2A-r", False), covered_gene), "KMT2A-r").value is None
    fact = read(made(Finding("FLT3-ITD", False), covered_gene), "FLT3-ITD")
    assert not fact.sure
    assert read(made(Finding("FLT3-TKD", False), covered_gene), "FLT3-TKD").sure


def test_a_variant_of_a_gene_that_nobody_can_tell_spoils_what_the_panel_covered() -> None:
    region, listed = made(Finding("IDH1", False), covered_gene)
    nameless = observation(coding("69548-6"), "n1", valueCodeableConcept=coding("LA9633-4"))
    named = listed | {"result": [*listed["result"], {"reference": "Observation/n1"}]}
    assert read([region, nameless, named], "IDH1").value is None


@pytest.mark.parametrize("gene", [coding("HGNC:11389", "http://www.genenames.org/geneId", display="STK11"),
                                  coding("HGNC:11389", "urn:oid:2.16.840.1.113883.6.281")])
def test_a_variant_of_a_gene_of_which_nobody_asks_spoils_nothing_where_its_code_says_which(gene: Json) -> None:
    other = variant_of("HGNC:11389", "p.Gly242Glu")
    other["component"][0]["valueCodeableConcept"] = gene
    assert read(panel_with("IDH1", other), "IDH1").sure


def test_a_code_that_is_none_of_a_gene_still_spoils_what_the_panel_covered() -> None:
    for unclear in (coding("11389", "http://www.ncbi.nlm.nih.gov/gene"), coding("STK", "http://www.genenames.org")):
        other = variant_of("HGNC:11389", "p.Gly242Glu")
        other["component"][0]["valueCodeableConcept"] = unclear
        assert read(panel_with("IDH1", other), "IDH1").value is None


def registry(code: str, *notes: str, **more: Any) -> Json:
    """A variant as German tumour registries send it: what was found in a note, whether in a code of theirs."""
    system = "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem"
    found = coding(code, f"{system}/mii-cs-onko-genetische-variante-auspraegung")
    return observation(coding("69548-6"), "v1", interpretation=[found], note=[{"text": each} for each in notes], **more)


@pytest.mark.parametrize(("code", "note", "expected"), [
    ("M", "FLT3-ITD", {"FLT3-ITD": True}), ("M", "FLT3 ITD", {"FLT3-ITD": True}), ("W", "NPM1", {"NPM1": False}),
    ("M", "FLT3 D835Y", {"FLT3-TKD": True}), ("W", "FLT3", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("M", "IDH1 R132H", {"IDH1": True}), ("M", "IDH2 p.Arg140Gln", {"IDH2": True}), ("M", "NPM1", {"NPM1": True}),
    ("M", "FLT3-ITD nachgewiesen", {"FLT3-ITD": True}), ("M", "BRCA 1", {}), ("W", "FLT3-ITD", {"FLT3-ITD": False}),
])
def test_a_gene_that_stands_in_a_note_alone_is_read_with_a_doubt(
    code: str, note: str, expected: dict[str, bool]
) -> None:
    facts = chart(registry(code, note))
    found = {key.name: facts.get(key) for key in MARKERS}
    assert {name: fact.value.present for name, fact in found.items() if fact.value is not None} == expected
    assert all("what was tested stands in a note" in found[name].doubts for name in expected)


@pytest.mark.parametrize(("code", "note"), [
    ("M", "FLT3"), ("N", "FLT3-ITD"), ("U", "FLT3-ITD"), ("S", "FLT3-ITD"), ("P", "FLT3-ITD"),
    ("W", "FLT3-ITD positiv"),
    ("M", "FLT3-ITD nicht nachgewiesen"), ("M", "V.a. FLT3-ITD"), ("M", "FLT3-ITD siehe Vorbefund"), ("X", "FLT3-ITD"),
    ("W", "FLT3-ITD kein Wildtyp"), ("M", "FLT3-ITD oder NPM1"), ("W", "FLT3-ITD nicht untersucht"),
])
def test_a_note_that_leaves_open_what_was_found_is_told(code: str, note: str) -> None:
    assert read([registry(code, note)], "FLT3-ITD").state is State.UNREADABLE


def test_a_note_that_names_another_gene_too_or_stands_beside_a_change_of_another_is_told() -> None:
    assert read([registry("M", "DNMT3A, FLT3-ITD")], "FLT3-ITD").state is State.UNREADABLE
    change = {"code": coding("48005-3"), "valueCodeableConcept": {"text": "p.Arg882His"}}
    assert read([registry("M", "FLT3-ITD", component=[change])], "FLT3-ITD").state is State.UNREADABLE
    change = {"code": coding("48005-3"), "valueCodeableConcept": {"text": "p.Arg132His"}}
    found = read([registry("M", "IDH1", component=[change])], "IDH1").value
    assert found is not None and found.present


def test_a_note_decides_nothing_beside_a_gene_that_is_coded() -> None:
    other = variant_of("HGNC:2978", "p.Arg882His") | {"note": [{"text": "FLT3-ITD"}]}
    assert read([other], "FLT3-ITD").state is State.ABSENT
    named = marker_test(Finding("NPM1", True))[0] | {"note": [{"text": "FLT3-ITD"}]}
    assert read([named], "FLT3-ITD").state is State.ABSENT


def panel_with(marker: str, *found: Json, **more: Any) -> list[Json]:
    """A panel that covered the gene, and what else its report names."""
    region, listed = made(Finding(marker, False), covered_gene)
    named = [*listed["result"], *({"reference": f"Observation/{each['id']}"} for each in found)]
    return [region, *found, listed | {"result": named} | more]


def variant_of(gene: str, change: str | None) -> Json:
    studied = {"code": coding("48018-6"), "valueCodeableConcept": coding(gene, "http://www.genenames.org/geneId")}
    changed = [{"code": coding("48005-3"), "valueCodeableConcept": {"text": change}}] if change else []
    return observation(coding("69548-6"), "g2", valueCodeableConcept=coding("LA9633-4"), component=[studied, *changed])


@pytest.mark.parametrize(("change", "told"), [
    ("p.Asp839_Ser840dup", {"FLT3-ITD"}), ("p.Asn841Lys", {"FLT3-TKD"}), (None, {"FLT3-ITD", "FLT3-TKD"}),
])
def test_a_panel_that_found_a_change_of_flt3_earns_no_negative_of_what_it_may_be(
    change: str | None, told: set[str]
) -> None:
    came = panel_with("FLT3-TKD", variant_of("HGNC:3765", change))
    assert {marker for marker in ("FLT3-ITD", "FLT3-TKD") if read(came, marker).value is None} == told


@pytest.mark.parametrize(("day", "doubted"), [("2026-11-10", False), ("2026-11-12", False), ("2026-11-01", True)])
def test_the_silence_of_a_sequencing_does_not_contradict_a_test_of_the_duplication(day: str, doubted: bool) -> None:
    [test] = marker_test(Finding("FLT3-ITD", True))
    fact = read([test | {"id": "g9", "effectiveDateTime": day}, *panel_with("FLT3-TKD")], "FLT3-ITD")
    assert (fact.value is not None and fact.value.present, fact.state) == (True, State.KNOWN)
    assert ("a newer sequencing found none, and may miss it" in fact.doubts) is doubted


@pytest.mark.parametrize(("status", "doubts"), [("appended", ()), ("partial", ("its report: partial",))])
def test_a_report_to_which_something_was_added_is_final_and_a_partial_one_is_not(
    status: str, doubts: tuple[str, ...]
) -> None:
    [test] = marker_test(Finding("IDH1", True))
    told = report(result=[{"reference": "Observation/g1"}], status=status, effectiveDateTime="2026-11-10")
    assert read([test, told], "IDH1").doubts == doubts


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_result_that_was_taken_back_earns_its_gene_no_negative(status: str) -> None:
    came = panel_with("IDH1", variant_of("HGNC:5382", "p.Arg132His") | {"status": status})
    fact = read(came, "IDH1")
    assert (fact.value, status.replace("-", " ") in fact.why) == (None, True)


@pytest.mark.parametrize("conclusion", [
    "IDH1 R132H detected.", "IDH1 p.R132H, VAF 34 %", "IDH1 could not be evaluated", "IDH1 pending",
])
def test_a_gene_of_which_the_conclusion_speaks_is_no_silent_negative(conclusion: str) -> None:
    fact = read(panel_with("IDH1", conclusion=conclusion), "IDH1")
    assert (fact.value, "conclusion" in fact.why) == (None, True)
    assert read(panel_with("IDH1", conclusion="IDH1 wild type. NPM1 pending."), "IDH1").sure


@pytest.mark.parametrize(("present", "conclusion"), [(False, "IDH1 R132H detected"), (True, "IDH1 wild type")])
def test_a_result_that_the_conclusion_of_its_report_contradicts_is_doubted(present: bool, conclusion: str) -> None:
    [result] = marker_test(Finding("IDH1", present))
    told = report(result=[{"reference": "Observation/g1"}], conclusion=conclusion, effectiveDateTime="2026-11-10")
    fact = read([result, told], "IDH1")
    assert (fact.value is not None and fact.value.present, fact.sure) == (present, False)
    assert any("the conclusion of the report says" in doubt for doubt in fact.doubts)


def test_a_contained_result_of_another_patient_is_not_read() -> None:
    [result] = variant(Finding("IDH1", True))
    other = result | {"subject": {"reference": "Patient/p2"}}
    assert read([report(contained=[other], effectiveDateTime="2026-11-09")], "IDH1").value is None


def test_a_result_inside_the_head_of_a_panel_is_read_once() -> None:
    [result] = variant(Finding("IDH1", True))
    head = observation(coding("51969-4"), "head", contained=[result], hasMember=[{"reference": "#g1"}])
    fact = read([head | {"effectiveDateTime": "2026-11-09"}], "IDH1")
    assert fact.value is not None and fact.value.present
    assert (len(fact.value.results), str(fact.when), fact.sure) == (1, "2026-11-09", True)


# The answer to a test of one gene may be written as a clause of a report


@pytest.mark.parametrize(("code", "text", "expected"), [
    ("78219-3", "No evidence of KMT2A rearrangement", {"KMT2A-r": False}),
    ("78219-3", "No evidence of a KMT2A (MLL) gene rearrangement", {"KMT2A-r": False}),
    ("79210-1", "No evidence of FLT3-ITD", {"FLT3-ITD": False}),
    ("54447-8", "FLT3-ITD: Negative. FLT3-TKD: Positive (p.D835Y)", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("47958-4", "FLT3-ITD not detected; FLT3 D835 detected", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("79210-1", "FLT3-ITD cannot be excluded", {}), ("79210-1", "FLT3-ITD: see report", {}),
    ("78219-3", "No evidence of rearrangement", {}),  # of which gene is not said
    ("54447-8", "NPM1 positive, NPM1 negative", {}),  # what a comma parts may be one statement or two
    ("79210-1", "ITD 30 bp; TKD negative", {"FLT3-TKD": False}), ("79210-1",
    "ITD ratio 0.5. FLT3-TKD: negative", {"FLT3-TKD": False}),
    ("79210-1", "FLT3-TKD: positive (p.D835Y)", {"FLT3-TKD": True}),
    ("79210-1", "FLT3-ITD/TKD negative", {"FLT3-ITD": False}),
    ("79210-1", "negative; TKD negative", {"FLT3-ITD": False}),
    ("79210-1", "FLT3 ITD. Not detected", {"FLT3-ITD": False}),
])
def test_an_answer_in_a_clause_is_read_as_in_a_report(code: str, text: str, expected: dict[str, bool]) -> None:
    result = observation(coding(code), valueString=text, effectiveDateTime="2026-11-10")
    told = chart(result)
    assert {key.name: fact.value.present for key in MARKERS if (fact := told.get(key)).value} == expected


def test_words_that_deny_and_a_code_that_affirms_decide_nothing() -> None:
    positive = coding("POS", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation")
    result = observation(coding("78219-3"), valueString="No evidence of KMT2A rearrangement", interpretation=[positive],
                         effectiveDateTime="2026-11-10")
    assert all(chart(result).get(key).value is None for key in MARKERS)
    more = chart(result | {"valueString": "KMT2A::MLLT3, not quantified"})
    assert any(fact.value.present for key in MARKERS if (fact := more.get(key)).value)


# Where a text speaks of both markers of FLT3, each part between commas is about its own


@pytest.mark.parametrize(("text", "expected"), [
    ("FLT3-ITD negative, TKD positive", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("FLT3 TKD D835Y positive, ITD negative", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("ITD negative, D835Y positive", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("no ITD, D835Y detected", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("FLT3: ITD negative, D835Y detected", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("FLT3 mutated (D835Y), ITD negative", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("ITD nicht nachweisbar, TKD nachgewiesen", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("ITD négatif, TKD positif", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("NPM1 mutated, FLT3 ITD negative, TKD positive", {"FLT3-ITD": False, "FLT3-TKD": True}),
    ("FLT3-ITD positive, VAF 30%, TKD negative", {"FLT3-ITD": True, "FLT3-TKD": False}),
    ("D835/I836 negative, ITD positive", {"FLT3-ITD": True, "FLT3-TKD": False}),
    ("D835Y, ITD negative", {"FLT3-ITD": False}), ("FLT3 D835Y, ITD negative", {"FLT3-ITD": False}),
    ("D835Y; ITD negative", {"FLT3-ITD": False}), ("ITD negative, D835Y 12%", {"FLT3-ITD": False}),
    ("p.D835Y (c.2503G>T), ITD negative", {"FLT3-ITD": False}), ("ITD 30 bp, D835 negative", {"FLT3-TKD": False}),
    ("FLT3-ITD (21 bp, AR 0.5), TKD negative", {"FLT3-TKD": False}),
    ("ITD pending, D835 negative", {"FLT3-TKD": False}),
    ("ITD negative, D835 equivocal", {"FLT3-ITD": False}), ("ITD-, TKD+", {}), ("ITD possible, TKD negative", {}),
    ("FLT3-ITD negative, D835Y previously positive", {}),
    ("FLT3-ITD, D835 negative", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("ITD, TKD: not detected", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("negative for ITD, TKD", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("ITD/TKD negative", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("FLT3 wild type (ITD, D835)", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("FLT3, NPM1, IDH1: negative", {"FLT3-ITD": False, "FLT3-TKD": False}),
    ("FLT3-ITD, NPM1 positive", {"FLT3-ITD": True}), ("FLT3-ITD, not detected", {"FLT3-ITD": False}),
    ("FLT3-ITD detected, low level", {"FLT3-ITD": True}), ("FLT3-ITD not detected, detected", {}),
    ("FLT3 mutated, ITD negative", {}),
])  # fmt: skip
def test_the_parts_of_a_text_about_flt3_are_read_apart(text: str, expected: dict[str, bool]) -> None:
    told = chart(observation(coding("54447-8"), valueString=text, effectiveDateTime="2026-11-10"))
    assert {key.name: fact.value.present for key in MARKERS if (fact := told.get(key)).value} == expected


@pytest.mark.parametrize("text", [
    "NPM1 negative", "IDH1 R132H, IDH2 negative", "NPM1 negative. IDH1 positive", "KIT D816V negative",
    "DNMT3A R882H detected, TP53 negative", "FLT3-ITD Wildtyp, NPM1 mutiert", "FLT3-ITD ratio 0.6, NPM1 wild type",
    "FLT3-ITD 45 bp, DNMT3A negative", "ITD detetada, NPM1 negativo", "FLT3-ITD (30 bp) - KIT negative",
    "FLT3 ITD sauvage et NPM1, NPM1 positif", "NPM1, negative", "IDH1, nicht nachgewiesen",
])  # fmt: skip
def test_what_the_answer_to_a_test_says_of_other_genes_is_none_of_its_own(text: str) -> None:
    told = chart(observation(coding("54447-8"), valueString=text, effectiveDateTime="2026-11-10"))
    assert {key.name for key in MARKERS if told.get(key).value} == set()


@pytest.mark.parametrize("text", [
    "negative", "Negative. NPM1 is reported apart.", "FLT3 and NPM1 negative", "FLT3-ITD, TKD, KIT, NPM1 negative",
    "negative for FLT3, NPM1, KIT", "FLT3 / NPM1 / IDH1: negative", "PCR: negative", "FLT3 PCR kit, negative",
])  # fmt: skip
def test_a_negative_beside_the_name_of_another_gene_stays_one(text: str) -> None:
    told = chart(observation(coding("54447-8"), valueString=text, effectiveDateTime="2026-11-10"))
    assert [told.get(key).value.present for key in MARKERS[:2]] == [False, False]  # type: ignore[union-attr]


# What nobody verified decides nothing


@pytest.mark.parametrize(("gene", "change"), [
    ("HGNC:5383", "p.Q316E"), ("HGNC:5383", "p.I319M"), ("HGNC:5382", "p.S280F"), ("HGNC:3765", "p.N701K"),
    ("HGNC:3765", "p.D698N"), ("HGNC:3765", "p.Y693C"), ("HGNC:3765", "p.F691L"), ("HGNC:8068", "NUP98::NSD1"),
])
def test_changes_that_nobody_verified_decide_nothing(gene: str, change: str) -> None:
    studied = {"code": coding("48018-6"), "valueCodeableConcept": coding(gene, "http://www.genenames.org/geneId")}
    changed = {"code": coding("48005-3"), "valueCodeableConcept": {"text": change}}
    told = chart(observation(coding("69548-6"), valueCodeableConcept=coding("LA9633-4"), effectiveDateTime="2026-11-10",
                             component=[studied, changed]))
    assert all(told.get(key).value is None for key in MARKERS)


@pytest.mark.parametrize(("test", "value", "present"), [
    ("92844-0", {"value": 0.6, "unit": "1"}, True), ("92844-0", {"value": 60, "unit": "%"}, True),
    ("92844-0", {"value": 0, "unit": "1"}, None), ("92844-0", {"value": 0.6}, None),
    ("92844-0", {"value": 0.05, "unit": "1", "comparator": "<"}, None), ("92844-0", {"value": -1, "unit": "1"}, None),
])
def test_an_allelic_ratio_is_a_positive_only_when_it_was_measured(
    test: str, value: Json, present: bool | None
) -> None:
    fact = read([observation(coding(test), valueQuantity=value, effectiveDateTime="2026-11-10")], "FLT3-ITD")
    assert (fact.value.present if fact.value else None) is present


@pytest.mark.parametrize(("words", "present"), [
    ("p.(Tyr599_Asp600insGlyTyr), exon 14", True), ("exon 14/15 duplication", True), ("exon 20 duplication", None),
    ("p.Y599_D600insGY", True), ("p.S840_N841insGS", None),
])
def test_a_duplication_with_its_exon_or_in_its_codons_is_an_internal_one(words: str, present: bool | None) -> None:
    studied = {"code": coding("48018-6"), "valueCodeableConcept": coding("HGNC:3765",
    "http://www.genenames.org/geneId")}
    change = {"code": coding("48005-3"), "valueCodeableConcept": {"text": words}}
    fact = read([observation(coding("69548-6"), valueCodeableConcept=coding("LA9633-4"), component=[studied, change],
                             effectiveDateTime="2026-11-10")], "FLT3-ITD")
    assert (fact.value.present if fact.value else None) is present


def test_a_partial_tandem_duplication_and_one_gene_named_twice_are_no_rearrangement() -> None:
    gene = {"code": coding("48018-6"), "valueCodeableConcept": coding("HGNC:7132", "http://www.genenames.org/geneId")}
    again = {"code": coding("48018-6"), "valueCodeableConcept": {"text": "MLL"}}
    for parts in ([gene, again], [gene, {"code": coding("48005-3"), "valueCodeableConcept": {"text": "KMT2A-PTD"}}]):
        told = observation(coding("69548-6"), valueCodeableConcept=coding("LA9633-4"), component=parts,
                           effectiveDateTime="2026-11-10")
        assert read([told], "KMT2A-r").value is None


def test_a_disease_named_beside_a_variant_is_no_finding() -> None:
    [made_] = variant(Finding("FLT3-TKD", True))
    beside = {"code": coding("81259-4"), "valueCodeableConcept": {"text": "AML with FLT3-ITD"}}
    told = made_ | {"component": [*made_["component"], beside], "effectiveDateTime": "2026-11-10"}
    assert read([told], "FLT3-TKD").sure
    assert read([told], "FLT3-ITD").value is None
