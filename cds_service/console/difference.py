"""Difference: what a hospital's overlay changes, in words, and which sample answers come out differently for it.

Every change is looked at by itself and as if it were in force, so that one can be weighed before its day comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import Any

from cards.render import HOME
from cds_service.answer import Tools, load_tools
from cds_service.console import asking
from cds_service.console.samples import Sample, Story
from cds_service.knowledge.direction import compare
from cds_service.knowledge.load import Knowledge, Snapshot
from cds_service.knowledge.local_codes import LocalCode
from cds_service.knowledge.localise import LocalAnswer
from cds_service.knowledge.model import Level, Verification
from cds_service.knowledge.overlay import TEMPLATES, Decision, LocalValue, Overlay, Switch
from cds_service.knowledge.terms import Terms
from cds_service.rules.catalogue import RULES as CATALOGUE
from cds_service.rules.rule import Rule
from cds_service.settings import Settings
from cds_service.trace import spoken

VALUES, RULES, WORDING, CODES = GROUPS = ("values", "rules", "wording", "codes")
_ALWAYS = date(1, 1, 1)
_CAPITALS = {"qtc": "QTc", "ecg": "ECG", "tls": "TLS", "wbc": "WBC", "cyp3a": "CYP3A", "pgp": "P-gp", "qt": "QT"}


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One thing that the hospital does differently: in words, by whom and why, and what to beware of."""

    group: str
    place: str
    words: str
    beware: tuple[str, ...]
    only: Overlay  # the overlay with nothing but this change
    owner: str = ""
    effective: date | None = None
    until: date | None = None
    reason: str = ""
    lines: tuple[str, ...] = ()  # of a wording: what goes (-) and what comes (+)

    @property
    def sentence(self) -> str:
        """The whole of it: what, by whom, from when, why."""
        if self.effective is None:
            return self.words
        until = f" until {self.until}" if self.until else ""
        return f"{self.words}; by {self.owner} from {self.effective}{until}, because {self.reason}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that `aml-cds diff` says. `answers`: for each change the sample requests answered differently."""

    overlay: Overlay
    versions: tuple[str, str]  # as shipped, with the overlay
    changes: tuple[Change, ...]
    answers: Mapping[Change, tuple[str, ...]]
    samples: int

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "owner": self.overlay.owner,
            "effective": self.overlay.effective,
            "contact": self.overlay.contact,
            "knowledge": {"shipped": self.versions[0], "with_overlay": self.versions[1]},
            "samples": self.samples,
            "changes": [_as_json(change, self.answers[change]) for change in self.changes],
        }


def _as_json(change: Change, answers: tuple[str, ...]) -> dict[str, Any]:
    told = {field: getattr(change, field) for field in ("group", "place", "words", "owner", "effective", "until")}
    return told | {
        "reason": change.reason,
        "beware": change.beware,
        "lines": change.lines,
        "sample_answers_that_differ": answers,
    }


def difference(
    settings: Settings, stories: Iterable[Story], today: date, tell: Callable[[str], None]
) -> Difference:
    """What the overlay of these settings changes. Raises KnowledgeError when it is wrong."""
    overlaid = load_tools(settings).knowledge
    assert overlaid.overlay is not None
    shipped = load_tools(replace(settings, overlay=None))
    told = tuple(stories)
    made = changes(overlaid, CATALOGUE, settings.jurisdiction, today)
    answers = differing(made, told, shipped, tell) if made else {}
    versions = (shipped.knowledge.version, overlaid.version)
    return Difference(overlaid.overlay, versions, made, answers, sum(len(story.samples) for story in told))


def changes(overlaid: Knowledge, rules: Iterable[Rule[Any]], jurisdiction: str, today: date) -> tuple[Change, ...]:
    """Everything that the overlay of this knowledge changes."""
    overlay = overlaid.overlay
    if overlay is None:
        return ()
    nothing = replace(overlay, values=(), switches=(), templates=(), codes=())
    by_id = {rule.id: rule for rule in rules}
    found = [
        _value(value, answer, overlaid, jurisdiction, today, replace(nothing, values=(value,)))
        for value, answer in zip(overlay.values, overlaid.local, strict=True)
    ]
    found += [
        _switch(each, by_id[each.rule], today, replace(nothing, switches=(each,))) for each in overlay.switches
    ]
    found += _wordings(overlay, nothing)
    found += [_code(each, overlaid.terms, replace(nothing, codes=(each,))) for each in overlay.codes]
    return tuple(found)


