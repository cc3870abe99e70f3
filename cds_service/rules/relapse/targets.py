"""Targets: does the leukaemia carry what the drug aims at, in a result that is not older than the relapse?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.fact import Fact, State
from cds_service.facts.genomics.ledger import LEDGER, Ledger, changed
from cds_service.facts.genomics.mutations import CD33, MARKER_NAMES, Mutation
from cds_service.facts.orders import ORDERED
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.standing import (
    RELAPSE_CARD,
    adult,
    below_adult,
    counts_now,
    is_apl,
    no_relapse,
    not_for_aml,
    present_now,
    provisional,
    running_option,
    shut,
    used_elsewhere,
)
from cds_service.rules.subjects import Use, doubtful, the_patient, uses
from cds_service.truth import Truth, any_of

PANEL = Proposal("order", "Order a myeloid mutation panel", order="myeloid_panel")
FLT3_TEST = Proposal("order", "Order FLT3-ITD and FLT3-TKD testing", order="flt3")
_NO_DATE = "no date"
_TESTS = {
    "flt3_itd": FLT3_TEST,
    "flt3_tkd": FLT3_TEST,
    "kmt2a": Proposal("order", "Order KMT2A rearrangement testing", order="kmt2a"),
    "cd33": Proposal("order", "Order CD33 on the blasts", order="cd33"),
}


def tests_for(results: Iterable[Fact[Mutation]]) -> tuple[Proposal, ...]:
    """The tests that would tell these markers, each once."""
    return tuple(dict.fromkeys(_TESTS.get(fact.key.order, PANEL) for fact in results))


@rule(
    "target",
    subjects=uses(topics.TARGETS),
    sources=("D20", "D05", "D06", "D21", "D25", "D26", "SAF32", "G1", "G2", "G4", "G6", "G8"),
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def target(case: Case, use: Use) -> Outcome:
    """Target of the drug in the newest results.

    It is asked of a targeted drug that is drafted or taken. It warns where every target is absent in results since the
    relapse, where the leukaemia carries a marker that the drug does not aim at, or where an order rests on older
    results. A weak CD33, an older result of a stable marker, and for an order a provisional one are each a line.

    An order without a usable result, or a target found only in a preliminary one, is named as a gap, as a warning.
    Running treatment is not questioned for want of a newer result. Where another disease than AML is the reason, the
    check is not made, and of an order that is said; of a drug that most patients take for other diseases it is not.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    if given_for := used_elsewhere(case, use.drug):
        return NotApplicable(f"no AML is on record, and another indication of {use.drug} is ({given_for})")
    if elsewhere := not_for_aml(case):
        return case.blind(why=elsewhere, level=Level.INFO, quiet=not use.drafts)
    targets = case.must(topics.TARGETS, use.drug)
    results = tuple(case.fact(MARKER_NAMES[name]) for name in targets.value)
    match any_of(present_now(case, result) for result in results):
        case Truth.YES:
            return _present(case, use, results)
        case Truth.NO:
            return _wrong_target(case, use, results) or case.fired(
                Level.WARNING,
                "target_absent",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=results,
                says=(targets,),
                results=results,
                targets=targets,
                waits=True,
                new=bool(use.drafts),
            )
        case Truth.UNKNOWN:
            return _wrong_target(case, use, results) or _unknown_target(case, use, results)
        case other:
            assert_never(other)


def _present(case: Case, use: Use, results: tuple[Fact[Mutation], ...]) -> Outcome:
    """The target is there; a doubtful one is said, and so is a weak expression."""
    found = [fact for fact in results if present_now(case, fact) is Truth.YES]
    sure = [fact for fact in found if fact.sure]
    if not sure:
        return case.blind(found[0])
    weak = _weak_expression(case, use, sure[0])
    undated = provisional(case)
    if weak is None and use.drafts and undated:
        return _provisional(case, use, sure[0], case.must(topics.PROVISIONAL_RESULT_WINDOW, "policy"), undated)
    return weak or Clear(f"{sure[0].key.label} present ({sure[0].when})")


