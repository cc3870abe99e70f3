"""Doses per body surface in words: one dose, not what a course or a life comes to."""

from __future__ import annotations

from decimal import Decimal
from time import perf_counter

import pytest

from cds_service.facts.drugs.surface import per_area_in


@pytest.mark.parametrize("text, doses", [
    ("cytarabine 3 g/m2 q12h days 1,3,5 (total 18 g/m2)", [3000]),
    ("Cytarabin 3 g/m² alle 12 Stunden an Tag 1, 3, 5, Gesamtdosis 18 g/m²", [3000]),
    ("aracytine 3 g/m² x2/j soit 18 g/m² au total", [3000]),
    ("citarabina 3 g/m2 ogni 12 ore, dose cumulativa 18 g/m2", [3000]),
    ("cytarabine 200 mg/m2/d CI x 7 d (total 1400 mg/m2)", [200]),
    ("daunorubicin 60 mg/m2 x3 = 180 mg/m2", [60]),
    ("daunorubicin 60 mg/m2/d; cumulative dose so far 240 mg/m2", [60]),
    ("daunorubicin 60 mg/m2; lifetime limit 400-550 mg/m2", [60]),
    ("idarubicin 12 mg/m2 d1-3 (36 mg/m2)", [12]),
    ("Vidaza 75 mg/m² s.c. 7 Tage (525 mg/m² pro Zyklus)", [75]),
    ("cytarabine 100 mg/m2 d1-7, then 1000 mg/m2 d8", [100, 1000]),
    ("HiDAC (3 g/m2)", [3000]),
    ("Dose = 3 g/m2", [3000]),
    ("total dose 3 g/m2", [3000]),  # a total counts where it is all that is known
    ("lifetime dose 240 mg/m2", []),
    ("idarubicin 24 mg/m2 (cumulative 150 mg/m2)", [24]),  # what a life comes to stands behind its word
    ("idarubicin 24 mg/m2, cumulative so far 100 mg/m2", [24]),
    ("Idarubicin 24 mg/m², kumulativ: 100 mg/m²", [24]),
    ("100 mg/m2 cumulative, now 24 mg/m2", [24]),
])
def test_a_total_is_no_dose(text, doses):
    assert per_area_in(text) == [Decimal(each) for each in doses]


@pytest.mark.parametrize("text", ["0 mg/m2 (3 g/m2)", "0,00000000000000001 mg/m2 (99999999999999999999 g/m2)"])
def test_numbers_beyond_sense_raise_nothing(text):
    assert Decimal(0) not in per_area_in(text)


def test_a_total_beside_another_amount_is_none():
    assert per_area_in("total 18 g/m2", beside=True) == []


@pytest.mark.parametrize("text, doses", [
    ("cytarabine 3 000 mg/m² x2/j", [3000]),
    ("cytarabine 1\u202f500 mg/m²", [1500]),
    ("cytarabine 1\u00a0000 mg/m²", [1000]),
    ("cytarabine 1 500 mg/m²", []),  # or day 1, and 500
    ("Tag 1-7 100 mg/m2", [100]),
    ("J1 100 mg/m²", [100]),
    ("days 1, 3, 5 1000 mg/m2", [1000]),
])
def test_a_space_that_parts_thousands(text, doses):
    assert per_area_in(text) == [Decimal(each) for each in doses]


@pytest.mark.parametrize("text, times, doses", [
    ("cytarabine 6 g/m2/day in 2 divided doses", None, [3000]),
    ("cytarabine 6 g/m2 per day divided q12h", 2, [3000]),
    ("decitabine 45 mg/m2/day in three divided doses", None, [15]),
    ("Cytarabin 6 g/m2/Tag verteilt auf 2 Dosen", 2, [3000]),
    ("cytarabine 6 g/m2/d divided over 3 days", None, [6000]),  # days and hours are no parts
    ("cytarabine 9 g/m2/day over 3 h, divided in 2", None, [4500]),
    ("Cytarabin 6 g/m2/Tag in 3 Stunden, verteilt", None, [6000]),
    ("cytarabine 2 g/m2/day q12h", 2, [2000]),  # not said to be divided: the higher reading stands
    ("cytarabine 3 g/m2 divided", 2, [3000]),
    ("cytarabine 6 g/m2/day in divided doses", None, [6000]),
])
def test_what_a_day_comes_to_is_parted_where_the_words_divide_it(text, times, doses):
    assert per_area_in(text, None if times is None else Decimal(times)) == [Decimal(each) for each in doses]


@pytest.mark.parametrize(
    "piece",
    ["3 g/m2 ", "(36 mg/m2) ", "total 3 g/m2 ", "total ", "= ", "per cycle ", "divided in ", "1 000 ", "\u00a0100"],
)
def test_a_long_text_is_read_in_a_time_that_grows_with_its_length(piece):
    begun = perf_counter()
    per_area_in(piece * 20_000)
    assert perf_counter() - begun < 5
