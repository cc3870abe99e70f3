"""Regimens written as one order: every drug of them is checked, and a name on the order of one drug adds none."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from cds_service.facts.drugs.medications import Medication
from cds_service.knowledge.load import HOME, Knowledge
from tests.calls import cards, observation
from tests.calls import order as ordered
from tests.charts import Json, chart, order

FLAG_IDA = ("fludarabine", "cytarabine", "idarubicin")


def read(text: str, **more: Json) -> Medication:
    return chart(order(text, **more)).medications.orders[0]


@pytest.mark.parametrize(("text", "drugs"), [
    ("FLAG-IDA", FLAG_IDA), ("Flag-Ida cycle 1", FLAG_IDA), ("IDA-FLAG", FLAG_IDA),
    ("FLAG-IDA-Therapie", FLAG_IDA), ("FLAG-IDA-Schema", FLAG_IDA), ("FLAG-IDA-Block 2", FLAG_IDA),
    ("FLAG-IDA-Blöcke", FLAG_IDA), ("FLAG-IDA-Induktionstherapie", FLAG_IDA), ("FLAG-IDA-cycles", FLAG_IDA),
    ("FLAG-Ida-basierte Therapie", FLAG_IDA), ("FLAG-IDA-Salvage-Therapie", FLAG_IDA), ("FLAG-IDA-Kurs 1", FLAG_IDA),
    ("FLAG-IDA-Therapieprotokoll", FLAG_IDA), ("FLAG-IDA-Chemoblock", FLAG_IDA), ("FLAG-IDA-Blöcken", FLAG_IDA),
    ("FLAG-IDA-Konsolidierungszyklus", FLAG_IDA), ("FLAG-IDA-Block1", FLAG_IDA), ("FLAG-IDA-protocole", FLAG_IDA),
    ("CLAG-M", ("cladribine", "cytarabine", "mitoxantrone")),
    ("MEC", ("mitoxantrone", "etoposide", "cytarabine")),
    ("7+3 (idarubicin)", ("idarubicin", "cytarabine")),
    ("FLAG-IDA + venetoclax", ("venetoclax", *FLAG_IDA)),
    ("Ven/Aza", ("venetoclax", "azacitidine")),
    ("ADE course 1", ("cytarabine", "daunorubicin", "etoposide")), ("DA 3+10", ("cytarabine", "daunorubicin")),
])
def test_a_regimen_stands_for_its_drugs(text: str, drugs: tuple[str, ...]) -> None:
    found = read(text)
    assert (found.ingredients, found.doubts) == (drugs, ())
    assert found.dose.daily is None


@pytest.mark.parametrize("text", ["HAM-D", "ADE-Tropfen", "FLAG-frei", "FLAG-blocked", "FLAG-IDA-blockade",
                                  "FLAG-therapist", "FLAG-kurativ"])
def test_a_hyphen_before_any_other_word_makes_another_name(text: str) -> None:
    assert chart(order(text)).medications.orders == ()


@pytest.mark.parametrize("text", ["FLAG-IDA", "FLAG-IDA-Protokoll"])
def test_a_course_of_high_dose_is_one_under_its_german_name(text: str) -> None:
    assert read(text).high_dose


def test_a_regimen_that_leaves_a_drug_open_says_so() -> None:
    found = read("7+3 induction")
    assert found.ingredients == ("cytarabine", "daunorubicin")
    assert "daunorubicin or idarubicin" in found.matched_by
    assert found.doubts == ()  # the checks hold for each of them


@pytest.mark.parametrize("text", ["cytarabine 100 mg/m2 (7+3)", "idarubicin 10 mg/m2 day 1-3 FLAG-IDA"])
def test_on_the_order_of_one_drug_the_name_of_the_regimen_adds_none(text: str) -> None:
    assert len(read(text).ingredients) == 1


@pytest.mark.parametrize("text", ["vitamin ADE drops", "red flags leaflet", "mecobalamin", "HDAC inhibitor study drug"])
def test_other_words_are_no_regimen(text: str) -> None:
    assert [each.ingredients for each in chart(order(text)).medications.orders if each.ingredients] == []


def test_every_regimen_names_drugs_of_a_therapy_of_the_sources() -> None:
    therapies = {name: set(each.drugs) for name, each in Knowledge.load().therapies.items()}
    with (HOME / "terminology" / "regimens.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            first = {part.split("/")[0] for part in row["drugs"].split("|") if part}
            assert first - {"venetoclax", "azacitidine", "decitabine"} <= therapies.get(row["therapy"], set()), row


def test_the_checks_of_every_drug_reach_a_regimen_written_as_one_order() -> None:
    said = " ".join(card["summary"] for card in cards("order-sign", ordered("FLAG-IDA", status="draft", id="d1")))
    assert "LVEF" in said
    assert "High-dose cytarabine with idarubicin at 66 years" in said


@pytest.mark.parametrize(("ended", "told"), [("2025-06-01", True), ("2026-11-19", False)])
def test_a_drug_that_ended_before_a_regimen_was_ordered_belongs_to_another_course(ended: str, told: bool) -> None:
    service = {
        "resourceType": "ServiceRequest", "id": "sr1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"}, "code": {"text": "venetoclax + azacitidine"},
        "authoredOn": "2026-11-10",
    }  # fmt: skip
    given = [{"timing": {"repeat": {"boundsPeriod": {"start": "2025-01-01", "end": ended}}}}]
    earlier = ordered("venetoclax 100 MG Oral Tablet", "1747561", status="completed", dosageInstruction=given)
    draft = ordered("voriconazole 200 MG Oral Tablet", "", status="draft", id="d1")
    said = " ".join(card["summary"] for card in cards("order-sign", draft, orders=[service], medications=[earlier]))
    assert ("enetoclax" in said) is told


LOST = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
HALF = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "http://x/fhir?p=2"}]}


@pytest.mark.parametrize("answered", [LOST, HALF])
def test_orders_of_services_that_were_lost_may_name_a_regimen(answered: dict[str, Any]) -> None:
    draft = ordered("posaconazole 100 MG Delayed Release Oral Tablet", "", status="draft", id="d1")
    found = cards("order-sign", draft, orders=answered)
    assert [card["summary"] for card in found] == ["Not checked: medication list"]
    assert "one of them may name a regimen" in found[0]["detail"]
    assert cards("order-sign", draft, orders=[]) == []


@pytest.mark.parametrize(("draft", "told"), [
    ({"status": "revoked"}, False), ({"status": "completed"}, False), ({"doNotPerform": True}, False),
    ({"status": "revoked", "id": "sr2"}, True),
])
def test_a_regimen_on_record_that_this_call_ends_adds_no_drug(draft: dict[str, Any], told: bool) -> None:
    service = {
        "resourceType": "ServiceRequest", "id": "sr1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"}, "code": {"text": "venetoclax + azacitidine"},
    }  # fmt: skip
    other = ordered("voriconazole 200 MG Oral Tablet", "", status="draft", id="d1")
    said = " ".join(card["summary"] for card in cards("order-sign", other, service | draft, orders=[service]))
    assert ("enetoclax" in said) is told


@pytest.mark.parametrize(("text", "per_area"), [
    ("cytarabine 3 g/m2 IV", "3000 mg/m²"), ("cytarabine 100 mg/m²", "100 mg/m²"), ("cytarabine 100 MG/ML", "None"),
    ("fludarabine 30 mg/m2 and cytarabine 2 g/m2", "None"),
])
def test_a_dose_per_surface_in_the_name_of_one_drug_counts(text: str, per_area: str) -> None:
    assert str(read(text).dose.per_area) == per_area


def test_high_dose_cytarabine_written_in_the_name_is_checked_as_such() -> None:
    high = ordered("cytarabine 3 g/m2 IV", status="draft", id="d1")
    creatinine = observation("2160-0", 3.2, "mg/dL", "2026-11-20T08:00:00Z")
    said = [card["summary"] for card in cards("order-sign", high, labs=[creatinine])]
    assert any("igh-dose cytarabine" in each for each in said), said
    assert not any("cannot be read" in each for each in said)
