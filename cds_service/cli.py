"""The command line: `aml-cds serve`, `try`, `explain`, `settings`, `check`, `diff`, `doctor`, `load`, `store` ...

Exit codes: 0 all is well, 1 a problem was found, 2 the command was used wrongly; of `diff`: 0 no difference,
1 differences, 2 the overlay is wrong. What only accompanies the answer
(progress, errors) goes to stderr, so that stdout can be piped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING, Any

from cds_service import __version__
from cds_service.console import samples, site_report, terminal
from cds_service.console.samples import Sample, Story
from cds_service.errors import CdsError, SettingsError, UsageError

if TYPE_CHECKING:
    from cds_service.console.asking import Response
    from cds_service.console.difference import Difference
    from cds_service.trace import Genomics, Step

# What reads FHIR and knowledge is imported where it is needed: --help and a wrong command are answered at once.

GOOD, PROBLEM, WRONG_USAGE = 0, 1, 2
SERVER_CONFIG = "gunicorn.conf.py"
TOKEN = "AML_CDS_TOKEN"  # noqa: S105 - the name of a variable, not a token
_PATIENCE = 1.0  # seconds after which progress is told

EXAMPLES = """examples:
  aml-cds                        start the service (the same as aml-cds serve)
  aml-cds try                    list the patient stories
  aml-cds try STORY              show the cards of every request of a story
  aml-cds try STORY REQUEST --url http://127.0.0.1:8080
                                 the same from a running server
  aml-cds explain STORY REQUEST --rule qtc-hold
                                 what a check read and cited, and how it ended
  aml-cds check                  is everything sound, and what is not confirmed yet
  aml-cds settings               every setting, its value and where it came from
  aml-cds doctor --fhir URL --patient ID
                                 can this service work with that FHIR server, and what is missing
  aml-cds load --fhir URL        put the stories on a FHIR server, as of today; unload takes them away again
  aml-cds sheet --tenant NAME    what the analysts of that hospital's EHR type in, as Markdown
  aml-cds store purge --days 30  delete calls and feedback older than that; upgrade makes the tables
  aml-cds store erase --patient-file FILE --dry-run
                                 what is kept of one patient; without --dry-run it is deleted
  aml-cds report --since 2026-11-01
                                 what fired, how cards were taken, what could not be seen, what shadow would show
  aml-cds replay CALL            answer a kept call again, as of its day, and say what differs
  aml-cds diff OVERLAY           what a hospital's own folder changes, in words

exit codes: 0 all is well, 1 a problem was found, 2 wrong usage
            of diff: 0 no difference, 1 differences, 2 the overlay is wrong
