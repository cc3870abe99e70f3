"""For whoever connects an EHR: `doctor` looks at its server, `sheet` says what to type in, `load` brings stories."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from cds_service.cli.grammar import TOKEN, Shelf, at_a_server, command, for_machines, of_tenant, words_in
from cds_service.cli.speaking import GOOD, PROBLEM, progress, say, say_json, teller
from cds_service.console import samples, site_report, terminal
from cds_service.errors import UsageError

_HERE = "http://127.0.0.1:8090/fhir"


def add(shelf: Shelf) -> None:
    """The commands of this module."""
    words = "can this service work with that FHIR server, and what is missing"
    examining = command(shelf, "doctor", words, doctor, (
        (f"doctor --fhir {_HERE}", "what the server says of itself"),
        (f"doctor --fhir {_HERE} --patient 123", "run our queries for a test patient too"),
        (f"doctor --fhir {_HERE} --token-file token.txt", "with an access token, which is never an argument"),
    ))  # fmt: skip
    at_a_server(examining)
    examining.add_argument("--patient", metavar="ID", help="run our queries for this patient, best a test patient")
    of_tenant(examining, "of the hospitals in TENANTS: its overlay and its servers")
    words = "write the build sheet for an EHR: what its analysts type in, as Markdown"
    writing = command(shelf, "sheet", words, build_sheet, (
        ("sheet", "for the site as it is set"),
        ("sheet --tenant NAME", "what the analysts of that hospital's EHR type in"),
        ("sheet --json", "for a tool"),
    ))  # fmt: skip
    of_tenant(writing, "of the hospitals in TENANTS: its codes, issuer and keys")
    for_machines(writing)
    for name, run, words in (
        ("load", load, "put the patient stories on a FHIR server of yours, as if they played today"),
        ("unload", unload, "take exactly these stories away again"),
    ):
        loading = command(shelf, name, words, run, (
            (f"{name} --fhir {_HERE}", "every story"),
            (f"{name} --fhir {_HERE} --story gilteritinib-qtc-512", "one story"),
            (f"{name} --fhir https://fhir.example.org/r4 --test-server", "on another machine, which holds no patients"),
        ))  # fmt: skip
        at_a_server(loading)
        loading.add_argument("--story", metavar="NAME", help="only this one")
        loading.add_argument(
            "--test-server", action="store_true", help="needed for another machine: it holds no real patients"
        )


def doctor(given: argparse.Namespace) -> int:
    """Can the service work with this FHIR server?"""
    from cds_service.console.fhir_client import FhirClient

    token = _token(given.token_file)
    FhirClient(given.fhir, token)  # a wrong address is told before knowledge is read
    with progress("reading knowledge"):
        from cds_service.console import doctor as examining
        from cds_service.settings import Settings

        settings = Settings.load(os.environ)
        tools, tenant = examining.tools_of(settings, given.tenant)
        client = FhirClient(given.fhir, token, examining.way_of(settings, given.tenant))
    made = examining.examine(client, token, given.patient, tools, teller(), tenant)
    if given.json:
        say_json({"problems": made.problems, **asdict(made)})
    else:
        say(site_report.diagnosis(made, terminal.width()))
    return PROBLEM if made.problems else GOOD


def build_sheet(given: argparse.Namespace) -> int:
    """What is typed into an EHR?"""
    with progress("reading knowledge"):
        from cds_service.console.build_sheet import sheet_of
        from cds_service.settings import Settings
        from cds_service.sheet import as_markdown

        told = sheet_of(Settings.load(os.environ), given.tenant)
    if given.json:
        return say_json(asdict(told))
    say(as_markdown(told), end="")
    return GOOD


def load(given: argparse.Namespace) -> int:
    """Put the stories on a FHIR server."""
    return _loading(given, "loaded")


def unload(given: argparse.Namespace) -> int:
    """Take them away again."""
    return _loading(given, "unloaded")


def _loading(given: argparse.Namespace, done: str) -> int:
    from cds_service.console import loading
    from cds_service.console.fhir_client import FhirClient
    from cds_service.settings import Settings

    client = FhirClient(given.fhir, _token(given.token_file), Settings.load(os.environ).way())
    if not client.is_here and not given.test_server:
        raise UsageError("this FHIR server is on another machine: say --test-server if it holds no real patients")
    stories = samples.stories() if given.story is None else (samples.find(given.story),)
    act = loading.load if done == "loaded" else loading.unload
    made = act(client, stories, datetime.now(UTC), teller())
    if given.json:
        return say_json({done: [asdict(each) for each in made]})
    say(site_report.stories_moved(made, done, terminal.width()))
    return GOOD


def _token(file: Path | None) -> str | None:
    """The access token: never an argument, as those are shown to every user of a machine."""
    if file is None:
        return os.environ.get(TOKEN) or None
    return words_in(file, "--token-file", "the access token")
