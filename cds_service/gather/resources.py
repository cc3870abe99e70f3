"""Resources: raw bytes, a typed view of what we need, and the strict check against R4 (`fhir.resources`, R4B).

Reading is lenient and says what it did. A resource whose view cannot be decoded, and every resource that can change or
silence a card, is held against `fhir.resources`. One that fails is mended leaf by leaf: an object where a list belongs
is wrapped, a code that came as a number is read as its digits, a leaf without meaning for the rules is left out, and
each is noted. A leaf with meaning is never left out: such a resource is `Unreadable`, and the reason reaches the
clinician.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo, fields
from pydantic import ValidationError

from cds_service.decoding import decode, decoder
from cds_service.gather.compiled import certainly_valid, learn
from cds_service.gather.quick import learn as learn_views
from cds_service.gather.quick import view_as
from cds_service.gather.versions import betrayed
from cds_service.gather.views import MEANING, VIEWS, View
from cds_service.hooks.request import FHIR_ID

V = TypeVar("V", bound=View)

LEAVES_PER_RESOURCE = 8
LEAVES_PER_CALL = 64
DRAFTS = "draftOrders"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that cannot be used: its type and the reason, in words and without patient data."""

    type: str
    reason: str


@dataclass(slots=True)
class Mending:
    """How many leaves may still be mended in this call, and how it checks.

    `strict_all`: `fhir.resources` itself is asked, and of every resource; the compiled check says nothing.
    """

    left: int = LEAVES_PER_CALL
    strict_all: bool = False


class Resource(msgspec.Struct, eq=False):
    """One resource as it came: its type, where it came from, and its bytes. Views and verdicts are kept once made.

    `quick`: its view, where whoever unpacked it has read it already.
    """

    type: str
    raw: bytes
    where: str  # prefetch key, "draftOrders" or the query it answers
    full_url: str | None = None
    mending: Mending = msgspec.field(default_factory=Mending)
    inside: str = ""  # of a contained resource: `Type/id#name`, by which it is named
    quick: View | None = None
    notes: tuple[str, ...] = ()  # what was left out or wrapped to make it readable
    _view: View | Unreadable | None = None
    _checked: View | Unreadable | None = None
    _valid: bytes | str = b""
    _reference: str = ""

    def __repr__(self) -> str:
        return f"Resource({self.type!r}, where={self.where!r})"  # what it holds is a patient's

    @property
    def reference(self) -> str:
        """`Type/id`, or the type alone when it has no id that FHIR allows; for a contained one `Type/id#name`."""
        return self._reference or self._named()

    def _named(self) -> str:
        if self.inside:
            return self.inside
        seen = self.view()
        view = self.salvaged() if isinstance(seen, Unreadable) else seen
        written = view.id if view is not None else None
        self._reference = f"{self.type}/{written}" if written and FHIR_ID.match(written) else self.type
        return self._reference

    def view(self) -> View | Unreadable:
        """The typed view, quickly from the bytes, else by the slow reader. Not yet held against R4."""
        if self.quick is not None:
            return self.quick
        if self._view is None:
            self._view = _quick(self) or self.checked()
        return self._view

    def checked(self) -> View | Unreadable:
        """The typed view of a resource that passed R4, mended where that was allowed."""
        if self._checked is None:
            self._checked, self.notes = self._strictly()
        return self._checked

    def _strictly(self) -> tuple[View | Unreadable, tuple[str, ...]]:
        shape = VIEWS.get(self.type)
        if shape is None:
            return Unreadable(self.type, "a type that is not read here"), ()
        quickly = not self.mending.strict_all and certainly_valid(self.type, self.raw)
        view = _quick(self) if quickly else None
        if view is not None:
            self._valid = self.raw
            return view, ()
        verdict, notes, self._valid = _held_against_r4(self, shape)
        return verdict, notes

    def salvaged(self) -> View | None:
        """What can be read of a resource that is not valid, leaf by leaf. It may warn; it clears nothing."""
        shape = VIEWS.get(self.type)
        try:
            content = json.loads(self.raw, parse_float=_possible, parse_int=_possible)
            rescued = _rescued(content, shape) if shape is not None and isinstance(content, dict) else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(rescued, View):
            return None
        if any(content.get(name) and getattr(rescued, name, None) is None for name in ("subject", "patient")):
            return None  # when its subject is lost, nobody can say whose it is
        return rescued

    def fault(self) -> str:
        """Why `fhir.resources` does not take it as it came; "" when it does. What is told here changes no card."""
        if self.type not in VIEWS:
            return ""
        alone = Resource(self.type, self.raw, self.where, self.full_url, Mending(strict_all=True))
        found = alone.checked()
        return found.reason if isinstance(found, Unreadable) else "; ".join(alone.notes)

    def valid_json(self) -> dict[str, Any] | None:
        """A copy as plain JSON that passed R4, the missing filled; None when none did, or when it would not be whole.

        A leaf that had to go, or a time that is none of R4, is not in it: sent back, it would be lost to the EHR.
        """
        self.checked()
        whole = not any(note.endswith((_LEFT_OUT, _NO_FULL_TIME)) for note in self.notes)
        return _without_empty(json.loads(self._valid)) if self._valid and whole else None


