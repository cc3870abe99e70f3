"""Dose, route and frequency against the label, and what one may not be given in the place of another."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from msgspec import structs

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.drugs.routes import INTRATHECAL
from cds_service.facts.fact import below
from cds_service.facts.values.labs import BODY_WEIGHT
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.interactions.ceilings import low_dose_cytarabine
from cds_service.rules.rule import Case, Clear, NotApplicable, NotEvaluated, Outcome, rule
from cds_service.rules.standing import in_relapse
from cds_service.rules.subjects import Use, distinct, doubtful, uses
from cds_service.rules.treatment import daily_of, taken_together
from cds_service.truth import Truth

ORAL = "oral"
FIRST_DOSE = "first dose"
FIRST_IN_RELAPSE = "first dose in relapse"
_BETWEEN = "with days in between"


@rule(
    "dose-over-label",
    subjects=uses(topics.DOSE_CEILING, topics.SURFACE_CEILING),
    sources=("D20", "M10", "M11"),
    worst=Level.WARNING,
)
def dose_over_label(case: Case, use: Use) -> Outcome:
    """Daily dose against the highest labelled dose, or a dose per body surface against the highest usual one.

    Asked of a drug with a highest dose in its source, when it is ordered, else while it is taken. A warning when an
    order, or several that begin together, comes to more a day, or when one dose per body surface is more. Where the
    source allows more beside low-dose cytarabine, an order of it counts when its dose is known to be low. A dose of it
    that cannot be read, and a medication list read in part, make the warning information.

    Where the source lets the dose rise only later, the orders that start the drug are held against the dose with which
    it begins, with the same warning. In relapsed or refractory AML that is the one for relapse, where there is one.
    Of an order with several steps the first one counts; where none says which comes first, or where the order names an
    earlier one that was not read, it is information. Any earlier order of the drug counts as a beginning, however long
    it lasted.

    A daily dose that cannot be read goes to the card of gaps as information. No body surface is computed: a drug that
    is given by body surface and ordered otherwise is compared with nothing, and the record of the call notes it. The
    lower doses beside inhibitors, with weak kidneys or a weak liver are told by checks of their own.
    """
    alone = case.cite(topics.DOSE_CEILING, use.drug, "without cytarabine")
    if alone is not None and low_dose_cytarabine(case) is Truth.YES:
        alone = None
    orders = use.drafts or use.active
    by_mouth = case.cite(topics.DOSE_CEILING, use.drug, ORAL) if all(each.route == ORAL for each in orders) else None
    limit = by_mouth or alone or case.cite(topics.DOSE_CEILING, use.drug)
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    if limit is None:
        return _by_surface(case, use, orders)
    total = taken_together(orders)
    over = [order for order in orders if order.dose.daily is not None and order.dose.daily > limit.value]
    if over or (total is not None and total > limit.value):
        return case.fired(
            Level.WARNING,
            "dose_over_label",
            about=orders,
            drug=use.drug,
            says=(limit,),
            doubts=_doubts(case) if limit is alone else (),
            order=max(over, key=daily_of) if over else orders[0],
            total=total,
            limit=limit,
            usual=case.cite(topics.USUAL_DOSE, use.drug),
            salt=case.cite(topics.SALT_DOSES, use.drug),
        )
    denser = _over_surface(case, use, orders, _surface(case, use, orders), limit)
    early = denser or _over_first(case, use, limit)
    if early is not None:
        return early
    unread = [order for order in orders if order.dose.daily is None]
    if unread and all(order.dose.per_area is not None for order in unread):
        why = f"{use.drug} is ordered per body surface; no body surface is computed here"
        return NotEvaluated((), why, orders, quiet=True)
    if unread:
        return case.blind(why=f"dose of {use.drug}: {unread[0].dose.why}", about=orders)
    return Clear(f"{orders[0].dose.daily} is within {limit.value}")


def _over_first(case: Case, use: Use, limit: Statement[Quantity]) -> Outcome | None:
    """A start above the dose with which the drug begins, where its source lets it rise only later."""
    first = _first_dose(case, use)
    if first is None or first.value >= limit.value or not use.is_new or use.of(Role.PAST):
        return None
    beginning = _beginning(use.drafts)
    begun = tuple(_as_it_begins(order) for order in beginning)
    surely = _above(begun, first.value)
    open_steps = any(order.dose.first is not None and order.dose.entries > 1 for order in beginning)
    if not surely and not (open_steps and _above(beginning, first.value)):
        return None
    found = begun if surely else beginning
    total = taken_together(found)
    known = case.fact(MEDICATIONS).sure and not any(order.replaces for order in beginning)
    doubts = () if known else ("whether it was taken before is not known",)
    return case.fired(
        Level.WARNING,
        "dose_over_first",
        about=beginning,
        drug=use.drug,
        says=(first,),
        mentions=(limit,),
        doubts=doubts if surely else (*doubts, "which of its steps comes first is not told"),
        order=max(found, key=daily_of),
        total=total,
        first=first,
        later=limit,
        when=first.note,
        salt=case.cite(topics.SALT_DOSES, use.drug),
    )


def _first_dose(case: Case, use: Use) -> Statement[Quantity] | None:
    """The dose with which the drug begins; in relapsed or refractory AML that of its own, where the place has one."""
    own = case.cite(topics.DOSE_CEILING, use.drug, FIRST_IN_RELAPSE)
    if own is not None and not own.foreign and in_relapse(case) is Truth.YES:
        return own
    return case.cite(topics.DOSE_CEILING, use.drug, FIRST_DOSE)


def _as_it_begins(order: Medication) -> Medication:
    """The order with the dose of its first step."""
    if order.dose.first is None:
        return order
    return structs.replace(order, dose=replace(order.dose, daily=order.dose.first, note="the first of its dose steps"))


def _above(orders: tuple[Medication, ...], limit: Quantity) -> bool:
    """Whether one of the orders, or all together, are above the limit."""
    total = taken_together(orders)
    one = any(order.dose.daily is not None and order.dose.daily > limit for order in orders)
    return one or (total is not None and total > limit)


def _beginning(drafts: tuple[Medication, ...]) -> tuple[Medication, ...]:
    """Those of several drafts that come first: without a day of their own, else on the earliest one."""
    days = [order.start.earliest.date() for order in drafts if order.start is not None]
    undated = tuple(order for order in drafts if order.start is None)
    return undated or tuple(o for o in drafts if o.start is not None and o.start.earliest.date() == min(days))


def _doubts(case: Case) -> tuple[str, ...]:
    """Why the limit without low-dose cytarabine may not be the one that holds."""
    if low_dose_cytarabine(case) is Truth.UNKNOWN:
        return ("whether the cytarabine is low-dose is not known",)
    return () if case.fact(MEDICATIONS).sure else ("whether cytarabine is given is not known",)


def _by_surface(case: Case, use: Use, orders: tuple[Medication, ...]) -> Outcome:
    """A drug that is given by body surface alone."""
    most = _surface(case, use, orders)
    if most is None:
        return NotApplicable("no ceiling stated for this way of giving it")
    denser = _over_surface(case, use, orders, most, None)
    if denser is not None:
        return denser
    if any(order.dose.per_area is None for order in orders):
        why = f"{use.drug} goes by body surface, the order does not say so; no body surface is computed here"
        return NotEvaluated((), why, orders, quiet=True)
    return Clear(f"{orders[0].dose.per_area} is within {most.value}")


def _surface(case: Case, use: Use, orders: tuple[Medication, ...]) -> Statement[Quantity] | None:
    """The highest dose per body surface, by mouth where all of it is taken so and a source says so."""
    by_mouth = case.cite(topics.SURFACE_CEILING, use.drug, ORAL) if all(each.route == ORAL for each in orders) else None
    return by_mouth or case.cite(topics.SURFACE_CEILING, use.drug)


def _over_surface(
    case: Case,
    use: Use,
    orders: tuple[Medication, ...],
    most: Statement[Quantity] | None,
    limit: Statement[Quantity] | None,
) -> Outcome | None:
    """A dose per body surface above the highest one, where one is stated: it is too much for every body."""
    if most is None:
        return None
    over = [each for each in orders if each.dose.per_area is not None and each.dose.per_area > most.value]
    if not over:
        return None
    return case.fired(
        Level.WARNING,
        "dose_over_surface",
        about=orders,
        drug=use.drug,
        says=(most,),
        order=over[0],
        area=over[0].dose.per_area,
        surface=most,
        limit=limit,
        parts=most.note,
    )


@rule("dose-under-label", subjects=uses(topics.LOWEST_DOSE), sources=("M10",), worst=Level.WARNING)
def dose_under_label(case: Case, use: Use) -> Outcome:
    """Daily dose against the lowest dose that the source knows, with the lowered ones.

    Asked of a drug whose source names its lowered doses, when it is ordered, else while it is taken. A warning when all
    its orders together come to less a day, as where milligrams were meant and micrograms are written. The same when it
    is ordered per body surface though the source gives a fixed dose to everybody. An order that is in doubt is one step
    lower.

    Whether a lowered dose is called for is not asked here, only whether any source knows it. A daily dose that cannot
    be read is told by the check against the highest dose. Where several instructions of one order may share a day, it
    is left open.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    lowest = case.must(topics.LOWEST_DOSE, use.drug)
    by_surface = case.cite(topics.SMALL_PATIENT, use.drug) is not None  # a small patient gets it so
    areas = [order for order in orders if order.dose.daily is None and order.dose.per_area is not None]
    denser = [] if by_surface else areas
    doses = [order.dose.daily for order in orders if order.dose.daily is not None]
    if not denser and len(doses) < len(orders):
        return NotEvaluated((), f"the daily dose of {use.drug} cannot be read", orders, quiet=True)
    total = Quantity(sum((dose.value for dose in doses), Decimal(0)), "mg/d")
    if not denser and total >= lowest.value:
        return Clear(f"{total} is no less than {lowest.value}")
    if not denser and total.value * max(order.dose.entries for order in orders) >= lowest.value.value:
        return NotEvaluated((), f"several instructions may share a day of {use.drug}", orders, quiet=True)
    return case.fired(
        Level.WARNING,
        "dose_under_label",
        about=orders,
        drug=use.drug,
        says=(lowest,),
        order=denser[0] if denser else orders[0],
        total=total,
        area=denser[0].dose.per_area if denser else None,
        lowest=lowest,
        piece=lowest.note,  # what is known where no source names a lowered dose
        usual=case.cite(topics.USUAL_DOSE, use.drug),
        salt=case.cite(topics.SALT_DOSES, use.drug),
    )


