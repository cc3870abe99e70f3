"""Nothing stands about unused, and nothing is used that is not there."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType

from cards import render
from cds_service.console.soundness import cards_named
from cds_service.facts.fact import Key
from cds_service.facts.values.labs import MULTIPLES
from cds_service.knowledge import topics
from cds_service.knowledge.load import HOME as KNOWLEDGE
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Level, Topic
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Rule
from cds_service.settings import SETTINGS

ROOT = Path(__file__).parents[1]
RULES_HOME = ROOT / "cds_service" / "rules"
# Topics that are read by other means than `topics.NAME` in a rule; each with the place that reads it.
READ_ELSEWHERE = dict.fromkeys(
    (
        "SAME_ECG_WITHIN", "GIVEN_GOES_ON_WITHIN", "ORDER_COUNTS_FOR", "RELAPSE_NAMED_AGAIN_WITHIN",
        "RENEWED_WITHIN", "RENEWED_BY_NAME_WITHIN",
    ),
    "answer.py",
)


def _sources(folder: Path) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}


def _code(folder: str) -> str:
    return "\n".join(_sources(ROOT / folder).values())


def _module(path: Path) -> ModuleType:
    return importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def test_every_rule_stands_in_the_catalogue_and_once():
    written = [
        each
        for path in RULES_HOME.rglob("*.py")
        for each in vars(_module(path)).values()
        if isinstance(each, Rule)
    ]
    assert {each.id for each in written} == {each.id for each in RULES}
    assert len({each.id for each in RULES}) == len(RULES)


def test_every_rule_says_what_it_checks_and_where_that_comes_from():
    assert not [rule.id for rule in RULES if not rule.title or not rule.sources]


def test_what_could_stop_a_drug_is_a_warning_when_it_cannot_be_seen():
    # These weigh it case by case; that a route is not stated is no sign of the wrong one.
    by_case = {"allergy", "pregnancy", "renal-dose", "route"}
    assert {rule.id for rule in RULES if rule.worst is Level.CRITICAL and rule.blind < Level.WARNING} == by_case


def test_every_finding_names_the_statements_that_it_rests_on():
    silent = [
        f"{path.name}:{call.lineno}"
        for path, source in _sources(RULES_HOME).items()
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "fired"
        if next((ast.unparse(each.value) for each in call.keywords if each.arg == "says"), "()") == "()"
    ]
    assert silent == []


def test_every_template_is_used_and_every_used_one_exists():
    assert sorted({path.stem for path in render.HOME.glob("*.md")} ^ cards_named()) == []


def test_every_topic_is_cited_by_a_rule_or_the_presenter():
    names = {name for name, each in vars(topics).items() if isinstance(each, Topic)}
    cited = set(re.findall(r"\btopics\.([A-Z0-9_]+)", _code("cds_service/rules") + _code("cds_service/present")))
    for name, place in READ_ELSEWHERE.items():
        assert f"topics.{name}" in (ROOT / "cds_service" / place).read_text(encoding="utf-8")
    assert sorted(names - cited - READ_ELSEWHERE.keys()) == []
    assert sorted(READ_ELSEWHERE.keys() & cited) == []


def test_every_topic_has_a_statement():
    said = {statement.topic for statement in Knowledge.load().all_statements()}
    assert not [name for name, each in vars(topics).items() if isinstance(each, Topic) and each.name not in said]


def test_every_reference_is_cited():
    knowledge = Knowledge.load()
    cited = {citation.reference.id for each in knowledge.all_statements() for citation in each.sources}
    cited |= {citation.reference.id for each in knowledge.therapies.values() for citation in each.sources}
    cited |= {citation.reference.id for each in knowledge.errata.values() for citation in each.sources}
    assert cited == set(knowledge.references)


def test_no_source_stands_under_two_ids():
    shared = ("https://open.fda.gov/apis/drug/label/", "https://www.uptodate.com/")  # doors to many texts
    places = [each.where for each in Knowledge.load().references.values() if each.where and each.where not in shared]
    assert [where for where in set(places) if places.count(where) > 1] == []


def test_every_key_is_asked_by_a_rule_or_the_presenter():
    keys = {
        name
        for path in (ROOT / "cds_service" / "facts").rglob("*.py")
        for name, each in vars(_module(path)).items()
        if isinstance(each, Key) and each not in MULTIPLES  # those are asked as multiples of their limit
    }
    asked = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", _code("cds_service/rules") + _code("cds_service/present")))
    asked |= set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", (ROOT / "cds_service" / "answer.py").read_text(encoding="utf-8")))
    markers = {"FLT3_TKD", "FLT3_ITD", "IDH1", "IDH2", "NPM1", "KMT2A_R", "TP53", "RUNX1", "CD33"}
    as_markers = markers if "MARKER_NAMES" in asked else set()
    drawn = {name for name in keys if name.endswith("_SERIES")} if "OVER_TIME" in _code("cds_service/pages") else set()
    assert sorted(keys - asked - as_markers - drawn) == []


def test_every_order_that_can_be_proposed_is_in_the_terminology_and_every_one_there_is_used():
    orders = set(Knowledge.load().terms.orders)
    of_keys = {
        each.order
        for path in (ROOT / "cds_service" / "facts").rglob("*.py")
        for each in vars(_module(path)).values()
        if isinstance(each, Key) and each.order
    }
    proposed = {text for source in _sources(RULES_HOME).values() for text in _proposed(ast.parse(source))}
    assert sorted((of_keys | proposed) - orders) == []
    mentioned = {
        name
        for name in orders
        if re.search(rf"[\"']{name}[\"']", _code("cds_service/rules") + _code("cds_service/facts"))
    }
    assert sorted(orders - of_keys - proposed - mentioned) == []


def _proposed(tree: ast.AST) -> list[str]:
    """The order of each `Proposal(..., order="...")`."""
    return [
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Proposal"
        for keyword in node.keywords
        if keyword.arg == "order"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    ]


def test_every_knowledge_file_is_loaded():
    loader = _code("cds_service/knowledge")
    checker = _code("cds_service/console")
    for path in KNOWLEDGE.rglob("*"):
        if path.suffix in (".yaml", ".csv") and path.parent.name not in ("drugs", "therapies"):
            only_checked = path.name in ("rejected.csv", "sources.csv")  # nothing is decided by them
            reader = checker if only_checked else loader
            assert f'"{path.name}"' in reader or f'"{path.stem}"' in reader, f"nobody reads {path.name}"


def test_every_setting_has_its_help_and_is_read_by_someone():
    code = _code("cds_service") + (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    for setting in SETTINGS:
        assert setting.help
        asked = re.search(rf"(?:settings|env|self)\.{setting.field}\b", code)
        assert asked or f'"{setting.field}"' in code, setting.name
