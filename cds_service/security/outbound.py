"""Outbound: the way out of the house. Whose certificates are trusted, and through which proxy a request goes.

Both are told by the hospital's settings and by nothing else: the environment of the machine is never read. A proxy's
user and password stand in a file, go to the proxy alone, and are in no address, so that no error can repeat them.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from cds_service.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Way:
    """How we get out. Without anything: straight, trusting the authorities that come with `requests`.

    `straight`: hosts that are asked without the proxy; one that begins with a dot stands for every host below it.
    This machine always is.
    """

    ca_bundle: Path | None = None  # instead of those authorities
    proxy: str = ""  # http(s)://host:port
    straight: tuple[str, ...] = ()
    credentials: str = field(default="", repr=False)  # for the proxy, user:password

    @property
    def trusted(self) -> str | bool:
        """What `requests` is to verify with. Nothing ever switches that off."""
        return str(self.ca_bundle) if self.ca_bundle else True

    def proxies(self, url: str) -> dict[str, str]:
        """The proxy for that address, as `requests` wants it; empty when it is asked straight."""
        host = (urlsplit(url).hostname or "").lower()
        if not self.proxy or _is_here(host) or any(_covers(each, host) for each in self.straight):
            return {}
        return {"http": self.proxy, "https": self.proxy}

    def open(self, session: requests.Session) -> requests.Session:
        """Let that session go this way and no other: no environment, no .netrc."""
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, Outbound(self))
        return session


class Outbound(HTTPAdapter):
    """Where `requests` goes out: whatever a session says, certificates and proxy are those of the way."""

    def __init__(self, way: Way, **more: Any) -> None:
        self._way = way
        super().__init__(**more)

    def send(self, request: requests.PreparedRequest, *_: Any, **how: Any) -> requests.Response:
        """Send it, verified and through the proxy that the way says."""
        how |= {"verify": self._way.trusted, "proxies": self._way.proxies(request.url or "")}
        return super().send(request, **how)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """What the proxy is told, and nobody behind it."""
        told = self._way.credentials
        return {"Proxy-Authorization": f"Basic {b64encode(told.encode()).decode()}"} if told else {}


def credentials_in(path: Path | None) -> str:
    """The proxy's user and password in that file, one line `user:password`; "" without one. Raises SettingsError."""
    if path is None:
        return ""
    try:
        told = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path.name} cannot be read: expected one line user:password, for the proxy") from None
    user, _, password = told.partition(":")
    if not user or not password or not told.isprintable():
        raise SettingsError(f"{path.name} holds something else: expected one line user:password, for the proxy")
    return told


def require_certificates(path: Path) -> None:
    """Raise ValueError unless that file holds certificates (PEM), and each of them can be read."""
    from cryptography.x509 import load_pem_x509_certificates  # needed by few: a bundle of one's own is a setting

    try:
        load_pem_x509_certificates(path.read_bytes())
    except OSError as fault:
        raise ValueError("no file that can be read") from fault


def proxy_address(text: str) -> str:
    """The address of a proxy. Raises ValueError when it is none, also when it holds a user or a password."""
    parts = urlsplit(text)
    bare = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.port or not bare:
        raise ValueError("no address of a proxy")
    return text.rstrip("/")


def _covers(entry: str, host: str) -> bool:
    return host.endswith(entry) if entry.startswith(".") else host == entry


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
