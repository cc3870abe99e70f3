"""The terminal: cards and traces as plain text, wrapped to its width. Says what it is given and nothing else.

Cards come as the JSON of a response, so that those of a running server look the same as our own.
"""

from __future__ import annotations

import html
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # only their shapes: a command that needs no facts should not wait for their readers
    from cds_service.changes import Change
    from cds_service.console.difference import Difference
    from cds_service.console.soundness import Part, Report, Standing
    from cds_service.trace import Read, Said, Step

_WIDEST = 110
_NARROWEST = 40
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+!|~<>&-])")
_EMPHASIS = re.compile(r"(?<![\\\w])(\*\*|\*|_)(?=\S)(.+?)(?<=[^\s\\])\1(?!\w)")
_BULLET = re.compile(r"\s*[-*] ")
_ORDER = ("fired", "not evaluated", "clear", "switched off", "not applicable")
_ACTIONS = {"create": "creates", "update": "changes", "delete": "deletes"}


def width() -> int:
    """How many characters a line may have here."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))


def plain(markdown: str) -> str:
    """Markdown of a card as plain text: one line for each paragraph or bullet."""
    return "\n".join(_plain_line(line) for line in markdown.splitlines())


def _plain_line(line: str) -> str:
    line = line.lstrip("#").strip() if line.startswith("#") else line.rstrip()
    line = _EMPHASIS.sub(r"\2", line)
    return html.unescape(_ESCAPED.sub(r"\1", line))


def response(status: int, content: Mapping[str, Any], columns: int) -> str:
    """What a caller got: the cards one below the other, or why there are none."""
    if "cards" not in content:
        return _refusal(status, content, columns)
    shown = content["cards"]
    return "\n".join(card(each, columns) for each in shown) if shown else "No card: there is nothing to say.\n"


def _refusal(status: int, content: Mapping[str, Any], columns: int) -> str:
    issue: Mapping[str, Any] = next(iter(content.get("issue") or ()), {})
    place = "".join(f" at {path}" for path in issue.get("expression") or ())
    return wrapped(f"Refused with {status}{place}: {issue.get('diagnostics', 'no reason given')}", columns) + "\n"


def card(shown: Mapping[str, Any], columns: int) -> str:
    """One card: how urgent, its summary, its detail, and what may be accepted."""
    lines = [*_wrapped(f"[{shown['indicator'].upper()}] {shown['summary']}", columns, "", "  "), ""]
    for line in plain(shown.get("detail", "")).splitlines():
        lines += _wrapped(line, columns, "  ", "    " if _BULLET.match(line) else "  ")
    suggestions = shown.get("suggestions") or ()
    if suggestions:
        lines += ["", "  To accept" + (" (one of these):" if _one_only(shown) else ":")]
        lines += [line for each in suggestions for line in _wrapped(_suggestion(each), columns, "  > ", "    ")]
    return "\n".join([*_single_blanks(lines), ""])


def _one_only(shown: Mapping[str, Any]) -> bool:
    return shown.get("selectionBehavior") == "at-most-one" and len(shown["suggestions"]) > 1


def _suggestion(each: Mapping[str, Any]) -> str:
    return f"{each['label']} ({'; '.join(_action(action) for action in each.get('actions') or ())})"


def _action(action: Mapping[str, Any]) -> str:
    resource = action.get("resource") or {}
    what = action.get("resourceId") or "/".join(
        part for part in (resource.get("resourceType"), resource.get("id")) if part
    )
    return f"{_ACTIONS.get(action['type'], action['type'])} {what}"


def _single_blanks(lines: Iterable[str]) -> Iterator[str]:
    """Paragraphs a blank line apart, never two."""
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line


def steps(made: Iterable[Step], columns: int) -> str:
    """The trace: what fired first, then what could not be evaluated, what was clear, what did not apply."""
    every = list(made)
    parts = [f"{len(every)} {'check' if len(every) == 1 else 'checks'}: {_counted(every) or 'none'}", ""]
    for outcome in _ORDER:
        for each in every:
            if each.outcome == outcome:
                parts += _step(each, columns)
    return "\n".join(parts)


def _counted(every: list[Step]) -> str:
    found = ((outcome, sum(each.outcome == outcome for each in every)) for outcome in _ORDER)
    return ", ".join(f"{number} {outcome}" for outcome, number in found if number)


def _step(each: Step, columns: int) -> list[str]:
    urgent = f" ({each.level})" if each.level else ""
    urgent += " in shadow" if each.local and each.outcome != "switched off" else ""
    about = f"  {each.subject}" if each.subject else ""
    lines = [f"{each.outcome.upper()}{urgent}  {each.rule}{about}", *_wrapped(each.title, columns, "  ", "  ")]
    if each.why:
        lines += _wrapped(f"{_lead(each)}: {each.why}", columns, "  ", "    ")
    if each.local and each.local != each.why:
        lines += _wrapped(f"local: {each.local}", columns, "  ", "    ")
    for words in each.missing:
        lines += _wrapped(f"missing: {words}", columns, "  ", "    ")
    for read in each.reads:
        lines += _wrapped(_read(read), columns, "  read   ", "         ")
    for said in each.cites:
        lines += _wrapped(_said(said), columns, "  cited  ", "         ")
    return [*lines, ""]


def _lead(each: Step) -> str:
    return "less certain" if each.outcome == "fired" else "because"


def _read(read: Read) -> str:
    if not read.value:
        return f"{read.label}: {read.state}" + (f" ({read.why})" if read.why else "")
    parts = [f"{read.label}: {read.value}"]
    parts += [f"on {read.date}"] if read.date else []
    parts += [f"from {read.resource}"] if read.resource else []
    parts += [f"({read.source})"] if read.source else []
    doubts = dict.fromkeys((*(() if read.state == "known" else (read.state,)), *read.doubts, *read.notes))
    return " ".join(parts) + (f"; {'; '.join(doubts)}" if doubts else "")


def _said(said: Said) -> str:
    places = "; ".join(f"{each.title}, {each.at}" for each in said.sources)
    if said.local:
        return f"{said.id} = {said.value} [{said.local}]"
    borrowed = f", {said.foreign} only" if said.foreign else ""
    by = f"reviewed {said.reviewed_on} by {said.reviewed_by}" if said.reviewed_by else f"{said.reviewed_on}, not signed"
    return f"{said.id} = {said.value} [{said.verification}{borrowed}, {by}] {places}"


def genomics(lines: Iterable[str], columns: int) -> str:
    """The genomic results as they came in, a marker a paragraph."""
    told = [line for words in lines for line in _wrapped(words, columns, "  ", "    ")]
    return "\n".join(["Genomic results as they came in", *told, ""])


def difference(made: Difference, columns: int) -> str:
    """What `aml-cds diff` found, by group."""
    overlay = made.overlay
    lines = _wrapped(
        f"Overlay of {overlay.owner}, from {overlay.effective}, contact: {overlay.contact}", columns, "", "  "
    )
    lines += [f"Knowledge {made.versions[0]} as shipped; with the overlay version {made.versions[1]}"]
    lines += [f"Digest of the overlay {overlay.digest}"]
    if not made.changes:
        return "\n".join([*lines, "", "No difference."])
    for group in dict.fromkeys(change.group for change in made.changes):
        lines += ["", f"{group.capitalize()}:"]
        for change in made.changes:
            if change.group == group:
                lines += _change(change, made, columns)
    lines += ["", "Sample answers are compared as if each change, by itself, were in force on every day."]
    return "\n".join(lines)


def _change(change: Change, made: Difference, columns: int) -> list[str]:
    answers = made.answers[change]
    lines = _wrapped(f"- {change.sentence}", columns, "  ", "    ")
    for line in change.lines:
        lines += _wrapped(line, columns, "      ", "        ")
    for words in change.beware:
        lines += _wrapped(f"beware: {words}", columns, "    ", "      ")
    named = f": {', '.join(answers)}" if answers else ""
    words = f"changes {len(answers)} of {made.samples} sample answers{named}"
    return lines + _wrapped(words, columns, "    ", "      ")


def report(made: Report, columns: int) -> str:
    """What `aml-cds check` found."""
    lines = [line for part in made.parts for line in _part(part, columns)]
    if made.beware:
        lines += ["", f"The hospital's own, to be aware of ({len(made.beware)}):"]
        lines += [line for words in made.beware for line in _wrapped(f"- {words}", columns, "    ", "      ")]
    if made.standing is not None:
        lines += _standing(made.standing, columns)
    return "\n".join([*lines, "", "Everything is sound." if made.sound else "Not sound: see the problems above."])


def _part(part: Part, columns: int) -> list[str]:
    first = f"{part.name:<10} {'problem' if part.problems else 'sound'}  {part.seen}".rstrip()
    lines = _wrapped(first, columns, "", " " * 18)
    return lines + [line for each in part.problems for line in _wrapped(f"- {each}", columns, "    ", "      ")]


def _standing(standing: Standing, columns: int) -> list[str]:
    states = ", ".join(f"{number} {state}" for state, number in standing.by_state.items())
    lines = ["", f"How the {standing.statements} statements were verified: {states}"]
    lines += ["", "Oldest reviews:", *(f"    {day}  {name}" for day, name in standing.oldest)]
    lines += ["", f"Recalled, not read: confirm on the current label ({len(standing.recalled)}):"]
    for about, names in standing.unread.items():
        spoken = ", ".join(name.replace("_", " ") for name in names)
        lines += _wrapped(f"{about}: {spoken}", columns, "    ", "      ")
    standings = ", ".join(standing.unread_standings) or "none"
    lines += ["", f"Approvals recalled, not read ({len(standing.unread_standings)}):"]
    lines += _wrapped(standings, columns, "    ", "    ")
    lines += ["", f"Rules of the clinical notes that nothing answers yet ({len(standing.open_entries)}):"]
    lines += _wrapped(", ".join(standing.open_entries) or "none", columns, "    ", "    ")
    lines += ["", f"Signed by nobody yet, reviewed.by is empty ({len(standing.unsigned)}):"]
    lines += _wrapped(_unsigned(standing), columns, "    ", "    ")
    return lines


def _unsigned(standing: Standing) -> str:
    if len(standing.unsigned) == standing.statements:
        return "all of them"
    return ", ".join(standing.unsigned) or "none"


def wrapped(text: str, columns: int, indent: str = "", hanging: str | None = None) -> str:
    """The text wrapped to so many columns."""
    return "\n".join(_wrapped(text, columns, indent, indent if hanging is None else hanging))


def _wrapped(text: str, columns: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text, columns, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    ) or [""]