def _weak_expression(case: Case, use: Use, result: Fact[Mutation]) -> Outcome | None:
    """CD33 on few of the blasts: positive, and said with its number."""
    share = result.value.results[0].share if result.key is CD33 and result.value else None
    if share is None:
        return None
    positive = case.must(topics.CD33_POSITIVE_FROM, "policy")
    if share >= positive.value:
        return None
    return case.fired(
        Level.INFO,
        "target_weak",
        about=use.in_play,
        drug=use.drug,
        because=(result,),
        says=(positive,),
        line=True,
        result=result,
        share=share,
        positive=positive,
    )


def _wrong_target(case: Case, use: Use, results: tuple[Fact[Mutation], ...]) -> Outcome | None:
    """A marker that is present and that the drug does not aim at, while its own target was not found."""
    said = {
        name: statement
        for name in case.snapshot.qualifiers(topics.WRONG_TARGET, use.drug)
        if case.fact(MARKER_NAMES[name]).sure
        and present_now(case, case.fact(MARKER_NAMES[name])) is Truth.YES
        and (statement := case.cite(topics.WRONG_TARGET, use.drug, name))
    }
    if not said:
        return None
    wrong = tuple(case.fact(MARKER_NAMES[name]) for name in said)
    unknown = tuple(fact for fact in results if present_now(case, fact) is Truth.UNKNOWN)
    return case.fired(
        Level.WARNING,
        "target_wrong",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        because=wrong,
        says=tuple(said.values()),
        propose=tests_for(unknown),
        waits=True,
        wrong=wrong,
        said=tuple(said.values()),
        results=results,
    )


def _unknown_target(case: Case, use: Use, results: tuple[Fact[Mutation], ...]) -> Outcome:
    """An older result is said with its date; no result at all is a gap.

    Running treatment is not questioned for that.
    """
    old = tuple(fact for fact in results if fact.value is not None and counts_now(case, fact) is not Truth.YES)
    if not use.drafts:
        why = "treatment is running; no newer result denies its target"
        return case.blind(*results, why=why, about=use.in_play, quiet=True)
    if not old:
        known = "; ".join(f"{fact.key.label} absent on {fact.when}" for fact in results if fact.sure)
        return case.blind(*results, why=known)
    for fact in old:
        usable = case.cite(topics.USABLE_WHEN_OLD, "pathway", fact.key.name)
        if usable is not None and fact.value and fact.value.present and fact.sure:
            return _provisional(case, use, fact, usable)
    targets = case.must(topics.TARGETS, use.drug)
    stability = tuple(
        statement for fact in old if (statement := case.cite(topics.MUTATION_STABILITY, "pathway", fact.key.name))
    )
    return case.fired(
        Level.WARNING,
        "target_older_than_relapse",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(targets, *stability),
        propose=tests_for(old),
        results=old,
        waits=True,
        certain=counts_now(case, old[0]) is Truth.NO,
        relapse=case.fact(RELAPSE),
        stability=stability,
        test="FLT3 testing" if tests_for(old) == (FLT3_TEST,) else "the test",
    )


def _provisional(case: Case, use: Use, fact: Fact[Mutation], usable: Statement[Any], undated: str = "") -> Outcome:
    """A stable marker in an older result, or a recent result beside a relapse whose date is not known.

    It may be acted upon, and wants to be confirmed.
    """
    return case.fired(
        Level.INFO,
        "target_provisional",
        about=use.in_play,
        drug=use.drug,
        because=(fact,),
        says=(usable,),
        propose=() if undated else tests_for((fact,)),
        line=True,
        aside=bool(undated),
        result=fact,
        usable=usable,
        undated=undated,
        relapse=case.fact(RELAPSE),
    )


