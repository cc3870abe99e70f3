"""Options at relapse: what can be done, each option with its conditions, its evidence and its own safety findings.

Nothing is ranked by figures; what a source puts before another is said in words.
Unfitness removes intensive regimens and nothing else. What is not known leaves an option open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.entries import PROBLEMS, Entry
from cds_service.facts.fact import Fact, below
from cds_service.facts.times import When
from cds_service.facts.values.labs import MARROW_BLASTS
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.knowledge.options import Group, Option, Status
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.therapies import Kind
from cds_service.rules.relapse.conditions import after_allogeneic, needs, target_shown
from cds_service.rules.relapse.fitness import Assessment, Fitness, assess
from cds_service.rules.relapse.offers import Offer, Safety, Verdict, safety, unseen_together
from cds_service.rules.rule import Case, Finding, NotApplicable, Outcome, Rule, rule
from cds_service.rules.standing import counts_now, gate
from cds_service.rules.subjects import the_patient
from cds_service.truth import Truth

# Checks that ask what the conditions of an option have settled already.
SETTLED = frozenset({"target", "alone-in-relapse", "off-label-relapse", "aml-on-record", "relapse-on-drug"})
# Checks of how an order is written: there is none yet.
OF_THE_ORDER = frozenset({"route", "dose-frequency", "dose-under-label", "oral-form", "also-active"})
RULES_SPOKEN_FOR = (
    *("D02", "D05", "D06", "D10", "D14", "D15", "D17", "D20", "D21", "D22", "D23", "D24", "D25", "D26", "D27", "D28"),
    *("D29", "D30", "D31", "D40", "D41", "D42", "D43", "D44", "D45", "D46", "D47", "D48", "D49", "D50", "D51"),
    *("D52", "D53", "D60", "D61", "D62", "D63", "D64", "D65", "D66", "D67", "D68", "D69", "D70", "D80", "D81", "D82"),
    *("D83", "E03", "E04", "E05", "E06", "E07", "E08", "E13", "E26", "E27", "E28", "E29", "E30", "E35", "E37", "E38"),
    *("E39", "E40", "E42", "E45", "E48", "E49", "E50", "E51", "E56", "E58", "E60", "G2", "gap-3", "G7", "G8", "T2"),
    *("T3", "T9", "H6", "I5", "M12", "D11"),
)


# What the checks say of a drug, were it ordered now; and whether in high dose.
Safe = Callable[[str, bool], Safety]


def options_over(checks: Iterable[Rule[Any]]) -> Rule[str]:
    """The rule that tells the options; `checks` are asked about each drug before it is offered."""
    left_out = SETTLED | OF_THE_ORDER
    asked = tuple(
        check
        for check in checks
        if check.subjects is not the_patient and check.id not in left_out and may_warn(check)
    )

    @rule("options-at-relapse", subjects=the_patient, sources=RULES_SPOKEN_FOR, worst=Level.INFO, viewing=True)
    def options_at_relapse(case: Case, patient: str) -> Outcome:
        """At relapse, what can be done.

        It is asked where the patient is viewed, for an adult with relapsed or refractory AML that is not yet treated.
        One card of information lists what the sources describe, by kind: offered, offered with cautions, open,
        or excluded, each with its reason. Drugs for a target whose phase III trial met its endpoint stand first, which
        ranks nothing: nobody compared them. That gilteritinib comes before intensive chemotherapy outside a trial is
        said where both are offered. Markers, fitness, age, earlier treatment and transplantation decide, and no record
        never means no.

        Every drug of an option also runs through the checks of an order: what would be critical excludes it, and what
        would hold it, or cannot be seen, leaves it open. It is silent with acute promyelocytic leukaemia, in a child,
        after death and while orders are being written; doses, trials and wishes are not looked at. An unknown state of
        the AML or an unknown age is named as a gap.
        """
        closed = gate(case)
        if closed is not None:
            return closed
        if case.orders(Role.DRAFT):
            return NotApplicable("orders are being written: the options stand where the patient is viewed")
        return _told(case, cache(lambda drug, high_dose: _safety(case, drug, asked, high_dose=high_dose)))

    return options_at_relapse


def may_warn(check: Rule[Any]) -> bool:
    """Whether it may stop a drug, hold it or warn of it: of what only informs, no option is told."""
    return check.worst > Level.INFO


def _safety(case: Case, drug: str, checks: tuple[Rule[Any], ...], *, high_dose: bool) -> Safety:
    found = safety(drug, checks, case.chart, case.snapshot, case.shared, high_dose=high_dose)
    for finding in (*found.stops, *found.held, *found.cautions):
        case.leans_on(finding)
    return found


def _told(case: Case, safe: Safe) -> Outcome:
    fitness = assess(case)
    offers = [(option, _offer(case, option, fitness, safe)) for option in _by_name(case.snapshot)]
    kept = [offer for _, offer in offers if offer is not None]
    intensive, targeted = case.must(topics.INTENSIVE_SALVAGE, "pathway"), case.must(topics.TARGETED_FIRST, "pathway")
    supportive, in_trial = case.must(topics.SUPPORTIVE_CARE, "pathway"), case.must(topics.TRIAL_ONLY, "pathway")
    not_suggested = case.must(topics.NOT_SUGGESTED, "pathway")
    trial = case.must(topics.TRIAL_FIRST, "pathway")
    shown = [offer for offer in kept if _is_shown(offer)]
    told = [option for option, offer in offers if offer is not None and _is_shown(offer)]
    before = tuple(_before_intensive(case, offers))
    return case.fired(
        Level.INFO,
        "options",
        drug="options",
        says=(trial, intensive, targeted, supportive, in_trial, not_suggested),
        mentions=(
            *(said for option in told for said in _told_of(case, option)),
            *before,
            case.must(topics.FITNESS, "policy"),
        ),
        standing=[o.id for o, offer in offers if o.group is Group.TARGETED and offer is not None and _is_shown(offer)],
        groups=tuple(together for group in Group if (together := _group(group, shown)) is not None),
        open=_together(offer for offer in kept if offer.bare and offer.verdict is Verdict.DEPENDS),
        open_groups=tuple(dict.fromkeys(offer.group for offer in kept if offer.verdict is Verdict.DEPENDS)),
        excluded=_together(offer for offer in kept if offer.verdict is Verdict.EXCLUDED),
        aimed=tuple(_with_status(offer) for offer in shown if offer.aimed),
        unread=any(offer.unread for offer in shown),
        refractory=case.fact(DISEASE).value is Disease.REFRACTORY,
        offered=sum(offer.verdict in _OPEN_NOW for offer in kept),
        dependent=sum(offer.verdict is Verdict.DEPENDS and not offer.held for offer in kept),
        held=sum(bool(offer.held) for offer in kept),
        fitness=fitness.verdict,
        reasons="" if fitness.verdict is Fitness.FIT else fitness.reasons,
        fit=fitness.verdict is Fitness.FIT,
        intensive=intensive,
        targeted_first=targeted,
        before_intensive=before,
        supportive=supportive,
        trial_only=in_trial,
        not_suggested=not_suggested,
    )


def _before_intensive(case: Case, offers: Iterable[tuple[Option, Offer | None]]) -> Iterator[Statement[str]]:
    """What says that a drug for a target comes before intensive chemotherapy: where both are offered, and it is
    approved for that in this place and did not fail before.
    """
    ready = [(option, offer) for option, offer in offers if offer is not None and offer.verdict in _OPEN_NOW]
    if not any(option.group is Group.INTENSIVE for option, _ in ready):
        return
    for option, offer in ready:
        said = case.cite(topics.OPTION_BEFORE_INTENSIVE, option.about) if offer.aimed and not offer.failed else None
        status = case.cite(topics.OPTION_STATUS, option.about)
        here = status is not None and not status.foreign and status.value.kind is Kind.APPROVED_RR
        if said is not None and not said.foreign and here:
            yield said


_OPEN_NOW = (Verdict.OFFERED, Verdict.CAUTIONS)


def _is_shown(offer: Offer) -> bool:
    """Whether it stands in its group with all that is said of it, its status here included."""
    return not offer.bare and offer.verdict is not Verdict.EXCLUDED


OFF_LABEL = "off-label here"


def _with_status(offer: Offer) -> str:
    """The name, and that it is held at the values of now, failed before, not approved here, or of unread approval."""
    if offer.held:
        return f"{offer.name} (held)"
    if offer.failed:
        return f"{offer.name} (given before)"
    if offer.unread:
        return f"{offer.name} (approval?)"
    return f"{offer.name} (off-label)" if OFF_LABEL in offer.cautions else offer.name


def _group(group: Group, shown: Iterable[Offer]) -> tuple[str, str, tuple[Offer, ...]] | None:
    """The options of a group; the status that all of them share is said once."""
    name = group.value
    own = tuple([offer for offer in shown if offer.group == name])
    statuses = {offer.status for offer in own}
    if len(own) > 1 and len(statuses) == 1:
        return name, statuses.pop(), tuple([offer.without_status() for offer in own])
    return (name, "", own) if own else None


def _by_name(snapshot: Snapshot) -> tuple[Option, ...]:
    """Every option, those of phase III first; sorted once for this knowledge."""
    kept: tuple[Option, ...] | None = snapshot.kept.get(_by_name)
    if kept is None:
        every = snapshot.options.values()
        kept = tuple(sorted(every, key=lambda option: (not option.phase_three, option.name.lower())))
        snapshot.kept[_by_name] = kept
    return kept


def _together(offers: Iterable[Offer]) -> tuple[tuple[str, tuple[str | Finding, ...]], ...]:
    """The options that stand open, or out, for the same reason: their names together, once."""
    reasons: dict[str, tuple[list[str], tuple[str | Finding, ...]]] = {}
    for offer in offers:
        same = "; ".join(why if isinstance(why, str) else f"{why.card} {why.drug}" for why in offer.why)
        reasons.setdefault(same, ([], offer.why))[0].append(offer.name)
    return tuple(("; ".join(names), why) for names, why in reasons.values())


def _offer(case: Case, option: Option, fitness: Assessment, safe: Safe) -> Offer | None:
    """The option for this patient; None where it is no matter here, as after a transplantation that never was."""
    found = needs(case, option, fitness)
    against = tuple(need.words for need in found if need.truth is Truth.NO)
    if against:
        if option.after_allogeneic and after_allogeneic(case).truth is Truth.NO:
            return None
        return Offer(option.name, option.group.value, Verdict.EXCLUDED, against, bare=True)
    missing = [need for need in found if need.truth is Truth.UNKNOWN]
    if any(not need.judged for need in missing):
        return Offer(option.name, option.group.value, Verdict.DEPENDS, tuple(n.words for n in missing), bare=True)
    status, off_label = _status(case, option)
    cautions: list[str | Finding] = [need.words for need in found if need.truth is Truth.YES and need.words]
    cautions += [*_cautions(case, option, fitness), *off_label]
    checked = [safe(drug, drug == option.high_dose) for drug in option.drugs if drug in case.snapshot.drugs]
    stops = [stop for each in checked for stop in each.stops]
    held = tuple(finding for each in checked for finding in each.held)
    if stops:
        return Offer(option.name, option.group.value, Verdict.EXCLUDED, (*stops, *held), bare=True)
    warnings = [caution for each in checked for caution in each.cautions]
    depends = [*(need.words for need in missing), *unseen_together(checked)]
    verdict = Verdict.DEPENDS if depends or held else Verdict.OFFERED
    if verdict is Verdict.OFFERED and (cautions or warnings):
        verdict = Verdict.CAUTIONS
    return Offer(
        option.name,
        option.group.value,
        verdict,
        tuple(depends),
        held,
        (*cautions, *warnings),
        status,
        _evidence(case, option),
        aimed=option.group is Group.TARGETED and target_shown(case, option) and not _came_on(case, option.drugs[:1]),
        failed=any(order.progressed and set(option.drugs) & set(order.ingredients) for order in case.orders(Role.PAST)),
        unread=_unread(case.cite(topics.OPTION_STATUS, option.about)),
    )


def _status(case: Case, option: Option) -> tuple[str, tuple[str, ...]]:
    """Where it stands in this place, and a caution where that is no established use in relapsed or refractory AML."""
    return _status_said(case.cite(topics.OPTION_STATUS, option.about))


def _told_of(case: Case, option: Option) -> Iterator[Statement[Any]]:
    """What is told of an option in the words of a source: its status here, its caution and its evidence."""
    for topic in (topics.OPTION_STATUS, topics.OPTION_CAUTION, topics.OPTION_EVIDENCE):
        said: Statement[Any] | None = case.cite(topic, option.about)
        if said is not None and not said.foreign:
            yield said


def _unread(status: Statement[Status] | None) -> bool:
    return status is None or bool(status.foreign)


@lru_cache(maxsize=1_024)  # of the knowledge
def _status_said(status: Statement[Status] | None) -> tuple[str, tuple[str, ...]]:
    if status is None or status.foreign:
        where = f" ({status.foreign}: {status.value})" if status is not None else ""
        return f"not read{where}", ()
    established = status.value.kind in (Kind.APPROVED_RR, Kind.OFF_LABEL_PRACTICE)
    return str(status.value), () if established else (OFF_LABEL,)


def _evidence(case: Case, option: Option) -> str:
    evidence = case.cite(topics.OPTION_EVIDENCE, option.about)
    return "" if evidence is None else _evidence_said(evidence)


@lru_cache(maxsize=1_024)  # of the knowledge
def _evidence_said(evidence: Statement[str]) -> str:
    return f"{evidence.value} ({'; '.join(dict.fromkeys(each.reference.short for each in evidence.sources))})"


def _cautions(case: Case, option: Option, fitness: Assessment) -> list[str | Finding]:
    """What is always said with it, and what the record adds."""
    found: list[str | Finding] = []
    caution = case.cite(topics.OPTION_CAUTION, option.about)
    if caution is not None and not caution.foreign:
        found.append(caution.value)
    if option.transplants or option.donor_lymphocytes:
        gvhd = next((e for e in case.fact(PROBLEMS).value or () if "gvhd" in e.keys), None)
        beside = "for the donor lymphocytes: " if option.drugs else ""
        found += [f"{beside}{gvhd.words} on record ({gvhd.when or 'no date'})"] if gvhd is not None else []
    if option.transplants and fitness.verdict is Fitness.UNFIT:
        found.append(case.must(topics.TRANSPLANT_UNFIT, "pathway").value)
    better = case.cite(topics.OPTION_BETTER_BELOW, option.about)
    blasts = case.fact(MARROW_BLASTS)
    of_now = better is not None and counts_now(case, blasts) is Truth.YES
    if better is not None and of_now and below(blasts, better.value) is Truth.YES:
        found.append(f"marrow blasts {blasts.told} ({blasts.when}): below {better.value} the outlook was better")
    if option.group is Group.TARGETED:
        given = [order for order in case.orders(*_EVER) if option.drugs[0] in order.ingredients]
        said = case.cite(topics.RELAPSE_ON_DRUG, option.drugs[0]) if given else None
        found += [_earlier(option.drugs[0], given[0])] if given else []
        found += [_relapsed_on(drug, case.fact(RELAPSE)) for drug in _came_on(case, option.drugs[:1])]
        found += [said.value] if said is not None else []
        found += _on_its_like(case, option)
    elif option.group is not Group.INTENSIVE:
        ran = _came_on(case, option.drugs)
        found += [_relapsed_on(" and ".join(ran), case.fact(RELAPSE))] if ran else []
    return found


_EVER = (Role.ACTIVE, Role.ON_HOLD, Role.PAST)


def _came_on(case: Case, drugs: Iterable[str]) -> list[str]:
    """Those of the drugs on which the relapse came: no target speaks for giving one of them again."""
    ever, relapse = case.orders(*_EVER), case.fact(RELAPSE)
    return [drug for drug in drugs if _on_it([order for order in ever if drug in order.ingredients], relapse)]


def _on_it(given: Iterable[Medication], relapse: Fact[Entry]) -> bool:
    """Whether an order of the drug surely ran when the relapse came; begun on that day it was begun because of it."""
    return relapse.when is not None and any(
        order.start is not None
        and order.start.latest.date() < relapse.when.earliest.date()
        and (order.role is not Role.PAST or _until(order, relapse.when))
        for order in given
    )


def _on_its_like(case: Case, option: Option) -> Iterator[str]:
    """That another drug for the same marker was given, after which the sources ask for a test of resistance."""
    targeted = (other for other in _by_name(case.snapshot) if other.group is Group.TARGETED)
    alike = (other.drugs[0] for other in targeted if set(other.markers) & set(option.markers))
    for drug in [drug for drug in dict.fromkeys(alike) if drug not in option.drugs]:
        given = [order for order in case.orders(*_EVER) if drug in order.ingredients]
        said = case.cite(topics.RELAPSE_ON_DRUG, drug) if given else None
        if said is None and not (given and case.cite(topics.RELAPSE_ON_DRUG, option.drugs[0])):
            continue
        came = _relapsed_on(drug, case.fact(RELAPSE)) + "," if _came_on(case, [drug]) else ""
        words = f"{came} which has the same target" if came else f"{_earlier(drug, given[0])} and has the same target"
        yield f"{words}; of {drug}: {said.value}" if said is not None else words


def _until(order: Medication, relapse: When) -> bool:
    """Whether an order surely ran up to the relapse: what is ended on that day is ended because of it."""
    return order.end is not None and order.end.earliest.date() >= relapse.latest.date()


def _relapsed_on(drug: str, relapse: Fact[Entry]) -> str:
    return f"the relapse of {relapse.when} came on {drug}"


def _earlier(drug: str, order: Medication) -> str:
    """That the drug is on record already, and since when or until when."""
    if order.role is not Role.PAST:
        return f"{drug} is on record already ({order.role.value}, since {order.start or 'no date'})"
    when = f"until {order.end}" if order.end else f"ordered {order.start or 'without a date'}"
    why = f", stopped: {order.reason}" if order.progressed else ""
    return f"{drug} was given before ({when}{why})"