@rule("dose-frequency", subjects=uses(topics.TIMES_A_DAY), sources=("D20", "M10"), worst=Level.WARNING)
def dose_frequency(case: Case, use: Use) -> Outcome:
    """How often a day it is ordered against the label.

    Asked of a drug whose source says how often a day it is given, when it is ordered, else while it is taken. A warning
    when a single order says otherwise, or lets days pass between one dose and the next; one step lower where the order
    itself is in doubt. Several orders may share the day's doses, so they are not judged.

    Where that cannot be read, the record of the call notes it and no card does, because the check of the dose tells a
    dose that cannot be read. The hour, and the days of a cycle that are named one by one, are not looked at.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    said = case.must(topics.TIMES_A_DAY, use.drug)
    wrong = tuple(order for order in orders if _other_than(said.value, order))
    if wrong and len(orders) == 1:  # several orders may share the day's doses between them
        return case.fired(
            Level.WARNING,
            "dose_frequency",
            about=wrong,
            drug=use.drug,
            says=(said,),
            said=said,
            order=wrong[0],
            ordered=_BETWEEN if wrong[0].dose.apart else _often(wrong[0].dose.times),
            label=_often(said.value),
            usual=case.cite(topics.USUAL_DOSE, use.drug),
        )
    if any(order.dose.times is None for order in orders):
        # an unreadable dose is told by the check of the dose; no source asks for the frequency by itself
        return NotEvaluated((), f"how often {use.drug} is taken cannot be read", orders, quiet=True)
    return Clear(f"{_often(said.value)}, as the label says")


def _other_than(times: Decimal, order: Medication) -> bool:
    return order.dose.apart or order.dose.times not in (None, times)


def _often(times: Decimal | None) -> str:
    return {Decimal(1): "once daily", Decimal(2): "twice daily"}.get(times or Decimal(0), f"{times} times daily")


@rule("route", subjects=uses(topics.ROUTES), sources=("M4", "M10"), worst=Level.CRITICAL)
def route(case: Case, use: Use) -> Outcome:
    """Route of the order against the routes that the label knows.

    Asked of a drug whose source names its routes, when it is ordered, else while it is taken. A warning for a route
    that is not among them; into the spinal fluid it is critical, where the source is more than recalled or restated. An
    order that is in doubt is one step lower.

    A route that is not stated is taken neither for right nor for wrong: the record of the call notes it and no card
    does.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    routes = case.must(topics.ROUTES, use.drug)
    known = [order for order in orders if order.route]
    wrong = tuple(  # the one into the spinal fluid first: it makes the card critical
        sorted((o for o in known if o.route not in routes.value), key=lambda order: order.route != INTRATHECAL)
    )
    if wrong:
        boxed = case.cite(topics.NOT_INTRATHECAL, use.drug)
        into_csf = any(order.route == INTRATHECAL for order in wrong)
        says = (boxed,) if into_csf and boxed is not None else (routes,)
        return case.fired(
            Level.CRITICAL if into_csf else Level.WARNING,
            "route",
            about=wrong,
            drug=use.drug,
            says=says,
            order=wrong[0],
            route=wrong[0].route,
            routes=routes,
            boxed=boxed if into_csf else None,
        )
    if len(known) < len(orders):
        return NotEvaluated((), f"the route of {use.drug} is not stated", orders, quiet=True)
    return Clear(f"{known[0].route}")


