"""The questions that statements answer. A topic in a YAML file that is not listed here is an error; one listed here and
cited by no rule fails a test.
"""

from __future__ import annotations

from cds_service.knowledge.model import Topic, a_number, in_unit, names, numbers, words
from cds_service.knowledge.options import a_status
from cds_service.knowledge.scores import an_epi

# QTc
QTC_HOLD_ABOVE = Topic("qtc_hold_above", in_unit("ms"))
QTC_RESUME_AT_MOST = Topic("qtc_resume_at_most", in_unit("ms"))
QTC_RESUME_WITHIN_BASELINE = Topic("qtc_resume_within_baseline", in_unit("ms"))
QTC_RISE_ABOVE = Topic("qtc_rise_above", in_unit("ms"))
QTC_RISE_ACTION = Topic("qtc_rise_action", words)
QTC_START_CAUTION_ABOVE = Topic("qtc_start_caution_above", in_unit("ms"))
RESUME_DOSE = Topic("resume_dose", in_unit("mg/d"))
QTC_WINDOW_AT_START = Topic("qtc_window_at_start", in_unit("d"))
QTC_WINDOW_ON_TREATMENT = Topic("qtc_window_on_treatment", in_unit("d"))
QTC_WINDOW_AFTER_SCHEDULE = Topic("qtc_window_after_schedule", in_unit("d"))
BASELINE_WINDOW = Topic("baseline_window", in_unit("d"))
BAZETT_CLEARS_FROM_RATE = Topic("bazett_clears_from_rate", in_unit("/min"))
OTHER_FORMULA_CRITICAL_ABOVE = Topic("other_formula_critical_above", in_unit("ms"))
OTHER_FORMULA_TRUSTED_TO_RATE = Topic("other_formula_trusted_to_rate", in_unit("/min"))
REPEAT_ECG_APART = Topic("repeat_ecg_apart", in_unit("h"))

# Monitoring
ECG_ON_CYCLE_ONE_DAYS = Topic("ecg_on_cycle_one_days", numbers)
ECG_BEFORE_CYCLES = Topic("ecg_before_cycles", numbers)
CYCLE_LENGTH = Topic("cycle_length", in_unit("d"))
COURSE_GAP = Topic("course_gap", in_unit("d"))
LIVER_ACTION = Topic("liver_action", words)
DIFFERENTIATION_SIGNS = Topic("differentiation_signs", words)
ECG_TOLERANCE = Topic("ecg_tolerance", in_unit("d"))
ELECTROLYTES_REQUIRED = Topic("electrolytes_required", words)
POTASSIUM_LOW_BELOW = Topic("potassium_low_below", in_unit("mmol/L"))
MAGNESIUM_LOW_BELOW = Topic("magnesium_low_below", in_unit("mmol/L"))
POTASSIUM_TARGET = Topic("potassium_target", in_unit("mmol/L"))
MAGNESIUM_TARGET = Topic("magnesium_target", in_unit("mmol/L"))
ELECTROLYTE_WINDOW_AT_START = Topic("electrolyte_window_at_start", in_unit("d"))
ELECTROLYTE_WINDOW_ON_TREATMENT = Topic("electrolyte_window_on_treatment", in_unit("d"))
BLOOD_AND_LIVER_MONITORING = Topic("blood_and_liver_monitoring", words)
LAB_WINDOW = Topic("lab_window", in_unit("d"))
COUNT_WINDOW_AT_START = Topic("count_window_at_start", in_unit("d"))
TRANSAMINASE_HOLD_ABOVE = Topic("transaminase_hold_above", in_unit("[ULN]"))
TRANSAMINASE_WITH_BILIRUBIN_ABOVE = Topic("transaminase_with_bilirubin_above", in_unit("[ULN]"))
BILIRUBIN_RAISED_ABOVE = Topic("bilirubin_raised_above", in_unit("[ULN]"))
BILIRUBIN_HOLD_ABOVE = Topic("bilirubin_hold_above", in_unit("[ULN]"))
LIPASE_WARNING_ABOVE = Topic("lipase_warning_above", in_unit("[ULN]"))
LIPASE_NOTE_ABOVE = Topic("lipase_note_above", in_unit("[ULN]"))

# Syndromes
DIFFERENTIATION_SYNDROME = Topic("differentiation_syndrome", words)
DIFFERENTIATION_SYNDROME_ONSET = Topic("differentiation_syndrome_onset", words)
PRES = Topic("pres", words)
PANCREATITIS = Topic("pancreatitis", words)
GRAPEFRUIT = Topic("grapefruit", words)

# Interactions: what our drug's sources say of a kind of precipitant
STRONG_CYP3A_INHIBITOR = Topic("strong_cyp3a_inhibitor", words)
COMBINED_INDUCER = Topic("combined_inducer", words)
STRONG_CYP3A_INDUCER = Topic("strong_cyp3a_inducer", words)
CYP3A_INDUCER = Topic("cyp3a_inducer", words)
TARGET_5HT2B_SIGMA = Topic("target_5ht2b_sigma", words)
ADDITIVE_QT = Topic("additive_qt", words)
ADDITIVE_QT_WARN_ABOVE = Topic("additive_qt_warn_above", in_unit("ms"))

