"""The site report: what `doctor`, `load` and `unload` tell of a FHIR server, as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cds_service.console.terminal import wrapped

if TYPE_CHECKING:  # only their shapes
    from cds_service.console.codes_seen import Seen
    from cds_service.console.doctor import Asked, Diagnosis
    from cds_service.console.loading import Done


def diagnosis(made: Diagnosis, columns: int) -> str:
    """What `aml-cds doctor` found."""
    lines = [f"FHIR server {made.server}", ""]
    for each in made.findings:
        lines.append(wrapped(f"{each.name:<15} {each.state:<8} {each.words}", columns, "", " " * 25))
    if made.queries:
        lines += ["", f"{'Query':<12} {'State':<8} {'Result':<9} {'Entries':>7} {'Pages':>5} {'ms':>6}  What to know"]
        lines += [line for each in made.queries for line in _asked(each, columns)]
    if made.codes:
        lines += ["", f"{'Read':>5} {'Not read':>8}  Code system"]
        lines += [line for each in made.codes for line in _seen(each, columns)]
        lines += ["", "Not read in a system that we read: no check needs it. Else map what matters: docs/overlay.md."]
    ending = f"Problems: {made.problems}." if made.problems else "No problem was found."
    return "\n".join([*lines, "", ending])


def _asked(each: Asked, columns: int) -> list[str]:
    numbers = f"{each.entries:>7} {each.pages:>5} {each.milliseconds:>6}"
    return _hanging(f"{each.key:<12} {each.state:<8} {each.result:<9} {numbers}  ", each.words, columns)


def _seen(each: Seen, columns: int) -> list[str]:
    most = f": {', '.join(f'{code} ({number})' for code, number in each.most)}" if each.most else ""
    return _hanging(f"{each.read:>5} {each.unread:>8}  ", f"{each.type}, {each.system}{most}", columns)


def _hanging(head: str, words: str, columns: int) -> list[str]:
    room = max(20, columns - len(head))
    lines = textwrap.wrap(words, room, break_on_hyphens=False) or [""]
    return [(head + lines[0]).rstrip(), *(" " * len(head) + line for line in lines[1:])]


def stories_moved(made: Iterable[Done], done: str, columns: int) -> str:
    """What `aml-cds load` and `unload` did."""
    every = list(made)
    lines: list[str] = []
    for each in every:
        whom = f", patient {', '.join(each.called)}" if each.patients else ""
        lines.append(wrapped(f"{each.story}  {each.resources} resources {done}{whom}", columns, "", "    "))
        if each.left_alone:
            left = f"left alone, as it does not carry our tag: {', '.join(each.left_alone)}"
            lines.append(wrapped(left, columns, "    ", "      "))
    total = sum(each.resources for each in every)
    return "\n".join([*lines, "", f"{total} resources of {len(every)} stories {done}."])
