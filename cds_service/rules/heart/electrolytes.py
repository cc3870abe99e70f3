"""Electrolytes: potassium and magnesium before and during drugs that prolong the QT interval, and what lowers them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.fact import Fact, Key, State, below
from cds_service.facts.values.labs import MAGNESIUM, POTASSIUM
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Topic
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, Subjects, rule
from cds_service.rules.standing import has_died
from cds_service.rules.subjects import Met, Use, Uses, doubtful, met, uses
from cds_service.rules.treatment import days, not_taken, noted_as_old, started, told_as_old
from cds_service.truth import Truth

LIMITS: dict[Key[Quantity], tuple[Topic[Quantity], Topic[Quantity]]] = {
    POTASSIUM: (topics.POTASSIUM_LOW_BELOW, topics.POTASSIUM_TARGET),
    MAGNESIUM: (topics.MAGNESIUM_LOW_BELOW, topics.MAGNESIUM_TARGET),
}


SEVERE: dict[Key[Quantity], Topic[Quantity]] = {
    POTASSIUM: topics.POTASSIUM_SEVERE_BELOW,
    MAGNESIUM: topics.MAGNESIUM_SEVERE_BELOW,
}


@dataclass(frozen=True, slots=True)
class UseAndElectrolyte:
    """One electrolyte for one of our drugs."""

    use: Use
    key: Key[Quantity]

    def __str__(self) -> str:
        return f"{self.use}, {self.key.label}"

    @property
    def orders(self) -> tuple[Medication, ...]:
        """The orders of the drug."""
        return self.use.orders


@dataclass(frozen=True)
class Both:
    """Finds each electrolyte for each of our drugs in play of which something is said on a topic."""

    of: Uses

    def __call__(self, case: Case) -> Subjects[UseAndElectrolyte]:
        """The uses, each with both electrolytes, or why there are none."""
        found = self.of(case)
        pairs = tuple([UseAndElectrolyte(use, key) for use in found.found for key in LIMITS])
        return Subjects(pairs, found.unknown, found.none)

    @property
    def names(self) -> tuple[str, ...]:
        """The topics by their names."""
        return self.of.names

    @property
    def in_words(self) -> str:
        """The roles in words."""
        return self.of.in_words


@rule(
    "electrolytes",
    subjects=Both(uses(topics.ELECTROLYTES_REQUIRED)),
    sources=("SAF05",),
    worst=Level.WARNING,
    blind=Level.WARNING,
    before_dose=True,
)
def electrolyte_low(case: Case, subject: UseAndElectrolyte) -> Outcome:
    """Potassium and magnesium before and during treatment.

    Asked of potassium and of magnesium, each by itself, for a drug ordered or taken whose source wants them corrected.
    A warning below the low limit of the policy, and a line between that limit and the target. A low value that is too
    old, preliminary or contradictory is one step lower, with the gap named beside it as a warning; a good one in doubt
    clears nothing. Before a start a good value that counts, but is some days old, is a line, and both are one.

    What is missing or cannot be used goes to the card of gaps as a warning, unless it is told as due on treatment.
    Where the drug's own text forbids it in severe deficiency, the check of severe deficiency speaks instead.
    """
    use, key = subject.use, subject.key
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    value = _current(case, use, key)
    low, target = (case.must(topic, "policy") for topic in LIMITS[key])
    required = case.must(topics.ELECTROLYTES_REQUIRED, use.drug)
    match below(value, low.value):
        case Truth.YES:
            if _severe(case, use, key, value) is Truth.YES:
                return Clear("so low that the drug is contraindicated: see that check")
            return case.fired(
                Level.WARNING,
                "electrolyte_low",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(value,),
                says=(required, low),
                propose=(Proposal("order", f"Repeat {key.label}", order=key.order),),
                value=value,
                limit=low,
                target=target,
                required=required,
                new=use.is_new,
            )
        case Truth.UNKNOWN:
            return case.blind(value, quiet=_told_by_schedule(case, use, value))
        case Truth.NO:
            pass
        case other:
            assert_never(other)
    if below(value, target.value) is Truth.YES:
        return case.fired(
            Level.INFO,
            "electrolyte_below_target",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            because=(value,),
            says=(target,),
            line=True,
            value=value,
            target=target,
            older=noted_as_old(case, value) if use.is_new else None,
        )
    old = _good_and_old(case, use)
    if value in old and value is not old[0]:
        return Clear(f"{key.label} {value.value}, some days old: told with {old[0].key.label}")
    told = told_as_old(case, use.drug, use.in_play, old) if value in old else None
    return told or Clear(f"{key.label} {value.value}")


def _good_and_old(case: Case, use: Use) -> tuple[Fact[Quantity], ...]:
    """Those of both that count before this start, reach their target and are some days old: one line tells them."""
    found = []
    for key, topics_of_it in LIMITS.items() if use.is_new else ():
        value = _current(case, use, key)
        limits = [case.must(topic, "policy").value for topic in topics_of_it]
        if all(below(value, limit) is Truth.NO for limit in limits) and noted_as_old(case, value) is not None:
            found.append(value)
    return tuple(found)


def _current(case: Case, use: Use, key: Key[Quantity]) -> Fact[Quantity]:
    window = topics.ELECTROLYTE_WINDOW_AT_START if use.is_new else topics.ELECTROLYTE_WINDOW_ON_TREATMENT
    return case.fact(key, case.must(window, "policy").value)


def _severe(case: Case, use: Use, key: Key[Quantity], value: Fact[Quantity]) -> Truth:
    """Whether the deficiency is so severe that this drug's text forbids it; NO where the text does not name it."""
    forbidden = case.cite(topics.QT_CONTRAINDICATED_ELECTROLYTES, use.drug)
    if forbidden is None or key.name not in forbidden.value:
        return Truth.NO
    return below(value, case.must(SEVERE[key], "policy").value)


