"""What holds for every patient: generated charts, each asked about twice, with one thing changed in between.

Missing data never calms, more risk never silences, the direction of an order and the order of a list do not matter, no
suggestion is unsafe, and critical stays rare and well founded.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cards.topic import topic_code
from cds_service.answer import Answer, answer
from cds_service.knowledge.model import Level, Verification
from cds_service.present.problems import HAZARDS, TO_OURS, TO_THEIRS
from cds_service.rules.relapse.offers import Offer, Verdict
from cds_service.rules.rule import Check, Clear, Fired, NotApplicable, NotEvaluated
from tests import card_grammar
from tests.calls import (
    NOW,
    PATIENT,
    RELAPSED,
    UCUM,
    bundle,
    condition,
    flt3_itd,
    observation,
    order,
    request,
    tools,
)
from tests.samples import Server

Json = dict[str, Any]
SNAPSHOT = tools().knowledge.at(NOW.date(), tools().jurisdiction)
CODED = {"gilteritinib": ("gilteritinib 40 MG Oral Tablet", "2105811"), "venetoclax": ("venetoclax 100 MG", "1747561")}
OURS = {name: (name, "") for name in sorted(SNAPSHOT.drugs)} | CODED
# What is ordered for a day, or each time; the two with a ceiling are walked around it by `doses`.
PLAUSIBLE = {
    "enasidenib": (50, 100), "ivosidenib": (250, 500), "midostaurin": (50, 100), "olutasidenib": (150, 300),
    "quizartinib": (18, 26, 27, 35, 53, 54), "revumenib": (110, 160, 270, 540), "sorafenib": (400, 800),
    "ziftomenib": (200, 400, 600), "glasdegib": (100,),
}  # fmt: skip
CODES = {"QTcF": "76634-5", "QTcB": "76635-2", "QTc": "8636-3"}
RATE = "8867-4"
POTASSIUM, MAGNESIUM = "2823-3", "2601-3"
HOOKS = ("patient-view", "order-select", "order-sign")
KEYS = ("patient", "conditions", "medications", "ecg", "labs", "bedside", "genomics", "orders")
STATUS = {"draft": "draft", "active": "active", "hold": "on-hold", "doubtful": "unknown"}
FAMOUS = (
    "posaconazole", "voriconazole", "isavuconazole", "fluconazole", "ciprofloxacin", "clarithromycin", "diltiazem",
    "conivaptan", "ritonavir", "ciclosporin", "carvedilol", "amiodarone", "rifampicin", "carbamazepine", "phenytoin",
    "apalutamide", "enzalutamide", "rifapentine", "bosentan", "St John's wort", "escitalopram", "fluoxetine",
    "sertraline", "ondansetron", "moxifloxacin", "quinidine", "micafungin", "aciclovir",
)  # fmt: skip
ALL = tuple(name for name, drug in SNAPSHOT.precipitants.items() if not drug.food and name not in OURS)
PRES = condition("I67.83", "PRES", "2026-11-15")
CLL = condition("C91.10", "CLL", "2024-01-01")
INTERACTIONS = frozenset(
    {
        "strong-cyp3a-inhibitor",
        "combined-inducer",
        "strong-cyp3a-inducer",
        "cyp3a-inducer",
        "5ht2b-sigma",
        "additive-qt",
        "electrolyte-wasting",
        "dose-ceiling",
    }
)
CRITICAL_TOPICS = {"qtcHold", "doseCeiling", "combinedInducer", "pres", "startContraindicated"}
CRITICAL_TOPICS |= {"qtcStartLimit", "qtArrhythmia", "qtContraindicated", "electrolytesSevere"}
CRITICAL_TOPICS |= {"contraindicatedPair", "doseBesideInhibitor"}
MAY_CITE_NOTHING = {"also-active", "aml-on-record"}  # they tell what the orders and the problem list say, no medicine
NO_WORD = {Verification.RECALLED, Verification.POLICY}


TIMES = int(os.environ.get("EXAMPLES", "1"))  # EXAMPLES=20 generates twenty times as many patients
FULL = os.environ.get("GRID") == "full"


def examples(number: int) -> Any:
    """So many generated patients with `make grid`, in the fast suite half as many."""
    return settings(max_examples=number * TIMES // (1 if FULL else 2))


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a generated patient; `mg` None: no dose is stated."""

    drug: str
    role: str
    mg: int | None = None
    started: str = "2026-11-20"

    def resource(self, index: int) -> Json:
        text, code = OURS.get(self.drug, (self.drug, ""))
        more = {"id": f"m{index}", "status": STATUS[self.role], "authoredOn": self.started}
        return order(text, code, self.mg, **more)


