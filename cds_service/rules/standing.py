"""Where the patient stands: in relapse, an adult, with which target. Shared by several topics."""

from __future__ import annotations

from typing import Any, assert_never

from cds_service.facts.demographics import AGE, DECEASED, Age, is_over
from cds_service.facts.disease import APL, DISEASE, RELAPSE, Disease
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.drugs.routes import INTRATHECAL
from cds_service.facts.entries import PROBLEMS, Entry
from cds_service.facts.fact import Fact, Key, State, holds
from cds_service.facts.genomics.mutations import MARKER_NAMES, Mutation
from cds_service.facts.residual import OF_RESIDUAL
from cds_service.facts.times import When
from cds_service.knowledge import topics
from cds_service.knowledge.options import Group
from cds_service.rules.once import once
from cds_service.rules.rule import Case, NotApplicable, Outcome
from cds_service.truth import Truth

RELAPSE_CARD = "relapse"  # what the findings on the relapse as a whole are about, so that they share a card


def adult(case: Case) -> Truth:
    """Whether the patient is an adult; UNKNOWN where the birth date leaves it open."""
    age = case.fact(AGE)
    limit = int(case.must(topics.ADULT_FROM, "policy").value.value)
    if age.value is not None and age.value.youngest < limit <= age.value.oldest:
        return Truth.UNKNOWN
    return holds(age, lambda years: years.youngest >= limit)


def below_adult(case: Case) -> str:
    """How one says that the patient is no adult: "under 18"."""
    return f"under {int(case.must(topics.ADULT_FROM, 'policy').value.value)}"


def child(case: Case) -> str:
    """How one says it where the patient is surely no adult: no dose for adults is proposed then; "" otherwise."""
    return below_adult(case) if adult(case) is Truth.NO else ""


def is_apl(case: Case) -> Truth:
    """Whether acute promyelocytic leukaemia is on record."""
    return holds(case.fact(APL), bool)


def in_relapse(case: Case) -> Truth:
    """Whether relapsed or refractory AML is on record."""
    return holds(case.fact(DISEASE), lambda state: state in (Disease.RELAPSED, Disease.REFRACTORY))


def counts_now(case: Case, result: Fact[Any]) -> Truth:
    """Whether a result speaks of the leukaemia as it is now: its specimen is not older than the relapse.

    Without a relapse it counts. With a relapse of unknown date it counts provisionally while it is recent; so it does
    after the onset of an entry that only its clinical status calls a relapse, as that may be the onset of the disease,
    and before the last visit that named the relapse again, as that may have been another one.
    """
    if result.value is None or result.when is None:
        return Truth.UNKNOWN
    relapsed = in_relapse(case)
    if relapsed is not Truth.YES:
        return ~relapsed
    relapse = case.fact(RELAPSE)
    since = Truth.YES if relapse.when is None else result.when.on_or_after(relapse.when)
    if since is not Truth.NO and (relapse.when is None or _may_be_later(relapse.value, result.when)):
        recent = case.must(topics.PROVISIONAL_RESULT_WINDOW, "policy").value
        return Truth.UNKNOWN if result.within(recent, case.now).state is State.STALE else since
    return since


def _may_be_later(relapse: Entry | None, result: When) -> bool:
    """Whether the relapse that is treated now may have come after the result, though one stands on record before it."""
    if relapse is None:
        return False
    named = relapse.named_again
    return relapse.of_disease or (named is not None and result.on_or_after(named) is not Truth.YES)


def provisional(case: Case) -> str:
    """Why a result that counts now does so provisionally only; "" where the relapse has its date, or is none."""
    relapse = case.fact(RELAPSE)
    if in_relapse(case) is not Truth.YES:
        return ""
    if relapse.when is None:
        return "the relapse has no date"
    of_disease = relapse.value is not None and relapse.value.of_disease
    return "the date of the relapse may be that of the disease" if of_disease else ""


