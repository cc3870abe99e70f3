"""The library: every statement and therapy, with how each stands today and at this hospital, searched.

The shelves are made once for a day. Nothing is ranked: statements stand by subject and topic, therapies by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Statement
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.therapies import Kind
from cds_service.pages.entries import Entry, Line, Today, entry_of, line_of
from cds_service.trace import spoken


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for. Empty fields ask for nothing."""

    words: str = ""
    drug: str = ""
    state: str = ""
    jurisdiction: str = ""
    topic: str = ""
    of: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not any((self.words, self.drug, self.state, self.jurisdiction, self.topic, self.of))


class Shelves:
    """The library of today, made anew when the day changes."""

    def __init__(self, knowledge: Knowledge, jurisdiction: str, now: Callable[[], datetime]) -> None:
        self._knowledge, self._jurisdiction, self._now = knowledge, jurisdiction, now
        self._kept: Library | None = None

    @property
    def today(self) -> Library:
        """The library of today."""
        day, kept = self._now().date(), self._kept
        if kept is None or kept.today.day != day:
            kept = self._kept = Library(self._knowledge, day, self._jurisdiction)
        return kept


class Library:
    """The shelves of one day in one jurisdiction."""

    def __init__(self, knowledge: Knowledge, day: date, jurisdiction: str) -> None:
        self.knowledge = knowledge
        self.today = Today(day, jurisdiction)

    @property
    def snapshot(self) -> Snapshot:
        """What holds on its day at this hospital."""
        return self.knowledge.at(self.today.day, self.today.jurisdiction)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every statement, those of our drugs first."""
        made = [*self._made()]
        order = {"drug": 0, "interaction": 1, "option": 2, "pathway": 3, "default": 4}
        return tuple(sorted(made, key=lambda line: (order[line.of], line.about.lower(), line.words.lower(), line.id)))

    @cached_property
    def therapies(self) -> tuple[Entry, ...]:
        """Every therapy, by name."""
        made = (entry_of(each) for each in self.knowledge.therapies.values())
        return tuple(sorted(made, key=lambda entry: entry.name.lower()))

    @cached_property
    def topics(self) -> tuple[tuple[str, str], ...]:
        """Every topic that something is said on: its name, and how it is spoken."""
        return tuple(sorted({(line.topic, line.words) for line in self.lines}, key=lambda each: each[1].lower()))

    @cached_property
    def subjects(self) -> Mapping[str, tuple[Line, ...]]:
        """The statements by what they are about; a medicine that was looked at without a finding has none."""
        found: dict[str, list[Line]] = {name: [] for name in (*self.knowledge.drugs, *self.knowledge.precipitants)}
        for line in self.lines:
            found.setdefault(line.about, []).append(line)
        return {about: tuple(lines) for about, lines in found.items()}

    def naming(self, name: str) -> tuple[Line, ...]:
        """The statements about something else that name it."""
        others = (line for line in self.lines if line.about != name)
        return tuple(line for line in others if name in (line.qualifier, *line.value.split("; ")))

    def found(self, asked: Asked) -> tuple[Line, ...]:
        """The statements that fit everything that is asked."""
        wanted = asked.words.lower().split()
        return tuple(
            line
            for line, sought in self._sought
            if asked.drug in ("", line.about, line.qualifier)
            and asked.state in ("", line.state)
            and (not asked.jurisdiction or asked.jurisdiction in line.jurisdictions)
            and asked.topic in ("", line.topic)
            and asked.of in ("", line.of)
            and all(word in sought for word in wanted)
        )

    def found_therapies(self, asked: Asked) -> tuple[Entry, ...]:
        """The therapies that fit. A topic is a statement's: who asks for one sees no therapies."""
        wanted = asked.words.lower().split()
        if asked.topic or asked.of not in ("", "therapy"):
            return ()
        return tuple(
            entry
            for entry in self.therapies
            if (not asked.drug or asked.drug in entry.drugs)
            and (not asked.state or asked.state in entry.states)
            and (not asked.jurisdiction or _spoken_of(entry, asked.jurisdiction))
            and all(word in entry.sought for word in wanted)
        )

    @cached_property
    def _sought(self) -> tuple[tuple[Line, str], ...]:
        return tuple((line, line.sought) for line in self.lines)

    def _made(self) -> Iterator[Line]:
        every = tuple(self.knowledge.all_statements())
        answers: dict[tuple[str, str, str], list[Statement[Any]]] = {}
        for statement in every:
            answers.setdefault((statement.topic, statement.about, statement.qualifier), []).append(statement)
        for statement in every:
            others = answers[statement.topic, statement.about, statement.qualifier]
            yield line_of(statement, self.kind_of(statement), others, self.local_words(statement), self.today)

    def kind_of(self, statement: Statement[Any]) -> str:
        """On which shelf it stands."""
        if statement.about in ("policy", "signs"):
            return "default"
        if statement.about == "pathway":
            return "pathway"
        if statement.about.startswith("option "):
            return "option"
        ours = statement.about in self.knowledge.drugs
        of_ours = ours and not any(statement is each for each in self._effects(statement.about))
        return "drug" if of_ours else "interaction"

    def local_words(self, statement: Statement[Any]) -> str:
        """What the hospital says in its place, by whom and why; "" when nothing."""
        for answer in self.knowledge.local:
            if answer.decision.in_force(self.today.day) and answer.stands_in_for(statement):
                return f"{spoken(answer.value)}, {answer.decision.words}: {answer.decision.reason}"
        return ""

    def _effects(self, name: str) -> tuple[Statement[str], ...]:
        known = self.knowledge.precipitants.get(name)
        return known.statements if known is not None else ()


def _spoken_of(entry: Entry, jurisdiction: str) -> bool:
    return any(each.jurisdiction == jurisdiction and each.kind != Kind.UNKNOWN.value for each in entry.status)