@dataclass(frozen=True, slots=True)
class Tracing:
    """One ECG: a QTc by some formula, perhaps with the rate."""

    value: int
    day: str
    formula: str = "QTcF"
    status: str = "final"
    rate: int | None = None

    def resource(self, index: int) -> Json:
        made = observation(CODES[self.formula], self.value, "ms", f"{self.day}T08:00:00Z", status=self.status)
        made["id"] = f"ecg{index}"
        if self.rate:
            quantity = {"value": self.rate, "unit": "/min", "system": UCUM, "code": "/min"}
            made["component"] = [
                {"code": {"coding": [{"system": "http://loinc.org", "code": RATE}]}, "valueQuantity": quantity}
            ]
        return made


@dataclass(frozen=True, slots=True)
class Patient:
    """A generated patient at one hook."""

    hook: str
    orders: tuple[Order, ...]
    ecgs: tuple[Tracing, ...]
    potassium: Decimal | None
    magnesium: Decimal | None
    flt3: tuple[tuple[str, bool], ...]
    problems: tuple[str, ...]

    def listed(self) -> dict[str, list[Json]]:
        """The resources of each prefetch key that holds a list."""
        problems = {"relapse": RELAPSED, "pres": PRES, "cll": CLL}
        labs = [
            observation(code, float(value), "mmol/L", "2026-11-20T08:00:00Z")
            for code, value in ((POTASSIUM, self.potassium), (MAGNESIUM, self.magnesium))
            if value is not None
        ]
        return {
            "conditions": [problems[name] for name in self.problems],
            "medications": [each.resource(index) for index, each in enumerate(self.orders) if each.role != "draft"],
            "ecg": [each.resource(index) for index, each in enumerate(self.ecgs)],
            "labs": labs,
            "genomics": [flt3_itd(day, present) for day, present in self.flt3],
        }

    def drafts(self) -> list[Json]:
        return [each.resource(index) for index, each in enumerate(self.orders) if each.role == "draft"]

    def request(self, **chart: Any) -> Json:
        """The hook request; `chart` puts something else in the place of a list."""
        return request(self.hook, *self.drafts(), **(self.listed() | chart))


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says: its cards, and how they came about."""

    cards: tuple[Json, ...]
    answer: Answer

    @property
    def highest(self) -> Level:
        return max((level(card) for card in self.cards), default=Level.INFO)

    @property
    def loud(self) -> set[str]:
        """The topics of its warnings and critical cards."""
        return {topic(card) for card in self.cards if level(card) >= Level.WARNING}

    @property
    def fired(self) -> list[tuple[Check, Fired]]:
        return list(self.answer.evaluation.outcomes(Fired))


def level(card: Json) -> Level:
    return Level[card["indicator"].upper()]


def topic(card: Json) -> str:
    return str(card["source"]["topic"]["code"])


def tell(body: Json, **other: Any) -> Told:
    used = replace(tools(), **other)
    service = next(each for each in used.services if each.hook == body["hook"])
    answered = answer(json.dumps(body).encode(), service, used)
    return Told(tuple(json.loads(answered.body)["cards"]), answered)


def said(told: Told) -> list[str]:
    """The cards in a line each, for the message of a failure."""
    return [f"{card['indicator']} {topic(card)}: {card['summary']}" for card in told.cards]


# -- patients ---------------------------------------------------------------------------------------------------------

doses = st.sampled_from([10, 40, 70, 71, 80, 100, 101, 120, 160, 200, 201, 400, 600])
starts = st.sampled_from(["2026-11-20", "2026-11-08", "2026-10-30", "2026-06-01"])
qtcs = st.sampled_from([380, 430, 449, 451, 470, 479, 480, 481, 499, 500, 501, 512, 531, 560]) | st.integers(380, 560)
days = st.sampled_from(["2026-11-20", "2026-11-20", "2026-11-18", "2026-11-05", "2026-10-28", "2026-08-01"])
tracings = st.builds(
    Tracing,
    qtcs,
    days,
    st.sampled_from(["QTcF", "QTcF", "QTcF", "QTcB", "QTc"]),
    st.sampled_from(["final", "final", "final", "amended", "preliminary"]),
    st.sampled_from([None, 55, 60, 75, 100]),
)
potassiums = st.sampled_from([Decimal(each) for each in ("2.6", "3.4", "3.5", "3.8", "4.4", "5.2")])
magnesiums = st.sampled_from([Decimal(each) for each in ("0.5", "0.65", "0.75", "0.9")])
names = st.sampled_from(FAMOUS) | st.sampled_from(FAMOUS) | st.sampled_from(ALL)
roles = st.sampled_from(["draft", "active"])
others = st.builds(Order, names, roles)
results = st.sampled_from([(), (("2026-11-10", True),), (("2026-03-01", True),), (("2026-11-10", False),)])


any_of_ours = st.sampled_from(sorted(OURS))


def dose_of(drug: str) -> st.SearchStrategy[int | None]:
    """A dose that somebody may order; for those given by body surface or weight, any, or none stated."""
    if drug in CODED:
        return doses
    plausible = PLAUSIBLE.get(drug)
    return st.sampled_from([*plausible, None]) if plausible else st.none() | doses


@st.composite
def ours(draw: st.DrawFn) -> tuple[Order, ...]:
    """One of our drugs, or both; drafted, taken, held, or drafted beside a running order."""
    drugs = draw(
        st.sampled_from([("gilteritinib",), ("venetoclax",), ("venetoclax", "gilteritinib")])
        | st.tuples(any_of_ours)
        | st.tuples(any_of_ours)
        | st.lists(any_of_ours, min_size=2, max_size=3, unique=True).map(tuple)
    )
    found: list[Order] = []
    for drug in drugs:
        for role in draw(
            st.sampled_from([("draft",), ("active",), ("draft",), ("active",), ("hold",), ("draft", "hold")])
        ):
            started = "2026-11-20" if role == "draft" else draw(starts)
            found.append(Order(drug, role, draw(dose_of(drug)), started))
    return tuple(found)


@st.composite
def patients(draw: st.DrawFn, most: int = 3, least_ecgs: int = 0) -> Patient:
    """A patient on one of our drugs, or about to be."""
    return Patient(
        draw(st.sampled_from(HOOKS)),
        (*draw(ours()), *draw(st.lists(others, max_size=most, unique_by=lambda each: each.drug))),
        tuple(draw(st.lists(tracings, min_size=least_ecgs, max_size=3, unique_by=lambda each: each.day))),
        draw(st.none() | potassiums),
        draw(st.none() | magnesiums),
        draw(results),
        draw(st.sampled_from([("relapse",), ("relapse",), ("relapse", "pres"), ("cll",), ()])),
    )


@st.composite
def endangered(draw: st.DrawFn) -> Patient:
    """A patient to whom at least one critical card is due, with whatever else."""
    role = draw(st.sampled_from(["draft", "active"]))
    other = "active" if role == "active" else draw(roles)
    drug, mg, partner, qtc, problem = draw(
        st.sampled_from(
            [
                ("gilteritinib", 120, "", 512, "relapse"),
                ("gilteritinib", 120, "rifampicin", 430, "relapse"),
                ("gilteritinib", 120, "", 430, "pres"),
                ("venetoclax", 400, "posaconazole", 430, "relapse"),
                ("venetoclax", 201, "fluconazole", 512, "relapse"),
                ("venetoclax", 50, "clarithromycin", 430, "cll"),
            ]
        )
    )
    role, other = ("active", other) if problem == "pres" else ("draft", other) if problem == "cll" else (role, other)
    started = "2026-11-20" if role == "draft" else draw(st.sampled_from(["2026-11-08", "2026-10-30"]))
    drafted = role == "draft" or (partner and other == "draft")  # at an order a gap is told only where one concerns us
    hook = draw(st.sampled_from(["order-select", "order-sign"])) if drafted else "patient-view"
    known = (Order(drug, role, mg, started), *((Order(partner, other),) if partner else ()))
    more = draw(
        st.lists(others.filter(lambda each: each.drug != partner), max_size=2, unique_by=lambda each: each.drug)
    )
    return Patient(
        hook,
        (*known, *more),
        (Tracing(qtc, "2026-11-20"), *draw(st.lists(tracings.filter(lambda e: e.day < "2026-11-20"), max_size=1))),
        draw(potassiums),
        draw(magnesiums),
        draw(results),
        ("relapse", "pres") if problem == "pres" else (problem,),
    )


anybody = patients() | endangered()


# -- 1. missing never calms -------------------------------------------------------------------------------------------


@given(endangered(), st.sampled_from(KEYS), st.sampled_from(["gone", "refused", "cut short"]))
@examples(80)
def test_a_source_that_could_not_be_read_never_calms(patient: Patient, key: str, how: str) -> None:
    """Whatever stood in it, a danger may have stood in it: at least a warning remains.

    Null and an empty Bundle are answers: the client has no such data. They are the next property.
    """
    body = patient.request()
    assume(tell(body).highest is Level.CRITICAL)
    refusal = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    if how == "gone":
        del body["prefetch"][key]
    else:
        body["prefetch"][key] = refusal if how == "refused" else bundle(refusal)
    after = tell(body)
    assert after.highest >= Level.WARNING, (key, how, said(after))


@given(endangered(), st.sampled_from(["conditions", "medications", "ecg", "labs", "genomics"]))
@examples(70)
def test_a_resource_that_is_not_there_takes_only_what_rested_on_it(patient: Patient, key: str) -> None:
    """A critical card stays critical unless it was about the resource that went: then a gap, or nothing, is right."""
    listed = patient.listed()[key]
    assume(listed)
    before = tell(patient.request())
    assume(before.highest is Level.CRITICAL)
    newest = max(listed, key=lambda each: (when(each), each["id"]))
    after = tell(patient.request(**{key: [each for each in listed if each is not newest]}))
    for check, fired in before.fired:
        if topic_code(check.rule.id) in topics_at(before, Level.CRITICAL) and not _rests_on(fired, newest):
            assert topic_code(check.rule.id) in after.loud, (check.rule.id, newest["id"], said(before), said(after))


def topics_at(told: Told, wanted: Level) -> set[str]:
    return {topic(card) for card in told.cards if level(card) is wanted}


def when(resource: Json) -> str:
    return str(resource.get("effectiveDateTime") or resource.get("authoredOn") or resource.get("onsetDateTime"))


def _rests_on(fired: Fired, resource: Json) -> bool:
    reference = f"{resource['resourceType']}/{resource['id']}"
    finding = fired.finding
    if resource["resourceType"] == "Condition":
        return finding.card in ("pres", "contraindicated_at_start")
    return any(each.reference == reference for each in finding.about) or any(
        fact.origin is not None and fact.origin.resource == reference for fact in finding.because
    )


@given(
    endangered(),
    st.sampled_from(["preliminary", "older", "bounded", "undated"]),
    st.sampled_from(["ecg", "labs"]),
)
@examples(70)
def test_a_value_of_less_worth_never_calms(patient: Patient, how: str, key: str) -> None:
    """Preliminary, a year old, only a bound or without a date: a doubtful danger is told, at least as a warning."""
    before = tell(patient.request())
    assume(before.highest is Level.CRITICAL)
    listed = patient.listed()[key]
    after = tell(patient.request(**{key: [_worse(each, how) for each in listed]}))
    assert after.highest >= Level.WARNING, (how, said(before), said(after))


def _worse(resource: Json, how: str) -> Json:
    match how:
        case "preliminary":
            return resource | {"status": "preliminary"}
        case "older":
            return resource | {"effectiveDateTime": "2025" + resource["effectiveDateTime"][4:]}
        case "bounded":
            return resource | {"valueQuantity": resource["valueQuantity"] | {"comparator": ">"}}
        case _:
            return {name: value for name, value in resource.items() if name != "effectiveDateTime"}


# -- 2. more risk never silences --------------------------------------------------------------------------------------

# Above the hold limit the check for holding speaks alone: it replaces these, which tell of the room below the limit.
REPLACED_BY_HOLD = {"qtcNearHold", "qtcResume", "qtcRise"}


def assert_no_calmer(before: Told, after: Told, *, gone: Iterable[str] = ()) -> None:
    """Nothing that was a warning is gone, nothing critical is less. A danger that was found may close a gap."""
    allowed = {"gap", *gone} | (REPLACED_BY_HOLD if "qtcHold" in after.loud else set())
    allowed |= {"electrolytes"} if "electrolytesSevere" in after.loud else set()  # the same value, told by the label
    lost = {each for each in before.loud - after.loud - allowed if not stands_in_another(each, after)}
    assert not lost, (lost, said(before), said(after))
    assert after.highest >= before.highest, (said(before), said(after))
    softened = topics_at(before, Level.CRITICAL) - topics_at(after, Level.CRITICAL)
    assert not softened, (softened, said(before), said(after))


def stands_in_another(code: str, told: Told) -> bool:
    """Whether the finding is told in the card of a more urgent one about the same hazard."""
    hazard = next((rules for rules in HAZARDS.values() if code in {topic_code(rule) for rule in rules}), ())
    hazard = tuple(TO_OURS) if code == topic_code(TO_THEIRS) else hazard
    beside = {topic_code(rule) for rule in hazard} & told.loud
    warned = {topic_code(check.rule.id) for check, fired in told.fired if fired.finding.level >= Level.WARNING}
    return bool(beside) and code in warned


@given(anybody, names, st.sampled_from(["draft", "active", "doubtful"]))
@examples(80)
def test_one_more_interacting_drug_silences_nothing(patient: Patient, name: str, role: str) -> None:
    assume(name not in {each.drug for each in patient.orders})
    more = replace(patient, orders=(*patient.orders, Order(name, role)))
    assert_no_calmer(tell(patient.request()), tell(more.request()))


@given(patients(least_ecgs=1) | endangered(), st.integers(1, 120))
@examples(80)
def test_a_longer_qtc_silences_nothing(patient: Patient, by: int) -> None:
    newest = max(patient.ecgs, key=lambda each: each.day)
    longer = replace(newest, value=min(newest.value + by, 700))
    worse = replace(patient, ecgs=tuple(longer if each is newest else each for each in patient.ecgs))
    assert_no_calmer(tell(patient.request()), tell(worse.request()))


@given(anybody, st.sampled_from([POTASSIUM, MAGNESIUM]), st.decimals("0.1", "1.0", places=1))
@examples(60)
def test_lower_electrolytes_silence_nothing(patient: Patient, which: str, by: Decimal) -> None:
    name, least = ("potassium", Decimal("1.5")) if which == POTASSIUM else ("magnesium", Decimal("0.2"))
    value = getattr(patient, name)
    assume(value is not None)
    lower = replace(patient, **{name: max(value - by, least)})
    assert_no_calmer(tell(patient.request()), tell(lower.request()))


@given(anybody, st.sampled_from([80, 101, 120, 200, 201, 400, 600]))
@examples(80)
def test_a_higher_dose_silences_nothing(patient: Patient, mg: int) -> None:
    """A dose raised to that of an order on hold or running beside it is no longer another dose, so that may go.

    Of a dose that was too low nothing is said once it is high enough.
    """
    index = next(index for index, each in enumerate(patient.orders) if each.drug in OURS)
    first = patient.orders[index]
    assume(first.mg is not None and mg > first.mg)
    raised = (*patient.orders[:index], replace(first, mg=mg), *patient.orders[index + 1 :])
    same = any(each.drug == first.drug and each.mg == mg for each in patient.orders)
    before, after = tell(patient.request()), tell(replace(patient, orders=raised).request())
    gone = {"doseUnderLabel"} | ({"alsoActive"} if same else set())
    if before.loud and before.loud <= gone:
        return
    assert_no_calmer(before, after, gone=gone)


SIGNS = tuple(
    condition(code, words, "2026-11-19", id=f"sign-{code}")
    for code, words in (("J90", "Pleural effusion"), ("R50.9", "Fever"), ("I95.9", "Hypotension"), ("R56.9", "Seizure"))
)


@given(anybody, st.lists(st.sampled_from(SIGNS), min_size=1, max_size=2, unique_by=lambda each: str(each["id"])))
@examples(60)
def test_one_more_sign_silences_nothing(patient: Patient, signs: list[Json]) -> None:
    more = patient.request(conditions=[*patient.listed()["conditions"], *signs])
    assert_no_calmer(tell(patient.request()), tell(more))


# -- 3. both directions agree -----------------------------------------------------------------------------------------


@given(
    st.sampled_from(["gilteritinib", "venetoclax"]),
    doses,
    names,
    tracings.filter(lambda each: each.day == "2026-11-20"),
    potassiums,
    magnesiums,
    st.sampled_from(["order-select", "order-sign"]),
)
@examples(80)
def test_both_directions_of_an_interaction_agree(
    drug: str, mg: int, other: str, ecg: Tracing, potassium: Decimal, magnesium: Decimal, hook: str
) -> None:
    """Our drug drafted beside the other, and the other drafted beside ours: the same interactions, as urgent."""

    def ask(role: str, role_of_other: str) -> Told:
        pair = (Order(drug, role, mg), Order(other, role_of_other))
        return tell(Patient(hook, pair, (ecg,), potassium, magnesium, (), ("relapse",)).request())

    one, two = ask("draft", "active"), ask("active", "draft")
    assert interactions(one) == interactions(two)
    shown = [
        {code for code in INTERACTION_TOPICS if code in told.loud or stands_in_another(code, told)}
        for told in (one, two)
    ]
    assert shown[0] == shown[1], (said(one), said(two))


INTERACTION_TOPICS = {topic_code(each) for each in INTERACTIONS}


def interactions(told: Told) -> dict[str, Level]:
    return {check.rule.id: fired.finding.level for check, fired in told.fired if check.rule.id in INTERACTIONS}


# -- 4. order, irrelevance, units, where it came from -----------------------------------------------------------------

GLUCOSE = observation("2345-7", 7.1, "mmol/L", "2026-11-20T09:00:00Z")
HYPERTENSION = condition("I10", "Essential hypertension", "2015-01-01")
PARACETAMOL = order("paracetamol 500 mg tablet", "161", 1000, id="paracetamol")


def plainly(told: Told) -> list[Any]:
    """The cards without uuids. Drugs are listed in the order in which they came, so words count in any order.

    What several cards propose stands once, in the first of them: actions are those of the whole answer.
    """
    shown: list[Any] = []
    proposed: set[str] = set()
    for card in told.cards:
        detail = re.sub(r"among the \d+ conditions", "among the conditions", card["detail"])  # it counts what it read
        detail = re.sub(r" \(sent as [^)]*\)", "", detail)  # beside what it comes to, in one unit for all
        suggestions = [each["actions"] for each in card.get("suggestions", ())]
        proposed |= {json.dumps(action, sort_keys=True) for each in suggestions for action in each}
        shown.append((card["indicator"], topic(card), _words(card["summary"]), _words(detail)))
    return [*sorted(shown, key=str), sorted(proposed)]


def _words(text: str) -> list[str]:
    return sorted(re.findall(r"[\w.×/%<>=+-]*\w", text.lower()))


def assert_same(one: Told, two: Told) -> None:
    first, second = plainly(one), plainly(two)
    assert first == second, (
        [each for each in first if each not in second],
        [each for each in second if each not in first],
    )


ORDERED = Order(drug="gilteritinib", role="draft", mg=120, started="2026-11-20")
WITH_CLL = Patient("order-sign", (ORDERED,), (), None, None, (), ("cll",))


@given(patients(), st.integers(0, 1_000))
@example(WITH_CLL, 0)  # the same problem twice is one problem
@examples(70)
def test_order_duplicates_and_irrelevant_entries_change_nothing(patient: Patient, seed: int) -> None:
    chance = random.Random(seed)
    listed = patient.listed()
    more = {
        "labs": [GLUCOSE],
        "ecg": [],
        "genomics": [],
        "conditions": [HYPERTENSION],
        "medications": [PARACETAMOL],
    }
    mixed = {key: [*values, *values[:1], *more[key]] for key, values in listed.items()}
    for values in mixed.values():
        chance.shuffle(values)
    drafts = patient.drafts()
    chance.shuffle(drafts)
    assert_same(tell(patient.request()), tell(request(patient.hook, *drafts, **mixed)))


@pytest.mark.parametrize(
    "drugs",
    [
        ("azacitidine", "decitabine"),
        ("gilteritinib", "rifampicin", "carbamazepine"),
        ("venetoclax", "voriconazole", "clarithromycin"),
    ],
)
def test_which_of_two_drugs_came_first_changes_nothing(drugs: tuple[str, ...]) -> None:
    pair = [Order(drug, "draft").resource(index) for index, drug in enumerate(drugs)]
    assert_same(tell(request("order-sign", *pair)), tell(request("order-sign", *reversed(pair))))


@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_which_of_our_drugs_came_first_changes_neither_the_cards_nor_their_order(hook: str) -> None:
    role = "draft" if hook == "order-sign" else "active"
    drugs = [
        Order(drug, role, started="2026-11-12").resource(index)
        for index, drug in enumerate(("ivosidenib", "gilteritinib", "quizartinib"))
    ]
    one, two = (
        tell(request(hook, *(each if role == "draft" else ()), medications=() if role == "draft" else each))
        for each in (drugs, [*reversed(drugs)])
    )
    assert [card["summary"] for card in one.cards] == [card["summary"] for card in two.cards]


@pytest.mark.parametrize(("drug", "signs"), [
    ("gilteritinib", ("Fever", "Pleural effusion", "Dyspnea")),
    ("gilteritinib", ("Seizure", "Altered mental status")),
    ("clofarabine", ("Hypotension", "Pleural effusion")),
])
def test_which_of_several_signs_of_one_day_came_first_changes_nothing(drug: str, signs: tuple[str, ...]) -> None:
    listed = [
        condition("", words, "2026-11-19") | {"id": f"sign{index}", "code": {"text": words}}
        for index, words in enumerate(signs)
    ]
    known = condition("C92.02", "AML in relapse")
    running = [Order(drug, "active", started="2026-11-12").resource(0)]
    one, two = (
        tell(request("patient-view", conditions=[known, *each], medications=running))
        for each in (listed, [*reversed(listed)])
    )
    assert any(sign in card["detail"] for card in one.cards for sign in signs)
    assert [card["summary"] for card in one.cards] == [card["summary"] for card in two.cards]
    assert_same(one, two)


@given(patients(), st.sampled_from(["mEq/L", "mg/dL"]))
@examples(60)
def test_units_change_nothing(patient: Patient, unit: str) -> None:
    """The doubt about a rival shows no unit of its own; values are told in one unit."""
    listed = patient.listed()
    seconds = [
        each | {"valueQuantity": _quantity(each["valueQuantity"]["value"] / 1000, "s")} for each in listed["ecg"]
    ]
    factor = {"mEq/L": {POTASSIUM: 1.0, MAGNESIUM: 2.0}, "mg/dL": {POTASSIUM: 3.9098, MAGNESIUM: 2.4305}}[unit]
    labs = [
        each | {"valueQuantity": _quantity(round(each["valueQuantity"]["value"] * factor[code_of(each)], 5), unit)}
        for each in listed["labs"]
        if not (unit == "mg/dL" and code_of(each) == POTASSIUM and each["valueQuantity"]["value"] == 3.5)
    ]
    assume(len(labs) == len(listed["labs"]))
    assert_same(tell(patient.request()), tell(patient.request(ecg=seconds, labs=labs)))


def code_of(resource: Json) -> str:
    return str(resource["code"]["coding"][0]["code"])


def _quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


@given(patients(), st.sets(st.sampled_from(KEYS), min_size=1))
@examples(60)
def test_what_is_fetched_is_told_like_what_was_sent(patient: Patient, fetched: set[str]) -> None:
    body = patient.request()
    server = Server((PATIENT, *(each for values in patient.listed().values() for each in values)))
    without = body | {"prefetch": {key: value for key, value in body["prefetch"].items() if key not in fetched}}
    without |= {"fhirServer": "http://127.0.0.1:9/fhir"}
    assert_same(tell(body), tell(without, fhir=server))


# -- 5. no suggestion is unsafe ---------------------------------------------------------------------------------------

CEILINGS = {"moderate inhibitor": 200, "strong inhibitor": 100}
STRICTER = {"posaconazole": 70, "diltiazem": 100, "conivaptan": 100}


def ceiling(patient: Patient) -> int:
    """The most venetoclax a day beside the other drugs, as the table of the seeds and the maker's page say."""
    limits = [400]
    half = 300 if any(each.drug == "cytarabine" and each.role != "hold" for each in patient.orders) else 200
    for each in patient.orders:
        drug = SNAPSHOT.precipitants.get(each.drug)
        if drug is None or each.role == "hold" or each.drug in OURS:
            continue
        says = {statement.topic: statement.value for statement in drug.statements}
        limits += [limit for value, limit in CEILINGS.items() if says.get("cyp3a") == value and limit != 200]
        limits += [half] if says.get("cyp3a") == "moderate inhibitor" or says.get("pgp") == "inhibitor" else []
        limits += [STRICTER[each.drug]] if each.drug in STRICTER else []
    return min(limits)


