"""Who may call: every way in which a token can be wrong is turned away, with one text, and counted by its reason."""

from __future__ import annotations

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
import responses
from cryptography.hazmat.primitives import serialization

from cds_service.errors import SettingsError, Unauthorized
from cds_service.security import replay
from cds_service.security.callers import LONGEST_TOKEN, Callers
from cds_service.security.keys import LARGEST_SET, TIMEOUT_SECONDS, KeySet
from cds_service.security.outbound import Way
from cds_service.security.replay import SeenHere
from cds_service.security.tenants import read_tenants
from tests.tokens import ENDPOINT, ISSUER, JWKS_URL, bearer, claims, ec_key, jwk, key_set, rsa_key, token

TENANT = f"""
[[tenant]]
name = "north"
issuer = "{ISSUER}"
jurisdiction = "EU"
fhir_servers = ["https://ehr.north.example/fhir/r4"]
"""


def tenants(folder: Path, more: str = 'jwks_file = "keys.json"', keys: object = None):
    (folder / "keys.json").write_text(json.dumps(keys or key_set()), encoding="utf-8")
    (folder / "tenants.toml").write_text(TENANT + more + "\n", encoding="utf-8")
    return read_tenants(folder / "tenants.toml", ("US", "EU", "JP"), Way())


@pytest.fixture
def callers(tmp_path):
    return Callers(tenants(tmp_path), SeenHere(time.time), time.monotonic)


def refused(callers: Callers, authorization: str | None, endpoint: str = ENDPOINT) -> str:
    """The reason that was counted."""
    before = dict(callers.refusals)
    with pytest.raises(Unauthorized) as caught:
        callers.check(authorization, endpoint)
    assert caught.value.message == "this caller is not known here: send the CDS client's own token"
    (reason,) = [each for each, count in callers.refusals.items() if count != before.get(each, 0)]
    return reason


@pytest.mark.parametrize(
    "header",
    [
        lambda: bearer(),
        lambda: bearer().replace(" ", "   "),
        lambda: bearer(rsa_key(), "RS384", {"kid": "rsa"}),
        lambda: bearer(aud=["https://elsewhere.example", ENDPOINT]),
        lambda: bearer(headers={"jku": JWKS_URL}),
        lambda: bearer(headers={"typ": "jwt"}),
        lambda: bearer(nbf=int(time.time()) - 300, exp=int(time.time()) + 890),
        lambda: bearer(iat=int(time.time()) + 30, exp=int(time.time()) + 330),
        lambda: bearer().replace("Bearer", "bearer"),
        lambda: bearer(iat=(now := int(time.time())), exp=now + 15 * 60),
    ],
)
def test_a_good_token_names_its_tenant(callers, header):
    assert callers.check(header(), ENDPOINT).name == "north"
    assert callers.refusals == {}


def test_an_audience_that_was_typed_into_the_ehr_counts(tmp_path):
    callers = Callers(
        tenants(tmp_path, 'jwks_file = "keys.json"\naudiences = ["aml-cds"]'), SeenHere(time.time), time.monotonic
    )
    assert callers.check(bearer(aud="aml-cds"), ENDPOINT).jurisdiction == "EU"


def unsigned(header: dict, body: dict) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, body))
    return "Bearer " + ".".join((*parts, ""))


def signed_with_the_public_key() -> str:
    """HS384 keyed with the public key: the classical confusion of algorithms."""
    pem = ec_key().public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    import hashlib
    import hmac

    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in ({"alg": "HS384", "typ": "JWT", "kid": "ec"}, claims())
    ]
    mac = hmac.new(pem, b".".join(parts), hashlib.sha384).digest()
    return "Bearer " + b".".join((*parts, base64.urlsafe_b64encode(mac).rstrip(b"="))).decode()




def in_(seconds: int) -> int:
    """That many seconds from now, whenever the test is run."""
    return int(time.time()) + seconds


