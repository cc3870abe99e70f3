"""For whoever wants to see it: `try` shows the cards of a patient story, `explain` every check behind them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cds_service.cli.grammar import Shelf, command, which_story
from cds_service.cli.speaking import GOOD, PROBLEM, at_the_prompt, progress, say, say_json
from cds_service.console import samples, terminal
from cds_service.console.samples import Sample, Story
from cds_service.errors import UsageError

if TYPE_CHECKING:
    from cds_service.console.asking import Response
    from cds_service.trace import Genomics, Step

_OF_MARKERS = (None, "target", "mutations-at-relapse", "options-at-relapse")


def add(shelf: Shelf) -> None:
    """The commands of this module."""
    trying = command(shelf, "try", "send a sample request and show the cards", try_sample, (
        ("try", "list the patient stories"),
        ("try gilteritinib-qtc-512", "the cards of every request of a story"),
        ("try gilteritinib-qtc-512 sign", "of one request"),
        ("try gilteritinib-qtc-512 sign --url http://127.0.0.1:8080", "the same from a running server"),
        ("try gilteritinib-qtc-512 sign --json", "the response itself"),
    ))  # fmt: skip
    which_story(trying)
    trying.add_argument("--url", help="a running server to ask, such as http://127.0.0.1:8080; else asked in-process")
    words = "the same, with every check: its outcome, what it read and cited"
    explaining = command(shelf, "explain", words, explain, (
        ("explain gilteritinib-qtc-512 sign", "the cards, and every check behind them"),
        ("explain gilteritinib-qtc-512 sign --rule qtc-hold", "what one check read and cited, and how it ended"),
        ("explain gilteritinib-no-ecg sign --rule qtc-hold", "a check that could not be made, and why"),
    ))  # fmt: skip
    which_story(explaining)
    explaining.add_argument("--rule", metavar="ID", help="only the checks of this rule (docs/rules.md lists them)")


def try_sample(given: argparse.Namespace) -> int:
    """Send a sample, show the cards."""
    if given.story is None:
        return _list_stories(given)
    story, chosen = _chosen(given)
    responses = _from_server(given.url, chosen) if given.url else _from_here(story, chosen)
    if given.json:
        told = [_named(each, response) | {"response": response.content} for each, response in responses]
        say_json({"story": story.name, "today": str(story.today), "answers": told})
    else:
        for each, response in responses:
            say(_heading(story, each, given.url))
            say(terminal.response(response.status, response.content, terminal.width()))
    return _as_told(responses)


def _from_server(url: str, chosen: tuple[Sample, ...]) -> list[tuple[Sample, Response]]:
    from cds_service.console import asking

    with progress(f"asking {url}"):
        return [(each, asking.by_http(url, each)) for each in chosen]


def _from_here(story: Story, chosen: tuple[Sample, ...]) -> list[tuple[Sample, Response]]:
    with progress("reading knowledge and asking the service in this process"):
        from cds_service.console import asking
        from cds_service.settings import Settings

        tools = asking.tools_for(story, Settings.load(at_the_prompt()))
        return [(each, asking.in_process(each, tools)) for each in chosen]


def _named(sample: Sample, response: Response) -> dict[str, Any]:
    return {"request": sample.name, "service": sample.service, "status": response.status}


def _as_told(responses: list[tuple[Sample, Response]]) -> int:
    """Good when each was answered with the status that the story tells of."""
    return GOOD if all(response.status == sample.status for sample, response in responses) else PROBLEM


def explain(given: argparse.Namespace) -> int:
    """Send a sample, show the whole trace."""
    if given.story is None:
        return _list_stories(given)
    require_rule(given.rule)
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
            say(_heading(story, each))
            if given.rule is None or response.answer is None:
                say(terminal.response(response.status, response.content, terminal.width()))
            if response.answer is not None:
                say(terminal.steps(steps, terminal.width()))
            if came_in is not None:
                say(terminal.genomics(came_in.lines, terminal.width()))
    if given.json:
        say_json({"story": story.name, "today": str(story.today), "answers": told})
    return _as_told(responses)


def _steps(response: Response, rule: str | None) -> list[Step]:
    from cds_service.trace import trace

    made = trace(response.answer.evaluation) if response.answer else ()
    return [step for step in made if rule in (None, step.rule)]


def _genomics(response: Response, rule: str | None) -> Genomics | None:
    """The genomic results as they came in, with the whole trace or with a rule that hangs on them."""
    from cds_service.trace import genomics

    return genomics(response.answer.evaluation) if response.answer and rule in _OF_MARKERS else None


def require_rule(rule: str | None) -> None:
    """Raises UsageError where there is no such rule."""
    from cds_service.rules.catalogue import RULES

    ids = [each.id for each in RULES]
    if rule is not None and rule not in ids:
        raise UsageError(f"there is no rule '{rule}'; there are: {', '.join(ids)}")


def _list_stories(given: argparse.Namespace) -> int:
    every = samples.stories()
    if given.json:
        return say_json({"stories": [asdict(story) for story in every]})
    columns = terminal.width()
    for story in every:
        say(terminal.wrapped(f"{story.name}  {story.title} ({story.today})", columns, "", "    "))
        for each in story.samples:
            words = f"{each.name}  {each.service}" + (f", {each.dialect}" if each.dialect else "")
            say(terminal.wrapped(f"{words}: {each.shows}" if each.shows else words, columns, "    ", "        "))
    say(f"\nNext: aml-cds try {every[0].name}")
    return GOOD


def _chosen(given: argparse.Namespace) -> tuple[Story, tuple[Sample, ...]]:
    story = samples.find(given.story)
    return story, story.samples if given.request is None else (story.sample(given.request),)


def _heading(story: Story, sample: Sample, url: str | None = None) -> str:
    where = f"sent to {url} today" if url else f"as of {story.today}"
    return f"== {story.name} {sample.name}: {sample.service}, {where}\n"
