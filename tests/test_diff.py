"""`aml-cds diff` and `check` on a hospital's overlay: every difference in words, with what it does to samples."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from cds_service import cli
from cds_service.cli import speaking
from cds_service.console import samples
from cds_service.settings import SETTINGS
from tests.overlays import HOLD_480, written

EXAMPLE = Path(__file__).parents[1] / "docs" / "overlay_example"
REQUESTS = sum(len(story.samples) for story in samples.stories())
QTC = "gilteritinib-qtc-512"
SAME = ("gilteritinib-qtc-512 select", "gilteritinib-qtc-512 sign")  # those that speak of the hold limit


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "overlay"


@pytest.fixture
def one_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the story that speaks of the hold limit is asked: for what is told of a change, whatever it changes."""
    monkeypatch.setattr(samples, "stories", lambda: (samples.find(QTC),))


def told(folder: Path, capsys: pytest.CaptureFixture[str], code: int = 1) -> str:
    assert cli.main(["diff", str(folder)]) == code
    return " ".join(capsys.readouterr().out.split())


def test_a_stricter_limit_in_words_with_the_samples_that_change(folder, capsys):
    out = told(written(folder, values=HOLD_480), capsys)
    assert (
        "gilteritinib, QTc hold above: 500 ms → 480 ms (lower: stricter than the label); "
        "by leukaemia board from 2026-11-01, because a margin below the limit"
    ) in out
    named = re.search(rf"changes (\d+) of {REQUESTS} sample answers: (.*?) Sample answers are compared", out)
    assert named and len(named[2].split(", ")) == int(named[1]) >= len(SAME)
    assert all(each in named[2] for each in SAME)
    assert "beware" not in out


@pytest.mark.usefixtures("one_story")
def test_a_laxer_limit_is_never_silent(folder, capsys, monkeypatch):
    lax = HOLD_480.replace("480", "520")
    out = told(written(folder, values=lax), capsys)
    assert "500 ms → 520 ms (higher: laxer than the label)" in out
    assert "beware: gilteritinib, QTc hold above: 520 ms is laxer than the label" in out
    assert "gilteritinib-qtc-512 sign" in out
    monkeypatch.setenv("OVERLAY", str(folder))
    assert cli.main(["check"]) == 0
    checked = " ".join(capsys.readouterr().out.split())
    assert "to be aware of (1): - gilteritinib, QTc hold above: 520 ms is laxer than the label" in checked


@pytest.mark.usefixtures("one_story")
def test_words_are_not_compared_and_that_is_said(folder, capsys):
    out = told(written(folder, values=(
        "values:\n  - {topic: liver_action, about: gilteritinib, value: call the liver clinic, reason: x}\n"
    )), capsys)
    assert "→ call the liver clinic (other words than the label as restated)" in out
    assert "whether that is laxer cannot be told by itself" in out


@pytest.mark.usefixtures("one_story")
def test_a_critical_rule_switched_off_is_named_by_diff_and_check(folder, capsys, monkeypatch):
    rules = "rules:\n  qtc-hold: {switch: off, reason: our EHR stops it}\n  qtc-rise: {switch: shadow, reason: tried}\n"
    out = told(written(folder, rules=rules), capsys)
    assert "qtc-hold (QTc against the limit above which the drug is held): switched off; by leukaemia board" in out
    assert "beware: rule 'qtc-hold' can be critical and is switched off" in out
    assert "qtc-rise (Rise of the QTc over its baseline on treatment): in shadow" in out
    monkeypatch.setenv("OVERLAY", str(folder))
    assert cli.main(["check"]) == 0
    assert "rule 'qtc-hold' can be critical and is switched off" in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("one_story")
def test_days_to_come_and_days_gone_are_told(folder, capsys):
    out = told(written(folder, values=(
        "values:\n"
        "  - {statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, effective: 2099-01-01}\n"
        "  - {statement: policy-lab-window, value: 7 d, reason: x, until: 2026-11-02}\n"
    )), capsys)
    assert "beware: values.yaml, values[0]: holds from 2099-01-01 only" in out
    assert "beware: values.yaml, values[1]: ended on 2026-11-02; what the service says holds again" in out
    assert all(each in out for each in SAME)  # as if it were in force


@pytest.mark.usefixtures("one_story")
def test_a_value_that_answers_nowhere_here_says_so(folder, capsys, monkeypatch):
    entry = "values:\n  - {statement: venetoclax-ceiling-posaconazole-us, value: 50 mg/d, reason: x}\n"
    monkeypatch.setenv("JURISDICTION", "EU")
    out = told(written(folder, values=entry), capsys)
    assert "'venetoclax-ceiling-posaconazole-us' does not answer in EU then, so this value has no effect" in out


