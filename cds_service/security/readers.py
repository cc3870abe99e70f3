"""Readers: who may open the pages behind cards where `WHY_LINKS=login`. Read once, from the file of a setting.

The file is TOML, one `[[reader]]` for each person, as `aml-cds reader NAME` writes it:

    [[reader]]
    name = "a.example"          # what is typed at the login, and how the log names whoever opened a page
    tenant = "north"            # whose cards: a hospital of the file of tenants; in demo mode there is none
    password = "scrypt:32768:8:1$..."

A password is kept as a salted hash (scrypt). A login is a mark in a cookie that nobody makes without the key of the
store; nothing of it is kept here, so every process and replica takes it. It ends by its time, and when the reader is
taken out of the file or gets another password.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from werkzeug.security import check_password_hash, generate_password_hash

from cds_service.errors import SettingsError, StoreError, TooOften
from cds_service.security.limit import Limit
from cds_service.security.links import Mark
from cds_service.security.toml_file import entries_in

SHORTEST, LONGEST = 12, 200  # characters of a password
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}\Z")
_METHOD = "scrypt:32768:8:1"  # one for all, so that no name takes longer than another; 32 MB while a hash is made
_HASH = re.compile(_METHOD + r"\$[A-Za-z0-9]{8,64}\$[0-9a-f]{128}\Z")
_COOKIE = re.compile(r"(?P<until>[1-9]\d{8,10})-(?P<mark>[0-9a-f]{32})-(?P<name>[a-z0-9._@-]{1,64})\Z")
_KEYS = {"name", "tenant", "password"}
# Each process takes so many tries: a hash is dear on purpose, and must not be dear to those whose orders are checked.
_TRIES, _TRIES_OF_ALL = (10, "minute"), (60, "minute")
_SAID = "too many tries to log in: wait as Retry-After says"
_PLACES = 3  # for tries at the same moment in a process: whoever waits for a hash holds a thread that calls need
_FULL = "too many are logging in at this moment: try again"


@dataclass(frozen=True, slots=True)
class Reader:
    """One person, and whose cards they may look behind."""

    name: str
    tenant: str  # "" in demo mode
    password: str  # hashed

    def __repr__(self) -> str:
        return f"Reader({self.name})"


def is_name(text: str) -> bool:
    """Whether a reader may be called so."""
    return _NAME.match(text) is not None


def entry(name: str, tenant: str, password: str) -> str:
    """What stands in the file for this reader."""
    lines = ["[[reader]]", f'name = "{name}"', *([f"tenant = {_in_toml(tenant)}"] if tenant else [])]
    return "\n".join((*lines, f'password = "{generate_password_hash(password, method=_METHOD)}"'))


def _in_toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a string of JSON is one of TOML


def read_readers(path: Path, tenants: frozenset[str]) -> Mapping[str, Reader]:
    """The readers in the file at `path`, by name. `tenants`: the hospitals there are; none in demo mode.

    Raises SettingsError.
    """
    entries = entries_in(path, "WHY_READERS", "reader", "has no reader: add what `aml-cds reader NAME` writes")
    read = [_reader(path, place, each, tenants) for place, each in enumerate(entries, start=1)]
    by_name = {each.name: each for each in read}
    if len(by_name) < len(read):
        raise SettingsError(f"WHY_READERS: {path.name} has two readers of one name: give each their own")
    return by_name


def _reader(path: Path, place: int, told: Any, tenants: frozenset[str]) -> Reader:
    def wrong(key: str, expected: str) -> SettingsError:
        return SettingsError(f"WHY_READERS: {path.name}, reader {place}, '{key}': expected {expected}")

    if not isinstance(told, dict):
        raise wrong("reader", "a table")
    unknown = sorted(told.keys() - _KEYS)
    if unknown:
        raise wrong(unknown[0], f"one of {', '.join(sorted(_KEYS))}")
    name, tenant, password = (told.get(key, "") for key in ("name", "tenant", "password"))
    if not isinstance(name, str) or not is_name(name):
        raise wrong("name", "small letters, digits and . _ @ -, 64 at most")
    if not isinstance(password, str) or not _HASH.match(password):
        raise wrong("password", "the hash that `aml-cds reader NAME` writes, not the password")
    if tenants and tenant not in tenants:
        raise wrong("tenant", f"one of {', '.join(sorted(tenants))}")
    if not tenants and "tenant" in told:
        raise wrong("tenant", "nothing in demo mode, where there are no hospitals: take it out")
    return Reader(name, tenant, password)


@dataclass(frozen=True, slots=True)
class Login:
    """How readers get in. `marker`: what marks a login as ours, None while the key is not at hand."""

    readers: Mapping[str, Reader]
    seconds: int  # how long one lasts
    marker: Callable[[], Mark | None]
    now: Callable[[], float]  # seconds since 1970
    told: Callable[[str, str, str], object] = lambda *_: None  # what happened, to which reader, at which card
    _of_one: Limit = field(default_factory=lambda: Limit(_TRIES, _SAID))
    _of_all: Limit = field(default_factory=lambda: Limit(_TRIES_OF_ALL, _SAID))
    _places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_PLACES))
    _one_at_a_time: Lock = field(default_factory=Lock)

    def begin(self, name: str, password: str) -> str | None:
        """The cookie of a new login; None when name or password is wrong. Raises TooOften, StoreError.

        A name that nobody has takes as long as a wrong password, and may be tried as often.
        """
        reader = self.readers.get(name)
        if not self._places.acquire(blocking=False):
            raise TooOften(_FULL, 1)
        try:
            fits = self._tried(name, reader or next(iter(self.readers.values())), password)
        finally:
            self._places.release()
        mark = self.marker()
        if mark is None:
            raise StoreError("the key of the store is not at hand, so nobody can log in: try again")
        if reader is None or not fits:
            self.told("a login failed", reader.name if reader else "", "")
            return None
        self.told("a reader logged in", reader.name, "")
        until = int(self.now()) + self.seconds
        return f"{until}-{mark(_marked(reader, until))}-{reader.name}"

    def _tried(self, name: str, reader: Reader, password: str) -> bool:
        """Whether this is the password of this reader, in the place of whoever has this name. Raises TooOften."""
        self._of_all.hit("")
        self._of_one.hit(sha256(name.encode()).hexdigest())
        with self._one_at_a_time:
            return check_password_hash(reader.password, password[: LONGEST + 1])

    def who(self, cookie: str) -> Reader | None:
        """Whose login this cookie is; None when it is nobody's, or has ended."""
        told, mark = _COOKIE.match(cookie), self.marker()
        reader = self.readers.get(told["name"]) if told is not None else None
        if told is None or mark is None or reader is None:
            return None
        until = int(told["until"])
        ours = hmac.compare_digest(mark(_marked(reader, until)), told["mark"])
        return reader if ours and self.now() < until else None


def _marked(reader: Reader, until: int) -> bytes:
    return f"reader {reader.name} {reader.tenant} {until} {reader.password}".encode()
