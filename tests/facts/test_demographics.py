"""Demographics: age as an interval, and no age where the birth date does not tell."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.demographics import AGE, PATIENT, SEX, Age
from cds_service.facts.fact import State
from cds_service.gather.replies import Status
from tests.charts import chart

PERSON: dict[str, Any] = {"resourceType": "Patient", "id": "p1"}


@pytest.mark.parametrize(("born", "age"), [
    ("1960-11-20", Age(66, 66)), ("1960-11-21", Age(65, 65)), ("1960-11", Age(65, 66)), ("1960", Age(65, 66)),
    ("2008-11-20", Age(18, 18)), ("2008-11-21", Age(17, 17)), ("2008", Age(17, 18)), ("2026-11-20", Age(0, 0)),
    ("2004-02-29", Age(22, 22)), ("2026", Age(0, 0)),
])
def test_age_is_counted_in_whole_years_as_exactly_as_the_birth_date_allows(born: str, age: Age) -> None:
    assert chart(PERSON | {"birthDate": born}).get(AGE).value == age


@pytest.mark.parametrize("born", [None, "2027-01-01", "0001-01-01"])
def test_without_a_usable_birth_date_the_age_is_not_known(born: str | None) -> None:
    facts = chart(PERSON | ({"birthDate": born} if born else {}))
    assert (facts.get(AGE).value, facts.get(PATIENT).sure) == (None, True)


@pytest.mark.parametrize("born", ["20.11.1960", 1960, {"year": 1960}])
def test_an_unreadable_birth_date_makes_no_age(born: Any) -> None:
    assert chart(PERSON | {"birthDate": born}).get(AGE).value is None


@pytest.mark.parametrize(("status", "state"), [
    (Status.COMPLETE, State.ABSENT), (Status.FAILED, State.FAILED), (Status.NOT_ASKED, State.NOT_ASKED),
])
def test_without_the_record_the_reason_is_kept(status: Status, state: State) -> None:
    assert chart(statuses={"patient": status}).get(AGE).state is state


def test_an_age_between_two_years_is_spoken_as_both() -> None:
    assert (str(Age(17, 18)), str(Age(18, 18))) == ("17 to 18 years", "18 years")


@pytest.mark.parametrize(("gender", "sex"), [
    ("female", "female"), ("male", "male"), ("other", None), ("unknown", None), (None, None), ("F", None),
])
def test_sex_is_female_or_male_as_administered_or_not_known(gender: str | None, sex: str | None) -> None:
    assert chart(PERSON | ({"gender": gender} if gender else {})).get(SEX).value == sex


CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


@pytest.mark.parametrize(("gender", "born", "sex", "state"), [
    ("male", ("birthsex", "F"), None, State.CONFLICTING), ("female", ("birthsex", "M"), None, State.CONFLICTING),
    ("male", ("birthsex", "M"), "male", State.KNOWN), ("male", ("birthsex", "UNK"), "male", State.KNOWN),
    ("other", ("birthsex", "F"), "female", State.KNOWN), (None, ("sex", "248153007"), "male", State.KNOWN),
    ("male", ("sex", "248152002"), None, State.CONFLICTING), ("male", ("ethnicity", "F"), "male", State.KNOWN),
])  # fmt: skip
def test_the_sex_at_birth_speaks_where_the_record_says_nothing_and_against_it(
    gender: str | None, born: tuple[str, str], sex: str | None, state: State
) -> None:
    extension = [{"url": CORE + "race", "extension": [{"url": "text", "valueString": "x"}]},
                 {"url": CORE + born[0], "valueCode": born[1]}]  # fmt: skip
    found = chart(PERSON | {"extension": extension} | ({"gender": gender} if gender else {})).get(SEX)
    assert (found.value, found.state) == (sex, state)


def test_two_words_of_the_sex_at_birth_tell_nothing() -> None:
    extension = [{"url": CORE + "birthsex", "valueCode": "F"}, {"url": CORE + "sex", "valueCode": "male"}]
    found = chart(PERSON | {"gender": "male", "extension": extension}).get(SEX)
    assert (found.value, found.why) == (None, "the record says male, and female and male at birth")


@pytest.mark.parametrize(("status", "state"), [
    (Status.COMPLETE, State.ABSENT), (Status.FAILED, State.FAILED), (Status.NOT_ASKED, State.NOT_ASKED),
])
def test_without_the_record_the_sex_is_not_known(status: Status, state: State) -> None:
    assert chart(statuses={"patient": status}).get(SEX).state is state
