"""Doses: what an order comes to in a day; a dose that cannot be told is never guessed, and never too low."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.facts.drugs.amounts import product_strength
from cds_service.facts.drugs.doses import Dose, daily_dose
from cds_service.gather.views import MedicationRequest
from cds_service.quantity import Quantity
from tests.charts import RXNORM, Json, chart, concept, measured, order, resource, terms

TABLET = "venetoclax 100 MG Oral Tablet"
ONCE = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
KIND = "http://terminology.hl7.org/CodeSystem/dose-rate-type"


def amount(value: Any, unit: str | None = "mg", **more: Any) -> Json:
    return {"doseQuantity": measured(value, unit, **more)}


def dosage(*amounts: Json, timing: Json | None = ONCE, **more: Any) -> Json:
    return {**({"timing": timing} if timing else {}), **({"doseAndRate": list(amounts)} if amounts else {}), **more}


def dose(*dosages: Json, product: str = TABLET) -> Dose:
    view = resource(order("venetoclax", dosageInstruction=list(dosages)), "medications").checked()
    assert isinstance(view, MedicationRequest), view
    return daily_dose(view, product, terms())


def daily(*dosages: Json, product: str = TABLET) -> str | None:
    found = dose(*dosages, product=product).daily
    return str(found.value.normalize().quantize(Decimal(1))) if found else None


@pytest.mark.parametrize(("value", "unit", "expected"), [
    (400, "mg", "400"), (0.4, "g", "400"), (400, "MG", "400"), (400000, "ug", "400"), (4, "tablet", "400"),
    (4, "Tablets", "400"), (4, "tablet(s)", "400"), (4, "{tbl}", "400"), (4, "TAB", "400"),
    (4, "film-coated tablet", "400"),
    (4, "each", "400"), (4, "1", "400"),
])
def test_an_amount_in_mg_in_g_or_in_tablets_is_read(value: float, unit: str, expected: str) -> None:
    assert daily(dosage(amount(value, unit))) == expected


def test_a_ucum_code_counts_before_the_unit_as_printed() -> None:
    coded = amount(400, "dose", system="http://unitsofmeasure.org", code="mg")
    assert daily(dosage(coded)) == "400"


@pytest.mark.parametrize(("value", "unit", "why"), [
    (400, None, "no unit"), (75, "mg/m2", "per body surface"), (5, "mg/kg", "per body weight"),
    (1, "tablespoon", "'tablespoon' is not one"), (1, "capful", "not one"), (0, "mg", "not above zero"),
    (-400, "mg", "not above zero"), (10, "mL", "'ml' is not one"), (1, "10*6", "not one"), (1, "drop", "not one"),
    (100, "mg/h", "cannot be read"),
])
def test_an_amount_that_does_not_come_to_mg_says_why(value: float, unit: str | None, why: str) -> None:
    found = dose(dosage(amount(value, unit)))
    assert found.daily is None
    assert why in found.why


def test_a_count_of_pieces_needs_the_strength_of_one() -> None:
    assert "pieces whose strength is not stated" in dose(dosage(amount(4, "{capsule}")), product="venetoclax").why


def test_a_comparator_is_no_dose() -> None:
    assert daily(dosage(amount(400, "mg", comparator="<"))) is None


@pytest.mark.parametrize(("product", "strength"), [
    (TABLET, "100"), ("venetoclax 0.1 G tablet", "100"), ("venetoclax", None),
    ("Venclexta 10 MG, 50 MG, 100 MG pack", None),
    ("posaconazole 40 MG/ML Oral Suspension", None), ("venetoclax 100 MG Oral Tablet [Venclexta 100 MG]", "100"),
    ("drug 1,000 MG", None), ("revumenib tablet (25/110/160 mg)", None), ("venetoclax 10-50-100 mg pack", None),
    ("venetoclax 50 MG / 100 MG", None), ("glasdegib 25 or 100 mg", None), ("venetoclax 10 mg, 50 mg and 100 mg", None),
    ("venetoclax 100 mg, 100 mg tablet", "100"), ("venetoclax 0.1 g/100 mg", "100"), ("tab-100 mg", "100"),
])
def test_a_strength_is_read_from_the_product_when_it_states_one_only(product: str, strength: str | None) -> None:
    found = product_strength(product)
    assert found == (Decimal(strength) if strength else None)
    assert daily(dosage(amount(1, "tablet")), product=product) == strength


@pytest.mark.parametrize(("code", "text", "expected"), [
    ("2698331", "", None), ("2698345", "Revuforj", None), ("2698331", "revumenib 25 mg tablet", "25"),
    ("2105850", "", None), ("2105850", "glasdegib 25 MG Oral Tablet", "25"), ("2725990", "", None),
    ("2105856", "", "100"), ("2105860", "", "25"),
])
def test_a_code_that_names_the_ingredient_alone_states_no_strength(code: str, text: str, expected: str | None) -> None:
    written = {**concept(code, system=RXNORM), **({"text": text} if text else {})}
    found = chart(order(written, dosageInstruction=[dosage(amount(1, "tablet"))])).medications.orders[0].dose.daily
    assert (str(found.value) if found else None) == expected


@pytest.mark.parametrize(("timing", "expected"), [
    (ONCE, "200"), ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, "400"),
    ({"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}}, "400"),
    ({"repeat": {"period": 8, "periodUnit": "h"}}, "600"),
    ({"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}}, "400"),
    ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}}, "400"), ({"repeat": {"when": ["MORN", "EVE"]}}, "400"),
    ({"repeat": {"period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00", "20:00:00"]}}, "400"),
    ({"code": concept("BID", system="x")}, "400"), ({"code": {"text": "q12h"}}, "400"),
    ({"code": {"text": "BID"}}, "400"),
    ({"code": {"text": "2 times daily"}}, "400"), ({"code": {"text": "3 times a day"}}, "600"),
    ({"code": {"text": "3x/day"}}, "600"),
    ({"code": {"text": "4 times daily"}}, "800"), ({"code": {"text": "Daily"}}, "200"),
    ({"code": {"text": "daily at bedtime"}}, "200"),
])
def test_the_frequency_is_read_from_structure_code_or_words(timing: Json, expected: str) -> None:
    assert daily(dosage(amount(200), timing=timing)) == expected


@pytest.mark.parametrize("timing", [
    None, {"code": {"text": "every other day"}}, {"code": {"text": "weekly"}}, {"code": {"text": "2-3 times daily"}},
    {"code": {"text": "once daily or twice daily"}}, {"code": concept("QOD", system="x")},
    {"repeat": {"when": ["AC"]}}, {"code": {"text": "every 4-6 hours"}}, {"code": {"text": "every 5 hours"}},
    {"event": ["2026-11"]}, {"repeat": {"count": 3}}, {"repeat": {"frequency": 2}},
    {"repeat": {"frequency": 3, "period": 1, "periodUnit": "wk"}},
])
def test_an_unclear_frequency_is_no_daily_dose(timing: Json | None) -> None:
    found = dose(dosage(amount(200), timing=timing))
    assert (found.daily, found.why) == (None, "how often it is taken cannot be read")


@pytest.mark.parametrize("repeat", [
    {"frequency": 1, "period": 2, "periodUnit": "d"}, {"frequency": 1, "period": 1, "periodUnit": "wk"},
    {"frequency": 1, "period": 48, "periodUnit": "h"}, {"frequency": 1, "period": 1, "periodUnit": "mo"},
    {"frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon", "thu"]},
    {"frequency": 5, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "tue", "wed", "thu", "fri"]},
])
def test_a_drug_not_taken_every_day_counts_with_what_is_taken_on_its_day(repeat: Json) -> None:
    found = dose(dosage(amount(400), timing={"repeat": repeat}))
    assert (str(found.daily), found.note, found.times) == (
        "400 mg daily", "on the day it is taken, not daily", None)


def test_single_dates_count_with_the_day_of_most_doses() -> None:
    events = ["2026-11-20T08:00:00Z", "2026-11-20T20:00:00Z", "2026-11-21T08:00:00Z"]
    found = dose(dosage(amount(200), timing={"event": events}))
    assert (str(found.daily), found.days) == ("400 mg daily", 2)


@pytest.mark.parametrize(("code", "expected"), [
    ("QD", "200"), ("BID", "400"), ("TID", "600"), ("QID", "800"), ("AM", "200"), ("BED", "200"), ("Q8H", "600"),
    ("Q4H", "1200"), ("QOD", "200"), ("WK", "200"), ("JB", None),
])
def test_the_abbreviations_of_fhir_are_read(code: str, expected: str | None) -> None:
    coded = concept(code, system="http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation")
    assert daily(dosage(amount(200), timing={"code": coded})) == expected


@pytest.mark.parametrize("timing", [
    {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}, "code": {"text": "BID"}},
    {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00", "20:00:00"]}},
])
def test_where_two_frequencies_disagree_the_higher_counts_and_says_so(timing: Json) -> None:
    found = dose(dosage(amount(200), timing=timing))
    assert (str(found.daily), found.plain) == ("400 mg daily", False)
    assert found.note


@pytest.mark.parametrize(("text", "expected"), [
    ("400 mg once daily", "400"), ("Take 400 mg by mouth daily", "400"), ("200 mg BID", "400"),
    ("200 mg every 12 hours", "400"),
    ("200 mg 2 times daily", "400"), ("100 mg three times daily", "300"), ("400mg QD", "400"),
    ("400 mg (400 mg) daily", "400"),
    ("200-400 mg daily", "400"), ("0,5 mg daily", "0"), ("200 mg in the AM and PM", "400"),
])
def test_a_dose_may_stand_in_the_text_alone(text: str, expected: str) -> None:
    assert daily({"text": text}) == expected


@pytest.mark.parametrize("text", [
    "as directed", "400 mg", "once daily", "75 mg/m2 daily", "75 mg per m2 daily", "5 mg/kg daily", "5 mg per kg daily",
    "1,200 mg daily", "1.200 mg daily", "4 x 100 mg daily",
    "take two tabs (100 mg) daily",
    "20 mg daily, then 50 mg daily", "400 mg every other day", "100 mg daily, 2 capsules",
    "400 mg once daily or twice daily",
])
def test_a_text_with_more_than_one_reading_is_not_read(text: str) -> None:
    assert daily({"text": text}) is None


@pytest.mark.parametrize("text", [
    "Take 4 (100 mg) tablets daily", "Dose level 4 100 mg tablets daily", "Take 1 or 2 tablets of 100 mg daily",
    "Take 4 tablets of 50 mg daily", "Take four 50 mg tablets daily", "Take 4 tablets (50 mg each) daily",
    "Take 2 tablets of 100 mg, then 4 tablets of 100 mg daily", "Dispense 112 tablets of 100 mg, daily",
    "Take 2-4 tablets of 100 mg daily", "Take 4 tablets of 100 mg every other day", "400 mg (3 tablets) daily",
    "Take 4 (five) tablets daily", "400 mg qAM and qHS", "1 tablet of 100 mg qAM and qPM",
    "4 tablets a day or two", "up to 4 tablets a day",
    "100 mg tablets: take 4 daily", "100 mg tablets, four daily", "100 mg x4 daily", "100 mg ×4 daily",
    "4 tbl 100 mg daily",
    "Take 1.5 tablets of 100 mg daily", "400/200/100 mg daily", "120-80 mg daily", "120 to 80 mg daily",
    "120 mg then 80 mg daily", "400/100/200 mg daily", "200 mg daily 1-0-1", "200 mg daily 1-0-1-0",
    "Take 2 tablets twice daily (400 mg total)", "Take 4 tablets (100 mg) daily",
    "Take 4 tablets (400 mg total) in the morning and 2 tablets (200 mg total) at night",
    "Take 4 tablets (400 mg total) daily. Dispense 120 tablets.",
])
def test_a_text_whose_one_amount_is_not_that_of_the_day_is_not_read(text: str) -> None:
    assert daily({"text": text}) is None


@pytest.mark.parametrize(("often", "times"), [
    ("täglich", 1), ("tgl.", 1), ("1 x tägl.", 1), ("jeden Tag", 1), ("morgens", 1), ("am Abend", 1), ("2 x tgl.", 2),
    ("2-mal täglich", 2), ("zwei Mal täglich", 2), ("zweimal am Tag", 2), ("viermal täglich", 4),
    ("morgens und abends", 2), ("jeden Morgen und jeden Abend", 2), ("alle 12 Stunden", 2),
    ("tous les jours", 1), ("chaque matin", 1), ("deux fois par jour", 2), ("quatre fois par jour", 4),
    ("matin et soir", 2), ("matin, midi et soir", 3), ("toutes les 12 heures", 2),
    ("cada día", 1), ("dos veces al día", 2), ("tres veces al día", 3), ("mañana y noche", 2), ("cada 12 horas", 2),
    ("c/12h", 2), ("ogni giorno", 1), ("due volte al giorno", 2), ("tre volte al dì", 3), ("mattina e sera", 2),
    ("dagelijks", 1), ("eenmaal daags", 1), ("tweemaal daags", 2), ("2 dd", 2), ("twee keer per dag", 2),
    ("elke 12 uur", 2),
    ("uma vez ao dia", 1), ("duas vezes por dia", 2), ("12/12h", 2), ("de 12 em 12 horas", 2),
    ("five times daily", 5), ("six times a day", 6), ("in the morning and at noon", 2), ("at noon", 1),
])  # fmt: skip
def test_how_often_a_day_is_read_in_many_languages(often: str, times: int) -> None:
    assert daily({"text": f"400 mg {often}"}) == str(400 * times)
    assert daily({"text": f"4 tabl {often}"}) == str(400 * times)


@pytest.mark.parametrize("often", [
    "jeden zweiten Tag", "jeden 2. Tag", "alle 2 Tage", "einmal wöchentlich", "1x/Woche", "zweimal pro Woche",
    "wöchentlich",
    "un jour sur deux", "tous les deux jours", "une fois par semaine", "deux fois par semaine", "días alternos",
    "cada dos días", "cada 48 horas", "una vez por semana", "dos veces a la semana", "a giorni alterni",
    "ogni due giorni", "un giorno sì e uno no", "una volta alla settimana", "om de dag", "om de andere dag",
    "elke 2 dagen", "eenmaal per week", "wekelijks", "em dias alternados", "dia sim, dia não", "uma vez por semana",
    "every other day", "every 48 hours", "once weekly", "mehrmals täglich", "plusieurs fois par jour",
    "several times daily", "daily 2 times", "täglich 2x", "chaque jour, 2 fois", "daily x2", "am Montag",
    "täglich um 8 und 20 Uhr", "at 8:00 and 20:00 daily", "nach Plan", "selon protocole",
])  # fmt: skip
def test_what_is_not_once_a_day_is_never_read_as_once_a_day(often: str) -> None:
    assert daily({"text": f"400 mg {often}"}) is None
    assert daily({"text": f"4 tabl {often}"}) is None


@pytest.mark.parametrize(("text", "expected"), [
    ("AM and PM: 200 mg p.o.", "400"), ("200 mg p.o. am Morgen und am Abend", "400"),
    ("200 mg daily in the morning and evening with or without food", "400"),
    ("200 mg morgens und abends, vor oder nach dem Essen", "400"),
    ("morgens/abends: 200 mg p. o.", "400"), ("le matin et le soir: 200 mg p.o.", "400"),
    ("200 mg de manhã ou à noite", "200"), ("200 mg cada mañana o cada noche", "200"),
    ("200 mg morgens bzw. abends", "200"),
    ("200 mg elke ochtend en elke avond", "400"), ("200 mg por la mañana y por la tarde", "400"),
    ("200 mg morgens und nachmittags", "400"), ("200 mg de manhã e à tarde", "400"),
    ("200 mg ao almoço e ao jantar", "400"),
    ("200 mg daily at lunch and dinner", "400"), ("200 mg le matin, pause le soir", None),
    ("200 mg pas le soir, le matin", None), ("200 mg morgens, nicht abends", None),
    ("200 mg daily. Take in the morning, not at noon", None),
    ("200 mg daily in the morning; posaconazole at noon", None),
    ("200 mg every morning after lunch", None), ("200 mg abends nach dem Frühstück", None),
    ("200 mg morgens mittags abends", "600"), ("200 mg desde mañana cada noche", "200"),
    ("200 mg ab morgen abends", "200"), ("200 mg bis morgen abends", "200"),
    ("200 mg mañana por la mañana", None), ("200 mg amanhã de manhã", None), ("200 mg einmalig morgens", None),
    ("200 mg 2- bis 3-mal täglich", None), ("200 mg 1 a 2 vezes ao dia", None), ("200 mg 1 tot 2 maal daags", None),
    ("200 mg una o dos veces al día", None), ("200 mg 1 à 2 fois par jour", None), ("200 mg once or twice daily", None),
    ("200 mg ein- bis zweimal täglich", None), ("200 mg wöchentlich abends", None), ("200 mg freitags abends", None),
    ("200 mg le matin sauf dimanche", None), ("200 mg por la noche los lunes", None),
    ("200 mg la sera al bisogno", None),
    ("200 mg due volte a settimana la sera", None), ("200 mg à noite SOS", None), ("200 mg 's avonds zo nodig", None),
    ("200 mg 1x täglich, Blutbild 1x pro Woche", "200"), ("200 mg tgl. 8-14-20 Uhr", None),
    ("200 mg tgl. 8h 20h", None),
    ("200 mg ogni giorno alle 8 e alle 20", None), ("200 mg às 8h e às 20h todos os dias", None),
    ("200 mg daily at 0800, 2000", None), ("200 mg daily 0800/2000", None), ("200 mg täglich um 8 Uhr", "200"),
    ("100 mg 1 dd 4", None), ("1 dd 400 mg", "400"), ("1 dd 1 tablet 400 mg", "400"), ("1 dd 4 tabl", "400"),
    ("400 mg tgl. ½", None), ("400 mg tgl. an Tag 1-7", "400"),
])  # fmt: skip
def test_parts_of_the_day_count_where_the_words_join_them(text: str, expected: str | None) -> None:
    assert daily({"text": text}) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("200 mg twice by mouth daily", "400"), ("200 mg twice orally daily", "400"),
    ("200 mg three times PO daily", "600"),
    ("200 mg once orally daily", "200"), ("200 mg once-daily", "200"), ("200 mg twice-a-day", "400"),
    ("200 mg 2 times/day", "400"), ("200 mg once/day", "200"), ("200 mg thrice daily", "600"),
    ("200 mg once to three times daily", None), ("200 mg once or several times daily", None),
    ("200 mg once-twice daily", None), ("200 mg once - after breakfast - daily", "200"),
])  # fmt: skip
def test_how_often_is_read_around_a_route_and_a_hyphen(text: str, expected: str | None) -> None:
    assert daily({"text": text}) == expected


@pytest.mark.parametrize("text", [
    "zwei Tbl. 200 mg 1-0-0", "je zwei Tbl. à 100 mg 1-0-1", "dos cápsulas 1-0-0", "due compresse 1-0-0",
    "½ Tbl. 1-0-1",
    "1-0-1 jeweils zwei", "doppelte Dosis 1-0-1", "1-0-1 (halbe Tbl.)", "1-0-1 pausiert", "1-0-0 wöchentlich",
    "1-0-0 bei Bed.", "1-0-0 einmalig", "bisher 1-0-1", "1-0-1 Tropfen", "1-0-1 x 2", "ECOG 1-0-1", "400 mg/Tag, 1-0-1",
    "1-0-1 (200 mg)", "400 mg pro Tag, morgens und abends", "Tagesdosis 400 mg morgens und abends",
    "400 mg aufgeteilt morgens und abends", "400 mg répartis matin et soir", "400 mg/day BID",
    "dose totale 400 mg matin et soir", "400 mg por dia, manhã e noite", "100 mg 1x täglich 4 Stück", "100 mg 4 tgl.",
    "100 mg four daily", "100 mg täglich mal 4", "100 mg x IV täglich", "100 mg, 4 à la fois, tous les jours",
    "200 mg täglich 8:00 (nüchtern), 20:00",
])  # fmt: skip
def test_what_may_be_of_the_day_or_counts_pieces_is_not_read(text: str) -> None:
    assert daily({"text": text}) is None


@pytest.mark.parametrize("text", [
    "täglich zu den Mahlzeiten", "tgl. zu jeder Mahlzeit", "tous les jours aux repas", "todos los días con las comidas",
    "ogni giorno ai pasti", "dagelijks bij de maaltijden", "todos os dias às refeições", "täglich 2-stündlich",
    "tgl. 2",
    "2 tgl.", "todos os dias duas vezes", "abends und zur Nacht", "le soir et au coucher",
    "in the evening and at bedtime",
    "morgens, abends und zur Nacht",
])  # fmt: skip
def test_beside_a_coded_amount_such_words_do_not_tell_how_often(text: str) -> None:
    assert daily(dosage(amount(400), timing=None, text=text)) is None


@pytest.mark.parametrize("text", [
    "1x täglich zu den Mahlzeiten", "täglich unabhängig von den Mahlzeiten", "le soir au coucher",
    "cada día con o sin comida",
    "por la noche al acostarse", "à noite ao deitar",
])
def test_beside_a_coded_amount_such_words_tell_once_a_day(text: str) -> None:
    assert daily(dosage(amount(400), timing=None, text=text)) == "400"


@pytest.mark.parametrize(("text", "expected"), [
    ("4 Stück täglich", "400"), ("400 mg/day divided BID", "400"),
    ("1-0-1 (100 mg)", "200"), ("400 mg tgl. an Tag 8-21", "400"),
])
def test_what_stands_beside_them_is_read(text: str, expected: str) -> None:
    assert daily({"text": text}) == expected


def test_a_range_of_times_in_the_words_is_held_against_the_code() -> None:
    coded = dosage(amount(400))
    assert daily(coded | {"text": "bei Bedarf bis 2x täglich"}) == "800"
    for words in ("two to three times a day", "2 à 3 fois par jour", "1 tot 3 maal daags"):
        assert daily(coded | {"text": words}) == "1200", words


def test_days_without_the_drug_that_words_name_are_told() -> None:
    assert dose({"text": "400 mg every other day in the morning"}).note == "on the day it is taken, not daily"
    assert dose({"text": "400 mg daily in 2 divided doses"}).note == "read from the dose text"


@pytest.mark.parametrize(("text", "times"), [
    ("400 mg daily on days 1-28 of each 28 day cycle", 1), ("400 mg daily x 14 days every 28 days", 1),
    ("400 mg daily, increase weekly", 1), ("400 mg daily, every other day", None), ("400 mg daily every 3 days", None),
    ("400 mg täglich, jeden 2. Tag", None), ("400 mg daily in 2 divided doses", None), ("2-0-2", 2),
    ("400 mg en una toma diaria", 1),
])  # fmt: skip
def test_how_often_is_open_where_days_are_left_out_or_the_dose_is_divided(text: str, times: int | None) -> None:
    assert dose({"text": text}).times == times


@pytest.mark.parametrize(("first", "second", "expected"), [
    ("400 mg le matin", "400 mg le soir", "800"), ("400 mg morgens", "200 mg mittags", "600"),
    ("400 mg por la mañana", "400 mg por la noche", "800"), ("400 mg 's ochtends", "400 mg 's avonds", "800"),
])  # fmt: skip
def test_instructions_for_two_parts_of_the_day_add_up_in_any_language(first: str, second: str, expected: str) -> None:
    assert daily({"text": first}, {"text": second}) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("400 mg morgens, 400 mg abends", "800"), ("400 mg le matin et 400 mg le soir", "800"),
    ("4 Tabl. morgens und 4 Tabl. abends", "800"), ("4 Tabl. morgens, 4 Tabl. mittags, 4 Tabl. abends", "1200"),
    ("400 mg morgens oder abends täglich", "400"), ("le traitement sera pris le matin, 400 mg", "400"),
    ("400 mg täglich ab morgen, abends", "400"), ("400 mg täglich x 7 Tage", "400"),
    ("400 mg por día en dos tomas", None), ("400 mg par jour en 2 prises", "400"), ("2 x 400 mg täglich", None),
    ("1 Tabl. morgens, 2 Tabl. abends", None), ("400 mg morgens 200 mg abends", None), ("½ Tablette täglich", None),
    ("1/2 Tabl. täglich", None), ("zwei Tabletten täglich", None), ("2-3 Tabl. täglich", None),
    ("1 tablet daily in the morning, 1 tablet daily at noon", "200"),
])  # fmt: skip
def test_amounts_beside_the_words_of_other_languages(text: str, expected: str | None) -> None:
    assert daily({"text": text}) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("1-0-0", "100"), ("1-0-1", "200"), ("1-0-0-1", "200"), ("2-0-2", "400"), ("4-0-0", "400"), ("0-0-0-1", "100"),
    ("½-0-½", "100"), ("1/2-0-1/2", "100"), ("0,5-0-0,5", "100"), ("1½-0-0", "150"), ("1 - 0 - 1", "200"),
    ("1–0–1", "200"), ("1-1-1", "300"), ("2-1-2 Tabl.", "500"), ("2-1-0", "300"), ("2-0-2 Tabl. à 100 mg", "400"),
    ("400 mg 1-0-0", "400"), ("400 mg 1-0-1", "800"), ("4-0-0 (400 mg)", "400"), ("100 mg 4-0-0", "400"),
    ("200 mg 2-0-2", "400"), ("1-0-1 morgens und abends", "200"), ("1-0-0 täglich", "100"), ("1-0-1 für 7 Tage", "200"),
    ("1-0-1 täglich", "200"), ("1-0-1 daily", "200"), ("täglich 1-0-1", "200"), ("1-0-1 tgl.", "200"),
    ("1-0-1-0 every day", "200"), ("1-0-1, jeden Tag", "200"), ("100 mg 1-0-1 täglich", "200"), ("2-0-2 tägl.", "400"),
    ("1-0-1 tous les jours", "200"), ("1-0-1 Tabl. täglich", "200"), ("1-0-1 twice daily", "200"),
    ("1-0-1 täglich zum Essen", "200"), ("1-0-1 daily with food", "200"),
    ("1-0-1 tous les jours par voie orale", "200"), ("1-0-1 chaque jour par la bouche", "200"),
])  # fmt: skip
def test_a_scheme_counts_pieces_for_the_parts_of_the_day(text: str, expected: str) -> None:
    assert daily({"text": text}) == expected


@pytest.mark.parametrize("text", [
    "1-2", "1-2 Tabl. täglich", "2024-01-02", "01-02-2024", "1-2-24", "12-11-10", "Tag 1-3-5", "d1-2-3", "Tage 1-0-1",
    "Zyklus 1-1-1", "1-2-3", "1-2-3 Tbl.", "3-2-1", "3-2-1-0", "7-3-7", "10-20-50 mg", "5-5-5 mg", "1-0-1 mg",
    "1-0-1-0-1", "1-0-1/2", "0-0-0", "1-0-1, dann 2-0-2", "1-0-1 oder 2-0-2", "1-0-1 steigern auf 2", "max. 1-0-1",
    "1-0-0 bei Bedarf", "1-0-0 Mo, Mi, Fr", "1-0-0 jeden 2. Tag", "2 Tabl. 1-0-1", "3x tägl. 1-0-1",
    "100 mg täglich 1-0-1",
    "1-0-1 täglich 100 mg", "1-0-1 einmal täglich", "1-0-1 once daily", "1-0-1 dreimal täglich", "1-0-1 3x täglich",
    "1-0-1 jeden zweiten Tag", "1-0-1 every other day", "1-0-1 täglich montags", "1-0-1 daily as needed",
    "1-0-1 daily dose 120 mg", "1-0-1 (daily dose 120 mg)", "1-0-1 daily with food total 240 mg",
    "täglich 1-0-1 gesamt 240 mg", "daily 1-0-1 total 120 mg", "1-0-1 gesamt 240 mg", "1-0-1 tous les jours pairs",
    "1-0-1 daily (TDD 120 mg)", "1-0-1 täglich = 240 mg", "1-0-1 täglich (zus. 240 mg)", "1-0-1 daily, together 120 mg",
    "1-0-1 todos los días impares", "1-0-1 ogni giorno dispari", "1-0-1 daily (odd days)",
    "1-0-1 täglich abends", "1-0-1 täglich oder 2-0-2", "1-0-1 täglich insgesamt 200 mg",
    "2-0-2 Tabl. à 50 mg", "300 mg 2-0-2",
])  # fmt: skip
def test_what_may_be_no_scheme_or_more_than_one_dose_is_not_read(text: str) -> None:
    assert daily({"text": text}) is None


def test_a_scheme_without_a_strength_needs_that_of_its_pieces() -> None:
    assert daily({"text": "1-0-1"}, product="gilteritinib") is None
    assert daily({"text": "2-0-2 Tabl. 40 mg"}, product="gilteritinib") == "160"
    assert daily({"text": "40 mg 2-0-2"}, product="gilteritinib") is None  # of one piece, or each time
    assert daily({"text": "1-0-0 Tabl. à 40 mg"}, product="gilteritinib") == "40"


def test_a_scheme_says_how_often_beside_a_coded_amount_and_against_a_coded_dose() -> None:
    coded = dosage(amount(400, "mg"))
    del coded["timing"]
    assert daily(coded | {"text": "1-0-1"}) == "800"
    assert daily(coded | {"text": "4-0-4"}) is None
    assert daily(dosage(amount(100, "mg")) | {"text": "4-0-0"}) == "400"
    assert daily(dosage(amount(400, "mg")) | {"text": "4-0-0"}) == "400"


@pytest.mark.parametrize(("text", "expected"), [
    ("400 mg/day", "400"), ("400 mg per day", "400"), ("400 mg a day", "400"), ("800 mg/day divided BID", "800"),
    ("100/200/400 mg daily", "400"), ("80 to 120 mg daily", "120"), ("400 mg daily x 28 days", "400"),
    ("100 mg x 7 days, daily", "100"), ("take 1 tablet (400 mg) daily", "400"),
    ("100 mg tablet three times daily", "300"), ("100 mg tablets daily for 28 days", "100"),
    ("400 mg daily on days 1-14", "400"),
    ("200 mg in the morning and at night", "400"), ("200 mg daily with breakfast and dinner", "400"),
    ("200 mg in the morning, at noon and at bedtime", "600"), ("200 mg daily in the morning or evening", "200"),
    ("400 mg daily with lunch or dinner", "400"), ("200 mg twice per day", "400"), ("200 mg b.i.d.", "400"),
    ("400 mg nightly", "400"), ("200 mg every morning and nightly", "400"), ("400 mg every morning", "400"),
    ("Take 4 tablets (400 mg total) by mouth daily.", "400"), ("Take 2 capsules (50 mg total) 2 times daily", "100"),
    ("Take 3 (three) tablets (120 mg total) by mouth daily. Refills 0", "120"),
    ("Take 0.5 tablets (50 mg total) by mouth daily", "50"),
])
def test_the_dose_of_a_day_is_read_from_what_people_write(text: str, expected: str) -> None:
    assert daily({"text": text}) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("4 tablets of 100 mg once daily", "400"), ("Take four 100 mg tablets by mouth once daily", "400"),
    ("4 100mg tablets daily", "400"), ("Take eight tablets of 100 mg daily", "800"),
    ("4 comprimés de 100 mg, daily", "400"), ("4 cpr da 100 mg la sera", "400"), ("2 tablets of 100 mg BID", "400"),
    ("Take 4 tablets (100 mg each) by mouth daily", "400"), ("1x täglich 4 Tabletten à 100 mg", "400"),
    ("Take 400 mg (4 tablets) by mouth daily. Days 1-28", "400"), ("take 4 (four) tablets once daily", "400"),
    ("4 tablets a day", "400"), ("4 comprimés par jour", "400"), ("4 Tabletten pro Tag", "400"), ("4 tabs/day", "400"),
    ("400 mg = 4 tab(s), Oral, Daily, 28 day(s)", "400"), ("200 mg = 2 tab(s), Oral, BID", "400"),
    ("Take 4 tablets (400 mg) by mouth daily with food", "400"), ("Take 2 tablets (200 mg) twice daily", "400"),
    ("Take 4 tablets by mouth once daily", "400"), ("Take two tablets twice daily", "400"),
    ("Take 4 tablets by mouth daily for FLT3+ AML", "400"), ("Take 1 tablet once daily starting Monday", "100"),
    ("Take 4 tablets once daily plus allopurinol", "400"), ("Take 4 tablets once daily with food + water", "400"),
    ("Take 4 tablets once daily. Do not take more than one dose a day", "400"),
    ("Take 1 tablet by mouth every morning", "100"), ("4 Tabletten einmal täglich", "400"),
    ("400 mg 1x täglich oral", "400"), ("200 mg 2x tgl.", "400"), ("200 mg zweimal täglich", "400"),
    ("400 mg pro Tag", "400"), ("200 mg alle 12 Stunden", "400"), ("400 mg einmal täglich", "400"),
    ("400 mg une fois par jour", "400"), ("200 mg 2 fois par jour", "400"), ("4 comprimés une fois par jour", "400"),
    ("400 mg una vez al día", "400"), ("200 mg due volte al giorno", "400"),
    ("Take 4 tablets daily. Dispense 120 tablets", "400"), ("Take 4 tablets once daily, disp #120, 2 refills", "400"),
    ("4 Tabletten einmal täglich, Packung mit 112 Tabletten", "400"), ("Rp. 4 Tabletten täglich", "400"),
    ("Disp 120. Take 4 tablets daily", "400"), ("Dispense: 120. Sig: 4 tabs daily", "400"),
    ("4 Tabletten täglich aus der Packung", "400"), ("Take #4 tablets daily", "400"), ("N 4 tablets daily", "400"),
    ("Take 4 tablets from bottle of 28 daily", "400"), ("Take 1 blister of 4 tablets daily", "400"),
    ("Mit Abgabe, 4 Tabletten täglich", "400"), ("disp #112, 4 tablets at bedtime daily", "400"),
    ("4 tablets, with food, daily. disp #56", "400"), ("cada 24 horas 4 comprimidos 1 envase", "400"),
])
def test_the_dose_of_a_day_is_read_from_pieces_and_in_other_languages(text: str, expected: str) -> None:
    found = dose({"text": text})
    assert (str(found.daily), found.plain) == (f"{expected} mg daily", False)


@pytest.mark.parametrize("text", [
    "Take 1 to 2 tablets daily as needed", "Take 4 tablets daily until seen", "Take 4 tablets on day 1 and daily",
    "Take 1-2 tablets daily", "Take 1/2 tablet daily", "Take 2 1/2 tablets daily", "Take half a tablet daily",
    "Take 1 tablet daily, then 4 tablets daily", "Take up to 4 tablets daily", "Take 4 tablets every other day",
    "Dispense 120 tablets daily", "Disp #120 tablets daily", "Packung mit 4 Tabletten tgl.", "Take 4 tablets",
    "Take 4 tablets once daily or twice daily",
    "4 tablets (300 mg) daily", "400 mg = 4 tab(s)", "400 mg jeden zweiten Tag", "200 mg 1 bis 2 mal täglich",
])
def test_pieces_that_are_not_the_same_each_day_are_not_read(text: str) -> None:
    assert daily({"text": text}) is None


@pytest.mark.parametrize("text", [
    "Take 4 tablets by mouth daily with food.", "4 tablets once daily", "Take 4 tablet(s)",
    "Take 4 tablets daily, disp #90, 2 refills", "Disp: 120 tablets. Take 4 tablets daily", "N3, 4 Tabletten tgl.",
    "4 Tabletten täglich, Schachtel mit 28 Tabletten", "Tomar 4 comprimidos por vía oral cada día",
    "4 Tabletten tgl. nach dem Essen", "Take two tablets p.o. b.i.d.",
])
def test_pieces_of_a_known_strength_are_held_against_coded_mg(text: str) -> None:
    found = dose(dosage(amount(70), text=text))
    assert found.note == "coded 70 mg daily, in words 400 mg daily: the higher counts"
    assert (str(found.daily), found.plain) == ("400 mg daily", False)
    unstated = dose(dosage(amount(70), text=text), product="venetoclax Oral Tablet")
    assert "400 mg" not in unstated.note


@pytest.mark.parametrize("text", [
    "4 tablets", "daily with food, disp 90 tablets", "#90 tablets daily", "Dispense: 120 tablets, take daily",
    "daily, bottle of 30 tablets", "Take with 2 tablets of allopurinol daily",
    "Hold if 4 tablets were missed, take daily",
    "Take 1/2 tablet daily", "Take 4 tablets of the starting pack on Monday", "1 tablet of 4 tablets daily",
    "Take 4 tablets in 2 weeks", "Take 2-4 tablets daily", "Packung mit 112 Tabletten, täglich",
    "N3 112 Tabletten tgl.", "daily, 112 tablets", "Take daily. 28 tablets", "Take with 4 tablets",
    "112 Stück. oral, einmal täglich. Packung mit 112 Tabletten", "30 tablets; every morning, orally",
    "30 day supply - Give 1 tablet, with food - 56 tablet bottle", "Disp 2 bottles, 56 tablets each, take daily",
    "Dispense 2 bottles. 56 tablets each, take daily", "refills 3, 90 tablets, daily", "30 tablets, 3 refills, daily",
    "28 comprimés par boîte, 1 fois par jour", "Mitte 56 tablets (28 days) take daily",
])
def test_what_may_count_something_else_leaves_coded_mg_alone(text: str) -> None:
    assert (daily(dosage(amount(70), text=text)), dose(dosage(amount(70), text=text)).note) == ("70", "")


def test_pieces_in_the_words_are_held_against_a_code_without_a_frequency() -> None:
    ordered = dosage(amount(40), timing=None, text="Take 3 tablets once daily")
    found = dose(ordered, product="gilteritinib 40 MG Oral Tablet")
    assert (str(found.daily), found.plain) == ("120 mg daily", False)
    assert found.note == "coded 40 mg daily, in words 120 mg daily: the higher counts"


@pytest.mark.parametrize("text", [
    "zwei Tabletten 100 mg einmal täglich", "vier Tabletten à 100 mg einmal täglich",
    "100 mg, vier Stück einmal täglich",
    "quatre comprimés de 100 mg une fois par jour", "100 mg comprimés, quatre une fois par jour",
    "cuatro comprimidos de 100 mg una vez al día", "quattro compresse da 100 mg una volta al giorno",
    "halbe Tablette 100 mg einmal täglich", "2 of 100 mg tablets daily", "100 mg = 1 tab(s), Oral, Daily, take 4",
    "1 tab = 100 mg, take four daily",
])
def test_an_amount_that_pieces_are_counted_of_in_any_language_is_not_the_whole_dose(text: str) -> None:
    assert daily({"text": text}) is None
    assert dose(dosage(amount(400), text=text)).note == ""


@pytest.mark.parametrize("text", [
    "1 Tablette einmal täglich, steigern um 1 Tablette",
    "1 comprimé une fois par jour, augmenter de 1 comprimé par jour",
    "1 compressa una volta al giorno, aumentare di 1 compressa ogni giorno", "4 comprimidos cada 24 horas, luego 2",
    "4 Tabletten einmal täglich jeden zweiten Tag", "4 comprimés une fois par jour un jour sur deux",
    "4 comprimés une fois par jour si besoin",
    "4 compresse una volta al giorno al bisogno", "1 bis 2 Tabletten einmal täglich",
    "1 ou 2 comprimés une fois par jour", "1 o 2 comprimidos una vez al día", "Take 2 to 4 tablets once daily",
    "höchstens 4 Tabletten einmal täglich", "jusqu'à 4 comprimés une fois par jour",
    "hasta 4 comprimidos una vez al día",
    "4 Tabletten einmal täglich Mo, Mi, Fr", "4 comprimés une fois par jour le lundi",
    "Take 4 tablets once daily on Mondays", "1 tablet once daily plus another tablet", "4 tablets daily plus half",
    "1 tablet once daily plus the evening dose", "1 tablet once daily + bedtime",
    "1 comprimé une fois par jour. A partir de J4: quatre comprimés", "1 tablet once daily + 1 tablet",
    "1 tablet daily in the morning, 2 tablets daily at noon", "100 mg einmal täglich, täglich um 100 mg steigern",
])
def test_pieces_that_change_in_any_language_are_not_read(text: str) -> None:
    assert daily({"text": text}) is None


def test_pieces_in_words_need_the_strength_of_one() -> None:
    assert daily({"text": "Take 4 tablets once daily"}, product="venetoclax") is None


@pytest.mark.parametrize(("repeat", "expected"), [
    ((7, 1, "wk"), "400"), ((14, 1, "wk"), "800"), ((28, 4, "wk"), "400"), ((28, 28, "d"), "400"),
    ((3, 1, "wk"), None), ((10, 1, "wk"), None), ((1, 1, "wk"), "400"),
])
def test_as_many_times_as_days_is_once_a_day(repeat: tuple[int, int, str], expected: str | None) -> None:
    often = dict(zip(("frequency", "period", "periodUnit"), repeat, strict=True))
    assert daily(dosage(amount(400), timing={"repeat": often})) == expected


@pytest.mark.parametrize(("amounts", "text", "expected"), [
    ((1, "tablet"), "Take 4 tablets by mouth daily", "400"), ((4, "tablet"), "Take one tablet daily", "400"),
    ((100, "mg"), "Take four 100 mg tablets once daily", "400"),
])
def test_pieces_in_words_that_contradict_the_code_are_said_and_the_higher_counts(
    amounts: tuple[int, str], text: str, expected: str
) -> None:
    found = dose(dosage(amount(*amounts), text=text))
    assert (str(found.daily), found.plain) == (f"{expected} mg daily", False)
    assert "in words" in found.note


@pytest.mark.parametrize(("amounts", "text"), [
    ((400, "mg"), "Take four 100 mg tablets once daily"), ((4, "tablet"), "Take 4 tablets by mouth daily"),
    ((1, "tablet"), "Take 1-2 tablets daily"), ((1, "tablet"), "Take 1 tablet daily. Dispense 30 tablets."),
])
def test_pieces_in_words_that_agree_or_say_several_things_take_nothing_from_the_code(
    amounts: tuple[int, str], text: str
) -> None:
    found = dose(dosage(amount(*amounts), text=text))
    assert (found.note, found.plain) == ("", True)


@pytest.mark.parametrize(("unit", "often", "area", "of_a_day"), [
    ("mg/m2/day", 1, "3000 mg/m²", None), ("mg/m2/d", 2, None, None), ("mg/m2/dose", 2, "3000 mg/m²", None),
    ("mg/day", 1, None, "3000"), ("mg/day", 2, None, None), ("gm", 1, None, "3000000"),
])
def test_an_amount_per_day_is_that_of_the_day(unit: str, often: int, area: str | None, of_a_day: str | None) -> None:
    written = dosage(amount(3000, unit), timing={"repeat": {"frequency": often, "period": 1, "periodUnit": "d"}})
    found = dose(written).per_area
    assert (str(found) if found else None, daily(written)) == (area, of_a_day)


def test_what_was_read_from_text_says_so() -> None:
    assert dose({"text": "400 mg once daily"}).note == "read from the dose text"
    assert dose(dosage(amount(400), timing=None, text="twice daily")).note == "frequency read from the dose text"


def test_a_range_counts_with_its_high_end() -> None:
    assert daily(dosage({"doseRange": {"low": measured(200, "mg"), "high": measured(400, "mg")}})) == "400"
    assert daily(dosage({"doseRange": {"low": measured(200, "mg")}})) is None


@pytest.mark.parametrize("kinds", [("ordered", "calculated"), ("calculated", "ordered")])
def test_the_ordered_amount_comes_before_a_calculated_one(kinds: tuple[str, str]) -> None:
    amounts = [amount(400 if kind == "ordered" else 100) | {"type": concept(kind, system=KIND)} for kind in kinds]
    assert daily(dosage(*amounts)) == "400"


def test_extensions_do_not_stand_in_the_way() -> None:
    extended = amount(400) | {"extension": [{"url": "http://example.org/note", "valueString": "given with food"}]}
    assert daily(dosage(extended)) == "400"


def test_as_needed_has_no_daily_dose() -> None:
    assert dose(dosage(amount(400), asNeededBoolean=True)).why == "to be taken as needed, so no daily dose"


def test_as_needed_for_a_reason_has_no_daily_dose_either() -> None:
    assert dose(dosage(amount(400), asNeededCodeableConcept={"text": "nausea"})).daily is None


def at_most(value: float, unit: str = "mg", hours: int = 24) -> Json:
    return {"maxDosePerPeriod": {"numerator": measured(value, unit), "denominator": measured(hours, "h")}}


@pytest.mark.parametrize(("written", "expected", "note"), [
    (dosage(amount(8), asNeededBoolean=True, **at_most(24)), "24 mg daily", "as needed, at most"),
    (dosage(amount(8), asNeededBoolean=True, **at_most(24, hours=168)), "None", ""),
    (dosage(amount(1, "tablet"), asNeededBoolean=True, **at_most(3, "tablet")), "300 mg daily", "as needed, at most"),
    (dosage(amount(400), **at_most(400)), "400 mg daily", ""),
    (dosage(amount(400), **at_most(200)), "400 mg daily", "more than the 200 mg daily that the order allows"),
    (dosage({"doseRange": {"high": measured(400, "mg")}}, **at_most(300)), "300 mg daily", ""),
    (dosage(amount(5, "mg/kg"), **at_most(300)), "300 mg daily", "the most that the order allows; it is ordered"),
])
def test_the_most_that_the_order_allows_is_read(written: Json, expected: str, note: str) -> None:
    found = dose(written)
    assert str(found.daily) == expected
    assert found.note.startswith(note)


RATE_A_DAY = {"rateRatio": {"numerator": measured(200, "mg"), "denominator": measured(24, "h")}}
THREE_HOURS = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "duration": 3, "durationUnit": "h"}}


@pytest.mark.parametrize(("written", "timing", "expected"), [
    (RATE_A_DAY, None, "200"), (RATE_A_DAY, ONCE, "200"),
    ({"rateQuantity": measured(200, "mg/d")}, None, "200"),
    ({"rateQuantity": measured(100, "mg/h")}, THREE_HOURS, "600"),
    ({"rateQuantity": measured(100, "mg/h")}, ONCE, None),
    ({"rateRange": {"low": measured(5, "mg/h"), "high": measured(10, "mg/h")}}, THREE_HOURS, "60"),
    ({"doseQuantity": measured(100, "mg"), "rateQuantity": measured(50, "mg/h")}, ONCE, "100"),
    ({"rateQuantity": measured(10, "mL/h")}, THREE_HOURS, None), ({"rateQuantity": measured(10, "mg")}, ONCE, None),
])
def test_a_rate_comes_to_what_runs_in_a_day(written: Json, timing: Json | None, expected: str | None) -> None:
    assert daily(dosage(written, timing=timing)) == expected


@pytest.mark.parametrize(("value", "long", "unit"), [
    (400, 24, "h"), (400, 1, "d"), (400, 1440, "min"), (100, 6, "h"), (50, 3, "h"),
])
def test_a_rate_over_a_day_is_exactly_what_it_says(value: int, long: int, unit: str) -> None:
    ratio = {"numerator": measured(value, "mg"), "denominator": measured(long, unit)}
    lasting = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "duration": 24, "durationUnit": "h"}}
    assert dose(dosage({"rateRatio": ratio}, timing=lasting)).daily == Quantity(Decimal(400), "mg/d")


@pytest.mark.parametrize(("each", "a_day", "long", "expected"), [
    (1, 3, "d", "300"), (2, 4, "d", "400"), (4, 4, "d", "400"), (2, 4, "h", None), (2, 4, "wk", None),
])
def test_pieces_of_a_day_stated_beside_those_of_a_dose_tell_how_often(
    each: int, a_day: int, long: str, expected: str | None
) -> None:
    written = amount(each, "錠", code="TAB", system="urn:oid:1.2.392.100495.20.2.101")
    ratio = {"numerator": measured(a_day, "錠", code="TAB"), "denominator": measured(1, long)}
    local = {"code": {"coding": [{"system": "urn:oid:1.2.392.200250.2.2.20", "code": "1013044400000000"}]}}
    for words in ({}, {"text": "内服・経口・１日３回朝昼夕食後"}):
        assert daily(dosage({**written, "rateRatio": ratio}, timing=local, **words)) == expected


def test_a_rate_without_its_duration_says_so() -> None:
    assert "for how long" in dose(dosage({"rateQuantity": measured(100, "mg/h")})).why


def test_a_rate_per_surface_and_day_is_a_dose_per_surface() -> None:
    found = dose(dosage({"rateQuantity": measured(100, "mg/m2/d")}))
    assert (found.daily, str(found.per_area)) == (None, "100 mg/m²")


def test_of_amounts_that_differ_for_one_dose_the_highest_counts_and_says_so() -> None:
    found = dose(dosage(amount(100), amount(4, "tablet")))
    assert (str(found.daily), found.note) == ("400 mg daily", "its amounts for one dose differ, the highest counted")


def test_a_dose_per_surface_with_its_calculated_amount_is_that_amount() -> None:
    kinds = ((75, "mg/m2", "ordered"), (135, "mg", "calculated"))
    found = dose(dosage(*(amount(value, unit) | {"type": concept(kind, system=KIND)} for value, unit, kind in kinds)))
    assert (str(found.daily), str(found.per_area)) == ("135 mg daily", "75 mg/m²")


@pytest.mark.parametrize(("repeat", "days"), [
    ({"boundsDuration": measured(7, code="d")}, 7), ({"boundsDuration": measured(1, code="wk")}, 7),
    ({"boundsRange": {"high": measured(5, "d")}}, 5), ({"count": 3}, 3), ({"boundsDuration": measured(5)}, None),
    ({"boundsDuration": measured(1, code="mo")}, None), ({}, None), ({"boundsDuration": measured(30, code="h")}, None),
])
def test_how_many_days_it_is_ordered_for(repeat: Json, days: int | None) -> None:
    assert dose(dosage(amount(50), timing={"repeat": ONCE["repeat"] | repeat})).days == days


def test_the_strength_may_be_that_of_the_medication_itself() -> None:
    view = resource(order("venetoclax", dosageInstruction=[dosage(amount(4, "tablet"))]), "medications").checked()
    assert isinstance(view, MedicationRequest)
    assert str(daily_dose(view, "venetoclax", terms(), Decimal(50)).daily) == "200 mg daily"


def test_of_several_steps_the_highest_counts_and_says_so() -> None:
    steps = [dosage(amount(value), sequence=index) for index, value in enumerate((100, 400, 200), 1)]
    found = dose(*steps)
    assert (str(found.daily), found.note) == ("400 mg daily", "3 dose steps, the highest counted")


@pytest.mark.parametrize("more", [
    [{"sequence": 1}, {"sequence": 1}],
    [{"timing": {"repeat": {"when": ["MORN"]}}}, {"timing": {"repeat": {"when": ["EVE"]}}}],
])
def test_amounts_of_the_same_day_add_up(more: list[Json]) -> None:
    assert daily(*(dosage(amount(200)) | each for each in more)) == "400"


def test_one_step_that_cannot_be_read_leaves_the_whole_dose_unread() -> None:
    assert daily(dosage(amount(100), sequence=1), dosage(amount(4, "mL"), sequence=2)) is None


def test_without_any_instruction_no_dose_is_stated() -> None:
    view = resource(order("venetoclax"), "medications").checked()
    assert isinstance(view, MedicationRequest)
    assert daily_dose(view, TABLET, terms()).why == "no dose stated"


@pytest.mark.parametrize(("value", "unit", "expected"), [
    (60, "mg/m2", "60"), (3, "g/m2", "3000"), (1, "g/m^2", "1000"), (75, "mg/m²", "75"),
    (400, "mg", None), (5, "mg/kg", None),
])
def test_a_dose_per_body_surface_is_kept_as_such(value: float, unit: str, expected: str | None) -> None:
    found = dose(dosage(amount(value, unit))).per_area
    assert (str(found.value.quantize(Decimal(1))) if found else None) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("2 g/m2 every 12 hours", "2000"), ("100 mg/m² daily", "100"), ("1,000 mg/m2 daily", None), ("400 mg daily", None),
])
def test_a_dose_per_body_surface_is_read_from_the_text(text: str, expected: str | None) -> None:
    found = dose(dosage(text=text)).per_area
    assert (str(found.value.quantize(Decimal(1))) if found else None) == expected


@pytest.mark.parametrize(("repeat", "expected"), [
    ({"frequency": 1, "period": 1, "periodUnit": "d"}, 1), ({"frequency": 2, "period": 1, "periodUnit": "d"}, 2),
    ({"period": 12, "periodUnit": "h"}, 2), ({"frequency": 1, "period": 2, "periodUnit": "d"}, None), ({}, None),
])
def test_how_often_a_day_is_kept(repeat: Json, expected: int | None) -> None:
    assert dose(dosage(amount(50), timing={"repeat": repeat})).times == expected


def test_morning_and_evening_doses_of_one_day_are_two_a_day() -> None:
    steps = [dosage(amount(50), timing={"repeat": {"when": [when]}}) for when in ("MORN", "EVE")]
    assert dose(*steps).times == 2


def test_steps_with_other_frequencies_leave_it_open() -> None:
    twice = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
    first, second = dosage(amount(50), sequence=1), dosage(amount(50), timing=twice, sequence=2)
    assert dose(first, second).times is None


@pytest.mark.parametrize(("timing", "apart"), [
    ({"repeat": {"frequency": 1, "period": 2, "periodUnit": "d"}}, True),
    ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}, True),
    ({"code": concept("QOD", system="http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation")}, True),
    ({"repeat": {"frequency": 7, "period": 1, "periodUnit": "wk"}}, False),
    ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "tue"]}}, False),
    ({"repeat": {"frequency": 5, "period": 28, "periodUnit": "d"}}, False),
    ({"event": ["2026-11-20", "2026-11-22"]}, False),
    (ONCE, False),
])
def test_days_that_pass_between_the_doses_are_no_days_named_one_by_one(timing: Json, apart: bool) -> None:
    assert dose(dosage(amount(120), timing=timing)).apart is apart
