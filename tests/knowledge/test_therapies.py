"""Therapies load strictly: a slip names its file, entry and reason; what stands there can be asked by place."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.load import HOME, Knowledge
from cds_service.knowledge.model import Verification
from cds_service.knowledge.therapies import PLACES, Kind

KNOWLEDGE = Knowledge.load()
SINCE = "US: {kind: approved_rr, since: 2018-11-28,"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def refusal(home: Path, old: str, new: str) -> str:
    path = home / "therapies" / "flt3.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refused:
        Knowledge.load(home)
    return str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (SINCE, "US: {kind: approved, since: 2018-11-28,", "kind must be one of approved_rr"),
        (SINCE, "US: {kind: approved_rr, since: soon,", "since must be a date"),
        (SINCE, "US: {kind: approved_rr, when: 2018-11-28,", "unknown field when"),
        (SINCE, "UK: {kind: approved_rr, since: 2018-11-28,", "status must speak of US, EU, JP"),
        ("study: ADMIRAL,", "study: ADMIRAL, arm: one,", "unknown field arm"),
        ("n: 371,", "n: many,", "n must be a whole number or null"),
        ("phase: III,", "", "'phase' is missing"),
        ("ref: ma-ge-2021", "ref: smith-2024", "reference 'smith-2024' is not in references.yaml"),
        ("role: [", "role: [cure, ", "role must be among"),
        ("drugs: [gilteritinib]", "drugs: gilteritinib", "drugs must be a list"),
    ],
)
def test_a_slip_in_a_therapy_stops_the_start_and_names_the_place(home, old, new, reason):
    words = refusal(home, old, new)
    assert reason in words
    assert words.startswith("flt3.yaml, ")


def test_a_therapy_that_stands_twice_is_refused(home):
    shutil.copy(home / "therapies" / "flt3.yaml", home / "therapies" / "flt3_again.yaml")
    with pytest.raises(KnowledgeError, match="stands twice"):
        Knowledge.load(home)


def test_gilteritinib_is_approved_at_relapse_in_the_us_and_the_eu_since_its_dates():
    therapy = KNOWLEDGE.at(date(2026, 11, 21), "EU").therapies["gilteritinib"]
    assert therapy.standing("EU").kind is Kind.APPROVED_RR
    assert therapy.standing("EU").since == date(2019, 10, 24)
    assert therapy.standing("US").since == date(2018, 11, 28)
    assert (therapy.standing("JP").kind, therapy.standing("JP").verification) == (
        Kind.APPROVED_RR, Verification.LABEL
    )  # fmt: skip


def test_a_place_that_no_file_speaks_of_is_unknown():
    assert KNOWLEDGE.therapies["gilteritinib"].standing("BR").kind is Kind.UNKNOWN


def test_before_its_approval_a_therapy_does_not_stand_as_approved():
    before, after = (KNOWLEDGE.at(date(2025, 11, day), "US").therapies["ziftomenib"] for day in (12, 13))
    assert (before.standing("US").kind, after.standing("US").kind) == (Kind.UNKNOWN, Kind.APPROVED_RR)


def test_a_regimen_lists_its_drugs_so_that_their_rules_reach_it():
    assert set(KNOWLEDGE.therapies["flag_ida"].drugs) == {"fludarabine", "cytarabine", "filgrastim", "idarubicin"}


def test_every_therapy_stands_somewhere_in_every_jurisdiction_and_what_is_known_has_a_source():
    for therapy in KNOWLEDGE.therapies.values():
        for place in PLACES:
            standing = therapy.standing(place)
            assert standing.sources or standing.kind is Kind.UNKNOWN, f"{therapy.id}, {place}"


def test_an_approval_at_relapse_is_dated_and_read_unless_it_says_that_it_was_not():
    for therapy in KNOWLEDGE.therapies.values():
        for standing in therapy.status.values():
            if standing.kind is Kind.APPROVED_RR:
                assert standing.since or standing.verification is not Verification.LABEL, therapy.id


def test_what_is_hidden_is_not_among_what_may_be_shown():
    for therapy in KNOWLEDGE.therapies.values():
        assert not [each for each in therapy.shown if each.hide]
