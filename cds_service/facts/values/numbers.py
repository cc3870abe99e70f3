"""Numbers: which number an Observation or one of its components holds, in which of FHIR's many shapes.

A unit is never guessed: no unit, no number, except for a score; two units of which either may be meant, none either. A
comparator and the end of a range are bounds. What holds no number says why, with the words that stand in its place.
"""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from cds_service.facts.concepts import codes, shortened, text
from cds_service.facts.values.written import written
from cds_service.gather.views import CodeableConcept, Component, Range
from cds_service.gather.views import Quantity as Measured
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.units import UnitTable
from cds_service.quantity import Quantity

_STEP = re.compile(  # a bound or a question is no step
    r"[^\w<>≤≥?~]*(?:grade|grad|score)?[^\w<>≤≥?~]*(\d{1,3})[^\w<>≤≥?]*(?:\s[-–:=(]\s?[^\W\d][^?]{0,200})?",
    re.IGNORECASE,
)
BOUNDS = frozenset({"<", "<=", ">", ">="})


class Number(msgspec.Struct, frozen=True):
    """A measured value in its canonical unit, as received, and perhaps only as a bound.

    Of a range the low end is the value, as ">=", and `most` is the high one: a reader may weigh both.
    """

    quantity: Quantity
    as_received: str
    bound: str = ""
    notes: tuple[str, ...] = ()
    most: Quantity | None = None


def number(component: Component, key: str, terms: Terms) -> Number | str:
    """The number that an observation or component holds under `key`, or why there is none, in words.

    "severely reduced" in place of a number is told: whoever reads the card can read it.
    """
    found = _of(component, key, terms)
    if isinstance(found, Number) or component.dataAbsentReason is not None:
        return found
    said = shortened(component.valueString or text(component.valueCodeableConcept)).strip()
    return f'{found} ("{said}")' if said and said not in found else found


def _of(component: Component, key: str, terms: Terms) -> Number | str:
    table = terms.units.get(key)
    if table is None:
        return "a kind of value that is not read here"
    if component.dataAbsentReason is not None:
        return _not_known(component.dataAbsentReason, terms)
    found = _number(component, table, terms)
    if not table.is_score:
        return found
    if isinstance(found, str) and component.valueString:
        found = _step_in_text(component.valueString, table, terms) or found
    steps = _steps(component, key, terms)
    is_coded = component.valueCodeableConcept is not None or is_empty(component)
    if not steps and is_coded:
        return _step_in_words(component.valueCodeableConcept, table, terms) or found
    if not steps or not (is_coded or isinstance(found, Number)):
        return found
    if len(steps) > 1 or (isinstance(found, Number) and found.quantity.value != Decimal(next(iter(steps)))):
        return "answers that contradict each other"
    return _converted(table, Decimal(steps.pop()), "")


def _number(component: Component, table: UnitTable, terms: Terms) -> Number | str:
    if component.valueQuantity is not None:
        return _measured(component.valueQuantity, table, terms)
    if component.valueRange is not None:
        return _between(component.valueRange, table, terms)
    if component.valueString:
        return _in_words(component.valueString, table)
    if component.valueInteger is not None:
        return _converted(table, Decimal(component.valueInteger), "")
    if component.valueSampledData is not None:
        return "a waveform, which is not read"
    return _answered(component, terms)


def is_empty(part: Component) -> bool:
    """Whether it holds no value and no reason for having none, as the head of a panel does."""
    return part.dataAbsentReason is None and all(getattr(part, name) is None for name in _VALUES)


_VALUES = tuple(name for name in Component.__struct_fields__ if name.startswith("value"))


def _measured(value: Measured, table: UnitTable, terms: Terms) -> Number | str:
    if value.value is None:
        return "no value"
    if value.comparator is not None and value.comparator not in BOUNDS:
        return "a comparator that FHIR does not have"
    unit = _unit(value, terms)
    found = _converted(table, value.value, unit, value.comparator or "")
    if isinstance(found, Number) and value.unit and value.unit != unit:
        printed = table.convert(value.value, value.unit)
        if printed is not None and printed != found.quantity and table.plausible(printed):
            return f"{value.value} with two units, {unit} by its code and {value.unit} as printed"
    return found


def _unit(value: Measured | None, terms: Terms) -> str:
    """The UCUM code before the unit as printed; "" when there is neither."""
    if value is None:
        return ""
    is_ucum = terms.system(value.system).endswith("unitsofmeasure.org")
    return (value.code if value.code and is_ucum else value.unit) or value.code or ""


