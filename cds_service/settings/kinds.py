"""Kinds: what a setting's value has to look like, in words and as a reader. A reader raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cds_service.errors import SettingsError
from cds_service.security.outbound import proxy_address, require_certificates

DEMO = "demo"
HOSPITAL = "hospital"
JSON = "json"
OFF, LOOPBACK, ON = "off", "loopback", "on"
SIGNED, LOGIN, OPEN = "signed", "login", "open"
JURISDICTIONS = ("US", "EU", "JP")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value has to look like: in words, and as a reader that raises ValueError."""

    expectation: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table."""

    name: str
    default: str
    help: str
    kind: Kind

    @property
    def field(self) -> str:
        """The name of this setting in `Settings`."""
        return self.name.lower()

    def read(self, env: Mapping[str, str]) -> Any:
        """The value in `env`, else the default. Raises SettingsError."""
        given = env.get(self.name, "").strip()
        try:
            return self.kind.read(given or self.default)
        except ValueError:
            raise SettingsError(
                f"{self.name} is '{_shown(given)}', expected {self.kind.expectation}: correct it, or unset it for "
                f"{'the default ' + self.default if self.default else 'no value'}"
            ) from None


def _shown(given: str) -> str:
    return "…" if "@" in given else given  # a URL may hold a password


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def choice(*words: str) -> Kind:
    """One of these words, in any case."""
    def read(text: str) -> str:
        found = {word.upper(): word for word in words}.get(text.upper())
        if found is None:
            raise ValueError(text)
        return found

    return Kind("one of " + ", ".join(words), read)


def within(number: type[int] | type[float], low: float, high: float, unit: str) -> Kind:
    """A number between these two, both included."""
    def read(text: str) -> int | float:
        value = number(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return Kind(f"{unit} from {low} to {high}", read)


def _rate(text: str) -> tuple[int, str] | None:
    found = re.fullmatch(r"([1-9]\d{0,5})/(second|minute|hour)", text)
    if found is None and text != "0":
        raise ValueError(text)
    return (int(found[1]), found[2]) if found else None


RATE = Kind("0 for no limit, or a rate such as 120/minute (second, minute, hour)", _rate)


def log_format(text: str) -> str:
    """How log lines are written; "" where the mode decides."""
    return str(choice(JSON, "text").read(text)) if text else ""


def flag(text: str) -> bool:
    """0 or 1."""
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


def on_or_off(text: str) -> bool | None:
    """Whether it is on; None where the mode decides."""
    return choice("on", "off").read(text) == "on" if text else None


def jurisdiction(text: str) -> str | None:
    """Whose labels apply; None where none is named."""
    return str(choice(*JURISDICTIONS).read(text)) if text else None


def host(text: str) -> str:
    """A host name or address to listen on."""
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", text):
        raise ValueError(text)
    return text


def hosts(text: str) -> tuple[str, ...]:
    """Names of hosts, between commas, in small letters."""
    return tuple(host(name).lower() for name in _split(text))


def _url(text: str) -> str:
    parts = urlsplit(text)
    bare = not (parts.query or parts.fragment or "@" in parts.netloc or any(letter.isspace() for letter in text))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or not bare:
        raise ValueError(text)
    return text.rstrip("/")


def urls(text: str) -> tuple[str, ...]:
    """Addresses, between commas, without query, fragment and password."""
    return tuple(_url(url) for url in _split(text))


def origins(text: str) -> tuple[str, ...]:
    """Origins of browsers: addresses without a path, in small letters."""
    found = tuple(url.lower() for url in urls(text))
    if any(urlsplit(origin).path for origin in found):
        raise ValueError(text)
    return found


def public_url(text: str) -> str:
    """An address; "" where none is set."""
    return _url(text) if text else ""


def folder(text: str) -> Path | None:
    """A folder that is there; None where none is named."""
    if text and not Path(text).is_dir():
        raise ValueError(text)
    return Path(text) if text else None


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """Whose cards are written in which profile; a tenant "" is any of the issuer."""

    issuer: str
    tenant: str
    profile: str


def client_profiles(text: str) -> tuple[ClientProfile, ...]:
    """Pairs of caller and profile, between commas; each caller once."""
    found = tuple(_client_profile(pair) for pair in _split(text))
    if len({(each.issuer, each.tenant) for each in found}) < len(found):
        raise ValueError(text)  # one of two answers would silently win
    return found


def _client_profile(pair: str) -> ClientProfile:
    caller, _, profile = pair.rpartition("=")
    issuer, mark, tenant = (part.strip() for part in caller.partition("#"))
    if not profile.strip() or (mark and not tenant):
        raise ValueError(pair)
    return ClientProfile(_url(issuer), tenant, profile.strip())


def file(text: str) -> Path | None:
    """A file that is there; None where none is named."""
    if text and not Path(text).is_file():
        raise ValueError(text)
    return Path(text) if text else None


def digest(text: str) -> str:
    """A SHA-256 in hexadecimal digits; "" where none is set."""
    if text and not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise ValueError(text)
    return text.lower()


def certificates(text: str) -> Path | None:
    """A file of certificates that can be read; None where none is named."""
    found = file(text)
    if found is not None:
        require_certificates(found)
    return found


def proxy(text: str) -> str:
    """The address of a proxy; "" where none is set."""
    return proxy_address(text) if text else ""


def store(text: str) -> str:
    """The URL of a database, without a password; "" for the one in `DATA`."""
    parts = urlsplit(text)
    if not text or (parts.scheme == "sqlite" and text.startswith("sqlite:///") and parts.path.strip("/")):
        return text
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/") or parts.password is not None:
        raise ValueError(text)
    return text.replace("postgres://", "postgresql://", 1)


def pages(text: str) -> str:
    """Who sees the pages; "" where the mode decides."""
    if text not in ("", OFF, LOOPBACK, ON):
        raise ValueError(text)
    return text


def zone(text: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    try:
        return ZoneInfo(text)
    except (OSError, LookupError):
        raise ValueError(text) from None
