"""Knowledge, coverage, evidence and pathway: as a pharmacist or a committee reads them."""

from __future__ import annotations

import re


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
