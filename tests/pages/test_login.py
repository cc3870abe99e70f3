"""The login in front of the pages behind cards: who gets in, to which cards, for how long, and what is written down."""

from __future__ import annotations

import json
import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service import cli
from cds_service.errors import SettingsError
from cds_service.security.readers import entry
from cds_service.settings import Settings
from cds_service.watch import logbook
from cds_service.web import serving
from tests.calls import ELECTROLYTES, gilteritinib, qtcf, request
from tests.pages.every_page import why_link
from tests.tokens import bearer, ec_key, jwk, key_set

SIGN, LOGIN, LOGOUT = "/cds-services/aml-order-sign", "/why/login", "/why/logout"
SECRET = "a long enough secret"
ENTRY = entry("a.example", "", SECRET)
FORM = {"name": "a.example", "password": SECRET}
NOBODYS = "/why/00000000-0000-4000-8000-000000000000"
CALL = request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)], labs=ELECTROLYTES, medications=[])


@pytest.fixture
def app(served, tmp_path: Path) -> Flask:
    (tmp_path / "readers.toml").write_text(ENTRY, encoding="utf-8")
    return served(WHY_LINKS="login", WHY_READERS=str(tmp_path / "readers.toml"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def page_of_a_card(client: FlaskClient, **more: Any) -> str:
    answered = client.post(SIGN, json=CALL, **more)
    answered.close()
    stop = next(card for card in answered.get_json()["cards"] if card["indicator"] == "critical")
    return why_link(stop)


def test_a_card_links_its_page_by_its_random_id_alone(client):
    assert re.fullmatch(r"/why/[0-9a-f-]{36}", page_of_a_card(client))


def test_a_stranger_gets_the_form_whether_there_is_such_a_card_or_not(client):
    where = page_of_a_card(client)
    answers = [client.get(each) for each in (where, NOBODYS, "/why/x", f"{where}?key=1800000000-{'0' * 32}")]
    assert {each.status_code for each in answers} == {401}
    assert len({re.sub(r'<input type="hidden"[^>]*>', "", each.text) for each in answers}) == 1
    assert not re.search(r"\b512\b", answers[0].text) and "QTc" not in answers[0].text
    twins = [client.get(f"{each}?format=json") for each in (where, NOBODYS)]
    assert {(each.status_code, each.text) for each in twins} == {
        (401, '{"error":"log in at /why/login, and send the cookie along"}')
    }


def test_whoever_logs_in_is_led_to_the_card_and_sees_why(client):
    where = page_of_a_card(client)
    assert f'value="{where.removeprefix("/why/")}"' in client.get(where).text
    answered = client.post(LOGIN, data=FORM | {"card": where.removeprefix("/why/")})
    assert answered.status_code == 303 and answered.headers["Location"] == where
    page = client.get(where)
    assert page.status_code == 200 and "512 ms" in page.text and "Logged in as <strong>a.example" in page.text
    assert client.get(f"{where}&format=json".replace("&", "?")).get_json()["kept"] == "full"
    assert client.get(NOBODYS).status_code == 404 and client.get("/why/x").status_code == 404


def test_the_cookie_is_for_these_pages_alone_and_no_script_sees_it(client):
    cookie = client.post(LOGIN, data=FORM).headers["Set-Cookie"]
    for words in ("HttpOnly", "SameSite=Lax", "Path=/why", "Max-Age=900"):
        assert words in cookie
    assert "Secure" not in cookie, "of http on loopback it would never come back"


def test_behind_https_and_a_path_the_cookie_says_so(served, tmp_path):
    (tmp_path / "readers.toml").write_text(ENTRY, encoding="utf-8")
    app = served(WHY_LINKS="login", WHY_READERS=str(tmp_path / "readers.toml"), PUBLIC_URL="https://cds.example/aml")
    cookie = app.test_client().post(LOGIN, data=FORM).headers["Set-Cookie"]
    assert "; Secure" in cookie and "Path=/aml/why" in cookie


@pytest.mark.parametrize("form", [
    FORM | {"password": "wrong"}, FORM | {"name": "b.example"}, {"name": "a.example"}, {}, FORM | {"name": "x" * 500},
])  # fmt: skip
def test_a_wrong_login_gets_the_form_again_with_the_card_and_one_sentence(client, form):
    card = "0b1c2d3e-0000-4000-8000-000000000001"
    answered = client.post(LOGIN, data=form | {"card": card})
    assert answered.status_code == 401 and "Set-Cookie" not in answered.headers
    assert "is not known here" in answered.text and f'value="{card}"' in answered.text
    assert client.get(page_of_a_card(client)).status_code == 401


def test_a_name_is_typed_once_and_nothing_else_of_a_wrong_form_comes_back(client):
    again = client.post(LOGIN, data=FORM | {"password": "typed wrong"}).text
    assert re.search(r'id="name"[^>]* value="a.example"', again) and "typed wrong" not in again
    assert re.search(r'id="password"[^>]* autofocus', again) and again.count("autofocus") == 1
    for name in ('"><script>', "my password here", "x" * 65):
        again = client.post(LOGIN, data=FORM | {"name": name}).text
        assert name not in again and re.search(r'id="name"[^>]* autofocus', again)


@pytest.mark.parametrize("card", ["//evil.example/", "https://evil.example", "../knowledge", "\"><script>", "x" * 36])
def test_a_login_leads_nowhere_else(client, card):
    answered = client.post(LOGIN, data=FORM | {"card": card})
    assert answered.headers["Location"] == LOGIN
    assert "evil" not in client.post(LOGIN, data={"card": card}).text


def test_a_name_is_taken_as_phones_write_it(client):
    assert client.post(LOGIN, data=FORM | {"name": " A.Example "}).status_code == 303


def test_the_form_of_another_site_is_not_read(client):
    for site in ("cross-site", "same-site"):
        answered = client.post(LOGIN, data=FORM, headers={"Sec-Fetch-Site": site})
        assert answered.status_code == 401 and "Set-Cookie" not in answered.headers
        assert "was not read" in answered.text and "a.example" not in answered.text
    client.post(LOGIN, data=FORM, headers={"Sec-Fetch-Site": "same-origin"})
    client.post(LOGOUT, headers={"Sec-Fetch-Site": "cross-site"}, content_type="application/x-www-form-urlencoded")
    assert client.get(LOGIN).status_code == 200


@pytest.mark.parametrize(("headers", "read"), [
    ({"Origin": "http://localhost"}, True),
    ({"Origin": "https://localhost:8443"}, True),  # as nginx hands on a Host without its port
    ({"Origin": "null"}, True),  # what a browser says of a form of ours, as our pages give no referrer
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "http://localhost.evil.example"}, False),
    ({"Origin": "http://["}, False),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, True),  # no script can write that one
])  # fmt: skip
def test_where_a_browser_does_not_say_the_site_its_origin_tells(client, headers, read):
    assert client.post(LOGIN, data=FORM, headers=headers).status_code == (303 if read else 401)


