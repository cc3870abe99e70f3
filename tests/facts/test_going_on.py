"""Going on: which drafts go on with an order in use, and which start the drug whatever stands on record."""

from __future__ import annotations

import json

import pytest

from cds_service.facts.drugs.medications import Role
from tests.calls import cards, condition, gilteritinib, order, qtcf
from tests.charts import Json, chart
from tests.charts import order as on_list

AML, SEIZURE = condition("C92.02", "AML"), condition("R56.9", "Convulsions", "2026-11-18")
V = on_list("venetoclax", id="v1")  # written on 2026-10-01, and the charts are of 2026-11-20
ON_IT = "Convulsions on gilteritinib: evaluate for PRES"


def starting(order: Json, **bounds: str) -> Json:
    """The order with a day on which it is to begin."""
    first = order.get("dosageInstruction", [{"text": "as before"}])[0]
    timing = first.get("timing", {})
    repeat = timing.get("repeat", {}) | {"boundsPeriod": bounds}
    return order | {"dosageInstruction": [first | {"timing": timing | {"repeat": repeat}}]}


def roles(*orders: Json, drafts: list[Json]) -> list[Role]:
    return [each.role for each in chart(*orders, drafts=drafts).medications.orders]


BEGUN = starting(V, start="2026-11-19")


# Signed again under its own id


@pytest.mark.parametrize("status", ["draft", "active"])
@pytest.mark.parametrize(("on_record", "role"), [("active", Role.ACTIVE), ("on-hold", Role.ON_HOLD)])
def test_an_order_that_has_begun_goes_on_where_it_is_signed_again(status: str, on_record: str, role: Role) -> None:
    found = chart(BEGUN | {"status": on_record}, drafts=[BEGUN | {"status": status}]).medications
    assert [each.role for each in found.orders] == [Role.DRAFT, role]
    assert [each.role for each in found.superseded] == [role]
    assert found.of(Role.ACTIVE, Role.ON_HOLD) == ()


@pytest.mark.parametrize("listed", [
    starting(V, start="2026-11-20"), starting(V, start="2026-11-21"), starting(V, start="2026-11"),
    starting(V, end="2026-12-01"), BEGUN | {"intent": "plan"}, V,
])
def test_one_of_which_nobody_says_that_it_has_begun_starts_the_drug(listed: Json) -> None:
    assert roles(listed, drafts=[listed]) == [Role.DRAFT]


def test_a_draft_that_begins_later_than_its_order_on_record_starts_the_drug() -> None:
    assert roles(BEGUN, drafts=[starting(V, start="2026-11-20")]) == [Role.DRAFT]
    assert roles(BEGUN, drafts=[V]) == [Role.DRAFT, Role.ACTIVE]
    assert roles(BEGUN, drafts=[V | {"authoredOn": "2026-11-20"}]) == [Role.DRAFT, Role.ACTIVE]


@pytest.mark.parametrize(("end", "goes_on"), [("2026-11-19", False), ("2026-11-20", True)])
def test_a_course_that_is_over_is_started_again(end: str, goes_on: bool) -> None:
    course = starting(V, start="2026-11-01", end=end)
    assert roles(course, drafts=[course]) == [Role.DRAFT, *([Role.ACTIVE] if goes_on else [])]


def test_a_draft_of_another_drug_under_that_id_goes_on_with_nothing() -> None:
    assert roles(BEGUN, drafts=[on_list("posaconazole", id="v1")]) == [Role.DRAFT]


@pytest.mark.parametrize(("written", "noted"), [
    ("2026-10-01", "active on record, 2026-10-01"), ("2026-11-19", "active on record, 2026-11-19"),
    ("2026-11-20", ""), (None, "active on record, without a date"),
])
def test_the_day_of_writing_says_only_that_it_may_have_begun(written: str | None, noted: str) -> None:
    listed = {key: value for key, value in (V | {"authoredOn": written}).items() if value}
    (draft,) = chart(listed, drafts=[listed]).medications.orders
    assert draft.on_record == noted


