"""Nothing of a patient in logs, metrics, readiness, errors, headers or files: marked calls to the service as it runs.

Every way in which a call can end is gone: answered, refused for its form, its token or its gaps, broken within, and
with a FHIR server that fails in many ways; the pages are asked for what is not there, the playground is called, and
everything is read again. Then all that came out beside the cards is searched for the marks, the store among it, and
what the report, the replay and the page about a card tell of what is kept.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.console.samples import find, stories
from tests.fhir_server.running import PATIENCE, ROOT, fhir_server
from tests.marks import MARK, files_below, headers, leaks, marked
from tests.tokens import bearer, ec_key, jwk, key_set

pytestmark = pytest.mark.processes

ISSUER = "https://ehr.north.example/oauth2"
FAULTS = (
    "500", "401", "404", "html", "truncated", "brokenoff", "loop", "foreign-next", "withheld", "throttled", "stu3",
    "without-code",
)  # fmt: skip
SIGN = "/cds-services/aml-order-sign"
NOWHERE = tuple(f"/{path}" for path in (
    f"why/{MARK}?key={MARK}", f"why/rule/{MARK}", f"playground/stories/{MARK}/{MARK}", f"knowledge/{MARK}",
    f"knowledge/rules/{MARK}", f"governance?weeks={MARK}", f"governance?rule={MARK}", f"codesystems/{MARK}",
    f"pages/static/{MARK}.css", f"{MARK}?format=json",
    f"knowledge/{MARK}?format=json", f"coverage?{MARK}={MARK}",
))  # fmt: skip


@dataclass
class Run:
    """A running service: its address, its folder with everything it wrote, and what came back beside cards."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    back: dict[str, bytes] = field(default_factory=dict)

    def send(self, name: str, path: str, body: Any, **more: str) -> int:
        """POST, and keep what must hold no mark: all headers, and the body of every refusal."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(self.url + path, data=content, headers=headers(**more), timeout=30)
        self.back[f"headers of {name}"] = str(dict(answer.headers)).encode()
        if answer.status_code != 200:
            self.back[f"refusal of {name}"] = answer.content
        return answer.status_code

    def look(self, path: str, expected: tuple[int, ...] = (200, 503)) -> bytes:
        """GET one of the pages for those who run the service, and keep it."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(self.url + path, headers=headers() if MARK in path else {}, timeout=30)
        assert answer.status_code in expected, f"{path}: {answer.status_code}"
        self.back[path.replace(MARK, "…")] = answer.content + str(dict(answer.headers)).encode()
        return answer.content

    def reload(self) -> None:
        """Have everything read again, and wait until the new workers answer."""
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + PATIENCE
        while b"reloaded: what was read is in force" not in (self.folder / "stderr").read_bytes():
            assert time.monotonic() < until, "nothing was reloaded"
            time.sleep(0.1)

    def everything(self) -> dict[str, bytes]:
        """All that came out beside cards."""
        return {**self.back, **files_below(self.folder)}


@contextmanager
def running(folder: Path, app: str = "", **settings: str) -> Iterator[Run]:
    """The service as it is started, all that it writes in one folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = folder / "home"
    home.mkdir()
    places = {"HOME": str(home), "TMPDIR": str(home), "DATA": str(folder / "data")}
    given = {"PORT": str(port), "WORKERS": "2", "THREADS": "4", **places, **settings}
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), *([app] if app else [])]
    env = {**os.environ, **given, "PYTHONPATH": str(ROOT)}
    with (
        (folder / "stdout").open("wb") as out,
        (folder / "stderr").open("wb") as err,
        subprocess.Popen(command, cwd=home, env=env, stdout=out, stderr=err) as process,
    ):
        try:
            _wait(process, port)
            yield Run(f"http://127.0.0.1:{port}", folder, process)
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None and time.monotonic() < until, "the service did not start"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def raw(url: str, request: bytes) -> bytes:
    """What the server says to bytes that are no good HTTP."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(request)
        line.settimeout(2)
        try:
            return line.recv(65536)
        except OSError:
            return b""


def nothing_leaked(run: Run) -> None:
    found = leaks(run.everything())
    assert not found, "\n".join(found)


