"""Conditions: what an option needs, one by one: a marker, fitness, a remission long enough, an earlier course, an age.

Each holds, does not hold, or stands open with the words for what would settle it. No record never means no.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

import msgspec

from cds_service.facts.course import ALLOGENEIC, FIRST_REMISSION, RELAPSE_NUMBER, TO_RELAPSE, Months
from cds_service.facts.demographics import AGE
from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.entries import PROCEDURES, Entry
from cds_service.facts.fact import Fact, Key, State
from cds_service.facts.genomics.mutations import MARKER_NAMES, Mutation
from cds_service.knowledge import topics
from cds_service.knowledge.model import Topic
from cds_service.knowledge.options import EarlierCourse, Fit, Option
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.therapies import Kind
from cds_service.quantity import Quantity
from cds_service.rules.high_dose import is_high
from cds_service.rules.once import once
from cds_service.rules.relapse.fitness import Assessment, Fitness
from cds_service.rules.rule import Case
from cds_service.rules.standing import present_now, provisional
from cds_service.truth import Truth


class Need(msgspec.Struct, frozen=True):
    """One condition of an option: whether it holds, and the words for what is open, against it, or to be said with it.

    `judged`: it is open for the clinician's judgement or a repeat test, rather than for want of any record.
    """

    truth: Truth
    words: str = ""
    judged: bool = False


_HOLDS = Need(Truth.YES)


Condition = Callable[[Case, Option, Assessment], Need]


def needs(case: Case, option: Option, fitness: Assessment) -> tuple[Need, ...]:
    """Every condition of the option that does not simply hold."""
    found = [condition(case, option, fitness) for condition in _asked_of(case.snapshot, option)]
    return tuple([need for need in found if need is not _HOLDS])


def _asked_of(snapshot: Snapshot, option: Option) -> tuple[Condition, ...]:
    """The conditions that an option has, of all that there are; told once for this knowledge."""
    kept: tuple[Condition, ...] | None = snapshot.kept.get((_asked_of, option.id))
    if kept is None:
        every: tuple[tuple[object, Condition], ...] = (
            (option.markers, _marker),
            (option.fitness is not Fit.ANY, _fitness),
            (option.after_allogeneic, _after_allogeneic),
            (option.first_relapse, _first_relapse),
            (option.late_relapse, _late_relapse),
            *[("" in snapshot.qualifiers(topic, option.about), limit) for topic, limit in _OF_LIMITS.items()],
            (option.given or option.not_given, _given),
        )
        kept = snapshot.kept[_asked_of, option.id] = tuple([condition for there, condition in every if there])
    return kept


def _fitness(case: Case, option: Option, fitness: Assessment) -> Need:
    """Intensive options need fitness; low-intensity ones are described for patients without it."""
    intensive = option.fitness is Fit.FIT
    match fitness.verdict:
        case Fitness.FIT:
            words = "described for patients who are no candidates for intensive therapy"
            return _HOLDS if intensive else Need(Truth.NO, words)
        case Fitness.UNFIT:
            return Need(Truth.NO, f"not fit for intensive therapy: {fitness.reasons}") if intensive else _HOLDS
        case Fitness.OPEN:
            return Need(Truth.UNKNOWN, f"the clinician's judgement of fitness ({fitness.reasons})", judged=True)
        case Fitness.UNKNOWN:
            return Need(Truth.UNKNOWN, "fitness (open, see above)")
        case other:
            assert_never(other)


def _marker(case: Case, option: Option, fitness: Assessment) -> Need:
    """Whether one of its markers is present in a result that counts now, and what an older result is worth."""
    results = [case.fact(MARKER_NAMES[name]) for name in option.markers if name in MARKER_NAMES]
    truths = {result.key.name: present_now(case, result) for result in results}
    present = [result for result in results if truths[result.key.name] is Truth.YES]
    sure = [result for result in present if result.sure]
    if sure:
        words = "; ".join(filter(None, (weakly(case, sure[0]), _for_now(case, sure[0]))))
        return Need(Truth.YES, words) if words else _HOLDS
    if present:
        words = f"a repeat test of {present[0].key.label} ({present[0].when}: {'; '.join(present[0].doubts)})"
        return Need(Truth.UNKNOWN, words, judged=True)
    if len(results) == len(option.markers) and all(truth is Truth.NO for truth in truths.values()):
        absent = ", ".join(f"{result.key.label} absent ({result.when})" for result in results)
        why = provisional(case)
        return Need(Truth.NO, f"{absent}; provisional, as {why}" if why else absent)
    labels = [result.key.label for result in results] or list(option.markers)
    old = [need for result in results if (need := _old(case, result)) is not None]
    if old:
        return old[0]
    unusable = dict.fromkeys(result.why for result in results if result.state is State.UNREADABLE)
    why = f" ({'; '.join(unusable)})" if unusable else ""
    return Need(Truth.UNKNOWN, f"a test of {' or '.join(labels)} since the relapse{why}")


def _for_now(case: Case, result: Fact[Mutation]) -> str:
    """That the result counts only because it is recent; "" where it is known to be of this relapse."""
    why = provisional(case)
    if not why:
        return ""
    window = case.must(topics.PROVISIONAL_RESULT_WINDOW, "policy").value
    counts = f"{result.key.label} of {result.when} counts for {window}, as {why}"
    return f"provisional, {counts}: confirm that it is of this relapse"


def weakly(case: Case, result: Fact[Mutation]) -> str:
    """That the marker is on few of the blasts, with the number; "" where it is not, or is no matter of shares."""
    share = result.value.results[0].share if result.value else None
    positive = case.must(topics.CD33_POSITIVE_FROM, "policy").value
    if share is None or share >= positive:
        return ""
    return f"{result.key.label} weak: {share} ({result.when}), positive is from {positive} on"


def target_shown(case: Case, option: Option) -> bool:
    """Whether a result that counts now, and that nothing puts in doubt, shows one of its markers."""
    results = [case.fact(MARKER_NAMES[name]) for name in option.markers if name in MARKER_NAMES]
    shown = [result for result in results if result.sure and present_now(case, result) is Truth.YES]
    return any(not weakly(case, result) for result in shown)


def _old(case: Case, result: Fact[Mutation]) -> Need | None:
    """What a positive result from before the relapse is worth: provisional, a reason to repeat the test, or nothing."""
    if result.value is None or not result.value.present:
        return None
    label, day = result.key.label, f"on {result.when}" if result.when else "on a day that is not told"
    usable = case.cite(topics.USABLE_WHEN_OLD, "pathway", result.key.name)
    if usable is not None and result.sure:
        weak = f"; {said}" if (said := weakly(case, result)) else ""
        return Need(Truth.YES, f"provisional, {label} was present {day}: {usable.value}{weak}")
    if case.cite(topics.OLD_POSITIVE, "pathway", result.key.name) is not None:
        return Need(Truth.UNKNOWN, f"a repeat test: {label} was present {day} and may be lost", judged=True)
    return None


@once
def after_allogeneic(case: Case) -> Need:
    """Whether the relapse came after an allogeneic transplantation."""
    transplanted, relapse = case.fact(ALLOGENEIC), case.fact(RELAPSE)
    if transplanted.value and not transplanted.sure:
        return Need(Truth.UNKNOWN, f"whether an allogeneic transplantation was done ({'; '.join(transplanted.doubts)})")
    if transplanted.value:
        if transplanted.when and relapse.when and transplanted.when.earliest.date() > relapse.when.latest.date():
            return Need(Truth.NO, "the transplantation came after the relapse")
        return _HOLDS
    if transplanted.value is False and transplanted.sure:
        return Need(Truth.NO, "no allogeneic transplantation on record")
    return Need(Truth.UNKNOWN, "whether an allogeneic transplantation was done")


def _after_allogeneic(case: Case, option: Option, fitness: Assessment) -> Need:
    return after_allogeneic(case)


def _first_relapse(case: Case, option: Option, fitness: Assessment) -> Need:
    number = case.fact(RELAPSE_NUMBER)
    if case.fact(DISEASE).value is Disease.REFRACTORY and number.value is None:
        status = case.cite(topics.OPTION_STATUS, option.about)
        if status is not None and not status.foreign and status.value.kind is Kind.APPROVED_RR:
            return Need(Truth.YES, "its figures are of a first relapse, not of refractory disease")
        return Need(Truth.NO, "described for a first relapse, not for refractory disease")
    if number.value is None:
        return Need(Truth.UNKNOWN, "whether this is the first relapse")
    if number.value > 1:
        return Need(Truth.NO, f"described for a first relapse, this is relapse {number.value}")
    return _HOLDS if number.sure else Need(Truth.YES, f"first relapse as {'; '.join(number.doubts)}: confirm")


def _late_relapse(case: Case, option: Option, fitness: Assessment) -> Need:
    """Described for a late first relapse: how late is told nowhere, so how long the remission held is told."""
    months = case.fact(FIRST_REMISSION)
    doubts = f", {'; '.join(months.doubts)}" if months.doubts else ""
    held = f"{months.value}{doubts}" if months.value is not None else "not known"
    words = f"described for a late first relapse (no limit is given); first remission here: {held}"
    return Need(Truth.YES, words)


def _age(case: Case, option: Option, fitness: Assessment) -> Need:
    limit = case.must(topics.OPTION_AGE_AT_MOST, option.about)
    age = case.fact(AGE).value
    if age is None or age.youngest <= limit.value.value < age.oldest:
        return Need(Truth.UNKNOWN, "age")
    return _HOLDS if age.oldest <= limit.value.value else Need(Truth.NO, f"toxicity over {limit.value} (age {age})")


def _age_caution(case: Case, option: Option, fitness: Assessment) -> Need:
    """The age above which the sources hold the drugs of the option too toxic together, though they list it."""
    limit = case.must(topics.OPTION_AGE_CAUTION, option.about)
    age = case.fact(AGE).value
    if age is not None and age.oldest <= limit.value.value:
        return _HOLDS
    said = f"over {limit.value} high-dose cytarabine with an anthracycline is held prohibitively toxic"
    return Need(Truth.YES, f"{said} ({f'age {age}' if age else 'age unknown'})")


def _above(case: Case, topic: Topic[Quantity], option: Option, key: Key[Months]) -> Need:
    """A number of whole months, strictly above the limit of the option."""
    limit = case.must(topic, option.about)
    months = case.fact(key)
    if months.value is None:
        if case.fact(DISEASE).value is Disease.REFRACTORY:
            return Need(Truth.NO, "refractory disease, no first remission on record")
        return Need(Truth.UNKNOWN, f"the {key.label}")
    if months.value.most <= limit.value.value and months.sure:
        return Need(Truth.NO, f"{key.label}: {months.value}, not above {limit.value}")
    if months.value.fewest > limit.value.value and months.sure:
        return _HOLDS
    return Need(Truth.UNKNOWN, f"the {key.label} ({months.value})")


# The conditions that a number sets, by the topic under which an option has it.
_OF_LIMITS: dict[Topic[Any], Condition] = {
    topics.OPTION_AGE_AT_MOST: _age,
    topics.OPTION_AGE_CAUTION: _age_caution,
    topics.OPTION_FIRST_REMISSION_ABOVE: lambda case, option, _: _above(
        case, topics.OPTION_FIRST_REMISSION_ABOVE, option, FIRST_REMISSION
    ),
    topics.OPTION_TO_RELAPSE_ABOVE: lambda case, option, _: _above(
        case, topics.OPTION_TO_RELAPSE_ABOVE, option, TO_RELAPSE
    ),
}


def _given(case: Case, option: Option, fitness: Assessment) -> Need:
    """Earlier courses, from orders and procedures on record. No record never means never given."""
    name = option.given or option.not_given
    on_record = _earlier_course(case, name)
    if on_record and option.given:
        return _HOLDS
    if on_record:
        return Need(Truth.NO, f"{name} was given before ({on_record})")
    unseen = _unseen(case, name)
    if option.given or unseen:
        return Need(Truth.UNKNOWN, f"whether {name} was given before ({unseen or 'none on record'})")
    return Need(Truth.YES, f"{name} not found among earlier orders: confirm that it was not given")


def _unseen(case: Case, name: str) -> str:
    """Why the course may have been given though nothing on record is surely that course; "" where nothing says so."""
    if case.fact(MEDICATIONS).state is not State.KNOWN:
        return "earlier orders were not read"
    drug = case.snapshot.courses[name].high_dose_of
    past = [order for order in case.orders(Role.PAST, Role.ACTIVE) if drug in order.ingredients]
    open_ = next((order for order in past if _may_be_high(case, drug, order)), None)
    return f"{open_.label} on record, in which dose for the body surface is not known" if open_ is not None else ""


def _may_be_high(case: Case, drug: str, order: Medication) -> bool:
    """Whether the order leaves open if it was of the high dose: by its dose, and by no name of another course."""
    if is_high(case, drug, order) is not Truth.UNKNOWN or order.courses:
        return False
    least = case.must(topics.FLAT_HIGH_DOSE_FROM, drug).value
    return order.dose.daily is None or order.dose.apart or order.dose.daily >= least


def _earlier_course(case: Case, name: str) -> str:
    """What on record was that course: an order by its words, its dose or the drugs given together, or a procedure.

    "" when there is none.
    """
    past = case.orders(Role.PAST, Role.ACTIVE)
    course = case.snapshot.courses[name]
    words = next((order.label for order in past if name in order.courses or _in_high_dose(case, course, order)), "")
    given = [next((o for o in past if set(o.ingredients) & set(group)), None) for group in course.drugs]
    together = [order for order in given if order is not None]
    if not words and together and len(together) == len(course.drugs):
        words = " and ".join(order.label for order in together)
    return words or next((entry.words for entry in _done_before(case) if course.procedure in entry.keys), "")


def _in_high_dose(case: Case, course: EarlierCourse, order: Medication) -> bool:
    """Whether the order is of the drug whose high dose the course is, and surely in that dose."""
    drug = course.high_dose_of
    return drug in order.ingredients and is_high(case, drug, order) is Truth.YES


def _done_before(case: Case) -> list[Entry]:
    """The procedures that were surely done, without those done after the relapse: these treat it."""
    relapse = case.fact(RELAPSE).when
    return [
        entry
        for entry in case.fact(PROCEDURES).value or ()
        if entry.certain
        and not (relapse and entry.when and entry.when.earliest.date() > relapse.latest.date())
    ]
