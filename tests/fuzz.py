"""Structure-aware mutants of hook requests and feedback, posted to the service as it is started.

    python -m tests.fuzz --count 3000 --seed 1        (or --seconds N; --only I sends one mutant and shows the answer)

Wanted: no status of 500 and above, no card of last resort, no hang, no dropped connection, nothing but JSON, cards that
keep their grammar, and no mark that stands in the patient's data in an error, a log, the metrics or the store. Every
call has its row in the store, and the memory of the workers does not grow from the half to the end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests import card_grammar
from tests.faults.growth import kept_calls, mib
from tests.fhir_server.running import Running, started
from tests.test_mutations import DANGERS, OTHER_DANGERS, SPOILED, Json, paths, spoil

MARK = "MARKEDqzjx"  # whatever holds it came from the patient
ENOUGH = 20_000  # mutants after which memory has settled at the half
HANG = 8.0  # seconds; a call may take 4, and this machine may be busy
FEEDBACK_SHARE = 0.12
PLAYGROUND_SHARE = 0.06
CALLERS = 6
ABSURD = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999999999", "9" * 5000, "0512", "0x10", "1.", "+1")
MARKED: dict[str, Any] = {"marked": MARK, "marked list": [MARK], "marked object": {MARK: MARK}}
IDS = (MARK, "", " ", "../..", "p1/../p2", "p1?x=1", "é", "p" * 65, "p1\u202e", "%2e%2e", "p1\n", "0", "null")


@dataclass(frozen=True)
class Mutant:
    """One request that went wrong on its way."""

    number: int
    path: str
    body: bytes
    headers: dict[str, str]
    how: str

    @property
    def is_call(self) -> bool:
        """Whether it is one of those that are kept: neither feedback nor the playground's."""
        return self.path.startswith("/cds-services/") and not self.path.endswith("/feedback")