Settings are environment variables: see docs/settings.md.
"""


def main(arguments: list[str] | None = None) -> int:
    """The console script."""
    given = parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        return int(given.run(given))
    except UsageError as error:
        return _tell(error, WRONG_USAGE)
    except CdsError as error:
        return _tell(error, PROBLEM)
    except KeyboardInterrupt:
        return PROBLEM
    except BrokenPipeError:  # the reader had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    top = argparse.ArgumentParser(
        prog="aml-cds",
        description="Decision support for relapsed or refractory acute myeloid leukaemia, through CDS Hooks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"aml-cds {__version__}")
    top.set_defaults(run=serve)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    _command(commands, "serve", "start the service (default)").set_defaults(run=serve)
    trying = _command(commands, "try", "send a sample request and show the cards")
    _which(trying)
    trying.add_argument("--url", help="a running server to ask, such as http://127.0.0.1:8080; else asked in-process")
    trying.set_defaults(run=try_sample)
    explaining = _command(commands, "explain", "the same, with every check: its outcome, what it read and cited")
    _which(explaining)
    explaining.add_argument("--rule", metavar="ID", help="only the checks of this rule (docs/rules.md lists them)")
    explaining.set_defaults(run=explain)
    setting = _command(commands, "settings", "every setting, its value and where it came from; secrets are not shown")
    _for_machines(setting)
    setting.set_defaults(run=settings)
    checking = _command(commands, "check", "look whether knowledge, templates, rules, settings, discovery are sound")
    _for_machines(checking)
    checking.set_defaults(run=check)
    differing = _command(commands, "diff", "what a hospital's overlay changes, in words, and in which sample answers")
    differing.add_argument("overlay", nargs="?", help="its folder; left out, that of the setting OVERLAY")
    _for_machines(differing)
    differing.set_defaults(run=diff)
    examining = _command(commands, "doctor", "can this service work with that FHIR server, and what is missing")
    _at_a_server(examining)
    examining.add_argument("--patient", metavar="ID", help="run our queries for this patient, best a test patient")
    examining.add_argument("--tenant", metavar="NAME", help="of the hospitals in TENANTS: its overlay and its servers")
    examining.set_defaults(run=doctor)
    writing = _command(commands, "sheet", "write the build sheet for an EHR: what its analysts type in, as Markdown")
    writing.add_argument("--tenant", metavar="NAME", help="of the hospitals in TENANTS: its codes, issuer and keys")
    _for_machines(writing)
    writing.set_defaults(run=build_sheet)
    for name, run, words in (
        ("load", load, "put the patient stories on a FHIR server of yours, as if they played today"),
        ("unload", unload, "take exactly these stories away again"),
    ):
        loading = _command(commands, name, words)
        _at_a_server(loading)
        loading.add_argument("--story", metavar="NAME", help="only this one")
        loading.add_argument(
            "--test-server", action="store_true", help="needed for another machine: it holds no real patients"
        )
        loading.set_defaults(run=run)
    _reports(commands)
    _store(_command(commands, "store", "the store of calls and feedback: tables, purging, erasing, a new key"))
    return top


def _reports(commands: Any) -> None:
    reporting = _command(commands, "report", "what fired, how cards were taken, what could not be seen; from the store")
    reporting.add_argument("--since", metavar="DAY", help="the first day, such as 2026-11-01; else four weeks ago")
    reporting.add_argument("--until", metavar="DAY", help="the last day; else up to now. Days are of UTC")
    reporting.add_argument("--rule", metavar="ID", help="only this rule (docs/rules.md lists them), or gap")
    reporting.add_argument("--tenant", metavar="NAME", help="only this hospital of TENANTS")
    reporting.add_argument("--csv", action="store_true", help="one long table for a spreadsheet")
    _for_machines(reporting)
    reporting.set_defaults(run=report)
    replaying = _command(commands, "replay", "answer a kept call again as of its day, and say what differs")
    replaying.add_argument("call", nargs="?", metavar="CALL", help="its id or how that begins; the log line names it")
    replaying.add_argument("--all", action="store_true", help="every call of a time, as a summary")
    replaying.add_argument("--since", metavar="DAY", help="with --all: the first day, else four weeks ago")
    replaying.add_argument("--until", metavar="DAY", help="with --all: the last day, else up to now")
    replaying.add_argument("--tenant", metavar="NAME", help="with --all: only this hospital of TENANTS")
    _for_machines(replaying)
    replaying.set_defaults(run=replay)


def _store(command: argparse.ArgumentParser) -> None:
    commands = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    upgrading = _command(commands, "upgrade", "make the tables, or bring them to this version; the start does it too")
    _for_machines(upgrading)
    upgrading.set_defaults(run=upgrade_store)
    purging = _command(commands, "purge", "delete what is older than KEEP_DAYS; the service does it every day")
    purging.add_argument("--days", type=int, metavar="N", help="older than so many days instead")
    _for_machines(purging)
    purging.set_defaults(run=purge_store)
    erasing = _command(commands, "erase", "delete all that is kept of one patient, on request; not what is in backups")
    erasing.add_argument(
        "--patient-file", metavar="FILE", type=Path, required=True, help="a file with the FHIR id of the patient alone"
    )
    erasing.add_argument("--tenant", metavar="NAME", help="the hospital in TENANTS whose patient it is")
    erasing.add_argument("--dry-run", action="store_true", help="only count what would be deleted")
    _for_machines(erasing)
    erasing.set_defaults(run=erase_patient)
    making = _command(commands, "key", "print a new key for KEEP_KEY_FILE")
    making.set_defaults(run=new_key)


def _at_a_server(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fhir", metavar="URL", required=True, help="base URL, such as http://127.0.0.1:8090/fhir")
    command.add_argument(
        "--token-file", metavar="FILE", type=Path, help=f"a file with the access token; else that of {TOKEN}, if any"
    )
    _for_machines(command)


def _command(commands: Any, name: str, words: str) -> argparse.ArgumentParser:
    # No abbreviations: --token would be taken for --token-file, and a token that was typed be told as a file's name.
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=words, description=words[0].upper() + words[1:] + ".", allow_abbrev=False
    )
    return made


def _which(command: argparse.ArgumentParser) -> None:
    command.add_argument("story", nargs="?", help="a folder of fhir_samples/; left out, the stories are listed")
    command.add_argument("request", nargs="?", help="one request of the story; left out, each of them is sent")
    _for_machines(command)


def _for_machines(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="JSON for machines")


def serve(given: argparse.Namespace) -> int:
    """Become the server: the same command as scripts/serve."""
    config = _server_config()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", str(config)])  # noqa: S606 - our own words


def _server_config() -> Path:
    places = (Path(__file__).parents[1] / SERVER_CONFIG, Path.cwd() / SERVER_CONFIG)
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(dict.fromkeys(str(place) for place in places))
    raise SettingsError(f"{SERVER_CONFIG} is not there (looked for {looked}): start this command in a checkout")


def try_sample(given: argparse.Namespace) -> int:
    """Send a sample, show the cards."""
    if given.story is None:
        return _list_stories(given)
    story, chosen = _chosen(given)
    responses = _from_server(given.url, chosen) if given.url else _from_here(story, chosen)
    if given.json:
        told = [_named(each, response) | {"response": response.content} for each, response in responses]
        _print_json({"story": story.name, "today": str(story.today), "answers": told})
    else:
        for each, response in responses:
            print(_heading(story, each, given.url))
            print(terminal.response(response.status, response.content, terminal.width()))
    return _as_told(responses)


def _from_server(url: str, chosen: tuple[Sample, ...]) -> list[tuple[Sample, Response]]:
    from cds_service.console import asking

    with _progress(f"asking {url}"):
        return [(each, asking.by_http(url, each)) for each in chosen]


def _from_here(story: Story, chosen: tuple[Sample, ...]) -> list[tuple[Sample, Response]]:
    with _progress("reading knowledge and asking the service in this process"):
        from cds_service.console import asking
        from cds_service.settings import Settings

        tools = asking.tools_for(story, Settings.load(_at_the_prompt()))
        return [(each, asking.in_process(each, tools)) for each in chosen]


def _at_the_prompt() -> dict[str, str]:
    """The environment for what is told at the prompt: the stories are of demo mode, whatever the service runs in."""
    return {name: value for name, value in os.environ.items() if name not in ("MODE", "TENANTS")}


def _named(sample: Sample, response: Response) -> dict[str, Any]:
    return {"request": sample.name, "service": sample.service, "status": response.status}


def _as_told(responses: list[tuple[Sample, Response]]) -> int:
    """Good when each was answered with the status that the story tells of."""
    return GOOD if all(response.status == sample.status for sample, response in responses) else PROBLEM


def explain(given: argparse.Namespace) -> int:
    """Send a sample, show the whole trace."""
    if given.story is None:
        return _list_stories(given)
    _require_rule(given.rule)
    story, chosen = _chosen(given)
    responses = _from_here(story, chosen)
    told = []
    for each, response in responses:
        steps, came_in = _steps(response, given.rule), _genomics(response, given.rule)
        told.append(
            _named(each, response)
            | {"checks": [asdict(step) for step in steps]}
            | ({"genomics": came_in.content} if came_in is not None else {})
        )
        if not given.json:
            print(_heading(story, each))
            if given.rule is None or response.answer is None:
                print(terminal.response(response.status, response.content, terminal.width()))
            if response.answer is not None:
                print(terminal.steps(steps, terminal.width()))
            if came_in is not None:
                print(terminal.genomics(came_in.lines, terminal.width()))
    if given.json:
        _print_json({"story": story.name, "today": str(story.today), "answers": told})
    return _as_told(responses)


def _steps(response: Response, rule: str | None) -> list[Step]:
    from cds_service.trace import trace

    made = trace(response.answer.evaluation) if response.answer else ()
    return [step for step in made if rule in (None, step.rule)]


_OF_MARKERS = (None, "target", "mutations-at-relapse", "options-at-relapse")


def _genomics(response: Response, rule: str | None) -> Genomics | None:
    """The genomic results as they came in, with the whole trace or with a rule that hangs on them."""
    from cds_service.trace import genomics

    return genomics(response.answer.evaluation) if response.answer and rule in _OF_MARKERS else None


def _require_rule(rule: str | None) -> None:
    from cds_service.rules.catalogue import RULES

    ids = [each.id for each in RULES]
    if rule is not None and rule not in ids:
        raise UsageError(f"there is no rule '{rule}'; there are: {', '.join(ids)}")


def settings(given: argparse.Namespace) -> int:
    """How is it set?"""
    from cds_service.console.settings_told import settings_of

    told = settings_of(os.environ)
    if given.json:
        return _print_json({"settings": [asdict(each) for each in told]})
    longest = max(len(each.name) for each in told)
    for each in told:
        print(f"{each.name:{longest}}  {each.origin:11}  {each.value}")
    return GOOD


def check(given: argparse.Namespace) -> int:
    """Is everything sound?"""
    with _progress("reading knowledge, templates and settings"):
        from cds_service.console import soundness

        report = soundness.check(os.environ, datetime.now(UTC).date())
    if given.json:
        _print_json({"sound": report.sound, **asdict(report)})
    else:
        print(terminal.report(report, terminal.width()))
    return GOOD if report.sound else PROBLEM


def diff(given: argparse.Namespace) -> int:
    """What does the overlay change?"""
    try:
        told = _difference(given.overlay)
    except CdsError as error:
        return _tell(error, WRONG_USAGE)
    if given.json:
        _print_json(told.as_json())
    else:
        print(terminal.difference(told, terminal.width()))
    return PROBLEM if told.changes else GOOD


def _difference(folder: str | None) -> Difference:
    with _progress("reading knowledge and overlay"):
        from cds_service.console import difference
        from cds_service.settings import Settings

        named = {**_at_the_prompt(), **({"OVERLAY": folder} if folder else {})}
        settings = Settings.load(named)
    if settings.overlay is None:
        raise UsageError("there is no overlay to look at: aml-cds diff FOLDER, or set OVERLAY")
    return difference.difference(settings, samples.stories(), datetime.now(UTC).date(), _teller())


def doctor(given: argparse.Namespace) -> int:
    """Can the service work with this FHIR server?"""
    from cds_service.console.fhir_client import FhirClient

    token = _token(given.token_file)
    FhirClient(given.fhir, token)  # a wrong address is told before knowledge is read
    with _progress("reading knowledge"):
        from cds_service.console import doctor as examining
        from cds_service.settings import Settings

        settings = Settings.load(os.environ)
        tools, tenant = examining.tools_of(settings, given.tenant)
        client = FhirClient(given.fhir, token, examining.way_of(settings, given.tenant))
    made = examining.examine(client, token, given.patient, tools, _teller(), tenant)
    if given.json:
        _print_json({"problems": made.problems, **asdict(made)})
    else:
        print(site_report.diagnosis(made, terminal.width()))
    return PROBLEM if made.problems else GOOD


def build_sheet(given: argparse.Namespace) -> int:
    """What is typed into an EHR?"""
    with _progress("reading knowledge"):
        from cds_service.console.build_sheet import sheet_of
        from cds_service.settings import Settings
        from cds_service.sheet import as_markdown

        told = sheet_of(Settings.load(os.environ), given.tenant)
    if given.json:
        return _print_json(asdict(told))
    print(as_markdown(told), end="")
    return GOOD


def load(given: argparse.Namespace) -> int:
    """Put the stories on a FHIR server."""
    return _loading(given, "loaded")


def unload(given: argparse.Namespace) -> int:
    """Take them away again."""
    return _loading(given, "unloaded")


def report(given: argparse.Namespace) -> int:
    """What does the store know?"""
    from cds_service.console import reporting
    from cds_service.settings import Settings

    if given.rule != "gap":
        _require_rule(given.rule)
    asked = reporting.asked(given.since, given.until, given.tenant, given.rule, datetime.now(UTC))
    with _progress("asking the store"):
        told = reporting.reported(Settings.load(os.environ), asked)
    if given.json:
        return _print_json(told.as_json())
    print(reporting.as_csv(told) if given.csv else reporting.as_text(told, terminal.width()), end="")
    if not given.csv:
        print()
    return GOOD


def replay(given: argparse.Namespace) -> int:
    """Is the same answered again?"""
    from cds_service.console import replay as replaying
    from cds_service.console import reporting
    from cds_service.settings import Settings

    if given.all == bool(given.call):
        raise UsageError("name one call, or say --all")
    with _progress("reading store and knowledge"):
        if given.all:
            asked = reporting.asked(given.since, given.until, given.tenant, None, datetime.now(UTC))
            settings = Settings.load(os.environ)
            told = replaying.replayed_all(settings, asked.since, asked.until, asked.tenant, _teller())
        else:
            told = (replaying.replayed(Settings.load(os.environ), given.call),)
    if given.json:
        _print_json({"calls": [asdict(each) | {"same": each.same} for each in told]})
    else:
        print(replaying.as_summary(told) if given.all else replaying.as_text(told[0]))
    return GOOD if all(each.same for each in told) else PROBLEM


def upgrade_store(given: argparse.Namespace) -> int:
    """Bring the tables to this version."""
    from cds_service.console import storing
    from cds_service.settings import Settings

    made = storing.upgraded(Settings.load(os.environ))
    if given.json:
        return _print_json(made)
    print(f"{made['store']} is ready; before, {made['before']}")
    return GOOD


def purge_store(given: argparse.Namespace) -> int:
    """Delete what is old."""
    from cds_service.console import storing
    from cds_service.settings import Settings

    if given.days is not None and given.days < 0:
        raise UsageError("--days is a number of days from 0, which deletes everything")
    made = storing.purged(Settings.load(os.environ), given.days, datetime.now(UTC))
    if given.json:
        return _print_json(made)
    print(f"{made['store']}: older than {made['days']} days were {made['calls']} calls, {made['feedback']} feedback")
    return GOOD


def erase_patient(given: argparse.Namespace) -> int:
    """Delete all of one patient."""
    from cds_service.console import storing
    from cds_service.settings import Settings

    patient = _words_in(given.patient_file, "--patient-file", "the FHIR id of the patient")
    made = storing.erased(Settings.load(os.environ), given.tenant, patient, given.dry_run)
    if given.json:
        return _print_json(made)
    told = f"{made['calls']} calls ({made['whole']} kept whole) with {made['cards']} cards and {made['checks']} checks"
    done = "would be erased" if given.dry_run else "were erased"
    print(f"{made['store']}: {told}, and {made['feedback']} feedback {done}")
    return GOOD


def new_key(given: argparse.Namespace) -> int:
    """Print a new key."""
    from cds_service.store.keys import new_key

    print(new_key())
    return GOOD


def _loading(given: argparse.Namespace, done: str) -> int:
    from cds_service.console import loading
    from cds_service.console.fhir_client import FhirClient
    from cds_service.settings import Settings

    client = FhirClient(given.fhir, _token(given.token_file), Settings.load(os.environ).way())
    if not client.is_here and not given.test_server:
        raise UsageError("this FHIR server is on another machine: say --test-server if it holds no real patients")
    stories = samples.stories() if given.story is None else (samples.find(given.story),)
    act = loading.load if done == "loaded" else loading.unload
    made = act(client, stories, datetime.now(UTC), _teller())
    if given.json:
        return _print_json({done: [asdict(each) for each in made]})
    print(site_report.stories_moved(made, done, terminal.width()))
    return GOOD


def _token(file: Path | None) -> str | None:
    """The access token: never an argument, as those are shown to every user of a machine."""
    if file is None:
        return os.environ.get(TOKEN) or None
    return _words_in(file, "--token-file", "the access token")


def _words_in(file: Path, option: str, what: str) -> str:
    """What stands in this file: nothing that other users of a machine should see is an argument."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{option} {file} cannot be read: it holds {what}, and nothing else") from None


