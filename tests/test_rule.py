"""How rules run: what stands in the trace, the compartment of each, local values, the gap beside a doubtful danger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from cds_service.facts.drugs.medications import Role
from cds_service.facts.values.labs import MAGNESIUM, POTASSIUM
from cds_service.knowledge import topics
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Level
from cds_service.knowledge.snapshot import Snapshot
from cds_service.rules.once import once
from cds_service.rules.relapse.offers import safety, unseen_together
from cds_service.rules.rule import Case, Clear, Fired, NotEvaluated, Outcome, Rule, rule
from cds_service.rules.running import evaluate
from cds_service.rules.shared import Shared
from cds_service.rules.subjects import Use, distinct, the_patient, uses
from tests.overlays import written
from tests.vignette_runner import Vignette, read_vignette

POTASSIUM_38 = "values:\n  - {statement: policy-potassium-low, value: 3.8 mmol/L, reason: our cardiologists say so}\n"
GILTERITINIB = {"orders": [{"draft": "gilteritinib", "dose": "120 mg"}]}


@cache
def knowledge() -> Knowledge:
    return Knowledge.load()


def shipped() -> Snapshot:
    return knowledge().at(date(2026, 11, 20), "US")


def chart(**content: Any) -> Any:
    return read_vignette(Vignette("made", "made", {"facts": {}, **content}))


def made(function: Callable[[Case, Any], Outcome], **more: Any) -> Rule[Any]:
    """A rule of that function; about gilteritinib's use where `uses` is asked for."""

    def asked(case: Case, subject: Any) -> Outcome:
        """What is asked here.

        And more that is no title.
        """
        return function(case, subject)

    settings = {"subjects": the_patient, "sources": (), "worst": Level.CRITICAL} | more
    return rule("made", **settings)(asked)


def checks(function: Callable[[Case, Any], Outcome], snapshot: Snapshot | None = None, **more: Any) -> tuple[Any, ...]:
    facts = more.pop("facts", {})
    return evaluate((made(function, **more),), chart(facts=facts), snapshot or shipped()).checks


def test_the_title_is_the_first_line_of_the_docstring() -> None:
    assert made(lambda case, _: Clear()).title == "What is asked here"


def test_what_is_cited_stands_in_the_trace_once_and_what_is_not_there_does_not() -> None:
    def cites(case: Case, _: str) -> Outcome:
        assert case.cite(topics.QTC_HOLD_ABOVE, "gilteritinib") is case.cite(topics.QTC_HOLD_ABOVE, "gilteritinib")
        assert case.cite(topics.QTC_HOLD_ABOVE, "azacitidine") is None
        return Clear()

    (check,) = checks(cites)
    assert [each.id for each in check.cites] == ["gilteritinib-qtc-hold"]


def test_what_is_read_stands_in_the_trace_once_each_in_the_order_of_reading() -> None:
    def reads(case: Case, _: str) -> Outcome:
        assert case.fact(POTASSIUM) is case.fact(POTASSIUM)
        case.fact(MAGNESIUM)
        return Clear()

    (check,) = checks(reads)
    assert [each.key for each in check.reads] == [POTASSIUM, MAGNESIUM]


def test_an_effect_stands_in_the_trace_once_and_one_that_nobody_states_does_not() -> None:
    def looks(case: Case, _: str) -> Outcome:
        assert case.effect("posaconazole", "cyp3a") is case.effect("posaconazole", "cyp3a")
        assert case.effect("posaconazole", "acid") is None
        assert case.effect("no such drug", "cyp3a") is None
        return Clear()

    (check,) = checks(looks)
    assert [(each.about, each.value) for each in check.cites] == [("posaconazole", "strong inhibitor")]


def test_shared_work_that_leans_on_the_list_is_done_again_for_another_list_and_other_work_is_not() -> None:
    done: list[str] = []

    @once
    def drafted(case: Case) -> int:
        done.append("drafted")
        return len(case.orders(Role.DRAFT))

    @once
    def potassium(case: Case) -> bool:
        done.append("potassium")
        return case.fact(POTASSIUM).sure

    seen: list[int] = []

    def looks(case: Case, _: Any) -> Outcome:
        potassium(case)
        seen.append(drafted(case))
        return Clear()

    told, of_call = chart(), Shared()
    evaluate((made(looks),), told, shipped(), shared=of_call)
    safety("gilteritinib", (made(looks, subjects=uses(topics.USUAL_DOSE)),), told, shipped(), of_call)
    assert seen == [0, 1], "the draft that nobody wrote is on the second list"
    assert sorted(done) == ["drafted", "drafted", "potassium"]


