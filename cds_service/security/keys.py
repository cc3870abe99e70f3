"""The public keys of a tenant: from a file, or from its JWKS address, kept and asked for again when a key is new.

An outage of that address must not lock a hospital out, and a stranger's made-up key ids must not make us ask it all the
time: the last good set serves for a day, and nobody is asked more than once in half a minute. An answer without any key
that could serve is an outage too. Several keys may have one id. (RFC 7517)
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import jwt
import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cds_service.errors import SettingsError
from cds_service.security.outbound import Way

log = logging.getLogger(__name__)

REFRESH_SECONDS = 3600.0  # how long a set is used before it is asked for again
STALE_SECONDS = 24 * 3600.0  # how long the last good set serves when the address does not answer
PAUSE_SECONDS = 30.0  # between two attempts, whoever asks for whatever key
TIMEOUT_SECONDS = 2.0
LARGEST_SET = 256 * 1024
RSA_BITS = 2048
MOST_OF_AN_ID = 8  # keys of one id that are tried
_CURVES = {"ES384": "secp384r1", "ES256": "secp256r1"}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Keys(Protocol):
    """Where a tenant's public keys come from."""

    def find(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        """The keys of this id that can verify this algorithm."""

    def anew(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        """The same, asked for again where that may tell another one: none of those that were found fits."""


class KeySet:
    """One JWK Set, each key held to what it may be used for."""

    def __init__(self, content: Any) -> None:
        entries = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise ValueError("a JSON object with a list 'keys'")
        self._entries = tuple(each for each in entries if isinstance(each, dict))
        self._found: dict[tuple[str, str], tuple[PublicKey, ...]] = {}  # what is not found is not kept

    def find(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        """The keys of this id that can verify this algorithm."""
        keys = self._found.get((kid, algorithm), ())
        if not keys and (keys := tuple(islice(self._made(kid, algorithm), MOST_OF_AN_ID))):
            self._found[kid, algorithm] = keys
        return keys

    def anew(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        """The same: a file is read at the start."""
        return self.find(kid, algorithm)

    def _made(self, kid: str, algorithm: str) -> Iterator[PublicKey]:
        for entry in self._entries:
            if entry.get("kid") == kid and entry.get("alg", algorithm) == algorithm and _to_sign(entry):
                key = _public(entry, algorithm)
                if key is not None:
                    yield key

    def serves(self, algorithms: tuple[str, ...]) -> bool:
        """Whether any of these algorithms could be verified with a key of this set."""
        named = [each["kid"] for each in self._entries if isinstance(each.get("kid"), str)]
        return any(self.find(kid, algorithm) for kid in named for algorithm in algorithms)


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
    fits = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == _CURVES.get(algorithm)
    return key if fits else None


def from_file(path: Path, algorithms: tuple[str, ...]) -> KeySet:
    """The keys in a file, for a tenant with these algorithms. Raises SettingsError."""
    try:
        found = KeySet(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as fault:
        raise SettingsError(f"TENANTS: {path.name} is no JWK Set ({fault}): a JSON object with a list 'keys'") from None
    if not found.serves(algorithms):
        raise SettingsError(
            f"TENANTS: {path.name} holds no key for {', '.join(algorithms)}: expected one with its 'kid', of that kind"
        )
    return found


class _Attempt:
    """One question to the address: since when, and whether it is over."""

    def __init__(self, started: float) -> None:
        self.started = started
        self._patience_ends = monotonic() + TIMEOUT_SECONDS
        self.over = threading.Event()

    def wait(self) -> None:
        """Wait until it is over, but for nobody longer than the time-out counted from its start."""
        self.over.wait(max(0.0, self._patience_ends - monotonic()))


class RemoteKeys:
    """The keys at an address, kept. Safe for threads.

    The address is asked on a thread of its own: calls whose key is at hand never wait, the others wait for the
    time-out at most, however slowly an answer drips in.
    """

    def __init__(self, url: str, clock: Callable[[], float], way: Way, algorithms: tuple[str, ...]) -> None:
        self.url = url
        self._algorithms = algorithms
        self._way = way
        self._clock = clock
        self._lock = threading.Lock()
        self._set: KeySet | None = None
        self._good = float("-inf")
        self._attempt: _Attempt | None = None

    def find(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        """The keys of this id that can verify this algorithm."""
        keys = self._held(kid, algorithm)
        if not keys:
            return self.anew(kid, algorithm)
        if self._clock() - self._good > REFRESH_SECONDS:
            self._ask()
        return keys

    def anew(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        """The same, asked for again, unless that was done just now."""
        self._ask().wait()
        return self._held(kid, algorithm)

    def _held(self, kid: str, algorithm: str) -> tuple[PublicKey, ...]:
        with self._lock:
            held, good = self._set, self._good
        if held is None or self._clock() - good > STALE_SECONDS:
            return ()
        return held.find(kid, algorithm)

    def _ask(self) -> _Attempt:
        """The last attempt, or a new one if that is long enough ago."""
        with self._lock:
            now = self._clock()
            if self._attempt is None or now - self._attempt.started >= PAUSE_SECONDS:
                begun = _Attempt(now)
                try:
                    threading.Thread(target=self._renew, args=(begun,), name="keys", daemon=True).start()
                except RuntimeError:  # the host is at a limit: what is held serves on, and the next call tries again
                    log.warning("the keys of a tenant were not asked for: there is no thread for it")
                    begun.over.set()
                    return begun
                self._attempt = begun
            return self._attempt

    def _renew(self, attempt: _Attempt) -> None:
        try:
            fetched = KeySet(_fetched(self.url, self._way))
            if not fetched.serves(self._algorithms):
                log.warning("the address of a tenant's keys gave none for %s: those at hand serve on, a day at most; "
                            "look at what its jwks_url publishes", ", ".join(self._algorithms))  # fmt: skip
                return
            with self._lock:
                if attempt is self._attempt:  # else it came too late: a later one has been begun
                    self._set, self._good = fetched, attempt.started
        except (OSError, HTTPException, urllib3.exceptions.HTTPError, ValueError, RecursionError) as fault:
            log.warning("the keys of a tenant could not be fetched: %s", type(fault).__name__)
        finally:
            attempt.over.set()


def _fetched(url: str, way: Way) -> Any:
    end = monotonic() + TIMEOUT_SECONDS
    with way.open(requests.Session()) as session, session.get(
        url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True,
        headers={"Accept": "application/json, application/jwk-set+json", "Accept-Encoding": "identity"},
    ) as response:  # fmt: skip
        if response.status_code != 200:
            raise ValueError("another status than 200")
        body = b""
        while piece := response.raw.read1(LARGEST_SET):  # what is there, so that the end is looked at in between
            body += piece
            if len(body) > LARGEST_SET:
                raise ValueError("larger than a set of keys is")
            if monotonic() > end:
                raise TimeoutError("the whole answer took too long")
    return json.loads(body)
