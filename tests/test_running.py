"""Running: what checks share changes none of them, and what is told later is told whole."""

from __future__ import annotations

import json

import pytest

from cds_service.answer import Answer, answer
from cds_service.errors import RequestError
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Check, Fired, NotApplicable, NotEvaluated
from cds_service.rules.running import Plan, evaluate
from cds_service.store.endings import endings_of
from tests.calls import tools
from tests.samples import Sample, samples

SAMPLES = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.full_name)


def answered(sample: Sample) -> Answer:
    service = next(each for each in tools().services if each.hook == sample.request["hook"])
    try:
        return answer(json.dumps(sample.request).encode(), service, tools())
    except RequestError:
        pytest.skip("no answer, no checks")


@SAMPLES
def test_each_rule_asked_by_itself_comes_to_what_it_comes_to_among_all(sample: Sample):
    evaluation = answered(sample).evaluation
    chart = evaluation.chart
    snapshot = tools().knowledge.at(chart.now.date(), tools().jurisdiction)
    alone = [check for each in RULES for check in evaluate((each,), chart, snapshot).checks]
    for one, among in zip(alone, evaluation.checks, strict=True):
        assert Check(*one) == Check(*among), one.rule.id


@SAMPLES
def test_what_counts_for_cards_is_among_all_checks_and_nothing_else_counts(sample: Sample):
    evaluation = answered(sample).evaluation
    kinds = (Fired, NotEvaluated, NotApplicable)
    counting = {kind: [check for check, _ in evaluation.outcomes(kind)] for kind in kinds}
    for kind, found in counting.items():
        assert found == [check for check in evaluation.checks if isinstance(check.outcome, kind)]
    assert [check.rule for check in evaluation.checks] == sorted(
        (check.rule for check in evaluation.checks), key=RULES.index
    )
    assert {check.rule for check in evaluation.checks} == set(RULES)


@SAMPLES
def test_the_checks_that_are_idle_are_counted_without_being_made_and_tell_nothing(sample: Sample):
    evaluation = answered(sample).evaluation
    assert endings_of(Answer((), evaluation, *[None] * 4)) and "checks" not in vars(evaluation)
    idle = [check for check in evaluation.checks if check not in evaluation.telling]
    assert len(evaluation.telling) + len(idle) == evaluation.many == len(evaluation.checks)
    assert not [check for check in idle if type(check.outcome) is not NotApplicable or check.switch]


def test_a_plan_asks_the_rules_that_speak_of_a_drug_and_names_the_others():
    snapshot = tools().knowledge.at(tools().now().date(), "US")
    plan = Plan(RULES, snapshot)
    nobody, somebody = plan.asked(()), plan.asked(("gilteritinib", "no such drug"))
    for asked in (nobody, somebody):
        idle = [each.rule for group in asked.idle for each in group]
        assert {each.rule for each in asked.in_order} | set(idle) == set(RULES)
        assert len(asked.in_order) + len(idle) == len(RULES) and len(asked.urgent) == len(asked.in_order)
        assert [each.rule.worst for each in asked.urgent] == sorted((e.rule.worst for e in asked.urgent), reverse=True)
    more = {each.rule.id for each in somebody.in_order} - {each.rule.id for each in nobody.in_order}
    assert {"qtc-hold", "target"} <= more and "dose-ceiling" not in more
