"""A hospital's network in small: an authority of its own, servers certified by it, and a proxy that leads to them."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
PEM = serialization.Encoding.PEM
SIGNS = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


class Authority:
    """Certifies servers, as a hospital's own does: what RFC 5280 asks of it is there, as Python 3.13 on insists."""

    def __init__(self, name: str = "an authority of the house", complete: bool = True) -> None:
        self._complete = complete  # else an old one, without identifiers of keys
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._made = self._signed(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0), SIGNS
        )

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *more: x509.ExtensionType
    ) -> x509.Certificate:
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=30))
        )  # fmt: skip
        identifiers = (
            x509.SubjectKeyIdentifier.from_public_key(key),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
        )
        for each in (*(identifiers if self._complete else ()), *more):
            made = made.add_extension(each, critical=isinstance(each, (x509.BasicConstraints, x509.KeyUsage)))
        return made.sign(self._key, hashes.SHA256())

    def bundle(self, folder: Path, name: str = "authority.pem") -> Path:
        """Its own certificate, in a file."""
        (folder / name).write_bytes(self._made.public_bytes(PEM))
        return folder / name

    def certifies(self, folder: Path, *hosts: str) -> ssl.SSLContext:
        """What a server under these names shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])
        made = self._signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]), key.public_key(), names)
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file = folder / f"{hosts[0]}.pem"
        file.write_bytes(private + made.public_bytes(PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@dataclass
class Heard:
    """What a server or a proxy was told: first lines, and headers by their small names."""

    port: int
    lines: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def note(self, handler: BaseHTTPRequestHandler) -> None:
        self.lines.append(handler.requestline)
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})


@contextmanager
def serving(body: bytes, context: ssl.SSLContext | None = None) -> Iterator[Heard]:
    """A server on this machine that answers everything with that JSON."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            heard.note(self)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with _listening(Answers, context) as heard:
        yield heard


@contextmanager
def proxying(
    to: int, credentials: str = "", drips: bool = False, context: ssl.SSLContext | None = None
) -> Iterator[Heard]:
    """A proxy on this machine that leads every name to that port. `drips`: it never ends its answer to CONNECT."""

    class Leads(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        expected: ClassVar[str] = credentials

        def _refused(self) -> bool:
            heard.note(self)
            if self.headers.get("Proxy-Authorization", "") == self.expected:
                return False
            self.send_error(407)
            return True

        def do_CONNECT(self) -> None:
            if drips:
                return _drip(self)
            if self._refused():
                return None
            with socket.create_connection(("127.0.0.1", to)) as inner:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _both_ways(self.connection, inner)
            self.close_connection = True
            return None

        def do_GET(self) -> None:
            if self._refused():
                return
            path = "/" + self.path.partition("//")[2].partition("/")[2]
            passed_on = {name: value for name, value in self.headers.items() if "proxy" not in name.lower()}
            told = "".join(f"{name}: {value}\r\n" for name, value in passed_on.items())
            with socket.create_connection(("127.0.0.1", to)) as inner:
                inner.sendall(f"GET {path} HTTP/1.0\r\n{told}\r\n".encode())
                while piece := inner.recv(65536):
                    self.wfile.write(piece)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with _listening(Leads, context) as heard:
        yield heard


def _drip(handler: BaseHTTPRequestHandler) -> None:
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 ")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)


def _both_ways(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while True:
            for ready in select.select([one, other], [], [], 5)[0]:
                piece = ready.recv(65536)
                if not piece:
                    return
                (other if ready is one else one).sendall(piece)


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> Iterator[Heard]:
    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A caller that does not trust us goes: nothing to tell."""

    server = Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield Heard(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
