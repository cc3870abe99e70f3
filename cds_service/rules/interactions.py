"""Interactions: what other drugs, drafted or taken, do to one of ours. Both directions are one check."""

from __future__ import annotations

from typing import Any

from cds_service.facts.ecg import ECGS, QTC
from cds_service.facts.fact import Fact, below
from cds_service.facts.labs import MAGNESIUM, POTASSIUM
from cds_service.facts.medications import MEDICATIONS, Medication, Role
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Topic
from cds_service.rules.heart import REPEAT_ECG, current_qtc, over
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, only_if_weak, rule
from cds_service.rules.subjects import Met, Use, doubtful, met, uses
from cds_service.rules.treatment import baseline
from cds_service.truth import Truth


def with_cyp3a(case: Case, use: Use, *strengths: str) -> tuple[Met, ...]:
    """The drugs met whose effect on CYP3A is one of these."""
    return tuple(other for other in met(case, use, "cyp3a") if _says(case, other, "cyp3a") in strengths)


def _says(case: Case, other: Met, kind: str) -> str:
    statement = case.effect(other.drug, kind)
    return statement.value if statement is not None else ""


def _orders(use: Use, others: tuple[Met, ...]) -> tuple[Medication, ...]:
    return (*use.drafts, *use.active, *(order for other in others for order in other.orders))


def _none(case: Case, use: Use, what: str) -> Outcome:
    """Clear when the medication list was read completely; else the check could not be made."""
    medications = case.fact(MEDICATIONS)
    if medications.sure:
        return Clear(f"no {what} among the {case.chart.medications.read} orders read")
    return case.blind(medications, about=use.in_play)


def _fire(
    case: Case,
    use: Use,
    others: tuple[Met, ...],
    level: Level,
    card: str,
    said: Statement[Any],
    kinds: tuple[str, ...],
) -> Outcome:
    weak = {other.drug: only_if_weak(*(case.effect(other.drug, kind) for kind in kinds)) for other in others}
    surest = max(others, key=lambda other: (not doubtful(other.orders), -len(weak[other.drug])))
    return case.fired(
        level,
        card,
        about=_orders(use, others),
        drug=use.drug,
        says=(said, *weak[surest.drug]),
        mentions=tuple(each for some in weak.values() for each in some),
        deciding=doubtful((*use.drafts, *use.active), surest.orders),
        propose=_undo(others),
        others=others,
        said=said,
        new=bool(use.drafts),
    )


def _undo(others: tuple[Met, ...]) -> tuple[Proposal, ...]:
    """Every drafted precipitant may be taken back."""
    return tuple(
        Proposal("delete", f"Remove the {other.drug} draft", medication=order)
        for other in others
        for order in other.orders
        if order.role.value == "draft"
    )


