"""Metrics: what is counted of every call, for all processes of this server, without anything of a patient.

A witness of calls, a ledger of feedback, and a few functions for those who have something to count themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from threading import Lock
from typing import Any

import prometheus_client as prometheus
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from cards.topic import topic_code
from cds_service import __version__
from cds_service.answer import Answer
from cds_service.beside import Call, Health
from cds_service.hooks.feedback import Feedback
from cds_service.rules.rule import Check, Fired, NotEvaluated, NoTimeLeft
from cds_service.watch import definitions as of
from cds_service.watch import shared

prometheus.disable_created_metrics()  # type: ignore[no-untyped-call] # when a series began is of no use, and doubles it


class Metrics:
    """The counts of this process, and the page on which those of all processes stand. Make it once, before the fork."""

    def __init__(self) -> None:
        self.sets = of.label_sets((), (), ())
        self._rule_of: dict[str, str] = {}
        self._lock = Lock()
        self._not_known: Counter[tuple[str, str]] = Counter()
        if shared.folder():  # prometheus-client decides when it is imported, which may have been before
            prometheus.values.ValueClass = prometheus.values.MultiProcessValue()  # type: ignore[no-untyped-call] # as it is
        self._own = prometheus.CollectorRegistry()
        self._made = {each.name: self._make(each) for each in of.METRICS if each.kind != of.GAUGE}
        self._series: dict[tuple[str, ...], Any] = {}  # that were counted in already, by metric and labels
        self._health: Callable[[], Mapping[str, Health]] = dict
        self._knowledge: frozenset[str] = frozenset()

    def names(self, services: Iterable[str], rules: Iterable[str], queries: Iterable[str]) -> None:
        """What labels are taken from. Before this is said everything counts as "other"."""
        rules = tuple(rules)
        self.sets = of.label_sets(services, rules, queries)
        self._series = {}
        self._rule_of = {topic_code(rule): rule for rule in (*rules, "gap")}

    def asks(self, health: Callable[[], Mapping[str, Health]], knowledge: Iterable[str]) -> None:
        """What is asked when the page is read: how the parts are, and with which knowledge answers are given."""
        self._health, self._knowledge = health, frozenset(knowledge)

    def saw(self, call: Call) -> None:
        """Count a call."""
        self._count(of.CALLS, call.service, f"{call.status // 100}xx")
        if call.answer is not None:
            self._of(of.CALL_SECONDS, call.service).observe(call.seconds)
            self._answered(call.answer)
        elif call.status == 200:
            self._count(of.CALLS_BROKEN, call.service)
        self._settle_codes()

    def add(self, service: str, tenant: str, feedback: tuple[Feedback, ...]) -> None:
        """Count feedback. As the last of the ledgers it counts what the others kept."""
        for each in feedback:
            self._count(of.FEEDBACK, service, each.outcome)

    def asked(self, query: str, seconds: float, whole: bool) -> None:
        """A query to a FHIR server ended."""
        self._of(of.FHIR_SECONDS, query).observe(seconds)
        if not whole:
            self._count(of.FHIR_NOT_WHOLE, query)

    def not_known(self, kind: str, system: str, times: int = 1) -> None:
        """Codes of a "drug" or a "condition" are in none of the tables; `system` as one speaks of it.

        This is said while a call is answered: it is noted, and counted once the answer is out.
        """
        with self._lock:
            self._not_known[kind, self._closed("system", system)] += times

    def turned_away(self, reason: str) -> None:
        """A caller was turned away."""
        self._count(of.TURNED_AWAY, reason)

    def not_stored(self, what: str) -> None:
        """A "call", "feedback" or the mark of a "token" could not be written to the store."""
        self._count(of.STORE_ERRORS, what)

    def line_dropped(self) -> None:
        """A log line was given up."""
        self._made[of.LOG_DROPPED.name].inc()

    def page(self) -> bytes:
        """What Prometheus reads: the counts of every process, and how this one finds the parts."""
        registry = prometheus.CollectorRegistry()
        registry.register(_Now(self._health(), self._knowledge))
        if folder := shared.folder():
            MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call] # as the library has it
            return prometheus.generate_latest(registry)
        return prometheus.generate_latest(registry) + prometheus.generate_latest(self._own)

    def _settle_codes(self) -> None:
        if not self._not_known:  # what comes at this very moment is counted with the next call
            return
        with self._lock:
            noted, self._not_known = self._not_known, Counter()
        for (kind, system), count in noted.items():
            self._count(of.UNMAPPED, kind, system, times=count)

    def _answered(self, answer: Answer) -> None:
        for topic, times in _times(card.source.topic.code for card in answer.cards).items():
            self._count(of.CARDS, self._rule_of.get(topic, ""), times=times)
        for indicator, times in _times(card.indicator for card in answer.cards).items():
            self._count(of.CARDS_BY_INDICATOR, indicator, times=times)
        if answer.not_repeated:
            self._made[of.NOT_REPEATED.name].inc(len(answer.not_repeated))
        blind: list[tuple[Check, NotEvaluated]] = []
        for check in answer.evaluation.telling:
            outcome = check.outcome
            if check.shadow is not None:
                if isinstance(outcome, (Fired, NotEvaluated)):
                    self._count(of.SHADOW, check.word)
            elif isinstance(outcome, NotEvaluated) and not outcome.quiet:
                blind.append((check, outcome))
        self._blind(blind)

    def _blind(self, checks: Collection[tuple[Check, NotEvaluated]]) -> None:
        for rule, times in _times(check.rule.id for check, _ in checks).items():
            self._count(of.BLIND, rule, times=times)
        for why, times in _times(cause(outcome) for _, outcome in checks).items():
            self._count(of.BLIND_CAUSES, why, times=times)
        broken = sum(outcome.broke for _, outcome in checks)
        if broken:
            self._made[of.BROKEN.name].inc(broken)

    def _count(self, metric: of.Metric, *labels: str, times: int = 1) -> None:
        self._of(metric, *labels).inc(times)

    def _of(self, metric: of.Metric, *labels: str) -> Any:
        """The series with these labels, in their order; what is not in the set of a label counts as "other"."""
        found = self._series.get((metric.name, *labels))  # holds none but of the sets
        if found is None:
            key = (metric.name, *map(self._closed, metric.labels, labels))
            found = self._series.get(key)
            if found is None:
                found = self._series[key] = self._made[metric.name].labels(*key[1:])
        return found

    def _closed(self, label: str, value: str) -> str:
        return value if value in self.sets[label] else of.OTHER

    def _make(self, metric: of.Metric) -> Any:
        if metric.kind == of.HISTOGRAM:
            return prometheus.Histogram(
                metric.name, metric.help, metric.labels, buckets=of.SECONDS, registry=self._own
            )
        kind = {of.COUNTER: prometheus.Counter, of.SUMMARY: prometheus.Summary}[metric.kind]
        return kind(metric.name, metric.help, metric.labels, registry=self._own)


def _times(names: Iterable[str]) -> dict[str, int]:
    """How often each stands among these few: for few a `Counter` takes longer."""
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def cause(outcome: NotEvaluated) -> str:
    """Why a check could not be made, as one word of a closed set: that of the first fact which is missing."""
    if outcome.broke:
        return "broke"
    if isinstance(outcome, NoTimeLeft):
        return "no_time"
    for fact in outcome.missing:
        return fact.state.name.lower() if fact.state.name != "KNOWN" else "doubtful"
    return of.OTHER


class _Now(Collector):
    """What is only known at the moment when the page is read."""

    def __init__(self, health: Mapping[str, Health], knowledge: frozenset[str]) -> None:
        self._health, self._knowledge = health, knowledge

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The state of each part, and the versions."""
        parts = GaugeMetricFamily(of.PART.name, of.PART.help, labels=of.PART.labels)
        for name, health in list(self._health.items())[: of.MOST_PARTS]:
            parts.add_metric([name], int(health.light))
        info = GaugeMetricFamily(of.INFO.name, of.INFO.help, labels=of.INFO.labels)
        for version in sorted(self._knowledge)[: of.MOST_VERSIONS]:
            info.add_metric([__version__, version], 1)
        yield parts
        yield info
