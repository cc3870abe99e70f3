"""Every rule, in reading order. A rule that stands in no list here fails a test."""

from __future__ import annotations

from typing import Any

from cds_service.rules import (
    cautions,
    cytotoxics,
    differentiation,
    electrolytes,
    gemtuzumab,
    interactions,
    liver,
    monitoring,
    pathway,
    qtc,
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
    cytotoxics.capillary_leak,
    differentiation.differentiation_syndrome,
    differentiation.leukocytosis,
    toxicity.pancreatitis,
    liver.liver,
    gemtuzumab.sinusoidal_obstruction,
    gemtuzumab.around_a_transplant,
    tumour_lysis.tumour_lysis_on_treatment,
    cytotoxics.neurotoxicity,
    cytotoxics.haemolysis,
    cautions.disease_on_record,
    monitoring.lab_schedule,
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
    tumour_lysis.white_cells_before_start,
    tumour_lysis.tumour_lysis_at_start,
    toxicity.starting,
    tumour_lysis.starting_venetoclax,
    cytotoxics.neurotoxicity_risk,
    monitoring.start_advice,
    monitoring.blood_count_at_start,
    venetoclax.off_label_in_relapse,
    pathway.aml_on_record,
    # first steps and options at relapse
    pathway.trial_first,
    pathway.donor_search,
    targets.mutations_at_relapse,
    pathway.targeted_option,
)
