"""What a rule is, and how rules run.

A rule is one pure function of a `Case` and one subject (an order, a pair of orders, or the patient). It reads only
through the case: `case.fact(KEY)` and `case.cite(TOPIC, about)`, which write the trace. It ends in one of four
outcomes: fired, clear, not evaluated, not applicable. Each subject of each rule runs in a compartment of its own: a
rule that raises is named as not made, and the others go on. Those that may be critical run first; what the time of the
call does not reach any more is named too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, TypeVar

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.fact import Fact, Key
from cds_service.knowledge.load import Snapshot
from cds_service.knowledge.model import Level, Statement, Topic, Verification
from cds_service.knowledge.overlay import Switch
from cds_service.quantity import Quantity
from cds_service.rules.shared import DRUGS, Shared

T = TypeVar("T")
S = TypeVar("S")
log = logging.getLogger("aml_cds.rules")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something the clinician may accept in one click. What becomes of it in FHIR is for `present` to say."""

    kind: str  # "order", "dose", "delete"
    label: str
    order: str = ""  # for "order": the key of terminology/orders.csv
    medication: Medication | None = None
    drug: str = ""
    daily: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say: how urgent, about which orders, because of which facts, on whose word."""

    level: Level
    card: str
    about: tuple[Medication, ...]
    drug: str
    because: tuple[Fact[Any], ...]
    says: tuple[Statement[Any], ...]
    doubts: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    values: Mapping[str, object]
    mentions: tuple[Statement[Any], ...] = ()  # also cited on the card, without deciding its level
    waits: bool = False  # until this is settled the drug is not started, so counselling for the start can wait
    lowered: bool = False  # one step lower than it would be, because of the doubts
    holds: bool = False  # a stop, however urgently it is told: here its source holds it, forbids it or does not start
    line: bool = False  # small enough to stand as a line in another card about the same drug


@dataclass(frozen=True, slots=True)
class Fired:
    """The check found something."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Clear:
    """The check looked, with these facts, and found nothing."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """The check could not be made, because of these facts or for this reason."""

    missing: tuple[Fact[Any], ...] = ()
    why: str = ""
    about: tuple[Medication, ...] = ()
    level: Level | None = None  # how much it matters here, when not as the rule says
    quiet: bool = False  # no source asks for what is missing: it stands in the trace, not on the gap card
    broke: bool = False  # the check failed in this service


@dataclass(frozen=True, slots=True)
class NoTimeLeft(NotEvaluated):
    """The time of the call was over before the check was made."""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """There is nothing here that the check is about."""

    why: str


@dataclass(frozen=True, slots=True)
class SwitchedOff(NotApplicable):
    """The hospital switched the check off. `about`: the orders for which it would have been made."""

    about: tuple[Medication, ...] = ()
    switch: Switch | None = None


Outcome = Fired | Clear | NotEvaluated | NotApplicable


@dataclass(frozen=True, slots=True, eq=False)
class Rule(Generic[S]):
    """One check: its id, its title (first line of the docstring), its subjects, and how much it matters when blind."""

    id: str
    title: str
    function: Callable[[Case, S], Outcome]
    subjects: Callable[[Case], Subjects[S]]
    sources: tuple[str, ...]
    worst: Level
    blind: Level
    before_dose: bool
    pairs: bool


class Subjects(NamedTuple, Generic[S]):
    """What a rule is to be asked about in this case, or why that cannot be told."""

    found: tuple[S, ...]
    unknown: str = ""
    none: str = ""


def rule(
    id: str,  # noqa: A002 - the field's own name
    *,
    subjects: Callable[[Case], Subjects[S]],
    sources: Iterable[str],
    worst: Level,
    blind: Level = Level.INFO,
    before_dose: bool = False,
    pairs: bool = False,
) -> Callable[[Callable[[Case, S], Outcome]], Rule[S]]:
    """Make a Rule of a function. `worst`: the most urgent it may be; `blind`: how much it matters when not evaluated.

    `before_dose`: its inputs are required before the first dose; `pairs`: it is about two drugs together.
    """

    def make(function: Callable[[Case, S], Outcome]) -> Rule[S]:
        title = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
        return Rule(id, title, function, subjects, tuple(sources), worst, blind, before_dose, pairs)

    return make


class Case:
    """One patient at one moment, as one check sees it. Everything it hands out is written into the check's trace.

    `reads` and `cites` hold each thing once, in the order in which it was first asked for, by its identity: the chart
    and the knowledge hand out the very same each time.
    """

    __slots__ = ("chart", "cites", "reads", "shared", "snapshot")

    def __init__(
        self,
        chart: Chart,
        snapshot: Snapshot,
        reads: dict[int, Fact[Any]] | None = None,
        shared: Shared | None = None,
    ) -> None:
        self.chart = chart
        self.snapshot = snapshot
        self.reads: dict[int, Fact[Any]] = {} if reads is None else reads
        self.cites: dict[int, Statement[Any]] = {}
        self.shared = Shared() if shared is None else shared

    @property
    def now(self) -> datetime:
        """The moment of the call, in the site's zone."""
        return self.chart.now

    def fact(self, key: Key[T], within: Quantity | None = None) -> Fact[T]:
        """The fact of that key, turned stale when it is older than `within`."""
        fact: Fact[T] = self.chart.facts[key.name] if within is None else self._of_late(key, within)
        self.reads[id(fact)] = fact
        return fact

    def _of_late(self, key: Key[T], within: Quantity) -> Fact[T]:
        asked = (key.name, id(within))
        kept = self.shared.patient.get(asked)
        if kept is None:
            fact: Fact[T] = self.chart.facts[key.name]
            if fact.within(within, self.chart.now) is not fact:  # turned stale: the very same for each who asks
                fact = self.chart.of_late(key, within)
            kept = self.shared.patient[asked] = (fact, within)
        found: Fact[T] = kept[0]
        return found

    def cite(self, topic: Topic[T], about: str, qualifier: str = "") -> Statement[T] | None:
        """What is said on that topic of that subject, in force here today; None when nothing is."""
        statement = self.snapshot.statements.get((topic.name, about, qualifier))
        if statement is not None:
            self.cites[id(statement)] = statement
        return statement

    def must(self, topic: Topic[T], about: str, qualifier: str = "") -> Statement[T]:
        """Like `cite`, where the knowledge is known to hold one (the load tests see to it)."""
        statement = self.snapshot.statements.get((topic.name, about, qualifier))
        if statement is None:
            raise LookupError(f"no statement on {topic.name} of {about} {qualifier}".strip())
        self.cites[id(statement)] = statement
        return statement

    def effect(self, drug: str, kind: str) -> Statement[str] | None:
        """What is said of a precipitant's effect of that kind."""
        statement = self.snapshot.effects.get((drug, kind))
        if statement is not None:
            self.cites[id(statement)] = statement
        return statement

    def orders(self, *roles: Role) -> tuple[Medication, ...]:
        """The orders in these roles, as far as they could be read; the list itself goes into the trace."""
        self.fact(MEDICATIONS)
        kept: tuple[Medication, ...] | None = self.shared.listed.get(roles)
        if kept is None:
            kept = self.shared.listed[roles] = self.chart.medications.of(*roles)
        return kept

    def fired(
        self,
        level: Level,
        card: str,
        *,
        about: Iterable[Medication] = (),
        drug: str = "",
        because: Iterable[Fact[Any]] = (),
        says: Iterable[Statement[Any]] = (),
        propose: Iterable[Proposal] = (),
        doubts: Iterable[str] = (),
        deciding: Iterable[Medication] | None = None,
        mentions: Iterable[Statement[Any]] = (),
        waits: bool = False,
        holds: bool = False,
        line: bool = False,
        **values: object,
    ) -> Fired:
        """The check fired: at the rule's level, one step lower when in doubt, at most what its weakest source carries.

        A doubt and a weak source both lead from critical to a warning; together they lead no lower than either. A bound
        that proves the danger is no doubt of it; only where a plain value is asked for is it a warning at most (Q12).

        `holds`: a limit of the drug's own source is passed at which it is held or not started. What is critical by its
        rule always does so, also where a weak source or a doubt makes it a warning: no option is offered against it.

        `about`: every order that it concerns; `deciding`: those whose own doubts count, when not all of them.
        """
        facts, statements, orders = tuple(because), tuple(says), tuple(about)
        all_doubts = [*doubts]
        bounded = [fact for fact in facts if fact.bound]
        for fact in facts:
            if fact.doubts:
                all_doubts += [f"{fact.key.label}: {doubt}" for doubt in fact.doubts]
        for order in orders if deciding is None else deciding:
            all_doubts += order.doubts
        carried = level
        for statement in statements:
            strongest = statement.strongest
            if strongest < carried:
                carried = strongest
        shown = min(carried, level.one_lower()) if all_doubts else carried
        if bounded:
            if any(fact.key.exact for fact in bounded):
                shown = min(shown, Level.WARNING)
            all_doubts += [f"{fact.key.label}: only known to be {fact.bound} this" for fact in bounded]
        return Fired(
            Finding(
                level=shown,
                card=card,
                about=orders,
                drug=drug,
                because=facts,
                says=statements,
                doubts=tuple(dict.fromkeys(all_doubts)),
                proposals=tuple(propose),
                values=values,
                mentions=tuple(mentions),
                waits=waits,
                lowered=shown is not carried,
                holds=holds or level is Level.CRITICAL,
                line=line,
            )
        )

    def blind(
        self, *facts: Fact[Any], about: Iterable[Medication] = (), why: str = "", level: Level | None = None
    ) -> NotEvaluated:
        """The check could not be made for want of these facts."""
        return NotEvaluated(tuple(fact for fact in facts if not fact.sure), why, tuple(about), level)