WRONG = {
    "nothing": (lambda: None, "no token"),
    "another scheme": (lambda: "Basic abc", "no token"),
    "empty": (lambda: "Bearer ", "no token"),
    "spaces alone": (lambda: "Bearer    ", "no token"),
    "not a token": (lambda: "Bearer abc", "form"),
    "five parts (JWE)": (lambda: "Bearer a.b.c.d.e", "form"),
    "too long": (lambda: "Bearer " + "a" * 17_000 + ".b.c", "form"),
    "not ASCII": (lambda: "Bearer é.b.c", "form"),
    "no kid": (lambda: "Bearer " + jwt.encode(claims(), ec_key(), "ES384"), "form"),
    "crit": (lambda: bearer(headers={"crit": ["exp"]}), "form"),
    "another type": (lambda: bearer(headers={"typ": "at+jwt"}), "form"),
    "alg none": (lambda: unsigned({"alg": "none", "kid": "ec", "typ": "JWT"}, claims()), "algorithm"),
    "symmetric": (signed_with_the_public_key, "algorithm"),
    "another issuer": (lambda: bearer(iss="https://ehr.south.example"), "issuer"),
    "issuer that begins so": (lambda: bearer(iss=ISSUER + ".evil.example"), "issuer"),
    "part of the issuer": (lambda: bearer(iss=ISSUER[:20]), "issuer"),
    "no issuer": (lambda: bearer(iss=None), "issuer"),
    "issuer as a list": (lambda: "Bearer " + token_with_list_issuer(), "issuer"),
    "foreign key": (lambda: bearer(ec_key("foreign")), "signature"),
    "unknown kid": (lambda: bearer(headers={"kid": "other"}), "key"),
    "key of another kind": (lambda: bearer(headers={"kid": "rsa"}), "key"),
    "audience elsewhere": (lambda: bearer(aud="https://cds.example/cds-services/other"), "audience"),
    "audience that begins so": (lambda: bearer(aud=ENDPOINT + "/feedback"), "audience"),
    "no audience": (lambda: bearer(aud=None), "claims"),
    "expired": (lambda: bearer(iat=in_(-600), exp=in_(-120)), "time"),
    "not yet valid": (lambda: bearer(nbf=in_(600)), "time"),
    "issued in the future": (lambda: bearer(iat=in_(600), exp=in_(900)), "time"),
    "no expiry": (lambda: bearer(exp=None), "claims"),
    "no time of issue": (lambda: bearer(iat=None), "claims"),
    "no jti": (lambda: bearer(jti=None), "claims"),
    "jti that is no text": (lambda: bearer(jti=5), "claims"),
    "a life a second too long": (lambda: bearer(iat=(now := int(time.time())), exp=now + 15 * 60 + 1), "life"),
    "an endless life": (lambda: bearer(exp=in_(10**9)), "life"),
    "an expiry beyond all calendars": (lambda: bearer(exp=10**400), "life"),
    "an expiry as text": (lambda: bearer(exp=str(in_(300))), "claims"),
}


def token_with_list_issuer() -> str:
    parts = token().split(".")
    body = claims() | {"iss": [ISSUER]}
    parts[1] = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
    return ".".join(parts)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_token_is_turned_away(callers, name):
    header, reason = WRONG[name]
    assert refused(callers, header()) == reason


def test_a_token_is_read_up_to_its_longest_however_well_it_is_signed(callers):
    def of(filling: int) -> str:
        return bearer(sub="x" * filling)

    most = next(n for n in range(12_100, 11_000, -1) if len(of(n)) - len("Bearer ") <= LONGEST_TOKEN)
    assert callers.check(of(most), ENDPOINT).name == "north"
    assert refused(callers, of(most + 3)) == "form"


def test_a_signature_of_other_words_is_turned_away(callers):
    parts = bearer().split(".")
    parts[1] = base64.urlsafe_b64encode(json.dumps(claims(sub="admin")).encode()).rstrip(b"=").decode()
    assert refused(callers, ".".join(parts)) == "signature"


def test_a_token_is_good_once(callers):
    header = bearer()
    callers.check(header, ENDPOINT)
    assert refused(callers, header) == "replay"


def test_a_tenant_may_only_record_replay(tmp_path):
    callers = Callers(
        tenants(tmp_path, 'jwks_file = "keys.json"\nreplay = "record"'), SeenHere(time.time), time.monotonic
    )
    header = bearer()
    assert [callers.check(header, ENDPOINT).name for _ in range(2)] == ["north", "north"]
    assert callers.refusals == {"replay, recorded only": 1}


def test_a_jti_that_is_no_text_is_refused(callers):
    assert refused(callers, bearer(jti="\ud800")) == "claims"


