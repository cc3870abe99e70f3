"""For whoever runs it: `serve`, `settings`, `check`, and the `store` of calls and feedback."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path

from cds_service.cli.grammar import Shelf, command, for_machines, of_tenant, words_in
from cds_service.cli.speaking import GOOD, PROBLEM, progress, say, say_json, tell_beside
from cds_service.console import terminal
from cds_service.errors import SettingsError, UsageError

SERVER_CONFIG = "gunicorn.conf.py"


def add(shelf: Shelf) -> None:
    """The commands of this module."""
    command(shelf, "serve", "start the service (default)", serve, (
        ("serve", "on 127.0.0.1:8080; HOST, PORT, WORKERS, THREADS set it"),
    ))  # fmt: skip
    words = "look whether knowledge, templates, rules, settings, discovery are sound"
    checking = command(shelf, "check", words, check, (
        ("check", "is everything sound, and what is not confirmed yet"),
        ("check --json", "the same for a pipeline: the exit code says it too"),
    ))  # fmt: skip
    for_machines(checking)
    words = "every setting, its value and where it came from; secrets are not shown"
    setting = command(shelf, "settings", words, settings, (
        ("settings", "a line for each setting"),
        ("settings --json", "to compare two machines"),
    ))  # fmt: skip
    for_machines(setting)
    words = "print an entry for WHY_READERS, the file of those who may log in to see why"
    reading = command(shelf, "reader", words, new_reader, (
        ("reader a.example", "asks for a password; add what it prints to that file"),
        ("reader a.example --tenant north", "of somebody who may look behind the cards of that hospital"),
    ))  # fmt: skip
    reading.add_argument("name", metavar="NAME", help="what is typed at the login: small letters, digits and . _ @ -")
    of_tenant(reading, "the hospital in TENANTS whose cards these are")
    words = "the store of calls and feedback: tables, purging, erasing, a new key"
    _store(command(shelf, "store", words, None, (
        ("store upgrade", "make the tables, or bring them to this version"),
        ("store purge --days 30", "delete calls and feedback older than that"),
        ("store erase --patient-file FILE --dry-run", "what is kept of one patient; without --dry-run it is deleted"),
        ("store key", "print a new key for KEEP_KEY_FILE"),
    )))  # fmt: skip


def _store(made: argparse.ArgumentParser) -> None:
    shelf = Shelf(made.add_subparsers(title="commands", metavar="COMMAND", required=True))
    words = "make the tables, or bring them to this version; the start does it too"
    upgrading = command(shelf, "upgrade", words, upgrade_store, (
        ("store upgrade", "once for a new version, before its first start"),
    ))  # fmt: skip
    for_machines(upgrading)
    words = "delete what is older than KEEP_DAYS; the service does it every day"
    purging = command(shelf, "purge", words, purge_store, (
        ("store purge", "what is older than KEEP_DAYS"),
        ("store purge --days 30", "what is older than 30 days"),
    ))  # fmt: skip
    purging.add_argument("--days", type=int, metavar="N", help="older than so many days instead")
    for_machines(purging)
    words = "delete all that is kept of one patient, on request; not what is in backups"
    erasing = command(shelf, "erase", words, erase_patient, (
        ("store erase --patient-file FILE --dry-run", "how much that would be"),
        ("store erase --patient-file FILE --tenant NAME", "of a patient of that hospital"),
    ))  # fmt: skip
    erasing.add_argument(
        "--patient-file", metavar="FILE", type=Path, required=True, help="a file with the FHIR id of the patient alone"
    )
    of_tenant(erasing, "the hospital in TENANTS whose patient it is")
    erasing.add_argument("--dry-run", action="store_true", help="only count what would be deleted")
    for_machines(erasing)
    command(shelf, "key", "print a new key for KEEP_KEY_FILE", new_key, (
        ("store key", "into a file that only the service may read"),
    ))  # fmt: skip


def serve(given: argparse.Namespace) -> int:
    """Become the server: the same command as scripts/serve."""
    config = _server_config()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", str(config)])  # noqa: S606 - our own words


def _server_config() -> Path:
    places = (Path(__file__).parents[2] / SERVER_CONFIG, Path.cwd() / SERVER_CONFIG)
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(dict.fromkeys(str(place) for place in places))
    raise SettingsError(f"{SERVER_CONFIG} is not there (looked for {looked}): start this command in a checkout")


def settings(given: argparse.Namespace) -> int:
    """How is it set?"""
    from cds_service.console.settings_told import settings_of

    told = settings_of(os.environ)
    if given.json:
        return say_json({"settings": [asdict(each) for each in told]})
    longest = max(len(each.name) for each in told)
    for each in told:
        say(f"{each.name:{longest}}  {each.origin:11}  {each.value}")
    return GOOD


def check(given: argparse.Namespace) -> int:
    """Is everything sound?"""
    with progress("reading knowledge, templates and settings"):
        from cds_service.console import soundness

        report = soundness.check(os.environ, datetime.now(UTC).date())
    if given.json:
        say_json({"sound": report.sound, **asdict(report)})
    else:
        say(terminal.report(report, terminal.width()))
    return GOOD if report.sound else PROBLEM


def new_reader(given: argparse.Namespace) -> int:
    """Write the entry of a reader."""
    from cds_service.security import readers

    if not readers.is_name(given.name):
        raise UsageError(f"NAME is '{given.name}', expected small letters, digits and . _ @ -, 64 at most")
    if given.tenant:
        _require_tenant(given.tenant)
    password = _password()
    least, most = readers.SHORTEST, readers.LONGEST
    try:
        password.encode()
    except UnicodeEncodeError:
        raise UsageError("the password is no text in UTF-8: type it, or pipe it in so") from None
    if not least <= len(password) <= most:
        raise UsageError(f"the password has {len(password)} characters, expected {least} to {most}")
    say(f"\n{readers.entry(given.name, given.tenant or '', password)}")
    return GOOD


def _require_tenant(name: str) -> None:
    """Raises UsageError for a hospital that the file of TENANTS does not list, where there is that file."""
    from cds_service.console.doctor import require_tenant
    from cds_service.settings import Settings

    not_yet = ("WHY_LINKS", "WHY_READERS")  # the file that this entry is for
    env = {each: value for each, value in os.environ.items() if each not in not_yet}
    if not require_tenant(Settings.load(env), name):
        tell_beside(f"TENANTS is not set here: whether it lists '{name}' is looked at by check, and at the start")


def _password() -> str:
    """As it is typed twice, or as the first line of what is piped in: an argument would be seen by others."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed = getpass("Password: ")
    if getpass("The same again: ") != typed:
        raise UsageError("the two were not the same: start again")
    return typed