class Check(NamedTuple):
    """One check made (or not): which rule, about what, its outcome, and everything that it read and cited."""

    rule: Rule[Any]
    subject: str
    outcome: Outcome
    reads: tuple[Fact[Any], ...]
    cites: tuple[Statement[Any], ...]
    shadow: Switch | None = None  # the hospital lets the check run without a card

    @property
    def word(self) -> str:
        """The outcome in a word or two."""
        return _WORDS[type(self.outcome)]

    @property
    def switch(self) -> Switch | None:
        """What the hospital did with the rule, if anything."""
        return self.outcome.switch if isinstance(self.outcome, SwitchedOff) else self.shadow


# As `Check(...)`, without a function of Python between: a call makes a hundred of them.
_a_check: Callable[[tuple[object, ...]], Check] = partial(tuple.__new__, Check)

_WORDS = {
    Fired: "fired",
    Clear: "clear",
    NotEvaluated: "not evaluated",
    NoTimeLeft: "not evaluated",
    NotApplicable: "not applicable",
    SwitchedOff: "switched off",
}


@dataclass(frozen=True)
class Evaluation:
    """Every check of one call."""

    checks: tuple[Check, ...]
    chart: Chart

    def outcomes(self, kind: type[T]) -> tuple[tuple[Check, T], ...]:
        """The checks that ended so and count for cards: those in shadow do not."""
        return tuple([(check, check.outcome) for check in self._counting if isinstance(check.outcome, kind)])

    @cached_property
    def _counting(self) -> list[Check]:
        """All but those in shadow. Most are not applicable: they are looked at once."""
        return [check for check in self.checks if check.shadow is None]


