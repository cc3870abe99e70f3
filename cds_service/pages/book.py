"""The book: every page that this service has, in the order of its navigation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint

from cds_service.answer import Tools
from cds_service.beside import Beside
from cds_service.pages.api import api
from cds_service.pages.covered import coverage
from cds_service.pages.evidence import evidence
from cds_service.pages.governance import governance
from cds_service.pages.knowledge import knowledge
from cds_service.pages.login import login
from cds_service.pages.pathway import pathway
from cds_service.pages.playground import playground
from cds_service.pages.sheet import build_sheet
from cds_service.pages.why import why
from cds_service.settings import OFF, ON, Settings


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
    chapters = [
        knowledge(tools), coverage(tools), evidence(tools), pathway(tools), why(tools, beside),
        build_sheet(settings, tools), api(settings),
    ]  # fmt: skip
    links = [
        Link("pathway.index", "Pathway"),
        Link("evidence.index", "Evidence"),
        Link("knowledge.index", "Knowledge"),
        Link("coverage.index", "Coverage"),
        Link("sheet.page", "Build sheet"),
        Link("api.page", "API"),
    ]
    if beside.login is not None:
        chapters.append(login(beside.login, settings.public_url))
    if settings.pages != OFF and (settings.is_demo or beside.report is not None):
        chapters.append(governance(settings, tools, beside))
        if settings.pages == ON:  # else a link that most would find dead
            links.append(Link("governance.look", "Governance"))
    if settings.playground:
        chapters.insert(0, playground(settings, tools))
        links.insert(0, Link("playground.look", "Playground"))
    return Book(chapters, links)
