"""Tenants: the hospitals that may call, each known by the issuer of its tokens. Read once, from the file of a setting.

The file is TOML, one `[[tenant]]` for each hospital:

    [[tenant]]
    name = "north"                                        # how logs and counts name it
    issuer = "https://ehr.north.example/oauth2"           # the exact `iss` of its tokens
    jwks_url = "https://ehr.north.example/oauth2/jwks"    # where its public keys are, or:
    # jwks_file = "north-jwks.json"                       # ... a file beside this one, for sites without a way out
    jurisdiction = "EU"                                   # whose labels apply
    fhir_servers = ["https://ehr.north.example/fhir/r4"]  # base URLs that may be asked for its patients
    fhir_in_the_clear = false                             # true: http:// beyond this machine, synthetic patients only
    audiences = []                                        # further `aud` values, where an EHR has its own typed in
    algorithms = ["ES384", "RS384"]                       # the default
    overlay = "north"                                     # its own knowledge, a folder beside this file
    overlay_sha256 = "…"                                  # the digest that this folder must have (aml-cds diff)
    replay = "refuse"                                     # a token seen before: "refuse" (default) or "record" only
    ca_bundle = "north-ca.pem"                            # who certifies its servers: a file beside this one
    proxy = "http://proxy.north.example:3128"             # the way to its servers; "" is straight
    proxy_password_file = "north-proxy"                   # one line user:password, a file beside this one
    proxy_not_for = [".inside.north.example"]             # hosts that are asked straight all the same

A fault in the file stops the start, with the entry, the key and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.errors import SettingsError
from cds_service.security.fhir_servers import AllowedServers, in_the_clear
from cds_service.security.outbound import Way, credentials_in, proxy_address, require_certificates
from cds_service.security.toml_file import entries_in

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
USUAL = ("ES384", "RS384")
# Its private key stands in the public repository of the CDS Hooks Sandbox: anybody can sign for it.
SANDBOX_ISSUER = "https://sandbox.cds-hooks.org"
_KEYS = {
    "name", "issuer", "jwks_url", "jwks_file", "jurisdiction", "fhir_servers", "audiences", "algorithms", "overlay",
    "replay", "overlay_sha256", "fhir_in_the_clear", "ca_bundle", "proxy", "proxy_password_file", "proxy_not_for",
}  # fmt: skip
NAME = re.compile(r"[\w .,:;'’&()\[\]+/-]{1,64}")  # logs repeat no other
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_REPLAY = ("refuse", "record")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One hospital: whose tokens, which keys, whose labels, which servers."""

    name: str
    issuer: str
    jwks_url: str | None
    jwks_file: Path | None
    jurisdiction: str
    fhir_servers: tuple[str, ...]
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    overlay: Path | None
    overlay_sha256: str  # the digest that it must have; "" for any
    refuses_replay: bool
    way: Way  # to its servers and its keys


def read_tenants(path: Path, jurisdictions: tuple[str, ...], way: Way) -> tuple[Tenant, ...]:
    """The tenants in the file at `path`. `way`: out of the house, for those who have none of their own.

    Raises SettingsError.
    """
    wanted = "holds no hospital: write one [[tenant]] for each, and nothing else"
    entries = entries_in(path, "TENANTS", "tenant", wanted)
    read = (_Entry(path, position, entry, jurisdictions, way) for position, entry in enumerate(entries, 1))
    tenants = tuple(each.read() for each in read)
    for what, values in (("issuer", [each.issuer for each in tenants]), ("name", [each.name for each in tenants])):
        if len(set(values)) != len(values):
            raise SettingsError(f"TENANTS: two tenants have the same {what}: give each its own")
    return tenants