def _quick(resource: Resource) -> View | None:
    """The view straight from the bytes; None where they have another shape."""
    shape = VIEWS.get(resource.type)
    if resource.quick is None and shape is not None:
        with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            resource.quick = view_as(resource.raw, shape)
    return resource.quick


_MODIFIED = "an extension changes its meaning in a way not known here"
_Verdict = tuple[View | Unreadable, tuple[str, ...], str]  # what was read, what was mended, and the valid JSON


def _held_against_r4(resource: Resource, shape: type[View]) -> _Verdict:
    """The same at length: by `fhir.resources`, leaf by leaf where something is to be mended."""
    try:
        content = json.loads(resource.raw, parse_float=_decimal, parse_int=_integer, object_pairs_hook=_each_once)
    except _Twice:
        return Unreadable(resource.type, "an element stands twice in it, and which one holds is not known"), (), ""
    except (ValueError, RecursionError):
        return Unreadable(resource.type, "not readable JSON, or a number of impossible size"), (), ""
    notes: list[str] = []
    restore: list[Callable[[], Any]] = []
    for _ in range(LEAVES_PER_RESOURCE + 1):
        fault = _fault(resource.type, content) or _misfit(content, shape)
        if fault is None and _is_modified(content):
            return Unreadable(resource.type, _MODIFIED), tuple(notes), ""
        if fault is None:
            valid = json.dumps(content, default=_number)
            for put_back in restore:
                put_back()
            return _converted(resource, content, shape, mended=bool(notes)), tuple(notes), valid
        if resource.mending.left <= 0:
            return Unreadable(resource.type, "too many faults in this call to mend them all"), tuple(notes), ""
        path, kind = fault
        if not _filled(resource, content, path, kind, notes, restore) and not _mended(
            resource.type, content, path, kind, notes, restore
        ):
            return Unreadable(resource.type, _not_r4(resource.type, content, path)), tuple(notes), ""
        resource.mending.left -= 1
    return Unreadable(resource.type, "not valid FHIR R4 in many places"), tuple(notes), ""


def _not_r4(type_name: str, content: Any, path: tuple[str | int, ...]) -> str:
    other = betrayed(type_name, content) if isinstance(content, dict) else ""
    return f"not valid FHIR R4 at {_dotted(path) or 'the top'}" + (f"; it looks like FHIR {other}" if other else "")


class _Twice(Exception):
    """An element stands twice in one object: readers differ in which of the two they take."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _decimal(text: str) -> Decimal:
    """The number as written. Beyond any measured size it is refused: one such number could fill the memory."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number of impossible size") from None
    if abs(number.adjusted()) > _EXPONENT:
        raise ValueError("a number of impossible size")
    return number


