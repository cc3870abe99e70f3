"""What is shown when. Rules hear of no hook; here each moment takes from the evaluation what concerns it.

At signing: what concerns the drafts, services among them, and every critical finding about current treatment; and a
stop that only a weak source makes a warning, where a measured value of now asks for it or a draft bears on its drug.
At choosing: warnings and above about the selected drafts. At viewing: everything but counselling for drafts that are
not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from cds_service.facts.demographics import DECEASED, is_over
from cds_service.facts.disease import DISEASE, Disease, may_be_relapse
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.hooks.services import Moment
from cds_service.knowledge.model import Level
from cds_service.knowledge.snapshot import Snapshot
from cds_service.rules.rule import Check, Evaluation, Finding, Fired, NotEvaluated, NoTimeLeft, SwitchedOff

T = TypeVar("T")


@dataclass(frozen=True)
class Relevance:
    """Which findings and gaps of an evaluation concern this moment."""

    evaluation: Evaluation
    snapshot: Snapshot
    moment: Moment

    def outcomes(self, kind: type[T]) -> tuple[tuple[Check, T], ...]:
        """The checks that ended so, as far as anything of them may be told at this moment."""
        if self.moment is Moment.VIEW:
            return self.evaluation.outcomes(kind)
        return self.evaluation.of_orders(kind)

    def shows(self, finding: Finding) -> bool:
        """Whether the finding is shown at this moment."""
        if finding.level is Level.INFO and not finding.lowered and self.elsewhere:
            return False
        if self.moment is Moment.VIEW:
            return True
        drafts = [order for order in finding.about if order.role is Role.DRAFT]
        match self.moment:
            case Moment.SELECT:
                told = finding.level >= Level.WARNING or finding.lowered
                return told and any(draft.selected for draft in drafts)
            case Moment.SIGN:
                running = any(order.role is Role.ACTIVE and self.is_ours(order) for order in finding.about)
                ours = bool(drafts) or finding.of_call or self._scope(finding)
                return ours or (running and (finding.level is Level.CRITICAL or self._is_softened_stop(finding)))

    def _is_softened_stop(self, finding: Finding) -> bool:
        """Whether it would be critical on a better source, and a value of now or a draft brings it up."""
        if finding.level is not Level.WARNING or id(finding) not in self._stops:
            return False
        return any(fact.sure for fact in finding.because) or finding.drug in self._borne_on

    @cached_property
    def _stops(self) -> frozenset[int]:
        """The findings that their rules tell as critical, where the source carries it."""
        every = self.evaluation.of_orders(Fired)
        return frozenset(id(fired.finding) for check, fired in every if check.rule.worst is Level.CRITICAL
                         and fired.finding.holds and not fired.finding.lowered)  # fmt: skip

    @cached_property
    def _borne_on(self) -> frozenset[str]:
        """The drugs of the findings that drafts bring up, of some urgency."""
        every = (fired.finding for _, fired in self.evaluation.of_orders(Fired))
        return frozenset(found.drug for found in every if found.level >= Level.WARNING
                         and any(order.role is Role.DRAFT for order in found.about))  # fmt: skip

    def _scope(self, finding: Finding) -> bool:
        """That a patient is no adult stands beside an order of one of our drugs."""
        return finding.drug == "scope" and bool(self.our_drafts)

    @cached_property
    def our_drafts(self) -> tuple[Medication, ...]:
        """The drafts of our drugs; at choosing only the selected ones."""
        return tuple(order for order in self._drafts if self.is_ours(order))

    @cached_property
    def conflicting(self) -> tuple[Medication, ...]:
        """The orders of this moment of which codes and words name different drugs, one of ours or one that may act."""
        orders = self.evaluation.chart.medications.of(Role.ACTIVE, Role.ON_HOLD) if self.moment is Moment.VIEW else ()
        acting = self.snapshot.precipitants
        return tuple(
            order
            for order in (*self._drafts, *orders)
            if order.conflict and (self.is_ours(order) or any(drug in acting for drug in order.ingredients))
        )

    @cached_property
    def elsewhere(self) -> bool:
        """Whether no AML is on record, and ours are only drugs in wide use elsewhere: there information is noise."""
        disease = self.evaluation.chart.get(DISEASE)
        if disease.value is not Disease.NONE or not disease.sure:
            return False
        orders = self.evaluation.chart.medications.of(Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)
        drugs = self.snapshot.drugs
        ours = [drugs[drug] for order in orders for drug in order.ingredients if drug in drugs]
        return bool(ours) and all(drug.widely_used for drug in ours)

    @cached_property
    def concerned(self) -> bool:
        """Whether the call concerns us at all, so that a gap is worth a word."""
        if self.moment is Moment.VIEW:
            chart = self.evaluation.chart
            ours = self._on_our_drug or self._in_relapse_or_unknown or (self._may_have_aml and self._broke)
            return not is_over(chart.get(DECEASED), chart.now) and ours
        unreadable = bool(self.evaluation.chart.unreadable_drafts)
        return bool(self.our_drafts) or self._may_interact or unreadable or bool(self.nameless)

    @cached_property
    def _drafts(self) -> tuple[Medication, ...]:
        drafts = self.evaluation.chart.medications.of(Role.DRAFT)
        return tuple(order for order in drafts if self.moment is not Moment.SELECT or order.selected)

    @cached_property
    def _on_our_drug(self) -> bool:
        taken = self.evaluation.chart.medications.of(Role.ACTIVE, Role.ON_HOLD)
        return any(self.is_ours(order) for order in taken)

    @cached_property
    def _in_relapse_or_unknown(self) -> bool:
        """Whether a relapse is, or may be, on record, or the state could not be read: that alone is one line."""
        disease = self.evaluation.chart.get(DISEASE)
        if disease.value in (Disease.RELAPSED, Disease.REFRACTORY) or may_be_relapse(disease):
            return True
        return disease.value in (None, Disease.NONE) and not disease.sure

    @property
    def _broke(self) -> bool:
        """Whether a check failed in this service: what it would have told nobody knows."""
        return any(gap.broke for _, gap in self.outcomes(NotEvaluated))

    @cached_property
    def _may_interact(self) -> bool:
        """Whether a draft can act on one of our drugs that the patient takes, or may take for all we know."""
        acting = any(
            self.snapshot.precipitants[drug].statements
            for order in self._drafts
            for drug in order.ingredients
            if drug in self.snapshot.precipitants
        )
        return acting and (self._on_our_drug or self._list_unknown)

    @cached_property
    def _unnamed(self) -> bool:
        """Whether a draft names no drug that could be read, in a patient who takes one of ours."""
        return bool(self.evaluation.chart.medications.unnamed_drafts) and self._on_our_drug

    @cached_property
    def nameless(self) -> int:
        """How many drafts name no drug that could be read, in a patient who may have AML: each may be one of ours.

        What names nothing at all is still to be chosen, but not where it is signed.
        """
        medications = self.evaluation.chart.medications
        number = medications.unnamed_drafts + (medications.unchosen_drafts if self.moment is Moment.SIGN else 0)
        return number if self.moment is not Moment.VIEW and (self._may_have_aml or self._on_our_drug) else 0

    @cached_property
    def _list_unknown(self) -> bool:
        """Whether part of the medication list, or all of it, could not be had, in a patient who may have AML."""
        return not self.evaluation.chart.get(MEDICATIONS).sure and self._may_have_aml

    @cached_property
    def _may_have_aml(self) -> bool:
        disease = self.evaluation.chart.get(DISEASE)
        return disease.value is not Disease.NONE or not disease.sure

    def is_ours(self, order: Medication) -> bool:
        """Whether the order names one of our drugs."""
        return not self.snapshot.drugs.keys().isdisjoint(order.ingredients)

    def _is_drafted(self, order: Medication) -> bool:
        """Whether it is one of the drafts of this moment."""
        return order.role is Role.DRAFT and order in self._drafts

    def counts(self, check: Check, gap: NotEvaluated) -> bool:
        """Whether a check that could not be made is named at this moment."""
        if gap.quiet:
            return False
        if self.moment is Moment.VIEW:
            return True
        if gap.about:
            ours_drafted = any(self._is_drafted(order) and self.is_ours(order) for order in gap.about)
            beside = (self._may_interact or self._unnamed) and any(
                fact.key is MEDICATIONS for fact in check.reads if not fact.sure
            )
            return ours_drafted or beside
        if check.rule.pairs and not isinstance(gap, NoTimeLeft):
            return self._may_interact or self._unnamed
        return gap.level is not None and (bool(self.our_drafts) or self._may_interact)

    def switched_off(self) -> tuple[tuple[Check, SwitchedOff], ...]:
        """The checks that the hospital switched off and that would have been made for an order of this moment."""
        every = self.outcomes(SwitchedOff) if self.snapshot.switches else ()
        if self.moment is Moment.VIEW:
            return tuple((check, off) for check, off in every if off.about)
        return tuple((check, off) for check, off in every if any(map(self._is_drafted, off.about)))

    def level(self, check: Check, gap: NotEvaluated) -> Level:
        """How much the gap matters: a warning when it could have stopped something or precedes a dose."""
        if gap.level is not None:
            return gap.level
        return max(check.rule.blind, Level.WARNING if check.rule.before_dose else Level.INFO)
