"""Labs: electrolytes, blood counts, liver, kidney, pancreas. For each kind the newest result that can be used.

A newer result that cannot be used leaves a doubt on the older one: it may still warn, it clears nothing. Of results
whose order in time nobody can tell, the one nearer to danger counts, and its rival is named. A result that only its
name tells is doubtful; one whose name may mean another test too is not read, and said where there is no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cds_service.facts.concepts import Wording, told_once
from cds_service.facts.fact import Fact, Key, State, known, missing
from cds_service.facts.later import Later
from cds_service.facts.places import Place, places
from cds_service.facts.values.counting import does_not_count, none_counts
from cds_service.facts.values.lab_names import SHOWN, Named, named, observed
from cds_service.facts.values.newest import LONG_AGO as LONG_AGO
from cds_service.facts.values.newest import Multiples, Results, is_certain, latest, may_be_newest, newest_of, when_taken
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import Observation
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

Series = Sequence[Fact[Quantity]]

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
POTASSIUM_SERIES: Key[Series] = Key("potassium_series", "potassium over time", "potassium")
MAGNESIUM_SERIES: Key[Series] = Key("magnesium_series", "magnesium over time", "magnesium")
TEMPERATURE_SERIES: Key[Series] = Key("body_temperature_series", "temperature over time")
OXYGEN_SATURATION_SERIES: Key[Series] = Key("oxygen_saturation_series", "oxygen saturation over time")
BILIRUBIN_SERIES: Key[Series] = Key("bilirubin_series", "bilirubin over time", "bilirubin_total")
ALT_SERIES: Key[Series] = Key("alt_series", "ALT over time", "alt")
AST_SERIES: Key[Series] = Key("ast_series", "AST over time", "ast")
OVER_TIME: Mapping[Key[Quantity], Key[Series]] = {
    POTASSIUM: POTASSIUM_SERIES,
    MAGNESIUM: MAGNESIUM_SERIES,
    BILIRUBIN: BILIRUBIN_SERIES,
    CREATININE: CREATININE_SERIES,
    BODY_WEIGHT: WEIGHT_SERIES,
    HAEMOGLOBIN: HAEMOGLOBIN_SERIES,
    WBC: WBC_SERIES,
    TEMPERATURE: TEMPERATURE_SERIES,
    OXYGEN_SATURATION: OXYGEN_SATURATION_SERIES,
    ALT_ULN: ALT_SERIES,
    AST_ULN: AST_SERIES,
}
LOW_IS_DANGER = frozenset(
    {POTASSIUM, MAGNESIUM, CALCIUM, PLATELETS, HAEMOGLOBIN, EGFR, CREATININE_CLEARANCE, LVEF}
    | {OXYGEN_SATURATION, KARNOFSKY}
)
_BY_NAME: Mapping[str, Key[Quantity]] = {key.name: key for key in (*LABS, *BEDSIDE, KARNOFSKY)}
_AT_BEDSIDE = frozenset(key.name for key in (*BEDSIDE, KARNOFSKY))
_FALLING = frozenset(key.name for key in LOW_IS_DANGER)
_MULTIPLES = {multiple.name: (key, multiple) for key, multiple in MULTIPLES.items()}
_SERIES = {series.name: (key, series) for key, series in OVER_TIME.items()}
LAB_FACTS = (*(key.name for key in (*LABS, *BEDSIDE)), *_MULTIPLES, *_SERIES)


class Labs:
    """The lab and bedside results of a call by what they are. The fact of each is read when it is asked for, and once.

    `observations`: those that may hold one, with their sources. `labs`, `bedside`: the replies that should hold them.
    """

    def __init__(
        self, observations: Iterable[tuple[Resource, str]], labs: Reply, bedside: Reply, reading: Reading
    ) -> None:
        self._replies, self._reading = (labs, bedside), reading
        self._places: dict[str, list[Place]] = {}
        self._results: dict[str, Results] = {}
        self._facts: dict[str, Fact[Any]] = {}
        for resource, source in observations:
            view = resource.view()
            if isinstance(view, Observation):
                for name, place in places(view, resource, source, lab_of, reading):
                    self._places.setdefault(name, []).append(place)

    def fact(self, name: str) -> Fact[Any]:
        """The newest usable result of that name, or why there is none; of a series every result."""
        found = self._facts.get(name)
        if found is None:
            found = self._facts[name] = self._read(name)
        return found

    def _read(self, name: str) -> Fact[Any]:
        if name in _SERIES:
            key, series = _SERIES[name]
            return _over_time(series, self.fact(key.name), self._of(key))
        if name in _MULTIPLES:
            return _newest(self._of(_MULTIPLES[name][1]), self._replies[0])
        key = _BY_NAME[name]
        fact = _newest(self._of(key), self._replies[name in _AT_BEDSIDE])
        return _beside(fact, self.fact(KARNOFSKY.name)) if key is ECOG else fact

    def _of(self, key: Key[Quantity]) -> Results:
        name = key.name
        found = self._results.get(name)
        if found is None:
            if name in _MULTIPLES:
                found = Multiples(key, self._of(_MULTIPLES[name][0]))
            else:
                found = Results(key, self._places.get(name, []), self._reading, low_is_danger=name in _FALLING)
            self._results[name] = found
        return found


def read_labs(
    observations: Iterable[tuple[Resource, str]], labs: Reply, bedside: Reply, reading: Reading
) -> dict[str, Fact[Any]]:
    """Every fact of them at once."""
    every = Labs(observations, labs, bedside, reading)
    return {name: every.fact(name) for name in LAB_FACTS}


@told_once
def lab_of(said: Wording) -> str | Named | None:
    """Which lab or bedside value a name stands for: by its codes, else its words. Codes of two kinds are unclear."""
    known_as = observed(said)
    if known_as:
        kind = next((kind for kind in known_as if kind in _BY_NAME), None)
        if kind is None or len({*known_as}) == 1:
            return kind
        return Named(kind, said.words[:SHOWN] or "coded as two tests")
    by_name = named(said)
    return by_name if by_name is not None and by_name.key in _BY_NAME else None


def _beside(ecog: Fact[Quantity], karnofsky: Fact[Quantity]) -> Fact[Quantity]:
    """The ECOG status; where only a Karnofsky status is on record that is said, for no source here converts it."""
    if ecog.state is not State.ABSENT or karnofsky.value is None:
        return ecog
    of = f" of {karnofsky.when}" if karnofsky.when else ""
    words = f"Karnofsky {karnofsky.bound}{plain(karnofsky.value.value)}{of} is on record, and is not converted"
    return missing(ECOG, State.UNREADABLE, words)


def _over_time(key: Key[Series], newest: Fact[Quantity], results: Results) -> Fact[Series]:
    """Every usable result with a date, newest first; as sure, and as missing, as the newest one."""
    if newest.value is None:
        return missing(key, newest.state, newest.why)
    return known(key, Later(results.dated), newest.when, newest.origin, doubts=newest.doubts)


def _newest(results: Results, reply: Reply) -> Fact[Quantity]:
    key = results.key
    if not results.places:
        return not_there(key, reply)
    usable, refused = results.newest()
    if not usable:
        refused.sort(key=lambda each: (-latest(each[0]).timestamp(), each[1]))
        if not refused:
            return _seen(key, results, reply)
        when, why = refused[0]
        return Fact(key, State.UNREADABLE, when=when, why=why)
    fact = results.first(usable)
    certain = newest_of([fact.when, *(each.when for each in usable if is_certain(each.doubts))])
    newer = sorted(why for when, why in refused if may_be_newest(when, certain))
    if newer:
        fact = fact.doubted(f"a newer result could not be used: {newer[0]}")
    if reply.status is not Status.COMPLETE:
        fact = fact.doubted(f"not every result was read: {reply.why}")
    return fact


def _seen(key: Key[Quantity], results: Results, reply: Reply) -> Fact[Quantity]:
    """Nothing to read: said as such, by the newest whose name may mean another value too, or that does not count."""
    nothing, reading = not_there(key, reply), results.reading
    seen = [place for place in results.places if place.unclear and _counts(place, reading)]
    if nothing.state is not State.ABSENT:
        return nothing
    if not seen:
        views = (place.resource.view() for place in results.places)
        gone = none_counts((view for view in views if isinstance(view, Observation)), reading)
        return missing(key, State.ABSENT, gone) if gone else nothing
    newest = max(seen, key=lambda place: (latest(when_taken(place.resource, reading)), place.resource.reference))
    of = f" of {when}" if (when := when_taken(newest.resource, reading)) else ""
    words = f"there is a result named '{newest.unclear}'{of}, which may be another test: it was not read"
    return missing(key, State.UNREADABLE, words)


def _counts(place: Place, reading: Reading) -> bool:
    view = place.resource.view()
    return isinstance(view, Observation) and not does_not_count(view, reading)


def not_there(key: Key[Quantity], reply: Reply) -> Fact[Quantity]:
    """The fact for a kind of value of which the reply holds nothing."""
    match reply.status:
        case Status.COMPLETE:
            return missing(key, State.ABSENT, "none found under the codes we ask for")
        case Status.NOT_ASKED:
            return missing(key, State.NOT_ASKED, reply.why)
        case Status.PARTIAL | Status.FAILED:
            return missing(key, State.FAILED, reply.why or "no usable answer")
