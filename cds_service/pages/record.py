"""The source-attribute record of a rule: what a governance committee needs to judge it without asking us.

What it does, who wrote and reviewed it (empty until signed), what it reads, what it cites, how severe it may be, how
it may be overridden, the cases that hold it, where it ends, and what this site did with it. All of it is taken from
code and data; nothing here is written by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cards.reasons import by_rule, reasons
from cards.topic import topic_code
from cds_service import __version__
from cds_service import rules as rules_of_ours
from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import check_days, read_yaml
from cds_service.knowledge.model import Level
from cds_service.knowledge.snapshot import Snapshot
from cds_service.pages.entries import Line
from cds_service.pages.library import Library
from cds_service.pages.reading import reach
from cds_service.pages.rule_told import From, in_words, written_from
from cds_service.pages.validation import CaseFile, by_outcome, cases_of
from cds_service.rules.rule import Rule

REVIEWS = Path(rules_of_ours.__path__[0]) / "reviews.yaml"
_AT_VIEWING = "only where the chart is opened (patient-view)"
_AT_EVERY_HOOK = "where the chart is opened, an order is chosen or signed (patient-view, order-select, order-sign)"
_SIGNED = ("written_by", "reviewed_by", "on", "note")
# What the US rule on decision support interventions asks about by name, 45 CFR 170.315(b)(11)(iv)(A).
# The fact that would carry it; no fact of ours carries those without one.
PERSONAL: Mapping[str, str] = {
    "race": "", "ethnicity": "", "language": "", "sexual orientation": "", "gender identity": "",
    "sex": "sex", "date of birth": "age", "social determinants of health": "",
    "health status assessments": "ecog_ps",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signature:
    """Who stands for a rule. Empty words: nobody yet."""

    written_by: str = ""
    reviewed_by: str = ""
    on: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """A fact that the rule may read."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Override:
    """A reason to go on against it."""

    code: str
    says: str
    means: str
    chosen_here: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Everything about one rule."""

    id: str
    title: str
    what: tuple[str, ...]
    told_when: str
    topic: str
    module: str
    developer: str
    funding: str
    release: str
    knowledge: str
    signature: Signature
    answers: tuple[From, ...]
    inputs: tuple[Input, ...]
    personal: Mapping[str, bool]
    pairs: bool
    statements: tuple[Line, ...]
    worst: str
    blind: str
    before_dose: bool
    severity: tuple[str, ...]
    overrides: tuple[Override, ...]
    switch: str
    validation: tuple[CaseFile, ...]
    outcomes: Mapping[str, int]
    limits: tuple[str, ...]

    @property
    def cases(self) -> int:
        """How many cases hold it."""
        return sum(self.outcomes.values())

    @property
    def used(self) -> tuple[str, ...]:
        """What describes a person and may be used."""
        return tuple(name for name, is_used in self.personal.items() if is_used)

    @property
    def unused(self) -> tuple[str, ...]:
        """What describes a person and is not used."""
        return tuple(name for name, is_used in self.personal.items() if not is_used)

    @property
    def is_signed(self) -> bool:
        """Whether a person stands for it."""
        return bool(self.signature.reviewed_by)


def record(rule: Rule[Any], library: Library, snapshot: Snapshot) -> Record:
    """The record of a rule, on the day and at the place of the library."""
    knowledge = library.knowledge
    within = reach(rule)
    cited = tuple(line for line in library.lines if line.topic in within.topics)
    files = cases_of(rule.id)
    outcomes = by_outcome(files)
    keys = {key.name for key in within.keys}
    switch = snapshot.switches.get(rule.id)
    return Record(
        id=rule.id,
        title=rule.title,
        what=in_words(rule),
        told_when=_AT_VIEWING if rule.viewing else _AT_EVERY_HOOK,
        topic=topic_code(rule.id),
        module=rule.function.__module__,
        developer="the maintainers of aml-cds",
        funding="not stated",
        release=__version__,
        knowledge=knowledge.version,
        signature=signatures().get(rule.id, Signature()),
        answers=written_from(rule, knowledge),
        inputs=tuple(Input(key.name, key.label) for key in within.keys),
        personal={name: bool(key) and key in keys for name, key in PERSONAL.items()},
        pairs=rule.pairs,
        statements=cited,
        worst=rule.worst.indicator,
        blind=max(rule.blind, Level.WARNING).indicator if rule.before_dose else rule.blind.indicator,
        before_dose=rule.before_dose,
        severity=_severity(rule, cited, outcomes),
        overrides=_overrides(rule, snapshot),
        switch=switch.words if switch is not None else "",
        validation=files,
        outcomes=outcomes,
        limits=_limits(cited, outcomes, signatures().get(rule.id, Signature())),
    )


@cache
def signatures() -> Mapping[str, Signature]:
    """Who stands for which rule. Raises KnowledgeError."""
    found = {}
    for name, fields in read_yaml(REVIEWS).items():
        unknown = [each for each in fields if each not in _SIGNED]
        if unknown:
            raise KnowledgeError(f"{REVIEWS.name}, {name}: unknown field {unknown[0]}")
        check_days({"on": fields.get("on")})
        found[name] = Signature(**{each: str(fields.get(each, "")) for each in _SIGNED})
    return found


def _severity(rule: Rule[Any], cited: Iterable[Line], outcomes: Mapping[str, int]) -> tuple[str, ...]:
    """How severe its cards may be, and what holds them lower."""
    weak = Counter(line.strongest for line in cited if line.holds)
    told = [f"at most {rule.worst.indicator}"]
    if rule.worst is Level.CRITICAL and weak:
        most = ", ".join(f"{weak[each.indicator]} {each.indicator}" for each in reversed(Level) if weak[each.indicator])
        told.append(f"never more than its weakest statement carries (of those in force here: {most})")
    if rule.worst is not Level.INFO:
        told.append("one step lower when a value that decides it is in doubt; the card says so")
    fired = {outcome.removeprefix("fired "): n for outcome, n in outcomes.items() if outcome.startswith("fired ")}
    seen = [f"{level} in {n}" for level, n in fired.items()]
    told.append(f"expected in its cases: {', '.join(seen)}" if seen else "no case expects it to fire")
    return tuple(told)


def _overrides(rule: Rule[Any], snapshot: Snapshot) -> tuple[Override, ...]:
    here = snapshot.reasons.get(rule.id)
    codes = by_rule()[rule.id] if here is None else here
    known = reasons()
    return tuple(
        Override(code, known[code].coding.display, known[code].meaning, here is not None) for code in codes
    )


def _limits(cited: Iterable[Line], outcomes: Mapping[str, int], signature: Signature) -> tuple[str, ...]:
    """Where it ends, as far as data can say."""
    here = [line for line in cited if line.holds]
    states = Counter(line.state for line in here)
    told = []
    if not signature.reviewed_by:
        told.append("no clinician has signed this rule")
    unsigned = sum(not line.reviewed_by for line in here)
    if unsigned:
        told.append(f"{unsigned} of the {len(here)} statements in force here that it may cite are signed by nobody")
    if states["secondary"]:
        told.append(f"{states['secondary']} of them were read in a text that restates the source")
    if states["recalled"]:
        told.append(f"{states['recalled']} of them were not read in any source: confirm them on the current label")
    if outcomes.get("not evaluated"):
        told.append(
            f"it is blind where a value that it needs is missing, old, unreadable or disputed: "
            f"{outcomes['not evaluated']} cases show how, and the card of gaps names it"
        )
    told.append(
        "its cases are made up, and were written by those who wrote the rule: they show that it does what it says, "
        "not that patients fare better; it has not been validated on records of patients"
    )
    return tuple(told)
