"""Without prefetch everything comes from the EHR's FHIR server: a good one, and every kind of bad one.

A real server on loopback answers over real sockets; what it does is the first part of its base URL.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from cds_service.answer import answer
from cds_service.errors import CannotGather
from tests.calls import (
    ELECTROLYTES,
    PATIENT,
    RELAPSED,
    bundle,
    flt3_itd,
    gilteritinib,
    order,
    qtcf,
    request,
    tools,
    venetoclax,
)

SECONDS = 0.5
GRACE = 1.5  # for a busy machine; a silent server would hold a call for 3 seconds
SILENCE = 3  # seconds for which the silent server holds a call
LONG = 10  # where the deadline is not what is tested: on a busy machine a short one lets no more queries start
CHART = [PATIENT, RELAPSED, qtcf(512), *ELECTROLYTES, flt3_itd("2026-11-10"), venetoclax(id="m1")]
DRAFT: dict[str, Any] = {"status": "draft", "id": "d1"}
PARACETAMOL = order("paracetamol 500 mg tablet", "", 1000, **DRAFT)
Json = dict[str, Any]


class Ehr(ThreadingHTTPServer):
    """The stub: its log holds every request with its token, by mode."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.closing = threading.Event()
        self.log: dict[str, list[tuple[str, str | None]]] = defaultdict(list)

    def base(self, mode: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{mode}/fhir"

    def handle_error(self, *_: object) -> None:
        """A caller that hung up is what these tests are about."""


def found(url: str) -> Json:
    """What a good server answers: an instance, or a searchset of the asked type and codes."""
    parts = urlsplit(url)
    kind, _, identity = parts.path.split("/fhir/", 1)[1].partition("/")
    if identity:
        return next(each for each in CHART if (each["resourceType"], each["id"]) == (kind, identity))
    codes = [each.split("|")[-1] for each in parse_qs(parts.query).get("code", [""])[0].split(",") if each]
    return bundle(*(
        each for each in CHART
        if each["resourceType"] == kind and (not codes or each["code"]["coding"][0]["code"] in codes)
    ))  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Does as the first part of the path says."""

    server: Ehr

    def log_message(self, *_: object) -> None:
        """Nothing on the console."""

    def do_GET(self) -> None:
        mode = self.path.split("/")[1]
        self.server.log[mode].append((self.path, self.headers.get("Authorization")))
        getattr(self, f"do_{mode.split('-')[0]}", self.do_status)(mode)

    def do_POST(self) -> None:
        """A search by POST is answered as the same by GET."""
        search = unquote(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.path = f"{self.path.removesuffix('/_search')}?{search}"
        self.do_GET()

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/fhir+json",
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_good(self, mode: str) -> None:
        self.send(json.dumps(found(self.path)).encode())

    def do_half(self, mode: str) -> None:
        """With a byte order mark, and a note that was cut within an emoji."""
        noted = json.dumps(found(self.path)).replace('"status": ', '"note": [{"text": "well \\ud83d"}], "status": ')
        self.send(b"\xef\xbb\xbf" + noted.encode())

    def do_status(self, mode: str) -> None:
        self.send(b"<html>a page</html>", int(mode))

    def do_silent(self, mode: str) -> None:
        self.server.closing.wait(SILENCE)

    def do_drip(self, mode: str) -> None:
        self.send_response(200)
        self.end_headers()
        for byte in json.dumps(found(self.path)).encode():
            if self.server.closing.wait(0.05):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def do_garbage(self, mode: str) -> None:
        self.send(b"\x00\xff not JSON at all")

    def do_html(self, mode: str) -> None:
        self.send(b"<html>please log in</html>", Content_Type="text/html")

    def do_cut(self, mode: str) -> None:
        body = json.dumps(found(self.path)).encode()
        self.send(body[: len(body) // 2], Content_Length=str(len(body)))

    def do_empty(self, mode: str) -> None:
        self.send(b"")

    def do_outcome(self, mode: str) -> None:
        issue = {"severity": "error", "code": "exception", "diagnostics": "Jane Doe"}
        self.send(json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode())

    def do_redirect(self, mode: str) -> None:
        self.send(b"", 302, Location=self.server.base("good") + self.path.split("/fhir", 1)[1])

    def do_absurd(self, mode: str) -> None:
        self.send(json.dumps(found(self.path)).replace("512", "1e999999999").encode())

    def do_paged(self, mode: str) -> None:
        """One entry a page. `paged-foreign`: the second page lies elsewhere; `paged-circle`: pages in a circle."""
        whole, _, offset = self.path.partition("&page=")
        answered = found(whole)
        if answered["resourceType"] == "Bundle":
            page = int(offset or 0)
            entries = answered["entry"]
            answered["entry"] = entries[page : page + 1]
            following = {
                "paged": f"{self.server.base(mode)}/{whole.split('/fhir/')[1]}&page={page + 1}",
                "paged-foreign": self.server.base("good") + "/Observation?patient=p1",
                "paged-circle": f"{self.server.base(mode)}/{whole.split('/fhir/')[1]}",
            }[mode]
            if page + 1 < len(entries) or mode != "paged":
                answered["link"] = [{"relation": "next", "url": following}]
        self.send(json.dumps(answered).encode())

    def do_others(self, mode: str) -> None:
        """Another patient's resources, the Patient included."""
        self.send(
            json.dumps(found(self.path))
            .replace("Patient/p1", "Patient/p2")
            .replace('"id": "p1"', '"id": "p2"')
            .encode()
        )

    def do_only(self, mode: str) -> None:
        """`only-Observation`: this type fails, the others are answered."""
        failing = mode.partition("-")[2]
        self.do_status("500") if f"/{failing}" in self.path else self.do_good(mode)


@pytest.fixture(scope="module")
def ehr() -> Iterator[Ehr]:
    server = Ehr()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()


def call(ehr: Ehr, mode: str, draft: Json, prefetch: Json | None = None, seconds: float = SECONDS) -> list[Json]:
    """The cards of an order-sign call, by its deadline."""
    body = request("order-sign", draft)
    body["prefetch"] = prefetch or {}
    body |= {"fhirServer": ehr.base(mode), "fhirAuthorization": {"access_token": "opaque", "token_type": "Bearer"}}
    service = next(each for each in tools().services if each.hook == "order-sign")
    began = time.monotonic()
    try:
        made = answer(json.dumps(body).encode(), service, replace(tools(), gather_seconds=seconds))
    finally:
        assert time.monotonic() - began < seconds + GRACE
    cards: list[Json] = json.loads(made.body)["cards"]
    return cards


def told(cards: list[Json]) -> list[tuple[str, str, str]]:
    return [(card["indicator"], card["summary"], card["detail"]) for card in cards]


def test_the_fhir_server_gives_the_same_cards_as_prefetch(ehr):
    prefetch = {
        query.key: found(f"/x/fhir/{query.filled('p1')}")
        for query in next(each for each in tools().services if each.hook == "order-sign").queries
    }
    fetched = call(ehr, "good", gilteritinib(**DRAFT), seconds=LONG)
    assert fetched[0]["indicator"] == "critical"
    assert (
        told(fetched)
        == told(call(ehr, "500", gilteritinib(**DRAFT), prefetch))
        == told(call(ehr, "paged", gilteritinib(**DRAFT), seconds=LONG))
        == told(call(ehr, "half", gilteritinib(**DRAFT), seconds=LONG))
    )


BLIND = ("silent", "401", "403", "404", "500", "503", "drip", "garbage", "html", "cut", "empty", "outcome", "redirect")


@pytest.mark.parametrize("mode", [*BLIND, "others"])
def test_one_of_our_drugs_and_no_data_is_a_warning_that_names_what_is_missing(ehr, mode):
    cards = call(ehr, mode, gilteritinib(**DRAFT))
    (gap,) = [card for card in cards if card["indicator"] == "warning"]
    assert gap["summary"].startswith("Not checked for gilteritinib: QTc")
    for missing in ("QTc", "otassium", "agnesium", "FLT3-ITD", "edication list"):
        assert missing in gap["detail"], missing
    assert "Jane" not in gap["detail"]


@pytest.mark.parametrize("mode", [*BLIND, "others"])
def test_an_unrelated_order_in_an_outage_makes_no_noise(ehr, mode):
    with pytest.raises(CannotGather):
        call(ehr, mode, PARACETAMOL)
    assert call(ehr, mode, PARACETAMOL, {"patient": PATIENT}) == []


@pytest.mark.parametrize("mode", ["silent", "500", "garbage"])
def test_an_inhibitor_drafted_blindly_is_a_warning_in_a_patient_with_aml(ehr, mode):
    draft = order("posaconazole 100 MG Delayed Release Oral Tablet", "1482908", 300, **DRAFT)
    (gap,) = call(ehr, mode, draft, {"patient": PATIENT, "conditions": bundle(RELAPSED)})
    assert gap["indicator"] == "warning" and "edication list" in gap["detail"]
    no_aml = {"patient": PATIENT, "conditions": bundle()}
    assert call(ehr, mode, draft, no_aml) == []


def test_what_fails_alone_is_named_alone(ehr):
    cards = call(ehr, "only-Observation", gilteritinib(**DRAFT), seconds=LONG)
    gap = next(card for card in cards if card["summary"].startswith("Not checked"))
    assert "QTc" in gap["detail"] and "500" in gap["detail"] and "edication list" not in gap["detail"]


def test_a_number_that_would_fill_the_memory_is_a_gap(ehr):
    assert any(
        card["summary"].startswith("Not checked for gilteritinib: QTc")
        for card in call(ehr, "absurd", gilteritinib(**DRAFT), seconds=LONG)
    )


@pytest.mark.parametrize("mode, why", [("paged-foreign", "outside of the FHIR server"), ("paged-circle", "lead back")])
def test_pages_that_lead_astray_are_partly_read_and_said(ehr, mode, why):
    before = len(ehr.log["good"])
    cards = call(ehr, mode, gilteritinib(**DRAFT), seconds=LONG)
    assert cards[0]["summary"].startswith("QTcF 512 ms") and cards[0]["indicator"] == "warning"  # a newer one may exist
    assert any(why in card["detail"] for card in cards)
    assert len(ehr.log["good"]) == before


def test_a_redirect_is_not_followed_and_the_token_stays_with_its_server(ehr):
    before = len(ehr.log["good"])
    call(ehr, "redirect", gilteritinib(**DRAFT))
    assert len(ehr.log["good"]) == before
    tokens = {path.endswith("/metadata"): token for path, token in ehr.log["redirect"]}
    assert tokens[False] == "Bearer opaque" and tokens.get(True) is None  # its statement is read without the token


def test_the_next_page_of_a_prefetched_bundle_is_fetched(ehr):
    first = bundle() | {
        "link": [
            {"relation": "next", "url": ehr.base("good") + "/Observation?patient=p1&code=http://loinc.org|76634-5"}
        ]
    }
    everything_else = {"patient": PATIENT} | {
        key: bundle() for key in ("conditions", "medications", "labs", "bedside", "genomics", "orders")
    }
    cards = call(ehr, "good", gilteritinib(**DRAFT), {"ecg": first, **everything_else}, LONG)
    assert cards[0]["summary"].startswith("QTcF 512 ms")


def test_a_call_asks_no_more_than_it_must(ehr):
    ehr.log["good"].clear()
    call(ehr, "good", gilteritinib(**DRAFT), seconds=LONG)
    service = next(each for each in tools().services if each.hook == "order-sign")
    asked = [path for path, _ in ehr.log["good"] if not path.endswith("/metadata")]
    assert len(asked) == sum(query.asked for query in service.queries)
    assert "opaque" not in "".join(path for path, _ in ehr.log["good"])


def test_callers_of_a_silent_server_hold_up_nobody_else(ehr):
    drafts = [gilteritinib(**DRAFT)] * 6
    with ThreadPoolExecutor(12) as pool:
        stuck = [pool.submit(call, ehr, "silent", draft, seconds=LONG) for draft in drafts]
        prefetch = request("order-sign", ecg=[qtcf(512)])["prefetch"]
        began = time.monotonic()
        free = [pool.submit(call, ehr, "silent", draft, prefetch) for draft in drafts]
        assert all(each.result()[0]["indicator"] == "critical" for each in free)
        assert time.monotonic() - began < 2 < SILENCE
        assert all(each.result()[0]["summary"].startswith("Not checked") for each in stuck)