def test_what_is_checked_on_treatment_is_checked_at_the_signing_of_an_order_that_has_begun() -> None:
    running = starting(gilteritinib(authoredOn="2026-11-03"), start="2026-11-03")
    for draft in (running, running | {"status": "draft"}):
        found = cards("order-sign", draft, medications=[running], conditions=[AML, SEIZURE])
        assert (found[0]["summary"], found[0]["indicator"]) == (ON_IT, "critical")
        assert not any(card["summary"].startswith("Starting") for card in found)
        assert "m-gilteritinib on record" not in json.dumps(found)


def test_a_first_dose_keeps_its_limit_where_the_order_stands_on_record_since_yesterday() -> None:
    first = order("quizartinib 26.5 MG Oral Tablet", mg=26.5, authoredOn="2026-11-20")
    found = cards("order-sign", first | {"status": "draft"}, medications=[first], ecg=[qtcf(470)])
    assert any("470" in card["summary"] and card["indicator"] == "critical" for card in found)


def test_where_it_may_have_begun_the_gap_card_says_that_it_was_checked_as_a_start() -> None:
    written = gilteritinib(authoredOn="2026-11-03")
    found = cards("order-sign", written, medications=[written], conditions=[AML, SEIZURE])
    noted = "active on record, 2026-11-03; whether a dose was taken is not known"
    assert any(noted in card["detail"] for card in found)
    assert any(card["summary"].startswith("Starting") for card in found)


# Stopped and written anew in one call


def test_an_order_that_is_stopped_and_written_anew_in_one_call_goes_on() -> None:
    stop, anew = BEGUN | {"status": "stopped"}, starting(on_list("venetoclax", "draft", id="v2"), start="2026-11-20")
    found = chart(BEGUN, drafts=[stop, anew]).medications
    assert [(each.role, each.replaces) for each in found.orders] == [
        (Role.DRAFT, ("MedicationRequest/v1",)), (Role.ACTIVE, ()),
    ]  # fmt: skip
    assert roles(BEGUN | {"status": "on-hold"}, drafts=[stop, anew]) == [Role.DRAFT, Role.ON_HOLD]


@pytest.mark.parametrize(("listed", "anew"), [
    (V, on_list("venetoclax", "draft", id="v2")), (BEGUN | {"intent": "plan"}, on_list("venetoclax", "draft", id="v2")),
    (V | {"authoredOn": "2026-11-20"}, on_list("venetoclax", "draft", id="v2")),
    ({key: value for key, value in V.items() if key != "authoredOn"}, on_list("venetoclax", "draft", id="v2")),
    (BEGUN | {"status": "completed"}, on_list("venetoclax", "draft", id="v2")),
    (BEGUN, on_list("posaconazole", "draft", id="v2")),
])
def test_one_that_may_not_have_begun_and_one_of_another_drug_is_stopped(listed: Json, anew: Json) -> None:
    assert roles(listed, drafts=[V | {"status": "stopped"}, anew]) == [Role.DRAFT, Role.PAST]


def test_that_a_stopped_order_may_have_been_taken_is_noted() -> None:
    stop, anew = V | {"status": "stopped"}, on_list("venetoclax", "draft", id="v2")
    assert chart(V, drafts=[stop, anew]).medications.orders[0].on_record == "active on record, 2026-10-01"
    assert chart(V | {"authoredOn": "2026-11-20"}, drafts=[stop, anew]).medications.orders[0].on_record == ""


def test_a_first_dose_keeps_its_limit_where_the_order_of_yesterday_is_stopped_and_written_anew() -> None:
    first = order("quizartinib 26.5 MG Oral Tablet", mg=26.5, authoredOn="2026-11-20")
    anew = first | {"id": "anew", "status": "draft", "authoredOn": "2026-11-21"}
    found = cards("order-sign", first | {"status": "stopped"}, anew, medications=[first], ecg=[qtcf(470)])
    assert any("470" in card["summary"] and card["indicator"] == "critical" for card in found)