def upgrade_store(given: argparse.Namespace) -> int:
    """Bring the tables to this version."""
    from cds_service.console import storing
    from cds_service.settings import Settings

    made = storing.upgraded(Settings.load(os.environ))
    if given.json:
        return say_json(made)
    say(f"{made['store']} is ready; before, {made['before']}")
    return GOOD


def purge_store(given: argparse.Namespace) -> int:
    """Delete what is old."""
    from cds_service.console import storing
    from cds_service.settings import Settings

    if given.days is not None and given.days < 0:
        raise UsageError("--days is a number of days from 0, which deletes everything")
    made = storing.purged(Settings.load(os.environ), given.days, datetime.now(UTC))
    if given.json:
        return say_json(made)
    say(f"{made['store']}: older than {made['days']} days were {made['calls']} calls, {made['feedback']} feedback")
    return GOOD


def erase_patient(given: argparse.Namespace) -> int:
    """Delete all of one patient."""
    from cds_service.console import storing
    from cds_service.settings import Settings

    patient = words_in(given.patient_file, "--patient-file", "the FHIR id of the patient")
    made = storing.erased(Settings.load(os.environ), given.tenant, patient, given.dry_run)
    if given.json:
        return say_json(made)
    told = f"{made['calls']} calls ({made['whole']} kept whole) with {made['cards']} cards and {made['checks']} checks"
    done = "would be erased" if given.dry_run else "were erased"
    say(f"{made['store']}: {told}, and {made['feedback']} feedback {done}")
    return GOOD


def new_key(given: argparse.Namespace) -> int:
    """Print a new key."""
    from cds_service.store.keys import new_key

    say(new_key())
    return GOOD
