"""Electrolytes: potassium and magnesium before and during drugs that prolong the QT interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from cds_service.facts.fact import Key, below
from cds_service.facts.labs import MAGNESIUM, POTASSIUM
from cds_service.facts.medications import Medication
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Topic
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, Subjects, rule
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.truth import Truth

LIMITS: dict[Key[Quantity], tuple[Topic[Quantity], Topic[Quantity]]] = {
    POTASSIUM: (topics.POTASSIUM_LOW_BELOW, topics.POTASSIUM_TARGET),
    MAGNESIUM: (topics.MAGNESIUM_LOW_BELOW, topics.MAGNESIUM_TARGET),
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


def _each() -> Callable[[Case], Subjects[UseAndElectrolyte]]:
    find = uses(topics.ELECTROLYTES_REQUIRED)

    def both(case: Case) -> Subjects[UseAndElectrolyte]:
        found = find(case)
        pairs = tuple(UseAndElectrolyte(use, key) for use in found.found for key in LIMITS)
        return Subjects(pairs, found.unknown, found.none)

    return both


@rule(
    "electrolytes",
    subjects=_each(),
    sources=("SAF05",),
    worst=Level.WARNING,
    blind=Level.WARNING,
    before_dose=True,
)
def electrolyte_low(case: Case, subject: UseAndElectrolyte) -> Outcome:
    """Potassium and magnesium before and during treatment."""
    use, key = subject.use, subject.key
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    window = topics.ELECTROLYTE_WINDOW_AT_START if use.is_new else topics.ELECTROLYTE_WINDOW_ON_TREATMENT
    value = case.fact(key, case.must(window, "policy").value)
    low, target = (case.must(topic, "policy") for topic in LIMITS[key])
    required = case.must(topics.ELECTROLYTES_REQUIRED, use.drug)
    match below(value, low.value):
        case Truth.YES:
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
            return case.blind(value)
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
        )
    return Clear(f"{key.label} {value.value}")
