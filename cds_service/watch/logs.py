"""Logs: what a tired operator reads at night. A closed list of fields, each of one form; values of a patient never.

Our own lines are written so that they hold no patient data, and are passed on. Of the libraries below us nothing is
repeated but that they spoke, how urgently, and what kind of error it was: their messages hold addresses and what they
stumbled over. Of gunicorn those messages are repeated that speak of processes.
"""

from __future__ import annotations

import logging
import logging.config
import re
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.security.tenants import NAME
from cds_service.settings import Settings
from cds_service.watch import outbox

CALLS = "aml_cds.calls"  # the logger with one line for each call
READERS = "aml_cds.readers"  # and that with one for each page behind a card that a reader opened
OURS = ("cds_service", "aml_cds")
_STDERR = 2
_LONGEST = 500  # characters of a message
Event = dict[str, Any]

# Every field that a line may have, and the form of its value. What is not listed is dropped, and so is what has another
# form: a name that a caller chose never gets here.
FIELDS: dict[str, tuple[str, re.Pattern[str]]] = {
    "time": ("when, UTC", re.compile(r"[0-9T:.Z+-]{20,32}")),
    "level": ("debug, info, warning, error or critical", re.compile(r"[a-z]{1,10}")),
    "from": ("which part spoke", re.compile(r"[A-Za-z0-9_.]{1,80}")),
    "event": ("what happened", re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,500}")),
    "pid": ("the process", re.compile(r"\d{1,10}")),
    "call": ("our own id of the call: 32 hexadecimal digits", re.compile(r"[0-9a-f]{32}")),
    "hookInstance": (
        "the client's id of the call, where it is a UUID",
        re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ),
    "service": ("the id of the service", re.compile(r"aml-[a-z-]{1,40}")),
    "tenant": ("the name in the file of tenants", NAME),
    "reader": ("the name under which a reader logged in", re.compile(r"[a-z0-9._@-]{1,64}")),
    "card": (
        "the random id of the card whose reasons were opened",
        re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ),
    "status": ("the HTTP status", re.compile(r"\d{3}")),
    "seconds": ("until the answer was ready", re.compile(r"\d+(?:\.\d+)?")),
    "info": ("cards of that indicator", re.compile(r"\d{1,3}")),
    "warning": ("cards of that indicator", re.compile(r"\d{1,3}")),
    "critical": ("cards of that indicator", re.compile(r"\d{1,3}")),
    "not_repeated": ("cards that the same user had answered already", re.compile(r"\d{1,3}")),
    "knowledge": ("the version that answered", re.compile(r"[0-9a-f]{6,64}")),
    "cause": ("why the call was refused or broke: the name of an error", re.compile(r"[A-Za-z_]{1,60}")),
    "error": ("the kind of an error that somebody caught", re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,80}")),
    "place": ("file and line where it arose", re.compile(r"[A-Za-z0-9_./ <>-]{1,200}:\d{1,6}")),
}

# What gunicorn may say in its own words; it fills in numbers of processes, names of signals and our own address.
_OF_GUNICORN = (
    "Starting gunicorn", "Listening at", "Using worker", "Booting worker", "Worker exiting", "Worker (pid:%s)",
    "WORKER TIMEOUT", "Handling signal", "Shutting down", "Hang up", "Quick shutdown", "graceful stop",
)  # fmt: skip
_IN_OUR_WORDS = {
    "Invalid request": "a request that is no HTTP was refused",
    "Error handling request": "the server failed at a request",
    "Exception in worker": "a worker failed",
    "Connection in use": "the address is taken: stop whatever listens there, or set PORT to another",
    "Invalid address": "this machine has no such address: set HOST to one that it has",
    "connection to ": "the address could not be had, it is tried again",
    "Can't connect to": "the server stops: there was no address to listen on",
}


def configure(settings: Settings, told: Callable[[], object] | None = None) -> None:
    """Let everybody log as the settings say. `told`: of each line that had to be dropped."""
    outbox.listeners[:] = [told] if told else outbox.listeners
    logging.config.dictConfig(_as_dict(settings))
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # else a handler that fails prints what it was given
    threading.excepthook = _in_a_thread


