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
# What another drug does to ours; what ours does to that same drug stands in the same card.
TO_OURS = frozenset(
    {
        "contraindicated-pair",
        "combined-inducer",
        "strong-cyp3a-inducer",
        "cyp3a-inducer",
        "dose-ceiling",
        "dose-beside-inhibitor",
        "strong-cyp3a-inhibitor",
        "moderate-cyp3a-inhibitor",
    }
)
TO_THEIRS = "effect-on-others"

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
    every = list(found)
    for index, (check, finding) in enumerate(every):
        hazard = _HAZARD_OF.get(check.rule.id)
        key = (hazard, finding.drug) if hazard else (f"alone {_pair(every, index)}", "")
        together.setdefault(key, []).append((check, finding))
    ranked = [sorted(each, key=lambda pair: -pair[1].level) for each in together.values()]
    return [Problem(*first, tuple(rest)) for first, *rest in ranked]


def _pair(found: list[Found], index: int) -> int:
    """Where the finding about what those drugs do to ours stands, for what ours does to them; else its own place."""
    check, finding = found[index]
    if check.rule.id != TO_THEIRS:
        return index
    orders = {id(order) for order in finding.about}
    hosts = (
        place
        for place, (other, told) in enumerate(found)
        if other.rule.id in TO_OURS and told.drug == finding.drug and orders <= {id(order) for order in told.about}
    )
    return next(hosts, index)
