"""Soundness: is everything that the service is made of in order, and what of its knowledge is not confirmed yet.

Each part is looked at by itself, so that one fault does not hide another.
"""

from __future__ import annotations

import ast
import stat
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cards import reasons, render, wording
from cds_service.answer import load_tools, settings_of
from cds_service.changes import changes
from cds_service.console.terminology import Tables, look
from cds_service.coverage import answering
from cds_service.errors import CdsError
from cds_service.hooks.services import Service, discovery
from cds_service.knowledge.inventory import OPEN
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Level, Statement, Verification
from cds_service.rules.catalogue import RULES
from cds_service.security.fhir_servers import in_the_clear
from cds_service.security.keys import from_file
from cds_service.security.readers import read_readers
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, ON, Settings
from cds_service.store.stand import has_store, store_of
from cds_service.watch.tracing import tracing

RULES_HOME = Path(__file__).parents[1] / "rules"
FIXED_CARDS = ("gap", "also_note")  # made by `present`, of many findings
_TOKEN = "{{context.patientId}}"  # noqa: S105 - a prefetch token
_OLDEST = 5
Looked = tuple[str, list[str]]  # what was seen, and what is wrong with it


@dataclass(frozen=True, slots=True)
class Part:
    """One part that was looked at: what was seen, and what is wrong with it."""

    name: str
    seen: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How well the knowledge is confirmed: none of this is a fault, all of it is worth knowing."""

    by_state: Mapping[str, int]
    oldest: tuple[tuple[str, str], ...]  # day of review, statement
    recalled: tuple[str, ...]
    unread: Mapping[str, tuple[str, ...]]  # what was recalled, by the drug that it is about
    unread_standings: tuple[str, ...]  # therapies and the places where their approval was recalled
    open_entries: tuple[str, ...]  # rules of the clinical notes that nothing answers yet
    unsigned: tuple[str, ...]
    statements: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that `aml-cds check` says."""

    parts: tuple[Part, ...]
    standing: Standing | None
    beware: tuple[str, ...] = ()  # laxer limits, critical rules switched off, ended entries, servers without TLS

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not any(part.problems for part in self.parts)


def check(env: Mapping[str, str], today: date) -> Report:
    """Look at everything. `env`: where settings are read from."""
    beware: list[str] = []
    parts = [
        _part("settings", lambda: _settings(env)),
        _part("knowledge", _knowledge),
        _part("codes", _terminology),
        *([_part("overlay", lambda: _overlay(env, today, beware))] if _has_overlay(env) else []),
        *([_part("tenants", lambda: _tenants(env, beware))] if env.get("TENANTS", "").strip() else []),
        *([_part("readers", lambda: _readers(env))] if env.get("WHY_READERS", "").strip() else []),
        _part("templates", _templates),
        _part("rules", _rules),
        _part("discovery", lambda: _discovery(env)),
        _part("clients", lambda: _clients(env)),
        _part("store", lambda: _store(env, beware)),
        *([_part("tracing", lambda: _tracing(env))] if env.get("TRACING", "").strip() else []),
    ]
    try:
        standing = _standing(Knowledge.load())
    except CdsError:
        standing = None
    return Report(tuple(parts), standing, tuple(beware))


def _part(name: str, look: Callable[[], tuple[str, list[str]]]) -> Part:
    try:
        seen, problems = look()
    except CdsError as fault:
        return Part(name, "", (str(fault),))
    return Part(name, seen, tuple(problems))


def _settings(env: Mapping[str, str]) -> tuple[str, list[str]]:
    settings = Settings.load(env)
    settings.require_listening()
    return f"{settings.spoken_mode}, listens on {settings.bind}", []


def _knowledge() -> tuple[str, list[str]]:
    knowledge = Knowledge.load()
    number = sum(1 for _ in knowledge.all_statements())
    seen = f"{number} statements from {len(knowledge.references)} sources, version {knowledge.version}"
    every = list(knowledge.all_statements())
    wanting = [f"statement '{each.id}': cites no source" for each in every if not each.sources]
    wanting += [
        f"statement '{each.id}': until {each.until} is not after effective {each.effective}"
        for each in every
        if each.until is not None and each.until <= each.effective
    ]
    return seen, wanting


def _terminology() -> tuple[str, list[str]]:
    """The tables of codes, names and words."""
    tables = Tables.read()
    number = sum(len(rows) for rows in tables.rows.values())
    recalled = f"{tables.recalled} of them recalled, not yet held against a source"
    return f"{number} rows in {len(tables.rows)} tables, {recalled}", look(tables, Knowledge.load().terms)