@once
def present_now(case: Case, result: Fact[Mutation]) -> Truth:
    """Whether the marker is present in a result that counts now; an older result says nothing either way."""
    match counts_now(case, result):
        case Truth.YES:
            return holds(result, lambda mutation: mutation.present)
        case Truth.NO | Truth.UNKNOWN:
            return Truth.UNKNOWN
        case other:
            assert_never(other)


@once
def not_for_aml(case: Case) -> str:
    """Why a rule that is true only in AML does not hold here: another indication is on record, and no AML."""
    disease = case.fact(DISEASE)
    if disease.value is not Disease.NONE or not disease.sure:
        return ""  # a doubtful "no AML" keeps the rules of AML
    other = other_indication(case)
    return f"another indication is on record ({other}): a rule for AML was not applied" if other else ""


def used_elsewhere(case: Case, drug: str) -> str:
    """The other disease on record for which a drug is given that most take without leukaemia, where no AML is."""
    disease, about = case.fact(DISEASE), case.snapshot.drugs[drug]
    if disease.value is not Disease.NONE or not disease.sure or not about.widely_used:
        return ""
    entries = case.fact(PROBLEMS).value or ()
    return next((entry.words for entry in entries if entry.certain and set(about.indications) & set(entry.keys)), "")


@once
def running_option(case: Case) -> str:
    """The drug with which this relapse is treated, "" when none is on record since it began.

    A targeted drug that is taken or held counts whenever it was started; the other drugs count from the relapse on.
    What was started is reopened by a relapse or refractory entry long after its start, or by a marker found since; what
    has ended also by a visit that names the relapse again, or where its order says that the disease progressed on it.
    """
    treating = _treating(case)
    current = case.orders(Role.ACTIVE, Role.ON_HOLD, Role.PAST)
    for order in (*current, *case.chart.medications.superseded):
        drug = next((drug for drug in order.ingredients if drug in treating), "")
        if order.route == INTRATHECAL:
            continue  # given against disease of the meninges: the relapse is still to be treated
        if drug and _since_relapse(case, order, drug) and not _reopened(case, order, drug):
            return drug
    return ""


def _treating(case: Case) -> frozenset[str]:
    """The drugs of all options; told once for this knowledge."""
    kept: frozenset[str] | None = case.snapshot.kept.get(_treating)
    if kept is None:
        kept = frozenset(drug for option in case.snapshot.options.values() for drug in option.drugs)
        case.snapshot.kept[_treating] = kept
    return kept


def _targeted(case: Case, drug: str) -> bool:
    options = case.snapshot.options.values()
    return any(option.drugs == (drug,) and option.group is Group.TARGETED for option in options)


def _since_relapse(case: Case, order: Medication, drug: str) -> bool:
    """Whether the order treats this relapse, as far as its dates say."""
    current = order.role is not Role.PAST
    if current and _targeted(case, drug):
        return True
    relapse = case.fact(RELAPSE).when
    if relapse is None or order.start is None:
        return current
    return order.start.latest.date() >= relapse.earliest.date()


def _reopened(case: Case, order: Medication, drug: str) -> bool:
    """Whether the disease or its markers spoke again since the treatment began, or it was stopped for progression."""
    if order.role is Role.PAST and order.progressed:
        return True
    if order.start is None:
        return False
    after = case.must(topics.PERSISTENT_AFTER, "policy").value
    begun = order.start.latest.date()
    if any((named.earliest.date() - begun).days > int(after.value) for named in _named(case, order)):
        return True
    others = [key for key in MARKER_NAMES.values() if not _aimed(case, drug, key)]
    return any(_found_since(case.fact(key), order.start) for key in others)


def _named(case: Case, order: Medication) -> list[When]:
    """The days on which the relapse was named; of visits that named it again one after the treatment had ended."""
    relapse = case.fact(RELAPSE)
    again = relapse.value.named_again if relapse.value is not None and order.role is Role.PAST else None
    if again is not None and order.end is not None and order.end.earliest > again.latest:
        again = None
    return [when for when in (relapse.when, again) if when is not None]


