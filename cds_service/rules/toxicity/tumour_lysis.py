"""Tumour lysis: white cells and chemistry before the first dose, what to arrange then, and chemistry on treatment."""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, State, at_or_above, at_or_below, below
from cds_service.facts.values.labs import CALCIUM, CREATININE, PHOSPHATE, POTASSIUM, URIC_ACID, WBC
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.interactions.ceilings import Ceiling, ceilings, inhibitors, just_ended, ramp_beside
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.signs import keys_of, signs_since_start
from cds_service.rules.standing import not_for_aml
from cds_service.rules.subjects import Use, uses
from cds_service.rules.treatment import not_taken, started, told_as_old
from cds_service.truth import Truth


@rule(
    "tls-wbc",
    subjects=uses(topics.WBC_START_BELOW),
    sources=("SAF43", "SAF07", "SAF30"),
    worst=Level.WARNING,
    blind=Level.WARNING,
    before_dose=True,
)
def white_cells_before_start(case: Case, use: Use) -> Outcome:
    """White cells before the first dose, and before a drug on hold is taken up again.

    It is asked before the first dose, and before a restart after a hold, of a drug whose source wants the white cells
    below a limit. So it is until the first day of an order that is signed for a later one. A count that is not below
    the limit is a warning; one that is too old or doubtful counts one step lower, and the gap is named beside it.

    Without a count of the window it is named as not made: a warning before a first dose, information before a restart.
    Where another disease than AML is the reason, the limit is not applied, and that is said. On running treatment it
    is silent.
    """
    if not (use.begins or use.restarts):
        return NotApplicable("neither a first dose nor a restart")
    if elsewhere := not_for_aml(case):
        return case.blind(why=elsewhere, about=use.in_play, level=Level.INFO)
    limit = case.must(topics.WBC_START_BELOW, use.drug)
    wbc = case.fact(WBC, case.must(topics.COUNT_WINDOW_AT_START, "policy").value)
    match ~below(wbc, limit.value) if wbc.sure else at_or_above(wbc, limit.value):
        case Truth.YES:
            return case.fired(
                Level.WARNING,
                "wbc_before_start",
                about=use.in_play,
                drug=use.drug,
                because=(wbc,),
                says=(limit,),
                holds=True,
                wbc=wbc,
                limit=limit,
                restart=use.restarts,
            )
        case Truth.NO:
            return Clear(f"white cells {wbc.value}")
        case Truth.UNKNOWN:
            return case.blind(wbc, about=use.in_play, level=Level.INFO if use.restarts else None)
        case other:
            assert_never(other)


@rule(
    "tls-start",
    subjects=uses(topics.TLS_BLOOD_TESTS),
    sources=("SAF43", "SAF44", "SAF12", "SAF23c", "E31"),
    worst=Level.WARNING,
    blind=Level.WARNING,
    before_dose=True,
)
def tumour_lysis_at_start(case: Case, use: Use) -> Outcome:
    """Blood chemistry and tumour lysis prophylaxis before the first dose, and before a restart after a hold.

    Asked of a drug whose source asks for blood chemistry against tumour lysis: before the first dose, and before a
    drug on hold is taken up again. A first dose may be signed for a later day. A potassium from the limit of the policy
    on is a warning, and so are several sure values beyond the limits of laboratory tumour lysis. What is too old or
    doubtful counts one step lower, and the gap is named beside it.

    A test of the list that is missing, too old or unreadable is named as a gap, as a warning; where a value already
    warns, the other gaps are left out. The card of several values names what is not sure beside them. One such value
    alone, or electrolytes that are some days old, are a line. Before a restart a gap is information, and the days are
    not told. Running or held treatment is not asked about; where another disease than AML is the reason, that is said
    instead.
    """
    if not (use.begins or use.restarts):
        return NotApplicable("neither a first dose nor a restart")
    if elsewhere := not_for_aml(case):
        return case.blind(why=elsewhere, about=use.in_play, level=Level.INFO)
    advice = case.must(topics.TLS_ADVICE, use.drug)
    tests = case.must(topics.TLS_BLOOD_TESTS, use.drug)
    window = case.must(topics.ELECTROLYTE_WINDOW_AT_START, "policy").value
    facts = tuple(case.fact(key, window) for key in _CHEMISTRY if key.name in tests.value)
    unknown = tuple(fact for fact in facts if not fact.sure)
    found = tuple(pair for pair, there in _beyond(case, window, tests.value) if there is Truth.YES)
    enough = case.must(topics.SIGNS_TOGETHER, "policy").value
    surely = tuple(pair for pair in found if pair[0].state is State.KNOWN and not pair[0].doubts)
    if len(surely) >= enough:
        return _lysis_before_start(case, use, surely, advice, unknown)
    high = case.must(topics.TLS_POTASSIUM_FROM, "policy")
    potassium = next(fact for fact in facts if fact.key is POTASSIUM)
    beyond, sure_beyond = ([fact for fact, _ in pairs] for pairs in (found, surely))
    if len(found) >= enough and potassium not in sure_beyond and all(fact in beyond for fact in unknown):
        return _lysis_before_start(case, use, found, advice)  # their gaps stand beside them, and none is left out
    if at_or_above(potassium, high.value) is Truth.YES:
        return case.fired(
            Level.WARNING,
            "tls_potassium",
            about=use.in_play,
            drug=use.drug,
            because=(potassium,),
            says=(high,),
            potassium=potassium,
            limit=high,
            advice=advice,
        )
    if unknown:
        return case.blind(*unknown, about=use.in_play, level=Level.INFO if use.restarts else None)
    if found:
        return _lysis_before_start(case, use, found, advice)
    electrolytes = (fact for fact in facts if fact.key in _ELECTROLYTES and use.begins)
    old = told_as_old(case, use.drug, use.in_play, electrolytes)
    return old or Clear("blood chemistry of the last days is on record")


