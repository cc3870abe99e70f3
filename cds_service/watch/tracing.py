"""Tracing: a span for each call, told to a collector by OTLP over HTTP. Off unless `TRACING` names the collector.

A witness as the logbook is: it is shown a call once its answer has gone out, and writes the span afterwards with the
times of the call. So tracing delays no answer, and a collector that hangs or is gone costs nothing but spans. A span
tells what a log line tells, field by field in the same forms: counts and names of ours, and nothing that a chart said.

`opentelemetry` is no part of a plain installation: it is imported only where `TRACING` is set.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests

from cds_service import __version__
from cds_service.beside import Call
from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.watch.logbook import told
from cds_service.watch.logs import FIELDS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanProcessor

SECONDS = 5.0  # for one delivery; nobody waits for it
MISSING = "TRACING is set, and OpenTelemetry is not installed: install aml-cds[otel], or unset it"


def tracing(settings: Settings) -> tuple[Tracing, ...]:
    """The witness, where a collector is set. Raises SettingsError when what it needs is not installed."""
    if not settings.tracing:
        return ()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(MISSING) from None
    way = settings.way()

    def processor() -> SpanProcessor:
        session = way.open(requests.Session())
        return BatchSpanProcessor(OTLPSpanExporter(settings.tracing, timeout=SECONDS, headers={}, session=session))

    return (Tracing(processor),)


class Tracing:
    """A witness that makes a span of each call. Threads do not survive a fork, so each process makes its own sender."""

    def __init__(self, processor: Callable[[], SpanProcessor]) -> None:
        self._processor = processor
        self._lock = Lock()
        self._tracers: dict[int, Any] = {}
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = Lock()

    def saw(self, call: Call) -> None:
        """Make the span of this call."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        began = int(call.at.timestamp() * 1e9)
        name = call.service if _fits("service", call.service) else "call"
        span = self._tracer().start_span(name, kind=SpanKind.SERVER, start_time=began, attributes=attributes(call))
        if call.cause and call.status < 400:  # answered with a card that says it broke
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_time=began + int(call.seconds * 1e9))

    def _tracer(self) -> Any:
        with self._lock:
            made = self._tracers.get(os.getpid())
            if made is None:
                made = self._tracers[os.getpid()] = self._made()
            return made

    def _made(self) -> Any:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        resource = Resource({"service.name": "aml-cds", "service.version": __version__})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        provider.add_span_processor(self._processor())
        return provider.get_tracer("aml-cds", __version__)


def attributes(call: Call) -> dict[str, str | int | float]:
    """What a span says of a call: the fields of its log line that have their form, and the hook."""
    fields = told(call) | {"service": call.service}
    fitting = {f"aml_cds.{name}": value for name, value in fields.items() if _fits(name, value)}
    hook = {"aml_cds.hook": call.hook} if call.hook else {}
    return fitting | hook | {"http.response.status_code": call.status}


def _fits(name: str, value: object) -> bool:
    return bool(FIELDS[name][1].fullmatch(str(value)))
