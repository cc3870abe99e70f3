"""Toxicity on treatment: differentiation syndrome, PRES, pancreatitis, liver; what to tell the patient at the start."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from cds_service.facts.disease import HISTORY, PROBLEMS, Entry
from cds_service.facts.fact import Fact, Key, above
from cds_service.facts.labs import ALT_ULN, AMYLASE_ULN, AST_ULN, BILIRUBIN_ULN, LIPASE_ULN
from cds_service.facts.medications import Role
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import ecg_due_days, not_taken, started
from cds_service.truth import Truth, any_of

# The signs, by their keys in terminology/conditions.csv.
DIFFERENTIATION = frozenset(
    [
        "differentiation_syndrome",
        "fever",
        "dyspnoea",
        "hypoxia",
        "respiratory_distress",
        "pleural_effusion",
        "pericardial_effusion",
        "oedema",
        "weight_gain",
        "hypotension",
        "aki",
        "rash",
        "pulmonary_infiltrate",
    ]
)
ENCEPHALOPATHY = frozenset(["pres", "seizure", "altered_mental_status", "encephalopathy"])
RECORDED_PRES = frozenset({"pres"})
PANCREAS = frozenset(["acute_pancreatitis", "abdominal_pain"])


def signs_since_start(
    case: Case, use: Use, keys: frozenset[str], *, past: bool = False
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The signs recorded since the drug was started, and a doubt when of none the time is certain."""
    start = started(case, use)
    found: list[tuple[Entry, Truth]] = []
    for entry in case.fact(HISTORY if past else PROBLEMS).value or ():
        if keys & set(entry.keys):
            began = Truth.UNKNOWN if start is None or entry.when is None else entry.when.on_or_after(start)
            found += [(entry, began)] if began is not Truth.NO else []
    certain = any(began is Truth.YES for _, began in found)
    doubts = () if certain or not found else ("whether it began after the drug is not known",)
    return tuple(entry for entry, _ in found), doubts


def _exposed(use: Use) -> bool:
    """Whether the drug is taken, or is to be taken again after an earlier course."""
    return bool(use.active) or (bool(use.drafts) and bool(use.of(Role.ON_HOLD, Role.PAST)))


def _no_signs(case: Case, use: Use) -> Outcome:
    problems = case.fact(PROBLEMS)
    if problems.sure:
        return Clear("no such sign recorded since the start")
    return case.blind(problems)


@rule(
    "differentiation-syndrome", subjects=uses(topics.DIFFERENTIATION_SYNDROME), sources=("SAF07",), worst=Level.WARNING
)
def differentiation_syndrome(case: Case, use: Use) -> Outcome:
    """Signs of differentiation syndrome on treatment."""
    if not use.active:
        return not_taken(case, use)
    signs, doubts = signs_since_start(case, use, DIFFERENTIATION)
    if not signs:
        return _no_signs(case, use)
    action = case.must(topics.DIFFERENTIATION_SYNDROME, use.drug)
    return case.fired(
        Level.WARNING,
        "differentiation_syndrome",
        about=use.active,
        drug=use.drug,
        says=(action,),
        doubts=doubts,
        signs=signs,
        action=action,
        onset=case.cite(topics.DIFFERENTIATION_SYNDROME_ONSET, use.drug),
        started=started(case, use),
    )


@rule("pres", subjects=uses(topics.PRES), sources=("SAF08", "E12"), worst=Level.CRITICAL, blind=Level.WARNING)
def reversible_encephalopathy(case: Case, use: Use) -> Outcome:
    """Seizure or altered mental state on treatment: PRES."""
    if not _exposed(use):
        return not_taken(case, use)
    keys = ENCEPHALOPATHY if use.active else RECORDED_PRES  # a restart asks for the diagnosis, not for every seizure
    signs, doubts = signs_since_start(case, use, keys, past=True)
    if not signs:
        return _no_signs(case, use)
    action = case.must(topics.PRES, use.drug)
    return case.fired(
        Level.CRITICAL,
        "pres",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(action,),
        doubts=doubts,
        signs=signs,
        action=action,
        restart=not use.active,
        waits=not use.active,
        started=started(case, use),
    )


