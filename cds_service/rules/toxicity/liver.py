"""Liver values against the limits at which a drug is held or its dose lowered: on treatment, and before an order."""

from __future__ import annotations

import re
from functools import partial
from itertools import takewhile
from typing import assert_never

from cds_service.facts.drugs.medications import Role
from cds_service.facts.fact import Fact, State, above
from cds_service.facts.times import When
from cds_service.facts.values.labs import ALT_SERIES, ALT_ULN, AST_SERIES, AST_ULN, BILIRUBIN_ULN
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.heart.holds import may_be_toxic
from cds_service.rules.obstruction import surely_suspected
from cds_service.rules.rule import Case, Clear, Outcome, rule
from cds_service.rules.standing import child
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import daily_of, not_taken, started
from cds_service.rules.upper_limits import bilirubin_multiple
from cds_service.truth import Truth, any_of

Limited = tuple[Fact[Quantity], Statement[Quantity]]
Passed = tuple[Fact[Quantity], Statement[Quantity], bool]


@rule(
    "liver",
    subjects=uses(topics.TRANSAMINASE_HOLD_ABOVE, topics.BILIRUBIN_HOLD_ABOVE, topics.BILIRUBIN_LOWER_ABOVE),
    sources=("SAF10", "SAF18", "SAF30", "section-11"),
    worst=Level.WARNING,
)
def liver(case: Case, use: Use) -> Outcome:
    """Liver values on treatment, and before a new order: what stops treatment is no place to start it from.

    It is asked of a drug with a limit for transaminases or bilirubin at which treatment is held, or the dose lowered,
    while it is taken and before it is ordered. A value above it warns, and so does a transaminase above its lower limit
    beside a raised bilirubin. Old or doubtful values count one step lower, unless a sure one is above too.

    A bilirubin without its upper limit is weighed by a default, which the card says. Missing values are a gap on
    treatment. Before a first order they are one where the source asks for them before each dose. They are one too where
    a current result cannot be weighed, for want of a unit or an upper limit, say, or where none could be had. A dose
    for a sick liver is another check, and causes are not looked for. Where SOS/VOD is suspected beyond doubt, that card
    tells the values. After a hold for the liver, an order above the dose at which the source resumes is a warning.
    """
    before = case.cite(topics.LIVER_BEFORE_DOSE, use.drug)
    again = before is not None or bool(use.of(Role.ON_HOLD))  # before each dose, or before it is resumed
    orders = (*use.drafts, *use.active)
    if not orders:
        return not_taken(case, use)
    multiple, assumed = bilirubin_multiple(case, case.must(topics.LAB_WINDOW, "policy").value)
    facts = _limited(case, use, multiple)
    alone = {fact.key.name: above(fact, limit.value) for fact, limit in facts}
    truths = alone | _with_bilirubin(case, use, facts, alone)
    match any_of(truths.values()):
        case Truth.YES if surely_suspected(case, use):
            return Clear("the card that suspects SOS/VOD tells the values")
        case Truth.YES:
            found = [
                _passed(case, use, fact, limit, alone[fact.key.name])
                for fact, limit in facts
                if truths[fact.key.name] is Truth.YES
            ]
            over = tuple(sorted(found, key=lambda pair: not pair[0].sure))  # the surest value decides
            lowers = over[0][1].topic == topics.BILIRUBIN_LOWER_ABOVE.name
            leans = any(fact is multiple or joined for fact, _, joined in over)
            return case.fired(
                Level.WARNING,
                "liver",
                about=orders,
                deciding=doubtful(orders),
                drug=use.drug,
                because=(over[0][0],),
                says=(over[0][1],),
                over=over,
                holds=not lowers,
                lowers=lowers,
                assumed=assumed if leans else None,
                taken=bool(use.taken),
                monitoring=before or case.cite(topics.BLOOD_AND_LIVER_MONITORING, use.drug),
                action=case.cite(topics.LIVER_ACTION, use.drug),
            )
        case Truth.NO:
            return _resumed(case, use, facts) or Clear("the liver values are below the limits")
        case Truth.UNKNOWN:
            unknown = tuple(fact for fact, _ in facts if truths[fact.key.name] is Truth.UNKNOWN)
            asked_for = before is not None or not use.is_new
            quiet = not asked_for and not any(_came(case, fact) for fact in unknown)
            level = Level.WARNING if again and use.drafts else None
            return case.blind(*unknown, about=orders, level=level, quiet=quiet)
        case other:
            assert_never(other)


