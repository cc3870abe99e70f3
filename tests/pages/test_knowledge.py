"""The knowledge browser: what is known is found, with its source, its state and who signed; a rule has its record."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from flask.testing import FlaskClient

from cds_service.answer import Tools, answer, load_tools
from cds_service.beside import Beside
from cds_service.knowledge.load import Knowledge
from cds_service.pages import record as records
from cds_service.pages.book import book
from cds_service.pages.library import Asked, Library
from cds_service.pages.reading import reach
from cds_service.pages.record import Signature, record
from cds_service.pages.validation import cases_of
from cds_service.rules.catalogue import RULES
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.vignette_runner import tell, vignettes

DAY = date(2026, 11, 21)
LIBRARY = Library(Knowledge.load(), DAY, "US")
BY_ID = {rule.id: rule for rule in RULES}


@pytest.fixture(scope="module")
def client(tools: Tools) -> FlaskClient:
    """One application for the many pages of this module."""
    settings, beside = Settings.load({}), Beside()
    return create_app(settings, tools, answer, beside=beside, book=book(settings, tools, beside)).test_client()


def a_record(name: str, library: Library = LIBRARY) -> records.Record:
    return record(BY_ID[name], library, library.snapshot)


def test_every_statement_stands_on_a_shelf():
    assert len(LIBRARY.lines) == len(list(LIBRARY.knowledge.all_statements()))
    assert {line.of for line in LIBRARY.lines} == {"drug", "interaction", "option", "pathway", "default"}


def test_a_search_needs_all_of_its_words_and_every_filter():
    found = LIBRARY.found(Asked("qtc 500", drug="gilteritinib", jurisdiction="US"))
    assert [line.id for line in found if line.topic == "qtc_hold_above"] == ["gilteritinib-qtc-hold"]
    assert LIBRARY.found(Asked("qtc", drug="gilteritinib", state="recalled")) == ()


def test_therapies_are_found_by_drug_and_not_by_topic():
    assert "gilteritinib" in {entry.id for entry in LIBRARY.found_therapies(Asked(drug="gilteritinib"))}
    assert LIBRARY.found_therapies(Asked(topic="qtc_hold_above")) == ()


def test_a_statement_tells_what_came_before_it(overlaid_history):
    line = next(line for line in overlaid_history.lines if line.id == "gilteritinib-qtc-hold-later")
    past = next(each for each in line.history if each.id == "gilteritinib-qtc-hold")
    assert past.until == "2026-01-01" and line.holds
    assert not next(each for each in overlaid_history.lines if each.id == "gilteritinib-qtc-hold").holds


def test_an_answer_of_another_place_is_no_history(client):
    assert not [line.id for line in LIBRARY.lines if line.history], "nothing has ended yet"
    line = next(line for line in LIBRARY.lines if line.id == "gilteritinib-ecg-cycles-us")
    assert "gilteritinib-ecg-cycles-eu" in {each.id for each in line.elsewhere}
    page = client.get("/knowledge/gilteritinib").text
    assert "<summary>Elsewhere (1)</summary>" in page and "<summary>History" not in page
    assert "None has ended yet" in client.get("/knowledge").text


@pytest.fixture
def overlaid_history() -> Library:
    """A knowledge in which one limit was followed by another."""
    knowledge = Knowledge.load()
    old = next(each for each in knowledge.statements if each.id == "gilteritinib-qtc-hold")
    new = replace(old, id="gilteritinib-qtc-hold-later", effective=date(2026, 1, 1))
    ended = replace(old, until=date(2026, 1, 1))
    rest = tuple(each for each in knowledge.statements if each is not old)
    return Library(replace(knowledge, statements=(*rest, ended, new)), DAY, "US")


def test_what_a_check_reads_and_cites_lies_within_reach_of_its_rule():
    """The record is told from code: what vignettes really read and cite must not go beyond it."""
    first: dict[str, int] = {}
    for vignette in vignettes():
        first[vignette.rule] = first.get(vignette.rule, 0) + 1
        if first[vignette.rule] > 2:
            continue
        within, check = reach(BY_ID[vignette.rule]), tell(vignette).check
        keys = {key.name for key in within.keys}
        assert {fact.key.name for fact in check.reads} <= keys, vignette.name
        ours = {each.topic for each in check.cites if each.about not in LIBRARY.knowledge.precipitants}
        assert ours <= within.topics, vignette.name


def test_a_record_tells_the_rule_in_whole_paragraphs(client):
    """The lines of the code are no lines of the page."""
    what = client.get("/knowledge/rules/qtc-hold?format=json").get_json()["what"]
    assert len(what) == 2 and "\n" not in "".join(what)


def test_a_record_says_what_a_committee_asks():
    told = a_record("qtc-hold")
    assert told.worst == "critical" and told.cases == len([v for v in vignettes() if v.rule == "qtc-hold"])
    assert {each.label for each in told.inputs} >= {"QTc", "medication list"}
    assert "gilteritinib-qtc-hold" in {line.id for line in told.statements}
    assert told.overrides[0].code == "ecg-repeated"
    assert "order-sign" in told.told_when
    assert a_record("options-at-relapse").told_when.startswith("only where the chart is opened")
    assert told.answers[0].id == "SAF01" and "500 ms" in told.answers[0].says


def test_nobody_has_signed_and_the_record_says_so():
    told = a_record("qtc-hold")
    assert not told.is_signed and told.signature == Signature()
    assert "no clinician has signed this rule" in told.limits


def test_a_signature_is_shown(monkeypatch):
    monkeypatch.setattr(records, "signatures", lambda: {"qtc-hold": Signature(reviewed_by="board", on="2026-11-01")})
    told = a_record("qtc-hold")
    assert told.is_signed and "no clinician has signed this rule" not in told.limits


def test_age_and_sex_are_named_where_they_may_be_used():
    assert a_record("pregnancy").personal["sex"] and a_record("pregnancy").personal["date of birth"]
    assert not a_record("qtc-hold").personal["sex"]
    assert not any(a_record(rule.id).personal["race"] for rule in RULES)


def test_a_rule_in_shadow_says_so_in_its_record():
    tools = load_tools(Settings.load({"OVERLAY": "docs/overlay_example"}))
    library = Library(tools.knowledge, DAY, "US")
    switched = library.snapshot.switches
    assert switched, "the example switches rules"
    for name, switch in switched.items():
        assert a_record(name, library).switch == switch.words


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_cases_and_a_page(client, rule):
    assert cases_of(rule.id)
    assert client.get(f"/knowledge/rules/{rule.id}").status_code == 200


def test_every_subject_has_a_page(client):
    for name in LIBRARY.subjects:
        assert client.get(f"/knowledge/{name}").status_code == 200, name


def test_the_search_works_without_a_script(client):
    page = client.get("/knowledge?q=qtc+500&jurisdiction=US").text
    assert 'id="gilteritinib-qtc-hold"' in page and "<script" not in page


def test_many_statements_stand_on_pages(client):
    first = client.get("/knowledge?of=interaction").text
    assert "page=2" in first
    assert client.get("/knowledge?of=interaction&page=2").text != first
    assert client.get("/knowledge?of=interaction&page=99999999").status_code == 200


def test_what_is_typed_is_never_read_as_html(client):
    for path in ("/knowledge?q=<img src=x onerror=1>", "/knowledge/<img src=x onerror=1>", "/knowledge?drug='\"><b>"):
        page = client.get(path)
        assert "<img" not in page.text and '"><b>' not in page.text


def test_a_name_that_is_not_known_says_what_is_near(client):
    page = client.get("/knowledge/gilteritinb")
    assert page.status_code == 404 and "gilteritinib" in page.text
    assert client.get("/knowledge/gilteritinb?format=json").json["near"][0] == "gilteritinib"


TWINS = (
    "/knowledge", "/knowledge/gilteritinib", "/knowledge/rules", "/knowledge/rules/qtc-hold", "/coverage", "/evidence"
)  # fmt: skip


@pytest.mark.parametrize("path", [*TWINS, "/pathway"])
def test_each_page_has_a_twin(client, path):
    asked, accepted = client.get(f"{path}?format=json"), client.get(path, headers={"Accept": "application/json"})
    assert asked.json == accepted.json
    assert client.get(path, headers={"Accept": "*/*"}).mimetype == "text/html"


@pytest.mark.parametrize(("path", "names"), [
    ("/knowledge/gilteritinib", ("where, since", "state", "source", "reviewed")),
    ("/coverage", ("about", "rules", "done", "studies")),
])  # fmt: skip
def test_where_a_phone_shows_no_head_of_a_table_its_cells_say_what_they_are(client, path, names):
    page = client.get(path).text
    assert [name for name in names if f'<td data-name="{name}">' not in page] == []
