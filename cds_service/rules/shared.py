"""Shared: what was worked out in one call and serves every check of it. Nothing of it outlives the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DRUGS = "drugs"  # under which the drugs on the list are kept, whatever their role


@dataclass(frozen=True, slots=True)
class Shared:
    """What was worked out in this call. `listed` leans on the medication list; `patient` does not."""

    patient: dict[Any, Any] = field(default_factory=dict)
    listed: dict[Any, Any] = field(default_factory=dict)

    def with_another_list(self, drugs: frozenset[str]) -> Shared:
        """The same patient with other orders, of these drugs: what does not lean on the list still holds."""
        return Shared(self.patient, {DRUGS: drugs})
