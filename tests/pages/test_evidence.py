"""Evidence: figures are drawn as they are written or not at all, populations apart, flagged as the errata say."""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from cds_service.knowledge.load import Knowledge
from cds_service.pages.evidence import populations
from cds_service.pages.plot import NARROW, WIDE, plot, rows_of
from cds_service.pages.results import RESPONSE, SURVIVAL, Point, hidden, points, population, results, table, whom

KNOWLEDGE = Knowledge.load()
EVERY = results(KNOWLEDGE)
SVG = "{http://www.w3.org/2000/svg}"


def of(low: str, high: str = "") -> tuple[Decimal, Decimal]:
    return Decimal(low), Decimal(high or low)


@pytest.mark.parametrize(
    ("endpoint", "value", "told"),
    [
        ("CR", "21 %", [Point(RESPONSE, "CR", *of("21"), None)]),
        ("CR", "21.1 v 10.5 %", [Point(RESPONSE, "CR", *of("21.1"), of("10.5"))]),
        ("overall response", "17-26 %", [Point(RESPONSE, "overall response", *of("17", "26"), None)]),
        ("median overall survival", "9.3 v 5.6 months",
         [Point(SURVIVAL, "median overall survival", *of("9.3"), of("5.6"))]),
        ("CR; median overall survival", "15.7 %; 177 days", [Point(RESPONSE, "CR", *of("15.7"), None)]),
        ("CR", "53 % (41 of 78)", [Point(RESPONSE, "CR", *of("53"), None)]),
        ("CR", "23 %, no improvement", [Point(RESPONSE, "CR", *of("23"), None)]),
        ("overall response", "49 % with, 12 % without a FLT3 mutation",
         [Point(RESPONSE, "overall response", *of("49"), None, "with FLT3 mutation"),
          Point(RESPONSE, "overall response", *of("12"), None, "without FLT3 mutation")]),
    ],
)  # fmt: skip
def test_a_figure_is_read_as_it_is_written(endpoint, value, told):
    assert list(points(endpoint, value)) == told


@pytest.mark.parametrize(
    ("endpoint", "value"),
    [
        ("CR", "28 v 14 v 15 %"),  # three arms
        ("CR", "up to 35-40 %"),
        ("CR", "17.9 %, 6.7 %, 0 %"),
        ("CR", "76 % after one course, 80 % after two"),
        ("CR", "9.3 months"),  # not the unit of a response
        ("response", "50 %; median overall survival 10.7 months"),  # one endpoint, two figures
        ("median overall survival", "3 and 3.7 months; 8.8 months with a CR"),
        ("event-free survival", "2.8 months"),
        ("1-year overall survival", "53 %"),
        (None, "12 %"),
    ],
)
def test_what_cannot_be_read_for_sure_is_not_drawn(endpoint, value):
    assert list(points(endpoint, value)) == []


def test_every_result_has_a_population_that_somebody_chose():
    for therapy in KNOWLEDGE.therapies.values():
        for each in therapy.shown:
            assert population(each.line) in table().populations
    with pytest.raises(LookupError, match="somebody else"):
        population("somebody else")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("R/R, FLT3 mutated; v salvage chemotherapy", "rr"),
        ("R/R and untreated", "mixed"),
        ("newly diagnosed or R/R", "mixed"),
        ("newly diagnosed; v azacitidine", "first-line"),
        ("relapse after allogeneic HSCT; v no sorafenib", "after-hsct"),
        ("late first relapse", "first-relapse"),
        ("only those with CR/CRh", "part"),
        (None, "unstated"),
    ],
)
def test_populations_are_kept_apart(line, name):
    assert population(line) == name


def test_nothing_is_sorted_by_a_figure():
    names = [(each.name.lower(), each.shown.study.lower()) for each in EVERY]
    assert names == sorted(names)


def test_hidden_figures_are_nowhere(client):
    page, twin = client.get("/evidence").text, client.get("/evidence?format=json").text
    assert sum(len(each.evidence) - len(each.shown) for each in KNOWLEDGE.therapies.values()) > 0
    for therapy in KNOWLEDGE.therapies.values():
        for each in therapy.evidence:
            if each.hide and each.study not in {shown.study for shown in therapy.shown}:
                assert each.study not in twin or any(other.shown.study == each.study for other in EVERY), each.study
    assert "Not shown" in page and all(flag.holds for _, flag in hidden(KNOWLEDGE))


def test_flagged_figures_are_shown_as_flagged(client):
    page = client.get("/evidence?therapies=gilteritinib").text
    assert "ADMIRAL, phase III, n=371: CR/CRh †" in page and "† E07" in page


def test_a_plot_and_its_table_hold_the_same_figures():
    for each in populations(EVERY):
        for shelf in each.shelves:
            drawn = sum(len(result.points) for result in shelf.results)
            rows = [row for kind in (RESPONSE, SURVIVAL) for row in rows_of(shelf.results, kind) if row.point]
            assert len(rows) == drawn


