"""The three questions to a terminology server: what of an answer is read, and what is never guessed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from cds_service.gather.terminology import Looked, NoAnswer, NotKnownThere, TerminologyServer

BASE = "https://terms.example.org/r4"
SNOMED, ICD = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"


@pytest.fixture
def server() -> TerminologyServer:
    return TerminologyServer.at(f"{BASE}/")


def answers(operation: str, *parameters: Any, **more: Any) -> None:
    responses.get(f"{BASE}/{operation}", **(more or {"json": {"resourceType": "Parameters", "parameter": parameters}}))


def prop(name: Any, value: Any) -> dict[str, Any]:
    return {"name": "property", "part": [{"name": "code", **name}, {"name": "value", **value}]}


@responses.activate
def test_a_look_up_tells_the_name_and_the_codes_it_is_related_to(server: TerminologyServer) -> None:
    answers(
        "CodeSystem/$lookup", {"name": "name", "valueString": "SNOMED CT"}, {"name": "display", "valueString": "AML"},
        prop({"valueCode": "parent"}, {"valueCode": "17788007"}),
        prop({"valueString": "ingredient"}, {"valueCoding": {"system": SNOMED, "code": "1"}}),
        prop({"valueCode": "inactive"}, {"valueBoolean": False}), prop({"valueCode": "note"}, {"valueString": "x"}),
        {"name": "property", "part": [{"name": "code", "valueCode": "sufficientlyDefined"}]},
        {"name": "property", "part": [{"name": "value", "valueCode": "of nothing"}]}, {"name": "property"},
    )  # fmt: skip
    related = (("parent", "17788007"), ("ingredient", "1"), ("inactive", ""), ("note", "x"))
    assert server.lookup(SNOMED, "91861009") == Looked("AML", related)
    asked = parse_qs(urlsplit(responses.calls[0].request.url or "").query)
    assert asked == {"system": [SNOMED], "code": ["91861009"]}


@responses.activate
def test_only_an_equivalent_code_of_the_wanted_system_is_a_translation(server: TerminologyServer) -> None:
    def match(how: dict[str, str], **concept: Any) -> dict[str, Any]:
        return {"name": "match", "part": [how, *([{"name": "concept", **concept}] if concept else [])]}

    exact = {"name": "equivalence", "valueCode": "equivalent"}
    answers(
        "ConceptMap/$translate", {"name": "result", "valueBoolean": True},
        match(exact, valueCoding={"system": ICD, "code": "C92.0"}),
        match({"name": "relationship", "valueCode": "equivalent"}, valueCoding={"system": ICD, "code": "C92.00"}),
        match(exact, valueCoding={"system": ICD, "code": "C92.0"}),
        match({"name": "equivalence", "valueCode": "wider"}, valueCoding={"system": ICD, "code": "C92"}),
        match(exact, valueCoding={"system": SNOMED, "code": "91861009"}), match(exact, valueString="C92.0"),
        match(exact),
        {"name": "match", "part": [{"name": "concept", "valueCoding": {"system": ICD, "code": "C95"}}]},
    )  # fmt: skip
    assert server.translate(SNOMED, "91861009", ICD) == ("C92.0", "C92.00")


@responses.activate
@pytest.mark.parametrize("outcome, above", [
    ("equivalent", True), ("subsumes", True), ("subsumed-by", False), ("not-subsumed", False),
])
def test_what_stands_above_subsumes(server: TerminologyServer, outcome: str, above: bool) -> None:
    answers("CodeSystem/$subsumes", {"name": "outcome", "valueCode": outcome})
    assert server.subsumes(SNOMED, "1", "2") is above


@responses.activate
@pytest.mark.parametrize("parameters", [[], [{"name": "outcome"}], [{"name": "result", "valueBoolean": True}]])
def test_no_outcome_is_no_answer_and_not_a_no(server: TerminologyServer, parameters: list[Any]) -> None:
    answers("CodeSystem/$subsumes", *parameters)
    with pytest.raises(NoAnswer, match="the answer holds no outcome"):
        server.subsumes(SNOMED, "1", "2")


@responses.activate
@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_code_that_it_does_not_know_is_told_apart_from_no_answer(server: TerminologyServer, status: int) -> None:
    answers("CodeSystem/$lookup", status=status)
    with pytest.raises(NotKnownThere, match=str(status)):
        server.lookup(SNOMED, "1")


@responses.activate
@pytest.mark.parametrize("more, says", [
    ({"status": 500}, "answered 500"), ({"status": 401}, r"refused access \(401\)"), ({"body": b"<html>"}, "not FHIR"),
    ({"json": {"resourceType": "Patient"}}, "another kind of resource"),
    ({"json": {"resourceType": "Parameters", "parameter": {"name": "display"}}}, "the answer cannot be read"),
    ({"json": {"resourceType": "OperationOutcome", "issue": []}}, "OperationOutcome"),
])
def test_what_it_cannot_answer_is_said_and_never_guessed(
    server: TerminologyServer, more: dict[str, Any], says: str
) -> None:
    answers("CodeSystem/$lookup", **more)
    with pytest.raises(NoAnswer, match=says) as raised:
        server.lookup(SNOMED, "1")
    assert not isinstance(raised.value, NotKnownThere)
