"""`aml-cds doctor`: what an EHR analyst is told of a FHIR server, and that nothing of the patient is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service import cli
from cds_service.answer import load_tools
from cds_service.cli.grammar import TOKEN
from cds_service.console import codes_seen, doctor, loading, tls
from cds_service.console.doctor import Diagnosis
from cds_service.console.fhir_client import FhirClient
from cds_service.console.samples import find
from cds_service.errors import UsageError
from cds_service.gather.servers import Statement
from cds_service.settings import SETTINGS, Settings
from tests.charts import raw
from tests.fhir_server.running import Fhir, fhir_server
from tests.overlays import written

TOOLS = replace(load_tools(Settings.load({})), gather_seconds=10.0)  # a busy machine is not what is looked at here
WHO = "eStoryTwelve.A-3"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*(setting.name for setting in SETTINGS), TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="module")
def server() -> Iterator[Fhir]:
    with fhir_server() as running:
        loading.load(FhirClient(running.base), [find("epic-dialect")], datetime.now(UTC), lambda _: None)
        yield running


def examine(base: str, patient: str | None = WHO) -> Diagnosis:
    return doctor.examine(FhirClient(base), None, patient, TOOLS, lambda _: None)


def finding(made: Diagnosis, name: str) -> tuple[str, str]:
    return next((each.state, each.words) for each in made.findings if each.name == name)


def asked(made: Diagnosis, key: str) -> tuple[str, str, str]:
    return next((each.state, each.result, each.words) for each in made.queries if each.key == key)


def test_a_good_server_is_well_and_nothing_of_the_patient_is_told(server, capsys):
    assert cli.main(["doctor", "--fhir", server.base, "--patient", WHO, "--json"]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert [each["state"] for each in told["findings"] if each["name"] != "speed"].count("problem") == 0
    keys = {query.key for service in TOOLS.services for query in service.queries if query.asked}
    assert {each["key"]: each["result"] for each in told["queries"]} == dict.fromkeys(keys, "complete")
    assert WHO not in json.dumps(told) and "eTwelve" not in json.dumps(told)


def test_the_table_has_a_line_for_each_query_and_fits_the_terminal(server, monkeypatch, capsys):
    monkeypatch.setenv("GATHER_SECONDS", "10")
    monkeypatch.setenv("ANSWER_SECONDS", "20")
    assert cli.main(["doctor", "--fhir", server.base, "--patient", WHO]) == 0
    out = capsys.readouterr().out
    assert "labs         fine" in out and "Observation, http://loinc.org" in out and "No problem was found." in out
    assert max(map(len, out.splitlines())) <= 100 and WHO not in out


def test_without_a_patient_only_the_server_is_looked_at(server):
    made = examine(server.base, None)
    assert not made.queries and finding(made, "queries")[0] == "note" and made.problems == 0


@pytest.mark.parametrize("faults, name, state, words", [
    ("skewed", "clock", "problem", "60 min behind"), ("stu3", "FHIR version", "problem", "STU3"),
    ("no-metadata", "FHIR version", "problem", "is this the base URL?"), ("r4b", "FHIR version", "fine", "4.3.0"),
    ("without-status", "what it offers", "note", "MedicationRequest: status"),
    ("without-_include", "medications", "fine", "read by itself"),
])
def test_what_the_server_says_of_itself_is_held_against_what_we_need(server, faults, name, state, words):
    found = finding(examine(server.having(faults), None), name)
    assert found[0] == state and words in found[1]


@pytest.mark.parametrize("faults, key, state, words", [
    ("401", "labs", "problem", "is the token still good?"), ("403:Condition", "conditions", "problem", "scopes"),
    ("withheld:Procedure", "procedures", "problem", "leave results out"),
    ("without-status", "medications", "note", "asked without status"),
    ("500:Observation", "ecg", "problem", "answered 500"), ("miscounted", "orders", "problem", "counts more"),
])
def test_a_query_that_does_not_go_through_says_what_to_change(server, faults, key, state, words):
    found = asked(examine(server.having(faults)), key)
    assert found[0] == state and words in found[2]


def test_a_statement_that_lists_nothing_is_said_in_one_line():
    (found,) = doctor._offers(Statement("4.0.1"), [])
    assert found.state == "note" and "lists no types" in found.words


def test_a_patient_that_is_not_there_is_a_problem(server):
    assert "no such patient" in asked(examine(server.base, "nobody"), "patient")[2]
    with pytest.raises(UsageError):
        examine(server.base, "no id")


def test_too_slow_for_a_call_is_a_problem(server):
    tools = replace(TOOLS, gather_seconds=0.2)
    made = doctor.examine(FhirClient(server.having("slow:Procedure")), None, WHO, tools, lambda _: None)
    assert finding(made, "speed")[0] == "problem"


def test_a_slip_in_the_address_is_told_with_the_right_one(server):
    state, words = finding(examine(server.base.removesuffix("/fhir"), None), "FHIR version")
    assert state == "problem" and words.endswith(f"There is a FHIR server at {server.base}")


@pytest.mark.parametrize("address, code, words", [
    ("not an address", 2, "base URL"), ("ftp://x/fhir", 2, "base URL"),
    ("http://127.0.0.1:9/fhir", 1, "does not answer"),
])
def test_an_address_where_nobody_is_is_told_in_words(address, code, words, capsys):
    assert cli.main(["doctor", "--fhir", address]) == code
    out, err = capsys.readouterr()
    assert words in err and not out


def test_http_to_another_machine_and_a_server_that_is_not_allowed_are_said():
    client = FhirClient("http://ehr.example.org/fhir")
    assert doctor._address(client).state == "problem"
    permission = doctor._permission(TOOLS, doctor.FhirAccess(client.base))
    assert permission.state == "note" and "FHIR_SERVERS" in permission.words


def test_a_server_that_a_named_tenant_may_not_ask_is_a_problem(tmp_path, monkeypatch):
    hospital(tmp_path, monkeypatch, "https://north.example/fhir")
    settings = Settings.load(dict(os.environ))
    access = doctor.FhirAccess("https://south.example/fhir")
    for name, state in (("north", "problem"), (None, "note"), ("south", "fine")):
        tools, tenant = doctor.tools_of(settings, name)
        permission = doctor._permission(tools, access, tenant)
        assert permission.state == state, name
        assert ("add this base URL to fhir_servers of the tenant;" in permission.words) == (state == "problem")


@pytest.mark.parametrize("days, state", [(90, "fine"), (10, "note")])
def test_a_certificate_that_ends_soon_is_said(monkeypatch, days, state):
    monkeypatch.setattr(doctor, "certificate", lambda host, port, trusted: ("TLSv1.3", days))
    (found,) = doctor._tls(FhirClient("https://ehr.example.org/fhir"))
    assert found.state == state and f"{days} more days" in found.words


def test_a_certificate_that_cannot_be_read_is_a_problem():
    with pytest.raises(OSError):
        tls.certificate("127.0.0.1", 9, None)
    (found,) = doctor._tls(FhirClient("https://127.0.0.1:9/fhir"))
    assert found.state == "problem"


def observation(*codings: tuple[str, str]) -> dict[str, Any]:
    return {"resourceType": "Observation", "code": {
        "coding": [{"system": system, "code": code} for system, code in codings], "text": "of Jane Doe",
    }}  # fmt: skip


def test_codes_are_counted_by_system_and_only_codes_are_shown():
    resources = [
        observation(("http://loinc.org", "2823-3")), observation(("urn:oid:1.2", "K"), ("http://loinc.org", "2823-3")),
        observation(("http://loinc.org", "0-0")), *[observation(("urn:oid:1.2", "NA"))] * 2,
        observation(("urn:oid:1.2", "words of Jane Doe")), observation(),
    ]
    seen = codes_seen.seen([*map(raw, resources), b"[", b"{}"], TOOLS.knowledge.terms)
    local, texts, loinc = seen
    assert (local.system, local.read, local.unread, local.most) == ("urn:oid:1.2", 0, 3, (("NA", 2),))
    assert (texts.system, texts.unread) == ("(text only)", 1)
    assert (loinc.read, loinc.unread, loinc.is_local, loinc.most) == (2, 1, False, ())
    assert "Jane" not in repr(seen)


def test_what_no_call_asks_for_is_no_problem(server):
    made = examine(server.having("403:MedicationAdministration"))
    assert not [each for each in made.queries if each.state == "problem"]
    assert "administrations" not in [each.key for each in made.queries]


def test_what_has_only_text_is_not_to_be_mapped_as_a_code():
    every = doctor.Answered((), doctor.Status.COMPLETE, "")
    (told,) = doctor._mapping(codes_seen.seen([raw(observation())], TOOLS.knowledge.terms), every)
    assert told.words == "1 entry has no code, only text: a drug is looked for in it by its name"


def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    """The settings of a hospital of two tenants, one of them with an overlay that knows a code of its own."""
    codes = "system,code,key,kind,display,evidence,owner,checked\n"
    codes += "urn:oid:1.2,K,potassium,observation,Potassium,laboratory manual,laboratory,2026-10-20\n"
    written(tmp_path / "north", codes=codes)
    text = '[[tenant]]\nname = "{0}"\nissuer = "https://{0}.example"\njwks_url = "https://{0}.example/jwks"\n{1}\n'
    text += 'jurisdiction = "EU"\nfhir_servers = ["{2}"]\n'
    both = text.format("north", 'overlay = "north"', base) + text.format("south", "", "https://south.example/fhir")
    (tmp_path / "tenants.toml").write_text(both, encoding="utf-8")
    for name, value in (("MODE", "hospital"), ("TENANTS", str(tmp_path / "tenants.toml")),
                        ("PUBLIC_URL", "https://cds.example")):
        monkeypatch.setenv(name, value)


def test_in_hospital_mode_a_tenant_is_looked_at_with_its_own_overlay_and_servers(server, tmp_path, monkeypatch, capsys):
    hospital(tmp_path, monkeypatch, "https://north.example/fhir")
    told = {}
    for name in ("north", "south"):
        assert cli.main(["doctor", "--fhir", server.base, "--tenant", name, "--json"]) in (0, 1)
        told[name] = {each["name"]: each["words"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert told["north"]["tenant"] == "north: labels of EU, overlay north"
    assert told["south"]["tenant"] == "south: labels of EU, no overlay"
    tools, _ = doctor.tools_of(Settings.load(dict(os.environ)), "north")
    assert "urn:oid:1.2|K" in next(query.template for query in tools.services[0].queries if query.key == "labs")
    assert tools.fhir.refusal(doctor.FhirAccess("https://north.example/fhir")) is None
    assert tools.fhir.refusal(doctor.FhirAccess("https://south.example/fhir"))


def test_without_a_name_the_doctor_says_that_it_looked_at_no_hospitals_overlay(server, tmp_path, monkeypatch):
    hospital(tmp_path, monkeypatch, "https://north.example/fhir")
    _, said = doctor.tools_of(Settings.load(dict(os.environ)))
    assert said is not None and said.state == "note" and said.words.endswith("--tenant with one of: north, south")
    with pytest.raises(UsageError, match="north, south"):
        doctor.tools_of(Settings.load(dict(os.environ)), "west")


def test_a_tenant_without_hospital_mode_is_wrong_usage(server, capsys):
    assert cli.main(["doctor", "--fhir", server.base, "--tenant", "north"]) == 2
    assert "TENANTS" in capsys.readouterr().err
