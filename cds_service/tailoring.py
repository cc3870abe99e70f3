"""Tailoring: a hospital's overlay held against rules and wording, of which the knowledge itself knows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cards import wording
from cds_service.errors import KnowledgeError
from cds_service.knowledge.overlay import TEMPLATES, Overlay
from cds_service.knowledge.slips import near, wrong
from cds_service.knowledge.terms import Terms


def require_known(overlay: Overlay | None, rules: Iterable[str]) -> None:
    """Every rule and every wording that the overlay names must exist. Raises KnowledgeError."""
    if overlay is None:
        return
    known = set(rules)
    for switch in overlay.switches:
        if switch.rule not in known:
            raise wrong(switch.decision.place, f"there is no rule '{switch.rule}'{near(switch.rule, known)}")
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
