"""The book: every page that this service has, in the order of its navigation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint

from cds_service.answer import Tools
from cds_service.beside import Beside
from cds_service.pages.covered import coverage
from cds_service.pages.evidence import evidence
from cds_service.pages.knowledge import knowledge
from cds_service.pages.pathway import pathway
from cds_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation: where it leads, and how it is spoken."""

    endpoint: str
    words: str


@dataclass(frozen=True, slots=True)
class Book:
    """The pages as blueprints, and what of them stands in the navigation."""

    chapters: Sequence[Blueprint] = ()
    links: Sequence[Link] = ()


def book(settings: Settings, tools: Tools, beside: Beside) -> Book:
    """Every page that these settings show."""
    return Book(
        (knowledge(tools), coverage(tools), evidence(tools), pathway(tools)),
        (
            Link("pathway.index", "Pathway"),
            Link("evidence.index", "Evidence"),
            Link("knowledge.index", "Knowledge"),
            Link("coverage.index", "Coverage"),
        ),
    )
