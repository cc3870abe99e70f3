"""Every rule, in reading order. A rule that stands in no list here fails a test."""

from __future__ import annotations

from typing import Any

from cds_service.rules import (
    electrolytes,
    evidence,
    interactions,
    pathway,
    qtc,
    targets,
    toxicity,
    tumour_lysis,
    venetoclax,
    work_up,
)
from cds_service.rules.options import options_over
from cds_service.rules.rule import Rule

CHECKS: tuple[Rule[Any], ...] = (
    # scope
    pathway.out_of_scope,
    pathway.adults_only,
    # the heart
    qtc.qtc_over_hold_limit,
    qtc.qtc_after_hold,
    qtc.qtc_near_hold_limit,
    qtc.qtc_rise,
    qtc.ecg_schedule,
    electrolytes.electrolyte_low,
    # toxicity on treatment
    toxicity.reversible_encephalopathy,
    toxicity.differentiation_syndrome,
    toxicity.pancreatitis,
    toxicity.liver,
    # interactions and dose
    interactions.combined_inducer,
    venetoclax.contraindicated_at_start,
    venetoclax.dose_with_inhibitors,
    venetoclax.inhibitor_just_stopped,
    interactions.strong_inhibitor,
    interactions.strong_inducer,
    interactions.any_inducer,
    interactions.serotonin_and_sigma,
    interactions.additive_qt,
    venetoclax.inhibitor_stopped,
    toxicity.dose_over_label,
    pathway.also_active,
    # before the first dose
    targets.target,
    evidence.alone_in_relapse,
    evidence.relapse_on_drug,
    tumour_lysis.white_cells_before_start,
    tumour_lysis.tumour_lysis_at_start,
    toxicity.starting,
    tumour_lysis.starting_venetoclax,
    venetoclax.off_label_in_relapse,
    pathway.aml_on_record,
    # first steps and options at relapse
    pathway.state_not_stated,
    pathway.trial_first,
    work_up.where_it_stands,
    pathway.donor_search,
    targets.mutations_at_relapse,
    work_up.after_response,
    evidence.no_targeted_drug,
)
OPTIONS = options_over(CHECKS)  # asks the checks about each drug before it is offered
RULES: tuple[Rule[Any], ...] = (*CHECKS, OPTIONS)
