"""Problems: one card for one problem. Findings about one hazard of one drug stand together, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.rules.rule import Check, Finding

# The rules that speak of one hazard; a rule that stands here nowhere is a problem of its own.
HAZARDS: dict[str, tuple[str, ...]] = {
    "QT interval": (
        "qt-contraindicated",
        "qt-arrhythmia",
        "qtc-start-limit",
        "qtc-hold",
        "qtc-resume",
        "qtc-action",
        "qtc-near-hold",
        "qtc-rise",
        "additive-qt",
        "qt-start",
    ),
    "electrolytes": ("electrolytes-severe", "electrolytes", "electrolyte-wasting"),
}
_HAZARD_OF = {rule: hazard for hazard, rules in HAZARDS.items() for rule in rules}

Found = tuple[Check, Finding]


@dataclass(frozen=True, slots=True)
class Problem:
    """What one card is about: the most urgent finding, and what else was found of the same hazard of the same drug."""

    check: Check
    finding: Finding
    also: tuple[Found, ...] = ()


def problems(found: Iterable[Found]) -> list[Problem]:
    """The findings, one problem each, in the order of their most urgent finding."""
    together: dict[tuple[str, str], list[Found]] = {}
    for index, (check, finding) in enumerate(found):
        hazard = _HAZARD_OF.get(check.rule.id)
        together.setdefault((hazard or f"alone {index}", finding.drug if hazard else ""), []).append((check, finding))
    ranked = [sorted(each, key=lambda pair: -pair[1].level) for each in together.values()]
    return [Problem(*first, tuple(rest)) for first, *rest in ranked]