def test_whoever_has_no_such_card_sees_who_is_logged_in(client):
    client.post(LOGIN, data=FORM)
    for where in (NOBODYS, "/why/x"):
        page = client.get(where).text
        assert "Logged in as <strong>a.example" in page and "another hospital" in page
        assert "few minutes" not in page, "that is said of signed links"
        assert client.get(f"{where}?format=json").get_json() == {"error": "there is no such card for this reader"}


def test_logging_out_ends_it(client):
    where = page_of_a_card(client)
    client.post(LOGIN, data=FORM)
    assert "You are logged in" in client.get(LOGIN).text
    assert client.get(f"{LOGIN}?format=json").get_json() == {"reader": "a.example"}
    client.post(LOGOUT, content_type="application/x-www-form-urlencoded")
    assert client.get(where).status_code == 401 and client.get(LOGIN).status_code == 401


def test_a_login_ends_by_itself(client, monkeypatch):
    where = page_of_a_card(client)
    client.post(LOGIN, data=FORM)
    cookie, now = client.get_cookie("aml-cds-reader", path="/why").value, time.time()
    for minutes, status in ((14, 200), (15, 401)):
        monkeypatch.setattr(time, "time", partial(float, now + 60 * minutes + 1))
        later = serving.from_environment().test_client()
        later.set_cookie("aml-cds-reader", cookie, path="/why")
        assert later.get(where).status_code == status


def test_what_is_no_form_or_too_large_is_refused(client):
    assert client.post(LOGIN, json=FORM).status_code == 415
    assert client.post(LOGIN, data="{}", content_type="text/plain").status_code == 415
    assert client.post(LOGIN, data=FORM | {"card": "x" * 10_000}).status_code == 413
    assert client.post(SIGN, data=FORM).status_code == 415, "only this address takes forms"
    assert client.post(f"{LOGIN}/", data=FORM).status_code == 303, "with a slash it is the same address"
    assert client.post(f"{LOGIN}/", json=FORM).status_code == 415


