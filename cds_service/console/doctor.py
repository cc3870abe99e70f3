"""The doctor: can this service work with that FHIR server, and what would an EHR analyst have to change.

It asks what a call asks, through the code that a call uses. What it tells holds counts, codes and times, and nothing
that belongs to the patient: not even the id it was given.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from cds_service.answer import Tools, load_tools, load_tools_of_tenants
from cds_service.console import codes_seen
from cds_service.console.codes_seen import Seen
from cds_service.console.fhir_client import Answer, FhirClient
from cds_service.console.tls import certificate, why_not_trusted
from cds_service.errors import CdsError, UsageError
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import Answered, FhirSession
from cds_service.gather.replies import Status
from cds_service.gather.searches import INCLUDES, kind_of, name_of, pieces
from cds_service.gather.servers import Statement
from cds_service.gather.versions import is_read, refusal
from cds_service.hooks.request import FHIR_ID, FhirAccess
from cds_service.hooks.services import Query
from cds_service.security.outbound import Way
from cds_service.security.tenants import Tenant, read_tenants
from cds_service.settings import JURISDICTIONS, Settings

FINE, NOTE, PROBLEM = "fine", "note", "problem"
_SKEW = 60  # seconds: the leeway that is usual for tokens
_EXPIRES = 30  # days before which a certificate should be renewed
_PATIENCE = 30.0  # seconds for one query: the doctor waits longer than a call
_USUAL_PATHS = ("fhir", "r4", "R4", "baseR4", "fhir/R4", "api/FHIR/R4")
_EVERYTHING = "Observation?patient={}"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its name, how it stands, and in words what was seen and what to do."""

    name: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How one of our queries went: its state, what came, in how many pages and milliseconds, and why not all of it."""

    key: str
    state: str
    result: str
    entries: int
    pages: int
    milliseconds: int
    words: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found at one server."""

    server: str
    findings: tuple[Finding, ...]
    queries: tuple[Asked, ...] = ()
    codes: tuple[Seen, ...] = ()

    @property
    def problems(self) -> int:
        """How many problems there are."""
        return [*(each.state for each in self.findings), *(each.state for each in self.queries)].count(PROBLEM)


def way_of(settings: Settings, tenant: str | None = None) -> Way:
    """How the service leaves the house, for that tenant where it has a way of its own. Raises SettingsError."""
    way = settings.way()
    every = read_tenants(settings.tenants, JURISDICTIONS, way) if settings.tenants is not None else ()
    return next((each.way for each in every if each.name == tenant), way)


def require_tenant(settings: Settings, tenant: str) -> bool:
    """Whether there is a file of TENANTS to look in. Raises UsageError where it has no hospital of that name."""
    if settings.tenants is None:
        return False
    _named(read_tenants(settings.tenants, JURISDICTIONS, settings.way()), tenant)
    return True


def _named(every: tuple[Tenant, ...], tenant: str) -> Tenant:
    found = next((each for each in every if each.name == tenant), None)
    if found is None:
        names = ", ".join(each.name for each in every)
        raise UsageError(f"--tenant expects a name in the file of TENANTS: {names}")
    return found


def tools_of(settings: Settings, tenant: str | None = None) -> tuple[Tools, Finding | None]:
    """What the service would ask with, and in hospital mode for whom. Raises KnowledgeError, SettingsError, UsageError.

    `tenant`: the name of a hospital in the file of TENANTS, whose overlay and FHIR servers count then.
    """
    if settings.tenants is None:
        if tenant is not None:
            raise UsageError("--tenant expects the settings of the service: MODE=hospital and TENANTS, the file")
        return load_tools(settings), None
    every = read_tenants(settings.tenants, JURISDICTIONS, settings.way())
    if tenant is None:
        names = ", ".join(each.name for each in every)
        words = f"none named: its overlay and its FHIR servers were not looked at; use --tenant with one of: {names}"
        return load_tools(settings), Finding("tenant", NOTE, words)
    found = _named(every, tenant)
    tools = load_tools_of_tenants(settings, [found])[found.issuer]
    own = f"overlay {found.overlay.name}" if found.overlay else "no overlay"
    return tools, Finding("tenant", FINE, f"{found.name}: labels of {found.jurisdiction}, {own}")


