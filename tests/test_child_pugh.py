"""A Child–Pugh class that stands in the words of an entry is read: it halves a dose and decides fitness."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cds_service.answer import answer
from cds_service.facts.entries import PROBLEMS, Entry
from cds_service.facts.fact import Origin
from cds_service.rules.relapse.fitness import Fitness, assess
from cds_service.rules.rule import Case
from cds_service.rules.signs import child_pugh
from tests.calls import NOW, RELAPSED, ask, cards, condition, order, request, tools, venetoclax


def entry(words: str) -> Entry:
    return Entry(("cirrhosis",), "", words, None, Origin("Condition", "conditions"))


@pytest.mark.parametrize(
    ("words", "stated"),
    [
        ("Cirrhosis, Child-Pugh C", "C"),
        ("Child–Pugh class B cirrhosis", "B"),
        ("cirrhosis (Child-Turcotte-Pugh score: A5)", "A"),
        ("Cirrhosis Child Pugh C10", "C"),
        ("Cirrhosis, Child-Pugh B/C", ""),
        ("Cirrhosis, Child-Pugh assessment pending", ""),
        ("Cirrhosis, Child-Pugh class not stated", ""),
        ("Cirrhosis", ""),
    ],
)
def test_the_class_is_the_one_that_the_words_state(words: str, stated: str) -> None:
    assert child_pugh((entry(words),)) == stated


def test_entries_that_differ_state_none() -> None:
    assert child_pugh((entry("Cirrhosis, Child-Pugh A"), entry("Cirrhosis, Child-Pugh C"))) == ""


def liver_cards(words: str) -> list[tuple[str, str]]:
    found = cards("order-sign", venetoclax(status="draft"), conditions=[RELAPSED, condition("K74.60", words)])
    return [
        (card["indicator"], card["summary"] + card["detail"])
        for card in found
        if card["source"]["topic"]["code"] == "liverDisease"
    ]


def test_class_c_warns_before_venetoclax() -> None:
    ((level, told),) = liver_cards("Cirrhosis, Child-Pugh C")
    assert level == "warning"
    assert "half the dose" in told
    assert "not on record" not in told


def test_class_a_says_nothing() -> None:
    assert not liver_cards("Cirrhosis, Child-Pugh A")


def test_class_a_does_not_silence_a_failing_liver() -> None:
    listed = [RELAPSED, condition("K74.60", "Cirrhosis, Child-Pugh A"), condition("K72.90", "Hepatic failure")]
    found = cards("order-sign", venetoclax(status="draft"), conditions=listed)
    assert [each["indicator"] for each in found if each["source"]["topic"]["code"] == "liverDisease"] == ["warning"]


@pytest.mark.parametrize(("drug", "letter", "level", "says"), [
    ("cladribine", "C", "warning", "forbidden by the EU package leaflet"),
    ("cladribine", "B", "warning", "forbidden by the EU package leaflet"),
    ("clofarabine", "C", "warning", "forbidden by the EU package leaflet"),
    ("clofarabine", "B", "info", "Child–Pugh B"),
])
def test_what_the_leaflet_forbids_stands_in_the_headline(drug: str, letter: str, level: str, says: str) -> None:
    there = replace(tools(), jurisdiction="EU")
    listed = [RELAPSED, condition("K74.60", f"Cirrhosis, Child-Pugh {letter}")]
    draft = order(f"{drug} 1 mg/ml injection", status="draft")
    body = json.dumps(request("order-sign", draft, conditions=listed)).encode()
    service = next(each for each in there.services if each.hook == "order-sign")
    found = json.loads(answer(body, service, there).body)["cards"]
    (card,) = (each for each in found if each["source"]["topic"]["code"] == "liverDisease")
    assert (card["indicator"], card["summary"].endswith(says)) == (level, True)


def test_without_a_class_it_is_asked_for() -> None:
    ((level, told),) = liver_cards("Cirrhosis of liver")
    assert level == "info"
    assert "class needed" in told


@pytest.mark.parametrize(("letter", "verdict"), [("C", "not fit for intensive therapy"), ("B", "not fit")])
def test_class_b_and_c_are_no_fitness_for_intensive_therapy(letter: str, verdict: str) -> None:
    conditions = [RELAPSED, condition("K74.60", f"Cirrhosis, Child-Pugh {letter}")]
    told = "".join(card["detail"] for card in cards("patient-view", conditions=conditions))
    assert verdict in told


UNREADABLE = {"resourceType": "Condition", "id": "lost", "subject": {"reference": "Patient/p1"}, "code": [5]}


def test_class_a_clears_nothing_while_an_entry_could_not_be_read() -> None:
    listed = [RELAPSED, condition("K74.60", "Cirrhosis, Child-Pugh A"), UNREADABLE]
    checks = ask(request("order-sign", venetoclax(status="draft"), conditions=listed)).evaluation.checks
    (check,) = (each for each in checks if each.rule.id == "liver-disease")
    assert check.word == "not evaluated"


@pytest.mark.parametrize(("letter", "sure", "verdict"), [
    ("A", True, Fitness.FIT), ("A", False, Fitness.UNKNOWN), ("C", True, Fitness.UNFIT), ("C", False, Fitness.UNFIT),
])  # fmt: skip
def test_for_fitness_too_only_a_whole_list_clears(letter: str, sure: bool, verdict: Fitness) -> None:
    listed = [RELAPSED, condition("K74.60", f"Cirrhosis, Child-Pugh {letter}")]
    chart = ask(request("patient-view", conditions=listed)).evaluation.chart
    problems = chart.get(PROBLEMS) if sure else chart.get(PROBLEMS).doubted("not every entry was read")
    case = Case(replace(chart, facts={**chart.facts, PROBLEMS.name: problems}), tools().knowledge.at(NOW.date(), "US"))
    (liver,) = (each for each in assess(case).criteria if each.name == "Child-Pugh class")
    assert liver.verdict is verdict


def in_words(words: str) -> list[str]:
    alone = {"resourceType": "Condition", "id": "liver", "code": {"text": words}, "subject": RELAPSED["subject"]}
    alone["clinicalStatus"] = {"coding": [{"code": "active"}]}
    found = cards("order-sign", venetoclax(status="draft"), conditions=[RELAPSED, alone])
    return [card["summary"] for card in found if card["source"]["topic"]["code"] == "liverDisease"]


@pytest.mark.parametrize("words", [
    "Child-Pugh not applicable", "Child-Pugh: none", "Child-Pugh class unknown", "Child-Pugh score assessment",
    "no cirrhosis, Child-Pugh n/a", "Hepatitis B carrier without cirrhosis (Child-Pugh -)", "Child-Pugh 0",
    "Child-Pugh assessment pending", "Child-Pugh a priori not needed", "normal liver, Child-Pugh not assessed",
])
def test_the_name_of_the_score_alone_is_no_liver_disease(words: str) -> None:
    assert not in_words(words)


@pytest.mark.parametrize("words", [
    "Child-Pugh B", "Child-Pugh: C", "Child-Pugh class B (7 points)", "Child-Pugh score 9", "Child-Pugh (B8)",
    "Child-Turcotte-Pugh score: B7", "Child-Pugh grade C", "cirrhosis, Child-Pugh not stated", "Child-Pugh B/C",
    "Child Pugh C10",
])
def test_a_class_or_its_points_alone_are_one(words: str) -> None:
    assert in_words(words)