def test_too_many_tries_have_to_wait(client):
    answers = [client.post(LOGIN, data=FORM | {"password": "wrong"}) for _ in range(11)]
    assert [each.status_code for each in answers] == [401] * 10 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60 and "Too many tries" in answers[-1].text
    assert f"wait {answers[-1].headers['Retry-After']} s" in answers[-1].text


def test_who_opened_which_card_is_written_down_and_no_password(app, monkeypatch):
    lines: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(logbook, "write", lambda _logger, _level, event, fields: lines.append((event, dict(fields))))
    client = app.test_client()
    where = page_of_a_card(client)
    client.get(where)
    client.post(LOGIN, data=FORM | {"password": "wrong"})
    client.post(LOGIN, data={"name": SECRET, "password": SECRET})
    client.post(LOGIN, data=FORM)
    client.get(where)
    client.get(NOBODYS)
    assert [(event, fields) for event, fields in lines if event != "call answered"] == [
        ("a login failed", {"reader": "a.example"}),
        ("a login failed", {"reader": ""}),
        ("a reader logged in", {"reader": "a.example"}),
        ("the reasons of a card were opened", {"reader": "a.example", "card": where.removeprefix("/why/")}),
    ]


def test_the_page_of_a_rule_needs_no_login(client):
    assert client.get("/why/rule/qtcHold").status_code == 200


def test_where_nobody_logs_in_there_is_no_login(served):
    client = served().test_client()
    assert client.get(LOGIN).status_code == 404 and client.post(LOGIN, data=FORM).status_code == 405


NORTH, PUBLIC = "https://ehr.north.example/oauth2", "https://cds.example"
TENANTS = "".join(
    f"""
[[tenant]]
name = "{name}"
issuer = "https://ehr.{name}.example/oauth2"
jwks_file = "keys.json"
jurisdiction = "EU"
"""
    for name in ("north", "south")
)