@given(patients(most=4))
@examples(80)
def test_no_suggestion_is_unsafe(patient: Patient) -> None:
    told = tell(patient.request())
    card_grammar.assert_grammar(told.answer.body)
    drafts = {f"MedicationRequest/{each['id']}": each for each in patient.drafts() if patient.hook != "patient-view"}
    updated: list[str] = []
    for action in (a for card in told.cards for s in card.get("suggestions", ()) for a in s["actions"]):
        match action["type"]:
            case "create":
                assert action["resource"]["resourceType"] == "ServiceRequest"
            case "delete":
                assert action["resourceId"] in drafts
            case "update":
                resource = action["resource"]
                reference = f"MedicationRequest/{resource['id']}"
                updated.append(reference)
                dose, before = daily(resource), daily(drafts[reference])
                assert dose < before
                if reference in {
                    f"MedicationRequest/m{i}" for i, o in enumerate(patient.orders) if o.drug == "venetoclax"
                }:
                    assert dose <= ceiling(patient)
                assert resource["status"] == "draft"
    assert len(updated) == len(set(updated)), "two cards change one draft to two doses"


def daily(resource: Json) -> float:
    (dosage,) = resource["dosageInstruction"]
    repeat = dosage["timing"]["repeat"]
    assert (repeat["frequency"], repeat["period"], repeat["periodUnit"]) == (1, 1, "d")
    return float(dosage["doseAndRate"][0]["doseQuantity"]["value"])


