"""Units of a trend: drawn as the laboratory sent them where all its values share one, else in the one that checks use.

A limit is turned into the unit of the drawing for the eye; the checks went by the value that stands beside its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.fact import Fact
from cds_service.knowledge.units import UnitTable
from cds_service.quantity import Quantity, plain

_RECEIVED = re.compile(r"(?:[<>]=?)?(\d+(?:\.\d+)?) (\S.*)\Z")  # one number; a range is none
_DIGITS = 3  # of a value that was converted
_WORDS = {"10*3/uL": "×10³/µL", "10*6/L": "×10⁶/L"}
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The unit of a drawing. A value of the checks is (value + offset) * factor."""

    words: str
    offset: Decimal = Decimal(0)
    factor: Decimal = _ONE
    own: bool = False  # as received, so its values are told as they came

    def amount(self, value: Quantity) -> Decimal:
        """A value of the checks in this unit."""
        return value.value / self.factor - self.offset

    def told(self, value: Quantity) -> str:
        """The same in words."""
        return f"{rounded(self.amount(value))} {self.words}".strip()

    def measured(self, fact: Fact[Quantity]) -> tuple[Decimal, str]:
        """A measurement in this unit, and in words; as it came where this is its own unit."""
        assert fact.value is not None
        received = _received(fact) if self.own else None
        amount = received[0] if received is not None else self.amount(fact.value)
        told = plain(amount) if received is not None else rounded(amount)
        return amount, f"{fact.bound}{told} {self.words}".strip()

    @property
    def converts(self) -> bool:
        """Whether another number stands here than the checks went by."""
        return bool(self.offset) or self.factor != _ONE


def drawn_in(facts: Iterable[Fact[Quantity]], table: UnitTable) -> Drawn:
    """The unit for these measurements: the one in which all of them came, else that of the checks."""
    received = [_received(fact) for fact in facts]
    units = {each[1] if each is not None else None for each in received}
    unit = units.pop() if len(units) == 1 else None
    found = table.units.get(unit) if unit is not None else None
    if unit is None or found is None:
        return Drawn(spoken(table.canonical))
    return Drawn(spoken(unit), *found, own=True)


def spoken(unit: str) -> str:
    """A unit as it is written for people: "µmol/L" for "umol/L"."""
    words = _WORDS.get(unit) or str(Quantity(_ONE, unit)).removeprefix("1").strip() or unit
    return re.sub(r"^(?:u|mc|micro)mol", "µmol", words)


def rounded(value: Decimal) -> str:
    """With three digits, and never less than whole: 70.7, 0.801, 1234."""
    places = max(0, _DIGITS - 1 - value.adjusted()) if value else 0
    return plain(value.quantize(_ONE.scaleb(-places)))


def _received(fact: Fact[Quantity]) -> tuple[Decimal, str] | None:
    written = _RECEIVED.match(fact.origin.as_received if fact.origin else "")
    return (Decimal(written[1]), written[2]) if written else None
