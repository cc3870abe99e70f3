"""A span for each call, where a collector is set: what a log line says, and nothing that a chart said."""

from __future__ import annotations

import re
import sys
import time

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.watch.logs import FIELDS
from cds_service.watch.tracing import Tracing, attributes, tracing
from tests.house import serving
from tests.store.conftest import a_call
from tests.watch.test_metrics import call

COLLECTOR = "http://127.0.0.1:4318/v1/traces"


def test_without_a_setting_nobody_traces_and_nothing_is_imported():
    assert tracing(Settings.load({})) == ()


def test_what_is_not_installed_is_said_at_the_start(monkeypatch):
    for name in [each for each in sys.modules if each.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SettingsError, match=r"OpenTelemetry is not installed: install aml-cds\[otel\]"):
        tracing(Settings.load({"TRACING": COLLECTOR}))


def test_a_span_says_what_a_log_line_says_and_nothing_of_the_patient():
    told = attributes(a_call("north", knowledge="a1188fd72c1e"))
    assert told["aml_cds.hook"] == "order-sign" and told["http.response.status_code"] == 200
    assert {"aml_cds.call", "aml_cds.service", "aml_cds.tenant", "aml_cds.knowledge", "aml_cds.critical"} <= set(told)
    names = {each.removeprefix("aml_cds.") for each in told} - {"hook", "http.response.status_code"}
    assert names <= set(FIELDS)
    of_the_chart = re.compile(r"\b(?:p1|Practitioner|512)\b")  # as words: the id of a call holds any digits by chance
    assert not [value for value in map(str, told.values()) if of_the_chart.search(value)]


def test_what_has_not_its_form_is_left_out():
    body = b'{"hookInstance":"MARK"}'
    told = attributes(call(service="aml-MARK", tenant="MARK\n", cause="MARK 1", body=body))
    assert not [value for value in told.values() if "MARK" in str(value)]


# With OpenTelemetry


@pytest.fixture
def spans():
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    return memory, Tracing(lambda: SimpleSpanProcessor(memory))


def test_a_span_has_the_times_of_its_call(spans):
    memory, witness = spans
    made = a_call("north")
    witness.saw(made)
    (span,) = memory.get_finished_spans()
    assert (span.name, span.parent) == ("aml-order-sign", None)
    assert span.start_time == int(made.at.timestamp() * 1e9) and span.end_time - span.start_time == 10_000_000
    assert dict(span.attributes) == attributes(made) and span.status.is_ok is not False


def test_a_call_that_broke_is_an_error_and_names_nobody(spans):
    memory, witness = spans
    witness.saw(call(cause="RuntimeError", service="MARK", status=200))
    (span,) = memory.get_finished_spans()
    assert span.name == "call" and span.status.status_code.name == "ERROR"
    assert "MARK" not in span.to_json()


def test_spans_go_to_the_collector_of_the_setting_and_nowhere_else(monkeypatch):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with serving(b"") as collector, serving(b"") as elsewhere:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{elsewhere.port}")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{elsewhere.port}")
        (witness,) = tracing(Settings.load({"TRACING": f"http://127.0.0.1:{collector.port}/v1/traces"}))
        began = time.monotonic()
        witness.saw(call())
        assert time.monotonic() - began < 1
        assert witness._tracer().span_processor.force_flush(10_000)
        assert collector.lines == ["POST /v1/traces HTTP/1.1"] and elsewhere.lines == []
