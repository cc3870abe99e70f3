"""What rules are asked about: the patient, or a use of one of our drugs, with every order of it taken together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from msgspec.structs import replace

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.knowledge import topics
from cds_service.knowledge.model import Precipitant, Topic
from cds_service.knowledge.snapshot import Snapshot
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case, Proposal, Subjects


@dataclass(frozen=True)
class Use:
    """One of our drugs in play: drafted, taken, held, or taken before. Two orders of one drug are one use."""

    drug: str
    orders: tuple[Medication, ...]
    drafts: tuple[Medication, ...] = field(init=False, compare=False, repr=False)  # its draft orders

    def __post_init__(self) -> None:
        object.__setattr__(self, "drafts", self.of(Role.DRAFT))

    def __hash__(self) -> int:
        return hash(self.drug)

    def __str__(self) -> str:
        return self._spoken

    @cached_property
    def _spoken(self) -> str:
        roles = dict.fromkeys([order.role.value for order in self.orders])
        return f"{self.drug} ({', '.join(roles)})"

    def of(self, *roles: Role) -> tuple[Medication, ...]:
        """Its orders in these roles."""
        return tuple([order for order in self.orders if order.role in roles])

    @cached_property
    def active(self) -> tuple[Medication, ...]:
        """Its active orders that no draft supersedes."""
        superseded = {each for draft in self.drafts for each in draft.replaces}
        return tuple([order for order in self.of(Role.ACTIVE) if order.reference not in superseded])

    @cached_property
    def taken(self) -> tuple[Medication, ...]:
        """Its active orders, those too that a draft goes on with or changes: the drug is taken all the while.

        One that is signed for a later day is none of them, unless the drug was taken before: what that did goes on.
        """
        return self.of(Role.ACTIVE) if self.of(Role.ON_HOLD, Role.PAST) else self._begun

    @cached_property
    def _begun(self) -> tuple[Medication, ...]:
        """Its active orders of which the first day has come."""
        return tuple([order for order in self.of(Role.ACTIVE) if not order.awaited])

    @cached_property
    def in_play(self) -> tuple[Medication, ...]:
        """Drafted, taken or held: what a finding about this drug is about."""
        return (*self.drafts, *self.active, *self.of(Role.ON_HOLD))

    @cached_property
    def is_new(self) -> bool:
        """Whether the drafts start the drug, rather than continue it."""
        return bool(self.drafts) and not self.of(Role.ACTIVE, Role.ON_HOLD)

    @cached_property
    def begins(self) -> bool:
        """Whether its first dose is still to come: it is drafted anew, or signed for a later day."""
        return bool(self.drafts or self.active) and not (self._begun or self.of(Role.ON_HOLD))

    @cached_property
    def restarts(self) -> bool:
        """Whether the drafts take up a drug again that is on hold."""
        return bool(self.drafts) and bool(self.of(Role.ON_HOLD)) and not self.active

    @cached_property
    def is_held(self) -> bool:
        """Whether it is on hold, and nobody takes it up again here."""
        return bool(self.of(Role.ON_HOLD)) and not self.drafts and not self.active


class Met(msgspec.Struct, frozen=True):
    """Another drug that changes how ours works, with its orders."""

    drug: str
    precipitant: Precipitant
    orders: tuple[Medication, ...]

    @property
    def spoken(self) -> str:
        """Its name and how it stands: "posaconazole (draft)"."""
        roles = dict.fromkeys(order.role.value for order in self.orders)
        return f"{self.drug} ({', '.join(roles)})"


def the_patient(case: Case) -> Subjects[str]:
    """The patient as a whole."""
    return Subjects(("patient",))


@dataclass(frozen=True)
class Uses:
    """Finds each of our drugs in play of which something is said on one of these topics."""

    topics: tuple[Topic[Any], ...]
    roles: tuple[Role, ...]

    def __call__(self, case: Case) -> Subjects[Use]:
        """The uses, or why there are none."""
        listed = case.fact(MEDICATIONS)
        in_play = case.shared.listed.get(self.in_words) or _in_play(case, self.roles, self.in_words)
        if in_play.found:
            spoken_of = case.snapshot.spoken_of(self.names)
            if len(in_play.found) == 1 and in_play.found[0].drug in spoken_of:
                return in_play
            ours = tuple([use for use in in_play.found if use.drug in spoken_of])
            if ours:
                return Subjects(ours)
        if not listed.sure:
            return _UNKNOWN
        spoken = "such a drug" if Role.DRAFT in self.roles else "a drug of this kind in use"
        return _none(case, f"{spoken} is neither drafted nor taken")

    def alone(self, case: Case, spoken_of: frozenset[str]) -> tuple[Use, ...]:
        """The uses of those drugs, which its topics speak of; for whoever need not know why there are none."""
        in_play = case.shared.listed.get(self.in_words) or _in_play(case, self.roles, self.in_words)
        return tuple([use for use in in_play.found if use.drug in spoken_of])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The topics by their names."""
        return tuple(topic.name for topic in self.topics)

    @cached_property
    def in_words(self) -> str:
        """The roles in words."""
        return ", ".join(role.value for role in self.roles)