@dataclass
class Found:
    """What became of the mutants."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    calls: int = 0  # of which the store has to know
    memory: list[float] = field(default_factory=list)  # MiB of the largest worker, at the half and at the end
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, mutant: Mutant, status: int, took: float, faults: list[str]) -> None:
        """One answer more."""
        with self.lock:
            self.statuses[status] += 1
            self.slowest = max(self.slowest, took)
            self.calls += mutant.is_call and status not in (0, 401, 404)
            self.wrong += [f"mutant {mutant.number} ({mutant.how}): {fault}" for fault in faults]


def mutant(seed: str, number: int) -> Mutant:
    """The mutant of that number: always the same for the same seed."""
    chance = random.Random(f"{seed} {number}")
    feedback = chance.random() < FEEDBACK_SHARE
    body = _feedback(chance) if feedback else _request(chance)
    hook = str(body.get("hook", "order-sign"))
    how = []
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        found = list(paths(body))
        if not found:
            break
        path, kind = chance.choice(found), chance.choice([*SPOILED, *MARKED])
        body = _put(body, path, MARKED[kind]) if kind in MARKED else spoil(body, path, kind)
        how.append(f"{'.'.join(map(str, path))}: {kind}")
    if not feedback and chance.random() < 0.08:
        body = json.loads(json.dumps(body))
        if isinstance(body.get("context"), dict):
            body["context"]["patientId"] = chance.choice(IDS)
            how.append("id")
    raw = json.dumps(body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    headers = {"Content-Type": "application/json"}
    if chance.random() < 0.4:
        raw = _in_text(raw, chance, how, headers)
    path = f"/cds-services/aml-{hook}" + ("/feedback" if feedback else "")
    if not feedback and chance.random() < PLAYGROUND_SHARE:
        path = "/playground/answer"
    return Mutant(number, path, raw, headers, "; ".join(how)[:300])


def _request(chance: random.Random) -> Json:
    bodies = [body for _, body in DANGERS.values()] + [body for _, _, body in OTHER_DANGERS.values()]
    body: Json = json.loads(json.dumps(chance.choice(bodies)))
    prefetch = body["prefetch"]
    prefetch["patient"] |= {"name": [{"family": MARK, "given": [MARK]}], "identifier": [{"value": MARK}]}
    for bundle in prefetch.values():
        for entry in bundle.get("entry", ()):
            entry["resource"]["note"] = [{"text": MARK}]
    if chance.random() < 0.3:
        body["hook"] = chance.choice(("order-sign", "order-select", "patient-view"))
        if body["hook"] == "order-select":
            body["context"]["selections"] = ["MedicationRequest/m-gilteritinib"]
    return body


def _feedback(chance: random.Random) -> Json:
    entry: Json = {
        "card": str(uuid.UUID(int=chance.getrandbits(128))), "outcome": chance.choice(("accepted", "overridden")),
        "outcomeTimestamp": "2026-11-21T10:00:00Z",
        "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
        "overrideReason": {"reason": {"code": "value-outdated", "system": "urn:x"}, "userComment": MARK},
    }  # fmt: skip
    return {"feedback": [entry] * chance.choice((1, 1, 1, 40))}


def _put(body: Json, path: tuple[str | int, ...], value: Any) -> Json:
    copy: Json = json.loads(json.dumps(body))
    holder: Any = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copy


def _in_text(raw: bytes, chance: random.Random, how: list[str], headers: dict[str, str]) -> bytes:
    """The body spoiled as text or bytes, below what JSON can say."""
    kind = chance.choice(tuple(_TEXT))
    how.append(kind)
    return _TEXT[kind](raw, chance, headers)


def _number(raw: bytes, chance: random.Random, _: dict[str, str]) -> bytes:
    found = list(re.finditer(rb"(?<=[:\[ ])-?\d+(?:\.\d+)?(?=[,\]}])", raw))
    if not found:
        return raw
    place = chance.choice(found)
    return raw[: place.start()] + chance.choice(ABSURD).encode() + raw[place.end() :]


def _doubled(raw: bytes, chance: random.Random, _: dict[str, str]) -> bytes:
    found = list(re.finditer(rb'"[A-Za-z]+": ', raw))
    if not found:
        return raw
    place = chance.choice(found)
    other = chance.choice((b"null, ", b'"x", ', b"7, ", b"[], "))
    return raw[: place.start()] + place[0] + other + raw[place.start() :]


def _inserted(what: bytes) -> Any:
    def insert(raw: bytes, chance: random.Random, _: dict[str, str]) -> bytes:
        places = [each.end() for each in re.finditer(rb'": "', raw)] or [len(raw)]
        at = chance.choice(places)
        return raw[:at] + what + raw[at:]

    return insert


def _flipped(raw: bytes, chance: random.Random, _: dict[str, str]) -> bytes:
    changed = bytearray(raw)
    for _each in range(chance.choice((1, 3, 20))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _labelled(headers: dict[str, str], raw: bytes, **more: str) -> bytes:
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return raw


_TEXT: dict[str, Any] = {
    "absurd number": _number,
    "doubled key": _doubled,
    "lone surrogate": _inserted(b"\\ud800"),
    "bidi": _inserted("\u202e\u2066\u200f".encode()),
    "control": _inserted(b"\\u0000\\u001b[31m"),
    "raw control": _inserted(b"\x00\x1b"),
    "huge text": _inserted(b"A" * 300_000),
    "not UTF-8": _inserted(b"\xff\xfe\xc3"),
    "flipped": _flipped,
    "cut": lambda raw, chance, _: raw[: chance.randrange(len(raw))],
    "more behind": lambda raw, _c, _h: raw + b" {}",
    "nested lists": lambda raw, chance, _: b"[" * 10_000 + (b"]" * 10_000 if chance.random() < 0.5 else b""),
    "nested objects": lambda raw, _c, _h: b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep within": lambda raw, _c, _h: raw.replace(b'"note": [', b'"note": [' + b"[" * 3000 + b"]" * 3000 + b", ", 1),
    "UTF-16": lambda raw, _c, _h: raw.decode("utf-8", "replace").encode("utf-16"),
    "UTF-32": lambda raw, _c, _h: raw.decode("utf-8", "replace").encode("utf-32"),
    "BOM": lambda raw, _c, _h: b"\xef\xbb\xbf" + raw,
    "latin-1": lambda raw, _c, headers: _labelled(headers, raw, Content_Type="application/json; charset=latin-1"),
    "called UTF-16": lambda raw, _c, headers: _labelled(headers, raw, Content_Type="application/json; charset=utf-16"),
    "as text": lambda raw, _c, headers: _labelled(headers, raw, Content_Type="text/plain"),
    "as form": lambda raw, _c, headers: _labelled(headers, raw, Content_Type="application/x-www-form-urlencoded"),
    "as XML": lambda raw, _c, headers: _labelled(headers, raw, Content_Type="application/fhir+xml"),
    "gzip": lambda raw, _c, headers: _labelled(headers, gzip.compress(raw), Content_Encoding="gzip"),
    "called gzip": lambda raw, _c, headers: _labelled(headers, raw, Content_Encoding="gzip"),
    "marked token": lambda raw, _c, headers: _labelled(headers, raw, Authorization=f"Bearer {MARK}"),
    "nothing": lambda _r, _c, _h: b"",
    "only a value": lambda _r, chance, _h: chance.choice((b"null", b"7", b'"x"', b"[]", b"{}", b"true", b"[{}]")),
}


class Poster:
    """Posts mutants over one connection, which is made anew when it breaks."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)
        self._connection: HTTPConnection | None = None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def post(self, sent: Mutant) -> tuple[int, bytes]:
        """Status and body. Raises OSError or HTTPException."""
        if self._connection is None:
            self._connection = HTTPConnection(self._place.hostname or "", self._place.port, timeout=3 * HANG)
        try:
            self._connection.request("POST", sent.path, sent.body, sent.headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            self.close()
            raise
        if answer.getheader("Connection", "").lower() == "close":
            self.close()
        return answer.status, body


def judged(poster: Poster, sent: Mutant) -> tuple[int, float, list[str]]:
    """Status, seconds, and everything that no mutant excuses."""
    began = time.monotonic()
    try:
        status, body = poster.post(sent)
    except (OSError, HTTPException) as error:
        return 0, time.monotonic() - began, [f"no answer ({type(error).__name__})"]
    took = time.monotonic() - began
    return status, took, [*(["it hung"] if took > HANG else []), *_faults(sent, status, body)]


def _faults(sent: Mutant, status: int, body: bytes) -> Iterator[str]:
    if status >= 500:
        yield f"status {status}"
    try:
        told = json.loads(body)
    except ValueError:
        yield "no JSON"
        return
    if status != 200:
        if MARK.encode() in body:
            yield "an error repeats what was sent"
        if not isinstance(told, dict) or told.get("resourceType") != "OperationOutcome":
            yield "an error is no OperationOutcome"
    elif not sent.path.endswith("/feedback"):
        told = told if sent.is_call else told["response"]
        yield from card_grammar.faults(told)
        if any("check could not be made" in card["summary"] for card in told["cards"]):
            yield "the card of last resort"


def run(seed: str, count: int | None, seconds: float | None, keep: str = "audit") -> Found:
    """Post so many mutants, or for so long, to a service that keeps so much of them."""
    found, numbers = Found(), iter(range(count if count is not None else 10**9))
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    lock, stop = threading.Lock(), threading.Event()

    def go(url: str, workers: list[int]) -> None:
        poster = Poster(url)
        while time.monotonic() < until and not stop.is_set():
            with lock:
                number = next(numbers, None)
                if number is None:
                    break
                if count is not None and number == count // 2:
                    found.memory.append(max(map(mib, workers)))
            sent = mutant(seed, number)
            found.add(sent, *judged(poster, sent))
        poster.close()

    with TemporaryDirectory() as folder, (Path(folder) / "out").open("wb") as out:
        settings: dict[str, Any] = {"DATA": f"{folder}/data", "KEEP": keep, "LOG_LEVEL": "DEBUG"}
        with started(stdout=out.fileno(), WORKERS="2", THREADS="8", **settings) as service:
            before = service.workers()
            threads = [threading.Thread(target=go, args=(service.url, before)) for _ in range(CALLERS)]
            for each in threads:
                each.start()
            with suppress(KeyboardInterrupt):  # whoever has seen enough is told what there was
                for each in threads:
                    each.join()
            stop.set()
            for each in threads:
                each.join()
            found.wrong += _after(found, service, before)
            said = service.said.read_bytes()
        found.wrong += _left(found, Path(folder), said)
    return found


def _after(found: Found, service: Running, before: list[int]) -> Iterator[str]:
    """What a service that still runs shows."""
    if set(service.workers()) != set(before):
        yield "a worker was lost"
        return
    found.memory.append(max(map(mib, before)))
    grown = found.memory[-1] - found.memory[0]
    if sum(found.statuses.values()) >= ENOUGH and grown > max(4.0, 0.03 * found.memory[0]):
        yield f"memory grew by {grown:.1f} MiB: {found.memory}"
    with urlopen(f"{service.url}/metrics", timeout=10) as answer:
        if MARK.encode() in answer.read():
            yield "a mark in the metrics"


def _left(found: Found, folder: Path, said: bytes) -> Iterator[str]:
    """What a service that has ended left behind: its log, and what it kept."""
    if b"cannot be kept" in said:
        yield "a call could not be kept"
    refused = Counter(re.findall(rb"feedback was not kept: ([^\n]*)", said))
    yield from (f"feedback was refused {times} times: {why.decode()}" for why, times in refused.items())
    kept = kept_calls(folder / "data")
    _without_codes(folder / "data" / "aml-cds.sqlite3")
    places = {"stderr": said, "stdout": (folder / "out").read_bytes()}
    places |= {each.name: each.read_bytes() for each in (folder / "data").iterdir()}
    yield from (f"marks in {name}: {content.count(MARK.encode())}" for name, content in places.items()
                if MARK.encode() in content)
    if kept != found.calls:
        yield f"{kept} calls were kept of {found.calls}"


def _without_codes(file: Path) -> None:
    """Take away reasons: a code of a list of the client's own is kept as it came, by design."""
    store = sqlite3.connect(file, isolation_level=None)
    store.execute("PRAGMA secure_delete=ON")
    store.execute("DELETE FROM reason")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.execute("VACUUM")
    store.close()


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--keep", default="audit", choices=("audit", "full"))
    parser.add_argument("--only", type=int, metavar="I", help="send this one and show what comes back")
    given = parser.parse_args()
    if given.only is not None:
        sent = mutant(given.seed, given.only)
        with started(WORKERS="1") as service:
            print(sent, *Poster(service.url).post(sent), sep="\n")  # noqa: T201
        return 0
    began = time.monotonic()
    found = run(given.seed, given.count or (None if given.seconds else 3000), given.seconds, given.keep)
    total, took = sum(found.statuses.values()), time.monotonic() - began
    statuses = ", ".join(f"{status or 'none'}: {number}" for status, number in sorted(found.statuses.items()))
    print(f"{total} mutants of seed {given.seed} in {took:.0f} s, slowest {found.slowest:.2f} s; {statuses}")  # noqa: T201
    print(f"{found.calls} calls kept; MiB of the largest worker at the half and the end: {found.memory}")  # noqa: T201
    print("\n".join(found.wrong[:50]) or "nothing wrong")  # noqa: T201
    return 1 if found.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
