"""The trace of a call as plain data: every check, its outcome, what it read and what it cited. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import singledispatch
from typing import Any

from cds_service.facts.allergies import Allergy
from cds_service.facts.drugs.medications import Medication, Medications
from cds_service.facts.entries import Entry
from cds_service.facts.fact import Fact
from cds_service.facts.genomics.ledger import LEDGER, Ledger
from cds_service.facts.genomics.mutations import Mutation
from cds_service.facts.later import Later
from cds_service.facts.values.ecg import Ecg
from cds_service.knowledge.model import Local, Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Check, Clear, Evaluation, Fired, NotApplicable, NotEvaluated


@dataclass(frozen=True, slots=True)
class Read:
    """A fact that a check read, in words."""

    key: str
    label: str
    state: str
    value: str
    unit: str
    date: str
    resource: str
    source: str
    as_received: str
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A place in a source that a check cited."""

    reference: str
    title: str
    at: str
    says: str
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that a check cited: what it says, since when, how well it was verified, and its places."""

    id: str
    topic: str
    about: str
    value: str
    effective: str
    verification: str
    foreign: str
    reviewed_on: str
    reviewed_by: str
    sources: tuple[Cited, ...]
    local: str = ""  # the hospital's own word, and what it stands in for


@dataclass(frozen=True, slots=True)
class Step:
    """One check of the trace."""

    rule: str
    title: str
    subject: str
    outcome: str
    level: str
    why: str
    missing: tuple[str, ...]
    reads: tuple[Read, ...]
    cites: tuple[Said, ...]
    local: str = ""  # what the hospital did with the rule: switched off, or in shadow


@dataclass(frozen=True, slots=True)
class Genomics:
    """The genomic results as they came in: a line for each marker, and the same as plain data."""

    lines: tuple[str, ...]
    content: list[dict[str, Any]]


def trace(evaluation: Evaluation) -> tuple[Step, ...]:
    """Every check, in the order in which it was made."""
    return tuple(step(check) for check in evaluation.checks)


def genomics(evaluation: Evaluation) -> Genomics:
    """The genomic results as they came in."""
    ledger = evaluation.chart.get(LEDGER).value
    return Genomics(ledger.words, ledger.as_json()) if ledger is not None else Genomics((), [])


def step(check: Check) -> Step:
    """One check as plain data."""
    level, why, missing = _ending(check)
    return Step(
        check.rule.id,
        check.rule.title,
        check.subject,
        check.word,
        level,
        why,
        missing,
        tuple(_read(fact) for fact in check.reads),
        tuple(said(statement) for statement in check.cites),
        check.switch.words if check.switch else "",
    )


def _ending(check: Check) -> tuple[str, str, tuple[str, ...]]:
    """The level, the reason and what is missing, as far as this outcome has them."""
    match check.outcome:
        case Fired(finding):
            return finding.level.indicator, "; ".join(finding.doubts), ()
        case Clear(why) | NotApplicable(why):
            return "", why, ()
        case NotEvaluated() as blind:
            return "", blind.why, tuple(dict.fromkeys(_missing(fact) for fact in blind.missing))


def _missing(fact: Fact[Any]) -> str:
    words = fact.why or "; ".join(fact.doubts) or fact.bounded or fact.state.value
    return f"{fact.key.label}: {words}"


def _read(fact: Fact[Any]) -> Read:
    value, unit = _value_and_unit(fact)
    origin = fact.origin
    return Read(
        key=fact.key.name,
        label=fact.key.label,
        state=fact.state.name.lower().replace("_", " "),
        value=value,
        unit=unit,
        date=str(fact.when) if fact.when else "",
        resource=origin.resource if origin else "",
        source=origin.source if origin else "",
        as_received=origin.as_received if origin else "",
        doubts=fact.doubts,
        notes=origin.notes if origin else (),
        why=fact.why,
    )


def _value_and_unit(fact: Fact[Any]) -> tuple[str, str]:
    held = fact.value
    if held is None:
        return "", ""
    if isinstance(held, Ecg):  # has its bound in its words
        return spoken(held), held.qtc.unit
    return f"{fact.bound}{spoken(held)}", held.unit if isinstance(held, Quantity) else ""


def said(statement: Statement[Any]) -> Said:
    """A statement as plain data."""
    return Said(
        id=statement.id,
        topic=statement.topic,
        about=statement.about,
        value=spoken(statement.value),
        effective=statement.effective.isoformat(),
        verification=statement.verification.value,
        foreign=statement.foreign,
        reviewed_on=statement.reviewed_on.isoformat(),
        reviewed_by=statement.reviewed_by,
        sources=tuple(
            Cited(each.reference.id, each.reference.short, each.at, each.says, each.reference.where)
            for each in statement.sources
        ),
        local=_local(statement.local) if statement.local else "",
    )


def _local(local: Local) -> str:
    """Whose word it is, why, and what it stands in for."""
    return f"{local.words}: {local.reason}; in place of {local.instead.id}, {spoken(local.instead.value)}"


@singledispatch
def spoken(value: object) -> str:
    """A value in words."""
    return str(value)


@spoken.register
def _(value: Enum) -> str:
    return str(value.value)


@spoken.register
def _(value: bool) -> str:
    return "yes" if value else "no"


@spoken.register(tuple)
@spoken.register(list)
@spoken.register(Later)
def _(values: Any) -> str:
    return "; ".join(spoken(each) for each in values) or "none"


@spoken.register
def _(fact: Fact) -> str:  # type: ignore[type-arg]
    words = f"{fact.bound}{spoken(fact.value)}" if fact.value is not None else fact.why or fact.state.value
    doubts = f", {'; '.join(fact.doubts)}" if fact.doubts else ""
    return f"{words} ({fact.when}{doubts})" if fact.when else f"{words}{doubts}"


@spoken.register
def _(values: frozenset) -> str:  # type: ignore[type-arg]
    return ", ".join(sorted(str(each) for each in values)) or "none"


@spoken.register
def _(ecg: Ecg) -> str:
    rate = f" at {ecg.rate}" if ecg.rate else ""
    how = ", computed from QT and rate" if ecg.computed else ""
    return f"{ecg.bound}{ecg.qtc} {ecg.formula.value}{rate}{how}"


@spoken.register
def _(mutation: Mutation) -> str:
    return "present" if mutation.present else "absent"


@spoken.register
def _(ledger: Ledger) -> str:
    return "; ".join(f"{line.label} {line.state}" for line in ledger.lines)


@spoken.register
def _(entry: Entry) -> str:
    return f"{entry.words} ({entry.when})" if entry.when else entry.words


@spoken.register
def _(medications: Medications) -> str:
    named = "; ".join(spoken(order) for order in medications.orders) or "none that our rules know"
    return f"{named} ({medications.read} on record were read)"


@spoken.register
def _(order: Medication) -> str:
    dose = f", {order.dose.daily}" if order.dose.daily else ""
    how = f"; matched by {order.matched_by}" if order.matched_by else ""
    return f"{order.label or ' + '.join(order.ingredients)} ({order.role.value}{dose}{how})"


@spoken.register
def _(allergy: Allergy) -> str:
    return f"{allergy.words} ({allergy.when})" if allergy.when else allergy.words
