"""Where one patient stands on the pathway, and which options its card tells: for pages that know a patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.knowledge.load import Knowledge
from cds_service.pages.graph import HERE, Drawing, as_query, drawing, graph, lit, offered_groups, open_groups
from cds_service.rules.rule import Evaluation, Fired
from cds_service.trace import Step

_AT_RELAPSE = "options-at-relapse"


@dataclass(frozen=True, slots=True)
class OwnPath:
    """The lights as they stand in an address, and the ids of the options; nothing of who the patient is."""

    lit: str
    options: tuple[str, ...]
    rules: frozenset[str]  # that the picture speaks of

    def drawings(self, shapes: Iterable[str]) -> tuple[Drawing, ...]:
        """The picture in these shapes."""
        lights = dict(part.split(":") for part in self.lit.split(","))
        return tuple(drawing(lights, shape) for shape in shapes)


def own_path(evaluation: Evaluation, steps: Iterable[Step], knowledge: Knowledge) -> OwnPath | None:
    """None where the patient is not on the pathway: no step of it says anything."""
    lights = lit(steps, offered_groups(evaluation), open_groups(evaluation))
    if HERE not in lights.values():
        return None
    rules = frozenset(rule for node in graph().nodes.values() for rule in node.rules)
    return OwnPath(as_query(lights), _options(evaluation, knowledge), rules)


def _options(evaluation: Evaluation, knowledge: Knowledge) -> tuple[str, ...]:
    """The options that the card at relapse tells, by their ids."""
    ids = {option.name: name for name, option in knowledge.options.items()}
    for check, fired in evaluation.outcomes(Fired):
        if check.rule.id == _AT_RELAPSE:
            groups: Any = fired.finding.values.get("groups", ())
            return tuple(ids[each.name] for _, _, offers in groups for each in offers if each.name in ids)
    return ()
