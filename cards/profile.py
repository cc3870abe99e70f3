"""Client profiles: what the client at the other end can show and carry out, as data in `profiles/NAME.yaml`.

A profile changes the form of a card, never what was found: what cannot be offered stays in the text. Where a profile
says `like`, it is that profile but for what it names itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from cards.kept import Kept
from cards.loading import load

HOME = Path(__file__).parent / "profiles"
BEHAVIOURS = ("any", "at-most-one")
NOT_OF_THE_PROFILE = ("like", "reason")  # how it was written, not what it is
_ACTION = re.compile(r"(create|update|delete) [A-Z][A-Za-z]+\Z")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s<>\"]+\Z", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
_CODE = re.compile(r"[!-~]+( [!-~]+)*\Z")
_SHORTEST_PANEL = 600  # characters: less has no room for the foot, the sources and one finding


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of client. Each field is a key of its file; `docs/profiles.md` tells them."""

    name: str
    client: str
    known_from: str
    issuers: tuple[str, ...]
    suggestions: bool
    selection_behaviors: tuple[str, ...]
    actions: tuple[str, ...]
    actions_together: bool
    medication_by_name: bool
    order_system: str
    order_codes: Mapping[str, str]
    orders_need_code: bool
    override_reasons: bool
    links: bool
    detail: str
    plain_extension: Mapping[str, str]
    longest_detail: int | None

    def __post_init__(self) -> None:
        if (self.order_codes or self.orders_need_code) and not self.order_system:
            raise ValueError("order_system: is missing: the system that the codes of orders belong to")


def read(name: str, told: Any, others: Mapping[str, Profile]) -> Profile:
    """The profile that these keys describe. Raises ValueError as "key: reason"."""
    if not isinstance(told, Mapping):
        raise ValueError("expected keys and values")
    if not _NAME.match(name):
        raise ValueError(f"the name '{name}' has other characters than a-z, 0-9, - and _")
    for key in told:
        if key not in (*_KEYS, *NOT_OF_THE_PROFILE):
            raise ValueError(f"{key}: no such key; there are {', '.join(_KEYS)}{near(str(key), _KEYS)}")
    values = {"name": name, **_inherited(told.get("like"), others)}
    for key, (expected, reader) in _KEYS.items():
        if key in told:
            try:
                values[key] = reader(told[key])
            except (TypeError, ValueError):
                raise ValueError(f"{key}: expected {expected}, found {told[key]!r}") from None
        elif key not in values:
            raise ValueError(f"{key}: is missing, and there is no 'like' to take it from")
    return Profile(**values)


def _inherited(like: Any, others: Mapping[str, Profile]) -> dict[str, Any]:
    """What the other profile says, but for its name and its callers."""
    if like is None:
        return {}
    if not isinstance(like, str) or like not in others:
        raise ValueError(f"like: there is no profile {like!r}; there are {', '.join(others)}{near(str(like), others)}")
    other = others[like]
    return {each.name: getattr(other, each.name) for each in fields(other) if each.name != "name"} | {"issuers": ()}


@Kept
def shipped() -> Mapping[str, Profile]:
    """The profiles that we ship, `default` first. Raises ValueError naming the file."""
    found: dict[str, Profile] = {}
    names = sorted((path.stem for path in HOME.glob("*.yaml")), key=lambda name: (name != "default", name))
    for name in names:
        try:
            told = load((HOME / f"{name}.yaml").read_text(encoding="utf-8"))
            found[name] = read(name, told, found)
        except (OSError, TypeError, ValueError, yaml.YAMLError) as fault:
            raise ValueError(f"cards/profiles/{name}.yaml, {fault}") from fault
    return found


def near(name: str, names: Iterable[str]) -> str:
    """A hint for a name that does not exist: the nearest ones that do."""
    found = get_close_matches(name, sorted(names), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return " ".join(value.split())


def _list(fits: Callable[[str], Any]) -> Callable[[Any], tuple[str, ...]]:
    def read_list(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) and fits(each) for each in value):
            raise TypeError
        return tuple(value)

    return read_list


def _some(fits: Callable[[str], Any]) -> Callable[[Any], tuple[str, ...]]:
    return lambda value: _list(fits)(value) or _nothing()


def _nothing() -> tuple[str, ...]:
    raise ValueError


def _system(value: Any) -> str:
    if not isinstance(value, str) or (value and not _URI.match(value)):
        raise TypeError
    return value


def _codes(value: Any) -> dict[str, str]:
    told = {str(key): code for key, code in dict(value).items()}
    if not all(isinstance(code, str) and _CODE.match(code) for code in told.values()):
        raise TypeError
    return told


def _extension(value: Any) -> dict[str, str]:
    told = dict(value)
    if not all(isinstance(each, str) for pair in told.items() for each in pair) or not all("." in key for key in told):
        raise TypeError
    return told


def _text(value: Any) -> str:
    if value not in ("markdown", "plain"):
        raise ValueError
    return str(value)


def _length(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < _SHORTEST_PANEL):
        raise TypeError
    return value


# Each key: what its value has to look like, in words and as a reader that raises TypeError or ValueError.
_KEYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "client": ("words", _words),
    "known_from": ("words", _words),
    "issuers": ("a list of URLs", _list(_URI.match)),
    "suggestions": ("true or false", _flag),
    "selection_behaviors": ("a list of any, at-most-one", _some(BEHAVIOURS.__contains__)),
    "actions": ("a list such as [create ServiceRequest, delete MedicationRequest]", _list(_ACTION.match)),
    "actions_together": ("true or false", _flag),
    "medication_by_name": ("true or false", _flag),
    "order_system": ("a URI such as urn:oid:1.2.3, or nothing ('')", _system),
    "order_codes": ("codes as quoted text, such as {ecg: '1234'}", _codes),
    "orders_need_code": ("true or false", _flag),
    "override_reasons": ("true or false", _flag),
    "links": ("true or false", _flag),
    "detail": ("markdown or plain", _text),
    "plain_extension": ("names with a dot, each with a text", _extension),
    "longest_detail": (f"a whole number of characters from {_SHORTEST_PANEL}, or null", _length),
}
