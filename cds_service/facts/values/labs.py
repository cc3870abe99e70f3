"""Labs: electrolytes, blood counts, liver, kidney, pancreas. For each kind the newest result that can be used.

A newer result that cannot be used leaves a doubt on the older one: it may still warn, it clears nothing. Of results
whose order in time nobody can tell, the one nearer to danger counts, and its rival is named. A result that only its
name tells is doubtful; one whose name may mean another test too is not read, and said where there is no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cds_service.facts.fact import Fact, Key, State, known, missing, ranging, rivalled
from cds_service.facts.places import Place, places
from cds_service.facts.times import When
from cds_service.facts.values.lab_names import BY_NAME
from cds_service.facts.values.numbers import number
from cds_service.facts.values.results import (
    NEVER,
    Reading,
    origin,
    refused_for_status,
    status_doubts,
    taken,
    time_notes,
)
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation
from cds_service.gather.views import Quantity as Measured
from cds_service.quantity import Quantity, plain

POTASSIUM: Key[Quantity] = Key("potassium", "potassium", "potassium", exact=True)
MAGNESIUM: Key[Quantity] = Key("magnesium", "magnesium", "magnesium", exact=True)
CALCIUM: Key[Quantity] = Key("calcium_total", "calcium", "calcium")
PHOSPHATE: Key[Quantity] = Key("phosphate", "phosphate", "phosphate")
URIC_ACID: Key[Quantity] = Key("uric_acid", "uric acid", "uric_acid")
CREATININE: Key[Quantity] = Key("creatinine", "creatinine", "creatinine")
WBC: Key[Quantity] = Key("wbc", "white blood cells", "cbc")
AST: Key[Quantity] = Key("ast", "AST", "ast")
ALT: Key[Quantity] = Key("alt", "ALT", "alt")
BILIRUBIN: Key[Quantity] = Key("bilirubin_total", "bilirubin", "bilirubin_total")
LIPASE: Key[Quantity] = Key("lipase", "lipase", "lipase")
AMYLASE: Key[Quantity] = Key("amylase", "amylase")
ALP: Key[Quantity] = Key("alp", "alkaline phosphatase")
LDH: Key[Quantity] = Key("ldh", "LDH")
PLATELETS: Key[Quantity] = Key("platelets", "platelets", "cbc")
HAEMOGLOBIN: Key[Quantity] = Key("haemoglobin", "haemoglobin", "cbc")
MARROW_BLASTS: Key[Quantity] = Key("blasts_marrow_pct", "blasts in marrow")
EGFR: Key[Quantity] = Key("egfr", "eGFR", "creatinine")
CREATININE_CLEARANCE: Key[Quantity] = Key("creatinine_clearance", "measured creatinine clearance", "creatinine")

# What is measured at the bedside or judged by the clinician; asked by a query of their own.
LVEF: Key[Quantity] = Key("lvef", "LVEF", "echo")
BODY_WEIGHT: Key[Quantity] = Key("body_weight", "weight")
TEMPERATURE: Key[Quantity] = Key("body_temperature", "temperature")
OXYGEN_SATURATION: Key[Quantity] = Key("oxygen_saturation", "oxygen saturation")
ECOG: Key[Quantity] = Key("ecog_ps", "ECOG performance status")
KARNOFSKY: Key[Quantity] = Key("karnofsky_ps", "Karnofsky performance status")  # read, and never converted

Series = tuple[Fact[Quantity], ...]

# The same results as multiples of the upper limit of normal that came with them.
AST_ULN: Key[Quantity] = Key("ast_uln", "AST", "ast")
ALT_ULN: Key[Quantity] = Key("alt_uln", "ALT", "alt")
BILIRUBIN_ULN: Key[Quantity] = Key("bilirubin_uln", "bilirubin", "bilirubin_total")
LIPASE_ULN: Key[Quantity] = Key("lipase_uln", "lipase", "lipase")
AMYLASE_ULN: Key[Quantity] = Key("amylase_uln", "amylase")

LABS: tuple[Key[Quantity], ...] = (
    POTASSIUM,
    MAGNESIUM,
    CALCIUM,
    PHOSPHATE,
    URIC_ACID,
    CREATININE,
    WBC,
    AST,
    ALT,
    BILIRUBIN,
    LIPASE,
    AMYLASE,
    ALP,
    LDH,
    PLATELETS,
    HAEMOGLOBIN,
    MARROW_BLASTS,
    EGFR,
    CREATININE_CLEARANCE,
)
BEDSIDE: tuple[Key[Quantity], ...] = (LVEF, BODY_WEIGHT, TEMPERATURE, OXYGEN_SATURATION, ECOG)

# The same results as multiples of the upper limit, and every usable result of a kind, newest first.
CREATININE_ULN: Key[Quantity] = Key("creatinine_uln", "creatinine", "creatinine")
ALP_ULN: Key[Quantity] = Key("alp_uln", "alkaline phosphatase")
MULTIPLES = {AST: AST_ULN, ALT: ALT_ULN, BILIRUBIN: BILIRUBIN_ULN, LIPASE: LIPASE_ULN, AMYLASE: AMYLASE_ULN}
LDH_ULN: Key[Quantity] = Key("ldh_uln", "LDH")
MULTIPLES |= {CREATININE: CREATININE_ULN, ALP: ALP_ULN, LDH: LDH_ULN}
CREATININE_SERIES: Key[Series] = Key("creatinine_series", "creatinine over time", "creatinine")
WEIGHT_SERIES: Key[Series] = Key("weight_series", "weight over time")
HAEMOGLOBIN_SERIES: Key[Series] = Key("haemoglobin_series", "haemoglobin over time", "cbc")
WBC_SERIES: Key[Series] = Key("wbc_series", "white blood cells over time", "cbc")
OVER_TIME: Mapping[Key[Quantity], Key[Series]] = {
    CREATININE: CREATININE_SERIES,
    BODY_WEIGHT: WEIGHT_SERIES,
    HAEMOGLOBIN: HAEMOGLOBIN_SERIES,
    WBC: WBC_SERIES,
}
LOW_IS_DANGER = frozenset(
    {POTASSIUM, MAGNESIUM, CALCIUM, PLATELETS, HAEMOGLOBIN, EGFR, CREATININE_CLEARANCE, LVEF}
    | {OXYGEN_SATURATION, KARNOFSKY}
)
_BY_NAME: Mapping[str, Key[Quantity]] = {key.name: key for key in (*LABS, *BEDSIDE, KARNOFSKY)}
_Reader = Callable[[Key[Quantity], Place, Reading], "Fact[Quantity] | str"]
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


def read_labs(
    observations: Iterable[tuple[Resource, str]], labs: Reply, bedside: Reply, reading: Reading
) -> dict[str, Fact[Any]]:
    """For each lab and bedside value the newest usable result, or why there is none; for some, every result.

    `observations`: every Observation with its source. `labs`, `bedside`: the replies that should hold them.
    """
    candidates: dict[str, list[Place]] = {}
    for resource, source in observations:
        view = resource.view()
        if isinstance(view, Observation):
            for name, place in places(view, resource, source, _BY_NAME, reading):
                candidates.setdefault(name, []).append(place)
    replies = dict.fromkeys(LABS, labs) | dict.fromkeys(BEDSIDE, bedside)
    facts: dict[str, Fact[Any]] = {
        key.name: _newest(key, _read, candidates.get(key.name, []), reply, reading) for key, reply in replies.items()
    }
    for key, multiple in MULTIPLES.items():
        facts[multiple.name] = _newest(multiple, _read_multiple, candidates.get(key.name, []), labs, reading)
    karnofsky = _newest(KARNOFSKY, _read, candidates.get(KARNOFSKY.name, []), bedside, reading)
    facts[ECOG.name] = _beside(facts[ECOG.name], karnofsky)
    for key, series in OVER_TIME.items():
        facts[series.name] = _over_time(series, facts[key.name], candidates.get(key.name, []), reading)
    return facts


def _beside(ecog: Fact[Quantity], karnofsky: Fact[Quantity]) -> Fact[Quantity]:
    """The ECOG status; where only a Karnofsky status is on record that is said, for no source here converts it."""
    if ecog.state is not State.ABSENT or karnofsky.value is None:
        return ecog
    of = f" of {karnofsky.when}" if karnofsky.when else ""
    words = f"Karnofsky {karnofsky.bound}{plain(karnofsky.value.value)}{of} is on record, and is not converted"
    return missing(ECOG, State.UNREADABLE, words)


def _over_time(
    key: Key[Series], newest: Fact[Quantity], candidates: list[Place], reading: Reading
) -> Fact[Series]:
    """Every usable result with a date, newest first; as sure, and as missing, as the newest one."""
    if newest.value is None:
        return missing(key, newest.state, newest.why)
    found = [_read(newest.key, place, reading) for place in candidates if not place.unclear]
    dated = [fact for fact in found if isinstance(fact, Fact) and fact.when is not None]
    dated.sort(key=lambda fact: (-_latest(fact.when).timestamp(), fact.origin.resource if fact.origin else ""))
    return known(key, tuple(dated), newest.when, newest.origin, doubts=newest.doubts)


def _newest(
    key: Key[Quantity], read: _Reader, candidates: list[Place], reply: Reply, reading: Reading
) -> Fact[Quantity]:
    usable: list[Fact[Quantity]] = []
    refused: list[tuple[When | None, str]] = []
    for place in (each for each in candidates if not each.unclear):
        fact = read(key, place, reading)
        if isinstance(fact, Fact):
            usable.append(fact)
        elif fact:
            refused.append((_when(place.resource, reading), fact))
    if not usable:
        refused.sort(key=lambda each: (-_latest(each[0]).timestamp(), each[1]))
        return missing(key, State.UNREADABLE, refused[0][1]) if refused else _seen(key, candidates, reply, reading)
    fact = _first(key, usable)
    newer = sorted(why for when, why in refused if not _is_older(when, fact.when))
    if newer:
        fact = fact.doubted(f"a newer result could not be used: {newer[0]}")
    if reply.status is not Status.COMPLETE:
        fact = fact.doubted(f"not every result was read: {reply.why}")
    return fact


def _seen(key: Key[Quantity], candidates: list[Place], reply: Reply, reading: Reading) -> Fact[Quantity]:
    """Nothing to read: said as such, or by the newest result whose name may mean this value and another one."""
    nothing = not_there(key, reply)
    seen = [place for place in candidates if place.unclear and _counts(place)]
    if not seen or nothing.state is not State.ABSENT:
        return nothing
    newest = max(seen, key=lambda place: (_latest(_when(place.resource, reading)), place.resource.reference))
    of = f" of {when}" if (when := _when(newest.resource, reading)) else ""
    words = f"there is a result named '{newest.unclear}'{of}, which may be another test: it was not read"
    return missing(key, State.UNREADABLE, words)


def _counts(place: Place) -> bool:
    view = place.resource.view()
    return isinstance(view, Observation) and view.status not in NEVER


def _first(key: Key[Quantity], usable: list[Fact[Quantity]]) -> Fact[Quantity]:
    """The newest result. Of those that may be the newest, the one nearer to danger, with its rival as a doubt."""
    newest = max(usable, key=lambda fact: _latest(fact.when))
    rivals = [fact for fact in usable if not _is_older(fact.when, newest.when)]
    low = key in LOW_IS_DANGER
    rivals.sort(key=lambda fact: (fact.bound, fact.origin.resource if fact.origin else ""))
    chosen = (min if low else max)(rivals, key=lambda fact: fact.value.value if fact.value else Decimal(0))
    others = [fact for fact in rivals if (fact.value, fact.bound) != (chosen.value, chosen.bound)]
    if not others:
        return next((fact for fact in rivals if fact.sure), chosen)
    return rivalled(chosen, others)


def _is_older(one: When | None, other: When | None) -> bool:
    """Whether `one` certainly lies before `other`; a result without a date may be the newest."""
    return one is not None and other is not None and one.latest < other.earliest


def _latest(when: When | None) -> datetime:
    return when.latest if when else LONG_AGO


def not_there(key: Key[Quantity], reply: Reply) -> Fact[Quantity]:
    """The fact for a kind of value of which the reply holds nothing."""
    match reply.status:
        case Status.COMPLETE:
            return missing(key, State.ABSENT, "none found under the codes we ask")
        case Status.NOT_ASKED:
            return missing(key, State.NOT_ASKED, reply.why)
        case Status.PARTIAL | Status.FAILED:
            return missing(key, State.FAILED, reply.why or "no usable answer")


def _when(resource: Resource, reading: Reading) -> When | None:
    view = resource.view()
    return taken(view, reading)[0] if isinstance(view, Observation) else None


def _read(key: Key[Quantity], place: Place, reading: Reading) -> Fact[Quantity] | str:
    """The fact in this place; the reason, in words, when it cannot be used; "" when it does not count."""
    view = place.resource.checked()
    if not isinstance(view, Observation):
        return view.reason if hasattr(view, "reason") else "not an Observation"
    doubts = status_doubts(view)
    if doubts is None:
        return ""
    part = place.part(view)
    value = "no value" if part is None else refused_for_status(view) or number(part, key.name, reading.terms)
    if isinstance(value, str):
        return value
    when, time_doubts = taken(view, reading)
    if "dated in the future" in time_doubts:
        return "dated in the future"
    fact = known(
        key,
        value.quantity,
        when,
        origin(place.resource, place.source, value.as_received, *value.notes, *time_notes(when, reading)),
        bound=value.bound,
        doubts=(*doubts, *time_doubts, *((BY_NAME,) if place.by_name else ())),
    )
    return fact if value.most is None else ranging(fact, value.most, low_is_danger=key in LOW_IS_DANGER)


_SINGLE = {multiple: key for key, multiple in MULTIPLES.items()}


def _read_multiple(key: Key[Quantity], place: Place, reading: Reading) -> Fact[Quantity] | str:
    """The result as a multiple of the upper limit that came with it; without a limit it cannot be told."""
    single = _read(_SINGLE[key], place, reading)
    if isinstance(single, str) or single.value is None:
        return single if isinstance(single, str) else single.why
    view = place.resource.checked()
    part = place.part(view) if isinstance(view, Observation) else None
    limits: list[Decimal] = []
    for high in (entry.high for entry in (part.referenceRange or () if part else ()) if entry.high is not None):
        given = high if high.unit or high.code else _in_unit_of(part, high)
        limit = number(Component(valueQuantity=given), _SINGLE[key].name, reading.terms)
        if not isinstance(limit, str) and not limit.bound and limit.quantity.value > 0:
            limits.append(limit.quantity.value)
    if not limits:
        return f"no upper limit of normal came with the result ({single.value})"
    value, *rivals = (Quantity(each.value / min(limits), "[ULN]") for each in (single.value, *single.rivals))
    multiple = replace(single, key=key, value=value, rivals=tuple(rivals))
    return multiple if len(set(limits)) == 1 else multiple.doubted("several upper limits came with it, the lowest used")


def _in_unit_of(part: Component | None, high: Measured) -> Measured:
    value = part.valueQuantity if part else None
    return Measured(high.value, unit=value.unit, system=value.system, code=value.code) if value else high
