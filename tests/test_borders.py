"""Who may import whom: the journey has one direction, and the table below is all there is to know about it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TOP = {
    "benchmarks", "cards", "cds_service", "deploy", "docs", "fhir_samples", "requirements", "scripts", "tests",
    ".ci", ".dockerignore", ".env.example", ".gitignore", "CHANGELOG.md", "Dockerfile", "LICENSE",
    "Makefile", "README.md", "gunicorn.conf.py", "mkdocs.yml", "pyproject.toml",
}  # fmt: skip

# What each part may import of ours, besides itself. A part is a folder, or a module that stands alone.
# Read from top to bottom it is the journey: nobody imports from further down.
MAY_IMPORT: dict[str, set[str]] = {
    "cards": set(),  # speaks; knows no medicine and nothing of cds_service
    "truth": set(),
    "quantity": set(),
    "errors": set(),
    "decoding": set(),
    "env_file": {"errors"},
    "kept": set(),  # what wordings mean, from call to call
    "security": {"errors"},
    "settings": {"errors", "security"},
    "hooks": {"decoding", "errors"},
    "gather": {"decoding", "kept", "errors", "hooks", "security"},
    "knowledge": {"errors", "kept", "quantity"},
    "elsewhere": {"gather", "knowledge"},  # asks a terminology server; knowledge itself asks nobody
    "facts": {"decoding", "kept", "truth", "quantity", "gather", "knowledge"},  # of knowledge its terms, see below
    "rules": {"truth", "quantity", "facts", "knowledge"},
    "present": {"cards", "quantity", "hooks", "gather", "facts", "knowledge", "rules"},
    "tailoring": {"cards", "errors", "knowledge"},
    "clients": {"cards", "errors", "settings", "hooks", "knowledge"},
    "repeats": {"cards", "hooks"},  # what the same user need not see twice
    "answer": {
        "cards",
        "elsewhere",
        "clients",
        "errors",
        "quantity",
        "settings",
        "hooks",
        "security",
        "gather",
        "knowledge",
        "facts",
        "rules",
        "present",
        "repeats",
        "tailoring",
    },
    "trace": {"quantity", "facts", "knowledge", "rules"},
    "coverage": {"knowledge", "rules"},
    "changes": {"cards", "knowledge", "rules", "trace"},
    "reports": {"cards"},  # what is told of many calls, as plain rows
    "sheet": {"cards", "hooks", "security"},
    "beside": {"hooks", "security", "gather", "answer", "reports"},
    "watch": {
        "decoding", "cards", "errors", "settings", "hooks", "security", "rules", "answer", "beside", "cds_service",
    },
    "store": {
        "decoding", "cards", "errors", "settings", "hooks", "security", "gather", "rules", "answer", "beside",
        "repeats", "reports", "cds_service",
    },
    "console": {
        "answer", "cards", "cds_service", "changes", "coverage", "errors", "gather", "hooks", "knowledge",
        "repeats", "reports", "rules", "security", "settings", "sheet", "store", "trace", "watch",
    },
    "pages": {
        "decoding", "cards", "errors", "quantity", "settings", "hooks", "security", "knowledge", "facts", "rules",
        "answer", "trace", "coverage", "changes", "reports", "sheet", "beside", "console", "cds_service",
    },
    "web": {
        "decoding", "cards", "errors", "settings", "hooks", "security", "gather", "answer", "trace", "sheet", "beside",
        "watch", "store", "pages", "env_file", "cds_service",
    },
    "cli": {"cds_service", "env_file", "errors", "settings", "security", "rules", "sheet", "store", "trace", "console"},
    "cds_service": set(),  # its version
}

# Narrower than a part: which modules of it may be imported.
ONLY = {
    ("facts", "knowledge"): {"codes", "model", "terms", "units", "words"},
    ("hooks", "errors"): {"errors"},
    ("settings", "security"): {"outbound"},
    ("answer", "cards"): {"model", "profile", "reasons", "render", "write"},
    ("answer", "hooks"): {"caller", "request", "services"},
    ("clients", "cards"): {"profile"},
    ("clients", "hooks"): {"caller"},
    ("clients", "knowledge"): {"overlay", "slips"},
    ("present", "gather"): {"compiled"},  # written as strictly as it is read
    ("tailoring", "cards"): {"reasons", "wording"},
    ("web", "cards"): {"kept", "reasons"},
    ("beside", "hooks"): {"caller", "feedback"},
    ("reports", "cards"): {"topic"},
    ("repeats", "cards"): {"model"},
    ("repeats", "hooks"): {"request"},
    ("sheet", "cards"): {"profile", "reasons"},
    ("sheet", "hooks"): {"services"},
    ("sheet", "security"): {"tenants"},
    ("beside", "security"): {"links", "readers"},
    ("beside", "gather"): {"collect"},  # what a FHIR server looks like
    ("pages", "security"): {"links", "readers"},
    ("pages", "console"): {"samples"},  # the stories
    ("store", "cards"): {"reasons", "topic"},
    ("store", "hooks"): {"feedback"},
    ("store", "security"): {"links", "replay"},
    ("store", "gather"): {"query", "recorded", "replies"},
    ("store", "rules"): {"rule"},
    ("web", "store"): {"stand"},
    ("console", "store"): {"endings", "erase", "purge", "replaying", "report", "stand", "store", "upgrade", "whole"},
    ("console", "watch"): {"tracing"},  # only to see whether it could be made
    ("cli", "store"): {"keys"},
    ("cli", "security"): {"readers"},
    ("web", "answer"): {"answer"},
    ("web", "gather"): {"shelter"},  # only to see how the servers do
    ("watch", "cards"): {"model", "topic"},
    ("watch", "hooks"): {"feedback"},
    ("watch", "rules"): {"rule"},
    ("watch", "security"): {"tenants"},  # which names tenants may have
    ("cli", "rules"): {"catalogue"},
}

# Topics of rules: each may be read by itself, so none imports another. What they share stands in the other modules.
TOPICS = {
    *("dose.dosing", "dose.kidney", "dose.liver_dosing", "dose.venetoclax"),
    *("heart.cardiac", "heart.electrolytes", "heart.qt_history", "heart.qtc", "heart.qtc_over_time"),
    *("interactions.additive_qt", "interactions.duplicates", "interactions.exposure", "interactions.inhibitor_dose"),
    *("interactions.intake", "interactions.substrates", "patient.allergy", "patient.reproduction"),
    *("relapse.evidence", "relapse.options", "relapse.pathway", "relapse.targets", "relapse.transplant_fitness"),
    *("relapse.work_up", "toxicity.acute", "toxicity.cautions", "toxicity.cytotoxics", "toxicity.differentiation"),
    *("toxicity.gemtuzumab", "toxicity.liver", "toxicity.monitoring", "toxicity.tumour_lysis"),
}

# What lies outside, and who alone may reach for it.
OUTSIDE = {
    "flask": {"web", "pages"},
    "werkzeug": {"web", "pages", "security"},  # there its hashes of passwords
    "gunicorn": set(),
    "jwt": {"security"},
    "prometheus_client": {"watch"},
    "opentelemetry": {"watch"},
    "limits": {"security"},
    "cryptography": {"security", "store"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "psycopg": {"store"},
    "requests": {"gather", "security", "console", "watch"},
    "urllib3": {"gather", "security"},
    "fhir": {"gather", "present"},  # read at one end, written at the other
    "yaml": {"knowledge", "cards", "console"},
    "jinja2": {"cards"},
    "argparse": {"cli"},
    "pygal": {"pages"},
}


def _modules() -> dict[str, Path]:
    found = {}
    for package in ("cds_service", "cards"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _part(module: str) -> str:
    names = module.split(".")
    return names[0] if names[0] == "cards" or len(names) == 1 else names[1]


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, those within functions too."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports say where a thing lives"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def _ours(module: str) -> list[str]:
    return [each for each in _imported(MODULES[module]) if each in MODULES]


each_module = pytest.mark.parametrize("module", sorted(MODULES))


def test_every_part_stands_in_the_table():
    assert {_part(module) for module in MODULES} == MAY_IMPORT.keys()


def test_the_table_runs_one_way():
    done: set[str] = set()
    waiting = dict(MAY_IMPORT)
    while waiting:
        ready = {part for part, others in waiting.items() if others <= done}
        assert ready, f"a circle among {sorted(waiting)}"
        done |= ready
        waiting = {part: others for part, others in waiting.items() if part not in ready}


@each_module
def test_imports_only_what_its_part_may(module: str) -> None:
    part = _part(module)
    wrong = [each for each in _ours(module) if _part(each) not in {part, *MAY_IMPORT[part]}]
    assert not wrong, f"{part} may import {sorted(MAY_IMPORT[part])}"


@each_module
def test_imports_only_the_modules_it_may(module: str) -> None:
    for each in _ours(module):
        allowed = ONLY.get((_part(module), _part(each)))
        assert allowed is None or each.rpartition(".")[2] in allowed, each


@each_module
def test_reaches_outside_only_where_it_may(module: str) -> None:
    for each in _imported(MODULES[module]):
        holders = OUTSIDE.get(each.partition(".")[0])
        assert holders is None or each in MODULES or _part(module) in holders, f"{each} is not for {_part(module)}"


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_topics_of_rules_do_not_import_each_other(topic: str) -> None:
    others = {each.removeprefix("cds_service.rules.") for each in _ours(f"cds_service.rules.{topic}")}
    assert not others & (TOPICS | {"catalogue"})


def test_the_catalogue_is_imported_by_those_who_run_rules_only():
    users = {_part(module) for module in MODULES if "cds_service.rules.catalogue" in _ours(module)}
    assert users <= {"answer", "console", "cli", "coverage", "pages"}


def test_no_circle_of_modules():
    waiting = {module: {each for each in _ours(module) if each != module} for module in MODULES}
    while waiting:
        ready = {module for module, others in waiting.items() if not others & waiting.keys()}
        assert ready, f"a circle among {sorted(waiting)}"
        waiting = {module: others for module, others in waiting.items() if module not in ready}


def test_only_the_web_and_the_command_line_read_clock_and_environment():
    readers = {
        _part(module)
        for module, path in MODULES.items()
        if "os.environ" in path.read_text(encoding="utf-8") or "datetime.now(" in path.read_text(encoding="utf-8")
    }
    assert readers <= {"web", "pages", "cli", "answer", "gather", "settings"}


def test_nothing_that_a_run_left_behind_is_kept():
    """What stands at the top is what a newcomer is told of; a store and its key belong to a machine."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    told = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    kept = [Path(line) for line in told.stdout.splitlines()]
    assert {path.parts[0] for path in kept} - TOP == set()
    assert [path for path in kept if path.suffix in (".db", ".key", ".sqlite", ".log", ".pyc")] == []
