"""Which way a limit is stricter: what a hospital's value means beside the one that it replaces.

Numbers are compared; whether lower or higher is stricter follows from the topic, and is left open where it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cds_service.knowledge.model import Statement, Verification
from cds_service.quantity import Quantity

LOWER, HIGHER, MORE = "lower", "higher", "more"

# By the ending of the topic's name, where the ending tells; a whole name goes before an ending.
_STRICTER = {
    "_above": LOWER,
    "_at_most": LOWER,
    "_within_baseline": LOWER,
    "_ceiling": LOWER,
    "_window": LOWER,
    "_below": HIGHER,
    "_target": HIGHER,
    "wbc_start_below": LOWER,
    "tls_potassium_from": LOWER,
    "bazett_clears_from_rate": HIGHER,
    "other_formula_trusted_to_rate": LOWER,
    "qtc_window_at_start": LOWER,
    "qtc_window_on_treatment": LOWER,
    "qtc_window_after_schedule": LOWER,
    "electrolyte_window_at_start": LOWER,
    "electrolyte_window_on_treatment": LOWER,
    "count_window_at_start": LOWER,
    "ecg_tolerance": LOWER,
    "return_after": HIGHER,
    "ecg_on_cycle_one_days": MORE,
    "ecg_before_cycles": MORE,
    "tls_blood_tests": MORE,
}

_SOURCE = {
    Verification.LABEL: "the label",
    Verification.LITERATURE: "the literature",
    Verification.SECONDARY: "the label as restated",
    Verification.RECALLED: "the label as recalled",
    Verification.POLICY: "the service default",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A value beside the one that it replaces: in words, and whether it is laxer (None where that is not known)."""

    words: str
    laxer: bool | None


def stricter(topic: str) -> str:
    """In which direction a value of that topic is stricter: lower, higher, more; empty where the name does not tell."""
    endings = (way for ending, way in _STRICTER.items() if ending.startswith("_") and topic.endswith(ending))
    return _STRICTER.get(topic) or next(endings, "")


def compare(instead: Statement[Any], value: Any) -> Comparison:
    """The hospital's value beside the statement that it replaces."""
    old = instead.value
    if old == value:
        return Comparison("the same", False)
    source = _SOURCE[instead.verification]
    if isinstance(old, Quantity) and isinstance(value, Quantity):
        return _numbers(instead.topic, old.value, value.value, source)
    if isinstance(old, Decimal) and isinstance(value, Decimal):
        return _numbers(instead.topic, old, value, source)
    if isinstance(old, tuple) and isinstance(value, tuple):
        return _lists(instead.topic, old, value, source)
    return Comparison(f"other words than {source}", None)


def _numbers(topic: str, old: Decimal, new: Decimal, source: str) -> Comparison:
    way = LOWER if new < old else HIGHER
    known = stricter(topic)
    if known not in (LOWER, HIGHER):
        return Comparison(f"{way} than {source}", None)
    laxer = way != known
    return Comparison(f"{way}: {'laxer' if laxer else 'stricter'} than {source}", laxer)


def _lists(topic: str, old: tuple[Any, ...], new: tuple[Any, ...], source: str) -> Comparison:
    out = [str(each) for each in old if each not in new]
    added = [str(each) for each in new if each not in old]
    words = [f"without {', '.join(out)}"] if out else []
    words += [f"with {', '.join(added)}"] if added else []
    said = " and ".join(words) or "in another order"
    if stricter(topic) != MORE:
        return Comparison(f"{said}, unlike {source}", None)
    return Comparison(f"{said}: {'laxer' if out else 'stricter'} than {source}", bool(out))