def test_whoever_calls_in_demo_mode_leaves_no_trace_of_a_patient(tmp_path):
    with fhir_server() as fhir, running(
        tmp_path, "tests.broken_service:app()", LOG_LEVEL="DEBUG", LOG_FORMAT="json", GATHER_SECONDS="1.0"
    ) as run:
        samples = [each for story in stories() for each in story.samples]
        assert {run.send(f"{each.story}/{each.name}", f"/cds-services/{each.service}", marked(each.body))
                for each in samples} <= {200, 412, 422}
        good = find("gilteritinib-qtc-512").sample("sign")
        broken = {**marked(good.body), "extension": {"x": "break-the-answer"}}
        assert run.send("an answer that breaks", SIGN, broken) == 200
        for fault in FAULTS:
            call = marked(good.body, fhir.having(fault))
            call.pop("prefetch", None)
            assert run.send(f"FHIR server: {fault}", SIGN, call) in (200, 412)
        nobody = marked(good.body, f"http://127.0.0.1:9/{MARK}")
        nobody.pop("prefetch", None)
        assert run.send("FHIR server: not there", SIGN, nobody) in (200, 412)
        run.send("FHIR server: not ours", SIGN, marked(good.body, f"https://{MARK}.example/fhir"))
        whole = marked(good.body)
        for name, path, body, more in (
            ("cut JSON", SIGN, json.dumps(whole).encode()[:-40], {}),
            ("no JSON", SIGN, MARK.encode(), {}),
            ("another hook", SIGN, {**whole, "hook": MARK}, {}),
            ("a bad id", SIGN, {**whole, "context": {**whole["context"], "patientId": f"{MARK} / x"}}, {}),
            ("a list", SIGN, [MARK], {}),
            ("odd prefetch", SIGN, {**whole, "prefetch": MARK}, {}),
            ("odd access", SIGN, {**whole, "fhirAuthorization": {MARK: MARK}}, {}),
            ("another service", f"/cds-services/{MARK}", whole, {}),
            ("another place", f"/{MARK}?patient={MARK}", whole, {}),
            ("a query", f"{SIGN}?patient={MARK}", {}, {}),
            ("another type", SIGN, whole, {"Content-Type": f"text/{MARK}"}),
            ("another coding", SIGN, whole, {"Content-Encoding": MARK}),
            ("another host", SIGN, whole, {"Host": f"{MARK}.example"}),
            ("another origin", SIGN, {}, {"Origin": f"https://{MARK}.example"}),
            ("odd feedback", f"{SIGN}/feedback", {"feedback": [{"card": MARK, "outcome": MARK}]}, {}),
            ("too large", SIGN, b'{"a":"' + MARK.encode() * 1_300_000 + b'"}', {}),
        ):
            assert 400 <= run.send(name, path, body, **more) < 500, name
        unknown = {**whole, "prefetch": {MARK: MARK, "labs": {MARK: MARK}}}
        assert run.send("unknown prefetch", SIGN, unknown) in (200, 412)
        feedback = {"card": MARK, "outcome": "overridden", "overrideReason": {
            "reason": {"code": MARK, "system": MARK, "display": MARK}, "userComment": f"{MARK} has a wife and a dog"}}
        assert run.send("feedback", f"{SIGN}/feedback", {"feedback": [feedback]}) == 200
        # gunicorn tells the one who sends no HTTP what it stumbled over, on that very line; it must come no further
        assert b" 400 " in raw(run.url, f"{MARK} /{MARK} {MARK}\r\n\r\n".encode())
        assert b" 400 " in raw(run.url, f"GET /{MARK} HTTP/1.1\r\nHost: a\r\n{MARK}\x01: {MARK}\r\n\r\n".encode())
        run.back["odd chunk"] = raw(run.url, (
            f"POST {SIGN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Transfer-Encoding: chunked\r\n\r\n{MARK}\r\n{MARK}\r\n").encode())
        for name, path, body in (
            ("a made-up patient who is none", "/playground/answer", marked(good.body)),
            ("a made-up patient of another day", f"/playground/answer?now={MARK}", marked(good.body)),
            ("a made-up patient in no JSON", "/playground/answer", MARK.encode()),
            ("a made-up patient of another hook", "/playground/answer", {**whole, "hook": MARK}),
        ):
            assert run.send(name, path, body) in (200, 400), name
        for path in NOWHERE:
            run.look(path, (200, 400, 404))
        run.reload()
        assert run.send("after a reload", SIGN, marked(good.body)) == 200
        for path in ("/metrics", "/readyz", "/healthz", "/"):
            run.look(path)
    written = (tmp_path / "stderr").read_text(encoding="utf-8")
    assert "a request that is no HTTP was refused" in written
    for words in ("call answered", "call refused", "call broke", "not answered: RuntimeError", "failed: ValueError"):
        assert words in written, words
    assert all(json.loads(line)["event"] for line in written.splitlines() if line)
    assert re.search(r"^aml_cds_checks_broken_total [1-9]", run.back["/metrics"].decode(), re.MULTILINE)
    assert "aml_cds_fhir_not_whole_total{" in run.back["/metrics"].decode()
    nothing_leaked(run)


