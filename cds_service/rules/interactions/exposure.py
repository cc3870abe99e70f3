"""Exposure: what other drugs, drafted or taken, do to the level of ours. Both directions are one check.

One card for one drug and one hazard: the strongest partner names it, weaker ones are listed.
"""

from __future__ import annotations

from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.rules.interactions.partners import (
    MODERATE,
    STRONG,
    barred,
    benefits,
    dose_told,
    effects,
    fire,
    inducer_barred,
    none_met,
    orders_of,
    recently_ended,
    says,
    undo,
    with_cyp3a,
)
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.subjects import Met, Use, doubtful, of_other_drugs, uses


@rule(
    "contraindicated-pair",
    subjects=uses(topics.CONTRAINDICATED_WITH),
    sources=("SAF13a", "M5"),
    pairs=True,
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def contraindicated_pair(case: Case, use: Use) -> Outcome:
    """Drugs that the label forbids beside ours.

    Asked of a drug, ordered or taken, whose label names drugs that it forbids beside it. Critical when one of these is
    ordered or taken and reaches the blood; a warning where only another country's label forbids it, or the order is in
    doubt. Other inducers of CYP3A stand in the same card as a forbidden one.

    Where the label of this place has words of its own on inducers, no foreign list of them is borrowed, and the checks
    of inducers speak. Where none is found and the medication list is missing or was read in part, the card of gaps says
    so as a warning.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    found = barred(case, use)
    if not found:
        return none_met(case, use, "drug that the label here forbids")
    others = tuple({other.drug: other for each in found for other in each.others}.values())
    also = tuple(
        each
        for each in with_cyp3a(case, use, "strong inducer", "moderate inducer")
        if inducer_barred(case, use) and each not in others and case.effect(each.drug, "short-course") is None
    )
    why = tuple(case.must(topics.CONTRAINDICATED_WHY, use.drug, each.hazard) for each in found)
    return case.fired(
        Level.CRITICAL,
        "contraindicated_pair",
        about=orders_of(use, (*others, *also)),
        drug=use.drug,
        says=tuple(each.said for each in found),
        mentions=why,
        deciding=doubtful((*use.drafts, *use.active), tuple(order for other in others for order in other.orders)),
        propose=undo(others),
        waits=not use.taken,
        others=others,
        also=also,
        effects=effects(case, use, others, "cyp3a"),
        said=found[0].said,
        why=why,
        new=bool(use.drafts),
    )


@rule(
    "combined-inducer",
    subjects=uses(topics.COMBINED_INDUCER),
    sources=("SAF13a", "E10"),
    pairs=True,
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def combined_inducer(case: Case, use: Use) -> Outcome:
    """Combined P-gp and strong CYP3A inducers, which make the drug fail.

    Asked of a drug, ordered or taken, whose source advises against drugs that induce both P-gp and, strongly, CYP3A.
    Critical when one is ordered or taken; a warning where the advice is borrowed, where the effect of that drug was
    only recalled or is the policy's, or where the order is in doubt. Strong inducers of CYP3A alone are named in the
    same card.

    Where none is found and the medication list is missing or was read in part, the card of gaps says so as a warning.
    An inducer that ended lately has a check of its own.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    strong = with_cyp3a(case, use, "strong inducer")
    others = tuple(each for each in strong if says(case, each, "pgp") == "inducer")
    if not others:
        return none_met(case, use, "combined P-gp and strong CYP3A inducer")
    said = case.must(topics.COMBINED_INDUCER, use.drug)
    also = tuple(each for each in strong if each not in others)
    return fire(case, use, others, Level.CRITICAL, "combined_inducer", said, ("cyp3a", "pgp"), also=also)


@rule(
    "strong-cyp3a-inducer",
    subjects=uses(topics.STRONG_CYP3A_INDUCER),
    sources=("SAF13a", "E10"),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def strong_inducer(case: Case, use: Use) -> Outcome:
    """Strong CYP3A inducers; those that induce P-gp as well are another check where the label joins the two.

    Asked of a drug, ordered or taken, whose source warns of strong CYP3A inducers. A warning when one is ordered or
    taken and reaches the blood; one step lower where all of them are known only from orders in doubt. Where one is told
    as contraindicated or as a combined inducer, that card speaks for all.

    Where none is found and the medication list is missing or was read in part, the card of gaps says so as a warning.
    Dose and duration of the inducer are not weighed.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = with_cyp3a(case, use, "strong inducer")
    if inducer_barred(case, use):
        return Clear("told as contraindicated")
    joined = case.cite(topics.COMBINED_INDUCER, use.drug) is not None
    if joined and any(says(case, each, "pgp") == "inducer" for each in others):
        return Clear("told with the combined inducer")
    if not others:
        return none_met(case, use, "strong CYP3A inducer")
    said = case.must(topics.STRONG_CYP3A_INDUCER, use.drug)
    return fire(case, use, others, Level.WARNING, "inducer", said, ("cyp3a",))


@rule(
    "cyp3a-inducer",
    subjects=uses(topics.CYP3A_INDUCER),
    sources=("SAF40",),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def any_inducer(case: Case, use: Use) -> Outcome:
    """Strong and moderate CYP3A inducers, which lower exposure.

    Asked of a drug, ordered or taken, whose source warns of strong and moderate CYP3A inducers. A warning when one is
    ordered or taken and reaches the blood; one step lower where all of them are known only from orders in doubt.
    Inducers that matter only over weeks and are needed in between, such as a steroid, alone make a line.

    Where one is told as contraindicated, that card speaks. Where none is found and the medication list is missing or
    was read in part, the card of gaps says so as a warning.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    if inducer_barred(case, use):
        return Clear("told as contraindicated")
    others = with_cyp3a(case, use, "strong inducer", "moderate inducer")
    if not others:
        return none_met(case, use, "strong or moderate CYP3A inducer")
    said = case.must(topics.CYP3A_INDUCER, use.drug)
    lasting = tuple(each for each in others if case.effect(each.drug, "short-course") is None)
    if not lasting:
        return _short_course(case, use, others, said)
    also = tuple(each for each in others if each not in lasting)
    return fire(case, use, lasting, Level.WARNING, "inducer", said, ("cyp3a",), also=also)


def _short_course(case: Case, use: Use, others: tuple[Met, ...], said: Statement[str]) -> Outcome:
    """A line about inducers that matter only over weeks and are needed in between, such as a steroid."""
    words = tuple(case.effect(each.drug, "short-course") for each in others)
    return case.fired(
        Level.INFO,
        "short_inducer",
        about=orders_of(use, others),
        drug=use.drug,
        says=(said,),
        mentions=tuple(each for each in words if each is not None),
        line=True,
        others=others,
        short=words[0],
        benefits=benefits(case, others),
    )


@rule(
    "inducer-ended",
    subjects=uses(topics.COMBINED_INDUCER, topics.STRONG_CYP3A_INDUCER, topics.CYP3A_INDUCER),
    sources=("SAF13a", "M3"),
    worst=Level.INFO,
)
def inducer_ended(case: Case, use: Use) -> Outcome:
    """Strong CYP3A inducers that ended lately and may still lower exposure.

    Asked of a drug, ordered or taken, whose source warns of inducers. A line when a strong CYP3A inducer ended within
    the window of the policy, because its effect fades only slowly. Without a day of its end the day of its
    start counts, that it was to last until now, or that it may have been taken beside the drug. One on hold counts as
    ended, today where this call holds it.

    While a strong inducer is still taken, its own check speaks; moderate ones are not looked for. Where none is found
    and the medication list is missing or was read in part, the card of gaps says so as information.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    if with_cyp3a(case, use, "strong inducer"):
        return Clear("a strong inducer is still taken: told there")
    ended = recently_ended(case, use, "strong inducer")
    if not ended:
        return none_met(case, use, "strong CYP3A inducer that ended lately")
    fades = case.must(topics.INDUCTION_FADES, "policy")
    return case.fired(
        Level.INFO,
        "inducer_ended",
        about=(*use.drafts, *use.active, *ended),
        drug=use.drug,
        says=(fades,),
        deciding=doubtful((*use.drafts, *use.active), ended),
        line=True,
        stopped=ended[0],
        others=of_other_drugs(ended),
        fades=fades,
    )


@rule(
    "strong-cyp3a-inhibitor",
    subjects=uses(topics.STRONG_CYP3A_INHIBITOR),
    sources=("SAF11", "E11", "SAF38", "M4", "M5", "H4"),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def strong_inhibitor(case: Case, use: Use) -> Outcome:
    """Strong CYP3A inhibitors, which raise exposure; a line where the dose beside them is a check of its own.

    Asked of a drug, ordered or taken, whose source speaks of strong CYP3A inhibitors. A warning when one is ordered or
    taken and reaches the blood; one step lower where all of them are known only from orders in doubt. Which drug is
    strong is said by the label's own list, else by the common lists; a food that counts as strong is to be left out.

    A draft of the inhibitor may be taken back, but not where the source first keeps it. At the lowest dose of the label
    no lower one is advised. Where the source states a dose beside such a drug, the check of that dose speaks, and here
    is only a line once the dose is right. Where none is found and the medication list is missing or was read in part,
    the card of gaps says so as a warning.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = with_cyp3a(case, use, STRONG)
    if not others:
        return none_met(case, use, "strong CYP3A inhibitor")
    said = _said_of(case, use, others)
    if said is None:
        return Clear("the label names other strong inhibitors only")
    moderate = case.cite(topics.MODERATE_CYP3A_INHIBITOR, use.drug) is not None
    also = with_cyp3a(case, use, MODERATE) if moderate else ()
    dosed = _dosed(case, use, others)
    if dosed and dose_told(case, use):
        return Clear("told with the dose beside it")
    return fire(
        case,
        use,
        others,
        Level.INFO if dosed else Level.WARNING,
        "strong_inhibitor",
        said,
        ("cyp3a",),
        also=also,
        line=dosed,
        with_remedies=True,
    )


def _dosed(case: Case, use: Use, others: tuple[Met, ...]) -> bool:
    """Whether the source states a dose beside these strong inhibitors. For a food alone there is none."""
    stated = case.cite(topics.DOSE_BESIDE_INHIBITOR, use.drug, STRONG) is not None
    return stated and not all(other.precipitant.food for other in others)


def _settled(case: Case, use: Use) -> bool:
    """Whether the dose is the one stated beside the strong inhibitors, which then are a line."""
    return _dosed(case, use, with_cyp3a(case, use, STRONG)) and not dose_told(case, use)


def _said_of(case: Case, use: Use, others: tuple[Met, ...]) -> Statement[str] | None:
    """What is said of one of these by name, in this place; else of strong inhibitors in general."""
    general = case.cite(topics.STRONG_CYP3A_INHIBITOR, use.drug)
    named = (case.cite(topics.STRONG_CYP3A_INHIBITOR, use.drug, each.drug) for each in others)
    here = next((each for each in named if each is not None and not each.foreign), None)
    return here if here is not None else general


@rule(
    "moderate-cyp3a-inhibitor",
    subjects=uses(topics.MODERATE_CYP3A_INHIBITOR),
    sources=("SAF38", "M5", "E33b"),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def moderate_inhibitor(case: Case, use: Use) -> Outcome:
    """Moderate CYP3A inhibitors, where the label speaks of them.

    Asked of a drug, ordered or taken, whose source speaks of moderate CYP3A inhibitors. A warning when one is ordered
    or taken and reaches the blood; one step lower where all of them are known only from orders in doubt.

    It is silent while a strong inhibitor is surely on the list as well: the checks of strong inhibitors speak, until
    the dose is the one stated beside it. Where none is found and the medication list is missing or was read in part,
    the card of gaps says so as a warning.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    if any(not doubtful(other.orders) for other in with_cyp3a(case, use, STRONG)) and not _settled(case, use):
        return Clear("told with the strong inhibitor")
    others = with_cyp3a(case, use, MODERATE)
    if not others:
        return none_met(case, use, "moderate CYP3A inhibitor")
    said = case.must(topics.MODERATE_CYP3A_INHIBITOR, use.drug)
    return fire(case, use, others, Level.WARNING, "moderate_inhibitor", said, ("cyp3a",))
