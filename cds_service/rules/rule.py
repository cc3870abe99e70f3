"""What a rule is, what it may come to, and what a check is.

A rule is one pure function of a `Case` and one subject (an order, a pair of orders, or the patient). It reads only
through the case: `case.fact(KEY)` and `case.cite(TOPIC, about)`, which write the trace. It ends in one of four
outcomes: fired, clear, not evaluated, not applicable. How rules are asked stands in `running`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.fact import BESIDE, RIVALS, Fact, Key
from cds_service.facts.values.versions import DIFFER
from cds_service.knowledge.model import Level, Statement, Topic, Verification
from cds_service.knowledge.overlay import Switch
from cds_service.knowledge.snapshot import Snapshot
from cds_service.quantity import Quantity
from cds_service.rules.shared import Shared

T = TypeVar("T")
S = TypeVar("S")


class Proposal(msgspec.Struct, frozen=True):
    """Something the clinician may accept in one click. What becomes of it in FHIR is for `present` to say."""

    kind: str  # "order", "dose", "delete"
    label: str
    order: str = ""  # for "order": the key of terminology/orders.csv
    medication: Medication | None = None
    drug: str = ""
    daily: Quantity | None = None


class Finding(msgspec.Struct, frozen=True):
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
    standing: tuple[str, ...] = ()  # the options, by id, whose approval in this place the card tells
    aside: bool = False  # a line that names no card in which another one stands
    of_call: bool = False  # because of a service that this call drafts, whichever orders it is about


class Fired(msgspec.Struct, frozen=True):
    """The check found something."""

    finding: Finding


class Clear(msgspec.Struct, frozen=True):
    """The check looked, with these facts, and found nothing."""

    why: str = ""


class NotEvaluated(msgspec.Struct, frozen=True):
    """The check could not be made, because of these facts or for this reason."""

    missing: tuple[Fact[Any], ...] = ()
    why: str = ""
    about: tuple[Medication, ...] = ()
    level: Level | None = None  # how much it matters here, when not as the rule says
    quiet: bool = False  # no source asks for what is missing: it stands in the trace, not on the gap card
    broke: bool = False  # the check failed in this service


class NoTimeLeft(NotEvaluated, frozen=True):
    """The time of the call was over before the check was made."""


class NotApplicable(msgspec.Struct, frozen=True):
    """There is nothing here that the check is about."""

    why: str


class SwitchedOff(NotApplicable, frozen=True):
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
    viewing: bool


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
    viewing: bool = False,
) -> Callable[[Callable[[Case, S], Outcome]], Rule[S]]:
    """Make a Rule of a function. `worst`: the most urgent it may be; `blind`: how much it matters when not evaluated.

    `before_dose`: its inputs are required before the first dose; `pairs`: it is about two drugs together; `viewing`: it
    is about no order, and told only where the patient is viewed.
    """

    def make(function: Callable[[Case, S], Outcome]) -> Rule[S]:
        title = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
        return Rule(id, title, function, subjects, tuple(sources), worst, blind, before_dose, pairs, viewing)

    return make


class Case:
    """One patient at one moment, as one check sees it. Everything it hands out is written into the check's trace.

    `reads` and `cites` hold each thing once, in the order in which it was first asked for, by its identity: the chart
    and the knowledge hand out the very same each time.
    """

    __slots__ = ("_facts", "chart", "cites", "reads", "shared", "snapshot")

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
        self._facts = chart.facts if self.shared.facts is None else self.shared.facts

    @property
    def now(self) -> datetime:
        """The moment of the call, in the site's zone."""
        return self.chart.now

    def fact(self, key: Key[T], within: Quantity | None = None) -> Fact[T]:
        """The fact of that key, turned stale when it is older than `within`."""
        fact: Fact[T] = self._facts[key.name] if within is None else self._of_late(key, within)
        self.reads[id(fact)] = fact
        return fact

    def _of_late(self, key: Key[T], within: Quantity) -> Fact[T]:
        asked = (key.name, id(within))
        kept = self.shared.patient.get(asked)
        if kept is None:
            fact: Fact[T] = self._facts[key.name]
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

    def leans_on(self, finding: Finding) -> None:
        """Write into the trace what the finding of another check read and cited, as far as it is of this patient."""
        self.reads.update((id(fact), fact) for fact in finding.because if fact.key.name != MEDICATIONS.name)
        self.cites.update((id(said), said) for said in (*finding.says, *finding.mentions))

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
        standing: Iterable[str] = (),
        aside: bool = False,
        of_call: bool = False,
        **values: object,
    ) -> Fired:
        """The check fired: at the rule's level, one step lower when in doubt, at most what its weakest source carries.

        A doubt and a weak source both lead from critical to a warning; together they lead no lower than either. A bound
        that proves the danger is no doubt of it; only where a plain value is asked for is it a warning at most (Q12).
        That a result came in versions that differ, and what the others say, is told, and makes none of them less
        urgent: it only clears nothing. So is another value beside a sure one that is not certain.

        `holds`: a limit of the drug's own source is passed at which it is held or not started. What is critical by its
        rule always does so, also where a weak source or a doubt makes it a warning: no option is offered against it.

        `line`: it stands in another card about the drug; `aside`: and names no card where another line does.
        `of_call`: a service that this call drafts is the reason, so that it is told when that is signed.

        `about`: every order that it concerns; `deciding`: those whose own doubts count, when not all of them.
        `standing`: the options, by id, whose approval in this place the card tells.
        """
        facts, statements, orders = tuple(because), tuple(says), tuple(about)
        all_doubts = [*doubts]
        bounded = [fact for fact in facts if fact.bound]
        for fact in facts:
            if fact.doubts:
                all_doubts += [f"{fact.key.label}: {doubt}" for doubt in fact.doubts]
        for order in orders if deciding is None else deciding:
            all_doubts += order.doubts
        carried = min([level, *[statement.strongest for statement in statements]])
        told_only = {
            f"{fact.key.label}: {doubt}"
            for fact in facts
            for doubt in fact.doubts
            if doubt.startswith(BESIDE) or (DIFFER in fact.doubts and (doubt == DIFFER or doubt.startswith(RIVALS)))
        }
        shown = carried if told_only.issuperset(all_doubts) else min(carried, level.one_lower())
        if bounded:
            if any(fact.key.exact for fact in bounded):
                shown = min(shown, Level.WARNING)
            all_doubts += [f"{fact.key.label}: {fact.bounded}" for fact in bounded]
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
                standing=tuple(standing),
                aside=aside,
                of_call=of_call,
            )
        )

    def blind(
        self,
        *facts: Fact[Any],
        about: Iterable[Medication] = (),
        why: str = "",
        level: Level | None = None,
        quiet: bool = False,
    ) -> NotEvaluated:
        """The check could not be made for want of these facts. `quiet`: no source asks for them here."""
        return NotEvaluated(tuple([fact for fact in facts if not fact.sure]), why, tuple(about), level, quiet)


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
a_check: Callable[[tuple[object, ...]], Check] = partial(tuple.__new__, Check)

