"""Differentiation syndrome on treatment, and white cells that rise under an IDH inhibitor.

Two signs, or one of the lungs, warn; another sign alone is a line. A sign after the drug's usual window is one step
lower. What to do is the drug's own boxed action: some are stopped on suspicion, others go on under steroids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, above
from cds_service.facts.values.labs import BODY_WEIGHT, CREATININE, OXYGEN_SATURATION, TEMPERATURE, WBC, WBC_SERIES
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, Outcome, rule
from cds_service.rules.signs import (
    Sign,
    creatinine_rise,
    exposed,
    fever,
    illegible,
    keys_of,
    low_oxygen,
    recorded,
    sign_window,
    unread,
    weight_gain,
)
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import days, not_taken, started
from cds_service.truth import Truth, any_of

SYNDROME = "differentiation syndrome"
ALONE = "differentiation syndrome, one is enough"
DIAGNOSIS = "differentiation syndrome, the diagnosis"


@rule(
    "differentiation-syndrome",
    subjects=uses(topics.DIFFERENTIATION_SYNDROME),
    sources=("SAF07", "SAF17", "SAF18", "E12", "E61", "T1"),
    worst=Level.WARNING,
)
def differentiation_syndrome(case: Case, use: Use) -> Outcome:
    """Signs of differentiation syndrome on treatment.

    It is asked of a drug whose source warns of the syndrome, while it is taken or on hold and when it is ordered again.
    Several signs since the start, or one that is telling by itself, are a warning; another sign alone is a line. Signs
    are recorded entries, fever, low oxygen, and weight or creatinine that rose. A fever or a low oxygen of the hours
    before the newest measurement counts too, with that one as its doubt.

    A sign that is old, doubtful or later than the syndrome usually comes counts one step lower, unless sure signs are
    enough. A hold, and a restart after it, ask for the diagnosis or for enough signs, another restart for the
    diagnosis. Bedside values never taken are no gap; what cannot be read is, and so is a problem list that was not
    read whole.
    """
    if not (exposed(use) or use.is_held):
        return not_taken(case, use)
    signs = _once_each(_in_window(case, use, sign) for sign in _signs(case, use))
    if not signs:
        return not_taken(case, use) if use.is_held else _none(case)
    sure = tuple(sign for sign in signs if not sign.doubts)
    enough, surely = _enough(case, signs), _enough(case, sure)
    shown = sure if surely else signs
    doubts = () if surely or (not enough and sure) else _doubts(signs)
    action = case.must(topics.DIFFERENTIATION_SYNDROME, use.drug)
    return case.fired(
        Level.WARNING if enough else Level.INFO,
        "differentiation_syndrome",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(action,),
        doubts=doubts,
        line=not enough,
        waits=not use.taken,
        restart=not use.taken and not use.is_held,
        held=use.is_held,
        signs=(*shown, *(sign for sign in signs if sign not in shown)),
        action=action,
        alone=not enough,
        onset=case.cite(topics.DIFFERENTIATION_SYNDROME_ONSET, use.drug),
        started=started(case, use),
    )


def _signs(case: Case, use: Use) -> tuple[Sign, ...]:
    """What speaks for the syndrome; a restart asks for the diagnosis, or after a hold enough signs: not any fever."""
    every = _every_sign(case, use)
    if use.taken or ((use.restarts or use.is_held) and _enough(case, every)):
        return every
    return recorded(case, use, keys_of(case, DIAGNOSIS))


def _every_sign(case: Case, use: Use) -> tuple[Sign, ...]:
    return (
        *recorded(case, use, keys_of(case, SYNDROME)),
        *fever(case, use),
        *low_oxygen(case, use),
        *weight_gain(case, use),
        *creatinine_rise(case, use),
    )


def _enough(case: Case, signs: tuple[Sign, ...]) -> bool:
    """Whether these signs are more than a line: several of them, or one that is telling by itself."""
    together = case.must(topics.SIGNS_TOGETHER, "policy").value
    return len(signs) >= together or bool({sign.key for sign in signs} & keys_of(case, ALONE))


def _once_each(signs: Iterable[Sign]) -> tuple[Sign, ...]:
    """Each kind of sign once, the surest of them: fever on the problem list and by the thermometer is one."""
    found: dict[str, Sign] = {}
    for sign in sorted(signs, key=lambda each: len(each.doubts)):
        found.setdefault(sign.key, sign)
    return tuple(found.values())


def _in_window(case: Case, use: Use, sign: Sign) -> Sign:
    """The sign, with a doubt when it came later than the syndrome usually does. An early sign counts."""
    start, window = started(case, use), case.cite(topics.DIFFERENTIATION_SYNDROME_WINDOW, use.drug)
    if start is None or window is None or sign.when is None:
        return sign
    after = (sign.when.earliest.date() - start.latest.date()).days
    if after <= window.value.value:
        return sign
    late = f"{sign.words}: {after} days after the start, outside the usual {window.value}"
    return replace(sign, doubts=(*sign.doubts, late))


def _doubts(signs: tuple[Sign, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(doubt for sign in signs for doubt in sign.doubts))


def _none(case: Case) -> Outcome:
    """No sign found. No source asks for what is measured at the bedside: that it is missing stays in the trace.

    What was measured and cannot be read is said.
    """
    problems, creatinine = case.fact(PROBLEMS), unread(case.fact(CREATININE))
    bedside = unread(*(case.fact(key) for key in (TEMPERATURE, OXYGEN_SATURATION, BODY_WEIGHT)))
    if problems.sure and not (bedside or creatinine):
        return Clear("no such sign recorded or measured since the start")
    quiet = problems.sure and not creatinine and not illegible(case, sign_window(case), *bedside)
    return case.blind(problems, *bedside, *creatinine, quiet=quiet)


@rule("leukocytosis", subjects=uses(topics.LEUKOCYTOSIS_ABOVE), sources=("SAF17", "SAF18"), worst=Level.WARNING)
def leukocytosis(case: Case, use: Use) -> Outcome:
    """White cells that rise on an IDH inhibitor.

    It is asked of an IDH inhibitor with a limit for white cells, while it is taken. It warns above that limit and,
    where its source names a rise, also when the count rose by more since the start. A count that is too old counts one
    step lower.

    A missing or old count is named as a gap, unless it lies above the limit. So it is where no sure and recent count
    from before the start is on record and that of today is high enough to have risen by that much. Signs of
    differentiation syndrome are a check of their own.
    """
    if not use.taken:
        return not_taken(case, use)
    limit = case.must(topics.LEUKOCYTOSIS_ABOVE, use.drug)
    rise = case.cite(topics.LEUKOCYTOSIS_RISE_ABOVE, use.drug)
    wbc = case.fact(WBC, case.must(topics.COUNT_WINDOW_ON_TREATMENT, "policy").value)
    base = _count_before(case, use)
    high, risen = above(wbc, limit.value), _risen(wbc, base, rise)
    match any_of((high, risen)):
        case Truth.YES:
            return case.fired(
                Level.WARNING,
                "leukocytosis",
                about=use.in_play,
                deciding=use.taken,
                drug=use.drug,
                because=(wbc,),
                says=(limit if high is Truth.YES or rise is None else rise,),
                wbc=wbc,
                limit=limit,
                rise=rise,
                base=base,
                action=case.must(topics.LEUKOCYTOSIS_ACTION, use.drug),
            )
        case Truth.NO:
            return Clear(f"white cells {wbc.value}")
        case Truth.UNKNOWN:
            why = "no sure and recent white cells from before the start, so no rise is known" if wbc.sure else ""
            return case.blind(wbc, why=why)
        case other:
            assert_never(other)


def _count_before(case: Case, use: Use) -> Quantity | None:
    """The newest sure count from before the start, its day included, if not older than laboratory values may be."""
    start = started(case, use)
    if start is None:
        return None
    since = start.earliest.date() - days(case.must(topics.LAB_WINDOW, "policy").value)
    before = (
        each
        for each in case.fact(WBC_SERIES).value or ()
        if each.when is not None and since <= each.when.latest.date() <= start.latest.date()
    )
    return next((each.value for each in before if each.sure and not each.bound.startswith(">")), None)


def _risen(wbc: Fact[Quantity], base: Quantity | None, rise: Statement[Quantity] | None) -> Truth:
    """Whether the count rose by more than the source allows. Without an earlier one, a low count cannot have."""
    if rise is None:
        return Truth.NO
    if base is not None:
        return above(wbc, base + rise.value)
    return Truth.NO if above(wbc, rise.value) is Truth.NO else Truth.UNKNOWN