class _Entry:
    """One `[[tenant]]`, read key by key."""

    def __init__(self, path: Path, position: int, entry: Any, jurisdictions: tuple[str, ...], way: Way) -> None:
        self.path, self.position, self.jurisdictions, self.usual_way = path, position, jurisdictions, way
        if not isinstance(entry, dict):
            raise self.wrong("tenant", "a table")
        self.entry: Mapping[str, Any] = entry

    def wrong(self, key: str, expected: str) -> SettingsError:
        return SettingsError(f"TENANTS: {self.path.name}, tenant {self.position}, '{key}': expected {expected}")

    def read(self) -> Tenant:
        unknown = sorted(self.entry.keys() - _KEYS)
        if unknown:
            raise self.wrong(unknown[0], f"one of {', '.join(sorted(_KEYS))}")
        url, file = self.entry.get("jwks_url"), self.entry.get("jwks_file")
        if (url is None) == (file is None):
            raise self.wrong("jwks_url", "either this or jwks_file, not both and not neither")
        return Tenant(
            name=self.name(),
            issuer=self.issuer(),
            jwks_url=self.https("jwks_url") if url is not None else None,
            jwks_file=self.beside("jwks_file", Path.is_file, "a file beside this one") if file is not None else None,
            jurisdiction=self.choice("jurisdiction", self.jurisdictions, None),
            fhir_servers=self.servers(),
            audiences=self.texts("audiences", ()),
            algorithms=self.algorithms(),
            overlay=self.beside("overlay", Path.is_dir, "a folder beside this file") if self.has("overlay") else None,
            overlay_sha256=self.digest(),
            refuses_replay=self.choice("replay", _REPLAY, "refuse") == "refuse",
            way=self.way(),
        )

    def has(self, key: str) -> bool:
        return key in self.entry

    def text(self, key: str, expected: str) -> str:
        value = self.entry.get(key)
        if not isinstance(value, str) or not value.strip() or value != value.strip() or len(value) > 500:
            raise self.wrong(key, expected)
        return value

    def name(self) -> str:
        expected = "a name of 64 characters at most: letters, digits, blanks and . , : ; ' & ( ) [ ] + / - _"
        name = self.text("name", expected)
        if not NAME.fullmatch(name):
            raise self.wrong("name", expected)
        return name

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.entry.get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def choice(self, key: str, choices: tuple[str, ...], default: str | None) -> str:
        value = self.entry.get(key, default)
        if value not in choices:
            raise self.wrong(key, f"one of {', '.join(choices)}")
        return str(value)

    def issuer(self) -> str:
        issuer = self.text("issuer", "the exact `iss` of its tokens")
        if issuer.rstrip("/") == SANDBOX_ISSUER:
            raise self.wrong("issuer", "an issuer with a secret key: the Sandbox's is public, use it in demo mode only")
        return issuer

    def https(self, key: str) -> str:
        url = self.text(key, "an https URL")
        try:
            parts = urlsplit(url)
            sound = parts.port != 0 and not any(letter.isspace() for letter in url)
        except ValueError:
            raise self.wrong(key, "an https URL that can be read") from None
        if parts.hostname == urlsplit(SANDBOX_ISSUER).hostname:
            raise self.wrong(key, "keys of the hospital's own: the Sandbox's private key is public, anybody can sign")
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        sound = sound and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment
        if not sound or not (parts.scheme == "https" or local):
            raise self.wrong(key, "an https URL without user name and fragment")
        return url

    def beside(self, key: str, exists: Any, expected: str) -> Path:
        found = self.path.parent / self.text(key, expected)
        if not exists(found):
            raise self.wrong(key, expected)
        return found

    def servers(self) -> tuple[str, ...]:
        servers = self.texts("fhir_servers", ())
        try:
            AllowedServers.read(",".join(servers), loopback=False)
        except SettingsError as fault:
            raise self.wrong("fhir_servers", str(fault).removeprefix("FHIR_SERVERS, ")) from None
        allowed = self.entry.get("fhir_in_the_clear", False)
        if not isinstance(allowed, bool):
            raise self.wrong("fhir_in_the_clear", "true or false, without quotation marks")
        if not allowed and any(map(in_the_clear, servers)):
            raise self.wrong(
                "fhir_servers",
                "https:// beyond this machine: over http:// tokens and charts can be read on the way. Use https, or "
                "for synthetic patients on a network of your own write fhir_in_the_clear = true",
            )
        return servers

    def digest(self) -> str:
        told = str(self.entry.get("overlay_sha256", ""))
        if self.has("overlay_sha256") and not (self.has("overlay") and _DIGEST.fullmatch(told)):
            raise self.wrong("overlay_sha256", "64 hexadecimal digits, and an 'overlay' beside it")
        return told.lower()

    def way(self) -> Way:
        ca_bundle, usual = self.usual_way.ca_bundle, self.usual_way
        if self.has("ca_bundle"):
            expected = "a file of certificates (PEM) beside this one"
            ca_bundle = self.beside("ca_bundle", Path.is_file, expected)
            try:
                require_certificates(ca_bundle)
            except ValueError:
                raise self.wrong("ca_bundle", expected) from None
        if not self.has("proxy"):
            for key in ("proxy_password_file", "proxy_not_for"):
                if self.has(key):
                    raise self.wrong(key, "'proxy' beside it")
            return replace(usual, ca_bundle=ca_bundle)
        return Way(ca_bundle, self.proxy(), self.hosts("proxy_not_for"), self.credentials())

    def proxy(self) -> str:
        told = self.entry["proxy"]
        try:
            return proxy_address(told) if told != "" else ""
        except (ValueError, TypeError, AttributeError):
            expected = "an address such as http://proxy.example.org:3128 without a user, or \"\" for none"
            raise self.wrong("proxy", expected) from None

    def hosts(self, key: str) -> tuple[str, ...]:
        hosts = self.texts(key, ())
        if not all(re.fullmatch(r"[A-Za-z0-9.:-]+", each) for each in hosts):
            raise self.wrong(key, "host names without scheme and port")
        return tuple(each.lower() for each in hosts)

    def credentials(self) -> str:
        if not self.has("proxy_password_file"):
            return ""
        try:
            return credentials_in(self.beside("proxy_password_file", Path.is_file, "a file beside this one"))
        except SettingsError as fault:
            raise self.wrong("proxy_password_file", str(fault)) from None

    def algorithms(self) -> tuple[str, ...]:
        algorithms = self.texts("algorithms", USUAL)
        if not algorithms or set(algorithms) - set(ALGORITHMS):
            raise self.wrong("algorithms", f"some of {', '.join(ALGORITHMS)}")
        return algorithms
