"""Blood counts and chemistry: before the start, and due or overdue on treatment; what else to arrange at the start.

A schedule is counted from the newest result, or from the start where there is none since. Which results belong to one
panel is how laboratories report them; how often each is due stands with the drug.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, assert_never

from cds_service.facts.fact import Fact, Key, State
from cds_service.facts.times import When
from cds_service.facts.values.labs import (
    ALT,
    AST,
    BILIRUBIN,
    CREATININE,
    HAEMOGLOBIN,
    PLATELETS,
    POTASSIUM,
    WBC,
)
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Step
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.standing import has_died, in_relapse, not_for_aml
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import WARNED, days, not_taken, possible, start_level, started
from cds_service.truth import Truth, any_of

PANELS: dict[str, tuple[Key[Quantity], ...]] = {
    "blood count": (WBC, PLATELETS, HAEMOGLOBIN),
    "kidney and electrolytes": (CREATININE, POTASSIUM),
    "liver": (ALT, AST, BILIRUBIN),
}
_TESTS = {"cbc": "a blood count"}  # how one order for several values is spoken
LATER = "later"  # the steps of a schedule that are less well verified than its first ones


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel on one day: its newest result, when the next is due, and how it stands."""

    name: str
    newest: Fact[Quantity]
    last: str
    due: date
    step: Step
    says: Statement[tuple[Step, ...]]


@rule("lab-schedule", subjects=uses(topics.LAB_SCHEDULE), sources=("SAF10", "SAF37", "SAF44"), worst=Level.WARNING)
def lab_schedule(case: Case, use: Use) -> Outcome:
    """Blood counts and chemistry due on treatment.

    It is asked of a drug for which a source, or a default of this service, sets a schedule, while it is taken. A panel
    that is due is a line with an order to accept; one overdue beyond the tolerance of the policy is a warning. Days
    count from the newest result, or from the start where there is none since.

    An unknown day of the start, and results that could not be had, are named as a gap. It is silent on hold, after a
    death, after the end of the schedule, and where another disease than AML is the reason. It asks whether a panel was
    measured, never what the values say.
    """
    if not use.taken:
        return not_taken(case, use)
    if why := has_died(case) or not_for_aml(case):
        return NotApplicable(why)
    start = started(case, use)
    if start is None:
        return case.blind(
            case.fact(WBC), why=f"the day {use.drug} was started is not known, so no laboratory day can be counted"
        )
    tolerance = days(case.must(topics.LAB_TOLERANCE, "policy").value)
    today = case.now.date()
    panels, unknown = _panels(case, use, start)
    due = tuple(panel for panel in panels if panel.due <= today)
    overdue = tuple(panel for panel in due if panel.due + tolerance < today)
    if due:
        shown = overdue or due
        return case.fired(
            Level.WARNING if overdue else Level.INFO,
            "labs_due",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            because=tuple(panel.newest for panel in shown if panel.newest.usable),
            says=tuple(dict.fromkeys(panel.says for panel in shown)),
            propose=_tests_of(shown),
            line=not overdue,
            overdue=bool(overdue),
            panels=shown,
            unknown=tuple(fact.key.label for fact in unknown),
            started=start,
        )
    if unknown:
        return case.blind(*unknown, why=f"whether the laboratory checks on {use.drug} were done is not known")
    if not panels:
        return NotApplicable("the schedule of the sources has ended")
    return Clear(f"next due on {min(panel.due for panel in panels)}")


def _tests_of(panels: tuple[Panel, ...]) -> tuple[Proposal, ...]:
    """The orders that would bring the values of these panels, each once."""
    tests = {key.order: _TESTS.get(key.order, key.label) for panel in panels for key in PANELS[panel.name]}
    return tuple(Proposal("order", f"Order {words}", order=test) for test, words in tests.items())


def _panels(case: Case, use: Use, start: When) -> tuple[tuple[Panel, ...], tuple[Fact[Quantity], ...]]:
    """How each panel stands, and the results of which nobody can tell whether they exist."""
    found: list[Panel] = []
    unknown: list[Fact[Quantity]] = []
    for name, keys in PANELS.items():
        facts = tuple(case.fact(key) for key in keys)
        dated = [fact for fact in facts if fact.usable and fact.when is not None]
        if not dated and any(fact.state is not State.ABSENT for fact in facts):
            unknown += [fact for fact in facts if fact.state is not State.ABSENT]
            continue
        newest = max(dated, key=_taken, default=facts[0])
        panels = (_panel(case, use, name, newest, each) for each in possible(start))
        panel = min((each for each in panels if each is not None), key=lambda each: each.due, default=None)
        found += [panel] if panel is not None else []
    return tuple(found), tuple(unknown)


def _panel(case: Case, use: Use, name: str, newest: Fact[Quantity], start: When) -> Panel | None:
    """The panel, unless the schedule is silent about it by now."""
    day_one = start.earliest.date()
    since = max(_taken(newest), day_one)
    for said in (
        case.cite(topics.LAB_SCHEDULE, use.drug, name) or case.cite(topics.LAB_SCHEDULE, use.drug),
        case.cite(topics.LAB_SCHEDULE, use.drug, LATER),
    ):
        now = None if said is None else _step(said.value, (case.now.date() - day_one).days)
        if said is None or now is None:
            continue
        step = _step(said.value, (since - day_one).days) or now
        last = f"newest {newest.when}" if newest.when is not None else "none found"
        return Panel(name, newest, last, since + timedelta(days=int(step.every.value)), step, said)
    return None