def _teller() -> Callable[[str], None]:
    """Says each step, once it has taken longer than one is glad to wait."""
    patient_until = monotonic() + _PATIENCE

    def tell(words: str) -> None:
        if monotonic() >= patient_until:
            print(f"aml-cds: {words} …", file=sys.stderr, flush=True)

    return tell


def _list_stories(given: argparse.Namespace) -> int:
    every = samples.stories()
    if given.json:
        return _print_json({"stories": [asdict(story) for story in every]})
    columns = terminal.width()
    for story in every:
        print(terminal.wrapped(f"{story.name}  {story.title} ({story.today})", columns, "", "    "))
        for each in story.samples:
            words = f"{each.name}  {each.service}" + (f", {each.dialect}" if each.dialect else "")
            print(terminal.wrapped(f"{words}: {each.shows}" if each.shows else words, columns, "    ", "        "))
    print(f"\nNext: aml-cds try {every[0].name}")
    return GOOD


def _chosen(given: argparse.Namespace) -> tuple[Story, tuple[Sample, ...]]:
    story = samples.find(given.story)
    return story, story.samples if given.request is None else (story.sample(given.request),)


def _heading(story: Story, sample: Sample, url: str | None = None) -> str:
    where = f"sent to {url} today" if url else f"as of {story.today}"
    return f"== {story.name} {sample.name}: {sample.service}, {where}\n"


@contextmanager
def _progress(words: str) -> Iterator[None]:
    """Say what is going on when it takes longer than one is glad to wait."""
    timer = Timer(_PATIENCE, lambda: print(f"aml-cds: {words} …", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _print_json(content: Any) -> int:
    print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
    return GOOD


def _tell(error: CdsError, code: int) -> int:
    sys.stdout.flush()
    print(f"aml-cds: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
