"""The grammar of a CDS Hooks response: every SHALL of CDS Hooks 2.0.1 that a response can break, each as one line.

`faults` collects all of them, so that one failing test tells the whole story. Names in parentheses are those of the
conformance checklist (GEN, RES, C, S, O, L, Y).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fhir.resources.R4B import get_fhir_model_class

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}\Z")
HTML = re.compile(r"<[A-Za-z/!]")
MAY_BE_EMPTY = ("$.cards",)

RESPONSE = {"cards", "extension"}  # systemActions only after agreement with a client (Y-sys), so never here
CARD = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons",
    "links", "extension",
}  # fmt: skip
SUGGESTION = {"label", "uuid", "isRecommended", "actions"}
ACTION = {"type", "description", "resource", "resourceId", "extension"}
LINK = {"label", "url", "type", "appContext", "autolaunchable"}


def parse(text: str | bytes) -> Any:
    """Strict JSON: no NaN, no key twice (GEN-1)."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"a key stands twice: {sorted(keys)}"
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, object_pairs_hook=once, parse_constant=refuse)


def faults(response: Any) -> list[str]:
    """Everything in which a response breaks the grammar, in words."""
    if not isinstance(response, dict) or not isinstance(response.get("cards"), list):
        return ["$: an object with an array 'cards' (RES-a)"]
    found = [*_unknown(response, RESPONSE, "$"), *_empty(response, "$"), *_extensions(response, "$")]
    for index, card in enumerate(response["cards"]):
        found += _card(card, f"$.cards[{index}]")
    uuids = list(_uuids(response))
    found += [f"$: uuid {each} stands twice (C-uuid)" for each in sorted({u for u in uuids if uuids.count(u) > 1})]
    return found


def assert_grammar(text: str | bytes) -> None:
    """Fails with every fault of the response."""
    found = faults(parse(text))
    assert not found, "\n".join(found)


def _card(card: dict[str, Any], at: str) -> Iterator[str]:
    yield from _unknown(card, CARD, at)
    yield from _uuid(card, at)
    summary = card.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) < 140 or "\n" in summary:
        yield f"{at}.summary: one line of fewer than 140 characters (C-sum)"
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield f"{at}.indicator: info, warning or critical (C-ind)"
    if "detail" in card:
        yield from _markdown(card["detail"], f"{at}.detail")
    yield from _source(card.get("source"), f"{at}.source")
    yield from _suggestions(card, at)
    for index, reason in enumerate(card.get("overrideReasons", ())):
        yield from _coding(reason, f"{at}.overrideReasons[{index}]", "O-rea", ("code", "system", "display"))
    for index, link in enumerate(card.get("links", ())):
        yield from _link(link, f"{at}.links[{index}]")
    extension = card.get("extension")
    about_all = extension.get("davinci-crd.associated-resource", ()) if isinstance(extension, dict) else ()
    for index, about in enumerate(about_all):
        if not REFERENCE.match(about.get("reference", "")):
            yield f"{at}.extension, associated resource {index}: a local reference Type/id (CRD-assoc)"


def _source(source: Any, at: str) -> Iterator[str]:
    if not isinstance(source, dict) or not isinstance(source.get("label"), str):
        yield f"{at}: an object with a label (C-src)"
        return
    yield from _unknown(source, {"label", "url", "icon", "topic"}, at)
    for name in ("url", "icon"):
        if name in source and not _absolute(source[name]):
            yield f"{at}.{name}: an absolute URL (C-src)"
    if "topic" in source:
        yield from _coding(source["topic"], f"{at}.topic", "C-src", ("code",))


def _suggestions(card: dict[str, Any], at: str) -> Iterator[str]:
    if "suggestions" not in card:
        return
    behaviour = card.get("selectionBehavior")
    if behaviour not in ("at-most-one", "any"):
        yield f"{at}.selectionBehavior: at-most-one or any, beside suggestions (C-sug)"
    if behaviour != "any" and sum(each.get("isRecommended", False) for each in card["suggestions"]) > 1:
        yield f"{at}.suggestions: several recommended ones only with 'any' (S-rec)"
    for index, suggestion in enumerate(card["suggestions"]):
        yield from _suggestion(suggestion, f"{at}.suggestions[{index}]")


def _suggestion(suggestion: dict[str, Any], at: str) -> Iterator[str]:
    yield from _unknown(suggestion, SUGGESTION, at)  # actionSelectionBehavior among what is unknown (S-asb)
    yield from _uuid(suggestion, at)
    if not isinstance(suggestion.get("label"), str):
        yield f"{at}.label: required (S-lab)"
    if not isinstance(suggestion.get("isRecommended", False), bool):
        yield f"{at}.isRecommended: true or false (S-lab)"
    if not suggestion.get("actions"):
        yield f"{at}.actions: at least one (S-act)"
    for index, action in enumerate(suggestion.get("actions", ())):
        yield from _action(action, f"{at}.actions[{index}]")


