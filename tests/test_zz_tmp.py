"""Every threat and every fault of the lists has its answer: a control in a file, a test or program, or an open word."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import cards
import cds_service
from cds_service.facts.drugs.amounts import amount_of
from cds_service.facts.values.written import Written, written
from cds_service.gather.views import Quantity as Measured
from tests.faults.__main__ import SCENES

ROOT = Path(__file__).parents[1]
Row = dict[str, Any]


def _rows(name: str) -> list[Row]:
    told = yaml.safe_load((ROOT / "docs" / "data" / f"{name}.yaml").read_text(encoding="utf-8"))
    return [row for rows in told.values() for row in rows]


THREATS, FAULTS = _rows("threats"), _rows("faults")
each_row = pytest.mark.parametrize("row", [*THREATS, *FAULTS], ids=lambda row: row["id"])


def _numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(1, count + 1)]


def test_every_threat_of_the_list_has_its_row_and_once():
    letters = {"J": 13, "S": 12, "P": 12, "D": 11, "F": 3, "K": 2, "C": 9}
    ids = [name for each, count in letters.items() for name in _numbered(each, count)]
    assert [row["id"] for row in THREATS] == ids


def test_every_fault_of_the_matrix_has_its_row_and_once():
    letters = {"G": 12, "F-": 16, "I-": 9, "D-": 10, "P-": 7, "K-": 2}
    ids = [name for each, count in letters.items() for name in _numbered(each, count)]
    assert [row["id"] for row in FAULTS] == [*ids, "R-5", "S-1"]


def test_every_threat_has_a_control_in_files_that_exist():
    for row in THREATS:
        assert row["threat"] and row["control"] and row["where"], row["id"]
        assert not [place for place in row["where"] if not (ROOT / place).exists()], row["id"]


@each_row
def test_what_shows_it_exists_or_it_says_that_nothing_does(row: Row) -> None:
    known = {"id", "threat", "control", "where", "fault", "wanted", "tests", "programs", "measured", "left"}
    assert not row.keys() - known
    shown = [*row.get("tests", ()), *row.get("programs", ())]
    assert shown or row.get("left"), "neither a test nor a word about what is not built"
    for test in row.get("tests", ()):
        file, _, name = test.partition("::")
        assert name in _functions(file), test
    for program in row.get("programs", ()):
        module, _, scene = program.partition(" ")
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), program
        assert not scene or scene in SCENES, program


def test_every_goal_says_what_was_measured_and_when():
    for row in FAULTS:
        if row["id"].startswith("G"):
            assert row.get("measured"), row["id"]
        for told in row.get("measured", ()):
            assert re.match(r"20\d\d-\d\d-\d\d: .*\d.*[^.]\Z", told), f"{row['id']}: day, figures, no full stop: {told}"


@cache
def _functions(file: str) -> frozenset[str]:
    """The tests at the top of that file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = (each.name for each in tree.body if isinstance(each, ast.FunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def _sources() -> list[Path]:
    return [path for package in ("cds_service", "cards") for path in sorted((ROOT / package).rglob("*.py"))]


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_nothing_unpacks_archives_or_runs_what_it_read():
    wanted_nowhere = {"zipfile", "tarfile", "pickle", "marshal", "shelve", "xml", "ctypes", "subprocess"}
    # What `plot.py` reads is the drawing that it has just had made; nothing from outside ever reaches it.
    used = {path.name: found for path in _sources() if (found := _imported(path) & wanted_nowhere)}
    assert used == {"plot.py": {"xml"}}


def test_no_debugger_can_be_served():
    for path in _sources():
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert "debug" not in {word.arg for call in calls for word in call.keywords}, path.name
        assert "run_simple" not in path.read_text(encoding="utf-8"), path.name


def test_no_xml_parser_is_installed():
    pinned = re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / "runtime.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned and not {"lxml", "defusedxml", "xmltodict", "beautifulsoup4"} & set(pinned)


def test_what_is_in_memory_reaches_no_disk_in_the_deployments():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    ours = [each for each in compose.values() if "aml-cds" in str(each.get("image", ""))]
    assert ours and all(each["ulimits"]["core"] == 0 and each["read_only"] for each in ours)
    pod = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "deployment.yaml").read_text(encoding="utf-8"))
    volumes = pod["spec"]["template"]["spec"]["volumes"]
    assert all(each["emptyDir"].get("medium") == "Memory" for each in volumes if "emptyDir" in each)


MOST_WRITTEN, MOST_WORDS = 6_000, 40  # characters of a pattern, and its own words that are tried
LONG = 200  # characters: enough for what doubles with every one of them
HOSTILE = ("a", "a-", "1", " ", "-", "(", ".", "a ", "1 ", "1.", "1 mg ", "a,", "- ", "*", "_a", "&", "\\", "/a", "[",
           "\n", "p.A1")


def _modules() -> list[ModuleType]:
    packages = (cds_service, cards)
    found = [each.name for home in packages for each in pkgutil.walk_packages(home.__path__, f"{home.__name__}.")]
    return [importlib.import_module(name) for name in found if ".migrations." not in name]


def _patterns() -> dict[str | bytes, re.Pattern[Any]]:
    """Every pattern that stands in a module, also within its tables."""
    found: dict[str | bytes, re.Pattern[Any]] = {}
    waiting = [each for module in _modules() for each in vars(module).values()]
    for _ in range(3):
        inner: list[Any] = []
        for each in waiting:
            if isinstance(each, re.Pattern):
                found[each.pattern] = each
            elif isinstance(each, dict):
                inner += [*each.keys(), *each.values()]
            elif isinstance(each, (tuple, list, set, frozenset)):
                inner += each
        waiting = inner
    return found


def _own_words(pattern: re.Pattern[Any]) -> Iterator[str]:
    """One word of the pattern, then another again and again: what words it reads in two ways keeps it busiest."""
    written = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    if len(written) > MOST_WRITTEN:
        return  # a table of names, which has no repetitions
    words = tuple(dict.fromkeys(re.findall(r"[^\W\d_]+", re.sub(r"\\[A-Za-z]|\(\?[^:]", " ", written))))[:MOST_WORDS]
    for first, again in product(words, (*(f"{word} " for word in words), "a ", "1 ")):
        yield f"{first} {again * (LONG // len(again))}x, y z w "


def _busy(*_: object) -> None:
    raise TimeoutError


def test_no_pattern_of_ours_can_be_kept_busy():
    patterns = _patterns()
    assert len(patterns) > 50
    before = signal.signal(signal.SIGVTALRM, _busy)
    try:
        for pattern in patterns.values():
            for piece in (*((piece * LONG)[:LONG] for piece in HOSTILE), *_own_words(pattern)):
                for text in (piece, piece + "\x00"):
                    asked: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
                    signal.setitimer(signal.ITIMER_VIRTUAL, 5)
                    pattern.fullmatch(asked)
                    pattern.search(asked)
    except TimeoutError:
        pytest.fail(f"{pattern.pattern!r} does not come to an end with {piece!r}")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("piece", ["a-", " ", "1 ", "tablet "])
def test_long_hostile_words_in_an_order_or_a_result_cost_nothing(piece):
    text = (piece * LONG * 100)[: LONG * 100] + "!"
    began = time.thread_time()
    assert not isinstance(written(text), Written)
    measured = Measured(Decimal(1), unit=text)
    assert amount_of(measured, lambda: Decimal(100)).mg is None
    assert time.thread_time() - began < 2
