"""Intake: what is taken with the capsule. Acid reducers, what is taken hours apart, food and vaccines."""

from __future__ import annotations

from cds_service.facts.drugs.medications import MEDICATIONS, Role
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.interactions.partners import none_met, orders_of, undo
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, only_if_weak, rule
from cds_service.rules.subjects import Met, Use, doubtful, met, uses

# The classes of acid reducer, the one that lowers the acid longest first.
ACID_CLASSES = ("proton pump inhibitor", "h2 blocker", "antacid")


@rule(
    "acid-reducer",
    subjects=uses(topics.ACID_REDUCER),
    sources=("SAF38",),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def acid_reducer(case: Case, use: Use) -> Outcome:
    """Acid reducers, which lower the uptake of a capsule that needs the acid.

    Asked of a capsule, ordered or taken, that needs the acid of the stomach. A warning when a proton pump inhibitor, an
    H2 blocker or an antacid is ordered or taken; of several, the one that lowers the acid longest names the card. It is
    one step lower where that one is known only from orders in doubt.

    The hours at which each is taken are not read, and where no source states a spacing none is invented. Where none is
    found and the medication list is missing or was read in part, the card of gaps says so as a warning.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    found = sorted(met(case, use, "acid"), key=lambda other: (ACID_CLASSES.index(_class(case, other)), other.drug))
    others = tuple(found)
    if not others:
        return none_met(case, use, "acid reducer")
    first = others[0]
    own = case.cite(topics.ACID_REDUCER, use.drug, _class(case, first))
    said = own if own is not None else case.must(topics.ACID_REDUCER, use.drug)
    return case.fired(
        Level.WARNING,
        "acid_reducer",
        about=orders_of(use, others),
        drug=use.drug,
        says=(said, *only_if_weak(case.effect(first.drug, "acid"))),
        deciding=doubtful((*use.drafts, *use.active), first.orders),
        propose=undo(others),
        others=others,
        kind=_class(case, first).replace("h2", "H2"),
        said=said,
        new=bool(use.drafts),
    )


def _class(case: Case, other: Met) -> str:
    effect = case.effect(other.drug, "acid")
    return effect.value if effect is not None and effect.value in ACID_CLASSES else ACID_CLASSES[0]


@rule("take-apart", subjects=uses(topics.TAKE_APART), sources=("SAF40",), pairs=True, worst=Level.INFO)
def take_apart(case: Case, use: Use) -> Outcome:
    """Two capsules that are taken some hours apart.

    Asked of a drug whose source wants some hours between it and another one that it names. Always a line, when both are
    ordered or taken: at which hour each is taken is not read. Where the other one is not found and the medication list
    is missing or was read in part, the card of gaps says so as information.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    for name in case.snapshot.qualifiers(topics.TAKE_APART, use.drug):
        orders = tuple(order for order in case.orders(Role.DRAFT, Role.ACTIVE) if name in order.ingredients)
        if orders:
            said = case.must(topics.TAKE_APART, use.drug, name)
            return case.fired(
                Level.INFO,
                "take_apart",
                about=(*use.drafts, *use.active, *orders),
                drug=use.drug,
                says=(said,),
                line=True,
                other=name,
                said=said,
            )
    medications = case.fact(MEDICATIONS)
    return Clear("no such capsule") if medications.sure else case.blind(medications, about=use.in_play)


@rule("food-left-out", subjects=uses(topics.FOOD_LEFT_OUT), sources=("SAF12",), pairs=True, worst=Level.WARNING)
def food_left_out(case: Case, use: Use) -> Outcome:
    """A food that raises the drug's level, found on the medication list.

    Asked of a drug, ordered or taken, whose source names foods to leave out, and whose dose beside inhibitors is set by
    a check in which food does not count. A warning when such a food is ordered or taken; one step lower where every
    order of it is in doubt. No dose is stated for it.

    Where none is found and the medication list is missing or was read in part, the card of gaps says so as information.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    named = case.must(topics.FOOD_LEFT_OUT, use.drug)
    others = tuple(other for other in met(case, use, "cyp3a") if other.drug in named.value)
    if not others:
        return none_met(case, use, "food to leave out")
    return case.fired(
        Level.WARNING,
        "food_left_out",
        about=orders_of(use, others),
        drug=use.drug,
        says=(named,),
        deciding=doubtful((*use.drafts, *use.active), *(other.orders for other in others)),
        propose=undo(others),
        others=others,
        new=bool(use.drafts),
    )


@rule(
    "live-vaccine",
    subjects=uses(topics.LIVE_VACCINES),
    sources=("SAF38",),
    pairs=True,
    worst=Level.WARNING,
)
def live_vaccine(case: Case, use: Use) -> Outcome:
    """A live vaccine that is ordered beside a drug whose source forbids it.

    Asked of a drug, ordered or taken, whose source asks for no live vaccines. A warning when one is ordered or on the
    medication list; one step lower where every order of it is in doubt. What the source says of the time after the
    treatment is told, and not counted.

    A vaccination that is recorded as given is not looked for. Where none is found and the medication list is missing or
    was read in part, the card of gaps says so as information.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = met(case, use, "live-vaccine")
    if not others:
        return none_met(case, use, "live vaccine")
    said = case.must(topics.LIVE_VACCINES, use.drug)
    return case.fired(
        Level.WARNING,
        "live_vaccine",
        about=orders_of(use, others),
        drug=use.drug,
        says=(said,),
        deciding=doubtful((*use.drafts, *use.active), *(other.orders for other in others)),
        propose=undo(others),
        others=others,
        said=said,
        new=bool(use.drafts),
    )


@rule(
    "food-and-vaccines",
    subjects=uses(topics.GRAPEFRUIT, topics.LIVE_VACCINES, topics.WITH_FOOD),
    sources=("SAF12",),
    worst=Level.INFO,
)
def food_and_vaccines(case: Case, use: Use) -> Outcome:
    """How the drug is taken as to meals, and food and vaccines to avoid, told when it is started.

    Asked when a drug is started whose source says how it goes with meals, or names food or live vaccines to avoid.
    Always a line, and food that the card for the start names already is not repeated. Where a medication list read in
    part leaves open whether the drug is new, the card of gaps says so as information.

    What the patient eats, and which vaccines were given, is not looked up.
    """
    medications = case.fact(MEDICATIONS)
    if use.drafts and not medications.sure and not use.of(Role.ACTIVE, Role.ON_HOLD):
        return case.blind(medications, about=use.drafts, why=f"whether {use.drug} is new is not known")
    if not use.is_new:
        return NotApplicable("not a start")
    told = any(case.cite(t, use.drug) is not None for t in (topics.DIFFERENTIATION_SYNDROME, topics.TLS_ADVICE))
    food = None if told else case.cite(topics.GRAPEFRUIT, use.drug)  # else it stands in the card for the start
    vaccines = case.cite(topics.LIVE_VACCINES, use.drug)
    meals = case.cite(topics.WITH_FOOD, use.drug)
    said = tuple(each for each in (meals, food, vaccines) if each is not None)
    if not said:
        return Clear("told with the start of the drug")
    return case.fired(
        Level.INFO,
        "food_and_vaccines",
        about=use.drafts,
        drug=use.drug,
        says=said,
        line=True,
        aside=True,
        advice=said,
    )