# -- 6. what is offered may be ordered --------------------------------------------------------------------------------

ECOG, EGFR, LVEF, BILIRUBIN = "89247-1", "33914-3", "10230-1", "1975-2"
DANGERS = (
    PRES,
    condition("I47.21", "Torsades de pointes", "2026-11-10", id="torsades"),
    condition("I45.81", "Long QT syndrome", "2015-01-01", id="long-qt"),
    condition("I50.9", "Heart failure", "2026-10-01", id="heart-failure"),
    condition("K76.5", "Hepatic veno-occlusive disease", "2026-10-01", id="vod"),
    condition("K74.60", "Cirrhosis of liver", "2024-10-01", id="cirrhosis"),
    condition("C22.0", "Hepatocellular carcinoma", "2025-10-01", id="hcc"),
    condition("Z33.1", "Pregnant", "2026-10-01", id="pregnant"),
    CLL,
)


@st.composite
def before_treatment(draw: st.DrawFn) -> Json:
    """The chart of a patient in relapse for whom nothing is ordered yet, opened."""
    day = "2026-11-20T08:00:00Z"
    measured = {
        ECOG: ("{score}", (0, 1, 2, 3)),
        EGFR: ("mL/min/{1.73_m2}", (8, 14, 15, 25, 29, 30, 59, 80)),
        LVEF: ("%", (30, 44, 45, 49, 50, 60)),
        BILIRUBIN: ("mg/dL", (0.6, 1.9, 2.1, 4, 8)),
        POTASSIUM: ("mmol/L", (2.6, 2.9, 3.0, 3.4, 4.4)),
        MAGNESIUM: ("mmol/L", (0.3, 0.5, 0.75, 0.9)),
    }
    values = {code: draw(st.sampled_from([None, *some, some[-1], some[-1]])) for code, (_, some) in measured.items()}
    found = [observation(code, value, measured[code][0], day) for code, value in values.items() if value is not None]
    taken = draw(st.lists(st.builds(Order, names, st.just("active")), max_size=2, unique_by=lambda each: each.drug))
    ecgs = draw(st.lists(tracings, max_size=2, unique_by=lambda each: each.day))
    problems = draw(st.lists(st.sampled_from(DANGERS), max_size=2, unique_by=lambda each: str(each["id"])))
    return {
        "patient": PATIENT | {"birthDate": f"{draw(st.sampled_from([1945, 1951, 1970, 1990]))}-01-01"},
        "conditions": [RELAPSED, *problems],
        "medications": [each.resource(index) for index, each in enumerate(taken)],
        "ecg": [each.resource(index) for index, each in enumerate(ecgs)],
        "labs": [each for each in found if code_of(each) != ECOG],
        "bedside": [each for each in found if code_of(each) == ECOG],
        "genomics": [flt3_itd("2026-11-10", draw(st.booleans()))],
    }


