"""One dose, many shapes: however it is written it comes to the same; what is broken comes to none or stays safe."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.drugs.doses import daily_dose
from cds_service.gather.views import MedicationRequest
from tests.charts import Json, chart, order, resource, terms
from tests.shapes import orders as shapes

STRENGTH = Decimal(50)
PRODUCT = "venetoclax 50 MG Oral Tablet"
TIMES = st.sampled_from([1, 2, 3, 4, 6, 8])
PIECES = st.integers(1, 16)
JUNK: Any = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**6), st.text(max_size=6), st.just([]), st.just({}),
    st.sampled_from(["d", "mg", "BID", "mo", 1e308, "2026-11-20"]), st.just({"value": 400, "unit": "mg"}),
)  # fmt: skip


def read(dosages: list[Json]) -> tuple[str | None, list[Json]]:
    view = resource(order(PRODUCT, dosageInstruction=dosages), "medications").checked()
    assert isinstance(view, MedicationRequest), (view, dosages)
    found = daily_dose(view, PRODUCT, terms()).daily
    return (str(found) if found else None), dosages


@given(PIECES, TIMES)
def test_a_daily_dose_reads_the_same_in_every_shape(pieces: int, times: int) -> None:
    mg = pieces * STRENGTH
    expected = f"{(mg * times).normalize():f} mg daily"
    for dosages in shapes.dosages(mg, times, STRENGTH):
        assert read(dosages) == (expected, dosages)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the JSON that could be broken."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = (found for key, each in inner if key != "resourceType" for found in places(each, (*path, key)))
    return [*([path] if path else []), *below]


def broken(content: Json, path: tuple[Any, ...], junk: Any) -> Json:
    """The same JSON with the element at `path` replaced; `...` takes it out."""
    copied = copy.deepcopy(content)
    holder: Any = copied
    for step in path[:-1]:
        holder = holder[step]
    if junk is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = junk
    return copied


@given(st.data(), PIECES, TIMES)
def test_a_broken_order_raises_nothing_and_names_no_drug_that_was_not_there(data: Any, pieces: int, times: int) -> None:
    dosages = data.draw(st.sampled_from(list(shapes.dosages(pieces * STRENGTH, times, STRENGTH))))
    whole = order(PRODUCT, dosageInstruction=dosages)
    damaged = broken(whole, data.draw(st.sampled_from(places(whole))), data.draw(JUNK | st.just(...)))
    for facts in (chart(damaged), chart(drafts=[damaged])):
        for each in facts.medications.orders:
            assert set(each.ingredients) <= {"venetoclax"}


@given(st.data(), PIECES, TIMES)
def test_a_dose_whose_amount_is_lost_is_not_known(data: Any, pieces: int, times: int) -> None:
    timing = data.draw(st.sampled_from(list(shapes.timings(times))))
    lost = data.draw(st.sampled_from([
        [], [{}], [{"doseQuantity": {"value": pieces}}], [{"doseQuantity": {"unit": "mg"}}],
        [{"doseQuantity": {"value": pieces, "unit": "mg", "comparator": "<"}}], [{"doseRange": {"low": {"value": 1}}}],
        [{"rateQuantity": {"value": pieces, "unit": "mg/h"}}], [{"doseQuantity": {"value": pieces, "unit": "mL"}}],
    ]))  # fmt: skip
    (order_read,) = chart(order(PRODUCT, dosageInstruction=[{"timing": timing, "doseAndRate": lost}])
                          ).medications.orders
    assert order_read.dose.daily is None
    assert order_read.dose.why
