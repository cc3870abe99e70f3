"""`/coverage`: every entry of the sources and what is done about it, and what this hospital does differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from flask import Blueprint, Response, render_template

from cds_service.answer import Tools
from cds_service.changes import Change, changes
from cds_service.coverage import answering, done_about, offering, touching
from cds_service.knowledge.inventory import SourceRule
from cds_service.knowledge.load import Knowledge
from cds_service.pages.entries import Entry, Source, entry_of, sources_of
from cds_service.pages.results import table
from cds_service.pages.twin import as_json, json_wanted
from cds_service.pages.validation import naming, told_of, told_with
from cds_service.rules.catalogue import RULES

_FIRST = {"values": 0, "rules": 1, "wording": 2}  # of the differences of a hospital


@dataclass(frozen=True, slots=True)
class CoveredRule:
    """An entry of the clinical notes: what it says, what answers it, what is done when nothing does."""

    id: str
    says: str
    rules: tuple[str, ...]
    done: str
    cases_that_name_it: int
    cases_of_these_rules: int


@dataclass(frozen=True, slots=True)
class CoveredTherapy:
    """A therapy of the sources: what stands on it, and what is done about it."""

    therapy: Entry
    options: tuple[str, ...]
    rules: tuple[str, ...]
    cases_of_its_drugs: int


@dataclass(frozen=True, slots=True)
class CoveredErratum:
    """What a paper prints wrongly, what holds, and what is done about it."""

    id: str
    about: str
    printed: str
    holds: str
    state: str
    why: str
    done: str
    rules: tuple[str, ...]
    therapies: tuple[str, ...]
    cases_that_name_it: int
    cases_of_these_rules: int
    sources: tuple[Source, ...]


class Coverage:
    """The tables of coverage, each made once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    @cached_property
    def decisions(self) -> tuple[CoveredRule, ...]:
        """The rules of decision of the clinical notes."""
        return _rows(self._knowledge.decision_rules)

    @cached_property
    def safety(self) -> tuple[CoveredRule, ...]:
        """The rules of safety of the clinical notes."""
        return _rows(self._knowledge.safety_rules)

    @cached_property
    def therapies(self) -> Mapping[str, tuple[CoveredTherapy, ...]]:
        """The therapies by group."""
        knowledge, found = self._knowledge, {name: list[CoveredTherapy]() for name in table().groups}
        for therapy in knowledge.therapies.values():
            rules, options = touching(knowledge, therapy), offering(knowledge, therapy)
            found[therapy.group].append(CoveredTherapy(entry_of(therapy), options, rules, told_with(therapy.id)))
        return {table().groups[name]: tuple(rows) for name, rows in found.items()}

    @cached_property
    def errata(self) -> tuple[CoveredErratum, ...]:
        """The errata of the papers."""
        therapies = self._knowledge.therapies.values()
        return tuple(
            CoveredErratum(
                id=each.id, about=each.about, printed=each.printed, holds=each.supported,
                state=each.verification.value, why=each.reason,
                done=each.show + ("; the printed words are kept off every card" if each.hide else ""),
                rules=answering(each.id),
                therapies=tuple(therapy.id for therapy in therapies if each.id in therapy.errata),
                cases_that_name_it=naming(each.id),
                cases_of_these_rules=told_of(answering(each.id)), sources=sources_of(each.sources),
            )
            for each in self._knowledge.errata.values()
        )  # fmt: skip


def coverage(tools: Tools) -> Blueprint:
    """The blueprint of the coverage page."""
    pages = Blueprint(
        "coverage", __name__,
        template_folder="templates", static_folder="static", static_url_path="/pages/static",
    )  # fmt: skip
    covered = Coverage(tools.knowledge)

    @pages.get("/coverage")
    def index() -> str | Response:
        """Coverage: every entry of the sources and what is done about it; what a hospital does differently."""
        made = local_changes(tools, tools.now().date())
        overlay = tools.knowledge.overlay
        head = {"knowledge": tools.knowledge.version, "owner": overlay.owner if overlay else ""}
        if json_wanted():
            return as_json(head | {
                "decision_rules": covered.decisions, "safety_rules": covered.safety, "therapies": covered.therapies,
                "errata": covered.errata, "local_changes": [_plain(each) for each in made],
            })  # fmt: skip
        return render_template(
            "coverage.html", head=head, covered=covered, changes=made, differences=_by_group(made), overlay=overlay
        )

    return pages


def local_changes(tools: Tools, today: date) -> tuple[Change, ...]:
    """What the overlay of this hospital changes, in words; nothing where none is set."""
    return changes(tools.knowledge, RULES, tools.jurisdiction, today)


def _by_group(made: Iterable[Change]) -> dict[str, list[Change]]:
    """What matters most to a patient first: values, rules, wording, and then the rest by name."""
    found: dict[str, list[Change]] = {}
    for change in sorted(made, key=lambda each: (_FIRST.get(each.group, len(_FIRST)), each.group)):
        found.setdefault(change.group, []).append(change)
    return found


def _plain(change: Change) -> dict[str, object]:
    names = ("group", "place", "words", "owner", "effective", "until", "reason", "beware", "lines")
    return {name: getattr(change, name) for name in names}


def _rows(rows: Mapping[str, SourceRule]) -> tuple[CoveredRule, ...]:
    return tuple(_row(each, answering(each.id)) for each in rows.values())


def _row(row: SourceRule, rules: Iterable[str]) -> CoveredRule:
    ids = tuple(rules)
    return CoveredRule(row.id, row.says, ids, done_about(row), naming(row.id), told_of(ids))