def test_an_order_stands_once_and_two_that_read_alike_are_two() -> None:
    first, second = chart(orders=[{"active": "venetoclax"}]).medications.orders * 2, chart(**GILTERITINIB).medications
    alike = replace(second.orders[0])
    assert distinct((*first, *second.orders, alike, alike)) == (first[0], second.orders[0], alike)


def test_a_rule_that_raises_is_named_as_not_made_and_warns() -> None:
    def raises(case: Case, _: str) -> Outcome:
        raise ValueError("a fault")

    (check,) = checks(raises)
    assert check.outcome.level is Level.WARNING
    assert check.outcome.why == "the check 'What is asked here' failed in this service"


def test_a_check_that_the_time_of_the_call_did_not_reach_warns() -> None:
    rules = (made(lambda case, _: Clear()),)
    (check,) = evaluate(rules, chart(), shipped(), in_time=lambda: False).checks
    assert check.outcome.level is Level.WARNING


def lowered(case: Case, _: str) -> Outcome:
    """A danger in a doubtful value: one step lower than critical."""
    return case.fired(Level.WARNING, "x", because=(case.fact(POTASSIUM),))


DOUBTFUL = {"potassium": "2.4 mmol/L on 2026-11-19, preliminary"}


def test_a_doubtful_danger_before_a_dose_that_fell_below_its_gap_has_the_gap_beside_it() -> None:
    fired, gap = checks(lowered, facts=DOUBTFUL, before_dose=True, blind=Level.WARNING)
    assert fired.outcome.finding.level is Level.INFO
    assert isinstance(gap.outcome, NotEvaluated)
    assert [fact.key.name for fact in gap.outcome.missing] == ["potassium"]
    assert gap.outcome.why == ""


def test_a_gap_without_an_unsure_fact_says_the_doubts_of_the_orders() -> None:
    def doubtful(case: Case, _: str) -> Outcome:
        return case.fired(Level.WARNING, "x", because=(case.fact(POTASSIUM),), doubts=("an order is doubtful",))

    facts = {"potassium": "2.4 mmol/L on 2026-11-19"}
    _, gap = checks(doubtful, facts=facts, before_dose=True, blind=Level.WARNING)
    assert (gap.outcome.missing, gap.outcome.why) == ((), "an order is doubtful")


@pytest.mark.parametrize("more", [
    {"before_dose": False, "blind": Level.WARNING},  # its inputs are not required before the dose
    {"before_dose": True, "blind": Level.INFO},  # the finding is as loud as the gap would be
    {"before_dose": True, "blind": Level.WARNING, "facts": {"potassium": "2.4 mmol/L on 2026-11-19"}},  # no doubt
])  # fmt: skip
def test_else_it_stands_alone(more: dict[str, Any]) -> None:
    assert len(checks(lowered, **({"facts": DOUBTFUL} | more))) == 1


def test_a_small_finding_without_a_doubt_stands_alone() -> None:
    def small(case: Case, _: str) -> Outcome:
        return case.fired(Level.INFO, "x")

    assert len(checks(small, before_dose=True, blind=Level.WARNING)) == 1


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The knowledge with a hospital's own limit for potassium."""
    folder = written(tmp_path_factory.mktemp("overlay") / "own", values=POTASSIUM_38)
    return Knowledge.load(overlay=folder).at(date(2026, 11, 20), "US")


def below_limit(level: Level, shipped_level: Level | None) -> Callable[[Case, str], Outcome]:
    """A rule at `level` by the local limit and at `shipped_level` by the one of the service; None: clear there."""

    def asks(case: Case, _: str) -> Outcome:
        low = case.must(topics.POTASSIUM_LOW_BELOW, "policy")
        shown = level if low.local else shipped_level
        return Clear() if shown is None else case.fired(shown, "x", says=(low,))

    return asks


def finding(found: tuple[Any, ...]) -> Any:
    (check,) = found
    assert isinstance(check.outcome, Fired)
    return check.outcome.finding


def test_a_finding_by_a_local_value_is_no_weaker_than_without_it(local: Snapshot) -> None:
    found = finding(checks(below_limit(Level.INFO, Level.WARNING), local))
    assert found.level is Level.WARNING
    assert [each.local is None for each in found.says] == [False]
    assert [each.id for each in found.mentions] == ["policy-potassium-low"]
    assert [each.local for each in found.mentions] == [None]