@rule("oral-form", subjects=uses(topics.ORAL_FORM), sources=("M4", "M11"), worst=Level.WARNING)
def oral_form(case: Case, use: Use) -> Outcome:
    """The tablet ordered in the dose of the injection, or the other way; or both forms side by side.

    Asked of a drug whose tablets and injection must not stand for each other, when it is ordered, else while it is
    taken. A warning when tablets are ordered per body surface, when an injection has exactly the dose of the tablets,
    or when both forms stand side by side. Beside tablets, an order per body surface that states no route counts as the
    injection. Where one of the two forms is known only from orders in doubt, it is information.

    A route or dose that cannot be read, also of what runs beside tablets, goes to the card of gaps as information.
    Whether a dose is too high is asked by the check of the highest dose.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    said, tablet = case.must(topics.ORAL_FORM, use.drug), case.must(topics.ORAL_DOSE, use.drug)
    mixed = tuple(
        order
        for order in orders
        if (order.route == ORAL and order.dose.per_area is not None)
        or (order.route not in ("", ORAL) and order.dose.daily is not None and order.dose.daily == tablet.value)
    )
    ordered = (*use.drafts, *use.active)
    by_mouth = tuple(order for order in ordered if order.route == ORAL)
    injected = tuple(order for order in ordered if order.route not in ("", ORAL) or _is_of_injection(order))
    both = (*by_mouth, *injected) if by_mouth and injected else ()
    if mixed or both:
        return case.fired(
            Level.WARNING,
            "oral_form",
            about=mixed or both,
            deciding=() if mixed else doubtful(by_mouth, injected),
            drug=use.drug,
            says=(said,),
            order=(mixed or both)[0],
            area=(mixed or both)[0].dose.per_area,
            beside=None if mixed else injected[0],
            unrouted=None if mixed or injected[0].route else injected[0].dose.per_area,
            said=said,
            by_mouth=(mixed or both)[0].route == ORAL,
        )
    asked = distinct([*orders, *(ordered if by_mouth else ())])
    if any(not order.route or (order.dose.daily is None and order.dose.per_area is None) for order in asked):
        return NotEvaluated((), f"route or dose of {use.drug} cannot be read", asked)
    return Clear("dose and route belong to the same form")


def _is_of_injection(order: Medication) -> bool:
    """Whether it is dosed as the injection is, and does not say how it is given."""
    return not order.route and order.dose.per_area is not None


@rule("small-patient", subjects=uses(topics.SMALL_PATIENT_BELOW), sources=("D20", "M11"), worst=Level.WARNING)
def small_patient(case: Case, use: Use) -> Outcome:
    """A flat dose in a patient too light for it.

    Asked of a drug whose flat dose holds only from a weight on, when it is ordered, else while it is taken. A warning
    when the weight is below; a weight in doubt, or older than the window of the policy, is one step lower. A weight
    that is missing, or high enough but in doubt, goes to the card of gaps as information.

    No dose per body surface is computed. Beside a strong CYP3A inhibitor the dose by weight has a check of its own.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    limit = case.must(topics.SMALL_PATIENT_BELOW, use.drug)
    weight = case.fact(BODY_WEIGHT, case.must(topics.WEIGHT_WINDOW, "policy").value)
    match below(weight, limit.value):
        case Truth.YES:
            said = case.must(topics.SMALL_PATIENT, use.drug)
            return case.fired(
                Level.WARNING,
                "small_patient",
                about=use.in_play,
                deciding=doubtful(orders),
                drug=use.drug,
                because=(weight,),
                says=(limit, said),
                weight=weight,
                limit=limit,
                said=said,
            )
        case Truth.NO:
            return Clear(f"{weight.value} is not below {limit.value}")
        case Truth.UNKNOWN:
            return case.blind(weight, about=orders)
        case other:
            assert_never(other)
