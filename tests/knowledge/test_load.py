"""Wrong knowledge stops the start with file, key and reason; right knowledge holds on its day, in its place."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge import topics
from cds_service.knowledge.load import HOME, Knowledge

US = "      jurisdiction: [US]\n"
HOLD = f"    - id: gilteritinib-qtc-hold\n      value: 500 ms\n{US}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def change(home: Path, name: str, old: str, new: str) -> None:
    path = home / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(home: Path) -> str:
    with pytest.raises(KnowledgeError) as refused:
        Knowledge.load(home)
    return str(refused.value)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("value: 500 msec", "expected a value in ms"),
        ("value: 0.5 s", "expected a value in ms"),
        ("value: 500", "expected text such as '500 ms'"),
        ("until: 15.11.2026\n      value: 500 ms", "until must be a date"),
        ("until: 2026-11-15\n      value: 500 ms", "none follows it"),
        ("jurisdiction: [XX]\n      value: 500 ms", "jurisdiction must be among"),
        ("vlaue: 500 ms", "unknown field vlaue"),
    ],
)
def test_a_slip_in_a_statement_stops_the_start_and_names_the_place(home, new, reason):
    place = "" if "jurisdiction" in new else US
    change(home, "drugs/gilteritinib.yaml", HOLD, f"    - id: gilteritinib-qtc-hold\n      {new}\n{place}")
    words = refusal(home)
    assert reason in words
    assert "gilteritinib" in words


def test_an_end_with_a_successor_is_a_change_and_both_days_answer(home):
    successor = (
        "    - id: gilteritinib-qtc-hold-2\n      value: 490 ms\n      effective: 2026-11-15\n      state: literature\n"
        f"      source: {{ref: ma-ge-2021, at: made up for this test}}\n{US}"
    )
    ended = f"    - id: gilteritinib-qtc-hold\n      until: 2026-11-15\n      value: 500 ms\n{US}"
    change(home, "drugs/gilteritinib.yaml", HOLD, successor + ended)
    knowledge = Knowledge.load(home)
    values = [knowledge.at(date(2026, 11, day), "US").find(topics.QTC_HOLD_ABOVE, "gilteritinib") for day in (14, 15)]
    assert [str(statement.value) for statement in values if statement] == ["500 ms", "490 ms"]


def test_what_was_withdrawn_says_why(home):
    ended = "      until: 2026-11-15\n      withdrawn: made up\n"
    words = f"    - id: gilteritinib-qtc-hold\n{ended}      value: 500 ms\n{US}"
    change(home, "drugs/gilteritinib.yaml", HOLD, words)
    knowledge = Knowledge.load(home)
    days = (date(2026, 11, 14), date(2026, 11, 20))
    before, after = (knowledge.at(day, "US").find(topics.QTC_HOLD_ABOVE, "gilteritinib") for day in days)
    assert before is not None and not before.foreign
    assert after is not None and after.foreign == "EU"  # borrowed, as nothing holds here any more


def test_two_answers_to_one_question_need_one_that_settles(home):
    rival = (
        "    - id: gilteritinib-qtc-hold-rival\n      value: 510 ms\n      state: literature\n"
        "      source: {ref: ma-ge-2021, at: made up for this test}\n"
    )
    change(home, "drugs/gilteritinib.yaml", HOLD, rival + HOLD)
    assert "answer the same question differently" in refusal(home)


def test_a_source_that_is_not_listed_stops_the_start(home):
    change(home, "drugs/gilteritinib.yaml", "ref: ma-ge-2021", "ref: smith-2024")
    assert "reference 'smith-2024' is not in references.yaml" in refusal(home)


def test_a_state_that_does_not_exist_is_refused_with_those_that_do(home):
    change(home, "drugs/gilteritinib.yaml", "state: literature", "state: litterature")
    assert "state must be one of label, literature, secondary, recalled, policy" in refusal(home)


def test_broken_yaml_is_refused_with_its_line(home):
    change(home, "policy.yaml", "statements:", "statements: [")
    words = refusal(home)
    assert words.startswith("policy.yaml: not valid YAML: line ")


def test_elsewhere_a_statement_is_borrowed_and_marked():
    statement = Knowledge.load().at(date(2026, 11, 20), "JP").find(topics.QTC_HOLD_ABOVE, "gilteritinib")
    assert statement is not None
    assert (statement.foreign, statement.strongest.indicator) == ("US", "warning")


def test_the_same_files_have_the_same_version_and_a_change_another(home):
    before = Knowledge.load(home).version
    assert before == Knowledge.load().version
    change(home, "drugs/gilteritinib.yaml", "value: 500 ms", "value: 501 ms")
    assert Knowledge.load(home).version != before


def test_the_same_files_are_read_once_and_what_is_looked_up_stays_apart():
    day, one, another = date(2026, 11, 20), Knowledge.load(), Knowledge.load()
    assert one.statements is another.statements
    here = one.at(day, "US")
    assert another.at(day, "EU").jurisdiction == "EU" and one.at(day, "US") is here
    assert one.terms.kept("x") is not another.terms.kept("x")


def test_a_file_that_cannot_be_read_is_named(home):
    (home / "odd.yaml").mkdir()
    assert refusal(home) == "odd.yaml: cannot be read; is the installation complete?"


def test_every_sign_is_a_key_that_a_problem_list_or_an_order_can_bring():
    knowledge = Knowledge.load()
    codes = {key for condition in knowledge.terms.conditions.values() for key in condition.keys}
    with (HOME / "terminology" / "words.csv").open(encoding="utf-8", newline="") as lines:
        words = {row["value"] for row in csv.DictReader(lines) if row["kind"] in ("condition", "order")}
    said = {key for each in knowledge.statements if each.topic == topics.SIGNS.name for key in each.value}
    assert sorted(said - codes - words - set(knowledge.terms.orders)) == []


def test_a_group_of_keys_holds_only_what_a_code_or_words_can_stand_for(home):
    assert Knowledge.load(home).terms.groups["some transplant"] == {"history_hsct", "hsct_complication"}
    change(home, "terminology/groups.csv", "history_hsct", "history_hsctt")
    with pytest.raises(KnowledgeError, match=r"groups\.csv, some transplant: .* 'history_hsctt'"):
        Knowledge.load(home)


def test_no_question_stands_twice_in_a_file_where_the_second_would_silently_win() -> None:
    for path in (*sorted((HOME / "drugs").glob("*.yaml")), HOME / "policy.yaml", HOME / "pathway.yaml"):
        asked = re.findall(r"^  (\w+):$", path.read_text(encoding="utf-8"), re.M)
        assert not sorted({each for each in asked if asked.count(each) > 1}), path.name
