"""Toxicity on treatment: PRES and pancreatitis; what to tell the patient at the start."""

from __future__ import annotations

from cds_service.facts.drugs.medications import Role
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import above
from cds_service.facts.values.labs import AMYLASE_ULN, LIPASE_ULN
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.signs import exposed, illegible, keys_of, no_signs, signs_since_start
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import ecg_due_days, not_taken, started
from cds_service.truth import Truth


@rule("pres", subjects=uses(topics.PRES), sources=("SAF08", "E12"), worst=Level.CRITICAL, blind=Level.WARNING)
def reversible_encephalopathy(case: Case, use: Use) -> Outcome:
    """Seizure, altered mental state or sight on treatment: PRES.

    It is asked of a drug whose source warns of PRES, while it is taken or on hold and when it is ordered again. A
    seizure, an altered mental state or PRES itself on record since the start is critical; trouble of sight alone is a
    warning while it is taken. Before it is given again after a course that ended only the recorded diagnosis counts.

    A sign of which the day or the course of treatment is not certain counts one step lower, and advice borrowed from
    another country warns at most. Without a whole problem list it is named as not made, as a warning. It reads
    recorded entries, past ones included, and neither notes nor images. A seizure or an altered mental state that is
    over counts for as long as the policy says, PRES itself for good. Where the day of its end is not stated, it counts
    one step lower after that.
    """
    if not (exposed(use) or use.is_held):
        return not_taken(case, use)
    diagnosis = keys_of(case, "PRES, the diagnosis")
    telling = keys_of(case, "PRES") if use.taken or use.of(Role.ON_HOLD) else diagnosis
    signs, doubts = signs_since_start(case, use, telling, past=True, lasting=diagnosis)
    eyes = keys_of(case, "PRES, the eyes alone") if use.taken else frozenset[str]()
    sight, sight_doubts = signs_since_start(case, use, eyes)
    if not (signs or sight):
        return not_taken(case, use) if use.is_held else no_signs(case, _NONE if use.taken else _NONE_THAT_COUNTS)
    action = case.must(topics.PRES, use.drug)
    return case.fired(
        Level.CRITICAL if signs else Level.WARNING,
        "pres",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(action,),
        doubts=doubts if signs else sight_doubts,
        signs=(*signs, *sight),
        action=action,
        restart=not use.taken,
        held=use.is_held,
        diagnosed=any(not diagnosis.isdisjoint(sign.keys) for sign in signs),
        waits=not use.taken,
        started=started(case, use),
    )


_NONE = "no such sign recorded since the start"
_NONE_THAT_COUNTS = "nothing that counts before a restart is recorded since the start"


@rule("pancreatitis", subjects=uses(topics.PANCREATITIS), sources=("SAF09", "E12"), worst=Level.WARNING)
def pancreatitis(case: Case, use: Use) -> Outcome:
    """Raised lipase or amylase, or abdominal pain, on treatment.

    It is asked of a drug whose source warns of pancreatitis, while it is taken and when it is ordered again. Lipase or
    amylase above the higher limit of the policy warns, and so does pain of the abdomen or pancreatitis recorded since
    the start. An enzyme above the lower limit is information.

    A doubtful or old value, or a sign without a certain day, counts one step lower unless a sure one stands beside it.
    No source asks for the enzymes, so one never measured is no gap on a card; one measured lately that cannot be read
    is. An enzyme counts by its age, even if it was raised before the start.
    """
    if not exposed(use):
        return not_taken(case, use)
    action = case.must(topics.PANCREATITIS, use.drug)
    window = case.must(topics.LAB_WINDOW, "policy").value
    high, note = (case.must(topic, "policy") for topic in (topics.LIPASE_WARNING_ABOVE, topics.LIPASE_NOTE_ABOVE))
    enzymes = tuple(case.fact(key, window) for key in (LIPASE_ULN, AMYLASE_ULN))
    signs, doubts = signs_since_start(case, use, keys_of(case, "pancreatitis"), past=not use.taken)
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
    lipase, amylase = enzymes
    if problems.sure and lipase.sure:
        return Clear("no pain recorded, lipase not raised")
    untold = illegible(case, window, lipase, amylase)  # no source asks for them, but somebody did
    others = tuple(fact for fact in untold if fact is not lipase)
    return case.blind(problems, lipase, *others, quiet=problems.sure and not untold)


@rule(
    "starting",
    subjects=uses(topics.DIFFERENTIATION_SYNDROME),
    sources=("SAF07", "SAF12", "SAF04", "SAF10", "SAF17", "SAF18", "E61"),
    worst=Level.INFO,
)
def starting(case: Case, use: Use) -> Outcome:
    """What to tell the patient and to arrange when the drug is started.

    It is asked when a drug is started whose source warns of differentiation syndrome, and is a card of information. It
    gathers what the sources ask to tell and to arrange: signs, ECGs, electrolytes, laboratory checks, grapefruit, and
    how long a response may take.

    It weighs no value of the patient: other checks hold those against their limits. Treatment that goes on, or is
    taken up from a hold, is not counselled again.
    """
    if not use.is_new:
        return NotApplicable("not a start")
    syndrome = case.must(topics.DIFFERENTIATION_SYNDROME, use.drug)
    first = use.drafts[0].start
    ecgs = ecg_due_days(case, use, first) if first is not None else ()
    schedule = case.cite(topics.ECG_ON_CYCLE_ONE_DAYS, use.drug) or case.cite(topics.ECG_ON_DAYS, use.drug)
    response = case.cite(topics.TIME_TO_RESPONSE, use.drug)
    return case.fired(
        Level.INFO,
        "starting",
        about=use.drafts,
        drug=use.drug,
        says=(syndrome,),
        mentions=tuple(each for each in (response, schedule if ecgs else None) if each is not None),
        syndrome=syndrome,
        onset=case.cite(topics.DIFFERENTIATION_SYNDROME_ONSET, use.drug),
        rate=case.cite(topics.DIFFERENTIATION_SYNDROME_RATE, use.drug),
        signs=case.cite(topics.DIFFERENTIATION_SIGNS, use.drug),
        grapefruit=case.cite(topics.GRAPEFRUIT, use.drug),
        monitoring=case.cite(topics.BLOOD_AND_LIVER_MONITORING, use.drug),
        electrolytes=case.cite(topics.ELECTROLYTES_REQUIRED, use.drug),
        ecgs=ecgs,
        schedule=schedule,
        response=response,
    )
