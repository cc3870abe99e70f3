"""One deadline for the whole line: the most urgent is checked first, and what time did not reach is named."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from cds_service.answer import Answer, answer
from cds_service.errors import SettingsError
from cds_service.knowledge.model import Level
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import NoTimeLeft
from cds_service.settings import Settings
from tests.calls import ELECTROLYTES, RELAPSED, flt3_itd, gilteritinib, qtcf, request, tools

SIGN = request(
    "order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)], labs=ELECTROLYTES, genomics=[flt3_itd("2026-11-10")]
)


@dataclass
class Clock:
    """Goes on by a second each time that it is looked at, once it was looked at so often."""

    stands: int
    looks: int = 0

    def __call__(self) -> float:
        self.looks += 1
        return float(max(0, self.looks - self.stands))


def hurried(body: dict, stands: int) -> Answer:
    service = next(each for each in tools().services if each.hook == body["hook"])
    return answer(json.dumps(body).encode(), service, replace(tools(), clock=Clock(stands), answer_seconds=4.0))


def late(made: Answer) -> list:
    return [check for check in made.evaluation.checks if isinstance(check.outcome, NoTimeLeft)]


def looks(body: dict) -> int:
    clock = Clock(10**6)
    service = next(each for each in tools().services if each.hook == body["hook"])
    answer(json.dumps(body).encode(), service, replace(tools(), clock=clock))
    return clock.looks


def test_without_hurry_nothing_is_late_and_the_checks_stand_in_reading_order():
    made = hurried(SIGN, 10**6)
    places = [RULES.index(check.rule) for check in made.evaluation.checks]
    assert not late(made) and places == sorted(places)


def test_what_may_be_critical_is_checked_first():
    may_be_critical = sum(rule.worst is Level.CRITICAL for rule in RULES)
    made = hurried(SIGN, looks(SIGN) - 20)
    assert late(made) and not any(check.rule.worst is Level.CRITICAL for check in late(made))
    assert made.cards[0].indicator == "critical" and "512" in made.cards[0].summary
    assert len({check.rule.id for check in made.evaluation.checks}) == len(RULES) > may_be_critical


def test_a_late_check_stands_where_it_stood_and_is_named_on_the_card_of_gaps():
    made = hurried(SIGN, 4)
    places = [RULES.index(check.rule) for check in made.evaluation.checks]
    assert places == sorted(places) and set(places) == set(range(len(RULES)))
    gap = next(card for card in json.loads(made.body)["cards"] if "no time left" in card["summary"])
    assert gap["indicator"] == "warning"
    assert "**No time left, so not checked**" in gap["detail"]
    named = {check.rule.title for check in late(made) if check.rule.worst is Level.CRITICAL}
    assert named and all(f"- {title}" in gap["detail"] for title in named)
    assert "checks that can warn or inform" in gap["detail"]
    assert len(gap["detail"]) < 6_000


def test_a_late_check_never_reads_as_clear_however_little_time_there_was():
    whole = {check.rule.id: check.word for check in hurried(SIGN, 10**6).evaluation.checks}
    for stands in range(1, looks(SIGN), 7):
        made = hurried(SIGN, stands)
        assert any(card.indicator in ("warning", "critical") for card in made.cards), stands
        for check in made.evaluation.checks:
            assert isinstance(check.outcome, NoTimeLeft) or check.word == whole[check.rule.id] or check.subject


def test_a_patient_who_is_no_matter_of_ours_gets_no_card_for_want_of_time():
    body = request("patient-view", conditions=[])
    assert len(json.loads(hurried(body, 2).body)["cards"]) == len(json.loads(hurried(body, 10**6).body)["cards"])


def test_viewing_a_patient_in_relapse_says_what_was_not_reached():
    cards = json.loads(hurried(request("patient-view", conditions=[RELAPSED]), 2).body)["cards"]
    assert any("No time left" in card["detail"] for card in cards)


def test_asking_is_only_part_of_a_call():
    with pytest.raises(SettingsError, match="expected less than ANSWER_SECONDS"):
        Settings.load({"GATHER_SECONDS": "4", "ANSWER_SECONDS": "4"})
