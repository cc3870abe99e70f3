"""What clients send, replayed byte for byte: received from real ones, or written from a client's description.

Each file of `captures/CLIENT/` says in `origin` which of the two it is. Tokens are never kept: the issuer stands in a
token made here, signed by nobody, as the service believes no more of it. No network: the FHIR server is down.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.profile import shipped
from cds_service.answer import Answer, answer, load_tools
from cds_service.hooks.feedback import Feedback
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.card_grammar import assert_grammar
from tests.hooks.test_caller import bearer
from tests.samples import Server

HOME = Path(__file__).parent / "captures"
FILES = sorted(HOME.glob("*/*.json"))
EPIC = "https://ehr.example.org/api/FHIR/R4"
RECEIVED, WRITTEN = ("received from ", "written from the description of the client, not received from it")
Json = dict[str, Any]
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")


class Line:
    """The real line behind the web, remembering the last answer."""

    last: Answer | None = None

    def __call__(self, body: bytes, service: Any, tools: Any, caller: Any = None) -> Answer:
        self.last = answer(body, service, tools, caller)
        return self.last


def read(file: Path) -> Json:
    found: Json = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def tools() -> Any:
    settings = Settings.load({"CLIENT_PROFILES": f"{EPIC}=epic"})
    return replace(load_tools(settings), fhir=Server(()))


def asked(told: Json, tools: Any) -> tuple[Line, Any]:
    line = Line()
    at = datetime.fromisoformat(told["today"])
    client: FlaskClient = create_app(Settings.load({}), replace(tools, now=lambda: at), line).test_client()
    headers = dict(told["headers"])
    if "issuer" in told:
        headers["Authorization"] = bearer({"iss": told["issuer"]})
    body = told.get("body", "").encode()
    return line, client.open(told["path"], method=told["method"], headers=headers, data=body)


@each_file
def test_it_is_answered_as_expected(file: Path, tools: Any) -> None:
    told = read(file)
    expect = told["expect"]
    for _ in range(expect.get("repeat", 1)):
        line, response = asked(told, tools)
        assert response.status_code == expect["status"], response.text
        if "path" in expect:
            _require_refusal(response, expect["path"], told)
        if "profile" in expect:
            _require_cards(line, response, expect)
    for name, value in expect.get("headers", {}).items():
        assert response.headers[name] == value
    if "feedback" in expect:
        said = Feedback.read(told["body"].encode())
        assert [" ".join([each.outcome, *(reason.code or "" for reason in each.reasons)]) for each in said] == expect[
            "feedback"
        ]


def _require_cards(line: Line, response: Any, expect: Json) -> None:
    assert line.last is not None and line.last.profile == shipped()[expect["profile"]]
    assert_grammar(response.data)
    cards = response.get_json()["cards"]
    found = [f"{card['indicator']} {card['source']['topic']['code']}" for card in cards]
    if expect["cards"] is not None:
        assert found == expect["cards"]
    if "first" in expect:
        assert found[0] == expect["first"]
    if "offers" in expect:
        assert [each["label"] for card in cards for each in card.get("suggestions", ())] == expect["offers"]
    text = "\n".join(card["detail"] for card in cards)
    assert not [words for words in expect.get("says", ()) if words not in text], text
    assert not [words for words in expect.get("not_says", ()) if words in text]
    assert all(len(card["detail"]) <= expect.get("longest", 100_000) for card in cards)


def _require_refusal(response: Any, path: str, told: Json) -> None:
    """Nobody's advice, and no word of whose data came."""
    outcome = response.get_json()
    assert outcome["resourceType"] == "OperationOutcome" and outcome["issue"][0]["expression"] == [path]
    assert json.loads(told["body"])["context"]["patientId"] not in response.text
    assert "cards" not in outcome


@each_file
def test_it_says_where_it_comes_from_and_holds_no_token(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert read(file)["origin"].startswith((RECEIVED, WRITTEN))
    assert "Bearer ey" not in text and "Authorization" not in json.dumps(read(file)["headers"]).replace(
        "Access-Control-Request-Headers", ""
    )


def test_real_clients_and_every_dialect_are_there():
    real = {file.parent.name for file in FILES if read(file)["origin"].startswith(RECEIVED)}
    assert real == {"sandbox", "healthchain"}
    assert {file.parent.name for file in FILES} >= {"sandbox", "healthchain", "epic", "oracle", "athena", "any"}
