"""The proxy of deploy/nginx/, run for real before gunicorn: TLS, names, headers, and callers who never finish."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from cds_service.console import samples
from tests.deploy.files import DEPLOY
from tests.fhir_server.running import service

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NAME = "cds.example.org"
CALL = "/cds-services/aml-order-sign"
SLOW = 60  # callers who send half
CLAIMS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP")
PATIENCE = 5.0  # seconds; what an EHR grants

pytestmark = [pytest.mark.processes, pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)]


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its port, and whom to trust."""

    port: int
    trust: ssl.SSLContext

    def open(self, name: str = NAME) -> ssl.SSLSocket:
        return self.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 10), server_hostname=name)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        with closing(HTTPSConnection("127.0.0.1", self.port, timeout=20)) as connection, self.open() as line:
            connection.sock = line
            connection.request(method, path, body or None, {"Host": NAME, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()


def prepared(folder: Path, port: int, upstream: str) -> Path:
    """The configuration as it is shipped; only its places and its port are those of this test."""
    shutil.copytree(DEPLOY, folder / "deploy")
    (folder / "docs").mkdir()
    (folder / "docs" / "tenants_example.toml").write_text("", encoding="utf-8")
    subprocess.run([folder / "deploy" / "prepare", NAME], check=True, capture_output=True)
    home = folder / "deploy" / "nginx"
    shutil.copytree(folder / "deploy" / "private" / "proxy", home / "private")
    text = (home / "nginx.conf").read_text(encoding="utf-8")
    scratch = folder / "scratch"
    scratch.mkdir(mode=0o777)
    (home / "nginx.conf").write_text(
        text.replace("/tmp/", f"{scratch}/").replace("listen 8443", f"listen 127.0.0.1:{port}"), encoding="utf-8"
    )
    text = (home / "upstream.conf").read_text(encoding="utf-8")
    (home / "upstream.conf").write_text(text.replace("aml-cds:8080", upstream), encoding="utf-8")
    return home


@contextmanager
def nginx(home: Path) -> Iterator[None]:
    command = [str(NGINX), "-c", str(home / "nginx.conf"), "-p", str(home), "-e", "stderr"]
    as_we_are = "" if subprocess.run(["id", "-u"], capture_output=True, check=True).stdout != b"0\n" else "user root;"
    checked = subprocess.run([*command, "-g", as_we_are, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    process = subprocess.Popen([*command, "-g", f"daemon off; {as_we_are}"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with service(ALLOWED_HOSTS=NAME) as url:
        home = prepared(folder, port, url.removeprefix("http://"))
        with nginx(home):
            running = Proxy(port, ssl.create_default_context(cafile=str(home / "private" / "tls.crt")))
            until = time.monotonic() + 10
            while time.monotonic() < until:
                try:
                    running.open().close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield running


@pytest.fixture(scope="module")
def call() -> bytes:
    return next(each for story in samples.stories() for each in story.samples if each.name == "sign").body


def test_a_call_passes_and_so_does_what_the_service_says_of_safety(proxy, call):
    status, headers, body = proxy.ask("POST", CALL, call)
    assert status == 200 and b'"cards"' in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "max-age" in headers["Strict-Transport-Security"] and "nginx/" not in headers["Server"]


@pytest.mark.parametrize("path", [
    "/metrics", "/healthz", "/readyz", "/readyz/calls", "/governance",
    "/metrics/", "/healthz/", "/readyz/", "/readyz/calls/", "/governance/", "//metrics", "/%6Detrics", "/x/../healthz",
])
def test_what_is_for_the_inside_stays_there(proxy, path):
    assert proxy.ask("GET", path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/why/rule/qtcHold", "/knowledge", "/static/plain.css"])
def test_what_cards_link_and_what_the_service_knows_is_open(proxy, path):
    assert proxy.ask("GET", path)[0] == 200


def test_another_name_gets_no_answer(proxy):
    with proxy.open() as line:
        line.sendall(b"GET /cds-services HTTP/1.1\r\nHost: other.example\r\n\r\n")
        assert line.recv(100) == b""


def test_what_a_caller_claims_of_itself_stays_outside(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        home = prepared(tmp_path, port, f"127.0.0.1:{listening.getsockname()[1]}")
        with nginx(home):
            proxy = Proxy(port, ssl.create_default_context(cafile=str(home / "private" / "tls.crt")))
            time.sleep(0.5)
            with proxy.open() as line:
                told = "".join(f"{name}: 127.0.0.1\r\n" for name in CLAIMS)
                line.sendall(f"GET /cds-services HTTP/1.1\r\nHost: {NAME}\r\n{told}\r\n".encode())
                listening.settimeout(10)
                upstream, _ = listening.accept()
                with upstream:
                    passed = upstream.recv(65536).decode().lower()
    assert f"host: {NAME}" in passed and "via: 1.1 aml-cds" in passed  # METRICS and PAGES=loopback close to it
    assert not [name for name in CLAIMS if name.lower() in passed]


def test_a_body_beyond_all_measure_is_refused(proxy):
    with proxy.open() as line:
        line.sendall(f"POST {CALL} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 99999999\r\n\r\n".encode())
        assert b" 413 " in line.recv(200)


def test_sixty_callers_who_send_half_hold_up_nobody(proxy, call):
    head = f"POST {CALL} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {len(call)}\r\n\r\n".encode()
    with ExitStack() as held:
        slow = [held.enter_context(proxy.open()) for _ in range(SLOW)]
        for number, line in enumerate(slow):
            line.sendall(head[:40] if number % 2 else head + call[: len(call) // 2])
        took = []
        for _ in range(20):
            started = time.monotonic()
            assert proxy.ask("POST", CALL, call)[0] == 200
            took.append(time.monotonic() - started)
        assert max(took) <= PATIENCE
        until = time.monotonic() + 20
        for line in slow:  # and are let go after 10 seconds
            line.settimeout(max(0.1, until - time.monotonic()))
            answer = line.recv(200)
            assert answer == b"" or b" 408 " in answer
