"""Cytotoxic drugs on treatment: capillary leak, damage to the nervous system, haemolysis."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.entries import HISTORY, PROBLEMS
from cds_service.facts.fact import Fact, above
from cds_service.facts.values.labs import CREATININE, HAEMOGLOBIN, HAEMOGLOBIN_SERIES, LDH_ULN
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.quantity import Quantity
from cds_service.rules.high_dose import high_dose, is_high
from cds_service.rules.rule import Case, Clear, Fired, Outcome, rule
from cds_service.rules.signs import (
    creatinine_rise,
    entries_of,
    exposed,
    highest_before,
    keys_of,
    no_signs,
    recorded,
    signs_since_start,
    unread,
)
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import just_given, last_given, long_over, started
from cds_service.rules.upper_limits import bilirubin_multiple
from cds_service.truth import Truth, any_of

NOT_SURELY_HIGH = "whether this is the high dose is not known"
NOT_HIGH = "the source speaks of the high dose, and this is none"


@rule(
    "capillary-leak",
    subjects=uses(topics.CAPILLARY_LEAK, roles=tuple(Role)),
    sources=("SAF23c",),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def capillary_leak(case: Case, use: Use) -> Outcome:
    """Signs of capillary leak on treatment.

    It is asked of a drug whose source warns of capillary leak, while it is taken. Low pressure, an effusion, oedema or
    failing lungs recorded since the start is critical. A rise of creatinine alone is a warning, since its limit is one
    of this service.

    A sign whose day is not certain counts one step lower. Where no sign was found, a problem list that was not read
    whole, or a creatinine that could not be had or read, is named as a gap, as a warning. Pressure, weight and oxygen
    as measured are not read here.

    Before the drug is given again after an earlier course only the recorded diagnosis counts, past entries included. It
    is a warning, as no source read says what follows from it. In the days after the last one any recorded sign since
    the start of the course is a warning; how long they last is policy.
    """
    ended = just_given(case, use)[:1]
    if not (use.taken or ended):
        return _leaked_before(case, use) if exposed(use) else long_over(case, use)
    seen = recorded(case, use, keys_of(case, "capillary leak"))
    signs = seen if ended else (*seen, *creatinine_rise(case, use))
    if not signs and ended:
        return _leaked_before(case, use) if use.drafts else no_signs(case)
    if not signs:
        creatinine = unread(case.fact(CREATININE))
        found = no_signs(case)
        return case.blind(case.fact(PROBLEMS), *creatinine) if creatinine else found
    action = case.must(topics.CAPILLARY_LEAK, use.drug)
    deciding = seen or signs
    certain = any(not sign.doubts for sign in deciding)
    return case.fired(
        Level.CRITICAL if seen and not ended else Level.WARNING,  # the rise of creatinine and the days after are ours
        "capillary_leak",
        about=use.in_play or ended,
        deciding=use.taken or ended,
        drug=use.drug,
        says=(action,),
        doubts=() if certain else tuple(dict.fromkeys(doubt for sign in deciding for doubt in sign.doubts)),
        signs=signs,
        action=action,
        started=started(case, use),
        again=False,
        ended=last_given(ended[0]) if ended else None,
    )


@rule(
    "neurotoxicity",
    subjects=uses(topics.NEUROTOXICITY, roles=tuple(Role)),
    sources=("SAF22", "SAF23b", "M11"),
    worst=Level.WARNING,
)
def neurotoxicity(case: Case, use: Use) -> Outcome:
    """Neurological signs on a drug that damages the nervous system.

    It is asked of a drug that its source calls neurotoxic, while it is taken. Signs of the cerebellum, a seizure, an
    altered mental state or trouble of sight recorded since the start are a warning. A sign without a certain day
    counts one step lower, and so does any on cytarabine that is not known to be in high dose. In the days after the
    last one, which the policy counts, they are told as well; those after a low dose of cytarabine are not.

    Where the source gives no more of it for good after such signs, a new order is asked too: signs of the cerebellum on
    record at any time before are a warning. Whether an earlier dose was their cause is not read.

    A problem list that was not read whole is named as a gap where no sign was found. What kidney function means for
    high-dose cytarabine is another check, on the risk of neurotoxicity.
    """
    ended = tuple(order for order in just_given(case, use) if _how_high(case, use, order) is not Truth.NO)[:1]
    if not (use.taken or ended):
        return _for_good(case, use) or long_over(case, use)
    signs, doubts = signs_since_start(case, use, keys_of(case, "neurotoxicity"))
    if not signs:
        earlier = _for_good(case, use)
        return earlier if isinstance(earlier, Fired) else no_signs(case)
    doubts = (*doubts, *_low(case, use, ended))
    action = case.must(topics.NEUROTOXICITY, use.drug)
    return case.fired(
        Level.WARNING,
        "neurotoxicity",
        about=use.in_play or ended,
        deciding=use.taken or ended,
        drug=use.drug,
        says=(action,),
        doubts=doubts,
        signs=signs,
        action=action,
        started=started(case, use),
        before=False,
        high=False,
        ended=last_given(ended[0]) if ended else None,
    )


def _for_good(case: Case, use: Use) -> Outcome | None:
    """A new order where an earlier one may have left signs after which the source gives no more of the drug."""
    action = case.cite(topics.NEUROTOXICITY_FOR_GOOD, use.drug)
    if action is None:
        return None
    high = any_of(is_high(case, use.drug, order) for order in use.drafts)
    if high is Truth.NO:
        return None
    history = case.fact(HISTORY)
    signs = entries_of(history, keys_of(case, "neurotoxicity for good"))
    if not signs:
        return Clear("no such sign on record") if history.sure else case.blind(history, about=use.drafts)
    return case.fired(
        Level.WARNING,
        "neurotoxicity",
        about=use.in_play,
        drug=use.drug,
        says=(action,),
        doubts=(
            *(() if any(sign.certain for sign in signs) else signs[0].doubts),
            *(() if high is Truth.YES else (NOT_SURELY_HIGH,)),
        ),
        signs=signs,
        action=action,
        started=None,
        before=True,
        high=high is Truth.YES,
        ended=None,
    )


def _how_high(case: Case, use: Use, order: Medication) -> Truth:
    """Whether it is the dose of which the source speaks: for many drugs any is."""
    return Truth.YES if case.cite(topics.HIGH_DOSE_FROM, use.drug) is None else is_high(case, use.drug, order)


def _low(case: Case, use: Use, ended: tuple[Medication, ...]) -> tuple[str, ...]:
    """A doubt where only the high dose is dangerous, and the orders are not known to be of it."""
    if case.cite(topics.HIGH_DOSE_FROM, use.drug) is None:
        return ()
    match any_of(is_high(case, use.drug, order) for order in ended) if ended else high_dose(case, use):
        case Truth.YES:
            return ()
        case Truth.NO:
            return (NOT_HIGH,)
        case Truth.UNKNOWN:
            return (NOT_SURELY_HIGH,)
        case other:
            assert_never(other)


def _leaked_before(case: Case, use: Use) -> Outcome:
    """A new order after a course in which a capillary leak was recorded."""
    signs, doubts = signs_since_start(case, use, keys_of(case, "capillary leak, the diagnosis"), past=True)
    if not signs:
        return no_signs(case)
    action = case.must(topics.CAPILLARY_LEAK, use.drug)
    return case.fired(
        Level.WARNING,
        "capillary_leak",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(action,),
        doubts=doubts,
        signs=signs,
        action=action,
        started=started(case, use),
        again=True,
        ended=None,
    )


@rule("haemolysis", subjects=uses(topics.HAEMOLYSIS, roles=tuple(Role)), sources=("SAF23b",), worst=Level.WARNING)
def haemolysis(case: Case, use: Use) -> Outcome:
    """Haemolysis on treatment: on record, or falling haemoglobin with its markers.

    It is asked of a drug whose source warns of haemolysis, while it is taken. It warns where haemolysis is recorded
    since the start, or where haemoglobin fell by the limit of the policy and bilirubin or LDH is raised. Doubtful
    values, and an entry without a certain day, count one step lower.

    A bilirubin without its upper limit is weighed by a default, which the card says. What is missing or too old is
    named as a gap, as far as it could decide. Without an earlier haemoglobin there is no fall to speak of;
    transfusions and the antiglobulin test are not looked at.

    Before the drug is given again after an earlier course, what was recorded since that began counts, past entries
    included, and no value. In the days after the last one, which the policy counts, it is asked as on treatment.
    """
    ended = just_given(case, use)[:1]
    asked = bool(use.taken or ended)
    if not (asked or exposed(use)):
        return long_over(case, use)
    signs, doubts = signs_since_start(case, use, keys_of(case, "haemolysis"), past=not use.taken)
    if not asked and not signs:
        return no_signs(case)
    window = case.must(topics.LAB_WINDOW, "policy").value
    fall, upper = case.must(topics.HAEMOGLOBIN_FALL_FROM, "policy"), case.must(topics.HAEMOLYSIS_MARKER_ABOVE, "policy")
    newest = case.fact(HAEMOGLOBIN, window)
    highest = highest_before(newest, case.fact(HAEMOGLOBIN_SERIES), window)
    multiple, default = bilirubin_multiple(case, window)
    markers = (multiple, case.fact(LDH_ULN, window))
    raised = tuple(fact for fact in markers if above(fact, upper.value) is Truth.YES)
    fallen = _fell(newest, highest, fall.value)
    both = fallen & any_of(above(fact, upper.value) for fact in markers) if asked else Truth.NO
    if signs or both is Truth.YES:
        action = case.must(topics.HAEMOLYSIS, use.drug)
        return case.fired(
            Level.WARNING,
            "haemolysis",
            about=use.in_play or ended,
            deciding=use.taken or ended or doubtful(use.in_play),
            drug=use.drug,
            because=() if signs and not doubts else ((newest, *raised) if both is Truth.YES else ()),
            says=(action, *(() if signs else (fall, upper))),
            doubts=() if both is Truth.YES else doubts,
            signs=signs,
            newest=newest if both is Truth.YES else None,
            highest=highest if both is Truth.YES else None,
            raised=raised,
            again=not asked,
            ended=last_given(ended[0]) if ended else None,
            assumed=default if both is Truth.YES and multiple in raised else None,
            action=action,
        )
    if both is Truth.NO:
        return no_signs(case)
    return case.blind(case.fact(PROBLEMS), newest, *markers)


def _fell(newest: Fact[Quantity], highest: Fact[Quantity] | None, by: Quantity) -> Truth:
    """Whether haemoglobin fell so much; without an earlier value there is no fall to speak of."""
    if newest.value is None or newest.bound:
        return Truth.UNKNOWN
    if highest is None or highest.value is None:
        return Truth.NO if newest.sure else Truth.UNKNOWN
    if highest.value - newest.value >= by:
        return Truth.YES
    return Truth.NO if newest.sure else Truth.UNKNOWN