@pytest.mark.parametrize("without", [Level.INFO, Level.WARNING, None])
def test_where_the_shipped_value_says_no_more_the_local_finding_stands_by_itself(
    local: Snapshot, without: Level | None
) -> None:
    found = finding(checks(below_limit(Level.WARNING, without), local))
    assert (found.level, found.mentions) == (Level.WARNING, ())


def test_what_both_say_is_mentioned_once(local: Snapshot) -> None:
    def asks(case: Case, _: str) -> Outcome:
        low, same = case.must(topics.POTASSIUM_LOW_BELOW, "policy"), case.must(topics.ORDERED_TWICE, "policy")
        return case.fired(Level.INFO if low.local else Level.WARNING, "x", says=(low, same))

    found = finding(checks(asks, local))
    assert [each.topic for each in (*found.says, *found.mentions)].count("ordered_twice") == 1


def test_without_a_local_value_the_rule_is_asked_once(local: Snapshot) -> None:
    asked = []

    def asks(case: Case, _: str) -> Outcome:
        asked.append(case.snapshot)
        return case.fired(Level.INFO, "x", says=(case.must(topics.ORDERED_TWICE, "policy"),))

    checks(asks, local)
    assert len(asked) == 1


def test_of_a_rule_that_did_not_fire_nothing_is_compared(local: Snapshot) -> None:
    (check,) = checks(lambda case, _: Clear("looked"), local)
    assert check.outcome == Clear("looked")


# --- what a check that could not be made means for an offer


def unseen(function: Callable[[Case, Any], Outcome], **more: Any) -> tuple[str, ...]:
    """What stands open where gilteritinib would be offered and this check is asked."""
    asked = {"subjects": uses(topics.USUAL_DOSE), "worst": Level.WARNING} | more
    return unseen_together([safety("gilteritinib", (made(function, **asked),), chart(), shipped())])


def gap(**more: Any) -> Callable[[Case, Use], Outcome]:
    return lambda case, use: replace(NotEvaluated((), "it was not seen", use.drafts), **more)


@pytest.mark.parametrize(("more", "open_"), [
    ({"blind": Level.WARNING}, True),
    ({"blind": Level.INFO}, False),
    ({"blind": Level.INFO, "before_dose": True}, True),
    ({"blind": Level.INFO, "worst": Level.CRITICAL}, True),
])  # fmt: skip
def test_a_gap_that_matters_leaves_an_offer_open(more: dict[str, Any], open_: bool) -> None:
    assert unseen(gap(), **more) == (("it was not seen",) if open_ else ())


@pytest.mark.parametrize(("level", "open_"), [(Level.WARNING, True), (Level.INFO, False)])
def test_how_much_a_gap_matters_here_comes_first(level: Level, open_: bool) -> None:
    assert bool(unseen(gap(level=level), worst=Level.CRITICAL)) is open_


def test_a_quiet_gap_leaves_nothing_open() -> None:
    assert unseen(gap(quiet=True), worst=Level.CRITICAL) == ()


def failing(case: Case, subject: Any) -> Outcome:
    raise ValueError("a fault")


def test_a_check_that_failed_about_the_drug_leaves_its_offer_open() -> None:
    (words,) = unseen(failing)
    assert words == "the check 'What is asked here' failed in this service"


def test_a_check_that_failed_before_it_knew_its_drugs_leaves_every_offer_open() -> None:
    def nobody(case: Case) -> Any:
        raise ValueError("a fault")

    assert len(unseen(failing, subjects=nobody)) == 1


def test_a_check_that_failed_about_another_drug_leaves_this_offer_alone() -> None:
    def other(case: Case) -> Any:
        from cds_service.rules.rule import Subjects

        return Subjects(("posaconazole (active)",))

    assert unseen(failing, subjects=other) == ()


def test_a_gap_about_another_order_leaves_this_offer_alone() -> None:
    def elsewhere(case: Case, use: Use) -> Outcome:
        taken = chart(orders=[{"active": "venetoclax", "dose": "100 mg"}]).medications.orders
        return NotEvaluated((), "it was not seen", taken, Level.WARNING)

    assert unseen(elsewhere) == ()


def test_a_gap_about_nobody_that_is_no_failure_leaves_no_offer_open() -> None:
    def of_all(case: Case) -> Any:
        from cds_service.rules.rule import Subjects

        return Subjects(("all of them",))

    assert unseen(lambda case, _: NotEvaluated((), "it was not seen"), subjects=of_all, worst=Level.CRITICAL) == ()