@rule(
    "electrolytes-severe",
    subjects=Both(uses(topics.QT_CONTRAINDICATED_ELECTROLYTES)),
    sources=("SAF15", "SAF05"),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
    before_dose=True,
)
def severe_deficiency(case: Case, subject: UseAndElectrolyte) -> Outcome:
    """Severe lack of potassium or magnesium, in which the drug is contraindicated.

    Asked only of a drug, ordered or taken, whose own text forbids it in severe lack of potassium or magnesium. Critical
    when the value is below what the policy takes for severe: the text forbids, and the policy only says what severe
    means. A value too old or in doubt makes it a warning, and so does a text borrowed from another country.

    A value that is missing or cannot be used, or a good one in doubt, goes to the card of gaps as a warning. What is
    low but not severe is told by the check of potassium and magnesium before and during treatment.
    """
    use, key = subject.use, subject.key
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    value = _current(case, use, key)
    forbidden = case.must(topics.QT_CONTRAINDICATED_ELECTROLYTES, use.drug)
    limit = case.must(SEVERE[key], "policy")
    match _severe(case, use, key, value):
        case Truth.YES:
            return case.fired(
                Level.CRITICAL,
                "electrolyte_severe",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(value,),
                says=(forbidden,),  # the text forbids it; the number that we read it by is only mentioned
                mentions=(limit,),
                propose=(Proposal("order", f"Repeat {key.label}", order=key.order),),
                waits=use.is_new,
                value=value,
                forbidden=forbidden,
                limit=limit,
                target=case.must(LIMITS[key][1], "policy"),
                new=use.is_new,
            )
        case Truth.UNKNOWN:
            return case.blind(value)
        case Truth.NO:
            return Clear(f"{key.label} {value.value} is not severely low")
        case other:
            assert_never(other)


@rule("electrolyte-schedule", subjects=uses(topics.ELECTROLYTES_REQUIRED), sources=("SAF05",), worst=Level.WARNING)
def electrolyte_schedule(case: Case, use: Use) -> Outcome:
    """Potassium and magnesium due on treatment.

    Asked while a drug is taken whose source wants potassium and magnesium watched. Counted from the newest value, or
    from the start of treatment, a line says that the next is due by the interval of the policy; beyond its tolerance, a
    warning. That one interval holds for every drug, also where a source asks less often.

    Where the start or a value's date is not known, or a value could not be read, no card comes from here: the check of
    the values names the gap. It looks at dates only, not at values, nor whether the test is ordered already. After a
    death none is due.
    """
    if not use.taken:
        return not_taken(case, use)
    if died := has_died(case):
        return NotApplicable(died)
    if started(case, use) is None:
        return case.blind(why=f"the day {use.drug} was started is not known", quiet=True)
    tolerance = days(case.must(topics.ECG_TOLERANCE, "policy").value)
    today = case.now.date()
    values = tuple(case.fact(key) for key in LIMITS)
    due = [(value, day) for value in values if (day := _due(case, use, value)) is not None and day <= today]
    overdue = [(value, day) for value, day in due if day + tolerance < today]
    if due:
        every = case.must(topics.ELECTROLYTE_WINDOW_ON_TREATMENT, "policy")
        told = tuple(value for value, _ in overdue or due)
        return case.fired(
            Level.WARNING if overdue else Level.INFO,
            "electrolytes_due",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            says=(case.must(topics.ELECTROLYTES_REQUIRED, use.drug), every),
            propose=tuple(Proposal("order", f"Order {value.key.label}", order=value.key.order) for value in told),
            line=not overdue,
            values=told,
            names=" and ".join(value.key.label for value in told),
            day=min(day for _, day in overdue or due),
            overdue=bool(overdue),
            every=every,
        )
    unknown = tuple(value for value in values if _due(case, use, value) is None)
    return case.blind(*unknown, quiet=True) if unknown else Clear("measured in time")


