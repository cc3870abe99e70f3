"""Facts, statements and orders as templates speak of them: a value, a date, an age, a source, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any

from cards.render import Safe, render
from cds_service.facts.disease import Disease, Entry
from cds_service.facts.drugs.medications import Medication
from cds_service.facts.fact import Fact
from cds_service.facts.genomics.mutations import Mutation
from cds_service.facts.times import When, spoken_age
from cds_service.facts.values.ecg import Ecg
from cds_service.knowledge.model import Statement, Verification
from cds_service.quantity import Quantity
from cds_service.rules.rule import Finding
from cds_service.rules.subjects import Met


@dataclass(frozen=True, slots=True)
class Speaker:
    """Turns what rules hand over into what templates say, as of now."""

    now: datetime

    def all(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Every value, spoken."""
        return {name: self.one(value) for name, value in values.items()}

    def one(self, value: object) -> Any:
        """One value, spoken."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, (tuple, list)):
            return [self.one(each) for each in value]
        for kind, speak in self._ways:
            if isinstance(value, kind):
                return speak(value)
        if is_dataclass(value) and not isinstance(value, type):
            return SimpleNamespace(**{each.name: self.one(getattr(value, each.name)) for each in fields(value)})
        return str(value)

    @property
    def _ways(self) -> tuple[tuple[type, Callable[[Any], Any]], ...]:
        return (
            (Fact, self._fact),
            (Statement, self._statement),
            (Ecg, self._ecg),
            (Medication, self._order),
            (Finding, lambda finding: render(finding.card, {"drug": finding.drug} | self.all(finding.values)).summary),
            (Quantity, str),
            (When, lambda when: SimpleNamespace(day=str(when), age=spoken_age(when, self.now))),
            (Met, lambda other: SimpleNamespace(drug=other.drug, spoken=other.spoken)),
            (Entry, lambda entry: SimpleNamespace(words=entry.words, day=str(entry.when or "no date"))),
            (Enum, lambda each: each.value),
        )

    def _fact(self, fact: Fact[Any]) -> Any:
        held = fact.value
        if isinstance(held, Ecg):
            spoken = self._ecg(held)
        elif isinstance(held, Mutation):
            spoken = SimpleNamespace(value="present" if held.present else "absent")
        elif isinstance(held, (Disease, Entry)):
            spoken = SimpleNamespace(value=held.value if isinstance(held, Disease) else held.words)
        else:
            spoken = SimpleNamespace(value=fact.told)
        spoken.label = fact.key.label
        vars(spoken).update(self._time(fact.when))
        spoken.why = fact.why
        spoken.received = fact.origin.as_received if fact.origin else ""
        spoken.known = held is not None
        spoken.doubts = "; ".join(fact.doubts)
        return spoken

    def _time(self, when: When | None) -> dict[str, str]:
        """The day and the age of a value, alone and in a sentence: "on 2026-11-20", "on 2026-11-20, yesterday"."""
        if when is None:
            return dict.fromkeys(("day", "age"), "no date") | dict.fromkeys(("on", "dated"), "without a date")
        age = spoken_age(when, self.now)
        return {"day": str(when), "age": age, "on": f"on {when}", "dated": f"on {when}, {age}"}

    def _ecg(self, ecg: Ecg) -> Any:
        return SimpleNamespace(
            value=f"{ecg.bound}{ecg.qtc}",
            formula=ecg.formula.value if not ecg.computed else f"{ecg.formula.value} computed from QT and rate",
            short=ecg.formula.value.partition(" ")[0],
            **self._time(ecg.when),
        )

    def _statement(self, statement: Statement[Any]) -> Any:
        of_a_label = statement.verification is not Verification.POLICY  # a default of ours is of no place
        where = f" ({statement.foreign} label)" if statement.foreign and of_a_label else ""
        value = statement.value if isinstance(statement.value, tuple) else (statement.value,)
        return SimpleNamespace(
            value=Safe(", ".join(str(each) for each in value) + where),
            either=Safe(" or ".join(str(each) for each in value) + where),
            where=Safe(where),
            label=Safe(f"{statement.foreign} label" if where else "label"),
            qualifier=statement.qualifier,
            source=statement.sources[0].reference.short,
            kind="service default"
            if statement.verification is Verification.POLICY and statement.local is None
            else statement.sources[0].reference.short,
        )

    def _order(self, order: Medication) -> Any:
        daily = str(order.dose.daily) if order.dose.daily is not None else ""
        return SimpleNamespace(
            label=order.label,
            dose=daily,
            why=order.dose.why,
            role=order.role.value,
            reference=order.reference,
            note=order.dose.note,
            start=str(order.start) if order.start else "date not stated",
            end=str(order.end) if order.end else "date not stated",
            drugs=" + ".join(order.ingredients),
        )
