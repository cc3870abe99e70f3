"""Coverage: the same rows as the generated documents, and what a hospital does differently in words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from cds_service.answer import answer, load_tools
from cds_service.beside import Beside
from cds_service.changes import changes
from cds_service.knowledge.load import Knowledge
from cds_service.pages.book import book
from cds_service.pages.covered import Coverage
from cds_service.pages.validation import LIST
from cds_service.rules.catalogue import RULES
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.test_docs import SCRIPT

COVERED = Coverage(Knowledge.load())
DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_of_cases_is_of_today():
    assert LIST.read_text(encoding="utf-8") == SCRIPT.validation(), "the list is old: make docs"


def test_every_entry_stands_in_its_table():
    knowledge = Knowledge.load()
    assert [row.id for row in COVERED.decisions] == list(knowledge.decision_rules)
    assert [row.id for row in COVERED.safety] == list(knowledge.safety_rules)
    assert {row.therapy.id for rows in COVERED.therapies.values() for row in rows} == knowledge.therapies.keys()
    assert [row.id for row in COVERED.errata] == list(knowledge.errata)


def test_the_tables_count_as_the_documents_do():
    decisions = (DOCS / "decision_rules.md").read_text(encoding="utf-8")
    for row in COVERED.decisions:
        line = next(line for line in decisions.splitlines() if line.startswith(f"| {row.id} |"))
        counted = f"{row.cases_that_name_it or 'none'} | {row.cases_of_these_rules or 'none'}"
        assert line.endswith(f"| {row.done} | {counted} |")


def test_the_page_on_a_phone_and_the_data_say_of_what_the_cases_are(client):
    page, told = client.get("/coverage").text, client.get("/coverage?format=json").json
    assert "> cases<" not in page and ">Cases<" not in page and " cases of these rules<" in page
    for row in (*told["decision_rules"], *told["safety_rules"], *told["errata"]):
        assert {"cases_that_name_it", "cases_of_these_rules"} <= row.keys() and "cases" not in row
    assert all("cases_of_its_drugs" in row for rows in told["therapies"].values() for row in rows)


def test_a_case_names_its_entries_one_by_one_and_in_ranges():
    assert SCRIPT._named("D05, D20, E03 to E08, G2") == {"D05", "D20", *(f"E0{number}" for number in range(3, 9))}
    assert SCRIPT._named("SAF40 (section 5), D100x") == {"SAF40", "D100x"}
    assert SCRIPT._named("labels round 2") == set()


def test_every_entry_that_a_rule_answers_is_named_by_a_case():
    assert not [row.id for row in (*COVERED.decisions, *COVERED.safety) if row.rules and not row.cases_that_name_it]


def test_no_row_is_left_without_a_word():
    assert all(row.done for row in (*COVERED.decisions, *COVERED.safety))


def test_without_an_overlay_nothing_differs(client):
    assert "No overlay is set" in client.get("/coverage").text
    assert client.get("/coverage?format=json").json["local_changes"] == []


def test_what_a_hospital_changes_is_told_in_words():
    settings = Settings.load({"OVERLAY": str(DOCS / "overlay_example")})
    tools, beside = load_tools(settings), Beside()
    app = create_app(settings, tools, answer, beside=beside, book=book(settings, tools, beside))
    told = app.test_client().get("/coverage?format=json").json["local_changes"]
    made = changes(tools.knowledge, RULES, "US", date.today())
    assert [each["words"] for each in told] == [each.words for each in made] and told
    page = app.test_client().get("/coverage").text
    assert tools.knowledge.overlay.owner in page and "beware" in page
