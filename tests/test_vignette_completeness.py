"""Every rule has a yes, a no and an unknown among its vignettes, and cases around each number that it compares."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from cds_service.knowledge.model import Level
from cds_service.quantity import Quantity
from cds_service.rules.catalogue import RULES
from cds_service.rules.relapse.options import may_warn
from cds_service.rules.rule import Fired, NotEvaluated
from tests.vignette_runner import quantity, tell, vignettes

RULE_IDS = [rule.id for rule in RULES]
SIDES = ("below", "at", "above")

# Which outcomes a rule need not show, and why.
EXEMPT: dict[tuple[str, str], str] = {}

# Each number that a rule compares, by its topic. When knowledge changes one, the test points to the cases to renew.
EDGES: dict[str, dict[str, tuple[str, ...]]] = {
    "scope-adult": {"adult_from": ("18 a",)},
    "qtc-start-limit": {
        "qtc_start_at_most": ("450 ms", "480 ms"),
        "qtc_escalate_at_most": ("450 ms",),
        "qtc_hold_above": ("500 ms",),
        "qtc_window_at_start": ("14 d",),
    },
    "qtc-hold": {
        "qtc_hold_above": ("500 ms",),
        "qtc_window_at_start": ("14 d",),
        "qtc_window_on_treatment": ("35 d",),
        "qtc_window_after_schedule": ("90 d",),
        "ecg_tolerance": ("2 d",),
        "other_formula_critical_above": ("530 ms",),
        "bazett_clears_from_rate": ("60 /min",),
        "other_formula_trusted_to_rate": ("90 /min",),
    },
    "pres": {"open_order_lasts": ("365 d",), "past_sign_counts": ("28 d",)},
    "qtc-resume": {
        "qtc_hold_above": ("500 ms",),
        "qtc_resume_at_most": ("470 ms", "480 ms"),
        "qtc_resume_within_baseline": ("30 ms",),
        "resume_dose": ("50 mg/d", "80 mg/d", "250 mg/d", "500 mg/d"),
        "course_gap": ("56 d",),
        "qtc_window_at_start": ("14 d",),
    },
    "qtc-action": {"qtc_act_above": ("470 ms", "480 ms"), "qtc_hold_above": ("500 ms",)},
    "qtc-near-hold": {
        "qtc_hold_above": ("500 ms",),
        "qtc_start_caution_above": ("480 ms",),
        "qtc_window_at_start": ("14 d",),
    },
    "qtc-rise": {
        "qtc_rise_above": ("30 ms", "60 ms"),
        "qtc_hold_above": ("500 ms",),
        "baseline_window": ("28 d",),
        "repeat_ecg_apart": ("12 h",),
    },
    "ecg-schedule": {"ecg_tolerance": ("2 d",), "ecg_then_every": ("30 d",)},
    "electrolytes-severe": {
        "potassium_severe_below": ("3.0 mmol/L",),
        "magnesium_severe_below": ("0.5 mmol/L",),
        "electrolyte_window_at_start": ("7 d",),
        "electrolyte_window_on_treatment": ("7 d",),
    },
    "electrolytes": {
        "potassium_low_below": ("3.5 mmol/L",),
        "potassium_target": ("4.0 mmol/L",),
        "magnesium_low_below": ("0.7 mmol/L",),
        "magnesium_target": ("0.8 mmol/L",),
        "electrolyte_window_at_start": ("7 d",),
        "electrolyte_window_on_treatment": ("7 d",),
        "electrolyte_note_after_at_start": ("3 d",),
    },
    "electrolyte-schedule": {"electrolyte_window_on_treatment": ("7 d",), "ecg_tolerance": ("2 d",)},
    "electrolyte-wasting": {
        "potassium_low_below": ("3.5 mmol/L",),
        "magnesium_low_below": ("0.7 mmol/L",),
        "electrolyte_window_at_start": ("7 d",),
        "electrolyte_window_on_treatment": ("7 d",),
    },
    "capillary-leak": {
        "creatinine_rise_from": ("50 %",),
        "sign_window": ("7 d",),
        "signs_after_course": ("14 d",),
    },
    "neurotoxicity": {"signs_after_course": ("14 d",)},
    "differentiation-syndrome": {
        "fever_from": ("38.0 Cel",),
        "saturation_below": ("92 %",),
        "vital_signs_within": ("24 h",),
        "weight_rise_from": ("5 %",),
        "creatinine_rise_from": ("50 %",),
        "sign_window": ("7 d",),
        "differentiation_syndrome_window": ("82 d", "92 d", "550 d", "153 d", "41 d", "46 d"),
    },
    "leukocytosis": {
        "leukocytosis_above": ("25 ×10⁹/L", "30 ×10⁹/L"),
        "leukocytosis_rise_above": ("15 ×10⁹/L",),
        "count_window_on_treatment": ("7 d",),
        "lab_window": ("14 d",),
    },
    "caution": {"lvef_unfit_at_most": ("50 %",), "lvef_window": ("90 d",)},
    "pancreatitis": {"lipase_note_above": ("1 × ULN",), "lipase_warning_above": ("3 × ULN",), "lab_window": ("14 d",)},
    "liver": {
        "transaminase_hold_above": ("5 × ULN", "2.5 × ULN"),
        "bilirubin_hold_above": ("3 × ULN", "2 × ULN", "1.5 × ULN"),
        "bilirubin_lower_above": ("3 × ULN",),
        "transaminase_with_bilirubin_above": ("3 × ULN",),
        "bilirubin_raised_above": ("1 × ULN", "2 × ULN"),
        "weight_rise_from": ("5 %",),
        "sign_window": ("7 d",),
        "lab_window": ("14 d",),
        "liver_resume_dose": ("80 mg/d", "150 mg/d"),
    },
    "sos-vod": {
        "transaminase_hold_above": ("2.5 × ULN",),
        "bilirubin_hold_above": ("2 × ULN",),
        "weight_rise_from": ("5 %",),
        "sign_window": ("7 d",),
        "signs_after_course": ("298 d",),
        "lab_window": ("14 d",),
    },
    "transplant-interval": {"transplant_interval": ("3 mo",)},
    "transplant-pause": {"transplant_resume_after": ("30 d",)},
    "tls-laboratory": {
        "tumour_lysis_limit": ("476 umol/L", "6.0 mmol/L", "1.45 mmol/L", "1.75 mmol/L"),
        "electrolyte_window_on_treatment": ("7 d",),
        "tumour_lysis_within": ("7 d",),
    },
    "haemolysis": {
        "haemoglobin_fall_from": ("20 g/L",),
        "haemolysis_marker_above": ("1 × ULN",),
        "signs_after_course": ("14 d",),
        "lab_window": ("14 d",),
    },
    "lab-schedule": {"lab_tolerance": ("2 d",)},
    "pregnancy": {
        "pregnancy_test_window": ("7 d",),
        "pregnancy_lasts": ("300 d",),
        "fertile_from": ("12 a",),
        "fertile_to": ("55 a",),
    },
    "dose-ceiling": {
        "dose_ceiling": ("70 mg/d", "100 mg/d", "200 mg/d", "300 mg/d"),
        "low_dose_cytarabine": ("100 mg/d",),
        "low_dose_cytarabine_surface": ("40 mg/m2",),
    },
    "inhibitor-just-stopped": {
        "return_after": ("3 d",),
        "recently_stopped": ("14 d",),
        "long_acting_counts": ("90 d",),
    },
    "strong-cyp3a-inhibitor": {"lowest_dose": ("17.7 mg/d",)},
    "dose-beside-inhibitor": {
        "ceiling_beside_inhibitor": ("250 mg/d", "320 mg/d"),
        "dose_weight_from": ("40 kg",),
        "dose_weight_window": ("90 d",),
    },
    "additive-qt": {
        "additive_qt_warn_above": ("450 ms",),
        "additive_qt_rise_above": ("30 ms",),
        "long_acting_counts": ("90 d",),
        "potassium_low_below": ("3.5 mmol/L",),
        "magnesium_low_below": ("0.7 mmol/L",),
        "electrolyte_window_at_start": ("7 d",),
        "electrolyte_window_on_treatment": ("7 d",),
        "qtc_window_at_start": ("14 d",),
    },
    "inhibitor-stopped": {"usual_dose": ("400 mg/d",), "recently_stopped": ("14 d",)},
    "dose-under-label": {
        "lowest_dose": (
            "10 mg/d", "17.7 mg/d", "25 mg/d", "40 mg/d", "50 mg/d", "80 mg/d", "150 mg/d", "200 mg/d", "250 mg/d",
        ),
    },
    "dose-over-label": {
        "dose_ceiling": (
            "120 mg/d", "200 mg/d", "400 mg/d", "600 mg/d", "4.5 mg/d", "26.5 mg/d", "35.4 mg/d", "53 mg/d", "100 mg/d",
            "300 mg/d", "500 mg/d", "540 mg/d", "800 mg/d",
        ),
        "surface_ceiling": (
            "3 mg/m2", "5 mg/m2", "12 mg/m2", "14 mg/m2", "20 mg/m2", "40 mg/m2", "45 mg/m2", "52 mg/m2", "90 mg/m2",
            "100 mg/m2", "144 mg/m2", "3000 mg/m2",
        ),
    },
    "oral-form": {"oral_dose": ("300 mg/d",)},
    "small-patient": {"small_patient_below": ("40 kg",)},
    "inhibitor-ended": {"ceiling_beside_inhibitor": ("250 mg/d", "320 mg/d"), "recently_stopped": ("14 d",)},
    "inducer-ended": {"recently_stopped": ("14 d",)},
    "renal-dose": {
        "renal_reduce_below": ("80 mL/min", "70 mL/min", "60 mL/min", "50 mL/min", "30 mL/min"),
        "renal_stop_below": ("30 mL/min",),
        "renal_not_studied_below": ("30 mL/min",),
        "lab_window": ("14 d",),
        "weight_window": ("30 d",),
        "creatinine_unstable_from": ("26.52 umol/L",),
        "creatinine_unstable_within": ("48 h",),
    },
    "renal-creatinine": {"renal_creatinine_above": ("265.2 umol/L",), "renal_creatinine_uln_above": ("1.5 × ULN",)},
    "cytarabine-neurotoxicity": {
        "neurotoxicity_clearance_below": ("60 mL/min",),
        "neurotoxicity_creatinine_from": ("106.08 umol/L",),
        "neurotoxicity_age_from": ("40 years",),
        "neurotoxicity_alp_from": ("3 × ULN",),
        "high_dose_from": ("1000 mg/m2",),
        "low_dose_at_most": ("100 mg/d",),
    },
    "hepatic-dose": {
        "hepatic_bilirubin_above": ("1.5 × ULN",),
        "hepatic_transaminase_above": ("3 × ULN",),
        "bilirubin_uln_default": ("20.52 umol/L",),
        "hepatic_step_from": ("20.52 umol/L", "44.46 umol/L"),
        "hepatic_step_above": ("51.3 umol/L", "85.5 umol/L"),
    },
    "lvef-low": {"lvef_at_most": ("50 %",), "lvef_below": ("50 %",)},
    "lvef-before": {"lvef_window": ("90 d",), "anthracycline_course_lasts": ("7 d",)},
    "cumulative-anthracycline": {"cumulative_limit": ("140 mg/m2", "400 mg/m2")},
    "age-high-dose-cytarabine": {"age_with_anthracycline_above": ("60 years",)},
    "target": {"provisional_result_window": ("90 d",), "cd33_positive_from": ("20 %",)},
    "tls-wbc": {"wbc_start_below": ("25 ×10⁹/L", "30 ×10⁹/L"), "count_window_at_start": ("3 d",)},
    "tls-start": {
        "tls_potassium_from": ("6.0 mmol/L",),
        "electrolyte_window_at_start": ("7 d",),
        "electrolyte_note_after_at_start": ("3 d",),
    },
    "contraception": {"fertile_from": ("12 a",), "fertile_to": ("55 a",)},
    "count-at-start": {"count_window_at_start": ("3 d",)},
    "trial-first": {"adult_from": ("18 a",)},
    "where-it-stands": {
        "ecog_unfit_from": ("3 {score}",),
        "ecog_open_from": ("2 {score}",),
        "age_unfit_from": ("75 a",),
        "age_open_from": ("65 a",),
        "lvef_unfit_at_most": ("50 %",),
        "clearance_unfit_below": ("30 mL/min",),
        "ecog_window": ("30 d",),
        "lvef_window": ("90 d",),
        "lab_window": ("14 d",),
    },
    "transplant-fitness": {
        "transplant_ecog_from": ("3 {score}",),
        "transplant_clearance_below": ("30 mL/min",),
        "transplant_lvef_at_most": ("50 %",),
    },
    "mutations-at-relapse": {"provisional_result_window": ("90 d",)},
    "options-at-relapse": {
        "option_first_remission_above": ("12 mo",),
        "option_to_relapse_above": ("18 mo",),
        "option_age_at_most": ("60 a",),
        "option_age_caution": ("60 a",),
        "option_better_below": ("20 %",),
        "cd33_positive_from": ("20 %",),
        "persistent_after": ("28 d",),
        "provisional_result_window": ("90 d",),
        "flat_high_dose_from": ("1000 mg/d",),
        "high_dose_from": ("1000 mg/m2",),
    },
}

# Numbers that a rule cites and only says on its card.
ONLY_SAID = {
    ("also-active", "usual_dose"),
    ("count-at-start", "wbc_start_below"),
    ("dose-frequency", "usual_dose"),
    ("dose-over-label", "usual_dose"),
    ("dose-under-label", "usual_dose"),
    ("qtc-start-limit", "qtc_resume_at_most"),
    ("electrolytes-severe", "magnesium_target"),
    ("electrolytes-severe", "potassium_target"),
    ("liver", "resume_dose"),
    ("qtc-hold", "qtc_resume_at_most"),
    ("qtc-start-limit", "qtc_resume_at_most"),
    ("qtc-hold", "resume_dose"),
    ("qtc-rise", "resume_dose"),
}

# Numbers that several rules compare through one shared helper, and the rule whose vignettes hold their edges.
SHARED = {
    ("tumour_lysis_limit", "tls-laboratory"): "tumour_lysis._beyond",
    ("cycle_length", "ecg-schedule"): "cycle days, told day by day in ecg-schedule/day-by-day.yaml",
    ("ecg_tolerance", "qtc-hold"): "heart.current_qtc",
    ("qtc_window_after_schedule", "qtc-hold"): "heart.current_qtc",
    ("course_gap", "qtc-resume"): "treatment.started",
    ("open_order_lasts", "pres"): "treatment.started",
    ("qtc_window_on_treatment", "qtc-hold"): "heart.current_qtc",
    ("ecg_then_every", "ecg-schedule"): "treatment.ecg_due_days",
    ("qtc_act_above", "qtc-action"): "heart.action_limit",
    ("qtc_start_at_most", "qtc-start-limit"): "heart.start_limit",
    ("potassium_severe_below", "electrolytes-severe"): "severe lack is told by that check",
    ("magnesium_severe_below", "electrolytes-severe"): "the same",
    ("baseline_window", "qtc-rise"): "treatment.baseline",
    ("bazett_clears_from_rate", "qtc-hold"): "heart.over",
    ("other_formula_critical_above", "qtc-hold"): "heart.over",
    ("other_formula_trusted_to_rate", "qtc-hold"): "heart.over",
    ("adult_from", "trial-first"): "the gate of the relapse pathway",
    ("dose_ceiling", "dose-ceiling"): "venetoclax.ceilings",
    ("return_after", "inhibitor-just-stopped"): "asked before a plain ramp-up is told",
    ("recently_stopped", "inhibitor-just-stopped"): "the same",
    ("long_acting_counts", "inhibitor-just-stopped"): "the same",
    ("ceiling_beside_inhibitor", "dose-beside-inhibitor"): "partners.dose_told",
    ("dose_weight_from", "dose-beside-inhibitor"): "the same",
    ("low_dose_cytarabine", "dose-ceiling"): "ceilings.ceilings",
    ("low_dose_cytarabine_surface", "dose-ceiling"): "the same",
    ("dose_weight_window", "dose-beside-inhibitor"): "the same",
    ("bilirubin_uln_default", "hepatic-dose"): "upper_limits.bilirubin_multiple",
    ("lab_window", "renal-dose"): "clearance.kidney, and the window of every laboratory value",
    ("weight_window", "renal-dose"): "clearance.kidney",
    ("creatinine_unstable_from", "renal-dose"): "clearance.kidney",
    ("creatinine_unstable_within", "renal-dose"): "clearance.kidney",
    ("renal_reduce_below", "renal-dose"): "a clearance below its step is told there",
    ("high_dose_from", "cytarabine-neurotoxicity"): "high_dose.high_dose",
    ("low_dose_at_most", "cytarabine-neurotoxicity"): "high_dose.high_dose",
    ("anthracycline_course_lasts", "lvef-before"): "the same",
    ("lvef_window", "lvef-before"): "cardiac, the newest LVEF that counts",
    ("ecog_unfit_from", "where-it-stands"): "fitness.assess",
    ("ecog_open_from", "where-it-stands"): "the same",
    ("age_unfit_from", "where-it-stands"): "the same",
    ("age_open_from", "where-it-stands"): "the same",
    ("lvef_unfit_at_most", "where-it-stands"): "the same",
    ("clearance_unfit_below", "where-it-stands"): "the same",
    ("ecog_window", "where-it-stands"): "the same",
    ("lvef_window", "where-it-stands"): "the same",
    ("lab_window", "where-it-stands"): "the same",
    ("signs_after_course", "sos-vod"): "treatment.just_given",
    ("persistent_after", "options-at-relapse"): "the gate of the relapse pathway",
}


@cache
def _cited() -> dict[tuple[str, str], frozenset[Quantity]]:
    """Every number that the vignettes of a rule made it cite, by rule and topic."""
    found: dict[tuple[str, str], set[Quantity]] = defaultdict(set)
    for vignette in vignettes():
        for statement in tell(vignette).check.cites:
            if isinstance(statement.value, Quantity):
                found[vignette.rule, statement.topic].add(statement.value)
    return {key: frozenset(values) for key, values in found.items()}


def test_every_vignette_is_about_a_rule_that_exists() -> None:
    assert {vignette.rule for vignette in vignettes()} <= set(RULE_IDS)


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_rule_has_a_yes_a_no_and_an_unknown(rule: str) -> None:
    expected = {vignette.expect["outcome"] for vignette in vignettes() if vignette.rule == rule}
    found = {
        "yes": "fired" in expected,
        "no": bool(expected & {"clear", "not applicable"}),
        "unknown": "not evaluated" in expected,
    }
    assert not [kind for kind, there in found.items() if not there and (rule, kind) not in EXEMPT]


@pytest.mark.parametrize(
    ("rule", "topic", "limit"),
    [(rule, topic, limit) for rule, topics in EDGES.items() for topic, limits in topics.items() for limit in limits],
)
def test_every_number_has_a_case_below_at_and_above(rule: str, topic: str, limit: str) -> None:
    tags = {edge for vignette in vignettes() if vignette.rule == rule for edge in vignette.edges}
    assert not [f"{side} {limit}" for side in SIDES if f"{side} {limit}" not in tags]


@pytest.mark.parametrize("rule", RULE_IDS)
def test_no_number_that_a_rule_cites_is_forgotten(rule: str) -> None:
    shared = {topic for topic, _ in SHARED}
    known = {topic for said, topic in ONLY_SAID if said == rule} | set(EDGES.get(rule, {})) | shared
    if rule == "options-at-relapse":  # it cites what excludes an option from the checks of drugs: the edges stand there
        known |= {topic for said, topic in ONLY_SAID} | {topic for topics in EDGES.values() for topic in topics}
    assert not [topic for cited, topic in _cited() if cited == rule and topic not in known]


@pytest.mark.parametrize(("rule", "topic"), [(rule, topic) for rule, topics in EDGES.items() for topic in topics])
def test_the_edges_stand_at_the_numbers_that_hold_today(rule: str, topic: str) -> None:
    assert _cited().get((rule, topic)) == {quantity(limit)[0] for limit in EDGES[rule][topic]}


def test_every_edge_that_a_vignette_claims_is_one_of_the_table() -> None:
    known = {(rule, limit) for rule, topics in EDGES.items() for limits in topics.values() for limit in limits}
    claimed = {(v.rule, edge.split(" ", 1)[1]) for v in vignettes() for edge in v.edges}
    assert claimed == known


def test_shared_numbers_have_their_edges_where_the_table_says() -> None:
    edges = {(topic, rule) for rule, topics in EDGES.items() for topic in topics}
    assert {pair for pair in SHARED if pair not in edges} == {("cycle_length", "ecg-schedule")}


def test_no_rule_is_ever_more_urgent_than_it_says() -> None:
    worst = {rule.id: rule.worst for rule in RULES}
    for vignette in vignettes():
        outcome = tell(vignette).check.outcome
        assert not isinstance(outcome, Fired) or outcome.finding.level <= worst[vignette.rule], vignette.name


def test_no_check_matters_more_unseen_than_seen() -> None:
    for rule in RULES:
        assert rule.blind <= rule.worst, rule.id
        assert not rule.before_dose or rule.worst > Level.INFO, rule.id


def test_a_check_that_no_option_asks_holds_no_drug_and_warns_of_no_gap() -> None:
    """Of a check that only informs no option is told anything, seen or not: it need not be asked about a drug."""
    informing = {rule.id for rule in RULES if not may_warn(rule)}
    assert len(informing) > 10
    for vignette in vignettes():
        outcome = tell(vignette).check.outcome
        if vignette.rule in informing and isinstance(outcome, Fired):
            assert not outcome.finding.holds, vignette.name
        if vignette.rule in informing and isinstance(outcome, NotEvaluated):
            assert outcome.level in (None, Level.INFO), vignette.name
