"""What EHRs and statistics hold on to: topic codes and override reasons. The lists may grow, their codes not change."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from fhir.resources.R4B.codesystem import CodeSystem

from cards import render
from cards.reasons import PATH, code_system
from cds_service.console.soundness import cards_named
from cds_service.knowledge.model import Level
from cds_service.present.present import topic_code
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Fired
from tests.vignette_runner import tell, vignettes

DATA = Path(__file__).parent / "data"
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
    offered = [reason.code for reason in render.reasons()]
    assert not [code for code in kept if code not in offered], "feedback was stored under these codes: keep them"


def test_every_override_reason_is_written_down():
    kept = {code for (code,) in frozen("override_codes.txt")}
    tell_to_append("override_codes.txt", [each.code for each in render.reasons() if each.code not in kept])


def test_the_systems_are_the_ones_published():
    assert {reason.system for reason in render.reasons()} == {"urn:aml-cds:override-reason"}


def test_the_code_system_is_valid_fhir_and_holds_every_reason():
    made = code_system("1.2.3")
    read = CodeSystem.model_validate(made)
    assert (read.url, read.status, read.content) == (render.REASON_SYSTEM, "active", "complete")
    assert [each.code for each in read.concept] == [reason.code for reason in render.reasons()]
    assert read.count == len(read.concept)
    assert json.loads(read.model_dump_json()) == made


def test_displays_are_short_and_each_says_something_else():
    displays = [reason.display for reason in render.reasons()]
    assert len(set(displays)) == len(displays)
    assert all(display[0].isupper() and len(display) <= 80 and not display.endswith(".") for display in displays)


def test_a_template_offers_no_reason_twice_and_no_more_than_one_can_read():
    for name in cards_named():
        codes = [reason.code for reason in render.template(name).reasons]
        assert len(set(codes)) == len(codes), name
        assert len(codes) <= 8, name


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_card_that_warns_can_be_overridden_with_a_reason(rule: str) -> None:
    for vignette in vignettes():
        if vignette.rule == rule:
            outcome = tell(vignette).check.outcome
            if isinstance(outcome, Fired) and outcome.finding.level > Level.INFO:
                assert render.template(outcome.finding.card).reasons, f"{outcome.finding.card}.md: add 'overrides'"


def test_the_path_is_stable():
    assert PATH == "/codesystems/override-reasons"