def test_a_token_that_fails_uses_nothing_up(callers):
    jti = "abc"
    assert refused(callers, bearer(ec_key("foreign"), jti=jti)) == "signature"
    assert callers.check(bearer(jti=jti), ENDPOINT).name == "north"


def test_a_foreign_jku_is_not_even_fetched(tmp_path):
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), time.monotonic)
    with responses.RequestsMock():  # any call at all would fail
        assert refused(callers, bearer(headers={"jku": "https://evil.example/jwks"})) == "jku"


@responses.activate
def test_keys_are_fetched_once_and_again_for_a_new_one(tmp_path):
    clock = SimpleNamespace(now=1000.0)
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), lambda: clock.now)
    responses.get(JWKS_URL, json=key_set())
    for _ in range(5):
        callers.check(bearer(), ENDPOINT)
    assert len(responses.calls) == 1
    rotated = ec_key("rotated")
    responses.replace("GET", JWKS_URL, json=key_set(jwk(rotated, "new")))
    assert refused(callers, bearer(rotated, headers={"kid": "new"})) == "key"  # asked just now
    clock.now += 30
    assert callers.check(bearer(rotated, headers={"kid": "new"}), ENDPOINT).name == "north"
    assert len(responses.calls) == 2


@responses.activate
def test_a_key_that_took_the_place_of_another_under_its_id_is_asked_for(tmp_path):
    clock = SimpleNamespace(now=1000.0)
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), lambda: clock.now)
    responses.get(JWKS_URL, json=key_set())
    callers.check(bearer(), ENDPOINT)
    other = ec_key("other")
    responses.replace("GET", JWKS_URL, json=key_set(jwk(other, "ec")))
    assert refused(callers, bearer(other)) == "signature"  # asked just now
    clock.now += 30
    for _ in range(3):
        assert callers.check(bearer(other), ENDPOINT).name == "north"
    assert refused(callers, bearer()) == "signature"  # of the key that was taken back
    for _ in range(20):
        assert refused(callers, bearer(ec_key("of a stranger"))) == "signature"
    assert len(responses.calls) == 2


def test_of_two_keys_with_one_id_either_may_have_signed(tmp_path):
    keys = key_set(jwk(ec_key("one"), "ec"), jwk(rsa_key(), "ec"), jwk(ec_key(), "ec"))
    callers = Callers(tenants(tmp_path, keys=keys), SeenHere(time.time), time.monotonic)
    for key in (ec_key("one"), ec_key()):
        assert callers.check(bearer(key), ENDPOINT).name == "north"
    assert callers.check(bearer(rsa_key(), "RS384"), ENDPOINT).name == "north"
    assert refused(callers, bearer(ec_key("of a stranger"))) == "signature"


@responses.activate
def test_many_made_up_keys_do_not_make_us_ask_again_and_again(tmp_path):
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), time.monotonic)
    responses.get(JWKS_URL, json=key_set())
    for number in range(200):
        assert refused(callers, bearer(headers={"kid": f"made-up-{number}"})) == "key"
    assert len(responses.calls) <= 2


@responses.activate
@pytest.mark.parametrize("fault", [
    {"status": 503}, {"body": b"{"}, {"json": []}, {"body": b" " * 300_000}, {"body": b"<html>log in</html>"},
    {"json": {"keys": []}}, {"json": {"keys": [{"kty": "oct", "kid": "ec", "k": "AAAA"}]}},
    {"json": {"keys": [{"kty": "EC", "kid": "ec", "crv": "P-384", "x": 5, "y": []}]}},
])  # fmt: skip
def test_an_outage_of_the_keys_locks_nobody_out_for_a_day(tmp_path, fault):
    clock = SimpleNamespace(now=1000.0)
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), lambda: clock.now)
    responses.get(JWKS_URL, json=key_set())
    callers.check(bearer(), ENDPOINT)
    responses.replace("GET", JWKS_URL, **fault)
    clock.now += 23 * 3600
    callers.check(bearer(), ENDPOINT)
    clock.now += 3600
    callers.check(bearer(), ENDPOINT)
    clock.now += 1
    assert refused(callers, bearer()) == "key"


