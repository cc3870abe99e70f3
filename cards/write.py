"""Writing a card for one client: what it can take stands in its place, what it cannot take stands in the text.

No profile drops a finding, and none changes the summary, the indicator, the source or the orders that a card concerns;
only the address behind the source, where that is the only link that a client shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cards.model import Action, Card, Link, Source, Suggestion
from cards.plain import plain
from cards.profile import Profile
from cards.render import escape

WHY = "Why this card"
ASSOCIATED = "davinci-crd.associated-resource"


def written(card: Card, profile: Profile) -> dict[str, Any]:
    """The card as CDS Hooks writes it, for a client of this profile."""
    offered = _offered(card, profile)
    json: dict[str, Any] = {
        "uuid": card.uuid,
        "summary": card.summary,
        "indicator": card.indicator,
        "detail": _detail(card, [each for each in card.suggestions if each not in offered], profile),
        "source": _source(card, profile).as_json(),
    }
    if offered:
        json["suggestions"] = [_suggestion(each, profile) for each in offered]
        json["selectionBehavior"] = _behaviour(card, profile)
    if card.override_reasons and profile.override_reasons:
        json["overrideReasons"] = [reason.as_json() for reason in card.override_reasons]
    links = (Link(WHY, card.why), *card.links) if card.why else card.links
    if links and profile.links:
        json["links"] = [link.as_json() for link in links]
    extension: dict[str, Any] = {}
    if card.about:
        extension[ASSOCIATED] = [{"reference": each} for each in card.about]
    if profile.detail == "plain":
        extension |= profile.plain_extension
    return json | ({"extension": extension} if extension else {})


def _source(card: Card, profile: Profile) -> Source:
    """The card's own; where the client shows no links, its address is that of the page which tells why."""
    return replace(card.source, url=card.why) if card.why and not profile.links else card.source


def _detail(card: Card, left: list[Suggestion], profile: Profile) -> str:
    by_hand = [escape(each.label) for each in left]
    longest = profile.longest_detail
    text = card.detail.whole(by_hand) if longest is None else card.detail.short(longest, by_hand)
    return plain(text) if profile.detail == "plain" else text


def _behaviour(card: Card, profile: Profile) -> str:
    """The card's own, else the one that the client knows."""
    return card.selection if card.selection in profile.selection_behaviors else profile.selection_behaviors[0]


def _offered(card: Card, profile: Profile) -> tuple[Suggestion, ...]:
    """The suggestions that this client can show and carry out, each as a whole."""
    if not profile.suggestions:
        return ()
    fit = tuple(each for each in card.suggestions if _can_take(each, profile))
    alternatives = card.selection == "at-most-one" and card.selection not in profile.selection_behaviors
    return fit[:1] if alternatives else fit  # a client that knows only "any" would let both be accepted


def _can_take(suggestion: Suggestion, profile: Profile) -> bool:
    if len(suggestion.actions) > 1 and not profile.actions_together:
        return False  # its actions belong together: one of them alone is another suggestion
    return all(_can_do(action, profile) for action in suggestion.actions)


def _can_do(action: Action, profile: Profile) -> bool:
    kind = _resource_type(action)
    if f"{action.type} {kind}" not in profile.actions:
        return False
    if action.order and profile.orders_need_code:
        return action.order in profile.order_codes
    if kind == "MedicationRequest" and action.resource is not None and profile.medication_by_name:
        return _named(action.resource.get("medicationCodeableConcept"))
    return True


def _resource_type(action: Action) -> str:
    if action.resource is not None:
        return str(action.resource["resourceType"])
    return (action.resource_id or "").partition("/")[0]


def _named(concept: Any) -> bool:
    """Whether a CodeableConcept has a text, and a code in its first coding."""
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return bool(codings and codings[0].get("code") and concept.get("text"))


def _suggestion(suggestion: Suggestion, profile: Profile) -> dict[str, Any]:
    json = suggestion.as_json()
    for action, as_json in zip(suggestion.actions, json["actions"], strict=True):
        code = profile.order_codes.get(action.order)
        if code is not None and action.resource is not None:
            as_json["resource"] = _with_code(action.resource, profile.order_system, code)
    return json


def _with_code(resource: Mapping[str, Any], system: str, code: str) -> dict[str, Any]:
    """The order with the client's own code before the others."""
    concept = resource["code"]
    codings = [{"system": system, "code": code}, *concept.get("coding", ())]
    return {**resource, "code": {**concept, "coding": codings}}
