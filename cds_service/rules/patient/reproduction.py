"""Reproduction: pregnancy and breast-feeding against the drugs in play, and contraception told at the start."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.demographics import AGE, SEX
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import State, holds
from cds_service.facts.reproduction import FEMALE, MALE, PREGNANT
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Verification
from cds_service.rules.once import once
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.subjects import Use, doubtful, our_drugs, removal, uses
from cds_service.truth import Truth

PREGNANCY_TEST = Proposal("order", "Order a pregnancy test", order="pregnancy_test")


@once
def _may_bear(case: Case) -> Truth:
    """Whether the age lies where a pregnancy is looked for, both ends included."""
    age = case.fact(AGE)
    youngest = int(case.must(topics.FERTILE_FROM, "policy").value.value)
    oldest = int(case.must(topics.FERTILE_TO, "policy").value.value)
    if age.value is None:
        return Truth.UNKNOWN
    if age.value.oldest < youngest or age.value.youngest > oldest:
        return Truth.NO
    return Truth.YES


def _is(case: Case, sex: str) -> Truth:
    return holds(case.fact(SEX), lambda recorded: recorded == sex)


@rule("pregnancy", subjects=our_drugs, sources=("T5", "SAF39"), worst=Level.CRITICAL)
def pregnancy(case: Case, use: Use) -> Outcome:
    """Pregnancy: recorded, or not tested before a drug against leukaemia is started.

    It is asked of every drug of this service that is drafted or taken. A pregnancy on record is critical where the
    label has a boxed warning of harm to the unborn child, and a warning for every other drug. An entry that is
    doubtful, or older than the policy lets a pregnancy last, counts one step lower.

    Before a first order, for a woman within the ages of the policy, a line asks for a test where none of the window is
    negative. A negative one in doubt asks for another, as beside a pregnancy that still stands among the problems. An
    unknown age or sex, and tests that were not sent, are named as a gap, as a warning beside a drug with such a box. No
    test is asked for where the record says male, or on running treatment.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    pregnant = case.fact(PREGNANT, case.must(topics.PREGNANCY_LASTS, "policy").value)
    if holds(pregnant, bool) is Truth.YES:
        return _pregnant(case, use)
    if _is(case, MALE) is Truth.YES:
        return NotApplicable("recorded as male")
    if not use.is_new:
        return NotApplicable("a test is asked for at the start")
    match _may_bear(case):
        case Truth.NO:
            return NotApplicable("outside the age at which a pregnancy is looked for")
        case Truth.UNKNOWN:
            return case.blind(case.fact(AGE), about=use.drafts, level=_weight(case, use))
        case Truth.YES:
            return _tested(case, use)
        case other:
            assert_never(other)


def _tested(case: Case, use: Use) -> Outcome:
    """A test before the start, in a woman of that age."""
    if _is(case, FEMALE) is not Truth.YES:
        return case.blind(case.fact(SEX), about=use.drafts, level=_weight(case, use))
    window = case.must(topics.PREGNANCY_TEST_WINDOW, "policy")
    recent = case.fact(PREGNANT, window.value)
    if recent.sure:
        return Clear(f"not pregnant ({recent.when})")
    weight = _weight(case, use)
    unread = recent.state is State.UNREADABLE  # there is a result, and it may be yes
    if recent.state in (State.NOT_ASKED, State.FAILED) or (unread and weight is Level.WARNING):
        return case.blind(recent, about=use.drafts, level=weight)
    return case.fired(
        Level.INFO,
        "pregnancy_test_due",
        about=use.drafts,
        drug=use.drug,
        says=(window,),
        propose=(PREGNANCY_TEST,),
        line=True,
        newest=recent,
        unread=unread,
        doubted=recent.state is State.KNOWN,
        window=window,
    )


def _weight(case: Case, use: Use) -> Level:
    """How much an open pregnancy matters: a drug with a boxed warning could be stopped by it."""
    return Level.WARNING if case.cite(topics.PREGNANCY_BOXED, use.drug) else Level.INFO


def _pregnant(case: Case, use: Use) -> Outcome:
    boxed = case.cite(topics.PREGNANCY_BOXED, use.drug)
    said = boxed or case.cite(topics.PREGNANCY, use.drug) or case.must(topics.PREGNANCY, "policy")
    pregnant = case.fact(PREGNANT, case.must(topics.PREGNANCY_LASTS, "policy").value)
    return case.fired(
        Level.CRITICAL if boxed else Level.WARNING,
        "pregnancy",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        because=(pregnant,),
        says=(said,),
        doubts=("the record says male",) if _is(case, MALE) is Truth.YES else (),
        propose=removal(use.drug, use.drafts),
        waits=bool(use.drafts),
        pregnant=pregnant,
        said=said,
        new=bool(use.drafts),
    )


@rule("contraception", subjects=uses(topics.CONTRACEPTION, topics.LACTATION), sources=("SAF39",), worst=Level.INFO)
def contraception(case: Case, use: Use) -> Outcome:
    """What to tell about contraception and breast-feeding when the drug is started.

    It is asked when a drug is started of whose contraception or breast-feeding a source speaks, and is a line of
    information. Without a sex on record both what holds for women and what holds for men are told; what nobody read is
    told as such.

    Outside the ages of the policy it is silent, unless the record says male; an age that is not known does not silence
    it. Treatment that goes on is not counselled again, and whether contraception is in use is not looked for.
    """
    if not use.is_new:
        return NotApplicable("not a start")
    male, female = _is(case, MALE), _is(case, FEMALE)
    bears = _may_bear(case)
    if male is not Truth.YES and bears is Truth.NO:
        return NotApplicable("outside the age at which a pregnancy is looked for")
    sexes = [(FEMALE, male), (MALE, female)]
    said = {
        sex: statement
        for sex, denied in sexes
        if denied is not Truth.YES
        if (statement := case.cite(topics.CONTRACEPTION, use.drug, sex))
    }
    breastfeeding = None if male is Truth.YES else case.cite(topics.LACTATION, use.drug)
    statements = (*said.values(), *((breastfeeding,) if breastfeeding else ()))
    if not statements:
        return Clear("no source speaks of it for this sex")
    return case.fired(
        Level.INFO,
        "contraception",
        about=use.drafts,
        drug=use.drug,
        says=statements,
        line=True,
        aside=True,
        female=said.get(FEMALE),
        male=said.get(MALE),
        breastfeeding=breastfeeding,
        sex=case.fact(SEX),
        unread=any(statement.verification is Verification.RECALLED for statement in statements),
    )


@rule("breastfeeding", subjects=our_drugs, sources=("SAF39",), worst=Level.WARNING)
def breastfeeding(case: Case, use: Use) -> Outcome:
    """Breast-feeding on record.

    It is asked of every drug of this service that is drafted or taken, unless the record says male. Breast-feeding
    among the current problems is a warning, with the interval of the drug's own source, or with a default of this
    service where none is stated.

    A problem list that was not read whole is named as a gap. Notes and other records of breast-feeding are not read.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    if _is(case, MALE) is Truth.YES:
        return NotApplicable("recorded as male")
    problems = case.fact(PROBLEMS)
    entry = next(iter(entries_of(problems, keys_of(case, "breast-feeding"))), None)
    if entry is None:
        return Clear("no breast-feeding on record") if problems.sure else case.blind(problems, about=use.in_play)
    said = case.cite(topics.LACTATION, use.drug) or case.must(topics.LACTATION, "policy")
    return case.fired(
        Level.WARNING,
        "breastfeeding",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(said,),
        entry=entry,
        said=said,
    )
