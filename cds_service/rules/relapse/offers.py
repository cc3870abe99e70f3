"""Offers: an option with what its conditions and the safety checks of its drugs say of this patient.

The checks run with a draft of the drug that nobody wrote, so that what would stop it at signing excludes it here: a
stop can never be offered. What could stop it and cannot be seen leaves it open, and so does a stop that is told as a
warning only, for want of a surer source or value: the option then depends on what holds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Medications, Role, imagined
from cds_service.facts.fact import Fact, State
from cds_service.knowledge.model import Level
from cds_service.knowledge.snapshot import Snapshot
from cds_service.rules.rule import Finding, NotEvaluated, Rule
from cds_service.rules.running import Ending, endings
from cds_service.rules.shared import Facts, Shared
from cds_service.rules.subjects import Uses

_ROLES = tuple(Role)


class Verdict(Enum):
    """What is said of an option."""

    OFFERED = "offered"
    CAUTIONS = "offered with cautions"
    DEPENDS = "depends on"
    EXCLUDED = "excluded because"


class Offer(msgspec.Struct, frozen=True):
    """One option as it stands for this patient. `bare`: nothing yet speaks for it but its name."""

    name: str
    group: str
    verdict: Verdict
    why: tuple[str | Finding, ...] = ()
    held: tuple[Finding, ...] = ()  # what its drugs are held for at the values of now
    cautions: tuple[str | Finding, ...] = ()
    status: str = ""
    evidence: str = ""
    bare: bool = False
    aimed: bool = False  # at a marker that a result of now shows
    failed: bool = False  # an order of its drug was stopped as the disease did not yield to it
    unread: bool = False  # nothing was read of its approval in this place

    def without_status(self) -> Offer:
        """The same where its status is said once for its whole group."""
        return Offer(
            self.name, self.group, self.verdict, self.why, self.held, self.cautions, "", self.evidence, self.bare,
            self.aimed, self.failed, self.unread,
        )  # fmt: skip


class Safety(msgspec.Struct, frozen=True):
    """What the checks of one drug say, were it ordered now."""

    stops: tuple[Finding, ...] = ()
    held: tuple[Finding, ...] = ()
    cautions: tuple[Finding, ...] = ()
    unseen: tuple[tuple[str, str], ...] = ()  # what could not be seen, each with the reason beyond "none found"


def safety(
    drug: str,
    rules: Iterable[Rule[Any]],
    chart: Chart,
    snapshot: Snapshot,
    shared: Shared | None = None,
    *,
    high_dose: bool = False,
) -> Safety:
    """The findings of the checks on a draft of the drug, and what they could not see.

    `shared`: what was worked out for the patient already; what leans on the medication list is worked out anew.
    """
    draft = _draft(drug, snapshot, high_dose=high_dose)
    shared = shared or Shared()
    listed = frozenset((drug, *chart.medications.drugs(*_ROLES)))
    concerned = asked_of(drug, tuple(rules), snapshot)
    # An alert that the hospital switched off is still no reason to offer.
    ended = endings(concerned, _with(draft, chart, shared), snapshot.unswitched, shared.with_another_list(listed))
    found: list[Finding] = []
    unseen: list[tuple[str, str]] = []
    for each in ended:
        outcome = each.outcome
        if isinstance(outcome, NotEvaluated):
            unseen += _missing(outcome) if _could_stop(each, outcome, draft) else ()
        elif _holds(outcome.finding.about, draft):
            found.append(outcome.finding)
    return Safety(
        stops=tuple(finding for finding in found if finding.level is Level.CRITICAL),
        held=tuple(finding for finding in found if finding.holds and finding.level is not Level.CRITICAL),
        cautions=tuple(finding for finding in found if finding.level is Level.WARNING and not finding.holds),
        unseen=tuple(unseen),
    )


def asked_of(drug: str, rules: tuple[Rule[Any], ...], snapshot: Snapshot) -> tuple[Rule[Any], ...]:
    """Those of the checks that can come to anything about the drug in some patient; told once for this knowledge.

    Their topics speak of it, or of a drug beside it in a pair.
    """
    kept: tuple[Rule[Any], ...] | None = snapshot.kept.get((drug, rules))
    if kept is None:
        said = ((each, _spoken_of(each, snapshot)) for each in rules)
        kept = tuple(each for each, spoken_of in said if spoken_of is None or drug in spoken_of or each.pairs)
        snapshot.kept[drug, rules] = kept
    return kept


def _spoken_of(each: Rule[Any], snapshot: Snapshot) -> frozenset[str] | None:
    """The drugs of which something is said on the topics of a check; None where it is asked about any."""
    asked = getattr(each.subjects, "of", each.subjects)
    return snapshot.spoken_of(asked.names) if isinstance(asked, Uses) else None


def _holds(orders: tuple[Medication, ...], draft: Medication) -> bool:
    return any(order is draft for order in orders)


@dataclass(frozen=True)
class Beside(Medications):
    """The list with a draft that nobody wrote. It replaces no order, so what was told of the list still holds."""

    draft: Medication = field(kw_only=True)
    told: Medications = field(kw_only=True)

    @classmethod
    def made(cls, draft: Medication, told: Medications) -> Beside:
        """That list with the draft."""
        orders = (draft, *told.orders)
        return cls(orders, told.read, told.unidentified, told.unnamed_drafts, draft=draft, told=told)

    def of(self, *roles: Role) -> tuple[Medication, ...]:
        """The orders in one of these roles, the draft first."""
        return (self.draft, *self.told.of(*roles)) if Role.DRAFT in roles else self.told.of(*roles)

    def drugs(self, *roles: Role) -> tuple[str, ...]:
        """The ingredients of the orders in one of these roles, each once, those of the draft first."""
        others = self.told.drugs(*roles)
        return tuple(dict.fromkeys((*self.draft.ingredients, *others))) if Role.DRAFT in roles else others

    def naming(self, drug: str) -> tuple[Medication, ...]:
        """The orders that hold that ingredient, the draft first."""
        others = self.told.naming(drug)
        return (self.draft, *others) if drug in self.draft.ingredients else others


def _draft(drug: str, snapshot: Snapshot, *, high_dose: bool) -> Medication:
    """The draft of the drug that nobody wrote; it says nothing of a patient, and is made once."""
    kept: Medication | None = snapshot.kept.get((imagined, drug, high_dose))
    if kept is None:
        kept = snapshot.kept[imagined, drug, high_dose] = imagined(drug, high_dose=high_dose)
    return kept


def _with(draft: Medication, chart: Chart, shared: Shared) -> Chart:
    told = chart.get(MEDICATIONS)
    beside = Beside.made(draft, chart.medications)
    listed: Fact[Medications] = Fact(
        told.key, told.state, beside, told.when, told.origin, told.bound, told.doubts, told.why, told.rivals
    )
    read = shared.facts if shared.facts is not None else {}  # by the check that asks, and by those before it
    facts = Facts(chart.facts, {**read, MEDICATIONS.name: listed})
    return Chart(chart.patient_id, chart.now, facts, chart.foreign, chart.unreadable_drafts)


def _could_stop(check: Ending, gap: NotEvaluated, draft: Medication) -> bool:
    """Whether a check that could not be made might have stopped the drug, or belongs before its first dose."""
    if gap.quiet:  # no source asks for it
        return False
    if not _holds(gap.about, draft) and not _failed_about(check, gap, draft):
        return False
    if gap.level is not None:
        return gap.level >= Level.WARNING
    return check.rule.before_dose or check.rule.blind >= Level.WARNING or check.rule.worst is Level.CRITICAL


def _failed_about(check: Ending, gap: NotEvaluated, draft: Medication) -> bool:
    """Whether a check that failed in this service may have been about the drug: about any, if it knew none."""
    return not gap.about and gap.level is not None and (not check.subject or draft.ingredients[0] in str(check.subject))


def _missing(gap: NotEvaluated) -> tuple[tuple[str, str], ...]:
    return tuple((fact.key.label, _reason(fact)) for fact in gap.missing) or (((gap.why, ""),) if gap.why else ())


def _reason(fact: Fact[Any]) -> str:
    """Why what there is does not count; "" where there is nothing."""
    if fact.state is State.ABSENT:
        return ""
    return fact.why or "; ".join(fact.doubts)


def unseen_together(checked: Iterable[Safety]) -> tuple[str, ...]:
    """What the checks of these drugs could not see, each thing once; what is missing for one reason stands together."""
    reasons: dict[str, str] = {}
    for label, reason in (pair for each in checked for pair in each.unseen):
        reasons.setdefault(label, reason)
    bare = tuple(label for label, reason in reasons.items() if not reason)
    labels = {why: [label for label, reason in reasons.items() if reason == why] for why in reasons.values() if why}
    return (*bare, *(f"{' and '.join(names)} ({why})" for why, names in labels.items()))
