"""The reasons to go on against a card: which there are, which rule offers which, and all of them as a FHIR CodeSystem.

Codes stay for ever, so that feedback can be counted over years. A wording may be made clearer, never changed in sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from cards.kept import Kept
from cards.loading import load
from cards.model import Coding
from cards.topic import TOPIC_SYSTEM, topic_code

HOME = Path(__file__).parent
PATH = "/codesystems/override-reasons"
REASON_SYSTEM = "urn:aml-cds:override-reason"
KINDS = ("patient", "chart", "handled", "planned", "intended", "weighed")
GAP = "gap"  # the card of everything that could not be seen: no rule's own
_MOST_KEPT = 2_000  # combinations of rules on one card whose reasons are kept
FEWEST, MOST_OF_A_RULE, MOST_ON_A_CARD = 3, 7, 8  # craft numbers: a choice, and still read at a glance


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code and how it is spoken, of which kind it is, and what whoever picks it says with it."""

    coding: Coding
    kind: str
    meaning: str


@Kept
def reasons() -> Mapping[str, Reason]:
    """Every reason by its code, in the order in which cards show them. Raises ValueError naming file and code."""
    return {code: _reason(str(code), fields) for code, fields in _read("override_reasons.yaml").items()}


def _reason(code: str, fields: Any) -> Reason:
    place = f"cards/override_reasons.yaml, {code}"
    if not isinstance(fields, dict) or sorted(fields) != ["kind", "meaning", "says"]:
        raise ValueError(f"{place}: expected kind, says and meaning")
    if fields["kind"] not in KINDS:
        raise ValueError(f"{place}, kind: expected one of {', '.join(KINDS)}, found '{fields['kind']}'")
    return Reason(Coding(REASON_SYSTEM, code, str(fields["says"])), fields["kind"], str(fields["meaning"]))


@Kept
def by_rule() -> Mapping[str, tuple[str, ...]]:
    """The codes that each rule offers, as written; `faults` holds them to the rules. Raises ValueError."""
    found = _read("reasons_of_rules.yaml")
    return {str(rule): tuple(map(str, codes)) if isinstance(codes, list) else () for rule, codes in found.items()}


def _read(name: str) -> dict[Any, Any]:
    try:
        content = load((HOME / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise ValueError(f"cards/{name}: {fault}") from fault
    if not isinstance(content, dict):
        raise ValueError(f"cards/{name}: expected a mapping at the top")
    return content


def faults(rules: Mapping[str, bool]) -> list[str]:
    """What is wrong with the table. `rules`: the id of every rule, and whether it may be critical."""
    table, place = by_rule(), "cards/reasons_of_rules.yaml"
    expected = {**rules, GAP: False}
    found = [f"{place}, {name}: there is no such rule{_near(name, expected)}" for name in table if name not in expected]
    for name, critical in expected.items():
        fault = fault_in(table[name], critical) if name in table else "no reasons are listed for this rule"
        found += [f"{place}, {name}: {fault}"] if fault else []
    return found


def fault_in(codes: Sequence[str], critical: bool) -> str:
    """What is wrong with the reasons of one rule, in words; "" when nothing is. `critical`: whether the rule may be."""
    known = reasons()
    for code in codes:
        if code not in known:
            return f"there is no override reason '{code}'{_near(code, known)}"
        if critical and known[code].kind == "planned":
            return f"'{code}' puts off what may be critical"
    if len(set(codes)) != len(codes):
        return "a reason stands twice"
    if not FEWEST <= len(codes) <= MOST_OF_A_RULE:
        return f"expected {FEWEST} to {MOST_OF_A_RULE} reasons, found {len(codes)}"
    if all(known[code].kind != "chart" for code in codes):
        free = ", ".join(code for code, each in known.items() if each.kind == "chart")
        return f"none of them says that the chart is behind or wrong: list one of {free}"
    return ""


def _near(name: str, names: Iterable[str]) -> str:
    found = get_close_matches(name, sorted(names), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def together(offered: Sequence[Sequence[str]], critical: bool) -> tuple[Coding, ...]:
    """The reasons of one card, in the order of the list. `offered`: those of each rule on it, the deciding rule first.

    The deciding rule's stand in any case; of the others' as many as one can read, the most specific first. A critical
    card offers none that puts off.
    """
    if len(_chosen.results) > _MOST_KEPT:
        _chosen.results.clear()
    return _chosen(tuple(map(tuple, offered)), critical)


@Kept
def _chosen(offered: tuple[tuple[str, ...], ...], critical: bool) -> tuple[Coding, ...]:
    known = reasons()
    order = [code for code, each in known.items() if not (critical and each.kind == "planned")]
    deciding, *others = offered or ((),)
    kept = [code for code in order if code in deciding]
    further = [code for code in order if code not in kept and any(code in codes for codes in others)]
    chosen = {*kept, *further[: max(0, MOST_ON_A_CARD - len(kept))]}
    return tuple(known[code].coding for code in order if code in chosen)


def code_system(version: str) -> dict[str, Any]:
    """The CodeSystem resource (FHIR R4), with the rules that offer each reason as shipped. `version`: the service's."""
    concepts = [_concept(each) for each in reasons().values()]
    return {
        "resourceType": "CodeSystem",
        "id": "aml-cds-override-reasons",
        "url": REASON_SYSTEM,
        "version": version,
        "name": "AmlCdsOverrideReasons",
        "title": "Reasons for going on against a card of decision support in relapsed or refractory AML",
        "status": "active",
        "experimental": False,
        "description": "Offered as overrideReasons of CDS Hooks cards; each rule offers those that fit its finding.",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "property": [
            {
                "code": "kind",
                "description": f"What kind of reason it is: {', '.join(KINDS)}. Kind chart judges nothing clinical.",
                "type": "string",
            },
            {
                "code": "rule",
                "description": "A rule whose cards offer it, as in source.topic of the card.",
                "type": "Coding",
            },
        ],
        "concept": concepts,
    }


def _concept(reason: Reason) -> dict[str, Any]:
    topics = [topic_code(rule) for rule, codes in by_rule().items() if reason.coding.code in codes]
    return {
        "code": reason.coding.code,
        "display": reason.coding.display,
        "definition": reason.meaning,
        "property": [
            {"code": "kind", "valueString": reason.kind},
            *({"code": "rule", "valueCoding": {"system": TOPIC_SYSTEM, "code": topic}} for topic in topics),
        ],
    }
