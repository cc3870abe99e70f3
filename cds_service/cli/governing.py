"""For the committee that answers for it: what a hospital changes, what happened, and the same call again."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cds_service.cli.grammar import Shelf, command, for_machines, of_tenant, of_time
from cds_service.cli.speaking import (
    GOOD,
    PROBLEM,
    WRONG_USAGE,
    at_the_prompt,
    progress,
    say,
    say_json,
    tell_error,
    teller,
)  # fmt: skip
from cds_service.cli.stories import require_rule
from cds_service.console import samples, terminal
from cds_service.errors import CdsError, UsageError

if TYPE_CHECKING:
    from cds_service.console.difference import Difference

_EXITS_OF_DIFF = "exit codes: 0 no difference, 1 differences, 2 the overlay is wrong"


def add(shelf: Shelf) -> None:
    """The commands of this module."""
    words = "what a hospital's overlay changes, in words, and in which sample answers"
    differing = command(shelf, "diff", words, diff, (
        ("diff docs/overlay_example", "what this folder changes, for its owner to read"),
        ("diff", "the same for the folder of the setting OVERLAY"),
        ("diff docs/overlay_example --json", "for a pipeline"),
    ), _EXITS_OF_DIFF)  # fmt: skip
    differing.add_argument("overlay", nargs="?", help="its folder; left out, that of the setting OVERLAY")
    for_machines(differing)
    words = "what fired, how cards were taken, what could not be seen; from the store"
    reporting = command(shelf, "report", words, report, (
        ("report", "of the last four weeks"),
        ("report --since 2026-11-01 --rule qtc-hold", "of one rule, from a day on"),
        ("report --csv", "one long table for a spreadsheet"),
    ))  # fmt: skip
    of_time(reporting, "the first day, such as 2026-11-01; else four weeks ago",
            "the last day; else up to now. Days are of UTC")  # fmt: skip
    reporting.add_argument("--rule", metavar="ID", help="only this rule (docs/rules.md lists them), or gap")
    of_tenant(reporting, "only this hospital of TENANTS")
    reporting.add_argument("--csv", action="store_true", help="one long table for a spreadsheet")
    for_machines(reporting)
    words = "answer a kept call again as of its day, and say what differs"
    replaying = command(shelf, "replay", words, replay, (
        ("replay 515cafb1", "one call, by its id or how that begins"),
        ("replay --all --since 2026-11-01", "every call from a day on, as a summary"),
    ))  # fmt: skip
    replaying.add_argument("call", nargs="?", metavar="CALL", help="its id or how that begins; the log line names it")
    replaying.add_argument("--all", action="store_true", help="every call of a time, as a summary")
    of_time(replaying, "with --all: the first day, else four weeks ago", "with --all: the last day, else up to now")
    of_tenant(replaying, "with --all: only this hospital of TENANTS")
    for_machines(replaying)


def diff(given: argparse.Namespace) -> int:
    """What does the overlay change?"""
    try:
        told = _difference(given.overlay)
    except CdsError as error:
        return tell_error(error, WRONG_USAGE)
    if given.json:
        say_json(told.as_json())
    else:
        say(terminal.difference(told, terminal.width()))
    return PROBLEM if told.changes else GOOD


def _difference(folder: str | None) -> Difference:
    with progress("reading knowledge and overlay"):
        from cds_service.console import difference
        from cds_service.settings import Settings

        named = {**at_the_prompt(), **({"OVERLAY": folder} if folder else {})}
        settings = Settings.load(named)
    if settings.overlay is None:
        raise UsageError("there is no overlay to look at: aml-cds diff FOLDER, or set OVERLAY")
    return difference.difference(settings, samples.stories(), datetime.now(UTC).date(), teller())


def report(given: argparse.Namespace) -> int:
    """What does the store know?"""
    from cds_service.console import reporting
    from cds_service.settings import Settings

    if given.rule != "gap":
        require_rule(given.rule)
    asked = reporting.asked(given.since, given.until, given.tenant, given.rule, datetime.now(UTC))
    with progress("asking the store"):
        told = reporting.reported(Settings.load(os.environ), asked)
    if given.json:
        return say_json(told.as_json())
    say(reporting.as_csv(told) if given.csv else reporting.as_text(told, terminal.width()), end="")
    if not given.csv:
        say()
    return GOOD


def replay(given: argparse.Namespace) -> int:
    """Is the same answered again?"""
    from cds_service.console import replay as replaying
    from cds_service.console import reporting
    from cds_service.settings import Settings

    if given.all == bool(given.call):
        raise UsageError("name one call, or say --all")
    with progress("reading store and knowledge"):
        if given.all:
            asked = reporting.asked(given.since, given.until, given.tenant, None, datetime.now(UTC))
            settings = Settings.load(os.environ)
            told = replaying.replayed_all(settings, asked.since, asked.until, asked.tenant, teller())
        else:
            told = (replaying.replayed(Settings.load(os.environ), given.call),)
    if given.json:
        say_json({"calls": [asdict(each) | {"same": each.same} for each in told]})
    else:
        say(replaying.as_summary(told) if given.all else replaying.as_text(told[0]))
    return GOOD if all(each.same for each in told) else PROBLEM