def _due(case: Case, use: Use, value: Fact[Quantity]) -> date | None:
    """The day on which the next one is due, counted from the newest or from the start; None when not known."""
    start = started(case, use)
    if start is None or (value.value is None and value.state is not State.ABSENT):
        return None
    if value.value is not None and value.when is None:
        return None
    newest = value.when.earliest.date() if value.when is not None else start.earliest.date()
    every = case.must(topics.ELECTROLYTE_WINDOW_ON_TREATMENT, "policy").value
    return max(newest, start.earliest.date()) + days(every)


def _told_by_schedule(case: Case, use: Use, value: Fact[Quantity]) -> bool:
    """Whether an old or missing value is told already, as due on treatment."""
    if use.drafts or not use.active or value.state not in (State.STALE, State.ABSENT):
        return False
    day = _due(case, use, case.fact(value.key))
    return day is not None and day <= case.now.date()


@rule(
    "electrolyte-wasting",
    subjects=uses(topics.ELECTROLYTES_REQUIRED),
    sources=("SAF05", "SAF14"),
    pairs=True,
    worst=Level.WARNING,
)
def electrolyte_wasting(case: Case, use: Use) -> Outcome:
    """Drugs that lower potassium or magnesium, beside a drug that prolongs the QT interval.

    Asked of a drug, ordered or taken, whose source wants potassium and magnesium corrected. A line in the order's card
    names each other drug, ordered or taken, that is known to lower them, with the newest values; a warning when what
    they lower is low already. Where the only low value is too old or in doubt, it is information again.

    A value that is missing is said as such here, and counted as a gap by the check of the values. Where none is found
    and the medication list is missing or was read in part, the card of gaps says so.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = met(case, use, "electrolytes")
    lowered = {each.drug: _lowered(case, each) for each in others}
    others = tuple(each for each in others if lowered[each.drug])
    if not others:
        medications = case.fact(MEDICATIONS)
        if medications.sure:
            return Clear("no drug that lowers potassium or magnesium among the orders read")
        return case.blind(medications, about=use.in_play)
    required = case.must(topics.ELECTROLYTES_REQUIRED, use.drug)
    concerned = [key for key in LIMITS if any(key in keys for keys in lowered.values())]
    facts = {key: _current(case, use, key) for key in concerned}
    limits = {key: case.must(LIMITS[key][0], "policy") for key in concerned}
    low = tuple(key for key in concerned if below(facts[key], limits[key].value) is Truth.YES)
    effects = tuple(effect for each in others if (effect := case.effect(each.drug, "electrolytes")) is not None)
    culprits = tuple(each for each in others if any(key in lowered[each.drug] for key in low))
    return case.fired(
        Level.WARNING if low else Level.INFO,
        "electrolyte_wasting",
        about=(*use.drafts, *use.active, *(order for each in others for order in each.orders)),
        deciding=doubtful((*use.drafts, *use.active), tuple(order for each in others for order in each.orders)),
        drug=use.drug,
        because=tuple(facts[key] for key in sorted(low, key=lambda key: not facts[key].sure)[:1]),
        says=(required, *(limits[key] for key in low)),
        mentions=effects,
        propose=tuple(Proposal("order", f"Repeat {key.label}", order=key.order) for key in low),
        line=not low,
        lowering=tuple(
            f"{each.spoken} lowers {' and '.join(key.label for key in lowered[each.drug])}" for each in others
        ),
        taken=tuple(each.drug for each in culprits if not _only_drafted(each)),
        drafted=tuple(each.drug for each in culprits if _only_drafted(each)),
        low=tuple(facts[key] for key in low),
        newest=tuple(facts[key] for key in concerned),
        required=required,
    )


def _only_drafted(other: Met) -> bool:
    """Whether none of it was taken yet, so that a value that is low is not its doing."""
    return all(order.role is Role.DRAFT and not (order.replaces or order.on_record) for order in other.orders)


def _lowered(case: Case, other: Met) -> tuple[Key[Quantity], ...]:
    """Which of our electrolytes it lowers."""
    effect = case.effect(other.drug, "electrolytes")
    said = effect.value if effect is not None else ""
    return tuple(key for key in LIMITS if said.startswith("lowers") and key.label in said)
