"""The request: one CDS Hooks call, checked and typed.

Resources stay raw bytes here; reading them is the business of `gather`. A field that we do not know, or do not use, is
ignored, whatever it holds.
The paths in error messages are those of the request body ("context.patientId").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

import msgspec

from cds_service.decoding import Members, as_meant, decode, each_once, stands_twice
from cds_service.errors import BadRequest
from cds_service.hooks.services import Service

MOST_DRAFTS = 1_000  # that are read of one call: more would take the time of the checks
NOT_JSON = "the body is not valid JSON (RFC 8259): send one object in UTF-8"
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_NULL = msgspec.Raw(b"null")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """The EHR's FHIR server and the token for it. The token shows in no repr, log or error."""

    server: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry of draftOrders: the raw resource and the fullUrl that other entries may refer to."""

    raw: bytes
    full_url: str | None


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A CDS Hooks call that we can answer."""

    hook: str
    instance: str
    patient_id: str
    user_id: str
    drafts: tuple[Draft, ...]
    selections: tuple[str, ...]
    prefetch: Mapping[str, bytes]
    fhir: FhirAccess | None

    @classmethod
    def read(cls, body: bytes, service: Service) -> HookRequest:
        """The request in `body`, for `service`. Raises BadRequest, naming the path of the fault."""
        try:
            return cls._read(body, service)
        except BadRequest as fault:
            meant = as_meant(body) if fault.message == NOT_JSON else body
            if meant == body:
                raise
        return cls._read(meant, service)

    @classmethod
    def _read(cls, body: bytes, service: Service) -> HookRequest:
        envelope = _decode(body, _Envelope, "")
        if envelope.hook != service.hook:
            raise BadRequest(
                f"this address serves the hook '{service.hook}', the body names another: "
                "call the service whose hook it is (see GET /cds-services)",
                "hook",
            )
        prefetch = envelope.prefetch or {}
        _require_each_once(_decode(body, Members, ""), "", _USED)
        _require_each_once(prefetch, "prefetch", frozenset(query.key for query in service.queries))
        if not envelope.hookInstance:
            raise BadRequest("hookInstance is empty: send a UUID for each call", "hookInstance")
        context = _decode(envelope.context, _CONTEXTS[service.hook], "context")
        _require_each_once(_decode(envelope.context, Members, "context"), "context", _USED_OF_CONTEXT)
        if not FHIR_ID.match(context.patientId):
            raise BadRequest(
                "patientId is not a FHIR id (letters, digits, '-' and '.', at most 64): "
                "send the id alone, without 'Patient/' before it",
                "context.patientId",
            )
        return cls(
            hook=service.hook,
            instance=envelope.hookInstance,
            patient_id=context.patientId,
            user_id=context.userId,
            drafts=_drafts(context.draftOrders) if isinstance(context, _OrderSign) else (),
            selections=tuple(context.selections) if isinstance(context, _OrderSelect) else (),
            prefetch=MappingProxyType({key.text: bytes(value) for key, value in prefetch.items()}),
            fhir=_access(envelope),
        )


class _Authorization(msgspec.Struct):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - a kind of token, not a token
    expires_in: int | float | str | None = None  # seconds; some clients send text; we do not need it
    scope: str | None = None
    subject: str | None = None
    patient: str | None = None


class _Envelope(msgspec.Struct):
    hook: str
    hookInstance: str  # noqa: N815 - the specification's name
    context: msgspec.Raw
    prefetch: Members | None = None
    fhirServer: str | None = None  # noqa: N815
    fhirAuthorization: _Authorization | None = None  # noqa: N815


class _PatientView(msgspec.Struct):
    patientId: str  # noqa: N815
    userId: str  # noqa: N815


class _OrderSign(_PatientView, kw_only=True):
    draftOrders: msgspec.Raw  # noqa: N815


class _OrderSelect(_OrderSign, kw_only=True):
    selections: list[str]


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = _NULL
    fullUrl: msgspec.Raw = _NULL  # noqa: N815


class _DraftBundle(msgspec.Struct):
    resourceType: str | None = None  # noqa: N815
    entry: list[msgspec.Raw] | None = None


