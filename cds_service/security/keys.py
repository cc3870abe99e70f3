"""The public keys of a tenant: from a file, or from its JWKS address, kept and asked for again when a key is new.

An outage of that address must not lock a hospital out, and a stranger's made-up key ids must not make us ask it all the
time: the last good set serves for a day, and nobody is asked more than once in half a minute. (RFC 7517)
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cds_service.errors import SettingsError

log = logging.getLogger(__name__)

REFRESH_SECONDS = 3600.0  # how long a set is used before it is asked for again
STALE_SECONDS = 24 * 3600.0  # how long the last good set serves when the address does not answer
PAUSE_SECONDS = 30.0  # between two attempts, whoever asks for whatever key
TIMEOUT_SECONDS = 2.0
LARGEST_SET = 256 * 1024
RSA_BITS = 2048
_CURVES = {"ES384": "secp384r1", "ES256": "secp256r1"}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Keys(Protocol):
    """Where a tenant's public keys come from."""

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key of this id that can verify this algorithm, if there is one."""


class KeySet:
    """One JWK Set, each key held to what it may be used for."""

    def __init__(self, content: Any) -> None:
        entries = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise ValueError("a JSON object with a list 'keys'")
        self._entries = tuple(each for each in entries if isinstance(each, dict))

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key of this id that can verify this algorithm, if there is one."""
        for entry in self._entries:
            if entry.get("kid") == kid and entry.get("alg", algorithm) == algorithm and _to_sign(entry):
                key = _public(entry, algorithm)
                if key is not None:
                    return key
        return None

    def __len__(self) -> int:
        return len(self._entries)


def _to_sign(entry: Mapping[str, Any]) -> bool:
    return entry.get("use", "sig") == "sig" and entry.get("kty") in ("RSA", "EC")


def _public(entry: Mapping[str, Any], algorithm: str) -> PublicKey | None:
    """The key, if it is of the kind and the strength that the algorithm wants; a private part is left aside."""
    public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "alg")}
    try:
        key = jwt.PyJWK.from_dict(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, rsa.RSAPublicKey):
        return key if algorithm.startswith("RS") and key.key_size >= RSA_BITS else None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key if key.curve.name == _CURVES.get(algorithm) else None
    return None


def from_file(path: Path) -> KeySet:
    """The keys in a file. Raises SettingsError."""
    try:
        found = KeySet(json.loads(path.read_bytes()))
    except (OSError, ValueError) as fault:
        raise SettingsError(f"TENANTS: {path.name} is no JWK Set ({fault}): a JSON object with a list 'keys'") from None
    if not len(found):
        raise SettingsError(f"TENANTS: {path.name} holds no key")
    return found


class RemoteKeys:
    """The keys at an address, kept. Safe for threads; one of them asks while the others use what there is."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self.url = url
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False
        self._asking = threading.Lock()
        self._set: KeySet | None = None
        self._good = self._tried = float("-inf")

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key of this id that can verify this algorithm, if there is one."""
        if self._clock() - self._good > REFRESH_SECONDS:
            self._ask()
        key = self._held(kid, algorithm)
        if key is None and self._ask():
            key = self._held(kid, algorithm)
        return key

    def _held(self, kid: str, algorithm: str) -> PublicKey | None:
        if self._set is None or self._clock() - self._good > STALE_SECONDS:
            return None
        return self._set.find(kid, algorithm)

    def _ask(self) -> bool:
        """Ask the address, if the last attempt is long enough ago; whether a new set came."""
        with self._asking:
            now = self._clock()
            if now - self._tried < PAUSE_SECONDS:
                return self._good == self._tried  # another thread has just asked
            self._tried = now
            try:
                self._set = KeySet(self._fetched())
            except (requests.RequestException, ValueError, RecursionError) as fault:
                log.warning("the keys of a tenant could not be fetched: %s", type(fault).__name__)
                return False
            self._good = now
            return True

    def _fetched(self) -> Any:
        with self._session.get(
            self.url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True,
            headers={"Accept": "application/json, application/jwk-set+json", "Accept-Encoding": "identity"},
        ) as response:  # fmt: skip
            if response.status_code != 200:
                raise ValueError("another status than 200")
            body = response.raw.read(LARGEST_SET + 1)
        if len(body) > LARGEST_SET:
            raise ValueError("larger than a set of keys is")
        return json.loads(body)
