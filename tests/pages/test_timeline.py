"""Timelines: only what the chart holds and the checks cited, each where it belongs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from cds_service.pages.drawing import NARROW, NARROW_SMALL, WIDE
from cds_service.pages.timeline import lab_trends, qtc_timeline
from cds_service.pages.what_if import changes
from tests.calls import NOW, ask, gilteritinib, observation, order, qtcf, request, tools

UNITS = tools().knowledge.terms.units
DAYS = ("2026-09-01", "2026-10-01", "2026-11-18")


def made(**chart: Any) -> Any:
    """A call on gilteritinib with these ECGs and labs, and its snapshot."""
    taken = [gilteritinib(authoredOn="2026-09-08")]
    draft = order("posaconazole", "282446", 300, status="draft", id="m-posa")
    answer = ask(request("order-sign", draft, medications=taken, **chart))
    return answer.evaluation, tools().knowledge.at(NOW.date(), "US")


def test_values_limits_orders_and_due_days_stand_where_they_belong():
    ecgs = [qtcf(value, f"{day}T08:00:00Z") for value, day in zip((428, 460, 512), DAYS, strict=True)]
    drawn = qtc_timeline(*made(ecg=ecgs))
    assert drawn is not None
    assert [each.day for each in drawn.points] == list(DAYS)
    assert [each.value for each in drawn.points] == ["428 ms", "460 ms", "512 ms"]
    assert [each.x for each in drawn.points] == sorted(each.x for each in drawn.points)
    assert [each.y for each in drawn.points] == sorted((each.y for each in drawn.points), reverse=True)
    (hold,) = [each for each in drawn.limits if "hold above" in each.words]
    assert hold.value == "500 ms" and hold.source and drawn.points[2].y < hold.y < drawn.points[1].y
    assert "gilteritinib" in {each.drug for each in drawn.lanes} and drawn.due
    assert all(drawn.left <= each.x <= drawn.right for each in drawn.points)
    labels = [each.label_y for each in drawn.limits]
    assert all(lower - upper >= 15 for upper, lower in pairwise(labels))


def test_on_a_phone_the_same_stands_in_a_narrow_field():
    ecgs = [qtcf(value, f"{day}T08:00:00Z") for value, day in zip((428, 460, 512), DAYS, strict=True)]
    wide, narrow = (qtc_timeline(*made(ecg=ecgs), frame) for frame in (WIDE, NARROW))
    assert wide is not None and narrow is not None and narrow.width < 390
    assert [each.value for each in narrow.points] == [each.value for each in wide.points]
    assert [each.words for each in narrow.limits] == [each.words for each in wide.limits]
    assert all(narrow.left <= each.x <= narrow.right for each in (*narrow.points, *narrow.due))
    assert narrow.right < narrow.width


def test_a_draft_beside_an_order_has_a_line_of_its_own_where_words_stand_within_the_field():
    wide, narrow = (_with_a_draft_of_the_same(frame) for frame in (WIDE, NARROW))
    assert [(each.drug, len(each.bars)) for each in wide.lanes] == [("gilteritinib", 2)]
    assert [(each.drug, [bar.diamond for bar in each.bars]) for each in narrow.lanes] == [
        ("gilteritinib", [False]), ("gilteritinib", [True])
    ]  # fmt: skip
    first, second = narrow.lanes
    assert second.y > first.y and second.y < narrow.height


def _with_a_draft_of_the_same(frame):
    draft = gilteritinib(status="draft", id="new")
    answer = ask(request("order-sign", draft, medications=[gilteritinib(authoredOn="2026-09-08")], ecg=[qtcf(440)]))
    drawn = qtc_timeline(answer.evaluation, tools().knowledge.at(NOW.date(), "US"), frame)
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("frame", [WIDE, NARROW])
def test_the_value_of_a_first_point_stands_right_of_it_and_not_over_the_axis(frame):
    first = qtc_timeline(*made(ecg=[qtcf(440, "2026-09-01T08:00:00Z")]), frame)
    later = qtc_timeline(*made(ecg=[qtcf(440, "2026-11-18T08:00:00Z")]), frame)
    assert first is not None and later is not None
    assert first.begins and not later.begins


def test_ecgs_that_were_due_earlier_in_the_course_stand_in_it_too():
    """Gilteritinib since 8 September: days 8 and 15 of the first cycle, then before the second and the third."""
    drawn = qtc_timeline(*made(ecg=[qtcf(440)]))
    assert drawn is not None
    assert [each.day for each in drawn.due] == ["2026-09-15", "2026-09-22", "2026-10-06", "2026-11-03"]
    assert all(drawn.left <= each.x <= drawn.right for each in drawn.due)


def test_an_ecg_that_is_due_beyond_the_field_stands_in_the_table_only():
    """Gilteritinib since 8 November: the day before cycle 3 lies six weeks ahead, and is no day at the edge."""
    running = gilteritinib(authoredOn="2026-11-08")
    before = {"reference": f"MedicationRequest/{running['id']}"}
    renewal = gilteritinib(status="draft", id="new", priorPrescription=before)
    for drafts in ((order("posaconazole", "282446", 300, status="draft", id="m-posa"),), (renewal,)):
        answer = ask(request("order-sign", *drafts, medications=[running], ecg=[qtcf(440)]))
        drawn = qtc_timeline(answer.evaluation, tools().knowledge.at(NOW.date(), "US"))
        assert drawn is not None
        assert [(each.day, each.drawn) for each in drawn.due] == [
            ("2026-11-15", True), ("2026-11-22", True), ("2026-12-06", True), ("2027-01-03", False),
        ]  # fmt: skip


def test_a_doubtful_value_is_an_open_circle():
    unsure = qtcf(470, "2026-11-18T08:00:00Z") | {"status": "preliminary"}
    drawn = qtc_timeline(*made(ecg=[unsure]))
    assert drawn is not None and drawn.points[0].open and "preliminary" in drawn.points[0].note


def test_nothing_is_drawn_of_nothing():
    answer = ask(request("patient-view"))
    assert qtc_timeline(answer.evaluation, tools().knowledge.at(NOW.date(), "US")) is None
    assert lab_trends(answer.evaluation, UNITS) == ()


def test_labs_are_drawn_where_a_check_read_them():
    values = zip((4.4, 4, 3.1), DAYS, strict=True)
    labs = [observation("2823-3", value, "mmol/L", f"{day}T08:00:00Z") for value, day in values]
    evaluation, _ = made(ecg=[qtcf(440)], labs=labs)
    (potassium,) = [each for each in lab_trends(evaluation, UNITS) if each.name == "potassium"]
    assert [each.value for each in potassium.points] == ["4.4 mmol/L", "4 mmol/L", "3.1 mmol/L"]
    (narrow,) = [each for each in lab_trends(evaluation, UNITS, None, NARROW_SMALL) if each.name == "potassium"]
    assert narrow.width < 390 and [each.value for each in narrow.points] == [each.value for each in potassium.points]
    assert potassium.falls, "the newest value stands below the line that falls to it"
    assert lab_trends(evaluation, UNITS, []) == ()


def creatinine_of(*received: tuple[float, str]) -> Any:
    labs = [
        observation("2160-0", value, unit, f"{day}T08:00:00Z")
        for (value, unit), day in zip(received, DAYS[-len(received):], strict=True)
    ]  # fmt: skip
    evaluation, _ = made(ecg=[qtcf(440)], labs=labs)
    (drawn,) = [each for each in lab_trends(evaluation, UNITS) if each.name == "creatinine"]
    return drawn


def test_a_trend_is_drawn_in_the_unit_in_which_it_came():
    drawn = creatinine_of((0.8, "mg/dL"), (0.9, "mg/dL"))
    assert (drawn.unit, [each.value for each in drawn.points]) == ("mg/dL", ["0.8 mg/dL", "0.9 mg/dL"])
    assert all(each.value.endswith(" mg/dL") for each in drawn.limits)
    drawn = creatinine_of((71, "umol/L"), (80, "umol/L"))
    assert (drawn.unit, drawn.points[0].value) == ("µmol/L", "71 µmol/L")


def test_a_trend_in_two_units_is_drawn_in_one_rounded_as_one_speaks():
    drawn = creatinine_of((0.8, "mg/dL"), (80, "umol/L"))
    assert (drawn.unit, [each.value for each in drawn.points]) == ("µmol/L", ["70.7 µmol/L", "80 µmol/L"])


def test_a_limit_stands_where_its_value_is_in_that_unit_and_its_own_beside_the_source():
    values = zip((2.2, 2.0, 1.4), DAYS, strict=True)
    labs = [observation("19123-9", value, "mg/dL", f"{day}T08:00:00Z") for value, day in values]
    evaluation, _ = made(ecg=[qtcf(440)], labs=labs)
    (magnesium,) = [each for each in lab_trends(evaluation, UNITS) if each.name == "magnesium"]
    assert magnesium.points[-1].value == "1.4 mg/dL" and magnesium.limits
    for limit in magnesium.limits:
        assert limit.value.endswith(" mg/dL") and limit.source.endswith(" mmol/L") and "held as" in limit.source
    low = next(each for each in magnesium.limits if "low below" in each.words)
    assert magnesium.points[1].y < low.y < magnesium.points[2].y


def test_what_would_change_the_answer_is_what_the_check_then_says():
    evaluation, snapshot = made(ecg=[qtcf(512)])
    (check,) = [each for each in evaluation.checks if each.rule.id == "qtc-hold"]
    (change,) = changes(check, evaluation.chart, snapshot)
    assert (change.given, change.outcome) == ("QTc 500 ms, measured today", "clear")
    fine, snapshot = made(ecg=[qtcf(440)])
    (check,) = [each for each in fine.checks if each.rule.id == "qtc-hold"]
    assert [(each.given, each.outcome, each.level) for each in changes(check, fine.chart, snapshot)] == [
        ("QTc 501 ms, measured today", "fired", "critical")
    ]
    blind, snapshot = made(ecg=[])
    (check,) = [each for each in blind.checks if each.rule.id == "qtc-hold"]
    assert {each.outcome for each in changes(check, blind.chart, snapshot)} == {"fired", "clear"}


def test_what_would_change_the_answer_stands_above_the_value_of_now_and_below_it():
    evaluation, snapshot = made(ecg=[qtcf(500)])
    (check,) = [each for each in evaluation.checks if each.rule.id == "qtc-near-hold"]
    told = {each.given.split(",")[0]: each.outcome for each in changes(check, evaluation.chart, snapshot)}
    assert told == {"QTc 501 ms": "clear", "QTc 499 ms": "clear"}


def test_a_limit_of_a_change_is_no_value_that_would_change_the_answer():
    evaluation, snapshot = made(ecg=[qtcf(420, "2026-11-10"), qtcf(451)])
    given = [each.given for check in evaluation.checks for each in changes(check, evaluation.chart, snapshot)]
    assert given and not [each for each in given if each.startswith(("QTc 29", "QTc 30 ", "QTc 31"))]
