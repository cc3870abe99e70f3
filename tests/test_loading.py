"""`aml-cds load` and `unload`: the stories go on a FHIR server as of today, and exactly they come away again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cds_service import cli
from cds_service.cli.grammar import TOKEN
from cds_service.console import samples
from cds_service.console.fhir_client import FhirClient
from cds_service.console.loading import TAG, days_to, moved, resources
from tests.fhir_server.running import Fhir, fhir_server

STORY = "not-aml"  # the smallest
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Fhir]:
    with fhir_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_token_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)


def patient(base: str) -> int:
    return FhirClient(base).get("Patient/story-ten-a").status


def run(command: str, base: str, *more: str) -> int:
    return cli.main([command, "--fhir", base, "--story", STORY, *more])


@pytest.mark.parametrize("faults", ["", "plain+no-transactions"])
def test_a_story_is_loaded_and_unloaded_as_often_as_one_likes(server, faults, capsys):
    base = server.having(faults) if faults else server.base
    for _ in range(2):
        assert run("load", base) == 0
        assert "2 resources loaded, patient story-ten-a" in capsys.readouterr().out
    stored = FhirClient(base).get("Patient/story-ten-a").content
    assert stored["meta"]["tag"] == [{"system": TAG, "code": STORY}]
    assert run("unload", base, "--json") == 0
    assert json.loads(capsys.readouterr().out)["unloaded"][0]["resources"] == 2
    assert patient(base) == 410
    assert run("unload", base) == 0
    assert "0 resources of 1 stories unloaded" in capsys.readouterr().out


def test_every_story_is_loaded_by_one_command_and_leaves_nothing(server, capsys):
    client = FhirClient(server.base)
    assert cli.main(["load", "--fhir", server.base]) == 0
    loaded = capsys.readouterr().out
    assert all(story.name in loaded for story in samples.stories())
    assert client.get(f"Observation?_tag={TAG}|&_count=1").content["total"] == 0  # the tag is a system and a story
    assert client.get(f"Observation?_tag={TAG}|gilteritinib-qtc-512").content["total"] > 5
    assert cli.main(["unload", "--fhir", server.base]) == 0
    assert all(client.get(kind).content["total"] == 0 for kind in ("Patient", "Observation", "MedicationRequest"))


@pytest.mark.parametrize("faults", ["no-own-ids", "no-own-ids+pages", "medplum"])
def test_a_server_that_gives_the_ids_holds_every_story_under_its_own(server, faults, capsys):
    base = server.having(faults)
    client = FhirClient(base)
    given = []
    for _ in range(2):  # loaded again, everything keeps the id that the server gave
        assert cli.main(["load", "--fhir", base, "--json"]) == 0
        given.append({name: there for each in json.loads(capsys.readouterr().out)["loaded"]
                      for name, there in each["given"].items()})  # fmt: skip
    assert given[0] == given[1] and len(given[0]) == sum(len(resources(each, NOW)) for each in samples.stories())
    patient = given[0]["Patient/story-ten-a"]
    assert not client.get("Patient/story-ten-a").is_good and client.get(patient).is_good
    mine = client.get(f"Condition?patient={patient}").content["entry"]
    assert [f"Condition/{each['resource']['id']}" for each in mine] == [given[0]["Condition/story-ten-a-hypertension"]]
    assert cli.main(["unload", "--fhir", base]) == 0
    assert all("entry" not in client.get(kind).content for kind in ("Patient", "Observation", "MedicationRequest"))


def test_it_says_which_id_the_server_gave(server, capsys):
    assert run("load", server.having("no-own-ids")) == 0
    out = capsys.readouterr().out
    assert "2 resources loaded, patient " in out and "(story-ten-a)" in out
    assert run("unload", server.having("no-own-ids")) == 0


def test_a_short_page_hides_nothing_that_is_somebody_elses(server, capsys):
    story = samples.find("gilteritinib-qtc-512")
    client = FhirClient(server.having("pages"))
    ours = [each for each in resources(story, NOW) if each["resourceType"] in ("Patient", "Observation")]
    for each in ours:
        plain = {**each, "meta": {} if each is ours[-1] else each["meta"]}
        assert client.send("PUT", f"{each['resourceType']}/{each['id']}", plain).is_good
    assert cli.main(["load", "--fhir", client.base, "--story", story.name]) == 1
    assert ours[-1]["id"] in capsys.readouterr().err
    for each in reversed(ours):
        assert client.send("DELETE", f"{each['resourceType']}/{each['id']}").is_good


def test_what_is_somebody_elses_is_neither_written_over_nor_deleted(server, capsys):
    client = FhirClient(server.base)
    theirs = {"resourceType": "Patient", "id": "story-ten-a", "birthDate": "1950-01-01"}
    assert client.send("PUT", "Patient/story-ten-a", theirs).is_good
    assert run("load", server.base) == 1
    assert "does not carry our tag" in capsys.readouterr().err
    assert run("unload", server.base) == 0
    assert "left alone" in capsys.readouterr().out
    assert client.get("Patient/story-ten-a").content["birthDate"] == "1950-01-01"
    assert client.send("DELETE", "Patient/story-ten-a").is_good


@pytest.mark.parametrize("faults, words", [
    ("no-own-ids+unsaid", "does not let a client choose ids"), ("500", "with 500"),
    ("401", "it wants an access token"), ("no-own-ids+unsaid+as-batch", "Patient of the story not-aml with 405"),
    ("without-_tag+no-own-ids", "a search for Patient"), ("without-_tag+medplum", "saying: Unknown search parameter"),
    ("throttled-untold+medplum", "saying: too many requests (it has been asked too often"),
    ("stu3", "speaks FHIR STU3"), ("no-metadata", "expects the base URL of a FHIR server"),
    ("html", "with 200"), ("no-transactions+no-own-ids+unsaid", "choose ids"),
])
def test_a_server_that_will_not_have_them_is_told_in_words(server, faults, words, capsys):
    assert run("load", server.having(faults)) == 1
    out, err = capsys.readouterr()
    assert words in err and not out and "Traceback" not in err


@pytest.mark.parametrize("command", ["load", "unload"])
@pytest.mark.parametrize("address, code, words", [
    ("127.0.0.1:8090/fhir", 2, "base URL"), ("http://127.0.0.1:9/fhir", 1, "does not answer"),
    ("http://u:p@127.0.0.1/fhir", 2, "base URL"), ("https://ehr.example.org/fhir", 2, "--test-server"),
])
def test_a_wrong_address_is_told_in_words(command, address, code, words, capsys):
    assert run(command, address) == code
    out, err = capsys.readouterr()
    assert words in err and not out and "u:p" not in err


def test_a_wrong_path_is_no_empty_server(server, capsys):
    assert run("unload", f"{server.base}/r5") == 1
    assert "no CapabilityStatement" in capsys.readouterr().err


def test_the_token_comes_from_a_file_or_the_environment_and_is_never_shown(server, tmp_path, monkeypatch, capsys):
    file = tmp_path / "token"
    file.write_text("let-me-in\n", encoding="utf-8")
    with fhir_server("--token-file", str(file)) as guarded:
        assert run("load", guarded.base) == 1
        assert "--token-file" in capsys.readouterr().err
        assert run("load", guarded.base, "--token-file", str(file)) == 0
        monkeypatch.setenv(TOKEN, "let-me-in")
        assert run("unload", guarded.base) == 0
        monkeypatch.setenv(TOKEN, "wrong")
        assert run("load", guarded.base) == 1
        assert run("load", guarded.base, "--token-file", str(tmp_path / "none")) == 2
        out, err = capsys.readouterr()
        assert "let-me-in" not in out + err
    with pytest.raises(SystemExit):
        run("load", server.base, "--token", "let-me-in")


# Dates


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_a_story_plays_today_and_nothing_of_it_lies_in_the_future(hour):
    now = NOW.replace(hour=hour)
    for story in samples.stories():
        assert timedelta(0) <= now - (story.now + timedelta(days=days_to(story, now))) < timedelta(days=1)


def test_every_date_moves_and_nothing_else_does():
    content = {"id": "ecg-2026-11-20", "birthDate": "1960-02-29", "text": "on 2026-11-20", "value": 2026,
               "times": ["2026-11-20T07:30:00-06:00", "2026-11-20T07:30:00.5Z", "2026-11"]}  # fmt: skip
    assert moved(content, 10) == {
        "id": "ecg-2026-11-20", "birthDate": "1960-03-10", "text": "on 2026-11-20", "value": 2026,
        "times": ["2026-11-30T07:30:00-06:00", "2026-11-30T07:30:00.5Z", "2026-11"],
    }


def test_what_others_refer_to_comes_first():
    for story in samples.stories():
        kinds = [each["resourceType"] in ("Patient", "Medication") for each in resources(story, NOW)]
        assert kinds == sorted(kinds, reverse=True)