def examine(
    client: FhirClient,
    token: str | None,
    patient: str | None,
    tools: Tools,
    tell: Tell,
    tenant: Finding | None = None,
) -> Diagnosis:
    """Look at everything. Raises CdsError when nobody answers, UsageError for a patient id that is none.

    `tenant`: for which hospital the tools are, where there are several.
    """
    if patient is not None and not FHIR_ID.fullmatch(patient):
        raise UsageError("--patient expects a FHIR id: letters, digits, '-' and '.', at most 64")
    access = FhirAccess(client.base, token)
    tell("asking for the CapabilityStatement")
    began = time.monotonic()
    answer = client.get("metadata")
    took = time.monotonic() - began
    statement = Statement.read(answer.body) if answer.is_good else None
    findings = [_address(client), *([tenant] if tenant else []), _permission(tools, access, tenant)]
    findings += [*_tls(client), _clock(answer, tools.now())]
    findings += [_statement(client, answer, statement, took)]
    queries = {query.key: query for service in tools.services for query in service.queries if query.asked}
    if statement is None or not is_read(statement.version):
        return Diagnosis(client.base, tuple(findings))
    findings += _offers(statement, queries.values())
    if patient is None:
        findings.append(Finding("queries", NOTE, "not run: name a patient with --patient ID, best a test patient"))
        return Diagnosis(client.base, tuple(findings))
    session = FhirSession(Limits(), client.way)
    filled = {key: query.filled(patient) for key, query in queries.items()}
    asked, answers = [], {}
    for key, query in filled.items():
        tell(f"asking {key}")
        each = _asked(key, query, session, access)
        asked.append(each[0])
        answers[key] = each[1]
    findings.append(_together(filled, session, access, tools))
    tell("looking at every Observation of the patient")
    every = _ask(session, access, _EVERYTHING.format(patient))
    codes = codes_seen.seen([*every.resources, *answers["medications"].resources], tools.knowledge.terms)
    findings += _mapping(codes, every)
    return Diagnosis(client.base, tuple(findings), tuple(asked), codes)


def _address(client: FhirClient) -> Finding:
    if client.base.startswith("https://") or client.is_here:
        return Finding("address", FINE, "on this machine" if client.is_here else "https")
    words = "http to another machine: tokens and patient data would travel unprotected; use https"
    return Finding("address", PROBLEM, words)


def _permission(tools: Tools, access: FhirAccess, tenant: Finding | None = None) -> Finding:
    refused = tools.fhir.refusal(access)
    if refused is None:
        return Finding("permission", FINE, "the service, with the settings of this shell, may ask this server")
    if tenant is not None and tenant.state == FINE:  # named: nothing else than its own list will count
        words = f"{refused}: add this base URL to fhir_servers of the tenant; until then no call of it asks this server"
        return Finding("permission", PROBLEM, words)
    where = "FHIR_SERVERS where the service runs, or in hospital mode to fhir_servers of the tenant"
    return Finding("permission", NOTE, f"{refused}: add this base URL to {where}")


def _tls(client: FhirClient) -> list[Finding]:
    if not client.base.startswith("https://"):
        return []
    if client.way.proxies(client.base):
        words = "trusted, as far as it was read from; its last day was not looked at: a proxy stands between"
        return [Finding("certificate", NOTE, words)]
    parts = urlsplit(client.base)
    try:
        protocol, days = certificate(parts.hostname or "", parts.port or 443, client.way.ca_bundle)
    except (OSError, ssl.SSLError, ValueError) as fault:
        why = why_not_trusted(fault) or type(fault).__name__
        return [Finding("certificate", PROBLEM, f"it could not be read ({why})")]
    state = NOTE if days < _EXPIRES else FINE
    return [Finding("certificate", state, f"trusted, {protocol}, valid for {days} more days")]


def _clock(answer: Answer, now: datetime) -> Finding:
    try:
        behind = (now - parsedate_to_datetime(answer.headers.get("Date", ""))).total_seconds()
    except (TypeError, ValueError):
        return Finding("clock", NOTE, "the server does not say what time it is (no Date header)")
    if abs(behind) <= _SKEW:
        return Finding("clock", FINE, f"within {_SKEW} seconds of this machine's")
    side = "behind" if behind > 0 else "ahead of"
    minutes = round(abs(behind) / 60)
    return Finding(
        "clock", PROBLEM, f"{minutes} min {side} this machine's: ages of results and tokens go wrong; set both by NTP"
    )


def _statement(client: FhirClient, answer: Answer, statement: Statement | None, took: float) -> Finding:
    if statement is None:
        return Finding("FHIR version", PROBLEM, _no_statement(client, answer))
    software = f", {statement.software}" if statement.software else ""
    if not is_read(statement.version):
        words = f"{statement.version}{software}: {refusal(statement.version)}; look for the base URL of its R4 side"
        return Finding("FHIR version", PROBLEM, words)
    return Finding("FHIR version", FINE, f"{statement.version}{software}, answered in {round(took * 1000)} ms")