def _as_dict(settings: Settings) -> dict[str, Any]:
    """The configuration as `logging.config` takes it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"closed": {"()": formatter, "as_json": settings.logs_as_json}},
        "handlers": {"outbox": {"()": outbox.Outbox, "descriptor": _STDERR, "formatter": "closed"}},
        "root": {"level": "WARNING", "handlers": ["outbox"]},
        "loggers": {
            **{name: {"level": settings.log_level} for name in (*OURS, "gunicorn")},
            "gunicorn.error": {"level": settings.log_level, "handlers": [], "propagate": True},
            "urllib3": {"level": "CRITICAL"},
        },
    }


def formatter(as_json: bool) -> logging.Formatter:
    """Turns every record, whoever made it, into a line of listed fields."""
    return _Closed(as_json)


def write(logger: logging.Logger, level: int, event: str, fields: Mapping[str, str | int | float]) -> None:
    """A line with these fields. Where in the code it was said nobody asks, so that nobody looks for it."""
    if logger.isEnabledFor(level):
        logger.handle(logger.makeRecord(logger.name, level, "", 0, event, (), None, extra={_TOLD: fields}))


_TOLD = "told"  # the attribute of a record with the fields of our own


class _Closed(logging.Formatter):
    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        event = _closed(_fields(record))
        return msgspec.json.encode(event).decode() if self._as_json else _as_text(event)


def place(error: BaseException) -> str:
    """File and line where an error arose, from the name of its package on."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place:0"
    return f"{'/'.join(frames[-1].filename.split('/')[-3:])}:{frames[-1].lineno}"


def _fields(record: logging.LogRecord) -> Event:
    """The fields of a record: who spoke, when, and what of it may be repeated."""
    told: Event | None = getattr(record, _TOLD, None)
    made: Event = {
        **(told or {}),
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "from": record.name,
        "pid": record.process,
        "event": record.msg if told is not None else _words(record, record.getMessage()),
    }
    error = (record.exc_info or (None, None))[1]
    if error is not None:
        made["error"], made["place"] = type(error).__name__, place(error)
    return made


def _words(record: logging.LogRecord, message: str) -> str:
    template = str(record.msg)
    package = record.name.partition(".")[0]
    if package == "gunicorn":
        for start, ours in _IN_OUR_WORDS.items():
            if template.startswith(start):
                return ours
    if package in OURS or (package == "gunicorn" and template.startswith(_OF_GUNICORN)):
        return "".join(letter if letter.isprintable() else " " for letter in message)[:_LONGEST]
    return "a library said something that is not repeated here"


def _closed(event: Event) -> Event:
    """Only what is listed, and in its form."""
    return {
        name: value
        for name, fits in _FORMS
        if isinstance(value := event.get(name), (str, int, float)) and fits(str(value))
    }


_FORMS = tuple((name, form.fullmatch) for name, (_, form) in FIELDS.items())
_IN_THE_HEAD = ("time", "level", "from", "event", "pid")


def _as_text(event: Event) -> str:
    head = f"{event['time']} {event['level'].upper()} {event.get('from', '')}: {event.get('event', '')}"
    return " ".join((head, *(f"{name}={value}" for name, value in event.items() if name not in _IN_THE_HEAD)))


def _in_a_thread(fault: threading.ExceptHookArgs) -> None:
    """A thread ended by an error: its text may hold what it stumbled over, so only kind and place are told."""
    if fault.exc_type is SystemExit or fault.exc_value is None:
        return
    error = fault.exc_value
    logging.getLogger("cds_service.thread").error("a thread ended", exc_info=(type(error), error, error.__traceback__))


def as_markdown() -> str:
    """The fields as `docs/operating.md` shows them."""
    rows = (f"| `{name}` | {meaning} |" for name, (meaning, _) in FIELDS.items())
    return "\n".join(("| Field | What it holds |", "|---|---|", *rows)) + "\n"
