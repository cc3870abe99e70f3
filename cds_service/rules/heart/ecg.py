"""The heart: the newest QTc as it counts for a drug now, and whether it lies above a limit.

Shared by several topics.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import assert_never

from msgspec.structs import replace

from cds_service.facts.disease import RELAPSE
from cds_service.facts.drugs.medications import Role
from cds_service.facts.entries import HISTORY, Entry
from cds_service.facts.fact import Fact, State, above
from cds_service.facts.times import When
from cds_service.facts.values.ecg import QTC, Ecg, Formula
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case, NotEvaluated, Proposal
from cds_service.rules.subjects import Use
from cds_service.rules.treatment import days, ecg_due_days, started
from cds_service.truth import Truth

INTERRUPT = "interrupt"  # the qualifier of a limit below the hold limit above which the drug is interrupted already
REPEAT_ECG = Proposal("order", "Order a 12-lead ECG", order="ecg")


@once
def current_qtc(case: Case, use: Use) -> Fact[Ecg]:
    """The newest QTc, stale when too old: before a first dose by the window, on treatment by the ECG schedule.

    On hold no ECG is due: the windows count, that of a start where it is taken up again.
    """
    start = started(case, use)
    if use.begins:
        return _since_relapse(case, case.fact(QTC, case.must(topics.QTC_WINDOW_AT_START, "policy").value))
    if use.restarts:
        return case.fact(QTC, case.must(topics.QTC_WINDOW_AT_START, "policy").value)
    if start is None or use.is_held:
        return case.fact(QTC, case.must(topics.QTC_WINDOW_ON_TREATMENT, "policy").value)
    schedule = ecg_due_days(case, use, start)
    if not schedule or case.now.date() > schedule[-1][0] + _tolerance(case):
        topic = topics.QTC_WINDOW_AFTER_SCHEDULE if schedule else topics.QTC_WINDOW_ON_TREATMENT
        after = case.fact(QTC, case.must(topic, "policy").value)
        if after.state is State.STALE or not schedule:
            return after
    fact = case.fact(QTC)
    missed = _missed(case, schedule, fact)
    if missed is not None and fact.newer is not None:
        fact = fact.newer
        missed = _missed(case, schedule, fact)
    if missed is None:
        return fact.surer_if(lambda surer: _missed(case, schedule, surer) is None)
    doubt = f"{fact.when}, before the ECG due on {missed[0]}"
    return replace(
        fact, state=State.STALE, doubts=(*fact.doubts, doubt), why=f"newest: {doubt} ({missed[1]})", surer=None
    )


def _since_relapse(case: Case, fact: Fact[Ecg]) -> Fact[Ecg]:
    """The QTc, stale when it was taken before the relapse: drugs and electrolytes were others then."""
    relapse = case.fact(RELAPSE)
    if relapse.when is not None:
        since = relapse.when
        fact = fact.surer_if(lambda surer: surer.when is not None and surer.when.on_or_after(since) is not Truth.NO)
    if fact.state is not State.KNOWN or fact.when is None or relapse.when is None:
        return fact
    if fact.when.on_or_after(relapse.when) is not Truth.NO:
        return fact
    if fact.newer is not None:
        return _since_relapse(case, fact.newer)
    doubt = f"{fact.when}, before the relapse of {relapse.when}"
    return replace(fact, state=State.STALE, doubts=(*fact.doubts, doubt), why=f"newest: {doubt}")


def _missed(case: Case, schedule: tuple[tuple[date, str], ...], fact: Fact[Ecg]) -> tuple[date, str] | None:
    """The scheduled ECG that is overdue: the newest one was taken before it."""
    past = [due for due in schedule if due[0] + _tolerance(case) < case.now.date()]
    if not past or fact.state is not State.KNOWN or fact.when is None:
        return None
    return past[-1] if fact.when.latest.date() < past[-1][0] - _tolerance(case) else None


def _tolerance(case: Case) -> timedelta:
    return days(case.must(topics.ECG_TOLERANCE, "policy").value)


def blind_to_qtc(case: Case, use: Use, qtc: Fact[Ecg], why: str = "") -> NotEvaluated:
    """The check could not be made for want of a QTc. On treatment an overdue ECG is told by its own check already."""
    start = started(case, use) if use.taken and not use.drafts else None
    told = start is not None and _missed(case, ecg_due_days(case, use, start), case.fact(QTC))
    return case.blind(qtc, why=why, quiet=bool(told))


def over(case: Case, qtc: Fact[Ecg], limit: Quantity) -> tuple[Truth, Fact[Ecg]]:
    """Whether the QTc is above the limit, and the fact with the doubt that its formula raises.

    Where a surer one that may be as new is above it, that one counts. Above the limit any formula warns. Below it
    Fridericia clears, and Bazett at a rate from which it gives no lower value.
    """
    ecg = qtc.value
    if ecg is None:
        return Truth.UNKNOWN, qtc
    if qtc.surer is not None:
        surely, told = over(case, qtc.surer, limit)
        if surely is Truth.YES:
            return surely, told
    truth = above(as_quantity(qtc, ecg), limit)
    if ecg.formula is Formula.FRIDERICIA:
        return truth, qtc
    words = f"{ecg.formula.value}, confirm with QTcF"
    match truth:
        case Truth.YES:
            return truth, qtc if _formula_trusted(case, ecg) else qtc.doubted(words)
        case Truth.NO:
            clears_from = case.must(topics.BAZETT_CLEARS_FROM_RATE, "policy").value
            if ecg.formula is Formula.BAZETT and ecg.rate is not None and ecg.rate >= clears_from:
                return truth, qtc
            rate = f" at {ecg.rate}" if ecg.rate else " at an unknown rate"
            return Truth.UNKNOWN, qtc.doubted(f"{ecg.qtc} by {ecg.formula.value}{rate} does not clear: QTcF is needed")
        case Truth.UNKNOWN:
            return truth, qtc
        case other:
            assert_never(other)


def weighed(case: Case, use: Use, newest: Fact[Ecg], judged: Fact[Ecg], word: Level) -> tuple[Fact[Ecg], bool]:
    """The QTc above a limit with the doubts that count, and whether to ask for QTcF in words instead.

    Another formula than Fridericia makes a critical finding a warning, and a warning no less. One that is trusted all
    the same is asked for in words. Where the drug's own text names no formula it is no doubt at all.
    """
    if newest.surer is not None and judged.value is newest.surer.value:
        newest = newest.surer
    any_formula = case.cite(topics.QTC_ANY_FORMULA, use.drug)
    if any_formula is not None and not any_formula.foreign:
        return newest, False
    if word is Level.CRITICAL:
        other = newest.value is not None and newest.value.formula is not Formula.FRIDERICIA
        return judged, other and judged is newest
    return newest, judged is not newest


def start_limit(case: Case, use: Use) -> Statement[Quantity] | None:
    """The QTc above which the drug is not started; None where it is not started now, or where none is stated."""
    return stated_start_limit(case, use) if use.begins else None


def stated_start_limit(case: Case, use: Use) -> Statement[Quantity] | None:
    """The QTc above which the drug is not started.

    A limit of another place is not borrowed where the drug's own text says that it has none.
    """
    limit = case.cite(topics.QTC_START_AT_MOST, use.drug)
    if limit is not None and limit.foreign:
        own = case.cite(topics.QTC_START_OPEN, use.drug)
        return None if own is not None and not own.foreign else limit
    return limit


def action_limit(case: Case, drug: str) -> Statement[Quantity] | None:
    """The QTc below the hold limit above which something is done; its qualifier says where that is to interrupt."""
    found = case.snapshot.qualifiers(topics.QTC_ACT_ABOVE, drug)
    return case.cite(topics.QTC_ACT_ABOVE, drug, found[0]) if found else None


def recorded_since(case: Case, use: Use, keys: frozenset[str]) -> tuple[tuple[Entry, Truth], ...]:
    """What is on record of these keys, past entries included, and whether it began after the very first dose."""
    start = _first_dose(use)
    found = []
    for entry in case.fact(HISTORY).value or ():
        if keys & set(entry.keys):
            began = Truth.UNKNOWN if start is None or entry.when is None else entry.when.on_or_after(start)
            found.append((entry, began))
    return tuple(found)


def _first_dose(use: Use) -> When | None:
    taken = use.of(Role.ACTIVE, Role.ON_HOLD, Role.PAST)
    starts = [order.start for order in taken if order.start is not None]
    return min(starts, key=lambda when: when.earliest, default=None)


def as_quantity(qtc: Fact[Ecg], ecg: Ecg) -> Fact[Quantity]:
    """The QTc as a plain measured value, with everything that one knows or doubts of it."""
    rivals = tuple(rival.qtc for rival in qtc.rivals)
    return Fact(qtc.key, qtc.state, ecg.qtc, qtc.when, qtc.origin, qtc.bound, qtc.doubts, qtc.why, rivals)  # type: ignore[arg-type]


def _formula_trusted(case: Case, ecg: Ecg) -> bool:
    """So far above, or at a rate where the formulas agree, another formula counts like Fridericia."""
    if ecg.qtc > case.must(topics.OTHER_FORMULA_CRITICAL_ABOVE, "policy").value:
        return True
    low = case.must(topics.BAZETT_CLEARS_FROM_RATE, "policy").value
    high = case.must(topics.OTHER_FORMULA_TRUSTED_TO_RATE, "policy").value
    return ecg.rate is not None and low <= ecg.rate <= high