@rule("mutations-at-relapse", subjects=the_patient, sources=("D04", "D05", "E47", "G2"), worst=Level.INFO, viewing=True)
def mutations_at_relapse(case: Case, patient: str) -> Outcome:
    """Mutation results since the relapse.

    It is asked where the patient is viewed and the AML is relapsed or refractory. A line of information lists what of
    the panel was found since the relapse, what is older and what was never tested, and proposes the panel unless it is
    ordered. A marker that was lost or gained is told on a card of its own.

    A doubtful result, or one whose specimen has no certain day, does not count as tested. An unknown state of the AML
    is named as a gap. With acute promyelocytic leukaemia it is silent; and, unless a marker changed, in a child, with
    a complete panel, and once this relapse is treated.
    """
    closed = shut(case, (no_relapse(case),))
    if closed is not None:
        return closed
    if is_apl(case) is Truth.YES:
        return NotApplicable("acute promyelocytic leukaemia: out of scope")
    panel, later = (case.must(topics.RELAPSE_PANEL, "pathway", qualifier) for qualifier in ("", "later"))
    results = tuple(case.fact(MARKER_NAMES[name]) for name in (*panel.value, *later.value))
    current = [result.sure and counts_now(case, result) is Truth.YES for result in results]
    lacking = tuple([result for result, counts in zip(results, current, strict=True) if not counts])
    changes = tuple([words for key in MARKER_NAMES.values() if (words := _change(case, case.fact(key)))])
    ledger = case.fact(LEDGER).value
    repeat = case.must(topics.REPEAT_MUTATIONS, "pathway")
    if not changes and adult(case) is Truth.NO:
        return NotApplicable(f"{below_adult(case)}: one card says that this is not covered")
    if not changes and not lacking:
        return Clear("every marker of the panel was tested since the relapse")
    if not changes and running_option(case):
        return NotApplicable(f"treatment of the relapse is on record ({running_option(case)})")
    said = {
        fact.key.name: case.cite(topics.MUTATION_STABILITY, "pathway", fact.key.name)
        or case.cite(topics.USABLE_WHEN_OLD, "pathway", fact.key.name)
        for fact in lacking
    }
    return case.fired(
        Level.INFO,
        "mutations_at_relapse",
        drug="mutations" if changes else RELAPSE_CARD,
        says=(repeat,),
        mentions=(later,),
        line=not changes,
        propose=() if not lacking or _testing_ordered(case, lacking) else (PANEL,),
        repeat=repeat,
        since=tuple(_told(result, ledger) for result, counts in zip(results, current, strict=True) if counts),
        older=tuple(_told(result, ledger) for result in lacking if result.value is not None),
        never=tuple(_told(result, ledger) for result in lacking if result.value is None),
        later=later,
        changed=changes,
        complete=not lacking,
        relapse=case.fact(RELAPSE),
        refractory=case.fact(DISEASE).value is Disease.REFRACTORY,
        stability=tuple(said[fact.key.name] for fact in lacking if fact.value is not None and said[fact.key.name])
        or tuple(filter(None, (said.get(panel.value[0]),))),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A marker as the card tells it: what it is, when, and what a clinician should know of the result."""

    label: str
    value: str
    day: str
    more: str


def _told(result: Fact[Mutation], ledger: Ledger | None) -> Told:
    """A marker with what its result adds; where nothing is known, why not, unless there simply is no result."""
    if result.value is None:
        silent = result.state is State.ABSENT and result.why == State.ABSENT.value
        return Told(result.key.label, "", "", "" if silent else result.why)
    added = ledger.of(result.key.name).short if ledger is not None else ""
    day = str(result.when or _NO_DATE)
    more = "; ".join(filter(None, (added, *(each for each in result.doubts if each != day))))
    value = "conflicting" if result.state is State.CONFLICTING else "present" if result.value.present else "absent"
    return Told(result.key.label, value, day, more)


def _testing_ordered(case: Case, lacking: tuple[Fact[Mutation], ...]) -> bool:
    """Whether what is lacking is ordered already: the panel, or each of its tests."""
    ordered = case.fact(ORDERED).value or frozenset()
    if "myeloid_panel" in ordered:
        return True
    asked = [{fact.key.order, fact.key.name.lower(), _TESTS.get(fact.key.order, PANEL).order} for fact in lacking]
    return all(names & ordered for names in asked)


def _change(case: Case, result: Fact[Mutation]) -> str:
    """What was lost or gained between an earlier result and one that counts now."""
    if result.value is None or result.state is State.CONFLICTING or counts_now(case, result) is not Truth.YES:
        return ""
    words = changed(result.value.results)
    return f"{result.key.label} {words}" if words else ""
