"""Every rule, in reading order. A rule that stands in no list here fails a test."""

from __future__ import annotations

from typing import Any

from cds_service.rules import (
    electrolytes,
    interactions,
    pathway,
    qt_history,
    qtc,
    qtc_over_time,
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
    qt_history.contraindicated_by_history,
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
    tumour_lysis.white_cells_before_start,
    tumour_lysis.tumour_lysis_at_start,
    toxicity.starting,
    qt_history.starting_a_qt_drug,
    tumour_lysis.starting_venetoclax,
    venetoclax.off_label_in_relapse,
    pathway.aml_on_record,
    # first steps and options at relapse
    pathway.trial_first,
    pathway.donor_search,
    targets.mutations_at_relapse,
    pathway.targeted_option,
)