def _no_statement(client: FhirClient, answer: Answer) -> str:
    words = f"{client.base}/metadata answers {answer.status} without a CapabilityStatement: is this the base URL?"
    for path in _USUAL_PATHS:
        try:
            other = FhirClient(f"{client.base}/{path}", way=client.way).get("metadata")
        except CdsError:
            break
        if other.is_good and Statement.read(other.body):
            return f"{words} There is a FHIR server at {client.base}/{path}"
    return words


def _offers(statement: Statement, queries: Iterable[Query]) -> Iterator[Finding]:
    """The CapabilityStatement held against what we ask. What it leaves out is asked for all the same."""
    if not statement.parameters:
        yield Finding("what it offers", NOTE, "its CapabilityStatement lists no types: see the queries")
        return
    missing: dict[str, set[str]] = {}
    for query in queries:
        kind = kind_of(query.template)
        if kind not in statement.parameters:
            missing.setdefault(kind, set()).add("the type itself")
        elif "?" in query.template:
            named = {name_of(piece) for piece in pieces(query.template)}
            missing.setdefault(kind, set()).update(named - statement.parameters[kind])
    unsaid = [f"{kind}: {', '.join(sorted(names))}" for kind, names in missing.items() if names]
    if unsaid:
        words = f"its CapabilityStatement does not list {'; '.join(unsaid)}. We ask all the same: see the queries"
        yield Finding("what it offers", NOTE, words)
    else:
        yield Finding("what it offers", FINE, "every type and search parameter that we use is listed")
    for kind, include in INCLUDES.items():
        offered = include in statement.includes.get(kind, ())
        words = "" if offered else f", as {include} is not offered"
        how = "comes along with its order" if offered else "is read by itself"
        yield Finding("medications", FINE, f"a Medication that an order refers to {how}{words}")


def _asked(key: str, query: str, session: FhirSession, access: FhirAccess) -> tuple[Asked, Answered]:
    began = time.monotonic()
    answered = _ask(session, access, query)
    took = round((time.monotonic() - began) * 1000)
    entries = len(answered.resources)
    state, words = FINE, "; ".join(answered.notes)
    if answered.status is not Status.COMPLETE:
        state, words = PROBLEM, "; ".join(filter(None, (answered.why, _hint(answered.why))))
    elif entries == 0:
        state, words = NOTE, "nothing came: is it so in the chart?"
    elif answered.notes:
        state = NOTE
    return Asked(key, state, answered.status.value, entries, answered.pages, took, words), answered


def _ask(session: FhirSession, access: FhirAccess, query: str) -> Answered:
    return session.ask_all(access, {"it": query}, Deadline(_PATIENCE, time.monotonic, 1.0))["it"]


def _hint(why: str) -> str:
    hints = {
        "401": "is the token still good?",
        "403": "the token's scopes do not cover this type: patient/*.read or its vendor's equal",
        "404": "the type is not offered here, or there is no such patient",
        "suppressed": "the token's scopes leave results out",
    }
    return next((hint for sign, hint in hints.items() if sign in why), "")


def _together(filled: Mapping[str, str], session: FhirSession, access: FhirAccess, tools: Tools) -> Finding:
    """All queries at once, as a call asks them."""
    began = time.monotonic()
    answers = session.ask_all(access, filled, Deadline(tools.gather_seconds, time.monotonic))
    took = time.monotonic() - began
    late = sorted(key for key, each in answers.items() if "in time" in each.why or "no time" in each.why)
    words = f"all queries together took {took:.1f} of {tools.gather_seconds:g} seconds (GATHER_SECONDS)"
    if late:
        return Finding("speed", PROBLEM, f"{words}, and {', '.join(late)} came too late: send them as prefetch")
    return Finding("speed", FINE, words)


def _mapping(codes: tuple[Seen, ...], every: Answered) -> Iterator[Finding]:
    local = [each for each in codes if each.is_local and each.unread and each.system != codes_seen.TEXT_ONLY]
    spoken = sum(each.unread for each in codes if each.system == codes_seen.TEXT_ONLY)
    if spoken:
        has = "1 entry has" if spoken == 1 else f"{spoken} entries have"
        words = f"{has} no code, only text: a drug is looked for in it by its name"
        yield Finding("codes", NOTE, words)
    if local:
        number = sum(each.unread for each in local)
        words = f"{number} entries carry only codes of a system that we do not read, see below: map what matters"
        words = words.replace("1 entries carry", "1 entry carries") if number == 1 else words
        yield Finding("codes", NOTE, f"{words} in codes.csv of the overlay")
    elif codes and not spoken:
        yield Finding("codes", FINE, "every entry carries a code of a system that we read")
    if every.status is not Status.COMPLETE:
        yield Finding("codes", NOTE, f"not every Observation was looked at: {every.why}")


