"""Names stand on cards as the field writes them: no capital lost, none added, no date that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cards.model import LONGEST_SUMMARY
from cards.render import HOME, first_upper, summary_of
from tests.calls import tools

ROOT = Path(__file__).parents[2]
# How each is written wrongly, in any place where a card could say it.
SLIPS = re.compile(
    r"\b[Aa]mg 330|\b[Ss]t\.? ?[Jj]ohn'?s? wort(?<!St John's wort)|\b[Aa]mphotericin b\b|\bseville"
    r"|\bflt3|\bnpm1\b|\bidh[12]\b|\bkmt2a|\btp53|\bcd33\b|\bqtc[fb]?\b|\becg\b|\blvef\b|\bhsct\b|\bgvhd\b"
    r"|\b[Ff]lag-ida|\bhdac\b|\b[Hh]idac|\bcpx-351|\b[Cc]yp3a|\bp-gp\b|\bast\b|\balt\b"
    r"|\b[Oo]n no date|no date, no date",
)
_CODE = re.compile(r"`[^`]*`|\{[{%].*?[%}]\}", re.DOTALL)


def names() -> list[str]:
    """Every drug, precipitant, option and therapy, as a card would say it, at the head of a sentence too."""
    known = tools().knowledge
    found = {*known.drugs, *known.precipitants}
    found |= {option.name for option in known.options.values()} | {each.name for each in known.therapies.values()}
    return sorted({*found, *(str(first_upper(name)) for name in found)})


@pytest.mark.parametrize("name", names())
def test_a_name_is_written_as_the_field_writes_it(name: str) -> None:
    assert not SLIPS.search(name)


def test_no_wording_of_a_template_slips() -> None:
    said = {path.name: _CODE.sub("", path.read_text(encoding="utf-8")) for path in sorted(HOME.glob("*.md"))}
    assert not {name: found for name, text in said.items() if (found := SLIPS.findall(text))}


def test_no_statement_slips() -> None:
    said = {each.id: str(each.value) for each in tools().knowledge.statements if isinstance(each.value, (str, tuple))}
    wrong = {name: value for name, value in said.items() if SLIPS.search(value) and " " in value}
    assert not wrong


def test_no_stored_card_slips() -> None:
    paths = sorted((ROOT / "fhir_samples").glob("*/expected/*.json"))
    cards = [card for path in paths for card in json.loads(path.read_text(encoding="utf-8")).get("cards", ())]
    assert cards
    texts = [text for card in cards for text in (card["summary"], card.get("detail", ""))]
    assert not [found for text in texts if (found := SLIPS.findall(text))]


def test_the_slips_are_known_by_their_looks() -> None:
    wrong = "Starting amg 330; St john's wort; amphotericin b; on no date, no date; gilteritinib with flt3"
    assert len(SLIPS.findall(wrong)) == 5
    assert not SLIPS.search("AMG 330; St John's wort; amphotericin B; without a date; FLT3-ITD; QTcF; ECG")


@pytest.mark.parametrize("length", range(60, 90))
def test_a_summary_that_is_too_long_ends_in_a_whole_word(length: int) -> None:
    sign = {"words": "x" * length, "fact": None}
    values = {"signs": [sign], "drug": "gemtuzumab ozogamicin", "again": False, "ended": None}
    said = summary_of("capillary_leak", values)
    whole = f"X{'x' * (length - 1)} on gemtuzumab ozogamicin: evaluate for capillary leak before the next dose"
    assert len(said) <= LONGEST_SUMMARY
    assert said == whole or (said.endswith("…") and whole.startswith(f"{said[:-1]} "))


@pytest.mark.parametrize("mark", [" (review)", " (US label by a digest)", ""])
def test_whose_word_it_is_is_not_cut_off_with_a_summary_that_is_too_long(mark: str) -> None:
    values = {
        "others": [{"drug": "clarithromycin"}],
        "drug": "gilteritinib",
        "lead": "",
        "remedies": ["avoid " + "the inhibitor " * 12 + "at all"],
        "advised": {"where": mark},
    }
    said = summary_of("strong_inhibitor", values)
    assert len(said) <= LONGEST_SUMMARY
    assert said.endswith(f"…{mark}")