@responses.activate
@pytest.mark.parametrize("size, served", [(LARGEST_SET, True), (LARGEST_SET + 1, False)])
def test_a_set_of_keys_is_read_up_to_its_largest_size(tmp_path, size, served):
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), time.monotonic)
    responses.get(JWKS_URL, body=json.dumps(key_set()).encode().ljust(size))
    if served:
        assert callers.check(bearer(), ENDPOINT).name == "north"
    else:
        assert refused(callers, bearer()) == "key"


@responses.activate
def test_keys_are_not_fetched_from_where_a_redirect_leads(tmp_path):
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), time.monotonic)
    responses.get(JWKS_URL, status=302, headers={"Location": "https://evil.example/jwks"})
    responses.get("https://evil.example/jwks", json=key_set())
    assert refused(callers, bearer()) == "key"
    assert [call.request.url for call in responses.calls] == [JWKS_URL]


def test_keys_that_drip_in_hold_no_call_up(tmp_path):
    with answering(dripping) as url:
        callers = Callers(tenants(tmp_path, f'jwks_url = "{url}"'), SeenHere(time.time), time.monotonic)
        begun = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            reasons = list(pool.map(lambda _: refused(callers, bearer()), range(8)))
        assert set(reasons) == {"key"}
        assert time.monotonic() - begun < 2 * TIMEOUT_SECONDS


def test_a_held_key_serves_at_once_while_a_renewal_hangs(tmp_path):
    clock, pace = SimpleNamespace(now=1000.0), [at_once]
    with answering(lambda handler: pace[0](handler)) as url:
        callers = Callers(tenants(tmp_path, f'jwks_url = "{url}"'), SeenHere(time.time), lambda: clock.now)
        assert callers.check(bearer(), ENDPOINT).name == "north"
        pace[0], clock.now = dripping, clock.now + 2 * 3600
        begun = time.monotonic()
        assert callers.check(bearer(), ENDPOINT).name == "north"
        assert time.monotonic() - begun < TIMEOUT_SECONDS / 4


def test_keys_that_stop_coming_are_no_keys(tmp_path):
    with answering(stopping) as url:
        callers = Callers(tenants(tmp_path, f'jwks_url = "{url}"'), SeenHere(time.time), time.monotonic)
        assert refused(callers, bearer()) == "key"


def test_an_answer_that_comes_too_late_does_not_bring_an_older_set_of_keys_back(tmp_path):
    """The first question hangs; the second one brings the new set; then the first is answered with the old one."""
    clock, released, asked = SimpleNamespace(now=1000.0), threading.Event(), threading.Event()
    new = ec_key("rotated")

    def late(handler):
        asked.set()
        released.wait(TIMEOUT_SECONDS)
        at_once(handler)

    answers = iter([late, lambda handler: at_once(handler, key_set(jwk(new, "new")))])
    with answering(lambda handler: next(answers)(handler)) as url, ThreadPoolExecutor(1) as pool:
        callers = Callers(tenants(tmp_path, f'jwks_url = "{url}"'), SeenHere(time.time), lambda: clock.now)
        first = pool.submit(refused, callers, bearer())
        assert asked.wait(TIMEOUT_SECONDS)
        clock.now += 31
        assert callers.check(bearer(new, headers={"kid": "new"}), ENDPOINT).name == "north"
        released.set()
        assert first.result() == "key"
        assert refused(callers, bearer()) == "key"
        assert callers.check(bearer(new, headers={"kid": "new"}), ENDPOINT).name == "north"


@responses.activate
def test_a_host_without_a_thread_keeps_the_keys_it_holds_and_asks_again_as_soon_as_it_can(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    callers = Callers(tenants(tmp_path, f'jwks_url = "{JWKS_URL}"'), SeenHere(time.time), lambda: clock.now)
    responses.get(JWKS_URL, json=key_set())

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        assert refused(callers, bearer()) == "key"
    assert callers.check(bearer(), ENDPOINT).name == "north"
    clock.now += 2 * 3600
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        assert callers.check(bearer(), ENDPOINT).name == "north"
    assert len(responses.calls) == 1


@contextmanager
def answering(answer):
    """A server of keys on this machine that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(OSError):
                answer(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks"
    finally:
        server.shutdown()
        server.server_close()


def at_once(handler, keys=None):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(json.dumps(keys or key_set()).encode())


def dripping(handler):
    """One byte, again and again: each within the time-out, the whole never."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b" ")
        time.sleep(0.5)


def stopping(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b"{")
    time.sleep(TIMEOUT_SECONDS + 0.5)


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "ec"},
        jwk(ec_key(), "ec", alg="ES256"),
        jwk(ec_key(), "ec", use="enc"),
        {"kty": "EC", "kid": "ec", "crv": "P-384", "x": "!", "y": 5},
        jwk(rsa_key(1024), "ec"),
    ],
)
def test_a_key_for_something_else_is_no_key(tmp_path, entry):
    keys = key_set(entry, jwk(rsa_key(), "other"))
    callers = Callers(tenants(tmp_path, keys=keys), SeenHere(time.time), time.monotonic)
    assert refused(callers, bearer()) == "key"


