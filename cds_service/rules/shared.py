"""Shared: what was worked out in one call and serves every check of it. Nothing of it outlives the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Shared:
    """What was worked out in this call. `listed` leans on the medication list; `patient` does not."""

    patient: dict[Any, Any] = field(default_factory=dict)
    listed: dict[Any, Any] = field(default_factory=dict)

    def with_another_list(self) -> Shared:
        """The same patient with other orders: what does not lean on them still holds."""
        return Shared(self.patient)
