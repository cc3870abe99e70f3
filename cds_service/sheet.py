"""The build sheet: what the analysts of an EHR type in for this service, and how they see that it works.

Everything in it is taken from what the service runs with: its address, services, queries, profiles and reasons. The
page, the Markdown and the tables of docs/ehrs.md are made from this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cards.profile import Profile
from cards.reasons import by_rule, reasons
from cds_service.hooks.services import Moment, Service
from cds_service.security.tenants import USUAL, Tenant

_TYPE = re.compile(r"[A-Za-z]+")
_BESIDE = ("Medication",)  # what orders refer to
_WHEN: Mapping[Moment, str] = {
    Moment.VIEW: "when a chart is opened; narrow it to patients with AML on the problem list",
    Moment.SELECT: "when an order is chosen; narrow it to haematology and transplant, if at all",
    Moment.SIGN: "before orders are signed; never narrow it by drug: interactions run both ways",
}


@dataclass(frozen=True, slots=True)
class PrefetchRow:
    """One line of the prefetch table, for those who type it into an EHR by hand."""

    key: str
    query: str
    hooks: tuple[str, ...]
    needed_for: str


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: where it is answered, when it should fire, and which keys it wants."""

    hook: str
    address: str
    feedback: str
    when: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """A type of resource that is read, with its scopes in both ways of writing."""

    resource: str
    first: str  # SMART 1
    second: str  # SMART 2


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to enter or to know."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Reason:
    """An override reason, to be mapped to one of the EHR's own."""

    code: str
    says: str
    kind: str
    rules: int  # how many rules offer it


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it."""

    site: str
    hooks: tuple[Hook, ...]
    prefetch: tuple[PrefetchRow, ...]
    scopes: tuple[Scope, ...]
    trust: tuple[Fact, ...]
    client: tuple[Fact, ...]
    reasons: tuple[Reason, ...]
    acceptance: tuple[str, ...]
    version: str
    knowledge: str


def sheet(
    services: tuple[Service, ...],
    profile: Profile,
    url: str,
    version: str,
    knowledge: str,
    *,
    demo: bool,
    tenant: Tenant | None = None,
) -> Sheet:
    """The sheet of a site. `tenant`: whose it is, in hospital mode; None for what holds for every one."""
    rows = prefetch_table(services)
    return Sheet(
        tenant.name if tenant else "every site",
        hooks_of(services, url), rows, scopes_of(rows), _trust(url, services, demo, tenant), _client(profile),
        _reasons(), _acceptance(demo), version, knowledge,
    )  # fmt: skip


def prefetch_table(services: tuple[Service, ...]) -> tuple[PrefetchRow, ...]:
    """Every query of these services, once, with the hooks that want it."""
    queries = {query.key: query for service in services for query in service.queries}
    return tuple(
        PrefetchRow(
            query.key, query.template, tuple(service.hook for service in services if query in service.queries),
            query.needed_for,
        )
        for query in queries.values()
    )  # fmt: skip


def hooks_of(services: tuple[Service, ...], url: str) -> tuple[Hook, ...]:
    """Each hook with its addresses."""
    return tuple(
        Hook(
            each.hook, f"{url}/cds-services/{each.id}", f"{url}/cds-services/{each.id}/feedback", _WHEN[each.moment],
            each.keys,
        )
        for each in services
    )  # fmt: skip


def scopes_of(rows: Iterable[PrefetchRow]) -> tuple[Scope, ...]:
    """What must be readable, and nothing else."""
    types = (match[0] for row in rows if (match := _TYPE.match(row.query)))
    return tuple(Scope(each, f"user/{each}.read", f"user/{each}.rs") for each in dict.fromkeys((*types, *_BESIDE)))


def _trust(url: str, services: tuple[Service, ...], demo: bool, tenant: Tenant | None) -> tuple[Fact, ...]:
    if demo:
        return (Fact("Token", "none is looked at in demo mode: synthetic patients only"),)
    example = f"{url}/cds-services/{services[0].id}"
    facts = (
        Fact("Token", "a signed JWT of its own for each call, in Authorization: Bearer"),
        Fact("aud", f"the address that is called, letter by letter, such as {example}"),
        Fact("iat, exp, jti", "all three; valid for at most 15 minutes; each jti once"),
        Fact("Key", "kid in the header; public keys over https, or as a file"),
    )
    if tenant is None:
        return (
            *facts, Fact("alg", " or ".join(USUAL)),
            Fact("iss, keys, FHIR servers, labels", "by site: `aml-cds sheet --tenant NAME` has them"),
        )  # fmt: skip
    keys = tenant.jwks_url or (f"the file {tenant.jwks_file.name}" if tenant.jwks_file else "none")
    return (
        *facts,
        Fact("iss", tenant.issuer),
        Fact("alg", " or ".join(tenant.algorithms)),
        Fact("Public keys", keys),
        Fact("Further aud", ", ".join(tenant.audiences) or "none"),
        Fact("FHIR servers that are asked", ", ".join(tenant.fhir_servers) or "none: only what is sent along is read"),
        Fact("Labels", tenant.jurisdiction),
        Fact("Own knowledge", tenant.overlay.name if tenant.overlay else "none"),
    )


def _client(profile: Profile) -> tuple[Fact, ...]:
    offered = ", ".join(profile.actions) if profile.suggestions else "none: what could be offered stands in the text"
    cut = f", information in {profile.longest_detail} characters" if profile.longest_detail else ""
    return (
        Fact("Profile", f"{profile.name}: {profile.client}"),
        Fact("Suggestions", offered + ("; tests only by local codes" if profile.orders_need_code else "")),
        Fact("Override reasons", "shown" if profile.override_reasons else "not shown"),
        Fact("Links", "shown" if profile.links else "not shown; the source leads to the reasons"),
        Fact("Text", profile.detail + cut),
        Fact("Known from", profile.known_from),
    )


def _reasons() -> tuple[Reason, ...]:
    offered = list(by_rule().values())
    return tuple(
        Reason(code, each.coding.display, each.kind, sum(code in codes for codes in offered))
        for code, each in reasons().items()
    )


def _acceptance(demo: bool) -> tuple[str, ...]:
    """What to see with one's own eyes before the first clinician does. Test patients only."""
    token = () if demo else ("A call without a token, and one with a token of another address: both get 401.",)
    return (
        "From the inside (the proxy keeps it from others), `/readyz` answers `ready`.",
        "`aml-cds doctor` with a test patient and a token of the EHR ends with 0.",
        *token,
        "A test patient without AML and without such drugs: the chart opens, and no card appears.",
        "AML in relapse, FLT3 positive, chart opened: first steps and options appear.",
        "Gilteritinib drafted, newest QTcF above its limit: a stop appears before signing, with value and date.",
        "The same without any ECG: a card says that the QTc was not checked.",
        "Posaconazole drafted beside venetoclax: the interaction appears.",
        "A suggestion accepted: the order is there, and feedback arrives (`aml-cds report` tells of it; from the "
        "inside, `/metrics` counts it as `aml_cds_feedback_total`).",
        "A card overridden with each mapped reason: feedback arrives with its code.",
        "“Why this card” opens from a card, and opens nothing after its minutes are over.",
        "The service stopped: the EHR goes on within its time-out, and clinicians know what is then not checked.",
        "Prefetch left out in the EHR: the service asks the FHIR server, or names what it did not get.",
    )


