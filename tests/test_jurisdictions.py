"""What is borrowed from another place says so on the card, and warns at most."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import Any

import pytest
from msgspec import Struct

from cds_service.answer import answer
from cds_service.knowledge.model import JURISDICTIONS, Level, Statement, Verification
from cds_service.knowledge.spoken import borrowed_words
from cds_service.rules.rule import Finding, Fired
from tests.calls import ELECTROLYTES, gilteritinib, order, qtcf, request, tools, venetoclax
from tests.vignette_runner import Told, Vignette, tell, vignettes

FULL = os.environ.get("GRID") == "full"


def asked_elsewhere(cases: Iterable[Vignette]) -> tuple[Vignette, ...]:
    """Whatever is critical at home, and every third case of a rule; all of them with GRID=full."""
    return tuple(
        case for index, case in enumerate(cases) if FULL or not index % 3 or case.expect.get("level") == "critical"
    )


BY_RULE = {rule: asked_elsewhere(each) for rule, each in groupby(vignettes(), key=lambda vignette: vignette.rule)}
elsewhere = pytest.mark.parametrize("place", [place for place in JURISDICTIONS if place != "US"])


@cache
def told(vignette: Vignette, place: str) -> Told:
    return tell(replace(vignette, content={**vignette.content, "jurisdiction": place}))


@elsewhere
@pytest.mark.parametrize("rule", sorted(BY_RULE))
def test_a_borrowed_statement_is_named_on_the_card_and_warns_at_most(rule: str, place: str) -> None:
    for vignette in BY_RULE[rule]:
        found = told(vignette, place)
        outcome = found.check.outcome
        if not isinstance(outcome, Fired):
            continue
        cited = (*outcome.finding.says, *outcome.finding.mentions)
        borrowed = {borrowed_words(each) for each in cited if each.verification is not Verification.POLICY} - {""}
        assert f"{place} label" not in borrowed, vignette.name
        for words in borrowed:
            assert any(f"({words}), no" in card.detail.whole() for card in found.cards), (vignette.name, words)
        if any(each.foreign for each in outcome.finding.says):
            assert outcome.finding.level <= Level.WARNING, vignette.name


@elsewhere
@pytest.mark.parametrize("rule", sorted(BY_RULE))
def test_what_holds_here_is_never_said_to_be_borrowed(rule: str, place: str) -> None:
    for vignette in BY_RULE[rule]:
        found = told(vignette, place)
        if not any(each.foreign for each in (*found.check.cites, *_told_within(found.check.outcome))):
            assert "label), none for this place" not in found.text, vignette.name
            assert "), no label of this place" not in found.text, vignette.name


def _told_within(part: Any) -> Iterator[Statement[Any]]:
    """The statements of findings that a card names within another one, as the options name what excludes them."""
    if isinstance(part, Finding):
        yield from (*part.says, *part.mentions)
    if isinstance(part, Struct):
        part = [getattr(part, name) for name in part.__struct_fields__]
    elif isinstance(part, Mapping):
        part = list(part.values())
    for each in part if isinstance(part, (list, tuple)) else ():
        yield from _told_within(each)


def _cards(place: str, *chart: object) -> list[dict[str, object]]:
    drafts, asked = chart
    body = json.dumps(request("order-sign", *drafts, **asked)).encode()
    there = replace(tools(), jurisdiction=place)
    service = next(each for each in there.services if each.hook == "order-sign")
    return json.loads(answer(body, service, there).body)["cards"]


@pytest.mark.parametrize("place, indicator, says", [
    ("US", "critical", "limit 500 ms"),
    ("EU", "critical", "limit 500 ms"),
    ("JP", "warning", "limit 500 ms (US label)"),
])
def test_one_patient_in_three_places(place, indicator, says):
    drafts = [gilteritinib(status="draft")]
    first = _cards(place, drafts, {"ecg": [qtcf(512)], "labs": ELECTROLYTES})[0]
    assert (first["indicator"], first["summary"].endswith(says)) == (indicator, True)
    assert ("none for this place" in first["detail"]) is (place == "JP")


def test_in_japan_nothing_is_critical_beside_an_interaction_either():
    posaconazole = order("posaconazole 100 MG Delayed Release Oral Tablet")
    found = _cards("JP", [venetoclax(status="draft")], {"medications": [posaconazole], "labs": ELECTROLYTES})
    assert found and not [card for card in found if card["indicator"] == "critical"]
    assert any("(US label)" in card["detail"] for card in found)