def test_on_a_phone_a_label_says_all_that_the_wide_one_says_and_no_two_are_alike():
    for each in populations(EVERY):
        for shelf in each.shelves:
            for kind in (RESPONSE, SURVIVAL):
                rows = rows_of(shelf.results, kind)
                if not rows:
                    continue
                svg = ElementTree.fromstring(plot(rows, kind, 100, "all", "key", NARROW))
                (axis,) = [one for one in svg.iter(f"{SVG}g") if one.get("class") == "axis y"]
                texts = [" ".join(span.text for span in one.iter(f"{SVG}tspan")) for one in axis.iter(f"{SVG}text")]
                assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts] == [row.label for row in rows]
                places = [float(span.get("y")) for span in axis.iter(f"{SVG}tspan")]
                assert places == sorted(set(places)), "one above the other"
                assert max(len(span.text) for span in axis.iter(f"{SVG}tspan")) <= 54


def test_within_a_therapy_no_two_figures_have_one_label():
    for each in populations(EVERY):
        for shelf in each.shelves:
            for kind in (RESPONSE, SURVIVAL):
                labels = []
                for row in rows_of(shelf.results, kind):
                    labels = [] if row.point is None else [*labels, row.label]
                    assert len(labels) == len(set(labels)), labels


@pytest.mark.parametrize(
    ("group", "line", "words"),
    [
        ("flt3", "R/R, FLT3 mutated; v salvage chemotherapy", ""),
        ("flt3", "R/R, FLT3-ITD", ""),
        ("flt3", "R/R", "mutation not stated"),
        ("idh", "R/R, 100 mg daily", "mutation not stated"),
        ("menin", "R/R, KMT2A rearranged", ""),
        ("since_2021", "R/R, IDH1 mutated", "IDH1 mutated"),
        ("antibodies", "first relapse, CD33 positive", "CD33 positive"),
        ("cytotoxic", "R/R", ""),
        ("flt3", "part with MEC", "part with MEC, mutation not stated"),
        ("antibodies", "only those with CR/CRh", "only those with CR/CRh"),
        ("other_targeted", "MDS, TP53 mutated; with azacitidine v azacitidine", "MDS, TP53 mutated"),
        ("flt3", None, ""),
    ],
)
def test_patients_who_are_not_those_that_the_group_lets_assume_are_named(group, line, words):
    assert whom(group, line) == words


def test_what_the_figure_itself_says_of_the_mutation_is_enough():
    assert whom("flt3", "R/R", "49 % with, 12 % without a FLT3 mutation") == ""


def test_a_label_that_is_too_long_for_the_column_stands_on_several_lines_and_squeezes_no_plot(client):
    """Every plot for a desk has its field as wide as the others, and room for half of its last label."""
    page = client.get("/evidence").text
    pictures = re.findall(r'<svg[^>]*class="plot wide".*?</svg>', page, re.DOTALL)
    begins = [float(re.findall(r'translate\(([\d.]+), 6\)" class="plot"', each)[0]) for each in pictures]
    assert len(begins) > 5 and max(begins) - min(begins) <= 10 and max(begins) < 520
    labels = [each for picture in pictures for each in re.findall(r"<(?:text|tspan)[^>]*>([^<]+)<", picture)]
    assert max(map(len, labels)) <= 74
    assert any("<tspan" in each for each in pictures)


def test_a_row_of_all_comers_among_drugs_against_a_mutation_says_so(client):
    page = client.get("/evidence?therapies=sorafenib_mono,gilteritinib").text
    assert "Borthakur 2011, phase I, n=50: overall response, mutation not stated" in page
    assert "R/R; <strong>mutation not stated</strong>" in page
    assert "<td>R/R</td>" in client.get("/evidence?therapies=gilteritinib").text
    assert "Perl 2017, phase I/II, n=252: overall response, without FLT3 mutation" in page


def test_a_plot_brings_no_style_script_or_address_of_elsewhere():
    own = [each for each in EVERY if each.group == "flt3" and each.population == "rr"]
    svg = str(plot(rows_of(own, RESPONSE), RESPONSE, 100, "response <of> all", "key", WIDE))
    assert "<style" not in svg and "<script" not in svg and "style=" not in svg
    assert svg.count("http") == 1 and "&lt;of&gt;" in svg and 'role="img"' in svg


def test_the_options_of_a_patient_bring_their_studies_only(client):
    told = client.get("/evidence?options=gilteritinib,flag-ida&format=json").json
    assert {each["therapy"] for each in told["results"]} == {"gilteritinib", "flag_ida"}
    assert [each["id"] for each in told["options"]] == ["gilteritinib", "flag-ida"] and told["ranked"] is False


def test_an_option_that_is_named_twice_is_shown_once(client):
    once = client.get("/evidence?options=flag-ida&format=json").json
    assert client.get("/evidence?options=flag-ida,flag-ida&format=json").json == once


def test_an_option_that_is_not_known_is_said_and_brings_nothing(client):
    page = client.get("/evidence?options=<b>snake-oil")
    assert page.status_code == 200 and "Not known here: &lt;b&gt;snake-oil" in page.text
    assert client.get("/evidence?options=snake-oil&format=json").json["results"] == []


def test_the_words_stand_on_every_such_page(client):
    for path in ("/evidence", "/evidence?options=gilteritinib"):
        assert "The sources do not rank these." in client.get(path).text
