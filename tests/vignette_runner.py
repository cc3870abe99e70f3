"""Vignettes: a few lines of YAML become a chart, one rule is asked, and its outcome and card are compared.

A vignette speaks the facts' own names. What it does not name was asked for and not found. How to write one:
`vignettes/README.md`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from cards.loading import load
from cards.model import Card
from cds_service.answer import spans
from cds_service.facts.allergies import ALLERGIES, Allergy
from cds_service.facts.chart import Chart
from cds_service.facts.course import ALLOGENEIC, CYTOGENETICS, FIRST_REMISSION, RELAPSE_NUMBER, TO_RELAPSE, Months
from cds_service.facts.demographics import AGE, DECEASED, LINKED, PATIENT, SEX, Age
from cds_service.facts.disease import APL, DISEASE, RELAPSE, Disease
from cds_service.facts.drugs.doses import Dose
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Medications, Role
from cds_service.facts.entries import HISTORY, PROBLEMS, PROCEDURES, Entry
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing, rivalled
from cds_service.facts.genomics.details import NO_DETAIL, Detail
from cds_service.facts.genomics.ledger import LEDGER, read_ledger
from cds_service.facts.genomics.mutations import CD33, MARKERS, Mutation
from cds_service.facts.genomics.results import Result
from cds_service.facts.orders import DRAFTED, ORDERED, TYPED
from cds_service.facts.reproduction import PREGNANT
from cds_service.facts.residual import OF_RESIDUAL
from cds_service.facts.times import When
from cds_service.facts.values.ecg import ECGS, QTC, REFUSED, Ecg, Formula
from cds_service.facts.values.labs import BEDSIDE, LABS, MULTIPLES, OVER_TIME, Series
from cds_service.gather.resources import Resource
from cds_service.hooks.services import Moment
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Level
from cds_service.knowledge.snapshot import Snapshot
from cds_service.present.present import Stage, present
from cds_service.quantity import Quantity
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Check, Evaluation, Fired, NotEvaluated
from cds_service.rules.running import evaluate
from tests.vignette_record import read_record

HOME = Path(__file__).parent / "vignettes"
TODAY = date(2026, 11, 20)
NUMBERS = (*LABS, *BEDSIDE, *MULTIPLES.values())
LISTED = {"complete", "partly read", "not sent", "failed"}

_CASE = {"name", "rule", "source", "today", "jurisdiction", "facts", "unsent", "failed", "orders", "medication list"}
_CASE |= {"record", "subject", "edge", "expect", "fault"}
_EXPECT = {"outcome", "level", "says", "not_says", "proposes", "missing", "gap", "waits", "holds", "line", "cites"}
_EXPECT |= {"beside", "of_call"}
_ORDER = {"dose", "since", "ended", "replaces", "route", "product", "matched by", "high dose", "reason", "doubt"}
_ORDER |= {"conflict", "on record"}
_NUMBER = re.compile(r"(?P<bound>[<>]=?)?\s*(?P<value>[\d.]+)\s*(?P<unit>\S.*?)\s*\Z")
_WHEN = re.compile(r"\s+(?:on|since|in|(?P<filed>filed on))\s+(?P<when>\d{4}(?:-\d\d){0,2}(?:[ T]\d\d:\d\d)?)\s*\Z")
_NAMED_AGAIN = re.compile(r"named again on [\d-]+")
_RATE = re.compile(r"\s+at\s+(?P<rate>[\d.]+)/min\s*\Z")
_UNITS = {"× ULN": "[ULN]", "×10⁹/L": "10*9/L", "years": "a"}


@dataclass(frozen=True, eq=False)
class Vignette:
    """One case, as written, with what its file says for all of its cases."""

    name: str
    rule: str
    content: Mapping[str, Any]

    @property
    def expect(self) -> Mapping[str, Any]:
        return self.content["expect"]

    @property
    def edges(self) -> tuple[str, ...]:
        edges = self.content.get("edge", ())
        return (edges,) if isinstance(edges, str) else tuple(edges)


@dataclass(frozen=True)
class Told:
    """What became of a vignette: the check, everything a clinician would read of it, and what may be accepted."""

    check: Check
    cards: tuple[Card, ...]
    text: str
    proposed: tuple[str, ...]
    missing: tuple[str, ...]
    beside: tuple[str, ...]


@cache
def vignettes() -> tuple[Vignette, ...]:
    """Every vignette, in the order of the files."""
    return tuple(vignette for path in sorted(HOME.rglob("*.yaml")) for vignette in _in_file(path))


def _in_file(path: Path) -> Iterator[Vignette]:
    place = path.relative_to(HOME).as_posix()
    content = load(path.read_text(encoding="utf-8"))
    cases = content.pop("cases", None)
    for case in [{}] if cases is None else cases:
        merged = {**content, **case, "facts": {**content.get("facts", {}), **case.get("facts", {})}}
        _accept(place, merged, _CASE)
        _accept(place, merged.get("expect", {}), _EXPECT)
        if merged["rule"] != path.parent.name:
            raise ValueError(f"{place}: rule '{merged['rule']}' stands in another rule's folder")
        yield Vignette(merged["name"], merged["rule"], merged)


def _accept(place: str, content: Mapping[str, Any], names: set[str]) -> None:
    for name in content.keys() - names:
        raise ValueError(f"{place}: '{name}' is not part of a vignette; see vignettes/README.md")


@cache
def _knowledge() -> Knowledge:
    return Knowledge.load()


@cache
def tell(vignette: Vignette) -> Told:
    """Ask the one rule about the chart of the vignette, and write its card."""
    knowledge = _knowledge()
    chart = read_vignette(vignette)
    snapshot = _snapshot(vignette)
    rule = next(each for each in RULES if each.id == vignette.rule)
    checks = evaluate((rule,), chart, snapshot).checks
    check = _the_check(checks, vignette)
    # A gap concerns the drafts that are signed; everything else shows when the patient is viewed.
    drafted = isinstance(check.outcome, NotEvaluated) and chart.medications.of(Role.DRAFT)
    moment = Moment.SIGN if drafted else Moment.VIEW
    # No version by its digits: a case that wants a number unsaid must not find it there by chance.
    stage = Stage(moment, "aml-cds", "", "https://example.org", "of the day", uuid.uuid4)
    cards = present(Evaluation((check,), _with_leukaemia(chart, vignette)), snapshot, knowledge.terms, stage)
    suggestions = [each for card in cards for each in card.suggestions]
    outcome = check.outcome
    words = [part for card in cards for part in (card.summary, card.detail.whole())]
    gaps = outcome.missing if isinstance(outcome, NotEvaluated) else ()
    words += [getattr(outcome, "why", ""), *(part for fact in gaps for part in (fact.why, *fact.doubts))]
    return Told(
        check,
        cards,
        "\n".join(words),
        tuple(f"{each.actions[0].type}: {each.label}" for each in suggestions),
        tuple(fact.key.name for fact in gaps),
        tuple(words for each in _gaps_beside(check, checks) for words in _named(each)),
    )


def _snapshot(vignette: Vignette) -> Snapshot:
    """The knowledge of the day and the place of the vignette."""
    content = vignette.content
    return _knowledge().at(content.get("today", TODAY), content.get("jurisdiction", "US"))


def _gaps_beside(check: Check, checks: Iterable[Check]) -> list[NotEvaluated]:
    """The gaps that are told beside that check, about the same subject."""
    others = [each.outcome for each in checks if each is not check and each.subject == check.subject]
    return [outcome for outcome in others if isinstance(outcome, NotEvaluated)]


def _named(gap: NotEvaluated) -> tuple[str, ...]:
    """What is missing, by the names of the facts; else the reason in words."""
    return tuple(fact.key.name for fact in gap.missing) or (gap.why or "no reason",)


def _with_leukaemia(chart: Chart, vignette: Vignette) -> Chart:
    """The chart for the cards: where a case says nothing of the disease, it is not about patients without leukaemia."""
    if "disease" in vignette.content["facts"]:
        return chart
    return dataclasses.replace(chart, facts={**chart.facts, DISEASE.name: known(DISEASE, Disease.RELAPSED)})


def _the_check(checks: tuple[Check, ...], vignette: Vignette) -> Check:
    subject = vignette.content.get("subject", "")
    chosen = [check for check in checks if subject in check.subject or not check.subject]
    found = list(
        {check.subject: check for check in reversed(chosen)}.values()
    )  # a gap may stand beside a doubtful finding
    if len(found) != 1:  # a rule asked of two drugs, or of potassium and magnesium
        raise ValueError(f"'{vignette.name}': 'subject' must choose among {[check.subject for check in checks]}")
    return found[0]


def read_vignette(vignette: Vignette) -> Chart:
    """The chart that the vignette describes."""
    content = vignette.content
    now = datetime.combine(content.get("today", TODAY), time(12), UTC)
    facts = _Facts(dict(content["facts"]))
    read = facts.all(content.get("unsent", ()), content.get("failed", ()))
    if "record" in content:
        read += read_record(content["record"], spans(_snapshot(vignette)))
    else:
        read.append(_medications(content.get("orders", ()), content.get("medication list", "complete")))
    named = {fact.key.name: fact for fact in read}
    return Chart("vignette", now, _Faulty(named | {LEDGER.name: read_ledger(named)}, content.get("fault", ())))


class _Faulty(dict[str, Fact[Any]]):
    """The facts of a chart. Who asks for one of `faults` meets a fault of this service."""

    def __init__(self, facts: Mapping[str, Fact[Any]], faults: Iterable[str]) -> None:
        super().__init__(facts)
        self.faults = frozenset(faults)

    def __getitem__(self, name: str) -> Fact[Any]:
        if name in self.faults:
            raise RuntimeError(f"a fault at {name}")
        return super().__getitem__(name)


class _Facts:
    """The facts of a vignette, each read from its one line."""

    def __init__(self, lines: dict[str, Any]) -> None:
        self.lines = lines

    def all(self, unsent: tuple[str, ...], failed: tuple[str, ...]) -> list[Fact[Any]]:
        read: list[Fact[Any]] = [known(PATIENT, "Patient/vignette"), self._age(), *self._ordered(), self._typed()]
        read += [self._sex(), known(LINKED, ())]
        read += [*self._ecgs(), *self._conditions(), self._entries(PROCEDURES)]
        problems = next(fact for fact in read if fact.key is PROBLEMS)
        history = replace(problems, key=HISTORY, value=(*(problems.value or ()), *self._history()))
        read += [history, _death(self.lines.pop("deceased", False))]
        read += self._course()
        read += [self._number(key, self.lines.pop(key.name, None)) for key in NUMBERS]
        read += [self._series(key, read) for key in OVER_TIME]
        read += [self._mutation(key) for key in MARKERS]
        read += [self._pregnant(), self._allergies()]
        if self.lines:
            raise ValueError(f"no such fact: {', '.join(self.lines)}")
        states = dict.fromkeys(unsent, State.NOT_ASKED) | dict.fromkeys(failed, State.FAILED)
        for group in ((QTC, ECGS), (PROBLEMS, HISTORY, DISEASE, RELAPSE, APL)):  # read from one query each
            given = [states[key.name] for key in group if key.name in states]
            states |= {key.name: given[0] for key in group if given}
        unknown = states.keys() - {fact.key.name for fact in read}
        if unknown:
            raise ValueError(f"no such fact: {', '.join(unknown)}")
        why = {State.NOT_ASKED: "not sent", State.FAILED: "the EHR answered with an error"}
        return [
            missing(fact.key, states[fact.key.name], why[states[fact.key.name]]) if fact.key.name in states else fact
            for fact in read
        ]

    def _age(self) -> Fact[Age]:
        line = self.lines.pop("age", None)
        if not line:
            return missing(AGE, State.ABSENT, "no usable birth date")
        told, _, born = line.partition(", born ")
        years = [int(number) for number in re.findall(r"\d+", told)]
        return known(AGE, Age(years[0], years[-1], When.read(born, UTC) if born else None))

    def _sex(self) -> Fact[str]:
        line = self.lines.pop("sex", None)
        return known(SEX, line) if line else missing(SEX, State.ABSENT, "not on record")

    def _course(self) -> list[Fact[Any]]:
        """How the disease went: months, the number of the relapse, an allogeneic transplantation, the karyotype."""
        read: list[Fact[Any]] = []
        for key in (FIRST_REMISSION, TO_RELAPSE):
            lasted, *doubts = str(self.lines.pop(key.name, "")).split(", ")
            numbers = [int(number) for number in re.findall(r"\d+", lasted)]
            months = known(key, Months(numbers[0], numbers[-1]), doubts=tuple(doubts)) if numbers else None
            read.append(months or missing(key, State.ABSENT, "no entry of a first remission with its date"))
        number, *doubts = str(self.lines.pop(RELAPSE_NUMBER.name, "")).split(", ")
        nothing = missing(RELAPSE_NUMBER, State.ABSENT, "no relapse on record")
        read.append(known(RELAPSE_NUMBER, int(number), doubts=tuple(doubts)) if number else nothing)
        donor = self.lines.pop(ALLOGENEIC.name, "no")
        untold = missing(ALLOGENEIC, State.UNREADABLE, "transplant status, type not stated")
        answer, when, unsure = _split(donor)
        transplanted = known(ALLOGENEIC, answer == "yes", when, doubts=unsure)
        read.append(untold if donor == "type not stated" else transplanted)
        karyotype = self.lines.pop(CYTOGENETICS.name, None)
        unnamed = missing(CYTOGENETICS, State.ABSENT, "no entry names the karyotype")
        return [*read, known(CYTOGENETICS, karyotype) if karyotype else unnamed]

    def _ordered(self) -> tuple[Fact[frozenset[str]], Fact[frozenset[str]]]:
        """What is ordered, what this call drafts among it."""
        drafted = frozenset(self.lines.pop(DRAFTED.name, ()))
        return known(ORDERED, drafted.union(self.lines.pop(ORDERED.name, ()))), known(DRAFTED, drafted)

    def _typed(self) -> Fact[bool]:
        return known(TYPED, self.lines.pop(TYPED.name, "no") == "yes")

    def _pregnant(self) -> Fact[bool]:
        line = self.lines.pop("pregnant", None)
        if line is None:
            return missing(PREGNANT, State.ABSENT, "none found under the codes we ask for")
        if line.startswith("unreadable: "):
            return missing(PREGNANT, State.UNREADABLE, line.removeprefix("unreadable: "))
        answer, when, doubts = _split(line)
        return known(PREGNANT, answer == "yes", when, _FROM, doubts=doubts)

    def _allergies(self) -> Fact[tuple[Allergy, ...]]:
        lines = self.lines.pop("allergies", ())
        doubts = ("not every entry was read",) if "one could not be read" in lines else ()
        entries = [_split(line) for line in lines if line != "one could not be read"]
        found = tuple(_allergy(name, when, unsure) for name, when, unsure in entries)
        return known(ALLERGIES, found, None, _FROM, doubts=doubts)

    def _series(self, key: Key[Quantity], read: list[Fact[Any]]) -> Fact[Series]:
        """Every value of a kind, newest first; where only the newest is written, that one."""
        lines = self.lines.pop(OVER_TIME[key].name, None)
        newest = next(fact for fact in read if fact.key is key)
        if lines is None and newest.value is None:
            return missing(OVER_TIME[key], newest.state, newest.why)
        points = [newest] if lines is None else [self._number(key, line) for line in lines]
        return known(OVER_TIME[key], tuple(points), points[0].when, points[0].origin, doubts=points[0].doubts)

    def _number(self, key: Key[Quantity], line: str | None) -> Fact[Quantity]:
        if line is None:
            return missing(key, State.ABSENT, "none found under the codes we ask for")
        if line.startswith("unreadable: "):
            words = line.removeprefix("unreadable: ")
            found, when = _WHEN.search(words), _when(words)
            return Fact(key, State.UNREADABLE, when=when, why=words[: found.start()] if found else words)
        text, when, doubts = _split(line)
        text, _, sent = text.partition(" sent as ")
        measured, bound = quantity(text)
        fact = known(key, measured, when, Origin("Observation/1", "vignette", sent or text), bound=bound, doubts=doubts)
        return _conflicting(fact)

    def _ecgs(self) -> tuple[Fact[Ecg], Fact[tuple[Ecg, ...]], Fact[tuple[When | None, ...]]]:
        days = [_when(f" on {line}") for line in self.lines.pop("refused ecgs", ())]
        refused = known(REFUSED, tuple(days), None, Origin("Observation", "vignette", ""))
        refused = refused.doubted(f"an ECG of {days[0]} cannot be used") if days else refused
        return *self._used_ecgs(), refused

    def _used_ecgs(self) -> tuple[Fact[Ecg], Fact[tuple[Ecg, ...]]]:
        single = self.lines.pop("qtc", None)
        lines = self.lines.pop("ecgs", [single] if single else [])
        if not lines:
            why = "none found under the codes we ask for"
            return missing(QTC, State.ABSENT, why), missing(ECGS, State.ABSENT, why)
        if lines[0].startswith("unreadable: "):
            why = lines[0].removeprefix("unreadable: ")
            return missing(QTC, State.UNREADABLE, why), missing(ECGS, State.UNREADABLE, why)
        doubts = ("not every ECG was read",) if "one could not be read" in lines else ()
        ecgs = tuple(_ecg(line) for line in lines if line != "one could not be read")
        first = ecgs[0]
        newest = known(QTC, first, first.when, first.origin, bound=first.bound, doubts=first.doubts)
        return _conflicting(newest), known(ECGS, ecgs, first.when, first.origin, doubts=doubts)

    def _conditions(self) -> tuple[Fact[Any], ...]:
        problems = self._entries(PROBLEMS)
        line = self.lines.pop("disease", "none")
        state = next(each for each in Disease if each.name.lower() == line.split()[0].strip(","))
        when = _when(line)
        again = _NAMED_AGAIN.search(line)
        entry = Entry(
            ("aml",),
            state.name.lower(),
            state.value,
            when,
            _FROM,
            of_disease="by its clinical status" in line,
            named_again=_when(again[0]) if again else None,
        )
        told = ("by its clinical status", "named again")
        words = [each.strip() for each in line.split(",")[1:] if not each.strip().startswith(told)]
        doubts = tuple(OF_RESIDUAL if each == "of residual disease" else each for each in words)
        stated = state in (Disease.RELAPSED, Disease.REFRACTORY)
        if stated and when is not None:
            relapse = known(RELAPSE, entry, when, _FROM)
        else:
            why = "relapse on record without a date" if stated else "no relapse on record"
            relapse = missing(RELAPSE, State.ABSENT, why)
        apl = self.lines.pop("apl", "no")
        return (
            problems,
            known(DISEASE, state, when, _FROM, doubts=doubts),
            relapse,
            known(APL, apl.startswith("yes"), _when(apl), _FROM, doubts=_split(apl)[2]),
        )

    def _history(self) -> tuple[Entry, ...]:
        """What is over: past states of the AML, as in "relapsed since 2025-11-01", and symptoms, as in the problems."""
        lines = [(_split(line)[0], _when(line), _until(line)) for line in self.lines.pop(HISTORY.name, ())]
        states = {state.name.lower() for state in Disease}
        return tuple(
            Entry(("aml",), words, f"AML, {words}", when, _FROM, over=True)
            if words in states
            else Entry((words.replace(" ", "_"),), "", words, when, _FROM, over=True, ended=ended)
            for words, when, ended in lines
        )

    def _entries(self, key: Key[tuple[Entry, ...]]) -> Fact[tuple[Entry, ...]]:
        lines = self.lines.pop(key.name, ())
        doubts = ("not every entry was read",) if "one could not be read" in lines else ()
        entries = [_split(line) for line in lines if line != "one could not be read"]
        return known(
            key,
            tuple(_noted_or_not(name, when, doubts) for name, when, doubts in entries),
            None,
            _FROM,
            doubts=doubts,
        )

    def _mutation(self, key: Key[Mutation]) -> Fact[Mutation]:
        lines = self.lines.pop(key.name, None)
        if lines is None:
            return missing(key, State.ABSENT, "none found under the codes we ask for")
        results = []
        for line in [lines] if isinstance(lines, str) else lines:
            if line.startswith("unreadable: "):
                return missing(key, State.UNREADABLE, line.removeprefix("unreadable: "))
            if line.startswith("void: "):
                return missing(key, State.ABSENT, line.removeprefix("void: "))
            outcome, when, doubts = _split(line)
            if when is not None and when.filed:
                doubts = (*doubts, f"filed on {when.latest.date()}, specimen date not stated")
            share = quantity(outcome)[0] if outcome[0].isdigit() else None  # CD33, as a share of the blasts
            told = outcome if share is None else ("present" if share.value > 0 else "absent")
            detail = NO_DETAIL if key is CD33 else Detail(vaf=share)
            results.append(Result(key.name, told, outcome, when, _FROM, doubts, share, detail))
        first = results[0]
        rivals = {result.outcome for result in results if result.when == first.when}
        value = Mutation("present" in rivals, tuple(results))
        fact = known(key, value, first.when, _FROM, doubts=first.doubts)
        if len(rivals) == 1:
            return fact
        why = f"results of {first.when} say both present and absent"
        doubts = ("conflicting results of one day",)
        return Fact(key, State.CONFLICTING, value, first.when, _FROM, doubts=doubts, why=why)


_FROM = Origin("Condition/1", "vignette")
_NOTED = " noted"


def _death(said: object) -> Fact[bool]:
    """On record or not, or the day of it."""
    return known(DECEASED, bool(said), None if isinstance(said, bool) else When.read(str(said), UTC))


def _allergy(name: str, when: When | None, unsure: tuple[str, ...]) -> Allergy:
    """To a drug by its name, or to a class by words and its ATC group: "anthracyclines (ATC L01DB)"."""
    words, _, group = name.rstrip(")").partition(" (ATC ")
    of_class = tuple(sorted(_knowledge().terms.drugs_of_group(group))) if group else ()
    return Allergy((() if group else (name,)), words, "allergy", when, _FROM, unsure, of_class)


def _noted_or_not(name: str, when: When | None, doubts: tuple[str, ...]) -> Entry:
    """An entry, whose day may be only that of its recording."""
    words = name.removesuffix(_NOTED)
    named = f"{words} ({doubts[0]})" if doubts else words
    return Entry((words.replace(" ", "_"),), "", named, when, _FROM, noted=name.endswith(_NOTED), doubts=doubts)


_FORMULAS = {"QTcF": Formula.FRIDERICIA, "QTcB": Formula.BAZETT, "QTc": Formula.UNSPECIFIED}


def _ecg(line: str) -> Ecg:
    """One ECG, as in "512 ms QTcF at 72/min on 2026-11-20 08:30, preliminary"."""
    text, when, doubts = _split(line)
    rate = _RATE.search(text)
    text = text[: rate.start()] if rate else text
    text, _, formula = text.rpartition(" ")
    measured, bound = quantity(text)
    beats = Quantity(Decimal(rate["rate"]), "/min") if rate else None
    return Ecg(measured, _FORMULAS[formula], beats, when, _FROM, bound=bound, doubts=doubts)


def quantity(text: str) -> tuple[Quantity, str]:
    """The quantity written as "> 480 ms" or "25 ×10⁹/L", and its bound when there is one."""
    match = _NUMBER.match(text)
    if match is None:
        raise ValueError(f"expected a number and a unit, found '{text}'")
    return Quantity(Decimal(match["value"]), _UNITS.get(match["unit"], match["unit"])), match["bound"] or ""


def _split(line: str) -> tuple[str, When | None, tuple[str, ...]]:
    """What a line says, when, and its doubts: "3.4 mmol/L on 2026-11-20, preliminary"."""
    text, *doubts = (part.strip() for part in line.split(","))
    match = _WHEN.search(text)
    return (text[: match.start()] if match else text), _when(text), tuple(doubts)


def _when(text: str) -> When | None:
    match = _WHEN.search(text.split(",")[0])
    when = When.read(match["when"].replace(" ", "T"), UTC) if match else None
    return When.not_after(when) if when is not None and match is not None and match["filed"] else when


def _until(line: str) -> When | None:
    """When what is over ended, as in "seizure on 2026-11-01, until 2026-11-02"."""
    return next((When.read(each.removeprefix("until "), UTC) for each in _split(line)[2]), None)


def _conflicting(fact: Fact[Any]) -> Fact[Any]:
    also = [doubt for doubt in fact.doubts if doubt.startswith("also ")]
    if also:
        others = [replace(fact, value=quantity(words.removeprefix("also "))[0], doubts=()) for words in also]
        return rivalled(replace(fact, doubts=tuple(each for each in fact.doubts if each not in also)), others)
    rivals = [doubt for doubt in fact.doubts if doubt.startswith("conflicting")]
    if not rivals:
        return fact
    state = State.CONFLICTING
    return Fact(fact.key, state, fact.value, fact.when, fact.origin, fact.bound, fact.doubts, rivals[0])


def _medications(lines: tuple[Mapping[str, Any], ...], listed: str) -> Fact[Medications]:
    if listed not in LISTED:
        raise ValueError(f"medication list: expected one of {', '.join(sorted(LISTED))}, found '{listed}'")
    orders: list[Medication] = []
    for line in lines:
        orders.append(_order(line, orders))
    value = Medications(tuple(orders), sum(order.role is not Role.DRAFT for order in orders), 0)
    where = Origin("MedicationRequest", "vignette")
    match listed:
        case "complete":
            return known(MEDICATIONS, value, None, where)
        case "partly read":
            return known(MEDICATIONS, value, None, where, doubts=("1 order could not be told apart by code or name",))
        case _:
            state, why = (State.NOT_ASKED, listed) if listed == "not sent" else (State.FAILED, "the EHR gave an error")
            return Fact(MEDICATIONS, state, value, None, where, doubts=(why,), why=why)


def _order(line: Mapping[str, Any], earlier: list[Medication]) -> Medication:
    """One order, as in {draft: venetoclax, dose: 400 mg, replaces: venetoclax}."""
    role = next(each for each in Role if each.value in line)
    _accept(f"order {dict(line)}", line, {role.value, *_ORDER})
    drug = line[role.value]
    reference = f"MedicationRequest/{drug}-{role.value}-{len(earlier)}".replace(" ", "-").replace("+", "-")
    replaced = [each for each in earlier if line.get("replaces") in each.ingredients]
    if "replaces" in line and not replaced:
        raise ValueError(f"order {dict(line)}: what it replaces must stand before it")
    return Medication(
        ingredients=tuple(part.strip() for part in drug.split("+")),
        role=role,
        label=line.get("product", drug),
        reference=reference,
        resource=_resource(line, reference, role, drug),
        matched_by=line.get("matched by", "RxNorm"),
        dose=_dose(line.get("dose")),
        route=line.get("route", "oral"),
        start=_day(line.get("since")),
        end=_day(line.get("ended")),
        replaces=(replaced[-1].reference,) if replaced else (),
        product=line.get("product", ""),
        high_dose=bool(line.get("high dose", False)),
        reason=line.get("reason", ""),
        progressed="progression" in _knowledge().terms.words["ended for"].find_all(line.get("reason", "")),
        doubts=(line["doubt"],) if "doubt" in line else (),
        conflict=line.get("conflict", ""),
        on_record=line.get("on record", ""),
        courses=_knowledge().terms.words["course"].find_all(line.get("product", drug)),
    )


def _day(written: date | str | None) -> When | None:
    return None if written is None else When.read(str(written), UTC)


def _dose(line: str | None) -> Dose:
    if line is None:
        return Dose(None, "no dose stated")
    match = re.match(r"(?:(\d+) x )?([\d.]+) (mg/m2|mg)(?: for (\d+) days)?\Z", line)
    if match is None:
        return Dose(None, line)
    times, amount = Decimal(match[1]) if match[1] else None, Decimal(match[2])
    if match[3] == "mg/m2":
        days = Decimal(match[4]) if match[4] else None
        return Dose(None, "ordered per body surface", times=times, per_area=Quantity(amount, "mg/m2"), days=days)
    return Dose(Quantity(amount * (times or 1), "mg/d"), times=times)


def _resource(line: Mapping[str, Any], reference: str, role: Role, drug: str) -> Resource:
    """The order as FHIR, so that a changed draft can be made of it."""
    content = {
        "resourceType": "MedicationRequest",
        "id": reference.split("/")[1],
        "status": {Role.DRAFT: "draft", Role.ACTIVE: "active", Role.ON_HOLD: "on-hold", Role.PAST: "stopped"}[role],
        "intent": "order",
        "subject": {"reference": "Patient/vignette"},
        "medicationCodeableConcept": {"text": line.get("product", drug)},
    }
    return Resource("MedicationRequest", json.dumps(content).encode(), "vignette")


def compare(vignette: Vignette, told: Told) -> list[str]:
    """Every difference between what was expected and what was told, in words."""
    expect = vignette.expect
    wrong: list[str] = []
    if told.check.word != expect["outcome"]:
        wrong.append(f"outcome: expected {expect['outcome']}, found {told.check.word}")
    if isinstance(told.check.outcome, Fired):
        level = told.check.outcome.finding.level.indicator
        if level != expect.get("level"):
            wrong.append(f"level: expected {expect.get('level')}, found {level}")
        if told.check.outcome.finding.line and told.check.outcome.finding.level >= Level.WARNING:
            wrong.append("what warns stands in a card of its own, never as a line in another")
    elif "level" in expect and not wrong:
        wrong.append("level: only a check that fired has one")
    for name, ask in (("waits", _waits), ("holds", _holds), ("of_call", _of_call), ("line", _line), ("gap", _gap)):
        if name in expect and expect[name] != ask(told.check):
            wrong.append(f"{name}: expected {expect[name]}, found {ask(told.check)}")
    wrong += [f"does not say '{words}'" for words in map(str, expect.get("says", ())) if words not in told.text]
    wrong += [f"says '{words}'" for words in map(str, expect.get("not_says", ())) if words in told.text]
    lists = {"proposes": told.proposed, "missing": told.missing, "beside": told.beside, "cites": _cited(told.check)}
    for name, found in lists.items():
        if name in expect and sorted(expect[name]) != sorted(found):
            wrong.append(f"{name}: expected {sorted(expect[name])}, found {sorted(found)}")
    return wrong


def _waits(check: Check) -> bool:
    """Whether the drug is not started until this is settled, so that counselling for its start can wait."""
    return isinstance(check.outcome, Fired) and check.outcome.finding.waits


def _holds(check: Check) -> bool:
    """Whether the drug's own source holds it here, so that no option with it is offered."""
    return isinstance(check.outcome, Fired) and check.outcome.finding.holds


def _of_call(check: Check) -> bool:
    """Whether a service that this call drafts is the reason, so that it is told when that is signed."""
    return isinstance(check.outcome, Fired) and check.outcome.finding.of_call


def _line(check: Check) -> bool:
    """Whether the finding is small enough to stand as a line in another card."""
    return isinstance(check.outcome, Fired) and check.outcome.finding.line


def _cited(check: Check) -> tuple[str, ...]:
    """The ids of the statements on whose word a finding stands, and of those that it only mentions."""
    if not isinstance(check.outcome, Fired):
        return ()
    finding = check.outcome.finding
    return tuple(dict.fromkeys(statement.id for statement in (*finding.says, *finding.mentions)))


def _gap(check: Check) -> str:
    """How much it matters that the check was not made: "quiet" stands in the trace only."""
    if not isinstance(check.outcome, NotEvaluated):
        return "none"
    level = check.rule.blind if check.outcome.level is None else check.outcome.level
    return "quiet" if check.outcome.quiet else level.indicator