def _integer(text: str) -> int:
    """The whole number as written, refused like `_decimal` does."""
    if len(text) > _EXPONENT:
        raise ValueError("a number of impossible size")
    return int(text)


def _possible(text: str) -> Decimal | int | None:
    """The number as written, None where it is one of impossible size."""
    try:
        return _integer(text) if text.removeprefix("-").isdecimal() else _decimal(text)
    except ValueError:
        return None


_EXPONENT = 100


def _rescued(value: Any, shape: Any) -> Any:
    """As much of `value` as has the shape, leaf by leaf; None when it has nothing of it."""
    if isinstance(shape, UnionType):
        found = (_rescued(value, option) for option in get_args(shape) if option is not NoneType)
        return next((each for each in found if each is not None), None)
    if get_origin(shape) is list:
        items = value if isinstance(value, list) else [value]
        return [found for each in items if (found := _rescued(each, get_args(shape)[0])) is not None] or None
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        return _rescued_parts(value, shape) if isinstance(value, dict) else None
    try:
        return decode(json.dumps(value, default=_number), shape)
    except (msgspec.DecodeError, RecursionError):
        return None


def _rescued_parts(value: dict[str, Any], shape: type[msgspec.Struct]) -> msgspec.Struct | None:
    """The object with the parts that can be read; None when all that it holds is lost."""
    written = [each for each in _parts_of(shape) if each.encode_name in value]
    parts = {each.name: _rescued(value[each.encode_name], each.type) for each in written}
    kept = {name: part for name, part in parts.items() if part is not None}
    lost = not kept and any(value.get(each.encode_name) is not None for each in written)
    return None if lost else shape(**kept)


@cache
def _parts_of(shape: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    return fields(shape)


def _misfit(content: Any, shape: type[View]) -> tuple[tuple[str | int, ...], str] | None:
    """The element that R4's reader took for something that ours does not: a number for a time, say."""
    try:
        _decoded(content, shape)
    except (msgspec.DecodeError, RecursionError) as refusal:
        element = re.search(r"at `\$\.(\w+)`\Z", str(refusal))
        return ((element[1],), "type") if element else None
    return None


def _without_empty(value: Any) -> Any:
    """The same JSON without elements that hold nothing: what we send holds no null and nothing empty."""
    if isinstance(value, dict):
        kept = {name: _without_empty(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, "", [], {})}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def _is_modified(content: Mapping[str, Any]) -> bool:
    """Whether a modifier extension stands on the resource or on one of its parts that we read."""
    parts = [content, *(part for name in ("component", "dosageInstruction") for part in content.get(name) or ())]
    return any(part.get("modifierExtension") for part in parts)


def _number(value: Decimal) -> int | float:
    """Decimals as JSON writes them; all else in what was read from JSON it can write itself."""
    return int(value) if value == value.to_integral_value() else float(value)


def _converted(resource: Resource, content: Any, shape: type[View], *, mended: bool) -> View | Unreadable:
    """The view of a valid resource: as it came, or of its mended content."""
    quick = None if mended else _quick(resource)
    if quick is not None:
        return quick
    try:
        return _decoded(content, shape)
    except (msgspec.DecodeError, RecursionError):
        return Unreadable(resource.type, "not typed as FHIR R4 has it")


def _decoded(content: Any, shape: type[V]) -> V:
    return decode(json.dumps(content, default=_number), shape)


@cache
def _model(type_name: str) -> Callable[[Any], Any]:
    module = import_module(f"fhir.resources.R4B.{type_name.lower()}")
    return getattr(module, type_name).model_validate  # type: ignore[no-any-return]


def warm() -> None:
    """Load and build the strict models, so that the first order of the day is not the slow one."""
    learn_views()
    for type_name in VIEWS:
        _fault(type_name, {"resourceType": type_name})
        learn(type_name)
        decoder(VIEWS[type_name])


def _fault(type_name: str, content: Any) -> tuple[tuple[str | int, ...], str] | None:
    """The first fault of the resource: where, and which kind. None when it is valid R4."""
    try:
        _model(type_name)(content)
    except ValidationError as refusal:
        first = refusal.errors(include_url=False, include_input=False)[0]
        return first["loc"], first["type"]
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError):
        return (), "not FHIR"
    return None


