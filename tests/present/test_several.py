"""Where several findings, gaps or orders meet on one card or in one answer, none loses its level or its place."""

from __future__ import annotations

from typing import Any

from cards.render import few
from tests.calls import ELECTROLYTES, cards, condition, flt3_itd, gilteritinib, observation, order, qtcf, venetoclax

READY: dict[str, Any] = {"labs": ELECTROLYTES, "genomics": [flt3_itd("2026-11-10")], "ecg": [qtcf(430)]}
FOREIGN = ELECTROLYTES[0] | {"id": "foreign", "subject": {"reference": "Patient/another"}}


def told(hook: str, *drafts: dict[str, Any], **chart: Any) -> dict[str, dict[str, Any]]:
    return {card["source"]["topic"]["code"]: card for card in cards(hook, *drafts, **(READY | chart))}


def held(*drafts: dict[str, Any], **chart: Any) -> dict[str, Any]:
    """The card for gilteritinib that is resumed after a hold for its QTc."""
    before = gilteritinib(id="a1", status="on-hold", authoredOn="2026-10-20")
    ecgs = [qtcf(450), qtcf(520, "2026-11-10T08:00:00Z")]
    return told("order-sign", *drafts, ecg=ecgs, medications=[before], **chart)["qtcResume"]


def test_what_came_of_another_patient_warns_whatever_else_is_missing():
    draft = order("cytarabine", status="draft")  # no dose: whether it is high dose cannot be read, for information
    assert told("order-sign", draft)["gap"]["indicator"] == "info"
    for hook in ("order-sign", "order-select"):
        gap = told(hook, draft, labs=[*ELECTROLYTES, FOREIGN])["gap"]
        assert gap["indicator"] == "warning"
        assert "1 entry of another patient, not read" in gap["detail"]
        assert "Whether cytarabine is high dose cannot be read from the order" in gap["detail"]


def test_an_order_on_hold_for_longer_than_an_open_order_lasts_says_of_when_it_is():
    for begun, role, words in (
        ("2025-11-20", "on-hold", "on hold gilteritinib 40 MG Oral Tablet (order of 2025-11-20, 366 days ago)"),
        ("2025-11-21", "on-hold", "on hold gilteritinib 40 MG Oral Tablet"),
        ("2025-11-20", "active", "active gilteritinib 40 MG Oral Tablet"),
    ):
        orders = [gilteritinib(id="a1", status=role, authoredOn=begun)]
        found = told("patient-view", ecg=[], medications=orders, conditions=[condition("C92.01", "AML in remission")])
        assert f"**Concerns:** {words}." in found["gap"]["detail"]


def test_a_gap_names_only_the_drugs_that_it_concerns():
    drafts = gilteritinib(status="draft", id="d1"), order("hydroxyurea", status="draft", mg=500, id="d2")
    gap = told("order-sign", *drafts)["gap"]
    assert "Creatinine" in gap["detail"]
    assert "**Concerns:** draft hydroxyurea (matched by its name)." in gap["detail"]


def test_a_gap_at_viewing_names_the_drug_that_is_taken():
    gap = told("patient-view", medications=[gilteritinib(authoredOn="2026-10-01")], ecg=[])["gap"]
    assert gap["summary"].startswith("Not checked for gilteritinib: QTc")


def test_of_many_drugs_in_a_gap_it_is_still_said_what_was_not_checked():
    names = ("gilteritinib", "venetoclax", "midostaurin", "ivosidenib", "azacitidine", "fludarabine", "idarubicin")
    drafts = [order(name, status="draft", id=name) for name in names]
    summary = told("order-sign", *drafts, labs=[])["gap"]["summary"]
    assert " more: " in summary
    assert "…" not in summary


def test_a_warning_in_doubt_is_told_beside_a_stop_of_the_same_drug():
    low = observation("2823-3", 3.1, "mmol/L", "2026-11-20T08:00:00Z", status="preliminary")
    found = told("order-sign", gilteritinib(status="draft"), labs=[low, ELECTROLYTES[1]], ecg=[qtcf(520)])
    assert found["qtcHold"]["indicator"] == "critical"
    assert found["electrolytes"]["indicator"] == "info"
    assert "starting" not in found


def test_what_could_not_be_seen_is_not_the_card_that_is_left_out():
    names = ("cytarabine", "glasdegib", "azacitidine", "gilteritinib", "midostaurin")
    drafts = [order(name, status="draft", id=name) for name in names]
    measured = (("2160-0", 0.8, "mg/dL"), ("1975-2", 0.5, "mg/dL"), ("1920-8", 20, "U/L"), ("1742-6", 20, "U/L"),
                ("6690-2", 3, "10*9/L"), ("777-3", 90, "10*9/L"))  # fmt: skip
    labs = [*ELECTROLYTES, *(observation(code, value, unit, "2026-11-20T08:00:00Z") for code, value, unit in measured)]
    weight = observation("29463-7", 70, "kg", "2026-11-20T08:00:00Z")
    found = cards("order-sign", *drafts, **(READY | {"labs": labs, "bedside": [weight]}))
    assert found[-1]["summary"].startswith("What this check could not see")
    assert "*1 further card with information only is not shown.*" in found[-1]["detail"]