def test_a_key_is_made_once_and_what_is_not_found_is_not_kept(monkeypatch):
    made, make = [], jwt.PyJWK.from_dict
    monkeypatch.setattr(jwt.PyJWK, "from_dict", lambda *told: made.append(told) or make(*told))
    keys = KeySet(key_set())
    found = [keys.find("ec", "ES384") for _ in range(3)]
    assert found[0] and found[0] is found[1] is found[2] and len(made) == 1
    assert [keys.find(f"made up {number}", "ES384") for number in range(3)] == [()] * 3
    assert keys.find("ec", "RS384") == () and len(keys._found) == 1


@pytest.mark.parametrize("entry", [{"kty": "oct", "k": "c2VjcmV0", "kid": "ec"}, jwk(rsa_key(1024), "short")])
def test_a_file_without_a_key_that_could_serve_stops_the_start(tmp_path, entry):
    with pytest.raises(SettingsError, match=r"keys\.json holds no key for ES384, RS384"):
        Callers(tenants(tmp_path, keys=key_set(entry)), SeenHere(time.time), time.monotonic)


def test_a_file_that_is_nested_too_deeply_stops_the_start(tmp_path):
    listed = tenants(tmp_path)
    (tmp_path / "keys.json").write_text('{"keys":' + "[" * 100_000, encoding="utf-8")
    with pytest.raises(SettingsError, match="is no JWK Set"):
        Callers(listed, SeenHere(time.time), time.monotonic)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_short_rsa_key_is_no_key(tmp_path):
    keys = key_set(jwk(rsa_key(1024), "short"), jwk(rsa_key(), "other"))
    callers = Callers(tenants(tmp_path, keys=keys), SeenHere(time.time), time.monotonic)
    assert refused(callers, bearer(rsa_key(1024), "RS384", {"kid": "short"})) == "key"


def test_memory_of_tokens_ends_some_time_after_them():
    clock = SimpleNamespace(now=1000.0)
    seen = SeenHere(lambda: clock.now, lambda: clock.now)
    assert not seen.before("a", "1", 1300.0)
    assert seen.before("a", "1", 1300.0)
    assert not seen.before("b", "1", 1300.0)
    clock.now = 1300.0 + replay.RESERVE + 1
    assert not seen.before("a", "2", clock.now + 300)
    assert len(seen._known) == 1


@pytest.mark.parametrize("steps", [(1_000_000.0, 1001.0), (1301.0, 700.0), (100.0, 1200.0)])
def test_a_clock_that_is_set_makes_no_process_forget_a_token(steps: tuple[float, ...]):
    clock = SimpleNamespace(now=1000.0, steady=5.0)
    seen = SeenHere(lambda: clock.now, lambda: clock.steady)
    assert not seen.before("a", "1", 1300.0)
    for clock.now in steps:
        clock.steady += 200
        assert not seen.before("a", str(clock.now), clock.now + 300)
        assert seen.before("a", "1", 1300.0)


def test_so_many_tokens_are_remembered_and_the_one_that_ends_first_is_forgotten(monkeypatch):
    monkeypatch.setattr(replay, "MOST", 2)
    seen = SeenHere(lambda: 1000.0)
    assert not seen.before("a", "long", 1600.0) and not seen.before("a", "short", 1300.0)
    assert seen.before("a", "long", 1600.0) and seen.before("a", "short", 1300.0)
    assert not seen.before("a", "new", 1500.0)
    assert seen.before("a", "long", 1600.0) and seen.before("a", "new", 1500.0)
    assert not seen.before("a", "short", 1300.0)