@pytest.mark.parametrize("keep", ["nothing", "audit", "full"])
def test_what_is_kept_tells_nobody_who_it_was(tmp_path, keep):
    settings = {"KEEP": keep, "REPEATS": "on"}
    with running(tmp_path, **settings) as run:
        samples = [each for story in stories() for each in story.samples if each.service != "aml-patient-view"]
        answered = 1 + sum(
            run.send(f"{each.story}/{each.name}", f"/cds-services/{each.service}", marked(each.body)) == 200
            for each in samples
        )
        told = find("gilteritinib-qtc-512").sample("sign")
        with requests.Session() as session:
            session.trust_env = False
            cards = session.post(run.url + SIGN, json=marked(told.body), timeout=30).json()["cards"]
        for card in cards:
            for reason in ({"code": MARK, "system": MARK, "display": MARK}, {"code": MARK}, MARK):
                feedback = {"card": card["uuid"], "outcome": "overridden", "acceptedSuggestions": [{"id": MARK}],
                            "overrideReason": {"reason": reason, "userComment": MARK}}
                assert run.send("feedback", f"{SIGN}/feedback", {"feedback": [feedback]}) == 200
        link = next(each["url"] for each in cards[0]["links"] if "/why/" in each["url"])
        about = run.look(link.removeprefix(run.url), (200,))
        if keep == "full":
            assert MARK.encode() in about  # whoever holds the link of a card sees what it rests on
            run.back = {name: each for name, each in run.back.items() if not name.startswith("/why/")}
        for path in ("/metrics", "/readyz", "/governance?format=json"):
            run.look(path)
    if keep != "nothing":
        for command in ("report", "report --json", "report --csv", "replay --all", "replay --all --json"):
            run.back[command] = prompted(tmp_path, command, **settings)
        assert b"qtc-hold" in run.back["report"]
        again = answered if keep == "full" else 0
        assert f"{answered} calls; {again} answered again, {again} the same".encode() in run.back["replay --all"]
        assert (tmp_path / "data" / "aml-cds.sqlite3").stat().st_size > 100_000
    if keep == "full":  # what is encrypted holds every short word somewhere, once it is looked for in Base64
        store = tmp_path / "data" / "aml-cds.sqlite3"
        assert MARK.encode() not in store.read_bytes().lower()
        store.unlink()
    nothing_leaked(run)


def prompted(folder: Path, command: str, **settings: str) -> bytes:
    """What a command prints of that store."""
    words = [sys.executable, "-m", "cds_service.cli", *command.split()]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DATA": str(folder / "data"), **settings}
    made = subprocess.run(words, env=env, capture_output=True, check=False)
    return made.stdout + made.stderr


def test_nor_does_a_token_in_hospital_mode(tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps(key_set(jwk(ec_key("north"), "n"))), encoding="utf-8")
    tenants = tmp_path / "tenants.toml"
    tenants.write_text(
        f'[[tenant]]\nname = "north"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\njurisdiction = "US"\n',
        encoding="utf-8",
    )
    public = "https://cds.example"
    with running(tmp_path, MODE="hospital", TENANTS=str(tenants), PUBLIC_URL=public, WORKERS="1") as run:
        good = find("gilteritinib-qtc-512").sample("sign")

        def token(**changes: Any) -> str:
            said = {"iss": ISSUER, "aud": f"https://cds.example{SIGN}", "sub": MARK, "fhirUser": MARK, **changes}
            return bearer(ec_key("north"), headers={"kid": "n"}, **said)

        assert run.send("a good token", SIGN, marked(good.body), Authorization=token(jti=MARK)) == 200
        refused = {
            "a token again": token(jti=MARK), "no JWT": f"Bearer {MARK}", "no token": f"Basic {MARK}",
            "another issuer": token(iss=f"https://{MARK}.example"), "another audience": token(aud=MARK),
            "another kid": bearer(ec_key("north"), headers={"kid": MARK}, iss=ISSUER), "old": token(exp=1, iat=0),
            "another algorithm": bearer(MARK * 8, "HS256", iss=ISSUER), "critical": token()[:-9] + MARK,
        }  # fmt: skip
        for name, authorization in refused.items():
            assert run.send(name, SIGN, marked(good.body), Authorization=authorization) == 401, name
        for path in ("/metrics", "/readyz", "/healthz"):
            run.look(path)
    counted = run.back["/metrics"].decode()
    assert 'callers_turned_away_total{reason="replay"}' in counted
    assert 'aml_cds_calls_total{service="other",status="4xx"}' in counted
    lines = [json.loads(each) for each in (tmp_path / "stderr").read_text(encoding="utf-8").splitlines()]
    assert sum(each.get("cause") == "Unauthorized" for each in lines) == len(refused)
    assert any(each.get("tenant") == "north" and each.get("status") == 200 for each in lines)
    nothing_leaked(run)


@pytest.mark.parametrize("leak", [
    f"GET /Patient/{MARK}", f"GET /Patient?name=a%20{MARK.upper()}", f"\\u007a{MARK}", f"x{MARK}x".encode().hex(),
])
def test_the_search_finds_what_is_planted(tmp_path, leak):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.db").write_bytes(b"\x00\x01" + leak.encode() + b"\xff")
    assert len(leaks(files_below(tmp_path))) == 1
    assert leaks({"nothing": b"said"}) == []


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_the_search_looks_into_base64(before):
    import base64

    assert leaks({"token": base64.urlsafe_b64encode(f"{before}{MARK}{MARK}".encode())})


def test_the_calls_are_marked_all_over():
    text = json.dumps(marked(find("gilteritinib-qtc-512").sample("sign").body))
    assert text.count(MARK) > 30
    assert f'"patientId": "{MARK}-' in text and f"Bearer {MARK}" not in text
