"""Knowledge, coverage, evidence and pathway: opened as a pharmacist or a committee would, at a desk and on a phone."""

from __future__ import annotations

import re

import pytest

PAGES = {
    "knowledge": "/knowledge",
    "knowledge-found": "/knowledge?q=qtc+500",
    "knowledge-drug": "/knowledge/gilteritinib",
    "knowledge-rules": "/knowledge/rules",
    "knowledge-rule": "/knowledge/rules/qtc-hold",
    "coverage": "/coverage",
    "evidence": "/evidence",
    "evidence-options": "/evidence?options=gilteritinib,flag-ida",
    "pathway": "/pathway",
    "pathway-lit": "/pathway?lit=scope:here,stands:here,mutations:here,donor:looked,transplant:open,trial:here,"
    "targeted:here,intensive:looked,low-intensity:here,after-hsct:off,supportive:here,response:off",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desk", "panel", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_at_every_width(walk, name, width, scheme):
    page = walk(PAGES[name], width, scheme, shot=name).page
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("name", ["knowledge-drug", "knowledge-rule", "evidence-options", "pathway-lit"])
def test_a_page_prints(walk, name):
    from tests.browser.conftest import SHOTS

    page = walk(PAGES[name]).page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    page.screenshot(path=SHOTS / f"{name}-print.png", full_page=True)
    assert page.locator("nav").first.is_hidden()


def test_a_search_by_keyboard_finds_a_limit(walk):
    page = walk("/knowledge").page
    page.get_by_label("Words").fill("gilteritinib hold qtc")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=gilteritinib**")
    assert page.locator("#gilteritinib-qtc-hold").inner_text().startswith("gilteritinib")
    assert "500 ms" in page.locator("#gilteritinib-qtc-hold").inner_text()


def test_a_committee_comes_from_a_rule_to_its_cases(walk):
    page = walk("/knowledge/rules").page
    page.get_by_role("link", name="QTc against the limit above which the drug is held").click()
    page.locator("summary", has_text=re.compile(r"^formula \(\d+\)")).click()
    assert page.get_by_text("512 ms by an unknown formula warns and asks for QTcF").is_visible()
    assert page.get_by_text("No clinician has signed this rule").first.is_visible()


def test_a_plot_is_a_picture_with_a_name_and_its_table_holds_the_same(walk):
    page = walk("/evidence?therapies=gilteritinib").page
    plot = page.get_by_role("img").first
    assert "Relapsed or refractory" in plot.locator("title").text_content()
    table = page.locator("table.results").first.inner_text()
    assert "ADMIRAL" in table and "9.3 v 5.6 months" in table


def test_the_picture_of_the_pathway_stands_by_itself(walk):
    page = walk("/pathway?lit=trial:here").page
    address = page.get_by_role("link", name="The picture by itself").get_attribute("href")
    alone = page.request.get(page.url.partition("/pathway")[0] + address)
    assert alone.headers["content-type"].startswith("image/svg+xml") and "A clinical trial first" in alone.text()
