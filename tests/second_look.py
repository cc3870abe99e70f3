"""The second look of mutation testing: what no vignette notices is asked of slower tests, with the changed module.

Only a test that failed counts as noticed. A run that ended otherwise says nothing of the mutant, and is an error.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest import ExitCode

from tests.mutants import Mutant

ROOT = Path(__file__).parents[1]
FILES = (
    *("tests/test_rule.py", "tests/test_hospital.py", "tests/test_options.py", "tests/test_targets_and_allergy.py"),
    *("tests/test_heart.py", "tests/test_samples.py", "tests/test_patients.py", "tests/test_invariants.py"),
    *("tests/test_running.py", "tests/test_child_pugh.py", "tests/present/test_abroad.py"),
    "tests/pages/test_pathway.py",
)


class Swap(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed source to whoever imports the module."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, self.name, "exec"), module.__dict__)


def unnoticed(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Those that the slower tests do not notice either. A number is for the vignettes alone.

    Raises RuntimeError when the tests fail without any mutant, or cannot be asked.
    """
    rules = [mutant for mutant in mutants if mutant.statement is None]
    if rules and noticed(None):
        raise RuntimeError("the tests of the second look fail without any mutant: they can tell nothing")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        seen = {(m.module, m.name) for m, found in zip(rules, pool.map(noticed, rules), strict=True) if found}
    return [mutant for mutant in mutants if (mutant.module, mutant.name) not in seen]


def noticed(mutant: Mutant | None, files: Sequence[str] = FILES) -> bool:
    """Whether one of the tests fails with the changed module; without a mutant they run as they stand."""
    lines = ["import sys", "from tests.second_look import Swap"]
    if mutant is not None:
        lines.append(f"sys.meta_path.insert(0, Swap('cds_service.rules.{mutant.module}', {mutant.source!r}))")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "swapped.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "swapped", *files],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
            capture_output=True, check=False, text=True,
        )  # fmt: skip
    return a_test_failed(run.returncode, f"{mutant or 'without any mutant'}\n{run.stdout[-2000:]}{run.stderr[-2000:]}")


def a_test_failed(code: int, words: str = "") -> bool:
    """Whether a run of pytest ended because a test failed.

    Raises RuntimeError when it ended in any other way: interrupted, broken inside, called wrongly, nothing collected.
    """
    if code not in (ExitCode.OK, ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the second look could not be made: pytest ended with {code}\n{words}")
    return code == ExitCode.TESTS_FAILED
