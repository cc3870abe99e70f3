"""Medications: what is drafted, taken, held and stopped; when "does not take it" may be said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.drugs.medications import MEDICATIONS, Role
from cds_service.facts.fact import State
from cds_service.gather.replies import Status
from tests.calls import RELAPSED, cards, condition, gilteritinib
from tests.charts import NOW, RXNORM, Json, chart, concept, order

ATC = "http://www.whocc.no/atc"
VENETOCLAX, POSACONAZOLE = order("venetoclax", id="v1"), order("posaconazole", id="p1")


def roles(*orders: Json, **more: Any) -> list[tuple[str, Role]]:
    return [(each.ingredients[0], each.role) for each in chart(*orders, **more).medications.orders if each.ingredients]


def lasting(*periods: Json | None) -> list[Json]:
    open_ended = {"text": "300 mg daily"}
    return [{"timing": {"repeat": {"boundsPeriod": period}}} if period else open_ended for period in periods]


@pytest.mark.parametrize(("status", "role"), [
    ("active", Role.ACTIVE), ("on-hold", Role.ON_HOLD), ("stopped", Role.PAST), ("completed", Role.PAST),
])
def test_the_status_gives_the_role(status: str, role: Role) -> None:
    assert roles(order("posaconazole", status)) == [("posaconazole", role)]


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "draft"])
def test_an_order_that_was_never_given_is_not_taken(status: str) -> None:
    assert roles(order("posaconazole", status)) == []


@pytest.mark.parametrize(("reason", "progressed"), [
    ("Disease progression", True), ("Krankheitsprogress", True), ("refractory disease", True), ("relapsed", True),
    ("see progress notes", False), ("refractory nausea", False), ("No response from pharmacy", False),
    ("not due to progression", False), ("nicht wegen Progress", False), ("treatment of relapse completed", False),
    ("No evidence of disease progression; toxicity", False), ("refractory nausea, then progression", True),
])
def test_only_a_disease_that_went_on_is_progression(reason: str, progressed: bool) -> None:
    (found,) = chart(order("gilteritinib", "stopped", statusReason={"text": reason})).medications.orders
    assert found.progressed is progressed


def test_an_order_of_unknown_status_may_be_active_and_says_so() -> None:
    facts = chart(order("posaconazole", "unknown"))
    assert roles(order("posaconazole", "unknown")) == [("posaconazole", Role.ACTIVE)]
    assert facts.medications.orders[0].doubts == ("the order does not say whether it is active",)


@pytest.mark.parametrize("more", [{"doNotPerform": True}, {"intent": "proposal"}, {"intent": "option"}])
def test_a_prohibition_or_a_proposal_is_not_taken(more: Json) -> None:
    assert roles(order("posaconazole", **more)) == []


@pytest.mark.parametrize("intent", ["order", "plan", "instance-order", "original-order"])
def test_orders_and_plans_are_taken(intent: str) -> None:
    assert roles(order("posaconazole", intent=intent)) == [("posaconazole", Role.ACTIVE)]


@pytest.mark.parametrize(("periods", "role"), [
    ([{"end": "2026-11-19"}], Role.PAST), ([{"end": "2026-11-20"}], Role.ACTIVE),
    ([{"start": "2026-01-01"}], Role.ACTIVE),
    ([{"end": "2026-11-01"}, {"end": "2026-12-01"}], Role.ACTIVE),
    ([{"end": "2026-11-01"}, {"end": "2026-11-02"}], Role.PAST),
    ([{"end": "2026-11-01"}, None], Role.ACTIVE), ([{"end": "2026-11-01"}, {"start": "2026-11-01"}], Role.ACTIVE),
    ([{"end": "9999-12-31"}], Role.ACTIVE), ([None], Role.ACTIVE),
])
def test_an_order_is_over_only_when_every_instruction_has_ended(periods: list[Json | None], role: Role) -> None:
    assert roles(order("posaconazole", dosageInstruction=lasting(*periods))) == [("posaconazole", role)]


def test_the_end_of_the_prescription_is_not_the_end_of_the_drug() -> None:
    dispensed = {"validityPeriod": {"end": "2026-11-01"}}
    assert roles(order("posaconazole", dispenseRequest=dispensed)) == [("posaconazole", Role.ACTIVE)]


def test_the_start_is_that_of_the_instruction_else_of_the_order() -> None:
    stated = chart(order("x venetoclax", dosageInstruction=lasting({"start": "2026-10-15"}))).medications.orders[0]
    assert (str(stated.start), str(chart(VENETOCLAX).medications.orders[0].start)) == ("2026-10-15", "2026-10-01")


@pytest.mark.parametrize(("written", "start"), [
    ("2026-11-20", "2026-11-20"), ("2026-11-21", "2026-11-21"), ("2026-11-23", "None"), ("2027-11-08", "None"),
])
def test_an_order_on_record_that_is_written_in_the_future_has_no_date(written: str, start: str) -> None:
    assert str(chart(order("gilteritinib", authoredOn=written)).medications.orders[0].start) == start


def test_a_wrong_date_of_the_order_does_not_silence_what_came_on_the_drug() -> None:
    pres = condition("I67.83", "PRES", "2026-11-15")
    for written in ("2026-11-08", "2027-11-08"):
        found = cards("patient-view", conditions=[RELAPSED, pres], medications=[gilteritinib(authoredOn=written)])
        assert any("PRES" in card["summary"] for card in found), written


def test_orders_without_id_are_all_read() -> None:
    nameless = [{key: value for key, value in each.items() if key != "id"} for each in (VENETOCLAX, POSACONAZOLE)]
    draft = {key: value for key, value in order("gilteritinib", "draft").items() if key != "id"}
    found = roles(*nameless, drafts=[draft])
    assert [drug for drug, _ in found] == ["gilteritinib", "venetoclax", "posaconazole"]


# Drafts


def test_a_draft_is_a_draft_and_stands_for_the_order_of_its_id() -> None:
    assert roles(VENETOCLAX, drafts=[VENETOCLAX | {"status": "draft"}]) == [("venetoclax", Role.DRAFT)]


@pytest.mark.parametrize("more", [
    {"status": "stopped"}, {"status": "completed"}, {"doNotPerform": True}, {"doNotPerform": True, "status": "draft"},
])
def test_a_draft_that_stops_an_order_ends_it_today_and_no_other(more: Json) -> None:
    found = chart(VENETOCLAX, POSACONAZOLE, drafts=[POSACONAZOLE | more]).medications
    assert (found.drugs(Role.ACTIVE), found.drugs(Role.PAST)) == (("venetoclax",), ("posaconazole",))
    assert str(found.of(Role.PAST)[0].end) == "2026-11-20"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_draft_that_takes_an_order_back_leaves_none_of_it(status: str) -> None:
    assert roles(VENETOCLAX, POSACONAZOLE, drafts=[POSACONAZOLE | {"status": status}]) == [("venetoclax", Role.ACTIVE)]


@pytest.mark.parametrize("listed", [{"status": "on-hold"}, {"status": "stopped"}])
def test_when_an_order_was_taken_last_that_was_not_in_use_is_not_said_by_the_draft_that_stops_it(listed: Json) -> None:
    found = chart(POSACONAZOLE | listed, drafts=[POSACONAZOLE | {"status": "stopped"}]).medications
    assert [(each.role, each.end) for each in found.orders] == [(Role.PAST, None)]


@pytest.mark.parametrize("unnamed", [None, {"reference": "Medication/elsewhere"}])
def test_a_draft_that_names_no_drug_does_not_stand_for_the_order_of_its_id(unnamed: Json | None) -> None:
    draft = {key: value for key, value in POSACONAZOLE.items() if key != "medicationCodeableConcept"}
    draft |= {"status": "draft"} | ({"medicationReference": unnamed} if unnamed else {})
    assert roles(POSACONAZOLE, drafts=[draft]) == [("posaconazole", Role.ACTIVE)]


@pytest.mark.parametrize(("status", "until", "end"), [
    ("stopped", "2026-12-10", None), ("completed", "2026-12-10", None), ("stopped", "2026-11-20", "2026-11-20"),
    ("stopped", "2026-11-01", "2026-11-01"), ("active", "2026-12-10", "2026-12-10"),
])
def test_the_planned_last_day_of_an_order_that_is_over_is_not_the_day_it_ended(
    status: str, until: str, end: str | None
) -> None:
    found = chart(order("posaconazole", status, dosageInstruction=lasting({"end": until}))).medications.orders[0]
    assert (str(found.end) if found.end else None, found.cut_short) == (end, status != "active" and end is None)


def test_a_draft_names_the_order_that_it_replaces() -> None:
    draft = order("venetoclax",
    "draft", id="v2", priorPrescription={"reference": "https://x/fhir/MedicationRequest/v1"})
    assert chart(VENETOCLAX, drafts=[draft]).medications.orders[0].replaces == ("MedicationRequest/v1",)


@pytest.mark.parametrize(("selections", "chosen"), [
    ((), [True, True]), (("MedicationRequest/v1",), [True, False]), (("p1",), [False, True]),
])
def test_the_selected_drafts_are_marked(selections: tuple[str, ...], chosen: list[bool]) -> None:
    orders = chart(drafts=[VENETOCLAX, POSACONAZOLE], selections=selections).medications.orders
    assert [each.selected for each in orders] == chosen


def test_an_invalid_draft_still_warns_without_its_dose() -> None:
    draft = order("venetoclax", "draft", dosageInstruction="400 mg")
    found = chart(drafts=[draft]).medications.orders[0]
    assert (found.ingredients, found.role, found.dose.daily) == (("venetoclax",), Role.DRAFT, None)
    assert "not valid FHIR R4" in found.doubts[0]


def test_an_invalid_listed_order_still_warns_and_the_list_is_unsure() -> None:
    fact = chart(order("posaconazole", dosageInstruction="300 mg")).get(MEDICATIONS)
    assert fact.value is not None
    assert ([each.ingredients for each in fact.value.orders], fact.sure) == ([("posaconazole",)], False)


# When the list is sure


def test_a_list_that_was_read_whole_is_sure_even_when_empty() -> None:
    assert chart().get(MEDICATIONS).sure
    assert chart(VENETOCLAX, order("aspirin", id="a")).get(MEDICATIONS).sure


@pytest.mark.parametrize("unclear", [order({}), order("", medicationReference={"reference": "Medication/gone"}),
                                     order({"coding": [{"system": "urn:oid:1.2", "code": "17"}]}),
                                     order("Study drug"), order("NON-FORMULARY (see comments)"), order("Unknown"),
                                     order(concept("999999999", system=RXNORM, display="unknown"))])
def test_an_order_that_cannot_be_told_apart_makes_the_list_unsure(unclear: Json) -> None:
    assert not chart(VENETOCLAX, unclear).get(MEDICATIONS).sure


@pytest.mark.parametrize(("code", "unread"), [
    ("J02AC", 1), ("j02ac", 1), ("A02BC", 1), ("A02", 1), ("N02BE01", 0), ("V09", 0),
])
def test_a_draft_by_the_code_alone_of_a_group_with_drugs_that_we_know_was_not_read(code: str, unread: int) -> None:
    alone, named = (order(concept(code, words, ATC), "draft", id="d1") for words in ("", "folic acid"))
    assert chart(drafts=[alone]).medications.unnamed_drafts == unread
    assert chart(drafts=[named]).medications.unnamed_drafts == 0


@pytest.mark.parametrize(("code", "system", "drug"), [
    ("1535468", RXNORM, "ceritinib"), ("1655934", RXNORM, "lumacaftor"), ("2361296", RXNORM, "tucatinib"),
    ("2103177", RXNORM, "lorlatinib"), ("A04AA55", ATC, "netupitant"), ("A02AD01", ATC, "aluminium hydroxide"),
])
def test_a_drug_that_acts_on_ours_is_told_by_its_code_alone(code: str, system: str, drug: str) -> None:
    assert drug in chart(order(concept(code, system=system))).medications.orders[0].ingredients


@pytest.mark.parametrize("name", [
    "ノクサフィル錠１００ｍｇ", "ポサコナゾール", "泊沙康唑肠溶片 100mg", "Вориконазол 200 мг", "βορικοναζόλη",
    "포사코나졸정 100mg", "ボリコナゾール錠 OD", "吉瑞替尼 tablets 40 mg",
    "Ксоспата film-coated tablets 40 mg", "Вориконазол Filmtabletten",
])
def test_a_name_in_another_script_may_be_that_of_any_drug(name: str) -> None:
    local = {"coding": [{"system": "http://medis.or.jp/CodeSystem/master-HOT9", "code": "126764801", "display": name}]}
    assert not chart(VENETOCLAX, order(local)).get(MEDICATIONS).sure
    assert not chart(VENETOCLAX, order(name)).get(MEDICATIONS).sure


@pytest.mark.parametrize("named", [
    "Paracétamol", "Acide folique", "β-carotene", "interferon β-1a", "Ω-3 fatty acids", "Đường uống vitamin", "5-FU",
    "Нурофен (ibuprofen) 200 мг", "µg selenium", "ロキソプロフェン (loxoprofen)", "Žinčíková mast",
    {"coding": [{"system": "http://www.whocc.no/atc", "code": "R05CB03", "display": "ムコダイン錠２５０ｍｇ"}]},
])
def test_a_name_that_can_be_read_or_a_code_that_rules_ours_out_leaves_the_list_sure(named: str | Json) -> None:
    assert chart(VENETOCLAX, order(named)).get(MEDICATIONS).sure


def test_a_drug_of_ours_in_another_script_is_known_by_its_code() -> None:
    coded = {"coding": [{"system": "http://www.whocc.no/atc", "code": "J02AC04", "display": "ノクサフィル錠"}]}
    assert roles(order(coded)) == [("posaconazole", Role.ACTIVE)]


@pytest.mark.parametrize("status", ["completed", "stopped"])
def test_a_name_for_any_drug_on_an_order_that_is_over_unsettles_nothing(status: str) -> None:
    assert chart(VENETOCLAX, order("Home medication", id="h", status=status)).get(MEDICATIONS).sure
    only_coded = order({"coding": [{"system": "urn:oid:1.2", "code": "17"}]}, id="c", status=status)
    assert not chart(VENETOCLAX, only_coded).get(MEDICATIONS).sure


@pytest.mark.parametrize(("status", "state"), [
    (Status.PARTIAL, State.KNOWN), (Status.FAILED, State.FAILED), (Status.NOT_ASKED, State.NOT_ASKED),
])
def test_a_list_that_was_not_had_whole_is_unsure_and_the_drafts_are_read(status: Status, state: State) -> None:
    fact = chart(drafts=[VENETOCLAX], statuses={"medications": status}).get(MEDICATIONS)
    assert (fact.state, fact.sure) == (state, False)
    assert fact.value is not None
    assert len(fact.value.orders) == 1


def test_the_orders_of_another_patient_are_not_read() -> None:
    assert roles(order("posaconazole", subject={"reference": "Patient/p2"})) == []


@given(st.permutations([
    VENETOCLAX, POSACONAZOLE, order("fluconazole", "stopped", id="f"), order("amiodarone", "on-hold", id="a"),
    order({}, id="u"),
]))
def test_the_order_of_the_resources_does_not_change_the_list(shuffled: list[Json]) -> None:
    fact = chart(*shuffled).get(MEDICATIONS)
    assert set(roles(*shuffled)) == {("venetoclax", Role.ACTIVE), ("posaconazole", Role.ACTIVE),
        ("fluconazole", Role.PAST),
                                     ("amiodarone", Role.ON_HOLD)}
    assert not fact.sure


@pytest.mark.parametrize(("text", "high"), [
    ("high dose cytarabine", True), ("cytarabine (HiDAC)", True), ("cytarabine, FLAG-Ida day 2", True),
    ("cytarabine 20 mg", False), ("low dose cytarabine", False),
    ("cytarabine solution for injection, preservative free, from the pharmacy on the third floor, HiDAC", True),
])
def test_a_high_dose_regimen_is_known_by_its_name(text: str, high: bool) -> None:
    assert chart(order("cytarabine", medicationCodeableConcept={"text": text})).medications.orders[0].high_dose is high


def test_the_instructions_may_name_the_high_dose_regimen_and_the_spinal_route() -> None:
    dosage = [{"text": "HiDAC day 1", "route": {"text": "intrathecal"}}]
    found = chart(order("cytarabine", dosageInstruction=dosage)).medications.orders[0]
    assert (found.high_dose, found.route) == (True, "intrathecal")


def stated(**more: Any) -> Json:
    return {"resourceType": "MedicationStatement", "id": "said", "status": "active", "effectiveDateTime": "2026-11-10",
            "medicationCodeableConcept": {"text": "posaconazole"}, "subject": {"reference": "Patient/p1"}} | more


@pytest.mark.parametrize(("taken", "certain"), [(None, [True]), ("y", [True]), ("na", [True]), ("unk", [False]),
("n", [])])
def test_a_statement_of_an_older_version_says_whether_the_drug_is_taken(
    taken: str | None, certain: list[bool]
) -> None:
    found = chart(stated() if taken is None else stated(taken=taken)).medications.of(Role.ACTIVE)
    assert [not each.doubts for each in found] == certain


def test_what_an_older_version_says_was_not_taken_was_not_taken_in_the_past_either() -> None:
    assert chart(stated(status="completed", taken="n")).medications.orders == ()


def test_what_this_call_puts_on_hold_was_taken_until_now_and_what_was_on_hold_before_since_nobody_knows_when():
    held = order("posaconazole", "on-hold")
    for status, end in (("active", NOW), ("on-hold", None)):
        found = chart(order("posaconazole", status), drafts=[held]).medications.of(Role.ON_HOLD)
        assert [each.end and each.end.latest for each in found] == [end]