# What a draft may lack because its author has not come so far, and what a chart entry may lack because it came with
# this patient's answer. The placeholder satisfies R4 while it is checked, and is taken away again.
_IN_A_DRAFT: Mapping[str, Any] = {"intent": "order", "status": "draft", "subject": {"display": "this patient"}}
_IN_THE_CHART: Mapping[str, Any] = {
    "intent": "order",
    "subject": {"display": "this patient"},
    "patient": {"display": "this patient"},
}
_NO_DRUG_YET = {"text": "none chosen yet"}


def _filled(
    resource: Resource,
    content: Any,
    path: tuple[str | int, ...],
    kind: str,
    notes: list[str],
    restore: list[Callable[[], Any]],
) -> bool:
    """Whether the fault is an element that may be missing here; it is filled while the check lasts."""
    fillers = _IN_A_DRAFT if resource.where == DRAFTS else _IN_THE_CHART
    lacks = _lacks(kind) and len(path) == 1 and content.get(path[0]) is None
    if lacks and path[0] in fillers:
        element, filler = str(path[0]), fillers[str(path[0])]
    elif not path and resource.where == DRAFTS and not any(key.startswith("medication") for key in content):
        element, filler = "medicationCodeableConcept", _NO_DRUG_YET
    else:
        return False
    content[element] = filler
    restore.append(partial(content.pop, element))
    notes.append(f"{element} is missing")
    return True


def _lacks(kind: str) -> bool:
    """Whether the fault is a part that has to be there and is not."""
    return kind.rpartition(".")[2] == "missing"


# A time that people understand and R4 does not: no zone, or no seconds. It is kept; its zone is settled when it is
# read.
_ALMOST_A_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?\Z")
_LEFT_OUT = "was left out: not valid FHIR R4"
_NO_FULL_TIME = "is not a full FHIR time (zone or seconds missing)"
_A_VALID_TIME = "2000-01-01T00:00:00Z"


def _mended(
    type_name: str,
    content: Any,
    path: tuple[str | int, ...],
    kind: str,
    notes: list[str],
    restore: list[Callable[[], Any]],
) -> bool:
    """Whether the fault at `path` could be mended in `content`, in place."""
    if _lacks(kind):  # what lacks a part goes as a whole: a narrative without its words
        path = path[:-1]
    if not path:
        return False
    holder = content
    try:
        for step in path[:-1]:
            holder = holder[step]
        leaf = path[-1]
        if kind == "list_type" and isinstance(holder[leaf], dict):
            holder[leaf] = [holder[leaf]]
            notes.append(f"{_dotted(path)} was an object where a list belongs")
            return True
        if leaf == "code" and type(holder[leaf]) is int:
            holder[leaf] = str(holder[leaf])
            notes.append(f"{_dotted(path)} was a number where a code belongs")
            return True
        if isinstance(holder[leaf], str) and _ALMOST_A_TIME.match(holder[leaf]):
            restore.append(partial(holder.__setitem__, leaf, holder[leaf]))
            holder[leaf] = _A_VALID_TIME
            notes.append(f"{_dotted(path)} {_NO_FULL_TIME}")
            return True
        if path[0] in MEANING[type_name] and not _is_decoration(path, kind):
            return False
        del holder[leaf]
    except (KeyError, IndexError, TypeError):
        return False
    notes.append(f"{_dotted(path)} {_LEFT_OUT}")
    return True


# Inside an element with meaning, only these leaves may go: what they say is said again by their neighbours.
_DECORATIONS = frozenset({"display", "userSelected", "version", "id"})


def _is_decoration(path: tuple[str | int, ...], kind: str) -> bool:
    unknown_element = kind == "extra_forbidden" and len(path) > 1
    return path[-1] in _DECORATIONS or unknown_element


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
