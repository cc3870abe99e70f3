"""Difference: what a hospital's overlay changes, in words, and which sample answers come out differently for it.

Every change is looked at by itself and as if it were in force, so that one can be weighed before its day comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cds_service.answer import Tools, load_tools
from cds_service.changes import Change, changes
from cds_service.console import asking
from cds_service.console.samples import Sample, Story
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.overlay import Decision, Overlay
from cds_service.rules.catalogue import RULES as CATALOGUE
from cds_service.settings import Settings

_ALWAYS = date(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that `aml-cds diff` says. `answers`: for each change the sample requests answered differently."""

    overlay: Overlay
    versions: tuple[str, str]  # as shipped, with the overlay
    changes: tuple[Change, ...]
    answers: Mapping[Change, tuple[str, ...]]
    samples: int

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "owner": self.overlay.owner,
            "effective": self.overlay.effective,
            "contact": self.overlay.contact,
            "digest": self.overlay.digest,
            "knowledge": {"shipped": self.versions[0], "with_overlay": self.versions[1]},
            "samples": self.samples,
            "changes": [_as_json(change, self.answers[change]) for change in self.changes],
        }


def _as_json(change: Change, answers: tuple[str, ...]) -> dict[str, Any]:
    told = {field: getattr(change, field) for field in ("group", "place", "words", "owner", "effective", "until")}
    return told | {
        "reason": change.reason,
        "beware": change.beware,
        "lines": change.lines,
        "sample_answers_that_differ": answers,
    }


def difference(
    settings: Settings, stories: Iterable[Story], today: date, tell: Callable[[str], None]
) -> Difference:
    """What the overlay of these settings changes. Raises KnowledgeError when it is wrong."""
    overlaid = load_tools(settings).knowledge
    assert overlaid.overlay is not None
    as_shipped = replace(settings, overlay=None, client_profiles=(), default_profile="default")
    shipped = load_tools(as_shipped)
    told = tuple(stories)
    made = changes(overlaid, CATALOGUE, settings.jurisdiction, today)
    answers = differing(made, told, shipped, tell) if made else {}
    versions = (shipped.knowledge.version, overlaid.version)
    return Difference(overlaid.overlay, versions, made, answers, sum(len(story.samples) for story in told))


def differing(
    made: Iterable[Change], stories: Iterable[Story], shipped: Tools, tell: Callable[[str], None]
) -> Mapping[Change, tuple[str, ...]]:
    """For each change the sample requests that are answered differently. `tell`: what is being done now."""
    every = [(story, sample) for story in stories for sample in story.samples]
    tell(f"asking {len(every)} samples as shipped")
    before = [_content(story, sample, shipped) for story, sample in every]
    found: dict[Change, tuple[str, ...]] = {}
    for change in made:
        tell(f"asking {len(every)} samples with {change.place}")
        tools = replace(shipped, knowledge=_as_if_in_force(shipped.knowledge, change.only))
        found[change] = tuple(
            f"{story.name} {sample.name}"
            for (story, sample), as_shipped in zip(every, before, strict=True)
            if _content(story, sample, tools) != as_shipped
        )
    return found


def _content(story: Story, sample: Sample, tools: Tools) -> Mapping[str, Any]:
    """The answer on the day of the story."""
    return asking.in_process(sample, replace(tools, now=lambda: story.now)).content


def _as_if_in_force(shipped: Knowledge, only: Overlay) -> Knowledge:
    """The knowledge with one change in force on every day, under the same version: only the medicine may differ."""
    values = tuple(replace(each, decision=_always(each.decision)) for each in only.values)
    switches = tuple(replace(each, decision=_always(each.decision)) for each in only.switches)
    chosen = tuple(replace(each, decision=_always(each.decision)) for each in only.reasons)
    always = replace(only, values=values, switches=switches, reasons=chosen)
    return replace(shipped.with_overlay(always), version=shipped.version)


def _always(decision: Decision) -> Decision:
    return replace(decision, effective=_ALWAYS, until=None)