def _value(
    value: LocalValue, answer: LocalAnswer, overlaid: Knowledge, jurisdiction: str, today: date, only: Overlay
) -> Change:
    decision = answer.decision
    snapshot = overlaid.at(max(today, decision.effective), jurisdiction)
    answering = _answering(snapshot.shipped or snapshot)
    replaced = [each for each in answer.replaces if each.id in answering]
    shown = (replaced or list(answer.replaces))[0]
    compared = compare(shown, answer.value)
    beware = _days(decision, today)
    of_a_source = shown.verification is not Verification.POLICY
    named = f"{shown.about}, {_topic(shown.topic)}"
    if compared.laxer and of_a_source:
        beware.append(f"{named}: {spoken(answer.value)} is {compared.words.partition(': ')[2]}")
    elif compared.laxer is None and of_a_source:
        beware.append(f"{named}: {compared.words}; whether that is laxer cannot be told by itself")
    if not replaced:
        beware.append(f"'{shown.id}' does not answer in {jurisdiction} then, so this value has no effect")
    qualifier = f" ({shown.qualifier})" if shown.qualifier else ""
    words = (
        f"{shown.about}, {_topic(shown.topic)}{qualifier}: {spoken(shown.value)} → {spoken(answer.value)}"
        f" ({compared.words})"
    )
    return _decided(VALUES, decision, words, beware, only)


def _answering(shipped: Snapshot) -> frozenset[str]:
    """The ids of the statements that answer."""
    effects = (each for precipitant in shipped.precipitants.values() for each in precipitant.statements)
    return frozenset(each.id for each in (*shipped.statements.values(), *effects))


def _topic(name: str) -> str:
    """A topic as one speaks of it."""
    return " ".join(_CAPITALS.get(word, word) for word in name.split("_"))


def _switch(switch: Switch, rule: Rule[Any], today: date, only: Overlay) -> Change:
    beware = _days(switch.decision, today)
    if switch.off and rule.worst is Level.CRITICAL:
        beware.append(f"rule '{rule.id}' can be critical and is switched off: {rule.title}")
    how = "switched off" if switch.off else "in shadow: runs and is counted, shows no card"
    words = f"{rule.id} ({rule.title}): {how}"
    return _decided(RULES, switch.decision, words, beware, only)


def _decided(group: str, decision: Decision, words: str, beware: list[str], only: Overlay) -> Change:
    return Change(
        group,
        decision.place,
        words,
        tuple(beware),
        only,
        decision.owner,
        decision.effective,
        decision.until,
        decision.reason,
    )


def _days(decision: Decision, today: date) -> list[str]:
    """Whether it holds today."""
    if decision.until is not None and decision.until <= today:
        return [f"{decision.place}: ended on {decision.until}; what the service says holds again"]
    return [f"{decision.place}: holds from {decision.effective} only"] if decision.effective > today else []


def _wordings(overlay: Overlay, nothing: Overlay) -> Iterator[Change]:
    for name in overlay.templates:
        old, new = (_lines(folder / f"{name}.md") for folder in (HOME, overlay.folder / TEMPLATES))
        lines = tuple(
            line
            for line in unified_diff(old, new, n=0, lineterm="")
            if line[:1] in "+-" and not line.startswith(("+++", "---"))
        )
        if lines:
            words = f"{name}: reworded by {overlay.owner}"
            yield Change(WORDING, f"{TEMPLATES}/{name}.md", words, (), replace(nothing, templates=(name,)), lines=lines)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _code(code: LocalCode, terms: Terms, only: Overlay) -> Change:
    standard = terms.system(code.system) in terms.systems.known.values()
    beware = (f"{code.system}|{code.code} is a code of a standard system, not a local one: is it not ours to add?",)
    return Change(CODES, code.place, code.words, beware if standard else (), only)


def differing(
    made: Iterable[Change], stories: Iterable[Story], shipped: Tools, tell: Callable[[str], None]
) -> Mapping[Change, tuple[str, ...]]:
    """For each change the sample requests that are answered differently. `tell`: what is being done now."""
    every = [(story, sample) for story in stories for sample in story.samples]
    tell(f"asking {len(every)} samples as shipped")
    before = [_content(story, sample, shipped) for story, sample in every]
    found: dict[Change, tuple[str, ...]] = {}
    for change in made:
        tell(f"asking {len(every)} samples with {change.place}")
        tools = replace(shipped, knowledge=_as_if_in_force(shipped.knowledge, change.only))
        found[change] = tuple(
            f"{story.name} {sample.name}"
            for (story, sample), as_shipped in zip(every, before, strict=True)
            if _content(story, sample, tools) != as_shipped
        )
    return found


def _content(story: Story, sample: Sample, tools: Tools) -> Mapping[str, Any]:
    """The answer on the day of the story."""
    return asking.in_process(sample, replace(tools, now=lambda: story.now)).content


def _as_if_in_force(shipped: Knowledge, only: Overlay) -> Knowledge:
    """The knowledge with one change in force on every day, under the same version: only the medicine may differ."""
    values = tuple(replace(each, decision=_always(each.decision)) for each in only.values)
    switches = tuple(replace(each, decision=_always(each.decision)) for each in only.switches)
    return replace(
        shipped.with_overlay(replace(only, values=values, switches=switches)), version=shipped.version
    )


def _always(decision: Decision) -> Decision:
    return replace(decision, effective=_ALWAYS, until=None)