def _tenants(env: Mapping[str, str], beware: list[str]) -> Looked:
    """Who may call: each hospital with its keys, where they lie in a file."""
    settings = Settings.load(env)
    if settings.tenants is None:
        return "none", []
    tenants = read_tenants(settings.tenants, JURISDICTIONS, settings.way())
    for tenant in tenants:
        if tenant.jwks_file is not None:
            from_file(tenant.jwks_file, tenant.algorithms)
        beware += [
            f"{tenant.name}: fhir_servers holds {server}, and fhir_in_the_clear is set: tokens and charts can be read "
            "on the way, which only synthetic patients bear"
            for server in tenant.fhir_servers
            if in_the_clear(server)
        ]
    return ", ".join(f"{each.name} ({each.jurisdiction})" for each in tenants), []


def _has_overlay(env: Mapping[str, str]) -> bool:
    """Whether there is one, of any hospital; what is wrong with the file of tenants is told elsewhere."""
    if env.get("OVERLAY", "").strip():
        return True
    try:
        return any(each.overlay for each in _hospitals(Settings.load(env)).values())
    except CdsError:
        return False


def _hospitals(settings: Settings) -> dict[str, Settings]:
    """The settings of each hospital in the file of tenants, by its name; without that file those of everybody."""
    if settings.tenants is None:
        return {"": settings}
    tenants = read_tenants(settings.tenants, JURISDICTIONS, settings.way())
    return {each.name: settings_of(settings, each) for each in tenants}


def _of_each(env: Mapping[str, str], look: Callable[[Settings, str], Looked | None]) -> Looked:
    """What is seen at each hospital, its name in front where they differ; a fault at one hides none at another."""
    seen: dict[str, list[str]] = {}
    problems: list[str] = []
    for name, settings in _hospitals(Settings.load(env)).items():
        place = f"{name}: " if name else ""
        try:
            found = look(settings, place)
        except CdsError as fault:
            found = "", [str(fault)]
        if found is not None:
            problems += [f"{place}{each}" for each in found[1]]
            seen.setdefault(found[0], []).append(name)
    if len(seen) == 1:
        return next(iter(seen)), problems
    return "; ".join(f"{', '.join(names)}: {told}" for told, names in seen.items() if told), problems


def _overlay(env: Mapping[str, str], today: date, beware: list[str]) -> Looked:
    """The hospital's own. What is allowed but should be known goes to `beware`."""
    return _of_each(env, lambda settings, place: _own(settings, place, today, beware))


def _own(settings: Settings, place: str, today: date, beware: list[str]) -> Looked | None:
    if settings.overlay is None:
        return None
    knowledge = load_tools(settings).knowledge
    overlay = knowledge.overlay
    assert overlay is not None
    beware += [
        f"{place}{words}"
        for each in changes(knowledge, RULES, settings.jurisdiction, today)
        for words in each.beware
    ]
    counted = (
        (len(overlay.values), "value"),
        (sum(each.off for each in overlay.switches), "rule switched off"),
        (sum(not each.off for each in overlay.switches), "rule in shadow"),
        (len(overlay.reasons), "rule with override reasons of its own"),
        (len(overlay.templates), "wording"),
        (len(overlay.codes), "code"),
        (len(overlay.profiles), "profile for clients"),
    )
    told = ", ".join(f"{number} {_plural(words, number)}" for number, words in counted)
    return f"{overlay.owner}, from {overlay.effective}: {told}; version {knowledge.version}", []


def _plural(words: str, number: int) -> str:
    first, *rest = words.split(" ")
    return " ".join([first if number == 1 else f"{first}s", *rest])


def _clients(env: Mapping[str, str]) -> Looked:
    return _of_each(env, lambda settings, _: _profiles(settings))


def _profiles(settings: Settings) -> Looked:
    clients = load_tools(settings).clients
    routes = [
        f"{issuer}{f' ({tenant})' if tenant else ''} {profile.name}"
        for (issuer, tenant), profile in clients.routes.items()
    ]
    return f"{'; '.join(routes)}; everyone else {clients.default.name}", []


def _readers(env: Mapping[str, str]) -> tuple[str, list[str]]:
    """Who may log in to see why."""
    settings = Settings.load(env)
    if settings.why_readers is None:
        return "none", []
    hospitals = read_tenants(settings.tenants, JURISDICTIONS, settings.way()) if settings.tenants is not None else ()
    readers = read_readers(settings.why_readers, frozenset(each.name for each in hospitals))
    return ", ".join(f"{each.name} ({each.tenant})" if each.tenant else each.name for each in readers.values()), []


def _store(env: Mapping[str, str], beware: list[str]) -> Looked:
    """Where calls are kept, its driver, password and keys. The database itself is not opened: `/readyz` tells of it."""
    settings = Settings.load(env)
    if settings.keep_key_file is not None and settings.keep_key_file.stat().st_mode & stat.S_IROTH:
        beware.append(
            f"KEEP_KEY_FILE {settings.keep_key_file} can be read by everybody on this machine: chmod 600, for the user "
            "that the service runs as, unless a folder above it lets nobody else in"
        )
    if settings.keep == "nothing" and settings.repeats == ON:
        beware.append(
            "REPEATS is 'on' with KEEP=nothing: each server process knows only the answers that came to it, so cards "
            "are repeated all the same; set KEEP=audit, or REPEATS=off"
        )
    if not has_store(settings):
        return "none, nothing is kept", []
    return f"{store_of(settings).place.words}, KEEP={settings.keep}", []


