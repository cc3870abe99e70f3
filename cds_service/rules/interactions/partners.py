"""Partners: the other drugs that change ours, how strongly and on whose word. Shared by the topics of interactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.fact import Fact, below
from cds_service.facts.values.labs import BODY_WEIGHT
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Topic
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case, Clear, Outcome, Proposal, only_if_weak
from cds_service.rules.subjects import Met, Use, doubtful, last_first, met, over_or_held, perhaps_beside, removal
from cds_service.rules.treatment import taken_together
from cds_service.truth import Truth

STRONG = "strong inhibitor"
MODERATE = "moderate inhibitor"
INDUCER = "inducer"
FOOD = "food"
LOWEST = "lowest dose"  # taken before the inhibitor: no lower one is stated
LOWERED = "lowered dose"  # ordered or taken beside the inhibitor: perhaps the one that was lowered for it
_INDUCER_TOPICS: tuple[Topic[Any], ...] = (topics.COMBINED_INDUCER, topics.STRONG_CYP3A_INDUCER, topics.CYP3A_INDUCER)


@dataclass(frozen=True, slots=True)
class Effect:
    """One drug met, what it does, and which list says so."""

    other: Met
    does: Statement[str]


def does(case: Case, use: Use, other: Met, kind: str) -> Statement[str] | None:
    """What a drug does: by the own list of our drug's label where it has one, else by the common lists (M5)."""
    own = case.cite(topics.COUNTS_AS, use.drug, other.drug) if kind == "cyp3a" else None
    return own if own is not None else case.effect(other.drug, kind)


def says(case: Case, other: Met, kind: str) -> str:
    """What the common lists say of a drug, "" when nothing."""
    statement = case.effect(other.drug, kind)
    return statement.value if statement is not None else ""


def with_cyp3a(case: Case, use: Use, *strengths: str) -> tuple[Met, ...]:
    """The drugs met whose effect on CYP3A is one of these, what is surest first, foods last."""
    found = [
        (other.precipitant.food, strengths.index(effect.value), unsure, other)
        for other, effect, unsure in _on_cyp3a(case, use)
        if effect.value in strengths
    ]
    return tuple([other for *_, other in sorted(found, key=lambda each: each[:3])])


@once
def _on_cyp3a(case: Case, use: Use) -> tuple[tuple[Met, Statement[str], bool], ...]:
    """The drugs met that act on CYP3A, what each does, and whether all of its orders are doubtful."""
    found = ((other, does(case, use, other, "cyp3a")) for other in met(case, use, "cyp3a"))
    return tuple([(other, effect, bool(doubtful(other.orders))) for other, effect in found if effect is not None])


def effects(case: Case, use: Use, others: tuple[Met, ...], *kinds: str) -> tuple[Effect, ...]:
    """What each of them does, for the card."""
    every = ((other, does(case, use, other, kind)) for other in others for kind in kinds)
    return tuple(Effect(other, effect) for other, effect in every if effect is not None)


def benefits(case: Case, others: tuple[Met, ...]) -> tuple[Statement[str], ...]:
    """What stopping one of them would cost, each sentence once."""
    found = (case.effect(other.drug, "benefit") for other in others)
    return tuple({each.value: each for each in found if each is not None}.values())


def remedies_of(case: Case, use: Use, others: tuple[Met, ...]) -> Statement[tuple[str, ...]] | None:
    """What can be done about an inhibitor: of foods to leave them out, else what this place says of one by its name."""
    if all(other.precipitant.food for other in others):
        return case.must(topics.INHIBITOR_REMEDIES, "policy", FOOD)
    at_lowest = _at_lowest(case, use, others)
    if at_lowest is not None:
        return at_lowest
    named = (case.cite(topics.INHIBITOR_REMEDIES, use.drug, other.drug) for other in others)
    here = next((each for each in named if each is not None and not each.foreign), None)
    return here if here is not None else case.cite(topics.INHIBITOR_REMEDIES, use.drug)


