"""Ceilings: the most that may be given a day beside an inhibitor, and who says so. Shared by topics."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.drugs.routes import INTRATHECAL
from cds_service.facts.times import When
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement
from cds_service.quantity import Quantity
from cds_service.rules.interactions.partners import lasts_on
from cds_service.rules.once import once
from cds_service.rules.rule import Case
from cds_service.rules.subjects import Met, Use, last_first, met, over_or_held, perhaps_beside
from cds_service.truth import Truth, any_of

CYTARABINE = "cytarabine"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be given a day beside one inhibitor, and who says so."""

    other: Met
    limit: Statement[Quantity]
    because: Statement[str]
    by_name: bool  # whether the table lists this drug itself, and not only its class


@once
def ceilings(case: Case, use: Use, others: tuple[Met, ...]) -> tuple[Ceiling, ...]:
    """Every ceiling that the inhibitors met impose, the lowest first; one drug may stand in the table twice."""
    found = [
        Ceiling(other, limit, effect, qualifier == other.drug)
        for other in others
        for qualifier, effect in _qualifiers(case, use, other)
        if (limit := _limit(case, use, qualifier)) is not None
    ]
    return tuple(sorted(found, key=lambda ceiling: (ceiling.limit.value.value, ceiling.other.drug)))


@dataclass(frozen=True, slots=True)
class Apart:
    """Two drugs whose orders state days that do not overlap: the last one of the first, and the first of the other."""

    first: str
    last_day: str
    then: str
    begins: str


def apart(use: Use, ours: tuple[Medication, ...], other: Met) -> Apart | None:
    """The days of our orders and of the other drug, where all state them and none overlap."""
    return _after(use.drug, ours, other.drug, other.orders) or _after(other.drug, other.orders, use.drug, ours)


def _after(drug: str, orders: tuple[Medication, ...], then: str, later: tuple[Medication, ...]) -> Apart | None:
    ends = [order.last_day for order in orders if order.last_day is not None]
    begins = [order.start for order in later if order.start is not None and order.states_start]
    if len(ends) < len(orders) or len(begins) < len(later):
        return None
    last, first = max(ends, key=lambda when: when.latest), min(begins, key=lambda when: when.earliest)
    return Apart(drug, str(last), then, str(first)) if last.latest.date() < first.earliest.date() else None


def ramp_beside(case: Case, use: Use, ceiling: Ceiling) -> Statement[str] | None:
    """The steps of the ramp-up beside the inhibitor of that ceiling, if anything is said of them.

    One that counts as a P-gp inhibitor for the ceiling is a CYP3A inhibitor still.
    """
    effect = case.effect(ceiling.other.drug, "cyp3a")
    return None if effect is None else case.cite(topics.RAMP_UP, use.drug, effect.value)


def _limit(case: Case, use: Use, qualifier: str) -> Statement[Quantity] | None:
    """The ceiling under that name; beside low-dose cytarabine, which allows more, the one made for it (M7)."""
    higher = case.cite(topics.DOSE_CEILING, use.drug, f"{qualifier} with {CYTARABINE}")
    if higher is not None and low_dose_cytarabine(case) is Truth.YES:
        return higher
    return case.cite(topics.DOSE_CEILING, use.drug, qualifier)


@once
def low_dose_cytarabine(case: Case) -> Truth:
    """Whether cytarabine is given in low dose; UNKNOWN where a dose cannot be read. Into the spinal fluid is none."""
    orders = [
        order for order in case.orders(Role.DRAFT, Role.ACTIVE)
        if CYTARABINE in order.ingredients and order.route != INTRATHECAL
    ]  # fmt: skip
    if not orders:
        return Truth.NO
    return ~any_of(_is_more(case, order) for order in orders)


