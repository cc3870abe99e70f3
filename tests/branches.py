"""Branches: which share of the branches of a package the tests of the repository take, against a floor for each.

`python -m tests.branches` runs the tests listed in data/branch_floors.yaml under coverage.py, prints a line for each
package with its floor, and ends with 1 when one is below it. A share says what no test ever ran; that what ran was also
looked at is what `tests.mutation` asks. Processes that tests start are not counted.
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

ROOT = Path(__file__).parents[1]
FLOORS = Path(__file__).parent / "data" / "branch_floors.yaml"
Told = Mapping[str, Any]


@dataclass(frozen=True)
class Share:
    """What was taken of the branches of one package, and what is the least."""

    package: str
    taken: int
    every: int
    floor: float

    @property
    def percent(self) -> float:
        """Of a hundred; a package without branches has taken all."""
        return 100 * self.taken / self.every if self.every else 100.0

    @property
    def kept(self) -> bool:
        """Whether it is at its floor or above."""
        return self.percent >= self.floor

    def __str__(self) -> str:
        word = "kept  " if self.kept else "BROKEN"
        return f"{word} {self.package}: {self.percent:.1f} % of {self.every} branches (at least {self.floor:g} %)"


def floors() -> Told:
    """The tests that are run, and the floor of each package."""
    told: Told = yaml.safe_load(FLOORS.read_text(encoding="utf-8"))
    return told


def shares(report: Told, least: Mapping[str, float]) -> Iterator[Share]:
    """Each package of `least`, by the report that coverage.py writes as JSON."""
    for package, floor in least.items():
        files = [
            told["summary"] for name, told in report["files"].items()
            if Path(name).as_posix().startswith(f"cds_service/{package}/")
        ]  # fmt: skip
        if not files:
            raise ValueError(f"no file of cds_service/{package} was measured")
        taken, every = (sum(each[key] for each in files) for key in ("covered_branches", "num_branches"))
        yield Share(package, taken, every, floor)


def measured(tests: list[str], folder: Path) -> Told:
    """The report of these tests. Raises CalledProcessError when one of them fails."""
    data = f"--data-file={folder / 'data'}"
    coverage = [sys.executable, "-m", "coverage"]
    tested = [*coverage, "run", data, "--branch", "--source=cds_service", "-m", "pytest", "-q", "-n", "0", *tests]
    subprocess.run(tested, cwd=ROOT, check=True)
    subprocess.run([*coverage, "json", data, "-q", "-o", str(folder / "report.json")], cwd=ROOT, check=True)
    told: Told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return told


def main() -> int:
    """The program: 0 when every floor is kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.branches", description=__doc__)
    parser.add_argument("--report", type=Path, help="a JSON report of coverage.py that is there already")
    given = parser.parse_args()
    told = floors()
    with TemporaryDirectory() as folder:
        report = json.loads(given.report.read_text("utf-8")) if given.report else measured(told["tests"], Path(folder))
    found = list(shares(report, told["floors"]))
    for each in found:
        print(each, flush=True)  # noqa: T201
    return 0 if all(each.kept for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