InTime = Callable[[], object]  # something true while there is time


def _always() -> bool:
    return True


_ROLES = tuple(Role)


class Planned(NamedTuple):
    """A rule with its place, as this knowledge lets it be asked.

    `drugs`: those of which anything is said that it asks for; None where it may be about any. `idle`: the roles that it
    looks for, in words: where nothing is said of any drug on the list, all checks of these roles end alike.
    """

    place: int
    rule: Rule[Any]
    drugs: frozenset[str] | None
    idle: str


def evaluate(
    rules: Iterable[Rule[Any]],
    chart: Chart,
    snapshot: Snapshot,
    in_time: InTime = _always,
    shared: Shared | None = None,
) -> Evaluation:
    """Run each rule by itself on each of its subjects, as far as the hospital and the time of the call let it.

    What may be critical is asked first. The checks stand in the order of `rules`, in whichever order they were made.
    `shared`: what was worked out for this chart already.
    """
    in_order = tuple(rules)
    made: list[list[Check]] = [[]] * len(in_order)
    of_call = Shared() if shared is None else shared
    switches, drugs, idle = snapshot.switches, _listed(chart, of_call), of_call.idle
    for place, each, spoken_of, roles in _urgent_first(in_order, snapshot):
        if switches and each.id in switches:
            made[place] = _as_switched(each, switches[each.id], chart, snapshot, in_time, of_call)
        elif spoken_of is None or not spoken_of.isdisjoint(drugs):
            made[place] = _run(each, chart, snapshot, in_time, of_call)
        elif roles in idle:
            made[place] = [_a_check((each, "", *idle[roles], None))]
        else:
            made[place] = [_first_idle(each, roles, chart, snapshot, in_time, of_call)]
    return Evaluation(tuple([check for checks in made for check in checks]), chart)