def test_a_reader_sees_the_cards_of_the_own_hospital_only(served, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps(key_set(jwk(ec_key("n"), "n"))), encoding="utf-8")
    (tmp_path / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    (tmp_path / "key").write_text("a" * 43 + "=\n", encoding="utf-8")
    readers = [entry(f"{name}.reader", name, SECRET) for name in ("north", "south")]
    (tmp_path / "readers.toml").write_text("\n".join(readers), encoding="utf-8")
    app = served(
        MODE="hospital", TENANTS=str(tmp_path / "tenants.toml"), PUBLIC_URL=PUBLIC, WHY_LINKS="login",
        WHY_READERS=str(tmp_path / "readers.toml"), KEEP_KEY_FILE=str(tmp_path / "key"),
    )  # fmt: skip
    https = {"base_url": PUBLIC}
    token = bearer(ec_key("n"), headers={"kid": "n"}, iss=NORTH, aud=PUBLIC + SIGN)
    where = page_of_a_card(app.test_client(), headers={"Authorization": token}, **https)
    seen = {}
    for name in ("north", "south"):
        client = app.test_client()
        assert client.get(where, **https).status_code == 401
        assert client.post(LOGIN, data=FORM | {"name": f"{name}.reader"}, **https).status_code == 303
        seen[name] = client.get(where, **https), client.get(NOBODYS, **https)
    assert seen["north"][0].status_code == 200 and "512" in seen["north"][0].text
    assert seen["south"][0].status_code == 404 and seen["south"][0].text == seen["south"][1].text


@pytest.mark.parametrize(("env", "said"), [
    ({"WHY_LINKS": "login"}, "WHY_READERS names no file"),
    ({"WHY_READERS": "FILE"}, "nobody reads it"),
    ({"WHY_LINKS": "signed", "WHY_READERS": "FILE"}, "nobody reads it"),
    ({"WHY_LINKS": "login", "WHY_READERS": "FILE", "KEEP": "nothing"}, "KEEP=nothing keeps nothing"),
    ({"WHY_LINKS": "login", "WHY_READERS": "nowhere.toml"}, "expected a file that can be read"),
])  # fmt: skip
def test_settings_that_do_not_fit_stop_the_start(tmp_path, env, said):
    (tmp_path / "readers.toml").write_text(ENTRY, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        Settings.load({name: value.replace("FILE", str(tmp_path / "readers.toml")) for name, value in env.items()})


def test_a_login_in_the_clear_stops_the_start_of_a_hospital(tmp_path):
    for name, text in (("readers", entry("a.example", "north", SECRET)), ("tenants", TENANTS)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    env = {
        "MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"), "PUBLIC_URL": "http://127.0.0.1:8080",
        "WHY_LINKS": "login", "WHY_READERS": str(tmp_path / "readers.toml"),
    }  # fmt: skip
    with pytest.raises(SettingsError, match="WHY_LINKS is 'login', and PUBLIC_URL has no https"):
        Settings.load(env)
    assert Settings.load(env | {"PUBLIC_URL": PUBLIC}).why_links == "login"


def test_the_command_prints_an_entry_that_logs_in(monkeypatch, capsys, served, tmp_path):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: SECRET + "\n", raising=False)
    assert cli.main(["reader", "a.example"]) == 0
    (tmp_path / "readers.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    app = served(WHY_LINKS="login", WHY_READERS=str(tmp_path / "readers.toml"))
    assert app.test_client().post(LOGIN, data=FORM).status_code == 303


@pytest.mark.parametrize(("name", "typed", "said"), [
    ("a", "a long enough \udcff", "the password is no text in UTF-8"),
    ("A b", SECRET, "expected small letters"), ("a.example", "short", "has 5 characters, expected 12 to 200"),
    ("a.example", "x" * 201, "has 201 characters"),
])  # fmt: skip
def test_the_command_refuses_what_would_not_do(monkeypatch, capsys, name, typed, said):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: typed + "\n", raising=False)
    assert cli.main(["reader", name]) == 2
    told = capsys.readouterr()
    assert said in told.err and not told.out and typed not in told.err


def test_the_command_refuses_a_hospital_that_is_not_listed(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: SECRET + "\n", raising=False)
    assert cli.main(["reader", "a.example", "--tenant", "nope"]) == 0
    assert "TENANTS is not set here: whether it lists 'nope'" in capsys.readouterr().err
    (tmp_path / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps(key_set(jwk(ec_key("n"), "n"))), encoding="utf-8")
    for name, value in (("MODE", "hospital"), ("TENANTS", str(tmp_path / "tenants.toml")), ("PUBLIC_URL", PUBLIC),
                        ("WHY_LINKS", "login"), ("WHY_READERS", str(tmp_path / "readers.toml"))):  # fmt: skip
        monkeypatch.setenv(name, value)
    assert cli.main(["reader", "a.example", "--tenant", "nope"]) == 2
    told = capsys.readouterr()
    assert "--tenant expects a name in the file of TENANTS: north" in told.err and not told.out
    assert cli.main(["reader", "a.example", "--tenant", "north"]) == 0


@pytest.mark.parametrize(("again", "code"), [(SECRET, 0), ("something else", 2)])
def test_at_a_terminal_a_password_is_typed_twice(monkeypatch, capsys, again, code):
    typed = iter((SECRET, again))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("cds_service.cli.running.getpass", lambda _prompt: next(typed))
    assert cli.main(["reader", "a.example"]) == code
    assert ("scrypt:" in capsys.readouterr().out) is (code == 0)


def test_the_check_names_those_who_may_log_in(monkeypatch, capsys, tmp_path):
    (tmp_path / "readers.toml").write_text(ENTRY, encoding="utf-8")
    monkeypatch.setenv("WHY_LINKS", "login")
    monkeypatch.setenv("WHY_READERS", str(tmp_path / "readers.toml"))
    assert cli.main(["check"]) == 0
    assert re.search(r"^readers +sound +a\.example$", capsys.readouterr().out, re.M)
    (tmp_path / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps(key_set(jwk(ec_key("n"), "n"))), encoding="utf-8")
    (tmp_path / "readers.toml").write_text(entry("a.example", "north", SECRET), encoding="utf-8")
    for name, value in (("MODE", "hospital"), ("TENANTS", str(tmp_path / "tenants.toml")), ("PUBLIC_URL", PUBLIC)):
        monkeypatch.setenv(name, value)
    cli.main(["check"])
    assert re.search(r"^readers +sound +a\.example \(north\)$", capsys.readouterr().out, re.M)
