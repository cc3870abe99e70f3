"""A measured value with its unit: `Quantity(Decimal("512"), "ms")`. Units are UCUM codes; no unit is ever guessed."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import msgspec

_WRITTEN = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s+(\S.*?)\s*\Z")

# How a UCUM code is spoken on a card.
_SPOKEN = {
    "d": "days",
    "mo": "months",
    "a": "years",
    "h": "h",
    "mg/d": "mg daily",
    "mg/m2": "mg/m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "10*9/L": "×10⁹/L",
    "umol/L": "µmol/L",
    "[ULN]": "× ULN",
    "/min": "/min",
    "1": "",
    "Cel": "°C",
}


class Quantity(msgspec.Struct, frozen=True):
    """A value and its UCUM unit. Two quantities compare only in the same unit (ValueError otherwise)."""

    value: Decimal
    unit: str

    @classmethod
    def read(cls, text: str) -> Quantity:
        """The quantity written as "500 ms". Raises ValueError when it is not written so."""
        match = _WRITTEN.match(text)
        if not match:
            raise ValueError(f"expected a number and a unit, found '{text}'")
        try:
            return cls(Decimal(match[1]), match[2])
        except InvalidOperation:  # pragma: no cover - the pattern admits only numbers
            raise ValueError(f"expected a number and a unit, found '{text}'") from None

    def __str__(self) -> str:
        return f"{plain(self.value)} {_SPOKEN.get(self.unit, self.unit)}".strip()

    def __gt__(self, other: Quantity) -> bool:
        return self.value > self._same_unit(other)

    def __lt__(self, other: Quantity) -> bool:
        return self.value < self._same_unit(other)

    def __ge__(self, other: Quantity) -> bool:
        return not self < other

    def __le__(self, other: Quantity) -> bool:
        return not self > other

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - self._same_unit(other), self.unit)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + self._same_unit(other), self.unit)

    def times(self, factor: Decimal) -> Quantity:
        """The quantity multiplied by a pure number."""
        return Quantity(self.value * factor, self.unit)

    def _same_unit(self, other: Quantity) -> Decimal:
        if self.unit != other.unit:
            raise ValueError(f"cannot compare {self.unit} with {other.unit}")
        return other.value


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros, at most three decimals: 512, 3.5, 0.74."""
    try:
        return f"{value.quantize(Decimal('0.001')).normalize():f}"
    except InvalidOperation:  # not a number, or one with more digits than arithmetic keeps
        return f"{value:.6g}"