def uses(*topics: Topic[Any], roles: tuple[Role, ...] = (Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)) -> Uses:
    """Each of our drugs in play of which something is said on one of these topics. `roles`: what counts as in play."""
    return Uses(topics, roles)


_OURS = uses()


def our_drugs(case: Case) -> Subjects[Use]:
    """Each of our drugs that is drafted, taken or held, whatever is said of it."""
    listed = case.fact(MEDICATIONS)
    ours: Subjects[Use] = case.shared.listed.get(_OURS.in_words) or _in_play(case, _OURS.roles, _OURS.in_words)
    if ours.found:
        return ours
    return _none(case, "none of our drugs is drafted or taken") if listed.sure else _UNKNOWN


_UNKNOWN: Subjects[Use] = Subjects((), unknown="whether the patient takes such a drug is not known")


def _in_play(case: Case, roles: tuple[Role, ...], in_words: str) -> Subjects[Use]:
    """Each of our drugs in these roles, found for the first check that asks: the same use for every one."""
    ours = case.snapshot.drugs
    named = case.chart.medications.drugs(*roles)
    found = Subjects(tuple([_use(case, drug) for drug in sorted(named) if drug in ours]))
    case.shared.listed[in_words] = found
    return found


def _use(case: Case, drug: str) -> Use:
    kept: Use | None = case.shared.listed.get((Use, drug))
    if kept is None:
        kept = case.shared.listed[Use, drug] = Use(drug, _as_taken(case.chart.medications.naming(drug)))
    return kept


def _as_taken(orders: tuple[Medication, ...]) -> tuple[Medication, ...]:
    """The orders; one that is over and that a draft goes on with was taken until now."""
    if not any(order.renewed for order in orders):
        return orders
    return tuple(replace(order, role=Role.ACTIVE) if order.renewed else order for order in orders)


def _none(case: Case, why: str) -> Subjects[Use]:
    kept: Subjects[Use] | None = case.shared.listed.get((Subjects, why))
    if kept is None:
        read = f"none among the {case.chart.medications.spoken} read; what no order or statement names is not seen"
        kept = case.shared.listed[Subjects, why] = Subjects((), none=f"{why} ({read})")
    return kept


def met(case: Case, use: Use, *kinds: str) -> tuple[Met, ...]:
    """The other drugs, drafted or taken and reaching the blood, of which one of these effects is known.

    The surest stands first: a sure order, then the better word, then the name. The order of the list says nothing.
    """
    case.fact(MEDICATIONS)
    kept: tuple[Met, ...] | None = case.shared.listed.get((met, kinds))
    if kept is None:
        acting = _acting(case.snapshot)
        found = [each for each in _beside(case) if not acting[each.drug].isdisjoint(kinds)]
        kept = tuple(sorted(found, key=lambda each: _surest_first(case, each, kinds)))
        case.shared.listed[met, kinds] = kept
    return _not_itself(use, tuple([each for each in kept if each.drug != use.drug]))


def _not_itself(use: Use, others: tuple[Met, ...]) -> tuple[Met, ...]:
    """Without the orders of which code and name disagree: they are of the one drug or of the other, never of both."""
    own = {id(order) for order in use.orders if order.conflict}
    if not own:
        return others
    left = ((other, tuple(order for order in other.orders if id(order) not in own)) for other in others)
    return tuple(Met(other.drug, other.precipitant, orders) for other, orders in left if orders)


