"""Which way a limit is stricter: what a hospital's value means beside the one that it replaces.

Numbers are compared; whether lower or higher is stricter follows from the topic, and is left open where it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cds_service.knowledge.model import Statement, Verification
from cds_service.quantity import Quantity

LOWER, HIGHER, MORE = "lower", "higher", "more"

# By the whole name of the topic, else by its ending. What stands in neither is left open: better than a wrong word.
_STRICTER = {
    LOWER: (
        "qtc_resume_at_most qtc_start_at_most qtc_escalate_at_most qtc_resume_within_baseline wbc_start_below "
        "tls_potassium_from creatinine_rise_from creatinine_unstable_from haemoglobin_fall_from weight_rise_from "
        "fever_from neurotoxicity_age_from neurotoxicity_alp_from neurotoxicity_creatinine_from cumulative_limit "
        "tumour_lysis_limit dose_ceiling surface_ceiling other_formula_trusted_to_rate ecg_tolerance lab_tolerance "
        "ecg_then_every qtc_window_at_start qtc_window_on_treatment qtc_window_after_schedule "
        "electrolyte_window_at_start electrolyte_window_on_treatment count_window_at_start count_window_on_treatment "
        "electrolyte_note_after_at_start lab_window lvef_window "
        "weight_window pregnancy_test_window provisional_result_window relapse_named_again_within"
    ),
    HIGHER: (
        "bazett_clears_from_rate return_after lvef_at_most transplant_interval transplant_resume_after "
        "potassium_target magnesium_target"
    ),
    MORE: (
        "ecg_on_cycle_one_days ecg_before_cycles ecg_on_days tls_blood_tests qt_contraindicated "
        "qt_contraindicated_electrolytes qt_named_partners qt_arrhythmia_signs allergy_to relapse_panel signs"
    ),
}
_BY_NAME = {name: way for way, names in _STRICTER.items() for name in names.split()}
_BY_ENDING = {"_above": LOWER, "_below": HIGHER}  # an alarm sounds above, or below
_NO_ALARM = ("option_", "small_patient_", "hepatic_step_")  # these sort patients; neither way is stricter

_SOURCE = {
    Verification.LABEL: "the label",
    Verification.LITERATURE: "the literature",
    Verification.SECONDARY: "the label as restated",
    Verification.RECALLED: "the label as recalled",
    Verification.POLICY: "the service default",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A value beside the one that it replaces: in words, and whether it is laxer (None where that is not known)."""

    words: str
    laxer: bool | None


def stricter(topic: str) -> str:
    """In which direction a value of that topic is stricter: lower, higher, more; empty where the name does not tell."""
    if topic in _BY_NAME or topic.startswith(_NO_ALARM):
        return _BY_NAME.get(topic, "")
    return next((way for ending, way in _BY_ENDING.items() if topic.endswith(ending)), "")


def compare(instead: Statement[Any], value: Any) -> Comparison:
    """The hospital's value beside the statement that it replaces."""
    old = instead.value
    if old == value:
        return Comparison("the same", False)
    source = _SOURCE[instead.verification]
    if isinstance(old, Quantity) and isinstance(value, Quantity):
        return _numbers(instead.topic, old.value, value.value, source)
    if isinstance(old, Decimal) and isinstance(value, Decimal):
        return _numbers(instead.topic, old, value, source)
    if isinstance(old, tuple) and isinstance(value, tuple):
        return _lists(instead.topic, old, value, source)
    return Comparison(f"other words than {source}", None)


def _numbers(topic: str, old: Decimal, new: Decimal, source: str) -> Comparison:
    way = LOWER if new < old else HIGHER
    known = stricter(topic)
    if known not in (LOWER, HIGHER):
        return Comparison(f"{way} than {source}", None)
    laxer = way != known
    return Comparison(f"{way}: {'laxer' if laxer else 'stricter'} than {source}", laxer)


def _lists(topic: str, old: tuple[Any, ...], new: tuple[Any, ...], source: str) -> Comparison:
    out = [str(each) for each in old if each not in new]
    added = [str(each) for each in new if each not in old]
    words = [f"without {', '.join(out)}"] if out else []
    words += [f"with {', '.join(added)}"] if added else []
    said = " and ".join(words) or "in another order"
    if stricter(topic) != MORE:
        return Comparison(f"{said}, unlike {source}", None)
    return Comparison(f"{said}: {'laxer' if out else 'stricter'} than {source}", bool(out))
