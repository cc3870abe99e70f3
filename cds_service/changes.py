"""Changes: what a hospital's overlay changes, in words, by whom and why, and what to beware of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import Any

from cards import reasons
from cards.profile import NOT_OF_THE_PROFILE
from cards.render import HOME
from cds_service.knowledge.direction import compare
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.local_codes import LocalCode
from cds_service.knowledge.localise import LocalAnswer
from cds_service.knowledge.model import Level, Verification
from cds_service.knowledge.overlay import (
    TEMPLATES,
    Decision,
    LocalProfile,
    LocalReasons,
    LocalValue,
    Overlay,
    Switch,
)
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.spoken import topic_words
from cds_service.knowledge.terms import Terms
from cds_service.rules.rule import Rule
from cds_service.trace import spoken

VALUES, RULES, WORDING, CODES, PROFILES = GROUPS = ("values", "rules", "wording", "codes", "client profiles")


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


def changes(overlaid: Knowledge, rules: Iterable[Rule[Any]], jurisdiction: str, today: date) -> tuple[Change, ...]:
    """Everything that the overlay of this knowledge changes."""
    overlay = overlaid.overlay
    if overlay is None:
        return ()
    nothing = replace(overlay, values=(), switches=(), reasons=(), templates=(), codes=(), profiles=())
    by_id = {rule.id: rule for rule in rules}
    found = [
        _value(value, answer, overlaid, jurisdiction, today, replace(nothing, values=(value,)))
        for value, answer in zip(overlay.values, overlaid.local, strict=True)
    ]
    found += [
        _switch(each, by_id[each.rule], today, replace(nothing, switches=(each,))) for each in overlay.switches
    ]
    found += [
        _chosen_reasons(each, by_id[each.rule], today, replace(nothing, reasons=(each,))) for each in overlay.reasons
    ]
    found += _wordings(overlay, nothing)
    found += [_code(each, overlaid.terms, replace(nothing, codes=(each,))) for each in overlay.codes]
    found += [_profile(each, replace(nothing, profiles=(each,))) for each in overlay.profiles]
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
    named = f"{shown.about}, {topic_words(shown.topic)}"
    if compared.laxer and of_a_source:
        beware.append(f"{named}: {spoken(answer.value)} is {compared.words.partition(': ')[2]}")
    elif compared.laxer is None and of_a_source:
        beware.append(f"{named}: {compared.words}; whether that is laxer cannot be told by itself")
    if not replaced:
        beware.append(f"'{shown.id}' does not answer in {jurisdiction} then, so this value has no effect")
    qualifier = f" ({shown.qualifier})" if shown.qualifier else ""
    words = (
        f"{shown.about}, {topic_words(shown.topic)}{qualifier}: {spoken(shown.value)} → {spoken(answer.value)}"
        f" ({compared.words})"
    )
    return _decided(VALUES, decision, words, beware, only)


def _answering(shipped: Snapshot) -> frozenset[str]:
    """The ids of the statements that answer."""
    effects = (each for precipitant in shipped.precipitants.values() for each in precipitant.statements)
    return frozenset(each.id for each in (*shipped.statements.values(), *effects))


def _switch(switch: Switch, rule: Rule[Any], today: date, only: Overlay) -> Change:
    beware = _days(switch.decision, today)
    if switch.off and rule.worst is Level.CRITICAL:
        beware.append(f"rule '{rule.id}' can be critical and is switched off: {rule.title}")
    how = "switched off" if switch.off else "in shadow: runs and is counted, shows no card"
    words = f"{rule.id} ({rule.title}): {how}"
    return _decided(RULES, switch.decision, words, beware, only)


def _chosen_reasons(chosen: LocalReasons, rule: Rule[Any], today: date, only: Overlay) -> Change:
    shipped = reasons.by_rule()[rule.id]
    added = [code for code in chosen.codes if code not in shipped]
    gone = [code for code in shipped if code not in chosen.codes]
    told = [f"also {', '.join(added)}" if added else "", f"without {', '.join(gone)}" if gone else ""]
    words = f"{rule.id} ({rule.title}), override reasons: {'; '.join(filter(None, told)) or 'as shipped'}"
    return _decided(RULES, chosen.decision, words, _days(chosen.decision, today), only)


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


def _profile(local: LocalProfile, only: Overlay) -> Change:
    """A profile changes the form of cards for its callers, and no finding."""
    keys = {key: value for key, value in local.told.items() if key not in NOT_OF_THE_PROFILE}
    told = "; ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())
    like = f"like {local.told['like']}, with" if "like" in local.told else "with"
    words = f"{local.name}: {like} {told or 'nothing changed'}, because {local.reason}; the form of cards only"
    return Change(PROFILES, f"profiles/{local.name}.yaml", words, (), only)
