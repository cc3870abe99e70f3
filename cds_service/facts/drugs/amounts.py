"""Amounts: what one dose or one rate comes to in mg, per body surface or weight where it is ordered so, or why not.

Units are read as UCUM codes or as people print them. Pieces count through the strength that the product states; where
it states none, or several, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds_service.gather.views import Medication, Ratio
from cds_service.gather.views import Quantity as Measured


@dataclass(frozen=True, slots=True)
class Amount:
    """So many mg, each time or in so many hours, perhaps per m2 or kg; `why` where it cannot be told in mg."""

    mg: Decimal | None
    per: str = ""  # "m2" or "kg"
    hours: Decimal | None = None  # a rate: the time in which it is given
    why: str = ""
    pieces: Decimal | None = None  # how many pieces it is, where it is counted so


MG: dict[str, Decimal] = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001")}
MG |= dict.fromkeys(("milligram", "milligrams"), MG["mg"]) | dict.fromkeys(("gram", "grams", "gm"), MG["g"])
MG |= dict.fromkeys(("mcg", "µg", "μg", "microgram", "micrograms"), MG["ug"])
_PER: Mapping[str, str] = {"m2": "m2", "m^2": "m2", "m²": "m2", "sq m": "m2", "sq. m": "m2", "sqm": "m2", "kg": "kg"}
_TIME: dict[str, Decimal] = {name: Decimal(1) for name in ("h", "hr", "hour")}
_TIME |= {name: Decimal(24) for name in ("d", "day", "24h", "24 h", "24.h", "(24.h)", "24 hours")}
_TIME |= {"min": Decimal(1) / 60, "wk": Decimal(168), "week": Decimal(168)}
_ANNOTATION = re.compile(r"(?<=[\w)])\{[^{}]*+\}")
_MOST_DIGITS = 20  # of one number in words: with so many that arithmetic overflows it is none
_PER_IN_WORDS = re.compile(r"(?<!\s)\s+per\s+")
_PIECE = re.compile(r"-*(?:[a-z]+[ -]+)*(?:tablet|tab|tbl|pill|capsule|cap|caplet|each)(?:s|\(s\))?|1", re.IGNORECASE)
_CODED_PIECE = re.compile(r"(?:or|chew|cp|disin|dr|ec|erec|er|sl|ent|erent)(?:tab|cap)(?:12|24)?", re.IGNORECASE)
_NUMBER = r"\d+(?:\.\d+)?"
_BEFORE = rf"(?:{_NUMBER}(?:\s*(?:mg|g))?\s*(?:[-\u2013/,;&+]|\band\b|\bor\b)\s*){{,6}}"  # "25/110/" of "25/110/160 mg"
_STRENGTH = re.compile(rf"(?<![\d.,])({_BEFORE})({_NUMBER})\s*(mg|g)\b(?!\s*/)", re.IGNORECASE)
_ONE_OF_THEM = re.compile(rf"({_NUMBER})\s*(mg|g)?", re.IGNORECASE)

BY_AREA = "it is ordered per body surface, and no body surface is computed here"
BY_WEIGHT = "it is ordered per body weight, which is not multiplied out here"
PIECES = "it is counted in pieces whose strength is not stated"
NO_UNIT = "its amount has no unit"
A_RATE = "it is given as a rate, and for how long a day is not stated"
ONLY_LOWEST = "only the lowest amount of a range is stated"
NO_AMOUNT = "the dose cannot be read"


Strength = Callable[[], Decimal | None]


def amount_of(measured: Measured | None, strength: Strength) -> Amount:
    """The amount of one dose. `strength`: mg in one piece of the product, asked only where pieces are counted."""
    if measured is None or measured.value is None:
        return Amount(None, why=NO_AMOUNT)
    if measured.comparator:
        return Amount(None, why="its amount is only a bound")
    if measured.value <= 0:
        return Amount(None, why="its amount is not above zero")
    units = _units(measured)
    if not units:
        return Amount(None, why=NO_UNIT)
    for unit in units:
        found = _in_mg(measured.value, unit)
        if found is not None:
            return found
    if any(_PIECE.fullmatch(unit.strip("{}")) or _CODED_PIECE.fullmatch(unit.strip("{}")) for unit in units):
        piece = strength()
        return Amount(measured.value * piece, pieces=measured.value) if piece is not None else Amount(None, why=PIECES)
    return Amount(None, why=f"its unit '{units[-1][:20]}' is not one that counts in mg")


def rate_of(ratio: Ratio | None, strength: Strength) -> Amount:
    """So much in so long, as a ratio states it."""
    if ratio is None or ratio.numerator is None or ratio.denominator is None:
        return Amount(None, why=NO_AMOUNT)
    given, long = amount_of(ratio.numerator, strength), ratio.denominator
    hours = next((_TIME[unit] for unit in _units(long) if unit in _TIME), None)
    if given.mg is None or hours is None or long.value is None or long.value <= 0 or long.comparator:
        return given if given.mg is None else Amount(None, why=A_RATE)
    return Amount(given.mg, given.per, hours * long.value, pieces=given.pieces)


def product_strength(product: str) -> Decimal | None:
    """The strength in mg that a product's name states ("venetoclax 100 MG Oral Tablet"), when it states one only."""
    found: set[Decimal] = set()
    for match in _STRENGTH.finditer(product):
        found.add(Decimal(match[2]) * MG[match[3].lower()])
        found |= {Decimal(one[1]) * MG[(one[2] or match[3]).lower()] for one in _ONE_OF_THEM.finditer(match[1])}
    return found.pop() if len(found) == 1 else None


def strength_in_mg(medication: Medication | None) -> Decimal | None:
    """The mg of one piece, as the Medication's single ingredient states them."""
    parts = (medication.ingredient or []) if medication is not None else []
    ratio = parts[0].strength if len(parts) == 1 else None
    if ratio is None or ratio.numerator is None:
        return None
    piece, given = ratio.denominator, amount_of(ratio.numerator, lambda: None)
    units = _units(piece) if piece is not None else []
    one = piece is None or piece.value in (None, 1)
    counted = not units or any(_PIECE.fullmatch(unit.strip("{}")) for unit in units)
    return given.mg if one and counted and not given.per and given.hours is None else None


def plainly(written: str) -> Decimal | None:
    """The number; None where a mark may part thousands or decimals ("1,000", "1.200")."""
    if len(written) <= _MOST_DIGITS and re.fullmatch(r"\d+|\d+[.,]\d{1,2}|0[.,]\d+", written):
        return Decimal(written.replace(",", "."))
    return None


def _units(measured: Measured) -> list[str]:
    """The unit as coded and as printed, folded."""
    return [folded for written in (measured.code, measured.unit) if written and (folded := _folded(written))]


def _folded(unit: str) -> str:
    return _ANNOTATION.sub("", _PER_IN_WORDS.sub("/", unit.strip().lower())).strip()


def _in_mg(value: Decimal, unit: str) -> Amount | None:
    """The amount where its unit is a mass, perhaps per surface or weight, perhaps per time."""
    mass, *rest = (part.strip() for part in unit.split("/"))
    rest = rest[:-1] if rest and rest[-1].strip("{}") == "dose" else rest  # each time, as any amount is
    factor = MG.get(mass)
    if factor is None or len(rest) > 2:
        return None
    per = _PER.get(rest[0]) if rest else ""
    time = rest[1:] if per else rest
    if per is None:
        per = ""
    if not time:
        return Amount(value * factor, per)
    hours = _TIME.get(time[0]) if len(time) == 1 else None
    return Amount(value * factor, per, hours) if hours is not None else None
