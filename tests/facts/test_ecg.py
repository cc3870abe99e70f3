"""ECGs: the newest first, then the best QTc within it; what is lost leaves a doubt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.fact import Fact, State, above
from cds_service.facts.values.ecg import ECGS, QTC, Ecg, Formula
from cds_service.gather.replies import Status
from cds_service.quantity import Quantity
from cds_service.rules.heart.ecg import as_quantity
from cds_service.truth import Truth
from tests.calls import ELECTROLYTES, SUBJECT, cards, gilteritinib, qtcf
from tests.charts import LAST_WEEK, NOW, TODAY, YESTERDAY, Json, chart, concept, measured, observation, quantity

QTCF, QTCB, QTC_PLAIN, QT, RR, RATE = "76634-5", "76635-2", "8636-3", "8634-8", "8637-1", "8867-4"
MDC = "urn:iso:std:iso:11073:10101"
FOUR_LATER, FIVE_LATER, SIX_LATER = (f"2026-11-20T08:0{minute}:00Z" for minute in (4, 5, 6))


def qtc(*observations: Json, **more: Any) -> Fact[Ecg]:
    return chart(*observations, **more).get(QTC)


def ms(code: str | Json, value: Any, when: str | None = TODAY, **more: Any) -> Json:
    return quantity(code, value, more.pop("unit", "ms"), when, **more)


def rate(value: Any, when: str | None = TODAY, **more: Any) -> Json:
    return quantity(RATE, value, "/min", when, **more)


def part(code: str, value: Any, unit: str | None = "ms") -> Json:
    return {"code": concept(code), "valueQuantity": measured(value, unit)}


def said(fact: Fact[Ecg]) -> tuple[str, Formula] | None:
    return (str(fact.value.qtc), fact.value.formula) if fact.value else None


# The newest ECG


def test_the_newest_ecg_counts_even_when_an_older_one_has_a_better_formula() -> None:
    for ecgs in ((ms(QTCB, 470), ms(QTCF, 430, YESTERDAY)), (ms(QTCF, 430, YESTERDAY), ms(QTCB, 470))):
        found = qtc(*ecgs)
        assert said(found) == ("470 ms", Formula.BAZETT)
        assert found.sure


def test_all_ecgs_are_listed_newest_first() -> None:
    ecgs = chart(ms(QTCF, 430, LAST_WEEK), ms(QTCF, 440), ms(QTCF, 435, YESTERDAY)).get(ECGS).value
    assert ecgs is not None
    assert [str(ecg.qtc) for ecg in ecgs] == ["440 ms", "435 ms", "430 ms"]


@pytest.mark.parametrize("newer", [
    ms(QTCF, 512, unit=None), ms(QTCF, 51200), ms(QT, 400), observation(QTCF, valueString="512"),
    observation(QTCF, dataAbsentReason=concept("error", system="x")), observation(QTC_PLAIN, valueInteger=512),
    observation(QTCF, effectiveDateTime="2026-11-20T08:00:00Z", valueQuantity={"value": 512, "unit": 3}),
    observation(QTC_PLAIN, valueInteger=512, component=[part(RATE, 70, "/min")]),
    observation("34534-8", component=[part(QTCF, 512, None)]),
])
def test_the_newest_ecg_that_cannot_be_used_leaves_a_doubt_on_the_older_one(newer: Json) -> None:
    found = qtc(newer, ms(QTCF, 430, YESTERDAY))
    assert said(found) == ("430 ms", Formula.FRIDERICIA)
    assert not found.sure


def test_an_older_ecg_that_cannot_be_used_leaves_none() -> None:
    assert qtc(ms(QTCF, 430), ms(QTCF, 512, YESTERDAY, unit=None)).sure


def test_a_newer_heart_rate_that_cannot_be_read_is_no_ecg() -> None:
    assert qtc(ms(QTCF, 430, YESTERDAY), rate(70) | {"effectiveDateTime": "20/11/2026"}).sure
    assert qtc(ms(QTCF, 430, YESTERDAY), rate(70)).sure


def test_an_undated_ecg_may_be_the_newest() -> None:
    found = qtc(ms(QTCF, 430), ms(QTCF, 520, None))
    assert (said(found), found.sure) == (("520 ms", Formula.FRIDERICIA), False)
    assert not qtc(ms(QTCF, 430), ms(QTCF, 400, None)).sure


def test_an_ecg_of_today_without_hour_may_be_before_or_after_one_of_this_morning() -> None:
    for ecgs in ((ms(QTCF, 430, "2026-11-20"), ms(QTCF, 520)), (ms(QTCF, 520), ms(QTCF, 430, "2026-11-20"))):
        found = qtc(*ecgs)
        assert (said(found), found.sure) == (("520 ms", Formula.FRIDERICIA), False)


def test_the_other_ecg_of_a_day_is_named_with_its_value_whichever_is_the_higher() -> None:
    for day, morning in ((510, 470), (470, 510)):
        found = qtc(ms(QTCF, day, "2026-11-20"), ms(QTCF, morning))
        assert found.doubts == ("another ECG of the same time or without date: 470 ms",)
    assert qtc(ms(QTCF, 470, "2026-11-20", name="a"), ms(QTCF, 470, name="b")).sure


def test_of_two_values_of_one_ecg_the_highest_counts_and_the_other_is_noted() -> None:
    for one, other in ((TODAY, TODAY), ("2026-11-20", "2026-11-20"), (TODAY, FOUR_LATER)):
        for values in ((512, 440), (440, 512)):
            found = qtc(*(ms(QTCF, value, when) for value, when in zip(values, (one, other), strict=True)))
            assert (said(found), found.sure) == (("512 ms", Formula.FRIDERICIA), True)
            assert found.value is not None
            assert found.origin == found.value.origin
            assert found.value.origin.notes == ("also 440 ms at the same time; the highest counts",)
    for second in (ms(QTCF, 512), ms(QTCB, 540), ms(QTC_PLAIN, 530), rate(70)):
        found = qtc(ms(QTCF, 512), second)
        assert found.origin is not None
        assert found.origin.notes == ()


def test_a_filing_makes_no_ecg_with_a_date_older() -> None:
    found = qtc(ms(QTCF, 520), ms(QTCF, 430, None, issued="2026-11-20T10:00:00Z"), ms(QTCF, 540, LAST_WEEK))
    assert (said(found), found.sure) == (("520 ms", Formula.FRIDERICIA), False)
    ahead = ms(QTCF, 430, None, issued="2027-11-20T10:00:00Z")
    assert said(qtc(ms(QTCF, 520), ahead)) == ("520 ms", Formula.FRIDERICIA)


def test_a_preliminary_ecg_hides_no_danger_that_is_certain() -> None:
    preliminary = ms(QTCF, 440, status="preliminary")
    found = qtc(preliminary, ms(QTCF, 520, YESTERDAY), ms(QTCF, 560, LAST_WEEK))
    assert (said(found), str(found.when)) == (("520 ms", Formula.FRIDERICIA), "2026-11-19")
    assert found.doubts == ("a newer ECG is not certain (preliminary): 440 ms",)
    assert said(qtc(preliminary, ms(QTCF, 430, YESTERDAY))) == ("440 ms", Formula.FRIDERICIA)
    assert found.within(Quantity(Decimal(1), "d"), NOW).value is found.value
    too_old = qtc(preliminary, ms(QTCF, 520, LAST_WEEK)).within(Quantity(Decimal(6), "d"), NOW)
    assert (said(too_old), too_old.state, too_old.doubts) == (
        ("440 ms", Formula.FRIDERICIA), State.KNOWN, ("preliminary",),
    )
    ecgs = chart(preliminary, ms(QTCF, 520, YESTERDAY)).get(ECGS).value
    assert ecgs is not None and [str(ecg.qtc) for ecg in ecgs] == ["440 ms", "520 ms"]


def test_an_ecg_that_is_certainly_older_than_another_is_no_rival_of_a_month() -> None:
    found = qtc(ms(QTCF, 520, "2026-11-02T08:00:00Z"), ms(QTCF, 430, YESTERDAY), ms(QTCF, 440, "2026-11"))
    assert said(found) == ("440 ms", Formula.FRIDERICIA)


def test_a_bound_of_the_same_day_does_not_stand_for_a_measured_qtc() -> None:
    below = observation(QTCF, "2026-11-20", name="b", valueQuantity=measured(520, "ms", comparator="<"))
    assert said(qtc(ms(QTCF, 510), below)) == ("510 ms", Formula.FRIDERICIA)


def test_of_several_values_of_one_minute_the_highest_counts() -> None:
    for pair in ((490, 505), (505, 490)):
        assert said(qtc(*(ms(QTCF, value) for value in pair))) == ("505 ms", Formula.FRIDERICIA)


def test_below_a_number_is_never_the_highest() -> None:
    below = observation(QTCF, name="b", valueQuantity=measured(600, "ms", comparator="<"))
    assert said(qtc(ms(QTCF, 510), below)) == ("510 ms", Formula.FRIDERICIA)


def test_a_future_ecg_is_not_taken_as_the_newest() -> None:
    found = qtc(ms(QTCF, 400, "2027-11-20T08:00:00Z"), ms(QTCF, 510, YESTERDAY))
    assert (said(found), found.sure) == (("510 ms", Formula.FRIDERICIA), False)


# The best value within it


def test_fridericia_as_stated_comes_before_everything_else() -> None:
    assert said(qtc(ms(QTCB, 530), ms(QTCF, 480), ms(QT, 400), rate(90))) == ("480 ms", Formula.FRIDERICIA)


@pytest.mark.parametrize(("qt", "per_minute", "expected"), [(400, 60, "400 ms"), (400, 75, "431 ms"),
    (360, 100, "427 ms")])
def test_fridericia_is_computed_from_qt_and_rate_of_the_same_ecg(qt: int, per_minute: int, expected: str) -> None:
    found = qtc(ms(QT, qt), rate(per_minute), ms(QTCB, 520))
    assert said(found) == (expected, Formula.FRIDERICIA)
    assert found.value is not None
    assert found.value.computed


def test_fridericia_is_computed_from_the_rr_interval_too() -> None:
    assert said(qtc(ms(QT, 400), ms(RR, 800))) == ("431 ms", Formula.FRIDERICIA)
    assert said(qtc(ms(QT, 0.4, unit="s"), ms(RR, 0.8, unit="s"))) == ("431 ms", Formula.FRIDERICIA)


def test_a_rate_within_five_minutes_belongs_to_the_ecg_and_a_later_one_does_not() -> None:
    assert said(qtc(ms(QT, 400), rate(75, FOUR_LATER))) == ("431 ms", Formula.FRIDERICIA)
    assert said(qtc(ms(QT, 400), rate(75, FIVE_LATER))) == ("431 ms", Formula.FRIDERICIA)
    assert qtc(ms(QT, 400), rate(75, SIX_LATER)).why == "a QT interval without rate, so no QTc"


def test_rates_of_a_monitor_every_few_minutes_do_not_hide_the_one_of_the_ecg() -> None:
    found = qtc(ms(QT, 400), rate(75, FOUR_LATER), rate(120, "2026-11-20T08:08:00Z"), rate(50, SIX_LATER))
    assert said(found) == ("431 ms", Formula.FRIDERICIA)


def test_a_heart_rate_of_the_day_of_an_ecg_clears_nothing() -> None:
    day = "2026-11-20"
    alone = qtc(ms(QT, 400, day), rate(50, day), rate(75, day, name="faster"))
    assert (said(alone), alone.doubts) == (
        ("431 ms", Formula.FRIDERICIA), ("a heart rate of that day, perhaps not of the ECG",),
    )
    beside = qtc(ms(QT, 400, day), rate(50, day), ms(QTCB, 520, day))
    assert said(beside) == ("520 ms", Formula.BAZETT)
    assert beside.value is not None and beside.value.rate is None
    part_of_it = observation("34534-8", day, component=[part(QT, 400), part(RATE, 75, "/min")])
    assert qtc(part_of_it, rate(50, day)).sure


def test_of_two_heart_rates_of_one_minute_the_faster_one_counts() -> None:
    assert said(qtc(ms(QT, 400), rate(50), rate(75, name="faster"))) == ("431 ms", Formula.FRIDERICIA)


def test_the_rate_of_the_ecg_itself_comes_before_one_measured_minutes_later() -> None:
    own = observation("34534-8", name="e", component=[part(QT, 400), part(RATE, 75, "/min")])
    assert said(qtc(own, rate(120, FOUR_LATER))) == ("431 ms", Formula.FRIDERICIA)


def test_a_preliminary_rate_makes_the_computed_value_doubtful() -> None:
    assert not qtc(ms(QT, 400), rate(60, status="preliminary")).sure
    assert qtc(ms(QT, 400), rate(60)).sure


@pytest.mark.parametrize("per_minute", [0, 5, 400])
def test_an_impossible_rate_computes_nothing(per_minute: int) -> None:
    assert qtc(ms(QT, 400), rate(per_minute)).value is None


@pytest.mark.parametrize(("code", "formula"), [(QTCB, Formula.BAZETT), (QTC_PLAIN, Formula.UNSPECIFIED)])
def test_else_the_stated_value_with_its_formula_and_rate(code: str, formula: Formula) -> None:
    found = qtc(ms(code, 470), rate(75))
    assert said(found) == ("470 ms", formula)
    assert found.value is not None
    assert str(found.value.rate) == "75 /min"


def test_a_fridericia_value_that_was_lost_leaves_a_doubt_on_bazett_and_on_the_computed_one() -> None:
    assert not qtc(ms(QTCF, 512, unit=None), ms(QTCB, 430)).sure
    assert not qtc(ms(QTCF, 512, unit=None), ms(QT, 400), rate(60)).sure


# Shapes


def test_the_values_may_be_components_of_one_observation_without_value_of_its_own() -> None:
    found = qtc(observation(QTC_PLAIN, component=[part(QTCB, 470), part(QTCF, 450)]))
    assert (said(found), found.sure) == (("450 ms", Formula.FRIDERICIA), True)


@pytest.mark.parametrize(("code", "more", "formula", "note"), [
    (concept(QTC_PLAIN, text="QTcF"), {}, Formula.FRIDERICIA, "formula from its name"),
    (concept(QTC_PLAIN, display="QTc (Bazett)"), {}, Formula.BAZETT, "formula from its name"),
    (concept(QTC_PLAIN), {"method": {"text": "Fridericia formula"}}, Formula.FRIDERICIA, "formula from its name"),
    (concept("4711", system="urn:local", text="12-lead ECG: QTcF"), {}, Formula.FRIDERICIA, "known by its name"),
    (concept("224359", system="urn:local", display="QTc"), {}, Formula.UNSPECIFIED, "known by its name"),
    ({"text": "QTc-Intervall nach Bazett"}, {}, Formula.BAZETT, "known by its name"),
])
def test_the_name_tells_the_formula_that_the_code_leaves_open(
    code: Json, more: Json, formula: Formula, note: str,
) -> None:
    found = qtc(quantity(code, 480, "ms", **more))
    assert (said(found), found.sure) == (("480 ms", formula), True)
    assert found.origin is not None
    assert found.origin.notes == (note,)


def test_a_name_with_both_formulas_tells_none() -> None:
    assert said(qtc(ms(concept(QTC_PLAIN, text="QTc Bazett/Fridericia"), 480))) == ("480 ms", Formula.UNSPECIFIED)


def test_a_code_and_a_name_of_different_formulas_are_doubted() -> None:
    found = qtc(ms(concept(QTCF, text="QTcB"), 480))
    assert (said(found), found.sure) == (("480 ms", Formula.UNSPECIFIED), False)
    assert "another" in found.doubts[0]


@pytest.mark.parametrize("code", [
    concept("4711", system="urn:local", text="QTcF change from baseline"), concept("4711", text="QTcF"),
    concept("165376", system=MDC, display="QTc per lead using Fridericia"), concept("4711", system="urn:local"),
    {"text": "QTcF per lead"}, {"text": "PQ"}, {"text": "Delta QTcF"}, {"text": "ΔQTcF"},
])
def test_another_value_about_the_qtc_is_not_the_qtc(code: Json) -> None:
    assert qtc(ms(code, 480)).state is State.ABSENT


def test_words_about_the_qtc_without_a_number_are_no_ecg() -> None:
    local = concept("4711", system="urn:local", text="QTcF")
    assert qtc(observation(local, valueString="prolonged"), ms(QTCF, 430, YESTERDAY)).sure


@pytest.mark.parametrize(("code", "finding"), [("111975006", "prolonged"), ("164955000", "normal"),
                                               ("77867006", "short")])
def test_a_qt_interval_as_a_finding_is_said_without_a_number(code: str, finding: str) -> None:
    sct = "http://snomed.info/sct"
    found = qtc(observation(concept("301117000", system=sct), valueCodeableConcept=concept(code, system=sct)))
    assert (found.state, found.why) == (State.UNREADABLE, f"stated as {finding}, without a number")


@pytest.mark.parametrize(("text", "shown", "bound"), [
    ("> 500 ms", "500 ms", ">"), ("≥500ms", "500 ms", ">="), ("510-530 ms", "510 ms", ">="), ("0,512 s", "512 ms", ""),
    ("５１２ｍｓ", "512 ms", ""), ("５１２　㎳", "512 ms", ""),
])
def test_a_qtc_in_words_is_read_towards_danger(text: str, shown: str, bound: str) -> None:
    found = qtc(observation(QTCF, valueString=text))
    assert (found.value and str(found.value.qtc), found.bound, found.sure) == (shown, bound, not bound)


def test_a_bounded_qt_or_rate_computes_nothing() -> None:
    assert qtc(observation(QT, valueString="390-410 ms"), rate(60)).value is None
    assert qtc(ms(QT, 400), observation(RATE, valueString="60-70 /min")).value is None


def test_an_ecg_inside_a_report_is_one_ecg() -> None:
    inner = [{"resourceType": "Observation", "id": name, "status": "final", "code": concept(code),
              "valueQuantity": measured(value, unit)} for name, code, value, unit in
             (("a", QT, 400, "ms"), ("b", RATE, 75, "/min"))]
    report = {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", "code": concept("11524-6"),
              "subject": {"reference": "Patient/p1"}, "effectiveDateTime": TODAY, "contained": inner,
              "result": [{"reference": "#a"}, {"reference": "#b"}]}
    found = qtc(report)
    assert (said(found), found.sure) == (("431 ms", Formula.FRIDERICIA), True)


def test_two_ecgs_of_one_day_without_hour_below_the_limit_are_no_doubt_there() -> None:
    found = qtc(ms(QTCF, 430, "2026-11-20"), ms(QTCF, 440))
    assert not found.sure
    assert found.value is not None
    assert above(as_quantity(found, found.value), Quantity.read("500 ms")) is Truth.NO
    other = qtc(ms(QTCB, 430, "2026-11-20"), ms(QTCF, 440))
    assert other.value is not None
    assert above(as_quantity(other, other.value), Quantity.read("500 ms")) is Truth.UNKNOWN


def test_the_values_may_be_several_observations_of_one_ecg() -> None:
    assert said(qtc(ms(QTCB, 470), ms(QTCF, 450, FOUR_LATER))) == ("450 ms", Formula.FRIDERICIA)


def test_milliseconds_and_seconds_read_the_same_and_no_unit_is_not_guessed() -> None:
    assert said(qtc(ms(QTCF, 0.512, unit="s"))) == ("512 ms", Formula.FRIDERICIA)
    assert said(qtc(ms(QTCF, 512, unit="msec"))) == ("512 ms", Formula.FRIDERICIA)
    for value in (512, 0.512):
        assert qtc(ms(QTCF, value, unit=None)).state is State.UNREADABLE
    assert qtc(ms(QTCF, 0.512)).state is State.UNREADABLE


@pytest.mark.parametrize(("value", "used"), [(199, False), (200, True), (700, True), (701, False)])
def test_a_qtc_outside_of_200_to_700_is_not_used(value: int, used: bool) -> None:
    assert qtc(ms(QTCF, value)).usable is used


@pytest.mark.parametrize(("code", "formula"), [("146964", Formula.FRIDERICIA), ("146952", Formula.BAZETT),
                                               ("146948", Formula.UNSPECIFIED)])
def test_device_codes_are_read_as_loinc_is(code: str, formula: Formula) -> None:
    assert said(qtc(quantity(concept(code, system=MDC), 480, "ms"))) == ("480 ms", formula)


@pytest.mark.parametrize(("codes", "formula"), [
    ((QTC_PLAIN, QTCF), Formula.FRIDERICIA), ((QTCF, QTCB), Formula.UNSPECIFIED), ((QT, QTC_PLAIN), None),
])
def test_several_codes_of_one_value_count_in_any_order(codes: tuple[str, str], formula: Formula | None) -> None:
    for each in (codes, codes[::-1]):
        code = {"coding": [{"system": "http://loinc.org", "code": one} for one in each]}
        found = qtc(quantity(code, 480, "ms"))
        assert (found.value.formula if found.value else None) is formula


def test_a_waveform_is_refused() -> None:
    wave = {"origin": {"value": 0, "unit": "ms"}, "period": 10, "dimensions": 1, "data": "1 2 3"}
    found = qtc(observation(QTCF, valueSampledData=wave))
    assert (found.state, found.why) == (State.UNREADABLE, "a waveform, which is not read")


# Doubts


def test_a_preliminary_ecg_warns_and_clears_nothing() -> None:
    found = qtc(ms(QTCF, 512, status="preliminary"))
    assert (found.usable, found.doubts) == (True, ("preliminary",))


def test_a_cancelled_ecg_does_not_count() -> None:
    alone = qtc(ms(QTCF, 512, YESTERDAY, status="entered-in-error"))
    words = f"the result of {YESTERDAY[:10]} was entered in error, so it does not count"
    assert (alone.state, alone.why) == (State.ABSENT, words)
    assert said(qtc(ms(QTCF, 512, status="cancelled"), ms(QTCF, 430, YESTERDAY))) == ("430 ms", Formula.FRIDERICIA)


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.FAILED, Status.NOT_ASKED])
def test_an_old_ecg_from_another_answer_is_not_sure_when_the_ecgs_themselves_were_not_had(status: Status) -> None:
    found = qtc(ms(QTCF, 430, LAST_WEEK), statuses={"ecg": status})
    assert (found.usable, found.sure) == (True, False)


def test_no_ecg_is_absent_only_when_all_was_read() -> None:
    assert qtc().state is State.ABSENT
    assert qtc(statuses={"ecg": Status.FAILED}).state is State.FAILED


@given(st.permutations([
    ms(QTCF, 430), ms(QTCF, 512, YESTERDAY), ms(QTCB, 470, "2026-11-20"), ms(QT, 400), rate(75, FOUR_LATER), rate(90),
    ms(QTCF, 500, None), ms(QTC_PLAIN, 440, unit=None), ms(QTCF, 431, status="preliminary"),
]), st.integers(1, 9))
def test_the_order_of_the_resources_does_not_change_the_ecg(shuffled: list[Json], count: int) -> None:
    chosen = sorted(shuffled[:count], key=str)
    one, other = qtc(*shuffled[:count]), qtc(*chosen)
    assert (said(one), one.state, one.doubts, one.when) == (said(other), other.state, other.doubts, other.when)


_ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([]), st.just({}),
                 st.just({"value": 430}), st.just([{"code": {"text": "x"}}]),
                 st.just({"value": 430, "unit": "ms", "x": 1}))


_FIELDS = ["status", "valueQuantity", "effectiveDateTime", "component", "subject", "dataAbsentReason",
           "modifierExtension", "bodySite"]


@given(st.dictionaries(st.sampled_from(_FIELDS), _ODD, min_size=1))
def test_no_malformed_newest_ecg_is_a_sure_value_that_was_not_there_or_passed_over_in_silence(odd: Json) -> None:
    found = qtc(ms(QTCF, 512) | odd, ms(QTCF, 430, YESTERDAY))
    written = "430 ms" if (odd.get("valueQuantity") or {}) == {"value": 430, "unit": "ms", "x": 1} else "512 ms"
    assert not found.sure or said(found) == (written, Formula.FRIDERICIA)


# ECGs that are told in words


def in_words(text: str, name: Json | None = None, **more: Any) -> Json:
    return observation(name or concept("18844-1", "EKG impression"), valueString=text, name="words") | more


@pytest.mark.parametrize(("text", "newest"), [("QTcF 512 ms", "512 ms"), ("Sinus rhythm. QTcF 512 ms, LVH.", "430 ms")])
def test_a_report_that_has_a_code_and_no_name_is_read_by_its_words(text: str, newest: str) -> None:
    """Its code is none of ours: beside an older QTc it is the newer one, or it says that it could not be read."""
    older = quantity("76634-5", 430, "ms", YESTERDAY)
    found = chart(older, observation("11524-6", TODAY, "words", valueString=text)).get(QTC)
    assert found.value is not None and str(found.value.qtc) == newest
    assert not found.sure


@pytest.mark.parametrize(("text", "expected"), [
    ("QTc 512 ms (Fridericia)", "512 ms QTcF"), ("QTcF: 512 ms", "512 ms QTcF"), ("QTcB = 530 msec.", "530 ms QTcB"),
    ("QTc interval 498 ms", "498 ms QTc (formula not stated)"), ("QTcF 0,51 s", "510 ms QTcF"),
])
def test_an_impression_that_states_one_qtc_is_read_with_a_doubt(text: str, expected: str) -> None:
    for name in (None, {"text": "ECG"}, {"text": "QTc"}):
        found = chart(in_words(text, name)).get(QTC)
        assert found.value is not None and not found.sure
        assert f"{found.value.qtc} {found.value.formula.value}" == expected
        assert "read from the words of an ECG" in found.doubts
    bounded = chart(in_words("QTcF > 500 ms")).get(QTC)
    assert (bounded.bound, bounded.sure) == (">", False)


@pytest.mark.parametrize("text", [
    "QTc prolonged", "QTc 512 ms, was 430 ms", "Sinus rhythm. QTc 512 ms", "QTc not 512 ms", "QTc 512", "QTc 512 mmol",
    "QTcF 512 ms (Bazett)", "QT/QTc 400/512 ms", "QTc change 60 ms", "QTc 430 to 512 ms", "prior QTc 512 ms",
    "QTc 512 ms (machine, overread pending)", "QTc 5120 ms",
])
def test_an_impression_that_says_more_is_not_read_and_is_said(text: str) -> None:
    found = chart(in_words(text)).get(QTC)
    assert (found.value, found.state) == (None, State.UNREADABLE)


@pytest.mark.parametrize("entry", [
    in_words("Sinus rhythm, normal ECG"), in_words("QTc 512 ms", {"text": "Pharmacy note"}),
    in_words("QTc 512 ms", {"text": "QTc limit of the study"}), in_words("QTc 512 ms", status="cancelled"),
])
def test_words_that_are_no_report_of_a_qtc_are_nothing(entry: Json) -> None:
    assert chart(entry).get(QTC).state is State.ABSENT


def test_beside_a_measured_qtc_words_say_something_only_where_they_are_newer() -> None:
    measured_ = quantity("76634-5", 430, "ms", YESTERDAY)
    older, newer = in_words("QTc prolonged", effectiveDateTime="2026-11-18T08:00:00Z"), in_words("QTc prolonged")
    assert chart(measured_, older).get(QTC).sure
    assert chart(measured_, in_words("QTc borderline", effectiveDateTime=YESTERDAY)).get(QTC).sure
    (doubt,) = chart(measured_, newer).get(QTC).doubts
    assert doubt == "a newer ECG is told in words that say more than one QTc, which were not read"


def test_the_same_value_in_words_takes_nothing_from_the_measured_one() -> None:
    assert chart(quantity("76634-5", 430, "ms"), in_words("QTcF 430 ms")).get(QTC).sure


def test_an_ecg_in_words_without_a_date_leaves_a_doubt() -> None:
    found = qtc(observation({"text": "ECG"}, None, name="w", valueString="AF, QTc 530 ms, prolonged"), ms(QTCF, 430))
    assert found.doubts[0].startswith("an ECG without date is told in words")


@pytest.mark.parametrize("name", ["Previous QTcF", "QTcF goal", "Prior QTc (Fridericia)", "vorheriges QTcF"])
def test_the_qtc_of_an_earlier_ecg_or_a_goal_is_not_that_of_today(name: str) -> None:
    found = qtc(ms({"text": name}, 430), ms(QTCF, 510, YESTERDAY))
    assert said(found) == ("510 ms", Formula.FRIDERICIA)


@pytest.mark.parametrize("name", [
    concept("11524-6", text="心電図"), concept("8601-7", text="심전도"), {"text": "心電図"},
    concept("e1", system="urn:x", text="ЭКГ"),
])
@pytest.mark.parametrize("text", ["QTc 512 ms", "QTcF512ms", "洞調律 QTc 512 ms", "QTc延長 512ms"])
def test_the_newest_ecg_under_a_name_that_is_not_read_is_told(name: Json, text: str) -> None:
    (doubt,) = chart(quantity(QTCF, 430, "ms", YESTERDAY), in_words(text, name)).get(QTC).doubts
    assert doubt.startswith("a newer ECG is told in words")


@pytest.mark.parametrize("text", ["QTcF512ms", "ＱＴｃＦ　５１２ｍｓ", "QTcF：５１２ｍｓ"])
def test_a_qtc_and_its_number_may_be_one_word_and_broad(text: str) -> None:
    assert said(qtc(in_words(text, {"text": "12 lead ECG"}))) == ("512 ms", Formula.FRIDERICIA)


def test_a_result_of_another_kind_under_a_name_that_is_not_read_is_no_ecg() -> None:
    potassium = in_words("QTc 512 ms", concept("2823-3", text="カリウム"))
    assert chart(quantity(QTCF, 430, "ms", YESTERDAY), potassium).get(QTC).sure


@pytest.mark.parametrize("name", ["QTcF目標", "QTc変化", "補正QTc"])
def test_a_qtc_whose_name_is_partly_not_read_is_doubted(name: str) -> None:
    assert qtc(ms({"text": name}, 430)).doubts == ("its name is partly in a script not read",)


@pytest.mark.parametrize("name", ["QTcF変化量", "QTcF前回値", "QTcF目標", "QTcF 変化量", "ΔQTcF変化"])
@pytest.mark.parametrize("value", [60, 430, 440, 512])
@pytest.mark.parametrize("when", [YESTERDAY, TODAY, "2026-11-20T09:00:00Z"])
def test_a_change_or_an_aim_whose_name_is_not_read_takes_nothing_from_a_coded_qtc(
    name: str, value: int, when: str
) -> None:
    found = qtc(ms(QTCF, 512), ms({"text": name}, value, when, name="x"))
    assert (said(found), found.sure) == (("512 ms", Formula.FRIDERICIA), True)


def test_an_ecg_whose_name_is_not_read_was_taken_though_it_is_not_the_newest_qtc() -> None:
    facts = chart(ms(QTCF, 512, YESTERDAY), ms({"text": "QTcF間隔"}, 425))
    assert [str(ecg.qtc) for ecg in facts.get(ECGS).value or ()] == ["512 ms", "425 ms"]
    assert said(facts.get(QTC))[0] == "512 ms"


def test_once_the_coded_qtc_is_too_old_a_newer_one_whose_name_is_not_read_is_told_beside_it() -> None:
    older, newer = ms(QTCF, 512, "2026-10-01T08:00:00Z"), ms({"text": "QTcF間隔"}, 440, YESTERDAY)
    found = qtc(older, newer)
    assert found.sure
    stale = found.within(Quantity(Decimal(14), "d"), NOW)
    assert (said(stale)[0], stale.state) == ("512 ms", State.STALE)
    words = "a newer ECG (2026-11-19) is not certain (its name is partly in a script not read): 440 ms"
    assert stale.doubts[1:] == (words,)
    assert not found.within(Quantity(Decimal(90), "d"), NOW).doubts
    for aside in (ms({"text": "QTcF間隔"}, 440, "2026-09-20T08:00:00Z"), ms({"text": "QTcF間隔"}, 440, None)):
        assert len(qtc(older, aside).within(Quantity(Decimal(14), "d"), NOW).doubts) == 1


def test_what_may_be_a_later_and_higher_qtc_is_told_with_a_doubt() -> None:
    found = qtc(ms(QTCF, 430, YESTERDAY), ms({"text": "QTcF補正"}, 512))
    assert (said(found), found.sure) == (("512 ms", Formula.FRIDERICIA), False)
    assert qtc(ms(QTCF, 430), ms({"text": "QTcF補正"}, 512, YESTERDAY)).sure
    for when in (None, YESTERDAY, "2026-11-19"):
        assert said(qtc(ms(QTCF, 430, YESTERDAY), ms({"text": "QTcF間隔"}, 560, when)))[0] == "560 ms"
    computed = qtc(ms(QT, 400), rate(60), ms({"text": "QTcF目標"}, 390))
    assert (said(computed), computed.sure) == (("400 ms", Formula.FRIDERICIA), True)


@pytest.mark.parametrize("name", ["看護記録", "備考", "コメント"])
@pytest.mark.parametrize(("text", "key", "sure"), [
    ("QTc延長の既往なし", "labs", True), ("QTc延長の既往なし", "bedside", True),
    ("QTc延長の既往なし、心拍 100", "labs", True),
    ("QTc 512 ms", "labs", False), ("QTc延長 512ms", "labs", False), ("QTc延長", "ecg", False),
    ("QTcF\n512 ms", "labs", False), ("QTc=0.512", "bedside", False), ("QTc 0.512秒", "labs", False),
])
def test_a_note_that_is_not_read_is_an_ecg_by_its_number_or_its_place(
    name: str, text: str, key: str, sure: bool
) -> None:
    note = {"resourceType": "Observation", "id": "n1", "status": "final", "code": {"text": name}, "subject": SUBJECT,
            "effectiveDateTime": TODAY, "valueString": text}  # fmt: skip
    came = {"ecg": [qtcf(430, YESTERDAY)], "labs": ELECTROLYTES, "bedside": []}
    found = str(cards("order-sign", gilteritinib(status="draft"), **(came | {key: [*came[key], note]})))
    assert ("a newer ECG is told in words" in found) is not sure
