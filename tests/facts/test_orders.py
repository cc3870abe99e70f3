"""Orders: what is already ordered, so that nothing is proposed twice and no gap is taken as closed."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.fact import State
from cds_service.facts.orders import DRAFTED, ORDERED, TYPED
from cds_service.gather.replies import Status
from tests.charts import Json, chart, concept

SNOMED = "http://snomed.info/sct"


def request(code: Json, **more: Any) -> Json:
    return {"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order", "code": code,
            "subject": {"reference": "Patient/p1"}} | more


def ordered(*requests: Json, **more: Any) -> frozenset[str]:
    return chart(*requests, **more).get(ORDERED).value or frozenset()


@pytest.mark.parametrize(("code", "key"), [
    (concept("34534-8"), "ecg"), (concept("268400002", system=SNOMED), "ecg"), (concept(text="12-lead ECG"), "ecg"),
    (concept("2823-3"), "potassium"), (concept("79210-1"), "flt3_itd"), (concept("47958-4"), "flt3"),
    (concept(text="Electrocardiogram routine"), "ecg"), (concept(text="CBC with differential"), "cbc"),
    (concept(text="12-Kanal-EKG"), "ecg"), (concept(text="Ruhe-EKG"), "ecg"),
    (concept(text="AML mutation panel (NGS)"), "myeloid_panel"),
    (concept(text="AML NGS panel, bone marrow"), "myeloid_panel"),
    (concept(text="Acute leukemia NGS panel"), "myeloid_panel"),
])
def test_an_order_is_known_by_code_or_name(code: Json, key: str) -> None:
    assert key in ordered(request(code))
    assert key in ordered(drafts=[request(code, status="draft")])


@pytest.mark.parametrize(("code", "keys"), [
    (concept("24323-8"), {"creatinine", "potassium", "bilirubin_total", "ast", "alt", "calcium"}),
    (concept(text="Comprehensive metabolic panel"), {"creatinine", "potassium", "bilirubin_total", "ast", "alt"}),
    (concept(text="BMP, routine"), {"creatinine", "potassium", "calcium"}), (concept("51990-0"), {"creatinine"}),
    (concept(text="Hepatic function panel"), {"bilirubin_total", "ast", "alt"}), (concept("24325-3"), {"ast", "alt"}),
    (concept(text="Electrolytes"), {"potassium"}), (concept(text="AML NGS panel"), {"flt3_tkd"}),
    (concept("47958-4"), {"flt3_itd", "flt3_tkd"}), (concept(text="FLT3 mutation analysis"), {"flt3_itd", "flt3_tkd"}),
    (concept(text="CD33 expression by flow cytometry"), {"cd33"}), (concept(text="Serum hCG"), {"pregnancy_test"}),
    (concept(text="AST (SGOT)"), {"ast"}), (concept(text="Bilirubin, total"), {"bilirubin_total"}),
])
def test_an_order_of_a_panel_is_one_of_each_test_in_it(code: Json, keys: set[str]) -> None:
    assert keys <= ordered(request(code))


@pytest.mark.parametrize(("text", "key"), [
    ("Basic metabolic panel", "magnesium"), ("Basic metabolic panel", "ast"), ("Electrolytes", "magnesium"),
    ("Liver function tests", "creatinine"), ("FLT3-ITD PCR", "flt3_tkd"), ("AML NGS panel", "kmt2a"),
    ("AML NGS panel", "cd33"), ("AML NGS panel", "flt3_itd"), ("AML NGS panel", "flt3"),
    ("Bilirubin, direct", "bilirubin_total"),
])
def test_a_panel_is_no_order_of_what_is_not_in_it(text: str, key: str) -> None:
    assert key not in ordered(request(concept(text=text)))


@pytest.mark.parametrize(("text", "key"), [
    ("Electrolytes, urine", "potassium"), ("Elektrolyte im Urin", "potassium"),
    ("Kreatinin im Sammelurin", "creatinine"),
    ("Pleural fluid: total bilirubin, AST", "bilirubin_total"), ("CMP cancelled", "potassium"), ("ECG refused", "ecg"),
    ("Pregnancy test not needed", "pregnancy_test"), ("No BMP today", "creatinine"), ("Liver panel without AST", "ast"),
    ("Vorstellung, 65 Jahre alt", "alt"), ("MRT Herz bei dilatativer CMP", "creatinine"),
    ("LFT with body plethysmography", "alt"), ("FLT3 inhibitor, pharmacy consult", "flt3_itd"),
    ("Infusion of gemtuzumab (CD33 antibody)", "cd33"), ("HLA typing of sibling", "hla_typing"),
    ("HLA-Typisierung Geschwister", "hla_typing"), ("HLA typing refused", "hla_typing"),
])
def test_what_a_text_says_of_another_thing_is_no_order_of_the_test(text: str, key: str) -> None:
    assert key not in ordered(request(concept(text=text)))


@pytest.mark.parametrize(("text", "key"), [
    ("CMP, ECG", "ecg"), ("Comprehensive metabolic panel, echo", "potassium"), ("CBC daily until discontinued", "cbc"),
    ("ALT", "alt"), ("alt", "alt"), ("ast/alt", "ast"), ("AST, 65 Jahre alt", "ast"), ("Urine hCG", "pregnancy_test"),
    ("HLA typing of patient and donor", "hla_typing"), ("HLA-Typisierung und Spendersuche", "hla_typing"),
    ("FLT3-ITD/TKD PCR", "flt3"), ("FLT3 ITD and TKD", "flt3"), ("FLT3 (ITD, TKD)", "flt3_tkd"),
    ("Donor search, declined", "donor_search"), ("LFTs weekly", "alt"), ("Lab: CMP, CBC", "potassium"), ("CMP", "ast"),
])
def test_an_order_beside_other_words_stays_one(text: str, key: str) -> None:
    assert key in ordered(request(concept(text=text)))


@pytest.mark.parametrize("text", ["Langzeit-EKG", "Belastungs-EKG", "EKG-Elektroden"])
def test_an_ecg_of_another_kind_closes_no_gap(text: str) -> None:
    assert not ordered(request(concept(text=text)))


@pytest.mark.parametrize("text", [
    "Chronic lymphocytic leukemia mutation panel", "CML leukemia mutation panel", "Acute lymphoblastic leukemia NGS",
    "Chronic myeloid leukemia mutation panel", "Leukemia NGS MRD", "AML panel, flow cytometry",
    "AML panel: immunophenotyping",
])
def test_a_panel_of_another_leukaemia_or_of_cells_is_not_the_myeloid_one(text: str) -> None:
    assert "myeloid_panel" not in ordered(request(concept(text=text)))


@pytest.mark.parametrize("more", [
    {"status": "revoked"}, {"status": "completed"}, {"status": "entered-in-error"}, {"doNotPerform": True},
])
def test_an_order_that_is_not_open_closes_no_gap(more: Json) -> None:
    assert not ordered(request(concept("34534-8"), **more))


@pytest.mark.parametrize(("code", "status", "planned"), [
    (concept(text="Allogeneic stem cell transplantation"), "preparation", True),
    (concept("38240", system="http://www.ama-assn.org/go/cpt"), "preparation", True),
    (concept(text="Allogeneic stem cell transplantation"), "completed", False),
    (concept(text="Allogeneic stem cell transplantation"), "not-done", False),
    (concept(text="Allogeneic stem cell transplantation"), "entered-in-error", False),
    (concept(text="Kidney transplantation"), "preparation", False),
    (concept(text="Follow-up after allogeneic stem cell transplantation"), "preparation", False),
    (concept(text="Evaluation after stem cell transplantation"), "preparation", False),
    (concept(text="Echocardiogram"), "preparation", False),
])
def test_a_transplantation_that_is_planned_as_a_procedure_is_one_that_is_ordered(
    code: Json, status: str, planned: bool
) -> None:
    procedure = {"resourceType": "Procedure", "id": "t", "status": status, "code": code,
                 "subject": {"reference": "Patient/p1"}}
    assert ordered(procedure) == ({"stem_cell_transplant"} if planned else set())


def test_another_order_is_none_of_ours() -> None:
    assert not ordered(request(concept(text="Chest X-ray")))


def test_the_orders_of_another_patient_do_not_count() -> None:
    assert not ordered(request(concept("34534-8"), subject={"reference": "Patient/p2"}))


@pytest.mark.parametrize("status", [Status.FAILED, Status.NOT_ASKED])
def test_orders_that_were_not_had_are_not_known(status: Status) -> None:
    facts = chart(statuses={"orders": status})
    assert facts.get(ORDERED).value is None
    assert facts.get(ORDERED).state in (State.FAILED, State.NOT_ASKED)


def typed(*resources: Json) -> bool | None:
    return chart(*resources).get(TYPED).value


def test_hla_typing_was_done_where_a_result_a_procedure_or_a_completed_order_says_so() -> None:
    person, code = {"subject": {"reference": "Patient/p1"}}, concept(text="HLA typing")
    procedure = {"resourceType": "Procedure", "id": "t1", "status": "completed", "code": code} | person
    result = {"resourceType": "Observation", "id": "t2", "status": "final", "code": concept("13303-3"),
              "effectiveDateTime": "2026-11-10", "valueString": "A*02:01"} | person
    assert typed(request(code, status="completed")) and typed(procedure) and typed(result)
    assert not typed() and not typed(request(code))
    assert not typed(procedure | {"status": "not-done"}) and not typed(result | {"status": "cancelled"})
    assert not typed(request(code, status="completed", doNotPerform=True))
    of_another = concept(text="HLA typing of brother for this patient")
    assert not typed(request(of_another, status="completed")) and not typed(procedure | {"code": of_another})
    assert not typed(procedure | {"code": concept(text="Bone marrow biopsy")})
    assert typed(result | {"valueString": "A*02:01, report from sister hospital"})


@pytest.mark.parametrize(
    "words",
    ["HLA typing not done", "HLA typing requested", "HLA typing of potential donor", "HLA typing, HLA-B27"],
)
def test_words_that_deny_hla_typing_or_tell_it_of_another_are_none(words: str) -> None:
    person = {"subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-11-10"}
    result = {"resourceType": "Observation", "id": "t1", "status": "final", "code": concept(text=words)} | person
    assert not typed(result)


@pytest.mark.parametrize(
    "value",
    [
        {"valueString": "specimen insufficient"},
        {"valueString": "Not performed"},
        {"dataAbsentReason": concept("error")},
    ],
)
def test_a_result_of_hla_typing_that_holds_none_is_none(value: Json) -> None:
    person = {"subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-11-10"}
    result = {"resourceType": "Observation", "id": "t1", "status": "final", "code": concept("13303-3")} | person
    assert not typed(result | value)
    assert typed(result | {"valueString": "A*02:01, B*27:05, no ambiguities"})


@pytest.mark.parametrize(("code", "key"), [
    (concept(text="Allogeneic stem cell transplantation"), "stem_cell_transplant"),
    (concept("234336002", system=SNOMED), "stem_cell_transplant"),
    (concept(text="Total body irradiation 12 Gy"), "conditioning"),
    (concept(text="Reduced-intensity conditioning (Flu/Bu)"), "conditioning"),
])
def test_a_transplantation_and_its_conditioning_are_known_by_code_or_name(code: Json, key: str) -> None:
    assert ordered(request(code)) == {key}
    read = chart(request(code), drafts=[request(code, id="s2", status="draft")])
    assert read.get(DRAFTED).value == {key}
    assert chart(request(code)).get(DRAFTED).value == frozenset()


@pytest.mark.parametrize("text", [
    "Chimerism after stem cell transplantation", "Follow-up, bone marrow transplant", "Status post allo-HSCT",
    "Kontrolle nach Stammzelltransplantation", "Work conditioning", "Irradiation of the spine",
])
def test_what_follows_a_transplantation_orders_none(text: str) -> None:
    assert not ordered(request(concept(text=text)))


@pytest.mark.parametrize("text", [
    "Allogeneic stem cell transplantation after conditioning with Flu/Mel", "Allogeneic HSCT following induction",
    "Nach Remission: allogene Stammzelltransplantation", "Allogeneic stem cell transplant, status: urgent",
    "Allogreffe après conditionnement",
])
def test_a_transplantation_that_is_to_be_done_after_something_else_is_ordered(text: str) -> None:
    assert "stem_cell_transplant" in ordered(request(concept(text=text)))


TIMING = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}


@pytest.mark.parametrize("more", [
    {"authoredOn": "2026-10-22"}, {"authoredOn": "2026-10"}, {},
    {"authoredOn": "2025-01-10", "occurrenceDateTime": "2026-12-24"},
    {"authoredOn": "2025-01-10", "occurrencePeriod": {"start": "2025-01-10"}},
    {"authoredOn": "2025-01-10", "occurrenceTiming": TIMING},
    {"authoredOn": "2025-01-10", "occurrenceTiming": {"repeat": {"boundsPeriod": {"end": "2027-01-10"}}}},
    {"authoredOn": "2025-01-10", "occurrenceTiming": {"event": ["2025-02-10", "2026-11-30"]}},
])
def test_a_recent_order_and_one_that_is_to_come_or_recurs_count(more: Json) -> None:
    assert ordered(request(concept("34534-8"), **more)) == {"ecg"}


@pytest.mark.parametrize("more", [
    {"authoredOn": "2026-10-20"}, {"authoredOn": "2025-11-20"}, {"authoredOn": "2026-09"},
    {"authoredOn": "2026-11-19", "occurrenceDateTime": "2026-03-01"},
    {"authoredOn": "2025-01-10", "occurrencePeriod": {"start": "2025-01-10", "end": "2025-01-12"}},
    {"authoredOn": "2025-01-10", "occurrenceTiming": {"repeat": {"boundsPeriod": {"end": "2025-06-10"}}}},
    {"authoredOn": "2025-01-10", "occurrenceTiming": {"event": ["2025-02-10"]}},
])
def test_a_test_whose_order_has_stood_open_for_long_is_not_ordered(more: Json) -> None:
    found = chart(request(concept("34534-8"), **more)).get(ORDERED)
    assert (found.value, found.sure) == (frozenset(), True)
    assert found.origin is not None and "open for long and not counted: ecg" in found.origin.notes[0]


def test_a_draft_of_this_call_counts_whatever_its_date() -> None:
    assert ordered(drafts=[request(concept("34534-8"), status="draft", authoredOn="2025-01-10")]) == {"ecg"}


def test_a_transplantation_that_was_ordered_long_ago_is_still_to_come() -> None:
    for text in ("Allogeneic stem cell transplantation", "HLA typing", "Donor search"):
        assert ordered(request(concept(text=text), authoredOn="2025-11-20")), text