class Ending(NamedTuple):
    """What a rule came to about a subject, without a trace."""

    rule: Rule[Any]
    subject: object
    outcome: Fired | NotEvaluated


def endings(rules: tuple[Rule[Any], ...], chart: Chart, snapshot: Snapshot, shared: Shared) -> list[Ending]:
    """What fires and what could not be made, for a check that asks others and traces none of them.

    In the order of `rules`, however the hospital switched them.
    """
    case, drugs = Case(chart, snapshot, {}, shared), _listed(chart, shared)
    found: list[Ending] = []
    for _, each, spoken_of, _ in _planned(rules, snapshot):
        if spoken_of is not None and spoken_of.isdisjoint(drugs):
            continue
        try:
            subjects = each.subjects(case).found
        except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
            found.append(Ending(each, "", _broken(each, fault)))
            continue
        for subject in subjects:
            for outcome in _outcomes(each, subject, case):
                if isinstance(outcome, (Fired, NotEvaluated)):
                    found.append(Ending(each, subject, outcome))
    return found


def _planned(rules: tuple[Rule[Any], ...], snapshot: Snapshot) -> tuple[Planned, ...]:
    """The rules as this knowledge lets them be asked; told once for it."""
    kept: tuple[Planned, ...] | None = snapshot.kept.get((Planned, rules))
    if kept is None:
        kept = tuple(_plan(place, each, snapshot) for place, each in enumerate(rules))
        snapshot.kept[Planned, rules] = kept
    return kept


def _urgent_first(rules: tuple[Rule[Any], ...], snapshot: Snapshot) -> tuple[Planned, ...]:
    """The same, what may be critical first."""
    kept: tuple[Planned, ...] | None = snapshot.kept.get((evaluate, rules))
    if kept is None:
        kept = tuple(sorted(_planned(rules, snapshot), key=lambda plan: -plan.rule.worst))
        snapshot.kept[evaluate, rules] = kept
    return kept


def _plan(place: int, each: Rule[Any], snapshot: Snapshot) -> Planned:
    names = getattr(each.subjects, "names", None)
    drugs = None if names is None else snapshot.spoken_of(names)
    return Planned(place, each, drugs, getattr(each.subjects, "in_words", ""))


def _listed(chart: Chart, shared: Shared) -> frozenset[str]:
    """The drugs on the list, whatever their role."""
    drugs: frozenset[str] | None = shared.listed.get(DRUGS)
    if drugs is None:
        drugs = shared.listed[DRUGS] = frozenset(chart.medications.drugs(*_ROLES))
    return drugs