def test_what_another_finding_proposes_does_not_exclude_the_dose():
    beside = held(gilteritinib(status="draft", id="d1"), order("amiodarone 200 mg", mg=200, status="draft", id="d2"))
    labels = {each["label"] for each in beside["suggestions"]}
    assert {"Change the draft to 80 mg daily", "Remove the amiodarone draft", "Order a 12-lead ECG"} <= labels
    assert beside["selectionBehavior"] == "any"
    assert held(gilteritinib(status="draft"))["selectionBehavior"] == "at-most-one"


def test_a_lower_dose_and_no_inhibitor_remain_alternatives():
    posaconazole = order("posaconazole 300 mg", mg=300, status="draft", id="d2")
    found = told("order-sign", order("ivosidenib 250 mg", mg=500, status="draft", id="d1"), posaconazole)
    assert found["doseBesideInhibitor"]["selectionBehavior"] == "at-most-one"


def test_orders_that_read_alike_are_counted():
    beside = held(gilteritinib(status="draft", id="d1"), gilteritinib(status="draft", id="d2"))
    assert "**Concerns:** draft gilteritinib 40 MG Oral Tablet, 2 orders." in beside["detail"]
    assert len(beside["extension"]["davinci-crd.associated-resource"]) == 2
    assert "suggestions" not in beside


def test_a_line_that_cannot_be_written_does_not_take_its_card_with_it(monkeypatch):
    from cards import render as wording
    from cds_service.present import present

    def broken(name, values):
        if name == "count_at_start":
            raise ValueError(name)
        return wording.render(name, values)

    monkeypatch.setattr(present, "render", broken)
    detail = told("order-sign", gilteritinib(status="draft"))["starting"]["detail"]
    assert "Differentiation syndrome" in detail
    assert "something was found that could not be written" in detail


def test_a_card_that_cannot_be_written_still_names_its_order(monkeypatch):
    from cards import render as wording
    from cds_service.present import present

    def broken(name, values):
        if name == "dose_over_ceiling":
            raise ValueError(name)
        return wording.render(name, values)

    monkeypatch.setattr(present, "render", broken)
    found = told("order-sign", venetoclax(status="draft"), medications=[order("posaconazole 300 mg", mg=300, id="p")])
    assert "draft venetoclax 100 MG Oral Tablet" in found["doseCeiling"]["detail"]


def test_names_are_told_whole_or_counted():
    assert few(["amiodarone", "sotalol"], 60) == "amiodarone, sotalol"
    assert few(["amiodarone", "sotalol", "methadone"], 22) == "amiodarone and 2 more"
    assert few(["amiodarone"], 5) == ""


def test_each_of_several_drafts_is_taken_back_by_its_own_name():
    drafts = [gilteritinib(status="draft", id="d1"), order("gilteritinib 40 MG Oral Tablet", "2105811", 40, id="d2")]
    drafts[1] |= {"status": "draft"}
    stop = told("order-sign", *drafts, ecg=[qtcf(520)])["qtcHold"]
    removals = {each["label"]: each["actions"][0].get("resourceId") for each in stop["suggestions"]}
    assert removals["Remove the gilteritinib draft 1 of 2 (120 mg daily)"] == "MedicationRequest/d1"
    assert removals["Remove the gilteritinib draft 2 of 2 (40 mg daily)"] == "MedicationRequest/d2"


def test_electrolytes_that_are_some_days_old_name_no_card_that_tells_of_the_start():
    old = [each | {"effectiveDateTime": "2026-11-16T08:00:00Z"} for each in ELECTROLYTES]
    quizartinib = order("quizartinib", status="draft", mg=26.5)
    now, before = (told("order-sign", quizartinib, labs=labs)["qtStart"] for labs in (ELECTROLYTES, old))
    assert before["summary"].startswith("Starting quizartinib: QT risk and ECG days")
    assert "**Some days old:** Potassium" in before["detail"] and "**Some days old:**" not in now["detail"]


def test_a_target_that_counts_provisionally_names_no_card_that_tells_of_the_start():
    undated = [condition("C92.02", "AML in relapse", None)]
    found = told("order-sign", order("quizartinib", status="draft", mg=26.5), conditions=undated)
    assert "target" not in found
    assert found["qtStart"]["summary"].startswith("Starting quizartinib: QT risk and ECG days")
    assert "it counts provisionally" in found["qtStart"]["detail"]


def test_an_allergy_that_is_entered_twice_is_told_once():
    patient = {"reference": "Patient/p1"}
    entry = {"resourceType": "AllergyIntolerance", "code": {"text": "gilteritinib"}, "patient": patient}
    entries = [entry | {"id": f"a{number}", "type": "allergy"} for number in range(3)]
    found = told("order-sign", gilteritinib(status="draft"), allergies=entries)["allergy"]
    assert found["detail"].count("allergy to gilteritinib") == 1


def test_the_limit_of_creatinine_stands_in_the_unit_of_its_value():
    draft = order("cytarabine high dose 3 g/m2", status="draft")
    for code, value, unit, said in (
        ("2160-0", 1.5, "mg/dL", "creatinine 1.5 mg/dL (2026-11-20), counts from 1.2 mg/dL"),
        ("14682-9", 133, "umol/L", "creatinine 133 umol/L (2026-11-20), counts from 106.08 µmol/L"),
    ):
        labs = [*ELECTROLYTES, observation(code, value, unit, "2026-11-20T08:00:00Z")]
        found = cards("order-sign", draft, **(READY | {"labs": labs}))
        assert any(said in card["detail"] for card in found)
