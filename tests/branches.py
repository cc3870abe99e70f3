"""Branches: which share of the lines and branches of a package the tests take, against a floor for each.

`python -m tests.branches` runs the tests listed in data/branch_floors.yaml under coverage.py, prints a line for each
package with its floor, and ends with 1 when one is below it. A share says what no test ever ran; that what ran was also
looked at is what `tests.mutation` asks. Processes that tests start are not counted, nor is a case that the type checker
proves to be impossible (`assert_never`). Where PostgreSQL is not installed, what only it reaches is not asked for.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.postgres import programs

ROOT = Path(__file__).parents[1]
FLOORS = Path(__file__).parent / "data" / "branch_floors.yaml"
Told = Mapping[str, Any]
_RULES = "[report]\nexclude_also =\n    case \\w+:\\n\\s+assert_never\\(\n"  # of coverage.py
_SUMMED = ("covered_lines", "num_statements", "covered_branches", "num_branches")


@dataclass(frozen=True)
class Share:
    """What was taken of the lines and of the branches of one package, each of how many, and what is the least."""

    package: str
    lines: tuple[int, int]
    branches: tuple[int, int]
    floor: float

    @property
    def kept(self) -> bool:
        """Whether both are at the floor or above."""
        return min(_percent(*self.lines), _percent(*self.branches)) >= self.floor

    def __str__(self) -> str:
        word = "kept  " if self.kept else "BROKEN"
        told = (
            f"{_percent(*found):.2f} % of {found[1]} {what}"
            for what, found in (("lines", self.lines), ("branches", self.branches))
        )
        return f"{word} {self.package}: {', '.join(told)} (at least {self.floor:g} %)"


def _percent(taken: int, every: int) -> float:
    """Of a hundred; where there are none, all are taken."""
    return 100 * taken / every if every else 100.0


def told() -> Told:
    """The tests that are run, the floor of each package, and those that need PostgreSQL without it."""
    read: Told = yaml.safe_load(FLOORS.read_text(encoding="utf-8"))
    return read


def floors(*, postgresql: bool) -> Mapping[str, float]:
    """The floor of each package, where PostgreSQL is installed or where it is not."""
    read = told()
    return {**read["floors"], **({} if postgresql else read["without_postgresql"])}


def shares(report: Told, least: Mapping[str, float]) -> Iterator[Share]:
    """Each package of `least`, by the report that coverage.py writes as JSON."""
    for package, floor in least.items():
        files = [
            told["summary"] for name, told in report["files"].items()
            if Path(name).as_posix().startswith(f"cds_service/{package}/")
        ]  # fmt: skip
        if not files:
            raise ValueError(f"no file of cds_service/{package} was measured")
        lines, of_lines, branches, of_branches = (sum(each[key] for each in files) for key in _SUMMED)
        yield Share(package, (lines, of_lines), (branches, of_branches), floor)


def measured(tests: list[str], folder: Path) -> Told:
    """The report of these tests. Raises CalledProcessError when one of them fails."""
    rules, report = folder / "rules", folder / "report.json"
    rules.write_text(_RULES, encoding="utf-8")
    coverage, how = [sys.executable, "-m", "coverage"], [f"--data-file={folder / 'data'}", f"--rcfile={rules}"]
    tested = [*coverage, "run", *how, "--branch", "--source=cds_service", "-m", "pytest", "-q", "-n", "0", *tests]
    subprocess.run(tested, cwd=ROOT, check=True)
    subprocess.run([*coverage, "json", *how, "-q", "-o", str(report)], cwd=ROOT, check=True)
    found: Told = json.loads(report.read_text(encoding="utf-8"))
    return found


def main() -> int:
    """The program: 0 when every floor is kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.branches", description=__doc__)
    parser.add_argument("--report", type=Path, help="a JSON report of coverage.py that is there already")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        read = given.report
        report = json.loads(read.read_text("utf-8")) if read else measured(told()["tests"], Path(folder))
    found = list(shares(report, floors(postgresql=programs() is not None)))
    for each in found:
        print(each, flush=True)  # noqa: T201
    return 0 if all(each.kept for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