def _as_switched(
    each: Rule[Any], switch: Switch, chart: Chart, snapshot: Snapshot, in_time: InTime, shared: Shared
) -> list[Check]:
    if switch.off:
        return [_switched_off(each, switch, chart, snapshot)]
    return _in_shadow(each, switch, chart, snapshot, in_time, shared)


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


def _in_shadow(
    each: Rule[Any], switch: Switch, chart: Chart, snapshot: Snapshot, in_time: InTime, shared: Shared
) -> list[Check]:
    """The check is made, traced and counted, and shows no card."""
    checks = [check._replace(shadow=switch) for check in _run(each, chart, snapshot, in_time, shared)]
    for check in checks:
        if isinstance(check.outcome, (Fired, NotEvaluated)):
            log.info("rule %s in shadow: %s", each.id, check.word)
    return checks


def _first_idle(
    each: Rule[Any], roles: str, chart: Chart, snapshot: Snapshot, in_time: InTime, shared: Shared
) -> Check:
    """The check where nothing is said of any drug on the list; all others of these roles end as it does."""
    (check,) = _run(each, chart, snapshot, in_time, shared)
    if type(check.outcome) is NotApplicable or (type(check.outcome) is NotEvaluated and not check.outcome.broke):
        shared.idle[roles] = (check.outcome, check.reads, check.cites)
    return check


def _run(each: Rule[Any], chart: Chart, snapshot: Snapshot, in_time: InTime, shared: Shared) -> list[Check]:
    case = Case(chart, snapshot, {}, shared)
    if not in_time():
        return [_check(each, "", _too_late(each), case)]
    try:
        subjects = each.subjects(case)
    except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
        return [_check(each, "", _broken(each, fault), case)]
    found = subjects.found
    if len(found) == 1:
        case.cites = {}  # what was cited to find the subject is no part of its check
        return [_check(each, str(found[0]), outcome, case) for outcome in _outcomes(each, found[0], case)]
    if not found:
        return [_check(each, "", _nobody(subjects, case), case)]
    made: list[Check] = []
    for subject in found:
        own = Case(chart, snapshot, case.reads.copy(), shared)
        outcomes = _outcomes(each, subject, own) if in_time() else (_too_late(each),)
        made += [_check(each, str(subject), outcome, own) for outcome in outcomes]
    return made


def _nobody(subjects: Subjects[Any], asking: Case) -> Outcome:
    """The outcome where there is nobody to ask about, or where that cannot be told."""
    if subjects.unknown:
        return NotEvaluated(tuple([fact for fact in asking.reads.values() if not fact.sure]), subjects.unknown)
    return NotApplicable(subjects.none)


def _outcomes(each: Rule[S], subject: S, case: Case) -> tuple[Outcome, ...]:
    """What the rule comes to about one subject, and the gap beside it, if any."""
    try:
        outcome = each.function(case, subject)
    except Exception as fault:  # noqa: BLE001 - the compartment: the failure is named to the clinician
        return (_broken(each, fault),)
    if isinstance(outcome, Fired):
        if case.snapshot.shipped is not None:
            outcome = _no_weaker(each, subject, outcome, case.chart, case.snapshot.shipped)
        return (outcome, *_gap_beside(each, outcome))
    if isinstance(outcome, NotEvaluated) and not outcome.about:
        outcome = replace(outcome, about=getattr(subject, "orders", ()))
    return (outcome,)


def _check(each: Rule[Any], subject: str, outcome: Outcome, case: Case) -> Check:
    """The check with what the case handed out for it."""
    return _a_check((each, subject, outcome, tuple(case.reads.values()), tuple(case.cites.values()), None))


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


def only_if_weak(*statements: Statement[Any] | None) -> tuple[Statement[Any], ...]:
    """Those that hold a card down: what nobody has read (recalled) or what is a default of ours."""
    weak = (Verification.RECALLED, Verification.POLICY)
    return tuple(statement for statement in statements if statement is not None and statement.verification in weak)