def _tracing(env: Mapping[str, str]) -> tuple[str, list[str]]:
    """Where spans go, and whether what makes them is installed."""
    settings = Settings.load(env)
    return settings.tracing if tracing(settings) else "none", []


def _templates() -> tuple[str, list[str]]:
    names = sorted(path.stem for path in render.HOME.glob("*.md"))
    problems = []
    for name in names:
        problems += _template_problems(name)
    return f"{len(names)} templates", problems


def _template_problems(name: str) -> list[str]:
    try:
        wording.prove(name, render.HOME)
    except ValueError as fault:
        return [f"cards/templates/{name}.md: {fault}"]
    return []


def _rules() -> tuple[str, list[str]]:
    ids = Counter(rule.id for rule in RULES)
    problems = [f"rule '{name}' stands {times} times in the catalogue" for name, times in ids.items() if times > 1]
    for card in sorted(cards_named()):
        if not (render.HOME / f"{card}.md").is_file():
            problems.append(f"a rule fires the card '{card}': there is no cards/templates/{card}.md")
    try:
        problems += reasons.faults({rule.id: rule.worst is Level.CRITICAL for rule in RULES})
    except ValueError as fault:
        problems.append(str(fault))
    return f"{len(RULES)} rules, {len(cards_named())} cards", problems


def cards_named() -> frozenset[str]:
    """The card of every finding, as written in the rules: the words that follow the level."""
    sources = (path.read_text(encoding="utf-8") for path in RULES_HOME.rglob("*.py"))
    return frozenset(FIXED_CARDS).union(*map(_cards_in_source, sources))


@cache
def _cards_in_source(source: str) -> frozenset[str]:
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return frozenset(text for call in calls for text in _cards_in(call))


def _cards_in(call: ast.Call) -> set[str]:
    after_level = [second for first, second in zip(call.args, call.args[1:], strict=False) if _is_level(first)]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "fired":
        after_level += call.args[1:2]
    return {text for each in after_level for text in _texts(each)}


def _is_level(argument: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "Level" for node in ast.walk(argument))


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _discovery(env: Mapping[str, str]) -> Looked:
    return _of_each(env, lambda settings, _: _services(settings))


def _services(settings: Settings) -> Looked:
    tools = load_tools(settings)
    problems = [problem for service in tools.services for problem in _service_problems(service)]
    named = [service["id"] for service in discovery(tools.services)["services"]]
    problems += [f"two services have the id '{name}'" for name in named if named.count(name) > 1]
    return f"{len(named)} services: {', '.join(map(str, named))}", problems


def _service_problems(service: Service) -> list[str]:
    problems = [] if service.title and service.description else [f"service '{service.id}' lacks title or description"]
    for query in service.queries:
        place = f"service '{service.id}', prefetch '{query.key}'"
        if "{{" in query.template.replace(_TOKEN, ""):
            problems.append(f"{place}: only the token {_TOKEN} is known everywhere")
        if query.template.endswith("code="):
            problems.append(f"{place}: has no code to ask for")
    return problems


def _standing(knowledge: Knowledge) -> Standing:
    every = list(knowledge.all_statements())
    states = Counter(each.verification.value for each in every)
    return Standing(
        by_state={state.value: states[state.value] for state in Verification},
        oldest=tuple((each.reviewed_on.isoformat(), _named(each)) for each in sorted(every, key=_age)[:_OLDEST]),
        recalled=tuple(_named(each) for each in every if each.verification is Verification.RECALLED),
        unread=_unread(every, knowledge.drugs),
        unread_standings=tuple(
            f"{therapy.id} ({standing.jurisdiction})"
            for therapy in knowledge.therapies.values()
            for standing in therapy.status.values()
            if standing.verification is Verification.RECALLED
        ),
        open_entries=tuple(
            row.id
            for row in (*knowledge.decision_rules.values(), *knowledge.safety_rules.values())
            if row.done == OPEN and not answering(row.id)
        ),
        unsigned=tuple(_named(each) for each in every if not each.reviewed_by),
        statements=len(every),
    )


def _unread(statements: Iterable[Statement[Any]], ours: Container[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for each in sorted(statements, key=lambda each: (each.about not in ours, each.about)):
        if each.verification is Verification.RECALLED:
            found.setdefault(each.about, []).append(each.topic)
    return {about: tuple(dict.fromkeys(names)) for about, names in found.items()}


def _age(statement: Statement[Any]) -> tuple[str, str]:
    return statement.reviewed_on.isoformat(), statement.id


def _named(statement: Statement[Any]) -> str:
    return f"{statement.about}#{statement.id}"

