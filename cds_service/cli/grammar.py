"""The grammar of commands: each has a name, its words, examples that work, and arguments that several share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cds_service.errors import UsageError

TOKEN = "AML_CDS_TOKEN"  # noqa: S105 - the name of a variable, not a token
EXITS = "exit codes: 0 all is well, 1 a problem was found, 2 wrong usage"

Run = Callable[[argparse.Namespace], int]
Example = tuple[str, str]  # what to type after aml-cds, and what it does


@dataclass(frozen=True)
class Shelf:
    """Commands that stand together, and what --help lists of them."""

    commands: Any  # what argparse gives for sub-parsers; it has no public name
    listed: list[tuple[str, str]] = field(default_factory=list)


def command(
    shelf: Shelf, name: str, words: str, run: Run | None, examples: Sequence[Example], exits: str = EXITS
) -> argparse.ArgumentParser:
    """A command; `run` is what it does, None where it has commands of its own."""
    # No abbreviations: --token would be taken for --token-file, and a token that was typed be told as a file's name.
    shelf.listed.append((name, words))
    made: argparse.ArgumentParser = shelf.commands.add_parser(
        name,
        help=words,
        description=words[0].upper() + words[1:] + ".",
        epilog=f"{told(examples)}\n\n{exits}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if run is not None:
        made.set_defaults(run=run, grammar=made)
    return made


def told(examples: Sequence[Example]) -> str:
    """The examples, each with what it does beside it, or below it where it is long."""
    lines = ["examples:"]
    for typed, words in examples:
        line = f"  aml-cds {typed}"
        lines += [f"{line:<46}  {words}"] if len(line) <= 46 else [line, f"{'':<46}  {words}"]
    return "\n".join(lines)


def for_machines(made: argparse.ArgumentParser) -> None:
    """Every command that answers has it."""
    made.add_argument("--json", action="store_true", help="JSON for machines")


def which_story(made: argparse.ArgumentParser) -> None:
    """A story, or a request of it."""
    made.add_argument("story", nargs="?", help="a folder of fhir_samples/; left out, the stories are listed")
    made.add_argument("request", nargs="?", help="one request of the story; left out, each of them is sent")
    for_machines(made)


def at_a_server(made: argparse.ArgumentParser) -> None:
    """A FHIR server, and how to get in."""
    made.add_argument("--fhir", metavar="URL", required=True, help="base URL, such as http://127.0.0.1:8090/fhir")
    made.add_argument(
        "--token-file", metavar="FILE", type=Path, help=f"a file with the access token; else that of {TOKEN}, if any"
    )
    for_machines(made)


def of_tenant(made: argparse.ArgumentParser, words: str) -> None:
    """One of several hospitals."""
    made.add_argument("--tenant", metavar="NAME", help=words)


def of_time(made: argparse.ArgumentParser, first: str, last: str) -> None:
    """From which day to which."""
    made.add_argument("--since", metavar="DAY", help=first)
    made.add_argument("--until", metavar="DAY", help=last)


def words_in(file: Path, option: str, what: str) -> str:
    """What stands in this file: nothing that other users of a machine should see is an argument. Raises UsageError."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{option} {file} cannot be read: it holds {what}, and nothing else") from None