def _step(steps: tuple[Step, ...], day: int) -> Step | None:
    return next((step for step in steps if step.until is None or day <= step.until.value), None)


def _taken(fact: Fact[Any]) -> date:
    return fact.when.latest.date() if fact.when is not None else date.min


@rule("count-at-start", subjects=uses(topics.MYELOSUPPRESSION), sources=("SAF37",), worst=Level.INFO)
def blood_count_at_start(case: Case, use: Use) -> Outcome:
    """A blood count before the first dose of a drug that lowers the counts.

    It is asked when a drug is started whose source says that it lowers the blood counts. Without white cells or
    platelets of the last days, as the policy counts them, a line of information proposes a blood count.

    Where the label limits the white cells before the start, the check of these asks for them, and this one for the
    platelets alone. A count that could not be had or read is named as a gap. How low the counts are is not judged.
    """
    if not use.is_new:
        return NotApplicable("not a first dose")
    window = case.must(topics.COUNT_WINDOW_AT_START, "policy")
    limited = case.cite(topics.WBC_START_BELOW, use.drug) is not None
    counts = tuple(case.fact(key, window.value) for key in ((PLATELETS,) if limited else (WBC, PLATELETS)))
    marrow = case.must(topics.MYELOSUPPRESSION, use.drug)
    match any_of(_missing(fact) for fact in counts):
        case Truth.YES:
            return case.fired(
                Level.INFO,
                "count_at_start",
                about=use.drafts,
                drug=use.drug,
                says=(marrow,),
                mentions=(window,),
                propose=(Proposal("order", "Order a blood count", order="cbc"),),
                line=True,
                counts=counts,
                marrow=marrow,
                window=window,
            )
        case Truth.NO:
            return Clear("a blood count of the last days is on record")
        case Truth.UNKNOWN:
            return case.blind(*counts, about=use.drafts)
        case other:
            assert_never(other)


def _missing(fact: Fact[Quantity]) -> Truth:
    """Whether no count was made; a count that could not be had or read may have been."""
    if fact.state in (State.ABSENT, State.STALE):
        return Truth.YES
    return Truth.NO if fact.sure else Truth.UNKNOWN


_TIME_TO_RESPONSE = "time to response"  # the qualifier of what the label says for its own use


def _off_label_in_relapse(case: Case, use: Use) -> bool:
    """Whether relapsed or refractory AML is on record, for which the drug has no approval."""
    return case.cite(topics.OFF_LABEL, use.drug) is not None and in_relapse(case) is Truth.YES


@rule(
    "start-advice",
    subjects=uses(topics.START_ADVICE),
    sources=(
        "SAF16",
        "SAF22",
        "SAF23c",
        "SAF30",
        "SAF26",
        "SAF27",
        "SAF28",
        "SAF29",
        "SAF33",
        "SAF34",
        "E15",
        "E35",
        "E38",
        "E39",
        "E40",
        "E41",
    ),
    worst=Level.WARNING,
)
def start_advice(case: Case, use: Use) -> Outcome:
    """What the sources ask to arrange or to watch when the drug is started.

    It is asked when a drug is started for which the sources name something to arrange or to watch, and is a line of
    information: premedication, schedule, signs, blood products, toxicity. Where the sources warn of every start of the
    drug, it is a warning. What holds in one country only is told there.

    An amount that a trial gave of the salt, where the label counts the base, is told with what it is of the label.

    How long a response may take is told for the use of the label: where the drug is not approved in relapse and the
    AML has relapsed or is refractory, that is left out.

    It weighs no value of the patient, and is not repeated for treatment that goes on. Other checks speak once a sign
    is recorded or a value is out of its limits.
    """
    if not use.is_new:
        return NotApplicable("not a start")
    advice = tuple(
        case.must(topics.START_ADVICE, use.drug, each)
        for each in case.snapshot.qualifiers(topics.START_ADVICE, use.drug)
        if each != _TIME_TO_RESPONSE or not _off_label_in_relapse(case, use)
    )
    warned = case.cite(topics.START_ADVICE, use.drug, WARNED)
    level = start_level(warned)
    advice += _of_the_salt(case, use)
    return case.fired(
        level, "start_advice", about=use.drafts, drug=use.drug, says=advice, line=level is Level.INFO, advice=advice
    )


def _of_the_salt(case: Case, use: Use) -> tuple[Statement[str], ...]:
    """What an amount means that a trial gave of the salt; of one above the labelled dose the card on that says so."""
    amounts = case.cite(topics.SALT_AMOUNTS, use.drug)
    if amounts is None or not any(order.dose.daily in amounts.value for order in use.drafts):
        return ()
    return (case.must(topics.SALT_DOSES, use.drug),)
