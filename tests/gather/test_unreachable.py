"""A FHIR server behind a wrong certificate, an unknown name or a closed port: said in words, quickly, no token sent."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import FhirSession
from cds_service.gather.replies import Status
from cds_service.hooks.request import FhirAccess
from cds_service.security.outbound import Way

NOW = datetime.now(UTC)
TOKEN = "opaque-token"


def certificate(folder: Path, name: str, until: datetime) -> Path:
    """A certificate for that name, signed by itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30)).not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / "both.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def over_tls(file: Path) -> Iterator[tuple[str, list[bytes]]]:
    """A server with that certificate, and what it was told after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = door.accept()
                    with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                        heard.append(secure.recv(4096))
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://localhost:{door.getsockname()[1]}/fhir", heard
        door.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def asked(base: str, trusted: Path | None = None) -> tuple[str, float]:
    """Why nothing came, and after how many seconds."""
    session, began = FhirSession(Limits(), Way(trusted)), time.monotonic()
    query = {"a": "Observation?patient=p1"}
    (answered,) = session.ask_all(FhirAccess(base, TOKEN), query, Deadline(2, time.monotonic)).values()
    assert (answered.status, answered.well) == (Status.FAILED, False)
    return answered.why, time.monotonic() - began


@pytest.mark.parametrize("name, days, trusted", [
    ("localhost", 30, False), ("elsewhere.example.org", 30, True), ("localhost", -1, True),
], ids=["nobody trusts it", "another name", "expired"])  # fmt: skip
def test_a_certificate_that_is_not_right_gets_no_token(tmp_path, name, days, trusted):
    file = certificate(tmp_path, name, NOW + timedelta(days=days))
    with over_tls(file) as (base, heard):
        why, took = asked(base, file if trusted else None)
    assert why == "no secure connection to the FHIR server could be made (certificate or TLS)"
    assert took < 1.5 and not any(heard)


def test_one_that_is_right_is_read(tmp_path):
    file = certificate(tmp_path, "localhost", NOW + timedelta(days=30))
    with over_tls(file) as (base, heard):
        why, _ = asked(base, file)
    assert why == "the FHIR server broke off its answer" and TOKEN.encode() in heard[0]


@pytest.mark.parametrize("base", ["http://nowhere.invalid/fhir", "http://127.0.0.1:9/fhir"])
def test_a_name_or_port_that_is_not_there_is_said_at_once(base):
    why, took = asked(base)
    assert why == "the FHIR server could not be reached" and took < 1.5


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "::ffff:169.254.169.254"])
def test_a_name_that_leads_to_where_clouds_keep_keys_is_told_nothing(monkeypatch, address):
    ours, theirs = socket.socketpair()
    made = SimpleNamespace(family=socket.AF_INET, getpeername=lambda: (address, 80), close=ours.close)
    monkeypatch.setattr("urllib3.util.connection.create_connection", lambda *_, **__: made)
    why, _ = asked("http://ehr.example.org/fhir")
    assert why == "the FHIR server could not be reached"
    with theirs:
        assert theirs.recv(100) == b""
