"""What is kept by name is told in words."""

from __future__ import annotations

import pytest

from cds_service.knowledge.spoken import topic_words, value_words, what_words
from cds_service.pages.causes import because_words, cause_words, state_words
from tests.calls import tools

BY_ID = {each.id: each for each in tools().knowledge.all_statements()}


def test_names_are_spoken():
    assert topic_words("child_pugh") == "Child–Pugh"
    assert what_words("affects", "bcrp") == "what it does to drugs that BCRP carries"
    assert what_words("affects", "warfarin") == "what it does to warfarin"
    assert what_words("tumour_lysis_limit", "uric_acid") == "tumour lysis limit (uric acid)"
    assert what_words("qtc_hold_above", "") == "QTc hold above"


@pytest.mark.parametrize("grade", ["boxed", "warning", "reported"])
def test_the_grade_of_an_effect_is_no_level_of_a_card(grade):
    assert value_words("qt", f"prolongs ({grade})") != f"prolongs ({grade})"
    assert value_words("electrolytes", "lowers (potassium)") == "lowers (potassium)"


def test_every_kind_that_one_of_our_drugs_affects_has_words():
    for each in BY_ID.values():
        if each.topic == "affects":
            assert "-substrate" not in what_words(each.topic, each.qualifier)


def test_states_and_causes():
    assert (state_words("stale"), state_words("not_asked")) == ("too old", "not sent, and not to be had")
    assert cause_words("potassium:stale, qtc:absent") == (
        "potassium: too old, QTc: none found under the codes we ask for"
    )
    assert cause_words("no time left") == "no time left"


def test_what_decided():
    assert because_words("qtc by gilteritinib-qtc-hold", BY_ID) == "QTc; by QTc hold above of gilteritinib"
    assert because_words("orders", BY_ID) == "orders"
    assert because_words("ecg_times by gone-since", BY_ID) == "ECG times; by gone-since"


def test_no_inner_word_stands_on_the_pages(client):
    governance = client.get("/governance").text
    assert "ECG times; by ECG on cycle one days of gilteritinib" in governance
    assert ">absent<" not in governance and ">stale<" not in governance and "child pugh" not in governance
    assert "(bcrp)" not in client.get("/knowledge/gilteritinib").text
    assert "(warning)" not in client.get("/knowledge/ondansetron").text
