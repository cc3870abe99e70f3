"""A card names the source of every statement that it tells, each source once with all of its places."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from cards.render import escape, render
from cds_service.knowledge.model import Statement
from cds_service.present.cited import source_lines
from cds_service.present.words import Speaker
from cds_service.rules.rule import Finding, Fired
from tests.calls import ELECTROLYTES, cards, flt3_itd, gilteritinib, qtcf
from tests.charts import NOW
from tests.vignette_runner import Vignette, tell, vignettes

MARK = "told-as-well"
BY_RULE = sorted({vignette.rule for vignette in vignettes()})


def parts(whole: Any) -> Iterator[Any]:
    """What a value is made of."""
    if isinstance(whole, Mapping):
        yield from whole.values()
    elif isinstance(whole, (list, tuple)):
        yield from whole
    elif isinstance(whole, msgspec.Struct):
        yield from (getattr(whole, name) for name in whole.__struct_fields__)
    elif dataclasses.is_dataclass(whole):
        yield from (getattr(whole, each.name) for each in dataclasses.fields(whole))


def statements_in(whole: Any) -> Iterator[Statement[Any]]:
    if isinstance(whole, Statement):
        yield whole
        return
    for part in parts(whole):
        yield from statements_in(part)


def marked(whole: Any, statement: Statement[Any]) -> Any:
    """The same, where that statement says a word more."""
    if isinstance(whole, Statement):
        values = whole.value if isinstance(whole.value, tuple) else (whole.value,)
        return dataclasses.replace(whole, value=(*values, MARK)) if whole == statement else whole
    if isinstance(whole, Mapping):
        return {name: marked(part, statement) for name, part in whole.items()}
    if type(whole) in (list, tuple):
        return type(whole)(marked(part, statement) for part in whole)
    if isinstance(whole, msgspec.Struct) and any(True for _ in statements_in(whole)):
        changed = {name: marked(getattr(whole, name), statement) for name in whole.__struct_fields__}
        return msgspec.structs.replace(whole, **changed)
    if dataclasses.is_dataclass(whole) and any(True for _ in statements_in(whole)):
        names = [each.name for each in dataclasses.fields(whole)]
        return dataclasses.replace(whole, **{name: marked(getattr(whole, name), statement) for name in names})  # type: ignore[type-var]
    return whole


def tells(finding: Finding, statement: Statement[Any]) -> bool:
    """Whether the card of the finding has the words of the statement."""
    values = Speaker(NOW).all(marked(finding.values, statement))
    words = render(finding.card, {"drug": finding.drug} | values)
    return MARK in words.summary + words.body


@pytest.mark.parametrize("rule", BY_RULE)
def test_every_statement_on_a_card_has_its_source_there(rule: str) -> None:
    seen: set[tuple[str, str]] = set()
    for vignette in (each for each in vignettes() if each.rule == rule):
        outcome = tell(vignette).check.outcome
        if isinstance(outcome, Fired):
            assert_cited(vignette, outcome.finding, seen)


def assert_cited(vignette: Vignette, finding: Finding, seen: set[tuple[str, str]]) -> None:
    card = next(each for each in tell(vignette).cards if each.checks)  # no gap beside it
    sources = card.detail.whole().partition("**Sources**")[2]
    for statement in dict.fromkeys(statements_in(finding.values)):
        if (finding.card, statement.id) not in seen and tells(finding, statement):
            seen.add((finding.card, statement.id))
            (line,) = source_lines((statement,))
            named = line if "Service default" in line else escape(statement.sources[0].at)
            assert named in sources, f"{vignette.name}: {statement.id}"


def test_a_source_stands_once_with_all_of_its_places() -> None:
    chart: dict[str, Any] = {"ecg": [qtcf(430)], "labs": ELECTROLYTES, "genomics": [flt3_itd("2026-11-10")]}
    shown = cards("order-sign", gilteritinib(status="draft"), **chart)
    sources = next(card["detail"] for card in shown if "Starting" in card["summary"]).partition("**Sources**")[2]
    lines = [line.partition(",")[0] for line in sources.splitlines() if line.startswith("- ")]
    assert "5.1 and Table 1; 5.1; 2.3 (read in the label)" in sources
    assert "dosing, duration (read in a text that restates it: confirm on the current label)" in sources
    assert len(lines) == len(set(lines))
