"""The same question in other words: shorter, by POST, without a parameter, never for somebody else."""

from __future__ import annotations

import pytest

from cds_service.gather.searches import (
    LONGEST,
    MAY_BE_LEFT_OUT,
    PAGE,
    as_form,
    attempts,
    counting,
    in_parts,
    including,
    length,
    without,
)

CODES = ",".join(f"http://loinc.org|{number:05}-1" for number in range(90))
LONG = f"Observation?patient=p1&code={CODES}&_sort=date"


def test_a_short_query_stays_as_it_is() -> None:
    assert in_parts("Condition?patient=p1") == ("Condition?patient=p1",)
    assert in_parts(f"Condition?patient={'p' * 64}", 20) == (f"Condition?patient={'p' * 64}",)


@pytest.mark.parametrize("longest", [LONGEST, 500, 1])
def test_a_query_too_long_for_some_servers_is_asked_in_parts_that_hold_every_code_once(longest: int) -> None:
    parts = in_parts(LONG, longest)
    assert len(parts) > 1
    assert longest == 1 or all(length(part) <= longest for part in parts)
    assert all(part.startswith("Observation?patient=p1&_sort=date&code=http") for part in parts)
    assert ",".join(part.partition("&code=")[2] for part in parts) == CODES


def test_only_orders_want_their_medications_along() -> None:
    assert including("MedicationRequest?patient=p1").endswith("&_include=MedicationRequest:medication")
    assert including(including("MedicationRequest?patient=p1")) == including("MedicationRequest?patient=p1")
    assert including("MedicationRequest/m1") == "MedicationRequest/m1"
    assert including("Condition?patient=p1") == "Condition?patient=p1"


def test_a_search_wants_large_pages_and_a_read_none() -> None:
    assert counting("Condition?patient=p1") == f"Condition?patient=p1&_count={PAGE}"
    assert counting(counting("Condition?patient=p1")) == counting("Condition?patient=p1")
    assert counting("Condition?patient=p1&_count=5") == "Condition?patient=p1&_count=5"
    assert counting("Patient/p1") == "Patient/p1"
    assert counting("ValueSet/$expand?url=x") == "ValueSet/$expand?url=x"


def test_first_each_parameter_is_left_out_by_itself_then_more_and_more() -> None:
    assert list(attempts(("a", "b", "c"))) == [(), ("a",), ("b",), ("c",), ("a", "b"), ("a", "b", "c")]
    assert list(attempts(("a",))) == [(), ("a",)]
    assert list(attempts(())) == [()]


def test_what_may_be_left_out_never_says_whose_it_is() -> None:
    assert not {"patient", "subject", "_id"} & set(MAY_BE_LEFT_OUT)
    assert without("MedicationRequest?patient=p1&status=active", ("status=active",)) == "MedicationRequest?patient=p1"


def test_a_form_holds_what_the_address_held() -> None:
    assert as_form("Observation?patient=p1&code=http://loinc.org|1,http://loinc.org|2") == (
        "Observation/_search", [("patient", "p1"), ("code", "http://loinc.org|1,http://loinc.org|2")]
    )
