"""The heart from FHIR to card: other QT drugs than gilteritinib, codes of rhythm and conduction, pairs of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.answer import load_tools
from cds_service.settings import Settings
from tests import calls

YESTERDAY, EARLIER = "2026-11-20T08:00:00Z", "2026-06-01T08:00:00Z"


def quizartinib(**more: Any) -> dict[str, Any]:
    return calls.order("quizartinib 17.7 MG Oral Tablet", mg=35.4, **more)


def told(*drafts: dict[str, Any], **chart: Any) -> dict[str, tuple[str, str]]:
    """Each card by its rule: indicator and text."""
    return {
        card["source"]["topic"]["code"]: (card["indicator"], card["summary"] + card["detail"])
        for card in calls.cards("order-sign", *drafts, **chart)
    }


def test_quizartinib_is_not_started_above_its_limit():
    cards = told(quizartinib(), ecg=[calls.qtcf(460)], labs=calls.ELECTROLYTES)
    assert cards["qtcStartLimit"][0] == "critical"
    assert "qtcHold" not in cards


def test_resolved_torsades_still_forbid_quizartinib():
    torsades = calls.condition("I47.21", "Torsades", "2020-01-01", clinicalStatus={"coding": [{"code": "resolved"}]})
    cards = told(
        quizartinib(), ecg=[calls.qtcf(430)], labs=calls.ELECTROLYTES, conditions=[calls.RELAPSED, torsades]
    )
    assert cards["qtContraindicated"][0] == "critical"


def test_a_pacemaker_is_one_line_in_another_card():
    pacemaker = calls.condition("Z95.0", "Pacemaker", "2020-01-01")
    chart = {"ecg": [calls.qtcf(490)], "labs": calls.ELECTROLYTES, "conditions": [calls.RELAPSED, pacemaker]}
    cards = told(calls.gilteritinib(), **chart)
    assert "qtcOverestimated" not in cards
    assert sum("QTc may overestimate" in text for _, text in cards.values()) == 1


def test_two_drugs_of_ours_that_prolong_the_qt_interval_make_one_pair():
    taken = calls.gilteritinib(id="m-taken", authoredOn="2026-11-10")
    cards = calls.cards("order-sign", quizartinib(), medications=[taken], ecg=[calls.qtcf(440)])
    assert sum("QT added up" in card["detail"] for card in cards) == 1


def test_doxycycline_without_a_code_is_known_by_its_name():
    (medication,) = calls.ask(
        calls.request("order-sign", calls.order("doxycycline 100 MG Oral Tablet"))
    ).evaluation.chart.medications.orders
    assert medication.ingredients == ("doxycycline",)


def in_part_unread(value: float, when: str | None, name: str = "QTcF διάστημα") -> dict[str, Any]:
    """A QTcF whose name is partly in a script that is not read: it may be a change, an aim or an earlier one."""
    found = calls.qtcf(value, when or YESTERDAY) | {"id": "unread", "code": {"text": name}}
    return found if when else {key: part for key, part in found.items() if key != "effectiveDateTime"}


@pytest.mark.parametrize("when", [YESTERDAY, YESTERDAY[:10], None])
@pytest.mark.parametrize(("sure", "level", "words"), [
    (512, "critical", "QTcF 512 ms"), (430, "warning", "QTcF 560 ms"), (500, "warning", "QTcF 560 ms"),
])  # fmt: skip
def test_a_higher_qtc_whose_name_is_not_read_lowers_no_danger_that_is_sure(when, sure, level, words):
    found = told(
        calls.gilteritinib(status="draft"), ecg=[calls.qtcf(sure), in_part_unread(560, when)], labs=calls.ELECTROLYTES
    )
    assert {said[:11]: told_as for told_as, said in found.values() if said.startswith("QTc")} == {words: level}


def test_a_sure_qtc_that_is_too_old_is_no_surer_one():
    ecgs = [calls.qtcf(512, EARLIER), in_part_unread(560, None)]
    found = told(calls.gilteritinib(status="draft"), ecg=ecgs, labs=calls.ELECTROLYTES)
    assert "QTcF 512" not in str(found)


@pytest.mark.parametrize(("relapse", "level"), [("2026-11-15", "critical"), ("2026-11-21", "warning")])
def test_a_sure_qtc_from_before_the_relapse_is_no_surer_one(relapse, level):
    found = told(
        calls.gilteritinib(status="draft"),
        ecg=[calls.qtcf(512), in_part_unread(560, None)],
        labs=calls.ELECTROLYTES,
        conditions=[calls.condition("C92.02", "AML in relapse", relapse)],
    )
    assert [told_as for told_as, said in found.values() if said.startswith("QTc")] == [level]


@pytest.mark.parametrize("sure", ["QTcF", "QTcB"])
def test_a_sure_qtc_above_the_limit_is_told_with_its_own_formula(sure):
    ecg = calls.qtcf(487) if sure == "QTcF" else calls.observation("76635-2", 487, "ms", YESTERDAY)
    chart = {"medications": [quizartinib(authoredOn="2026-11-01")], "labs": calls.ELECTROLYTES}
    found = calls.cards("patient-view", ecg=[ecg, in_part_unread(498, YESTERDAY)], **chart)
    (card,) = [each for each in found if "487" in each["summary"] or "498" in each["summary"]]
    assert ("not by Fridericia" in card["detail"]) is (sure == "QTcB")


@pytest.mark.parametrize("name", ["前回QTcF", "QTcF基準値", "QTc（予測値）"])
def test_whether_a_scheduled_ecg_was_taken_is_not_known_by_a_name_that_is_not_read(name):
    chart = {"medications": [calls.gilteritinib(authoredOn="2026-11-01")], "labs": calls.ELECTROLYTES}
    ecgs = [calls.qtcf(430, EARLIER), in_part_unread(410, "2026-11-16T08:00:00Z", name)]
    assert "(due 2026-11-15) was taken is not known" in str(calls.cards("patient-view", ecg=ecgs, **chart))


def potassium(value: float, status: str, name: str) -> dict[str, Any]:
    return calls.observation("2823-3", value, "mmol/L", YESTERDAY, id=name, status=status)


@pytest.mark.parametrize(("second", "level"), [(("amended", "k1"), "critical"), (("final", "k2"), "warning")])
def test_versions_of_one_result_keep_the_danger_of_the_lower(second, level):
    """Two results of one time that are no versions of each other are a doubt, and lead to a warning."""
    values = [potassium(2.4, "final", "k1"), potassium(3.9, *second), calls.ELECTROLYTES[1]]
    found = told(quizartinib(), ecg=[calls.qtcf(430)], labs=values)
    assert [told_as for told_as, said in found.values() if said.startswith("Potassium 2.4")] == [level]


def test_the_higher_qtc_that_is_not_certain_is_named_beside_the_sure_one():
    found = told(calls.gilteritinib(status="draft"), ecg=[calls.qtcf(512), in_part_unread(560, None)])
    (words,) = [said for _, said in found.values() if said.startswith("QTcF 512")]
    assert "another one beside it is not certain: 560 ms" in words


def test_a_sure_qtc_from_before_a_scheduled_ecg_is_no_surer_one():
    chart = {"medications": [calls.gilteritinib(authoredOn="2026-11-02")], "labs": calls.ELECTROLYTES}
    ecgs = [calls.qtcf(505, "2026-11-03T08:00:00Z"), in_part_unread(510, None)]
    found = calls.cards("patient-view", ecg=ecgs, **chart)
    assert [card["indicator"] for card in found if card["summary"].startswith("QTc")] == ["warning"]


def test_a_scheduled_ecg_is_taken_where_a_value_of_it_is_sure():
    chart = {"medications": [quizartinib(authoredOn="2026-11-02")], "labs": calls.ELECTROLYTES}
    sure = calls.observation("8636-3", 440, "ms", YESTERDAY)
    found = str(calls.cards("patient-view", ecg=[sure, in_part_unread(450, YESTERDAY)], **chart))
    assert "day 22" in found
    assert "was taken is not known" not in found


def test_a_hold_by_a_higher_qtc_speaks_before_the_limit_of_a_restart_by_the_sure_one(monkeypatch):
    europe = replace(load_tools(Settings.load({**calls.UNHURRIED, "JURISDICTION": "EU"})), now=lambda: calls.NOW)
    monkeypatch.setattr(calls, "tools", lambda: europe)
    sure = calls.observation("8636-3", 455, "ms", YESTERDAY)
    held = quizartinib(id="held", status="on-hold", authoredOn="2026-10-01")
    ecgs = [sure, in_part_unread(530, YESTERDAY)]
    found = calls.cards(
        "order-sign", quizartinib(status="draft"), ecg=ecgs, medications=[held], labs=calls.ELECTROLYTES
    )
    assert [card["summary"][:10] for card in found if card["summary"].startswith("QTc")] == ["QTcF 530 m"]
