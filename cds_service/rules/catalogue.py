"""Every rule, in reading order. A rule that stands in no list here fails a test."""

from __future__ import annotations

from typing import Any

from cds_service.rules.dose import dosing, kidney, liver_dosing, venetoclax
from cds_service.rules.heart import cardiac, electrolytes, qt_history, qtc, qtc_over_time
from cds_service.rules.interactions import additive_qt, duplicates, exposure, inhibitor_dose, intake, substrates
from cds_service.rules.patient import allergy, reproduction
from cds_service.rules.relapse import evidence, pathway, targets, transplant_fitness, work_up
from cds_service.rules.relapse.options import options_over
from cds_service.rules.rule import Rule
from cds_service.rules.toxicity import (
    acute,
    cautions,
    cytotoxics,
    differentiation,
    gemtuzumab,
    liver,
    monitoring,
    transplant,
    tumour_lysis,
)

CHECKS: tuple[Rule[Any], ...] = (
    # scope
    pathway.out_of_scope,
    pathway.adults_only,
    # the heart
    qt_history.contraindicated_by_history,
    qt_history.arrhythmia_before_a_qt_drug,
    qt_history.arrhythmia_on_treatment,
    qtc.qtc_over_start_limit,
    qtc.qtc_over_hold_limit,
    qtc_over_time.qtc_after_hold,
    qtc.qtc_over_action_limit,
    qtc.qtc_near_hold_limit,
    qtc_over_time.qtc_rise,
    qtc_over_time.ecg_schedule,
    qt_history.wide_qrs,
    electrolytes.severe_deficiency,
    electrolytes.electrolyte_low,
    electrolytes.electrolyte_schedule,
    electrolytes.electrolyte_wasting,
    # toxicity on treatment
    acute.reversible_encephalopathy,
    cytotoxics.capillary_leak,
    differentiation.differentiation_syndrome,
    differentiation.leukocytosis,
    acute.pancreatitis,
    liver.liver,
    gemtuzumab.sinusoidal_obstruction,
    gemtuzumab.around_a_transplant,
    transplant.pause_around_a_transplant,
    tumour_lysis.tumour_lysis_on_treatment,
    cytotoxics.neurotoxicity,
    cytotoxics.haemolysis,
    cautions.disease_on_record,
    monitoring.lab_schedule,
    # allergy and pregnancy
    allergy.allergy_on_record,
    reproduction.pregnancy,
    reproduction.breastfeeding,
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
    additive_qt.serotonin_and_sigma,
    additive_qt.additive_qt,
    venetoclax.inhibitor_stopped,
    dosing.dose_over_label,
    dosing.dose_under_label,
    dosing.dose_frequency,
    dosing.route,
    dosing.oral_form,
    dosing.small_patient,
    inhibitor_dose.inhibitor_ended,
    exposure.inducer_ended,
    intake.take_apart,
    intake.food_left_out,
    intake.live_vaccine,
    intake.food_and_vaccines,
    duplicates.also_active,
    duplicates.duplicate_class,
    duplicates.not_interchangeable,
    duplicates.trial_combination,
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
    evidence.alone_in_relapse,
    evidence.relapse_on_drug,
    tumour_lysis.white_cells_before_start,
    tumour_lysis.tumour_lysis_at_start,
    acute.starting,
    qt_history.starting_a_qt_drug,
    reproduction.contraception,
    tumour_lysis.starting_venetoclax,
    monitoring.start_advice,
    monitoring.blood_count_at_start,
    evidence.off_label_in_relapse,
    pathway.aml_on_record,
    # first steps and options at relapse
    pathway.state_not_stated,
    pathway.trial_first,
    work_up.where_it_stands,
    pathway.donor_search,
    transplant_fitness.transplant_fitness,
    targets.mutations_at_relapse,
    work_up.after_response,
    evidence.no_targeted_drug,
)
OPTIONS = options_over(CHECKS)  # asks the checks about each drug before it is offered
RULES: tuple[Rule[Any], ...] = (*CHECKS, OPTIONS)
