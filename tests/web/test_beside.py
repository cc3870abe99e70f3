"""Who looks on: witnesses see every call after it is answered, ledgers may refuse, probes colour the readiness."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cds_service.beside import Beside, Call, Health, Light
from cds_service.errors import NotKept
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.web.conftest import Tools, no_cards

ORDER_SIGN = "/cds-services/aml-order-sign"
CALL = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"patientId": "p", "userId": "Practitioner/1", "draftOrders": {"resourceType": "Bundle"}},
}
FEEDBACK = {"feedback": [{"card": "1", "outcome": "accepted"}]}


@dataclass
class Onlooker:
    calls: list[Call] = field(default_factory=list)

    def saw(self, call: Call) -> None:
        self.calls.append(call)


class Blind:
    def saw(self, call: Call) -> None:
        raise OSError(call.service)


class Closed:
    def add(self, *_: object) -> None:
        raise NotKept("the feedback cannot be kept at the moment: send it again")


def client_of(answer=no_cards, **beside):
    return create_app(Settings.load({}), Tools(), answer, beside=Beside(**beside)).test_client()


def broken(*_: object) -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("answer", "path", "body", "status", "cause"),
    [
        (no_cards, ORDER_SIGN, CALL, 200, ""),
        (no_cards, ORDER_SIGN, {}, 400, "BadRequest"),
        (no_cards, "/cds-services/other", CALL, 404, "NoSuchService"),
        (broken, ORDER_SIGN, CALL, 200, "RuntimeError"),
    ],
)
def test_every_call_is_shown_once_whatever_became_of_it(answer, path, body, status, cause):
    onlooker = Onlooker()
    response = client_of(answer, witnesses=[Blind(), onlooker]).post(path, json=body)
    assert response.status_code == status
    response.close()
    (call,) = onlooker.calls
    assert (call.status, call.cause, call.tenant) == (status, cause, "")
    assert (call.answer is None) == bool(cause)
    assert call.seconds >= 0 and len(call.id) == 32


@pytest.mark.parametrize(("headers", "status"), [({"Content-Type": "text/plain"}, 415), ({"Host": "a.example"}, 400)])
def test_a_call_that_the_guard_refuses_is_shown_too(headers, status):
    onlooker = Onlooker()
    sent = {"Content-Type": "application/json", **headers}
    response = client_of(witnesses=[onlooker]).post(ORDER_SIGN, data=b"{}", headers=sent)
    response.close()
    assert [call.status for call in onlooker.calls] == [response.status_code] == [status]


def test_discovery_and_feedback_are_no_calls():
    onlooker = Onlooker()
    client = client_of(witnesses=[onlooker])
    client.get("/cds-services").close()
    client.post(f"{ORDER_SIGN}/feedback", json=FEEDBACK).close()
    client.options(ORDER_SIGN).close()
    assert onlooker.calls == []


def test_feedback_that_is_not_kept_is_to_be_sent_again():
    response = client_of(ledgers=[Closed()]).post(f"{ORDER_SIGN}/feedback", json=FEEDBACK)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.get_json()["issue"][0]["code"] == "transient"


@pytest.mark.parametrize(
    ("light", "status", "word"),
    [(Light.GREEN, 200, "ready"), (Light.AMBER, 200, "limping"), (Light.RED, 503, "not ready")],
)
def test_readiness_is_that_of_the_worst_part(light, status, word):
    probes = {"good": lambda: Health(Light.GREEN), "store": lambda: Health(light, "a reason")}
    response = client_of(probes=probes).get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (status, word)
    assert response.get_json()["parts"]["store"] == {"light": light.name.lower(), "words": "a reason"}


def test_a_probe_that_fails_is_red():
    def lost() -> Health:
        raise OSError

    assert client_of(probes={"store": lost}).get("/readyz").status_code == 503