_USED = frozenset({"hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization"})
_USED_OF_CONTEXT = frozenset({"patientId", "userId", "draftOrders", "selections"})
_CONTEXTS: Mapping[str, type[_PatientView]] = {
    "patient-view": _PatientView,
    "order-select": _OrderSelect,
    "order-sign": _OrderSign,
}


def _decode(raw: bytes | msgspec.Raw, shape: type[T], where: str) -> T:
    try:
        return decode(raw, shape)
    except RecursionError:
        raise BadRequest("the JSON is nested too deeply to be read", where or None) from None
    except msgspec.ValidationError as fault:
        message, _, at = str(fault).partition(" - at ")
        path = ".".join(part for part in (where, at.strip("`").removeprefix("$").lstrip(".")) if part)
        missing = re.search(r"missing required field `(\w+)`", message)
        if missing:
            path = f"{path}.{missing[1]}" if path else missing[1]
        said = f"{missing[1]} is required and is missing" if missing else _in_words(message)
        raise BadRequest(f"{said}{_hint(path, said)}", path or None) from None
    except msgspec.DecodeError:
        raise BadRequest(NOT_JSON, where or None) from None


def _require_each_once(members: Members, where: str, used: frozenset[str]) -> None:
    """Of two elements of one name any reader takes another one: the orders of a call could go unseen."""
    if not each_once({name: value for name, value in members.items() if name.text in used}):
        raise BadRequest("an element stands twice in one object: send each of them once", where or None)


def _in_words(message: str) -> str:
    """A type error in the words of JSON: "expected text, found a list"."""
    wrong = re.match(r"Expected `([^`]+)`, got `([^`]+)`", message)
    if not wrong:
        return "a number is too large to be read: send a smaller one" if "out of range" in message else message
    expected = " or ".join(dict.fromkeys(_JSON.get(name.strip(), name.strip()) for name in wrong[1].split("|")))
    return f"expected {expected}, found {_JSON.get(wrong[2], wrong[2])}"


_JSON = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _hint(path: str, said: str) -> str:
    if not path:
        return ": send an object with hook, hookInstance and context"
    if path.endswith("draftOrders"):
        if not said.endswith(("missing", "null")):
            return ": send a Bundle"
        return "; some EHRs send draft orders only when the app holds the scopes for reading unsigned orders"
    return ""


def _drafts(raw: msgspec.Raw) -> tuple[Draft, ...]:
    bundle = _decode(raw, _DraftBundle, "context.draftOrders")
    if bundle.resourceType not in ("Bundle", None):
        raise BadRequest("draftOrders must be a Bundle", "context.draftOrders.resourceType")
    entries = bundle.entry or ()
    if not entries:
        # whether a name that is no text hides them, or another name
        named = _decode(raw, Members, "context.draftOrders")
        if bundle.resourceType is None and not _OF_A_BUNDLE.issuperset(each.text for each in named):
            raise BadRequest("expected a Bundle, found something else: send a Bundle", "context.draftOrders")
    lost = any(stands_twice(raw, name, often) for name, often in (("entry", 1), ("resource", len(entries))))
    unread = len(entries[MOST_DRAFTS:]) + lost
    return (*(_draft(entry) for entry in entries[:MOST_DRAFTS]), *(_UNREADABLE for _ in range(unread)))


# What an untyped Bundle may hold besides entries; the Sandbox and others leave its type away.
_OF_A_BUNDLE = frozenset({"entry", "extension", "id", "identifier", "link", "meta", "timestamp", "total", "type"})
_UNREADABLE = Draft(b"null", None)  # stands for a draft that came and cannot be had


def _draft(raw: msgspec.Raw) -> Draft:
    """One entry. One that is no entry at all is a draft that cannot be read: it must not cost the others."""
    try:
        entry = decode(raw, _Entry)
    except (msgspec.DecodeError, RecursionError):
        return _UNREADABLE
    try:
        full_url = decode(entry.fullUrl, str)
    except (msgspec.DecodeError, RecursionError):
        full_url = None
    return Draft(bytes(entry.resource), full_url)


def _access(envelope: _Envelope) -> FhirAccess | None:
    if envelope.fhirServer is None:
        return None
    authorization = envelope.fhirAuthorization
    return FhirAccess(envelope.fhirServer.rstrip("/"), authorization.access_token if authorization else None)
