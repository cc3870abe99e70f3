"""The pictures of the documents: taken here, as a reader would see the pages. `make pictures` puts them into docs/.

Small PNG files, one screen each. They are not compared: what they show is tested elsewhere, and looked at when renewed.
"""

from __future__ import annotations

import os
import shutil

import pytest

from tests.browser.conftest import ROOT, SHOTS
from tests.browser.test_every_page import ready
from tests.browser.test_why import a_course, ask
from tests.pages.every_page import LIT, why_link

FOLDER = ROOT / "docs" / "img" / "pages"

PICTURES = {  # name: address, height of what is shown
    "playground": ("/playground", 1000),
    "pathway": (LIT, 1000),
    "evidence": ("/evidence?options=gilteritinib,flag-ida", 900),
    "knowledge": ("/knowledge?q=gilteritinib+qtc", 900),
    "rule": ("/knowledge/rules/qtc-hold", 1000),
    "governance": ("/governance?weeks=12", 1000),
    "sheet": ("/sheet", 800),
    "api": ("/api", 700),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_taken(walk, name):
    path, height = PICTURES[name]
    page = ready(walk(path).page)
    if name == "playground":  # from warm, as a reader would find it
        for _ in range(3):
            page.locator("[data-hook=order-sign]").click()
            page.wait_for_timeout(300)
    _take(page, name, {"x": 0, "y": 0, "width": 1280, "height": height})


def test_the_pictures_of_why_this_card(walk, base):
    stop = next(card for card in ask(base, a_course()) if card["indicator"] == "critical")
    page = walk(why_link(stop)).page
    begin = page.get_by_role("heading", name="QTc over time", exact=True).bounding_box()["y"] - 20
    _take(page, "why", {"x": 80, "y": begin, "width": 1120, "height": 900})
    panel = walk(why_link(stop), "panel", "dark").page
    _take(panel, "why-panel", {"x": 0, "y": 0, "width": 420, "height": 1000})


def _take(page, name: str, part: dict[str, float]) -> None:
    picture = SHOTS / f"docs-{name}.png"
    page.screenshot(path=picture, clip=part, full_page=True)
    if os.environ.get("PICTURES") == "1":
        FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, FOLDER / f"{name}.png")