@pytest.mark.usefixtures("one_story")
def test_a_wording_shows_what_goes_and_what_comes(folder, capsys):
    shipped = Path("cards/templates/qtc_over_hold_limit.md").read_text(encoding="utf-8")
    out = told(written(folder, qtc_over_hold_limit=shipped.replace("Way out", "What to do here")), capsys)
    assert "qtc_over_hold_limit: reworded by leukaemia board -**Way out** +**What to do here**" in out


@pytest.mark.usefixtures("one_story")
def test_codes_are_told(folder, capsys):
    rows = "system,code,key,kind,display,evidence\nurn:oid:1.2.3,K,potassium,observation,Kalium,lab manual\n"
    out = told(written(folder, codes=rows), capsys)
    assert "urn:oid:1.2.3|K (Kalium) is read as potassium (observation): lab manual; leukaemia board, 2026" in out


@pytest.mark.usefixtures("one_story")
def test_a_code_of_a_standard_system_is_pointed_out(folder, capsys):
    rows = "system,code,key,kind,evidence\nhttp://loinc.org,99999-9,potassium,observation,lab manual\n"
    out = told(written(folder, codes=rows), capsys)
    assert "99999-9 is a code of a standard system, not a local one" in out


def test_no_difference_ends_well(folder, capsys):
    out = told(written(folder), capsys, code=0)
    assert "No difference." in out and "contact: pharmacy on call" in out


@pytest.mark.parametrize("files", [{"values": "values: 1\n"}, {"rules": "rules:\n  x: {switch: off, reason: x}\n"}])
def test_a_wrong_overlay_ends_with_2(folder, capsys, files):
    assert cli.main(["diff", str(written(folder, **files))]) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith("aml-cds: overlay, ")


@pytest.mark.usefixtures("one_story")
def test_without_a_folder_it_takes_the_setting_or_asks_for_one(folder, capsys, monkeypatch):
    assert cli.main(["diff"]) == 2
    assert "set OVERLAY" in capsys.readouterr().err
    monkeypatch.setenv("OVERLAY", str(written(folder, values=HOLD_480)))
    assert cli.main(["diff"]) == 1
    assert cli.main(["diff", str(folder / "nowhere")]) == 2


def test_json_for_machines(folder, capsys):
    assert cli.main(["diff", str(written(folder, values=HOLD_480)), "--json"]) == 1
    read = json.loads(capsys.readouterr().out)
    (change,) = read["changes"]
    assert (read["owner"], read["samples"], change["group"]) == ("leukaemia board", REQUESTS, "values")
    assert set(SAME) <= set(change["sample_answers_that_differ"])
    assert read["knowledge"]["shipped"] != read["knowledge"]["with_overlay"]


def test_what_takes_longer_says_what_it_is_doing(folder, capsys, monkeypatch):
    monkeypatch.setattr(speaking, "_PATIENCE", 0.0)
    cli.main(["diff", str(written(folder, values=HOLD_480))])
    assert f"aml-cds: asking {REQUESTS} samples with values.yaml, values[0] …" in capsys.readouterr().err


def test_check_names_a_fault_of_the_overlay_and_goes_on(folder, capsys, monkeypatch):
    monkeypatch.setenv("OVERLAY", str(written(folder, values="values: 1\n")))
    assert cli.main(["check"]) == 1
    out = capsys.readouterr().out
    assert "overlay    problem" in out and "values.yaml, values: expected a list" in " ".join(out.split())
    assert "templates  sound" in out


@pytest.mark.usefixtures("one_story")  # the page of overlays shows what it does to all of them
def test_the_example_of_the_pages_is_sound_and_changes_every_group(capsys, monkeypatch):
    out = told(EXAMPLE, capsys)
    assert all(f"{group}:" in out for group in ("Values", "Rules", "Wording", "Codes"))
    monkeypatch.setenv("OVERLAY", str(EXAMPLE))
    assert cli.main(["check"]) == 0
    assert "overlay    sound" in capsys.readouterr().out


@pytest.mark.usefixtures("one_story")
def test_a_copy_of_the_example_is_an_overlay(tmp_path, capsys):
    copy = tmp_path / "ours"
    shutil.copytree(EXAMPLE, copy)
    assert told(copy, capsys).startswith("Overlay of leukaemia board of the example hospital")
