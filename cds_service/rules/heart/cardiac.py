"""The heart before anthracyclines: LVEF, heart disease on record, cumulative dose, age with high-dose cytarabine."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from msgspec.structs import replace

from cds_service.facts.demographics import AGE
from cds_service.facts.drugs.cumulative import Exposure, exposures
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, State, at_or_below, below, holds
from cds_service.facts.times import When
from cds_service.facts.values.labs import LVEF
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Verification
from cds_service.quantity import Quantity
from cds_service.rules.high_dose import high_dose
from cds_service.rules.once import once
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.truth import Truth

ANTHRACYCLINE = "anthracycline"  # the class group, as the drugs' files name it
ECHO = Proposal("order", "Order an echocardiogram", order="echo")


@rule(
    "lvef-before",
    subjects=uses(topics.CARDIAC_ASSESSMENT),
    sources=("SAF20", "D48"),
    worst=Level.WARNING,
    blind=Level.WARNING,  # an LVEF that was not had weighs like one that is not there
)
def lvef_before(case: Case, use: Use) -> Outcome:
    """LVEF before a cardiotoxic drug: within the window, and after the last anthracycline.

    Asked of every new order of an anthracycline or mitoxantrone, a renewal too. A warning when no LVEF is on record, or
    when the newest is older than the window of the policy or from before the last such drug ended. Of an order that is
    open for longer than a course lasts its first day counts. An LVEF that is
    preliminary, unreadable or contradictory, or that could not be had, goes to the card of gaps as a warning.

    Where heart failure or cardiomyopathy is on record, the check of a low LVEF asks for the missing value instead.
    Whether the LVEF is good enough is that check's question too.
    """
    if not use.drafts:
        return NotApplicable("no new order")
    lvef = _current_lvef(case)
    if lvef.state is State.KNOWN and lvef.sure:
        return Clear(f"LVEF {lvef.value} on {lvef.when}")
    if lvef.state not in (State.ABSENT, State.STALE):
        return case.blind(lvef, about=use.drafts)
    if entries_of(case.fact(PROBLEMS), keys_of(case, "weak heart")):
        return Clear("asked for with the heart disease on record")
    said = case.must(topics.CARDIAC_ASSESSMENT, use.drug)
    return case.fired(
        Level.WARNING,
        "lvef_before",
        about=use.drafts,
        drug=use.drug,
        says=(said, case.must(topics.LVEF_WINDOW, "policy")),
        propose=(ECHO,),
        lvef=lvef,
        said=said,
        window=case.must(topics.LVEF_WINDOW, "policy"),
        preferred=case.cite(topics.CARDIAC_CHOICE, use.drug),
    )


def _current_lvef(case: Case) -> Fact[Quantity]:
    """The newest LVEF: stale when older than the window, or taken before the last anthracycline ended."""
    fact = case.fact(LVEF, case.must(topics.LVEF_WINDOW, "policy").value)
    last = _last_anthracycline(case)
    if fact.state is not State.KNOWN or last is None or fact.when is None:
        return fact
    if fact.when.on_or_after(last) is Truth.YES:
        return fact
    words = f"{fact.when}, before the last anthracycline on record ({last})"
    return Fact(fact.key, State.STALE, fact.value, fact.when, fact.origin, fact.bound, (*fact.doubts, words), words)


@once
def _cardiotoxic(case: Case) -> tuple[str, ...]:
    return tuple(drug for drug in case.snapshot.drugs if case.snapshot.qualifiers(topics.CARDIAC_ASSESSMENT, drug))


@once
def _last_anthracycline(case: Case) -> When | None:
    """When the last anthracycline or mitoxantrone order on record ended; of an open one that is none of the present
    course, when it began.
    """
    drugs = set(_cardiotoxic(case))
    ended = [order.end or order.start for order in case.orders(Role.PAST) if drugs & set(order.ingredients)]
    lasts = int(case.must(topics.ANTHRACYCLINE_COURSE_LASTS, "policy").value.value)
    running = [order for order in case.orders(Role.ACTIVE, Role.ON_HOLD) if drugs & set(order.ingredients)]
    begun = [order.start for order in running if order.start and order.start.days_ago(case.now) > lasts]
    return max(filter(None, (*ended, *begun)), key=lambda when: when.latest, default=None)


@rule("lvef-low", subjects=uses(topics.LVEF_AT_MOST, topics.LVEF_BELOW), sources=("SAF20", "D48"), worst=Level.WARNING)
def lvef_low(case: Case, use: Use) -> Outcome:
    """Low LVEF or heart failure on record before a cardiotoxic drug.

    Asked of an anthracycline or mitoxantrone that is ordered or taken. A warning when the LVEF is low by the limit of
    the drug's source, else of the policy, and at any LVEF when heart failure or cardiomyopathy is on record. Without
    such an entry, a low LVEF that is too old or in doubt is told as information.

    A good LVEF clears only when it is sure and the whole problem list was read; else the card of gaps says so. A
    missing or old LVEF before a new order is left to the check that asks for the LVEF.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    lvef, problems = _current_lvef(case), case.fact(PROBLEMS)
    disease = entries_of(problems, keys_of(case, "weak heart"))
    at_most = case.cite(topics.LVEF_AT_MOST, use.drug)
    limit = at_most or case.must(topics.LVEF_BELOW, use.drug)
    low = at_or_below(lvef, limit.value) if at_most else below(lvef, limit.value)
    if low is not Truth.YES and disease:
        return _weak_heart(case, use, orders, lvef, limit, disease, low)
    match low:
        case Truth.YES:
            return _weak_heart(case, use, orders, lvef, limit, disease, low)
        case Truth.NO:
            return Clear(f"LVEF {lvef.value}") if problems.sure else case.blind(problems, about=orders)
        case Truth.UNKNOWN:
            told = bool(use.drafts) and problems.sure and lvef.state in (State.ABSENT, State.STALE)
            return case.blind(lvef, problems, about=orders, quiet=told)  # the missing LVEF has its own card
        case other:
            assert_never(other)


