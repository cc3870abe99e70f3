"""Every rule, in reading order. A rule that stands in no list here fails a test."""

from __future__ import annotations

from typing import Any

from cds_service.rules import (
    cardiac,
    dosing,
    duplicates,
    electrolytes,
    interactions,
    kidney,
    liver_dosing,
    pathway,
    qtc,
    targets,
    toxicity,
    transplant_fitness,
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
    dosing.dose_over_label,
    dosing.dose_frequency,
    dosing.route,
    dosing.oral_form,
    dosing.small_patient,
    pathway.also_active,
    duplicates.duplicate_class,
    duplicates.not_interchangeable,
    # kidney, liver and heart before a dose
    kidney.renal_dose,
    kidney.renal_creatinine,
    kidney.cytarabine_neurotoxicity,
    liver_dosing.hepatic_dose,
    liver_dosing.liver_disease,
    liver_dosing.liver_tumour,
    cardiac.lvef_low,
    cardiac.lvef_before,
    cardiac.cumulative_anthracycline,
    cardiac.age_high_dose_cytarabine,
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
    transplant_fitness.transplant_fitness,
    targets.mutations_at_relapse,
    pathway.targeted_option,
)
