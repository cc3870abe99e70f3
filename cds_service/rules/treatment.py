"""Treatment arithmetic that several topics need: when a drug was first taken, what began on it, its baseline ECG, when
ECGs are due.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.fact import Fact, State
from cds_service.facts.times import When
from cds_service.facts.values.ecg import ECGS, Ecg
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Verification
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case, Fired, NotApplicable, Outcome
from cds_service.rules.subjects import Use
from cds_service.truth import Truth, any_of

UNKNOWN_START = "whether it began after the drug is not known"
UNKNOWN_COURSE = "whether it began on the drug is not known"
OPEN_COURSE = "whether this treatment goes on from an earlier order is not known: its last day is not stated"
PERHAPS_ON_IT = "whether the baseline ECG was taken before the first dose is not known"
PERHAPS_TAKEN = "whether a dose was taken is not known, and it is checked as a start"
COURSE_ENDED = "it began after an earlier course had ended"


@once
def started(case: Case, use: Use) -> When | None:
    """When the present treatment was first taken: the earliest order in a chain without a long pause.

    An earlier order whose last day is not stated may have lasted until the next one. Where that order says that it goes
    on with it, it did; else the treatment began with the one or with the other (`either`).
    """
    gap = days((case.cite(topics.COURSE_GAP, use.drug) or case.must(topics.COURSE_GAP, "policy")).value)
    current = use.of(Role.ACTIVE, Role.ON_HOLD)
    surely = _chain(current, use.of(Role.PAST), gap)
    if not use.of(Role.PAST):
        return surely
    longest = days(case.must(topics.OPEN_ORDER_LASTS, "policy").value)
    perhaps = _chain(current, use.of(Role.PAST), gap, longest)
    if surely is None or perhaps is None or perhaps.earliest == surely.earliest:
        return surely
    return When.one_of(perhaps, surely)


def _chain(
    current: tuple[Medication, ...], past: tuple[Medication, ...], gap: timedelta, longest: timedelta = timedelta(0)
) -> When | None:
    """The start of the earliest order from which the present ones go on. `longest`: how long one may last that has no
    last day.
    """
    starts = [order.start for order in current if order.start is not None]
    if not starts:
        return None
    first = min(starts, key=lambda when: when.earliest)
    named = {reference for order in current for reference in order.replaces}
    dated = [(order.start, order) for order in past if order.start is not None]
    for begun, order in sorted(dated, key=lambda each: (each[0].earliest, each[1].reference), reverse=True):
        if begun.earliest >= first.earliest:
            continue
        last = order.last_day.latest if order.last_day is not None else None
        goes_on = last is None and order.reference in named
        if goes_on or first.earliest - (last or begun.latest) <= (gap if last else max(gap, longest)):
            first = begun
            named.update(order.replaces)
    return first


def possible(start: When) -> tuple[When, ...]:
    """The days on which it may have been started: one, or the two of which nobody says which it was."""
    if not start.either:
        return (start,)
    return When(start.earliest, start.earliest), When(start.latest, start.latest)


def began_on(case: Case, use: Use, when: When | None) -> tuple[Truth, tuple[str, ...]]:
    """Whether something began on the drug, and in words what one doubts of it.

    Of a drug that is taken or held, the present treatment counts from its start on; of one that is to be taken again,
    the earlier courses, each from its first to its last day. Of a course that has just ended, where its signs may come
    late, everything since its first day.
    """
    if use.of(Role.ACTIVE, Role.ON_HOLD):
        start = started(case, use)
        began = Truth.UNKNOWN if start is None or when is None else when.on_or_after(start)
        if began is not Truth.UNKNOWN:
            return began, ()
        return began, (OPEN_COURSE if start is not None and start.either and when is not None else UNKNOWN_START,)
    courses = use.of(Role.PAST)
    late = Truth.NO if when is None else _since_its_course(case, use, when)
    if late is not Truth.NO:
        return late, () if late is Truth.YES else (UNKNOWN_COURSE,)
    match Truth.UNKNOWN if when is None else any_of(_during(order, when) for order in courses):
        case Truth.YES:
            return Truth.YES, ()
        case Truth.NO if any(_since(order, when) is not Truth.NO for order in courses):
            return Truth.UNKNOWN, (COURSE_ENDED,)
        case Truth.NO if case.fact(MEDICATIONS).sure:
            return Truth.NO, ()
        case _:
            return Truth.UNKNOWN, (UNKNOWN_COURSE,)


@once
def just_given(case: Case, use: Use) -> tuple[Medication, ...]:
    """The orders of a drug that is no longer taken, while signs of it may still come; the last to end stands first."""
    lasts = case.cite(topics.SIGNS_AFTER_COURSE, use.drug)
    if lasts is None or use.of(Role.ACTIVE, Role.ON_HOLD):
        return ()
    ended = [(when, order) for order in use.of(Role.PAST) if (when := last_given(order)) is not None]
    lately = [each for each in ended if 0 <= each[0].days_ago(case.now) <= int(lasts.value.value)]
    return tuple(order for _, order in sorted(lately, key=lambda each: each[0].latest, reverse=True))


def last_given(order: Medication) -> When | None:
    """The last day of an order as far as it is known, else its first."""
    return order.last_day or order.start


def _since_its_course(case: Case, use: Use, when: When) -> Truth:
    """Whether it happened since the first day of the course that has just ended."""
    ended = just_given(case, use)
    begun = _chain(ended[:1], use.of(Role.PAST), days(case.must(topics.COURSE_GAP, "policy").value)) if ended else None
    return Truth.NO if begun is None else when.on_or_after(begun)


def long_over(case: Case, use: Use) -> Outcome:
    """The outcome where a drug is not taken now, asked of past orders too: one that ended long ago is no gap."""
    in_play = use.drafts or use.of(Role.ON_HOLD)
    return not_taken(case, use) if in_play else NotApplicable("its course ended too long ago")


def _during(order: Medication, when: When) -> Truth:
    """Whether it happened between the first and the last day of an order."""
    return _since(order, when) & (Truth.UNKNOWN if order.end is None else order.end.on_or_after(when))


def _since(order: Medication, when: When | None) -> Truth:
    """Whether it happened on or after the first day of an order."""
    return Truth.UNKNOWN if order.start is None or when is None else when.on_or_after(order.start)


def not_taken(case: Case, use: Use) -> Outcome:
    """The outcome where a drug is not taken now; from an incomplete list that cannot be told."""
    medications = case.fact(MEDICATIONS)
    if on_record := next((draft.on_record for draft in use.drafts if draft.on_record), ""):
        return case.blind(why=f"{use.drug}: {on_record}; {PERHAPS_TAKEN}", about=use.drafts, level=Level.INFO)
    if medications.sure or use.of(Role.ON_HOLD):
        return NotApplicable("not taken now")
    return case.blind(medications, about=use.drafts)


@once
def baseline(case: Case, use: Use, ecgs: Fact[tuple[Ecg, ...]]) -> Ecg | None:
    """The last sure QTc at or before the first dose, not older than the baseline window."""
    start = started(case, use)
    if start is None or ecgs.value is None:
        return None
    first, *others = possible(start)
    found = _before(case, first, ecgs.value)
    if found is not None:
        return found
    perhaps = next((ecg for each in others if (ecg := _before(case, each, ecgs.value)) is not None), None)
    return replace(perhaps, doubts=(PERHAPS_ON_IT,)) if perhaps is not None else None


def _before(case: Case, start: When, ecgs: Iterable[Ecg]) -> Ecg | None:
    window = case.must(topics.BASELINE_WINDOW, "policy").value
    for ecg in ecgs:
        if ecg.when is None or ecg.doubts or ecg.bound or ecg.when.latest.date() > start.latest.date():
            continue
        if (start.earliest.date() - ecg.when.earliest.date()).days <= int(window.value):
            return ecg
    return None


@once
def ecg_due_days(case: Case, use: Use, start: When) -> tuple[tuple[date, str], ...]:
    """Every scheduled ECG with its words, counted from the start: days of cycle 1, days of treatment, then before
    cycles, and at last the one that is due an interval after the newest. Of two possible starts, those of both. What
    lay in a pause, and was not taken in it, is due when the drug is taken again.
    """
    due = {due for each in possible(start) for due in _due_from(case, use, each.earliest.date())}
    return tuple(sorted(_after_pauses(case, use, due) if use.of(Role.PAST) else due))


def _due_from(case: Case, use: Use, day_one: date) -> tuple[tuple[date, str], ...]:
    due = [
        (day_one + timedelta(days=day - 1), f"{words} {day}")
        for words, topic in (("cycle 1 day", topics.ECG_ON_CYCLE_ONE_DAYS), ("day", topics.ECG_ON_DAYS))
        for day in _values(case.cite(topic, use.drug))
    ]
    length = case.cite(topics.CYCLE_LENGTH, use.drug)
    if length is not None:
        due += [
            (day_one + timedelta(days=int(length.value.value) * (cycle - 1)), f"before cycle {cycle}")
            for cycle in _values(case.cite(topics.ECG_BEFORE_CYCLES, use.drug))
        ]
    return tuple(sorted(due) + _then_every(case, use, max((day for day, _ in due), default=day_one)))


def _after_pauses(case: Case, use: Use, due: Iterable[tuple[date, str]]) -> Iterable[tuple[date, str]]:
    pauses = _pauses(use)
    tolerance = days(case.must(topics.ECG_TOLERANCE, "policy").value)
    for day, words in due:
        again = next((again for last, again in pauses if last < day < again), None)
        if again is None or taken_since(case.fact(ECGS).value or (), day - tolerance):
            yield day, words
        else:
            yield again, f"{words} (in a pause)"


def _pauses(use: Use) -> list[tuple[date, date]]:
    """The pauses between its orders: the last day before each, and the day on which it was taken again."""
    found: list[tuple[date, date]] = []
    until: date | None = None
    spans = [(order.start, order.last_day) for order in use.of(Role.ACTIVE, Role.ON_HOLD, Role.PAST)]
    dated = sorted(((start.earliest.date(), last) for start, last in spans if start), key=lambda span: span[0])
    for first, last in dated:
        if until is not None and first > until:
            found.append((until, first))
        if last is None:
            break  # it may have lasted until the next one
        until = max(until or last.latest.date(), last.latest.date())
    return found


def _then_every(case: Case, use: Use, last: date) -> list[tuple[date, str]]:
    """The next ECG of a schedule without an end: an interval after the newest one, or after the last day named."""
    every = case.cite(topics.ECG_THEN_EVERY, use.drug)
    if every is None:
        return []
    tolerance = days(case.must(topics.ECG_TOLERANCE, "policy").value)
    since = taken_since(case.fact(ECGS).value or (), last - tolerance)
    newest = max((ecg.when.earliest.date() for ecg in since if ecg.when is not None), default=last)
    return [(max(newest, last) + days(every.value), f"{int(every.value.value)} days after the one before")]


def taken_since(ecgs: Iterable[Ecg], day: date) -> tuple[Ecg, ...]:
    """The ECGs that were certainly taken on or after that day."""
    return tuple(ecg for ecg in ecgs if ecg.when is not None and ecg.when.earliest.date() >= day)


def taken_together(orders: tuple[Medication, ...]) -> Quantity | None:
    """What several orders that begin together come to a day (50 mg and 10 mg tablets, say); None for a single order.

    An order and its instance, or its renewal, are one treatment; so are an order and what is reported of it.
    """
    named = {reference for order in orders for reference in order.replaces}
    begun: dict[tuple[When | None, bool], list[Quantity]] = {}
    for order in orders:
        if order.dose.daily is not None and order.reference not in named:
            begun.setdefault((order.start, order.reported), []).append(order.dose.daily)
    sums = [sum((dose.value for dose in doses), Decimal(0)) for doses in begun.values() if len(doses) > 1]
    return Quantity(max(sums), "mg/d") if sums else None


def daily_of(order: Medication) -> Decimal:
    """The mg a day of an order, for telling the highest; none where they cannot be read."""
    return order.dose.daily.value if order.dose.daily is not None else Decimal(0)


WARNED = "warned at every start"  # the qualifier of what the sources say as a warning, whatever the patient's values


def start_level(warned: Statement[str] | None) -> Level:
    """How loud the start of a drug is told: a warning where a source that was read warns of every start of it."""
    read = warned is not None and warned.verification is not Verification.RECALLED
    return Level.WARNING if read else Level.INFO


def days(quantity: Quantity) -> timedelta:
    """A quantity of days as a span of time."""
    return timedelta(days=int(quantity.value))


def _values(statement: object) -> tuple[int, ...]:
    value = getattr(statement, "value", ())
    return value if isinstance(value, tuple) else ()


def noted_as_old(case: Case, value: Fact[Quantity]) -> Statement[Quantity] | None:
    """The age from which a value that still counts before a start is told with a note, where it is older."""
    older = case.must(topics.ELECTROLYTE_NOTE_AFTER_AT_START, "policy")
    return older if value.within(older.value, case.now).state is State.STALE else None


def told_as_old(
    case: Case, drug: str, about: Iterable[Medication], values: Iterable[Fact[Quantity]]
) -> Fired | None:
    """A line about those of the values that still count before a start and are some days old; None without any."""
    old = tuple(value for value in values if noted_as_old(case, value) is not None)
    if not old:
        return None
    older = case.must(topics.ELECTROLYTE_NOTE_AFTER_AT_START, "policy")
    return case.fired(
        Level.INFO,
        "electrolytes_some_days_old",
        about=about,
        drug=drug,
        because=old,
        says=(older,),
        line=True,
        aside=True,
        values=old,
        older=older,
    )
