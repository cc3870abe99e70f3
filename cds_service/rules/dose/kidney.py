"""Kidney: dose by creatinine clearance, and the kidney's part in the neurotoxicity of high-dose cytarabine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from cds_service.facts.demographics import AGE
from cds_service.facts.drugs.medications import Medication
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, above, at_or_above, below, holds
from cds_service.facts.values.labs import ALP_ULN, CREATININE, CREATININE_ULN
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Topic
from cds_service.quantity import Quantity
from cds_service.rules.dose.clearance import Kidney, as_received, kidney
from cds_service.rules.high_dose import high_dose
from cds_service.rules.rule import Case, Clear, NotApplicable, NotEvaluated, Outcome, Proposal, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.standing import child
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.truth import Truth, any_of

CREATININE_TEST = Proposal("order", "Order creatinine", order="creatinine")
_ORAL = "oral "  # how the qualifiers of a step begin that holds for tablets
_STEPS = (topics.RENAL_STOP_BELOW, topics.RENAL_REDUCE_BELOW, topics.RENAL_NOT_STUDIED_BELOW)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a dose table: below which clearance, what then, and how much it matters."""

    limit: Statement[Quantity]
    action: Statement[str]
    level: Level


@rule(
    "renal-dose",
    subjects=uses(*_STEPS),
    sources=("SAF23", "SAF24", "SAF25", "D52", "D66", "E52", "section-11"),
    worst=Level.CRITICAL,
)
def renal_dose(case: Case, use: Use) -> Outcome:
    """Creatinine clearance against the steps of the dose table.

    Asked of a drug with a step for weak kidneys, when it is ordered, else while it is taken. Kidney function is the
    measured clearance, else Cockcroft–Gault with actual weight in adults, else the reported eGFR; a newer one that
    disagrees counts. Critical where the label of this place advises against the drug, a warning at the other steps; one
    step lower where a value is old, creatinine falls fast, or age or sex leaves it open. One that rises fast clears
    nothing, and what it finds stands, because the kidney is weaker still.

    What is missing, or good and in doubt, goes to the card of gaps: as a warning where a stop may hide behind it, else
    as information. With kidney disease among the problems it is a warning of its own, with a creatinine offered. Where
    the source only says that it was not studied, nothing is asked for.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    steps = _steps(case, use, orders)
    known = kidney(case)
    estimate, note = known.against(tuple(step.limit.value for step in steps))
    if estimate is None:
        unseen = _blind(case, known, steps, orders)
        return _diseased(case, use, steps, unseen) or unseen
    truths = tuple((step, below(estimate.fact, step.limit.value)) for step in steps)
    match any_of(truth for _, truth in truths):
        case Truth.YES:
            step = next(step for step, truth in truths if truth is Truth.YES)
            return case.fired(
                step.level,
                "renal_dose",
                about=use.in_play,
                deciding=doubtful(orders),
                drug=use.drug,
                because=(estimate.fact,),
                says=(step.limit, step.action),
                propose=() if estimate.fact.sure else (CREATININE_TEST,),
                waits=use.is_new and step.level is Level.CRITICAL,
                clearance=estimate.fact,
                method=estimate.method,
                inputs=estimate.inputs,
                note=note,
                limit=step.limit,
                action=step.action,
                sex=estimate.method.startswith("Cockcroft"),
            )
        case Truth.NO:
            return Clear(f"{estimate.fact.value} ({estimate.method}) is below no step")
        case Truth.UNKNOWN:
            missing = estimate.in_doubt or (estimate.fact,)
            unseen = NotEvaluated(missing, about=orders, level=_gap_level(steps), quiet=_quiet(steps))
            return _diseased(case, use, steps, unseen) or unseen
        case other:
            assert_never(other)


def _steps(case: Case, use: Use, orders: tuple[Medication, ...]) -> tuple[Step, ...]:
    """The steps that hold for the route of these orders, the lowest clearance first."""
    every = [(topic, name) for topic in _STEPS for name in case.snapshot.qualifiers(topic, use.drug)]
    tablets = [(topic, name) for topic, name in every if name.startswith(_ORAL)]
    by_mouth = bool(tablets) and all(order.route == "oral" for order in orders)
    found: list[Step] = []
    for topic, name in every:
        if ((topic, name) in tablets) is by_mouth:
            limit, action = case.must(topic, use.drug, name), case.must(topics.RENAL_ACTION, use.drug, name)
            level = Level.CRITICAL if topic is topics.RENAL_STOP_BELOW else Level.WARNING
            found.append(Step(limit, action, level))
    return tuple(sorted(found, key=lambda step: (step.limit.value.value, -step.level)))


def _diseased(case: Case, use: Use, steps: tuple[Step, ...], unseen: NotEvaluated) -> Outcome | None:
    """Kidney disease among the problems, where the clearance itself is not known well enough, and for want of what."""
    found = () if _quiet(steps) else entries_of(case.fact(PROBLEMS), keys_of(case, "kidney disease"))
    if not found:
        return None
    creatinine = case.fact(CREATININE, case.must(topics.LAB_WINDOW, "policy").value)
    return case.fired(
        Level.WARNING,
        "kidney_disease",
        about=use.in_play,
        deciding=doubtful(use.drafts or use.active),
        drug=use.drug,
        says=(case.must(topics.SIGNS, "signs", "kidney disease"),),
        mentions=tuple(each for step in steps for each in (step.limit, step.action)),
        propose=() if creatinine.sure else (CREATININE_TEST,),
        entries=found,
        steps=steps,
        wanting=tuple(map(_wanting, unseen.missing)) or (unseen.why,),
        child=child(case),
    )


def _wanting(fact: Fact[Any]) -> str:
    told = f"{fact.key.label} {fact.told}".strip()
    return f"{told}: {fact.why or ', '.join(fact.doubts) or fact.bounded}"


def _blind(case: Case, known: Kidney, steps: tuple[Step, ...], orders: tuple[Medication, ...]) -> NotEvaluated:
    why = "" if any(not fact.sure for fact in known.missing) else "Cockcroft–Gault holds for adults only"
    missing = tuple(fact for fact in known.missing if not fact.sure)
    return NotEvaluated(missing, why, orders, _gap_level(steps), quiet=_quiet(steps))


def _gap_level(steps: tuple[Step, ...]) -> Level:
    """An unseen clearance matters as much as what it might have said, a warning at most."""
    stops = any(min(step.level, step.limit.strongest, step.action.strongest) is Level.CRITICAL for step in steps)
    return Level.WARNING if stops else Level.INFO


def _quiet(steps: tuple[Step, ...]) -> bool:
    """Where the source only says that it was not studied, nobody asks for a creatinine before the dose."""
    return all(step.limit.topic == topics.RENAL_NOT_STUDIED_BELOW.name for step in steps)


def _slow(case: Case, use: Use, orders: tuple[Medication, ...]) -> bool:
    """Whether the clearance is below a step of the dose table, so that its card speaks for the kidney."""
    steps = _steps(case, use, orders)
    estimate, _ = kidney(case).against(tuple(step.limit.value for step in steps))
    return estimate is not None and any(below(estimate.fact, step.limit.value) is Truth.YES for step in steps)


_LIMITS: tuple[tuple[Topic[Quantity], bool], ...] = (
    (topics.RENAL_CREATININE_ABOVE, False),
    (topics.RENAL_CREATININE_ULN_ABOVE, True),
)


@rule(
    "renal-creatinine",
    subjects=uses(*(topic for topic, _ in _LIMITS)),
    sources=("SAF25", "SAF20", "D66", "section-11"),
    worst=Level.WARNING,
)
def renal_creatinine(case: Case, use: Use) -> Outcome:
    """Serum creatinine above the value from which the dose is to be reconsidered.

    Asked of a drug whose source judges by serum creatinine, when it is ordered, else while it is taken. A warning above
    the limit of the source, or of the policy where the source states none; one step lower when the value is too old or
    in doubt.

    A value that is missing, or good and in doubt, goes to the card of gaps as information. So does one without the
    laboratory's upper limit, where the drug's limit is a multiple of it. Where the clearance is below a step of the
    drug, the check of the clearance speaks instead.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    window = case.must(topics.LAB_WINDOW, "policy").value
    topic, multiple = next(each for each in _LIMITS if case.cite(each[0], use.drug) is not None)
    limit = case.must(topic, use.drug)
    creatinine = case.fact(CREATININE_ULN if multiple else CREATININE, window)
    match above(creatinine, limit.value):
        case Truth.YES:
            if _slow(case, use, orders):
                return Clear("told with the creatinine clearance")
            action = case.must(topics.RENAL_ACTION, use.drug, "creatinine")
            return case.fired(
                Level.WARNING,
                "renal_creatinine",
                about=use.in_play,
                deciding=doubtful(orders),
                drug=use.drug,
                because=(creatinine,),
                says=(limit, action),
                creatinine=creatinine,
                limit=limit,
                action=action,
            )
        case Truth.NO:
            return Clear(f"creatinine {creatinine.value} is not above {limit.value}")
        case Truth.UNKNOWN:
            return case.blind(creatinine, about=orders)
        case other:
            assert_never(other)