def as_markdown(told: Sheet) -> str:
    """The sheet as Markdown."""
    return "\n".join((
        f"# Build sheet: aml-cds, {told.site}\n",
        f"Version {told.version}, knowledge {told.knowledge}.\n",
        "## Hooks\n", endpoints_markdown(told.hooks), *(f"- {each.hook}: {each.when}" for each in told.hooks), "",
        "Feedback goes to the same addresses with `/feedback`.\n",
        "## Prefetch\n", prefetch_markdown(told.prefetch),
        "## Read access\n",
        table("Resource | SMART 1 | SMART 2", ((s.resource, f"`{s.first}`", f"`{s.second}`") for s in told.scopes)),
        "Nothing is ever written. For orders that are not signed yet, the EHR has a scope of its own.\n",
        "## Trust\n", table("What | Value", ((each.name, each.value) for each in told.trust)),
        "## What this client shows\n", table("What | Value", ((each.name, each.value) for each in told.client)),
        "## Override reasons\n",
        table(
            "Our code | Says | Kind | Rules | Your code",
            ((f"`{each.code}`", each.says, each.kind, str(each.rules), "") for each in told.reasons),
        ),
        "## Acceptance, with test patients\n", *(f"- [ ] {each}" for each in told.acceptance), "",
    ))  # fmt: skip


def endpoints_markdown(hooks: Iterable[Hook]) -> str:
    """The table of addresses."""
    rows = ((each.hook, f"`{each.address}`", ", ".join(f"`{key}`" for key in each.keys)) for each in hooks)
    return table("Hook | Address | Prefetch keys", rows)


def prefetch_markdown(rows: tuple[PrefetchRow, ...]) -> str:
    """The prefetch table, and each query to copy."""
    told = table("Key | Hooks | Needed for", ((f"`{row.key}`", ", ".join(row.hooks), row.needed_for) for row in rows))
    return "\n".join([told, *(f"`{row.key}`\n\n```text\n{row.query}\n```\n" for row in rows)])


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    marks = "---|" * (head.count("|") + 1)
    return "\n".join([f"| {head} |", f"|{marks}", *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"
