"""Nothing of the sources is left out silently: every entry has its row, and every row says what is done about it."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cards import render
from cds_service.coverage import answering, done_about, offering, topics_of, touching
from cds_service.errors import KnowledgeError
from cds_service.knowledge.inventory import OPEN, Erratum, load_errata, load_source_rules
from cds_service.knowledge.load import HOME, Knowledge
from cds_service.knowledge.therapies import Kind
from cds_service.rules.catalogue import RULES
from tests.vignette_runner import vignettes

DATA = Path(__file__).parent / "data"
KNOWLEDGE = Knowledge.load()
ROWS = {**KNOWLEDGE.decision_rules, **KNOWLEDGE.safety_rules}

# Rules of the clinical notes that nothing answers yet. A row is `done: open` if and only if it stands here; when a rule
# names it among its sources, take it out of both.
OPEN_ROWS: set[str] = set()


def entries(section: str) -> set[str]:
    text = (DATA / "entries_of_the_sources.txt").read_text(encoding="utf-8")
    return set(re.split(r"\[\w+\]", text.split(f"[{section}]", 1)[1])[0].split())


@pytest.mark.parametrize(
    ("section", "rows"),
    [
        ("therapies", KNOWLEDGE.therapies),
        ("decisions", KNOWLEDGE.decision_rules),
        ("safety", KNOWLEDGE.safety_rules),
        ("errata", KNOWLEDGE.errata),
    ],
)
def test_every_entry_of_the_sources_has_a_row(section, rows):
    assert sorted(entries(section) - set(rows)) == []


def test_the_sources_have_98_therapies_and_what_came_later_stands_beside_them():
    assert len(entries("therapies")) == 98
    later = {"olutasidenib", "revumenib", "ziftomenib", "quizartinib_chemo_frontline", "ivosidenib_aza", "magrolimab"}
    assert later <= KNOWLEDGE.therapies.keys()


def test_every_row_is_answered_by_a_rule_or_says_what_is_done():
    assert sorted(row.id for row in ROWS.values() if not answering(row.id) and not row.done) == []


def test_what_is_open_is_what_is_listed_as_open():
    assert {row.id for row in ROWS.values() if row.done == OPEN} == OPEN_ROWS


def test_no_row_that_a_rule_answers_is_still_called_open():
    answered = sorted(name for name in OPEN_ROWS if answering(name))
    assert answered == [], "take them out of OPEN_ROWS, and out of `done` in knowledge/sources/"


def test_every_answer_has_vignettes():
    told = {vignette.rule for vignette in vignettes()}
    assert not [row.id for row in ROWS.values() if answering(row.id) and not told & set(answering(row.id))]


def test_every_id_that_a_rule_names_stands_in_a_table():
    known = ROWS.keys() | KNOWLEDGE.errata.keys() | KNOWLEDGE.open_questions.keys()
    assert sorted({name for rule in RULES for name in rule.sources} - known) == []


def test_an_id_stands_in_one_table_only():
    tables = (KNOWLEDGE.decision_rules, KNOWLEDGE.safety_rules, KNOWLEDGE.open_questions, KNOWLEDGE.errata)
    assert sum(map(len, tables)) == len({name for table in tables for name in table})


def test_what_was_decided_here_is_no_entry_of_the_sources_and_some_rule_rests_on_it():
    assert not KNOWLEDGE.open_questions.keys() & (entries("decisions") | entries("safety") | entries("errata"))
    assert [name for name in KNOWLEDGE.open_questions if not answering(name)] == []


def test_done_is_said_in_words():
    assert done_about(ROWS["SAF01"]) == "rules"
    assert done_about(ROWS["D33"]).startswith("not encoded: ")


def test_a_rule_reaches_a_regimen_through_its_drugs():
    therapies = KNOWLEDGE.therapies
    for part, whole in (("gilteritinib", "gilteritinib_ven"), ("venetoclax_mono", "gilteritinib_ven")):
        assert set(touching(KNOWLEDGE, therapies[part])) <= set(touching(KNOWLEDGE, therapies[whole]))
    assert "qtc-hold" in touching(KNOWLEDGE, therapies["gilteritinib"])
    assert touching(KNOWLEDGE, therapies["clinical_trial"]) == ("trial-first",)
    assert touching(KNOWLEDGE, therapies["best_supportive_care"]) == ()


def test_what_a_rule_is_asked_about_can_be_told():
    asked = {rule.id: topics_of(rule) for rule in RULES}
    assert asked["qtc-hold"] == {"qtc_hold_above"}
    assert asked["trial-first"] == set()


def test_the_rules_that_a_therapy_names_exist():
    named = {name for therapy in KNOWLEDGE.therapies.values() for name in therapy.rules}
    assert sorted(named - {rule.id for rule in RULES}) == []


def test_every_option_at_relapse_is_a_therapy_and_is_approved_where_the_therapy_is():
    for option in KNOWLEDGE.options.values():
        assert option.therapy in KNOWLEDGE.therapies, f"option {option.id} names no therapy of knowledge/therapies/"
        therapy = KNOWLEDGE.therapies[option.therapy]
        assert option.id in offering(KNOWLEDGE, therapy)
        for each in KNOWLEDGE.statements:
            if each.topic == "option_status" and each.about == option.about:
                approved = each.value.kind.value == Kind.APPROVED_RR.value
                here = {place: therapy.standing(place) for place in each.jurisdictions}
                assert all((standing.kind is Kind.APPROVED_RR) is approved for standing in here.values()), each.id
                dates = {standing.since for standing in here.values() if approved} - {None}
                assert dates <= {each.effective}, each.id


def shown() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every text that a card or a table may carry: where it stands, its words, and of what it is."""
    for path in render.HOME.glob("*.md"):
        yield path.name, path.read_text(encoding="utf-8"), ()
    for statement in KNOWLEDGE.all_statements():
        yield f"statement {statement.id}", str(statement.value), (statement.about,)
    for therapy in KNOWLEDGE.therapies.values():
        subjects = (therapy.id, *therapy.drugs)
        for each in therapy.shown:
            yield f"evidence of {therapy.id}", f"{each.endpoint or ''} {each.value} {each.note}", subjects
        for words in (*therapy.toxicity, therapy.setting):
            yield f"therapy {therapy.id}", words, subjects


