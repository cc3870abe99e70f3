"""QT history: arrhythmia under a drug, conditions that forbid it, what lengthens the QTc by itself, and the start."""

from __future__ import annotations

from cds_service.facts.drugs.medications import Role
from cds_service.facts.entries import HISTORY, Entry
from cds_service.facts.values.ecg import QTC
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.rules.heart.ecg import REPEAT_ECG, recorded_since
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.subjects import Use, doubtful, removal, uses
from cds_service.rules.treatment import WARNED, ecg_due_days, not_taken, start_level, started
from cds_service.truth import Truth

BEFORE_OR_AFTER = "whether it began after the drug is not known"


@rule(
    "qt-arrhythmia",
    subjects=uses(topics.QT_ARRHYTHMIA_STOP),
    sources=("SAF15", "SAF17"),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def arrhythmia_on_treatment(case: Case, use: Use) -> Outcome:
    """Torsades or another serious arrhythmia since the drug was started.

    Asked of a drug whose source says to stop it for good after a serious arrhythmia: taken, on hold, or ordered again
    after an earlier course. Critical when an arrhythmia of the policy's list is on record since the first dose. It is a
    warning where its source is recalled or restated, where the entry is not certain, or where the day leaves open
    whether it began before. A symptom such as syncope since then, while the drug is taken, is a warning that asks for
    an ECG.

    What a stronger source forbids, and what was there before the first dose, is told by the checks of contraindications
    and of QT history. A problem list that is missing or read in part goes to the card of gaps as a warning.
    """
    if not (use.of(Role.ACTIVE, Role.ON_HOLD) or (use.drafts and use.of(Role.PAST))):
        return not_taken(case, use)
    signs = case.must(topics.QT_ARRHYTHMIA_SIGNS, "policy")
    events = recorded_since(case, use, frozenset(signs.value))
    since = tuple(entry for entry, began in events if began is not Truth.NO)
    said = case.must(topics.QT_ARRHYTHMIA_STOP, use.drug)
    if not since:
        return _symptoms(case, use, said)
    forbidden = {key for each in _contraindications(case, use) if each.strongest > said.strongest for key in each.value}
    since = tuple(entry for entry in since if not forbidden & set(entry.keys))
    if not since:
        return Clear("the drug is contraindicated with it: see that check")
    certain = [entry for entry, began in events if entry in since and began is Truth.YES]
    surely = () if any(entry.certain for entry in certain) else certain[0].doubts if certain else (BEFORE_OR_AFTER,)
    return case.fired(
        Level.CRITICAL,
        "qt_arrhythmia",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(said,),
        doubts=surely,
        propose=removal(use.drug, use.drafts),
        waits=not use.taken,
        events=since,
        said=said,
        taken=bool(use.taken),
        started=started(case, use),
    )


def _symptoms(case: Case, use: Use, said: Statement[str]) -> Outcome:
    """A symptom of arrhythmia since the start asks for an ECG; alone it proves nothing."""
    symptoms = case.must(topics.QT_ARRHYTHMIA_SYMPTOMS, "policy")
    events = recorded_since(case, use, frozenset(symptoms.value))
    since = tuple(entry for entry, began in events if began is not Truth.NO)
    if since and use.taken:
        certain = any(began is Truth.YES for _, began in events)
        return case.fired(
            Level.WARNING,
            "qt_symptom",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            says=(symptoms,),
            mentions=(said,),
            doubts=() if certain else ("whether it began after the drug is not known",),
            propose=(REPEAT_ECG,),
            events=since,
            said=said,
            qtc=case.fact(QTC),
        )
    history = case.fact(HISTORY)
    return Clear("no such arrhythmia recorded since the start") if history.sure else case.blind(history)


@rule(
    "qt-contraindicated",
    subjects=uses(topics.QT_CONTRAINDICATED),
    sources=("SAF15", "SAF17"),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
    before_dose=True,
)
def contraindicated_by_history(case: Case, use: Use) -> Outcome:
    """Conditions of the heart on record, past ones included, in which the drug is contraindicated.

    Asked of a drug, ordered, taken or on hold, whose label forbids it with a condition of the heart. Critical when one
    is on record, however long ago; a warning where the text is borrowed from another country, the order is in doubt, or
    each such entry is not certain.
    An arrhythmia that surely began under the drug is told as arrhythmia on treatment, where the source for that is as
    strong.

    When none is found and the problem list is missing or was read in part, the card of gaps says so as a warning. Only
    entries of the record count: nothing is concluded from an ECG.
    """
    stop = case.cite(topics.QT_ARRHYTHMIA_STOP, use.drug)
    found = []
    for said in _contraindications(case, use):
        told_elsewhere = stop is not None and stop.strongest >= said.strongest and not use.is_new
        entries = tuple(
            entry
            for entry, began in recorded_since(case, use, frozenset(said.value))
            if not (told_elsewhere and began is Truth.YES)
        )
        found += [(said, entries)] if entries else []
    if not found:
        history = case.fact(HISTORY)
        return Clear("none of them on record") if history.sure else case.blind(history)
    found.sort(key=lambda pair: pair[0].strongest, reverse=True)
    statements = tuple(said for said, _ in found)
    return case.fired(
        Level.CRITICAL,
        "qt_contraindicated",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=statements[:1],
        mentions=statements[1:],
        doubts=() if any(entry.certain for entry in found[0][1]) else found[0][1][0].doubts,
        propose=removal(use.drug, use.drafts),
        waits=use.is_new,
        forbids=statements,
        events=tuple(dict.fromkeys(entry for _, entries in found for entry in entries)),
        new=use.is_new,
        stop=stop if use.taken else None,
    )


@rule(
    "qt-history",
    subjects=uses(topics.QTC_HOLD_ABOVE),
    sources=("SAF15", "SAF17", "SAF18"),
    worst=Level.WARNING,
)
def arrhythmia_before_a_qt_drug(case: Case, use: Use) -> Outcome:
    """Long QT or a serious arrhythmia on record before an order of a drug held for a long QTc, or since it began.

    Asked of every drug that is held for a long QTc, when it is ordered; while it is taken, only where no source says
    when to stop it for an arrhythmia. A warning, with an ECG offered, when long QT syndrome or a serious arrhythmia of
    the policy's list is on record, however long ago; on treatment only what surely began since the first dose. The same
    for an entry that the QT interval was long, until a sure QTc of that day or later tells more than it.

    What the label forbids is told as a contraindication, and what may have begun under the drug as arrhythmia on
    treatment. A problem list that is missing or read in part goes to the card of gaps as information.
    """
    told_there = case.cite(topics.QT_ARRHYTHMIA_STOP, use.drug) is not None
    if not use.drafts and (told_there or not use.taken):
        return NotApplicable("no order of it")
    serious = case.must(topics.QT_HISTORY_WARNS_WITH, "policy")
    finding = case.must(topics.QT_FINDING_WARNS_WITH, "policy")
    forbidden = {key for each in _contraindications(case, use) for key in each.value}
    stopping = told_there and not use.is_new
    entries = tuple(
        entry
        for entry, began in recorded_since(case, use, frozenset((*serious.value, *finding.value)))
        if not forbidden & set(entry.keys)
        and not (stopping and began is not Truth.NO and set(serious.value) & set(entry.keys))
        and (use.drafts or began is Truth.YES)  # what was there before was told with the order
        and (set(serious.value) & set(entry.keys) or not _measured_since(case, entry))
    )
    if not entries:
        history = case.fact(HISTORY)
        return Clear("none on record that no other check tells") if history.sure else case.blind(history)
    return case.fired(
        Level.WARNING,
        "qt_history",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(serious if any(set(serious.value) & set(entry.keys) for entry in entries) else finding,),
        propose=(REPEAT_ECG,),
        waits=use.is_new,
        events=entries,
        taken=bool(use.taken),
        qtc=case.fact(QTC),
    )


def _measured_since(case: Case, entry: Entry) -> bool:
    """Whether a sure QTc was taken on the day of the entry or later."""
    qtc = case.fact(QTC)
    return (
        qtc.sure and entry.when is not None and qtc.when is not None and qtc.when.on_or_after(entry.when) is Truth.YES
    )


def _contraindications(case: Case, use: Use) -> tuple[Statement[tuple[str, ...]], ...]:
    return tuple(
        case.must(topics.QT_CONTRAINDICATED, use.drug, qualifier)
        for qualifier in case.snapshot.qualifiers(topics.QT_CONTRAINDICATED, use.drug)
    )


@rule("qtc-overestimated", subjects=uses(topics.QTC_HOLD_ABOVE), sources=("Q13",), worst=Level.INFO)
def wide_qrs(case: Case, use: Use) -> Outcome:
    """Bundle branch block or pacing on record: the QTc may overestimate.

    Asked of every drug that is held for a long QTc, once there is a QTc. Always a line: with bundle branch block or
    pacing on record the QTc may be read too long. It corrects no value, moves no limit and quiets no other check, and
    the width of the QRS itself is not read. A problem list that is missing or read in part is noted in the record of
    the call, on no card.
    """
    wide = case.must(topics.QTC_OVERESTIMATED_WITH, "policy")
    qtc = case.fact(QTC)
    if qtc.value is None:
        return NotApplicable("no QTc to judge")
    history = case.fact(HISTORY)
    entries = tuple(entry for entry in history.value or () if set(wide.value) & set(entry.keys))
    if not entries:
        return Clear("none on record") if history.sure else case.blind(history, quiet=True)
    return case.fired(
        Level.INFO,
        "qtc_overestimated",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(wide,),
        line=True,
        qtc=qtc,
        events=entries,
    )


@rule(
    "qt-start",
    subjects=uses(topics.QT_RATES, topics.ECG_ON_DAYS),
    sources=("SAF06", "SAF15", "SAF16", "SAF17", "E15", "E61"),
    worst=Level.WARNING,
)
def starting_a_qt_drug(case: Case, use: Use) -> Outcome:
    """What is known of the QT risk of a drug that is started, and when ECGs are due.

    Asked when a drug is started of which rates of QT events, or days for ECGs, are known. It tells the rates as the
    source gives them, and the days on which ECGs are due, as dates once the order states its first day. Rates are told
    where they warn, never where they might reassure.

    It is a line of information; where the sources warn of every start of the drug, it is a warning. That stands in the
    card about its QT interval, where there is one.

    Where the card for the start already names the ECG days, they are not repeated. No value of the patient is looked
    at.
    """
    if not use.is_new:
        return NotApplicable("not a start")
    warned = case.cite(topics.QT_RATES, use.drug, WARNED)
    rates = warned or case.cite(topics.QT_RATES, use.drug)
    first = use.drafts[0].start
    told = case.cite(topics.DIFFERENTIATION_SYNDROME, use.drug) is not None  # the card for its start names the days
    schedule = None if told else case.cite(topics.ECG_ON_DAYS, use.drug)
    if rates is None and schedule is None:
        return NotApplicable("told by the card for the start")
    level = start_level(warned)
    return case.fired(
        level,
        "qt_start",
        about=use.drafts,
        drug=use.drug,
        says=tuple(each for each in (rates, schedule) if each is not None),
        line=level is Level.INFO,
        rates=rates,
        schedule=schedule,
        ecgs=ecg_due_days(case, use, first) if first is not None and schedule is not None else (),
    )
