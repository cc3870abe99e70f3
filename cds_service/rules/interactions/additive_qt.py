"""Interactions by effect rather than level: drugs whose effect is lost, and those that add to the QT effect."""

from __future__ import annotations

from typing import Any, assert_never

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.entries import HISTORY
from cds_service.facts.fact import Fact, below
from cds_service.facts.values.ecg import ECGS, QTC
from cds_service.facts.values.labs import MAGNESIUM, POTASSIUM
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Topic
from cds_service.rules.heart.ecg import REPEAT_ECG, current_qtc, over
from cds_service.rules.interactions.ceilings import replaced_now
from cds_service.rules.interactions.partners import (
    benefits,
    fire,
    lasts_on,
    long_acting,
    none_met,
    orders_of,
    says,
    undo,
)
from cds_service.rules.rule import Case, NotApplicable, Outcome, only_if_weak, rule
from cds_service.rules.subjects import Met, Use, doubtful, last_first, met, over_or_held, uses
from cds_service.rules.treatment import baseline
from cds_service.truth import Truth


@rule("5ht2b-sigma", subjects=uses(topics.TARGET_5HT2B_SIGMA), sources=("SAF13b", "E10"), worst=Level.WARNING)
def serotonin_and_sigma(case: Case, use: Use) -> Outcome:
    """Drugs acting on 5-HT2B or the sigma receptor, whose effect may be lost.

    Asked of a drug, ordered or taken, whose source says that drugs acting on these receptors may lose their effect
    beside it. A warning when one that the source names is ordered or taken; one step lower where it is known only from
    orders in doubt. The card offers to take back a draft of it.

    Where none is found and the medication list is missing or was read in part, the card of gaps says so as information.
    A drug that acts on these receptors and is named by no source read here is not known.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = met(case, use, "target-5ht2b-sigma")
    if not others:
        return none_met(case, use, "drug acting on 5-HT2B or sigma")
    said = case.must(topics.TARGET_5HT2B_SIGMA, use.drug)
    return fire(case, use, others, Level.WARNING, "serotonin_sigma", said, ("target-5ht2b-sigma",))


@rule("additive-qt", subjects=uses(topics.ADDITIVE_QT), sources=("SAF14", "SAF18", "E02", "H4"), worst=Level.WARNING)
def additive_qt(case: Case, use: Use) -> Outcome:
    """A second drug that prolongs the QT interval.

    Asked of a drug, ordered or taken, that prolongs the QT interval, beside another that does, or that its label names
    as doing so. With room to spare it is a line; a warning when the other is an antiarrhythmic or an arrhythmia is on
    record. It is a warning, too, when the QTc or its rise passes the limits of the policy, or when potassium or
    magnesium is low, or one of these not known. The card offers to take back a draft of the other, but not of one that
    treats what cannot wait.

    Beside an order of the drug, one that stays in the body for long, such as amiodarone, counts after its end as well,
    within the window of the policy. So does one on hold. The card says so.

    Of two drugs that both have this check one card speaks, that of the draft. A medication list that is missing or read
    in part, with none found, goes to the card of gaps; a missing problem list is told by the checks of the history.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    others = tuple(each for each in met(case, use, "qt") if says(case, each, "qt").startswith("prolongs"))
    by_name = _named_partners(case, use, others)
    ended = _acting_on(case, use)
    lasting = tuple(each for one in ended for each in long_acting(case, one.orders))
    others = _told_here(case, use, others) + by_name
    taken = tuple(each.drug for each in others)
    others += ended
    if not others:
        return none_met(case, use, "other QT-prolonging drug")
    said = case.must(topics.ADDITIVE_QT, use.drug)
    no_room = _no_room(case, use)
    defaults = (case.must(topics.ADDITIVE_QT_WARN_ABOVE, "policy"),) if no_room else ()
    weak = tuple(statement for each in others for statement in only_if_weak(case.effect(each.drug, "qt")))
    antiarrhythmics = tuple(each for each in others if each.precipitant.antiarrhythmic)
    reasons = no_room + tuple(f"{each.drug} is an antiarrhythmic" for each in antiarrhythmics)
    naming = tuple(each for each in (case.cite(topics.QT_NAMED_PARTNERS, use.drug),) if each is not None and by_name)
    acts_on, mentioned = ((), lasting) if taken else (lasting, ())
    theirs = tuple(order for each in (others if no_room else antiarrhythmics) for order in each.orders)
    if not reasons:
        return case.fired(
            Level.INFO,
            "additive_qt",
            about=orders_of(use, others),
            drug=use.drug,
            says=(said, *acts_on),
            mentions=(*naming, *mentioned),
            line=True,
            others=others,
            taken=taken,
            ended=tuple(order for each in ended for order in each.orders),
            acts_on=lasting,
            named=[each.drug for each in by_name],
            said=said,
            reasons=(),
            lasting=False,
            counts=None,
            qtc=case.fact(QTC),
        )
    return case.fired(
        Level.WARNING,
        "additive_qt",
        about=orders_of(use, others),
        drug=use.drug,
        says=(said, *weak, *defaults, *acts_on),
        mentions=(*naming, *mentioned),
        deciding=doubtful((*use.drafts, *use.active), theirs),
        propose=(*undo(others), REPEAT_ECG),
        others=others,
        taken=taken,
        ended=tuple(order for each in ended for order in each.orders),
        acts_on=lasting,
        named=[each.drug for each in by_name],
        said=said,
        reasons=reasons,
        lasting=bool(antiarrhythmics),
        counts=case.must(topics.LONG_ACTING_COUNTS, "policy"),
        benefits=benefits(case, tuple(each for each in others if each.precipitant.keep)),
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


def _acting_on(case: Case, use: Use) -> tuple[Met, ...]:
    """Drugs that prolong the QT interval and stay in the body for long, ended or on hold, beside an order of ours.

    Of several orders of one drug the last to end speaks; one in whose place another is drafted ends with this call.
    """
    if not use.drafts:
        return ()
    still = {other.drug for other in met(case, use, "qt")}
    found: dict[str, Met] = {}
    for order in last_first((*over_or_held(case), *replaced_now(case)), case.now):
        for drug in order.ingredients:
            known = case.snapshot.precipitants.get(drug)
            if known is None or drug in still or drug in found or order.route not in known.routes:
                continue
            effect = case.effect(drug, "qt")
            if effect is not None and effect.value.startswith("prolongs") and lasts_on(case, order):
                found[drug] = Met(drug, known, (order,))
    return tuple(found.values())


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
            if order.route in precipitant.routes:
                found.setdefault(drug, []).append(order)
    return tuple(Met(drug, case.snapshot.precipitants[drug], tuple(orders)) for drug, orders in found.items())


def _no_room(case: Case, use: Use) -> tuple[str, ...]:
    """Why a second QT drug needs more than a line: arrhythmia on record, QTc or electrolytes not as they should be."""
    serious = case.must(topics.QT_HISTORY_WARNS_WITH, "policy")
    past = (entry for entry in case.fact(HISTORY).value or () if set(serious.value) & set(entry.keys))
    reasons = [f"{entry.words} on record ({entry.when or 'no date'})" for entry in past]
    limit = case.must(topics.ADDITIVE_QT_WARN_ABOVE, "policy").value
    too_long, qtc = over(case, current_qtc(case, use), limit)
    if qtc.value is not None and too_long is Truth.YES:
        reasons.append(f"QTc {qtc.value.bound}{qtc.value.qtc} is above {limit}")
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
                reasons.append(f"{key.label} is low ({fact.told})")
            case Truth.UNKNOWN:
                reasons.append(f"{key.label}: {fact.why or 'not known'}")
            case Truth.NO:
                pass
            case other:
                assert_never(other)
    return tuple(reasons)