def _lysis_before_start(
    case: Case, use: Use, found: tuple[_Test, ...], advice: Statement[str], unknown: tuple[Fact[Quantity], ...] = ()
) -> Outcome:
    """Values beyond the limits before the first dose: several are a warning, one is a line.

    `unknown`: what is not surely known beside them, of which no gap is told.
    """
    several = len(found) >= case.must(topics.SIGNS_TOGETHER, "policy").value
    beyond = [fact for fact, _ in found]
    unseen = tuple(fact for fact in unknown if fact not in beyond)
    tests = [(fact.key.label, fact.key.order) for fact in unseen if fact.key.order]
    return case.fired(
        Level.WARNING if several else Level.INFO,
        "tls_before_start",
        about=use.in_play,
        drug=use.drug,
        because=tuple(fact for fact, _ in found),
        says=tuple(limit for _, limit in found),
        propose=tuple(Proposal("order", f"Order {label}", order=test) for label, test in tests),
        line=not several,
        found=found,
        several=several,
        unseen=unseen,
        advice=advice,
        restart=use.restarts,
    )


_CHEMISTRY = (POTASSIUM, PHOSPHATE, CALCIUM, URIC_ACID, CREATININE)
_ELECTROLYTES = (POTASSIUM, PHOSPHATE, CALCIUM)


@rule("venetoclax-start", subjects=uses(topics.RAMP_UP), sources=("SAF43", "SAF44", "SAF12", "SAF45"), worst=Level.INFO)
def starting_venetoclax(case: Case, use: Use) -> Outcome:
    """What to arrange when venetoclax is started.

    It is asked when venetoclax is started, and is a card of information: prophylaxis of tumour lysis, steps of the
    ramp-up, organ values to follow, grapefruit. The steps beside a strong or moderate inhibitor are told where one is
    drafted or taken, with the most that is allowed beside it, and the plain ones only where surely no inhibitor is.

    Beside other inhibitors, or where the medication list is not known, no steps are told. Where another disease than
    AML is the reason nothing is told but that. Dose limits and blood values are checks of their own.
    """
    if not use.is_new:
        return NotApplicable("not a start")
    if elsewhere := not_for_aml(case):
        return case.blind(why=elsewhere, about=use.drafts, level=Level.INFO)
    ceiling = next(iter(ceilings(case, use, inhibitors(case, use))), None)
    advice, ramp = case.must(topics.TLS_ADVICE, use.drug), _ramp(case, use, ceiling)
    return case.fired(
        Level.INFO,
        "starting_venetoclax",
        about=use.drafts,
        drug=use.drug,
        says=(advice,),
        advice=advice,
        ramp=ramp,
        ceiling=ceiling,
        unsure=ramp is None and not case.fact(MEDICATIONS).sure,
        organs=case.cite(topics.ORGAN_MONITORING, use.drug),
        grapefruit=case.cite(topics.GRAPEFRUIT, use.drug),
    )


