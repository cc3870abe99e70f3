"""Whom we may ask: the FHIR servers of a setting and, in demo mode, those of this very machine.

An address is taken apart once and compared part by part, never as text. Anything odd is refused, not mended: two
readers of one odd address may see two different hosts. No reason repeats the address: it may hold a password or an id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from cds_service.errors import SettingsError

_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[\x21-\x7e]+")  # what an address may hold: no blanks, control characters or letters beyond ASCII
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_METADATA = IPv6Address("fd00:ec2::254")  # of a cloud, and not link-local
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a host that ends so is read as an IP address by some, as a name by others


@dataclass(frozen=True)
class AllowedServers:
    """The FHIR servers that we may ask: `listed` base URLs, and those on this machine when `loopback` is set."""

    listed: tuple[str, ...]
    loopback: bool
    where: str = "setting FHIR_SERVERS"  # they are listed, for whoever has to add one

    @classmethod
    def read(cls, text: str, loopback: bool) -> AllowedServers:
        """The base URLs in `text`, between commas or blanks. Raises SettingsError, naming the entry by its position."""
        listed = tuple(text.replace(",", " ").split())
        for position, entry in enumerate(listed, start=1):
            try:
                _base(entry)
            except _Odd as odd:
                raise SettingsError(
                    f"FHIR_SERVERS, entry {position}: {odd}. "
                    "Write base URLs such as https://ehr.example.org/fhir, with commas between them."
                ) from None
        return cls(listed, loopback)

    def refusal(self, url: str) -> str | None:
        """Why the FHIR server at `url` may not be asked, in words; None when it may."""
        try:
            asked = _base(url)
        except _Odd as odd:
            return f"the FHIR server's address cannot be accepted: {odd}"
        if self.loopback and asked.is_loopback:
            return None
        if any(_is_under(entry, asked) for entry in self.listed):
            return None
        return f"the FHIR server is not one of those that this service may ask ({self.where})"


def same_server(base: str, url: str) -> bool:
    """Whether `url` lies on the server with the base URL `base`: same scheme, host and port, and a path below."""
    try:
        return _is_under(base, _place(url))
    except _Odd:
        return False


def in_the_clear(base: str) -> bool:
    """Whether what is asked there goes over a network without TLS. `base`: a base URL that `read` took."""
    place = _base(base)
    return place.scheme == "http" and not place.is_loopback


def is_forbidden(address: str) -> bool:
    """Whether nobody may be asked at this IP address, whatever name led there: it is where clouds keep their keys."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    return found.is_link_local or found == _METADATA


class _Odd(Exception):
    """What is odd about an address, in words that do not repeat it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The parts of an address that decide where a request goes."""

    scheme: str
    host: str | IPv4Address | IPv6Address
    port: int
    path: str

    @property
    def is_loopback(self) -> bool:
        """On this very machine."""
        return self.host == "localhost" if isinstance(self.host, str) else self.host.is_loopback

    def holds(self, other: _Place) -> bool:
        """Whether `other` lies here or below. The border is that of a path segment: /fhir does not hold /fhir2."""
        same = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return same and f"{other.path}/".startswith(f"{self.path}/")


def _is_under(base: str, place: _Place) -> bool:
    try:
        return _base(base).holds(place)
    except _Odd:
        return False


def _base(url: str) -> _Place:
    """The place of a base URL. A base has no query."""
    place = _place(url)
    if "?" in url:
        raise _Odd("it has a query, which a base URL has not")
    return place


def _place(url: str) -> _Place:
    """Where `url` leads. Raises _Odd for every address that two readers could understand differently."""
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise _Odd("it is empty or holds characters that no address has")
    if "#" in url:
        raise _Odd("it has a fragment ('#')")
    parts = _split(url)
    if parts.scheme not in _PORTS:
        raise _Odd("it does not begin with http:// or https://")
    if "@" in parts.netloc:
        raise _Odd("it holds a user name or a password")
    found = _HOST_AND_PORT.fullmatch(parts.netloc)
    if found is None:
        raise _Odd("its host or port cannot be read")
    return _Place(parts.scheme, _host(found["host"].lower()), _port(found["port"], parts.scheme), _path(parts.path))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _Odd("its host or port cannot be read") from None


def _host(text: str) -> str | IPv4Address | IPv6Address:
    """A name in lower case, or an IP address in its one usual spelling."""
    try:
        if text.startswith("["):
            return _usable(IPv6Address(text.strip("[]")))
        if _NUMBER.fullmatch(text.rpartition(".")[2]):
            return _usable(IPv4Address(text))
    except AddressValueError:
        raise _Odd("its host is an IP address in an unusual spelling") from None
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise _Odd("its host is not a plain name")
    return text


def _usable(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """`address`, unless it stands for another one or for no FHIR server (link-local: where clouds keep their keys)."""
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        raise _Odd("its host is an IPv4 address dressed as IPv6")
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        raise _Odd("its host is an address that no FHIR server has")
    return address


def _port(text: str | None, scheme: str) -> int:
    port = int(text) if text else _PORTS[scheme]
    if not 0 < port <= 65535:
        raise _Odd("its port is not between 1 and 65535")
    return port


def _path(text: str) -> str:
    """The path without its last slash. What could climb out of the base on some server is refused."""
    if any(_climbs(unquote(segment)) for segment in text.split("/")):
        raise _Odd("its path climbs ('..') or hides a slash")
    return text.rstrip("/")


def _climbs(segment: str) -> bool:
    """A dot segment (Java servers cut "..;x" down to ".."), a slash that was encoded, or something encoded twice."""
    return segment.partition(";")[0] in (".", "..") or any(mark in segment for mark in "/\\%")
