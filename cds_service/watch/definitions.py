"""Definitions: every metric with its meaning, and the closed sets that its labels are taken from.

A label is never what a caller sent: what is not in its set counts as "other". So the number of series has an upper
bound, which stands here as a function. `docs/operating.md` is made from this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

OTHER = "other"
SECONDS = (0.01, 0.05, 0.25, 1.0, 2.5, 5.0)  # upper ends of the ranges that are counted
COUNTER, HISTOGRAM, SUMMARY, GAUGE = "counter", "histogram", "summary", "gauge"
MOST_VERSIONS, MOST_PARTS = 20, 12  # of knowledge, and of readiness: more are not shown


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name, what it counts, by which labels, and what to think when it moves."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    think: str = ""

    def series(self, sets: Mapping[str, frozenset[str]]) -> int:
        """The most series that it can have, "other" included."""
        each = {HISTOGRAM: len(SECONDS) + 3, SUMMARY: 2}.get(self.kind, 1)  # +Inf, sum and count; sum and count
        return each * prod(len(sets[label] | {OTHER}) for label in self.labels)


CALLS = Metric(
    "aml_cds_calls_total", COUNTER, "Calls to a service (each service is one hook), by status class of HTTP.",
    ("service", "status"), "4xx that grows: a client sends what cannot be read; the log line names the cause.",
)
CALLS_BROKEN = Metric(
    "aml_cds_calls_broken_total", COUNTER, "Calls in which something of ours broke: answered 200 with a warning card.",
    ("service",), "Any is a fault of ours: look for \"not answered\" in the log.",
)
CALL_SECONDS = Metric(
    "aml_cds_call_seconds", HISTOGRAM, "Seconds from the arrival of a call until its answer was ready.", ("service",),
    "Keep the 99th percentile below the EHR's own time-out.",
)
CARDS = Metric(
    "aml_cds_cards_total", COUNTER, "Cards shown, by the rule that made them; `gap` is what could not be seen.",
    ("rule",), "A rule that makes most of the cards is the first to be looked at with its owner.",
)
CARDS_BY_INDICATOR = Metric(
    "aml_cds_cards_by_indicator_total", COUNTER, "Cards shown, by how urgent they are.", ("indicator",),
    "No critical card for weeks, or many at once: look whether data still come.",
)
NOT_REPEATED = Metric(
    "aml_cds_cards_not_repeated_total", COUNTER, "Cards not shown at order-sign, as the same user had answered them.",
    think="Only with REPEATS=on.",
)
BLIND = Metric(
    "aml_cds_checks_not_evaluated_total", COUNTER,
    "Checks that could not be made although a source asks for them, by rule.", ("rule",),
    "Which rule is blind here: its inputs are not sent, or not in codes that are read.",
)
BLIND_CAUSES = Metric(
    "aml_cds_checks_not_evaluated_causes_total", COUNTER, "The same checks by cause.", ("cause",),
    "`failed` and `not_asked`: FHIR server or prefetch; `absent`: not measured, or other codes; `broke`: our fault; "
    "`no_time`: the call took longer than ANSWER_SECONDS.",
)
BROKEN = Metric(
    "aml_cds_checks_broken_total", COUNTER, "Checks that failed within this service.",
    think="Any is a fault of ours: the log line names the rule, and the card of gaps the check to the clinician.",
)
SHADOW = Metric(
    "aml_cds_checks_in_shadow_total", COUNTER, "Checks in shadow that would have shown a card, or a gap.", ("would",),
)
FEEDBACK = Metric(
    "aml_cds_feedback_total", COUNTER, "Feedback that was taken and kept, by what became of the card.",
    ("service", "outcome"), "Overridden far above accepted: alert fatigue; `aml-cds report` has it by rule and reason.",
)
TURNED_AWAY = Metric(
    "aml_cds_callers_turned_away_total", COUNTER, "Callers that were turned away, by reason (401, 429 or 503).",
    ("reason",), "`time`: a clock; `key`: a rotation that is not published; `replay`, `signature`: somebody tries.",
)
FHIR_SECONDS = Metric(
    "aml_cds_fhir_seconds", SUMMARY, "Seconds that a query to a FHIR server took; its count is how many were asked.",
    ("query",), "Rising towards GATHER_SECONDS: checks will soon go blind.",
)
FHIR_NOT_WHOLE = Metric(
    "aml_cds_fhir_not_whole_total", COUNTER, "Queries to a FHIR server that brought nothing or only a part.",
    ("query",), "More than a few of a hundred: ask who runs the FHIR server; `aml-cds doctor` says what it does.",
)
UNMAPPED = Metric(
    "aml_cds_codes_not_known_total", COUNTER,
    "Codes that the tables do not hold, of drugs and of conditions, by code system.", ("kind", "system"),
    "Most conditions are none of ours. Drugs of `other`: a local system, see overlay.md for local codes.",
)
STORE_ERRORS = Metric(
    "aml_cds_store_errors_total", COUNTER, "What could not be written to the store.", ("what",),
    "`feedback` was answered 503 and comes again; `call` is lost for the report.",
)
LOG_DROPPED = Metric(
    "aml_cds_log_lines_dropped_total", COUNTER, "Log lines given up because whoever reads the log is too slow or gone.",
    think="Look after the log collector: answers go on, but you no longer see them.",
)
PART = Metric(
    "aml_cds_part_state", GAUGE, "How a part is doing, as at /readyz: 0 green, 1 amber, 2 red.", ("part",),
    "2: this replica is not ready; /readyz says why.",
)
INFO = Metric(
    "aml_cds_info", GAUGE, "Always 1: the version of the service and of the knowledge that it answers with.",
    ("version", "knowledge"), "More than one knowledge among replicas, or after a change, is an unfinished rollout.",
)
METRICS = (
    CALLS, CALLS_BROKEN, CALL_SECONDS, CARDS, CARDS_BY_INDICATOR, NOT_REPEATED, BLIND, BLIND_CAUSES, BROKEN, SHADOW,
    FEEDBACK, TURNED_AWAY, FHIR_SECONDS, FHIR_NOT_WHOLE, UNMAPPED, STORE_ERRORS, LOG_DROPPED, PART, INFO,
)  # fmt: skip

_FIXED = {
    "status": ("2xx", "4xx", "5xx"),
    "indicator": ("info", "warning", "critical"),
    "cause": ("absent", "stale", "unreadable", "conflicting", "failed", "not_asked", "doubtful", "broke", "no_time"),
    "outcome": ("accepted", "overridden"),
    "would": ("fired", "not evaluated"),
    "reason": (
        "no token", "form", "issuer", "algorithm", "jku", "key", "audience", "time", "signature", "claims", "life",
        "replay", "replay, recorded only", "too often", "too many at once",
    ),
    "kind": ("drug", "condition"),
    "system": ("RxNorm", "ATC", "NDC", "SNOMED CT", "ICD-10-CM", "ICD-10", "ICD-10-PCS", "CPT"),
    "what": ("call", "feedback", "token"),
}  # fmt: skip


def label_sets(services: Iterable[str], rules: Iterable[str], queries: Iterable[str]) -> dict[str, frozenset[str]]:
    """What each label may say. Parts and versions are those of this very service."""
    named = {"service": services, "rule": (*rules, "gap"), "query": queries, **_FIXED}
    return {label: frozenset(values) for label, values in named.items()}


_AT_MOST = {INFO.name: MOST_VERSIONS, PART.name: MOST_PARTS}


def most_series(sets: Mapping[str, frozenset[str]]) -> int:
    """The most series that one scrape can bring, whatever callers send."""
    return sum(_AT_MOST.get(metric.name) or metric.series(sets) for metric in METRICS)


def as_markdown() -> str:
    """The table as `docs/operating.md` shows it."""
    rows = (
        f"| `{each.name}` | {each.kind} | {', '.join(f'`{label}`' for label in each.labels) or 'none'} "
        f"| {each.help} | {each.think} |"
        for each in METRICS
    )
    return "\n".join(("| Metric | Kind | Labels | Meaning | When it moves |", "|---|---|---|---|---|", *rows)) + "\n"
