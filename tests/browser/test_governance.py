"""The governance page as its committee opens it: on a desk, on a phone, in the dark, on paper."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("desk", "dark"), ("phone", "light")])
def test_it_opens_and_no_page_is_wider_than_the_screen(walk, width, scheme):
    page = walk("/governance?weeks=12", width, scheme, shot="governance").page
    assert page.locator("h1").inner_text() == "Governance"
    assert page.get_by_text("Made-up figures.").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    colours = page.locator(".bars .accepted").evaluate_all("all => all.map(each => getComputedStyle(each).fill)")
    assert colours and "rgb(0, 0, 0)" not in colours


def test_one_rule_is_chosen_by_keyboard(walk):
    page = walk("/governance").page
    page.get_by_label("Rule").focus()
    page.get_by_label("Rule").select_option("qtc-hold")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**rule=qtc-hold**")
    assert page.locator("h2", has_text="By rule").is_visible()
    assert page.locator("tbody th", has_text="electrolytes").count() == 0