def _converted(table: UnitTable, value: Decimal, unit: str, bound: str = "") -> Number | str:
    """The number in the canonical unit. Only a score has no unit."""
    if not unit and not table.is_score:
        return f"{bound}{value} without a unit"
    converted = table.convert(value, unit or table.canonical)
    if converted is None:
        return f"{bound}{value} with the unit '{unit[:20]}', which is not one we convert"
    if not table.plausible(converted) or (table.is_score and value % 1):
        return f"{value} {unit[:20]}".strip() + " is not a possible value"
    return Number(converted, f"{bound}{value} {unit}".strip(), bound)


def _between(range_: Range, table: UnitTable, terms: Terms) -> Number | str:
    """A range: at least its low end, at most its high one. An end without unit has that of the other."""
    low, high = range_.low, range_.high
    unit = _unit(low, terms) or _unit(high, terms)
    if any(end is not None and end.comparator for end in (low, high)):
        return "a range with a comparator in it"
    first = low.value if low else None
    last = high.value if high else None
    if first is not None and last is not None:
        return _range(table, first, last, unit, _unit(high, terms) or unit)
    if first is not None:
        return _converted(table, first, unit, ">=")
    return "no value" if last is None else _converted(table, last, unit, "<=")


def _range(table: UnitTable, first: Decimal, last: Decimal, unit: str, last_unit: str) -> Number | str:
    low, high = _converted(table, first, unit, ">="), _converted(table, last, last_unit)
    if isinstance(low, str) or isinstance(high, str):
        return low if isinstance(low, str) else str(high)
    if low.quantity > high.quantity:
        return "a range that ends before it begins"
    if low.quantity == high.quantity:
        return replace(high, notes=("given as a range",))
    shown = f"{first}–{last} {unit}".strip()
    return replace(low, as_received=shown, notes=("given as a range",), most=high.quantity)


def _in_words(text: str, table: UnitTable) -> Number | str:
    """A number with its unit in a text that holds nothing else."""
    said = written(text)
    if isinstance(said, str):
        return said
    if said.unit and table.convert(said.low, said.unit) is None:
        return "text in which no unit that we convert follows the number"
    if said.high is not None:
        found = _range(table, said.low, said.high, said.unit, said.unit)
    else:
        found = _converted(table, said.low, said.unit, said.bound)
    return found if isinstance(found, str) else replace(found, notes=(*found.notes, "read from text"))


def _answered(component: Component, terms: Terms) -> Number | str:
    """A coded answer instead of a number: a step of a score, a stated absence, or a finding in words."""
    kinds = dict(_answers(component.valueCodeableConcept, terms))
    if "absent_reason" in kinds:
        return f"stated as not known ({kinds['absent_reason']})"
    if "qt_interval_finding" in kinds:
        return f"stated as {kinds['qt_interval_finding']}, without a number"
    return "a code instead of a number" if component.valueCodeableConcept is not None else "no value"


def _steps(component: Component, key: str, terms: Terms) -> set[str]:
    """The steps of that score which its codes name: some writers put them into the interpretation."""
    concepts = (component.valueCodeableConcept, *(component.interpretation or ()))
    return {step for concept in concepts for kind, step in _answers(concept, terms) if kind == key}


def _step_in_words(concept: CodeableConcept | None, table: UnitTable, terms: Terms) -> Number | str | None:
    """The step that the words of an answer name whose codes say nothing."""
    if concept is None or not concept.text or _answers(concept, terms):
        return None
    return _step_in_text(concept.text, table, terms)


def _step_in_text(text: str, table: UnitTable, terms: Terms) -> Number | str | None:
    """The step that a text names: "ECOG 3", "3 - limited selfcare". None where it names none, or not one alone."""
    match = _STEP.fullmatch(terms.words["lab"].without(text))
    found = _converted(table, Decimal(match[1]), "") if match is not None else None
    return replace(found, notes=(*found.notes, "read from text")) if isinstance(found, Number) else found


def _answers(concept: CodeableConcept | None, terms: Terms) -> list[tuple[str, str]]:
    return [terms.answers[code] for code in codes(concept, terms) if code in terms.answers]


def _not_known(reason: CodeableConcept, terms: Terms) -> str:
    words = dict(_answers(reason, terms)).get("absent_reason", "")
    return f"stated as not known ({words})" if words else "stated as not known"