def _aimed(case: Case, drug: str, key: Key[Mutation]) -> bool:
    """Whether the running drug aims at that marker already."""
    return any(drug in option.drugs and key.name in option.markers for option in case.snapshot.options.values())


def _found_since(result: Fact[Mutation], start: When) -> bool:
    """Whether the newest result found the marker after that day, in a specimen taken later."""
    if result.value is None or result.when is None or not result.value.present:
        return False
    return result.when.earliest.date() > start.latest.date()


@once
def gate(case: Case) -> Outcome | None:
    """Why the relapse pathway is not offered here; None when it is."""
    closed = closed_to_adults(case)
    if closed is not None:
        return closed
    running = running_option(case)
    return NotApplicable(f"treatment of the relapse is on record ({running})") if running else None


def closed_to_adults(case: Case) -> Outcome | None:
    """Why nothing is said on treating a relapse here: none on record, APL, a child, or a patient who has died."""
    doors: tuple[tuple[Truth, str, Fact[Any]], ...] = (
        no_relapse(case),
        *common_doors(case),
    )
    return shut(case, doors)


def no_relapse(case: Case) -> tuple[Truth, str, Fact[Any]]:
    """The door that is closed where there is no relapsed or refractory AML."""
    return ~in_relapse(case), "no relapsed or refractory AML on record", case.fact(DISEASE)


def told_as_relapse(case: Case) -> Outcome | None:
    """The outcome for who asks of another state, where the card of the relapse tells of one of residual disease only.

    That it may be no relapse in marrow or blood is said there, and leaves no room for another state. Any other doubt
    does.
    """
    disease = case.fact(DISEASE)
    of_residual = disease.state is State.KNOWN and set(disease.doubts) == {OF_RESIDUAL}
    if not of_residual or in_relapse(case) is not Truth.YES or gate(case) is not None:
        return None
    return NotApplicable("on record as a relapse of residual disease: the card of the relapse says so")


DIED = "the record says that the patient has died"


def has_died(case: Case) -> str:
    """Why no test is due any more, where the patient has died; "" for any other."""
    return DIED if is_over(case.fact(DECEASED), case.now) else ""


def common_doors(case: Case) -> tuple[tuple[Truth, str, Fact[Any]], ...]:
    """What closes every choice of treatment, whatever the state of the disease."""
    minor = ~adult(case)
    words = f"{below_adult(case)}: no adult option is offered" if minor is Truth.YES else ""
    return (
        (is_apl(case), "acute promyelocytic leukaemia: out of scope", case.fact(APL)),
        (minor, words, case.fact(AGE)),
    )


def shut(case: Case, doors: tuple[tuple[Truth, str, Fact[Any]], ...]) -> Outcome | None:
    """The first of these doors that is closed, or that nobody can see; None when all stand open."""
    if case.fact(DECEASED).value:
        return NotApplicable(DIED)
    for closed, words, fact in doors:
        match closed:
            case Truth.YES:
                return NotApplicable(words)
            case Truth.UNKNOWN:
                return case.blind(fact, why=open_age(case.fact(AGE)) if fact.key is AGE else "")
            case Truth.NO:
                pass
            case other:
                assert_never(other)
    return None


def open_age(age: Fact[Age]) -> str:
    """What the birth date leaves open, in words; nothing when there is none."""
    return f"the birth date gives {age.value}: adult or not is open" if age.value is not None else ""


def other_indication(case: Case) -> str:
    """Another disease on record for which the drug may be given, when no AML is."""
    others = set(case.must(topics.SIGNS, "signs", "other indications").value)
    entries = case.fact(PROBLEMS).value or ()
    return next((entry.words for entry in entries if entry.certain and set(entry.keys) & others), "")