def _is_more(case: Case, order: Medication) -> Truth:
    """Whether an order is more than low-dose cytarabine, by milligrams or per body surface a day, or by name."""
    most = case.must(topics.LOW_DOSE_CYTARABINE, "policy").value
    densest = case.must(topics.LOW_DOSE_CYTARABINE_SURFACE, "policy").value
    daily, area, times = order.dose.daily, order.dose.per_area, order.dose.times
    if order.high_dose or (daily is not None and daily > most) or (area is not None and area > densest):
        return Truth.YES
    if area is not None and times is not None:
        return Truth.of(area.value * times > densest.value)
    return Truth.UNKNOWN if daily is None else Truth.NO


def _qualifiers(case: Case, use: Use, other: Met) -> tuple[tuple[str, Statement[str]], ...]:
    """Under which names the dose table may list this drug: by itself, by its CYP3A strength, as a P-gp inhibitor.

    Some that inhibit both count as P-gp inhibitors alone (M9).
    """
    cyp3a, pgp = case.effect(other.drug, "cyp3a"), case.effect(other.drug, "pgp")
    told = case.cite(topics.COUNTS_AS_PGP, use.drug)
    only_pgp = told is not None and other.drug in told.value and pgp is not None
    names: list[tuple[str, Statement[str]]] = []
    if cyp3a is not None and cyp3a.value.endswith("inhibitor") and not only_pgp:
        names += [(other.drug, cyp3a), (cyp3a.value, cyp3a)]
    if pgp is not None and pgp.value == "inhibitor":
        names.append(("P-gp inhibitor", pgp))
    return tuple(names)


@once
def inhibitors(case: Case, use: Use) -> tuple[Met, ...]:
    """The drugs met that act on CYP3A or P-gp. Food is told to the patient, it imposes no ceiling."""
    return tuple(other for other in met(case, use, "cyp3a", "pgp") if not other.precipitant.food)


def imposed(case: Case, use: Use, order: Medication) -> tuple[Ceiling, ...]:
    """The ceilings that an order of another drug imposed while it was taken, if it reached the blood."""
    known = ((drug, case.snapshot.precipitants.get(drug)) for drug in order.ingredients if drug != use.drug)
    others = tuple(Met(d, p, (order,)) for d, p in known if p is not None and order.route in p.routes)
    return ceilings(case, use, others)


@once
def replaced_now(case: Case) -> tuple[Medication, ...]:
    """The orders in use in whose place a draft of this call is written: they are taken until now."""
    case.fact(MEDICATIONS)
    now = When(case.now, case.now)
    replaced = case.chart.medications.superseded
    return tuple(replace(order, role=Role.PAST, end=now) for order in replaced if order.role is Role.ACTIVE)


@dataclass(frozen=True, slots=True)
class JustEnded:
    """An inhibitor that ended only days ago, or may have, and the ceiling that it imposed."""

    order: Medication
    ceiling: Ceiling
    day_known: bool


@once
def just_ended(case: Case, use: Use) -> tuple[JustEnded, ...]:
    """The inhibitors whose effect may last: ended or held fewer days ago than the source waits, or on a day not stated,
    where they began lately or may have been taken beside a dose that is lowered for them.

    One in whose place a draft is written ends with this call. One that stays in the body for long, such as amiodarone,
    lasts longer than the source waits.
    """
    wash_out = case.must(topics.RETURN_AFTER, use.drug).value
    window = case.must(topics.RECENTLY_STOPPED, "policy").value
    still = {other.drug for other in inhibitors(case, use)}
    found: list[JustEnded] = []
    for order in last_first((*over_or_held(case), *replaced_now(case)), case.now):
        if still & set(order.ingredients):
            continue
        if order.end is not None:
            recent = 0 <= order.end.days_ago(case.now) < int(wash_out.value) or lasts_on(case, order)
        else:
            begun = order.start is not None and order.start.days_ago(case.now) <= int(window.value)
            recent = begun or order.cut_short or lasts_on(case, order)
        asked = recent or perhaps_beside(use, order, None, int(window.value), case.now)
        past = imposed(case, use, order) if asked else ()
        if past and (recent or perhaps_beside(use, order, past[0].limit.value, int(window.value), case.now)):
            found.append(JustEnded(order, past[0], order.end is not None))
    return tuple(found)
