"""Running: how rules are asked, each by itself.

Each subject of each rule runs in a compartment of its own: a rule that raises is named as not made, and the others go
on. Those that may be critical run first; what the time of the call does not reach any more is named too. A rule of
whose topics nothing is said of any drug on the list has nobody to be asked about, and that is told without asking it.
A rule about no order is asked once somebody looks at what it comes to: beside an order nothing of it is told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import Role
from cds_service.knowledge.model import Level
from cds_service.knowledge.overlay import Switch
from cds_service.knowledge.snapshot import Snapshot
from cds_service.rules.rule import (
    Case,
    Check,
    Evaluation,
    Fired,
    NotApplicable,
    NotEvaluated,
    NoTimeLeft,
    Outcome,
    Rule,
    Subjects,
    SwitchedOff,
    a_check,
)
from cds_service.rules.shared import DRUGS, Facts, Shared
from cds_service.rules.subjects import Uses

S = TypeVar("S")
log = logging.getLogger("aml_cds.rules")
InTime = Callable[[], object]  # something true while there is time
_MOST_PLANS = 500  # combinations of drugs, of one knowledge, for which is kept which rules are asked
_ROLES = tuple(Role)


def _always() -> bool:
    return True


class Planned(NamedTuple):
    """A rule with its place. `roles`: those that it looks for, in words: all that find nobody in them end alike.

    `spoken_of`: the drugs that its topics speak of; None where it looks for something else than uses of such drugs.
    """

    place: int
    rule: Rule[Any]
    roles: str
    spoken_of: frozenset[str] | None = None


class Asked(NamedTuple):
    """The rules of a plan that are asked, in reading order and the most urgent first; and those that have nobody.

    `viewing`: those that are told only where the patient is viewed, and are not among the urgent ones; `idle`: by the
    roles that they look for, as they all end alike.
    """

    in_order: tuple[Planned, ...]
    urgent: tuple[Planned, ...]
    viewing: tuple[Planned, ...]
    idle: tuple[tuple[Planned, ...], ...]


class Plan:
    """Which rules speak of which drugs, by this knowledge and this hospital. Nothing of a patient is in it."""

    def __init__(self, rules: tuple[Rule[Any], ...], snapshot: Snapshot) -> None:
        self._rules: list[Planned] = []
        self._always = 0  # the places, as bits, of the rules that may be about any drug or about none
        self._of: dict[str, int] = {}  # those of the rules that something is said of this drug for
        self._asked: dict[int, Asked] = {}
        for place, each in enumerate(rules):
            names = getattr(each.subjects, "names", None)
            spoken_of = None if names is None else snapshot.spoken_of(names)
            of_uses = spoken_of if isinstance(each.subjects, Uses) else None
            self._rules.append(Planned(place, each, getattr(each.subjects, "in_words", ""), of_uses))
            if spoken_of is None or each.id in snapshot.switches:
                self._always |= 1 << place
                continue
            for drug in spoken_of:
                self._of[drug] = self._of.get(drug, 0) | 1 << place

    def asked(self, drugs: Iterable[str]) -> Asked:
        """What is asked where these drugs are on the list."""
        places, of = self._always, self._of
        for drug in drugs:
            if drug in of:
                places |= of[drug]
        found = self._asked.get(places)
        if found is None:
            if len(self._asked) >= _MOST_PLANS:
                self._asked.clear()
            found = self._asked[places] = self._told(places)
        return found

    def _told(self, places: int) -> Asked:
        asked = tuple(each for each in self._rules if places >> each.place & 1)
        idle: dict[str, list[Planned]] = {}
        for each in self._rules:
            if not places >> each.place & 1:
                idle.setdefault(each.roles, []).append(each)
        urgent = sorted(asked, key=lambda each: -each.rule.worst)
        of_orders, viewing = ([each for each in urgent if each.rule.viewing is told] for told in (False, True))
        return Asked(asked, tuple(of_orders), tuple(viewing), tuple(map(tuple, idle.values())))


Made = dict[int, list[Check]]  # the checks of each rule, by its place
Rest = tuple[tuple[Planned, ...], Check]  # rules that are not applicable, as the first of them is


def _plan(rules: tuple[Rule[Any], ...], snapshot: Snapshot) -> Plan:
    """The plan of these rules; made once for this knowledge."""
    kept: Plan | None = snapshot.kept.get((Plan, rules))
    if kept is None:
        kept = snapshot.kept[Plan, rules] = Plan(rules, snapshot)
    return kept


def evaluate(
    rules: Iterable[Rule[Any]],
    chart: Chart,
    snapshot: Snapshot,
    in_time: InTime = _always,
    shared: Shared | None = None,
) -> Evaluation:
    """Run each rule by itself on each of its subjects, as far as the hospital and the time of the call let it.

    What may be critical is asked first; what is told only at viewing is asked when somebody looks at it. The checks
    stand in the order of `rules`, in whichever order they were made.
    `shared`: what was worked out for this chart already.
    """
    in_order = tuple(rules)
    of_call = Shared(facts=Facts(chart.facts)) if shared is None else shared
    asked = _plan(in_order, snapshot).asked(_listed(chart, of_call))
    run = partial(_checks_of, chart=chart, snapshot=snapshot, shared=of_call)
    made, rest = _idle(asked.idle, run, in_time)
    made |= run(asked.urgent, in_time=in_time)
    seen: list[Made] = []  # what is told at viewing, once it is made

    def with_viewed(*, hurried: bool) -> Made:
        if not seen:
            seen.append(run(asked.viewing, in_time=in_time if hurried else _always))
        return made | seen[0]

    def viewed() -> tuple[Check, ...]:
        return _in_order(with_viewed(hurried=True))

    def every() -> tuple[Check, ...]:
        all_of = with_viewed(hurried=False)
        for others, check in rest:
            all_of |= _as(check, others)
        return _in_order(all_of)

    return Evaluation(_in_order(made), chart, viewed, every, idle=sum([len(others) for others, _ in rest]))


def _idle(idle: Iterable[tuple[Planned, ...]], run: Callable[..., Made], in_time: InTime) -> tuple[Made, list[Rest]]:
    """The first of those that look for the same roles, in vain; the others too where they may end in another way."""
    made: Made = {}
    rest: list[Rest] = []
    for first, *others in idle:
        made |= run((first,), in_time=in_time)
        (check,) = made[first.place]
        if type(check.outcome) is NotApplicable:
            rest.append((tuple(others), check))
        elif type(check.outcome) is NotEvaluated and not check.outcome.broke:
            made |= _as(check, others)
        else:
            made |= run(others, in_time=in_time)
    return made, rest


def _checks_of(
    planned: Iterable[Planned], *, chart: Chart, snapshot: Snapshot, shared: Shared, in_time: InTime
) -> Made:
    """The checks of these rules, as the hospital switched them."""
    made: Made = {}
    case, switches = Case(chart, snapshot, {}, shared), snapshot.switches
    for place, rule, _, _ in planned:
        if rule.id in switches:
            made[place] = _as_switched(rule, switches[rule.id], case, in_time)
        else:
            made[place] = _run(rule, case, in_time)
    return made


def _as(first: Check, others: Iterable[Planned]) -> Made:
    """The checks of these rules, ended as the first one is that looked for the same roles."""
    end = first[2:]
    return {place: [a_check((rule, "", *end))] for place, rule, _, _ in others}


def _in_order(made: Made) -> tuple[Check, ...]:
    return tuple([check for place in sorted(made) for check in made[place]])


class Ending(NamedTuple):
    """What a rule came to about a subject, without a trace."""

    rule: Rule[Any]
    subject: object
    outcome: Fired | NotEvaluated


def endings(rules: tuple[Rule[Any], ...], chart: Chart, snapshot: Snapshot, shared: Shared) -> list[Ending]:
    """What fires and what could not be made, for a check that asks others and traces none of them.

    In the order of `rules`, however the hospital switched them.
    """
    case = Case(chart, snapshot, {}, shared)
    found: list[Ending] = []
    for _, each, _, spoken_of in _plan(rules, snapshot).asked(_listed(chart, shared)).in_order:
        try:
            looked_for: Any = each.subjects
            subjects = looked_for(case).found if spoken_of is None else looked_for.alone(case, spoken_of)
        except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
            found.append(Ending(each, "", _broken(each, fault)))
            continue
        for subject in subjects:
            outcome = _outcome(each, subject, case)
            if type(outcome) is Fired:
                found.append(Ending(each, subject, outcome))
                found += [Ending(each, subject, gap) for gap in _gap_beside(each, outcome)]
            elif isinstance(outcome, NotEvaluated):
                found.append(Ending(each, subject, outcome))
    return found


def _listed(chart: Chart, shared: Shared) -> frozenset[str]:
    """The drugs on the list, whatever their role."""
    drugs: frozenset[str] | None = shared.listed.get(DRUGS)
    if drugs is None:
        drugs = shared.listed[DRUGS] = frozenset(chart.medications.drugs(*_ROLES))
    return drugs


def _as_switched(each: Rule[Any], switch: Switch, case: Case, in_time: InTime) -> list[Check]:
    if switch.off:
        return [_switched_off(each, switch, case.chart, case.snapshot)]
    return _in_shadow(each, switch, case, in_time)


def _switched_off(each: Rule[Any], switch: Switch, chart: Chart, snapshot: Snapshot) -> Check:
    """The check is not made; for whom it would have been made is kept, so that a card can say so."""
    asking = Case(chart, snapshot)
    try:
        subjects = each.subjects(asking).found
    except Exception as fault:  # noqa: BLE001 - the compartment: it is switched off in any case
        log.error("subjects of rule %s failed: %s", each.id, type(fault).__name__)
        subjects = ()
    about = tuple(dict.fromkeys(order for subject in subjects for order in getattr(subject, "orders", ())))
    return _check(each, "", SwitchedOff(switch.words, about, switch), asking)


def _in_shadow(each: Rule[Any], switch: Switch, case: Case, in_time: InTime) -> list[Check]:
    """The check is made, traced and counted, and shows no card."""
    checks = [check._replace(shadow=switch) for check in _run(each, case, in_time)]
    for check in checks:
        if isinstance(check.outcome, (Fired, NotEvaluated)):
            log.info("rule %s in shadow: %s", each.id, check.word)
    return checks


def _run(each: Rule[Any], case: Case, in_time: InTime) -> list[Check]:
    """The checks of one rule. The case goes from rule to rule; what is read and cited is written down for each anew."""
    case.reads, case.cites = {}, {}
    if not in_time():
        return [_check(each, "", _too_late(each), case)]
    try:
        subjects = each.subjects(case)
    except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
        return [_check(each, "", _broken(each, fault), case)]
    found = subjects.found
    if len(found) == 1:
        case.cites = {}  # what was cited to find the subject is no part of its check
        return _about(each, found[0], case)
    if not found:
        return [_check(each, "", _nobody(subjects, case), case)]
    made: list[Check] = []
    for subject in found:
        own = Case(case.chart, case.snapshot, case.reads.copy(), case.shared)
        made += _about(each, subject, own) if in_time() else [_check(each, str(subject), _too_late(each), own)]
    return made


def _nobody(subjects: Subjects[Any], asking: Case) -> Outcome:
    """The outcome where there is nobody to ask about, or where that cannot be told."""
    if subjects.unknown:
        return NotEvaluated(tuple([fact for fact in asking.reads.values() if not fact.sure]), subjects.unknown)
    return NotApplicable(subjects.none)


def _about(each: Rule[S], subject: S, case: Case) -> list[Check]:
    """The check of one subject, and the gap beside it, if any."""
    outcome = _outcome(each, subject, case)
    check = _check(each, str(subject), outcome, case)
    if type(outcome) is Fired:
        return [check, *[check._replace(outcome=gap) for gap in _gap_beside(each, outcome)]]
    return [check]


def _outcome(each: Rule[S], subject: S, case: Case) -> Outcome:
    """What the rule comes to about one subject."""
    try:
        outcome = each.function(case, subject)
    except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
        return _broken(each, fault)
    if type(outcome) is Fired:
        if case.snapshot.shipped is not None:
            return _no_weaker(each, subject, outcome, case.chart, case.snapshot.shipped)
    elif isinstance(outcome, NotEvaluated) and not outcome.about:
        about = getattr(subject, "orders", ())
        return NotEvaluated(outcome.missing, outcome.why, about, outcome.level, outcome.quiet, outcome.broke)
    return outcome


def _check(each: Rule[Any], subject: str, outcome: Outcome, case: Case) -> Check:
    """The check with what the case handed out for it."""
    return a_check((each, subject, outcome, tuple(case.reads.values()), tuple(case.cites.values()), None))


def _no_weaker(each: Rule[S], subject: S, outcome: Fired, chart: Chart, shipped: Snapshot) -> Fired:
    """A local value warns at most; where the shipped knowledge fires more urgently, the finding stays as urgent."""
    finding = outcome.finding
    if not any(statement.local for statement in finding.says):
        return outcome
    try:
        without = each.function(Case(chart, shipped), subject)
    except Exception as fault:  # noqa: BLE001 - the compartment: the local finding stands by itself
        log.error("rule %s without the overlay failed: %s", each.id, type(fault).__name__)
        return outcome
    if not isinstance(without, Fired) or without.finding.level <= finding.level:
        return outcome
    stop = without.finding
    mentions = (*finding.mentions, *(each for each in stop.says if each not in finding.says))
    return Fired(replace(finding, level=stop.level, lowered=stop.lowered, mentions=mentions))


def _gap_beside(each: Rule[Any], outcome: Fired) -> tuple[NotEvaluated, ...]:
    """A doubtful danger before a dose that fell below its own gap: the gap is said beside it."""
    if not each.before_dose or not outcome.finding.lowered:
        return ()
    if outcome.finding.level >= each.blind:
        return ()
    unsure = tuple(fact for fact in outcome.finding.because if not fact.sure)
    return (NotEvaluated(unsure, "" if unsure else "; ".join(outcome.finding.doubts), outcome.finding.about),)


def _too_late(each: Rule[Any]) -> NoTimeLeft:
    return NoTimeLeft((), f"no time left for the check '{each.title}'", level=min(each.worst, Level.WARNING))


def _broken(each: Rule[Any], fault: Exception) -> NotEvaluated:
    log.error("rule %s failed: %s", each.id, type(fault).__name__, exc_info=None)
    return NotEvaluated((), f"the check '{each.title}' failed in this service", level=Level.WARNING, broke=True)