def _action(action: dict[str, Any], at: str) -> Iterator[str]:
    yield from _unknown(action, ACTION, at)
    if not isinstance(action.get("description"), str):
        yield f"{at}.description: required (S-act)"
    match action.get("type"):
        case "create" | "update" as kind:
            if "resourceId" in action:
                yield f"{at}.resourceId: only to delete (S-del)"
            if not isinstance(action.get("resource"), dict):
                yield f"{at}.resource: the whole resource (S-cre)"
                return
            if kind == "update" and "id" not in action["resource"]:
                yield f"{at}.resource.id: required to update (S-cre)"
            yield from _resource(action["resource"], f"{at}.resource")
        case "delete":
            if "resource" in action or not REFERENCE.match(action.get("resourceId", "")):
                yield f"{at}.resourceId: a relative reference Type/id, and no resource (S-del)"
        case _:
            yield f"{at}.type: create, update or delete (S-act)"


def _resource(resource: dict[str, Any], at: str) -> Iterator[str]:
    written = repr(resource)  # looked at once: the same suggestion stands in many answers
    if written not in _LOOKED_AT:
        if len(_LOOKED_AT) >= 10_000:
            _LOOKED_AT.clear()
        _LOOKED_AT[written] = _not_r4(resource)
    if _LOOKED_AT[written]:
        yield f"{at}: valid FHIR R4 (GEN-1): {_LOOKED_AT[written]}"


_LOOKED_AT: dict[str, str] = {}


def _not_r4(resource: dict[str, Any]) -> str:
    """What is wrong with it; "" when nothing is."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (KeyError, ValueError) as error:
        return f"{type(error).__name__} {error}"
    return ""


def _coding(coding: Any, at: str, rule: str, required: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(coding, dict):
        yield f"{at}: a Coding ({rule})"
        return
    yield from _unknown(coding, {"code", "system", "display"}, at)
    for name in required:
        if not isinstance(coding.get(name), str):
            yield f"{at}.{name}: required ({rule})"
    if "system" in coding and not urlsplit(coding["system"]).scheme:
        yield f"{at}.system: an absolute URI ({rule})"


def _link(link: dict[str, Any], at: str) -> Iterator[str]:
    yield from _unknown(link, LINK, at)
    if not isinstance(link.get("label"), str) or not _absolute(link.get("url")):
        yield f"{at}: a label and an absolute URL (L-lnk)"
    if link.get("type") not in ("absolute", "smart"):
        yield f"{at}.type: absolute or smart (L-lnk)"
    if "appContext" in link and (link.get("type") != "smart" or not isinstance(link["appContext"], str)):
        yield f"{at}.appContext: text, for smart links only (L-ctx)"
    if not isinstance(link.get("autolaunchable", False), bool):
        yield f"{at}.autolaunchable: true or false (L-aut)"


def _markdown(detail: Any, at: str) -> Iterator[str]:
    if not isinstance(detail, str):
        yield f"{at}: text (C-det)"
        return
    if HTML.search(detail):
        yield f"{at}: no HTML (C-det)"
    if re.search(r"[^\n]\n\*\*", detail):
        yield f"{at}: what begins with a name of its own runs on in the paragraph before it"
    if detail.count("```") % 2:
        yield f"{at}: a fence is not closed (C-det)"
    for url in re.findall(r"(?<!\\)\]\(([^)]*)\)", detail):  # an escaped bracket makes no link
        if not _absolute(url):
            yield f"{at}: the link '{url}' is not absolute (C-det)"
    rows = [line.strip() for line in detail.splitlines() if line.strip().startswith("|")]
    if len({line.count("|") for line in rows}) > 1:
        yield f"{at}: a table with rows of several lengths (C-det)"


def _uuid(thing: dict[str, Any], at: str) -> Iterator[str]:
    if not UUID.match(str(thing.get("uuid"))):
        yield f"{at}.uuid: a plain lower-case UUID, which feedback needs (C-uuid)"


def _uuids(response: dict[str, Any]) -> Iterator[str]:
    for card in response["cards"]:
        for thing in (card, *card.get("suggestions", ())):
            if "uuid" in thing:
                yield thing["uuid"]


def _absolute(url: Any) -> bool:
    return isinstance(url, str) and urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).netloc)


def _unknown(thing: dict[str, Any], names: set[str], at: str) -> Iterator[str]:
    for name in sorted(set(thing) - names):
        yield f"{at}.{name}: not an attribute of CDS Hooks (GEN-5)"


def _empty(value: Any, at: str) -> Iterator[str]:
    """Nothing null or empty, resources included (GEN-2)."""
    if value is None or (isinstance(value, (str, list, dict)) and not value and at not in MAY_BE_EMPTY):
        yield f"{at}: null or empty (GEN-2)"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _empty(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _empty(inner, f"{at}[{index}]")


def _extensions(value: Any, at: str) -> Iterator[str]:
    """Outside of FHIR resources an extension is an object whose names hold a dot (GEN-5, GEN-6)."""
    if isinstance(value, dict) and "resourceType" not in value:
        for name, inner in value.items():
            if name != "extension":
                yield from _extensions(inner, f"{at}.{name}")
            elif not isinstance(inner, dict) or not all("." in each for each in inner):
                yield f"{at}.extension: an object with globally unique names (GEN-5, GEN-6)"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _extensions(inner, f"{at}[{index}]")
