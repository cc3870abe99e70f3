"""Every rule, in reading order. A rule that stands in no list here fails a test."""

from __future__ import annotations

from typing import Any

from cds_service.rules import (
    electrolytes,
    exposure,
    inhibitor_dose,
    intake,
    interactions,
    pathway,
    qtc,
    substrates,
    targets,
    toxicity,
    tumour_lysis,
    venetoclax,
)
from cds_service.rules.rule import Rule

RULES: tuple[Rule[Any], ...] = (
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
    exposure.contraindicated_pair,
    exposure.combined_inducer,
    venetoclax.contraindicated_at_start,
    venetoclax.dose_with_inhibitors,
    venetoclax.inhibitor_just_stopped,
    inhibitor_dose.dose_beside_inhibitor,
    exposure.strong_inhibitor,
    exposure.moderate_inhibitor,
    exposure.strong_inducer,
    exposure.any_inducer,
    intake.acid_reducer,
    substrates.effect_on_others,
    interactions.serotonin_and_sigma,
    interactions.additive_qt,
    venetoclax.inhibitor_stopped,
    inhibitor_dose.inhibitor_ended,
    exposure.inducer_ended,
    intake.take_apart,
    intake.food_and_vaccines,
    toxicity.dose_over_label,
    pathway.also_active,
    # before the first dose
    targets.target,
    tumour_lysis.white_cells_before_start,
    tumour_lysis.tumour_lysis_at_start,
    toxicity.starting,
    tumour_lysis.starting_venetoclax,
    venetoclax.off_label_in_relapse,
    pathway.aml_on_record,
    # first steps and options at relapse
    pathway.trial_first,
    pathway.donor_search,
    targets.mutations_at_relapse,
    pathway.targeted_option,
)
