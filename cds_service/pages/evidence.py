"""`/evidence`: response and survival by study, of everything or of some options; populations apart, nothing ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from cds_service.answer import Tools
from cds_service.knowledge.load import Knowledge
from cds_service.pages.library import Library, Shelves
from cds_service.pages.plot import SHAPES, endpoint_class, plot, rows_of, top_of
from cds_service.pages.results import KINDS, NOT_SAID, RESPONSE, UNITS, Result, hidden, results, table
from cds_service.pages.twin import as_json, json_wanted
from cds_service.trace import spoken

_SPOKEN = {"response": "Response", "survival": "Median overall survival"}
_KEPT = 64  # choices of therapies whose plots are kept: a handful of options each


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with its heading."""

    words: str
    pictures: tuple[Markup, ...]  # one for each shape: a style sheet shows the one that fits


@dataclass(frozen=True, slots=True)
class Shelf:
    """The results of one population and one group of therapies, with their plots."""

    id: str
    words: str
    figures: tuple[Figure, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """The results of one population."""

    id: str
    words: str
    shelves: tuple[Shelf, ...]


def evidence(tools: Tools) -> Blueprint:
    """The blueprint of the evidence page."""
    pages = Blueprint(
        "evidence", __name__,
        template_folder="templates", static_folder="static", static_url_path="/pages/static",
    )  # fmt: skip
    knowledge, shelves = tools.knowledge, Shelves(tools.knowledge, tools.jurisdiction, tools.now)

    @lru_cache(maxsize=_KEPT)
    def shown(therapies: frozenset[str] | None) -> tuple[Population, ...]:
        return populations(results(knowledge, therapies))

    @pages.get("/evidence")
    def index() -> str | Response:
        """The evidence: results of studies, populations apart; of some options or of everything."""
        options, therapies = _named("options"), _named("therapies")
        chosen = [knowledge.options[name] for name in options if name in knowledge.options]
        wanted = {each.therapy for each in chosen} | {name for name in therapies if name in knowledge.therapies}
        unknown = [name for name in options if name not in knowledge.options]
        unknown += [name for name in therapies if name not in knowledge.therapies]
        of_some = frozenset(wanted) if options or therapies else None
        told = {
            "knowledge": knowledge.version,
            "options": [_option(shelves.today, each) for each in chosen],
            "not_known": unknown,
            "ranked": False,
            "hidden": hidden(knowledge, of_some),
        }
        if json_wanted():
            return as_json(told | {"results": results(knowledge, of_some), "populations": table().populations})
        return render_template(
            "evidence.html", told=told, populations=shown(of_some), every=of_some is None,
            unread=_without(knowledge, of_some), endpoints=_legend(), not_said=NOT_SAID,
            args=request.args.to_dict(),
        )  # fmt: skip

    return pages


def _named(name: str) -> list[str]:
    """The ids of an argument, as "a,b", each once."""
    given = (each.strip() for each in request.args.get(name, "").split(","))
    return list(dict.fromkeys(each for each in given if each))


def _option(library: Library, option: Any) -> dict[str, str]:
    """An option as the card tells it: where it stands here, and its evidence."""
    lines = {line.topic: line for line in library.subjects.get(option.about, ()) if line.holds}
    told = {name: lines[name].value if name in lines else "" for name in ("option_status", "option_evidence")}
    status, words = told["option_status"], told["option_evidence"]
    return {
        "id": option.id, "name": option.name, "group": spoken(option.group), "therapy": option.therapy,
        "status": status, "evidence": words,
    }  # fmt: skip


def _without(knowledge: Knowledge, therapies: frozenset[str] | None) -> tuple[str, ...]:
    """The chosen therapies of which no result may be shown."""
    chosen = (knowledge.therapies[name] for name in therapies or ())
    return tuple(sorted(each.name for each in chosen if not each.shown))


def _legend() -> tuple[tuple[str, str], ...]:
    """The class and the words of each endpoint that is drawn."""
    return tuple((endpoint_class(name), name) for name in dict.fromkeys(n for _, n in table().endpoints.values()))


def populations(every: Sequence[Result]) -> tuple[Population, ...]:
    """The results, populations apart, each with its groups of therapies and their plots."""
    made = (_population(name, words, every) for name, words in table().populations.items())
    return tuple(each for each in made if each.shelves)


def _population(name: str, words: str, every: Sequence[Result]) -> Population:
    own = [each for each in every if each.population == name]
    top = top_of(point for each in own for point in each.points if point.kind != RESPONSE)
    groups = [group for group in table().groups if any(each.group == group for each in own)]
    return Population(name, words, tuple(_shelf(name, words, group, own, top) for group in groups))


def _shelf(population: str, words: str, group: str, every: Sequence[Result], top: int) -> Shelf:
    own = tuple(each for each in every if each.group == group)
    heading = table().groups[group]
    figures = []
    for kind in KINDS:
        rows = rows_of(own, kind)
        if rows:
            name = f"{_SPOKEN[kind]} ({UNITS[kind]}), {heading}: {words}. The table below holds the same figures."
            end, key = 100 if kind == RESPONSE else top, f"{population}-{group}-{kind}"
            pictures = tuple(plot(rows, kind, end, name, key, shape) for shape in SHAPES)
            figures.append(Figure(f"{_SPOKEN[kind]}, {UNITS[kind]}", pictures))
    return Shelf(f"{population}-{group}", heading, tuple(figures), own)