def _weak_heart(
    case: Case,
    use: Use,
    orders: tuple[Medication, ...],
    lvef: Fact[Quantity],
    limit: Statement[Quantity],
    disease: tuple[object, ...],
    low: Truth,
) -> Outcome:
    is_low = low is Truth.YES
    said = case.must(topics.CARDIAC_ASSESSMENT, use.drug)
    window = case.must(topics.LVEF_WINDOW, "policy")
    wanting = bool(use.drafts) and bool(disease) and lvef.state in (State.ABSENT, State.STALE)
    return case.fired(
        Level.WARNING,
        "lvef_low",
        about=use.in_play,
        deciding=doubtful(orders),
        drug=use.drug,
        because=(lvef,) if is_low and not disease else (),
        says=(limit, said) if is_low else (said,),
        mentions=(window,) if wanting else (),
        holds=is_low and limit.verification is not Verification.POLICY,
        propose=(ECHO,) if wanting else (),
        low=is_low,
        wanting=wanting,
        window=window,
        lvef=lvef,
        limit=limit,
        disease=disease,
        said=said,
        preferred=case.cite(topics.CARDIAC_CHOICE, use.drug),
        at_most=limit.topic == topics.LVEF_AT_MOST.name,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One drug of the exposure table, with its limit and its doxorubicin equivalent where one is named."""

    exposure: Exposure
    limit: Statement[Quantity] | None
    over: bool
    over_before: bool  # without the drafts
    recorded: bool
    with_drafts: Quantity | None
    equivalent: str
    ratio: Statement[Decimal] | None


@rule(
    "cumulative-anthracycline",
    subjects=uses(topics.CUMULATIVE_LIMIT, topics.CUMULATIVE_NOTE, roles=(Role.DRAFT,)),
    sources=("SAF20", "M11"),
    worst=Level.WARNING,
)
def cumulative_anthracycline(case: Case, use: Use) -> Outcome:
    """Anthracycline already given, in mg/m² drug by drug as the orders state it, and with the drafts.

    Asked of every new order of an anthracycline or mitoxantrone. A line lists, drug by drug, what the orders on record
    come to per body surface, and what with the new one; a warning once a drug passes the limit of its source. A drug
    without such a limit is only listed, and with nothing on record a medication list read in part is a gap.

    Only ended orders and drafts that state the dose per body surface, how often and for which days are counted; every
    other one is named as not counted. Orders are not doses given, and doses of different drugs are never added up:
    equivalents only stand beside.
    """
    medications = case.fact(MEDICATIONS)
    found = exposures(case.orders(*Role), _cardiotoxic(case))
    rows = tuple(_row(case, exposure) for exposure in found)
    over = tuple(row for row in rows if row.over)
    if not over and not any(exposure.recorded for exposure in found):
        if medications.sure:
            return Clear("no earlier anthracycline among the orders read")
        return case.blind(medications, about=use.drafts)
    limits = tuple(row.limit for row in over if row.limit is not None)
    table = case.must(topics.EQUIVALENCE_TABLE, "policy")
    note = case.cite(topics.CUMULATIVE_NOTE, use.drug)
    says: tuple[Statement[Any], ...] = limits or ((note,) if note else ())
    return case.fired(
        Level.WARNING if over else Level.INFO,
        "cumulative_anthracycline",
        about=use.drafts,
        drug=use.drug,
        says=says,
        mentions=_mentions(rows, table),
        line=not over,
        rows=rows,
        over=over,
        note=note,
        table=table,
        incomplete=any(row.exposure.uncounted for row in rows) or not medications.sure,
    )


def _mentions(rows: tuple[Row, ...], table: Statement[str]) -> tuple[Statement[Any], ...]:
    """What stands beside the raw doses without deciding anything: limits, and the ratios with their table."""
    limits = tuple(row.limit for row in rows if row.limit is not None)
    ratios = tuple(row.ratio for row in rows if row.ratio is not None and row.equivalent)
    return (*limits, table, *ratios) if ratios else limits


def _row(case: Case, exposure: Exposure) -> Row:
    limit = case.cite(topics.CUMULATIVE_LIMIT, exposure.drug)
    ratio = case.cite(topics.DOXORUBICIN_RATIO, exposure.drug)
    before, total = exposure.total, exposure.with_drafts
    over = bool(total and limit and total > limit.value)
    over_before = bool(before and limit and before > limit.value)
    equivalent = str(total.times(ratio.value)) if total and ratio else ""
    return Row(exposure, limit, over, over_before, exposure.recorded, total, equivalent, ratio)


@rule(
    "age-high-dose-cytarabine",
    subjects=uses(topics.AGE_WITH_ANTHRACYCLINE_ABOVE),
    sources=("D41", "SAF22", "M11", "M12", "E51"),
    worst=Level.WARNING,
    pairs=True,
)
def age_high_dose_cytarabine(case: Case, use: Use) -> Outcome:
    """High-dose cytarabine with an anthracycline above the age at which it is held too toxic.

    Asked of cytarabine when an anthracycline or mitoxantrone is ordered or taken as well. A warning when cytarabine is
    high dose and the patient older than the age that the source names; beside mitoxantrone alone it is information.

    High dose is known from the dose per body surface or from the words of the order, and never counts into the spinal
    fluid. Milligrams alone leave it open unless they are too few; that, a missing age, or a birth year that fits both
    sides, goes to the card of gaps. Which days the drugs are given on is not read.
    """
    partners = _partners(case)
    if not partners or not use.in_play:
        return NotApplicable("no anthracycline or mitoxantrone beside cytarabine")
    about = (*use.in_play, *(order for order in partners if order not in use.in_play))
    limit = case.must(topics.AGE_WITH_ANTHRACYCLINE_ABOVE, use.drug)
    age = case.fact(AGE)
    old = Truth.UNKNOWN if age.value is None else holds(age, lambda years: years.youngest > int(limit.value.value))
    if age.value is not None and age.value.youngest <= int(limit.value.value) < age.value.oldest:
        old = Truth.UNKNOWN
    match high_dose(case, use) & old:
        case Truth.NO:
            return Clear("not both: high-dose cytarabine and an age above the limit")
        case Truth.UNKNOWN:
            why = "" if old is Truth.UNKNOWN else "whether cytarabine is high dose cannot be read from the order"
            if age.value is not None and old is Truth.UNKNOWN:
                why = f"the birth date gives {age.value}"
            return case.blind(age, about=about, why=why)
        case Truth.YES:
            mitoxantrone = case.must(topics.AGE_WITH_MITOXANTRONE, use.drug)
            anthracycline = tuple(order for order in partners if _is_anthracycline(case, order))
            return case.fired(
                Level.WARNING if anthracycline else Level.INFO,
                "age_high_dose_cytarabine",
                about=about,
                drug=use.drug,
                because=(age,),
                says=(limit,) if anthracycline else (mitoxantrone,),
                age=age,
                mitoxantrone=mitoxantrone,
                limit=limit,
                partners=tuple(replace(order, ingredients=_hearts(case, order)) for order in anthracycline or partners),
                anthracycline=bool(anthracycline),
            )
        case other:
            assert_never(other)


def _hearts(case: Case, order: Medication) -> tuple[str, ...]:
    """The drugs of the order that harm the heart: a regimen holds others too."""
    return tuple(drug for drug in order.ingredients if drug in _cardiotoxic(case))


def _partners(case: Case) -> tuple[Medication, ...]:
    drugs = set(_cardiotoxic(case))
    return tuple(order for order in case.orders(Role.DRAFT, Role.ACTIVE) if drugs & set(order.ingredients))


def _is_anthracycline(case: Case, order: Medication) -> bool:
    groups = (case.cite(topics.CLASS_GROUP, drug) for drug in order.ingredients)
    return any(group.value == ANTHRACYCLINE for group in groups if group is not None)
