"""R4: the strict check of a resource by `fhir.resources` (R4B), and against the view that it is read by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from cds_service.decoding import decode, decoder
from cds_service.gather.compiled import learn
from cds_service.gather.plain_json import written
from cds_service.gather.quick import learn as learn_views
from cds_service.gather.versions import betrayed
from cds_service.gather.views import VIEWS, View

V = TypeVar("V", bound=View)
Path = tuple[str | int, ...]  # of an element, from the top of its resource
Fault = tuple[Path, str]  # where, and which kind


def warm() -> None:
    """Load and build the strict models, so that the first order of the day is not the slow one."""
    learn_views()
    for type_name in VIEWS:
        fault_of(type_name, {"resourceType": type_name})
        learn(type_name)
        decoder(VIEWS[type_name])


def fault_of(type_name: str, content: Any) -> Fault | None:
    """The first fault of the resource: where, and which kind. None when it is valid R4."""
    try:
        _model(type_name)(content)
    except ValidationError as refusal:
        first = refusal.errors(include_url=False, include_input=False)[0]
        return first["loc"], first["type"]
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError):
        return (), "not FHIR"
    return None


def misfit(content: Any, shape: type[View]) -> Fault | None:
    """The element that R4's reader took for something that ours does not: a number for a time, say."""
    try:
        decoded(content, shape)
    except (msgspec.DecodeError, RecursionError) as refusal:
        element = re.search(r"at `\$\.(\w+)`\Z", str(refusal))
        return ((element[1],), "type") if element else None
    return None


def is_modified(content: Mapping[str, Any]) -> bool:
    """Whether a modifier extension stands on the resource or on one of its parts that we read."""
    parts = [content, *(part for name in ("component", "dosageInstruction") for part in content.get(name) or ())]
    return any(part.get("modifierExtension") for part in parts)


def decoded(content: Any, shape: type[V]) -> V:
    """The view of what was read. Raises msgspec.DecodeError or RecursionError."""
    return decode(written(content), shape)


def not_r4(type_name: str, content: Any, path: Path) -> str:
    """Why a resource with this fault cannot be used, in words and without patient data."""
    other = betrayed(type_name, content) if isinstance(content, dict) else ""
    return f"not valid FHIR R4 at {dotted(path) or 'the top'}" + (f"; it looks like FHIR {other}" if other else "")


def dotted(path: Path) -> str:
    """The place as FHIR writes it: `code.coding[0].system`. What Pydantic calls the root of a part is that part."""
    steps = path[:-1] if path[-1:] == ("root",) else path
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


@cache
def _model(type_name: str) -> Callable[[Any], Any]:
    module = import_module(f"fhir.resources.R4B.{type_name.lower()}")
    return getattr(module, type_name).model_validate  # type: ignore[no-any-return]