@rule(
    "cytarabine-neurotoxicity",
    subjects=uses(topics.NEUROTOXICITY_RISK),
    sources=("SAF22", "D52", "section-11"),
    worst=Level.WARNING,
)
def cytarabine_neurotoxicity(case: Case, use: Use) -> Outcome:
    """High-dose cytarabine with risk factors for neurotoxicity.

    Asked of cytarabine that is ordered or taken in high dose, by its dose per body surface or by name. A warning when
    as many risk factors as the source asks for are there (age, creatinine, alkaline phosphatase), or when the
    creatinine clearance is below its limit. It is one step lower when any value that counts is too old or in doubt.

    What is missing goes to the card of gaps only where it could change the answer, and so do milligrams alone that
    could be high dose. Signs of neurotoxicity that are on record already are told by their own check.
    """
    match high_dose(case, use):
        case Truth.NO:
            return NotApplicable("no high-dose cytarabine among the orders")
        case Truth.UNKNOWN:
            return NotEvaluated((), "whether cytarabine is high dose cannot be read from the order", use.in_play)
        case Truth.YES:
            return _neurotoxicity(case, use)
        case other:
            assert_never(other)


def _neurotoxicity(case: Case, use: Use) -> Outcome:
    said = case.must(topics.NEUROTOXICITY_RISK, use.drug)
    window = case.must(topics.LAB_WINDOW, "policy").value
    low = case.must(topics.NEUROTOXICITY_CLEARANCE_BELOW, use.drug)
    creatinine_from, age_from, alp_from = (
        case.must(topic, use.drug)
        for topic in (
            topics.NEUROTOXICITY_CREATININE_FROM,
            topics.NEUROTOXICITY_AGE_FROM,
            topics.NEUROTOXICITY_ALP_FROM,
        )
    )
    creatinine, alp, age = case.fact(CREATININE, window), case.fact(ALP_ULN, window), case.fact(AGE)
    estimate, note = kidney(case).against((low.value,))
    factors = (
        (at_or_above(creatinine, creatinine_from.value), creatinine, creatinine_from),
        (holds(age, lambda years: years.oldest >= int(age_from.value.value)), age, age_from),
        (at_or_above(alp, alp_from.value), alp, alp_from),
    )
    present = tuple((fact, limit) for truth, fact, limit in factors if truth is Truth.YES)
    unknown = tuple(fact for truth, fact, _ in factors if truth is Truth.UNKNOWN)
    slow = Truth.UNKNOWN if estimate is None else below(estimate.fact, low.value)
    enough = int(case.must(topics.NEUROTOXICITY_FACTORS_FROM, use.drug).value)
    many = len(present) >= enough
    if many or slow is Truth.YES:
        sure = slow is Truth.YES and estimate is not None
        return case.fired(
            Level.WARNING,
            "cytarabine_neurotoxicity",
            about=use.in_play,
            drug=use.drug,
            because=(estimate.fact,) if sure and not many and estimate else _deciding(present, enough),
            says=(said, low) if sure and not many else (said, *(limit for _, limit in present)),
            factors=tuple(_factor(case, fact, limit) for fact, limit in present),
            count=len(present),
            many=many,
            clearance=estimate.fact if estimate and sure else None,
            method=estimate.method if estimate else "",
            inputs=estimate.inputs if estimate else "",
            note=note,
            limit=low,
            said=said,
            unknown=unknown,
        )
    if unknown and (len(present) + len(unknown) >= enough or slow is Truth.UNKNOWN):
        return case.blind(*unknown, about=use.in_play)
    if slow is Truth.UNKNOWN:
        return case.blind(*kidney(case).missing, about=use.in_play, why="kidney function is not known well enough")
    return Clear("too few risk factors, and the kidneys clear well")


def _deciding(present: Iterable[tuple[Fact[Any], Statement[Quantity]]], enough: int) -> tuple[Fact[Any], ...]:
    """The factors on which the card rests: a doubtful one does not weaken it where the sure ones are enough."""
    facts = tuple(fact for fact, _ in present)
    sure = tuple(fact for fact in facts if fact.sure)
    return sure if len(sure) >= enough else facts


def _factor(case: Case, fact: Fact[Any], limit: Statement[Quantity]) -> str:
    if fact.key is AGE:
        return f"{fact.told} (counts from {limit.value})"
    if fact.key is not CREATININE:
        return f"{fact.key.label} {fact.told} ({fact.when}), counts from {limit.value}"
    at = limit.value
    if fact.origin is not None and fact.origin.as_received.endswith("mg/dL"):  # the limit in the unit of the value
        per_mg_dl = case.must(topics.COCKCROFT_GAULT, "policy", "µmol/L per mg/dL").value
        at = Quantity((at.value / per_mg_dl).quantize(Decimal("0.01")).normalize(), "mg/dL")
    return f"{fact.key.label} {as_received(fact)}, counts from {at}"
