"""Whole patients along both decision graphs, each as a clinician would tell it, with what the cards are to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.knowledge.options import Status
from cds_service.knowledge.therapies import Kind
from cds_service.rules.catalogue import RULES
from cds_service.rules.relapse.offers import safety
from tests.calls import (
    ELECTROLYTES,
    NOW,
    PATIENT,
    RELAPSED,
    ask,
    cards,
    condition,
    flt3_itd,
    observation,
    order,
    qtcf,
    request,
    tools,
)
from tests.overlays import ask_with, cards_of

LOINC_EGFR, LOINC_ECOG = "33914-3", "89247-1"


def ecog(score, when="2026-11-18"):
    return observation(LOINC_ECOG, score, "{score}", f"{when}T08:00:00Z")


def born(year):
    return PATIENT | {"birthDate": f"{year}-01-01"}


EGFR = observation(LOINC_EGFR, 80, "mL/min/{1.73_m2}", "2026-11-18T08:00:00Z")
REMISSION = condition(
    "C92.01", "AML, first remission", "2025-02-01", id="cr1", abatementDateTime="2026-11-01",
    clinicalStatus={"coding": [{"code": "resolved"}]},
)  # fmt: skip
ALLOGRAFT = {
    "resourceType": "Procedure", "id": "hsct", "status": "completed", "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "58390007"}], "text": "Allograft"},
    "performedDateTime": "2025-09-01",
}  # fmt: skip
FIT = {
    "patient": born(1980), "conditions": [RELAPSED, REMISSION], "labs": [*ELECTROLYTES, EGFR], "bedside": [ecog(1)],
    "ecg": [qtcf(430)], "genomics": [flt3_itd("2026-11-10")],
}  # fmt: skip


def card(found, code):
    return next((each for each in found if each["source"]["topic"]["code"] == code), None)


def told(code="optionsAtRelapse", **chart):
    found = card(cards("patient-view", **(FIT | chart)), code)
    return found["detail"] if found else ""


def test_a_fit_patient_with_flt3_hears_trial_first_then_the_target_and_the_intensive_regimens():
    first = told("trialFirst")
    assert "a trial is the best option" in first
    assert "lasted 21 months" in first
    detail = told()
    assert "gilteritinib: offered." in detail
    assert "FLAG-IDA: offered" in detail
    assert detail.index("Trial:") < detail.index("gilteritinib")


def test_the_work_up_takes_two_cards_and_one_for_the_gaps():
    found = cards("patient-view", **FIT)
    assert [each["source"]["topic"]["code"] for each in found if each["indicator"] == "info"][:2] == [
        "trialFirst", "optionsAtRelapse",
    ]  # fmt: skip
    assert len(found) <= 3


def test_targets_with_a_phase_iii_trial_stand_first_and_no_rate_sorts_anything():
    lines = [line[2:].split(":")[0] for line in told().splitlines() if line.startswith("- ") and "Evidence" in line]
    groups = [lines[: lines.index("ADE, standard (concurrent) schedule")], lines[lines.index("CLAG (cladribine)") :]]
    assert all(group == sorted(group, key=str.lower) for group in groups)
    assert "those with a phase III trial first, else by name; no comparison between them exists" in told()


@pytest.mark.parametrize(("score", "regimen", "low"), [(1, True, False), (2, False, False), (3, False, True)])
def test_performance_status_opens_and_closes_the_intensive_branch(score, regimen, low):
    detail = told(bedside=[ecog(score)])
    assert ("FLAG-IDA: offered" in detail, "azacitidine: offered" in detail) == (regimen, low)
    assert "gilteritinib: offered." in detail


def test_an_older_patient_with_a_poor_status_keeps_the_target_and_nobody_is_labelled():
    found = cards("patient-view", **(FIT | {"patient": born(1948), "bedside": [ecog(3)]}))
    text = " ".join(each["summary"] + each["detail"] for each in found)
    assert "gilteritinib: offered." in text
    assert "due to the leukaemia?" in text
    for label in ("is palliative", "palliative patient", "not a transplant candidate", "not eligible"):
        assert label not in text


@pytest.mark.parametrize(("relapsed", "tested", "offered"), [
    ("2026-11-01", "2026-11-10", True), ("2026-05-01", "2026-11-10", True),
    ("2026-05-01", "2026-08-23", True), ("2026-05-01", "2026-08-22", False),  # 90 and 91 days ago
    ("2026-11-12", "2026-11-10", False),
])  # fmt: skip
def test_a_visit_that_names_the_relapse_again_makes_no_recent_result_old(relapsed, tested, offered):
    visits = [
        condition(
            "C92.02", "AML in relapse", None, id=f"visit-{day}", recordedDate=f"2026-11-{day}",
            category=[{"coding": [{"code": "encounter-diagnosis"}]}],
        )
        for day in (12, 16, 20)
    ]  # fmt: skip
    relapse = condition("C92.02", "AML in relapse", relapsed)
    detail = told(conditions=[*visits, relapse], genomics=[flt3_itd(tested)])
    assert ("gilteritinib: offered" in detail) is offered
    assert ("gilteritinib: depends on a repeat test" in detail) is not offered


@pytest.mark.parametrize(("more", "shown"), [
    ({"status": "completed", "until": "2026-09-30"}, True), ({"status": "active"}, False),
    ({"status": "completed", "until": "2026-11-20"}, False),
])  # fmt: skip
def test_a_visit_that_names_the_relapse_after_its_treatment_has_ended_brings_the_options_again(more, shown):
    visit = condition(
        "C92.02", "AML in relapse", None, id="visit", recordedDate="2026-11-16",
        category=[{"coding": [{"code": "encounter-diagnosis"}]}],
    )  # fmt: skip
    taken = order("azacitidine", mg=100, status=more["status"], authoredOn="2026-07-01")
    if "until" in more:
        taken["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"end": more["until"]}
    relapse = condition("C92.02", "AML in relapse", "2026-06-01")
    found = cards("patient-view", conditions=[relapse, visit], medications=[taken])
    assert ("optionsAtRelapse" in {card["source"]["topic"]["code"] for card in found}) is shown


def test_a_newer_result_decides_over_an_older_one():
    lost = [flt3_itd("2026-11-10", present=False), flt3_itd("2026-01-10")]
    gained = [flt3_itd("2026-11-10"), flt3_itd("2026-01-10", present=False)]
    assert "gilteritinib: offered" not in told(genomics=lost)
    assert "gilteritinib: offered" in told(genomics=gained)


def test_conflicting_results_of_one_day_ask_for_a_repeat():
    both = [flt3_itd("2026-11-10"), flt3_itd("2026-11-10", present=False) | {"id": "other"}]
    assert "gilteritinib: depends on a repeat test" in told(genomics=both)


def test_a_stop_is_never_offered():
    detail = told(ecg=[qtcf(512)])
    assert "gilteritinib: excluded because QTcF 512 ms" in detail
    assert "gilteritinib: offered" not in detail


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, True),
        ({"value": Status(Kind.APPROVED_OTHER, "approved for something else")}, False),
        ({"foreign": "EU"}, False),
    ],
)
def test_a_drug_that_is_not_approved_here_for_relapse_comes_before_nothing(changes, said):
    knowledge = tools().knowledge
    status = "option-gilteritinib-status-us"
    statements = tuple(replace(each, **changes) if each.id == status else each for each in knowledge.statements)
    with_these = replace(tools(), knowledge=replace(knowledge, statements=statements))
    detail = card(cards_of(ask_with(with_these, "patient-view", **FIT)), "optionsAtRelapse")["detail"]
    assert "gilteritinib: offered" in detail
    assert "FLAG-IDA: offered" in detail
    assert ("gilteritinib comes before intensive salvage chemotherapy" in detail) is said


def test_the_newest_ecg_counts_for_the_offer():
    assert "gilteritinib: offered." in told(ecg=[qtcf(430), qtcf(512, "2026-11-05T08:00:00Z")])


def test_relapse_after_an_allograft_brings_its_own_group():
    detail = told(procedures=[ALLOGRAFT])
    assert "donor lymphocyte infusion, with re-induction: offered with cautions" in detail
    assert "confirm GVHD status" in detail


def test_refractory_disease_has_options_and_no_first_remission():
    refractory = condition("C92.00", "AML, refractory to induction", "2026-11-01")
    detail = told(conditions=[refractory])
    assert "gilteritinib: offered." in detail
    assert "refractory disease, no first remission on record" in detail


def test_once_treatment_has_begun_neither_work_up_nor_options_are_shown():
    begun = order("gilteritinib 40 MG", "2105811", 120, authoredOn="2026-11-12")
    assert told(medications=[begun]) == ""
    assert told("trialFirst", medications=[begun]) == ""


def test_disease_that_persists_after_a_month_of_treatment_goes_back_to_the_first_steps():
    begun = order("gilteritinib 40 MG", "2105811", 120, authoredOn="2026-09-12")
    refractory = condition("C92.00", "AML, refractory to gilteritinib", "2026-11-10", id="refractory")
    chart = {"medications": [begun], "conditions": [condition("C92.02", "AML relapse", "2026-09-01"), refractory]}
    assert told("trialFirst", **chart)


def test_remission_after_the_relapse_leads_to_transplantation():
    again = condition("C92.01", "AML, second remission", "2026-11-15", id="cr2")
    over = condition("C92.02", "AML relapse", "2026-08-01", clinicalStatus={"coding": [{"code": "resolved"}]})
    assert "move to it promptly" in told("afterResponse", conditions=[over, again])
    assert told(conditions=[over, again]) == ""


@pytest.mark.parametrize(
    "chart",
    [
        {"patient": born(2012)},
        {"patient": {key: value for key, value in PATIENT.items() if key != "birthDate"}},
        {"patient": PATIENT | {"deceasedBoolean": True}},
        {"conditions": [condition("C92.42", "APL in relapse")]},
        {"conditions": [condition("C92.00", "AML")]},
        {"conditions": []},
    ],
)
def test_children_unknown_ages_the_dead_promyelocytic_and_unstated_disease_get_no_options(chart):
    assert told(**chart) == ""


def test_a_state_that_is_not_stated_is_asked_for_in_one_card():
    found = cards("patient-view", **(FIT | {"conditions": [condition("C92.00", "AML")]}))
    assert [each["source"]["topic"]["code"] for each in found] == ["stateNotStated"]


PRES = condition("I67.83", "PRES", "2026-11-15", id="pres")
LYING_IN_WAIT = {
    "nothing": {},
    "long QTc": {"ecg": [qtcf(512)]},
    "rifampicin": {"medications": [order("rifampicin 600 mg", mg=600, id="r")]},
    "posaconazole": {"medications": [order("posaconazole 300 mg", mg=300, id="p")]},
    "amiodarone": {"medications": [order("amiodarone 200 mg", mg=200, id="a")]},
    "PRES": {"conditions": [RELAPSED, REMISSION, PRES]},
    "potassium 2.6": {"labs": [observation("2823-3", 2.6, "mmol/L", "2026-11-20T08:00:00Z"), EGFR]},
    "eGFR 10": {"labs": [*ELECTROLYTES, EGFR | {"valueQuantity": EGFR["valueQuantity"] | {"value": 10}}]},
}


@pytest.mark.parametrize("danger", LYING_IN_WAIT)
@pytest.mark.parametrize("age", [1948, 1980])
def test_what_is_offered_brings_nothing_critical_when_it_is_ordered(danger, age):
    chart = FIT | LYING_IN_WAIT[danger] | {"patient": born(age), "bedside": [ecog(3 if age < 1950 else 1)]}
    snapshot = tools().knowledge.at(NOW.date(), "US")
    lines = card(cards("patient-view", **chart), "optionsAtRelapse")["detail"].splitlines()
    offered = {line[2:].split(": offered")[0] for line in lines if ": offered" in line}
    drugs = {drug for option in snapshot.options.values() if option.name in offered for drug in option.drugs}
    assert drugs
    for drug in sorted(drugs):
        found = cards("order-sign", order(drug, status="draft", id="d"), **chart)
        assert "critical" not in [each["indicator"] for each in found], drug


def test_options_stay_away_from_signing():
    found = cards("order-sign", order("gilteritinib 40 MG", "2105811", 120, status="draft"), **FIT)
    assert card(found, "optionsAtRelapse") is None


def test_results_of_one_day_that_contradict_each_other_are_no_change_and_no_target() -> None:
    both = [flt3_itd("2026-11-10"), flt3_itd("2026-11-10", present=False) | {"id": "other"}]
    said = " ".join(card["summary"] for card in cards("patient-view", genomics=both))
    assert "FLT3-ITD gained" not in said
    assert "a target that is present" not in said


def _raises(*_: Any) -> Any:
    raise ValueError("broken")


@pytest.mark.parametrize("broken", ["the check", "its subjects"])
@pytest.mark.parametrize("drug", ["gilteritinib", "venetoclax"])
def test_a_check_that_failed_leaves_the_option_open(broken, drug):
    whole = next(each for each in RULES if each.id == "qtc-hold")
    failing = replace(whole, **{"function" if broken == "the check" else "subjects": _raises})
    body = request("patient-view", **FIT)
    chart = ask(body).evaluation.chart
    snapshot = tools().knowledge.at(NOW.date(), "US")
    unseen = safety(drug, (failing,), chart, snapshot).unseen
    concerned = broken == "its subjects" or drug == "gilteritinib"
    assert bool(unseen) is concerned, unseen


def test_cd33_as_a_share_of_all_cells_is_no_result_of_the_blasts() -> None:
    share = observation("8102-6", 60, "%", "2026-11-10")
    card = next(each for each in cards("patient-view", genomics=[share]) if each["summary"].startswith("Options"))
    assert "a share of all cells, not of the blasts" in card["detail"]
    assert "a target that is present" not in card["summary"]
