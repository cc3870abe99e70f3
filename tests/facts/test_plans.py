"""Drafted care plans and order sets: what they order and nobody reads is told, and what is read or no drug is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls import cards, order

Json = dict[str, Any]
WHOSE: Json = {"status": "draft", "intent": "order", "subject": {"reference": "Patient/p1"}}
GILTERITINIB = order("gilteritinib 40 MG Oral Tablet", "2105811", 120)


def plan(*activities: Json, **more: Any) -> Json:
    return {"resourceType": "CarePlan", "id": "plan", "activity": list(activities)} | WHOSE | more


def group(*actions: Json, **more: Any) -> Json:
    return {"resourceType": "RequestGroup", "id": "group", "action": list(actions)} | WHOSE | more


def product(text: str, **more: Any) -> Json:
    return {"detail": {"status": "not-started", "productCodeableConcept": {"text": text}, **more}}


def refers(reference: str) -> Json:
    return {"resource": {"reference": reference}}


def unread(*drafts: Json, **chart: Any) -> list[str]:
    found = cards("order-sign", *drafts, **chart)
    return [card["detail"] for card in found if "could not be read" in card["summary"] + card["detail"]]


@pytest.mark.parametrize(("draft", "why"), [
    (plan(product("gilteritinib 40 MG Oral Tablet")), "it holds a drug of its own"),
    (plan(product("paracetamol 500 mg"), product("venetoclax 400 mg", kind="MedicationRequest")), "it holds a drug"),
    (plan({"detail": {"status": "not-started",
    "productReference": {"reference": "Medication/m1"}}}), "it holds a drug"),
    (plan({"reference": {"reference": "MedicationRequest/elsewhere"}}), "an order that did not come along"),
    (group(refers("MedicationRequest/elsewhere")), "an order that did not come along"),
    (group(refers("https://ehr.example/fhir/MedicationRequest/elsewhere")), "an order that did not come along"),
    (group({"title": "both", "action": [refers("MedicationRequest/elsewhere")]}), "an order that did not come along"),
    (group(refers("urn:uuid:0b9f6b0e-0000-4000-8000-000000000009")), "an order that did not come along"),
])  # fmt: skip
def test_a_drafted_plan_whose_drugs_are_not_read_says_so(draft: Json, why: str) -> None:
    (told,) = unread(draft)
    assert why in told


@pytest.mark.parametrize("draft", [
    plan(product("paracetamol 500 mg")), plan(product("oral supplement", kind="NutritionOrder")),
    plan(product("venetoclax 400 mg", doNotPerform=True)), plan(product("venetoclax 400 mg", status="cancelled")),
    plan(product("venetoclax 400 mg"), status="revoked"), plan({"detail": {"code": {"text": "ECG"}}}), plan(), group(),
    plan(product("FLAG-IDA"), title="FLAG-IDA cycle 1"), group(refers("ServiceRequest/elsewhere")),
    group(refers("MedicationRequest/elsewhere"), status="completed"), group({"title": "review the medication"}),
])  # fmt: skip
def test_a_drafted_plan_without_a_drug_to_read_is_no_unread_order(draft: Json) -> None:
    assert not unread(draft)


def test_a_plan_that_refers_to_orders_that_came_leaves_nothing_unread() -> None:
    reference = {"reference": "MedicationRequest/m-gilteritinib"}
    for each in (group({"resource": reference}), plan({"reference": reference})):
        assert not unread(each, GILTERITINIB)
        assert not unread(each, medications=[GILTERITINIB])
