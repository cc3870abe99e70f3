"""Tailoring: a hospital's overlay held against rules and wording, of which the knowledge itself knows nothing."""

from __future__ import annotations

from collections.abc import Mapping

from cards import reasons, wording
from cds_service.errors import KnowledgeError
from cds_service.knowledge.overlay import TEMPLATES, Overlay
from cds_service.knowledge.slips import near, wrong
from cds_service.knowledge.terms import Terms


def require_known(overlay: Overlay | None, rules: Mapping[str, bool]) -> None:
    """Every rule, wording and override reason that the overlay names must exist and fit. Raises KnowledgeError.

    `rules`: the id of each, and whether it may be critical.
    """
    if overlay is None:
        return
    named = [(each.decision, each.rule) for each in overlay.switches]
    named += [(each.decision, each.rule) for each in overlay.reasons]
    for decision, rule in named:
        if rule not in rules:
            raise wrong(decision.place, f"there is no rule '{rule}'{near(rule, rules)}")
    for chosen in overlay.reasons:
        fault = reasons.fault_in(chosen.codes, rules[chosen.rule])
        if fault:
            raise wrong(f"{chosen.decision.place}, overrides", fault)
    for name in overlay.templates:
        try:
            wording.check(name, overlay.folder / TEMPLATES)
        except ValueError as fault:
            raise _in_template(name, fault) from None


def _in_template(name: str, fault: ValueError) -> KnowledgeError:
    return wrong(f"{TEMPLATES}/{name}.md", str(fault).partition(f"{name}.md: ")[2] or str(fault))


def asked_for(
    codes: Mapping[str, tuple[str, ...]], overlay: Overlay | None, terms: Terms
) -> dict[str, tuple[str, ...]]:
    """The codes of each query, with the hospital's own beside ours of the same meaning."""
    found = dict(codes)
    for each in overlay.codes if overlay else ():
        same = {*terms.codes(each.key), *terms.test_codes(each.key)}
        token = f"{each.system}|{each.code}"
        for query, ours in codes.items():
            if each.kind in ("observation", "genomics") and same & set(ours) and token not in found[query]:
                found[query] = (*found[query], token)
    return found