def test_an_intrathecal_dose_that_is_stopped_goes_on_in_no_infusion() -> None:
    spinal, infused = ([{"text": f"100 mg {way}", "route": {"text": way}}] for way in ("intrathecal", "intravenous"))
    listed = starting(on_list("cytarabine", id="v1", dosageInstruction=spinal), start="2026-11-03")
    stop = listed | {"status": "stopped"}
    assert roles(listed, drafts=[stop, on_list("cytarabine", "draft", id="v2", dosageInstruction=infused)]) == [
        Role.DRAFT, Role.PAST,
    ]  # fmt: skip
    assert roles(listed, drafts=[stop, on_list("cytarabine", "draft", id="v2", dosageInstruction=spinal)]) == [
        Role.DRAFT, Role.ACTIVE,
    ]  # fmt: skip


def test_what_is_checked_on_treatment_is_checked_where_the_order_is_changed_so() -> None:
    running = starting(gilteritinib(authoredOn="2026-11-03"), start="2026-11-03")
    anew = gilteritinib(id="anew", status="draft", authoredOn="2026-11-21")
    found = cards("order-sign", running | {"status": "stopped"}, anew, medications=[running], conditions=[AML, SEIZURE])
    assert (found[0]["summary"], found[0]["indicator"]) == (ON_IT, "critical")
    assert not any(card["summary"].startswith("Starting") for card in found)


# Renewed at its end


COURSE = starting(V, start="2026-10-01", end="2026-11-19")


@pytest.mark.parametrize("status", ["active", "completed"])
def test_an_order_that_ended_yesterday_is_renewed_by_a_draft(status: str) -> None:
    found = chart(COURSE | {"status": status}, drafts=[on_list("venetoclax", "draft", id="v2")]).medications
    draft, past = found.orders
    assert (draft.replaces, past.role, past.renewed) == (("MedicationRequest/v1",), Role.PAST, True)


@pytest.mark.parametrize(("listed", "drafted"), [
    (COURSE | {"status": "stopped"}, on_list("venetoclax", "draft", id="v2")),
    (COURSE | {"intent": "plan"}, on_list("venetoclax", "draft", id="v2")),
    (starting(V, end="2026-11-18"), on_list("venetoclax", "draft", id="v2")),
    (V | {"status": "completed"}, on_list("venetoclax", "draft", id="v2")),
    (COURSE, on_list("posaconazole", "draft", id="v2")),
    (COURSE, starting(on_list("venetoclax", "draft", id="v2"), start="2026-11-27")),
])
def test_what_was_stopped_or_lies_apart_is_not_renewed(listed: Json, drafted: Json) -> None:
    draft, past = chart(listed, drafts=[drafted]).medications.orders
    assert (draft.replaces, past.role, past.renewed) == ((), Role.PAST, False)


def test_a_draft_that_only_follows_an_order_of_another_way_into_the_body_renews_nothing() -> None:
    spinal, infused = ([{"text": f"100 mg {way}", "route": {"text": way}}] for way in ("intrathecal", "intravenous"))
    listed = starting(on_list("cytarabine", id="v1", dosageInstruction=spinal), start="2026-11-03", end="2026-11-19")
    drafted = on_list("cytarabine", "draft", id="v2", dosageInstruction=infused)
    assert not any(each.renewed for each in chart(listed, drafts=[drafted]).medications.orders)


def test_a_renewal_is_checked_as_treatment_that_goes_on() -> None:
    over = starting(gilteritinib(authoredOn="2026-10-24"), start="2026-10-24", end="2026-11-20")
    renewal = gilteritinib(id="renewal", status="draft", authoredOn="2026-11-21")
    found = cards("order-sign", renewal, medications=[over], conditions=[AML, SEIZURE])
    assert (found[0]["summary"], found[0]["indicator"]) == (ON_IT, "critical")
    assert not any(card["summary"].startswith(("Starting", "Also active")) for card in found)


def test_a_dose_that_was_counted_is_counted_when_its_order_is_renewed() -> None:
    over = starting(on_list("idarubicin", id="v1"), start="2026-11-17", end="2026-11-19")
    found = chart(over, drafts=[on_list("idarubicin", "draft", id="v2")]).medications
    assert [each.reference for each in found.of(Role.PAST)] == ["MedicationRequest/v1"]
