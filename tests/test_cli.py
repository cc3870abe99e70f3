"""The command line: what it prints, where it prints it, and how it ends."""

from __future__ import annotations

import json
import runpy
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from cds_service import __version__, cli
from cds_service.answer import Tools, answer, load_tools
from cds_service.cli import running, speaking
from cds_service.console import asking, samples, soundness, terminal
from cds_service.errors import KnowledgeError
from cds_service.settings import SETTINGS, Settings
from cds_service.store.keys import new_key
from cds_service.trace import trace
from cds_service.watch import shared
from cds_service.web import serving
from cds_service.web.app import create_app
from tests.overlays import written

STORY, REQUEST = "gilteritinib-qtc-512", "sign"
DAY = date(2026, 11, 20)
EVERY = [(story, sample) for story in samples.stories() for sample in story.samples]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def url() -> Iterator[str]:
    settings = Settings.load({})
    server = make_server("127.0.0.1", 0, create_app(settings, load_tools(settings), answer))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_try_shows_the_card_with_value_limit_source_and_what_may_be_accepted(capsys, monkeypatch):
    monkeypatch.setattr(speaking, "_PATIENCE", 60.0)  # a busy machine has nothing to say about the card
    assert cli.main(["try", STORY, REQUEST]) == 0
    out, err = capsys.readouterr()
    assert "[CRITICAL] QTcF 512 ms" in out and "500 ms" in out and "Sources" in out
    assert "> Remove the gilteritinib draft (deletes MedicationRequest/" in out
    assert "**" not in out and max(map(len, out.splitlines())) <= 100
    assert not err


@pytest.mark.parametrize(("story", "sample"), EVERY, ids=lambda each: each.name)
def test_every_sample_is_answered_with_the_status_that_its_story_tells(story, sample):
    assert asking.in_process(sample, _on_the_day(story)).status == sample.status


@pytest.mark.parametrize(("story", "sample"), EVERY, ids=lambda each: each.name)
def test_every_sample_can_be_explained(story, sample):
    response = asking.in_process(sample, _on_the_day(story))
    if response.answer is None:
        assert sample.status != samples.OK
    else:
        told = terminal.steps(trace(response.answer.evaluation), 100)
        assert "checks: " in told and max(map(len, told.splitlines())) <= 100


def _on_the_day(story: samples.Story) -> Tools:
    return replace(_tools(), now=lambda: story.now)


@cache
def _tools() -> Tools:
    return load_tools(Settings.load({}))


def test_try_alone_lists_the_stories_and_what_to_type_next(capsys):
    assert cli.main(["try"]) == 0
    out = capsys.readouterr().out
    assert all(story.name in out for story, _ in EVERY)
    assert "Next: aml-cds try" in out


def test_a_story_without_a_request_sends_each_of_them(capsys):
    assert cli.main(["try", STORY]) == 0
    out = capsys.readouterr().out
    assert all(f"== {STORY} {sample.name}:" in out for sample in samples.find(STORY).samples)


