"""Mutation testing beyond the rules: changes to the packages around them, and whether their unit tests notice.

`python -m tests.mutation_units` changes a sample of comparisons, `and`s, `or`s and `not`s, always the same ones, and
runs the unit tests of the package against each, in a forked child. What nobody notices is listed; `docs/mutation.md`
has the last figures. A change that keeps a module from being imported, or a test from ending, is noticed too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants import Mutant, mutants
from tests.second_look import Swap

ROOT = Path(__file__).parents[1]
SECONDS = 300  # a child that takes longer hangs: noticed
# By package the tests that are asked. Of the store those on SQLite: the statements are the same.
TESTS: dict[str, tuple[str, ...]] = {
    "security": ("tests/security",),
    "hooks": ("tests/hooks", "tests/test_conversation.py"),
    "gather": ("tests/gather", "tests/test_conversation.py"),
    "store": ("tests/store", "-k", "not postgresql and not served"),
    "facts": ("tests/facts",),
}
# Imported once, before any child: they take longer to import than most tests to run.
HEAVY = ("flask", "sqlalchemy", "alembic", "requests", "responses", "cryptography", "jwt", "fhir.resources", "yaml")


class Changed(Swap):
    """A changed module that still knows its place."""

    def __init__(self, name: str, source: str, path: Path) -> None:
        super().__init__(name, source)
        self.path = path

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        module.__file__ = str(self.path)
        super().exec_module(module)


def found_in(package: str) -> Iterator[tuple[Path, Mutant]]:
    """Every mutant of a package, with its file. The steps of the store's tables are done once and never changed."""
    for path in sorted((ROOT / "cds_service" / package).rglob("*.py")):
        if "migrations" not in path.parts:
            for mutant in mutants(".".join(path.relative_to(ROOT).with_suffix("").parts), path):
                yield path, mutant


def sample(package: str, most: int) -> list[tuple[Path, Mutant]]:
    """At most so many of them, always the same ones as long as the code stays."""
    every = list(found_in(package))
    return random.Random(0).sample(every, most) if most < len(every) else every


def noticed(tests: Sequence[str], changed: tuple[Path, Mutant] | None) -> bool:
    """Whether these tests fail with the changed module; without one they run as they stand."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os._exit(_ends_badly(tests, changed))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) != 0


def _ends_badly(tests: Sequence[str], changed: tuple[Path, Mutant] | None) -> int:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    for name in [each for each in sys.modules if each.startswith(("cds_service", "cards", "tests"))]:
        del sys.modules[name]
    if changed is not None:
        path, mutant = changed
        sys.meta_path.insert(0, Changed(mutant.module, mutant.source, path))
    options = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return int(pytest.main([*options, *tests]) != pytest.ExitCode.OK)


def main() -> int:
    """The program: 0 when each package is at the floor."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation_units", description=__doc__)
    parser.add_argument("--package", action="append", choices=TESTS, help="only these packages")
    parser.add_argument("--sample", type=int, default=25, help="so many changes of each package")
    parser.add_argument("--floor", type=float, default=0.0, help="the percentage of each package to be noticed")
    given = parser.parse_args()
    for name in HEAVY:
        importlib.import_module(name)
    below = 0
    for package in given.package or TESTS:
        if noticed(TESTS[package], None):
            raise RuntimeError(f"the tests of {package} fail without any change: they can tell nothing")
        asked, alive = sample(package, given.sample), []
        for changed in asked:
            if not noticed(TESTS[package], changed):
                alive.append(changed[1])
                sys.stdout.write(f"unnoticed: {changed[1]}\n")
                sys.stdout.flush()
        share = 100 * (len(asked) - len(alive)) / max(1, len(asked))
        below += share < given.floor
        every = sum(1 for _ in found_in(package))
        sys.stdout.write(f"| {package} | {every} | {len(asked)} | {len(asked) - len(alive)} | {share:.0f} % |\n")
        sys.stdout.flush()
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
