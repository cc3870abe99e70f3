"""Units: in which units a kind of value is accepted, how it is converted, and what is plausible. Never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from unicodedata import normalize

import yaml

from cds_service.errors import KnowledgeError
from cds_service.kept import Kept
from cds_service.knowledge.plain_yaml import SafeLoader
from cds_service.knowledge.spelling import narrow
from cds_service.quantity import Quantity


@dataclass(frozen=True, slots=True)
class UnitTable:
    """The units in which one kind of value is accepted, and the range in which it is plausible."""

    canonical: str
    units: Mapping[str, tuple[Decimal, Decimal]]  # as written, and folded: offset, factor
    low: Decimal
    high: Decimal
    step: Decimal | None = None  # to which a value is rounded that a molar mass converted
    alone_from: Decimal = Decimal(0)  # in words: beside a name and nothing else, less may be what a test can see

    @property
    def is_score(self) -> bool:
        """Whether it is counted in whole steps of a scale, which have no unit."""
        return self.canonical == "{score}"

    def convert(self, value: Decimal, unit: str) -> Quantity | None:
        """The value in the canonical unit; None when the unit is not listed: units are never guessed.

        What a molar mass converts is rounded to the step of its kind: 1.7 mg/dL of magnesium are 0.70 mmol/L. What was
        sent finer than that step is not: 1.69 mg/dL are less.
        """
        found = self.units.get(unit.strip())
        if found is None:
            folded = _folded(unit)
            found = self.units.get(folded)
            if found is not None:  # any other may be somebody's words
                _FOLDED.keep(unit, folded, unit)
        if found is None and "{" in unit:
            found = self.units.get(_folded(_ANNOTATION.sub("", unit)))
        if found is None:
            return None
        offset, factor = found
        converted = (value + offset) * factor
        rounded = self.rounds(factor) and not self._is_finer(value, factor)
        return Quantity(self._stepped(converted) if rounded else converted, self.canonical)

    def rounds(self, factor: Decimal) -> bool:
        """Whether a value so converted is rounded: a factor between units of one kind has one decimal at most."""
        return self.step is not None and int(factor.as_tuple().exponent) < -1

    def _is_finer(self, value: Decimal, factor: Decimal) -> bool:
        """Whether the last digit that was sent is worth less than half a step."""
        last = value.normalize().as_tuple().exponent
        return self.step is not None and isinstance(last, int) and Decimal(1).scaleb(last) * factor < self.step / 2

    def _stepped(self, value: Decimal) -> Decimal:
        assert self.step is not None
        try:
            return value.quantize(self.step, ROUND_HALF_UP)
        except InvalidOperation:  # more digits than arithmetic keeps: no possible value, and left as it is
            return value

    def plausible(self, quantity: Quantity) -> bool:
        """Whether a living person can have this value."""
        return self.low <= quantity.value <= self.high


# What stands in braces in UCUM says what is counted and changes no value. With a digit in it, as {1.73_m2}, it does.
_ANNOTATION = re.compile(r"\{[^{}\d]*\}")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SIGNS = str.maketrans({"µ": "u", "μ": "u", "×": "x", "²": "2", "³": "3"})
_POWER_OF_TEN = re.compile(r"^x?10(?:\*\*?|\^|e|\((?=\d+\)))(\d+)\)?(?=[/{])")
_FOLDED: Kept[str, str] = Kept()


def _folded(unit: str) -> str:
    """The unit without case, spaces and ways of writing: µ is u, ×10⁹, x10^9 and 10e9 are 10*9, ㎎ is mg."""
    found = _FOLDED.get(unit)
    if found is None:
        plain = narrow("".join(unit.split()))
        plain = re.sub("10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda power: "10*" + power[1].translate(_RAISED), plain)
        if not plain.isascii():
            plain = normalize("NFKC", plain)  # "㎎/㎗", "ｍＥｑ／Ｌ"
        found = _POWER_OF_TEN.sub(r"10*\1", plain.translate(_SIGNS).lower())
    return found


def read_units(path: Path) -> dict[str, UnitTable]:
    """The table of each kind of value. Raises KnowledgeError."""
    try:
        content: Mapping[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=SafeLoader)  # noqa: S506
        return {key: _unit_table(fields) for key, fields in content.items()}
    except (OSError, AttributeError, KeyError, TypeError, ValueError, ArithmeticError, yaml.YAMLError) as fault:
        raise KnowledgeError(f"{path.name}: {fault}") from None


def _unit_table(fields: Mapping[str, Any]) -> UnitTable:
    exact = {
        unit: (Decimal(entry.get("offset", "0")), Decimal(entry["factor"])) for unit, entry in fields["units"].items()
    }
    folded: dict[str, set[tuple[Decimal, Decimal]]] = {}
    for unit, conversion in exact.items():
        folded.setdefault(_folded(unit), set()).add(conversion)
    unambiguous = {unit: next(iter(found)) for unit, found in folded.items() if len(found) == 1}
    plausible = fields["plausible"]
    step = Decimal(fields["step"]) if "step" in fields else None
    low, high = Decimal(plausible["min"]), Decimal(plausible["max"])
    alone_from = Decimal(fields.get("alone", {"from": "0"})["from"])
    return UnitTable(fields["canonical"], unambiguous | exact, low, high, step, alone_from)
