"""The pages as a hospital has them: no playground, no made-up figures, nothing that says demo; and why this card."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest

from tests.browser.conftest import served
from tests.browser.test_why import a_course
from tests.pages.every_page import why_link
from tests.tokens import bearer, ec_key, jwk, key_set

PUBLIC, NORTH = "https://cds.example", "https://ehr.north.example/oauth2"
SIGN = "/cds-services/aml-order-sign"
TENANT = f"""
[[tenant]]
name = "north"
issuer = "{NORTH}"
jwks_file = "north.json"
jurisdiction = "EU"
"""
PAGES = {
    "home": "/", "governance": "/governance", "sheet": "/sheet", "coverage": "/coverage", "pathway": "/pathway",
    "knowledge": "/knowledge?q=qtc+500", "evidence": "/evidence", "prefetch": "/prefetch", "api": "/api",
}  # fmt: skip


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service in hospital mode, for one tenant, that keeps calls for audit."""
    folder = tmp_path_factory.mktemp("hospital")
    (folder / "north.json").write_text(json.dumps(key_set(jwk(ec_key("north"), "n"))), encoding="utf-8")
    (folder / "tenants.toml").write_text(TENANT, encoding="utf-8")
    (folder / "key").write_text("a" * 43 + "=\n", encoding="utf-8")
    yield from served({
        "MODE": "hospital", "TENANTS": str(folder / "tenants.toml"), "PUBLIC_URL": PUBLIC, "DATA": str(folder),
        "KEEP_KEY_FILE": str(folder / "key"),
    })  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("phone", "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_a_hospitals_pages_say_nothing_of_a_demo(walk, hospital, name, width, scheme):
    page = walk(PAGES[name], width, scheme, shot=f"hospital-{name}", at=hospital).page
    body = page.locator("body").inner_text()
    assert "emo mode" not in body and "ade-up figures" not in body and ("ospital mode" in body or name != "home")
    assert page.get_by_role("link", name="Playground").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("width", "scheme"), [("panel", "light"), ("desk", "dark")])
def test_why_a_card_came_about_tells_no_value_where_only_outcomes_are_kept(walk, hospital, width, scheme):
    token = bearer(ec_key("north"), headers={"kid": "n"}, iss=NORTH, aud=PUBLIC + SIGN)
    sent = urllib.request.Request(
        hospital + SIGN, json.dumps(a_course()).encode(), {"Content-Type": "application/json", "Authorization": token}
    )
    with urllib.request.urlopen(sent) as answered:
        card = next(each for each in json.load(answered)["cards"] if each["indicator"] == "critical")
    page = walk(why_link(card), width, scheme, shot="hospital-why", at=hospital).page
    body = page.locator("body").inner_text()
    assert page.locator("h1").inner_text() == "Why this card" and "512 ms" in card["summary"] and "512 ms" not in body
