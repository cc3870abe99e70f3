"""Why this card: how one card came about, as far as what is kept of its call can tell.

Kept whole, the call is answered again from what it brought along, on its own day: values, reasons, what would change
the answer. Kept for audit: outcomes and sources without values. Not kept: the page of the rule. The page says which.
A card that nobody knows of and a link that has ended get the same answer, so that nobody learns which cards there were;
so do, where readers log in, a card that nobody knows of and one of another hospital.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for

from cards.model import Card
from cards.reasons import GAP
from cards.topic import topic_code
from cds_service.answer import Answer, Tools, answer
from cds_service.beside import Beside, Ending, Remembered, Whole
from cds_service.errors import RequestError, StoreError
from cds_service.facts.values.ecg import ECGS, QTC
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.spoken import topic_words, value_words
from cds_service.pages.causes import cause_words, state_words
from cds_service.pages.drawing import NARROW, NARROW_SMALL, Timeline
from cds_service.pages.graph import SHAPES, SPOKEN
from cds_service.pages.login import ask_who, reader_of
from cds_service.pages.own_path import OwnPath, own_path
from cds_service.pages.rule_told import RuleTold, told_of
from cds_service.pages.shown import shown
from cds_service.pages.timeline import lab_trends, qtc_timeline
from cds_service.pages.twin import as_json, json_wanted
from cds_service.pages.what_if import Change, changes
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Check, Fired, NotApplicable, NotEvaluated
from cds_service.security.links import PATH, is_card
from cds_service.trace import Said, Step, said, step

_RULES = {topic_code(rule.id): rule for rule in RULES}
_GAP_TITLE = "What this check could not see"


@dataclass(frozen=True, slots=True)
class Ground:
    """A check on which the card rests, with its rule in words and what would change its answer."""

    step: Step
    rule: RuleTold
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """The call answered again. `same`: whether this very card came about again."""

    same: bool
    knowledge: str  # with which it was answered again
    grounds: tuple[Ground, ...]
    offers: tuple[str, ...]
    unseen: tuple[Step, ...]
    others: tuple[Step, ...]
    told: tuple[str, ...]  # of each of them that fired, where it is told; "" of any other
    not_applicable: tuple[str, ...]  # each with its reason
    qtc: Timeline | None
    qtc_narrow: Timeline | None  # the same for a phone
    trends: tuple[Timeline, ...]
    trends_narrow: tuple[Timeline, ...]
    path: OwnPath | None  # where the patient stands on the pathway
    about_path: bool  # whether this very card is about that


def why(tools: Tools, beside: Beside) -> Blueprint:
    """The blueprint."""
    pages = Blueprint(
        "why", __name__, template_folder="templates", static_folder="static", static_url_path="/pages/static"
    )

    @pages.get(f"{PATH}/<card>")
    def card(card: str) -> Response:
        """Why this card: how it came about, as far as it is kept."""
        links, memory, login = beside.links, beside.memory, beside.login
        reader = reader_of(login)
        if login is not None and reader is None:
            return ask_who(card)
        g.reader = reader.name if reader is not None else ""  # for the page to say; its twin has no such line
        opened = reader is not None or (links is not None and links.opens(card, request.args.get("key", "")))
        if memory is None or not opened or not is_card(card):
            return _gone()
        try:
            kept = memory.of_card(card)
        except StoreError:
            return _page(503, "why_later.html", {"error": "the store of earlier calls does not answer: try again"})
        theirs = beside.tools.get(kept.tenant) if kept is not None else None
        if kept is None or theirs is None or (reader is not None and reader.tenant != kept.tenant):
            return _gone()
        if login is not None and reader is not None:
            login.told("the reasons of a card were opened", reader.name, card)
        if kept.whole is not None:
            return _page(200, "why.html", _whole(kept, kept.whole, theirs))
        return _page(200, "why_audit.html", _audit(kept, theirs))

    @pages.get(f"{PATH}/rule/<topic>")
    def rule(topic: str) -> Response:
        """What a rule checks, and its sources."""
        if topic not in _RULES and topic != topic_code(GAP):
            return _gone()
        told = told_of(_RULES[topic], tools.knowledge) if topic in _RULES else None
        content = {"kept": "nothing", "topic": topic, "rule": told, "gap": told is None}
        return _page(200, "why_rule.html", content)

    return pages


def _gone() -> Response:
    ended = "this link has ended, or there is no such card"
    return _page(404, "why_gone.html", {"error": "there is no such card for this reader" if g.get("reader") else ended})


def _page(status: int, template: str, content: Mapping[str, Any]) -> Response:
    if json_wanted():
        return as_json(_plain(content), status)
    html = render_template(
        template, **content, shown=shown, rule_page=_rule_page, topic_words=topic_words, cause=cause_words,
        state_words=state_words, value_words=value_words, shapes=SHAPES, lights=SPOKEN, reader=g.get("reader", ""),
    )  # fmt: skip
    return make_response(html, status)


def _plain(content: Mapping[str, Any]) -> Any:
    return msgspec.to_builtins(content)


def _rule_page(rule: str) -> str:
    """Where more about a rule is told, where there is such a page."""
    if "knowledge.rule" in current_app.view_functions:
        return url_for("knowledge.rule", name=rule)
    return url_for("why.rule", topic=topic_code(rule))


def _audit(kept: Remembered, tools: Tools) -> dict[str, Any]:
    """Outcomes and sources, without values."""
    here = kept.cards[kept.place]
    titles = {rule.id: rule.title for rule in RULES}
    endings = [asdict(each) | {"title": titles.get(each.rule, each.rule)} for each in kept.endings]
    own = _RULES.get(here.topic)
    rest = [each for each in endings if own is None or each["rule"] != own.id]
    mine = [each for each in kept.endings if own is not None and each.rule == own.id]
    return {
        "kept": "audit", "lost": kept.lost, "about": _about(kept), "card": asdict(here),
        "title": own.title if own else _GAP_TITLE,
        "rule": told_of(own, tools.knowledge) if own else None,
        "endings": [each for each in endings if own is not None and each["rule"] == own.id],
        "folded": [each for each in rest if _has_no_card(each, kept)],
        "others": [each for each in rest if not _has_no_card(each, kept)],
        "cites": tuple(_cited(mine, tools)),
        "cards": [
            asdict(each) | {"title": _RULES[each.topic].title if each.topic in _RULES else _GAP_TITLE}
            for each in kept.cards
        ],
        "not_applicable": kept.not_applicable,
        "changed": tools.knowledge_version != kept.knowledge,
    }  # fmt: skip


def _has_no_card(ending: Mapping[str, Any], kept: Remembered) -> bool:
    """Whether this check fired and no card is of its rule: it was folded into that of another, or not shown again."""
    fired = ending["outcome"] == "fired" and not ending["shadow"]
    return fired and topic_code(ending["rule"]) not in {each.topic for each in kept.cards}


def _cited(endings: Iterable[Ending], tools: Tools) -> Iterator[Said]:
    """What the checks that fired went by: the statements of today under the ids that are kept."""
    ids = {name for each in endings for name in (each.because or "").partition(" by ")[2].split(", ")}
    for statement in tools.knowledge.all_statements():
        if statement.id in ids:
            ids.discard(statement.id)
            yield said(statement)


def _about(kept: Remembered) -> dict[str, str]:
    return {
        "at": f"{kept.at:%Y-%m-%d %H:%M} UTC", "hook": kept.hook, "service": kept.service,
        "knowledge": kept.knowledge, "software": kept.software,
    }  # fmt: skip


def _whole(kept: Remembered, whole: Whole, tools: Tools) -> dict[str, Any]:
    """Everything: the card as it was shown, and how it came about, asked again."""
    card = msgspec.json.decode(whole.response)["cards"][kept.place]
    service = next((each for each in tools.services if each.id == kept.service), None)
    again = None
    if service is not None:
        try:
            made = answer(whole.request, service, replace(tools, fhir=whole.fhir, now=lambda: whole.now, why=None))
        except (RequestError, LookupError):  # another version reads or asks otherwise: the card itself is still shown
            made = None
        again = _again(kept, card, made, tools) if made is not None else None
    return {
        "kept": "full", "about": _about(kept), "card": card, "again": again,
        "changed": tools.knowledge_version != kept.knowledge,
    }  # fmt: skip


def _again(kept: Remembered, card: Mapping[str, Any], made: Answer, tools: Tools) -> Again:
    evaluation = made.evaluation
    snapshot = tools.knowledge.at(evaluation.chart.now.date(), tools.jurisdiction)
    twin = _twin(kept, card, made)
    behind = [each for each in evaluation.checks if twin and (each.rule.id, each.subject) in twin.checks]
    blind = [each for each in evaluation.checks if isinstance(each.outcome, NotEvaluated) and not each.shadow]
    rest = [each for each in evaluation.checks if each not in behind and each not in blind]
    about_nothing = [each for each in rest if isinstance(each.outcome, NotApplicable) and not each.switch]
    others = [each for each in rest if each not in about_nothing]
    path = own_path(evaluation, [step(each) for each in evaluation.checks], tools.knowledge)
    grounds = tuple(_ground(each, made, snapshot, tools) for each in behind if each not in blind)
    return Again(
        same=twin is not None and twin.summary == card["summary"],
        knowledge=made.knowledge,
        grounds=grounds,
        offers=tuple(suggestion.label for suggestion in twin.suggestions) if twin else (),
        unseen=tuple(step(each) for each in blind),
        others=tuple(step(each) for each in others),
        told=tuple(_told_where(each, made, kept) for each in others),
        not_applicable=tuple(dict.fromkeys(_with_reason(each) for each in about_nothing)),
        qtc=qtc_timeline(evaluation, snapshot) if _reads_qtc(behind) else None,
        qtc_narrow=qtc_timeline(evaluation, snapshot, NARROW) if _reads_qtc(behind) else None,
        trends=lab_trends(evaluation, tools.knowledge.terms.units, behind),
        trends_narrow=lab_trends(evaluation, tools.knowledge.terms.units, behind, NARROW_SMALL),
        path=path,
        about_path=path is not None and any(each.rule.id in path.rules for each in behind),
    )


def _with_reason(check: Check) -> str:
    why = check.outcome.why if isinstance(check.outcome, NotApplicable) else ""
    return f"{check.rule.title}: {why}" if why else check.rule.title


def _told_where(check: Check, made: Answer, kept: Remembered) -> str:
    """Where a check that fired is told: in a card of this call, where the patient is viewed, or in none."""
    if not isinstance(check.outcome, Fired) or check.shadow:
        return ""
    card = next((card for card in made.cards if (check.rule.id, check.subject) in card.checks), None)
    if card is not None:
        return f"told in the card: {card.summary}"
    if check.rule.viewing and kept.hook != "patient-view":
        return "told where the patient is viewed"
    return "told in no card of this call"


def _reads_qtc(checks: Iterable[Check]) -> bool:
    return any(fact.key in (QTC, ECGS) for check in checks for fact in check.reads)


def _twin(kept: Remembered, card: Mapping[str, Any], made: Answer) -> Card | None:
    """The same card of the answer made again: in its place, else of the same words, else of the same rule."""
    topic = card["source"]["topic"]["code"]
    placed = made.cards[kept.place : kept.place + 1]
    of_rule = [each for each in (*placed, *made.cards) if each.source.topic.code == topic]
    same = [each for each in of_rule if each.summary == card["summary"]]
    return next(iter(same or of_rule), None)


def _ground(check: Check, made: Answer, snapshot: Snapshot, tools: Tools) -> Ground:
    found = changes(check, made.evaluation.chart, snapshot)
    return Ground(step(check), told_of(check.rule, tools.knowledge), found)