def _ramp(case: Case, use: Use, ceiling: Ceiling | None) -> Statement[str] | None:
    """The steps of the ramp-up: those beside the inhibitor of the lowest ceiling, the plain ones surely without any."""
    if ceiling is not None:
        return ramp_beside(case, use, ceiling)
    open_ = just_ended(case, use) or not case.fact(MEDICATIONS).sure
    return None if open_ else case.cite(topics.RAMP_UP, use.drug)


@rule(
    "tls-laboratory",
    subjects=uses(topics.TLS_BLOOD_TESTS),
    sources=("SAF43", "SAF44", "SAF23c", "E31"),
    worst=Level.WARNING,
)
def tumour_lysis_on_treatment(case: Case, use: Use) -> Outcome:
    """Tumour lysis on treatment, by blood chemistry.

    It is asked of a drug whose source asks for blood chemistry against tumour lysis, while it is taken. Several values
    beyond the limits of laboratory tumour lysis warn, and so does the syndrome recorded since the start, or a high
    potassium alone in the first days. Another value alone is a line.

    Old or doubtful values count one step lower, unless enough sure ones stand beside them. It is named as not made
    where what is missing could make several, or where the problem list was not read whole. A value counts by its age,
    even from before the start; where another disease than AML is the reason, the record of the call notes it. While
    the drug is on hold nothing is a line or a gap.
    """
    if not (use.taken or use.is_held):
        return not_taken(case, use)
    if elsewhere := not_for_aml(case):
        return case.blind(why=elsewhere, about=use.in_play, quiet=True)
    signs, doubts = signs_since_start(case, use, keys_of(case, "tumour lysis"))
    window = case.must(topics.ELECTROLYTE_WINDOW_ON_TREATMENT, "policy").value
    tests = _beyond(case, window)
    found = tuple(pair for pair, there in tests if there is Truth.YES)
    surely = tuple(pair for pair in found if pair[0].sure)
    enough = case.must(topics.SIGNS_TOGETHER, "policy").value
    if found or signs:
        several = len(found) >= enough
        within = case.must(topics.TUMOUR_LYSIS_WITHIN, "pathway")
        alone = not several and bool(found) and found[0][0].key is POTASSIUM and _early(case, use, within.value)
        deciding = surely if len(surely) >= enough else found
        loud = several or bool(signs) or alone
        if not (loud or use.taken):
            return not_taken(case, use)
        return case.fired(
            Level.WARNING if loud else Level.INFO,
            "tls_laboratory",
            about=use.in_play,
            deciding=use.taken or use.in_play,
            drug=use.drug,
            because=() if signs and not doubts else tuple(fact for fact, _ in deciding),
            says=tuple(limit for _, limit in deciding) or (case.must(topics.TLS_ADVICE, use.drug),),
            doubts=() if several else doubts,
            mentions=(within,) if alone else (),
            line=not loud,
            found=found,
            several=several,
            alone=within if alone else None,
            signs=signs,
            loud=loud,
            creatinine=case.fact(CREATININE, window),
            advice=case.must(topics.TLS_ADVICE, use.drug),
        )
    if not use.taken:
        return not_taken(case, use)
    problems = case.fact(PROBLEMS)
    unknown = tuple(fact for (fact, _), there in tests if there is Truth.UNKNOWN)
    if problems.sure and len(unknown) < enough:
        return Clear("fewer than two values can be beyond the limits of laboratory tumour lysis")
    return case.blind(problems, *unknown)


_IN_LYSIS = (POTASSIUM, PHOSPHATE, URIC_ACID, CALCIUM)
_Test = tuple[Fact[Quantity], Statement[Quantity]]


def _beyond(case: Case, window: Quantity, asked: Collection[str] | None = None) -> tuple[tuple[_Test, Truth], ...]:
    """Each test of laboratory tumour lysis with its limit, and whether it lies beyond it; `asked`: of those alone."""
    keys = (key for key in _IN_LYSIS if asked is None or key.name in asked)
    tests = ((case.fact(key, window), case.must(topics.TUMOUR_LYSIS_LIMIT, "pathway", key.name)) for key in keys)
    return tuple(((fact, limit), _lysed(fact, limit)) for fact, limit in tests)


def _early(case: Case, use: Use, within: Quantity) -> bool:
    """Whether it was begun so lately that a high potassium alone is not waited out; without a date it may have been."""
    start = started(case, use)
    return start is None or start.days_ago(case.now) <= int(within.value)


def _lysed(fact: Fact[Quantity], limit: Statement[Quantity]) -> Truth:
    """Whether the value lies beyond the limit: calcium falls, the others rise."""
    return at_or_below(fact, limit.value) if fact.key is CALCIUM else at_or_above(fact, limit.value)
