"""Overrides: the reasons for going on against it that a card offers. Only one that warns or proposes has any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cards import reasons
from cards.model import Coding
from cds_service.knowledge.model import Level
from cds_service.present.problems import Found


@dataclass(frozen=True, slots=True)
class Overrides:
    """The reasons that each rule offers. `local`: those that the hospital chose, by rule."""

    local: Mapping[str, tuple[str, ...]]

    def of_findings(self, found: Iterable[Found], level: Level, proposes: bool) -> tuple[Coding, ...]:
        """Those of a card with these findings, the deciding one first. `proposes`: whether it suggests anything."""
        every = list(found)
        warn = [check.rule.id for check, finding in every if finding.level is not Level.INFO]
        propose = [check.rule.id for check, finding in every if finding.proposals] if proposes else []
        return self.of_rules(warn or propose, level)

    def of_rules(self, rules: Iterable[str], level: Level) -> tuple[Coding, ...]:
        """Those of a card that speaks for these rules, the deciding one first."""
        shipped = reasons.by_rule()
        offered = [self.local.get(each, shipped[each]) for each in dict.fromkeys(rules)]
        return reasons.together(offered, critical=level is Level.CRITICAL)
