"""Once: work that several rules ask for alike is done by the first that asks.

What was read and cited for it goes into the trace of every check that asks, as if each had worked it out by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, TypeVarTuple

from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.rules.rule import Case

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def once(work: Callable[[Case, *Ts], T]) -> Callable[[Case, *Ts], T]:
    """Work that is done once in a call, for the very same arguments. It may look at nothing but the case and them."""

    @wraps(work)
    def asked(case: Case, *args: *Ts) -> T:
        shared, key = case.shared, (work, *map(id, args)) if args else work
        kept = shared.listed.get(key) or shared.patient.get(key) or _worked_out(work, key, case, *args)
        result: T = kept[0]
        case.reads.update(kept[1])
        case.cites.update(kept[2])
        return result

    return asked


def _worked_out(work: Callable[[Case, *Ts], T], key: object, case: Case, *args: *Ts) -> tuple[Any, ...]:
    """The result, what was read and cited for it, and the arguments, whose identity stays theirs while they are kept.

    What was read before an error stands in the trace of the check that fails by it.
    """
    probe = Case(case.chart, case.snapshot, {}, case.shared)
    try:
        result = work(probe, *args)
    except Exception:
        case.reads.update(probe.reads)
        case.cites.update(probe.cites)
        raise
    kept = (result, probe.reads, probe.cites, args)
    leans = id(case.chart.facts.get(MEDICATIONS.name)) in probe.reads
    (case.shared.listed if leans else case.shared.patient)[key] = kept
    return kept