def _at_lowest(case: Case, use: Use, others: tuple[Met, ...]) -> Statement[tuple[str, ...]] | None:
    """What is said at the lowest dose: taken before the inhibitors are ordered, else perhaps lowered for them."""
    new = (order.role is Role.DRAFT and not (order.replaces or order.on_record) for o in others for order in o.orders)
    added = not use.drafts and all(new)
    said = case.cite(topics.INHIBITOR_REMEDIES, use.drug, LOWEST if added else LOWERED)
    reached = highest(use.drafts or use.active)
    if said is None or reached is None or reached > case.must(topics.LOWEST_DOSE, use.drug).value:
        return None
    return said


def undo_inhibitors(
    case: Case, use: Use, others: tuple[Met, ...], remedies: Statement[tuple[str, ...]] | None
) -> tuple[Proposal, ...]:
    """The drafts of inhibitors may be taken back, unless the first remedy keeps them: no button speaks against it."""
    kept = remedies is not None and case.cite(topics.INHIBITOR_KEPT, use.drug, remedies.qualifier) is not None
    return () if kept else undo(others)


def orders_of(use: Use, others: tuple[Met, ...]) -> tuple[Medication, ...]:
    """Our drug's orders and theirs."""
    return (*use.drafts, *use.active, *(order for other in others for order in other.orders))


def none_met(case: Case, use: Use, what: str) -> Outcome:
    """Clear when the medication list was read completely; else the check could not be made."""
    medications = case.fact(MEDICATIONS)
    if medications.sure:
        return Clear(f"no {what} among the {case.chart.medications.spoken} read")
    return case.blind(medications, about=use.in_play)


def fire(
    case: Case,
    use: Use,
    others: tuple[Met, ...],
    level: Level,
    card: str,
    said: Statement[Any],
    kinds: tuple[str, ...],
    *,
    also: tuple[Met, ...] = (),
    line: bool = False,
    with_remedies: bool = False,
) -> Outcome:
    """The card about these drugs beside ours; the surest of them carries its level. `also`: weaker ones, only named.

    `with_remedies`: the card shows what can be done about inhibitors, on a source of its own.
    """
    found = {other.drug: tuple(does(case, use, other, kind) for kind in kinds) for other in others}
    weak = {drug: only_if_weak(*statements) for drug, statements in found.items()}
    surest = max(others, key=lambda other: (not doubtful(other.orders), -len(weak[other.drug])))
    remedies = remedies_of(case, use, others) if with_remedies else None
    return case.fired(
        level,
        card,
        about=orders_of(use, (*others, *also)),
        drug=use.drug,
        says=(said, *weak[surest.drug]),
        mentions=tuple(each for some in (*found.values(), (remedies,)) for each in some if each is not None),
        deciding=doubtful((*use.drafts, *use.active), surest.orders),
        propose=() if line else undo_inhibitors(case, use, (*others, *also), remedies),
        line=line,
        others=others,
        also=also,
        effects=effects(case, use, (*others, *also), *kinds),
        benefits=benefits(case, (*others, *also)),
        remedies=remedies.value if remedies is not None else (),
        advised=remedies,
        lead=_lead(said, remedies),
        said=said,
        new=bool(use.drafts),
    )


def _lead(said: Statement[Any], remedies: Statement[tuple[str, ...]] | None) -> str:
    """What this place itself says, up to its first stop, where the remedies are borrowed: it leads the card."""
    return str(said.value).split(";")[0] if remedies is not None and remedies.foreign and not said.foreign else ""


def undo(others: tuple[Met, ...]) -> tuple[Proposal, ...]:
    """Every drafted partner may be taken back, but for one that treats what cannot wait."""
    return tuple(each for other in others if not other.precipitant.keep for each in removal(other.drug, other.orders))


@dataclass(frozen=True, slots=True)
class Barred:
    """Drugs met that the label forbids beside ours, for one reason."""

    hazard: str
    said: Statement[tuple[str, ...]]
    others: tuple[Met, ...]


@once
def barred(case: Case, use: Use) -> tuple[Barred, ...]:
    """What the label forbids beside our drug. The list of another place is not borrowed where this one has words."""
    found = []
    for hazard in case.snapshot.qualifiers(topics.CONTRAINDICATED_WITH, use.drug):
        said = case.must(topics.CONTRAINDICATED_WITH, use.drug, hazard)
        if said.foreign and hazard == INDUCER and _has_own_words(case, use):
            continue
        others = tuple(other for other in met(case, use, "cyp3a", "pgp") if other.drug in said.value)
        if others:
            found.append(Barred(hazard, said, others))
    return tuple(found)


