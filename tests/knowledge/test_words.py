"""Tables of words: which entries stand in a text, however its letters are written."""

from __future__ import annotations

import sys

import pytest

from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.words import Words

AZOLES = Words([("voriconazole", "v"), ("isavuconazole", "i"), ("voriconazole sodium", "vs")])


@pytest.mark.parametrize("text", ("voriconazole 200 mg", "VORICONAZOLE 200 MG", "VORİCONAZOLE 200 MG"))
def test_capitals_change_nothing_even_where_the_i_has_its_dot(text: str) -> None:
    assert AZOLES.find_all(text) == ("v",)
    assert AZOLES.spans(text) == ((0, 12, "v"),)
    assert AZOLES.without(text).split() == ["200", "mg"]


def test_places_are_those_of_the_text_as_it_was_written() -> None:
    text = "İlaç: İSAVUCONAZOLE, Voriconazole Sodium"
    assert [text[begin:end] for begin, end, _ in AZOLES.spans(text)] == ["İSAVUCONAZOLE", "Voriconazole Sodium"]


def test_no_letter_moves_those_behind_it() -> None:
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        if not letter.isspace() and not letter.isalnum() and letter not in "-_":
            continue
        assert AZOLES.spans(f"{letter} voriconazole") == ((2, 14, "v"),), hex(number)


def test_every_drug_is_found_in_turkish_capitals() -> None:
    names = Knowledge.load().terms.drug_names
    for name in sorted(names.entries):
        written = name.replace("i", "İ").upper()
        assert names.find_all(written) == names.find_all(name), name
