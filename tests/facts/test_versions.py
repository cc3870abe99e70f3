"""Versions: of a problem, a procedure, an allergy or an order that came twice the newest counts."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.allergies import ALLERGIES
from cds_service.facts.disease import DISEASE, Disease
from cds_service.facts.entries import HISTORY, PROBLEMS, PROCEDURES
from cds_service.facts.fact import Fact, Key
from cds_service.facts.genomics.mutations import FLT3_ITD
from cds_service.facts.orders import ORDERED, TYPED
from cds_service.facts.values.ecg import QTC
from cds_service.facts.values.labs import POTASSIUM
from cds_service.facts.values.versions import DIFFER
from tests.calls import ELECTROLYTES, cards, gilteritinib, order, qtcf
from tests.calls import observation as called
from tests.charts import ICD, Json, chart, clinical, concept, condition, observation, quantity

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ERROR = {"verificationStatus": concept("entered-in-error", system=VERIFICATION)}
PRES = condition(concept("I67.83", system=ICD), onsetDateTime="2026-11-15")
RELAPSE = condition(concept("C92.02", system=ICD), onsetDateTime="2026-11-01")


def version(number: int, written: Json, **more: Any) -> Json:
    meta = {"versionId": str(number), "lastUpdated": f"2026-11-1{number}T00:00:00Z"}
    return written | {"meta": meta} | more


def both(*pair: Json) -> tuple[tuple[Json, ...], ...]:
    return pair, pair[::-1]


def problems(*written: Json) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(each.keys, each.doubts) for each in chart(*written).get(PROBLEMS).value or ()]


def test_a_problem_that_was_taken_back_later_is_none() -> None:
    for pair in both(version(1, PRES), version(2, PRES, **ERROR)):
        assert chart(*pair).get(PROBLEMS).value == ()
    for pair in both(version(1, PRES, **ERROR), version(2, PRES)):
        assert problems(*pair) == [(("pres",), ())]


def test_a_problem_that_is_over_by_its_newest_version_is_over() -> None:
    over = version(2, PRES, clinicalStatus=clinical("resolved"))
    for pair in both(version(1, PRES), over):
        assert chart(*pair).get(PROBLEMS).value == ()
        assert [each.over for each in chart(*pair).get(HISTORY).value or ()] == [True]


def test_of_versions_that_nobody_can_order_the_one_that_warns_counts_with_a_doubt() -> None:
    for other in (ERROR, {"clinicalStatus": clinical("resolved")}, {"onsetDateTime": "2026-11-14"}):
        for pair in both(PRES, PRES | other):
            assert problems(*pair) == [(("pres",), (DIFFER,))]
            entry = (chart(*pair).get(HISTORY).value or ())[0]
            assert (str(entry.when), DIFFER in entry.words) == ("2026-11-15", True)
    assert problems(PRES, PRES | {"onsetDateTime": "2026-11-14", "clinicalStatus": clinical("resolved")}) == [
        (("pres",), (DIFFER,)),
    ]  # fmt: skip
    past = PRES | {"clinicalStatus": clinical("resolved")}
    assert problems(past, past | {"onsetDateTime": "2026-11-14"}) == []


def test_versions_of_a_diagnosis_that_nobody_can_order_leave_both_states() -> None:
    remission = RELAPSE | {"code": concept("C92.01", system=ICD)}
    for pair in both(RELAPSE, remission):
        found = chart(*pair).get(DISEASE)
        assert (found.value, found.sure) == (Disease.RELAPSED, False)
    for pair in both(version(1, RELAPSE), version(2, remission)):
        assert chart(*pair).get(DISEASE).value is Disease.REMISSION


def test_the_very_same_problem_that_came_twice_is_one() -> None:
    assert problems(PRES, PRES) == problems(PRES, version(2, PRES)) == [(("pres",), ())]


def test_problems_without_an_id_are_each_their_own() -> None:
    nameless = [{name: value for name, value in each.items() if name != "id"} for each in (PRES, RELAPSE)]
    assert sorted(problems(*nameless)) == sorted(problems(PRES, RELAPSE | {"id": "c2"}))


def procedure(status: str, code: str = "allogeneic stem cell transplantation") -> Json:
    return {"resourceType": "Procedure", "id": "x1", "status": status, "code": {"text": code},
            "subject": {"reference": "Patient/p1"}, "performedDateTime": "2026-10-01"}


def test_a_procedure_that_was_not_done_after_all_is_none() -> None:
    for pair in both(version(1, procedure("completed")), version(2, procedure("not-done"))):
        assert chart(*pair).get(PROCEDURES).value == ()
    for pair in both(procedure("completed"), procedure("not-done")):
        assert [each.doubts for each in chart(*pair).get(PROCEDURES).value or ()] == [(DIFFER,)]
    for pair in both(version(1, procedure("preparation")), version(2, procedure("not-done"))):
        assert chart(*pair).get(ORDERED).value == frozenset()
    assert chart(procedure("preparation")).get(ORDERED).value


@pytest.mark.parametrize(("older", "newer", "typed"), [
    ("completed", "not-done", False), ("not-done", "completed", True),
])
def test_typing_counts_by_its_newest_version(older: str, newer: str, typed: bool) -> None:
    for pair in both(version(1, procedure(older, "HLA typing")), version(2, procedure(newer, "HLA typing"))):
        assert chart(*pair).get(TYPED).value is typed


def allergy(verified: str = "confirmed", drug: str = "venetoclax") -> Json:
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    return {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"},
            "verificationStatus": concept(verified, system=system), "code": {"text": drug}}


def test_an_allergy_that_was_refuted_later_is_none() -> None:
    def read(*written: Json) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return [(each.drugs, each.doubts) for each in chart(*written).get(ALLERGIES).value or ()]

    for pair in both(version(1, allergy()), version(2, allergy("entered-in-error"))):
        assert read(*pair) == []
    for pair in both(allergy(), allergy("refuted")):
        assert read(*pair) == [(("venetoclax",), (DIFFER,))]
    for pair in both(allergy(), allergy() | {"criticality": "high"}):
        assert read(*pair) == [(("venetoclax",), (DIFFER,))]
    assert sorted(read(allergy(), allergy(drug="azacitidine"))) == [
        (("azacitidine",), (DIFFER,)), (("venetoclax",), (DIFFER,)),
    ]  # fmt: skip
    assert read(allergy(), allergy()) == [(("venetoclax",), ())]


def request(status: str, code: str = "12-lead ECG") -> Json:
    return {"resourceType": "ServiceRequest", "id": "s1", "status": status, "intent": "order", "code": {"text": code},
            "subject": {"reference": "Patient/p1"}, "authoredOn": "2026-11-19"}


def test_an_order_that_was_revoked_later_is_none() -> None:
    for pair in both(version(1, request("active")), version(2, request("revoked"))):
        assert chart(*pair).get(ORDERED).value == frozenset()
    for pair in both(request("active"), request("revoked")):
        found = chart(*pair).get(ORDERED)
        assert (found.value, found.doubts) == (frozenset({"ecg"}), (f"of an order: {DIFFER}",))


def test_a_regimen_on_record_that_was_revoked_later_adds_no_drug() -> None:
    active, revoked = request("active", "FLAG-IDA"), request("revoked", "FLAG-IDA")
    for pair in both(version(1, active), version(2, revoked)):
        assert not chart(*pair).medications.orders
    for pair in both(active, revoked):
        (found,) = chart(*pair).medications.orders
        assert "idarubicin" in found.ingredients and found.doubts[-1] == DIFFER
    assert [DIFFER in each.doubts for each in chart(active, active).medications.orders] == [False]


QTCF, K = quantity("76634-5", 430, "ms"), quantity("2823-3", 4.4, "mmol/L")
ITD = observation("79210-1", name="g1", valueCodeableConcept=concept("LA9633-4"))
NO_ITD = ITD | {"valueCodeableConcept": concept("LA9634-2")}


@pytest.mark.parametrize(("key", "result"), [(QTC, QTCF), (POTASSIUM, K), (FLT3_ITD, ITD), (FLT3_ITD, NO_ITD)])
@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_result_of_which_one_version_was_taken_back_clears_nothing(key: Key[Any], result: Json, status: str) -> None:
    for pair in both(result, result | {"status": status}):
        found: Fact[Any] = chart(*pair).get(key)
        assert found.value is not None
        assert DIFFER in found.doubts
    for pair in both(version(1, result), version(2, result, status=status)):
        assert chart(*pair).get(key).value is None


def test_two_final_or_equal_versions_of_a_result_raise_no_such_doubt() -> None:
    for pair in both(QTCF, QTCF | {"status": "preliminary"}):
        assert chart(*pair).get(QTC).sure
    assert chart(K, K).get(POTASSIUM).sure


def test_versions_of_a_mutation_that_disagree_decide_nothing_in_either_order() -> None:
    for pair in both(ITD, NO_ITD | {"status": "preliminary"}):
        found = chart(*pair).get(FLT3_ITD)
        assert (found.sure, DIFFER in found.doubts) == (False, True)


@pytest.mark.parametrize("status", ["final", "amended", "preliminary", "cancelled"])
def test_the_version_over_a_limit_is_as_urgent_beside_another_one(status: str) -> None:
    for pair in both(qtcf(512), qtcf(430) | {"status": status}):
        found = cards("order-sign", gilteritinib(status="draft"), ecg=list(pair), labs=ELECTROLYTES)
        assert (found[0]["indicator"], found[0]["summary"][:11]) == ("critical", "QTcF 512 ms")
    low, other = (called("2823-3", value, "mmol/L", "2026-11-20T08:00:00Z") for value in (2.4, 4.4))
    drug = order("quizartinib 17.7 MG Oral Tablet", mg=17.7, status="draft")
    for pair in both(low, other | {"status": "cancelled"}):
        found = cards("order-sign", drug, ecg=[qtcf(430)], labs=[*pair, ELECTROLYTES[1]])
        (card,) = [each for each in found if "2.4 mmol/L" in each["summary"]]
        assert (card["indicator"], DIFFER in card["detail"]) == ("critical", True)