@rule(
    "strong-cyp3a-inhibitor",
    subjects=uses(topics.STRONG_CYP3A_INHIBITOR),
    sources=("SAF11", "E11"),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def strong_inhibitor(case: Case, use: Use) -> Outcome:
    """Strong CYP3A inhibitors, which raise exposure."""
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = with_cyp3a(case, use, "strong inhibitor")
    if not others:
        return _none(case, use, "strong CYP3A inhibitor")
    said = case.must(topics.STRONG_CYP3A_INHIBITOR, use.drug)
    return _fire(case, use, others, Level.WARNING, "strong_inhibitor", said, ("cyp3a",))


@rule(
    "combined-inducer",
    subjects=uses(topics.COMBINED_INDUCER),
    sources=("SAF13a", "E10"),
    pairs=True,
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def combined_inducer(case: Case, use: Use) -> Outcome:
    """Combined P-gp and strong CYP3A inducers, which make the drug fail."""
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = tuple(each for each in with_cyp3a(case, use, "strong inducer") if _says(case, each, "pgp") == "inducer")
    if not others:
        return _none(case, use, "combined P-gp and strong CYP3A inducer")
    said = case.must(topics.COMBINED_INDUCER, use.drug)
    return _fire(case, use, others, Level.CRITICAL, "combined_inducer", said, ("cyp3a", "pgp"))


@rule(
    "strong-cyp3a-inducer",
    subjects=uses(topics.STRONG_CYP3A_INDUCER),
    sources=("SAF13a", "E10"),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def strong_inducer(case: Case, use: Use) -> Outcome:
    """Strong CYP3A inducers that do not induce P-gp as well."""
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = tuple(each for each in with_cyp3a(case, use, "strong inducer") if _says(case, each, "pgp") != "inducer")
    if not others:
        return _none(case, use, "strong CYP3A inducer without P-gp induction")
    said = case.must(topics.STRONG_CYP3A_INDUCER, use.drug)
    return _fire(case, use, others, Level.WARNING, "inducer", said, ("cyp3a",))


@rule(
    "cyp3a-inducer",
    subjects=uses(topics.CYP3A_INDUCER),
    sources=("SAF40",),
    pairs=True,
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def any_inducer(case: Case, use: Use) -> Outcome:
    """Strong and moderate CYP3A inducers, which lower exposure."""
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = with_cyp3a(case, use, "strong inducer", "moderate inducer")
    if not others:
        return _none(case, use, "strong or moderate CYP3A inducer")
    said = case.must(topics.CYP3A_INDUCER, use.drug)
    return _fire(case, use, others, Level.WARNING, "inducer", said, ("cyp3a",))


@rule("5ht2b-sigma", subjects=uses(topics.TARGET_5HT2B_SIGMA), sources=("SAF13b", "E10"), worst=Level.WARNING)
def serotonin_and_sigma(case: Case, use: Use) -> Outcome:
    """Drugs acting on 5-HT2B or the sigma receptor, whose effect may be lost."""
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = met(case, use, "target-5ht2b-sigma")
    if not others:
        return _none(case, use, "drug acting on 5-HT2B or sigma")
    said = case.must(topics.TARGET_5HT2B_SIGMA, use.drug)
    return _fire(case, use, others, Level.WARNING, "serotonin_sigma", said, ("target-5ht2b-sigma",))


@rule("additive-qt", subjects=uses(topics.ADDITIVE_QT), sources=("SAF14",), worst=Level.WARNING)
def additive_qt(case: Case, use: Use) -> Outcome:
    """A second drug that prolongs the QT interval.

    A line in the order's card; a warning when the heart or its electrolytes leave no room, or are not known.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = tuple(each for each in met(case, use, "qt") if _says(case, each, "qt").startswith("prolongs"))
    others = _told_here(case, use, others) + _named_partners(case, use, others)
    if not others:
        return _none(case, use, "other QT-prolonging drug")
    said = case.must(topics.ADDITIVE_QT, use.drug)
    no_room = _no_room(case, use)
    defaults = (case.must(topics.ADDITIVE_QT_WARN_ABOVE, "policy"),) if no_room else ()
    weak = tuple(statement for each in others for statement in only_if_weak(case.effect(each.drug, "qt")))
    antiarrhythmics = tuple(each for each in others if each.precipitant.antiarrhythmic)
    reasons = no_room + tuple(f"{each.drug} is an antiarrhythmic" for each in antiarrhythmics)
    theirs = tuple(order for each in (others if no_room else antiarrhythmics) for order in each.orders)
    if not reasons:
        return case.fired(
            Level.INFO,
            "additive_qt",
            about=_orders(use, others),
            drug=use.drug,
            says=(said,),
            line=True,
            others=others,
            said=said,
            reasons=(),
            qtc=case.fact(QTC),
        )
    return case.fired(
        Level.WARNING,
        "additive_qt",
        about=_orders(use, others),
        drug=use.drug,
        says=(said, *weak, *defaults),
        deciding=doubtful((*use.drafts, *use.active), theirs),
        propose=(*_undo(others), REPEAT_ECG),
        others=others,
        said=said,
        reasons=reasons,
        qtc=case.fact(QTC),
    )


def _told_here(case: Case, use: Use, others: tuple[Met, ...]) -> tuple[Met, ...]:
    """Of two drugs of ours that both prolong the QT interval one card speaks: that of the draft, else of the first."""

    def told_there(other: Met) -> bool:
        if not case.snapshot.qualifiers(topics.ADDITIVE_QT, other.drug):
            return False
        drafted = any(order.role is Role.DRAFT for order in other.orders)
        return drafted if drafted is not bool(use.drafts) else other.drug < use.drug

    return tuple(each for each in others if not told_there(each))


def _named_partners(case: Case, use: Use, others: tuple[Met, ...]) -> tuple[Met, ...]:
    """The drugs that this drug's own text names as prolonging the QT interval, where no list says so of them."""
    named = case.cite(topics.QT_NAMED_PARTNERS, use.drug)
    if named is None or named.foreign:
        return ()
    known = {each.drug for each in others}
    found: dict[str, list[Medication]] = {}
    for order in case.orders(Role.DRAFT, Role.ACTIVE):
        for drug in order.ingredients:
            precipitant = case.snapshot.precipitants.get(drug)
            if drug in known or drug not in named.value or precipitant is None:
                continue
            if order.route in ("", *precipitant.routes):
                found.setdefault(drug, []).append(order)
    return tuple(Met(drug, case.snapshot.precipitants[drug], tuple(orders)) for drug, orders in found.items())


def _no_room(case: Case, use: Use) -> tuple[str, ...]:
    """Why a second QT drug needs more than a line: QTc high, risen or unknown; electrolytes low or unknown."""
    reasons: list[str] = []
    limit = case.must(topics.ADDITIVE_QT_WARN_ABOVE, "policy").value
    too_long, qtc = over(case, current_qtc(case, use), limit)
    if qtc.value is not None and too_long is Truth.YES:
        reasons.append(f"QTc {qtc.value.qtc} is above {limit}")
    if not qtc.sure:
        reasons.append(f"QTc: {qtc.why or ', '.join(qtc.doubts) or 'not known'}")
    base = baseline(case, use, case.fact(ECGS))
    rise = case.must(topics.ADDITIVE_QT_RISE_ABOVE, "policy")
    if base and qtc.value and qtc.value.formula is base.formula and qtc.value.qtc > base.qtc + rise.value:
        reasons.append(f"QTc rose by {qtc.value.qtc - base.qtc}")
    window = case.must(
        topics.ELECTROLYTE_WINDOW_AT_START if use.is_new else topics.ELECTROLYTE_WINDOW_ON_TREATMENT, "policy"
    ).value
    limits: tuple[tuple[Any, Topic[Any]], ...] = (
        (POTASSIUM, topics.POTASSIUM_LOW_BELOW),
        (MAGNESIUM, topics.MAGNESIUM_LOW_BELOW),
    )
    for key, topic in limits:
        fact: Fact[Any] = case.fact(key, window)
        match below(fact, case.must(topic, "policy").value):
            case Truth.YES:
                reasons.append(f"{key.label} is low ({fact.value})")
            case Truth.UNKNOWN:
                reasons.append(f"{key.label}: {fact.why or 'not known'}")
            case Truth.NO:
                pass
    return tuple(reasons)
