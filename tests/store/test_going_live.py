"""Going live: off, shadow or on for each rule and hospital by its overlay; over HTTP, in store and report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from cds_service.reports import Asked, Judging
from cds_service.store.report import report
from cds_service.trace import trace
from cds_service.web import serving
from tests.overlays import written
from tests.store.conftest import endings
from tests.store.test_served import BODY, PUBLIC, SIGN
from tests.tokens import bearer, ec_key, jwk, key_set

HOSPITALS = ("on", "shadow", "off")
TENANT = """
[[tenant]]
name = "{name}"
issuer = "https://{name}.example/oauth2"
jwks_file = "{name}.json"
jurisdiction = "US"
{overlay}
"""
RULES = """rules:
  qtc-hold:
    {{switch: '{switch}', reason: the board looks first, owner: QT board, effective: 2026-11-02, until: 2099-01-01}}
"""


@pytest.fixture
def app(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    entries = ""
    for name in HOSPITALS:
        (tmp_path / f"{name}.json").write_text(json.dumps(key_set(jwk(ec_key(name), name))), encoding="utf-8")
        overlay = "" if name == "on" else f'overlay = "{name}"'
        if overlay:
            written(tmp_path / name, rules=RULES.format(switch=name))
        entries += TENANT.format(name=name, overlay=overlay)
    (tmp_path / "tenants.toml").write_text(entries, encoding="utf-8")
    hospital = {"MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"), "PUBLIC_URL": PUBLIC}
    for name, value in {**env, **hospital}.items():
        monkeypatch.setenv(name, value)
    made = serving.from_environment()
    yield made
    made.extensions["store"].close()


def asked_by(app: Flask, name: str):
    token = bearer(ec_key(name), headers={"kid": name}, iss=f"https://{name}.example/oauth2", aud=PUBLIC + SIGN)
    response = app.test_client().post(SIGN, json=BODY, headers={"Authorization": token})
    cards = response.get_json()["cards"]
    response.close()
    return response, {card["source"]["topic"]["code"] for card in cards}


def test_each_hospital_sees_the_rule_as_its_overlay_says(app: Flask):
    answers = {name: asked_by(app, name) for name in HOSPITALS}
    assert {name: "qtcHold" in topics for name, (_, topics) in answers.items()} == {
        "on": True, "shadow": False, "off": False,
    }
    versions = {response.headers["X-Aml-Cds-Knowledge"] for response, _ in answers.values()}
    assert len(versions) == 3, "each overlay is another knowledge"
    kept = app.extensions["store"]
    assert kept.keeper.flush(15)
    now = datetime.now(UTC)
    told = {
        name: report(kept.store, Asked(now - timedelta(days=1), now + timedelta(days=1), name), Judging())
        for name in HOSPITALS
    }
    assert [each.rule for each in told["shadow"].shadow] == ["qtc-hold"]
    assert told["on"].shadow == told["off"].shadow == ()
    fired = {name: "qtc-hold" in {each.rule for each in of.fired} for name, of in told.items()}
    assert fired == {"on": True, "shadow": False, "off": False}
    assert ("qtc-hold", "switched off") in {(each.rule, each.outcome) for each in told["off"].ended}


def test_the_trace_says_who_put_it_in_shadow_and_since_when(tmp_path: Path):
    from tests.calls import gilteritinib
    from tests.overlays import ask_with, tools_with
    from tests.store.conftest import CHART

    overlay = written(tmp_path / "overlay", rules=RULES.format(switch="shadow"))
    made = ask_with(tools_with(overlay), "order-sign", gilteritinib(status="draft"), **CHART)
    (step,) = [step for step in trace(made.evaluation) if step.rule == "qtc-hold"]
    assert step.outcome == "fired"
    assert "in shadow" in str(step) and "QT board, 2026-11-02" in str(step)


def test_what_shadow_would_show_has_no_value(app: Flask):
    asked_by(app, "shadow")
    kept = app.extensions["store"]
    assert kept.keeper.flush(15)
    kept_rows = str([dict(row) for row in endings(kept.store)])
    assert "qtc" in kept_rows and not re.search(r"\b512\b", kept_rows), "a digest may hold these digits, a value not"