def _acting(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """Of which kinds the effects are that each precipitant is known for; told once for this knowledge."""
    kept: dict[str, frozenset[str]] | None = snapshot.kept.get(_acting)
    if kept is None:
        kinds: dict[str, set[str]] = {drug: set() for drug in snapshot.precipitants}
        for drug, kind in snapshot.effects:
            kinds[drug].add(kind)
        kept = snapshot.kept[_acting] = {drug: frozenset(each) for drug, each in kinds.items()}
    return kept


def _beside(case: Case) -> tuple[Met, ...]:
    """Every drug, drafted or taken and reaching the blood, that changes how another works."""
    kept: tuple[Met, ...] | None = case.shared.listed.get(Met)
    if kept is None:
        known = case.snapshot.precipitants
        found: dict[str, list[Medication]] = {}
        for order in case.orders(Role.DRAFT, Role.ACTIVE):
            for drug in order.ingredients:
                precipitant = known.get(drug)
                if precipitant is not None and order.route in precipitant.routes:
                    found.setdefault(drug, []).append(order)
        kept = tuple([Met(drug, known[drug], tuple(orders)) for drug, orders in found.items()])
        case.shared.listed[Met] = kept
    return kept


def _surest_first(case: Case, other: Met, kinds: tuple[str, ...]) -> tuple[bool, int, str]:
    unsure = all(order.doubts for order in other.orders)
    return unsure, -_best_word(case.snapshot, other.drug, kinds), other.drug.lower()


def _best_word(snapshot: Snapshot, drug: str, kinds: tuple[str, ...]) -> int:
    """How urgent a card the best word on these effects of a drug may carry; told once for this knowledge."""
    kept: int | None = snapshot.kept.get((_best_word, drug, kinds))
    if kept is None:
        said = [statement for kind in kinds if (statement := snapshot.effects.get((drug, kind))) is not None]
        kept = max((statement.strongest for statement in said), default=0)
        snapshot.kept[_best_word, drug, kinds] = kept
    return kept


def removal(drug: str, orders: Iterable[Medication]) -> tuple[Proposal, ...]:
    """Each draft of the drug among these orders may be taken back; of several each by its number and its dose."""
    drafts = [order for order in orders if order.role is Role.DRAFT]
    if len(drafts) < 2:
        return tuple(Proposal("delete", f"Remove the {drug} draft", medication=draft) for draft in drafts)
    return tuple(
        Proposal("delete", f"Remove the {drug} draft {number} of {len(drafts)}{_its_dose(draft)}", medication=draft)
        for number, draft in enumerate(drafts, 1)
    )


def _its_dose(order: Medication) -> str:
    return f" ({order.dose.daily})" if order.dose.daily is not None else ""


def perhaps_beside(use: Use, order: Medication, lowered: Quantity | None, window: int, now: datetime) -> bool:
    """Whether an order without a last day may have been taken beside this drug, and so until lately.

    It began while the drug is taken, or within the window before. `lowered`: the most that is taken beside it; an order
    of more shows that it had ended.
    """
    if order.last_day is not None or order.start is None:
        return False
    doses = ((each.dose.daily, each.start) for each in use.of(Role.ACTIVE, Role.ON_HOLD))
    low = (start for daily, start in doses if daily is None or lowered is None or daily <= lowered)
    days = max((start.days_ago(now) for start in low if start is not None), default=None)
    return days is not None and 0 <= order.start.days_ago(now) <= days + window


@once
def over_or_held(case: Case) -> tuple[Medication, ...]:
    """The orders that are over, and those on hold: what they did may last. The day of a hold is known of one that this
    call holds, or that has come to its last day; of any other it is not known, and one that began longer ago than an
    order may stand open counts as held for long.
    """
    held = tuple([_as_over(case, each) for each in case.orders(Role.ON_HOLD)])
    return (*case.orders(Role.PAST), *held)


def _as_over(case: Case, held: Medication) -> Medication:
    if held.end is not None and held.end.earliest <= case.now:
        return held
    longest = int(case.must(topics.OPEN_ORDER_LASTS, "policy").value.value)
    of_late = held.start is None or held.start.days_ago(case.now) <= longest
    return replace(held, end=None, cut_short=of_late)


def last_first(orders: Iterable[Medication], now: datetime) -> list[Medication]:
    """Orders that have ended, the last to end first; one of which the day is not stated stands behind."""
    return sorted(orders, key=lambda order: (order.end is None, order.end.days_ago(now) if order.end else 0))


def of_other_drugs(ended: Iterable[Medication]) -> tuple[Medication, ...]:
    """Beside the first of these, the first of each other drug."""
    first: dict[tuple[str, ...], Medication] = {}
    for order in ended:
        first.setdefault(order.ingredients, order)
    return tuple(first.values())[1:]


def distinct(orders: Iterable[Medication]) -> tuple[Medication, ...]:
    """Each order once, in order. Two that read alike are two orders: the list hands out the very same each time."""
    return tuple({id(order): order for order in orders}.values())


def doubtful(*groups: Iterable[Medication]) -> tuple[Medication, ...]:
    """The orders whose doubts count: in each group a sure order is enough, a doubtful one beside it takes nothing."""
    each = [tuple(group) for group in groups]
    return tuple(order for group in each if all(other.doubts for other in group) for order in group)