@pytest.mark.parametrize("jurisdiction", ["US", "EU", "JP"])
@given(before_treatment())
@examples(25)
def test_what_is_offered_may_be_ordered(jurisdiction: str, chart: Json) -> None:
    """Each drug of each option offered, ordered at once: no critical card is about that order, and nothing holds it."""
    told = tell(request("patient-view", **chart), jurisdiction=jurisdiction)
    options = {each.name: each for each in tools().knowledge.at(NOW.date(), jurisdiction).options.values()}
    drugs = {drug for offer in offered(told) for drug in options[offer.name].drugs}
    for drug in sorted(drugs):
        draft = order(drug, id="wanted", status="draft", authoredOn="2026-11-21")
        then = tell(request("order-sign", draft, **chart), jurisdiction=jurisdiction)
        stops = [
            check.rule.id
            for check, fired in then.fired
            if (fired.finding.level is Level.CRITICAL or fired.finding.holds)
            and any(each.reference == "MedicationRequest/wanted" for each in fired.finding.about)
        ]
        assert not stops, (drug, stops, said(then))
        assert then.highest < Level.CRITICAL or told.highest is Level.CRITICAL, (drug, said(then))


def offered(told: Told) -> list[Offer]:
    """The options that are offered, with cautions or without."""
    (groups,) = [f.finding.values["groups"] for c, f in told.fired if c.rule.id == "options-at-relapse"] or [()]
    return [
        offer
        for _, _, together in groups  # type: ignore[attr-defined]
        for offer in together
        if offer.verdict in (Verdict.OFFERED, Verdict.CAUTIONS)
    ]


