"""The governance page as its committee reads it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_bars_have_colours_and_its_figures_are_said_to_be_made_up(walk, scheme):
    page = walk("/governance?weeks=12", scheme=scheme).page
    assert page.get_by_text("Made-up figures.").is_visible()
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
