"""How often one may call: strangers by address, tenants by name; whoever proves who it is is no stranger."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.beside import Beside
from cds_service.errors import SettingsError, Unauthorized
from cds_service.hooks.caller import Caller
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.web.conftest import Answer, Tools, no_cards

ORDER_SIGN = "/cds-services/aml-order-sign"


class Door:
    """A desk that knows those whose header says so."""

    knowledge = frozenset({"of a test"})

    def receive(self, authorization, _path):
        if not (authorization or "").startswith("good"):
            raise Unauthorized("this caller is not known here: send the CDS client's own token")
        return Caller("https://ehr.example", verified=True, hospital=authorization.partition(" ")[2]), Tools()

    def state(self):
        return {}


def client_of(desk=None, **env):
    told = []
    app = create_app(Settings.load(env), Tools(), no_cards, desk, Beside(turned_away=told.append))
    return app.test_client(), told


def statuses(client, times, authorization=None, address="198.51.100.7"):
    headers = {"Authorization": authorization} if authorization else {}
    environ = {"REMOTE_ADDR": address}
    return [client.get("/cds-services", headers=headers, environ_base=environ).status_code for _ in range(times)]


def test_without_a_setting_nobody_is_limited():
    client, told = client_of()
    assert statuses(client, 300) == [200] * 300 and told == []


def test_a_stranger_who_calls_too_often_waits_as_told_and_others_do_not():
    client, told = client_of(RATE_LIMIT_STRANGERS="3/minute")
    assert statuses(client, 5) == [200, 200, 200, 429, 429]
    assert statuses(client, 1, address="198.51.100.8") == [200]
    refused = client.get("/cds-services", environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.get_json()["issue"][0]["code"] == "throttled"
    assert told == ["too often"] * 3


def test_a_caller_with_a_good_token_is_no_stranger_whoever_knocks_from_the_same_address():
    client, _ = client_of(Door(), RATE_LIMIT_STRANGERS="2/minute")
    assert statuses(client, 4) == [401, 401, 429, 429]
    assert statuses(client, 20, "good north") == [200] * 20


def test_a_tenant_is_limited_by_its_own_number():
    client, _ = client_of(Door(), RATE_LIMIT_TENANT="2/hour")
    assert statuses(client, 3, "good north") == [200, 200, 429]
    assert statuses(client, 1, "good south") == [200]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_those_who_ask_whether_it_is_well_are_never_limited(path):
    client, _ = client_of(RATE_LIMIT_STRANGERS="1/hour")
    assert [client.get(path).status_code for _ in range(5)] == [200] * 5


def test_the_answer_to_a_stranger_is_the_same_whatever_was_wrong():
    client, _ = client_of(Door())
    sent = ({"Authorization": each} for each in ("", "bad", "worse x"))
    answers = {client.post(ORDER_SIGN, json={}, headers=headers).data for headers in sent}
    assert len(answers) == 1


def test_one_call_more_than_there_is_room_for_is_told_so_at_once():
    inside, leave, told = threading.Barrier(3), threading.Event(), []

    def slow(*_):
        if not leave.is_set():
            inside.wait(5)
            leave.wait(5)
        return Answer(b'{"cards":[]}')

    settings = Settings.load({"CALLS_AT_ONCE": "2", "THREADS": "4"})
    app = create_app(settings, Tools(), slow, None, Beside(turned_away=told.append))

    def ask():
        return app.test_client().post(ORDER_SIGN, json={})

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask) for _ in range(2)]
        inside.wait(5)
        refused = ask()
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.get_json()["issue"][0]["code"] == "throttled" and told == ["too many at once"]
        assert app.test_client().get("/healthz").status_code == 200
        leave.set()
        assert [each.result().status_code for each in waiting] == [200, 200]
    assert [ask().status_code for _ in range(5)] == [200] * 5


def test_a_call_that_breaks_gives_its_place_back():
    def breaks(*_):
        raise RuntimeError

    app = create_app(Settings.load({"CALLS_AT_ONCE": "1"}), Tools(), breaks)
    answers = [app.test_client().post(ORDER_SIGN, json={}) for _ in range(3)]
    assert [each.get_json()["cards"][0]["indicator"] for each in answers] == ["warning"] * 3


def test_room_for_all_threads_is_no_limit_and_refused():
    with pytest.raises(SettingsError, match="CALLS_AT_ONCE is 16, expected less than THREADS, which is 16"):
        Settings.load({"CALLS_AT_ONCE": "16"})