# Dose
USUAL_DOSE = Topic("usual_dose", in_unit("mg/d"))
DOSE_CEILING = Topic("dose_ceiling", in_unit("mg/d"))
RETURN_TO_DOSE = Topic("return_to_dose", words)
RECENTLY_STOPPED = Topic("recently_stopped", in_unit("d"))
RETURN_AFTER = Topic("return_after", in_unit("d"))
START_CONTRAINDICATED = Topic("start_contraindicated", words)
RAMP_UP = Topic("ramp_up", words)

# Tumour lysis
TLS_BLOOD_TESTS = Topic("tls_blood_tests", names)
TLS_ADVICE = Topic("tls_advice", words)
WBC_START_BELOW = Topic("wbc_start_below", in_unit("10*9/L"))
TLS_POTASSIUM_FROM = Topic("tls_potassium_from", in_unit("mmol/L"))
ORGAN_MONITORING = Topic("organ_monitoring", words)
ANTIFUNGAL_CHOICE = Topic("antifungal_choice", words)
OFF_LABEL = Topic("off_label", words)

# Target and pathway
TARGETS = Topic("targets", names)
OPTION = Topic("option", words)
OUT_OF_SCOPE = Topic("out_of_scope", words)
TRIAL_FIRST = Topic("trial_first", words)
DONOR_SEARCH = Topic("donor_search", words)
REPEAT_MUTATIONS = Topic("repeat_mutations", words)
MUTATION_STABILITY = Topic("mutation_stability", words)
PROVISIONAL_RESULT_WINDOW = Topic("provisional_result_window", in_unit("d"))
CARDS_AT_MOST = Topic("cards_at_most", a_number)
ADULT_FROM = Topic("adult_from", in_unit("a"))
SAME_ECG_WITHIN = Topic("same_ecg_within", in_unit("min"))

# Where the patient stands
ECOG_UNFIT_FROM = Topic("ecog_unfit_from", in_unit("{score}"))
ECOG_OPEN_FROM = Topic("ecog_open_from", in_unit("{score}"))
AGE_UNFIT_FROM = Topic("age_unfit_from", in_unit("a"))
AGE_OPEN_FROM = Topic("age_open_from", in_unit("a"))
LVEF_UNFIT_AT_MOST = Topic("lvef_unfit_at_most", in_unit("%"))
CLEARANCE_UNFIT_BELOW = Topic("clearance_unfit_below", in_unit("mL/min"))
ECOG_WINDOW = Topic("ecog_window", in_unit("d"))
LVEF_WINDOW = Topic("lvef_window", in_unit("d"))
FITNESS = Topic("fitness", words)
EPI = Topic("epi", an_epi)
PERSISTENT_AFTER = Topic("persistent_after", in_unit("d"))

# Options at relapse
OPTION_STATUS = Topic("option_status", a_status)
OPTION_EVIDENCE = Topic("option_evidence", words)
OPTION_CAUTION = Topic("option_caution", words)
OPTION_FIRST_REMISSION_ABOVE = Topic("option_first_remission_above", in_unit("mo"))
OPTION_TO_RELAPSE_ABOVE = Topic("option_to_relapse_above", in_unit("mo"))
OPTION_AGE_AT_MOST = Topic("option_age_at_most", in_unit("a"))
OPTION_BETTER_BELOW = Topic("option_better_below", in_unit("%"))
OLD_POSITIVE = Topic("old_positive", words)
TRANSPLANT_GOAL = Topic("transplant_goal", words)
CONDITIONING = Topic("conditioning", words)
INTENSIVE_SALVAGE = Topic("intensive_salvage", words)
TARGETED_FIRST = Topic("targeted_first", words)
SUPPORTIVE_CARE = Topic("supportive_care", words)
TRIAL_ONLY = Topic("trial_only", words)
NOT_SUGGESTED = Topic("not_suggested", words)
AFTER_RESPONSE = Topic("after_response", words)
STATE_ASKED = Topic("state_asked", words)
# What the drug aims at, more closely
WRONG_TARGET = Topic("wrong_target", words)  # qualified by the marker that is present instead
USABLE_WHEN_OLD = Topic("usable_when_old", words)  # qualified by the marker
RELAPSE_PANEL = Topic("relapse_panel", names)
CD33_POSITIVE_FROM = Topic("cd33_positive_from", in_unit("%"))
RELAPSE_ON_DRUG = Topic("relapse_on_drug", words)
ALONE_IN_RELAPSE = Topic("alone_in_relapse", words)
NO_TARGETED_DRUG = Topic("no_targeted_drug", words)  # qualified by the marker

# Reproduction and allergy
PREGNANCY = Topic("pregnancy", words)
PREGNANCY_BOXED = Topic("pregnancy_boxed", words)
CONTRACEPTION = Topic("contraception", words)  # qualified by sex: female, male
LACTATION = Topic("lactation", words)
PREGNANCY_TEST_WINDOW = Topic("pregnancy_test_window", in_unit("d"))
FERTILE_FROM = Topic("fertile_from", in_unit("a"))
FERTILE_TO = Topic("fertile_to", in_unit("a"))
ALLERGY_CONTRAINDICATED = Topic("allergy_contraindicated", words)
ALLERGY_TO = Topic("allergy_to", names)
ALLERGY_ON_RECORD = Topic("allergy_on_record", words)