def _has_own_words(case: Case, use: Use) -> bool:
    said = (case.cite(topic, use.drug) for topic in _INDUCER_TOPICS)
    return any(each is not None and not each.foreign for each in said)


def inducer_barred(case: Case, use: Use) -> bool:
    """Whether an inducer met is forbidden, so that the weaker checks for inducers leave the word to that one."""
    return any(each.hazard == INDUCER for each in barred(case, use))


def highest(orders: tuple[Medication, ...]) -> Quantity | None:
    """The highest daily dose that could be read, orders of one start taken together."""
    found = [order.dose.daily for order in orders if order.dose.daily is not None]
    together = taken_together(orders)
    found += [together] if together is not None else []
    return max(found, key=lambda dose: dose.value, default=None)


def weight_of(case: Case) -> Fact[Quantity]:
    """The weight, where it is new enough to choose a dose by."""
    return case.fact(BODY_WEIGHT, case.must(topics.DOSE_WEIGHT_WINDOW, "policy").value)


def lighter_than_dosed(case: Case, use: Use) -> Truth:
    """Whether the patient weighs less than the fixed dose asks for; NO where the label sets no weight."""
    limit = case.cite(topics.DOSE_WEIGHT_FROM, use.drug)
    return Truth.NO if limit is None else below(weight_of(case), limit.value)


def dose_told(case: Case, use: Use) -> bool:
    """Whether the check of the dose beside a strong inhibitor speaks: too high, not readable, or by body surface."""
    limit = case.cite(topics.CEILING_BESIDE_INHIBITOR, use.drug, STRONG)
    orders = use.drafts or use.active
    reached = highest(orders)
    if limit is None:
        return False
    unread = any(order.dose.daily is None for order in orders)
    return unread or reached is None or reached > limit.value or lighter_than_dosed(case, use) is Truth.YES


def recently_ended(
    case: Case, use: Use, *strengths: str, lowered: Quantity | None = None
) -> tuple[Medication, ...]:
    """Orders of drugs with such an effect on CYP3A that ended lately, or were stopped or held on a day not stated.

    The last to end stands first: from its end the days are counted. `lowered`: the most of our drug that is taken
    beside it, which tells whether one without a last day may have been taken until lately.
    """
    window = int(case.must(topics.RECENTLY_STOPPED, "policy").value.value)
    still = {other.drug for other in met(case, use, "cyp3a")}
    found = []
    for order in over_or_held(case):
        day = order.end or order.start
        recent = order.cut_short or (day is not None and 0 <= day.days_ago(case.now) <= window)
        recent = recent or perhaps_beside(use, order, lowered, window, case.now)
        if recent and not still & set(order.ingredients) and _acted(case, order, strengths):
            found.append(order)
    return tuple(last_first(found, case.now))


def long_acting(case: Case, orders: Iterable[Medication]) -> tuple[Statement[str], ...]:
    """What is said of those among ended drugs that stay in the body long after their last dose."""
    named = dict.fromkeys(drug for order in orders for drug in order.ingredients)
    return tuple(said for drug in named if (said := case.effect(drug, "long-acting")) is not None)


def lasts_on(case: Case, order: Medication) -> bool:
    """Whether an ended order is of a drug that stays in the body for long, and ended so lately that this counts."""
    window = int(case.must(topics.LONG_ACTING_COUNTS, "policy").value.value)
    day = order.last_day or order.start
    lately = order.cut_short or (day is not None and 0 <= day.days_ago(case.now) <= window)
    return lately and bool(long_acting(case, (order,)))


def _acted(case: Case, order: Medication, strengths: tuple[str, ...]) -> bool:
    """Whether a past order reached the blood and had such an effect."""
    known = ((drug, case.snapshot.precipitants.get(drug)) for drug in order.ingredients)
    reached = [drug for drug, each in known if each is not None and order.route in each.routes]
    found = (case.effect(drug, "cyp3a") for drug in reached)
    return any(effect is not None and effect.value in strengths for effect in found)
