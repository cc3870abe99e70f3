"""Offers: an option with what its conditions and the safety checks of its drugs say of this patient.

The checks run with a draft of the drug that nobody wrote, so that what would stop it at signing excludes it here: a
stop can never be offered. What could stop it and cannot be seen leaves it open, and so does a stop that is told as a
warning only, for want of a surer source or value: the option then depends on what holds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, imagined
from cds_service.knowledge.load import Snapshot
from cds_service.knowledge.model import Level
from cds_service.rules.rule import Check, Finding, Fired, NotEvaluated, Rule, evaluate
from cds_service.rules.subjects import Uses


class Verdict(Enum):
    """What is said of an option."""

    OFFERED = "offered"
    CAUTIONS = "offered with cautions"
    DEPENDS = "depends on"
    EXCLUDED = "excluded because"


@dataclass(frozen=True, slots=True)
class Offer:
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


@dataclass(frozen=True, slots=True)
class Safety:
    """What the checks of one drug say, were it ordered now."""

    stops: tuple[Finding, ...] = ()
    held: tuple[Finding, ...] = ()
    cautions: tuple[Finding, ...] = ()
    unseen: tuple[str, ...] = ()


def safety(drug: str, rules: Iterable[Rule[Any]], chart: Chart, snapshot: Snapshot) -> Safety:
    """The findings of the checks on a draft of the drug, and what they could not see."""
    draft = imagined(drug)
    concerned = [each for each in rules if may_concern(each, drug, snapshot)]
    # An alert that the hospital switched off is still no reason to offer.
    evaluation = evaluate(concerned, _with(draft, chart), snapshot.unswitched)
    found = [fired.finding for _, fired in evaluation.outcomes(Fired) if draft in fired.finding.about]
    unseen = [
        words
        for check, gap in evaluation.outcomes(NotEvaluated)
        if _could_stop(check, gap, draft)
        for words in _missing(gap)
    ]
    return Safety(
        stops=tuple(finding for finding in found if finding.level is Level.CRITICAL),
        held=tuple(finding for finding in found if finding.holds and finding.level is not Level.CRITICAL),
        cautions=tuple(finding for finding in found if finding.level is Level.WARNING and not finding.holds),
        unseen=tuple(dict.fromkeys(unseen)),
    )


def may_concern(each: Rule[Any], drug: str, snapshot: Snapshot) -> bool:
    """Whether a check can come to anything about the drug: it is about two drugs, or its topics speak of this one."""
    asked = each.subjects
    return each.pairs or not isinstance(asked, Uses) or drug in snapshot.spoken_of(asked.names)


def _with(draft: Medication, chart: Chart) -> Chart:
    listed = chart.get(MEDICATIONS)
    added = replace(chart.medications, orders=(draft, *chart.medications.orders))
    return replace(chart, facts={**chart.facts, MEDICATIONS.name: replace(listed, value=added)})


def _could_stop(check: Check, gap: NotEvaluated, draft: Medication) -> bool:
    """Whether a check that could not be made might have stopped the drug, or belongs before its first dose."""
    if gap.quiet:  # no source asks for it
        return False
    if draft not in gap.about and not _failed_about(check, gap, draft):
        return False
    if gap.level is not None:
        return gap.level >= Level.WARNING
    return check.rule.before_dose or check.rule.blind >= Level.WARNING or check.rule.worst is Level.CRITICAL


def _failed_about(check: Check, gap: NotEvaluated, draft: Medication) -> bool:
    """Whether a check that failed in this service may have been about the drug: about any, if it knew none."""
    return not gap.about and gap.level is not None and (not check.subject or draft.ingredients[0] in check.subject)


def _missing(gap: NotEvaluated) -> tuple[str, ...]:
    return tuple(fact.key.label for fact in gap.missing) or ((gap.why,) if gap.why else ())
