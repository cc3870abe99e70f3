"""What a log line may hold, and that nobody waits for it."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from datetime import UTC, datetime

import pytest

from cds_service.settings import Settings
from cds_service.watch import logs, outbox
from cds_service.watch.logbook import Logbook
from cds_service.watch.outbox import Outbox
from tests.watch.test_metrics import call

MARK = "MARKED-Jürgen"


def line(record: logging.LogRecord, as_json: bool = True) -> str:
    return logs.formatter(as_json).format(record)


def record(name: str, message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, info)


def test_our_own_lines_are_passed_on():
    told = json.loads(line(record("aml_cds.rules", "rule %s failed: %s", "qtc-hold", "KeyError")))
    assert told["event"] == "rule qtc-hold failed: KeyError"
    assert set(told) <= logs.FIELDS.keys() and told["level"] == "warning"


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "sqlalchemy.engine", "werkzeug", "py.warnings", "root"])
def test_of_a_library_nothing_is_repeated(name):
    told = line(record(name, "GET /Patient/%s", MARK))
    assert MARK not in told and "a library said something" in told


@pytest.mark.parametrize(
    ("message", "args", "event"),
    [
        ("Booting worker with pid: %s", (7,), "Booting worker with pid: 7"),
        (f"Invalid request from ip=1.2.3.4: {MARK}", (), "a request that is no HTTP was refused"),
        ("Error handling request %s %s", ("GET", f"/{MARK}"), "the server failed at a request"),
        ("Connection in use: %s", ("('127.0.0.1', 8080)",),
         "the address is taken: stop whatever listens there, or set PORT to another"),
        (f"anything else {MARK}", (), "a library said something that is not repeated here"),
    ],
)
def test_gunicorn_speaks_of_processes_only(message, args, event):
    assert json.loads(line(record("gunicorn.error", message, *args)))["event"] == event


@pytest.mark.parametrize("as_json", [True, False])
def test_of_an_error_only_kind_and_place_are_told(as_json):
    try:
        raise ValueError(MARK)
    except ValueError as error:
        told = line(record("cds_service.web", "broke", error=error), as_json)
    assert "ValueError" in told and "test_logs.py:" in told and MARK not in told and "Traceback" not in told


@pytest.mark.parametrize("message", ["one\ntwo", "a\u202eb", "a\x1b[31m", "x" * 10_000])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_stays_one_line_of_bounded_length(message, as_json):
    told = line(record("cds_service.web", message), as_json)
    assert len(told.splitlines()) == 1 and told.isprintable() and len(told) < 1000


def of_call(capture: list[str], **changes: object) -> dict[str, object]:
    class Kept(logging.Handler):
        def emit(self, made: logging.LogRecord) -> None:
            capture.append(line(made))

    logger, kept = logging.getLogger(logs.CALLS), Kept()
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        Logbook().saw(call(**changes))
    finally:
        logger.removeHandler(kept)
    return dict(json.loads(capture[-1]))


@pytest.fixture
def configured():
    before = logging.getLogger().handlers[:]
    hook = sys.modules["threading"].excepthook
    logs.configure(Settings.load({}))
    yield
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = True
    sys.modules["threading"].excepthook = hook
    logging.getLogger().handlers[:] = before
    outbox.listeners.clear()


def test_a_call_is_one_line_with_its_hook_instance(configured):
    instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    told = of_call([], body=json.dumps({"hookInstance": instance, "context": {"patientId": MARK}}).encode())
    assert (told["hookInstance"], told["status"], told["cause"]) == (instance, 400, "BadRequest")
    assert MARK not in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": json.dumps({"hookInstance": MARK}).encode()},
        {"body": MARK.encode()},
        {"service": MARK, "hook": MARK, "cause": MARK, "knowledge": MARK, "id": MARK},
        {"tenant": "x\nMARKED"},
    ],
)
def test_a_field_that_has_not_its_form_is_left_out(configured, changes):
    told = of_call([], **changes)
    assert "MARKED" not in json.dumps(told, ensure_ascii=False)
    assert "hookInstance" not in told


def test_a_field_that_is_not_listed_is_left_out(configured):
    capture: list[str] = []
    of_call(capture)
    made = record("aml_cds.calls", "call answered")
    made.told = {"status": 200, "patient": MARK, "url": MARK}
    told = json.loads(line(made))
    assert told["status"] == 200 and set(told) <= logs.FIELDS.keys() and MARK not in line(made)


def test_nobody_waits_for_a_reader_who_is_stuck_and_what_is_lost_is_counted():
    reading, writing = os.pipe()
    counted: list[int] = []
    outbox.listeners[:] = [lambda: counted.append(1)]
    stuck = Outbox(writing, waiting=10)
    since = time.monotonic()
    for _ in range(3000):
        stuck.emit(record("cds_service", "x" * 400))
    assert time.monotonic() - since < 2.0
    assert stuck.dropped == len(counted) > 2000
    outbox.listeners.clear()
    os.close(reading)  # whoever is stuck in writing comes free, with an error that is counted too
    stuck.settle()
    os.close(writing)


def test_a_closed_log_is_survived():
    reading, writing = os.pipe()
    os.close(reading)
    closed = Outbox(writing)
    for _ in range(5):
        closed.emit(record("cds_service", "x"))
    closed.settle()
    assert closed.dropped == 5
    os.close(writing)


def test_a_line_that_cannot_be_written_down_breaks_nothing():
    lost = Outbox(2)
    lost.setFormatter(logs.formatter(as_json=True))
    lost.emit(record("cds_service", "%d", "no number"))
    assert lost.dropped == 1


def test_the_time_of_a_line_is_that_of_the_event():
    made = record("cds_service", "x")
    told = json.loads(line(made))["time"]
    assert abs(datetime.fromisoformat(told) - datetime.fromtimestamp(made.created, UTC)).total_seconds() < 0.01
