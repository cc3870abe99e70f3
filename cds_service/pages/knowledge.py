"""`/knowledge`: everything that the service knows, searched; a page for each subject and the record of each rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from flask import Blueprint, Response, render_template, request

from cds_service.answer import Tools
from cds_service.knowledge.model import JURISDICTIONS, Verification
from cds_service.knowledge.spoken import STATES
from cds_service.pages.library import Asked, Library, Shelves
from cds_service.pages.reading import reach
from cds_service.pages.record import Record, record, signatures
from cds_service.pages.twin import as_json, json_wanted
from cds_service.pages.validation import told_of
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Rule

_A_PAGE = 60  # statements: as many as one scrolls through
SHELVES = {
    "drug": "our drugs", "interaction": "other medicines and food", "option": "options at relapse",
    "pathway": "the pathway", "default": "defaults of the service", "therapy": "therapies",
}  # fmt: skip
_RULES: dict[str, Rule[Any]] = {rule.id: rule for rule in RULES}

Page = str | Response | tuple[str, int]


def knowledge(tools: Tools) -> Blueprint:
    """The blueprint of the knowledge browser."""
    pages = Blueprint(
        "knowledge", __name__,
        template_folder="templates", static_folder="static", static_url_path="/pages/static",
    )  # fmt: skip
    shelves = Shelves(tools.knowledge, tools.jurisdiction, tools.now)
    signatures()  # a wrong file stops the start, not a reader

    @pages.get("/knowledge")
    def index() -> Page:
        """The knowledge browser: every statement with its source, to be searched."""
        return _index(shelves.today)

    @pages.get("/knowledge/rules")
    def rules() -> Page:
        """The rules, each with what it does."""
        return _rules(shelves.today)

    @pages.get("/knowledge/rules/<name>")
    def rule(name: str) -> Page:
        """The record of a rule: what, who, when, inputs, validation cases, limits."""
        return _rule(shelves.today, name)

    @pages.get("/knowledge/<name>")
    def subject(name: str) -> Page:
        """All that is said of a drug, a medicine or an option."""
        return _subject(shelves.today, name)

    return pages


def _index(library: Library) -> Page:
    asked = _asked()
    lines, therapies = library.found(asked), library.found_therapies(asked)
    if json_wanted():
        return as_json(_head(library) | {"asked": asdict(asked), "statements": lines, "therapies": therapies})
    first = _first(len(lines))
    every = library.lines
    return render_template(
        "knowledge.html",
        head=_head(library),
        asked=asked,
        lines=lines[first : first + _A_PAGE],
        therapies=therapies if first == 0 else (),
        found=(len(lines), len(therapies)),
        first=first,
        a_page=_A_PAGE,
        library=library,
        states={state.value: words for state, words in STATES.items()},
        counts=Counter(line.state for line in every),
        signed=sum(bool(line.reviewed_by) for line in every),
        total=len(every),
        changed=sum(bool(line.until or line.withdrawn) for line in every),
        places=JURISDICTIONS,
        shelves=SHELVES,
        others=sorted(name for name in library.subjects if name not in library.knowledge.drugs),
        more=_more(request.args.to_dict(), first, len(lines)),
        json_args={**request.args.to_dict(), "format": "json"},
    )


def _asked() -> Asked:
    given = {name: request.args.get(name, "").strip() for name in ("q", "drug", "state", "jurisdiction", "topic", "of")}
    return Asked(given.pop("q"), **given)


def _first(found: int) -> int:
    """The first statement on the page that is asked for; an odd page is the first one."""
    page = request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 1
    first = (max(number, 1) - 1) * _A_PAGE
    return first if first < found else 0


def _more(args: dict[str, str], first: int, found: int) -> dict[str, dict[str, str]]:
    """The arguments of the pages before and after this one."""
    told = {}
    if first:
        told["earlier"] = {**args, "page": str(first // _A_PAGE)}
    if first + _A_PAGE < found:
        told["later"] = {**args, "page": str(first // _A_PAGE + 2)}
    return told


def _head(library: Library) -> dict[str, Any]:
    """What every page of the browser says of itself."""
    today = library.today
    return {"knowledge": library.knowledge.version, "day": today.day.isoformat(), "jurisdiction": today.jurisdiction}


def _subject(library: Library, name: str) -> Page:
    if name not in library.subjects:
        return _no_such(name, library.subjects, "knowledge.subject")
    lines, named = library.subjects[name], library.naming(name)
    therapies = tuple(entry for entry in library.therapies if name in entry.drugs)
    readers = _readers(lines, ours=name in library.knowledge.drugs)
    drug, other = library.knowledge.drugs.get(name), library.knowledge.precipitants.get(name)
    is_what = {
        "drug_class": drug.drug_class if drug else other.drug_class if other else "",
        "ours": drug is not None,
        "indications": drug.indications if drug else (),
        "routes": sorted(other.routes - {""}) if other and not other.food else (),
        "food": bool(other and other.food),
    }
    if json_wanted():
        told = {"statements": lines, "named_in": named, "therapies": therapies, "rules": [each.id for each in readers]}
        return as_json(_head(library) | {"name": name} | is_what | told)
    states = {state.value: 0 for state in Verification} | Counter(line.state for line in lines)
    return render_template(
        "subject.html", head=_head(library), name=name, what=is_what, lines=lines, named=named, therapies=therapies,
        rules=readers, states=states, signed=sum(bool(line.reviewed_by) for line in lines),
    )  # fmt: skip


def _readers(lines: Iterable[Any], ours: bool) -> tuple[Rule[Any], ...]:
    """The rules that may cite one of these statements; of another medicine, those that look at pairs."""
    topics = {line.topic for line in lines}
    return tuple(rule for rule in RULES if reach(rule).topics & topics or (rule.pairs and not ours and topics))


def _rules(library: Library) -> Page:
    rows = [
        {
            "id": each.id, "title": each.title, "worst": each.worst.indicator, "sources": each.sources,
            "cases": told_of((each.id,)), "reviewed_by": _signed(each.id),
            "switch": library.snapshot.switches[each.id].words if each.id in library.snapshot.switches else "",
        }
        for each in RULES
    ]  # fmt: skip
    if json_wanted():
        return as_json(_head(library) | {"rules": rows})
    return render_template("rules.html", head=_head(library), rows=rows, cases=sum(told_of((r,)) for r in _RULES))


def _signed(rule: str) -> str:
    found = signatures().get(rule)
    return found.reviewed_by if found is not None else ""


def _rule(library: Library, name: str) -> Page:
    rule = _RULES.get(name)
    if rule is None:
        return _no_such(name, _RULES, "knowledge.rule")
    told: Record = record(rule, library, library.snapshot)
    if json_wanted():
        return as_json(told)
    here = [line for line in told.statements if line.holds]
    return render_template("rule.html", head=_head(library), rule=told, here=here)


def _no_such(name: str, names: Iterable[str], endpoint: str) -> Page:
    """Nothing of that name, and what is near it."""
    near = get_close_matches(name.lower(), sorted(names), n=5, cutoff=0.5)
    if json_wanted():
        return as_json({"error": "there is nothing under that name", "near": near}, 404)
    return render_template("no_such.html", near=near, endpoint=endpoint), 404