@pytest.mark.parametrize("erratum", [each for each in KNOWLEDGE.errata.values() if each.hide], ids=lambda each: each.id)
def test_no_card_statement_or_evidence_shows_what_is_hidden(erratum: Erratum) -> None:
    told = [(where, erratum.forbids(text, *subjects)) for where, text, subjects in shown()]
    assert [(where, words) for where, words in told if words] == []


@pytest.mark.parametrize(
    ("erratum", "text", "subject"),
    [
        ("E07", "ORR 34.0 v 15.3 %", "gilteritinib"),
        ("E31", "a 5-week ramp-up", "venetoclax"),
        ("E49", "CR 47.7 %", "cpx_351"),
        ("E45-ham", "CR 76 %", "ham"),
        ("E16", "65 % responded", "quizartinib"),
        ("E39", "was well tolerated", "gemtuzumab ozogamicin"),
        ("E02", "overall response 39.1 %", "enasidenib"),
    ],
)
def test_the_figures_that_do_not_hold_would_be_found(erratum, text, subject):
    assert KNOWLEDGE.errata[erratum].forbids(text, subject)


def test_what_is_hidden_of_one_regimen_may_be_shown_of_another():
    assert not KNOWLEDGE.errata["E45-ham"].forbids("CR 76 % after one course", "haa")


def test_evidence_is_hidden_for_a_reason_that_stands_in_the_errata():
    for therapy in KNOWLEDGE.therapies.values():
        for each in therapy.evidence:
            if each.hide:
                assert any(KNOWLEDGE.errata[name].hide for name in each.errata), f"{therapy.id}: {each.value}"


def test_errata_that_hide_for_one_subject_name_one_that_exists():
    subjects = {name for each in KNOWLEDGE.errata.values() for name in each.never_in}
    drugs = {drug for therapy in KNOWLEDGE.therapies.values() for drug in therapy.drugs}
    assert sorted(subjects - KNOWLEDGE.therapies.keys() - drugs) == []


def interactions() -> list[tuple[str, str]]:
    with (DATA / "interactions_of_the_sources.csv").open(encoding="utf-8", newline="") as table:
        return [(row["source name"], row["ours"]) for row in csv.DictReader(table)]


def test_every_medicine_of_the_interaction_table_has_an_entry():
    """An entry with an empty list of statements says: looked at, nothing to say."""
    assert len(interactions()) == 191
    assert [name for name, ours in interactions() if not ours] == []
    named = {drug for _, ours in interactions() for drug in ours.split("|")}
    assert sorted(named - KNOWLEDGE.precipitants.keys()) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- {id: D01, says: x, done: later}", "done must be one of"),
        ("- {id: D01, says: x, done: not encoded}", "needs its why"),
        ("- {id: D01, says: x, by: me}", "unknown field by"),
        ("- {id: D01}", "'says' is missing"),
        ("- {id: D01, says: x}\n- {id: D01, says: y}", "stands twice"),
    ],
)
def test_a_slip_in_a_row_stops_the_start(tmp_path, text, reason):
    path = tmp_path / "decision_rules.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=reason):
        load_source_rules(path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("show: corrected", "show: somehow", "show must be one of"),
        ("hide: true", "hide: false", "what is hidden says with"),
        ("state: literature", "state: hearsay", "state must be one of"),
        ("ref: ", "ref: un", "is not in references.yaml"),
    ],
)
def test_a_slip_in_the_errata_stops_the_start(tmp_path, old, new, reason):
    path = tmp_path / "errata.yaml"
    path.write_text((HOME / "errata.yaml").read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=reason):
        load_errata(path, KNOWLEDGE.references)


def test_a_therapy_may_name_no_erratum_that_does_not_exist(tmp_path):
    home = tmp_path / "knowledge"
    shutil.copytree(HOME, home, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = home / "therapies" / "flt3.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("errata: [E24, E26]", "errata: [E99]", 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="erratum E99 is not in errata"):
        Knowledge.load(home)
