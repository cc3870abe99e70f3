"""Running: what checks share changes none of them, and what is told later is told whole."""

from __future__ import annotations

import json

import pytest

from cds_service.answer import Answer, answer
from cds_service.errors import RequestError
from cds_service.facts.chart import Chart
from cds_service.hooks.services import Moment
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.knowledge.snapshot import Snapshot
from cds_service.present.relevance import Relevance
from cds_service.rules import running, subjects
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Case, Check, Clear, Fired, NotApplicable, NotEvaluated, NoTimeLeft, Outcome, rule
from cds_service.rules.running import Plan, evaluate
from cds_service.rules.subjects import Use, Uses, the_patient, uses
from cds_service.store.endings import endings_of
from tests import charts
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
    assert evaluation.many == len(evaluation.checks), "somebody looked at all"
    idle = [check for check in evaluation.checks if check not in evaluation.telling]
    assert all(type(check.outcome) is NotApplicable for check in idle)


def nobody() -> tuple[Chart, Snapshot]:
    """A patient of whom nothing is on record, and the knowledge of that day."""
    return charts.chart(), tools().knowledge.at(charts.NOW.date(), "US")


@SAMPLES
def test_what_is_told_at_viewing_alone_is_about_no_order_and_gives_no_card_beside_one(sample: Sample):
    made = answered(sample)
    told = [check.outcome for check in made.evaluation.checks if check.rule.viewing]
    for outcome in told:
        if isinstance(outcome, Fired):
            assert not outcome.finding.about and outcome.finding.drug != "scope"
        if isinstance(outcome, NotEvaluated):
            assert not outcome.about and outcome.level is None
    snapshot = tools().knowledge.at(made.evaluation.chart.now.date(), tools().jurisdiction)
    for moment in (Moment.SIGN, Moment.SELECT):
        shown = Relevance(made.evaluation, snapshot, moment)
        assert not any(shown.shows(outcome.finding) for outcome in told if isinstance(outcome, Fired))
        blind = [check for check, gap in made.evaluation.outcomes(NotEvaluated) if shown.counts(check, gap)]
        assert not any(check.rule.viewing for check in blind)


def test_what_is_told_at_viewing_alone_is_not_asked_beside_an_order_until_somebody_looks():
    asked: list[str] = []

    @rule("told-at-viewing", subjects=the_patient, sources=(), worst=Level.INFO, viewing=True)
    def viewed(case: Case, patient: str) -> Outcome:
        """What is told at viewing alone."""
        asked.append(patient)
        return NotEvaluated(why="asked")

    evaluation = evaluate((viewed,), *nobody())
    assert not evaluation.of_orders(NotEvaluated) and not asked
    assert [gap.why for _, gap in evaluation.outcomes(NotEvaluated)] == ["asked"] == [
        check.outcome.why for check in evaluation.checks
    ]
    assert asked == ["patient"], "asked once"
    late = evaluate((viewed,), *nobody(), in_time=lambda: False)
    assert late.checks[0].word == "not evaluated" and not isinstance(late.checks[0].outcome, NoTimeLeft)
    shown = evaluate((viewed,), *nobody(), in_time=lambda: False)
    assert isinstance(shown.outcomes(NotEvaluated)[0][1], NoTimeLeft), "cards are told within the time"


@SAMPLES
def test_the_checks_that_are_idle_are_counted_without_being_made_and_tell_nothing(sample: Sample):
    evaluation = answered(sample).evaluation
    assert endings_of(Answer((), evaluation, *[None] * 4)) and "checks" not in vars(evaluation)
    told, many = evaluation.telling, evaluation.many
    viewing = "patient-view" in sample.service
    assert viewing == any(check.rule.viewing for check in told), "beside an order nobody asks what is told at viewing"
    assert many == len(evaluation.checks) if viewing else many < len(evaluation.checks)
    untold = [check for check in evaluation.checks if check not in told and (viewing or not check.rule.viewing)]
    assert not [check for check in untold if type(check.outcome) is not NotApplicable or check.switch]


def test_a_plan_asks_the_rules_that_speak_of_a_drug_and_names_the_others():
    snapshot = tools().knowledge.at(tools().now().date(), "US")
    plan = Plan(RULES, snapshot)
    nobody, somebody = plan.asked(()), plan.asked(("gilteritinib", "no such drug"))
    for asked in (nobody, somebody):
        idle = [each.rule for group in asked.idle for each in group]
        assert {each.rule for each in asked.in_order} | set(idle) == set(RULES)
        assert len(asked.in_order) + len(idle) == len(RULES)
        assert {*asked.urgent, *asked.viewing} == {*asked.in_order} and not {*asked.urgent} & {*asked.viewing}
        for some in (asked.urgent, asked.viewing):
            assert [each.rule.worst for each in some] == sorted((each.rule.worst for each in some), reverse=True)
    more = {each.rule.id for each in somebody.in_order} - {each.rule.id for each in nobody.in_order}
    assert {"qtc-hold", "target"} <= more and "dose-ceiling" not in more


def test_a_plan_keeps_no_more_than_so_many_combinations_of_drugs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "_MOST_PLANS", 2)
    plan = Plan(RULES, tools().knowledge.at(tools().now().date(), "US"))
    for drugs, kept in (((), 1), (("gilteritinib",), 2), (("gilteritinib",), 2), (("venetoclax",), 1)):
        plan.asked(drugs)
        assert len(plan._asked) == kept


@rule("first", subjects=uses(topics.USUAL_DOSE), sources=(), worst=Level.WARNING)
def first(case: Case, use: Use) -> Outcome:
    """The first of those that have nobody."""
    return Clear()


@rule("second", subjects=uses(topics.COMBINED_INDUCER), sources=(), worst=Level.WARNING)
def second(case: Case, use: Use) -> Outcome:
    """The second of them."""
    return Clear()


def test_of_the_checks_that_have_nobody_each_that_time_does_not_reach_is_named():
    late = evaluate((first, second), *nobody(), in_time=lambda: False)
    assert all(isinstance(check.outcome, NoTimeLeft) for check in late.checks)
    assert [check.outcome.why.split("'")[1] for check in late.checks] == [first.title, second.title]


def test_of_the_checks_that_have_nobody_each_that_fails_is_named(monkeypatch: pytest.MonkeyPatch):
    def broken(case: Case, why: str):
        raise ValueError(why)

    monkeypatch.setattr(subjects, "_none", broken)
    failed = evaluate((first, second), *nobody()).checks
    assert [check.outcome.why.split("'")[1] for check in failed] == [first.title, second.title]
    assert all(check.outcome.broke for check in failed)


@SAMPLES
def test_uses_alone_are_those_that_the_rule_is_asked_about(sample: Sample):
    chart = answered(sample).evaluation.chart
    snapshot = tools().knowledge.at(chart.now.date(), tools().jurisdiction)
    case = Case(chart, snapshot)
    for looked_for in (each.subjects for each in RULES if isinstance(each.subjects, Uses)):
        assert looked_for.alone(case, snapshot.spoken_of(looked_for.names)) == looked_for(case).found
