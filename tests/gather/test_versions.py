"""Another FHIR than R4 is refused in words, by its number or where a resource betrays it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.versions import is_read, refusal
from tests.charts import raw


@pytest.mark.parametrize("version", ["4.0.1", "4.0.0", "4.3.0", "4.1.0", "4.0", "4.3"])
def test_r4_and_r4b_are_read(version: str) -> None:
    assert is_read(version)


@pytest.mark.parametrize("version, name", [
    ("1.0.2", "DSTU2"), ("3.0.2", "STU3"), ("3.0", "STU3"), ("5.0.0", "R5"), ("4.6.0", "a preview of R5"),
    ("6.0.0-ballot3", "R6"), ("nonsense", "another version"), ("", "another version"), ("40.1", "another version"),
])
def test_every_other_version_is_refused_by_its_name(version: str, name: str) -> None:
    assert not is_read(version)
    assert refusal(version) == f"the FHIR server speaks FHIR {name}, and this service reads R4 and R4B"


@pytest.mark.parametrize("content, named", [
    ({"resourceType": "Condition", "clinicalStatus": "active", "code": {"text": "AML"}}, "STU3 or older"),
    ({"resourceType": "AllergyIntolerance", "clinicalStatus": "active"}, "STU3 or older"),
    ({"resourceType": "MedicationRequest", "status": "active", "medication": {"concept": {"text": "x"}}}, "R5"),
])
def test_a_resource_of_another_version_is_unreadable_and_says_which_it_looks_like(
    content: dict[str, Any], named: str,
) -> None:
    whole = content | {"id": "x", "subject": {"reference": "Patient/p1"}}
    verdict = Resource(content["resourceType"], raw(whole), "x").checked()
    assert isinstance(verdict, Unreadable) and verdict.reason.endswith(f"it looks like FHIR {named}")


def test_a_resource_that_is_merely_wrong_is_not_blamed_on_a_version() -> None:
    content = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}, "code": 7}
    verdict = Resource("Condition", raw(content), "x").checked()
    assert isinstance(verdict, Unreadable) and "looks like" not in verdict.reason
