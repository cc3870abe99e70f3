"""Bars as SVG: their lengths, and that nothing of a label becomes markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from cds_service.pages.charts import Bar, bars


def test_bars_are_as_long_as_what_they_count_and_parts_follow_each_other():
    told = [Bar("one", (("accepted", 1), ("overridden", 3))), Bar("two", (("accepted", 2),))]
    drawn = bars(told, "how cards were taken")
    found = re.findall(r'<rect x="([0-9.]+)%" y="(\d+)" width="([0-9.]+)%" height="13" class="part (\w+)"/>', drawn)
    assert [(name, float(width)) for _, _, width, name in found] == [
        ("accepted", 21.25), ("overridden", 63.75), ("accepted", 42.5),
    ]  # fmt: skip
    assert float(found[1][0]) == float(found[0][0]) + float(found[0][2]) and found[2][1] != found[0][1]


def test_what_a_client_named_is_no_markup():
    drawn = bars([Bar('</text><script>"&', (('x" onload="y', 1),))], "<title>")
    tree = ElementTree.fromstring(drawn)
    assert {each.tag.rpartition("}")[2] for each in tree.iter()} == {"svg", "title", "text", "rect"}
    assert 'onload="' not in drawn and [each.text for each in tree][1] == '</text><script>"&'


def test_nothing_to_draw_is_an_empty_drawing():
    assert ElementTree.fromstring(bars([], "none")).get("height") == "36"
