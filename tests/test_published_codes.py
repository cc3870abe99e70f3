"""What EHRs and statistics hold on to: topic codes and override reasons. The lists may grow, their codes not change."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from fhir.resources.R4B.codesystem import CodeSystem

from cards.reasons import (
    GAP,
    MOST_ON_A_CARD,
    PATH,
    REASON_SYSTEM,
    by_rule,
    code_system,
    fault_in,
    faults,
    reasons,
    together,
)
from cards.topic import topic_code
from cds_service.knowledge.model import Level
from cds_service.rules.catalogue import RULES

DATA = Path(__file__).parent / "data"
SAMPLES = Path(__file__).parents[1] / "fhir_samples"
TOPICS = {rule.id: topic_code(rule.id) for rule in RULES} | {"gap": topic_code("gap")}


def frozen(name: str) -> list[list[str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def tell_to_append(name: str, missing: list[str]) -> None:
    """New codes are welcome, and no failure; whoever adds one is told where to write it down."""
    if missing:
        pytest.skip(f"append to tests/data/{name}, so that these never change: {', '.join(missing)}")


def test_no_topic_code_of_a_rule_was_removed_or_changed():
    kept = dict(frozen("topic_codes.txt"))
    changed = [f"{rule} {topic}" for rule, topic in kept.items() if TOPICS.get(rule) != topic]
    assert not changed, "removed or changed: EHRs tie lock-outs to these topics, so the old ids must stay"


def test_every_topic_code_is_written_down():
    kept = {rule for rule, _ in frozen("topic_codes.txt")}
    tell_to_append("topic_codes.txt", [f"{rule} {topic}" for rule, topic in TOPICS.items() if rule not in kept])


def test_topic_codes_are_letters_and_digits_and_each_rule_has_its_own():
    assert not [code for code in TOPICS.values() if not re.fullmatch(r"[A-Za-z0-9]+", code)]
    assert not [code for code, times in Counter(code.lower() for code in TOPICS.values()).items() if times > 1]


def test_no_override_reason_was_removed():
    kept = [code for (code,) in frozen("override_codes.txt")]
    assert not [code for code in kept if code not in reasons()], "feedback was stored under these codes: keep them"


def test_every_override_reason_is_written_down():
    kept = {code for (code,) in frozen("override_codes.txt")}
    tell_to_append("override_codes.txt", [code for code in reasons() if code not in kept])


def test_the_systems_are_the_ones_published():
    assert {reason.coding.system for reason in reasons().values()} == {"urn:aml-cds:override-reason"}


def test_the_code_system_is_valid_fhir_and_holds_every_reason():
    made = code_system("1.2.3")
    read = CodeSystem.model_validate(made)
    assert (read.url, read.status, read.content) == (REASON_SYSTEM, "active", "complete")
    assert [each.code for each in read.concept] == list(reasons())
    assert read.count == len(read.concept)
    assert json.loads(read.model_dump_json()) == made


def test_displays_are_short_and_each_says_something_else():
    displays = [reason.coding.display for reason in reasons().values()]
    assert len(set(displays)) == len(displays)
    assert all(display[0].isupper() and len(display) <= 80 and not display.endswith(".") for display in displays)


def test_the_code_system_says_which_rules_offer_a_reason_by_their_topic():
    told = {concept["code"]: concept for concept in code_system("1.2.3")["concept"]}
    topics = [each["valueCoding"] for each in told["ecg-repeated"]["property"] if each["code"] == "rule"]
    assert {"system": "urn:aml-cds:rule", "code": "qtcHold"} in topics
    assert {each["code"] for each in topics} <= set(TOPICS.values())
    assert all(concept["definition"].endswith(".") for concept in told.values())


MAY_BE_CRITICAL = {rule.id: rule.worst is Level.CRITICAL for rule in RULES}


def test_every_rule_offers_reasons_and_no_other_does():
    assert faults(MAY_BE_CRITICAL) == []
    assert set(by_rule()) == {rule.id for rule in RULES} | {GAP}


@pytest.mark.parametrize("rule", [*MAY_BE_CRITICAL, GAP])
def test_a_rule_offers_three_reasons_or_more_one_of_them_free_of_clinical_content(rule: str) -> None:
    offered = [reasons()[code] for code in by_rule()[rule]]
    assert 3 <= len(offered) <= 7
    assert [each for each in offered if each.kind == "chart"]
    assert list(by_rule()[rule]) == [code for code in reasons() if code in by_rule()[rule]], "in the order of the list"


@pytest.mark.parametrize("rule", [rule for rule, critical in MAY_BE_CRITICAL.items() if critical])
def test_what_may_be_critical_is_not_put_off(rule: str) -> None:
    assert not {"will-do-today", "will-do-later"} & set(by_rule()[rule])


def test_an_ecg_or_a_pregnancy_is_spoken_of_only_where_it_matters():
    of_the_ecg = {rule for rule, codes in by_rule().items() if "ecg-repeated" in codes}
    assert of_the_ecg <= {"ecg-schedule", "additive-qt"} | {rule for rule in by_rule() if rule.startswith("qtc-")}
    of_pregnancy = {rule for rule, codes in by_rule().items() if "pregnancy-excluded" in codes}
    assert of_pregnancy == {"pregnancy", "contraception"}


def test_every_reason_is_offered_by_some_rule():
    assert {code for codes in by_rule().values() for code in codes} == set(reasons())


@pytest.mark.parametrize(("codes", "critical", "fault"), [
    (["value-outdated", "specialist-advice"], False, "expected 3 to 7 reasons, found 2"),
    (["value-outdatd", "specialist-advice", "no-alternative"], False, "did you mean value-outdated"),
    (["value-outdated", "value-outdated", "no-alternative"], False, "a reason stands twice"),
    (["value-outdated", "will-do-later", "no-alternative"], True, "'will-do-later' puts off what may be critical"),
    (["no-alternative", "specialist-advice", "trial-protocol"], False, "list one of value-outdated, record-wrong"),
    (["value-outdated", "will-do-later", "no-alternative"], False, ""),
])
def test_a_list_that_does_not_serve_is_named(codes: list[str], critical: bool, fault: str) -> None:
    assert fault in fault_in(codes, critical)
    assert bool(fault) == bool(fault_in(codes, critical))


def test_a_rule_without_reasons_and_reasons_without_a_rule_are_faults():
    known = {rule: critical for rule, critical in MAY_BE_CRITICAL.items() if rule != "qtc-hold"} | {"qtc-hodl": True}
    assert [each.partition(", ")[2] for each in faults(known)] == [
        "qtc-hold: there is no such rule; did you mean qtc-hodl or qtc-near-hold or qtc-action?",
        "qtc-hodl: no reasons are listed for this rule",
    ]


def codes_of(*rules: str, critical: bool = False) -> list[str]:
    return [each.code for each in together([by_rule()[rule] for rule in rules], critical)]


def test_a_card_of_several_rules_offers_what_any_of_them_does_the_deciding_one_first():
    assert codes_of("qtc-hold") == list(by_rule()["qtc-hold"])
    both = codes_of("contraindicated-pair", "additive-qt")
    assert set(by_rule()["contraindicated-pair"]) < set(both)
    assert both[0] == "ecg-repeated"
    assert both == [code for code in reasons() if code in both]
    many = codes_of("qtc-hold", "additive-qt", "electrolytes", "liver", "transplant-fitness")
    assert len(many) == MOST_ON_A_CARD
    assert set(by_rule()["qtc-hold"]) < set(many)


def test_a_critical_card_puts_nothing_off_whatever_else_stands_on_it():
    assert "will-do-later" in codes_of("electrolytes")
    assert not {"will-do-today", "will-do-later"} & set(codes_of("electrolytes-severe", "electrolytes", critical=True))


@pytest.mark.parametrize("answer", sorted(SAMPLES.glob("*/expected/*.json")), ids=lambda path: path.parts[-3])
def test_every_card_that_warns_or_proposes_can_be_declined_with_a_reason_and_no_other(answer: Path) -> None:
    for card in json.loads(answer.read_text(encoding="utf-8")).get("cards", ()):
        declinable = card["indicator"] != "info" or "suggestions" in card
        assert ("overrideReasons" in card) == declinable, card["summary"]


def test_the_path_is_stable():
    assert PATH == "/codesystems/override-reasons"