_WORDS = {
    Fired: "fired",
    Clear: "clear",
    NotEvaluated: "not evaluated",
    NoTimeLeft: "not evaluated",
    NotApplicable: "not applicable",
    SwitchedOff: "switched off",
}


class Evaluation:
    """Every check of one call, each made once somebody asks for it.

    `of_orders`: those that may be told beside an order, which are made at once. `viewed`: makes, within the time of
    the call, those beside them that are told only where the patient is viewed. `every`: makes also the `idle`, which
    are not applicable and are most of them. All three stand in reading order.
    """

    def __init__(
        self,
        of_orders: tuple[Check, ...],
        chart: Chart,
        viewed: Callable[[], tuple[Check, ...]] | None = None,
        every: Callable[[], tuple[Check, ...]] | None = None,
        idle: int = 0,
    ) -> None:
        self.chart = chart
        self._of_orders, self._viewed, self._every, self._idle = of_orders, viewed, every, idle

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Every check, in reading order."""
        return self._of_orders if self._every is None else self._every()

    @property
    def telling(self) -> tuple[Check, ...]:
        """Every check of this call that could be told, but the idle ones: beside an order none that is told at viewing.

        It is for whoever counts and keeps what a call came to, once its cards are made.
        """
        seen: tuple[Check, ...] | None = self.__dict__.get("_in_time")
        return self._of_orders if seen is None else seen

    @property
    def many(self) -> int:
        """How many checks of this call could be told, the idle among them."""
        return len(self.telling) + self._idle

    @cached_property
    def _in_time(self) -> tuple[Check, ...]:
        return self._of_orders if self._viewed is None else self._viewed()

    def outcomes(self, kind: type[T]) -> tuple[tuple[Check, T], ...]:
        """The checks that ended so and count for cards: those in shadow do not."""
        return _ended(self.checks if kind is NotApplicable else self._in_time, kind)

    def of_orders(self, kind: type[T]) -> tuple[tuple[Check, T], ...]:
        """Those of them that may be told beside an order: what is told only at viewing is left for whoever looks."""
        return _ended(self._of_orders, kind)


def _ended(checks: tuple[Check, ...], kind: type[T]) -> tuple[tuple[Check, T], ...]:
    return tuple([(each, each.outcome) for each in checks if isinstance(each.outcome, kind) and not each.shadow])


def only_if_weak(*statements: Statement[Any] | None) -> tuple[Statement[Any], ...]:
    """Those that hold a card down: what nobody has read (recalled) or what is a default of ours."""
    weak = (Verification.RECALLED, Verification.POLICY)
    return tuple(statement for statement in statements if statement is not None and statement.verification in weak)
