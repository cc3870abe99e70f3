"""What a call costs as knowledge grows: `python -m benchmarks.scale`, in one process, without a network, a minute.

Knowledge is multiplied by copies under made-up names and codes: every drug of ours with all that is said of it, and
every medicine that interacts with one. The same calls are answered with each size in turn; the least of the rounds
counts, in CPU time. A call must cost the same, as no patient takes the copies. Options at relapse are not multiplied:
each is looked at by design.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from benchmarks import report
from benchmarks.payloads import HOOKS, stamped
from cds_service.answer import Tools, answer, load_tools
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Precipitant, Statement
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import Words
from cds_service.settings import Settings

TIMES = (1, 3, 10)
ROUNDS = 7
RESOURCES = 60
_CALLS = 4  # of each size in a round
_WARMING = 2


def grown(knowledge: Knowledge, times: int) -> Knowledge:
    """So many times as many drugs, statements on them, and medicines that interact."""
    drugs, statements = dict(knowledge.drugs), list(knowledge.statements)
    precipitants = dict(knowledge.precipitants)
    for copy in range(1, times):
        name = partial(_named, copy=copy)
        drugs |= {name(each.name): replace(each, name=name(each.name)) for each in knowledge.drugs.values()}
        statements += [_copied(each, copy) for each in knowledge.statements if each.about in knowledge.drugs]
        precipitants |= {name(each.drug): _copied_of(each, copy) for each in knowledge.precipitants.values()}
    return replace(
        knowledge, drugs=drugs, statements=tuple(statements), precipitants=precipitants,
        terms=_with_names(knowledge.terms, times),
    )  # fmt: skip


def _named(name: str, copy: int) -> str:
    return f"{name}-copy{copy}"


def _copied(statement: Statement[Any], copy: int) -> Statement[Any]:
    return replace(statement, id=_named(statement.id, copy), about=_named(statement.about, copy))


def _copied_of(precipitant: Precipitant, copy: int) -> Precipitant:
    said = tuple(_copied(each, copy) for each in precipitant.statements)
    return replace(precipitant, drug=_named(precipitant.drug, copy), statements=said)


def _with_names(terms: Terms, times: int) -> Terms:
    """The terms with codes and names for every copy."""
    copies = range(1, times)
    codes = dict(terms.drugs)
    names = {entry: terms.drug_names.find(entry) or "" for entry in terms.drug_names.entries}
    several = dict(names)
    for copy in copies:
        for (system, code), found in terms.drugs.items():
            ingredients = tuple(_named(each, copy) for each in found.ingredients)
            codes[system, _named(code, copy)] = replace(found, ingredients=ingredients)
        for entry, drugs in names.items():
            several[_named(entry, copy)] = "|".join(_named(each, copy) for each in drugs.split("|"))
    return replace(terms, drugs=codes, drug_names=Words(several.items()))


def measure(rounds: int = ROUNDS, times: Iterable[int] = TIMES) -> dict[str, dict[int, float]]:
    """CPU milliseconds of a call, by hook and by how much is known."""
    tools = load_tools(Settings.load({}))
    sizes = {each: replace(tools, knowledge=grown(tools.knowledge, each)) for each in times}
    found: dict[str, dict[int, float]] = {hook: {} for hook in HOOKS}
    for hook in HOOKS:
        calls = stamped(hook, RESOURCES, datetime.now(UTC))
        for number, (size, larger) in itertools.product(range(rounds + 1), sizes.items()):
            bodies = list(itertools.islice(calls, _CALLS if number else _WARMING))
            spent = seconds(hook, bodies, larger) * 1000
            if number:  # the first of each is not counted: it makes the look-ups of the day
                found[hook][size] = min(spent, found[hook].get(size, spent))
    return found


def seconds(hook: str, bodies: list[bytes], tools: Tools) -> float:
    """CPU of one of these calls."""
    service = next(each for each in tools.services if each.hook == hook)
    began = time.process_time()
    for body in bodies:
        answer(body, service, tools)
    return (time.process_time() - began) / len(bodies)


def table(found: Mapping[str, Mapping[int, float]]) -> str:
    """The figures as docs show them."""
    times = tuple(next(iter(found.values())))
    head = " | ".join(["Hook", *(f"×{each}, ms" for each in times), f"×{times[-1]} ÷ ×{times[0]}"])
    body = [
        (hook, *(report.number(by_size[each]) for each in times), report.number(by_size[times[-1]] / by_size[times[0]]))
        for hook, by_size in found.items()
    ]
    return report.rows(head, body)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is measured (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    chosen = parser.parse_args()
    found = measure(chosen.rounds)
    print(json.dumps(found, indent=2) if chosen.json else table(found))
    if chosen.docs:
        report.write("scale", table(found))


if __name__ == "__main__":
    main()
