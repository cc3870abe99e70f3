"""The trace: what each check read, in words that say no more and no less than the value."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.trace import Step, step, trace
from tests.calls import UCUM, ask, gilteritinib, observation, qtcf, request
from tests.samples import answered, samples
from tests.vignette_runner import tell, vignettes

WHEN = "2026-11-20T08:00:00Z"


def steps(*labs: dict[str, Any], ecg: dict[str, Any]) -> dict[str, Step]:
    made = ask(request("order-sign", gilteritinib(status="draft"), ecg=[ecg], labs=list(labs)))
    return {each.rule: each for each in trace(made.evaluation)}


def bound(sign: str, value: int, code: str = "76634-5", unit: str = "ms") -> dict[str, Any]:
    held = {"value": value, "comparator": sign, "unit": unit, "system": UCUM, "code": unit}
    return observation(code, value, unit, WHEN, valueQuantity=held)


@pytest.mark.parametrize(("sign", "value"), [(">", 500), (">=", 490), ("<", 450), ("<=", 450)])
def test_a_bound_is_told_with_one_sign(sign: str, value: int) -> None:
    (read,) = (read for read in steps(ecg=bound(sign, value))["qtc-hold"].reads if read.key == "qtc")
    assert (read.value, read.unit) == (f"{sign}{value} ms QTcF", "ms")


def test_a_bound_that_is_not_sure_enough_says_so_where_it_is_missed() -> None:
    blind = steps(ecg=bound(">=", 490))["qtc-hold"]
    assert (blind.outcome, blind.missing) == ("not evaluated", ("QTc: only known to be at least this",))


def test_a_bound_of_a_lab_is_told_with_one_sign() -> None:
    made = ask(
        request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(430)], labs=[bound(">", 3, "2823-3", "mmol/L")])
    )
    told = {read.value for each in trace(made.evaluation) for read in each.reads if read.key == "potassium"}
    assert told == {">3 mmol/L"}


OF_THE_PROGRAM = re.compile(r"\w\(\w+=|<[a-z_]\w*\.[a-z]|datetime\.|frozenset\(")


def test_nothing_of_the_program_is_told_as_a_value() -> None:
    told = [each for sample in samples() if sample.status == 200 for each in trace(answered(sample).evaluation)]
    told += [step(tell(vignette).check) for vignette in vignettes()]
    values = {(read.key, read.value) for each in told for read in each.reads}
    values |= {(cited.topic, cited.value) for each in told for cited in each.cites}
    assert not [each for each in sorted(values) if OF_THE_PROGRAM.search(each[1])]


def test_values_over_time_are_told_with_their_days() -> None:
    series = [
        read.value
        for vignette in vignettes()
        if vignette.rule == "renal-dose"
        for read in step(tell(vignette).check).reads
        if read.key == "creatinine_series"
    ]
    assert "88.4 µmol/L (2026-11-19); 61.89 µmol/L (2026-11-18)" in series