def _resumed(case: Case, use: Use, facts: tuple[Limited, ...]) -> Outcome | None:
    """After a hold for the liver: the drafts above the dose at which the source resumes, or of which it is not read."""
    dose = case.cite(topics.LIVER_RESUME_DOSE, use.drug)
    if dose is None or not use.restarts:
        return None
    high = tuple(draft for draft in use.drafts if draft.dose.daily is None or draft.dose.daily > dose.value)
    reasons = tuple(order.reason for order in use.of(Role.ON_HOLD) if order.reason)
    before = _above_before(case, use)
    named = any(map(_names_liver, reasons))
    if not high or not (named or (before is not None and all(map(may_be_toxic, reasons)))):
        return None
    return case.fired(
        Level.WARNING,
        "liver_resume",
        about=high,
        drug=use.drug,
        says=(dose,),
        dose=dose,
        named=named,
        before=before,
        now=tuple(fact for fact, _ in facts),
        drafted=max(high, key=daily_of),
        action=case.cite(topics.LIVER_ACTION, use.drug),
        child=child(case),
    )


_LIVER = re.compile(r"\b(?:alt|ast|alat|asat|lfts?|transaminases?|bilirubin)\b|liver|hepat", re.IGNORECASE)


_NOT_THE_LIVER = re.compile(r"\b(?:no|not|normal|without|prophyla\w+)\b|hepatitis[ -]?b", re.IGNORECASE)


def _names_liver(reason: str) -> bool:
    return _LIVER.search(reason) is not None and _NOT_THE_LIVER.search(reason) is None


def _above_before(case: Case, use: Use) -> Fact[Quantity] | None:
    """The newest sure transaminase above its limit that may be of the course."""
    limit, start = case.must(topics.TRANSAMINASE_HOLD_ABOVE, use.drug), started(case, use)
    above_it = [
        each
        for series in (AST_SERIES, ALT_SERIES)
        for each in takewhile(partial(_may_be_since, start), case.fact(series).value or ())
        if each.when is not None and each.sure and above(each, limit.value) is Truth.YES
    ]
    return max(above_it, key=lambda each: each.when.latest.timestamp() if each.when else 0.0, default=None)


def _may_be_since(start: When | None, each: Fact[Quantity]) -> bool:
    return start is None or each.when is None or each.when.on_or_after(start) is not Truth.NO


def _came(case: Case, fact: Fact[Quantity]) -> bool:
    """Whether there is, or may be, a current result that cannot be weighed, rather than none."""
    window = case.must(topics.LAB_WINDOW, "policy").value
    old = fact.when is not None and fact.when.older_than(int(window.value), case.now)
    return fact.state not in (State.ABSENT, State.STALE) and not old


def _passed(case: Case, use: Use, fact: Fact[Quantity], limit: Statement[Quantity], alone: Truth) -> Passed:
    """The value, the limit that it passed, and whether that is the one for a raised bilirubin beside it."""
    lower = case.cite(topics.TRANSAMINASE_WITH_BILIRUBIN_ABOVE, use.drug)
    if alone is Truth.YES or lower is None:
        return fact, limit, False
    return fact, lower, True


def _limited(case: Case, use: Use, multiple: Fact[Quantity]) -> tuple[Limited, ...]:
    """Each liver value that has a limit for this drug, with the limit."""
    window = case.must(topics.LAB_WINDOW, "policy").value
    transaminase = case.cite(topics.TRANSAMINASE_HOLD_ABOVE, use.drug)
    bilirubin = case.cite(topics.BILIRUBIN_HOLD_ABOVE, use.drug) or case.cite(topics.BILIRUBIN_LOWER_ABOVE, use.drug)
    facts = (case.fact(AST_ULN, window), case.fact(ALT_ULN, window), multiple)
    limits = zip(facts, (transaminase, transaminase, bilirubin), strict=True)
    return tuple((fact, limit) for fact, limit in limits if limit is not None)


def _with_bilirubin(
    case: Case, use: Use, facts: tuple[Limited, ...], alone: dict[str, Truth]
) -> dict[str, Truth]:
    """A transaminase above its lower limit counts as above when bilirubin is raised with it."""
    lower = case.cite(topics.TRANSAMINASE_WITH_BILIRUBIN_ABOVE, use.drug)
    raised = case.cite(topics.BILIRUBIN_RAISED_ABOVE, use.drug)
    if lower is None or raised is None:
        return {}
    found = {fact.key.name: fact for fact, _ in facts}
    together, transaminases = above(found[BILIRUBIN_ULN.name], raised.value), (AST_ULN.name, ALT_ULN.name)
    return {name: alone[name] | (above(found[name], lower.value) & together) for name in transaminases}
