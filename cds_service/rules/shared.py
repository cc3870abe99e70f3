"""Shared: what was worked out in one call and serves every check of it. Nothing of it outlives the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.facts.fact import Fact

DRUGS = "drugs"  # under which the drugs on the list are kept, whatever their role


class Facts(dict[str, Fact[Any]]):
    """The facts of a chart that were asked for. `others`: where those are that were not asked for yet."""

    def __init__(self, others: Mapping[str, Fact[Any]], asked: Mapping[str, Fact[Any]] | None = None) -> None:
        super().__init__(asked or {})
        self._others = others

    def __missing__(self, name: str) -> Fact[Any]:
        fact = self[name] = self._others[name]
        return fact


@dataclass(frozen=True, slots=True)
class Shared:
    """What was worked out in this call. `listed` leans on the medication list; `patient` does not."""

    patient: dict[Any, Any] = field(default_factory=dict)
    listed: dict[Any, Any] = field(default_factory=dict)
    facts: Facts | None = None  # those of the chart that were asked for, as every check asks for some of them

    def with_another_list(self, drugs: frozenset[str]) -> Shared:
        """The same patient with other orders, of these drugs: what does not lean on the list still holds."""
        return Shared(self.patient, {DRUGS: drugs})
