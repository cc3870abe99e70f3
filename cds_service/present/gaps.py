"""One gap card, "What this check could not see": grouped by cause, with the orders that would close each gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.facts.demographics import LINKED, REPLACED
from cds_service.facts.drugs.medications import Medication
from cds_service.facts.fact import Fact, Key, State
from cds_service.facts.genomics.mutations import Mutation
from cds_service.facts.orders import ORDERED
from cds_service.facts.times import spoken_age
from cds_service.facts.values.ecg import Ecg
from cds_service.knowledge.model import Level
from cds_service.present.relevance import Relevance
from cds_service.quantity import Quantity
from cds_service.rules.rule import Check, NotEvaluated, NoTimeLeft, Proposal, Rule
from cds_service.rules.subjects import distinct

CAUSES = {
    State.ABSENT: "Not found under the codes we ask for",
    State.STALE: "Too old",
    State.UNREADABLE: "Could not be read",
    State.CONFLICTING: "Conflicting",
    State.FAILED: "The EHR gave no usable answer",
    State.NOT_ASKED: "Not sent, and not to be had",
    State.KNOWN: "Known, but not sure enough",
}
UNDATED = "Without a date, so perhaps too old"
OTHER = "Other"
_NAMED = 3  # so many drafts without a drug are told apart
NO_TIME = "No time left, so not checked"
SWITCHED_OFF = "Switched off by local policy"


@dataclass(frozen=True, slots=True)
class Gap:
    """Everything that the gap card says."""

    level: Level
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    checks: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    ordered: tuple[str, ...]
    about: tuple[Medication, ...]
    missing: tuple[str, ...]


def find_gap(relevance: Relevance) -> Gap | None:
    """The gap of this call; None when it does not concern us or nothing is missing."""
    if not relevance.concerned:
        return None
    chart = relevance.evaluation.chart
    counted = [(check, gap) for check, gap in relevance.outcomes(NotEvaluated) if relevance.counts(check, gap)]
    lines = _lines(counted, relevance)
    disagreeing = relevance.conflicting
    if disagreeing:
        words = [f"{order.label or 'an order'} ({order.role.value}): {order.conflict}" for order in disagreeing]
        lines.setdefault(CAUSES[State.CONFLICTING], []).extend(words)
    unread = _unread(relevance)
    links = [f"{each[:1].upper()}{each[1:]}" for each in chart.get(LINKED).value or ()]
    if unread or links:
        lines.setdefault(OTHER, []).extend([*unread, *links])
    off = [(check, off.switch) for check, off in relevance.switched_off() if off.switch is not None]
    if not lines and not any(check.rule.worst is Level.CRITICAL for check, _ in off):
        return None
    set_aside = [*lines.get(OTHER, []), *(["which drug an order is for"] if disagreeing else [])]
    if chart.unreadable_drafts:
        drafts = "draft order" if len(chart.unreadable_drafts) == 1 else "draft orders"
        reasons = "; ".join(dict.fromkeys(chart.unreadable_drafts))
        lines[OTHER].append(f"Why the {drafts} could not be read: {reasons}")
    if relevance.nameless and (named := chart.medications.unnamed_which):
        lines[OTHER].append(f"Which names no drug: {'; '.join(named[:_NAMED])}{'; …' if len(named) > _NAMED else ''}")
    replaced = any(each.lower().startswith(REPLACED) for each in links)
    # a check switched off, or a link to another record that does not replace this one, is only said
    most = max((relevance.level(check, gap) for check, gap in counted), default=Level.INFO)
    level = max(most, Level.WARNING if unread or disagreeing or replaced else Level.INFO)
    if off:
        lines[SWITCHED_OFF] = [f"{check.rule.title} ({switch.decision.words})" for check, switch in off]
    if relevance.elsewhere and level is Level.INFO:
        return None
    facts = _distinct(fact for _, gap in counted for fact in gap.missing)
    ordered = chart.get(ORDERED).value or frozenset()
    return Gap(
        level=min(level, Level.WARNING),
        groups=tuple((cause, tuple(dict.fromkeys(texts))) for cause, texts in lines.items()),
        checks=tuple(dict.fromkeys(check.rule.title for check, gap in counted if _stops(check, gap, most, relevance))),
        proposals=_closing(facts, ordered),
        ordered=tuple(dict.fromkeys(_test(fact.key) for fact in facts if fact.key.order and fact.key.order in ordered)),
        about=_about(counted, relevance, every=bool(unread or disagreeing)),
        missing=tuple(
            _once([*(fact.key.label for fact in _first(counted, relevance)), *_words(counted), *set_aside])
            or [f"{check.rule.title}, switched off here" for check, _ in off]
        ),
    )


def _unread(relevance: Relevance) -> list[str]:
    """What came and was left unread, whatever check it would have concerned."""
    chart, nameless = relevance.evaluation.chart, relevance.nameless
    entries = "1 entry" if chart.foreign == 1 else f"{chart.foreign} entries"
    found = [f"{entries} of another patient, not read"] if chart.foreign else []
    if chart.unreadable_drafts:
        drafts = len(chart.unreadable_drafts)
        found.append(
            "1 draft order could not be read, so nothing was checked for it"
            if drafts == 1
            else f"{drafts} draft orders could not be read, so nothing was checked for them"
        )
    if nameless:
        found.append(
            "1 draft order names no drug that could be read, so nothing was checked for it"
            if nameless == 1
            else f"{nameless} draft orders name no drug that could be read, so nothing was checked for them"
        )
    return found


def _about(counted: list[tuple[Check, NotEvaluated]], relevance: Relevance, *, every: bool) -> tuple[Medication, ...]:
    """The orders of our drugs for which something could not be seen. `every`: it concerns every draft.

    Of a drug that is drafted only its drafts.
    """
    ours = relevance.our_drafts
    named = [order for _, gap in counted for order in gap.about if relevance.is_ours(order)]
    drafts = ours if every or not named else tuple(order for order in named if order in ours)
    drafted = {drug for order in drafts for drug in order.ingredients}
    return distinct([*drafts, *(order for order in named if drafted.isdisjoint(order.ingredients))])


def _stops(check: Check, gap: NotEvaluated, most: Level, relevance: Relevance) -> bool:
    """Whether the gap is one of the most urgent, and not named already as one that time did not reach."""
    return relevance.level(check, gap) is most and not isinstance(gap, NoTimeLeft)


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def _first(counted: list[tuple[Check, NotEvaluated]], relevance: Relevance) -> list[Fact[Any]]:
    """The missing facts, those that matter most first."""
    ranked = sorted(counted, key=lambda pair: relevance.level(*pair), reverse=True)
    return _distinct(fact for _, gap in ranked for fact in gap.missing)


def _words(counted: list[tuple[Check, NotEvaluated]]) -> list[str]:
    words = [gap.why for _, gap in counted if gap.why and not gap.missing and not isinstance(gap, NoTimeLeft)]
    return [*words, *(["there was no time left"] if any(isinstance(gap, NoTimeLeft) for _, gap in counted) else [])]


def _distinct(facts: Iterable[Fact[Any]]) -> list[Fact[Any]]:
    found: dict[str, Fact[Any]] = {}
    for fact in facts:
        found.setdefault(fact.key.name, fact)
    return list(found.values())


def _lines(counted: list[tuple[Check, NotEvaluated]], relevance: Relevance) -> dict[str, list[str]]:
    """The words for each gap, by cause, the most urgent first; what is missing for one reason stands in one line."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for fact in _first(counted, relevance):
        reasons.setdefault((_cause(fact), _reason(fact, relevance)), []).append(fact.key.label)
    found: dict[str, list[str]] = {}
    for (cause, reason), labels in reasons.items():
        names = ", ".join(_once(labels))
        line = names[:1].upper() + names[1:]
        found.setdefault(cause, []).append(f"{line}: {reason}" if reason else line)
    late = [check.rule for check, gap in counted if isinstance(gap, NoTimeLeft)]
    if late:
        found[NO_TIME] = _named_or_counted(dict.fromkeys(late))
    for check, gap in counted:
        if isinstance(gap, NoTimeLeft):
            continue
        told = bool(gap.missing) and not check.subject
        if gap.why and not told and all(gap.why not in fact.why for fact in gap.missing):
            found.setdefault(OTHER, []).append(gap.why)
    return found


