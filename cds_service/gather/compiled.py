"""What is certainly valid R4, told in microseconds: the models of `fhir.resources`, compiled once at the start.

`fhir.resources` checks a resource element by element in Python, at some 300 µs each. From the same models (their
elements, cardinalities, choices and patterns) a decoder of `msgspec` is built here, that takes a resource in one go.
It is stricter on purpose: whatever it does not take (an extension of a primitive element, a null, an unusual time,
an escaped quotation mark) is no verdict, and `fhir.resources` itself is asked. So nothing passes here that would not
pass there; `tests/gather/test_compiled.py` holds one against the other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from types import ModuleType, NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from cds_service.decoding import LEARNING
from cds_service.gather.quick import is_known_again
from cds_service.gather.verdicts import Verdicts
from cds_service.kept import Kept

_DECODERS: dict[tuple[str, bool], msgspec.json.Decoder[Struct]] = {}
_MODELS = "fhir.resources.R4B."
_YEAR, _MONTH = r"(?:19|20)[0-9][0-9]", r"(?:0[1-9]|1[0-2])"
_IN_YEAR = (  # no 29 February
    rf"(?:{_MONTH}-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_DAY = f"{_YEAR}-{_IN_YEAR}"
_CLOCK = (
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
)
_TEXT = Annotated[str, Meta(pattern="[ -~]")]  # one plain letter at least
_SOME_TEXT = Annotated[str, Meta(min_length=1)]
_SOME_DATE = rf"\A(?:{_DAY}|{_YEAR}(?:-{_MONTH})?)\Z"
_SOME_TIME = rf"\A(?:{_DAY}(?:{_CLOCK})?|{_YEAR}(?:-{_MONTH})?)\Z"
_MOST = 2147483647


def _several(inside: Any) -> Any:
    return f"_Annotated[list[{inside}], _Meta(min_length=1)]" if isinstance(inside, str) else (
        Annotated[list[inside], Meta(min_length=1)]
    )


# FHIR's primitive types, each as something that certainly is one. A type that is not here is never taken.
_PRIMITIVES: dict[str, Any] = {
    "boolean": bool,
    "string": _TEXT,
    "markdown": _TEXT,
    "xhtml": str,
    "code": Annotated[str, Meta(pattern=r"\A[!-~]++(?: [!-~]++)*+\Z")],
    "id": Annotated[str, Meta(pattern=r"\A[A-Za-z0-9\-.]{1,64}\Z")],
    "uri": _TEXT,
    "canonical": _TEXT,
    "decimal": Annotated[float, Meta(ge=-1e12, le=1e12)],
    "integer": Annotated[int, Meta(ge=-_MOST, le=_MOST)],
    "unsignedInt": Annotated[int, Meta(ge=0, le=_MOST)],
    "positiveInt": Annotated[int, Meta(ge=1, le=_MOST)],
    "date": Annotated[str, Meta(pattern=_SOME_DATE)],
    "dateTime": Annotated[str, Meta(pattern=_SOME_TIME)],
    "instant": Annotated[str, Meta(pattern=rf"\A{_DAY}{_CLOCK}\Z")],
    "time": Annotated[str, Meta(pattern=r"\A(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\Z")],
}
# What of these need not be looked at where the JSON is plain: each text that is not empty is a valid string. A number
# with a point is one that a float tells from zero.
_IN_PLAIN: dict[str, Any] = _PRIMITIVES | dict.fromkeys(("string", "markdown", "uri", "canonical"), _SOME_TEXT)
_IN_PLAIN |= {"decimal": Annotated[int, Meta(ge=-(10**12), le=10**12)] | Annotated[float, Meta(ge=1e-9, le=1e12)]}
# A number below any measured size: a float does not tell it from zero.
_ZEROS = b"0" * 50
_PERHAPS_TINY, _TINY = re.compile(rb"[eE]-\d\d"), re.compile(rb"[:\[,\s]-?[\d.]++[eE]-\d\d")
# A concept is looked at by itself: a hospital writes the same few thousand all day.
_CONCEPT = "CodeableConcept"
_APART: dict[str, Any] = {
    _CONCEPT: msgspec.Raw, _several(_CONCEPT): Annotated[list[msgspec.Raw], Meta(min_length=1)],
}  # fmt: skip
_SOUND: Kept[bytes, bool] = Kept()
# Inside these nothing is looked at: they may hold any resource, or more types than it pays to compile.
_NEVER = frozenset({"contained", "fhir_comments", "modifierExtension"})
# What an extension may hold, and one on a patient's record hardly ever does: a dozen models, for nothing else.
_NEVER |= {
    *("valueContactDetail", "valueContributor", "valueCount", "valueDataRequirement", "valueDistance", "valueMoney"),
    *("valueCodeableReference", "valueParameterDefinition", "valueRatioRange", "valueSignature"),
    *("valueTriggerDefinition", "valueUsageContext"),
}


@dataclass(frozen=True, slots=True)
class _Family:
    """Compiled types, which refer to each other by name, and where msgspec looks the names up."""

    shapes: ModuleType
    primitives: dict[str, Any]

    @classmethod
    def made(cls, name: str, primitives: dict[str, Any]) -> _Family:
        """A family without types yet."""
        shapes = ModuleType(f"{__name__}.{name}")
        shapes.__dict__.update(_Annotated=Annotated, _Meta=Meta, _Unset=UnsetType)
        sys.modules[shapes.__name__] = shapes
        return cls(shapes, primitives)


_FAMILIES = {True: _Family.made("plain_shapes", _IN_PLAIN), False: _Family.made("shapes", _PRIMITIVES)}

_encode = msgspec.json.Encoder().encode
_VERDICTS = Verdicts(most=20_000)  # of this process: some megabytes


def certainly_valid(type_name: str, raw: bytes) -> bool:
    """Whether this is a resource of that type that `fhir.resources` would take, and no element stands twice in it.

    False is no verdict.
    """
    digest = _VERDICTS.digest(type_name, raw)
    if _VERDICTS.knows(digest):
        return True
    valid = _looked_at(type_name, raw)
    if valid:
        _VERDICTS.note(digest)
    return valid


def _looked_at(type_name: str, raw: bytes) -> bool:
    if _is_plain(raw) and _taken(type_name, raw, plain=True):
        return True
    if _ZEROS in raw or ((b"e-" in raw or b"E-" in raw) and _PERHAPS_TINY.search(raw) and _TINY.search(raw)):
        return False
    return _taken(type_name, raw, plain=False)


def learn(type_name: str) -> None:
    """Compile that type, so that the first resource of it need not wait."""
    for plain in _FAMILIES:
        _decoder(type_name, plain)
        _decoder(_CONCEPT, plain)


def _is_plain(raw: bytes) -> bool:
    """Whether it is ASCII in which nothing but quotation marks is escaped: no text in it holds an odd character."""
    return raw.isascii() and (b"\\" not in raw or raw.count(b"\\") == raw.count(b'\\"'))


def _taken(type_name: str, raw: bytes, *, plain: bool) -> bool:
    """Whether the decoder of that family takes it, and nothing in it stands twice.

    Of an element that stands twice, one is lost in what was read. Each key and text has two quotation marks. A mark
    that is spelled by its number would upset the count.
    """
    try:
        read = _encode(_decoder(type_name, plain).decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return (plain or b"\\u0022" not in raw) and raw.count(b'"') == read.count(b'"')


def _decoder(type_name: str, plain: bool) -> msgspec.json.Decoder[Struct]:
    made = _DECODERS.get((type_name, plain))
    if made is None:
        with LEARNING:
            model = getattr(import_module(_MODELS + type_name.lower()), type_name)
            shape = _shape(model, _FAMILIES[plain], resource="" if type_name == _CONCEPT else type_name)
            made = _DECODERS.setdefault((type_name, plain), msgspec.json.Decoder(shape))
    return made


def _shape(model: Any, family: _Family, resource: str = "") -> type[Struct]:
    """The model as a Struct; those that it refers to are made before, and known by name."""
    name, shapes = model.__name__, family.shapes
    known: type[Struct] | None = getattr(shapes, name, None)
    if known is not None:
        return known
    setattr(shapes, name, Struct)  # taken: a type may hold itself
    bare = model.model_construct()
    required = {name for name, _ in bare.get_required_fields()}
    elements: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    concepts: list[str] = []
    for spelled, told in model.model_fields.items():
        element = told.alias or spelled
        if spelled.endswith("__ext") or element in _NEVER or element == "resourceType":
            continue
        kind = _kind(told.annotation, family)
        if kind is None:
            continue
        if resource or "code" in required:  # few others have a concept, and for them it does not pay
            apart = _APART.get(kind) if isinstance(kind, str) else None
            concepts += [element] if apart is not None else []
            kind = apart or kind
        if told.is_required() or element in required or spelled in required:
            elements.append((element, kind))
        else:
            elements.append((element, kind | UnsetType if not isinstance(kind, str) else f"{kind} | _Unset", UNSET))
    if resource:
        elements.append(("resourceType", Literal[resource]))
    taken = {element[0] for element in elements}
    several = bare.get_one_of_many_fields().values()
    told_of = ((names, model.model_fields[names[0]].json_schema_extra) for names in several)
    choices = [([name for name in names if name in taken], extra["one_of_many_required"]) for names, extra in told_of]
    check = _checks(choices, concepts, plain=family is _FAMILIES[True]) if choices or concepts else None
    made = msgspec.defstruct(
        name, elements, kw_only=True, forbid_unknown_fields=True, gc=False, module=shapes.__name__,
        namespace={"__post_init__": check} if check else None,
    )  # fmt: skip
    setattr(shapes, name, made)
    return made


def _checks(choices: Iterable[tuple[list[str], bool]], concepts: list[str], *, plain: bool) -> Any:
    """Refuses an object that holds two of a choice, none of one that must be made, or a concept that is none."""
    each = [(attrgetter(*names, "__class__"), len(names), must) for names, must in choices]
    written = attrgetter(*concepts, "__class__") if concepts else None

    def check(self: Struct) -> None:
        for all_and_class, every, must in each:
            given = every - all_and_class(self).count(UNSET)
            if given > 1 or (must and not given):
                raise ValueError
        for found in written(self)[:-1] if written is not None else ():
            if found is not UNSET:
                for raw in found if isinstance(found, list) else (found,):
                    concept = bytes(raw)
                    if concept not in _SOUND:
                        _require_concept(concept, plain=plain)

    return check


def _require_concept(raw: bytes, *, plain: bool) -> None:
    """Refuses what is no concept. One that is known again wherever it is written alike need not be looked at twice."""
    if not _taken(_CONCEPT, raw, plain=plain):
        raise ValueError
    if is_known_again(raw):
        _SOUND.keep(raw, True)


def _kind(annotation: Any, family: _Family) -> Any:
    """The type of an element for msgspec; None for one that is never taken."""
    visited = getattr(annotation, "__metadata__", None)
    if visited is not None:
        return family.primitives.get(getattr(visited[0], "__visit_name__", ""))
    if annotation is bool:
        return bool
    options = [each for each in get_args(annotation) if each is not NoneType]
    if get_origin(annotation) is list:
        inside = _kind(options[0], family)
        return None if inside is None else _several(inside)
    if options:
        return _kind(options[0], family) if len(options) == 1 else None
    model = annotation.get_model_klass() if hasattr(annotation, "get_model_klass") else None
    if model is None or model.__name__ in ("Resource", "Element"):
        return None
    _shape(model, family)
    return str(model.__name__)
