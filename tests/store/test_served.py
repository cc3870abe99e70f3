"""Behind a real server: replicas refuse each other's tokens, SIGTERM loses nothing, no answer changes."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pytest
import requests

from cds_service.settings import Settings
from cds_service.store.stand import store_of
from cds_service.store.tables import CALL, CARD, FEEDBACK
from cds_service.web import serving
from tests.calls import gilteritinib, request
from tests.fhir_server.running import service
from tests.store.conftest import CHART, read
from tests.tokens import bearer, ec_key, jwk, key_set

pytestmark = pytest.mark.processes

SIGN = "/cds-services/aml-order-sign"
PUBLIC, NORTH = "https://cds.example", "https://ehr.north.example/oauth2"
TENANTS = f"""
[[tenant]]
name = "north"
issuer = "{NORTH}"
jwks_file = "north.json"
jurisdiction = "US"
"""
BODY = request("order-sign", gilteritinib(status="draft"), **CHART)


@pytest.fixture
def hospital(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "north.json").write_text(json.dumps(key_set(jwk(ec_key("north"), "n"))), encoding="utf-8")
    (tmp_path / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    return {**env, "MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"), "PUBLIC_URL": PUBLIC}


def token(path: str = SIGN) -> dict[str, str]:
    return {"Authorization": bearer(ec_key("north"), headers={"kid": "n"}, iss=NORTH, aud=PUBLIC + path)}


def test_two_replicas_share_tokens_and_feedback(hospital: dict[str, str]):
    with service(**hospital) as first, service(**hospital) as second:
        statuses = []
        for _ in range(10):  # a machine too busy for 50 ms leaves it to each one's own memory, and says so
            header = token()
            answered = requests.post(first + SIGN, json=BODY, headers=header, timeout=20)
            assert answered.status_code == 200
            statuses.append(requests.post(second + SIGN, json=BODY, headers=header, timeout=20).status_code)
            if 401 in statuses:
                break
            time.sleep(2)
        assert statuses[-1] == 401
        card = answered.json()["cards"][0]["uuid"]
        told = {"feedback": [{"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-21T12:00:00Z"}]}
        for url in (first, second, first):
            path = f"{SIGN}/feedback"
            assert requests.post(url + path, json=told, headers=token(path), timeout=20).status_code == 200
    store = store_of(Settings.load(hospital))
    (row,) = read(store, FEEDBACK)
    assert (row["tenant"], row["card"]) == ("north", card)
    calls = read(store, CALL)  # both have ended: what they had to write is written
    assert {each["status"] for each in calls} == {200} and {each["tenant"] for each in calls} == {"north"}
    assert card in {each["uuid"] for each in read(store, CARD)}
    store.close()


def test_what_was_answered_before_sigterm_is_written(env: dict[str, str]):
    with service(**env, WORKERS="2") as url:
        cards = {
            card["uuid"]
            for _ in range(5)
            for card in requests.post(url + SIGN, json=BODY, timeout=20).json()["cards"]
        }
    store = store_of(Settings.load(env))
    assert {each["uuid"] for each in read(store, CARD)} == cards
    store.close()


def without_ids(cards: object) -> str:
    """As JSON, every uuid the same."""
    import re

    without_links = re.sub(r"/why/[^\"]+", "/why", json.dumps(cards))  # they open what is kept, which differs here
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "uuid", without_links)


def test_no_answer_changes_when_there_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    answers, times = [], []
    (tmp_path / "file").write_text("in the way")
    for env in ({"KEEP": "nothing"}, {"DATA": str(tmp_path / "data")}, {"DATA": str(tmp_path / "file" / "data")}):
        with monkeypatch.context() as patch:
            patch.setenv("KEEP", "audit")
            for name, value in env.items():
                patch.setenv(name, value)
            app = serving.from_environment()
        client = app.test_client()
        response = client.post(SIGN, json=BODY)
        response.close()
        started = time.monotonic()
        client.post(SIGN, json=BODY).close()
        times.append(time.monotonic() - started)
        assert response.status_code == 200
        answers.append(without_ids(response.get_json()))
        broken = "file" in env.get("DATA", "")
        assert (client.get("/readyz").status_code == 503) is broken
        told = {"feedback": [{"card": str(uuid.uuid4()), "outcome": "accepted"}]}
        refused = client.post(f"{SIGN}/feedback", json=told)
        assert refused.status_code == (503 if broken else 200)
        assert ("Retry-After" in refused.headers) is broken
        app.extensions["store"].close()
    assert answers[0] == answers[1] == answers[2]
    assert max(times) < 1.0
