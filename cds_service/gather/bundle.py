"""Bundles: split one JSON value into raw resources, problems and the next page, without building its resources.

An OperationOutcome of severity error or fatal is a problem; a milder one is what some EHRs send for "no hits", unless
it says that something is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from cds_service.decoding import decode, may_stand_twice, stands_twice
from cds_service.gather.quick import Concepts, any_view
from cds_service.gather.views import View

_SERIOUS = ("error", "fatal")
# Codes of milder issues that speak of results which were left out: FHIR's value set issue-type.
_MISSING = frozenset({"suppressed", "security", "forbidden", "incomplete", "too-costly", "throttled", "timeout"})
# Types that come along where a server includes them or a whole record is sent, and answer none of our questions.
# What may hold an answer in another form (a Bundle, a list, a dispensing) is not among them.
BESIDE = frozenset(
    {
        "Account", "Appointment", "CareTeam", "Claim", "ClaimResponse", "Coverage", "Device", "DocumentReference",
        "Encounter", "EpisodeOfCare", "ExplanationOfBenefit", "Goal", "Group", "HealthcareService", "ImagingStudy",
        "Immunization", "Location", "Organization", "Practitioner", "PractitionerRole", "Provenance", "RelatedPerson",
        "SupplyDelivery",
    }
)  # fmt: skip
_NULL = msgspec.Raw(b"null")
_RESOURCE = b'"resource"'
T = TypeVar("T")


class Matches(msgspec.Struct, frozen=True):
    """What Bundles give as matches: by type and id, as the same one may come on two pages, and those without an id."""

    names: frozenset[tuple[str, str]] = frozenset()
    nameless: int = 0

    @classmethod
    def of(cls, resources: Iterable[bytes]) -> Matches:
        """These resources, all taken for matches."""
        names = [(head.resourceType, head.name) if (head := _head(raw)) else ("", "") for raw in resources]
        return cls(frozenset(each for each in names if each[1]), sum(not name for _, name in names))

    def __or__(self, other: Matches) -> Matches:
        return Matches(self.names | other.names, self.nameless + other.nameless)

    def __len__(self) -> int:
        return len(self.names) + self.nameless


class Unpacked(msgspec.Struct, frozen=True):
    """What one JSON value held: raw resources, the link to the next page, and problems in words."""

    resources: tuple[bytes, ...] = ()
    next_page: str | None = None
    problems: tuple[str, ...] = ()
    matches: Matches = Matches()  # what the Bundle gives as such, not because a match refers to it
    total: int = 0  # how many matches there are in all its pages, as the Bundle says; 0 when it does not say
    full_urls: Mapping[int, str] = {}  # of the resources, by their place
    views: Mapping[int, View] = {}  # of those that were read along with it

    @property
    def short(self) -> bool:
        """The Bundle counts more matches than came, and links to no further page."""
        return self.next_page is None and self.total > len(self.matches)


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - FHIR's name
    id: Any = None

    @property
    def name(self) -> str:
        """Its id, where it has one."""
        return self.id if isinstance(self.id, str) else ""


class _Link(msgspec.Struct):
    relation: str | None = None
    url: str | None = None


class _Relation(msgspec.Struct):
    """A link whose address cannot be read."""

    relation: str | None = None


class _Search(msgspec.Struct):
    mode: str | None = None


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = _NULL
    search: _Search | None = None
    fullUrl: msgspec.Raw = _NULL  # noqa: N815


class _Bundle(msgspec.Struct):
    entry: list[msgspec.Raw] | None = None
    link: list[msgspec.Raw] | None = None
    total: msgspec.Raw = _NULL


class _Bare(msgspec.Struct):
    """An entry whose search part has another shape."""

    resource: msgspec.Raw = _NULL


_INCLUDED = _Search("include")


class _PlainEntry(msgspec.Struct, gc=False):
    """An entry as nearly all are written. What is written otherwise is read one by one."""

    resource: msgspec.Raw
    fullUrl: str | None = None  # noqa: N815
    search: _Search | None = None


class _PlainBundle(msgspec.Struct, gc=False):
    resourceType: Literal["Bundle"]  # noqa: N815
    entry: list[_PlainEntry] = []
    link: list[_Link] = []
    total: Annotated[int, msgspec.Meta(ge=0, lt=1_000_000_000)] = 0


class _Issue(msgspec.Struct):
    severity: str = "error"
    code: str = "unknown"


class _Outcome(msgspec.Struct):
    issue: list[_Issue] | None = None


def resource_type(raw: bytes | msgspec.Raw) -> str | None:
    """The resourceType of a raw JSON object, None when it has none that can be read."""
    head = _head(raw)
    return head.resourceType if head is not None else None


def _head(raw: bytes | msgspec.Raw) -> _Head | None:
    try:
        return decode(raw, _Head)
    except (msgspec.DecodeError, RecursionError):
        return None


def unpack(raw: bytes) -> Unpacked:
    """`raw` split up: null, a resource, a Bundle or an OperationOutcome, whichever it is."""
    plain = _decoded(raw, _PlainBundle)
    if plain is not None:
        return _of_plain(raw, plain)
    if raw.strip() == b"null":
        return Unpacked()
    kind = resource_type(raw)
    if kind is None:
        return Unpacked(problems=("the answer is not a FHIR resource",))
    if kind == "OperationOutcome":
        return Unpacked(problems=_problems(raw) or ("the answer is an OperationOutcome",))
    if kind != "Bundle":
        return Unpacked(resources=(raw,))
    try:
        bundle = decode(raw, _Bundle)
    except (msgspec.DecodeError, RecursionError):
        return Unpacked(problems=("the Bundle cannot be read",))
    entries = (_entry(written) for written in bundle.entry or ())
    each = ((bytes(entry.resource), _decoded(entry.fullUrl, str), entry.search) for entry in entries)
    links = (_link(link) for link in bundle.link or ())
    total = bytes(bundle.total).strip(b'"')
    problems = _written_twice(raw, [b""] * len(bundle.entry or ()))
    return _split(each, links, int(total[:9]) if total.isdigit() else 0, problems)


def _of_plain(raw: bytes, bundle: _PlainBundle) -> Unpacked:
    each = [(bytes(entry.resource), entry.fullUrl, entry.search) for entry in bundle.entry]
    return _split(each, bundle.link, bundle.total, _written_twice(raw, [resource for resource, _, _ in each]))


def _split(
    entries: Iterable[tuple[bytes, str | None, _Search | None]], links: Iterable[_Link | None], counted: int,
    problems: list[str],
) -> Unpacked:
    """What the entries hold: resources, of most the view too, and problems."""
    resources: list[bytes] = []
    full_urls: dict[int, str] = {}
    views: dict[int, View] = {}
    met: Concepts = {}
    beside = False  # whether anything came that answers none of our questions
    names: set[tuple[str, str]] = set()
    nameless = 0
    for written, full_url, search in entries:
        wanted = True
        try:
            view = views[len(resources)] = any_view(written, met)
            kind, name = type(view).__name__, view.id or ""
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            head = _head(written)
            if head is None:
                problems.append("an entry of the Bundle holds no readable resource")
                continue
            if head.resourceType == "OperationOutcome":
                problems.extend(_problems(written))
                continue
            kind, name = head.resourceType, head.name
            wanted = kind not in BESIDE
        if search is None or search != _INCLUDED:
            if name:
                names.add((kind, name))
            else:
                nameless += 1
        if not wanted:
            beside = True
            continue
        if full_url:
            full_urls[len(resources)] = full_url
        resources.append(written)
    following, lost = _further_page(links)
    problems.extend(lost)
    if beside and not resources:
        problems.append("the Bundle holds nothing of what was asked for")
    unique, matches = tuple(dict.fromkeys(problems)), Matches(frozenset(names), nameless)
    return Unpacked(tuple(resources), following, unique, matches, counted, full_urls, views)


def _further_page(links: Iterable[_Link | None]) -> tuple[str | None, tuple[str, ...]]:
    """Where the next page is, or why there may be one that nobody can ask for. Relations are one in any letters."""
    lost: tuple[str, ...] = ()
    for link in links:
        if link is None:
            lost = lost or ("a link of the Bundle cannot be read",)
        elif link.relation is not None and link.relation.lower() == "next":
            return (link.url, ()) if link.url else (None, ("the Bundle has a further page and does not say where",))
    return None, lost


def _link(raw: msgspec.Raw) -> _Link | None:
    whole = _decoded(raw, _Link)
    bare = _decoded(raw, _Relation) if whole is None else None
    return _Link(bare.relation) if bare is not None else whole


def _written_twice(raw: bytes, resources: Sequence[bytes]) -> list[str]:
    """What stands twice, of which a reader takes one and loses the other."""
    around, often = _around(raw, resources), {"entry": 1, "resource": len(resources)}
    if around is not None and not any(may_stand_twice(around, name, most) for name, most in often.items()):
        return []
    found = ["the Bundle has two lists of entries"] if stands_twice(raw, "entry", 1) else []
    twice = stands_twice(raw, "resource", len(resources))
    return [*found, "an entry of the Bundle holds two resources"] if twice else found


def _around(raw: bytes, resources: Iterable[bytes]) -> bytes | None:
    """The Bundle without its resources, which are looked at by themselves; None where one is not in its place."""
    parts: list[bytes] = []
    end = 0
    for written in resources:
        named = raw.find(_RESOURCE, end)
        start = raw.find(b"{", named)
        if named < 0 or not written or not raw.startswith(written, start):
            return None
        parts.append(raw[end:start])
        end = start + len(written)
    return b"".join((*parts, raw[end:]))


def _entry(raw: msgspec.Raw) -> _Entry:
    """An entry as far as it can be read: an odd `search` costs no resource."""
    whole = _decoded(raw, _Entry)
    if whole is not None:
        return whole
    bare = _decoded(raw, _Bare)
    return _Entry(bare.resource) if bare is not None else _Entry()


def _decoded(raw: bytes | msgspec.Raw, shape: type[T]) -> T | None:
    """One entry or link; None when it has another shape, so that it does not spoil the others."""
    try:
        return decode(raw, shape)
    except (msgspec.DecodeError, RecursionError):
        return None


def _problems(raw: bytes | msgspec.Raw) -> tuple[str, ...]:
    """The serious issues of an OperationOutcome. Its texts may hold patient data: only its codes are repeated."""
    try:
        outcome = decode(raw, _Outcome)
    except (msgspec.DecodeError, RecursionError):
        return ("the EHR reported a problem that cannot be read",)
    serious = [each for each in outcome.issue or () if each.severity in _SERIOUS or each.code in _MISSING]
    return tuple(dict.fromkeys(f"the EHR reported a problem ({_code(issue)})" for issue in serious))


def _code(issue: _Issue) -> str:
    plain = issue.code.replace("-", "").isalpha() and len(issue.code) <= 40
    return f"{issue.severity}: {issue.code}" if plain else issue.severity