def _once(names: list[str]) -> list[str]:
    """Each name once, and none that another one says with more: "conditions on record, past ones included"."""
    return [name for name in dict.fromkeys(names) if not any(each.startswith(f"{name}, ") for each in names)]


def _cause(fact: Fact[Any]) -> str:
    """Under which heading it stands that the fact does not count."""
    return UNDATED if fact.state is State.STALE and fact.when is None else CAUSES[fact.state]


def _named_or_counted(late: Iterable[Rule[Any]]) -> list[str]:
    """The checks that were not reached: by name those that may be critical, the others by their number."""
    every = list(late)
    named = [each.title for each in every if each.worst is Level.CRITICAL]
    others = len(every) - len(named)
    return [*named, *([f"{_counted(others, 'check')} that can warn or inform"] if others else [])]


def _reason(fact: Fact[Any], relevance: Relevance) -> str:
    """Why the fact is missing, beyond what its cause says already."""
    doubts = tuple(doubt for doubt in fact.doubts if doubt not in fact.why)
    said = _cause(fact) == UNDATED or (fact.state is State.ABSENT and fact.why == State.ABSENT.value)
    words = [part for part in ("" if said else fact.why, *doubts) if part]
    if fact.state is State.KNOWN and fact.when is not None:
        words.append(
            f"{fact.bound}{_value(fact)}taken {fact.when}, {spoken_age(fact.when, relevance.evaluation.chart.now)}"
        )
    return "; ".join(dict.fromkeys(words))


def _value(fact: Fact[Any]) -> str:
    """What the doubtful fact says: the number, or what the result of a marker found."""
    if isinstance(fact.value, Mutation):
        return f"{fact.value.told}, "
    shown = fact.value.qtc if isinstance(fact.value, Ecg) else fact.value
    return f"{shown}, " if isinstance(shown, Quantity) else ""


def _closing(facts: list[Fact[Any]], ordered: frozenset[str]) -> tuple[Proposal, ...]:
    """The orders that would close the gaps, each once; what is already ordered is only said."""
    tests = {fact.key.order: _test(fact.key) for fact in facts if fact.key.order}
    return tuple(Proposal("order", f"Order {test}", order=key) for key, test in tests.items() if key not in ordered)


def _test(key: Key[Any]) -> str:
    """The test that brings the value, as one orders it."""
    return _TESTS.get(key.order, key.label)


_TESTS = {"ecg": "a 12-lead ECG", "cbc": "a blood count", "echo": "an echocardiogram"}
_TESTS |= {"kmt2a": "KMT2A rearrangement testing", "cd33": "CD33 on the blasts", "pregnancy_test": "a pregnancy test"}
_TESTS |= {"myeloid_panel": "a myeloid mutation panel", "creatinine": "creatinine"}