@rule("pancreatitis", subjects=uses(topics.PANCREATITIS), sources=("SAF09", "E12"), worst=Level.WARNING)
def pancreatitis(case: Case, use: Use) -> Outcome:
    """Raised lipase or amylase, or abdominal pain, on treatment."""
    if not _exposed(use):
        return not_taken(case, use)
    action = case.must(topics.PANCREATITIS, use.drug)
    window = case.must(topics.LAB_WINDOW, "policy").value
    high, note = (case.must(topic, "policy") for topic in (topics.LIPASE_WARNING_ABOVE, topics.LIPASE_NOTE_ABOVE))
    enzymes = tuple(case.fact(key, window) for key in (LIPASE_ULN, AMYLASE_ULN))
    signs, doubts = signs_since_start(case, use, PANCREAS, past=not use.active)
    raised = tuple(fact for fact in enzymes if above(fact, high.value) is Truth.YES)
    slightly = tuple(fact for fact in enzymes if above(fact, note.value) is Truth.YES)
    if raised or signs:
        sure_values = tuple(fact for fact in raised if fact.sure)
        certain = bool(sure_values) or (bool(signs) and not doubts)
        return case.fired(
            Level.WARNING,
            "pancreatitis",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            because=sure_values if certain else raised,
            says=(action, *((high,) if raised else ())),
            doubts=() if certain or raised else doubts,
            values=raised or slightly,
            signs=signs,
            action=action,
        )
    if slightly:
        return case.fired(
            Level.INFO,
            "pancreatitis",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            because=slightly,
            says=(action, note),
            values=slightly,
            signs=(),
            action=action,
        )
    problems = case.fact(PROBLEMS)
    lipase = enzymes[0]
    if problems.sure and lipase.sure:
        return Clear("no pain recorded, lipase not raised")
    return replace(case.blind(problems, lipase), quiet=problems.sure)


@rule("liver", subjects=uses(topics.TRANSAMINASE_HOLD_ABOVE), sources=("SAF10",), worst=Level.WARNING)
def liver(case: Case, use: Use) -> Outcome:
    """Liver values on treatment."""
    if not use.active:
        return not_taken(case, use)
    window = case.must(topics.LAB_WINDOW, "policy").value
    transaminase = case.must(topics.TRANSAMINASE_HOLD_ABOVE, use.drug)
    bilirubin = case.must(topics.BILIRUBIN_HOLD_ABOVE, use.drug)
    limits = ((AST_ULN, transaminase), (ALT_ULN, transaminase), (BILIRUBIN_ULN, bilirubin))
    facts = tuple((case.fact(key, window), limit) for key, limit in limits)
    truths = {fact.key: above(fact, limit.value) for fact, limit in facts}
    _with_bilirubin(case, use, facts, truths)
    match any_of(truths.values()):
        case Truth.YES:
            found = [(fact, limit) for fact, limit in facts if truths[fact.key] is Truth.YES]
            over = tuple(sorted(found, key=lambda pair: not pair[0].sure))  # the surest value decides
            return case.fired(
                Level.WARNING,
                "liver",
                about=use.active,
                drug=use.drug,
                because=(over[0][0],),
                says=(over[0][1],),
                over=over,
                monitoring=case.cite(topics.BLOOD_AND_LIVER_MONITORING, use.drug),
                action=case.cite(topics.LIVER_ACTION, use.drug),
            )
        case Truth.NO:
            return Clear("AST, ALT and bilirubin are below the limits")
        case Truth.UNKNOWN:
            return case.blind(*(fact for fact, _ in facts if truths[fact.key] is Truth.UNKNOWN))
        case other:
            assert_never(other)


def _with_bilirubin(
    case: Case,
    use: Use,
    facts: tuple[tuple[Fact[Quantity], Statement[Quantity]], ...],
    truths: dict[Key[Quantity], Truth],
) -> None:
    """A transaminase above its lower limit counts as above when bilirubin is raised with it."""
    lower = case.cite(topics.TRANSAMINASE_WITH_BILIRUBIN_ABOVE, use.drug)
    raised = case.cite(topics.BILIRUBIN_RAISED_ABOVE, use.drug)
    by_key = {fact.key: fact for fact, _ in facts}
    if lower is None or raised is None:
        return
    together = above(by_key[BILIRUBIN_ULN], raised.value)
    for key in (AST_ULN, ALT_ULN):
        truths[key] = truths[key] | (above(by_key[key], lower.value) & together)


@rule(
    "starting",
    subjects=uses(topics.DIFFERENTIATION_SYNDROME),
    sources=("SAF07", "SAF12", "SAF04", "SAF10"),
    worst=Level.INFO,
)
def starting(case: Case, use: Use) -> Outcome:
    """What to tell the patient and to arrange when the drug is started."""
    if not use.is_new:
        return NotApplicable("not a start")
    syndrome = case.must(topics.DIFFERENTIATION_SYNDROME, use.drug)
    first = use.drafts[0].start
    return case.fired(
        Level.INFO,
        "starting",
        about=use.drafts,
        drug=use.drug,
        says=(syndrome,),
        syndrome=syndrome,
        onset=case.cite(topics.DIFFERENTIATION_SYNDROME_ONSET, use.drug),
        signs=case.cite(topics.DIFFERENTIATION_SIGNS, use.drug),
        grapefruit=case.cite(topics.GRAPEFRUIT, use.drug),
        monitoring=case.cite(topics.BLOOD_AND_LIVER_MONITORING, use.drug),
        electrolytes=case.cite(topics.ELECTROLYTES_REQUIRED, use.drug),
        ecgs=ecg_due_days(case, use, first) if first is not None else (),
    )