def test_try_for_machines_holds_the_response_itself(capsys):
    assert cli.main(["try", STORY, REQUEST, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["story"] == STORY and told["answers"][0]["request"] == REQUEST
    story = samples.find(STORY)
    assert told["answers"][0]["response"] == asking.in_process(story.sample(REQUEST), _on_the_day(story)).content


def test_a_running_server_gives_cards_too(url, capsys):
    assert cli.main(["try", STORY, REQUEST, "--url", url]) == 0
    assert f"sent to {url} today" in (out := capsys.readouterr().out)
    assert "gilteritinib" in out and "To accept" in out


def test_a_server_that_refuses_is_told_with_status_and_place(url, capsys):
    assert cli.main(["try", "wrong-patient", "sign-other-patient", "--url", url]) == 0
    assert "Refused with 422 at prefetch.patient: " in capsys.readouterr().out


def test_a_refusal_that_the_story_does_not_tell_of_is_a_problem(monkeypatch, capsys):
    monkeypatch.setattr(asking, "in_process", lambda sample, tools: asking.Response(400, {"issue": []}))
    assert cli.main(["try", STORY, REQUEST]) == 1
    assert "Refused with 400: no reason given" in capsys.readouterr().out


def test_a_server_that_is_not_there_is_told_with_the_next_step(capsys):
    assert cli.main(["try", STORY, REQUEST, "--url", "http://127.0.0.1:9"]) == 1
    out, err = capsys.readouterr()
    assert not out and "does not answer" in err and "make serve" in err


@pytest.mark.parametrize("arguments, words", [
    (["try", "no-such"], f"there is no story 'no-such'; there are: {EVERY[0][0].name}"),
    (["try", STORY, "no-such"], f"story '{STORY}' has no request 'no-such'; it has: "),
    (["explain", STORY, "--rule", "no-such"], "there is no rule 'no-such'; there are: scope-apl"),
    (["try", STORY, REQUEST, "--url", "ftp://x"], "--url is 'ftp://x', expected an address such as http://"),
])
def test_wrong_usage_ends_with_2_and_says_what_there_is(arguments, words, capsys):
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out and words in err and "\nTraceback" not in err


@pytest.mark.parametrize("arguments", [["dance"], ["try", "--what"], ["serve", "now"]])
def test_a_command_that_does_not_exist_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2 and "usage: aml-cds" in capsys.readouterr().err


def test_missing_samples_are_told_with_the_places_looked_at(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(samples, "__file__", str(tmp_path / "package" / "console" / "samples.py"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli.main(["try"]) == 1
    err = capsys.readouterr().err
    assert str(tmp_path / "fhir_samples") in err and str(tmp_path / "elsewhere" / "fhir_samples") in err


def test_a_broken_story_is_told_with_its_file_in_one_line(monkeypatch, tmp_path, capsys):
    story = tmp_path / "fhir_samples" / "broken" / "story.yaml"
    story.parent.mkdir(parents=True)
    story.write_text("title: a: b\n", encoding="utf-8")
    monkeypatch.setattr(samples, "home", lambda: tmp_path / "fhir_samples")
    assert cli.main(["try"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("aml-cds: fhir_samples/broken/story.yaml: ") and err.count("\n") == 1


def test_explain_says_of_every_check_how_it_ended_what_it_read_and_what_it_cited(capsys):
    assert cli.main(["explain", STORY, REQUEST, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["answers"][0]["checks"]
    assert {"fired", "clear", "not applicable"} <= {check["outcome"] for check in told}
    hold = next(check for check in told if check["rule"] == "qtc-hold")
    qtc = next(read for read in hold["reads"] if read["key"] == "qtc")
    assert (hold["outcome"], hold["level"]) == ("fired", "critical")
    assert qtc["value"].startswith("512 ms QTcF") and (qtc["unit"], qtc["date"]) == ("ms", "2026-11-20")
    assert qtc["resource"].startswith("Observation/") and qtc["source"].startswith("prefetch")
    limit = next(said for said in hold["cites"] if said["topic"] == "qtc_hold_above")
    assert limit["value"] == "500 ms" and limit["verification"] in ("label", "literature", "secondary")
    assert all(place["at"] and place["title"] for place in limit["sources"])


def test_explain_says_why_a_check_could_not_be_made(capsys):
    assert cli.main(["explain", "gilteritinib-no-ecg", "sign", "--rule", "qtc-hold"]) == 0
    out = capsys.readouterr().out
    assert "NOT EVALUATED  qtc-hold" in out and "missing: QTc: none found under the codes we ask for" in out
    assert "[WARNING]" not in out  # one rule was asked for: its checks, and no card


def test_check_finds_everything_sound_and_counts_what_is_not_confirmed(capsys):
    assert cli.main(["check"]) == 0
    out = capsys.readouterr().out
    for part in ("settings", "knowledge", "codes", "templates", "rules", "discovery"):
        assert f"\n{part} " in f"\n{out}"
    assert "Everything is sound." in out and "recalled" in out and "reviewed.by is empty" in out


def test_check_lists_what_stays_unread_by_drug_and_which_approvals_were_recalled(capsys):
    assert cli.main(["check"]) == 0
    out = capsys.readouterr().out
    assert "\n    revumenib: " in out and "Approvals recalled, not read" in out
    assert cli.main(["check", "--json"]) == 0
    standing = json.loads(capsys.readouterr().out)["standing"]
    unread = {name for name, topics in standing["unread"].items() if topics}
    assert {name.partition("#")[0] for name in standing["recalled"]} == unread
    assert "flotetuzumab (EU)" in standing["unread_standings"]


def test_check_for_machines_lists_what_was_recalled_and_what_is_unsigned(capsys):
    assert cli.main(["check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is True
    assert len(told["standing"]["recalled"]) == told["standing"]["by_state"]["recalled"]
    assert sum(told["standing"]["by_state"].values()) == told["standing"]["statements"]
    assert all("#" in name for name in told["standing"]["unsigned"])


def test_check_ends_with_1_and_names_the_setting_that_is_wrong(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "many")
    assert cli.main(["check"]) == 1
    out = capsys.readouterr().out
    assert "settings   problem" in out and "PORT is 'many', expected" in out and "Not sound" in out
    assert "knowledge  sound" in out  # one fault does not hide the rest


NORTH = """[[tenant]]
name = "north"
issuer = "https://ehr.north.example/oauth2"
jwks_url = "https://ehr.north.example/oauth2/jwks"
jurisdiction = "EU"
"""


def hospital_env(folder: Path) -> dict[str, str]:
    (folder / "tenants.toml").write_text(NORTH, encoding="utf-8")
    return {"MODE": "hospital", "TENANTS": str(folder / "tenants.toml"), "PUBLIC_URL": "https://cds.example.org",
            "DATA": str(folder)}  # fmt: skip


@pytest.mark.parametrize(("changes", "part", "says"), [
    ({"KEEP": "full"}, "store", "KEEP_KEY_FILE is not set, and KEEP=full encrypts what it keeps"),
    ({"STORE": "postgresql://aml@db.example.org/aml"}, "store", "KEEP_KEY_FILE is not set, and every replica has to"),
    ({"KEEP_KEY_FILE": "{empty}"}, "store", "expected one key a line, as `aml-cds store key` prints it"),
    ({"TRACING": "http://collector.example.org:4318/v1/traces"}, "tracing", "OpenTelemetry is not installed"),
    ({"PUBLIC_URL": ""}, "settings", "PUBLIC_URL is not set, expected in hospital mode"),
    ({"MODE": "demo", "TENANTS": "", "HOST": "0.0.0.0"}, "settings", "set DEMO_ON_NETWORK=1"),
])  # fmt: skip
def test_check_calls_nothing_sound_with_which_the_service_does_not_start(tmp_path, monkeypatch, changes, part, says):
    for name in [each for each in sys.modules if each.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    (tmp_path / "empty").write_text("# no key\n", encoding="ascii")
    changed = {name: value.replace("{empty}", str(tmp_path / "empty")) for name, value in changes.items()}
    env = hospital_env(tmp_path)
    assert soundness.check(env, DAY).sound
    told = {each.name: each.problems for each in soundness.check({**env, **changed}, DAY).parts}
    assert says in " ".join(told[part])
    for name, value in {**env, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="aml-cds does not start"):
        serving.from_environment()


def test_check_looks_at_the_overlay_of_each_hospital(tmp_path):
    laxer = "  - {statement: gilteritinib-qtc-hold, value: 530 ms, reason: x}\n"
    off = "rules:\n  qtc-hold: {switch: off, reason: x}\n"
    written(tmp_path / "north", values=f"values:\n{laxer}", rules=off,
            profiles={"ours": "like: epic\nissuers: ['https://ehr.north.example']\nreason: x\n"})  # fmt: skip
    written(tmp_path / "south", values="values:\n  - {statement: gilteritinib-qtc-hold, value: 0 ms, reason: x}\n")
    env = hospital_env(tmp_path)
    west = NORTH.replace("north", "west")
    south = NORTH.replace("north", "south") + 'overlay = "south"\n'
    (tmp_path / "tenants.toml").write_text(f'{NORTH}overlay = "north"\n{west}', encoding="utf-8")
    found = soundness.check(env, DAY)
    told = {each.name: each for each in found.parts}
    assert found.sound, found.parts
    assert told["overlay"].seen.startswith("leukaemia board, from 2026-11-01: 1 value, 1 rule switched off")
    assert "https://ehr.north.example ours" in told["clients"].seen and "; west: " in told["clients"].seen
    assert [each for each in found.beware if each.startswith("north: gilteritinib, QTc hold above: 530 ms is laxer")]
    assert [each for each in found.beware if each.startswith("north: rule 'qtc-hold' can be critical and is switched")]
    (tmp_path / "tenants.toml").write_text(f'{NORTH}overlay = "north"\n{south}', encoding="utf-8")
    found = soundness.check(env, DAY)
    told = {each.name: each for each in found.parts}
    assert not found.sound and len(found.beware) >= 2
    assert all("south: overlay, values.yaml, values[0], value: expected more than 0" in each
               for each in told["overlay"].problems)  # fmt: skip


def test_check_looks_at_the_overlay_of_everybody_once(tmp_path):
    written(tmp_path, values="values:\n  - {statement: gilteritinib-qtc-hold, value: 530 ms, reason: x}\n")
    found = soundness.check({"OVERLAY": str(tmp_path), "DATA": str(tmp_path.parent)}, DAY)
    assert len(found.beware) == 1 and found.beware[0].startswith("gilteritinib, QTc hold above: 530 ms is laxer")
    assert [each.name for each in found.parts].count("overlay") == 1


def test_check_names_a_server_that_is_asked_in_the_clear(tmp_path):
    env = hospital_env(tmp_path)
    servers = 'fhir_servers = ["http://hapi:8090/fhir", "http://127.0.0.1/fhir"]\nfhir_in_the_clear = true\n'
    (tmp_path / "tenants.toml").write_text(NORTH + servers, encoding="utf-8")
    found = soundness.check(env, DAY)
    assert found.sound
    (words,) = found.beware
    assert words.startswith("north: fhir_servers holds http://hapi:8090/fhir, and fhir_in_the_clear is set")


def test_check_names_keys_that_everybody_can_read_and_repeats_without_a_store(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"{new_key()}\n", encoding="ascii")
    env = {"KEEP_KEY_FILE": str(keys), "DATA": str(tmp_path)}
    keys.chmod(0o600)
    assert soundness.check(env, DAY).beware == ()
    keys.chmod(0o644)
    (words,) = soundness.check(env, DAY).beware
    assert words.startswith(f"KEEP_KEY_FILE {keys} can be read by everybody on this machine: chmod 600")
    (words,) = soundness.check({"KEEP": "nothing", "REPEATS": "on"}, DAY).beware
    assert "set KEEP=audit, or REPEATS=off" in words


def test_check_leaves_the_store_closed(tmp_path):
    told = {each.name: each for each in soundness.check({"DATA": str(tmp_path)}, DAY).parts}
    assert told["store"].seen == f"the file {tmp_path}/aml-cds.sqlite3, KEEP=audit" and not list(tmp_path.iterdir())
    told = {each.name: each for each in soundness.check({"KEEP": "nothing"}, DAY).parts}
    assert told["store"].seen == "none, nothing is kept"


def test_check_names_wrong_knowledge_without_falling_over_it(monkeypatch, capsys):
    def wrong(**_: object) -> None:
        raise KnowledgeError("drugs/x.yaml, dose[2]: value is missing")

    monkeypatch.setattr(soundness.Knowledge, "load", wrong)
    assert cli.main(["check"]) == 1
    assert "drugs/x.yaml, dose[2]: value is missing" in capsys.readouterr().out


def test_check_names_a_template_that_a_rule_wants_and_nobody_wrote(monkeypatch, capsys):
    monkeypatch.setattr(soundness, "cards_named", lambda: frozenset({"nobody_wrote_me"}))
    assert cli.main(["check"]) == 1
    assert "there is no cards/templates/nobody_wrote_me.md" in capsys.readouterr().out


def test_without_a_command_it_serves_with_the_server_command_of_the_image(monkeypatch):
    called = []

    def become(program: str, arguments: list[str]) -> None:
        called.append(arguments[1:])
        raise SystemExit

    monkeypatch.setattr(running.os, "execv", become)
    for arguments in ([], ["serve"]):
        with pytest.raises(SystemExit):
            cli.main(arguments)
    config = Path(cli.__file__).parents[2] / "gunicorn.conf.py"
    assert called == [["-m", "gunicorn", "--config", str(config)]] * 2
    assert "-m gunicorn --config gunicorn.conf.py" in (config.parent / "scripts" / "serve").read_text(encoding="utf-8")


def test_help_shows_every_command_with_examples_and_exit_codes(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0 and "exit codes" in out
    assert all(f"aml-cds {command}" in out for command in ("serve", "try", "explain", "check", "diff"))
    assert max(map(len, out.splitlines())) <= 110


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"aml-cds {__version__}\n"


def test_what_takes_longer_than_a_second_says_so_on_stderr(monkeypatch, capsys):
    told = threading.Event()
    monkeypatch.setattr(speaking, "_PATIENCE", 0.0)
    monkeypatch.setattr(asking, "tools_for", lambda story, settings: told.wait(0.5) or load_tools(settings))
    assert cli.main(["try", STORY, REQUEST]) == 0
    assert "aml-cds: reading knowledge and asking the service in this process …\n" in capsys.readouterr().err


@pytest.mark.parametrize("markdown, expected", [
    ("**Seen:** 512 ms (*QTcF*).", "Seen: 512 ms (QTcF)."),
    (r"FLT3\_ITD at 5 \* 10 &lt; 6", "FLT3_ITD at 5 * 10 < 6"),
    ("# Way out\n\n- one\n- two", "Way out\n\n- one\n- two"),
    ("3 * 4 and 5 * 6", "3 * 4 and 5 * 6"),
    ("snake_case_stays", "snake_case_stays"),
])
def test_markdown_is_read_as_plain_text(markdown, expected):
    assert terminal.plain(markdown) == expected


def test_an_empty_answer_is_said_not_left_blank():
    assert terminal.response(200, {"cards": []}, 100) == "No card: there is nothing to say.\n"


def test_no_header_says_which_path_was_called(monkeypatch, tmp_path):
    """A token is made out to a path; gunicorn would let loopback proxies name another."""
    monkeypatch.setenv(shared.VARIABLE, "")  # the server's folder for counts is not that of the tests that follow
    monkeypatch.setattr(shared, "_made", {})
    monkeypatch.setattr(shared, "_home", lambda: tmp_path)
    config = runpy.run_path(str(Path(cli.__file__).parents[2] / "gunicorn.conf.py"))
    assert config["forwarder_headers"] == ""