def test_options_are_offered_to_the_patients_of_these_properties() -> None:
    chart: Json = {
        "conditions": [RELAPSED], "genomics": [flt3_itd("2026-11-10")], "ecg": [Tracing(430, "2026-11-20").resource(0)],
        "labs": [observation(code, value, "mmol/L", "2026-11-20T08:00:00Z") for code, value in
                 ((POTASSIUM, 4.4), (MAGNESIUM, 0.9))],
    }  # fmt: skip
    assert "gilteritinib" in {offer.name for offer in offered(tell(request("patient-view", **chart)))}


# -- 7. critical only where allowed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("jurisdiction", ["US", "EU", "JP"])
@given(patients(most=4))
@examples(60)
def test_critical_is_rare_and_stands_on_a_word_that_was_read(jurisdiction: str, patient: Patient) -> None:
    told = tell(patient.request(), jurisdiction=jurisdiction)
    assert topics_at(told, Level.CRITICAL) <= CRITICAL_TOPICS
    for check, fired in told.fired:
        finding = fired.finding
        assert finding.level <= check.rule.worst
        if finding.level is Level.CRITICAL:
            assert finding.says, check.rule.id
            weak = [each.id for each in finding.says if each.verification in NO_WORD or each.foreign]
            assert not weak, (check.rule.id, weak)
            assert not finding.doubts


# -- 8. every check has an outcome and says on whose word -------------------------------------------------------------


@given(patients(most=4))
@examples(70)
def test_every_check_ends_in_one_of_four_outcomes_and_fires_on_a_source(patient: Patient) -> None:
    told = tell(patient.request())
    checks = told.answer.evaluation.checks
    assert {check.rule.id for check in checks} >= INTERACTIONS
    for check in checks:
        assert isinstance(check.outcome, Fired | Clear | NotEvaluated | NotApplicable)
        assert "failed in this service" not in getattr(check.outcome, "why", ""), check.rule.id
        if isinstance(check.outcome, Fired) and check.rule.id not in MAY_CITE_NOTHING:
            assert check.outcome.finding.says and set(check.outcome.finding.says) <= set(check.cites), check.rule.id
    assert not any("could not be written" in card["summary"] for card in told.cards)
