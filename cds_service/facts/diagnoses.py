"""Diagnoses: keys of our tables of conditions that mean much the same, and states of the disease that do."""

from __future__ import annotations

AML = frozenset({"aml", "aml_genetic_subtype", "aml_therapy_related", "aml_relapse_or_remission", "myeloid_sarcoma"})
LEUKAEMIA = AML | {"apl"}
GRAFTS = frozenset({"hsct_procedure", "hsct_procedure_autologous", "history_hsct"})
IN_RELAPSE = frozenset({"in_relapse", "relapse", "recurrence", "relapsed"})
IN_REMISSION = frozenset({"in_remission", "remission", "in remission"})

# What a label asks of a relative, by what it is called of the patient.
IN_THE_FAMILY = {
    "sudden_death": "family_sudden_death",
    "torsades": "family_ventricular_arrhythmia",
    "ventricular_tachycardia": "family_ventricular_arrhythmia",
    "ventricular_fibrillation_flutter": "family_ventricular_arrhythmia",
}


def agree(one: str, other: str) -> bool:
    """Whether both states of the disease are a relapse, or both a remission."""
    return {one, other} <= IN_RELAPSE or {one, other} <= IN_REMISSION


def disagree(one: str, other: str) -> bool:
    """Whether one of two states of the disease is a relapse, and the other one a remission."""
    return (one in IN_RELAPSE and other in IN_REMISSION) or (one in IN_REMISSION and other in IN_RELAPSE)
