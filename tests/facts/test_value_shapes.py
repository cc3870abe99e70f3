"""One value, many shapes: however it is written it reads the same; what is broken is never a sure value."""

from __future__ import annotations

import copy
import os
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.facts.chart import Chart
from cds_service.facts.fact import Fact
from cds_service.facts.values.ecg import QTC, Formula
from cds_service.facts.values.labs import BEDSIDE, ECOG, LABS, POTASSIUM
from cds_service.quantity import Quantity
from tests.charts import Json, chart, terms
from tests.shapes import values as shapes

CODES = {key.name: terms().codes(key.name) for key in (*LABS, *BEDSIDE) if key is not ECOG}
KEYS = {key.name: key for key in (*LABS, *BEDSIDE)}
JUNK: Any = st.one_of(
    st.none(), st.booleans(), st.text(max_size=6), st.just([]), st.just({}), st.just([None]), st.just({"value": 4}),
    st.sampled_from(["mmol", "5 mg", "<", "~", "final?", "2026-13-40", "9999-12-31", "0001-01-01"]),
    st.just({"coding": [{"code": "2823-3"}]}), st.just({"reference": "Patient/p1"}), st.just([{"odd": 1}]),
)  # fmt: skip
# Each example is written in every shape. `make grid` draws a hundred.
drawn = settings(max_examples=100 if os.environ.get("GRID") == "full" else 25)


@st.composite
def measured(draw: st.DrawFn) -> tuple[str, shapes.Measured]:
    """Any of our values, somewhere in its plausible range, in any unit in which it is accepted."""
    name = draw(st.sampled_from(sorted(CODES)))
    table = terms().units[name]
    unit = draw(st.sampled_from(sorted(unit for unit in table.units if not unit.isdigit())))
    offset, factor = table.units[unit]
    value = (draw(st.decimals(table.low, table.high, places=3)) / factor - offset).quantize(Decimal("0.0001"))
    back = table.convert(value, unit)
    if back is None or not table.plausible(back):
        value = (table.high / factor - offset).quantize(Decimal("0.0001"), rounding="ROUND_DOWN")
    return name, shapes.Measured(draw(st.sampled_from(CODES[name])), value.normalize() + 0, unit)


@drawn
@given(measured())
def test_a_value_reads_the_same_in_every_shape(one: tuple[str, shapes.Measured]) -> None:
    name, what = one
    expected = terms().units[name].convert(what.value, what.unit)
    assert expected is not None
    for written in shapes.resources(what):
        found = chart(written).get(KEYS[name])
        assert found.value is not None, (found.why, written)
        assert abs(found.value.value - expected.value) <= abs(expected.value) * Decimal("1e-12"), written
        assert (found.value.unit, found.when and str(found.when)) == (expected.unit, "2026-11-20"), written
        assert found.sure, (found.doubts, written)


@drawn
@given(st.integers(300, 650))
def test_a_qtcf_reads_the_same_in_every_shape(ms: int) -> None:
    for written in shapes.qtcf(ms):
        found = chart(written).get(QTC)
        assert found.value is not None, (found.why, written)
        assert (found.value.qtc, found.value.formula) == (Quantity(Decimal(ms), "ms"), Formula.FRIDERICIA), written
        assert found.sure, (found.doubts, written)


@pytest.mark.parametrize("step", range(6))
def test_an_ecog_step_reads_the_same_in_every_shape(step: int) -> None:
    for written in shapes.ecog(step):
        found = chart(written).get(ECOG)
        assert (found.value, found.sure) == (Quantity(Decimal(step), "{score}"), True), (found.why, written)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the JSON that could be broken."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = (found for key, each in inner if key != "resourceType" for found in places(each, (*path, key)))
    return [*([path] if path else []), *below]


def broken(content: Json, path: tuple[Any, ...], junk: Any) -> Json:
    """The same JSON with the element at `path` replaced."""
    made = copy.deepcopy(content)
    holder: Any = made
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = junk
    return made


def known_of(found: Chart) -> dict[str, Fact[Any]]:
    """Every measured value and ECG of the chart that may clear a check."""
    facts = {name: found.get(key) for name, key in KEYS.items()} | {"qtc": found.get(QTC)}
    return {name: fact for name, fact in facts.items() if fact.sure}


POTASSIUMS = tuple(shapes.resources(shapes.Measured("2823-3", Decimal("4.1"), "mmol/L")))
QTCFS = tuple(shapes.qtcf(430))


@given(st.data())
def test_what_is_broken_is_never_a_sure_value_that_was_not_there(data: st.DataObject) -> None:
    of_potassium = data.draw(st.booleans())
    written = data.draw(st.sampled_from(POTASSIUMS if of_potassium else QTCFS))
    for _ in range(data.draw(st.integers(1, 3))):
        left = places(written)
        if left:
            written = broken(written, data.draw(st.sampled_from(left)), data.draw(JUNK))
    if "resourceType" not in written:
        return
    found = chart(written)
    for name, fact in known_of(found).items():
        if name == POTASSIUM.name:
            assert fact.value.value in (Decimal("4.1"), Decimal(4)), written  # 4 is a value among the junk
        else:
            assert name == "qtc", (name, written)
            assert fact.value.qtc.value == 430, written
