"""Every story of fhir_samples/ is told as it is stored, and every response obeys the grammar of cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.card_grammar import assert_grammar, faults
from tests.samples import README, Json, Sample, Server, Story, readme, respond, samples, services, stories, table

STORIES = stories()
SAMPLES = samples()
ANSWERED = tuple(sample for sample in SAMPLES if sample.status == 200)

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.full_name)
each_answered = pytest.mark.parametrize("sample", ANSWERED, ids=lambda sample: sample.full_name)


@each_sample
def test_each_request_gives_its_stored_response(sample: Sample) -> None:
    status, body = respond(sample)
    assert status == sample.status
    assert json.loads(body) == json.loads(sample.expected_file.read_text()), "meant? make samples, and read the diff"


@each_answered
def test_each_request_gives_the_cards_that_its_story_promises(sample: Sample) -> None:
    _, body = respond(sample)
    assert tuple(card["indicator"] for card in json.loads(body)["cards"]) == sample.cards


@each_answered
def test_no_rule_breaks_on_the_way(sample: Sample, caplog: pytest.LogCaptureFixture) -> None:
    respond(sample)
    assert not caplog.messages


@each_answered
def test_each_response_obeys_the_grammar(sample: Sample) -> None:
    _, body = respond(sample)
    assert_grammar(body)


@each_answered
def test_what_is_suggested_is_about_the_patient_of_the_call(sample: Sample) -> None:
    _, body = respond(sample)
    patient = sample.request["context"]["patientId"]
    for resource in _emitted(json.loads(body)):
        assert resource["subject"]["reference"].split("/")[-2:] == ["Patient", patient]


@pytest.mark.parametrize(
    "sample", [s for s in ANSWERED if not s.prefetch_only], ids=lambda sample: sample.full_name
)
def test_prefetch_alone_and_the_fhir_server_alone_give_the_same_cards(sample: Sample) -> None:
    body = {key: value for key, value in sample.request.items() if key != "prefetch"}
    _, from_server = respond(sample, body, Server(sample.story.resources))
    _, from_prefetch = respond(sample)
    if any(each["resourceType"] == "Medication" for each in sample.story.resources):
        # The server also has the Medication, and so its code, of an order that came with a name only.
        from_prefetch = from_prefetch.replace(" (matched by its name, as its Medication did not come along)", "")
    assert json.loads(from_server) == json.loads(from_prefetch)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.same_as], ids=lambda sample: sample.full_name)
def test_another_client_gets_the_same_cards(sample: Sample) -> None:
    other = next(each for each in sample.story.samples if each.name == sample.same_as)
    assert json.loads(respond(sample)[1]) == json.loads(respond(other)[1])


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.status != 200], ids=lambda sample: sample.full_name)
def test_a_refusal_names_no_patient(sample: Sample) -> None:
    _, body = respond(sample)
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    assert not [each["id"] for each in sample.story.resources if each["id"] in body]


@each_story
def test_each_story_is_a_transaction_of_valid_resources_with_ids_of_its_own(story: Story) -> None:
    bundle = json.loads((story.folder / "patient.json").read_text())
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert entry["request"] == {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_the_stories_can_be_loaded_into_one_server() -> None:
    ids = [_identity(resource) for story in STORIES for resource in story.resources]
    assert len(ids) == len(set(ids))


@each_story
def test_each_patient_is_plainly_invented(story: Story) -> None:
    for resource in story.resources:
        if resource["resourceType"] == "Patient":
            assert resource["name"][0]["text"].startswith("Story ")
            assert not {"identifier", "telecom", "address", "photo"} & set(resource)


@each_story
def test_each_file_belongs_to_its_story(story: Story) -> None:
    assert (story.folder / "story.md").read_text().startswith(f"# {story.title}\n")
    for folder in ("requests", "expected"):
        assert {file.stem for file in (story.folder / folder).iterdir()} == set(story.requests)


@each_sample
def test_each_request_speaks_of_patients_of_its_story(sample: Sample) -> None:
    own = {_identity(resource) for resource in sample.story.resources}
    request = sample.request
    assert f"Patient/{request['context']['patientId']}" in own
    assert services()[sample.service].hook == request["hook"]
    for key, value in request.get("prefetch", {}).items():
        if not key.startswith("-"):  # keys of other services, as Epic sends them
            assert key in services()[sample.service].keys
            assert {_identity(resource) for resource in _resources(value)} <= own
    for resource in _resources(request["context"].get("draftOrders", {})):
        if "subject" in resource:
            reference = "/".join(resource["subject"]["reference"].split("/")[-2:])
            assert reference == f"Patient/{request['context']['patientId']}"


def test_each_call_has_an_instance_of_its_own() -> None:
    instances = [sample.request["hookInstance"] for sample in SAMPLES]
    assert len(instances) == len(set(instances))


def test_the_table_of_stories_is_true() -> None:
    assert README.read_text() == readme(table()), "run make samples"


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"summary": "x" * 140}, "$.cards[0].summary"),
        ({"indicator": "hard-stop"}, "$.cards[0].indicator"),
        ({"source": {"url": "https://example.org"}}, "$.cards[0].source"),
        ({"source": {"label": "x", "url": "/relative"}}, "$.cards[0].source.url"),
        ({"detail": "<b>bold</b>"}, "$.cards[0].detail"),
        ({"detail": ""}, "$.cards[0].detail"),
        ({"links": []}, "$.cards[0].links"),
        ({"uuid": "1"}, "$.cards[0].uuid"),
        ({"urgency": "high"}, "$.cards[0].urgency"),
        ({"extension": [{"url": "x"}]}, "$.cards[0].extension"),
        ({"overrideReasons": [{"code": "a", "system": "urn:a"}]}, "$.cards[0].overrideReasons[0].display"),
        ({"links": [{"label": "x", "url": "https://a.example", "type": "web"}]}, "$.cards[0].links[0].type"),
        ({"suggestions": []}, "$.cards[0].suggestions"),
        ({"suggestions": [{"label": "x", "uuid": "00000000-0000-0000-0000-000000000002"}]}, "$.cards[0].suggestions"),
        ({"selectionBehavior": "all", "suggestions": [{"label": "x"}]}, "$.cards[0].selectionBehavior"),
    ],
)
def test_the_grammar_sees_what_is_wrong(change: Json, at: str) -> None:
    card = {
        "uuid": "00000000-0000-0000-0000-000000000001",
        "summary": "a card",
        "indicator": "info",
        "detail": "words",
        "source": {"label": "a source"},
    }
    assert not faults({"cards": [card]})
    found = faults({"cards": [card | change]})
    assert any(each.startswith(at) for each in found), found


@pytest.mark.parametrize(
    "action",
    [
        {"type": "delete", "description": "x"},
        {"type": "delete", "description": "x", "resourceId": "1"},
        {"type": "create", "description": "x"},
        {"type": "create", "resource": {"resourceType": "Basic", "code": {"text": "x"}}},
        {"type": "create", "description": "x", "resource": {"resourceType": "ServiceRequest"}},
        {"type": "update", "description": "x", "resource": {"resourceType": "Basic", "code": {"text": "x"}}},
        {"type": "order", "description": "x", "resourceId": "Basic/1"},
    ],
)
def test_the_grammar_sees_what_is_wrong_with_an_action(action: Json) -> None:
    suggestion = {"label": "x", "uuid": "00000000-0000-0000-0000-000000000002", "actions": [action]}
    card = {
        "uuid": "00000000-0000-0000-0000-000000000001",
        "summary": "a card",
        "indicator": "info",
        "source": {"label": "a source"},
        "suggestions": [suggestion],
        "selectionBehavior": "any",
    }
    assert [each for each in faults({"cards": [card]}) if each.startswith("$.cards[0].suggestions[0].actions[0]")]


def _identity(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _resources(value: Json) -> Iterator[Json]:
    """The resources that a prefetch value holds, without what the server says about the search."""
    entries = value.get("entry", ()) if value.get("resourceType") == "Bundle" else ({"resource": value},)
    held: list[Any] = [entry["resource"] for entry in entries]
    yield from (each for each in held if each.get("resourceType") not in (None, "OperationOutcome"))


def _emitted(response: Json) -> Iterator[Json]:
    for card in response["cards"]:
        for suggestion in card.get("suggestions", ()):
            yield from (action["resource"] for action in suggestion["actions"] if "resource" in action)
