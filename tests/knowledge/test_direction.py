"""Which way a limit is stricter: told for the topics whose name tells, left open for the others."""

from __future__ import annotations

import pytest

from cds_service.knowledge import topics
from cds_service.knowledge.direction import _BY_NAME, compare, stricter
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Statement, Topic
from cds_service.knowledge.statements import TOPICS

EVERY = {(each.topic, each.about, each.qualifier): each for each in Knowledge.load().statements}


def shipped(topic: Topic, about: str, qualifier: str = "") -> Statement:
    return EVERY[topic.name, about, qualifier]


@pytest.mark.parametrize(("topic", "about", "value", "words", "laxer"), [
    (topics.QTC_HOLD_ABOVE, "gilteritinib", "480 ms", "lower: stricter than the literature", False),
    (topics.QTC_HOLD_ABOVE, "gilteritinib", "520 ms", "higher: laxer than the literature", True),
    (topics.QTC_HOLD_ABOVE, "gilteritinib", "500 ms", "the same", False),
    (topics.BILIRUBIN_HOLD_ABOVE, "gilteritinib", "4 [ULN]", "higher: laxer than the label as restated", True),
    (topics.POTASSIUM_LOW_BELOW, "policy", "3.8 mmol/L", "higher: stricter than the service default", False),
    (topics.POTASSIUM_LOW_BELOW, "policy", "3.0 mmol/L", "lower: laxer than the service default", True),
    (topics.QTC_WINDOW_AT_START, "policy", "21 d", "higher: laxer than the service default", True),
    (topics.CYCLE_LENGTH, "gilteritinib", "21 d", "lower than the service default", None),
    (topics.ECG_ON_CYCLE_ONE_DAYS, "gilteritinib", [8], "without 15: laxer than the literature", True),
    (topics.ECG_ON_CYCLE_ONE_DAYS, "gilteritinib", [8, 15, 22], "with 22: stricter than the literature", False),
    (topics.TARGETS, "gilteritinib", ["FLT3-ITD"], "without FLT3-TKD, unlike the label", None),
    (topics.LIVER_ACTION, "gilteritinib", "call us", "other words than the label as restated", None),
])
def test_a_value_beside_the_one_that_it_replaces(topic, about, value, words, laxer):
    compared = compare(shipped(topic, about), topic.read(value))
    assert compared.laxer is laxer
    assert compared.words == words


@pytest.mark.parametrize(("topic", "way"), [
    ("some_new_value_above", "lower"),
    ("some_new_value_below", "higher"),
    ("some_new_value_at_most", ""),
    ("some_new_window", ""),
    ("wbc_start_below", "lower"),
    ("option_better_below", ""),
])
def test_an_ending_tells_only_where_it_is_an_alarm(topic, way):
    assert stricter(topic) == way


def test_the_table_names_no_topic_that_is_not_there():
    assert [name for name in _BY_NAME if name not in TOPICS] == []
