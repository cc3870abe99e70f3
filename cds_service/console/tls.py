"""TLS: how a server proves who it is, and for how long it still can."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

_SECONDS = 10.0


def why_not_trusted(fault: BaseException) -> str:
    """Why a certificate was not trusted, in the words of the TLS library ("certificate has expired"); "" without any.

    From Python 3.13 on an authority must also say what RFC 5280 asks of it ("Missing Authority Key Identifier").
    """
    seen: list[BaseException] = [fault]
    for each in seen:
        if isinstance(each, ssl.SSLCertVerificationError):
            return str(each.verify_message)
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        seen += [one for one in inner if isinstance(one, BaseException) and one not in seen]
    return ""


def certificate(host: str, port: int, ca_bundle: Path | None) -> tuple[str, int]:
    """The protocol spoken, and the days for which the certificate is still valid. Raises OSError or ValueError.

    Trusted are the authorities in `ca_bundle`; without one those that the service itself trusts.
    """
    context = ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        shown = secure.getpeercert() or {}
        protocol = secure.version() or "TLS"
    ends = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return protocol, int((ends - time.time()) // 86_400)
